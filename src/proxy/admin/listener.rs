//! The console's own door.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;

use super::console;
use super::login;
use crate::pg::connect::Stream;
use crate::proxy::channel::Channel;
use crate::proxy::config::AdminAddress;
use crate::proxy::control::Facts;
use crate::proxy::greeting::{self, GreetingError, Wish};
use crate::proxy::listener::{self, ListenError};
use crate::proxy::notice::Refusal;
use crate::proxy::session;
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
    /// A socket's file.
    Unix(UnixListener, SocketFile),
}

/// A socket's file, which goes when this does.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Which file it is: a proxy that has taken the name over keeps its own.
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|file| file.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Opens the doors at `address`: several where a name stands for several addresses.
///
/// # Errors
/// Names the address.
pub async fn open(address: &AdminAddress) -> Result<Vec<Door>, ListenError> {
    let Some(path) = address.socket_path() else {
        let listeners = listener::bind(&address.to_string()).await?;
        return Ok(listeners.into_iter().map(Door::Tcp).collect());
    };
    let opened = open_socket(&path).map_err(|source| ListenError {
        address: path.display().to_string(),
        source,
    });
    Ok(vec![opened?])
}

/// Everybody may open it, as a server's: who comes in, the login decides. One that nobody answers
/// on any more is replaced.
fn open_socket(path: &Path) -> io::Result<Door> {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    if is_socket {
        if BlockingStream::connect(path).is_ok() {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    let file = SocketFile {
        path: path.to_owned(),
        inode: fs::symlink_metadata(path)?.ino(),
    };
    fs::set_permissions(path, Permissions::from_mode(0o777))?;
    Ok(Door::Unix(listener, file))
}

impl Door {
    /// Where it is, for people.
    pub fn name(&self) -> String {
        match self {
            Door::Tcp(listener) => {
                let address = listener.local_addr();
                address.map_or(String::new(), |address| address.to_string())
            }
            Door::Unix(_, file) => file.path.display().to_string(),
        }
    }

    async fn accept(&self) -> io::Result<(Stream, String)> {
        match self {
            Door::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                listener::keep_alive(&stream)?;
                Ok((Stream::Tcp(stream), address.to_string()))
            }
            Door::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok((Stream::Unix(stream), "local".to_owned()))
            }
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
