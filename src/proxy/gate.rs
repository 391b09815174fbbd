//! The gate that a pause closes: nobody begins a transaction behind it.
//!
//! # How a session and a pause cannot miss each other
//! A session that is about to let its client begin something first says that it is busy, and then
//! looks whether the gate is closed; if it is, it takes that back and waits. A pause first closes
//! the gate, and then looks who is busy. All four are sequentially consistent, so at least one of
//! the two sees the other: either the pause counts the session, or the session does not begin. A
//! session that becomes idle says so and then looks at the gate; if it is closed, it wakes the
//! pause. Between transactions nothing else happens: no lock, and no session is woken that has
//! nothing to do, so that ten thousand idle ones cost a pause nothing but being counted.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::registry::Registry;

/// The longest pause: more than anybody means, and less than clocks hold.
const LIMIT_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// Whether transactions may begin.
#[derive(Debug, Default)]
pub struct Gate {
    is_closed: AtomicBool,
    /// Counts the pauses, so that the end of one does not end the next.
    pause: AtomicU64,
    /// Someone became idle while the gate was closed.
    settled: Notify,
    opened: Notify,
    closing: Mutex<Option<Closing>>,
}

/// A pause that is in force.
#[derive(Debug, Clone, Copy)]
pub struct Closing {
    /// Which, among those of all processes of a proxy.
    pub id: u64,
    /// Its number here.
    pause: u64,
    /// When it began.
    pub since: Instant,
    /// When it ends by itself.
    pub until: Instant,
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

impl Gate {
    /// Whether transactions may not begin now.
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    /// A session came to a movable point, and has said so in its entry.
    pub fn settled(&self) {
        if self.is_closed() {
            self.settled.notify_one();
        }
    }

    /// Returns once the gate is open. Cancel safe.
    pub async fn opened(&self) {
        loop {
            let opened = self.opened.notified();
            tokio::pin!(opened);
            // From here on an opening is not missed.
            opened.as_mut().enable();
            if !self.is_closed() {
                return;
            }
            opened.await;
        }
    }

    /// How long the gate has been closed; none if it is open.
    pub fn closed_for(&self) -> Option<Duration> {
        self.closing().map(|closing| closing.since.elapsed())
    }

    /// The pause in force; none if the gate is open.
    pub fn closing(&self) -> Option<Closing> {
        *self.closing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the gate and returns once every client of `registry` is between transactions. After
    /// `limit`, complete or not, the gate opens by itself. Not cancel safe: the gate would be
    /// opened at the limit only.
    pub async fn pause(self: &Arc<Self>, registry: &Registry, limit: Duration) -> Paused {
        self.pause_as(rand::random(), registry, limit).await
    }

    /// As [`Gate::pause`], as part of the pause `id` of several processes. If that is in force here
    /// already, this too returns once it is complete.
    pub async fn pause_as(
        self: &Arc<Self>,
        id: u64,
        registry: &Registry,
        limit: Duration,
    ) -> Paused {
        let (began, limit) = (Instant::now(), limit.min(LIMIT_MAX));
        let pause = match self.is_closed.swap(true, Ordering::SeqCst) {
            true => match self.closing() {
                Some(closing) if closing.id == id => closing.pause,
                _ => return Paused::Already,
            },
            false => {
                let pause = self.pause.fetch_add(1, Ordering::SeqCst) + 1;
                self.set_closing(Some(Closing {
                    id,
                    pause,
                    since: began,
                    until: began + limit,
                }));
                self.open_at(pause, limit);
                pause
            }
        };
        loop {
            let unsettled = registry.unsettled();
            if self.pause.load(Ordering::SeqCst) != pause {
                return match began.elapsed() < limit {
                    true => Paused::Resumed,
                    false => Paused::TimedOut { unsettled },
                };
            }
            if unsettled == 0 {
                return Paused::Complete {
                    after: began.elapsed(),
                };
            }
            self.settled.notified().await;
            // Whoever else waits for the same pause is woken as well.
            if registry.unsettled() == 0 || self.pause.load(Ordering::SeqCst) != pause {
                self.settled.notify_one();
            }
        }
    }

    /// Opens the gate. False if it was open.
    pub fn resume(&self) -> bool {
        let pause = self.pause.load(Ordering::SeqCst);
        self.is_closed() && self.end(pause)
    }

    /// Opens the gate if it is the pause `id` that closes it. False if it is not.
    pub fn resume_of(&self, id: u64) -> bool {
        let closing = self.closing().filter(|closing| closing.id == id);
        closing.is_some_and(|closing| self.end(closing.pause))
    }

    /// Ends this pause at its limit, if nobody has before.
    fn open_at(self: &Arc<Self>, pause: u64, limit: Duration) {
        let gate = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(limit).await;
            if gate.end(pause) {
                tracing::warn!("the pause was not ended within {limit:?}: clients go on");
            }
        });
    }

