//! A proxy from its first client to its last.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use openssl::error::ErrorStack;
use signal_hook::consts::SIGHUP;
use signal_hook::flag;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::admin;
use super::admin::tasks::{Place, Tasks};
use super::authority::Record;
use super::authority::record::RecordError;
use super::config::Config;
use super::control::asking::ask_within;
use super::control::place::Process;
use super::control::{self, ControlError, Facts, Reply, Request, Status};
use super::coordination::Membership;
use super::listener::{self, ListenError, Listener};
use super::metrics;
use super::pause::Hold;
use super::reload::{Origin, reload};
use super::service::Service;
use super::siblings::Siblings;
use super::statistics::period::PERIOD;
use super::stop::{Stop, StopRequest};
use super::switch::{self, Ground};
use super::workers::Workers;
use crate::base::shutdown::POLL;
use crate::base::{Shutdown, Side};
use crate::store::WorkDir;

/// How long the proxy stays for clients that are connected and say nothing, as those do that only
/// look whether something listens.
const GREETING_MAX: Duration = Duration::from_secs(5);

/// How long clients may take to read why they are ended.
const END_MAX: Duration = Duration::from_secs(3);

/// How long another process may take to say how it does.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// What a proxy is told.
#[derive(Debug)]
pub struct Start {
    /// The control socket's file.
    pub control: PathBuf,
    /// What is in force at first.
    pub config: Config,
    /// Where that was read, and is read again.
    pub origin: Origin,
    /// The work directory; a file there says where traffic goes.
    pub work_dir: WorkDir,
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
    /// It is not known where traffic goes.
    #[error("finding out where traffic goes")]
    Record(#[from] RecordError),
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
    let sockets = start.config.sockets;
    raise_file_limit(start.config.limits.max_client_connections);
    let starting = control::bind(&start.control, sockets.reuse_port)?;
    // From here on a pause of all processes waits for this one, too.
    let others = ask_others(&starting.others).await;
    let taken_over: Vec<_> = others
        .iter()
        .flat_map(|other| &other.listen)
        .cloned()
        .collect();
    let listeners = listener::bind(&start.config.listen, sockets, &taken_over).await?;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = Arc::new(Workers::start(processors).map_err(ProxyError::Threads)?);
    let mut doors = Vec::new();
    for address in start.config.admin.iter().flat_map(|admin| &admin.listen) {
        doors.append(&mut admin::listener::open(address, sockets).await?);
    }
    let mut told_at = Vec::new();
    for address in &start.config.metrics {
        told_at.append(&mut listener::bind_tcp(address, sockets).await?);
    }
    let mut service = Service::new(start.config)?;
    service.siblings = sockets.reuse_port.then(|| Siblings::new(&start.control));
    let service = Arc::new(service);
    pause_as(&others, &service);
    go_where_traffic_goes(&service, &start.work_dir.authority_path())?;
    let control = starting.publish()?;
    let listen: Vec<String> = listeners.iter().map(Listener::place).collect();
    let settings = service.settings();
    let told = settings.config.cutover.as_ref().filter(|told| told.shared);
    let membership = told.map(|told| Membership::begin(told, &service, &listen));
    for address in &listen {
        tracing::info!("listening on {address}");
    }
    for door in &doors {
        tracing::info!("the console is at {}", door.name());
    }
    for address in told_at.iter().filter_map(|one| one.local_addr().ok()) {
        tracing::info!("metrics are at http://{address}/metrics");
    }
    let tasks = Tasks::new(Place {
        work_dir: start.work_dir,
        control: start.control,
    });
    let facts = Arc::new(Facts {
        service: Arc::clone(&service),
        tasks: Arc::new(tasks),
        listen,
        since: Instant::now(),
        origin: start.origin,
        stop: StopRequest::default(),
        membership: membership.clone(),
    });
    // Before anybody is accepted.
    let _ = service.console.set(Arc::downgrade(&facts));
    let (close, closing) = watch::channel(false);
    let mut accepting = JoinSet::new();
    for one in listeners {
        let (service, workers) = (Arc::clone(&service), Arc::clone(&workers));
        accepting.spawn(listener::accept(one, service, workers, closing.clone()));
    }
    let stopped = async {
        let is_signalled = tokio::select! {
            () = shutdown.wait() => true,
            () = facts.stop.wait(|_| true) => false,
        };
        // For those who ask whether it does.
        facts.stop.ask(Stop::WhenClientsHaveGone);
        close.send_replace(true);
        // Whoever connects from now on is refused by the operating system, or comes to another
        // process.
        while accepting.join_next().await.is_some() {}
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
        () = take_part(membership, &facts) => {}
        () = stopped => {}
    }
    facts.tasks.leave();
    Ok(())
}

/// Takes part in moving traffic from other machines, if it is told so.
async fn take_part(membership: Option<Arc<Membership>>, facts: &Arc<Facts>) {
    match membership {
        Some(membership) => membership.serve(facts).await,
        None => std::future::pending().await,
    }
}

/// Each client is two open files, and shells give a process few: takes as many as it may have.
fn raise_file_limit(clients: u32) {
    let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return;
    };
    let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    if most / 2 < u64::from(clients) {
        tracing::info!(
            "at most {most} files may be open, which is {} clients; more wait to be accepted",
            most / 2
        );
    }
}

