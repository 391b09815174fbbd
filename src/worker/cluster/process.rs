//! A running server and its death-watch.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

use super::user::ServerUser;
use super::{ClusterError, Programs};

/// How often the server is looked at while it starts or stops.
const POLL: Duration = Duration::from_millis(10);
/// A server on a busy machine may replay much WAL after a crash before it is ready.
const START_LIMIT: Duration = Duration::from_secs(120);
/// A fast stop writes a checkpoint.
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// Becomes the server, with a watcher beside it that ends the server when the lifeline on stdin
/// closes without a word. `exec` keeps the process id, so what we started is the postmaster
/// itself. The watcher is orphaned on purpose: the postmaster must not see a child that it does
/// not know. It looks at the command line first, in case the process id is another's by then.
const LIFELINE: &str = r#"
exec 3<&0 </dev/null
(
    {
        read -r _ <&3 ||
            { grep -qaF -- "$1" "/proc/$$/cmdline" && kill -s QUIT "$$"; }
    } 2>/dev/null &
)
data=$1
shift
exec "$@" -D "$data" 3<&-
"#;

/// How a server is asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopMode {
    /// Sessions are cut, transactions rolled back, a checkpoint written.
    Fast,
    /// At once; the next start recovers from WAL.
    Immediate,
}

/// A postmaster that is ours, and the pipe that keeps it alive.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    lifeline: ChildStdin,
    data: PathBuf,
    log: PathBuf,
    /// How much of the log earlier servers wrote.
    log_start: u64,
}

impl Server {
    /// Starts a server on `data` and returns once it accepts connections.
    pub(super) fn start(
        programs: &Programs,
        user: &ServerUser,
        data: &Path,
        log: &Path,
        settings: &[(String, String)],
    ) -> Result<Self, ClusterError> {
        let log_file = File::options()
            .create(true)
            .append(true)
            .open(log)
            .map_err(ClusterError::io("opening", log))?;
        let log_start = log_file.metadata().map_or(0, |found| found.len());
        let log_again = log_file
            .try_clone()
            .map_err(ClusterError::io("opening", log))?;
        let shell = Path::new("/bin/sh");
        let mut command = user.command(shell, data);
        command
            .args(["-c", LIFELINE, "pgflit-lifeline"])
            .arg(data)
            .arg(programs.path("postgres"))
            .stdin(Stdio::piped())
            .stdout(log_file)
            .stderr(log_again)
            // What a terminal or a test runner sends to our group must not reach the server.
            .process_group(0);
        for (name, value) in settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        let spawn_error = |source| ClusterError::Spawn {
            program: shell.to_owned(),
            source,
        };
        let mut child = command.spawn().map_err(spawn_error)?;
        let Some(lifeline) = child.stdin.take() else {
            return Err(spawn_error(std::io::ErrorKind::BrokenPipe.into()));
        };
        let mut server = Self {
            child,
            lifeline,
            data: data.to_owned(),
            log: log.to_owned(),
            log_start,
        };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// The postmaster's process id.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks the server to stop and returns once it has.
    pub(super) fn stop(mut self, mode: StopMode) -> Result<(), ClusterError> {
        self.signal(match mode {
            StopMode::Fast => Signal::SIGINT,
            StopMode::Immediate => Signal::SIGQUIT,
        });
        self.wait_until_ended()
    }

    /// Ends every process of the server without a chance to tidy up, as a power cut does to the
    /// processes (not to the disk), and returns once all are gone.
    pub(super) fn kill(mut self) -> Result<(), ClusterError> {
        self.signal(Signal::SIGKILL);
        self.wait_until_ended()?;
        end_all_in(&self.data);
        Ok(())
    }

    fn signal(&self, signal: Signal) {
        // A server that ended by itself cannot be signalled, and need not be: waiting sees it.
        let _ = signal::kill(Pid::from_raw(self.child.id() as i32), signal);
    }

    /// The eighth line of `postmaster.pid` is the server's state, as `pg_ctl --wait` reads it
    /// (`LOCK_FILE_LINE_PM_STATUS` in `src/include/utils/pidfile.h`).
    fn is_ready(&self) -> bool {
        let file = fs::read_to_string(self.data.join("postmaster.pid")).unwrap_or_default();
        let mut lines = file.lines().map(str::trim);
        lines.next() == Some(&self.child.id().to_string()) && lines.nth(6) == Some("ready")
    }

    fn wait_until_ready(&mut self) -> Result<(), ClusterError> {
        let deadline = Instant::now() + START_LIMIT;
        while !self.is_ready() {
            if self.has_ended() {
                return Err(ClusterError::DidNotStart {
                    log: self.log.clone(),
                    message: end_of(&self.log, self.log_start),
                });
            }
            if Instant::now() > deadline {
                return Err(self.timeout("get ready", START_LIMIT));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    fn wait_until_ended(&mut self) -> Result<(), ClusterError> {
        let deadline = Instant::now() + STOP_LIMIT;
        while !self.has_ended() {
            if Instant::now() > deadline {
                return Err(self.timeout("stop", STOP_LIMIT));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    fn timeout(&self, what: &'static str, limit: Duration) -> ClusterError {
        ClusterError::Timeout {
            what,
            log: self.log.clone(),
            limit,
        }
    }
}

impl Drop for Server {
    /// Ends the server if it still runs, and the watcher.
    fn drop(&mut self) {
        if !self.has_ended() {
            self.signal(Signal::SIGQUIT);
            if self.wait_until_ended().is_err() {
                self.signal(Signal::SIGKILL);
                let _ = self.child.wait();
                end_all_in(&self.data);
            }
        }
        // A word tells the watcher that there is nothing left to end.
        let _ = self.lifeline.write_all(b"over\n");
    }
}

/// Ends every process whose working directory is `data`, as that of every process of a server on
/// it is, and waits until they are gone.
pub(super) fn end_all_in(data: &Path) {
    let deadline = Instant::now() + STOP_LIMIT;
    loop {
        let pids = processes_in(data);
        if pids.is_empty() || Instant::now() > deadline {
            return;
        }
        for pid in pids {
            let _ = signal::kill(pid, Signal::SIGKILL);
        }
        thread::sleep(POLL);
    }
}

fn processes_in(folder: &Path) -> Vec<Pid> {
    let works_here = |pid: &Pid| {
        fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.as_path() == folder)
    };
    let own = std::process::id() as i32;
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid: &i32| *pid != own)
        .map(Pid::from_raw)
        .filter(works_here)
        .collect()
}

/// The last lines of a log from byte `start` on, for a message.
fn end_of(log: &Path, start: u64) -> String {
    const LINES: usize = 10;
    let bytes = fs::read(log).unwrap_or_default();
    let new = bytes.get(start as usize..).unwrap_or_default();
    let text = String::from_utf8_lossy(new);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
