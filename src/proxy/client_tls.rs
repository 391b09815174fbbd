//! TLS with clients: the certificate that the proxy shows.

use std::pin::Pin;

use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::ssl::{Ssl, SslAcceptor};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use super::config::Tls;
use super::config::tls::ALPN;
use crate::pg::connect::Stream;

/// What the proxy shows to clients that ask for TLS.
#[derive(Clone)]
pub struct ClientTls {
    acceptor: SslAcceptor,
}

impl std::fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientTls")
    }
}

impl ClientTls {
    /// As configured.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn new(tls: &Tls) -> Result<Self, ErrorStack> {
        let acceptor = tls.acceptor()?;
        Ok(Self { acceptor })
    }

    /// Encrypts `stream`, whose client has asked for it.
    ///
    /// # Errors
    /// A text for the log.
    pub async fn accept(&self, stream: TcpStream) -> Result<SslStream<TcpStream>, String> {
        let text = |error: ErrorStack| error.to_string();
        let ssl = Ssl::new(self.acceptor.context()).map_err(text)?;
        let mut stream = SslStream::new(ssl, stream).map_err(text)?;
        match Pin::new(&mut stream).accept().await {
            Ok(()) => Ok(stream),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Whether the client named the protocol, which it must if it begins with TLS at once: otherwise a
/// web browser, say, could be made to speak to a database (the manual's "SSL Session Encryption").
pub fn has_named_protocol(stream: &SslStream<TcpStream>) -> bool {
    stream.ssl().selected_alpn_protocol() == Some(&ALPN[1..])
}

/// The common name of the certificate that the client has shown. The handshake has found it to be
/// from one of our authorities, or ended.
pub fn certificate_name(stream: &Stream) -> Option<String> {
    let Stream::Tls(stream) = stream else {
        return None;
    };
    let certificate = stream.ssl().peer_certificate()?;
    let mut names = certificate.subject_name().entries_by_nid(Nid::COMMONNAME);
    let (name, another) = (names.next()?, names.next());
    let name = name.data().to_string().ok()?;
    // Of two names nobody knows which was meant; a zero byte inside is a known trick.
    (another.is_none() && !name.contains('\0')).then_some(name)
}
