//! The other processes of the same proxy, as a session sees them.
//!
//! Where several processes listen on one address, a cancel request comes to any of them. One that
//! does not know the key asks the others, over their control sockets, which are their owner's alone.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::cancel::CARRY_MAX;
use super::control::asking::ask_within;
use super::control::place::Place;
use super::control::{AskError, KeyText, Reply, Request, together};
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

    /// Asks all of them and this process, as a command would ([`together::ask`]). Cancel safe: a pause
    /// that nobody waits for any more ends everywhere.
    ///
    /// # Errors
    /// As [`together::ask`].
    pub async fn ask_all(&self, request: Request) -> Result<Reply, AskError> {
        let newest = self.place.newest().to_owned();
        let undo = match &request {
            Request::Pause { id, scope, .. } => Some(Request::Resume {
                id: Some(*id),
                scope: scope.clone(),
            }),
            _ => None,
        };
        let is_given_up = Arc::new(AtomicBool::new(false));
        let mut unless_dropped = UndoUnlessWaited {
            newest: newest.clone(),
            undo: undo.clone(),
            is_given_up: Arc::clone(&is_given_up),
        };
        let asking = move || {
            let answer = together::ask(&newest, &request);
            if let (true, Some(undo)) = (is_given_up.load(Ordering::SeqCst), undo) {
                // Some processes were asked after they had been told to go on.
                let _ = together::ask(&newest, &undo);
            }
            answer
        };
        let answer = tokio::task::spawn_blocking(asking).await;
        unless_dropped.undo = None;
        answer.unwrap_or_else(|_| Err(AskError::Lost(io::ErrorKind::Interrupted.into())))
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

/// Ends everywhere what nobody waits for any more.
struct UndoUnlessWaited {
    newest: PathBuf,
    undo: Option<Request>,
    is_given_up: Arc<AtomicBool>,
}

impl Drop for UndoUnlessWaited {
    fn drop(&mut self) {
        let Some(undo) = self.undo.take() else {
            return;
        };
        self.is_given_up.store(true, Ordering::SeqCst);
        // Without a runtime this process ends, and its end of the pause with it; the others' ends at its limit.
        if let Ok(runtime) = Handle::try_current() {
            let newest = std::mem::take(&mut self.newest);
            runtime.spawn_blocking(move || together::ask(&newest, &undo));
        }
    }
}
