//! TLS with clients: the certificate that the proxy shows.

use std::path::{Path, PathBuf};
use std::pin::Pin;

use openssl::error::ErrorStack;
use openssl::ssl::{
    AlpnError, Ssl, SslAcceptor, SslFiletype, SslMethod, SslMode, select_next_proto,
};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

/// The protocol's name in ALPN, with its length in front.
const ALPN: &[u8] = b"\x0apostgresql";

/// A certificate or key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientTlsError {
    /// One of the files.
    #[error("the TLS {what} file {} cannot be used", path.display())]
    File {
        /// `certificate` or `key`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: ErrorStack,
    },
    /// The library refuses.
    #[error("setting up TLS for clients")]
    Library(#[from] ErrorStack),
}

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
    /// Reads the files, PEM both; the certificate's may contain the chain.
    ///
    /// # Errors
    /// Names the file.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, ClientTlsError> {
        let failed = |what, path: &Path| {
            let path = path.to_owned();
            move |source| ClientTlsError::File { what, path, source }
        };
        // TLS 1.2 and later, the choice of ciphers that Mozilla calls intermediate.
        let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
        builder
            .set_certificate_chain_file(certificate)
            .map_err(failed("certificate", certificate))?;
        builder
            .set_private_key_file(key, SslFiletype::PEM)
            .and_then(|()| builder.check_private_key())
            .map_err(failed("key", key))?;
        // As towards servers; and idle connections keep no buffers.
        builder.set_mode(
            SslMode::AUTO_RETRY
                | SslMode::ACCEPT_MOVING_WRITE_BUFFER
                | SslMode::ENABLE_PARTIAL_WRITE
                | SslMode::RELEASE_BUFFERS,
        );
        // Who offers protocols and not this one has come to the wrong place.
        builder.set_alpn_select_callback(|_, offered| {
            select_next_proto(ALPN, offered).ok_or(AlpnError::ALERT_FATAL)
        });
        Ok(Self {
            acceptor: builder.build(),
        })
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
