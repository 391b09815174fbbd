//! Connections to servers: opened on behalf of a client, nothing said yet.

use std::time::{Duration, Instant};

use crate::base::Remedy;
use crate::base::backoff::Backoff;
use crate::pg::address::{Endpoint, Host};
use crate::pg::connect::{self, Login, ServerRole, Stream};
use crate::pg::{Address, Error};

/// The first wait before a server that could not be reached is tried again, and the longest.
pub const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// The very server that a session is on, among those that its address may mean.
#[derive(Debug, Clone)]
pub struct ServerPlace {
    address: Address,
}

impl ServerPlace {
    /// The host and the port; a socket's folder is a host.
    pub fn host(&self) -> (String, u16) {
        host_of(&self.address)
    }
}

/// The first host of an address and its port; a socket's folder is a host.
pub fn host_of(address: &Address) -> (String, u16) {
    let first = address.hosts().first();
    let (host, port) = first.map_or((String::new(), 0), |host| {
        let name = match &host.endpoint {
            Endpoint::Tcp {
                address: Some(address),
                ..
            } => address.to_string(),
            Endpoint::Tcp { host: name, .. } => name.clone(),
            Endpoint::Unix(folder) => folder.display().to_string(),
        };
        (name, host.port)
    });
    (host, port)
}

/// A socket to a server, encrypted as its address asks for.
#[derive(Debug)]
pub struct OpenServer {
    /// The socket.
    pub stream: Stream,
    /// Where it leads.
    pub place: ServerPlace,
}

/// Opens a connection to one of the servers of `address`, trying again until `deadline` while none
/// can be reached. Cancel safe: what was opened is closed.
///
/// # Errors
/// That of the last attempt.
pub async fn open(address: &Address, deadline: Instant) -> Result<OpenServer, Error> {
    let mut backoff = Backoff::new(RETRY.0, RETRY.1);
    let nothing_said = NothingSaid { address };
    loop {
        let attempt = connect::open(address, &nothing_said);
        let left = deadline.saturating_duration_since(Instant::now());
        let failed = match tokio::time::timeout(left, attempt).await {
            Ok(Ok(opened)) => return Ok(opened),
            Ok(Err(error)) if error.remedy() == Remedy::Retry => error,
            Ok(Err(error)) => return Err(error),
            Err(_) => return Err(no_answer(address)),
        };
        let wait = backoff.next_wait();
        if Instant::now() + wait >= deadline {
            return Err(failed);
        }
        tokio::time::sleep(wait).await;
    }
}

/// Opens a connection to one of the servers of `address`, each of which is tried once. Cancel safe.
///
/// # Errors
/// None of them can be reached.
pub async fn open_once(address: &Address) -> Result<OpenServer, Error> {
    connect::open(address, &NothingSaid { address }).await
}

/// Opens another connection to the same server, to cancel there.
pub async fn open_again(place: &ServerPlace) -> Result<Stream, Error> {
    let address = &place.address;
    Ok(connect::open(address, &NothingSaid { address })
        .await?
        .stream)
}

/// None of the servers of `address` has answered in time.
pub fn no_answer(address: &Address) -> Error {
    let hosts: Vec<_> = address.hosts().iter().map(ToString::to_string).collect();
    Error::Refused {
        address: hosts.join(", "),
        source: std::io::ErrorKind::TimedOut.into(),
    }
}

/// A login that is left to the client.
struct NothingSaid<'a> {
    address: &'a Address,
}

impl ServerPlace {
    /// Where `stream`, to `host` of `address`, leads.
    pub fn of(stream: &Stream, host: &Host, address: &Address) -> Self {
        let mut host = host.clone();
        // A name may stand for several servers; cancel requests go to the one that this is.
        if let (Endpoint::Tcp { address, .. }, Some(peer)) =
            (&mut host.endpoint, stream.peer_address())
        {
            *address = Some(peer);
        }
        ServerPlace {
            // Its role has been looked at, if it matters.
            address: address.at(&host).of_any_role(),
        }
    }
}

impl Login for NothingSaid<'_> {
    type Opened = OpenServer;

    async fn log_in(&self, stream: Stream, host: &Host) -> Result<OpenServer, Error> {
        let place = ServerPlace::of(&stream, host, self.address);
        Ok(OpenServer { stream, place })
    }

    /// Never asked: with a role that matters, the proxy logs in itself, or the configuration is
    /// refused.
    async fn role(&self, _: &mut OpenServer) -> Result<ServerRole, Error> {
        Err(Error::Protocol(
            "the role of a server is not known before a login".to_owned(),
        ))
    }
}
