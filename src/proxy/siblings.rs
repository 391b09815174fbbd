//! The other processes of the same proxy, as a session sees them.
//!
//! Where several processes listen on one address, a cancel request comes to any of them. One that
//! does not know the key asks the others, over their control sockets, which are their owner's alone.

use std::path::Path;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::cancel::CARRY_MAX;
use super::control::asking::ask_within;
use super::control::place::Place;
use super::control::{KeyText, Reply, Request};
use super::unix_socket::answers;
use crate::wire::startup::CancelKey;

/// Keys that are asked about at a time. Strangers can make them up, and each takes one of the few
/// conversations that every process has at a time.
const ASKED_MAX: usize = 4;

/// How long a process may take to act on a key: longer than it gives its server.
const ANSWER_MAX: Duration = Duration::from_secs(12);

/// The other processes.
#[derive(Debug)]
pub struct Siblings {
    place: Place,
    asking: Semaphore,
}

impl Siblings {
    /// Those with sockets beside `control`.
    pub fn new(control: &Path) -> Self {
        Siblings {
            place: Place::new(control),
            asking: Semaphore::new(ASKED_MAX),
        }
    }

    /// The numbers of those that run now. Blocks for a moment.
    pub fn running(&self) -> Vec<u32> {
        let own = std::process::id();
        let others = self.place.own_processes().into_iter();
        let others = others.filter(|process| process.pid != own);
        let running = others.filter(|process| answers(&process.path).unwrap_or(true));
        running.map(|process| process.pid).collect()
    }

    /// Has whoever knows `key` cancel; returns once that is done, or nobody knows it. False if
    /// nobody does, or too many keys are asked about already.
    pub async fn cancel(&self, key: &CancelKey) -> bool {
        let Ok(Ok(_turn)) = tokio::time::timeout(CARRY_MAX, self.asking.acquire()).await else {
            return false;
        };
        let own = std::process::id();
        let key = KeyText::of(key);
        let mut asked = JoinSet::new();
        for process in self.place.own_processes() {
            if process.pid != own {
                let request = Request::Cancel { key: key.clone() };
                asked.spawn_blocking(move || ask_within(ANSWER_MAX, &process.path, &request));
            }
        }
        while let Some(answer) = asked.join_next().await {
            if let Ok(Ok(Reply::Cancelled { is_known: true })) = answer {
                return true;
            }
        }
        false
    }
}
