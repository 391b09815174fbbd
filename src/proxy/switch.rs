//! An attempt to move traffic to the other server, as this process takes part in it.
//!
//! It is told by whoever makes the cutover: hold everybody between transactions; *promise* to wait for
//! the decision; then go to the other side, or stay. From the promise on no time limit lets clients go
//! on: either this process is told how the attempt was decided, or, when nobody has said anything for
//! longer than the attempt may take, it asks the server that decides, and decides for `aborted` there if
//! nobody has yet.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::ahead;
use super::authority::{Decision, DecisionError, Doubt, decision, put_back};
use super::coordination::tables;
use super::pause::{Hold, Paused};
use super::relocation;
use super::service::Service;
use crate::base::Side;
use crate::base::cause::chain;
use crate::pg::{Address, Session};

/// How often it is looked whether a promise is still to be waited for.
const WATCH_EVERY: Duration = Duration::from_millis(200);

/// How long the server that decides may take to answer.
const ASK_MAX: Duration = Duration::from_secs(5);

/// How long it takes at most until nobody is busy, of a process that was not held before.
const SETTLE_MAX: Duration = Duration::from_secs(10);

/// What this process has promised.
#[derive(Debug, Default)]
pub struct Promises {
    made: Mutex<Option<Doubt>>,
    /// The last attempt by which it went to the other side.
    went: AtomicU64,
    /// The last attempt that was given up: a request to hold clients for it may come after that.
    given_up: AtomicU64,
    /// Held while it goes there.
    going: tokio::sync::Mutex<()>,
}

/// How a process came to the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Switched {
    /// Sessions that went there before anybody could begin anything.
    pub moved: usize,
}

impl Promises {
    fn lock(&self) -> MutexGuard<'_, Option<Doubt>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The attempt whose decision is waited for.
    pub fn made(&self) -> Option<u64> {
        self.lock().as_ref().map(|doubt| doubt.attempt)
    }

    /// The last attempt by which traffic came to where this process serves it; zero if it has not gone
    /// anywhere since it started.
    pub fn went(&self) -> u64 {
        self.went.load(Ordering::SeqCst)
    }

    /// Traffic is where this process serves it, by this attempt or a later one.
    pub fn came(&self, attempt: u64) {
        self.went.fetch_max(attempt, Ordering::SeqCst);
    }

    /// Whether `attempt` is over, as this process knows.
    pub fn is_over(&self, attempt: u64) -> bool {
        self.went() >= attempt || self.given_up.load(Ordering::SeqCst) >= attempt
    }

    /// Whether a decision about `attempt` is waited for.
    fn are_about(&self, attempt: u64) -> bool {
        self.made() == Some(attempt)
    }
}

/// Holds everybody between transactions, within `drain_limit`. It ends by itself after `limit`,
/// unless a promise is made before.
pub async fn hold(
    service: &Service,
    attempt: u64,
    drain_limit: Duration,
    limit: Duration,
) -> Paused {
    let began = Instant::now();
    let pausing = async {
        let paused = service
            .pauses
            .pause_as(&Hold::Cutover, attempt, limit)
            .await;
        match service.promises.given_up.load(Ordering::SeqCst) >= attempt {
            true => {
                end(service, attempt);
                Paused::Resumed
            }
            false => paused,
        }
    };
    match tokio::time::timeout(drain_limit, pausing).await {
        Ok(paused) => {
            if matches!(paused, Paused::Complete { .. }) {
                ahead::look_again(service);
            }
            paused
        }
        Err(_) => Paused::TimedOut {
            unsettled: match began.elapsed() < limit {
                true => service.registry.unsettled(&Hold::Cutover),
                false => 0,
            },
        },
    }
}

/// Why a promise is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// Somebody who moves traffic has asked for it, or has left a record of it.
    Asked,
    /// The server that traffic would leave says that the attempt is under way. Nothing is decided here once
    /// it does not say so any more: what it knew may be gone.
    Noted,
}

/// Promises to wait for the decision. Without a word for `lease`, it is asked for. A promise that was
/// made stays as it is. False if nobody is held for this attempt any more.
pub fn promise(service: &Arc<Service>, doubt: Doubt, lease: Duration, ground: Ground) -> bool {
    if !service.pauses.keep(&Hold::Cutover, doubt.attempt) {
        return false;
    }
    let before = service.promises.lock().replace(doubt.clone());
    if before.is_some_and(|before| before.attempt == doubt.attempt) {
        return true;
    }
    let service = Arc::clone(service);
    tokio::spawn(async move { watch(&service, doubt, lease, ground).await });
    true
}

/// Traffic goes to `to` from now on.
///
/// # Errors
/// Clients are in transactions that do not end, and nobody had held them.
pub async fn switch(service: &Arc<Service>, attempt: u64, to: Side) -> Result<Switched, String> {
    let mut switched = Switched::default();
    // It may be told by several ways at once.
    let going = service.promises.going.lock().await;
    if attempt < service.promises.went() {
        // Traffic has gone elsewhere since.
        drop(going);
        end(service, attempt);
        return Ok(switched);
    }
    let turns = service.registry.turns();
    if turns.side() != to {
        let held = service.pauses.in_force(&Hold::Cutover);
        if held.is_none_or(|held| held.id != attempt) {
            let limit = 2 * SETTLE_MAX;
            let paused = hold(service, attempt, SETTLE_MAX, limit).await;
            if !matches!(paused, Paused::Complete { .. }) {
                return Err("clients are in transactions, and were not held before".to_owned());
            }
        }
        service.registry.turn(turns.next());
        tracing::info!("traffic goes to the {to} from now on (attempt {attempt})");
        switched.moved = relocation::move_first(service).await;
    }
    service.promises.came(attempt);
    drop(going);
    end(service, attempt);
    let service = Arc::clone(service);
    tokio::spawn(async move { relocation::move_rest(&service).await });
    Ok(switched)
}

