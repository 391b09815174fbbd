//! Sessions are asked what they hold that would end them if traffic moved, while it still flows.
//!
//! Only a session's own server connection tells that, so each asks by itself, between two transactions of
//! its client, by the question of a move ([`super::moving`]); the client notices nothing but the time.
//! Nobody is asked who has not spoken since the last answer, or could not move anyway.

use std::fmt::Display;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

use super::ahead;
use super::channel::Channel;
use super::control::Request;
use super::gate::Way;
use super::moving::{self, Inventory, MoveError};
use super::registry::{Entry, SessionState};
use super::relay::{Heard, Parted, Relay};
use super::relocation::{Left, left};
use super::service::Service;
use crate::base::cause::chain;

/// How many sessions that do nothing are asked at a time: each answer is a query of catalogs, and others
/// have work for the server.
const AT_ONCE: usize = 4;

/// How long one of them may keep others from being asked: its client may have begun something.
const PATIENCE: Duration = Duration::from_millis(200);

/// How long one that is in a transaction is waited for. It answers when that has ended.
const BUSY_MAX: Duration = Duration::from_secs(1);

/// Things of one session that are told by name.
const NAMED_MAX: usize = 8;

/// How often people and exporters who only look make a session answer anew.
pub const LOOKED_EVERY: Duration = Duration::from_secs(60);

/// How long they wait for the answers.
pub const LOOK_MAX: Duration = Duration::from_secs(1);

/// For people and scripts that only look.
pub fn looked_at() -> Request {
    Request::Survey {
        limit_ms: LOOK_MAX.as_millis() as u64,
        every_ms: LOOKED_EVERY.as_millis() as u64,
    }
}

/// What a session was last found to hold.
#[derive(Debug, Default)]
pub struct Survey {
    /// [`Asked`].
    asked: AtomicU8,
    answered: Notify,
    last: Mutex<Option<Found>>,
    /// All that it held while it was held, and what its client had said by then: for its move.
    kept: Mutex<Option<(Inventory, u64)>>,
}

/// When a session is to ask its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Asked {
    /// Not at all.
    Not = 0,
    /// Between two transactions, while others go on.
    InTraffic = 1,
    /// While everybody is held.
    WhileHeld = 2,
}

/// An answer.
#[derive(Debug, Clone)]
struct Found {
    holds: Vec<String>,
    /// What the client had said by then, in bytes.
    bytes_in: u64,
    at: Instant,
}

impl Survey {
    /// Whether the session is to ask. For the session itself.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed) != Asked::Not as u8
    }

    /// Whether it is to although its client is held.
    pub fn is_asked_while_held(&self) -> bool {
        self.asked.load(Ordering::Relaxed) == Asked::WhileHeld as u8
    }

    /// What would end the session if traffic moved, each by its kind and name; none if that is not known.
    pub fn holds(&self) -> Option<Vec<String>> {
        self.last().as_ref().map(|found| found.holds.clone())
    }

    /// All that it holds, if it was asked while it was held, and its client has said no more than this since.
    pub(super) fn kept_for(&self, said: u64) -> Option<Inventory> {
        let kept = self.kept().take().filter(|(_, then)| *then == said);
        kept.map(|(inventory, _)| inventory)
    }

    /// Keeps it, or nothing.
    pub(super) fn keep(&self, kept: Option<(Inventory, u64)>) {
        *self.kept() = kept;
    }

    fn kept(&self) -> MutexGuard<'_, Option<(Inventory, u64)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn last(&self) -> MutexGuard<'_, Option<Found>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the session could say something else by now, and was not asked lately.
    fn is_due(&self, bytes_in: u64, every: Duration) -> bool {
        let last = self.last();
        last.as_ref()
            .is_none_or(|found| found.bytes_in != bytes_in && found.at.elapsed() >= every)
    }

    /// Whether its client has said something since the last answer.
    pub(super) fn is_outdated(&self, bytes_in: u64) -> bool {
        self.is_due(bytes_in, Duration::ZERO)
    }

    fn note(&self, holds: Vec<String>, bytes_in: u64) {
        let at = Instant::now();
        *self.last() = Some(Found {
            holds,
            bytes_in,
            at,
        });
        self.answered.notify_waiters();
    }

    /// Returns when it has answered. Cancel safe.
    async fn answered_after(&self, since: Instant) {
        loop {
            let answered = self.answered.notified();
            tokio::pin!(answered);
            // From here on an answer is not missed.
            answered.as_mut().enable();
            if self.last().as_ref().is_some_and(|found| found.at >= since) {
                return;
            }
            answered.await;
        }
    }
}

/// Has the sessions that may move say what they hold, unless they did within `every`, and returns when
/// all have or after `limit`. One that is in a transaction answers when that has ended.
pub async fn survey(service: &Service, limit: Duration, every: Duration) {
    let asking = async {
        // Another one asks the same.
        let _alone = service.surveying.lock().await;
        let settings = service.settings();
        let mut entries = service.registry.clients();
        entries.retain(|entry| {
            let may_move = entry.may_move() && settings.config.has_target(&entry.facts.database);
            may_move && entry.survey.is_due(entry.statistics.bytes_in(), every)
        });
        ask(entries, Asked::InTraffic).await;
    };
    // Who has not answered does when it can.
    let _ = tokio::time::timeout(limit, asking).await;
}

