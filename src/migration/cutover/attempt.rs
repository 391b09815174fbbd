//! One attempt to move traffic, step by step, and how it is undone.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::after::After;
use super::by_mirror::Mirrored;
use super::config::{Config, FenceMode, OnTimeout};
use super::error::{CutoverError, on};
use super::fence::Spared;
use super::leg::Leg;
use super::outcome::Outcome;
use super::proxies::{Proxies, Warm};
use super::sequences::{Goes, Sequences};
use super::steps::Steps;
use super::{carried, fence, large_objects, preflight};
use crate::base::cause::chain;
use crate::base::milestone::STAGE;
use crate::base::{Lsn, Shutdown, Side, failpoint};
use crate::catalog::restore_list;
use crate::migration::capture;
use crate::pg::{self, Session};
use crate::proxy::authority::{Decided, Decision, DecisionError, Doubt, Record, decision};
use crate::proxy::coordination::tables;
use crate::store::{CutoverState, LARGE_OBJECTS_STEP, Store};

/// How long connections may be opened ahead.
const WARM_MAX: Duration = Duration::from_secs(20);

/// How much longer than clients may be held the proxies wait for the decision before they ask.
const LEASE_SPARE: Duration = Duration::from_secs(5);

/// How long clients are held at most where they are to be held until it is done.
const HELD_MAX: Duration = Duration::from_secs(3600);

/// How often it is looked whether the other side has everything.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// How long the server that decides is asked again if its answer to the decision is lost.
const DECIDE_MAX: Duration = Duration::from_secs(30);

/// How long clients have the machine to themselves before the old stream is ended and the way back begun.
const CLIENTS_FIRST: Duration = Duration::from_millis(300);

/// How long the fence is tried to be lifted before clients go on without that.
const LIFT_MAX: Duration = Duration::from_secs(1);

/// The sessions of an attempt, opened before anybody is held.
pub(super) struct Sessions {
    pub(super) from: Session,
    pub(super) to: Session,
}

/// What brings everything to the side that traffic goes to.
enum Carrier<'a> {
    Stream(Leg),
    Mirror(&'a mut Mirrored),
}

impl Carrier<'_> {
    fn stream(&self) -> Option<&Leg> {
        match self {
            Carrier::Stream(leg) => Some(leg),
            Carrier::Mirror(_) => None,
        }
    }

    /// Where sequences go on the other side.
    fn sequences(&self) -> Sequences {
        Sequences::new(match self {
            Carrier::Stream(_) => Goes::There,
            Carrier::Mirror(_) => Goes::Ahead,
        })
    }
}

/// An attempt under way.
pub(super) struct Attempt<'a> {
    config: &'a Config,
    store: &'a mut Store,
    sessions: &'a Sessions,
    proxies: Proxies,
    number: u64,
    carrier: Carrier<'a>,
    back: Leg,
    steps: Steps,
    sequences: Sequences,
    sequence_count: usize,
    unmovable: Vec<String>,
    left_behind: Vec<String>,
    ended: Vec<String>,
    marker: Lsn,
    decided_at: Lsn,
    /// The server processes of the proxies' clients.
    spared: Spared,
    superusers: Vec<String>,
    /// What takes away the fence that the other side has from when traffic left it.
    unfencing: String,
    left_out: restore_list::Objects,
}

impl<'a> Attempt<'a> {
    /// Nothing is done yet. `mirrored` stands for the stream, if it is there.
    ///
    /// # Errors
    /// There is no stream to the side that traffic is to go to.
    pub(super) fn new(
        config: &'a Config,
        store: &'a mut Store,
        sessions: &'a Sessions,
        mirrored: Option<&'a mut Mirrored>,
    ) -> Result<Self, CutoverError> {
        let (carrier, left_out) = match mirrored {
            Some(mirrored) => (Carrier::Mirror(mirrored), store.left_out()?),
            None => {
                let last = store.last_switch()?;
                let current = Leg::current(config, last.as_ref());
                current.run()?;
                let left_out = current.store()?.left_out()?;
                (Carrier::Stream(current), left_out)
            }
        };
        Ok(Attempt {
            proxies: config.proxies(),
            number: 0,
            left_out: restore_list::objects(&left_out),
            sequences: carrier.sequences(),
            carrier,
            back: Leg::back(config),
            steps: Steps::default(),
            sequence_count: 0,
            unmovable: Vec::new(),
            ended: Vec::new(),
            left_behind: Vec::new(),
            marker: Lsn::ZERO,
            decided_at: Lsn::ZERO,
            spared: Spared::default(),
            superusers: Vec::new(),
            unfencing: String::new(),
            config,
            store,
            sessions,
        })
    }

