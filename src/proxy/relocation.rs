//! Sessions go to where traffic goes by now: each by itself, when it next speaks or is asked to.
//!
//! What a session holds is asked of the server that it leaves and made again on the other
//! ([`super::moving`]), between two transactions of its client, which notices nothing but the time. What
//! cannot be made again ends the session with 57P01, so that its client connects anew: a session that
//! went on without what it had would be worse.
//!
//! Those that hold something that others may wait for or lose (advisory locks, LISTEN) go first, before
//! anybody may begin anything on the new side; those that nobody uses go in the end, a few at a time.

use std::cmp::Reverse;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::channel::Channel;
use super::gate::Turns;
use super::moving::{self, MoveError};
use super::notice::Refusal;
use super::opening::{self, Ahead, Passport};
use super::registry::{Entry, Replication, ServerSide, SessionState};
use super::relay::{Heard, Parted, Relay};
use super::service::Service;
use super::session::{LAST_WORDS_MAX, pass_gate};
use super::survey::hindrances;
use crate::base::Side;
use crate::base::backoff::Backoff;
use crate::base::cause::chain;
use crate::pg::connect::Stream;

/// How long sessions that must go first are waited for. They are few, and everybody waits for them.
const FIRST_MAX: Duration = Duration::from_secs(2);

/// How many sessions that nobody uses are asked to go at a time, and how often: a hundred a second, each
/// of which is a login, and a process of the server that others wait for.
const REST_AT_ONCE: usize = 2;
const REST_EVERY: Duration = Duration::from_millis(20);

/// For how many sessions connections are opened ahead: those that are busiest. The rest opens its own
/// when it speaks.
const AHEAD_MAX: usize = 500;

/// Logins at a time while traffic still flows: each starts a process of the server, and clients feel more
/// of them.
const AHEAD_AT_ONCE: usize = 2;

/// The waits before a server is tried again that cannot be reached.
const RETRY: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// How long the two servers may take to tell and to make what a session holds.
const CARRY_MAX: Duration = Duration::from_secs(10);

/// Terminate.
const GOODBYE: &[u8] = b"X\0\0\0\x04";

/// A session that could not go along.
pub(super) struct Left {
    /// Its client.
    pub(super) client: Stream,
    /// What it is to be told.
    pub(super) words: Option<Refusal>,
}

/// Takes a session to where traffic goes.
pub(super) async fn relocate(
    service: &Service,
    mut relay: Relay,
    entry: &Arc<Entry>,
) -> Result<Relay, Left> {
    match entry.is_asked_to_move() {
        // Also while the gate is closed: that is what it waits for.
        true => entry.set_state(SessionState::LoggingIn),
        false => {
            pass_gate(entry).await;
        }
    }
    let turns = entry.gate().turns();
    if !has_elsewhere(service, entry) {
        relay.stay(turns);
    }
    if relay.turns() == turns {
        return Ok(arrived(relay, entry));
    }
    let (old, parted) = match relay.part() {
        Ok(parted) => parted,
        Err(relay) => return Ok(arrived(*relay, entry)),
    };
    match go(service, (Channel::new(old), turns), &parted, entry).await {
        Ok((server, from_server)) => match parted.join(server, &from_server, turns) {
            Ok(relay) => Ok(arrived(relay, entry)),
            Err((error, parted)) => {
                tracing::warn!(
                    client = entry.id,
                    "not moved: the server said what is no message: {error}"
                );
                Err(left_behind(parted, entry, "the server said what is no message").await)
            }
        },
        Err(problem) => {
            tracing::warn!(client = entry.id, "not moved: {problem}");
            Err(left_behind(parted, entry, &problem).await)
        }
    }
}

/// Whether its database is on different servers before and after a cutover.
fn has_elsewhere(service: &Service, entry: &Entry) -> bool {
    let settings = service.settings();
    let database = settings.config.database(&entry.facts.database);
    database.is_some_and(|one| one.server(Side::Source) != one.server(Side::Target))
}

