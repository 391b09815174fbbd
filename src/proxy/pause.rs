//! Pauses: of everything, of one database, maintenance, and that of a cutover.
//!
//! Each is a hold of its own: it closes the gates that it is about, and its end opens those that
//! nothing else keeps closed. None can be forgotten: each ends by itself at its limit, but that of a
//! cutover that this process has promised to wait for ([`Pauses::keep`]).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::AbortHandle;

use super::gate::Reason;
use super::registry::Registry;

/// What is held back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hold {
    /// All transactions.
    All,
    /// Those of one database.
    Database(String),
    /// All, while somebody works on the servers.
    Maintenance,
    /// All, while traffic is moved to the other server.
    Cutover,
    /// All, while it is not certain where traffic goes ([`super::coordination`]).
    Lease,
}

impl Hold {
    /// Why the gates are closed then.
    pub fn reason(&self) -> Reason {
        match self {
            Hold::All => Reason::All,
            Hold::Database(_) => Reason::Database,
            Hold::Maintenance => Reason::Maintenance,
            Hold::Cutover => Reason::Cutover,
            Hold::Lease => Reason::Lease,
        }
    }

    /// Whether it is about clients of `database`.
    pub fn is_about(&self, database: &str) -> bool {
        match self {
            Hold::All | Hold::Maintenance | Hold::Cutover | Hold::Lease => true,
            Hold::Database(name) => name == database,
        }
    }
}

/// For the log.
impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hold::All => f.write_str("all databases"),
            Hold::Database(name) => write!(f, "database \"{name}\""),
            Hold::Maintenance => f.write_str("maintenance"),
            Hold::Cutover => f.write_str("cutover"),
            Hold::Lease => f.write_str("lease"),
        }
    }
}

/// How a pause began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paused {
    /// Every client is between transactions, and waits from there on.
    Complete {
        /// How long it took.
        after: Duration,
    },
    /// It took longer than the limit; everything goes on.
    TimedOut {
        /// How many clients were in a transaction still.
        unsettled: usize,
    },
    /// It is paused already.
    Already,
    /// Someone resumed before it was complete.
    Resumed,
}

/// A pause that is in force.
#[derive(Debug, Clone, Copy)]
pub struct InForce {
    /// Which, among those of all processes of a proxy.
    pub id: u64,
    /// When it ends by itself.
    pub until: Instant,
}

/// The longest pause: more than anybody means, and less than clocks hold.
const LIMIT_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// The holds of a proxy.
#[derive(Debug)]
pub struct Pauses {
    registry: Arc<Registry>,
    holds: Mutex<Holds>,
}

#[derive(Debug, Default)]
struct Holds {
    /// Counts them, so that the end of one does not end the next.
    begun: u64,
    held: BTreeMap<Hold, Held>,
}

#[derive(Debug)]
struct Held {
    number: u64,
    /// Which it is, among those of all processes of a proxy.
    id: u64,
    since: Instant,
    until: Instant,
    /// Ends it at its limit.
    limit: AbortHandle,
}

impl Pauses {
    /// None yet, for the clients of `registry`.
    pub fn new(registry: Arc<Registry>) -> Arc<Self> {
        let holds = Mutex::default();
        Arc::new(Pauses { registry, holds })
    }

    /// Closes the gates and returns once every client behind them is between transactions. After
    /// `limit`, complete or not, they open by themselves. Cancel safe: whoever waits no more has the
    /// gates opened.
    pub async fn pause(self: &Arc<Self>, hold: &Hold, limit: Duration) -> Paused {
        self.pause_as(hold, rand::random(), limit).await
    }

    /// As [`Pauses::pause`], as part of the pause `id` of several processes. If that is in force here
    /// already, this too returns once it is complete; it then ends with whoever began it.
    pub async fn pause_as(self: &Arc<Self>, hold: &Hold, id: u64, limit: Duration) -> Paused {
        let (began, limit) = (Instant::now(), limit.min(LIMIT_MAX));
        let (number, is_begun) = match self.begin(hold, id, limit) {
            Ok(number) => (number, true),
            Err(Some(number)) => (number, false),
            Err(None) => return Paused::Already,
        };
        let mut unless_dropped = EndUnlessWaited {
            pauses: Some(self.as_ref()).filter(|_| is_begun),
            hold,
            number,
        };
        loop {
            let settled = self.registry.settled();
            let settled = settled.notified();
            tokio::pin!(settled);
            // From here on nobody who becomes idle is missed.
            settled.as_mut().enable();
            let unsettled = self.registry.unsettled(hold);
            if !self.is_in_force(hold, number) {
                unless_dropped.pauses = None;
                return match began.elapsed() < limit {
                    true => Paused::Resumed,
                    false => Paused::TimedOut { unsettled },
                };
            }
            if unsettled == 0 {
                unless_dropped.pauses = None;
                return Paused::Complete {
                    after: began.elapsed(),
                };
            }
            settled.await;
        }
    }

