//! Running the program, as a sentence.
//!
//! ```ignore
//! let run = pgflit("clone").follow().between(&pair).start();
//! run.wait_for_stderr("copied");
//! run.wait_for_exit().assert_code(0);
//! ```

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::explained::assert_explained;
use super::process::Process;
use super::terminal::Terminal;
use super::wait::{eventually, eventually_some};
use super::{Database, Pair, SOON};

/// The longest a run may take unless the test says otherwise.
const RUN_LIMIT: Duration = Duration::from_secs(90);

/// A command line in the making.
pub(crate) struct Pgflit {
    command: Command,
    line: String,
    stdout: Option<Stdio>,
}

/// `pgflit` with the words of `subcommand`: `pgflit("sentinel set endpos")`.
pub(crate) fn pgflit(subcommand: &str) -> Pgflit {
    of_command(Command::new(env!("CARGO_BIN_EXE_pgflit")), subcommand)
}

/// The same on a disk that is full once a file has `bytes`: what is written past them is refused,
/// to it and to its children.
pub(crate) fn pgflit_with_files_of(bytes: u64, subcommand: &str) -> Pgflit {
    let mut command = Command::new("sh");
    // The signal that goes with the refusal is for those who do not look at it.
    let script = format!("trap '' XFSZ; exec prlimit --fsize={bytes}: -- \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_pgflit")]);
    of_command(command, subcommand)
}

/// The same with `terminal` to read from, to write to, and to be steered by; logs and errors are
/// kept apart.
pub(crate) fn pgflit_on(terminal: &Terminal, subcommand: &str) -> Pgflit {
    let mut command = Command::new("setsid");
    // Somebody's own terminal, which the tests are run from, is not asked for its size.
    command.args(["--ctty", env!("CARGO_BIN_EXE_pgflit")]);
    let mut pgflit = of_command(command, subcommand);
    pgflit.stdout = Some(terminal.end());
    pgflit.stdin(terminal.end()).env("TERM", "xterm-256color")
}

fn of_command(mut command: Command, subcommand: &str) -> Pgflit {
    for (variable, _) in std::env::vars_os() {
        // `PG` covers PGFLIT_ and PGCOPYDB_ too.
        if variable.as_encoded_bytes().starts_with(b"PG") {
            command.env_remove(variable);
        }
    }
    if let Some(jobs) = std::env::var_os("PGFLIT_TEST_APPLY_JOBS") {
        // Every batch goes over lanes, however few changes a test makes.
        command.env("PGFLIT_APPLY_JOBS", jobs);
        command.env("PGFLIT_LANE_CHANGES", "3");
    }
    command.stdin(Stdio::null());
    let pgflit = Pgflit {
        command,
        line: "pgflit".to_owned(),
        stdout: None,
    };
    pgflit.args(subcommand.split_whitespace())
}

impl Pgflit {
    /// One more argument.
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.line.push(' ');
        self.line.push_str(&argument.as_ref().to_string_lossy());
        self.command.arg(argument);
        self
    }

    /// More arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Self {
        arguments.into_iter().fold(self, Pgflit::arg)
    }

    /// `--source`.
    pub(crate) fn source(self, database: &Database) -> Self {
        self.arg("--source").arg(database.uri())
    }

    /// `--target`.
    pub(crate) fn target(self, database: &Database) -> Self {
        self.arg("--target").arg(database.uri())
    }

    /// `--dir`.
    pub(crate) fn dir(self, folder: impl AsRef<Path>) -> Self {
        self.arg("--dir").arg(folder.as_ref())
    }

    /// `--source`, `--target` and `--dir` of `pair`.
    pub(crate) fn between(self, pair: &Pair) -> Self {
        self.source(&pair.source)
            .target(&pair.target)
            .dir(pair.dir())
    }

    /// `--follow`.
    pub(crate) fn follow(self) -> Self {
        self.arg("--follow")
    }

    /// `--resume`.
    pub(crate) fn resume(self) -> Self {
        self.arg("--resume")
    }

    /// An environment variable. Those that begin with `PG` are not inherited from the caller.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// The current folder.
    pub(crate) fn within(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// What the program reads on stdin; nothing unless said.
    pub(crate) fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.command.stdin(stdin);
        self
    }

    /// Starts the program.
    #[track_caller]
    pub(crate) fn start(mut self) -> Run {
        let output = tempfile::tempdir().expect("a temporary folder");
        if let Some(stdout) = self.stdout.take() {
            return self.start_with(output, stdout);
        }
        let stdout = File::create(output.path().join("stdout")).expect("a file for output");
        self.start_with(output, stdout.into())
    }

    /// Starts the program, and gives what the next one in the pipe reads on stdin.
    #[track_caller]
    pub(crate) fn start_pipe(self) -> (Run, Stdio) {
        let output = tempfile::tempdir().expect("a temporary folder");
        let mut run = self.start_with(output, Stdio::piped());
        let stdout = run.child.stdout.take().expect("stdout is a pipe");
        (run, stdout.into())
    }

    #[track_caller]
    fn start_with(mut self, output: TempDir, stdout: Stdio) -> Run {
        let stderr = File::create(output.path().join("stderr")).expect("a file for output");
        let child = self
            .command
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .expect("the program is built with the tests");
        Run {
            child,
            line: self.line,
            output,
        }
    }

    /// Starts the program and waits for its end.
    #[track_caller]
    pub(crate) fn run(self) -> Finished {
        self.start().wait_for_exit()
    }
}

