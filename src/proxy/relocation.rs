//! Sessions go to where traffic goes by now: each by itself, when it next speaks or is asked to.
//!
//! What a session holds is asked of the server that it leaves and made again on the other
//! ([`super::moving`]), between two transactions of its client, which notices nothing but the time. What
//! cannot be made again ends the session with 57P01, so that its client connects anew: a session that
//! went on without what it had would be worse.
//!
//! Those that hold something that others may wait for or lose (advisory locks, LISTEN) go first, before
//! anybody may begin anything on the new side; those that nobody uses go in the end, a few at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ahead::{Ahead, CARRY_MAX, NotGiven};
use super::channel::Channel;
use super::gate::Turns;
use super::mirror::feed::Feed;
use super::moving::{self, MoveError, Taken};
use super::notice::Refusal;
use super::opening::{self, Passport};
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

/// How long those that use their sessions have the servers to themselves before the others go.
const REST_AFTER: Duration = Duration::from_secs(1);

/// Sessions that nobody uses go one at a time, each of which is a login and a process of the server. Behind
/// each, nobody goes for so many times as long as it took: a fifth of one processor at most, and less where
/// servers have much to do.
const REST_SHARE: u32 = 4;

/// How long one of them is waited for: its client may have begun something, and then it goes by itself.
const REST_ONE_MAX: Duration = Duration::from_secs(1);

/// How often it is looked whether it has gone.
const REST_LOOK_EVERY: Duration = Duration::from_millis(5);

/// The waits before a server is tried again that cannot be reached.
const RETRY: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// When connections are closed that sessions have left: not all at once.
const LEAVE_AFTER: Duration = Duration::from_millis(150);
const LEAVE_EVERY: Duration = Duration::from_millis(10);
const LEAVE_TURNS: u32 = 30;

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
    let (old, mut parted) = match relay.part() {
        Ok(parted) => parted,
        Err(relay) => return Ok(arrived(*relay, entry)),
    };
    let mirrors = parted.leave_mirrors();
    if entry.must_move_first() {
        until_left(&mirrors).await;
    }
    match go(service, (Channel::new(old), turns), &parted, entry).await {
        Ok((server, from_server)) => match parted.go_on_with(server, &from_server, turns) {
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

/// Waits until the sessions of its mirrors have ended: one of them may be on the server that it goes to,
/// and have the locks there that it has here.
async fn until_left(mirrors: &[Arc<Feed>]) {
    let all_have = async {
        for feed in mirrors {
            feed.ended().await;
        }
    };
    let _ = tokio::time::timeout(FIRST_MAX / 2, all_have).await;
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
    let ahead = entry.ahead.lock().await.take();
    let ahead = match ahead.filter(|ahead| ahead.turns == turns) {
        Some(mut ahead) => ahead.is_there().await.then_some(ahead),
        None => None,
    };
    let messages = ahead
        .as_ref()
        .and_then(|one| one.messages_for(parted.said()));
    let (mut opened, mut messages) = match (messages, ahead) {
        (Some(messages), Some(ahead)) => (ahead, messages),
        (_, ahead) => carry(service, (&mut old, turns), (parted, entry, passport), ahead).await?,
    };
    let again = heard.unnamed.say_again(&mut opened.ready.server);
    in_words(tokio::time::timeout(CARRY_MAX, again).await)?;
    let ready = opened.ready;
    entry.set_server(ServerSide {
        key: ready.key().cloned(),
        place: ready.place,
        local: ready.server.stream.local_address(),
        since: Instant::now(),
        is_encrypted: ready.server.stream.is_encrypted(),
    });
    messages.extend_from_slice(&ready.server.input);
    tokio::spawn(leave(old, leave_after(entry.id, entry.must_move_first())));
    Ok((ready.server.stream, messages))
}

/// How long a session's old connection stays open. The end of a process that has used much of its server's
/// memory costs milliseconds, and everybody's would come at once, with everybody's first transactions on
/// the new side. One that may hold advisory locks goes at once: traffic that turned back would find them
/// taken.
fn leave_after(id: u64, may_hold_locks: bool) -> Duration {
    let turn = u32::try_from(id % u64::from(LEAVE_TURNS)).unwrap_or_default();
    match may_hold_locks {
        true => Duration::ZERO,
        false => LEAVE_AFTER + turn * LEAVE_EVERY,
    }
}

/// Says goodbye to the server that a session has left.
async fn leave(mut old: Channel, after: Duration) {
    tokio::time::sleep(after).await;
    // It rolls back nothing: it is between transactions.
    let _ = tokio::time::timeout(CARRY_MAX, old.send(GOODBYE)).await;
}

/// Makes what the session holds on a connection to where traffic goes, `ahead` if it is of use: that, and
/// what the client is to be sent.
async fn carry(
    service: &Service,
    (old, turns): (&mut Channel, Turns),
    (parted, entry, passport): (&Parted, &Entry, &Passport),
    mut ahead: Option<Ahead>,
) -> Result<(Ahead, Vec<u8>), String> {
    let taken = match entry.survey.kept_for(parted.said()) {
        Some(inventory) => Taken {
            inventory,
            messages: Vec::new(),
        },
        None => {
            let nothing = Heard::default();
            let heard = parted.heard().unwrap_or(&nothing);
            let taking = tokio::time::timeout(CARRY_MAX, moving::take(old, &heard.names)).await;
            let taken = in_words(taking)?;
            let hindrances = hindrances(parted, &taken.inventory);
            if !hindrances.is_empty() {
                return Err(format!("it holds {}", hindrances.join(", ")));
            }
            taken
        }
    };
    loop {
        let was_ahead = ahead.is_some();
        let mut opened = match ahead.take() {
            Some(ahead) => ahead,
            None => open(service, (passport, turns), entry).await?,
        };
        match opened.give(&taken.inventory).await {
            Ok(given) => {
                let mut messages = taken.messages;
                messages.extend_from_slice(&given);
                return Ok((opened, messages));
            }
            // The server may have closed a connection that nobody used.
            Err(NotGiven::Refused(MoveError::Channel(_))) if was_ahead => {}
            Err(problem) => return Err(problem.to_string()),
        }
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

/// Asks everybody else to go, one after the other, until all have or traffic turns again.
pub(super) async fn move_rest(service: &Service) {
    let turns = service.registry.turns();
    tokio::time::sleep(REST_AFTER).await;
    for entry in service.registry.clients() {
        if service.registry.turns() != turns {
            return;
        }
        let began = Instant::now();
        entry.ask_to_move();
        while entry.is_asked_to_move() && began.elapsed() < REST_ONE_MAX {
            tokio::time::sleep(REST_LOOK_EVERY).await;
        }
        tokio::time::sleep(REST_SHARE * began.elapsed()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_with_locks_are_left_at_once_and_others_one_after_the_other() {
        assert_eq!(leave_after(7, true), Duration::ZERO);
        let mut ends: Vec<_> = (0..30).map(|id| leave_after(id, false)).collect();
        assert_eq!(ends.first(), Some(&LEAVE_AFTER));
        assert_eq!(ends.last(), Some(&Duration::from_millis(440)));
        ends.dedup();
        assert_eq!(ends.len(), 30);
        assert_eq!(leave_after(30, false), LEAVE_AFTER);
    }
}
