//! What runs in the background: traffic is moved by this same program as a process of its own.
//!
//! The process is `pgflit cutover`, `rollback` or `finalize`, as a person would start it, in a process
//! group of its own and with its output in a file. So what becomes of the proxy does not matter to it:
//! a proxy that ends leaves it running, and how it ends is in the store and in that file. Two processes
//! of one proxy may each begin one: the lock of the cutover lets the first go on, and ends the other
//! with exit code 8.
//!
//! # Crash story
//! Nothing here is on disk but outputs. A proxy that was killed has no tasks when it starts again;
//! `SHOW CUTOVER` tells of the attempts, from the store.

use std::collections::VecDeque;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::answer::{Column, int4, text};
use crate::base::cause::chain;
use crate::base::shutdown::POLL;
use crate::proxy::config::CutoverConfig;
use crate::proxy::notice::Refusal;
use crate::store::WorkDir;

/// Tasks that are remembered, and outputs that are kept: a month of rehearsals.
const KEPT_MAX: usize = 20;

/// How much of an output is looked at for its last line.
const TAIL_BYTES: u64 = 16 * 1024;

/// How much of that line is shown.
const SAID_CHARS: usize = 1000;

/// What the command that begins a task answers.
pub const BEGUN: [Column; 2] = [int4("task"), text("command")];

/// What a task does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Traffic goes to the target.
    Cutover {
        /// Up to the decision, and then undone.
        rehearses: bool,
    },
    /// Traffic goes back to the source.
    Rollback {
        /// Likewise.
        rehearses: bool,
    },
    /// There is no way back any more.
    Finalize {
        /// Whether the source takes writes again.
        lifts_fence: bool,
    },
}

impl Move {
    /// What is typed, and answered.
    pub fn tag(self) -> &'static str {
        match self {
            Move::Cutover { .. } => "CUTOVER",
            Move::Rollback { .. } => "ROLLBACK",
            Move::Finalize { .. } => "FINALIZE",
        }
    }

    /// The whole command.
    pub fn words(self) -> &'static str {
        match self {
            Move::Cutover { rehearses: false } => "CUTOVER",
            Move::Cutover { rehearses: true } => "CUTOVER DRY RUN",
            Move::Rollback { rehearses: false } => "ROLLBACK",
            Move::Rollback { rehearses: true } => "ROLLBACK DRY RUN",
            Move::Finalize { lifts_fence: false } => "FINALIZE",
            Move::Finalize { lifts_fence: true } => "FINALIZE LIFT FENCE",
        }
    }

    /// The same on the command line.
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Move::Cutover { rehearses: false } => &["cutover", "--yes"],
            Move::Cutover { rehearses: true } => &["cutover", "--dry-run"],
            Move::Rollback { rehearses: false } => &["rollback", "--yes"],
            Move::Rollback { rehearses: true } => &["rollback", "--dry-run"],
            Move::Finalize { lifts_fence: false } => &["finalize", "--yes"],
            Move::Finalize { lifts_fence: true } => &["finalize", "--yes", "--lift-fence"],
        }
    }
}

/// Where tasks work.
#[derive(Debug, Clone)]
pub struct Place {
    /// The migration's work directory.
    pub work_dir: WorkDir,
    /// The proxy's control socket.
    pub control: PathBuf,
}

/// The tasks of this process.
#[derive(Debug)]
pub struct Tasks {
    place: Place,
    list: Mutex<List>,
}

#[derive(Debug, Default)]
struct List {
    last: u32,
    tasks: VecDeque<Task>,
}

#[derive(Debug)]
struct Task {
    number: u32,
    what: Move,
    since: Instant,
    output: PathBuf,
    state: State,
}

#[derive(Debug)]
enum State {
    Running {
        child: Child,
        is_asked_to_stop: bool,
    },
    Ended(Ended),
}

/// How a task has ended.
#[derive(Debug, Clone)]
struct Ended {
    after: Duration,
    code: Option<i32>,
    is_stopped: bool,
    said: String,
}

/// A task as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its number, from 1.
    pub number: u32,
    /// What it does.
    pub what: Move,
    /// `running`, `stopping`, `done`, `failed` or `stopped`.
    pub state: &'static str,
    /// How long ago it began.
    pub ago: Duration,
    /// How long it has run.
    pub ran: Duration,
    /// How it ended; none while it runs, or by a signal.
    pub code: Option<i32>,
    /// The last that it said.
    pub said: String,
}

impl Tasks {
    /// None yet.
    pub fn new(place: Place) -> Self {
        let list = Mutex::default();
        Tasks { place, list }
    }

