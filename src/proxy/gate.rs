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
//!
//! # Which side is behind it
//! With a cutover, traffic goes to the other server from one moment on. The gate counts these
//! [`Turns`] in the same word that closes it, so a session that is about to let its client begin
//! something sees in one look that its server connection is of the side before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Notify;

use crate::base::Side;

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
    /// Traffic is being moved to the other server.
    Cutover = 8,
    /// It is not certain any more where traffic goes.
    Lease = 16,
}

/// How often traffic has been moved to the other server, beginning with the source: an even number
/// is the source, an odd one the target. More than a word holds begins anew, which no session lives
/// to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Turns(u32);

/// Bits of the gate's word that reasons have.
const REASON_BITS: u32 = 8;

impl Turns {
    /// Where traffic goes.
    pub fn side(self) -> Side {
        match self.0 % 2 {
            0 => Side::Source,
            _ => Side::Target,
        }
    }

    /// After the next one.
    #[must_use]
    pub fn next(self) -> Turns {
        Turns((self.0 + 1) % (1 << (u32::BITS - REASON_BITS)))
    }
}

/// What a session finds that is about to begin something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It may.
    Open,
    /// It is to wait.
    Closed,
    /// Its server connection is of another side.
    Elsewhere,
}

/// Whether transactions of one database may begin, and where.
#[derive(Debug, Default)]
pub struct Gate {
    /// The reasons that close it, none is open; above them the turns.
    word: AtomicU32,
    /// Someone became idle while a gate was closed. All gates of a proxy share it.
    settled: Arc<Notify>,
    opened: Notify,
}

impl Gate {
    /// Closed for these reasons from its first moment, and waking whoever waits on `settled`.
    pub fn new(closed: u8, turns: Turns, settled: Arc<Notify>) -> Self {
        Gate {
            word: AtomicU32::new(u32::from(closed) | (turns.0 << REASON_BITS)),
            settled,
            opened: Notify::new(),
        }
    }

    /// Whether transactions may not begin now.
    pub fn is_closed(&self) -> bool {
        reasons(self.word.load(Ordering::SeqCst)) != 0
    }

    /// Whether this is among the reasons that close it.
    pub fn is_closed_for(&self, reason: Reason) -> bool {
        reasons(self.word.load(Ordering::SeqCst)) & reason as u32 != 0
    }

    /// Whether a session whose server connection is of `turns` may begin something.
    pub fn way(&self, turns: Turns) -> Way {
        let word = self.word.load(Ordering::SeqCst);
        match (reasons(word), word >> REASON_BITS == turns.0) {
            (0, true) => Way::Open,
            (0, false) => Way::Elsewhere,
            _ => Way::Closed,
        }
    }

    /// Where traffic goes by now.
    pub fn turns(&self) -> Turns {
        Turns(self.word.load(Ordering::SeqCst) >> REASON_BITS)
    }

    /// Traffic goes elsewhere from now on. Only while it is closed and nobody is busy.
    pub fn turn(&self, turns: Turns) {
        let turned = |word| Some(reasons(word) | (turns.0 << REASON_BITS));
        // A closure that always gives a word cannot fail.
        let _ = self
            .word
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, turned);
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
        self.word.fetch_or(reason as u32, Ordering::SeqCst);
    }

    /// Takes the reason back; without any other, it is open.
    pub fn open(&self, reason: Reason) {
        self.word.fetch_and(!(reason as u32), Ordering::SeqCst);
        self.opened.notify_waiters();
    }
}

/// The reasons in a gate's word.
fn reasons(word: u32) -> u32 {
    word & ((1 << REASON_BITS) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_of_the_side_before_is_sent_elsewhere_once_the_gate_is_open() {
        let (before, after) = (Turns::default(), Turns::default().next());
        assert_eq!((before.side(), after.side()), (Side::Source, Side::Target));
        let gate = Gate::new(Reason::Cutover as u8, before, Arc::default());
        gate.close(Reason::All);
        gate.turn(after);
        assert_eq!(gate.way(after), Way::Closed);
        gate.open(Reason::All);
        assert!(gate.is_closed_for(Reason::Cutover) && gate.turns() == after);
        gate.open(Reason::Cutover);
        assert_eq!(gate.way(before), Way::Elsewhere);
        assert_eq!(gate.way(after), Way::Open);
        let mut many = after;
        (0..1 << 24).for_each(|_| many = many.next());
        assert_eq!(many, after);
    }

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
        assert!(Gate::new(Reason::All as u8, Turns::default(), Arc::default()).is_closed());
    }
}
