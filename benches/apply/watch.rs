//! Watches a contender until the target has everything.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

use crate::backlog::{Backlog, MARKER};
use crate::servers::DATABASE;
use crate::shared::Result;
use crate::shared::cpu::cpu;
use crate::shared::processes::{children_cpu, tree, tree_memory};

/// How often the target is asked whether it has everything.
const ASK: Duration = Duration::from_millis(10);
/// How often processes are looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long a program may take to end once the target has everything.
const END_MAX: Duration = Duration::from_secs(30);

/// What one run took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Took {
    /// From the start until the target had everything.
    pub(crate) wall: Duration,
    /// Until the program had ended, where there is one.
    pub(crate) ended: Option<Duration>,
    /// Processor time of the contender's own processes.
    pub(crate) client_cpu: Duration,
    /// Of the source, decoding included.
    pub(crate) source_cpu: Duration,
    /// Of the target, a subscription's workers included.
    pub(crate) target_cpu: Duration,
    /// The most memory that the contender's processes had together, where it has any.
    pub(crate) memory: Option<u64>,
    /// What it had taken before, to receive what is applied.
    pub(crate) prefetch: Option<Duration>,
}

/// How a run went.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Took(Took),
    /// It was stopped in that step, after that time.
    Over(Step, Duration),
    /// The target is not equal to the source, after that time: how.
    NotEqual(String, Duration),
    /// It did not work.
    Failed(String),
}

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Receives beforehand.
    Prefetch,
    /// Applies.
    Apply,
}

/// A program and where it logs, ended when dropped.
pub(crate) struct Program {
    child: Child,
    log: std::path::PathBuf,
    command: String,
}

impl Program {
    pub(crate) fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::create(log)?;
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        Ok(Self {
            child: command.spawn()?,
            log: log.to_owned(),
            command: format!("{command:?}"),
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended; an error if it failed.
    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        match self.child.try_wait()? {
            None => Ok(false),
            Some(status) if status.success() => Ok(true),
            Some(status) => {
                let said = fs::read(&self.log)?;
                let said = String::from_utf8_lossy(&said);
                let lines: Vec<_> = said.lines().collect();
                let last = lines[lines.len().saturating_sub(5)..].join("\n");
                Err(format!("{} ended with {status}:\n{last}", self.command).into())
            }
        }
    }

    /// Waits for its end; whether it came in time.
    pub(crate) fn wait(&mut self, limit: Duration) -> Result<bool> {
        let begun = Instant::now();
        while !self.has_ended()? {
            if begun.elapsed() > limit {
                return Ok(false);
            }
            thread::sleep(ASK);
        }
        Ok(true)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        // With all that came from it; none of them is needed any more.
        for pid in tree(self.child.id()) {
            let pid = nix::unistd::Pid::from_raw(pid as i32);
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
        }
        let _ = self.child.wait();
    }
}

/// What is started, for the clock to run.
pub(crate) enum Started {
    /// Processes of its own, until the target has everything.
    Program(Program),
    /// Processes of its own that write no target: until they have ended.
    Alone(Program),
    /// Workers of the target.
    Workers,
}

/// Starts it and watches it, with the target as it is.
pub(crate) fn watch(
    backlog: &Backlog,
    limit: Duration,
    start: impl FnOnce() -> Result<Started>,
) -> Result<Outcome> {
    let eye = Eye::open(backlog)?;
    let (servers, children) = (backlog.pair.cpu(), children_cpu()?);
    let begun = Instant::now();
    let mut started = start()?;
    let mut took = Took::default();
    let mut workers = HashMap::new();
    let mut looked = Instant::now();
    while !is_done(&mut started, &eye)? {
        if begun.elapsed() > limit {
            return Ok(Outcome::Over(Step::Apply, limit));
        }
        if looked.elapsed() >= LOOK {
            looked = Instant::now();
            look(backlog, &started, &mut took, &mut workers);
        }
        thread::sleep(ASK);
    }
    took.wall = begun.elapsed();
    look(backlog, &started, &mut took, &mut workers);
    let servers = backlog.pair.cpu().since(servers);
    (took.source_cpu, took.target_cpu) = (servers.source, servers.target);
    took.client_cpu = workers.values().sum();
    if let Started::Program(program) | Started::Alone(program) = &mut started {
        if !program.wait(END_MAX)? {
            return Ok(Outcome::Failed("it did not end at the end".to_owned()));
        }
        took.ended = Some(begun.elapsed());
        took.client_cpu = children_cpu()?.saturating_sub(children);
    }
    if matches!(started, Started::Alone(_)) {
        return Ok(Outcome::Took(took));
    }
    drop(eye);
    match backlog.difference()? {
        None => Ok(Outcome::Took(took)),
        Some(difference) => Ok(Outcome::NotEqual(difference, took.wall)),
    }
}

fn is_done(started: &mut Started, eye: &Eye) -> Result<bool> {
    match started {
        Started::Workers => eye.sees_the_end(),
        Started::Alone(program) => program.has_ended(),
        // One that ends early is told apart by what it has left out.
        Started::Program(program) => Ok(eye.sees_the_end()? || program.has_ended()?),
    }
}

fn look(
    backlog: &Backlog,
    started: &Started,
    took: &mut Took,
    workers: &mut HashMap<u32, Duration>,
) {
    match started {
        Started::Program(program) | Started::Alone(program) => {
            took.memory = took.memory.max(Some(tree_memory(program.pid())));
        }
        Started::Workers => {
            let postmaster = backlog.pair.target.pid().unwrap_or_default();
            for pid in tree(postmaster).into_iter().filter(|pid| is_worker(*pid)) {
                workers.insert(pid, cpu(pid));
            }
        }
    }
}

/// Whether a process of a server applies for a subscription, as its title says.
fn is_worker(pid: u32) -> bool {
    let title = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let title = String::from_utf8_lossy(&title);
    title.contains("logical replication") && !title.contains("launcher")
}

/// A session on the target that looks for the last transaction.
struct Eye {
    runtime: Runtime,
    client: Client,
}

impl Eye {
    fn open(backlog: &Backlog) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let uri = backlog.pair.target.uri(DATABASE);
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&uri, NoTls).await?;
            tokio::spawn(connection);
            Ok::<_, tokio_postgres::Error>(client)
        })?;
        Ok(Self { runtime, client })
    }

    fn sees_the_end(&self) -> Result<bool> {
        let query = format!("SELECT EXISTS (SELECT FROM {MARKER})");
        let row = self.runtime.block_on(self.client.query_one(&query, &[]))?;
        Ok(row.get(0))
    }
}
