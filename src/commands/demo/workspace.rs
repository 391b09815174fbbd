//! The folders that the demo works in.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::DemoError;

/// A work directory for the migration, and a folder for what the demo itself writes. What the demo
/// made is removed when dropped; a work directory that the user named is never.
#[derive(Debug)]
pub(super) struct Workspace {
    path: PathBuf,
    made: PathBuf,
}

impl Workspace {
    /// With the work directory `named`, or a new one.
    pub(super) fn prepare(named: Option<&Path>) -> Result<Self, DemoError> {
        // Not the process id: a demo that was killed leaves its folder, and ids come again.
        let name = format!("pgflit-demo-{:016x}", rand::random::<u64>());
        let made = std::env::temp_dir().join(name);
        DirBuilder::new()
            .mode(0o700)
            .create(&made)
            .map_err(|source| DemoError::Folder {
                path: made.clone(),
                source,
            })?;
        Ok(Self {
            path: named.map_or_else(|| made.join("work"), Path::to_owned),
            made,
        })
    }

    /// For `--dir`.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// For everything else.
    pub(super) fn scratch(&self) -> &Path {
        &self.made
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // What cannot be removed is a few files in the folder for temporary ones.
        let _ = fs::remove_dir_all(&self.made);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_folder_stays_and_a_made_one_goes() {
        let named = tempfile::tempdir().unwrap();
        drop(Workspace::prepare(Some(named.path())).unwrap());
        assert!(named.path().exists());

        let made = Workspace::prepare(None).unwrap();
        let folder = made.scratch().to_owned();
        assert!(made.path().starts_with(&folder));
        assert!(folder.exists());
        drop(made);
        assert!(!folder.exists());
    }
}