    fn from(&self) -> Side {
        self.config.to.other()
    }

    /// How long clients may be held, whatever comes then.
    fn held_for_at_most(&self) -> Duration {
        match self.config.limits.on_timeout {
            OnTimeout::Abort => self.config.limits.max_pause,
            OnTimeout::Cutover => HELD_MAX.max(self.config.limits.max_pause),
        }
    }

    /// From its first step to its last.
    ///
    /// # Errors
    /// Something stands against it, or it was undone; in any case traffic flows, on one side. Only
    /// [`CutoverError::Unknown`] leaves clients waiting.
    pub(super) async fn run(&mut self, shutdown: &Shutdown) -> Result<Outcome, CutoverError> {
        if let Err(error) = self.make_ready(shutdown).await {
            // Nobody was held: there is nothing to undo.
            let (problem, steps) = (chain(&error), self.steps.json());
            let store = &mut self.store;
            let noted = store.set_cutover_state(self.number, CutoverState::Aborted);
            let noted =
                noted.and_then(|()| store.set_cutover_report(self.number, &steps, Some(&problem)));
            if let Err(error) = noted {
                tracing::warn!("{}", chain(&error));
            }
            return Err(error);
        }
        self.store
            .set_cutover_state(self.number, CutoverState::Holding)?;
        tracing::debug!(target: STAGE, "clients are held");
        failpoint::reach("cutover begun");
        let limit = self.held_for_at_most();
        let drained = tokio::select! {
            biased;
            () = shutdown.wait() => Err(CutoverError::Stopped),
            drained = self.note_and_drain(limit) => drained,
        };
        // The last moment: what is decided goes on to its end.
        let drained = drained.and_then(|()| still_wanted(shutdown));
        if drained.is_err() || self.config.rehearses {
            return self.undo(drained).await;
        }
        self.decide().await?;
        // Decided: what comes after is done whatever one process of the proxy says.
        let switched = self.switch().await;
        let outcome = self.end_well().await;
        match (switched.err(), outcome) {
            (None, Ok(outcome)) => Ok(outcome),
            (Some(error), _) | (None, Err(error)) => Err(CutoverError::Moved {
                to: self.config.to,
                problem: chain(&error),
            }),
        }
    }

    /// Everything that can be done while traffic flows.
    async fn make_ready(&mut self, shutdown: &Shutdown) -> Result<(), CutoverError> {
        still_wanted(shutdown)?;
        let (from, to) = (&self.sessions.from, &self.sessions.to);
        let via = (from, self.from());
        let sessions = (self.carrier.stream(), from, to);
        let found = preflight::look(self.config, sessions, &mut self.proxies).await?;
        if let Carrier::Mirror(mirrored) = &mut self.carrier {
            mirrored.look(self.config, (&self.proxies, via), to).await?;
        }
        self.superusers = found.superusers;
        self.unmovable = found.unmovable;
        self.steps.done("preflight", false);
        for (session, side) in [(from, self.from()), (to, self.config.to)] {
            let prepared = tables::prepare(session).await;
            prepared.map_err(on(side, "making tables in the schema pgflit"))?;
        }
        let mut last = 0;
        for (session, side) in [(from, self.from()), (to, self.config.to)] {
            let decided = decision::last_attempt(session).await;
            last = last.max(decided.map_err(on(side, "reading earlier attempts"))?);
        }
        let known = self.store.last_cutover()?.map_or(0, |known| known.attempt);
        self.number = last.max(known) + 1;
        self.store
            .begin_cutover(self.number, self.config.to, self.config.reverse)?;
        if let (true, Some(current)) = (self.config.reverse, self.carrier.stream()) {
            let (from, to) = self.config.ends();
            let like = current.run()?;
            let carried = carried::carried_there(current)?;
            let arming = self.back.arm((to, from), (&like, carried), shutdown);
            arming.await?;
            self.steps.done("way back armed", false);
        }
        tokio::select! {
            biased;
            () = shutdown.wait() => Err(CutoverError::Stopped),
            ahead = self.go_ahead() => ahead,
        }
    }

