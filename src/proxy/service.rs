//! What all sessions of a proxy share.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::client_tls::ClientTls;
use super::gate::Gate;
use super::login::Authentication;
use super::notice::Refusal;
use super::registry::Registry;
use crate::pg::Address;

/// What a proxy is told.
#[derive(Debug, Clone)]
pub struct ServiceConfig {
    /// Where clients' sessions go. Only where and how to connect: role and database are the
    /// client's.
    pub source: Address,
    /// What is shown to clients that ask for TLS; none refuses it.
    pub tls: Option<ClientTls>,
    /// Who finds out who a client is.
    pub authentication: Authentication,
    /// Bounds.
    pub limits: Limits,
}

/// What is bounded, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Server connections at a time; none for as many as the server takes.
    pub server_connections: Option<usize>,
    /// How long a client may take to say who it is and to prove it. PostgreSQL's
    /// `authentication_timeout`.
    pub login: Duration,
    /// How long a client waits for a server that cannot be reached, and before that for one of the
    /// server connections.
    pub server_wait: Duration,
    /// Clients at a time that have not proved who they are: what strangers can make the proxy hold
    /// open, at a few kilobytes each.
    pub unauthenticated: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            server_connections: None,
            login: Duration::from_secs(60),
            server_wait: Duration::from_secs(10),
            unauthenticated: 1000,
        }
    }
}

/// The proxy as its sessions see it.
#[derive(Debug)]
pub struct Service {
    /// What it was told.
    pub config: ServiceConfig,
    /// Who is connected.
    pub registry: Arc<Registry>,
    /// What a pause closes.
    pub gate: Arc<Gate>,
    slots: Option<Arc<Semaphore>>,
    unauthenticated: Arc<Semaphore>,
}

impl Service {
    /// With nobody connected.
    pub fn new(config: ServiceConfig) -> Self {
        let limits = &config.limits;
        let slots = limits.server_connections.map(semaphore);
        Service {
            slots: slots.map(Arc::new),
            unauthenticated: Arc::new(semaphore(limits.unauthenticated)),
            registry: Arc::default(),
            gate: Arc::default(),
            config,
        }
    }

    /// A place among those that have not proved who they are; none if there are too many.
    pub fn admit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.unauthenticated).try_acquire_owned().ok()
    }

    /// One of the server connections that may be open, in the order in which they are asked for;
    /// none if they are not counted.
    ///
    /// # Errors
    /// For the client, after the limit.
    pub async fn slot(&self) -> Result<Option<OwnedSemaphorePermit>, Refusal> {
        let Some(slots) = &self.slots else {
            return Ok(None);
        };
        let slot = Arc::clone(slots).acquire_owned();
        match tokio::time::timeout(self.config.limits.server_wait, slot).await {
            Ok(Ok(slot)) => Ok(Some(slot)),
            Ok(Err(_)) | Err(_) => Err(Refusal::new(
                "53300",
                "all server connections of the proxy are in use",
            )),
        }
    }
}

/// More than can be counted is as good as everything.
fn semaphore(permits: usize) -> Semaphore {
    Semaphore::new(permits.min(Semaphore::MAX_PERMITS))
}
