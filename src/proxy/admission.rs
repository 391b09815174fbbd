//! Whether a client is let in, and where to.

use std::time::Instant;

use super::auth::{Claim, Policy};
use super::channel::Channel;
use super::client_tls::certificate_name;
use super::config::rules::Peer;
use super::config::tls::TlsMode;
use super::login::{Authentication, LoginError, client};
use super::notice::Refusal;
use super::registry::ClientFacts;
use super::service::{Service, Settings};
use crate::pg::Address;
use crate::wire::startup::Startup;

/// Finds out who the client is, unless the server is to.
///
/// # Errors
/// It has gone, or is refused and not told yet.
pub async fn authenticate(
    service: &Service,
    (settings, policy): (&Settings, &Policy),
    channel: &mut Channel,
    facts: &ClientFacts,
    startup: &Startup,
) -> Result<Authentication, LoginError> {
    let address = channel.stream.peer_address();
    let config = &settings.config;
    let must_encrypt = config
        .tls
        .as_ref()
        .is_some_and(|tls| tls.mode == TlsMode::Require)
        // What passes through a local socket leaves the machine nowhere.
        && address.is_some();
    if must_encrypt && !facts.is_encrypted {
        let refusal = Refusal::new("28000", "this proxy takes encrypted connections only");
        return Err(LoginError::Refused(
            refusal.hint("Connect with sslmode=require."),
        ));
    }
    let limited = address.zip(config.limits.max_failed_logins_per_minute);
    if let Some((address, per_minute)) = limited
        && let Some(wait) = service.failures.wait(address, per_minute, Instant::now())
    {
        tracing::warn!(
            client = facts.address,
            "refused: too many failed logins from there"
        );
        let message = format!(
            "too many failed logins from this address; try again in {} s",
            wait.as_secs() + 1
        );
        return Err(LoginError::Refused(Refusal::new("28000", message)));
    }
    let claim = Claim {
        user: facts.user.clone(),
        database: facts.database.clone(),
        peer: Peer {
            address,
            is_encrypted: facts.is_encrypted,
        },
        certificate_name: certificate_name(&channel.stream),
        end_point: settings.end_point.clone().filter(|_| facts.is_encrypted),
    };
    let authentication = client::authenticate(channel, startup, claim, policy).await;
    if let Err(LoginError::Refused(refusal)) = &authentication {
        tracing::info!(client = facts.address, "refused: {}", refusal.message);
        count_failure(service, settings, channel);
    }
    authentication
}

/// A login from the client's address has failed.
pub fn count_failure(service: &Service, settings: &Settings, channel: &Channel) {
    let per_minute = settings.config.limits.max_failed_logins_per_minute;
    if let Some((address, per_minute)) = channel.stream.peer_address().zip(per_minute) {
        service.failures.count(address, per_minute, Instant::now());
    }
}

/// The server for what the client asks for, and what is asked of it there.
///
/// # Errors
/// There is no such database here.
pub fn destination(settings: &Settings, startup: &Startup) -> Result<(Startup, Address), Refusal> {
    let asked = String::from_utf8_lossy(startup.database().unwrap_or_default()).into_owned();
    let databases = &settings.config.databases;
    let found = settings.config.database(&asked).or_else(|| {
        // Physical replication is of no database.
        let names_none = startup.parameter("database").is_none();
        let replicates = startup.parameter("replication").is_some();
        databases.first().filter(|_| names_none && replicates)
    });
    let Some(database) = found else {
        let message = format!("database \"{asked}\" does not exist here");
        return Err(Refusal::new("3D000", message));
    };
    let address = database.source.address(&asked);
    Ok((database.source.renamed(startup), address))
}