    /// What takes its time, before anybody has to wait for it.
    async fn go_ahead(&mut self) -> Result<(), CutoverError> {
        let (from, to) = (&self.sessions.from, &self.sessions.to);
        self.carry_sequences().await?;
        self.steps.done("sequences ahead", false);
        if self.carries_large_objects().await? {
            large_objects::prepare(to, self.config.to).await?;
            self.carry_large_objects().await?;
            self.steps.done("large objects ahead", false);
        }
        self.unfencing = fence::lifting(to, self.config.to).await?;
        // Behind a fence nobody can be logged in ahead.
        let warm = match self.unfencing.is_empty() {
            true => {
                let via = (from, self.from());
                self.proxies.warm_up(self.config.to, WARM_MAX, via).await?
            }
            false => Warm::default(),
        };
        if let Some((count, problem)) = &warm.failed {
            return Err(CutoverError::not_ready(
                format!(
                    "{count} clients cannot be logged in to the {}: {problem}",
                    self.config.to
                ),
                "make their roles, passwords and access (pg_hba.conf) there what they are here",
            ));
        }
        self.steps.done("connections ahead", false);
        if let Some(current) = self.carrier.stream() {
            preflight::near((current, from), self.config.limits.max_lag).await?;
            self.steps.done("stream near", false);
        }
        Ok(())
    }

    async fn carry_sequences(&mut self) -> Result<(), CutoverError> {
        let from = (&self.sessions.from, self.config.to.other());
        let to = &self.sessions.to;
        let carried = self.sequences.carry(from, to, &self.left_out).await?;
        self.sequence_count = carried;
        Ok(())
    }

    /// Whether there are any, and the migration has copied them.
    async fn carries_large_objects(&self) -> Result<bool, CutoverError> {
        let sessions = (&self.sessions.from, &self.sessions.to);
        Ok(self.store.step_is_begun(LARGE_OBJECTS_STEP)?
            && large_objects::are_there(sessions, self.from()).await?)
    }

    async fn carry_large_objects(&self) -> Result<(), CutoverError> {
        let (from, to) = self.config.ends();
        let compared = large_objects::carry(from, to).await?;
        tracing::info!(
            "large objects: {} brought over, {} removed",
            compared.copied,
            compared.removed
        );
        Ok(())
    }

    fn record_path(&self) -> PathBuf {
        self.config.work_dir.authority_path()
    }

    /// When this returns, clients are held, for `limit` at most, and the other side has everything.
    async fn note_and_drain(&mut self, limit: Duration) -> Result<(), CutoverError> {
        self.note().await?;
        let drained = tokio::time::timeout(limit, self.hold_and_drain()).await;
        drained.unwrap_or_else(|_| {
            Err(CutoverError::not_ready(
                format!("it took longer than {limit:?}"),
                "allow more with --max-pause; the log says which step took how long",
            ))
        })
    }

    /// Says that the attempt is under way, finds the proxies, and waits for a good moment.
    async fn note(&mut self) -> Result<(), CutoverError> {
        let from_side = self.from();
        let record = Record {
            doubt: Some(self.doubt()),
            ..Record::read(&self.record_path())?
        };
        record.write(&self.record_path())?;
        let from = &self.sessions.from;
        let via = (from, from_side);
        // A proxy that comes from now on waits; those that came before are found.
        let lease = self.held_for_at_most() + LEASE_SPARE;
        let noted = tables::note(from, self.number, lease).await;
        noted.map_err(on(from_side, "noting the attempt"))?;
        self.proxies.find(via).await?;
        match &mut self.carrier {
            Carrier::Stream(current) => {
                preflight::good_moment((current, from, &self.sessions.to)).await?;
            }
            Carrier::Mirror(mirrored) => mirrored.begin(&self.proxies, via).await?,
        }
        self.steps.done("noted", false);
        Ok(())
    }

