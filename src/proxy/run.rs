//! A proxy from its first client to its last.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::control::{self, ControlError, Facts};
use super::listener::{self, ListenError};
use super::server;
use super::service::{Service, ServiceConfig};
use super::workers::Workers;
use crate::base::Shutdown;
use crate::base::shutdown::POLL;

/// How long clients may go on after the proxy was asked to stop: longer than most transactions,
/// shorter than what stops services waits before it kills (systemd: 90 s).
const DRAIN_MAX: Duration = Duration::from_secs(30);

/// How long clients may take to read why they are ended.
const END_MAX: Duration = Duration::from_secs(3);

/// What a proxy is told.
#[derive(Debug)]
pub struct Config {
    /// `HOST:PORT` each.
    pub listen: Vec<String>,
    /// The control socket's file.
    pub control: PathBuf,
    /// What sessions are told.
    pub service: ServiceConfig,
}

/// A proxy cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// An address is taken, or not of this machine.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The control socket cannot be used.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The operating system gives no thread or event queue.
    #[error("starting the proxy's threads")]
    Threads(#[source] io::Error),
    /// What it is told cannot be done.
    #[error("target_session_attrs={0} needs a login of the proxy's own")]
    Role(&'static str),
}

/// Serves clients until it is asked to stop, and then those that are there to their ends, or to the
/// limit.
///
/// # Errors
/// It cannot listen. Nothing that happens to a client later ends it.
pub async fn run(config: Config, shutdown: &Shutdown) -> Result<(), ProxyError> {
    let wanted = config.service.source.target_session_attrs();
    if !server::is_usable(&config.service.source) {
        return Err(ProxyError::Role(wanted.as_str()));
    }
    let control = control::bind(&config.control)?;
    let mut listeners = Vec::new();
    for address in &config.listen {
        listeners.append(&mut listener::bind(address).await?);
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = Arc::new(Workers::start(processors).map_err(ProxyError::Threads)?);
    let service = Arc::new(Service::new(config.service));
    let listen = listeners.iter().filter_map(|one| one.local_addr().ok());
    let listen: Vec<String> = listen.map(|address| address.to_string()).collect();
    for address in &listen {
        tracing::info!("listening on {address}");
    }
    let accepting: Vec<_> = listeners
        .into_iter()
        .map(|one| listener::accept(one, Arc::clone(&service), Arc::clone(&workers)))
        .map(tokio::spawn)
        .collect();
    let facts = Arc::new(Facts {
        service: Arc::clone(&service),
        listen,
        since: Instant::now(),
    });
    let stopped = async {
        shutdown.wait().await;
        // Whoever connects from now on is refused by the operating system.
        accepting.iter().for_each(|one| one.abort());
        drain(&service).await;
    };
    tokio::select! {
        () = control.serve(facts) => {}
        () = stopped => {}
    }
    Ok(())
}

/// Waits until everybody has gone; past the limit, ends those that have not.
async fn drain(service: &Service) {
    // Nobody is left to end a pause.
    service.gate.resume();
    tracing::info!(
        "stopping: {} clients are served to their ends, for {DRAIN_MAX:?} at most",
        service.registry.count()
    );
    all_gone(service, DRAIN_MAX).await;
    let left = service.registry.clients();
    if left.is_empty() {
        return;
    }
    tracing::warn!("{} clients are ended", left.len());
    left.iter().for_each(|entry| entry.ask_to_end());
    all_gone(service, END_MAX).await;
}

async fn all_gone(service: &Service, limit: Duration) {
    let gone = async {
        while service.registry.count() > 0 {
            tokio::time::sleep(POLL).await;
        }
    };
    let _ = tokio::time::timeout(limit, gone).await;
}
