//! A child process that runs beside the story: the migration, the proxy.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

use super::DemoError;
use crate::base::Shutdown;
use crate::base::shutdown::POLL;

/// How long a process that is no longer wanted may take to stop by itself.
pub(super) const STOP_LIMIT: Duration = Duration::from_secs(20);

/// A running process and the lines it prints. Asked to stop when dropped.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    lines: Receiver<String>,
    /// What reads its output.
    readers: Vec<JoinHandle<()>>,
}

impl Running {
    /// Starts it.
    pub(super) fn start(mut command: Command) -> Result<Self, DemoError> {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| DemoError::Spawn {
                program: PathBuf::from(command.get_program()),
                source,
            })?;
        let (sender, lines) = unbounded();
        let mut readers = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            readers.push(forward(stdout, sender.clone()));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.push(forward(stderr, sender));
        }
        Ok(Self {
            child,
            lines,
            readers,
        })
    }

    /// A line that it printed, waiting up to `wait` for one.
    pub(super) fn line(&self, wait: Duration) -> Option<String> {
        match self.lines.recv_timeout(wait) {
            Ok(line) => Some(line),
            Err(error) => {
                // A program that has closed its output has no more lines; do not spin on that.
                if error.is_disconnected() {
                    Shutdown::default().sleep(wait.min(POLL));
                }
                None
            }
        }
    }

    /// How it ended, if it has, and everything it printed was taken.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().ok().flatten()?;
        // The process may be gone before its last words are read.
        let all_read = self.readers.iter().all(JoinHandle::is_finished);
        (all_read && self.lines.is_empty()).then_some(status)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = signal::kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM);
            let patience = Shutdown::default();
            for _ in 0..STOP_LIMIT.as_millis() / POLL.as_millis() {
                if !matches!(self.child.try_wait(), Ok(None)) {
                    return;
                }
                patience.sleep(POLL);
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Sends the lines of `output` until it ends.
fn forward(output: impl Read + Send + 'static, lines: Sender<String>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while matches!(output.read_until(b'\n', &mut line), Ok(1..)) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if lines.send(text).is_err() {
                return;
            }
            line.clear();
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn shell(script: &str) -> Running {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        Running::start(command).unwrap()
    }

    #[test]
    fn every_line_is_seen_before_the_end_is() {
        let mut running = shell("echo one; echo two >&2; echo three; exit 6");
        let mut lines = Vec::new();
        let status = loop {
            lines.extend(running.line(POLL));
            if let Some(status) = running.ended() {
                break status;
            }
        };
        lines.sort();
        assert_eq!(lines, ["one", "three", "two"]);
        assert_eq!(status.code(), Some(6));
    }

    #[test]
    fn one_that_is_no_longer_wanted_is_asked_to_stop() {
        let running = shell("trap 'exit 9' TERM; echo ready; while :; do sleep 0.01; done");
        let seen = (0..500).find_map(|_| running.line(POLL));
        assert_eq!(seen.as_deref(), Some("ready"));
        let begin = Instant::now();
        drop(running);
        assert!(begin.elapsed() < STOP_LIMIT);
    }
}