    /// Where they work.
    pub fn place(&self) -> &Place {
        &self.place
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins one, and gives its number. `config` is the file that both programs read.
    ///
    /// # Errors
    /// Another one runs; the operating system refuses.
    pub fn begin(
        self: &Arc<Self>,
        what: Move,
        cutover: &CutoverConfig,
        config: Option<&Path>,
    ) -> Result<u32, Refusal> {
        let mut list = self.lock();
        list.look();
        if let Some(task) = list.tasks.iter().find(|task| task.is_running()) {
            let message = format!("task {} ({}) is running", task.number, task.what.words());
            return Err(Refusal::new("55000", message)
                .hint("Wait for its end (SHOW TASKS), or end it: STOP_TASK and its number."));
        }
        let number = list.last + 1;
        let name = format!("task-{}-{number}.out", std::process::id());
        let output = self.place.work_dir.log_path().join(name);
        let child = self.start(what, (cutover, config), &output);
        let child = child.map_err(|error| {
            let message = format!("the task cannot be started: {}", chain(&error));
            Refusal::new("58000", message).hint(
                "If the program was replaced since the proxy was started, start the proxy again.",
            )
        })?;
        tracing::info!(
            "task {number} from the console: {} (process {}); its output is in {}",
            what.words(),
            child.id(),
            output.display()
        );
        list.last = number;
        list.tasks.push_back(Task {
            number,
            what,
            since: Instant::now(),
            output,
            state: State::Running {
                child,
                is_asked_to_stop: false,
            },
        });
        while list.tasks.len() > KEPT_MAX {
            list.tasks.pop_front();
        }
        drop(list);
        let tasks = Arc::clone(self);
        tokio::spawn(async move {
            while tasks.lock().look() {
                tokio::time::sleep(POLL).await;
            }
        });
        Ok(number)
    }

    fn start(
        &self,
        what: Move,
        (cutover, config): (&CutoverConfig, Option<&Path>),
        output: &Path,
    ) -> io::Result<Child> {
        let work_dir = &self.place.work_dir;
        if let Some(folder) = output.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
            forget_oldest(folder);
        }
        let said = File::options()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(output)?;
        // Where segments are not in it, neither command was told where it is.
        let is_told = work_dir.cdc == work_dir.root.join("cdc");
        let mut command = Command::new(std::env::current_exe()?);
        command.args(what.arguments()).arg("--json");
        if let Some(config) = config {
            command.arg("--config").arg(config);
        }
        if is_told {
            command.arg("--dir").arg(&work_dir.root);
        }
        command
            .arg("--socket")
            .arg(&self.place.control)
            // In the environment, because everybody sees the arguments of a process.
            .env("PGFLIT_SOURCE_PGURI", cutover.source.to_uri())
            .env("PGFLIT_TARGET_PGURI", cutover.target.to_uri())
            .stdin(Stdio::null())
            .stdout(Stdio::from(said.try_clone()?))
            .stderr(Stdio::from(said))
            .process_group(0);
        command.spawn()
    }

    /// Asks one to stop: it undoes what it has done, unless that is decided already.
    ///
    /// # Errors
    /// There is no such task, it has ended, or it was asked before.
    pub fn stop(&self, number: u64) -> Result<(), Refusal> {
        let mut list = self.lock();
        list.look();
        let found = list.tasks.iter_mut();
        let found = found.rev().find(|task| u64::from(task.number) == number);
        let Some(task) = found else {
            return Err(Refusal::new("42704", format!("there is no task {number}"))
                .hint("SHOW TASKS shows the numbers."));
        };
        let State::Running {
            child,
            is_asked_to_stop,
        } = &mut task.state
        else {
            let message = format!("task {number} has ended already");
            return Err(Refusal::new("55000", message).hint("SHOW TASKS tells how."));
        };
        if *is_asked_to_stop {
            // A second signal would end it where it stands.
            return Err(
                Refusal::new("55000", format!("task {number} was asked to stop already"))
                    .hint("It undoes what it has done; SHOW TASKS tells when it has ended."),
            );
        }
        // Nobody has waited for it yet, so the number is its own.
        let asked = kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM);
        asked
            .map_err(|error| Refusal::new("58000", format!("asking the task to stop: {error}")))?;
        *is_asked_to_stop = true;
        tracing::info!("task {number} is asked to stop from the console");
        Ok(())
    }

    /// All that are remembered, the newest first.
    pub fn shown(&self) -> Vec<Shown> {
        let mut list = self.lock();
        list.look();
        list.tasks.iter().rev().map(Task::shown).collect()
    }

    /// The proxy ends: says what goes on without it.
    pub fn leave(&self) {
        let mut list = self.lock();
        list.look();
        for task in &list.tasks {
            if let State::Running { child, .. } = &task.state {
                tracing::warn!(
                    "task {} ({}) goes on without this process, as process {}; its output is in {}",
                    task.number,
                    task.what.words(),
                    child.id(),
                    task.output.display()
                );
            }
        }
    }
}