/// Traffic stays where it is. Whether anybody was held. `is_fenced`: the fence of the attempt may be up
/// still, and is lifted here as soon as its server can be asked.
pub fn abort(service: &Arc<Service>, attempt: u64, is_fenced: bool) -> bool {
    ahead::cool_down(service);
    // Whoever holds clients for it looks at this afterwards; who has before is ended here.
    service
        .promises
        .given_up
        .fetch_max(attempt, Ordering::SeqCst);
    let (was_held, promised) = end(service, attempt);
    if let Some(doubt) = promised.filter(|_| is_fenced) {
        let service = Arc::clone(service);
        tokio::spawn(async move { open_again(&service, &doubt).await });
    }
    was_held
}

/// Whether anybody was held, and what was promised.
fn end(service: &Service, attempt: u64) -> (bool, Option<Doubt>) {
    let mut made = service.promises.lock();
    let promised = made.take_if(|doubt| doubt.attempt == attempt);
    drop(made);
    let was_held = service.pauses.resume_of(&Hold::Cutover, attempt);
    (was_held, promised)
}

/// Asks how the attempt was decided when whoever makes it says nothing any more.
async fn watch(service: &Arc<Service>, doubt: Doubt, lease: Duration, ground: Ground) {
    let since = Instant::now();
    let is_waiting = || service.promises.are_about(doubt.attempt);
    let mut told = String::new();
    while is_waiting() {
        tokio::time::sleep(WATCH_EVERY).await;
        if since.elapsed() < lease || !is_waiting() {
            continue;
        }
        let asked = tokio::time::timeout(ASK_MAX, ask(service, &doubt, ground)).await;
        let problem = match asked {
            Ok(Ok(decision)) => {
                tracing::warn!(
                    "whoever moves traffic has gone: attempt {} was {decision}",
                    doubt.attempt
                );
                let done = match decision {
                    Decision::Switched => switch(service, doubt.attempt, doubt.to).await.map(drop),
                    Decision::Aborted => {
                        abort(service, doubt.attempt, false);
                        open_again(service, &doubt).await;
                        Ok(())
                    }
                };
                match done {
                    Ok(()) => return,
                    Err(problem) => problem,
                }
            }
            Ok(Err(problem)) => problem,
            Err(_) => format!("no answer within {ASK_MAX:?}"),
        };
        if told != problem {
            tracing::error!(
                "clients wait: nobody says whether traffic goes to the {}, and the server that \
                 decides cannot be asked: {problem}",
                doubt.to
            );
            told = problem;
        }
    }
}

/// Lifts the fence that an aborted attempt may have left: until then nobody new is let in.
async fn open_again(service: &Service, doubt: &Doubt) {
    let mut told = String::new();
    loop {
        let lifting = tokio::time::timeout(ASK_MAX, lift(service, doubt)).await;
        let problem = match lifting {
            Ok(Ok(())) => return,
            Ok(Err(problem)) => problem,
            Err(_) => format!("no answer within {ASK_MAX:?}"),
        };
        if told != problem {
            tracing::error!(
                "nobody new may be let in: the fence around the {} is not lifted: {problem}",
                doubt.to.other()
            );
            told = problem;
        }
        tokio::time::sleep(WATCH_EVERY).await;
    }
}

async fn lift(service: &Service, doubt: &Doubt) -> Result<(), String> {
    let address = address(service, doubt.to.other(), &doubt.left)?;
    let session = Session::connect(&address, "authority").await;
    let session = session.map_err(|error| chain(&error))?;
    let done = put_back::put_back(&session, Some(doubt.attempt)).await;
    done.map_err(|error| chain(&error))
}

/// Whether the server that traffic would leave says that the attempt is under way.
async fn is_noted(service: &Service, doubt: &Doubt) -> Result<bool, String> {
    let address = address(service, doubt.to.other(), &doubt.left)?;
    let session = Session::connect(&address, "authority").await;
    let session = session.map_err(|error| chain(&error))?;
    let noted = tables::is_noted(&session, doubt.attempt).await;
    noted.map_err(|error| chain(&error))
}

/// Where a server is: as this process was told with `[cutover]`, which says where the password is; else as
/// whoever moves traffic connects to it.
fn address(service: &Service, side: Side, named: &str) -> Result<Address, String> {
    match &service.settings().config.cutover {
        Some(told) => Ok(told.address(side).clone()),
        None => Address::parse(named).map_err(|error| error.to_string()),
    }
}

async fn ask(service: &Service, doubt: &Doubt, ground: Ground) -> Result<Decision, String> {
    let address = address(service, doubt.to, &doubt.at)?;
    let session = Session::connect(&address, "authority").await;
    let session = session.map_err(|error| chain(&error))?;
    if ground == Ground::Noted
        && let Some(decision) = decision::read(&session, doubt.attempt)
            .await
            .map_err(|error| chain(&error))?
    {
        return Ok(decision);
    }
    if ground == Ground::Noted && !is_noted(service, doubt).await? {
        return Err(format!(
            "nothing says any more that attempt {} is under way: run the command again that began it",
            doubt.attempt
        ));
    }
    let decided = async {
        // Who decides may be waiting for its standbys: asked again later.
        let limit = format!("SET lock_timeout = '{}ms'", ASK_MAX.as_millis() / 2);
        session.batch(&limit).await?;
        Ok::<_, DecisionError>(match decision::read(&session, doubt.attempt).await? {
            Some(decision) => decision,
            None => {
                let decided = decision::decide(&session, doubt.attempt, Decision::Aborted, "");
                decided.await?.decision
            }
        })
    };
    decided.await.map_err(|error| chain(&error))
}
