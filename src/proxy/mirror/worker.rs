//! One client's transactions, said again to one mirror.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::Rng;

use super::Mirror;
use super::answers::{self, Answer};
use super::compare::{self, Names, Script};
use super::confirm::{self, Question};
use super::counters::DropReason;
use super::feed::{Feed, Turn};
use super::link::{Heard, Link, LinkError, READ_ONLY, Route};
use super::messages;
use super::shadow::Verdict;
use super::state::{STATE_BYTES_MAX, State};
use super::statement::Kinds;
use super::unit::{Charge, Unit};
use crate::base::backoff::Backoff;
use crate::base::cause::chain;
use crate::proxy::config::MirrorMode;
use crate::wire::frame;

/// The first and the longest wait before a mirror that could not be reached is tried again.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// A write that a session that may only read is refused: `read_only_sql_transaction`.
const REFUSED_WRITE: [u8; 5] = *b"25006";

/// Whether the server says that the session may write from now on. PostgreSQL reports it from
/// version 14.
fn may_write(answers: &[u8]) -> bool {
    let mut parameters = frame::frames(answers).filter(|(tag, _)| *tag == b'S');
    parameters.any(|(_, message)| message.ends_with(b"default_transaction_read_only\0off\0"))
}

/// What a session needs to be said again.
#[derive(Debug)]
pub struct Session {
    /// The mirror.
    pub mirror: Arc<Mirror>,
    /// What the client does.
    pub feed: Arc<Feed>,
    /// The way to the mirror.
    pub route: Route,
    /// The way to the client's own server, to ask again there.
    pub own_route: Route,
}

/// Says again whatever the client does, until it has gone and everything is said.
pub async fn run(session: Session) {
    let mut worker = Worker {
        link: None,
        state: State::default(),
        has_unnamed: false,
        charge: session.feed.empty_charge(),
        names: Names::default(),
        backoff: Backoff::new(RETRY.0, RETRY.1),
        not_before: Instant::now(),
        session,
    };
    while let Some(turn) = worker.session.feed.next().await {
        worker.turn(turn).await;
    }
    if let Some(link) = worker.link.take() {
        worker.session.mirror.counters.close();
        link.close().await;
    }
    worker.session.feed.end();
}

struct Worker {
    session: Session,
    link: Option<Link>,
    /// What the session has become since it began.
    state: State,
    /// The mirror's session has the unnamed statement that the client's has. It is said there only
    /// when it is needed: most are executed in the transaction that prepares them.
    has_unnamed: bool,
    charge: Charge,
    names: Names,
    backoff: Backoff,
    /// When the mirror may be tried again.
    not_before: Instant,
}

/// What of a transaction is sent.
enum Choice {
    All,
    Sampled,
    StateOnly,
}

/// How the mirror has answered a transaction.
enum Answered {
    Well,
    WithErrors,
}

impl Worker {
    async fn turn(&mut self, turn: Turn) {
        let mirror = Arc::clone(&self.session.mirror);
        let Turn { unit, state, .. } = turn;
        let Some((unit, charge)) = unit else {
            let said = [state.named(), state.unnamed()].concat();
            self.names.read(&said, &mirror.shadow);
            self.names.end();
            return self.say_state(state).await;
        };
        let counters = &mirror.counters;
        if self.session.feed.is_lost() {
            return counters.drop_for(DropReason::StateLost);
        }
        let scripts: Vec<Script> = unit
            .rounds()
            .map(|said| self.names.read(said.requests, &mirror.shadow))
            .collect();
        self.names.end();
        let is_too_old = unit.began.elapsed() > mirror.config.queue_age;
        match self.choose(&scripts) {
            Choice::All if is_too_old => counters.drop_for(DropReason::TooOld),
            Choice::All => {
                let answered = self.say((unit, charge), &scripts).await;
                match &answered {
                    Ok(_) => counters.complete(),
                    Err(why) => counters.drop_for(*why),
                }
                let needs_guard = mirror.config.mode == MirrorMode::Reads && state.sets();
                return match answered {
                    Ok(Answered::Well) if !needs_guard => {
                        self.has_unnamed |= state.has_unnamed();
                        self.remember(state);
                    }
                    // Said again where the mirror may have undone it, or may write from now on. Its
                    // errors have been counted.
                    _ => drop(self.repeat(state).await),
                };
            }
            Choice::Sampled => counters.leave_out(),
            Choice::StateOnly => counters.skip(),
        }
        drop(charge);
        self.say_state(state).await;
    }

