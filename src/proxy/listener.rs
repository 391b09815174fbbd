//! Where clients connect: over TCP, and by Unix sockets.
//!
//! # How a process stops listening beside another, and nobody is lost
//! Closing a socket resets whoever waits there to be accepted, or is about to, although another
//! process listens on the same address: the operating system has given each connection to one of the
//! sockets with its first packet. So that packet is dropped here from then on (it is sent again after
//! a second, and by then there is only the other socket), what is under way arrives and is accepted,
//! and then the socket is closed. A Unix socket only loses its name: whoever has connected is in its
//! queue.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockFilter, SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixStream};
use tokio::sync::watch;

use super::config::listen::{DEFAULT_PORT, ListenAddress, Sockets};
use super::service::Service;
use super::session;
use super::unix_socket::UnixSocket;
use super::workers::Workers;
use crate::pg::connect::Stream;

/// How long accepting waits after the operating system has refused: with no file descriptor left,
/// it would refuse again at once.
const REFUSED_WAIT: Duration = Duration::from_millis(100);

/// How long a client may be silent before its machine is asked whether it is there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// How long a connection may take from the client's first packet to its second: less than the second
/// after which a first packet that was dropped is sent again.
const HANDSHAKE_MAX: Duration = Duration::from_millis(500);

/// Clients that the operating system lets wait until they are accepted: what a second of logins
/// brings.
pub const BACKLOG: u32 = 1024;

/// What local clients are shown to connect from, as PgBouncer shows them.
const LOCAL: &str = "unix";

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

/// A socket that clients connect to.
#[derive(Debug)]
pub enum Listener {
    /// One address of this machine.
    Tcp(TcpListener),
    /// A file, which goes when this does.
    Unix(UnixSocket),
}

/// Listens on all of `addresses`, and on every address that a name stands for. Unix sockets are
/// last: they have the number of the first port if they have none of their own. Those that `others`
/// listen on, which are processes of the same proxy, are taken over.
///
/// # Errors
/// Names the address.
pub async fn bind(
    addresses: &[ListenAddress],
    sockets: Sockets,
    others: &[String],
) -> Result<Vec<Listener>, ListenError> {
    let mut listeners: Vec<TcpListener> = Vec::new();
    for address in addresses {
        listeners.append(&mut bind_tcp(address, sockets).await?);
    }
    let first = listeners.first().and_then(|first| first.local_addr().ok());
    let first = first.map_or(DEFAULT_PORT, |first| first.port());
    let mut listeners: Vec<_> = listeners.into_iter().map(Listener::Tcp).collect();
    for address in addresses {
        if let ListenAddress::Unix { folder, port } = address {
            let path = ListenAddress::unix_path(folder, port.unwrap_or(first));
            let socket = unix(&path, sockets, others);
            let socket = socket.map_err(|source| ListenError {
                address: path.display().to_string(),
                source,
            })?;
            listeners.push(Listener::Unix(socket));
        }
    }
    Ok(listeners)
}

/// Listens on the ports of `address`; there are none of a Unix socket.
///
/// # Errors
/// Names the address.
pub async fn bind_tcp(
    address: &ListenAddress,
    sockets: Sockets,
) -> Result<Vec<TcpListener>, ListenError> {
    let bound = match address {
        ListenAddress::Host(text) => host(text, sockets).await,
        ListenAddress::Everywhere { port } => everywhere(*port, sockets),
        ListenAddress::Unix { .. } => Ok(Vec::new()),
    };
    bound.map_err(|source| ListenError {
        address: address.to_string(),
        source,
    })
}

async fn host(text: &str, sockets: Sockets) -> io::Result<Vec<TcpListener>> {
    let places = tokio::net::lookup_host(text).await?;
    places.map(|place| tcp(place, sockets)).collect()
}

/// Both families, each with a socket of its own, on the same port. A machine may have one alone.
fn everywhere(port: u16, sockets: Sockets) -> io::Result<Vec<TcpListener>> {
    let four = supported(tcp((Ipv4Addr::UNSPECIFIED, port).into(), sockets))?;
    let port = match &four {
        Some(four) => four.local_addr()?.port(),
        None => port,
    };
    let six = supported(tcp((Ipv6Addr::UNSPECIFIED, port).into(), sockets))?;
    let both: Vec<_> = [four, six].into_iter().flatten().collect();
    match both.is_empty() {
        true => Err(io::ErrorKind::AddrNotAvailable.into()),
        false => Ok(both),
    }
}

