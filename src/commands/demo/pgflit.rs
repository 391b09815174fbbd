//! How this very program is called, as anyone would call it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::DemoError;
use super::lag::Sentinel;
use super::psql::{Database, output_of};
use super::running::Running;
use crate::base::shutdown::POLL;
use crate::base::{Lsn, Shutdown, Side};

/// The program that is running, whatever file it came from.
pub(super) const OWN_PROGRAM: &str = "/proc/self/exe";

/// How long a proxy may take until it listens, on a machine that is busy with other things.
const LISTEN_MAX: Duration = Duration::from_secs(20);

/// This program on one work directory, between two servers.
#[derive(Debug, Clone)]
pub(super) struct Pgflit {
    program: PathBuf,
    dir: PathBuf,
    source: String,
    target: String,
}

/// What `pgflit proxy status --json` prints, as far as the demo reads it.
#[derive(Debug, Deserialize)]
struct Status {
    listen: Vec<String>,
}

impl Pgflit {
    /// `program`, which but in tests is [`OWN_PROGRAM`], on `dir`.
    pub(super) fn new(program: &Path, dir: &Path, source: &Database, target: &Database) -> Self {
        Self {
            program: program.to_owned(),
            dir: dir.to_owned(),
            source: source.uri().to_owned(),
            target: target.uri().to_owned(),
        }
    }

    /// Starts `pgflit proxy` on a free port.
    pub(super) fn proxy(&self) -> Result<Running, DemoError> {
        let mut command = self.between_servers(&["proxy"]);
        command.args(["--listen", "127.0.0.1:0"]);
        Running::start(command)
    }

    /// Where `proxy` listens, once it does.
    pub(super) fn address_of(&self, proxy: &mut Running) -> Result<String, DemoError> {
        let deadline = Instant::now() + LISTEN_MAX;
        loop {
            let command = self.command(&["proxy", "status", "--json"], &self.dir);
            let asked = output_of(command, "pgflit proxy status");
            match asked {
                Ok(answer) => return first_address(answer),
                Err(error) if Instant::now() >= deadline || proxy.ended().is_some() => {
                    return Err(error);
                }
                Err(_) => {}
            }
            Shutdown::default().sleep(POLL);
        }
    }

    /// Starts `pgflit clone --follow`, which makes the application's role on the target, too.
    pub(super) fn clone_follow(&self) -> Result<Running, DemoError> {
        let mut command = self.between_servers(&["clone", "--follow", "--roles"]);
        command.args(["--progress", "plain"]);
        Running::start(command)
    }

    /// Moves traffic to `to`; what it tells.
    pub(super) fn move_traffic(&self, to: Side) -> Result<String, DemoError> {
        let word = word_for(to);
        let command = self.between_servers(&[word, "--yes"]);
        output_of(command, &format!("pgflit {word}"))
    }

    /// Makes the last cutover final; what it tells.
    pub(super) fn finalize(&self) -> Result<String, DemoError> {
        let command = self.between_servers(&["finalize", "--yes"]);
        output_of(command, "pgflit finalize")
    }

    /// Writes the report to `file`, or into the work directory; where it is.
    pub(super) fn report(&self, file: Option<&Path>) -> Result<String, DemoError> {
        let mut command = self.command(&["report"], &self.dir);
        if let Some(file) = file {
            command.arg("--output").arg(file);
        }
        output_of(command, "pgflit report")
    }

    /// What `pgflit sentinel get` says; nothing before there is a sentinel.
    pub(super) fn sentinel(&self) -> Option<Sentinel> {
        self.sentinel_of(&self.dir)
    }

    /// Up to where changes made on the target are on the source again.
    pub(super) fn brought_back(&self) -> Option<Lsn> {
        self.sentinel_of(&self.dir.join("reverse"))?.replay_lsn
    }

    fn sentinel_of(&self, dir: &Path) -> Option<Sentinel> {
        let command = self.command(&["sentinel", "get", "--json"], dir);
        serde_json::from_str(&output_of(command, "sentinel").ok()?).ok()
    }

    fn between_servers(&self, words: &[&str]) -> Command {
        let mut command = self.command(words, &self.dir);
        command
            .args(["--source", &self.source])
            .args(["--target", &self.target]);
        command
    }

    fn command(&self, words: &[&str], dir: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(words)
            .args([OsStr::new("--dir"), dir.as_os_str()])
            .stdin(Stdio::null());
        command
    }
}

/// The command that moves traffic to `to`.
pub(super) fn word_for(to: Side) -> &'static str {
    match to {
        Side::Target => "cutover",
        Side::Source => "rollback",
    }
}

fn first_address(answer: String) -> Result<String, DemoError> {
    let status: Option<Status> = serde_json::from_str(&answer).ok();
    let first = status.and_then(|status| status.listen.into_iter().next());
    first.ok_or(DemoError::Answer {
        program: "pgflit proxy status",
        answer,
    })
}
