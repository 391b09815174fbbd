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
use super::unix_socket::answers;
use crate::wire::startup::CancelKey;

/// Keys that are asked about at a time. Strangers can make them up, and each takes one of the few
/// conversations that every process has at a time.
const ASKED_MAX: usize = 4;

/// How long a process may take to act on a key: longer than it gives its server.
const ANSWER_MAX: Duration = Duration::from_secs(12);

/// How often a pause that nobody waits for is ended, while processes are still asked for it.
const UNDO_EVERY: Duration = Duration::from_millis(100);

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
        let over = Arc::new(AtomicBool::new(false));
        let mut unless_waited = UndoUnlessWaited {
            newest: newest.clone(),
            undo,
            over: Arc::clone(&over),
        };
        let place = self.place.clone();
        let asking = move || {
            let _over = Over(over);
            let own = place.of(std::process::id());
            // Nobody would tell this process.
            match answers(&own) {
                Ok(false) => Err(AskError::Nobody {
                    path: own,
                    source: io::ErrorKind::NotFound.into(),
                }),
                Ok(true) | Err(_) => together::ask(&newest, &request),
            }
        };
        match tokio::task::spawn_blocking(asking).await {
            Ok(answer) => {
                unless_waited.undo = None;
                answer
            }
            Err(_) => Err(AskError::Lost(io::ErrorKind::Interrupted.into())),
        }
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
    /// Nobody is asked any more.
    over: Arc<AtomicBool>,
}

impl Drop for UndoUnlessWaited {
    fn drop(&mut self) {
        let Some(undo) = self.undo.take() else {
            return;
        };
        let (newest, over) = (std::mem::take(&mut self.newest), Arc::clone(&self.over));
        let undoing = move || {
            // A process may be asked only after it was told that it may go on.
            loop {
                let is_over = over.load(Ordering::SeqCst);
                let _ = together::ask(&newest, &undo);
                if is_over {
                    return;
                }
                std::thread::sleep(UNDO_EVERY);
            }
        };
        // Without a runtime this process ends, and its part of the pause with it; the others' at its limit.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn_blocking(undoing);
        }
    }
}

/// Sets it when this is dropped.
struct Over(Arc<AtomicBool>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
