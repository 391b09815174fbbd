//! What the processes of the proxy are told. All of them at once; what one refuses ends it for all.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::CutoverError;
use crate::base::Side;
use crate::proxy::authority::Doubt;
use crate::proxy::control::{self, AskError, Client, Reply, Request, Status};

/// The proxy in front of the application; none where it is moved by other means.
#[derive(Debug, Clone)]
pub struct Proxies {
    socket: Option<PathBuf>,
}

/// Connections that were opened ahead.
#[derive(Debug, Clone, Default)]
pub struct Warm {
    /// How many.
    pub ready: usize,
    /// Those that could not be, and why.
    pub failed: Option<(usize, String)>,
}

impl Proxies {
    /// Those whose newest process has the control socket `socket`.
    pub fn at(socket: &Path) -> Self {
        Proxies {
            socket: Some(socket.to_owned()),
        }
    }

    /// None.
    pub fn none() -> Self {
        Proxies { socket: None }
    }

    /// Whether there are any.
    pub fn are_there(&self) -> bool {
        self.socket.is_some()
    }

    /// How they do.
    ///
    /// # Errors
    /// None answers.
    pub fn status(&self) -> Result<Option<Status>, CutoverError> {
        match self.ask(&Request::Status)? {
            Some(Reply::Status(status)) => Ok(Some(*status)),
            _ => Ok(None),
        }
    }

    /// Their clients.
    ///
    /// # Errors
    /// One does not answer.
    pub fn clients(&self) -> Result<Vec<Client>, CutoverError> {
        match self.ask(&Request::Clients)? {
            Some(Reply::Clients { clients }) => Ok(clients),
            _ => Ok(Vec::new()),
        }
    }

    /// Opens connections on `to` ahead, within `limit`.
    ///
    /// # Errors
    /// One does not answer.
    pub fn warm_up(&self, to: Side, limit: Duration) -> Result<Warm, CutoverError> {
        let limit_ms = millis(limit);
        match self.ask(&Request::WarmUp { to, limit_ms })? {
            Some(Reply::Warm {
                ready,
                failed,
                problem,
            }) => Ok(Warm {
                ready,
                failed: problem.map(|problem| (failed, problem)),
            }),
            _ => Ok(Warm::default()),
        }
    }

    /// Holds every client between two transactions.
    ///
    /// # Errors
    /// One could not be within `drain_limit`; those that were go on.
    pub fn hold(
        &self,
        attempt: u64,
        drain_limit: Duration,
        limit: Duration,
    ) -> Result<(), CutoverError> {
        let held = self.ask(&Request::Hold {
            attempt,
            drain_limit_ms: millis(drain_limit),
            limit_ms: millis(limit),
        });
        if held.is_err() {
            let _ = self.abort(attempt, false);
        }
        held.map(drop)
    }

    /// Has them wait for the decision, however long that takes.
    ///
    /// # Errors
    /// One has let its clients go on.
    pub fn promise(&self, doubt: &Doubt, lease: Duration) -> Result<(), CutoverError> {
        let request = Request::Promise {
            doubt: doubt.clone(),
            lease_ms: millis(lease),
        };
        self.ask(&request).map(drop)
    }

    /// Traffic goes to `to`.
    ///
    /// # Errors
    /// One does not answer; the others have gone there.
    pub fn switch(&self, attempt: u64, to: Side) -> Result<(), CutoverError> {
        self.ask(&Request::Switch { attempt, to }).map(drop)
    }

    /// Traffic stays. `is_fenced`: they are to lift the fence, which may be up still.
    ///
    /// # Errors
    /// One does not answer; the others go on.
    pub fn abort(&self, attempt: u64, is_fenced: bool) -> Result<(), CutoverError> {
        self.ask(&Request::Abort { attempt, is_fenced }).map(drop)
    }

    fn ask(&self, request: &Request) -> Result<Option<Reply>, CutoverError> {
        match &self.socket {
            None => Ok(None),
            Some(socket) => Ok(Some(control::ask(socket, request)?)),
        }
    }
}

/// Whether no proxy runs there.
pub(super) fn is_nobody(error: &CutoverError) -> bool {
    matches!(error, CutoverError::Proxy(AskError::Nobody { .. }))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