fn arrived(mut relay: Relay, entry: &Entry) -> Relay {
    entry.has_moved();
    relay.go_on();
    entry.gate().settled();
    relay
}

async fn left_behind(parted: Parted, entry: &Entry, problem: &str) -> Left {
    let why = format!("traffic goes to another server: {problem}");
    left(parted, entry, &why).await
}

/// Ends a session, and says why.
pub(super) async fn left(parted: Parted, entry: &Entry, why: &str) -> Left {
    entry.has_moved();
    entry.set_state(SessionState::Waiting);
    entry.gate().settled();
    Left {
        client: parted.into_client(LAST_WORDS_MAX).await,
        words: Some(
            Refusal::new("57P01", format!("terminating connection because {why}"))
                .hint("Connect again."),
        ),
    }
}

/// The new server's stream, and what the client is to be sent first.
async fn go(
    service: &Service,
    (mut old, turns): (Channel, Turns),
    parted: &Parted,
    entry: &Entry,
) -> Result<(Stream, Vec<u8>), String> {
    if entry.facts.replication != Replication::None {
        return Err("replication does not move".to_owned());
    }
    let Some(passport) = entry.passport.get() else {
        return Err("the proxy has no login of its own for it".to_owned());
    };
    let nothing = Heard::default();
    let heard = parted.heard().unwrap_or(&nothing);
    let taking = tokio::time::timeout(CARRY_MAX, moving::take(&mut old, &heard.names)).await;
    let taken = in_words(taking)?;
    let hindrances = hindrances(parted, &taken.inventory);
    if !hindrances.is_empty() {
        return Err(format!("it holds {}", hindrances.join(", ")));
    }
    let mut ahead = entry
        .ahead
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
        .filter(|ahead| ahead.turns == turns);
    loop {
        let was_ahead = ahead.is_some();
        let mut opened = match ahead.take() {
            Some(ahead) => ahead,
            None => open(service, (passport, turns), entry).await?,
        };
        let giving = moving::give(&mut opened.ready.server, &taken.inventory);
        let given = match tokio::time::timeout(CARRY_MAX, giving).await {
            // The server may have closed a connection that nobody used.
            Ok(Err(MoveError::Channel(_))) if was_ahead => continue,
            given => in_words(given)?,
        };
        if given.types_differ {
            return Err("its prepared statements have types that are others there".to_owned());
        }
        let again = heard.unnamed.say_again(&mut opened.ready.server);
        in_words(tokio::time::timeout(CARRY_MAX, again).await)?;
        let before = &taken.inventory.parameters;
        let mut messages = taken.messages;
        messages.extend_from_slice(&given.messages);
        messages.extend(moving::changed_parameters(before, &given.parameters));
        let ready = opened.ready;
        entry.set_server(ServerSide {
            key: ready.key().cloned(),
            place: ready.place,
            local: ready.server.stream.local_address(),
            since: Instant::now(),
            is_encrypted: ready.server.stream.is_encrypted(),
        });
        messages.extend_from_slice(&ready.server.input);
        // The old one rolls back nothing: it is between transactions.
        let _ = tokio::time::timeout(CARRY_MAX, old.send(GOODBYE)).await;
        return Ok((ready.server.stream, messages));
    }
}

fn in_words<T>(done: Result<Result<T, MoveError>, impl Sized>) -> Result<T, String> {
    match done {
        Ok(done) => done.map_err(|error| chain(&error)),
        Err(_) => Err("a server took too long".to_owned()),
    }
}

async fn open(service: &Service, to: (&Passport, Turns), entry: &Entry) -> Result<Ahead, String> {
    let settings = service.settings();
    let deadline = Instant::now() + settings.config.limits.server_wait_limit;
    let mut backoff = Backoff::new(RETRY.0, RETRY.1);
    loop {
        let failed = match opening::log_in(&settings, entry, to, deadline).await {
            Ok(ahead) => return Ok(ahead),
            Err(failed) => failed,
        };
        let wait = backoff.next_wait();
        if !failed.may_pass() || Instant::now() + wait >= deadline {
            return Err(match &failed {
                opening::Failed::Refused(refusal) => refusal.message.clone(),
                opening::Failed::Servers(..) => {
                    tracing::warn!(client = entry.id, "logging in to the new server: {failed}");
                    "the new server takes no connection for it".to_owned()
                }
            });
        }
        tokio::time::sleep(wait).await;
    }
}

