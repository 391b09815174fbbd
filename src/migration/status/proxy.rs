//! The proxy, asked by its control socket as `pgflit proxy status` does.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Instant;

use super::model::{Mirror, Proxy};
use crate::base::cause::chain;
use crate::proxy::control::{AskError, Reply, Request, ask};

/// A proxy that is being asked. It has longer to answer than we wait: then the answer comes to the
/// next look.
#[derive(Debug, Default)]
pub(super) struct Asking {
    answer: Option<Receiver<Option<Proxy>>>,
}

impl Asking {
    /// Begins to ask, unless an earlier question is not answered yet.
    pub(super) fn begin(&mut self, socket: &Path) {
        if self.answer.is_none() {
            self.answer = begin(socket.to_owned());
        }
    }

    /// The answer, waited for until `deadline`. None if no proxy is there.
    pub(super) fn answer(&mut self, deadline: Instant) -> Option<Proxy> {
        let answer = self.answer.take()?;
        match answer.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(proxy) => proxy,
            Err(RecvTimeoutError::Timeout) => {
                self.answer = Some(answer);
                Some(silent("it does not answer".to_owned()))
            }
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }
}

fn begin(socket: PathBuf) -> Option<Receiver<Option<Proxy>>> {
    if !socket.exists() {
        return None;
    }
    let (send, answer) = sync_channel(1);
    let asking = thread::Builder::new().name("ask proxy".to_owned());
    let asking = asking.spawn(move || {
        // Nobody may wait for it any more.
        let _ = send.send(asked(&socket));
    });
    asking.ok().map(|_| answer)
}

fn asked(socket: &Path) -> Option<Proxy> {
    let status = match ask(socket, &Request::Status) {
        Ok(Reply::Status(status)) => status,
        Ok(_) => return Some(silent("its answer is not understood".to_owned())),
        // A socket that a killed process has left.
        Err(AskError::Nobody { .. }) => return None,
        Err(error) => return Some(silent(chain(&error))),
    };
    let mirrors = match ask(socket, &Request::Mirrors) {
        Ok(Reply::Mirrors { mirrors }) => mirrors,
        _ => Vec::new(),
    };
    let mut proxy = Proxy {
        serves: Some(status.serves),
        processes: status.processes.len().max(1),
        paused_seconds: status.paused_ms.map(|ms| ms / 1000.0),
        clients: status.clients.total,
        busy: status.clients.busy,
        held: status.clients.held,
        transactions: status.transactions,
        ..silent(String::new())
    };
    proxy.problem = status
        .silent
        .first()
        .map(|pid| format!("process {pid} does not answer"));
    // Each process has its own part of a mirror.
    for told in mirrors {
        let known = proxy.mirrors.iter_mut().find(|one| one.name == told.name);
        match known {
            Some(mirror) => {
                mirror.completed += told.completed;
                mirror.dropped += told.dropped;
                mirror.compared += told.compared;
                mirror.differences += told.differences;
            }
            None => proxy.mirrors.push(Mirror {
                name: told.name,
                completed: told.completed,
                dropped: told.dropped,
                compared: told.compared,
                differences: told.differences,
            }),
        }
    }
    Some(proxy)
}

fn silent(problem: String) -> Proxy {
    Proxy {
        problem: Some(problem),
        serves: None,
        processes: 0,
        paused_seconds: None,
        clients: 0,
        busy: 0,
        held: 0,
        transactions: 0,
        mirrors: Vec::new(),
    }
}
