//! Server connections on the other side that are ready before traffic goes there, with what their
//! sessions hold.
//!
//! A login, the question what a session holds and its making again take tens of milliseconds of servers
//! that are busy, and everybody's come at once when traffic turns. So the busiest sessions have it done
//! while traffic flows. Whether the answer still holds is asked again while they are held, beside the
//! drain: who has said nothing since then only changes connections.
//!
//! What others could notice is not made ahead: advisory locks and LISTEN.

use std::cmp::Reverse;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::channel::Channel;
use super::gate::Turns;
use super::login::own::Ready;
use super::moving::{self, Inventory, MoveError};
use super::opening;
use super::registry::Entry;
use super::service::Service;
use super::survey::{self, Asked};
use crate::base::Side;
use crate::base::cause::chain;
use crate::wire::frame::frames;

/// For how many sessions: those that are busiest. The rest opens its own when it speaks.
const AHEAD_MAX: usize = 500;

/// Logins at a time while traffic still flows: each starts a process of the server, and clients feel more
/// of them. Between two there is a rest as long as the one before took, so that what waited can go on.
const AT_ONCE: usize = 1;

/// The most that is kept of what one session holds, in bytes; with [`AHEAD_MAX`], some 64 MB.
const BYTES_MAX: usize = 128 * 1024;

/// Who has asked something within this time is busy.
const BUSY_WITHIN: Duration = Duration::from_secs(1);

/// How long sessions may take to say what they hold, once they are logged in.
const ASK_MAX: Duration = Duration::from_secs(2);

/// How long a server may take to make what a session holds.
pub(super) const CARRY_MAX: Duration = Duration::from_secs(10);

/// Room for what a server says to a connection that nobody uses.
const READ_BYTES: usize = 1024;

/// A server connection that is ready before anybody needs it.
#[derive(Debug)]
pub struct Ahead {
    /// The connection.
    pub ready: Ready,
    /// Of which side it is.
    pub turns: Turns,
    /// What was made on it.
    carried: Option<Carried>,
}

/// What a session held, on the connection that waits for it.
#[derive(Debug)]
struct Carried {
    /// That.
    inventory: Inventory,
    /// What the client is to be sent when it comes there.
    messages: Vec<u8>,
    /// What the client had said by then, in bytes.
    said: u64,
}

impl Ahead {
    /// With nothing made on it.
    pub(super) fn new(ready: Ready, turns: Turns) -> Self {
        Ahead {
            ready,
            turns,
            carried: None,
        }
    }

    /// Whether its server has neither closed it nor said that it does.
    pub(super) async fn is_there(&mut self) -> bool {
        is_there(&mut self.ready.server).await
    }

    /// What the client is to be sent, if what was made on it is what the session holds for certain: its
    /// client has said no more than this.
    pub(super) fn messages_for(&self, said: u64) -> Option<Vec<u8>> {
        let carried = self.carried.as_ref().filter(|one| one.said == said);
        carried.map(|carried| carried.messages.clone())
    }

    /// Makes `inventory` on it, in place of what was made there; what the client is to be sent then.
    ///
    /// # Errors
    /// The connection is of no more use.
    pub(super) async fn give(&mut self, inventory: &Inventory) -> Result<Vec<u8>, NotGiven> {
        match self.carried.take() {
            Some(same) if same.inventory == *inventory => return Ok(same.messages),
            other => self.carried = other,
        }
        let making = async {
            self.clear().await?;
            moving::give(&mut self.ready.server, inventory).await
        };
        let given = tokio::time::timeout(CARRY_MAX, making).await;
        let given = given.map_err(|_| NotGiven::TooLate)??;
        if given.types_differ {
            return Err(NotGiven::OtherTypes);
        }
        let mut messages = given.messages;
        let before = &inventory.parameters;
        messages.extend(moving::changed_parameters(before, &given.parameters));
        Ok(messages)
    }

    /// As it was after its login.
    async fn clear(&mut self) -> Result<(), MoveError> {
        match self.carried.take() {
            Some(_) => moving::discard(&mut self.ready.server).await,
            None => Ok(()),
        }
    }
}

/// Why what a session holds is not made.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotGiven {
    /// The server refuses, or is lost.
    #[error("{}", chain(.0))]
    Refused(#[from] MoveError),
    /// Its drivers would send values of other types.
    #[error("its prepared statements have types that are others there")]
    OtherTypes,
    /// It is not waited for any longer.
    #[error("a server took too long")]
    TooLate,
}

async fn is_there(server: &mut Channel) -> bool {
    let Channel { stream, input } = server;
    let is_open = poll_fn(|cx| {
        let mut room = [0; READ_BYTES];
        loop {
            let mut buffer = ReadBuf::new(&mut room);
            match std::pin::Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
                Poll::Pending => return Poll::Ready(true),
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    input.extend_from_slice(buffer.filled());
                }
                Poll::Ready(_) => return Poll::Ready(false),
            }
        }
    });
    is_open.await && frames(input).all(|(tag, _)| tag != b'E')
}

