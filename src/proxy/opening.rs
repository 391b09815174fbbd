//! The server connection of a client that has shown who it is: the proxy opens it by itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use super::auth::Credential;
use super::channel::Channel;
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

/// Why there is none.
enum Failed {
    /// The client is told this.
    Refused(Refusal),
    /// The servers could not be reached, or refused: with the last message that did.
    Servers(Error, Option<Bytes>),
}

/// Opens it, at one of the servers of `address`. A client that waits for long is told so. The error
/// is what the client is to be told; none if it has been, or has gone.
pub(super) async fn open(
    (service, settings): (&Service, &Settings),
    client: &mut Channel,
    registered: &mut Registered,
    startup: &Startup,
    (credential, address): (&Credential, &Address),
) -> Result<Opened, Option<Refusal>> {
    let entry = Arc::clone(&registered.entry);
    let opening = wait_and_log_in((service, settings), &entry, startup, (credential, address));
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
    let (ready, slot) = match opened {
        Ok(opened) => opened,
        Err(failed) => {
            super::admission::forget(settings, &entry.facts);
            if let Failed::Servers(Error::Server(_), Some(_)) = &failed {
                // The client hears it from the server.
                entry.database.count_failed_login();
            }
            return Err(told(client, failed).await);
        }
    };
    let place = ready.place.clone();
    let version = startup.version.min(ProtocolVersion::V3_2);
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
        tap: None,
        _slot: slot,
    })
}

async fn wait_and_log_in(
    (service, settings): (&Service, &Settings),
    entry: &Entry,
    startup: &Startup,
    (credential, address): (&Credential, &Address),
) -> Result<(Ready, Option<OwnedSemaphorePermit>), Failed> {
    let limits = &settings.config.limits;
    let slot = service.slot(settings).await.map_err(Failed::Refused)?;
    let mut deadline = Instant::now() + limits.server_wait_limit;
    let mut backoff = Backoff::new(RETRY.0, RETRY.1);
    let user = (startup, entry.facts.user.as_str());
    loop {
        if pass_gate(entry).await {
            // The gate may have been closed for longer than any server may be waited for.
            deadline = deadline.max(Instant::now() + limits.server_wait_limit / 4);
        }
        let login = OwnLogin::new(user, (credential, address), limits.login_timeout);
        let failed = match log_in(&login, address, deadline, limits.login_timeout).await {
            Ok(ready) => return Ok((ready, slot)),
            Err(error) => error,
        };
        let wait = backoff.next_wait();
        if !may_pass(&failed) || Instant::now() + wait >= deadline {
            return Err(Failed::Servers(failed, login.refusal()));
        }
        // A pause need not wait for what does not come about.
        entry.set_state(SessionState::Waiting);
        entry.gate().settled();
        tokio::time::sleep(wait).await;
    }
}

/// One attempt at all servers. They must be reached by `deadline`; a login that has begun by then may
/// take as long as logins may.
async fn log_in(
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