    /// As [`Pauses::pause_as`], but waits for nobody: complete at once.
    pub fn begin_as(self: &Arc<Self>, hold: &Hold, id: u64, limit: Duration) -> Paused {
        match self.begin(hold, id, limit.min(LIMIT_MAX)) {
            Ok(_) | Err(Some(_)) => Paused::Complete {
                after: Duration::ZERO,
            },
            Err(None) => Paused::Already,
        }
    }

    /// From now on the hold ends only when somebody ends it: no time limit does. False if it is not
    /// the pause `id`.
    pub fn keep(&self, hold: &Hold, id: u64) -> bool {
        let mut holds = self.lock();
        holds.begun += 1;
        let number = holds.begun;
        match holds.held.get_mut(hold).filter(|held| held.id == id) {
            Some(held) => {
                held.limit.abort();
                // The end at the limit may wait for the lock already: it does not find this one.
                held.number = number;
                held.until = Instant::now() + LIMIT_MAX;
                true
            }
            None => false,
        }
    }

    /// As [`Pauses::begin_as`], until somebody ends it.
    pub fn hold_as(self: &Arc<Self>, hold: &Hold, id: u64) {
        // If it is held so already, that is what is wanted.
        let _ = self.begin(hold, id, LIMIT_MAX);
    }

    /// Ends a hold if it is the pause `id`. False if it is not.
    pub fn resume_of(&self, hold: &Hold, id: u64) -> bool {
        let held = self
            .lock()
            .held
            .get(hold)
            .map(|held| (held.id, held.number));
        held.is_some_and(|(held, number)| held == id && self.end(hold, Some(number)))
    }

    /// The hold as it is in force; none if it is not.
    pub fn in_force(&self, hold: &Hold) -> Option<InForce> {
        let holds = self.lock();
        let held = holds.held.get(hold)?;
        let (id, until) = (held.id, held.until);
        Some(InForce { id, until })
    }

    /// All of them.
    pub fn all_in_force(&self) -> Vec<(Hold, InForce)> {
        let holds = self.lock();
        let held = holds.held.iter();
        let in_force = held.map(|(hold, held)| {
            let (id, until) = (held.id, held.until);
            (hold.clone(), InForce { id, until })
        });
        in_force.collect()
    }

    /// Returns once nobody is held back by somebody: that it is not certain where traffic goes may last.
    /// Cancel safe.
    pub async fn all_ended(&self) {
        loop {
            let ended = self.registry.settled();
            let ended = ended.notified();
            tokio::pin!(ended);
            // From here on an end is not missed.
            ended.as_mut().enable();
            if self.lock().held.keys().all(|hold| *hold == Hold::Lease) {
                return;
            }
            ended.await;
        }
    }

    /// Ends a hold. False if there was none.
    pub fn resume(&self, hold: &Hold) -> bool {
        self.end(hold, None)
    }

    /// Ends all of them but those about where traffic goes, which are not anybody's to end.
    pub fn resume_all(&self) {
        let mut all: Vec<Hold> = self.lock().held.keys().cloned().collect();
        all.retain(|hold| !matches!(hold, Hold::Cutover | Hold::Lease));
        for hold in all {
            self.resume(&hold);
        }
    }

    /// How long it has been held; none if it is not.
    pub fn held_for(&self, hold: &Hold) -> Option<Duration> {
        self.lock().held.get(hold).map(|held| held.since.elapsed())
    }

    /// How long nobody at all could begin anything, by a pause or by maintenance.
    pub fn all_held_for(&self) -> Option<Duration> {
        let all = [Hold::All, Hold::Maintenance, Hold::Cutover, Hold::Lease];
        let held = all.iter().filter_map(|hold| self.held_for(hold));
        held.max()
    }

