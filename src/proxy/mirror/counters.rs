//! What has become of the transactions of a mirror.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Error codes that are told apart; PostgreSQL has some 260.
const CODES_MAX: usize = 400;

/// Why a transaction was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropReason {
    /// Its client's queue was full.
    QueueFull,
    /// All that waits took the memory that it may.
    Memory,
    /// It had waited for too long.
    TooOld,
    /// It is larger than a transaction may be.
    TooLarge,
    /// The mirror could not be reached, or did not let the role in.
    NoConnection,
    /// The connection broke, or the answer took too long, in the middle of it.
    Lost,
    /// More state than is kept: what its statements mean is not known there.
    StateLost,
    /// The session ended before its last answer.
    Unanswered,
}

impl DropReason {
    /// All of them.
    pub const ALL: [DropReason; 8] = [
        DropReason::QueueFull,
        DropReason::Memory,
        DropReason::TooOld,
        DropReason::TooLarge,
        DropReason::NoConnection,
        DropReason::Lost,
        DropReason::StateLost,
        DropReason::Unanswered,
    ];

    /// As people and scripts read it.
    pub fn as_str(self) -> &'static str {
        match self {
            DropReason::QueueFull => "queue_full",
            DropReason::Memory => "memory",
            DropReason::TooOld => "too_old",
            DropReason::TooLarge => "too_large",
            DropReason::NoConnection => "no_connection",
            DropReason::Lost => "lost",
            DropReason::StateLost => "state_lost",
            DropReason::Unanswered => "unanswered",
        }
    }
}

/// Counts that only grow. Of each transaction that a client ended, exactly one of *completed*,
/// *dropped*, *not sampled* and *skipped* tells in the end; until then it is *outstanding*.
#[derive(Debug, Default)]
pub struct Counters {
    seen: AtomicU64,
    completed: AtomicU64,
    dropped: [AtomicU64; DropReason::ALL.len()],
    not_sampled: AtomicU64,
    skipped: AtomicU64,
    statements: AtomicU64,
    refused_writes: AtomicU64,
    connections: AtomicU64,
    failed_connections: AtomicU64,
    open_connections: AtomicU64,
    errors: Mutex<BTreeMap<[u8; 5], u64>>,
}

/// The counts at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counted {
    /// Transactions that clients ended.
    pub seen: u64,
    /// Sent, and answered to the end.
    pub completed: u64,
    /// Not sent, or not to the end, by reason.
    pub dropped: Vec<(&'static str, u64)>,
    /// Left out by chance.
    pub not_sampled: u64,
    /// Not of the kind that this mirror is sent.
    pub skipped: u64,
    /// Statements answered.
    pub statements: u64,
    /// Refused because the session may only read.
    pub refused_writes: u64,
    /// Connections that were opened.
    pub connections: u64,
    /// And that could not be.
    pub failed_connections: u64,
    /// That are open.
    pub open_connections: u64,
    /// Statements that failed, by SQLSTATE, on the mirror.
    pub errors: Vec<(String, u64)>,
}

impl Counted {
    /// Everything that was dropped.
    pub fn dropped_in_all(&self) -> u64 {
        self.dropped.iter().map(|(_, count)| count).sum()
    }

    /// Transactions that wait, or are on their way. None is left when a mirror is drained.
    pub fn outstanding(&self) -> u64 {
        let done = self.completed + self.dropped_in_all() + self.not_sampled + self.skipped;
        self.seen.saturating_sub(done)
    }
}

impl Counters {
    /// A client ended a transaction.
    pub fn see(&self) {
        count(&self.seen);
    }

    /// One was answered to its end.
    pub fn complete(&self) {
        count(&self.completed);
    }

    /// One was not sent, or not to its end.
    pub fn drop_for(&self, why: DropReason) {
        if let Some(dropped) = self.dropped.get(why as usize) {
            count(dropped);
        }
    }

    /// One was left out by chance.
    pub fn leave_out(&self) {
        count(&self.not_sampled);
    }

    /// One is not of the kind that is sent.
    pub fn skip(&self) {
        count(&self.skipped);
    }

    /// A statement was answered.
    pub fn answer(&self) {
        count(&self.statements);
    }

    /// One was refused as a write.
    pub fn refuse_write(&self) {
        count(&self.refused_writes);
    }

    /// A statement failed on the mirror.
    pub fn fail(&self, sqlstate: [u8; 5]) {
        let mut errors = lock(&self.errors);
        if errors.len() < CODES_MAX || errors.contains_key(&sqlstate) {
            *errors.entry(sqlstate).or_default() += 1;
        }
    }

    /// A connection could not be opened.
    pub fn fail_connection(&self) {
        count(&self.failed_connections);
    }

    /// A connection was opened.
    pub fn open(&self) {
        count(&self.connections);
        count(&self.open_connections);
    }

    /// And is closed.
    pub fn close(&self) {
        self.open_connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// All of them now.
    pub fn read(&self) -> Counted {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let reasons = DropReason::ALL.iter().map(|why| why.as_str());
        let errors = lock(&self.errors);
        let errors = errors.iter().map(|(code, count)| {
            let code = String::from_utf8_lossy(code).into_owned();
            (code, *count)
        });
        // What ends is read before what begins: nothing seems to be done that was not begun.
        let mut counted = Counted {
            completed: get(&self.completed),
            dropped: reasons.zip(self.dropped.iter().map(get)).collect(),
            not_sampled: get(&self.not_sampled),
            skipped: get(&self.skipped),
            statements: get(&self.statements),
            refused_writes: get(&self.refused_writes),
            connections: get(&self.connections),
            failed_connections: get(&self.failed_connections),
            open_connections: get(&self.open_connections),
            errors: errors.collect(),
            seen: 0,
        };
        counted.seen = get(&self.seen);
        counted
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_transaction_is_outstanding_until_it_is_told_what_became_of_it() {
        let counters = Counters::default();
        for _ in 0..5 {
            counters.see();
        }
        counters.complete();
        counters.leave_out();
        counters.skip();
        for why in DropReason::ALL {
            assert_eq!(DropReason::ALL[why as usize], why);
        }
        counters.drop_for(DropReason::TooOld);
        assert_eq!(counters.read().outstanding(), 1);
        assert!(counters.read().dropped.contains(&("too_old", 1)));
    }

    #[test]
    fn error_codes_are_counted_up_to_a_bound() {
        let counters = Counters::default();
        for code in 0..2 * CODES_MAX {
            let code = format!("{code:05}");
            counters.fail(code.as_bytes().try_into().expect("five digits"));
        }
        counters.fail(*b"00000");
        let errors = counters.read().errors;
        assert_eq!(errors.len(), CODES_MAX);
        assert_eq!(errors[0], ("00000".to_owned(), 2));
    }
}
