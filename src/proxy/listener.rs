//! Where clients connect.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};

use super::service::Service;
use super::session;
use super::workers::Workers;
use crate::pg::connect::Stream;

/// How long accepting waits after the operating system has refused: with no file descriptor left,
/// it would refuse again at once.
const REFUSED_WAIT: Duration = Duration::from_millis(100);

/// How long a client may be silent before its machine is asked whether it is there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("listening on {address}")]
pub struct ListenError {
    /// As it was given.
    pub address: String,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// Listens on `HOST:PORT`, and on every address that the name stands for.
///
/// # Errors
/// Names the address.
pub async fn bind(address: &str) -> Result<Vec<TcpListener>, ListenError> {
    let failed = |source| ListenError {
        address: address.to_owned(),
        source,
    };
    let mut listeners = Vec::new();
    for place in tokio::net::lookup_host(address).await.map_err(failed)? {
        listeners.push(TcpListener::bind(place).await.map_err(failed)?);
    }
    Ok(listeners)
}

/// Accepts clients for as long as it is polled, whatever happens to any of them. Cancel safe.
pub async fn accept(listener: TcpListener, service: Arc<Service>, workers: Arc<Workers>) {
    let mut is_refused = false;
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                is_refused = false;
                if let Ok(stream) = prepare(stream) {
                    let service = Arc::clone(&service);
                    workers.spawn(async move {
                        // To this thread's event queue.
                        if let Ok(stream) = TcpStream::from_std(stream) {
                            let stream = Stream::Tcp(stream);
                            session::serve(service, stream, address.to_string()).await;
                        }
                    });
                }
            }
            // A client that went away before it was looked at.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                if !std::mem::replace(&mut is_refused, true) {
                    tracing::warn!("clients cannot be accepted now, and wait: {error}");
                }
                tokio::time::sleep(REFUSED_WAIT).await;
            }
        }
    }
}

fn prepare(stream: TcpStream) -> io::Result<std::net::TcpStream> {
    keep_alive(&stream)?;
    stream.into_std()
}

/// What is short goes out at once, and a client whose machine has gone is noticed.
pub(super) fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_keepalive(true)?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))
}