/// How the other processes of this proxy do. One that does not answer is left out: it is about to
/// end, or it will not answer those who pause all of them either.
async fn ask_others(others: &[Process]) -> Vec<Status> {
    let mut asked = JoinSet::new();
    for other in others {
        let path = other.path.clone();
        asked.spawn_blocking(move || ask_within(ANSWER_MAX, &path, &Request::Status));
    }
    let mut statuses = Vec::new();
    while let Some(answer) = asked.join_next().await {
        if let Ok(Ok(Reply::Status(status))) = answer {
            statuses.push(*status);
        }
    }
    statuses
}

/// Serves the side that traffic goes to; while that is not decided, clients wait.
fn go_where_traffic_goes(service: &Arc<Service>, path: &Path) -> Result<(), RecordError> {
    let record = Record::read(path)?;
    let has_target = service.settings().config.has_any_target();
    if record.side(path, has_target)? == Side::Target {
        service.registry.turn(service.registry.turns().next());
        tracing::info!("traffic goes to the target");
    }
    if let Some(doubt) = record.doubt {
        tracing::warn!(
            "traffic was about to be moved to the {}, and it is not known whether it was: clients wait",
            doubt.to
        );
        service.pauses.hold_as(&Hold::Cutover, doubt.attempt);
        switch::promise(service, doubt, Duration::ZERO, Ground::Asked);
    }
    Ok(())
}

/// Begins with the pauses that the other processes are in. There are no clients here yet to wait for.
fn pause_as(others: &[Status], service: &Service) {
    for pause in others.iter().flat_map(|other| &other.pauses) {
        let hold = pause.scope.hold();
        if service.pauses.in_force(&hold).is_some() {
            continue;
        }
        let left = Duration::try_from_secs_f64(pause.left_ms / 1000.0).unwrap_or_default();
        tracing::info!("traffic is paused: clients wait here, too, for {left:?} at most: {hold}");
        service.pauses.begin_as(&hold, pause.id, left);
    }
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

/// Waits until everybody has gone; past the limit, ends those that have not. A pause stays in force
/// until it ends: whoever has paused the proxy counts on it.
async fn drain(service: &Service) {
    let limit = service.settings().config.limits.drain_limit;
    let count = service.registry.count();
    tracing::info!("stopping: {count} clients are served to their ends, for {limit:?} at most");
    service.pauses.all_ended().await;
    let began = Instant::now();
    // Whoever was accepted last has maybe not said yet what it wants.
    let is_over = || {
        service.registry.count() == 0 && (service.present() == 0 || began.elapsed() > GREETING_MAX)
    };
    until(limit, is_over).await;
    end(service).await;
}

/// Waits until everybody has gone, however long that takes. A signal shortens it.
async fn wait_for_clients(service: &Service) {
    service.pauses.resume_all();
    // A cutover that is under way counts on this process.
    service.pauses.all_ended().await;
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
    until(END_MAX, || service.registry.count() == 0).await;
}

/// Waits until something is so, for at most `limit`.
async fn until(limit: Duration, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(POLL).await;
        }
    };
    let _ = tokio::time::timeout(limit, waiting).await;
}
