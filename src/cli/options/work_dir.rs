//! Where a run keeps its files.

use std::path::PathBuf;

/// The work directory and the place of the change-capture files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkDir {
    /// `--dir`, else `${TMPDIR:-/tmp}/pgflit`.
    pub dir: PathBuf,
    /// Whether `--dir` was given.
    pub dir_given: bool,
    /// `${XDG_DATA_HOME:-~/.local/share}/pgflit`; none if no home is known.
    pub(in crate::cli) data_home: Option<PathBuf>,
}

impl WorkDir {
    /// The folder of the segments: `D/cdc` when `--dir` was given, else under the user's data
    /// home, because `/tmp` is emptied at boot and segments may be the only copy of changes.
    pub fn cdc_dir(&self) -> PathBuf {
        match &self.data_home {
            Some(home) if !self.dir_given => home.clone(),
            _ => self.dir.join("cdc"),
        }
    }
}