/// How many sessions have a connection on the other side.
#[derive(Debug, Default)]
pub(super) struct Warm {
    pub(super) ready: usize,
    pub(super) failed: usize,
    pub(super) problem: Option<String>,
}

/// Opens connections on `to` for the busiest sessions within `limit`, and makes what they hold. Traffic
/// goes on.
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
    let at_once = Arc::new(Semaphore::new(AT_ONCE));
    let mut logins = JoinSet::new();
    for entry in entries.iter().map(Arc::clone) {
        let (service, at_once) = (Arc::clone(service), Arc::clone(&at_once));
        logins.spawn(async move {
            let _place = at_once.acquire().await;
            let began = Instant::now();
            let opened = open(&service, &entry, now.next(), deadline).await;
            if began + 2 * began.elapsed() < deadline {
                tokio::time::sleep(began.elapsed()).await;
            }
            opened
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
    // Those who do not say it in time are asked when they go.
    let _ = tokio::time::timeout(ASK_MAX, survey::ask(entries, Asked::InTraffic)).await;
    warm
}

/// None if the session cannot move.
async fn open(
    service: &Service,
    entry: &Entry,
    turns: Turns,
    deadline: Instant,
) -> Option<Result<(), String>> {
    let passport = entry.passport.get()?;
    let is_open = |ahead: &Option<Ahead>| ahead.as_ref().is_some_and(|one| one.turns == turns);
    if is_open(&*entry.ahead.lock().await) {
        return Some(Ok(()));
    }
    let settings = service.settings();
    let login = opening::log_in(&settings, entry, (passport, turns), deadline);
    Some(match login.await {
        Ok(ahead) => {
            *entry.ahead.lock().await = Some(ahead);
            Ok(())
        }
        Err(failed) => Err(format!("as {}: {failed}", entry.facts.user)),
    })
}

/// While everybody is held: has those with a connection ahead look whether what was made there is still
/// what they hold. Others that were busy a moment ago, which could not be logged in behind a fence, say it for
/// when they can.
pub(super) fn look_again(service: &Service) {
    let mut entries = service.registry.clients();
    entries.retain(|entry| {
        // One that is just being made is looked at, too.
        let has_one = entry.ahead.try_lock().map_or(true, |ahead| ahead.is_some());
        let is_busy = || {
            let asked = entry.statistics.asked_after();
            asked.is_some_and(|asked| entry.since.elapsed().saturating_sub(asked) < BUSY_WITHIN)
        };
        let is_outdated = entry.survey.is_outdated(entry.statistics.bytes_in());
        is_outdated && (has_one || (entry.may_move() && is_busy()))
    });
    entries.sort_by_cached_key(|entry| Reverse(entry.statistics.read().transactions.count()));
    entries.truncate(AHEAD_MAX);
    tokio::spawn(survey::ask(entries, Asked::WhileHeld));
}

/// The session holds `inventory`, its client having `said` so much: made on its connection ahead, if it
/// has one; else kept, if it is held.
pub(super) fn found(entry: &Arc<Entry>, (inventory, said): (Inventory, u64), is_held: bool) {
    if entry.ahead.try_lock().is_ok_and(|ahead| ahead.is_none()) {
        // Who listens may be told something yet.
        let is_kept = is_held && inventory.is_silent() && inventory.bytes() <= BYTES_MAX;
        entry.survey.keep(is_kept.then_some((inventory, said)));
        return;
    }
    let entry = Arc::clone(entry);
    tokio::spawn(async move {
        let mut place = entry.ahead.lock().await;
        // Who goes there meanwhile waits for this.
        if let Some(mut ahead) = place.take() {
            match carry(&mut ahead, inventory, said).await {
                Ok(()) => *place = Some(ahead),
                Err(problem) => {
                    tracing::debug!(client = entry.id, "nothing is made ahead: {problem}");
                }
            }
        }
    });
}

/// # Errors
/// The connection is of no more use.
async fn carry(ahead: &mut Ahead, inventory: Inventory, said: u64) -> Result<(), NotGiven> {
    // An answer may be late.
    if ahead.carried.as_ref().is_some_and(|one| one.said > said) {
        return Ok(());
    }
    if !inventory.is_silent() || inventory.bytes() > BYTES_MAX {
        return Ok(ahead.clear().await?);
    }
    let messages = ahead.give(&inventory).await?;
    ahead.carried = Some(Carried {
        inventory,
        messages,
        said,
    });
    Ok(())
}

/// Closes the connections that were opened ahead and are not needed.
pub(super) fn cool_down(service: &Service) {
    let entries = service.registry.clients();
    tokio::spawn(async move {
        for entry in entries {
            entry.survey.keep(None);
            *entry.ahead.lock().await = None;
        }
    });
}
