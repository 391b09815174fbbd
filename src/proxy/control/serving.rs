//! The proxy's end of the control socket.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::place::{PROCESSES_MAX, Place, Process};
use super::{Client, ClientCounts, MirrorStatus, PauseInForce, Reply, Request, Scope, Status};
use super::{mirrors, moving};
use crate::proxy::admin::tasks::Tasks;
use crate::proxy::cancel;
use crate::proxy::config::Changes;
use crate::proxy::coordination::Membership;
use crate::proxy::pause::{Hold, InForce, Paused};
use crate::proxy::registry::{Entry, SessionState};
use crate::proxy::reload::{Origin, reload};
use crate::proxy::service::{Service, Settings};
use crate::proxy::stop::StopRequest;
use crate::proxy::survey;
use crate::proxy::unix_socket::{UnixSocket, answers};

/// Bytes of a request: the longest names a server.
const REQUEST_BYTES_MAX: u64 = 16 * 1024;

/// How long a request may take to arrive, and an answer to be read.
const TALK_MAX: Duration = Duration::from_secs(5);

/// Conversations at a time: enough for scripts and a few people.
const CONVERSATIONS_MAX: usize = 16;

/// How long accepting waits after the operating system has refused.
const REFUSED_WAIT: Duration = Duration::from_millis(100);

/// Nobody but the owner may steer the proxy.
const SOCKET_MODE: u32 = 0o600;

/// The control socket cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Another proxy answers there.
    #[error("another proxy answers on the control socket {}", .0.display())]
    Taken(PathBuf),
    /// As many processes as there may be are there.
    #[error("{PROCESSES_MAX} processes answer beside the control socket {}", .0.display())]
    TooMany(PathBuf),
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

/// This process's control socket; its files go when this does.
#[derive(Debug)]
pub struct Control {
    socket: UnixSocket,
    place: Place,
}

/// A process that starts: nobody else does so at this place meanwhile.
#[derive(Debug)]
pub struct Starting {
    /// Before the socket, whose end takes the lock itself.
    _lock: File,
    /// Its socket, on which nobody is answered yet.
    control: Control,
    /// The other processes.
    pub others: Vec<Process>,
}

/// Makes this process's socket, for its owner alone. Those that nobody answers on any more are
/// replaced. Others may answer only if `is_shared`.
///
/// # Errors
/// Another proxy answers there, or the operating system refuses.
pub fn bind(path: &Path, is_shared: bool) -> Result<Starting, ControlError> {
    let failed = |source| ControlError::Io {
        path: path.to_owned(),
        source,
    };
    let place = Place::new(path);
    let lock = place.lock().map_err(failed)?;
    let others = place.living();
    let is_taken = !others.is_empty() || answers(path).map_err(failed)?;
    if is_taken && !is_shared {
        return Err(ControlError::Taken(path.to_owned()));
    }
    if others.len() >= PROCESSES_MAX {
        return Err(ControlError::TooMany(path.to_owned()));
    }
    let own = place.of(std::process::id());
    let socket = UnixSocket::bind(&own, SOCKET_MODE);
    Ok(Starting {
        _lock: lock,
        control: Control {
            socket: socket.map_err(failed)?,
            place,
        },
        others,
    })
}