    /// Clients are held; when this returns, the other side has everything.
    async fn hold_and_drain(&mut self) -> Result<(), CutoverError> {
        let from_side = self.from();
        let from = &self.sessions.from;
        let via = (from, from_side);
        let doubt = self.doubt();
        let lease = self.held_for_at_most() + LEASE_SPARE;
        let limits = (self.config.limits.drain_limit, lease);
        self.proxies.hold(self.number, limits, via).await?;
        self.steps.done("clients held", true);
        failpoint::reach("clients held");
        self.proxies.promise(&doubt, lease, via).await?;
        failpoint::reach("proxies promised");
        if !self.config.rehearses {
            let clients = self.proxies.clients(via).await?;
            self.spared = Spared::of(&clients);
            let mode = (self.number, self.config.fence);
            fence::raise(from, from_side, mode, &self.superusers).await?;
            failpoint::reach("fence raised");
            self.ended = fence::clear(from, from_side, &self.spared).await?;
        }
        self.steps.done("fence", true);
        failpoint::reach("fence proven");
        self.drain().await?;
        self.carry_sequences().await?;
        self.steps.done("sequences", true);
        if self.carries_large_objects().await? {
            large_objects::prepare(&self.sessions.to, self.config.to).await?;
            self.carry_large_objects().await?;
            self.steps.done("large objects", true);
        }
        Ok(())
    }

    /// Returns once the other side has everything.
    async fn drain(&mut self) -> Result<(), CutoverError> {
        let from = &self.sessions.from;
        match &self.carrier {
            Carrier::Stream(current) => {
                self.marker = self.drain_stream(current).await?;
                self.steps.done("stream drained", true);
                failpoint::reach("stream drained");
                carried::check_held(self.config, current, from).await
            }
            Carrier::Mirror(mirrored) => {
                mirrored.drain(&self.proxies, (from, self.from())).await?;
                self.steps.done("mirror drained", true);
                failpoint::reach("stream drained");
                mirrored.check_counts(self.config).await?;
                self.steps.done("rows counted", true);
                Ok(())
            }
        }
    }