    /// The number of the hold that begins; or that of the one that is in force, if it is the same
    /// pause.
    fn begin(self: &Arc<Self>, hold: &Hold, id: u64, limit: Duration) -> Result<u64, Option<u64>> {
        let mut holds = self.lock();
        if let Some(held) = holds.held.get(hold) {
            return Err((held.id == id).then_some(held.number));
        }
        holds.begun += 1;
        let number = holds.begun;
        let held = Held {
            number,
            id,
            since: Instant::now(),
            until: Instant::now() + limit,
            limit: self.end_at(hold.clone(), number, limit),
        };
        holds.held.insert(hold.clone(), held);
        self.registry.close_gates(hold);
        Ok(number)
    }

    fn is_in_force(&self, hold: &Hold, number: u64) -> bool {
        let holds = self.lock();
        let held = holds.held.get(hold);
        held.is_some_and(|held| held.number == number)
    }

    /// Ends this hold at its limit, if nobody has before.
    fn end_at(self: &Arc<Self>, hold: Hold, number: u64, limit: Duration) -> AbortHandle {
        let pauses = Arc::clone(self);
        let timer = tokio::spawn(async move {
            tokio::time::sleep(limit).await;
            if pauses.end(&hold, Some(number)) {
                tracing::warn!("the pause was not ended within {limit:?} ({hold}): clients go on");
            }
        });
        timer.abort_handle()
    }

    /// Ends the hold of this number, or whichever there is.
    fn end(&self, hold: &Hold, number: Option<u64>) -> bool {
        let mut holds = self.lock();
        let is_meant = |held: &&Held| number.is_none_or(|number| held.number == number);
        match holds.held.get(hold).filter(is_meant) {
            Some(held) => held.limit.abort(),
            None => return false,
        }
        holds.held.remove(hold);
        self.registry.open_gates(hold);
        drop(holds);
        // Whoever waits for the pause to be complete.
        self.registry.settled().notify_waiters();
        true
    }

    /// The lock of the registry may be taken behind it, never before it.
    fn lock(&self) -> MutexGuard<'_, Holds> {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a hold that nobody waits for any more.
struct EndUnlessWaited<'a> {
    pauses: Option<&'a Pauses>,
    hold: &'a Hold,
    number: u64,
}

