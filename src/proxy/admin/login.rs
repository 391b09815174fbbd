//! Who may come in, and what for.

use nix::unistd::geteuid;

use super::answer;
use crate::pg::connect::Stream;
use crate::proxy::admission;
use crate::proxy::channel::{Channel, ChannelError};
use crate::proxy::config::Admin;
use crate::proxy::config::admin::CONSOLE_NAMES;
use crate::proxy::login::LoginError;
use crate::proxy::notice::Refusal;
use crate::proxy::registry::ClientFacts;
use crate::proxy::service::{Service, Settings};
use crate::wire::startup::{CancelKey, ProtocolVersion, Startup};

/// The name by which the account that the proxy runs as comes in without a password, over a local
/// socket.
const OWN_NAME: &str = "pgflit";

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// Everything.
    Full,
    /// Look.
    ReadOnly,
}

/// What `user` may do; none if it has no business here.
pub fn rights(admin: &Admin, user: &str) -> Option<Rights> {
    let is_in = |names: &[String]| names.iter().any(|name| name == user);
    match () {
        () if is_in(&admin.users) => Some(Rights::Full),
        () if is_in(&admin.read_only_users) => Some(Rights::ReadOnly),
        () => None,
    }
}

/// Lets a client in, or not. The error is what it is to be told; none if it has gone.
pub async fn log_in(
    (service, settings): (&Service, &Settings),
    channel: &mut Channel,
    facts: &ClientFacts,
    startup: &Startup,
) -> Result<Rights, Option<Refusal>> {
    if facts.user.is_empty() {
        let problem = "no PostgreSQL user name specified in startup packet";
        return Err(Some(Refusal::new("28000", problem)));
    }
    let rights = match is_own_account(&channel.stream) && facts.user == OWN_NAME {
        true => {
            greet_without_password(channel, startup).await?;
            Rights::Full
        }
        false => {
            let begun = (settings, &settings.admin_policy);
            let shown = admission::authenticate(service, begun, channel, facts, startup);
            let limit = settings.config.limits.login_timeout;
            let shown = tokio::time::timeout(limit, shown).await;
            match shown {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(told(error)),
                Err(_) => return Err(Some(Refusal::new("57014", "the login took too long"))),
            }
            // Only who has shown the password learns whether it helps.
            let admin = settings.config.admin.as_ref();
            let found = admin.and_then(|admin| rights(admin, &facts.user));
            found.ok_or_else(|| {
                let user = &facts.user;
                let message = format!("user \"{user}\" is no administrator of the proxy");
                Some(Refusal::new("28000", message))
            })?
        }
    };
    if !CONSOLE_NAMES.contains(&facts.database.as_str()) {
        let message = format!("database \"{}\" is not here", facts.database);
        let refusal = Refusal::new("3D000", message);
        return Err(Some(refusal.hint("The console is the database pgflit.")));
    }
    let sent = channel.send(&welcome()).await;
    sent.map_err(|_| None)?;
    let (client, user) = (&facts.address, &facts.user);
    match rights {
        Rights::Full => tracing::info!(client, user, "logged in to the console"),
        // Exporters come every few seconds.
        Rights::ReadOnly => tracing::debug!(client, user, "logged in to the console, to look"),
    }
    Ok(rights)
}

/// Whether the process at the other end of a local socket runs as the account that this one does.
fn is_own_account(stream: &Stream) -> bool {
    match stream {
        Stream::Unix(socket) => {
            let peer = socket.peer_cred();
            peer.is_ok_and(|peer| peer.uid() == geteuid().as_raw())
        }
        Stream::Tcp(_) | Stream::Tls(_) => false,
    }
}

/// What a login begins with where no password is asked for.
async fn greet_without_password(
    channel: &mut Channel,
    startup: &Startup,
) -> Result<(), Option<Refusal>> {
    let spoken = startup.version.min(ProtocolVersion::V3_2);
    let Some(negotiation) = startup.negotiation(spoken) else {
        return Ok(());
    };
    let sent = channel.send(&negotiation.encode()).await;
    sent.map_err(|_| None)
}

fn told(error: LoginError) -> Option<Refusal> {
    match error {
        LoginError::Refused(refusal) => Some(refusal),
        LoginError::Client(ChannelError::Closed(_)) => None,
        LoginError::Client(error) => Some(Refusal::protocol(error)),
        // There is no server here.
        LoginError::Server(_) | LoginError::NotNow(_) | LoginError::RefusedByServer { .. } => None,
    }
}

/// What a server says behind a login.
fn welcome() -> Vec<u8> {
    let mut out = Vec::new();
    answer::authentication_ok(&mut out);
    for (name, value) in [
        (
            "server_version",
            concat!(env!("CARGO_PKG_VERSION"), "/pgflit"),
        ),
        ("client_encoding", "UTF8"),
        ("server_encoding", "UTF8"),
        ("DateStyle", "ISO"),
        ("TimeZone", "UTC"),
        ("integer_datetimes", "on"),
        ("standard_conforming_strings", "on"),
        ("is_superuser", "off"),
    ] {
        answer::parameter_status(&mut out, name, value);
    }
    // Some drivers need one. Nothing here takes long enough to be cancelled.
    let secret: [u8; 4] = rand::random();
    if let Some(key) = CancelKey::new(std::process::id(), &secret) {
        out.extend_from_slice(&key.backend_key_data());
    }
    answer::ready(&mut out, false);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_those_of_the_list_that_names_the_user() {
        let admin = Admin {
            users: vec!["ann".to_owned()],
            read_only_users: vec!["bob".to_owned()],
            ..Admin::default()
        };
        assert_eq!(rights(&admin, "ann"), Some(Rights::Full));
        assert_eq!(rights(&admin, "bob"), Some(Rights::ReadOnly));
        assert_eq!(rights(&admin, "app"), None);
    }
}
