//! The gate that a pause closes: nobody begins a transaction behind it.
//!
//! Each database has one. It is open when no reason closes it: a pause of that database, a pause of
//! all of them, or maintenance; each of these comes and goes by itself ([`super::pause`]).
//!
//! # How a session and a pause cannot miss each other
//! A session that is about to let its client begin something first says that it is busy, and then
//! looks whether the gate is closed; if it is, it takes that back and waits. A pause first closes
//! the gate, and then looks who is busy. All four are sequentially consistent, so at least one of
//! the two sees the other: either the pause counts the session, or the session does not begin. A
//! session that becomes idle says so and then looks at the gate; if it is closed, it wakes the
//! pauses. Between transactions nothing else happens: no lock, and no session is woken that has
//! nothing to do, so that ten thousand idle ones cost a pause nothing but being counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

/// Why a gate is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// Everything is paused.
    All = 1,
    /// This database is.
    Database = 2,
    /// Maintenance.
    Maintenance = 4,
}

/// Whether transactions of one database may begin.
#[derive(Debug, Default)]
pub struct Gate {
    /// The reasons that close it; 0 is open.
    closed: AtomicU8,
    /// Someone became idle while a gate was closed. All gates of a proxy share it.
    settled: Arc<Notify>,
    opened: Notify,
}

impl Gate {
    /// Closed for these reasons from its first moment, and waking whoever waits on `settled`.
    pub fn new(closed: u8, settled: Arc<Notify>) -> Self {
        Gate {
            closed: AtomicU8::new(closed),
            settled,
            opened: Notify::new(),
        }
    }

    /// Whether transactions may not begin now.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst) != 0
    }

    /// Whether this is among the reasons that close it.
    pub fn is_closed_for(&self, reason: Reason) -> bool {
        self.closed.load(Ordering::SeqCst) & reason as u8 != 0
    }

    /// A session came to a movable point, and has said so in its entry.
    pub fn settled(&self) {
        if self.is_closed() {
            self.settled.notify_waiters();
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

    /// Closes it for this reason.
    pub fn close(&self, reason: Reason) {
        self.closed.fetch_or(reason as u8, Ordering::SeqCst);
    }

    /// Takes the reason back; without any other, it is open.
    pub fn open(&self, reason: Reason) {
        self.closed.fetch_and(!(reason as u8), Ordering::SeqCst);
        self.opened.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_gate_is_open_when_no_reason_is_left() {
        let gate = Gate::default();
        gate.opened().await;
        gate.close(Reason::All);
        gate.close(Reason::Database);
        gate.open(Reason::All);
        assert!(gate.is_closed() && gate.is_closed_for(Reason::Database));
        assert!(!gate.is_closed_for(Reason::All));
        gate.open(Reason::Maintenance);
        assert!(gate.is_closed());
        gate.open(Reason::Database);
        gate.opened().await;
        assert!(Gate::new(Reason::All as u8, Arc::default()).is_closed());
    }
}
