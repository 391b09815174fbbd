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

/// Whether transactions may begin.
#[derive(Debug, Default)]
pub struct Gate {
    is_closed: AtomicBool,
    /// Counts the pauses, so that the end of one does not end the next.
    pause: AtomicU64,
    /// Someone became idle while the gate was closed.
    settled: Notify,
    opened: Notify,
    since: Mutex<Option<Instant>>,
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
        self.since().map(|since| since.elapsed())
    }

    /// Closes the gate and returns once every client of `registry` is between transactions. After
    /// `limit`, complete or not, the gate opens by itself. Not cancel safe: the gate would be
    /// opened at the limit only.
    pub async fn pause(self: &Arc<Self>, registry: &Registry, limit: Duration) -> Paused {
        let began = Instant::now();
        if self.is_closed.swap(true, Ordering::SeqCst) {
            return Paused::Already;
        }
        let pause = self.pause.fetch_add(1, Ordering::SeqCst) + 1;
        self.set_since(Some(began));
        self.open_at(pause, limit);
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
        }
    }

    /// Opens the gate. False if it was open.
    pub fn resume(&self) -> bool {
        let pause = self.pause.load(Ordering::SeqCst);
        self.is_closed() && self.end(pause)
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
        self.set_since(None);
        self.is_closed.store(false, Ordering::SeqCst);
        self.opened.notify_waiters();
        // Whoever waits for the pause to be complete.
        self.settled.notify_one();
        true
    }

    fn since(&self) -> Option<Instant> {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_since(&self, since: Option<Instant>) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = since;
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