    fn choose(&self, scripts: &[Script]) -> Choice {
        let mirror = &self.session.mirror;
        let statements = || scripts.iter().flat_map(Script::statements);
        let kinds = statements().fold(Kinds::default(), |all, one| all.and(one.kinds));
        let is_meant = match mirror.config.mode {
            MirrorMode::Reads => kinds.has(Kinds::READ) && kinds.only_reads(),
            MirrorMode::All => true,
            MirrorMode::Ddl => kinds.has(Kinds::DDL),
            MirrorMode::Dml => kinds.has(Kinds::DML),
        };
        if !is_meant {
            return Choice::StateOnly;
        }
        let is_chosen = mirror.config.exposure >= 1.0
            || rand::rng().random_bool(mirror.config.exposure)
            || mirror.config.exposure > 0.0
                && statements().any(|known| mirror.shadow.is_rare(&known.facts));
        match is_chosen {
            true => Choice::All,
            false => Choice::Sampled,
        }
    }

    /// Says a transaction, and compares.
    async fn say(
        &mut self,
        (unit, charge): (Arc<Unit>, Charge),
        scripts: &[Script],
    ) -> Result<Answered, DropReason> {
        let mirror = Arc::clone(&self.session.mirror);
        let mut link = self.link().await?;
        if let Err(error) = self.say_unnamed(&mut link, &unit).await {
            self.lost(&error);
            return Err(DropReason::Lost);
        }
        let mut differences = Vec::new();
        let mut is_refused = false;
        let mut is_whole = true;
        let mut errors = 0;
        for (at, (said, script)) in unit.rounds().zip(scripts).enumerate() {
            let heard = match link.say(said.requests, mirror.config.answer_limit).await {
                Ok(heard) => heard,
                Err(error) => {
                    self.lost(&error);
                    return Err(DropReason::Lost);
                }
            };
            is_whole &= heard.is_whole;
            for known in script.statements() {
                mirror.shadow.send(&known.facts);
                mirror.counters.answer();
            }
            if mirror.config.mode == MirrorMode::Reads && may_write(&heard.answers) {
                tracing::warn!(
                    "mirror {}: a session turned to reading and writing, and is closed",
                    mirror.config.name
                );
                mirror.counters.close();
                return Err(DropReason::Lost);
            }
            errors += heard.errors;
            let answered = answers::groups(&heard.answers);
            self.count(&heard, &answered, &mut is_refused);
            if is_refused || !mirror.config.compares {
                continue;
            }
            if let Some(known) = script.only().filter(|_| heard.errors == 0) {
                known.facts.main.add(said.round.took);
                known.facts.mirror.add(heard.took);
            }
            if said.round.is_whole && heard.is_whole {
                let own = answers::groups(said.answers);
                for one in compare::compare(script, &own, &answered) {
                    one.facts.compare();
                    if let Some(difference) = one.difference {
                        let is_text = script.groups[one.place.0].is_text;
                        differences.push(Question {
                            facts: one.facts,
                            round: at,
                            is_text,
                            place: one.place,
                            difference,
                            own_failed: compare::fails_at(one.place, &own),
                        });
                    }
                }
            }
        }
        // Where not all of an answer was kept, nobody has seen whether the session may write now.
        let is_sure = is_whole || mirror.config.mode != MirrorMode::Reads;
        if link.is_between_transactions() && is_sure {
            self.link = Some(link);
        } else {
            // Or it ended otherwise here: the next transaction must not begin in this one.
            mirror.counters.close();
        }
        if !differences.is_empty() {
            self.judge((unit, charge), scripts, differences);
        }
        Ok(match errors {
            0 => Answered::Well,
            _ => Answered::WithErrors,
        })
    }

    /// Counts what failed. `is_refused` once a write was: the rest of a transaction then fails for
    /// that.
    fn count(&self, heard: &Heard, answered: &[Vec<Answer>], is_refused: &mut bool) {
        let mirror = &self.session.mirror;
        let mut failures = 0;
        for sqlstate in compare::failures(answered) {
            failures += 1;
            match sqlstate == REFUSED_WRITE && mirror.config.mode == MirrorMode::Reads {
                true => {
                    *is_refused = true;
                    mirror.counters.refuse_write();
                }
                false if *is_refused => {}
                false => mirror.counters.fail(sqlstate),
            }
        }
        // In answers that are not kept.
        for _ in failures..heard.errors {
            mirror.counters.fail(*b"?????");
        }
    }

