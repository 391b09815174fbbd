//! Whether a client is let in, and where to.

use std::time::Instant;

use nix::unistd::{Uid, User};

use super::auth::{Claim, Policy};
use super::channel::Channel;
use super::client_tls::certificate_name;
use super::config::rules::{Method, Peer, Place};
use super::config::tls::TlsMode;
use super::login::{Authentication, LoginError, client};
use super::notice::Refusal;
use super::registry::ClientFacts;
use super::service::{Service, Settings};
use crate::base::Side;
use crate::pg::Address;
use crate::pg::connect::Stream;
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
        .is_some_and(|tls| tls.mode == TlsMode::Require);
    let is_local = matches!(channel.stream, Stream::Unix(_));
    if must_encrypt && !facts.is_encrypted && !is_local {
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
    let peer = Peer {
        place: match is_local {
            true => Place::Local,
            false => Place::Address(address),
        },
        is_encrypted: facts.is_encrypted,
    };
    let rule = policy.rule(&peer, &facts.database, &facts.user);
    let method = rule.map(|rule| rule.method);
    let claim = Claim {
        user: facts.user.clone(),
        database: facts.database.clone(),
        peer,
        os_user: match method {
            Some(Method::Peer) => os_user(&channel.stream).await,
            _ => None,
        },
        certificate_name: certificate_name(&channel.stream),
        end_point: settings.end_point.clone().filter(|_| facts.is_encrypted),
    };
    // The console's own rules are for the users of the file.
    let looked_up = match std::ptr::eq(policy, &raw const settings.policy) {
        true => {
            let side = service.registry.turns().side();
            look_up((settings, side), method, facts).await
        }
        false => Ok(None),
    };
    let looked_up = looked_up.map_err(LoginError::Refused)?;
    let policy = looked_up.as_ref().unwrap_or(policy);
    let authentication = client::authenticate(channel, startup, claim, policy).await;
    if let Err(LoginError::Refused(refusal)) = &authentication {
        tracing::info!(client = facts.address, "refused: {}", refusal.message);
        count_failure(service, settings, channel);
        forget((settings, service.registry.turns().side()), facts);
    }
    authentication
}

/// What is known on the server of a user who is in no file, if a password is to be shown.
async fn look_up(
    (settings, side): (&Settings, Side),
    method: Option<Method>,
    ClientFacts { user, database, .. }: &ClientFacts,
) -> Result<Option<Policy>, Refusal> {
    let shows_password = matches!(method, Some(Method::Scram | Method::Md5 | Method::Password));
    let is_known = settings.policy.user(user).is_some();
    let Some(lookup) = settings
        .lookup
        .as_ref()
        .filter(|_| shows_password && !is_known)
    else {
        return Ok(None);
    };
    match lookup
        .find((&settings.config, side), (database, user))
        .await
    {
        Ok(found) => Ok(Some(settings.policy.of_one(found, lookup))),
        Err(error) => Err(error.refusal()),
    }
}

/// The client's login has failed: if it was looked up, it is looked up again next time.
pub fn forget(
    (settings, side): (&Settings, Side),
    ClientFacts { user, database, .. }: &ClientFacts,
) {
    if let Some(lookup) = &settings.lookup {
        lookup.forget((&settings.config, side), (database, user));
    }
}

/// The operating system's user at the other end of a local socket.
async fn os_user(stream: &Stream) -> Option<String> {
    let Stream::Unix(stream) = stream else {
        return None;
    };
    let uid = Uid::from_raw(stream.peer_cred().ok()?.uid());
    // Names may be on another machine.
    let look_up = tokio::task::spawn_blocking(move || User::from_uid(uid));
    Some(look_up.await.ok()?.ok()??.name)
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
pub fn destination(
    settings: &Settings,
    startup: &Startup,
    side: Side,
) -> Result<(Startup, Address), Refusal> {
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
    let server = database.server(side);
    Ok((server.renamed(startup), server.address(&asked)))
}
