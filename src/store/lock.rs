//! Locks on the work directory: `flock`, so that the kernel releases them when a holder dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::base::shutdown::POLL;

/// How long a lock may look as if somebody held it who only looks: microseconds, unless he is kept from
/// going on at that moment. How often it is tried again.
const GLANCE_MAX: Duration = Duration::from_millis(250);
const GLANCE_AGAIN: Duration = Duration::from_millis(1);

/// A lock could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Someone else has it.
    #[error("{} is held by another pgflit{holder}", path.display())]
    Held {
        /// The lock file.
        path: PathBuf,
        /// Who, if they said so: ` (pid 123: pgflit clone …)`.
        holder: String,
    },
    /// The file cannot be used.
    #[error("locking {}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// An exclusive lock, held until dropped or until the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock at `path` now or not at all, and writes who has it into the file.
    /// A file left by a process that is gone is simply taken over.
    pub fn take(path: &Path) -> Result<Self, LockError> {
        let deadline = Instant::now() + GLANCE_MAX;
        loop {
            match Self::try_take(path) {
                // Perhaps somebody only looks.
                Err(LockError::Held { .. }) if Instant::now() < deadline => {
                    thread::sleep(GLANCE_AGAIN);
                }
                taken => return taken,
            }
        }
    }

    fn try_take(path: &Path) -> Result<Self, LockError> {
        let failed = |source| LockError::Io {
            path: path.to_owned(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held {
                    path: path.to_owned(),
                    holder: holder(&mut file),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let line = format!("{} {}\n", std::process::id(), command_line());
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(line.as_bytes()))
            .map_err(failed)?;
        Ok(Self { _file: file })
    }

    /// Like [`Lock::take`], but tries for as long as `wait`: a holder may be about to end.
    pub fn take_within(path: &Path, wait: Duration) -> Result<Self, LockError> {
        let deadline = Instant::now() + wait;
        loop {
            match Self::take(path) {
                Err(LockError::Held { .. }) if Instant::now() < deadline => thread::sleep(POLL),
                taken => return taken,
            }
        }
    }

    /// Whether someone holds the lock at `path` now. Looking is a shared lock for an instant, which
    /// [`Lock::take`] waits out.
    pub fn is_held(path: &Path) -> bool {
        let Ok(file) = File::open(path) else {
            return false;
        };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }
}

fn holder(file: &mut File) -> String {
    let mut line = String::new();
    let read = file.take(4096).read_to_string(&mut line);
    match (read, line.trim().split_once(' ')) {
        (Ok(_), Some((pid, command))) => format!(" (pid {pid}: {command})"),
        _ => String::new(),
    }
}

/// The command and its subcommands: never options or their values, which may hold a password.
fn command_line() -> String {
    let words = std::env::args()
        .skip(1)
        .take_while(|word| !word.starts_with('-'));
    let words: Vec<_> = words.filter(|word| !word.contains("://")).take(3).collect();
    format!("pgflit {}", words.join(" ")).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn whoever_only_looks_keeps_nobody_from_taking_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pgflit.lock");
        drop(Lock::take(&path).expect("taken"));
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        Lock::is_held(&path);
                        thread::yield_now();
                    }
                });
            }
            let taken: Vec<_> = (0..500).map(|_| Lock::take(&path).is_ok()).collect();
            is_over.store(true, Ordering::Relaxed);
            let refused = taken.iter().filter(|taken| !**taken).count();
            assert_eq!(refused, 0, "of {}", taken.len());
        });
    }

    #[test]
    fn a_second_lock_names_the_holder_and_a_stale_file_is_taken_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pgflit.lock");
        std::fs::write(
            &path,
            "99999999 pgflit clone of a process long gone, and a long line\n",
        )
        .expect("stale");
        let lock = Lock::take(&path).expect("taken over");
        let second = Lock::take(&path).expect_err("held");
        let pid = std::process::id().to_string();
        assert!(second.to_string().contains(&pid), "{second}");
        assert!(Lock::is_held(&path));
        drop(lock);
        assert!(!Lock::is_held(&path));
        Lock::take(&path).expect("free again");
    }

    #[test]
    fn a_lock_that_is_let_go_within_the_wait_is_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pgflit.lock");
        let lock = Lock::take(&path).expect("taken");
        let brief = Duration::from_millis(50);
        Lock::take_within(&path, brief).expect_err("held all the time");
        let ending = thread::spawn(move || {
            thread::sleep(brief);
            drop(lock);
        });
        Lock::take_within(&path, Duration::from_secs(60)).expect("let go");
        ending.join().expect("ended");
    }
}