    /// Finds out whether differences count.
    fn judge(&self, unit: (Arc<Unit>, Charge), scripts: &[Script], differences: Vec<Question>) {
        let statements = || scripts.iter().flat_map(Script::statements);
        let only_reads = statements().all(|known| known.kinds.only_reads());
        if !only_reads {
            // It cannot be done twice, and has happened.
            for one in differences {
                one.facts.judge(Verdict::Confirmed(one.difference));
            }
            return;
        }
        let routes = (self.session.own_route.clone(), self.session.route.clone());
        let mirror = Arc::clone(&self.session.mirror);
        let state = self.state.clone();
        tokio::spawn(confirm::ask(mirror, routes, state, unit, differences));
    }

    /// The connection, which is opened if need be, with all of the session's state.
    async fn link(&mut self) -> Result<Link, DropReason> {
        if let Some(link) = self.link.take() {
            return Ok(link);
        }
        let counters = Arc::clone(&self.session.mirror.counters);
        if Instant::now() < self.not_before {
            return Err(DropReason::NoConnection);
        }
        let opened = match Link::open(&self.session.route).await {
            Ok(link) => self.restore(link).await,
            Err(error) => Err(error),
        };
        match opened {
            Ok(mut link) => {
                self.backoff = Backoff::new(RETRY.0, RETRY.1);
                counters.open();
                link.tell_process(self.session.feed.server_pid());
                Ok(link)
            }
            Err(error) => {
                counters.fail_connection();
                self.not_before = Instant::now() + self.backoff.next_wait();
                let name = &self.session.mirror.config.name;
                tracing::info!("mirror {name}: {}", chain(&error));
                Err(DropReason::NoConnection)
            }
        }
    }

    async fn restore(&mut self, mut link: Link) -> Result<Link, LinkError> {
        let state = self.messages(&self.state);
        if !state.is_empty() {
            let limit = self.session.mirror.config.answer_limit;
            let heard = link.say(&state, limit).await?;
            self.count_state(&heard);
        }
        self.has_unnamed = false;
        Ok(link)
    }

    /// Says what changes the session's state in a transaction that is not sent. Without a
    /// connection it is said when there is one.
    async fn say_state(&mut self, state: State) {
        if let Some(heard) = self.repeat(state).await {
            self.count_state(&heard);
        }
    }

    /// The same without counting what fails.
    async fn repeat(&mut self, state: State) -> Option<Heard> {
        let messages = self.messages(&state);
        self.has_unnamed &= messages.is_empty() && !state.has_unnamed();
        self.remember(state);
        if messages.is_empty() {
            return None;
        }
        let mut link = self.link.take()?;
        let limit = self.session.mirror.config.answer_limit;
        match link.say(&messages, limit).await {
            Ok(heard) => {
                match link.is_between_transactions() {
                    true => self.link = Some(link),
                    false => self.session.mirror.counters.close(),
                }
                Some(heard)
            }
            Err(error) => {
                self.lost(&error);
                None
            }
        }
    }

    /// Says the unnamed statement that `unit` executes and does not prepare, if it is not there.
    async fn say_unnamed(&mut self, link: &mut Link, unit: &Unit) -> Result<(), LinkError> {
        if !self.has_unnamed && unit.binds_unnamed() {
            let limit = self.session.mirror.config.answer_limit;
            let heard = link.say(&self.state.unnamed(), limit).await?;
            self.count_state(&heard);
            self.has_unnamed = true;
        }
        Ok(())
    }

    fn count_state(&self, heard: &Heard) {
        let answered = answers::groups(&heard.answers);
        self.count(heard, &answered, &mut false);
    }

    /// `state` as messages. Behind settings a session that may only read may still do nothing else.
    fn messages(&self, state: &State) -> Vec<u8> {
        let mut messages = state.named();
        if self.session.mirror.config.mode == MirrorMode::Reads && state.sets() {
            messages.extend(messages::query(READ_ONLY));
        }
        messages
    }

    fn remember(&mut self, state: State) {
        self.state.merge(state);
        self.state.settle();
        let bytes = self.state.bytes();
        let feed = &self.session.feed;
        if bytes > STATE_BYTES_MAX || !feed.resize(&mut self.charge, bytes) {
            feed.lose();
        }
    }

    /// A connection that was open is of no more use.
    fn lost(&mut self, error: &LinkError) {
        let mirror = &self.session.mirror;
        mirror.counters.close();
        tracing::info!("mirror {}: {}", mirror.config.name, chain(error));
    }
}
