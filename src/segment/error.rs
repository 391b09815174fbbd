//! How reading and writing segments fails.

use std::io;
use std::path::{Path, PathBuf};

use super::{Crc32, Kind};

/// A segment file could not be read or written, or is not what was written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk.
    #[error("{doing} {}", path.display())]
    Io {
        /// What was being done, such as `writing`.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A closed segment has bytes that were not in it when it was closed, or lacks some.
    #[error(
        "{}, bytes 0 to {bytes}: changed after the segment was closed: their crc32 is {found}, and {said} in the last line",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// How many bytes stand before its last line.
        bytes: u64,
        /// Their checksum.
        found: Crc32,
        /// What it was.
        said: Crc32,
    },
    /// A closed segment does not hold together.
    #[error("{}, {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        problem: String,
    },
    /// A segment is gone that the one before it names as the next.
    #[error("{} is missing, and later ones are there", .0.display())]
    Missing(PathBuf),
}

impl Error {
    /// What to do, where it can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Io { source, .. } => is_full(source).then(|| {
                "make room on this disk, then go on (`clone` with --resume): nothing is lost, the source keeps what is not here"
                    .to_owned()
            }),
            Error::Changed { path, .. } => Kind::of_closed(path).map(|kind| {
                let hint = kind.mended_by();
                format!("{hint}; if it was edited on purpose, take \"crc32\" out of its last line")
            }),
            Error::Damaged { path, .. } => {
                Kind::of_closed(path).map(|kind| kind.mended_by().into())
            }
            Error::Missing(path) => Kind::of_closed(path).map(|kind| kind.mended_by().into()),
        }
    }
}

/// Whether there was no room for what was written.
fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

impl Kind {
    /// What to do about a damaged segment of this kind.
    pub fn mended_by(self) -> &'static str {
        match self {
            Kind::Json => {
                "the file was damaged after it was written: put back a copy of it and run the same command with --resume; without one its changes are lost here: begin anew with --restart"
            }
            Kind::Sql => {
                "remove this .sql segment and all later ones: they are made again from the .json segments when the same command is run with --resume"
            }
        }
    }
}

/// Names what was being done when an I/O call failed.
pub(super) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io {
        doing,
        path,
        source,
    }
}