    fn end(&self, pause: u64) -> bool {
        let ended =
            self.pause
                .compare_exchange(pause, pause + 1, Ordering::SeqCst, Ordering::SeqCst);
        if ended.is_err() {
            return false;
        }
        self.set_closing(None);
        self.is_closed.store(false, Ordering::SeqCst);
        self.opened.notify_waiters();
        // Whoever waits for the pause to be complete.
        self.settled.notify_one();
        true
    }

    fn set_closing(&self, closing: Option<Closing>) {
        *self.closing.lock().unwrap_or_else(PoisonError::into_inner) = closing;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::registry::{ClientFacts, SessionState};

    const LONG: Duration = Duration::from_secs(60);

    fn facts() -> ClientFacts {
        ClientFacts {
            address: String::new(),
            user: String::new(),
            database: String::new(),
            application_name: String::new(),
            is_encrypted: false,
        }
    }

    #[tokio::test]
    async fn a_pause_waits_for_the_last_transaction() {
        let (gate, registry) = (Arc::new(Gate::default()), Arc::new(Registry::default()));
        let client = registry.add(facts());
        client.entry.set_state(SessionState::Busy);
        let pausing = {
            let (gate, registry) = (Arc::clone(&gate), Arc::clone(&registry));
            tokio::spawn(async move { gate.pause(&registry, LONG).await })
        };
        tokio::task::yield_now().await;
        assert!(gate.is_closed() && !pausing.is_finished());
        client.entry.set_state(SessionState::Idle);
        gate.settled();
        let paused = pausing.await.expect("no panic");
        assert!(matches!(paused, Paused::Complete { .. }));
        assert_eq!(gate.pause(&registry, LONG).await, Paused::Already);
        assert!(gate.resume() && !gate.is_closed() && !gate.resume());
        gate.opened().await;
    }

    #[tokio::test]
    async fn a_pause_ends_by_itself_at_its_limit() {
        let (gate, registry) = (Arc::new(Gate::default()), Arc::new(Registry::default()));
        let limit = Duration::from_millis(20);
        assert!(matches!(
            gate.pause(&registry, limit).await,
            Paused::Complete { .. }
        ));
        gate.opened().await;
        assert!(!gate.is_closed() && gate.closed_for().is_none());
    }

    #[tokio::test]
    async fn a_transaction_that_does_not_end_outlives_the_pause() {
        let (gate, registry) = (Arc::new(Gate::default()), Arc::new(Registry::default()));
        let client = registry.add(facts());
        client.entry.set_state(SessionState::Busy);
        let paused = gate.pause(&registry, Duration::from_millis(20)).await;
        assert_eq!(paused, Paused::TimedOut { unsettled: 1 });
        assert!(!gate.is_closed());
    }

    #[tokio::test]
    async fn a_pause_of_several_processes_is_joined_by_its_number_alone() {
        let (gate, registry) = (Arc::new(Gate::default()), Arc::new(Registry::default()));
        assert!(matches!(
            gate.pause_as(7, &registry, Duration::MAX).await,
            Paused::Complete { .. }
        ));
        assert!(matches!(
            gate.pause_as(7, &registry, LONG).await,
            Paused::Complete { .. }
        ));
        assert_eq!(gate.pause_as(8, &registry, LONG).await, Paused::Already);
        assert!(!gate.resume_of(8) && gate.is_closed());
        assert!(gate.resume_of(7) && !gate.is_closed());
    }

    #[tokio::test]
    async fn the_end_of_one_pause_does_not_end_the_next() {
        let (gate, registry) = (Arc::new(Gate::default()), Arc::new(Registry::default()));
        let short = Duration::from_millis(10);
        gate.pause(&registry, short).await;
        assert!(gate.resume());
        gate.pause(&registry, LONG).await;
        let opened = tokio::time::timeout(4 * short, gate.opened()).await;
        assert!(opened.is_err() && gate.is_closed());
    }
}
