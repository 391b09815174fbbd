//! The work directory: everything a migration keeps on disk.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::{Error, Lock, LockError, Store};

/// The work directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WorkDirError {
    /// Something that is not a folder has its name.
    #[error("the work directory {} is not a directory", .0.display())]
    NotAFolder(PathBuf),
    /// It cannot be made or written.
    #[error("the work directory {} cannot be used", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another user made it: it may be a trap in a folder that everybody can write to.
    #[error("the work directory {} belongs to another user", .0.display())]
    Foreign(PathBuf),
}

/// Where everything of a migration is.
#[derive(Debug, Clone)]
pub struct WorkDir {
    /// The folder itself, `--dir`.
    pub root: PathBuf,
    /// The segments.
    pub cdc: PathBuf,
}

impl WorkDir {
    /// The work directory at `root` with its segments in `cdc`. Nothing is made.
    pub fn new(root: PathBuf, cdc: PathBuf) -> Self {
        Self { root, cdc }
    }

    /// The store's file.
    pub fn store_path(&self) -> PathBuf {
        self.root.join("pgflit.db")
    }

    /// The lock file of the whole run.
    pub fn lock_path(&self) -> PathBuf {
        self.root.join("pgflit.lock")
    }

    /// The lock file of one of the streaming processes: two never write the same segments, also
    /// while a killed supervisor's children are still ending.
    pub fn role_lock_path(&self, role: &str) -> PathBuf {
        self.cdc.join(format!("{role}.lock"))
    }

    /// The file with the exported snapshot's id.
    pub fn snapshot_path(&self) -> PathBuf {
        self.root.join("snapshot")
    }

    /// The summary of the copy.
    pub fn summary_path(&self) -> PathBuf {
        self.root.join("summary.json")
    }

    /// The folder of the logs, one file a process.
    pub fn log_path(&self) -> PathBuf {
        self.root.join("log")
    }

    /// The socket by which the proxy is asked and told.
    pub fn proxy_socket_path(&self) -> PathBuf {
        self.root.join("proxy.sock")
    }

    /// The file that says which side traffic goes to.
    pub fn authority_path(&self) -> PathBuf {
        self.root.join("authority.json")
    }

    /// The folder of schema dumps.
    pub fn schema_path(&self) -> PathBuf {
        self.root.join("schema")
    }

    /// The folder of what comparisons have found.
    pub fn compare_path(&self) -> PathBuf {
        self.root.join("compare")
    }

    /// Whether a migration has begun here.
    pub fn has_begun(&self) -> bool {
        self.store_path().exists()
    }

    /// Whether the folder could be made or written, found out without leaving anything behind.
    pub fn check(&self) -> Result<(), WorkDirError> {
        let failed = |source| WorkDirError::Io {
            path: self.root.clone(),
            source,
        };
        let existing = self.root.ancestors().find(|path| path.exists());
        let existing = existing.unwrap_or(Path::new("."));
        let metadata = fs::metadata(existing).map_err(failed)?;
        if !metadata.is_dir() {
            return Err(WorkDirError::NotAFolder(existing.to_owned()));
        }
        if existing == self.root && metadata.uid() != nix::unistd::geteuid().as_raw() {
            return Err(WorkDirError::Foreign(self.root.clone()));
        }
        nix::unistd::access(
            existing,
            nix::unistd::AccessFlags::W_OK | nix::unistd::AccessFlags::X_OK,
        )
        .map_err(|errno| failed(errno.into()))
    }

    /// Makes the folders, readable by nobody else.
    pub fn create(&self) -> Result<(), WorkDirError> {
        self.check()?;
        for folder in [&self.root, &self.cdc, &self.schema_path()] {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .map_err(|source| WorkDirError::Io {
                    path: folder.clone(),
                    source,
                })?;
        }
        Ok(())
    }

    /// Takes the lock of the whole run. The folder must be there.
    pub fn lock(&self) -> Result<Lock, LockError> {
        Lock::take(&self.lock_path())
    }

    /// Opens the store of a migration that has begun.
    pub fn open_store(&self) -> Result<Store, Error> {
        Store::open(&self.store_path())
    }
}
