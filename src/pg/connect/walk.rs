//! Hosts and their addresses in order, until one lets us in and fits.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use rand::seq::SliceRandom;
use tokio::net::UnixStream;

use super::encryption::{Encryption, attempts, may_differ, secure};
use super::stream::Stream;
use super::tcp;
use crate::pg::Error;
use crate::pg::address::{Address, Host, TargetSessionAttrs};

/// What is said once the socket is open.
pub trait Login {
    /// A logged-in connection.
    type Opened;

    /// Logs in to `host` over `stream`.
    fn log_in(
        &self,
        stream: Stream,
        host: &Host,
    ) -> impl Future<Output = Result<Self::Opened, Error>>;

    /// Asks [`ROLE_QUERY`].
    fn role(&self, opened: &mut Self::Opened) -> impl Future<Output = Result<ServerRole, Error>>;
}

/// Gives two booleans as `t` and `f`: in recovery, read-only by default.
pub const ROLE_QUERY: &str = "SELECT pg_catalog.pg_is_in_recovery()::pg_catalog.text, \
     (pg_catalog.current_setting('default_transaction_read_only') = 'on')::pg_catalog.text";

/// What `target_session_attrs` looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerRole {
    /// A standby.
    pub in_recovery: bool,
    /// Transactions begin read-only, be it a standby or not.
    pub read_only: bool,
}

impl ServerRole {
    /// From the two columns of [`ROLE_QUERY`].
    pub fn of_columns(recovery: &str, read_only: &str) -> Self {
        let is_true = |text: &str| text.starts_with('t');
        ServerRole {
            in_recovery: is_true(recovery),
            read_only: is_true(read_only) || is_true(recovery),
        }
    }

    fn fits(self, wanted: TargetSessionAttrs) -> bool {
        match wanted {
            TargetSessionAttrs::Any | TargetSessionAttrs::PreferStandby => true,
            TargetSessionAttrs::ReadWrite => !self.read_only,
            TargetSessionAttrs::ReadOnly => self.read_only,
            TargetSessionAttrs::Primary => !self.in_recovery,
            TargetSessionAttrs::Standby => self.in_recovery,
        }
    }
}

/// Opens the first connection that fits the address.
///
/// # Errors
/// That of the last server tried. A server that was reached and refuses the login ends the search,
/// unless it is only starting up: the others would be asked for the same wrong password.
pub async fn open<L: Login>(address: &Address, login: &L) -> Result<L::Opened, Error> {
    let passes: &[TargetSessionAttrs] = match address.target_session_attrs() {
        TargetSessionAttrs::PreferStandby => {
            &[TargetSessionAttrs::Standby, TargetSessionAttrs::Any]
        }
        _ => &[address.target_session_attrs()],
    };
    let mut hosts: Vec<&Host> = address.hosts().iter().collect();
    if address.balances_load() {
        hosts.shuffle(&mut rand::rng());
    }
    let mut failed = None;
    for wanted in passes {
        for host in &hosts {
            match open_host(address, host, login, *wanted).await {
                Ok(opened) => return Ok(opened),
                Err(error) if others_may_fit(&error) => failed = Some(error),
                Err(error) => return Err(error),
            }
        }
    }
    Err(failed.unwrap_or_else(Error::closed))
}

fn others_may_fit(error: &Error) -> bool {
    match error {
        Error::Server(error) => error.sqlstate == "57P03",
        _ => true,
    }
}

