//! The three child processes: how each is started, and how they are looked after.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::worker::child::{Child, ChildSpec, Exit};

use super::error::MigrationError;
use super::stage::Facts;
use super::supervisor::{Config, TICK};

/// How long children may take to finish what they are doing when asked to stop. Longer than a
/// commit of the largest group; what is cut off after it is resumed.
pub(super) const STOP_MAX: Duration = Duration::from_secs(20);
/// Behind by less than this, what is left is applied with receive stopped, then live replay
/// begins: about a second of a busy source.
const NEARLY_CAUGHT_UP_BYTES: u64 = 64 << 20;
/// SIGKILL.
const KILLED: i32 = 9;

/// Those that run, and how the others ended.
#[derive(Default)]
pub(super) struct Children {
    pub(super) receive: Option<Child>,
    pub(super) transform: Option<Child>,
    pub(super) apply: Option<Child>,
    /// How those ended that are not running any more, in this stage.
    pub(super) ends: Facts,
}

impl Children {
    fn all(&mut self) -> [(&mut Option<Child>, &mut Option<Exit>); 3] {
        [
            (&mut self.receive, &mut self.ends.receive),
            (&mut self.transform, &mut self.ends.transform),
            (&mut self.apply, &mut self.ends.apply),
        ]
    }

    /// Whether any runs.
    pub(super) fn any(&mut self) -> bool {
        self.all().iter().any(|(child, _)| child.is_some())
    }

    /// Notes which have ended, and how.
    pub(super) fn look(&mut self) -> Result<(), MigrationError> {
        for (child, end) in self.all() {
            if let Some(running) = child
                && let Some(exit) = running.try_wait()?
            {
                *end = Some(exit);
                *child = None;
            }
        }
        Ok(())
    }

    /// Asks all to stop, and does not wait.
    pub(super) fn ask_to_stop(&mut self) {
        for (child, _) in self.all() {
            if let Some(running) = child {
                running.ask_to_stop();
            }
        }
    }

    /// Asks all to stop, waits until they have, and ends those that take too long. How each has
    /// ended.
    pub(super) fn stop(&mut self) -> Result<Facts, MigrationError> {
        self.ask_to_stop();
        let end = Instant::now() + STOP_MAX;
        while Instant::now() < end {
            self.look()?;
            if !self.any() {
                break;
            }
            std::thread::sleep(TICK / 2);
        }
        self.end_all();
        Ok(std::mem::take(&mut self.ends))
    }

    /// Kills all that still run; each looks like one that was killed by somebody else.
    pub(super) fn end_all(&mut self) {
        for (child, end) in self.all() {
            // Dropping kills and waits.
            if child.take().is_some() {
                *end = Some(Exit::Signal(KILLED));
            }
        }
    }
}

impl Config {
    /// Receive, which writes segments, and more as `extra` says.
    pub(super) fn receive(&self, extra: &[&str], stdout: Stdio) -> Result<Child, MigrationError> {
        let mut arguments = self.receive_arguments.clone();
        arguments.extend(extra.iter().map(|word| (*word).to_owned()));
        self.spawn(
            "receive",
            arguments,
            &self.receive_environment,
            Stdio::null(),
            stdout,
        )
    }

    /// Transform, from segments to segments or as `extra` says.
    pub(super) fn transform(
        &self,
        extra: &[&str],
        stdin: Stdio,
        stdout: Stdio,
    ) -> Result<Child, MigrationError> {
        let arguments = extra.iter().map(|word| (*word).to_owned()).collect();
        self.spawn("transform", arguments, &[], stdin, stdout)
    }

    /// Apply, until little is left on disk.
    pub(super) fn catch_up(&self) -> Result<Child, MigrationError> {
        let behind = NEARLY_CAUGHT_UP_BYTES.to_string();
        self.apply(&["--until-caught-up", &behind], Stdio::null())
    }

    /// Apply, from segments or as `extra` says.
    pub(super) fn apply(&self, extra: &[&str], stdin: Stdio) -> Result<Child, MigrationError> {
        let mut arguments = self.apply_arguments.clone();
        arguments.extend(extra.iter().map(|word| (*word).to_owned()));
        self.spawn(
            "apply",
            arguments,
            &self.apply_environment,
            stdin,
            Stdio::null(),
        )
    }

    fn spawn(
        &self,
        role: &'static str,
        own: Vec<String>,
        environment: &[(String, String)],
        stdin: Stdio,
        stdout: Stdio,
    ) -> Result<Child, MigrationError> {
        let mut arguments = vec!["stream".to_owned(), role.to_owned()];
        arguments.extend(self.shared_arguments.iter().cloned());
        arguments.extend(own);
        let spec = ChildSpec {
            role,
            arguments,
            environment: environment.to_vec(),
            log_sink: self.log_sink,
        };
        Ok(Child::spawn(&spec, stdin, stdout)?)
    }
}