impl Starting {
    /// This process is the newest from now on.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn publish(self) -> Result<Control, ControlError> {
        let Control { socket, place } = &self.control;
        let published = place.publish(socket.path());
        published.map_err(|source| ControlError::Io {
            path: place.newest().to_owned(),
            source,
        })?;
        Ok(self.control)
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // Without the lock, which no one holds for long, it is the same but for who starts now.
        let _lock = self.place.lock();
        let is_newest = self.socket.is_at(self.place.newest());
        self.socket.unlink();
        if is_newest {
            let next = self.place.living().into_iter().next();
            let left = next.and_then(|next| self.place.publish(&next.path).ok());
            if left.is_none() {
                let _ = fs::remove_file(self.place.newest());
            }
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
    pub(in crate::proxy) membership: Option<Arc<Membership>>,
    pub(in crate::proxy) tasks: Arc<Tasks>,
}

impl Control {
    /// Answers for as long as it is polled.
    pub async fn serve(&self, facts: Arc<Facts>) {
        let conversations = Arc::new(Semaphore::new(CONVERSATIONS_MAX));
        loop {
            let Ok(place) = Arc::clone(&conversations).acquire_owned().await else {
                return;
            };
            match self.socket.accept().await {
                Ok(stream) => {
                    let facts = Arc::clone(&facts);
                    tokio::spawn(async move { converse(stream, &facts, place).await });
                }
                Err(_) => tokio::time::sleep(REFUSED_WAIT).await,
            }
        }
    }
}

async fn converse(stream: UnixStream, facts: &Facts, place: OwnedSemaphorePermit) {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    let mut limited = (&mut stream).take(REQUEST_BYTES_MAX);
    let read = limited.read_until(b'\n', &mut line);
    let Ok(Ok(_)) = tokio::time::timeout(TALK_MAX, read).await else {
        return;
    };
    let (reply, begun) = match serde_json::from_slice(&line) {
        Ok(request) => {
            // It may wait for long, and what ends it must have a place. Of each scope one at a time waits.
            let place = Some(place).filter(|_| !matches!(request, Request::Pause { .. }));
            let answered = answer(request, facts).await;
            drop(place);
            answered
        }
        // The line, which may hold a key, is in no text.
        Err(_) => (refused("that is no request of this version", None), None),
    };
    let Ok(mut text) = serde_json::to_vec(&reply) else {
        return;
    };
    text.push(b'\n');
    let written = tokio::time::timeout(TALK_MAX, stream.write_all(&text)).await;
    if let Some((hold, id)) = begun
        && !matches!(written, Ok(Ok(())))
    {
        // Whoever asked for the pause has gone, and does not know that it came about.
        facts.service.pauses.resume_of(&hold, id);
    }
}

/// As the control socket answers, for who asks by another way. Cancel safe.
pub(in crate::proxy) async fn answer_to(request: Request, facts: &Facts) -> Reply {
    answer(request, facts).await.0
}

/// The answer, and the pause by which clients wait from now on if it is that.
async fn answer(request: Request, facts: &Facts) -> (Reply, Option<(Hold, u64)>) {
    let service = &facts.service;
    let reply = match request {
        Request::Pause {
            limit_ms,
            id,
            scope,
        } => {
            let reply = pause(service, &scope, Duration::from_millis(limit_ms), id).await;
            let begun = matches!(reply, Reply::Paused { .. }).then(|| (scope.hold(), id));
            return (reply, begun);
        }
        Request::Status => Reply::Status(Box::new(status(facts))),
        Request::Clients => clients(service),
        Request::Survey { limit_ms, every_ms } => {
            let every = Duration::from_millis(every_ms);
            survey::survey(service, Duration::from_millis(limit_ms), every).await;
            clients(service)
        }
        Request::Mirrors => {
            let settings = service.settings();
            let mirrors = settings.mirrors.iter();
            let databases = &settings.config.databases;
            let mirrors = mirrors.map(|mirror| MirrorStatus::of(mirror, databases));
            Reply::Mirrors {
                mirrors: mirrors.collect(),
            }
        }
        Request::Drain { mirror, limit_ms } => {
            mirrors::drain(service, &mirror, Duration::from_millis(limit_ms)).await
        }
        Request::Reload => reloaded(facts),
        request @ (Request::Hold { .. }
        | Request::Promise { .. }
        | Request::WarmUp { .. }
        | Request::Switch { .. }
        | Request::Abort { .. }) => moving::answer(service, request).await,
        Request::Cancel { key } => Reply::Cancelled {
            is_known: match key.decode() {
                Some(key) => cancel::carry(&service.registry, &key).await,
                None => false,
            },
        },
        Request::Resume { id, scope } => {
            let hold = scope.hold();
            let was_paused = match id {
                Some(id) => service.pauses.resume_of(&hold, id),
                None => service.pauses.resume(&hold),
            };
            if was_paused {
                tracing::info!("resumed, clients go on: {hold}");
            }
            Reply::Resumed { was_paused }
        }
    };
    (reply, None)
}

fn reloaded(facts: &Facts) -> Reply {
    match reload(&facts.service, &facts.origin) {
        Ok(Changes { now, after_restart }) => Reply::Reloaded { now, after_restart },
        Err(problems) => refused_as(
            "F0000",
            &format!("the configuration is not reloaded: {problems}"),
            Some("what was in force still is; correct it and try again"),
        ),
    }
}

/// Maintenance begins at once; whatever else when every client is between transactions.
async fn pause(service: &Service, scope: &Scope, limit: Duration, id: u64) -> Reply {
    let hold = scope.hold();
    tracing::info!("pausing for {limit:?} at most: {hold}");
    let paused = match scope {
        Scope::Maintenance => service.pauses.begin_as(&hold, id, limit),
        Scope::All | Scope::Database(_) => service.pauses.pause_as(&hold, id, limit).await,
    };
    match paused {
        Paused::Complete { after } => {
            match scope {
                Scope::Maintenance => tracing::info!("maintenance has begun"),
                _ => tracing::info!("paused after {after:?}: clients wait between transactions"),
            }
            let after_ms = millis(after);
            Reply::Paused { after_ms }
        }
        Paused::TimedOut { unsettled } => {
            tracing::warn!(
                "not paused within {limit:?}: {unsettled} clients were in a transaction"
            );
            refused_as(
                TOO_LATE,
                &format!("{unsettled} clients were still in a transaction at the time limit"),
                Some("clients go on; see who they are with `pgflit proxy clients`, and try again"),
            )
        }
        Paused::Already => match scope {
            Scope::All => refused(
                "it is paused already",
                Some("end that with `pgflit proxy resume`, or RESUME in the console"),
            ),
            Scope::Database(_) => refused(
                "it is paused already",
                Some("end that with RESUME of this database in the console"),
            ),
            Scope::Maintenance => refused(
                "maintenance is on already",
                Some("end that with MAINTENANCE OFF in the console"),
            ),
        },
        Paused::Resumed => refused("someone resumed before the pause was complete", None),
    }
}

/// Somebody was waited for in vain.
pub(super) const TOO_LATE: &str = "55P03";

pub(super) fn refused(problem: &str, hint: Option<&str>) -> Reply {
    Reply::Refused {
        problem: problem.to_owned(),
        hint: hint.map(str::to_owned),
        sqlstate: None,
    }
}

fn refused_as(sqlstate: &str, problem: &str, hint: Option<&str>) -> Reply {
    Reply::Refused {
        problem: problem.to_owned(),
        hint: hint.map(str::to_owned),
        sqlstate: Some(sqlstate.to_owned()),
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
    let side = service.registry.turns().side();
    let mut servers: Vec<String> = databases
        .clone()
        .flat_map(|one| one.server(side).hosts())
        .collect();
    let movable = databases.filter(|one| one.target.is_some());
    servers.sort();
    servers.dedup();
    Status {
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime_s: facts.since.elapsed().as_secs_f64(),
        listen: facts.listen.clone(),
        serves: side.as_str().to_owned(),
        movable: movable.map(|one| one.name.clone()).collect(),
        server: servers.join(", "),
        draining: facts.stop.asked().is_some(),
        members: facts.membership.iter().map(|one| one.card.id).collect(),
        processes: Vec::new(),
        silent: Vec::new(),
        pauses: pauses(service),
        paused: paused.is_some(),
        paused_ms: paused.map(millis),
        clients,
        transactions: totals.transactions.count(),
        bytes_in: totals.bytes_in,
        bytes_out: totals.bytes_out,
    }
}

/// Those that somebody has asked for.
fn pauses(service: &Service) -> Vec<PauseInForce> {
    let of = |(hold, held): (Hold, InForce)| {
        let left = held.until.saturating_duration_since(Instant::now());
        Some(PauseInForce {
            id: held.id,
            scope: Scope::of(hold)?,
            left_ms: millis(left),
        })
    };
    service
        .pauses
        .all_in_force()
        .into_iter()
        .filter_map(of)
        .collect()
}

fn clients(service: &Service) -> Reply {
    let clients = service.registry.clients();
    let settings = service.settings();
    let of = |entry: &Entry| client(entry, &settings);
    let clients = clients.iter().map(|entry| of(entry.as_ref())).collect();
    Reply::Clients { clients }
}

fn client(entry: &Entry, settings: &Settings) -> Client {
    let facts = &entry.facts;
    let totals = entry.statistics.read();
    let key = entry.server().and_then(|server| server.key);
    let holds = entry.survey.holds();
    Client {
        proxy_pid: std::process::id(),
        id: entry.id,
        state: entry.state().as_str().to_owned(),
        address: facts.address.clone(),
        user: facts.user.clone(),
        database: facts.database.clone(),
        application_name: facts.application_name.clone(),
        encrypted: facts.is_encrypted,
        server_pid: key.map(|key| key.process),
        is_to_move: settings.config.has_target(&facts.database),
        can_move: entry.may_move() && holds.as_ref().is_none_or(Vec::is_empty),
        holds,
        mirrors: mirrors::mirrored_to(entry, settings),
        connected_s: entry.since.elapsed().as_secs_f64(),
        transactions: totals.transactions.count(),
        bytes_in: totals.bytes_in,
        bytes_out: totals.bytes_out,
    }
}

pub(super) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