    /// Writes the marker, and returns it once the other side has everything before it.
    async fn drain_stream(&self, current: &Leg) -> Result<Lsn, CutoverError> {
        let (from_side, to_side) = (self.from(), self.config.to);
        let sql = format!(
            "SELECT pg_catalog.pg_logical_emit_message(true, 'pgflit', 'cutover {}')::text",
            self.number
        );
        let row = self.sessions.from.query_one(&sql, &[]).await;
        let row = row.map_err(on(from_side, "writing the marker"))?;
        let marker = preflight::parse(row.get(0), from_side)?;
        let store = current.store()?;
        let origin = current.run()?.origin.unwrap_or_default();
        loop {
            if store.sentinel()?.replay_lsn >= marker {
                return Ok(marker);
            }
            let applied = capture::applied_until(&self.sessions.to, &origin).await;
            let applied = applied.map_err(on(to_side, "asking how far apply is"))?;
            if applied.is_some_and(|applied| applied >= marker) {
                return Ok(marker);
            }
            if !current.is_running() {
                return Err(CutoverError::not_ready(
                    format!(
                        "the stream in {} has ended meanwhile",
                        current.root().display()
                    ),
                    format!(
                        "see why in its log, and go on with it: {}",
                        current.resume_hint()
                    ),
                ));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The point of no return.
    async fn decide(&mut self) -> Result<(), CutoverError> {
        failpoint::reach("about to decide");
        if let Err(problem) = self.look_once_more().await {
            return self.undo(Err(problem)).await.map(drop);
        }
        let decided = decide_surely(
            self.config,
            &self.sessions.to,
            (self.number, &self.unfencing),
        )
        .await?;
        if decided.decision == Decision::Aborted {
            let late = Err(CutoverError::not_ready(
                "the proxies waited for longer than they may, and have gone on",
                "try again",
            ));
            return self.undo(late).await.map(drop);
        }
        self.decided_at = decided.lsn;
        self.steps.done("decided", true);
        failpoint::reach("decided");
        Ok(())
    }

    /// Whether everything is as it was made: the proxies hold, and nobody has come past the fence.
    async fn look_once_more(&self) -> Result<(), CutoverError> {
        let lease = self.held_for_at_most() + LEASE_SPARE;
        let via = (&self.sessions.from, self.from());
        self.proxies.promise(&self.doubt(), lease, via).await?;
        let clear = fence::is_clear(&self.sessions.from, self.from(), &self.spared).await?;
        match clear || self.config.fence != FenceMode::Connections {
            true => Ok(()),
            false => Err(CutoverError::not_ready(
                format!("somebody has come to the {} past the fence", self.from()),
                "see pg_stat_activity there; superusers pass it: end them, or take LOGIN from them",
            )),
        }
    }

    fn doubt(&self) -> Doubt {
        Doubt {
            attempt: self.number,
            to: self.config.to,
            at: self.config.address(self.config.to).to_string(),
            left: self.config.address(self.from()).to_string(),
        }
    }

    async fn switch(&mut self) -> Result<(), CutoverError> {
        let (to, side) = (&self.sessions.to, self.config.to);
        self.proxies.switch(self.number, side, (to, side)).await?;
        self.steps.done("switched", true);
        failpoint::reach("switched");
        Ok(())
    }

    /// What comes after the decision, while traffic flows again.
    async fn end_well(&mut self) -> Result<Outcome, CutoverError> {
        self.store.set_cutover_marker(self.number, self.marker)?;
        self.store
            .set_cutover_state(self.number, CutoverState::Switched)?;
        self.store
            .set_cutover_report(self.number, &self.steps.json(), None)?;
        tracing::debug!(
            target: STAGE,
            "traffic goes to the {}; clients were held for {:.0} ms",
            self.config.to,
            self.steps.held_ms()
        );
        let after = After {
            config: self.config,
            current: self.carrier.stream(),
            back: &self.back,
            number: self.number,
            marker: self.marker,
            decided_at: self.decided_at,
        };
        // Clients come first: they all begin anew on a server that is cold.
        tokio::time::sleep(CLIENTS_FIRST).await;
        self.left_behind = after.run(&self.sessions.from, self.store).await?;
        self.steps.done(
            match self.carrier {
                Carrier::Stream(_) => "old stream ended, way back begun",
                Carrier::Mirror(_) => "attempt ended",
            },
            false,
        );
        self.store
            .set_cutover_report(self.number, &self.steps.json(), None)?;
        Ok(self.outcome(self.config.to))
    }

    fn outcome(&self, serves: Side) -> Outcome {
        let has_way_back = self.config.reverse && !self.config.rehearses;
        Outcome {
            attempt: self.number,
            serves,
            rehearsed: self.config.rehearses,
            steps: self.steps.all().to_vec(),
            held_ms: self.steps.held_ms(),
            sequences: self.sequence_count,
            unmovable: self.unmovable.clone(),
            ended: self.ended.clone(),
            remarks: match &self.carrier {
                Carrier::Stream(_) => Vec::new(),
                Carrier::Mirror(mirrored) => mirrored.remarks.clone(),
            },
            left_behind: self.left_behind.clone(),
            resume_hint: has_way_back.then(|| self.back.resume_hint()),
        }
    }

    /// Everything is as it was before; traffic flows where it did.
    async fn undo(&mut self, drained: Result<(), CutoverError>) -> Result<Outcome, CutoverError> {
        let (problem, hint, state) = match &drained {
            Ok(()) => (None, String::new(), CutoverState::Rehearsed),
            Err(CutoverError::NotReady { problem, hint }) => {
                (Some(problem.clone()), hint.clone(), CutoverState::Aborted)
            }
            Err(error) => (
                Some(chain(error)),
                "see to that, and try again".to_owned(),
                CutoverState::Aborted,
            ),
        };
        // Only this process could have decided otherwise, and it has not. First the fence, behind
        // which clients that wait to log in would be refused.
        let lifting = fence::lift(&self.sessions.from, self.from());
        let lifted = tokio::time::timeout(LIFT_MAX, lifting).await;
        let is_fenced = !matches!(lifted, Ok(Ok(())));
        if is_fenced {
            tracing::warn!("the fence around the {} is lifted later", self.from());
        }
        let via = (&self.sessions.from, self.from());
        let aborted = self.proxies.abort(self.number, is_fenced, via).await;
        self.steps.done("clients go on", true);
        undo_rest(self.config, &self.sessions.from, self.number).await?;
        aborted?;
        self.store.set_cutover_state(self.number, state)?;
        self.store
            .set_cutover_report(self.number, &self.steps.json(), problem.as_deref())?;
        tracing::debug!(
            target: STAGE,
            "undone: traffic goes to the {} as before; clients were held for {:.0} ms",
            self.from(),
            self.steps.held_ms()
        );
        match problem {
            None => Ok(self.outcome(self.from())),
            Some(_) if matches!(drained, Err(CutoverError::Stopped)) => Err(CutoverError::Stopped),
            Some(problem) => Err(CutoverError::Undone { problem, hint }),
        }
    }
}

fn still_wanted(shutdown: &Shutdown) -> Result<(), CutoverError> {
    match shutdown.asked() {
        true => Err(CutoverError::Stopped),
        false => Ok(()),
    }
}

/// Takes back what an attempt that came to nothing has left, clients going on already: it is decided so
/// for good, the fence is lifted, and the record says so.
pub(super) async fn undo_rest(
    config: &Config,
    from: &Session,
    number: u64,
) -> Result<(), CutoverError> {
    // For whoever asks later. A target that is gone has decided nothing, and will be asked then.
    match config.connect(config.to).await {
        Ok(to) => {
            if let Err(error) = decision::decide(&to, number, Decision::Aborted, "").await {
                tracing::warn!("{}", chain(&error));
            }
        }
        Err(error) => tracing::warn!("{}", chain(&error)),
    }
    match let_go(from, config.to.other()).await {
        Ok(()) => {}
        // The session may be what has failed.
        Err(_) => {
            let again = config.connect(config.to.other()).await?;
            let_go(&again, config.to.other()).await?;
        }
    }
    let path = config.work_dir.authority_path();
    let record = Record {
        doubt: None,
        ..Record::read(&path)?
    };
    record.write(&path)?;
    Ok(())
}

/// Traffic does not leave `side`, and nothing there says so any more.
async fn let_go(session: &Session, side: Side) -> Result<(), CutoverError> {
    fence::lift(session, side).await?;
    let noted = tables::end_note(session).await;
    noted.map_err(on(side, "ending the attempt"))
}

/// Decides for `switched`, and finds out how it is decided even if the answer is lost.
async fn decide_surely(
    config: &Config,
    to: &Session,
    (number, also): (u64, &str),
) -> Result<Decided, CutoverError> {
    let deadline = Instant::now() + DECIDE_MAX;
    let mut failed = match tokio::time::timeout(
        DECIDE_MAX,
        decision::decide(to, number, Decision::Switched, also),
    )
    .await
    {
        Ok(Ok(decided)) => return Ok(decided),
        Ok(Err(error)) => error,
        Err(_) => DecisionError::Server(pg::Error::Lost(None)),
    };
    while Instant::now() < deadline {
        if let Ok(session) = config.connect(config.to).await {
            // It may have committed: asked in the same words, it cannot be otherwise any more. What the
            // server refuses it will refuse again; then it is decided otherwise.
            let (wanted, also) = match &failed {
                DecisionError::Server(error) if error.sqlstate().is_some() => {
                    (Decision::Aborted, "")
                }
                _ => (Decision::Switched, also),
            };
            let limit = deadline.saturating_duration_since(Instant::now());
            let deciding = decision::decide(&session, number, wanted, also);
            match tokio::time::timeout(limit, deciding).await {
                Ok(Ok(decided)) => return Ok(decided),
                Ok(Err(error)) => failed = error,
                Err(_) => break,
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(CutoverError::Unknown(failed))
}