/// A running program. Killed when dropped; when a test fails, what it printed is shown.
pub(crate) struct Run {
    child: Child,
    line: String,
    output: TempDir,
}

impl Run {
    /// What it printed on stdout so far.
    pub(crate) fn stdout(&self) -> String {
        self.read("stdout")
    }

    /// What it printed on stderr so far.
    pub(crate) fn stderr(&self) -> String {
        self.read("stderr")
    }

    /// Whether it printed `text` on stderr so far.
    pub(crate) fn stderr_contains(&self, text: &str) -> bool {
        self.stderr().contains(text)
    }

    /// Returns once it printed `text` on stderr.
    #[track_caller]
    pub(crate) fn wait_for_stderr(&self, text: &str) {
        eventually(SOON, &format!("{} prints {text:?}", self.line), || {
            self.stderr_contains(text)
        });
    }

    /// Returns once it printed `text` on stderr `count` times.
    #[track_caller]
    pub(crate) fn wait_for_stderr_times(&self, text: &str, count: usize) {
        let what = format!("{} prints {text:?} {count} times", self.line);
        eventually(SOON, &what, || self.stderr().matches(text).count() >= count);
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that it has had at a time so far, without its children, in bytes.
    #[track_caller]
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()));
        let status = status.expect("the process is there");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        1024 * kilobytes
            .and_then(|kb| kb.parse::<u64>().ok())
            .expect("it runs")
    }

    /// Whether it has not ended yet.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Whether it has stopped at the place that `PGFLIT_STOP_AT` names; SIGCONT lets it go on.
    pub(crate) fn is_stopped(&self) -> bool {
        Process::at(self.pid()).is_some_and(|process| process.is_stopped())
    }

    /// Sends a signal to this process alone, not to its children.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id() as i32);
        signal::kill(pid, signal).expect("the process is there");
    }

    /// Waits for its end, for as long as a run may reasonably take.
    #[track_caller]
    pub(crate) fn wait_for_exit(self) -> Finished {
        self.wait_for_exit_within(RUN_LIMIT)
    }

    /// Waits for its end for at most `limit`.
    #[track_caller]
    pub(crate) fn wait_for_exit_within(mut self, limit: Duration) -> Finished {
        let what = format!("{} ends", self.line);
        let status = eventually_some(limit, &what, || {
            self.child.try_wait().expect("our own child")
        });
        Finished {
            status,
            stdout: self.stdout(),
            stderr: self.stderr(),
            line: self.line.clone(),
        }
    }

    fn read(&self, name: &str) -> String {
        let bytes = fs::read(self.output.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let was_running = self.is_running();
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !std::thread::panicking() {
            // Of one that ended by itself and of one that is ended here alike.
            assert_explained(&self.stderr());
        } else {
            let state = if was_running { "was running" } else { "ended" };
            eprintln!("--- {} ({state})", self.line);
            eprintln!("--- stdout\n{}", self.stdout());
            eprintln!("--- stderr\n{}---", self.stderr());
        }
    }
}

/// A program that has ended, and everything it printed.
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    line: String,
}

impl Finished {
    /// The exit code; none if a signal ended it.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Fails, showing what was printed, unless the exit code is `code`.
    #[track_caller]
    pub(crate) fn assert_code(self, code: i32) -> Self {
        assert!(
            self.code() == Some(code),
            "{} ended with {}, not with code {code}\n--- stdout\n{}\n--- stderr\n{}---",
            self.line,
            self.status,
            self.stdout,
            self.stderr
        );
        self
    }

    /// Fails unless `text` is on stderr.
    #[track_caller]
    pub(crate) fn assert_stderr(self, text: &str) -> Self {
        assert!(
            self.stderr.contains(text),
            "{} did not print {text:?} but:\n{}",
            self.line,
            self.stderr
        );
        self
    }

    /// Fails unless `text` is on stdout.
    #[track_caller]
    pub(crate) fn assert_stdout(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text),
            "{} did not answer {text:?} but:\n{}",
            self.line,
            self.stdout
        );
        self
    }
}
