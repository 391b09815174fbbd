//! Three child processes, carried through the stages.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::base::backoff::Backoff;
use crate::base::milestone::STAGE;
use crate::base::quantity::ByteSize;
use crate::base::{Lsn, Shutdown, failpoint};
use crate::store::{Lock, LockError, Sentinel, Store, WorkDir};
use crate::worker::child::{Exit, LogSink};

use super::children::{Children, STOP_MAX};
use super::error::MigrationError;
use super::stage::{Decision, Facts, Mode, Stage, lasting};

/// How often children, sentinel and signals are looked at.
pub(super) const TICK: Duration = Duration::from_millis(50);
/// A stage that has lasted this long counts as working: an earlier failure is forgotten.
const WORKING: Duration = Duration::from_secs(60);

/// What the supervisor needs.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything is kept.
    pub work_dir: WorkDir,
    /// Options that every child gets: `--dir`, logging. No secrets.
    pub shared_arguments: Vec<String>,
    /// Options of receive alone: `--ack`.
    pub receive_arguments: Vec<String>,
    /// Options of apply alone: `--progress-tracking`.
    pub apply_arguments: Vec<String>,
    /// Variables that receive gets: where the source is.
    pub receive_environment: Vec<(String, String)>,
    /// Variables that apply gets: where both are.
    pub apply_environment: Vec<(String, String)>,
    /// How long transient failures in a row are tried again.
    pub retry_for: Duration,
    /// What takes the log of the children; none: they write to our stderr themselves.
    pub log_sink: Option<LogSink>,
}

/// Why streaming ended without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Endpos is reached: on the target, or on this disk where nothing is to be applied.
    Endpos(Lsn),
    /// Everything that was on this disk is on the target.
    DiskEnd,
    /// It was asked to stop.
    Asked,
}

/// What nobody else supervises with, for as long as it is held.
#[derive(Debug)]
pub struct Alone {
    _lock: Lock,
}

impl Alone {
    /// Takes the lock of whoever starts the three processes in `work_dir`. The folder must be there.
    ///
    /// # Errors
    /// Somebody else has it.
    pub fn take(work_dir: &WorkDir) -> Result<Self, LockError> {
        let lock = Lock::take(&work_dir.role_lock_path("supervisor"))?;
        Ok(Self { _lock: lock })
    }
}

/// Streams as far as `mode` says, until endpos, a signal, or a lasting failure, here or in the base
/// copy.
///
/// `still_fine` is asked at every tick; its error ends streaming, children included.
pub fn supervise(
    config: &Config,
    _alone: &Alone,
    mode: Mode,
    shutdown: &Shutdown,
    mut still_fine: impl FnMut() -> Result<(), MigrationError>,
) -> Result<Ended, MigrationError> {
    let store = config.work_dir.open_store()?;
    let mut supervisor = Supervisor {
        config,
        mode,
        wanted_rows: store.wanted_row_count()?,
        store,
        stage: mode.first(),
        children: Children::default(),
        failing_since: None,
        backoff: new_backoff(),
        entered_at: Instant::now(),
    };
    supervisor.enter(mode.first())?;
    loop {
        if shutdown.asked() {
            supervisor.children.stop()?;
            return Ok(Ended::Asked);
        }
        if let Err(error) = still_fine() {
            supervisor.children.stop()?;
            return Err(error);
        }
        if let Some(ended) = supervisor.tick(shutdown)? {
            return Ok(ended);
        }
        shutdown.sleep(TICK);
    }
}

fn new_backoff() -> Backoff {
    Backoff::new(Duration::from_millis(200), Duration::from_secs(15))
}

struct Supervisor<'a> {
    config: &'a Config,
    mode: Mode,
    store: Store,
    stage: Stage,
    children: Children,
    failing_since: Option<Instant>,
    backoff: Backoff,
    entered_at: Instant,
    /// How many rows apply had asked for.
    wanted_rows: u64,
}

