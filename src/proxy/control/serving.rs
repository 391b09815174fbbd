//! The proxy's end of the control socket.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::stat::{Mode, umask};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

use super::{Client, ClientCounts, MirrorStatus, Reply, Request, Status};
use crate::proxy::config::Changes;
use crate::proxy::pause::{Hold, Paused};
use crate::proxy::registry::{Entry, SessionState};
use crate::proxy::reload::{Origin, reload};
use crate::proxy::service::Service;
use crate::proxy::stop::StopRequest;

/// Bytes of a request: the longest is a tenth of it.
const REQUEST_BYTES_MAX: u64 = 1024;

/// How long a request may take to arrive, and an answer to be read.
const TALK_MAX: Duration = Duration::from_secs(5);

/// Conversations at a time: enough for scripts and a few people.
const CONVERSATIONS_MAX: usize = 16;

/// How long accepting waits after the operating system has refused.
const REFUSED_WAIT: Duration = Duration::from_millis(100);

/// The control socket cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Another proxy answers there.
    #[error("another proxy answers on the control socket {}", .0.display())]
    Taken(PathBuf),
    /// The operating system refuses.
    #[error("making the control socket {}", path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// The control socket; its file goes when this does.
#[derive(Debug)]
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
    /// Which file it is: a proxy that has taken the name over keeps its own.
    inode: u64,
}

/// Makes the socket, for its owner alone. One that nobody answers on any more is replaced.
///
/// # Errors
/// Another proxy answers there, or the operating system refuses.
pub fn bind(path: &Path) -> Result<Control, ControlError> {
    let failed = |source| ControlError::Io {
        path: path.to_owned(),
        source,
    };
    let is_socket = fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    if is_socket {
        if BlockingStream::connect(path).is_ok() {
            return Err(ControlError::Taken(path.to_owned()));
        }
        fs::remove_file(path).map_err(failed)?;
    }
    // From its first moment nobody else can open it.
    let mask = umask(Mode::from_bits_truncate(0o177));
    let listener = UnixListener::bind(path);
    umask(mask);
    let listener = listener.map_err(failed)?;
    Ok(Control {
        listener,
        inode: fs::symlink_metadata(path).map_err(failed)?.ino(),
        path: path.to_owned(),
    })
}

impl Drop for Control {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|file| file.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// What the answers are taken from.
#[derive(Debug)]
pub struct Facts {
    pub(in crate::proxy) service: Arc<Service>,
    pub(in crate::proxy) listen: Vec<String>,
    pub(in crate::proxy) since: Instant,
    pub(in crate::proxy) origin: Origin,
    pub(in crate::proxy) stop: StopRequest,
}

impl Control {
    /// Answers for as long as it is polled.
    pub async fn serve(&self, facts: Arc<Facts>) {
        let conversations = Arc::new(Semaphore::new(CONVERSATIONS_MAX));
        loop {
            let Ok(place) = Arc::clone(&conversations).acquire_owned().await else {
                return;
            };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let facts = Arc::clone(&facts);
                    tokio::spawn(async move {
                        converse(stream, &facts).await;
                        drop(place);
                    });
                }
                Err(_) => tokio::time::sleep(REFUSED_WAIT).await,
            }
        }
    }
}

async fn converse(stream: UnixStream, facts: &Facts) {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    let mut limited = (&mut stream).take(REQUEST_BYTES_MAX);
    let read = limited.read_until(b'\n', &mut line);
    let Ok(Ok(_)) = tokio::time::timeout(TALK_MAX, read).await else {
        return;
    };
    let (reply, has_paused) = match serde_json::from_slice(&line) {
        Ok(request) => answer(request, facts).await,
        Err(error) => (refused(&format!("not a request: {error}"), None), false),
    };
    let Ok(mut text) = serde_json::to_vec(&reply) else {
        return;
    };
    text.push(b'\n');
    let written = tokio::time::timeout(TALK_MAX, stream.write_all(&text)).await;
    if has_paused && !matches!(written, Ok(Ok(()))) {
        // Whoever asked for the pause has gone, and does not know that it came about.
        facts.service.pauses.resume(&Hold::All);
    }
}