/// None where this machine has not the family.
fn supported(bound: io::Result<TcpListener>) -> io::Result<Option<TcpListener>> {
    match bound {
        Ok(listener) => Ok(Some(listener)),
        Err(error)
            if error.kind() == io::ErrorKind::AddrNotAvailable
                || error.raw_os_error() == Some(nix::libc::EAFNOSUPPORT) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn tcp(place: SocketAddr, sockets: Sockets) -> io::Result<TcpListener> {
    let socket = match place {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => {
            let socket = TcpSocket::new_v6()?;
            // As PostgreSQL: what an address does not say, it does not take.
            SockRef::from(&socket).set_only_v6(true)?;
            socket
        }
    };
    // What connections of before are left is no hindrance.
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(sockets.reuse_port)?;
    socket.bind(place)?;
    socket.listen(BACKLOG)
}

fn unix(path: &Path, sockets: Sockets, others: &[String]) -> io::Result<UnixSocket> {
    let is_ours = others.iter().any(|other| Path::new(other) == path);
    match is_ours {
        true => UnixSocket::bind_over(path, sockets.unix_mode),
        false => UnixSocket::bind(path, sockets.unix_mode),
    }
}

impl Listener {
    /// Where it listens, for people.
    pub fn place(&self) -> String {
        match self {
            Listener::Tcp(listener) => match listener.local_addr() {
                Ok(address) => address.to_string(),
                Err(_) => "an address that is not known".to_owned(),
            },
            Listener::Unix(socket) => socket.path().display().to_string(),
        }
    }

    async fn next(&self) -> io::Result<Accepted> {
        match self {
            Listener::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                Ok(Accepted::Tcp(stream.into_std()?, address))
            }
            Listener::Unix(socket) => Ok(Accepted::Unix(socket.accept().await?.into_std()?)),
        }
    }

    /// Whoever waits to be accepted; an error, too, if nobody does.
    fn next_waiting(&self) -> io::Result<Accepted> {
        let socket = match self {
            Listener::Tcp(listener) => SockRef::from(listener),
            Listener::Unix(socket) => socket.socket(),
        };
        let (stream, address) = socket.accept()?;
        stream.set_nonblocking(true)?;
        match address.as_socket() {
            Some(address) => Ok(Accepted::Tcp(stream.into(), address)),
            None => Ok(Accepted::Unix(stream.into())),
        }
    }

    /// From now on clients connect elsewhere, or nowhere.
    fn turn_away(&self) -> io::Result<()> {
        match self {
            Listener::Tcp(listener) => SockRef::from(listener).attach_filter(&NOT_SYN),
            Listener::Unix(socket) => {
                socket.unlink();
                Ok(())
            }
        }
    }
}

/// Passes everything but the first packet of a connection. What a filter of a TCP socket sees
/// begins with the TCP header, in which byte 13 has the flags (RFC 9293, section 3.1): SYN is 2, ACK
/// 16, and the first packet has the one without the other.
const NOT_SYN: [SockFilter; 5] = [
    SockFilter::new(0x30, 0, 0, 13),       // load that byte
    SockFilter::new(0x54, 0, 0, 0x12),     // and 0x12
    SockFilter::new(0x15, 0, 1, 0x02),     // is it 2?
    SockFilter::new(0x06, 0, 0, 0),        // then drop
    SockFilter::new(0x06, 0, 0, u32::MAX), // else pass
];

/// Somebody who connected. The streams are not blocking, and in no event queue.
enum Accepted {
    Tcp(std::net::TcpStream, SocketAddr),
    Unix(std::os::unix::net::UnixStream),
}

/// Accepts clients, whatever happens to any of them, until `closing` is true; then those who wait to
/// be accepted, and nobody else.
pub async fn accept(
    listener: Listener,
    service: Arc<Service>,
    workers: Arc<Workers>,
    mut closing: watch::Receiver<bool>,
) {
    let accept_all = async {
        let mut is_refused = false;
        loop {
            match listener.next().await {
                Ok(accepted) => {
                    is_refused = false;
                    begin(accepted, &service, &workers);
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
    };
    tokio::pin!(accept_all);
    tokio::select! {
        () = &mut accept_all => {}
        _ = closing.wait_for(|closing| *closing) => {}
    }
    let is_shared = service.settings().config.sockets.reuse_port;
    let turned_away = match is_shared || matches!(listener, Listener::Unix(_)) {
        true => listener.turn_away(),
        false => Ok(()),
    };
    if let Err(error) = turned_away {
        tracing::warn!("clients that connect at this moment may be refused: {error}");
    } else if is_shared && matches!(listener, Listener::Tcp(_)) {
        let _ = tokio::time::timeout(HANDSHAKE_MAX, accept_all).await;
    }
    while let Ok(accepted) = listener.next_waiting() {
        begin(accepted, &service, &workers);
    }
}

fn begin(accepted: Accepted, service: &Arc<Service>, workers: &Workers) {
    let service = Arc::clone(service);
    let present = service.arrive();
    match accepted {
        Accepted::Tcp(stream, address) => {
            if keep_alive(&stream).is_err() {
                return;
            }
            workers.spawn(async move {
                // To this thread's event queue.
                if let Ok(stream) = TcpStream::from_std(stream) {
                    session::serve(service, Stream::Tcp(stream), address.to_string()).await;
                }
                drop(present);
            });
        }
        Accepted::Unix(stream) => workers.spawn(async move {
            if let Ok(stream) = UnixStream::from_std(stream) {
                session::serve(service, Stream::Unix(stream), LOCAL.to_owned()).await;
            }
            drop(present);
        }),
    }
}

/// What is short goes out at once, and a client whose machine has gone is noticed.
///
/// # Errors
/// Those of the operating system.
pub(super) fn keep_alive<'s, S>(stream: &'s S) -> io::Result<()>
where
    SockRef<'s>: From<&'s S>,
{
    let socket = SockRef::from(stream);
    socket.set_tcp_nodelay(true)?;
    socket.set_keepalive(true)?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARED: Sockets = Sockets {
        unix_mode: 0o777,
        reuse_port: true,
    };

    #[tokio::test]
    async fn who_connects_while_one_of_two_closes_comes_to_the_other() {
        let bound = host("127.0.0.1:0", SHARED).await.expect("bound");
        let mut bound = bound.into_iter().map(Listener::Tcp);
        let ending = bound.next().expect("one address");
        let place = ending.place();
        let mut staying = host(&place, SHARED).await.expect("bound beside it");
        let staying = staying.pop().expect("one address");
        let before = TcpStream::connect(&place).await.expect("connected");
        ending.turn_away().expect("a filter");
        // The operating system gives half of them to the one that ends.
        let clients: Vec<_> = (0..20)
            .map(|_| tokio::spawn(TcpStream::connect(place.clone())))
            .collect();
        let mut here = 0;
        let accept_here = async {
            loop {
                ending.next().await.expect("accepted");
                here += 1;
            }
        };
        let _: Result<(), _> = tokio::time::timeout(HANDSHAKE_MAX, accept_here).await;
        assert!(here <= 1, "{here}: only the first may have come here");
        drop(ending);
        let limit = Duration::from_secs(20);
        for _ in here..21 {
            let accepted = tokio::time::timeout(limit, staying.accept()).await;
            accepted.expect("in time").expect("accepted");
        }
        for client in clients {
            client.await.expect("no panic").expect("connected");
        }
        drop(before);
    }

    #[tokio::test]
    async fn an_address_of_one_family_leaves_the_other_alone() {
        let sockets = Sockets::default();
        let Ok(six) = tcp((Ipv6Addr::UNSPECIFIED, 0).into(), sockets) else {
            return; // A machine without IPv6.
        };
        let port = six.local_addr().expect("an address").port();
        let four = tcp((Ipv4Addr::UNSPECIFIED, port).into(), sockets);
        assert!(four.is_ok(), "{four:?}");
    }
}
