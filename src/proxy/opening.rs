//! The server connection of a client that has shown who it is: the proxy opens it by itself.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use super::admission;
use super::ahead::Ahead;
use super::auth::Credential;
use super::channel::Channel;
use super::gate::Turns;
use super::login::own::{self, OwnLogin, Ready};
use super::notice::Refusal;
use super::registry::{Entry, Registered, ServerSide, SessionState};
use super::server::{RETRY, no_answer};
use super::service::{Service, Settings};
use super::session::{Opened, TOLD_AFTER, pass_gate};
use crate::base::backoff::Backoff;
use crate::base::cause::chain;
use crate::pg::{Address, Error, connect};
use crate::wire::startup::{ProtocolVersion, Startup};

/// What a client has said and shown, with which a server is logged in to.
#[derive(Debug, Clone)]
pub struct Passport {
    /// What it has asked for.
    pub startup: Startup,
    /// What it has shown.
    pub credential: Credential,
}

/// Why there is none.
pub(super) enum Failed {
    /// The client is told this.
    Refused(Refusal),
    /// The servers could not be reached, or refused: with the last message that did.
    Servers(Error, Option<Bytes>),
}

impl Failed {
    /// Whether it may be otherwise in a moment.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Failed::Refused(_) => false,
            Failed::Servers(error, _) => may_pass(error),
        }
    }
}

/// For the log.
impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failed::Refused(refusal) => f.write_str(&refusal.message),
            Failed::Servers(error, _) => write!(f, "{}", chain(error)),
        }
    }
}

/// Opens it, at one of the servers of `address`. A client that waits for long is told so. The error
/// is what the client is to be told; none if it has been, or has gone.
pub(super) async fn open(
    (service, settings): (&Service, &Settings),
    client: &mut Channel,
    registered: &mut Registered,
    passport: &Passport,
) -> Result<Opened, Option<Refusal>> {
    let entry = Arc::clone(&registered.entry);
    let opening = wait_and_log_in((service, settings), &entry, passport);
    tokio::pin!(opening);
    let mut is_let_in = false;
    let opened = tokio::select! {
        opened = &mut opening => opened,
        () = tokio::time::sleep(TOLD_AFTER) => {
            own::tell_waiting(client).await.map_err(|_| None)?;
            is_let_in = true;
            opening.await
        }
    };
    let (Ahead { ready, turns, .. }, slot) = match opened {
        Ok(opened) => opened,
        Err(failed) => {
            let side = entry.gate().turns().side();
            admission::forget((settings, side), &entry.facts);
            if let Failed::Servers(Error::Server(_), Some(_)) = &failed {
                // The client hears it from the server.
                entry.database.count_failed_login();
            }
            return Err(told(client, failed).await);
        }
    };
    let place = ready.place.clone();
    let version = passport.startup.version.min(ProtocolVersion::V3_2);
    let welcomed = own::welcome(client, registered, version, ready, is_let_in).await;
    let (server, logged_in) = welcomed.map_err(|_| None)?;
    entry.set_server(ServerSide {
        place,
        key: logged_in.server_key,
        local: server.local_address(),
        since: Instant::now(),
        is_encrypted: server.is_encrypted(),
    });
    Ok(Opened {
        server,
        from_server: logged_in.from_server,
        turns,
        tap: None,
        _slot: slot,
    })
}

async fn wait_and_log_in(
    (service, settings): (&Service, &Settings),
    entry: &Entry,
    passport: &Passport,
) -> Result<(Ahead, Option<OwnedSemaphorePermit>), Failed> {
    let limits = &settings.config.limits;
    let slot = service.slot(settings).await.map_err(Failed::Refused)?;
    let mut deadline = Instant::now() + limits.server_wait_limit;
    let mut backoff = Backoff::new(RETRY.0, RETRY.1);
    loop {
        if pass_gate(entry).await {
            // The gate may have been closed for longer than any server may be waited for.
            deadline = deadline.max(Instant::now() + limits.server_wait_limit / 4);
        }
        // A session that logs in keeps traffic from being moved meanwhile.
        let turns = entry.gate().turns();
        let (failed, refusal) = match log_in(settings, entry, (passport, turns), deadline).await {
            Ok(ahead) => return Ok((ahead, slot)),
            Err(Failed::Servers(error, refusal)) => (error, refusal),
            Err(refused) => return Err(refused),
        };
        let wait = backoff.next_wait();
        if !may_pass(&failed) || Instant::now() + wait >= deadline {
            return Err(Failed::Servers(failed, refusal));
        }
        // A pause need not wait for what does not come about.
        entry.set_state(SessionState::Waiting);
        entry.gate().settled();
        tokio::time::sleep(wait).await;
    }
}

/// One attempt at all servers of the side that `turns` says, as the client `entry`. They must be
/// reached by `deadline`; a login that has begun by then may take as long as logins may.
pub(super) async fn log_in(
    settings: &Settings,
    entry: &Entry,
    (passport, turns): (&Passport, Turns),
    deadline: Instant,
) -> Result<Ahead, Failed> {
    let limit = settings.config.limits.login_timeout;
    let destination = admission::destination(settings, &passport.startup, turns.side());
    let (startup, address) = destination.map_err(Failed::Refused)?;
    let user = (&startup, entry.facts.user.as_str());
    let login = OwnLogin::new(user, (&passport.credential, &address), limit);
    match attempt(&login, &address, deadline, limit).await {
        Ok(ready) => Ok(Ahead::new(ready, turns)),
        Err(error) => Err(Failed::Servers(error, login.refusal())),
    }
}

async fn attempt(
    login: &OwnLogin<'_>,
    address: &Address,
    deadline: Instant,
    limit: Duration,
) -> Result<Ready, Error> {
    let attempt = connect::open(address, login);
    tokio::pin!(attempt);
    let left = deadline.saturating_duration_since(Instant::now());
    match tokio::time::timeout(left, &mut attempt).await {
        Ok(done) => done,
        Err(_) if login.is_under_way() => {
            let done = tokio::time::timeout(limit, attempt).await;
            done.unwrap_or_else(|_| Err(no_answer(address)))
        }
        Err(_) => Err(no_answer(address)),
    }
}

/// Whether it may be otherwise in a moment: no server is there, or none yet, or none of the role.
fn may_pass(error: &Error) -> bool {
    match error {
        Error::Refused { .. } | Error::Lost(_) | Error::WrongRole { .. } => true,
        Error::Server(error) => error.sqlstate == "57P03",
        _ => false,
    }
}

async fn told(client: &mut Channel, failed: Failed) -> Option<Refusal> {
    let (error, refusal) = match failed {
        Failed::Refused(refusal) => return Some(refusal),
        Failed::Servers(error, refusal) => (error, refusal),
    };
    match (&error, refusal) {
        // In the server's own words.
        (Error::Server(_), Some(message)) => {
            let _ = client.send(&message).await;
            None
        }
        (Error::Auth { .. }, _) => {
            tracing::warn!("logging in to the server as the client's role: {error}");
            Some(Refusal::new(
                "28000",
                "the proxy cannot log in to the server as this role",
            ))
        }
        (Error::Lost(_) | Error::Protocol(_), _) => {
            tracing::warn!("logging in to the server: {}", chain(&error));
            Some(Refusal::new(
                "08006",
                "the server closed the connection during the login",
            ))
        }
        _ => {
            tracing::warn!("connecting to the server: {}", chain(&error));
            Some(Refusal::unreachable())
        }
    }
}
