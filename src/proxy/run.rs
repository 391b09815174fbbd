//! A proxy from its first client to its last.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use openssl::error::ErrorStack;
use signal_hook::consts::SIGHUP;
use signal_hook::flag;

use super::admin;
use super::config::Config;
use super::control::{self, ControlError, Facts};
use super::listener::{self, ListenError};
use super::metrics;
use super::reload::{Origin, reload};
use super::service::Service;
use super::statistics::period::PERIOD;
use super::stop::{Stop, StopRequest};
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
pub struct Start {
    /// The control socket's file.
    pub control: PathBuf,
    /// What is in force at first.
    pub config: Config,
    /// Where that was read, and is read again.
    pub origin: Origin,
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
    /// The certificate for clients cannot be used.
    #[error("setting up TLS for clients")]
    Tls(#[from] ErrorStack),
    /// The operating system does not tell of SIGHUP.
    #[error("listening to SIGHUP")]
    Signal(#[source] io::Error),
}

/// Serves clients until it is asked to stop, and then those that are there to their ends, or to the
/// limit.
///
/// # Errors
/// It cannot listen. Nothing that happens to a client later ends it.
pub async fn run(start: Start, shutdown: &Shutdown) -> Result<(), ProxyError> {
    let hangup = Arc::new(AtomicBool::new(false));
    flag::register(SIGHUP, Arc::clone(&hangup)).map_err(ProxyError::Signal)?;
    let control = control::bind(&start.control)?;
    let mut listeners = Vec::new();
    for address in &start.config.listen {
        listeners.append(&mut listener::bind(address.as_str()).await?);
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = Arc::new(Workers::start(processors).map_err(ProxyError::Threads)?);
    let mut doors = Vec::new();
    for address in start.config.admin.iter().flat_map(|admin| &admin.listen) {
        doors.append(&mut admin::listener::open(address).await?);
    }
    let mut told_at = Vec::new();
    for address in &start.config.metrics {
        told_at.append(&mut listener::bind(address.as_str()).await?);
    }
    let service = Arc::new(Service::new(start.config)?);
    let listen = listeners.iter().filter_map(|one| one.local_addr().ok());
    let listen: Vec<String> = listen.map(|address| address.to_string()).collect();
    for address in &listen {
        tracing::info!("listening on {address}");
    }
    for door in &doors {
        tracing::info!("the console is at {}", door.name());
    }
    for address in told_at.iter().filter_map(|one| one.local_addr().ok()) {
        tracing::info!("metrics are at http://{address}/metrics");
    }
    let facts = Arc::new(Facts {
        service: Arc::clone(&service),
        listen,
        since: Instant::now(),
        origin: start.origin,
        stop: StopRequest::default(),
    });
    // Before anybody is accepted.
    let _ = service.console.set(Arc::downgrade(&facts));
    let accepting: Vec<_> = listeners
        .into_iter()
        .map(|one| listener::accept(one, Arc::clone(&service), Arc::clone(&workers)))
        .map(tokio::spawn)
        .collect();
    let stopped = async {
        let is_signalled = tokio::select! {
            () = shutdown.wait() => true,
            () = facts.stop.wait(|_| true) => false,
        };
        // For those who ask whether it does.
        facts.stop.ask(Stop::WhenClientsHaveGone);
        // Whoever connects from now on is refused by the operating system.
        accepting.iter().for_each(|one| one.abort());
        let drained = async {
            let have_gone = async {
                match is_signalled {
                    true => std::future::pending().await,
                    false => wait_for_clients(&service).await,
                }
            };
            tokio::select! {
                () = have_gone => {}
                () = shutdown.wait() => drain(&service).await,
            }
        };
        tokio::select! {
            biased;
            () = facts.stop.wait(|stop| stop == Stop::Now) => end(&service).await,
            () = drained => {}
        }
    };
    tokio::select! {
        () = control.serve(Arc::clone(&facts)) => {}
        () = reload_on_hangup(&hangup, &facts) => {}
        () = take_averages(&service) => {}
        () = metrics::http::serve(told_at, Arc::clone(&facts)) => {}
        () = admin::listener::serve(doors, Arc::clone(&facts)) => {}
        () = stopped => {}
    }
    Ok(())
}

/// Reads the configuration again whenever SIGHUP comes.
async fn reload_on_hangup(hangup: &AtomicBool, facts: &Facts) {
    loop {
        tokio::time::sleep(POLL).await;
        if hangup.swap(false, Ordering::SeqCst) {
            // Either way it is in the log, and what is in force serves.
            let _ = reload(&facts.service, &facts.origin);
        }
    }
}

/// Ends a period of the averages whenever it is over.
async fn take_averages(service: &Service) {
    loop {
        tokio::time::sleep(PERIOD).await;
        let snapshot = service.registry.snapshot();
        let totals = snapshot.databases.into_iter();
        let totals = totals.map(|(database, totals)| (database.name.clone(), totals));
        service.periods.turn(totals, Instant::now());
    }
}

/// Waits until everybody has gone; past the limit, ends those that have not.
async fn drain(service: &Service) {
    // Nobody is left to end a pause.
    service.pauses.resume_all();
    tracing::info!(
        "stopping: {} clients are served to their ends, for {DRAIN_MAX:?} at most",
        service.registry.count()
    );
    all_gone(service, DRAIN_MAX).await;
    end(service).await;
}

/// Waits until everybody has gone, however long that takes. A signal shortens it.
async fn wait_for_clients(service: &Service) {
    service.pauses.resume_all();
    let count = service.registry.count();
    tracing::info!("stopping: waiting for {count} clients to go");
    while service.registry.count() > 0 {
        tokio::time::sleep(POLL).await;
    }
}

/// Ends whoever is left.
async fn end(service: &Service) {
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
