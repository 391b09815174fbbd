//! The console's own door.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::console;
use super::login;
use crate::pg::connect::Stream;
use crate::proxy::channel::Channel;
use crate::proxy::config::{AdminAddress, ListenAddress, Sockets};
use crate::proxy::control::Facts;
use crate::proxy::greeting::{self, GreetingError, Wish};
use crate::proxy::listener::{self, ListenError};
use crate::proxy::notice::Refusal;
use crate::proxy::session;
use crate::proxy::unix_socket::UnixSocket;
use crate::wire::startup::Startup;

/// Conversations at a time: people, exporters and scripts; what strangers can make the proxy hold
/// open here.
const CONVERSATIONS_MAX: usize = 100;

/// How long accepting waits after the operating system has refused.
const REFUSED_WAIT: Duration = Duration::from_millis(100);

/// One door.
#[derive(Debug)]
pub enum Door {
    /// A port.
    Tcp(TcpListener),
    /// A socket's file, which goes when this does.
    Unix(UnixSocket),
}

/// Everybody may open it, as a server's: who comes in, the login decides.
const UNIX_MODE: u32 = 0o777;

/// Opens the doors at `address`: several where a name stands for several addresses. A local socket
/// that nobody answers on any more is replaced; where processes of the proxy run beside each other,
/// the newest has it.
///
/// # Errors
/// Names the address.
pub async fn open(address: &AdminAddress, sockets: Sockets) -> Result<Vec<Door>, ListenError> {
    let path = match address {
        AdminAddress::Tcp(address) => {
            let listeners = listener::bind_tcp(address, sockets).await?;
            return Ok(listeners.into_iter().map(Door::Tcp).collect());
        }
        AdminAddress::Unix { folder, port } => ListenAddress::unix_path(folder, *port),
    };
    let opened = match sockets.reuse_port {
        true => UnixSocket::bind_over(&path, UNIX_MODE),
        false => UnixSocket::bind(&path, UNIX_MODE),
    };
    let opened = opened.map_err(|source| ListenError {
        address: path.display().to_string(),
        source,
    })?;
    Ok(vec![Door::Unix(opened)])
}

impl Door {
    /// Where it is, for people.
    pub fn name(&self) -> String {
        match self {
            Door::Tcp(listener) => {
                let address = listener.local_addr();
                address.map_or(String::new(), |address| address.to_string())
            }
            Door::Unix(socket) => socket.path().display().to_string(),
        }
    }

    async fn accept(&self) -> io::Result<(Stream, String)> {
        match self {
            Door::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                listener::keep_alive(&stream)?;
                Ok((Stream::Tcp(stream), address.to_string()))
            }
            Door::Unix(socket) => Ok((Stream::Unix(socket.accept().await?), "local".to_owned())),
        }
    }
}

/// Serves the console at all `doors` for as long as it is polled.
pub async fn serve(doors: Vec<Door>, facts: Arc<Facts>) {
    let places = Arc::new(Semaphore::new(CONVERSATIONS_MAX));
    let mut serving = tokio::task::JoinSet::new();
    for door in doors {
        serving.spawn(serve_door(door, Arc::clone(&facts), Arc::clone(&places)));
    }
    while serving.join_next().await.is_some() {}
    // There are no doors.
    std::future::pending::<()>().await;
}

async fn serve_door(door: Door, facts: Arc<Facts>, places: Arc<Semaphore>) {
    loop {
        match door.accept().await {
            Ok((stream, address)) => match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => {
                    let facts = Arc::clone(&facts);
                    tokio::spawn(async move {
                        serve_one(stream, address, &facts).await;
                        drop(place);
                    });
                }
                Err(_) => {
                    let refusal = Refusal::new("53300", "too many connections to the console");
                    tokio::spawn(async move {
                        session::end(Channel::new(stream), Some(&refusal)).await;
                    });
                }
            },
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(_) => tokio::time::sleep(REFUSED_WAIT).await,
        }
    }
}

async fn serve_one(stream: Stream, address: String, facts: &Arc<Facts>) {
    let settings = facts.service.settings();
    let limit = settings.config.limits.login_timeout;
    let greeting = greeting::greet(stream, settings.tls.as_ref());
    match tokio::time::timeout(limit, greeting).await {
        Ok(Ok(Wish::Session(channel, startup))) => {
            serve_session(channel, &startup, address, facts).await;
        }
        // There is nothing to cancel.
        Ok(Ok(Wish::Cancel(..)) | Err(GreetingError::Closed)) => {}
        Ok(Err(error)) => tracing::info!(client = address, "console: {error}"),
        Err(_) => tracing::info!(client = address, "console: nothing of use within {limit:?}"),
    }
}

/// From a startup message to the end.
pub async fn serve_session(
    mut channel: Channel,
    startup: &Startup,
    address: String,
    facts: &Arc<Facts>,
) {
    let settings = facts.service.settings();
    let client = session::facts(startup, address, &channel.stream);
    let begun = (facts.service.as_ref(), settings.as_ref());
    let words = match login::log_in(begun, &mut channel, &client, startup).await {
        Ok(rights) => console::converse(&mut channel, facts, rights).await,
        Err(refusal) => refusal,
    };
    session::end(channel, words.as_ref()).await;
}