/// The answer, and whether it is that clients wait from now on.
async fn answer(request: Request, facts: &Facts) -> (Reply, bool) {
    let service = &facts.service;
    match request {
        Request::Status => (Reply::Status(status(facts)), false),
        Request::Clients => {
            let clients = service.registry.clients();
            let clients = clients.iter().map(|entry| client(entry)).collect();
            (Reply::Clients { clients }, false)
        }
        Request::Pause { limit_ms } => pause(service, Duration::from_millis(limit_ms)).await,
        Request::Reload => (reloaded(facts), false),
        Request::Mirrors => {
            let settings = service.settings();
            let mirrors = settings.mirrors.iter();
            let mirrors = mirrors.map(|mirror| MirrorStatus::of(mirror)).collect();
            (Reply::Mirrors { mirrors }, false)
        }
        Request::Resume => {
            let was_paused = service.pauses.resume(&Hold::All);
            if was_paused {
                tracing::info!("resumed: clients go on");
            }
            (Reply::Resumed { was_paused }, false)
        }
    }
}

fn reloaded(facts: &Facts) -> Reply {
    match reload(&facts.service, &facts.origin) {
        Ok(Changes { now, after_restart }) => Reply::Reloaded { now, after_restart },
        Err(problems) => refused(
            &format!("the configuration is not reloaded: {problems}"),
            Some("what was in force still is; correct it and try again"),
        ),
    }
}

async fn pause(service: &Service, limit: Duration) -> (Reply, bool) {
    tracing::info!("pausing for {limit:?} at most");
    let refusal = match service.pauses.pause(&Hold::All, limit).await {
        Paused::Complete { after } => {
            tracing::info!("paused after {after:?}: clients wait between transactions");
            let after_ms = millis(after);
            return (Reply::Paused { after_ms }, true);
        }
        Paused::TimedOut { unsettled } => {
            tracing::warn!(
                "not paused within {limit:?}: {unsettled} clients were in a transaction"
            );
            refused(
                &format!("{unsettled} clients were still in a transaction at the time limit"),
                Some("clients go on; see who they are with `pgflit proxy clients`, and try again"),
            )
        }
        Paused::Already => refused(
            "it is paused already",
            Some("end that with `pgflit proxy resume`"),
        ),
        Paused::Resumed => refused("someone resumed before the pause was complete", None),
    };
    (refusal, false)
}

fn refused(problem: &str, hint: Option<&str>) -> Reply {
    Reply::Refused {
        problem: problem.to_owned(),
        hint: hint.map(str::to_owned),
    }
}

fn status(facts: &Facts) -> Status {
    let service = &facts.service;
    let mut clients = ClientCounts::default();
    let snapshot = service.registry.snapshot();
    for entry in &snapshot.clients {
        clients.total += 1;
        *match entry.state() {
            SessionState::Waiting => &mut clients.waiting,
            SessionState::LoggingIn => &mut clients.login,
            SessionState::Idle => &mut clients.idle,
            SessionState::Busy => &mut clients.busy,
            SessionState::Held => &mut clients.held,
        } += 1;
    }
    let totals = snapshot.totals();
    let paused = service.pauses.all_held_for();
    let settings = service.settings();
    let databases = settings.config.databases.iter();
    let mut servers: Vec<String> = databases.flat_map(|one| one.source.hosts()).collect();
    servers.sort();
    servers.dedup();
    Status {
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime_s: facts.since.elapsed().as_secs_f64(),
        listen: facts.listen.clone(),
        serves: "source".to_owned(),
        server: servers.join(", "),
        paused: paused.is_some(),
        paused_ms: paused.map(millis),
        clients,
        transactions: totals.transactions.count(),
        bytes_in: totals.bytes_in,
        bytes_out: totals.bytes_out,
    }
}

fn client(entry: &Entry) -> Client {
    let facts = &entry.facts;
    let totals = entry.statistics.read();
    let key = entry.server().and_then(|server| server.key);
    Client {
        id: entry.id,
        state: entry.state().as_str().to_owned(),
        address: facts.address.clone(),
        user: facts.user.clone(),
        database: facts.database.clone(),
        application_name: facts.application_name.clone(),
        encrypted: facts.is_encrypted,
        server_pid: key.map(|key| key.process),
        connected_s: entry.since.elapsed().as_secs_f64(),
        transactions: totals.transactions.count(),
        bytes_in: totals.bytes_in,
        bytes_out: totals.bytes_out,
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