async fn open_host<L: Login>(
    address: &Address,
    host: &Host,
    login: &L,
    wanted: TargetSessionAttrs,
) -> Result<L::Opened, Error> {
    let mut last = Error::closed();
    for place in places(address, host).await? {
        match within_limit(address, host, open_place(address, host, &place, login)).await {
            Ok(mut opened) => {
                if wanted == TargetSessionAttrs::Any || login.role(&mut opened).await?.fits(wanted)
                {
                    return Ok(opened);
                }
                last = Error::WrongRole {
                    address: host.to_string(),
                    wanted: address.target_session_attrs().as_str(),
                };
            }
            Err(error) if others_may_fit(&error) => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// Something to open a socket to.
enum Place {
    Tcp(SocketAddr),
    Socket(std::path::PathBuf),
}

async fn places(address: &Address, host: &Host) -> Result<Vec<Place>, Error> {
    if let Some(path) = host.socket_path() {
        return Ok(vec![Place::Socket(path)]);
    }
    let found = within_limit(address, host, async {
        tcp::addresses(host)
            .await
            .map_err(|source| refused(host, source))
    });
    let mut found = found.await?;
    if address.balances_load() {
        found.shuffle(&mut rand::rng());
    }
    Ok(found.into_iter().map(Place::Tcp).collect())
}

async fn within_limit<T>(
    address: &Address,
    host: &Host,
    attempt: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let Some(limit) = address.connect_timeout() else {
        return attempt.await;
    };
    match tokio::time::timeout(limit, attempt).await {
        Ok(done) => done,
        Err(_) => {
            let text = format!("no answer within connect_timeout={}", limit.as_secs());
            Err(refused(host, io::Error::new(io::ErrorKind::TimedOut, text)))
        }
    }
}

async fn open_place<L: Login>(
    address: &Address,
    host: &Host,
    place: &Place,
    login: &L,
) -> Result<L::Opened, Error> {
    let to = match place {
        Place::Socket(path) => {
            let stream = local(path, host, address).await?;
            return login.log_in(stream, host).await;
        }
        Place::Tcp(to) => *to,
    };
    let mut first = None;
    for encryption in attempts(address.ssl_mode()) {
        match open_tcp(address, host, to, *encryption, login).await {
            Ok(opened) => return Ok(opened),
            Err(error) if may_differ(&error) => first = first.or(Some(error)),
            // What the way that was tried first met says more than what followed.
            Err(error) => return Err(first.unwrap_or(error)),
        }
    }
    Err(first.unwrap_or_else(Error::closed))
}

async fn open_tcp<L: Login>(
    address: &Address,
    host: &Host,
    to: SocketAddr,
    encryption: Encryption,
    login: &L,
) -> Result<L::Opened, Error> {
    let socket = tcp::connect(to, address)
        .await
        .map_err(|source| refused(host, source))?;
    let stream = secure(socket, encryption, host, address).await?;
    login.log_in(stream, host).await
}

/// A local socket, whose owner is the one that `requirepeer` names.
async fn local(path: &Path, host: &Host, address: &Address) -> Result<Stream, Error> {
    let failed = |source| refused(host, source);
    let stream = UnixStream::connect(path).await.map_err(failed)?;
    if let Some(wanted) = address.setting("requirepeer") {
        let uid = stream.peer_cred().map_err(failed)?.uid();
        let user = nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid));
        let name = user.ok().flatten().map(|user| user.name);
        if name.as_deref() != Some(wanted) {
            return Err(Error::Auth {
                address: host.to_string(),
                problem: format!("the server does not run as requirepeer={wanted}"),
            });
        }
    }
    Ok(Stream::Unix(stream))
}

fn refused(host: &Host, source: io::Error) -> Error {
    Error::Refused {
        address: host.to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standby_is_read_only_and_a_read_only_primary_is_a_primary() {
        let standby = ServerRole::of_columns("true", "false");
        let read_only = ServerRole::of_columns("f", "t");
        assert!(standby.fits(TargetSessionAttrs::ReadOnly));
        assert!(!standby.fits(TargetSessionAttrs::Primary));
        assert!(read_only.fits(TargetSessionAttrs::Primary));
        assert!(!read_only.fits(TargetSessionAttrs::ReadWrite));
        assert!(!read_only.fits(TargetSessionAttrs::Standby));
    }
}