/// Has these sessions ask their servers, and returns when all have, but for those that are in a transaction
/// for long.
pub(super) async fn ask(entries: Vec<Arc<Entry>>, how: Asked) {
    let at_once = Arc::new(Semaphore::new(AT_ONCE));
    let mut sessions = JoinSet::new();
    for entry in entries {
        sessions.spawn(one(entry, how, Arc::clone(&at_once)));
    }
    while sessions.join_next().await.is_some() {}
}

async fn one(entry: Arc<Entry>, how: Asked, at_once: Arc<Semaphore>) {
    let place = match entry.state() {
        SessionState::Idle | SessionState::Held => at_once.acquire().await.ok(),
        // It asks when its client has ended something, which others do at other times.
        _ => None,
    };
    let since = Instant::now();
    entry.survey.asked.store(how as u8, Ordering::SeqCst);
    entry.wake_relay();
    let answered = entry.survey.answered_after(since);
    tokio::pin!(answered);
    if place.is_none() || tokio::time::timeout(PATIENCE, &mut answered).await.is_err() {
        drop(place);
        let _ = tokio::time::timeout(BUSY_MAX, answered).await;
    }
}

/// Asks the session's server. For the session itself, while its client is between two transactions.
///
/// # Errors
/// The server is of no more use.
pub(super) async fn answer(relay: Relay, entry: &Arc<Entry>) -> Result<Relay, Left> {
    let is_held = entry.survey.is_asked_while_held();
    entry.survey.asked.store(Asked::Not as u8, Ordering::SeqCst);
    let before = entry.state();
    entry.set_state(SessionState::Busy);
    let turns = relay.turns();
    let may_ask = match entry.gate().way(turns) {
        Way::Open => true,
        // A pause may have begun, and does not wait for this.
        Way::Closed => is_held && entry.gate().turns() == turns,
        Way::Elsewhere => false,
    };
    if !may_ask {
        entry.set_state(before);
        entry.gate().settled();
        return Ok(relay);
    }
    let bytes_in = entry.statistics.bytes_in();
    let (old, parted) = match relay.part() {
        Ok(parted) => parted,
        Err(relay) => {
            entry.set_state(before);
            entry.gate().settled();
            return Ok(*relay);
        }
    };
    let mut old = Channel::new(old);
    let nothing = Heard::default();
    let heard = parted.heard().unwrap_or(&nothing);
    let taken = moving::take(&mut old, &heard.names).await;
    let (holds, mut messages) = match taken {
        Ok(taken) => {
            let holds = hindrances(&parted, &taken.inventory);
            if holds.is_empty() {
                ahead::found(entry, (taken.inventory, parted.said()), is_held);
            }
            (holds, taken.messages)
        }
        Err(error) if error.leaves_session_usable() => (vec![told(&error)], Vec::new()),
        Err(error) => {
            tracing::warn!(client = entry.id, "its server is lost: {}", chain(&error));
            let why = "the connection to the server was lost";
            return Err(left(parted, entry, why).await);
        }
    };
    entry.survey.note(holds, bytes_in);
    messages.extend_from_slice(&old.input);
    match parted.go_on_with(old.stream, &messages, turns) {
        Ok(relay) => Ok(relay),
        Err((_, parted)) => Err(left(parted, entry, "the server said what is no message").await),
    }
}

fn told(error: &MoveError) -> String {
    match error {
        MoveError::TooLarge { bytes_max } => format!("more than {} MiB", bytes_max >> 20),
        _ => "what the server refuses to tell".to_owned(),
    }
}

/// What keeps a session from moving, each by its kind and name; nothing if it can.
pub(super) fn hindrances(parted: &Parted, inventory: &Inventory) -> Vec<String> {
    let heard = parted.heard();
    let unheard = heard.filter(|heard| heard.names.is_incomplete());
    let too_long = heard.filter(|heard| heard.unnamed.is_too_long());
    let unheard = unheard.map(|_| "settings whose names are not known".to_owned());
    let too_long = too_long.map(|_| "an unnamed statement that is too long".to_owned());
    let obstacles = inventory.obstacles.iter().map(ToString::to_string);
    bounded(unheard.into_iter().chain(too_long).chain(obstacles))
}

/// The first few, and how many more there are.
fn bounded(mut all: impl Iterator<Item = impl Display>) -> Vec<String> {
    let named = all.by_ref().take(NAMED_MAX);
    let mut named: Vec<_> = named.map(|one| one.to_string()).collect();
    match all.count() {
        0 => {}
        more => named.push(format!("{more} more")),
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_has_said_nothing_since_is_not_asked_again() {
        let survey = Survey::default();
        assert!(survey.is_due(5, LOOKED_EVERY) && survey.holds().is_none());
        survey.note(vec!["cursor c".to_owned()], 5);
        assert!(!survey.is_due(5, Duration::ZERO));
        assert!(survey.is_due(6, Duration::ZERO));
        assert!(!survey.is_due(6, LOOKED_EVERY), "it was asked just now");
        assert_eq!(survey.holds(), Some(vec!["cursor c".to_owned()]));
    }

    #[test]
    fn of_many_things_the_first_are_named() {
        assert_eq!(bounded(1..=2), ["1", "2"]);
        assert_eq!(bounded(1..=8).len(), 8);
        assert_eq!(bounded(1..=10)[7..], ["8", "2 more"]);
    }
}
