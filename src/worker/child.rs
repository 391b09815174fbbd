//! Our own binary, run again as one of the streaming processes.

use std::io::{self, BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{self, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::death_watch::SUPERVISED;

/// What to run.
#[derive(Debug, Clone)]
pub struct ChildSpec {
    /// What people call it: `receive`, `transform`, `apply`.
    pub role: &'static str,
    /// The subcommand and its options: seen in `ps`, so no secret may be in it.
    pub arguments: Vec<String>,
    /// Variables for it alone; secrets go here.
    pub environment: Vec<(String, String)>,
    /// What takes its log; none: it writes to our stderr itself.
    pub log_sink: Option<LogSink>,
}

/// Takes whole lines that a child writes to its stderr.
pub type LogSink = fn(&[u8]);

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// With this code, see the contract of exit codes.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// A child could not be started or watched.
#[derive(Debug, thiserror::Error)]
#[error("{doing} pgflit stream {role}")]
pub struct ChildError {
    doing: &'static str,
    role: &'static str,
    #[source]
    source: io::Error,
}

/// A running child. Killed when dropped.
#[derive(Debug)]
pub struct Child {
    role: &'static str,
    process: process::Child,
    /// Reads its log to the end.
    log: Option<JoinHandle<()>>,
}

impl Child {
    /// Starts it, in a process group of its own so that Ctrl-C reaches only the supervisor. Must
    /// be called on the main thread: the kernel's death-watch belongs to the thread that starts
    /// the child.
    pub fn spawn(spec: &ChildSpec, stdin: Stdio, stdout: Stdio) -> Result<Self, ChildError> {
        let stderr = match spec.log_sink {
            Some(_) => Stdio::piped(),
            None => Stdio::inherit(),
        };
        let mut process = Command::new("/proc/self/exe")
            .arg0("pgflit")
            .args(&spec.arguments)
            .envs(spec.environment.iter().map(|(name, value)| (name, value)))
            .env(SUPERVISED, process::id().to_string())
            .stdin(stdin)
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0)
            .spawn()
            .map_err(|source| ChildError {
                doing: "starting",
                role: spec.role,
                source,
            })?;
        tracing::debug!("pgflit stream {} is process {}", spec.role, process.id());
        let log = process.stderr.take().zip(spec.log_sink);
        let log = log.map(|(stderr, sink)| thread::spawn(move || pass_lines_on(stderr, sink)));
        Ok(Self {
            role: spec.role,
            process,
            log,
        })
    }

    /// What people call it.
    pub fn role(&self) -> &'static str {
        self.role
    }

    /// The reading end of its standard output, if it was piped; once.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.process.stdout.take()
    }

    /// How it ended, if it has.
    pub fn try_wait(&mut self) -> Result<Option<Exit>, ChildError> {
        let waited = self.process.try_wait();
        let status = waited.map_err(|source| ChildError {
            doing: "waiting for",
            role: self.role,
            source,
        })?;
        Ok(status.map(Exit::of))
    }

    /// Asks it to finish what it is doing and stop.
    pub fn ask_to_stop(&self) {
        // Gone already is as good as asked.
        let _ = kill(
            Pid::from_raw(self.process.id().cast_signed()),
            Signal::SIGTERM,
        );
    }

    /// Ends it at once. Safe at any moment: every process can be killed and resumed.
    pub fn end_now(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end_now();
        if let Some(log) = self.log.take() {
            // It ends with the child's stderr, and what it could not show is no reason to stop.
            let _ = log.join();
        }
    }
}

/// Gives `sink` what is read from `stderr`, one or more whole lines at a time, until its end.
fn pass_lines_on(stderr: ChildStderr, sink: LogSink) {
    let mut stderr = BufReader::new(stderr);
    let mut line = Vec::new();
    while let Ok(1..) = stderr.read_until(b'\n', &mut line) {
        if !line.ends_with(b"\n") {
            line.push(b'\n');
        }
        sink(&line);
        line.clear();
    }
}

impl Exit {
    fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Exit::Code(code),
            (None, Some(signal)) => Exit::Signal(signal),
            (None, None) => Exit::Code(12),
        }
    }
}
