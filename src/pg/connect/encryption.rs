//! libpq's `sslmode` as a list of things to try with one server.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::stream::Stream;
use super::tls;
use crate::pg::Error;
use crate::pg::address::{Address, Host, SslMode, SslNegotiation};

/// One way to go on after the socket is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// Without TLS.
    Plain,
    /// With TLS if the server offers it, else without.
    Offered,
    /// With TLS.
    Tls,
}

/// What to try in order, each on a new socket.
pub fn attempts(mode: SslMode) -> &'static [Encryption] {
    match mode {
        SslMode::Disable => &[Encryption::Plain],
        SslMode::Allow => &[Encryption::Plain, Encryption::Tls],
        SslMode::Prefer => &[Encryption::Offered, Encryption::Plain],
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[Encryption::Tls],
    }
}

/// Whether the next way may work where this one failed so: TLS did not come about, or the server
/// has no rule for connections of this kind (28000). A wrong password stays wrong.
pub fn may_differ(error: &Error) -> bool {
    matches!(error, Error::Tls { .. } | Error::Lost(_)) || error.sqlstate() == Some("28000")
}

/// Agrees with the server on `encryption` and carries it out.
pub async fn secure(
    mut stream: TcpStream,
    encryption: Encryption,
    host: &Host,
    address: &Address,
) -> Result<Stream, Error> {
    let failed = |problem: String| Error::Tls {
        address: host.to_string(),
        problem,
    };
    if encryption == Encryption::Plain {
        return Ok(Stream::Tcp(stream));
    }
    if address.ssl_negotiation() == SslNegotiation::Postgres {
        let answer = ask(&mut stream).await?;
        match (answer, encryption) {
            (b'S', _) => {}
            (b'N', Encryption::Offered) => return Ok(Stream::Tcp(stream)),
            (b'N', _) => return Err(failed("the server does not support TLS".to_owned())),
            (byte, _) => {
                let problem = format!("odd answer '{}' to the request for it", byte.escape_ascii());
                return Err(failed(problem));
            }
        }
    }
    let name = host.name().unwrap_or_default();
    let stream = tls::handshake(stream, name, address)
        .await
        .map_err(failed)?;
    Ok(Stream::Tls(Box::new(stream)))
}

/// Sends an SSLRequest. Exactly one byte is read: whatever a man in the middle put behind it is
/// then taken for TLS, and fails.
async fn ask(stream: &mut TcpStream) -> io::Result<u8> {
    let mut request = bytes::BytesMut::new();
    postgres_protocol::message::frontend::ssl_request(&mut request);
    stream.write_all(&request).await?;
    stream.read_u8().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_weak_modes_have_a_second_way() {
        assert_eq!(attempts(SslMode::Require), [Encryption::Tls]);
        assert_eq!(attempts(SslMode::VerifyFull), [Encryption::Tls]);
        assert_eq!(attempts(SslMode::Disable), [Encryption::Plain]);
        assert_eq!(attempts(SslMode::Allow)[0], Encryption::Plain);
        assert_eq!(attempts(SslMode::Prefer)[0], Encryption::Offered);
    }
}
