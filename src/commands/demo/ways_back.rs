//! The streams that a cutover leaves running, so that there is a way back: ended with the demo.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

use super::running::STOP_LIMIT;
use crate::base::Shutdown;
use crate::base::shutdown::POLL;

/// The `pgflit follow` of one migration's way back and way there. They are processes of their own,
/// which nobody but `rollback` and `finalize` ends, so a demo that is interrupted has to.
#[derive(Debug)]
pub(super) struct WaysBack {
    folders: [PathBuf; 2],
}

impl WaysBack {
    /// Those of the migration in `dir`. They are asked to stop when this is dropped.
    pub(super) fn of(dir: &Path) -> Self {
        Self {
            folders: ["reverse", "forward"].map(|name| dir.join(name)),
        }
    }

    /// Those that run.
    pub(super) fn running(&self) -> Vec<Pid> {
        let Ok(entries) = fs::read_dir("/proc") else {
            return Vec::new();
        };
        let ids = entries.flatten().filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            let words = fs::read(entry.path().join("cmdline")).ok()?;
            self.is_of(&words).then_some(Pid::from_raw(id))
        });
        ids.collect()
    }

    /// Whether a process with these arguments, each of which ends with a zero, is one of them.
    fn is_of(&self, arguments: &[u8]) -> bool {
        let mut words = arguments.split(|byte| *byte == 0).skip(1);
        let is_folder = |word: &[u8]| {
            let folder = word.strip_prefix(b"--dir=".as_slice());
            let same = |one: &PathBuf| Some(one.as_os_str().as_encoded_bytes()) == folder;
            self.folders.iter().any(same)
        };
        words.next() == Some(b"follow".as_slice()) && words.any(is_folder)
    }
}

impl Drop for WaysBack {
    fn drop(&mut self) {
        let deadline = Instant::now() + STOP_LIMIT;
        let mut asked = Vec::new();
        loop {
            let running = self.running();
            if running.is_empty() {
                return;
            }
            let is_late = Instant::now() >= deadline;
            for pid in running {
                if is_late {
                    let _ = signal::kill(pid, Signal::SIGKILL);
                } else if !asked.contains(&pid) {
                    // Once: a second signal ends it before it has put things in order.
                    let _ = signal::kill(pid, Signal::SIGTERM);
                    asked.push(pid);
                }
            }
            if is_late {
                return;
            }
            Shutdown::default().sleep(POLL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_streams_of_this_very_migration_are_meant() {
        let ways_back = WaysBack::of(Path::new("/tmp/a"));
        let is_of = |words: &[&str]| ways_back.is_of((words.join("\0") + "\0").as_bytes());
        assert!(is_of(&[
            "pgflit",
            "follow",
            "--resume",
            "--dir=/tmp/a/reverse"
        ]));
        assert!(is_of(&["pgflit", "follow", "--dir=/tmp/a/forward", "-v"]));
        assert!(!is_of(&["pgflit", "follow", "--dir=/tmp/ab/reverse"]));
        assert!(!is_of(&["less", "--dir=/tmp/a/reverse"]));
        assert!(!is_of(&["follow"]));
    }
}
