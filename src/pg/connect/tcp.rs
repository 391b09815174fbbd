//! TCP to a server: names, addresses, socket options.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use crate::pg::address::{Address, Endpoint, Host};

/// Every address that the host's name stands for, in the order of the resolver.
pub async fn addresses(host: &Host) -> io::Result<Vec<SocketAddr>> {
    let Endpoint::Tcp {
        host: name,
        address,
    } = &host.endpoint
    else {
        return Ok(Vec::new());
    };
    if let Some(address) = address {
        return Ok(vec![SocketAddr::new(*address, host.port)]);
    }
    let found: Vec<_> = tokio::net::lookup_host((name.as_str(), host.port))
        .await?
        .collect();
    match found.is_empty() {
        true => Err(io::Error::new(
            io::ErrorKind::NotFound,
            "the name has no address",
        )),
        false => Ok(found),
    }
}

/// A connection with the address's keepalives and timeouts.
pub async fn connect(to: SocketAddr, address: &Address) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let socket = SockRef::from(&stream);
    if address.number("keepalives") != Some(0) {
        socket.set_keepalive(true)?;
        socket.set_tcp_keepalive(&keepalive(address))?;
    }
    if let Some(limit) = positive(address, "tcp_user_timeout") {
        socket.set_tcp_user_timeout(Some(Duration::from_millis(limit.into())))?;
    }
    Ok(stream)
}

/// How long a connection may be idle before the other side is asked whether it is there. The
/// operating system's two hours are more than what firewalls and load balancers forget an idle
/// connection after, such as the one that holds the snapshot.
const IDLE: Duration = Duration::from_secs(60);

/// What was given; [`IDLE`] and the operating system's defaults for the rest.
fn keepalive(address: &Address) -> TcpKeepalive {
    let seconds =
        |keyword| positive(address, keyword).map(|number| Duration::from_secs(number.into()));
    let mut keepalive = TcpKeepalive::new().with_time(seconds("keepalives_idle").unwrap_or(IDLE));
    if let Some(interval) = seconds("keepalives_interval") {
        keepalive = keepalive.with_interval(interval);
    }
    if let Some(count) = positive(address, "keepalives_count") {
        keepalive = keepalive.with_retries(count);
    }
    keepalive
}

fn positive(address: &Address, keyword: &'static str) -> Option<u32> {
    let number = u32::try_from(address.number(keyword)?).ok()?;
    (number > 0).then_some(number)
}