impl Supervisor<'_> {
    /// Looks and acts once; how it ended when finished.
    fn tick(&mut self, shutdown: &Shutdown) -> Result<Option<Ended>, MigrationError> {
        self.children.look()?;
        // After the children: what one has reported before it ended is seen.
        let sentinel = self.store.sentinel()?;
        let facts = Facts {
            apply_enabled: sentinel.apply,
            endpos_reached: sentinel.is_finished(),
            endpos_received: sentinel.is_received(),
            running: self.children.any(),
            ..self.children.ends
        };
        let received = facts.receive == Some(Exit::Code(0));
        if self.stage == Stage::CatchingUp && received && !facts.endpos_received {
            // It has ended at an end that is no more: apply waits for nothing from it.
            self.store.set_backlog(Some(Lsn::ZERO))?;
        }
        if self.entered_at.elapsed() > WORKING {
            self.failing_since = None;
            self.backoff = new_backoff();
        }
        match self.stage.decide(self.mode, &facts) {
            Decision::Stay
                if self.stage == Stage::Quieting && self.entered_at.elapsed() > STOP_MAX =>
            {
                // What does not stop by itself is ended; the next look starts over from disk.
                self.children.end_all();
            }
            Decision::Stay => {}
            Decision::Enter(Stage::Finished) => {
                let ends = self.children.stop()?;
                // Apply may be at the end before receive has said what is wrong with it.
                if let Some(code) = ends.receive.and_then(lasting) {
                    return Err(MigrationError::ChildFailed {
                        role: "receive",
                        code,
                    });
                }
                failpoint::reach("enter Finished");
                let is_at_end = facts.endpos_reached || self.mode == Mode::Prefetch;
                return Ok(Some(match is_at_end {
                    true => Ended::Endpos(sentinel.endpos),
                    false => Ended::DiskEnd,
                }));
            }
            Decision::Enter(stage) => {
                self.tell(stage, &sentinel);
                failpoint::reach_of("enter", &format!("{stage:?}"));
                self.enter(stage)?;
            }
            Decision::StartOver { role, exit } => self.start_over(role, exit, shutdown)?,
            Decision::Fail { role, code } => {
                self.children.stop()?;
                return Err(MigrationError::ChildFailed { role, code });
            }
        }
        Ok(None)
    }

    /// The story for the log.
    fn tell(&self, stage: Stage, sentinel: &Sentinel) {
        let Sentinel {
            write_lsn,
            replay_lsn,
            ..
        } = *sentinel;
        match (self.stage, stage) {
            (Stage::Replaying, Stage::CatchingUp) => {
                tracing::info!(target: STAGE, "left live replay at {replay_lsn}: catching up from disk");
            }
            (_, Stage::CatchingUp) => {
                let from = replay_lsn.max(sentinel.startpos);
                let behind = ByteSize(write_lsn.bytes_since(from));
                tracing::info!(target: STAGE, "catching up from disk: {from} to {write_lsn}, {behind}");
            }
            (_, Stage::Replaying) => {
                // On an idle source nothing has been applied yet.
                tracing::info!(target: STAGE, "live replay from {}", replay_lsn.max(sentinel.startpos));
            }
            (_, stage) => tracing::debug!("{stage:?}"),
        }
    }

    /// Starts and stops what the stage needs.
    fn enter(&mut self, stage: Stage) -> Result<(), MigrationError> {
        let from = std::mem::replace(&mut self.stage, stage);
        self.entered_at = Instant::now();
        let ends = std::mem::take(&mut self.children.ends);
        match stage {
            Stage::Prefetching => {
                tracing::info!(
                    target: STAGE,
                    "prefetching changes to {}",
                    self.config.work_dir.cdc.display()
                );
                self.receive_to_disk()?;
                self.children.transform =
                    Some(self.config.transform(&[], Stdio::null(), Stdio::null())?);
            }
            Stage::CatchingUp => {
                // Prefetching goes on; after live replay it has to begin again. Receive, if it
                // left the pipe by itself, is still running and writes to disk.
                if from == Stage::Replaying {
                    if self.children.receive.is_none() {
                        self.receive_to_disk()?;
                    }
                    self.children.transform =
                        Some(self.config.transform(&[], Stdio::null(), Stdio::null())?);
                } else {
                    self.children.ends.receive = ends.receive;
                    self.children.ends.transform = ends.transform;
                }
                self.children.apply = Some(self.config.catch_up()?);
            }
            Stage::Quieting => {
                self.children.ends.receive = ends.receive;
                self.children.ends.transform = ends.transform;
                self.children.ask_to_stop();
            }
            Stage::SettlingTransform => {
                self.children.transform = Some(self.config.transform(
                    &["--until-end"],
                    Stdio::null(),
                    Stdio::null(),
                )?);
            }
            Stage::SettlingApply => {
                self.children.apply = Some(self.config.apply(&["--until-end"], Stdio::null())?);
            }
            Stage::Replaying => {
                let mut receive = self.config.receive(&["--to-stdout"], Stdio::piped())?;
                let changes = receive.take_stdout().map_or_else(Stdio::null, Stdio::from);
                let mut transform = self
                    .config
                    .transform(&["-", "-"], changes, Stdio::piped())?;
                let statements = transform
                    .take_stdout()
                    .map_or_else(Stdio::null, Stdio::from);
                self.children.apply = Some(self.config.apply(&["-"], statements)?);
                self.children.receive = Some(receive);
                self.children.transform = Some(transform);
            }
            Stage::Finished => {}
        }
        Ok(())
    }

    fn receive_to_disk(&mut self) -> Result<(), MigrationError> {
        // What an earlier one has noted may be long received.
        self.store.set_backlog(None)?;
        self.children.receive = Some(self.config.receive(&[], Stdio::null())?);
        Ok(())
    }

    /// Stops all, waits a while and begins again where the disk and the target stand.
    fn start_over(
        &mut self,
        role: &'static str,
        exit: Exit,
        shutdown: &Shutdown,
    ) -> Result<(), MigrationError> {
        self.children.stop()?;
        let wanted = self.store.wanted_row_count()?;
        if wanted > self.wanted_rows {
            // Apply has ended to have rows copied again: it got on.
            self.wanted_rows = wanted;
            self.failing_since = None;
            self.backoff = new_backoff();
        }
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= self.config.retry_for {
            let code = if role == "receive" { 6 } else { 7 };
            return Err(MigrationError::ChildFailed { role, code });
        }
        let wait = self.backoff.next_wait();
        let how = match exit {
            Exit::Code(code) => format!("exit code {code}"),
            Exit::Signal(signal) => format!("signal {signal}"),
        };
        tracing::warn!(
            "pgflit stream {role} ended with {how}: starting again in {} ms",
            wait.as_millis()
        );
        shutdown.sleep(wait);
        self.enter(self.mode.first_again())
    }
}
