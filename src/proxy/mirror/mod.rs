//! Mirrors: other servers that are sent what clients send to theirs, and whose answers are compared.
//!
//! When a session begins ([`begin`]), its transactions are taken off as they pass ([`tap`], into [units](mod@unit)), wait in a bounded
//! queue for each mirror ([`feed`]), and are said again by a task of the session's own ([`worker`])
//! on a connection of the session's own ([`link`]), whole and in the client's order. What a
//! transaction is sent for is decided by its statements ([`statement`], over [`token`] and
//! [`messages`]); what it changes of the session's state ([`finder`], over [`change`] and
//! [`transaction`], into [`state`]) reaches the mirror whether the transaction does or not. [`answers`] says what two servers answered differently; [`confirm`]
//! asks both again before it counts, in the statistics that [`counters`], [`shadow`] and
//! [`latency`] keep.
//!
//! # Invariants
//! - The client's path never waits for a mirror, and no error of a mirror reaches a client.
//! - Each transaction is counted once by what became of it; one that is answered by an error counts
//!   its error. A mirror is drained when none is outstanding, not when its queues are empty.
//! - A mirror of mode `reads` is sent nothing that is known to write, in sessions that the server
//!   itself keeps from writing.
//! - Everything is bounded: requests and answers of a transaction, transactions and memory that
//!   wait, how long; state; statements that are told apart.
//!
//! # Crash story
//! Nothing is on disk. What waits is gone with the proxy.

pub mod answers;
pub mod begin;
pub mod change;
pub mod compare;
pub mod confirm;
pub mod counters;
pub mod feed;
pub mod finder;
pub mod latency;
pub mod link;
pub mod messages;
pub mod shadow;
pub mod state;
pub mod statement;
pub mod tap;
pub mod token;
pub mod transaction;
pub mod unit;
pub mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use super::config::MirrorConfig;
use counters::Counters;
use shadow::Shadow;

/// Transactions of a mirror that are asked about again at a time. Each has a connection to both
/// sides for some seconds.
const ASKING_MAX: usize = 4;

/// And that wait for it; differences beyond stay unconfirmed.
const ASKED_MAX: usize = 64;

/// A mirror, as all sessions share it.
#[derive(Debug)]
pub struct Mirror {
    /// What it is told.
    pub config: MirrorConfig,
    /// What has become of the transactions.
    pub counters: Arc<Counters>,
    /// What is known of the statements.
    pub shadow: Arc<Shadow>,
    /// The memory that is in use for what waits.
    used: Arc<AtomicUsize>,
    asking: Semaphore,
    asked: Semaphore,
}

impl Mirror {
    /// A mirror to which nothing was sent.
    pub fn new(config: MirrorConfig) -> Self {
        Mirror {
            config,
            counters: Arc::default(),
            shadow: Arc::default(),
            used: Arc::default(),
            asking: Semaphore::new(ASKING_MAX),
            asked: Semaphore::new(ASKED_MAX),
        }
    }

    /// The same mirror under another configuration: it goes on counting.
    #[must_use]
    pub fn reloaded(&self, config: MirrorConfig) -> Self {
        Mirror {
            counters: Arc::clone(&self.counters),
            shadow: Arc::clone(&self.shadow),
            used: Arc::clone(&self.used),
            ..Mirror::new(config)
        }
    }

    /// Bytes that wait.
    pub fn waiting_bytes(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::proxy::config::MirrorMode;

    /// A mirror that nobody reaches.
    pub(super) fn mirror(change: impl FnOnce(&mut MirrorConfig)) -> Arc<Mirror> {
        let mut config = MirrorConfig {
            name: "m".to_owned(),
            databases: Vec::new(),
            server: None,
            user: None,
            mode: MirrorMode::Reads,
            exposure: 1.0,
            compares: true,
            queue_transactions: 128,
            queue_bytes: 64 << 20,
            queue_age: Duration::from_secs(30),
            answer_limit: Duration::from_secs(30),
        };
        change(&mut config);
        Arc::new(Mirror::new(config))
    }

    #[test]
    fn a_mirror_goes_on_counting_when_it_is_told_something_else() {
        let one = mirror(|_| ());
        one.counters.see();
        let two = one.reloaded(MirrorConfig {
            exposure: 0.5,
            ..one.config.clone()
        });
        two.counters.see();
        assert_eq!(one.counters.read().seen, 2);
    }
}