/// Asks those to go that must be there before anybody begins anything, and waits until they are: how
/// many. One that takes too long goes later, or ends.
pub(super) async fn move_first(service: &Service) -> usize {
    let mut first = service.registry.clients();
    first.retain(|entry| entry.must_move_first());
    first.iter().for_each(|entry| entry.ask_to_move());
    let all_are_there = async {
        loop {
            let settled = service.registry.settled();
            let settled = settled.notified();
            tokio::pin!(settled);
            // From here on nobody who arrives is missed.
            settled.as_mut().enable();
            if !first.iter().any(|entry| entry.is_asked_to_move()) {
                return;
            }
            settled.await;
        }
    };
    if tokio::time::timeout(FIRST_MAX, all_are_there)
        .await
        .is_err()
    {
        tracing::warn!(
            "sessions with advisory locks or LISTEN have not all moved within {FIRST_MAX:?}"
        );
    }
    first.len()
}

/// Asks everybody else to go, a few at a time, until all have or traffic turns again.
pub(super) async fn move_rest(service: &Service) {
    let turns = service.registry.turns();
    for some in service.registry.clients().chunks(REST_AT_ONCE) {
        if service.registry.turns() != turns {
            return;
        }
        some.iter().for_each(|entry| entry.ask_to_move());
        tokio::time::sleep(REST_EVERY).await;
    }
}

/// How many sessions have a connection on the other side.
#[derive(Debug, Default)]
pub(super) struct Warm {
    pub(super) ready: usize,
    pub(super) failed: usize,
    pub(super) problem: Option<String>,
}

/// Opens connections on `to` for the busiest sessions, within `limit`. Traffic goes on.
pub(super) async fn warm_up(service: &Arc<Service>, to: Side, limit: Duration) -> Warm {
    let now = service.registry.turns();
    let mut warm = Warm::default();
    if now.side() == to {
        return warm;
    }
    let deadline = Instant::now() + limit;
    let mut entries = service.registry.clients();
    entries.retain(|entry| entry.may_move());
    entries.sort_by_cached_key(|entry| Reverse(entry.statistics.read().transactions.count()));
    entries.truncate(AHEAD_MAX);
    let at_once = Arc::new(Semaphore::new(AHEAD_AT_ONCE));
    let mut logins = JoinSet::new();
    for entry in entries {
        let (service, at_once) = (Arc::clone(service), Arc::clone(&at_once));
        logins.spawn(async move {
            let _place = at_once.acquire().await;
            let passport = entry.passport.get()?;
            let is_there =
                |ahead: &Option<Ahead>| ahead.as_ref().is_some_and(|one| one.turns == now.next());
            if is_there(&entry.ahead.lock().unwrap_or_else(PoisonError::into_inner)) {
                return Some(Ok(()));
            }
            let settings = service.settings();
            let login = opening::log_in(&settings, &entry, (passport, now.next()), deadline);
            Some(match login.await {
                Ok(ahead) => {
                    *entry.ahead.lock().unwrap_or_else(PoisonError::into_inner) = Some(ahead);
                    Ok(())
                }
                Err(failed) => Err(format!("as {}: {failed}", entry.facts.user)),
            })
        });
    }
    while let Some(done) = logins.join_next().await {
        match done {
            Ok(Some(Ok(()))) => warm.ready += 1,
            Ok(Some(Err(problem))) => {
                warm.failed += 1;
                warm.problem = Some(problem);
            }
            Ok(None) | Err(_) => {}
        }
    }
    warm
}

/// Closes the connections that were opened ahead and are not needed.
pub(super) fn cool_down(service: &Service) {
    for entry in service.registry.clients() {
        *entry.ahead.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
