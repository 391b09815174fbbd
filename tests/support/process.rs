//! Processes as `ps` shows them, read from `/proc`.

use std::fs;

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

/// A process, as it was when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    /// Its id.
    pub(crate) pid: u32,
    /// Its arguments, with spaces between.
    pub(crate) line: String,
}

/// The children of `parent` that have not ended.
pub(crate) fn children(parent: u32) -> Vec<Process> {
    let entries = fs::read_dir("/proc").expect("/proc");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let of_parent = pids.filter(|pid| status(*pid).is_some_and(|(_, above)| above == parent));
    of_parent.filter_map(Process::at).collect()
}

impl Process {
    /// The process of this id, if there is one that has not ended.
    pub(crate) fn at(pid: u32) -> Option<Self> {
        status(pid)?;
        let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let words = line.split(|byte| *byte == 0);
        let words: Vec<_> = words.map(String::from_utf8_lossy).collect();
        let line = words.join(" ").trim_end().to_owned();
        Some(Process { pid, line })
    }

    /// Whether it is still there. One that has ended and was not waited for is not.
    pub(crate) fn is_there(&self) -> bool {
        status(self.pid).is_some()
    }

    /// Whether it has been stopped, as by SIGSTOP, and not gone on since.
    pub(crate) fn is_stopped(&self) -> bool {
        status(self.pid).is_some_and(|(state, _)| state == 'T')
    }

    /// Ends it at once.
    pub(crate) fn kill(&self) {
        self.signal(Signal::SIGKILL);
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid as i32);
        signal::kill(pid, signal).expect("the process is there");
    }
}

/// State and parent of a process, unless it has ended.
fn status(pid: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name is in parentheses and may contain anything.
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    (!matches!(state, 'Z' | 'X')).then_some((state, parent))
}
