//! Where the control sockets of a proxy's processes are.
//!
//! | file | whose |
//! |---|---|
//! | `proxy.sock` | the newest process's: another name of its own socket |
//! | `proxy-PID.sock` | each process's own |
//!
//! Who starts or stops holds a lock on the folder meanwhile, so that two who do so at the same time
//! see each other, and nobody takes away the file of a successor.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use nix::unistd::geteuid;

use crate::base::shutdown::POLL;
use crate::proxy::unix_socket::answers;

/// Processes that are asked at most, the newest first: more than anybody restarts on top of each
/// other.
pub const PROCESSES_MAX: usize = 16;

/// How long others may take to start or stop.
const LOCK_MAX: Duration = Duration::from_secs(5);

/// The place of one proxy's control sockets.
#[derive(Debug, Clone)]
pub struct Place {
    newest: PathBuf,
}

/// A process that has, or had, a control socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its own socket.
    pub path: PathBuf,
    since: SystemTime,
}

impl Place {
    /// Around the socket `newest`.
    pub fn new(newest: &Path) -> Self {
        Place {
            newest: newest.to_owned(),
        }
    }

    /// The newest process's socket.
    pub fn newest(&self) -> &Path {
        &self.newest
    }

    /// The socket of the process `pid`.
    pub fn of(&self, pid: u32) -> PathBuf {
        let (stem, end) = self.name();
        self.newest.with_file_name(format!("{stem}-{pid}{end}"))
    }

    /// All sockets of processes that are there, the newest first: for commands. They are ours, or
    /// for root those of who has the newest process's. What others put beside them is not asked.
    pub fn processes(&self) -> Vec<Process> {
        let owner = fs::symlink_metadata(&self.newest).map(|file| file.uid());
        let newest = owner.ok().filter(|_| geteuid().is_root());
        self.processes_of(newest)
    }

    /// The same, of this user's processes alone: for a process, which trusts them with keys.
    pub fn own_processes(&self) -> Vec<Process> {
        self.processes_of(None)
    }

    fn processes_of(&self, also: Option<u32>) -> Vec<Process> {
        let own = geteuid().as_raw();
        let (stem, end) = self.name();
        let entries = fs::read_dir(self.folder()).into_iter().flatten();
        let mut processes: Vec<_> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let name = entry.file_name();
                let pid = name.to_str()?.strip_prefix(&*stem)?.strip_prefix('-')?;
                let file = entry.metadata().ok()?;
                if file.uid() != own && Some(file.uid()) != also {
                    return None;
                }
                Some(Process {
                    pid: pid.strip_suffix(&*end)?.parse().ok()?,
                    since: file.modified().ok()?,
                    path: entry.path(),
                })
            })
            .collect();
        processes.sort_by_key(|one| std::cmp::Reverse((one.since, one.pid)));
        processes.truncate(PROCESSES_MAX);
        processes
    }

    /// Those of them that answer. Files of the others, which were killed, are removed: for who
    /// holds the lock.
    pub fn living(&self) -> Vec<Process> {
        let mut living = self.own_processes();
        living.retain(|process| {
            let answers = answers(&process.path);
            if let Ok(false) = answers {
                let _ = fs::remove_file(&process.path);
            }
            answers.unwrap_or(false)
        });
        living
    }

    /// Makes `own` the newest process's socket.
    pub fn publish(&self, own: &Path) -> io::Result<()> {
        let mut made = self.newest.as_os_str().to_owned();
        made.push(format!(".{}", std::process::id()));
        let made = PathBuf::from(made);
        let _ = fs::remove_file(&made);
        fs::hard_link(own, &made)?;
        let renamed = fs::rename(&made, &self.newest);
        // Two names of one file are not renamed to each other.
        let _ = fs::remove_file(&made);
        renamed
    }

    /// Waits until nobody else starts or stops; the lock ends with the file.
    pub fn lock(&self) -> io::Result<File> {
        let folder = File::open(self.folder())?;
        let end = Instant::now() + LOCK_MAX;
        loop {
            match folder.try_lock() {
                Ok(()) => return Ok(folder),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) if Instant::now() < end => std::thread::sleep(POLL),
                Err(TryLockError::WouldBlock) => {
                    let text = "another proxy starts or stops there, and does not come to an end";
                    return Err(io::Error::new(io::ErrorKind::TimedOut, text));
                }
            }
        }
    }

    fn folder(&self) -> &Path {
        match self.newest.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// What stands before and behind the number of a process.
    fn name(&self) -> (String, String) {
        let text = |part: Option<&std::ffi::OsStr>| {
            let part = part.unwrap_or_default();
            part.to_string_lossy().into_owned()
        };
        let end = text(self.newest.extension());
        let dot = if end.is_empty() { "" } else { "." };
        (text(self.newest.file_stem()), format!("{dot}{end}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::unix_socket::UnixSocket;

    #[tokio::test]
    async fn the_processes_of_a_place_are_found_by_their_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::new(&folder.path().join("proxy.sock"));
        assert_eq!(place.of(7), folder.path().join("proxy-7.sock"));
        let seven = UnixSocket::bind(&place.of(7), 0o600).expect("a socket");
        let eight = UnixSocket::bind(&place.of(8), 0o600).expect("a socket");
        for other in ["proxy-x.sock", "proxy-9.sock.tmp", "proxy-", "other-9.sock"] {
            fs::write(folder.path().join(other), "").expect("written");
        }
        let pids = |found: Vec<Process>| found.iter().map(|one| one.pid).collect::<Vec<_>>();
        assert_eq!(pids(place.processes()), [8, 7]);
        place.publish(&place.of(7)).expect("published");
        place.publish(&place.of(7)).expect("published again");
        assert!(seven.is_at(place.newest()));
        // As if it had been killed.
        fs::hard_link(place.of(8), folder.path().join("kept")).expect("another name");
        drop(eight);
        fs::rename(folder.path().join("kept"), place.of(8)).expect("put back");
        assert_eq!(pids(place.processes()).len(), 2);
        assert_eq!(pids(place.living()), [7]);
        assert!(!place.of(8).exists());
    }
}
