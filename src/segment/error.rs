//! How reading and writing segments fails.

use std::io;
use std::path::{Path, PathBuf};

/// A segment file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{doing} {}", path.display())]
pub struct Error {
    /// What was being done, such as `writing`.
    pub doing: &'static str,
    /// To which file or folder.
    pub path: PathBuf,
    /// Why it failed.
    #[source]
    pub source: io::Error,
}

impl Error {
    /// What to do, where it can be said.
    pub fn hint(&self) -> Option<String> {
        let is_full = matches!(
            self.source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        );
        is_full.then(|| {
            "make room on this disk, then go on (`clone` with --resume): nothing is lost, the source keeps what is not here"
                .to_owned()
        })
    }
}

/// Names what was being done when an I/O call failed.
pub(super) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error {
        doing,
        path,
        source,
    }
}
