//! The folders that clusters live in: claimed, released, swept when their owner is dead.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::fcntl::{Flock, FlockArg};
use nix::sys::statvfs::statvfs;

use super::ClusterError;
use super::process;
use super::user::ServerUser;

/// `/tmp` and not `TMPDIR`: a socket's path may have 107 bytes, and another user than ours must
/// be able to reach it.
const ON_DISK: &str = "/tmp";
/// Copying a template here takes a tenth of the time.
const IN_MEMORY: &str = "/dev/shm";
/// Free bytes that make it worth choosing: several clusters, each with a gigabyte of WAL. A
/// container often has 64 MB.
const MEMORY_MIN: u64 = 4 << 30;

/// Where clusters are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Below `/tmp`.
    Disk,
    /// Below `/dev/shm` if there is room, else below `/tmp`.
    Memory,
}

impl Place {
    fn parent(self) -> &'static Path {
        let roomy = || {
            statvfs(IN_MEMORY)
                .is_ok_and(|found| found.blocks_available() * found.fragment_size() >= MEMORY_MIN)
        };
        match self {
            Self::Memory if roomy() => Path::new(IN_MEMORY),
            Self::Memory | Self::Disk => Path::new(ON_DISK),
        }
    }
}

/// The folder that holds all clusters of one user.
#[derive(Debug)]
pub(super) struct Registry {
    path: PathBuf,
    user: ServerUser,
}

/// A cluster's folder, ours until dropped; dropping removes it.
#[derive(Debug)]
pub(super) struct ClaimedFolder {
    path: PathBuf,
    lock_path: PathBuf,
    /// Released by the system when this process ends, however it ends.
    _lock: Flock<File>,
}

impl Registry {
    /// Opens the folder of `user` in `place`, making it if need be.
    pub(super) fn open(user: ServerUser, place: Place) -> Result<Self, ClusterError> {
        let path = place
            .parent()
            .join(format!("pgflit-clusters-{}", user.uid()));
        match fs::DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => user.give(&path)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(ClusterError::io("creating", &path)(error)),
        }
        let found = fs::symlink_metadata(&path).map_err(ClusterError::io("looking at", &path))?;
        // Root's own: another process of ours is between creating it and giving it away.
        let ours = [user.uid(), nix::unistd::geteuid().as_raw()].contains(&found.uid());
        if !found.is_dir() || !ours {
            return Err(ClusterError::ForeignFolder {
                folder: path,
                uid: found.uid(),
            });
        }
        Ok(Self { path, user })
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whose folder it is.
    pub(super) fn user(&self) -> &ServerUser {
        &self.user
    }

    /// Waits until no other process holds the lock `name`, and holds it until dropped.
    pub(super) fn lock(&self, name: &str) -> Result<Flock<File>, ClusterError> {
        let path = self.path.join(name);
        let file = open_lock(&path)?;
        Flock::lock(file, FlockArg::LockExclusive)
            .map_err(|(_, errno)| ClusterError::io("locking", path)(errno.into()))
    }

    /// A new folder whose name begins with `name`, after removing those of dead owners.
    ///
    /// Claiming and sweeping exclude each other by `registry.lock`: else a sweeper could take a
    /// lock file that was just made, and not yet locked, for one of a dead owner.
    pub(super) fn claim(&self, name: &str) -> Result<ClaimedFolder, ClusterError> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = self
            .path
            .join(format!("{name}-{}-{number}", std::process::id()));
        let lock_path = path.with_extension("lock");

        let _registry = self.lock("registry.lock")?;
        self.sweep()?;
        let lock = Flock::lock(open_lock(&lock_path)?, FlockArg::LockExclusiveNonblock)
            .map_err(|(_, errno)| ClusterError::io("locking", &lock_path)(errno.into()))?;
        let claimed = ClaimedFolder {
            path,
            lock_path,
            _lock: lock,
        };
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&claimed.path)
            .map_err(ClusterError::io("creating", &claimed.path))?;
        self.user.give(&claimed.path)?;
        Ok(claimed)
    }

    /// Removes the folders whose lock nobody holds. The caller holds `registry.lock`.
    fn sweep(&self) -> Result<(), ClusterError> {
        let entries = fs::read_dir(&self.path).map_err(ClusterError::io("reading", &self.path))?;
        for entry in entries.flatten() {
            let lock_path = entry.path();
            let folder = lock_path.with_extension("");
            // Only a cluster's lock has its folder beside it; a template's is held by nobody
            // for most of the time and says nothing.
            let is_claim = lock_path.extension().is_some_and(|end| end == "lock")
                && !is_shared_lock(&lock_path);
            if !is_claim {
                continue;
            }
            if let Ok(_lock) = Flock::lock(open_lock(&lock_path)?, FlockArg::LockExclusiveNonblock)
            {
                process::end_all_in(&folder.join("data"));
                remove(&folder, &lock_path);
            }
        }
        Ok(())
    }
}

impl ClaimedFolder {
    /// The folder.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ClaimedFolder {
    fn drop(&mut self) {
        remove(&self.path, &self.lock_path);
    }
}

fn is_shared_lock(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    name == b"registry.lock" || name.starts_with(b"template-")
}

/// The folder first, then the lock file: what has no lock file is never swept. What cannot be
/// removed now is left for the next sweep.
fn remove(folder: &Path, lock_path: &Path) {
    let gone = match fs::remove_dir_all(folder) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    if gone {
        let _ = fs::remove_file(lock_path);
    }
}

fn open_lock(path: &Path) -> Result<File, ClusterError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(ClusterError::io("opening", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_folder_survives_sweeping_and_goes_with_its_owner() {
        let registry = Registry::open(ServerUser::choose().unwrap(), Place::Disk).unwrap();
        let claimed = registry.claim("claim-test").unwrap();
        let path = claimed.path().to_owned();
        let other = registry.claim("claim-test").unwrap();
        assert!(path.is_dir(), "swept although its owner lives");
        drop(claimed);
        assert!(!path.exists());
        assert!(other.path().is_dir());
    }

    #[test]
    fn the_folder_of_a_dead_owner_is_swept_by_the_next_claim() {
        let registry = Registry::open(ServerUser::choose().unwrap(), Place::Disk).unwrap();
        let stale = registry
            .path()
            .join(format!("stale-test-{}", std::process::id()));
        fs::create_dir(&stale).unwrap();
        File::create(stale.with_extension("lock")).unwrap();
        let _claimed = registry.claim("claim-test").unwrap();
        assert!(!stale.exists());
        assert!(!stale.with_extension("lock").exists());
    }
}
