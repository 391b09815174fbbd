//! `pgflit generate DIR`: `man/` and `completions/` of the source tree.

use std::io;
use std::path::{Path, PathBuf};

use super::CommandError;
use crate::cli::ExitCode;
use crate::cli::generate;

#[derive(Debug, thiserror::Error)]
#[error("writing man pages and completions below {dir}", dir = dir.display())]
struct GenerateError {
    dir: PathBuf,
    #[source]
    source: io::Error,
}

pub(super) fn run(dir: &Path) -> Result<ExitCode, CommandError> {
    let count = generate::write(dir).map_err(|source| {
        let dir = dir.to_owned();
        CommandError::new(ExitCode::Other, GenerateError { dir, source })
    })?;
    tracing::info!(files = count, dir = %dir.display(), "wrote man pages and completions");
    Ok(ExitCode::Done)
}