impl Drop for EndUnlessWaited<'_> {
    fn drop(&mut self) {
        if let Some(pauses) = self.pauses {
            pauses.end(self.hold, Some(self.number));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::registry::{ClientFacts, Registered, SessionState};

    const LONG: Duration = Duration::from_secs(60);

    fn proxy() -> (Arc<Pauses>, Arc<Registry>) {
        let registry = Arc::new(Registry::default());
        (Pauses::new(Arc::clone(&registry)), registry)
    }

    fn client(registry: &Arc<Registry>, database: &str) -> Registered {
        registry.add(ClientFacts {
            database: database.to_owned(),
            ..ClientFacts::default()
        })
    }

    fn shop() -> Hold {
        Hold::Database("shop".to_owned())
    }

    #[tokio::test]
    async fn a_pause_waits_for_the_last_transaction() {
        let (pauses, registry) = proxy();
        let client = client(&registry, "shop");
        client.entry.set_state(SessionState::Busy);
        let pausing = {
            let pauses = Arc::clone(&pauses);
            tokio::spawn(async move { pauses.pause(&Hold::All, LONG).await })
        };
        tokio::task::yield_now().await;
        let gate = client.entry.gate();
        assert!(gate.is_closed() && !pausing.is_finished());
        client.entry.set_state(SessionState::Idle);
        gate.settled();
        let paused = pausing.await.expect("no panic");
        assert!(matches!(paused, Paused::Complete { .. }));
        assert_eq!(pauses.pause(&Hold::All, LONG).await, Paused::Already);
        assert!(pauses.held_for(&Hold::All).is_some());
        assert!(pauses.resume(&Hold::All) && !gate.is_closed() && !pauses.resume(&Hold::All));
        gate.opened().await;
    }

    #[tokio::test]
    async fn a_pause_of_one_database_holds_nobody_elses() {
        let (pauses, registry) = proxy();
        let (one, other) = (client(&registry, "shop"), client(&registry, "news"));
        other.entry.set_state(SessionState::Busy);
        let paused = pauses.pause(&shop(), LONG).await;
        assert!(matches!(paused, Paused::Complete { .. }));
        assert!(one.entry.gate().is_closed() && !other.entry.gate().is_closed());
        assert!(client(&registry, "shop").entry.gate().is_closed());
        // A pause of everything is another matter.
        pauses.hold_as(&Hold::All, 1);
        assert!(pauses.resume(&Hold::All));
        assert!(one.entry.gate().is_closed());
        assert!(pauses.resume(&shop()) && !one.entry.gate().is_closed());
    }

    #[tokio::test]
    async fn whoever_comes_in_a_pause_finds_the_gate_closed() {
        let (pauses, registry) = proxy();
        let maintenance = |id| pauses.begin_as(&Hold::Maintenance, id, LONG);
        for _ in 0..2 {
            assert!(matches!(maintenance(1), Paused::Complete { .. }));
        }
        assert_eq!(maintenance(2), Paused::Already);
        let newcomer = client(&registry, "never asked for before");
        assert!(newcomer.entry.gate().is_closed());
        assert!(pauses.all_held_for().is_some());
        pauses.resume_all();
        newcomer.entry.gate().opened().await;
    }

    #[tokio::test]
    async fn a_pause_of_several_processes_is_joined_by_its_number_alone() {
        let (pauses, _registry) = proxy();
        for _ in 0..2 {
            let paused = pauses.pause_as(&Hold::All, 7, Duration::MAX).await;
            assert!(matches!(paused, Paused::Complete { .. }));
        }
        let other = pauses.pause_as(&Hold::All, 8, LONG).await;
        assert_eq!(other, Paused::Already);
        assert!(!pauses.resume_of(&Hold::All, 8) && pauses.in_force(&Hold::All).is_some());
        assert!(pauses.resume_of(&Hold::All, 7) && pauses.in_force(&Hold::All).is_none());
        pauses.all_ended().await;
    }

    #[tokio::test]
    async fn two_pauses_wait_for_the_same_client() {
        let (pauses, registry) = proxy();
        let client = client(&registry, "shop");
        client.entry.set_state(SessionState::Busy);
        let begin = |hold: Hold| {
            let pauses = Arc::clone(&pauses);
            tokio::spawn(async move { pauses.pause(&hold, LONG).await })
        };
        let both = [begin(Hold::All), begin(shop())];
        tokio::task::yield_now().await;
        client.entry.set_state(SessionState::Idle);
        client.entry.gate().settled();
        for one in both {
            let paused = one.await.expect("no panic");
            assert!(matches!(paused, Paused::Complete { .. }));
        }
    }

    #[tokio::test]
    async fn a_pause_that_nobody_waits_for_any_more_is_none() {
        let (pauses, registry) = proxy();
        let client = client(&registry, "shop");
        client.entry.set_state(SessionState::Busy);
        let pausing = pauses.pause(&Hold::All, LONG);
        let waited = tokio::time::timeout(Duration::from_millis(10), pausing).await;
        assert!(waited.is_err() && !client.entry.gate().is_closed());
    }

    #[tokio::test]
    async fn a_pause_ends_by_itself_at_its_limit() {
        let (pauses, registry) = proxy();
        let client = client(&registry, "shop");
        let limit = Duration::from_millis(20);
        let paused = pauses.pause(&Hold::All, limit).await;
        assert!(matches!(paused, Paused::Complete { .. }));
        client.entry.gate().opened().await;
        assert!(pauses.held_for(&Hold::All).is_none());
    }

    #[tokio::test]
    async fn a_transaction_that_does_not_end_outlives_the_pause() {
        let (pauses, registry) = proxy();
        let client = client(&registry, "shop");
        client.entry.set_state(SessionState::Busy);
        let paused = pauses.pause(&Hold::All, Duration::from_millis(20)).await;
        assert_eq!(paused, Paused::TimedOut { unsettled: 1 });
        assert!(!client.entry.gate().is_closed());
    }

    #[tokio::test]
    async fn the_end_of_one_pause_does_not_end_the_next() {
        let (pauses, registry) = proxy();
        let client = client(&registry, "shop");
        let short = Duration::from_millis(10);
        pauses.pause(&Hold::All, short).await;
        assert!(pauses.resume(&Hold::All));
        pauses.pause(&Hold::All, LONG).await;
        let gate = client.entry.gate();
        let opened = tokio::time::timeout(4 * short, gate.opened()).await;
        assert!(opened.is_err() && gate.is_closed());
    }
}
