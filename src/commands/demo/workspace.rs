//! The folder that the migration works in.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::DemoError;

/// A work directory for the migration. One that the demo made is removed when dropped; one that
/// the user named is never.
#[derive(Debug)]
pub(super) struct Workspace {
    path: PathBuf,
    made: Option<PathBuf>,
}

impl Workspace {
    /// The folder `named`, or a new one.
    pub(super) fn prepare(named: Option<&Path>) -> Result<Self, DemoError> {
        if let Some(path) = named {
            return Ok(Self {
                path: path.to_owned(),
                made: None,
            });
        }
        // Not the process id: a demo that was killed leaves its folder, and ids come again.
        let name = format!("pgflit-demo-{:016x}", rand::random::<u64>());
        let folder = std::env::temp_dir().join(name);
        DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .map_err(|source| DemoError::Folder {
                path: folder.clone(),
                source,
            })?;
        Ok(Self {
            path: folder.join("work"),
            made: Some(folder),
        })
    }

    /// For `--dir`.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if let Some(folder) = &self.made {
            // What cannot be removed is a few files in the folder for temporary ones.
            let _ = fs::remove_dir_all(folder);
        }
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
        let folder = made.path().parent().unwrap().to_owned();
        assert!(folder.exists());
        drop(made);
        assert!(!folder.exists());
    }
}