impl List {
    /// Sees who has ended. Whether any still runs.
    fn look(&mut self) -> bool {
        self.tasks.iter_mut().for_each(Task::look);
        self.tasks.iter().any(Task::is_running)
    }
}

impl Task {
    fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    fn look(&mut self) {
        let State::Running {
            child,
            is_asked_to_stop,
        } = &mut self.state
        else {
            return;
        };
        let Ok(Some(status)) = child.try_wait() else {
            return;
        };
        let is_asked = *is_asked_to_stop;
        let ended = Ended {
            after: self.since.elapsed(),
            code: status.code(),
            is_stopped: is_stopped(status, is_asked),
            said: match status.code() {
                Some(_) => last_words(&self.output),
                None => format!("ended by signal {}", status.signal().unwrap_or_default()),
            },
        };
        tracing::info!(
            "task {} ({}) has ended ({status}): {}",
            self.number,
            self.what.words(),
            ended.said
        );
        self.state = State::Ended(ended);
    }

    fn shown(&self) -> Shown {
        let ago = self.since.elapsed();
        let (state, ran, code, said) = match &self.state {
            State::Running {
                is_asked_to_stop, ..
            } => {
                let state = match is_asked_to_stop {
                    false => "running",
                    true => "stopping",
                };
                (state, ago, None, last_words(&self.output))
            }
            State::Ended(ended) => {
                let state = match ended.code {
                    Some(0) => "done",
                    _ if ended.is_stopped => "stopped",
                    _ => "failed",
                };
                (state, ended.after, ended.code, ended.said.clone())
            }
        };
        Shown {
            number: self.number,
            what: self.what,
            state,
            ago,
            ran,
            code,
            said,
        }
    }
}

/// Whether it has ended because somebody wanted it to: its own exit code for that, or the signal in its
/// very first moment, before it listens.
fn is_stopped(status: ExitStatus, is_asked: bool) -> bool {
    const STOPPED: i32 = 9;
    let signal = is_asked.then_some(Signal::SIGTERM as i32);
    status.code() == Some(STOPPED) || (signal.is_some() && status.signal() == signal)
}

/// The last line of an output; of a failure, what was wrong and what to do.
fn last_words(output: &Path) -> String {
    let text = tail(output).unwrap_or_default();
    let lines: Vec<_> = text.lines().filter(|line| !line.is_empty()).collect();
    let error = lines.iter().rposition(|line| line.starts_with("error: "));
    let from = error.unwrap_or(lines.len().saturating_sub(1));
    let said = lines.get(from..).unwrap_or_default().join("; ");
    match said.char_indices().nth(SAID_CHARS) {
        Some((end, _)) => format!("{}…", &said[..end]),
        None => said,
    }
}

fn tail(output: &Path) -> io::Result<String> {
    let mut file = File::open(output)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Removes the oldest outputs in `folder` but for as many as are kept. What cannot be removed stays.
fn forget_oldest(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut outputs: Vec<_> = entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let name = name.to_str()?;
            let is_output = name.starts_with("task-") && name.ends_with(".out");
            let modified = entry.metadata().ok()?.modified().ok()?;
            is_output.then(|| (modified, entry.path()))
        })
        .collect();
    outputs.sort();
    let many = outputs.len().saturating_sub(KEPT_MAX - 1);
    for (_, path) in outputs.into_iter().take(many) {
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_of_an_output_are_its_error_or_its_last_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("task-1-1.out");
        assert_eq!(last_words(&path), "");
        for (text, said) in [
            ("", ""),
            ("one\ntwo\n\n", "two"),
            (
                "one\nerror: no: why\nhint: this\n",
                "error: no: why; hint: this",
            ),
            // An earlier attempt's is no error any more when more was said.
            ("error: first\nerror: second\n", "error: second"),
        ] {
            fs::write(&path, text).expect("written");
            assert_eq!(last_words(&path), said, "{text:?}");
        }
        fs::write(&path, "ä".repeat(20_000)).expect("written");
        assert_eq!(last_words(&path).chars().count(), SAID_CHARS + 1);
    }

    #[test]
    fn the_oldest_outputs_are_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        for number in 0..KEPT_MAX + 5 {
            let path = folder.path().join(format!("task-1-{number}.out"));
            let file = File::create(path).expect("made");
            let when = std::time::UNIX_EPOCH + Duration::from_secs(number as u64);
            file.set_modified(when).expect("set");
        }
        fs::write(folder.path().join("follow.out"), "").expect("written");
        forget_oldest(folder.path());
        let left = fs::read_dir(folder.path()).expect("read").count();
        // One more comes, and another program's file is not ours to remove.
        assert_eq!(left, KEPT_MAX);
        assert!(!folder.path().join("task-1-5.out").exists());
        assert!(folder.path().join("task-1-6.out").exists());
    }
}
