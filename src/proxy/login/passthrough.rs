//! The server authenticates the client; the proxy carries their words.
//!
//! Each message is looked at once, because four of them cannot pass as they are: what the protocol
//! is negotiated down to, the mechanisms that bind SCRAM to TLS, the key that cancels, and the
//! server's "not now". Nothing that proves who someone is is kept or logged.

use bytes::{Bytes, BytesMut};

use super::sasl;
use super::{LoggedIn, LoginError};
use crate::proxy::channel::{Channel, ChannelError};
use crate::proxy::notice::{self, Refusal};
use crate::proxy::registry::Registered;
use crate::wire::frame::HEADER_BYTES;
use crate::wire::startup::{CancelKey, Negotiation, ProtocolVersion, Startup};
use crate::wire::{WireError, frame};

/// The longest message of a client during its login, as PostgreSQL has it
/// (`PG_MAX_AUTH_TOKEN_LENGTH` in `src/include/libpq/auth.h`).
const CLIENT_MESSAGE_MAX: usize = 65_535 + HEADER_BYTES;

/// The longest message of a server during a login. Parameters may be long lists; errors quote.
const SERVER_MESSAGE_MAX: usize = 1 << 20;

const AUTHENTICATION_OK: u32 = 0;
const AUTHENTICATION_SASL: u32 = 10;

/// Who said something.
enum Speaker {
    Client(frame::Header),
    Server(frame::Header),
}

/// One login.
struct Login<'a> {
    client: &'a mut Channel,
    server: &'a mut Channel,
    registered: &'a mut Registered,
    startup: &'a Startup,
    /// What the server and the proxy both speak.
    version: ProtocolVersion,
    /// For the client.
    output: BytesMut,
    /// The client may speak: the server has asked for a proof.
    is_asked: bool,
    /// The client must not be told less than it was offered twice.
    has_negotiated: bool,
    /// The proxy has taken an offer away.
    has_unbound: bool,
    server_key: Option<CancelKey>,
}

/// Carries a login. At the end both are ready for the first query.
///
/// # Errors
/// See [`LoginError`]; which of them the client has been told.
pub async fn carry(
    client: &mut Channel,
    server: &mut Channel,
    registered: &mut Registered,
    startup: &Startup,
) -> Result<LoggedIn, LoginError> {
    let asked = startup.at_most(ProtocolVersion::V3_2);
    server
        .send(&asked.encode())
        .await
        .map_err(LoginError::Server)?;
    let login = Login {
        client,
        server,
        registered,
        startup,
        version: asked.version,
        output: BytesMut::new(),
        is_asked: false,
        has_negotiated: false,
        has_unbound: false,
        server_key: None,
    };
    login.run().await
}

impl Login<'_> {
    async fn run(mut self) -> Result<LoggedIn, LoginError> {
        loop {
            match self.next().await? {
                Speaker::Client(header) => self.client_says(header).await?,
                Speaker::Server(header) => {
                    let is_ready = self.server_says(header).await?;
                    // One write for what came in one piece.
                    if is_ready || !self.server.has_whole_message() {
                        self.flush().await?;
                    }
                    if is_ready {
                        return Ok(LoggedIn {
                            server_key: self.server_key,
                            was_asked: self.is_asked,
                            from_server: self.server.input.split().freeze(),
                        });
                    }
                }
            }
        }
    }

    async fn next(&mut self) -> Result<Speaker, LoginError> {
        let server = self.server.next_header(SERVER_MESSAGE_MAX);
        if !self.is_asked {
            let header = server.await.map_err(LoginError::Server)?;
            return Ok(Speaker::Server(header));
        }
        tokio::select! {
            biased;
            header = server => Ok(Speaker::Server(header.map_err(LoginError::Server)?)),
            header = self.client.next_header(CLIENT_MESSAGE_MAX) => {
                Ok(Speaker::Client(header.map_err(LoginError::Client)?))
            }
        }
    }

    async fn client_says(&mut self, header: frame::Header) -> Result<(), LoginError> {
        let message = self.client.take(header);
        if header.tag != b'p' {
            let tag = header.tag.escape_ascii();
            let problem = format!("message '{tag}' where a proof was asked for");
            return Err(LoginError::Refused(Refusal::protocol(problem)));
        }
        if self.has_unbound
            && self.server.stream.is_encrypted()
            && sasl::believes_no_binding(&message[HEADER_BYTES..])
        {
            let refusal = Refusal::new("28000", "channel binding cannot pass through the proxy");
            return Err(LoginError::Refused(refusal.hint(
                "Connect with channel_binding=disable, or without TLS on one side of the proxy.",
            )));
        }
        let sent = self.server.send(&message).await;
        sent.map_err(LoginError::Server)
    }

    /// Whether it was the last message of the login.
    async fn server_says(&mut self, header: frame::Header) -> Result<bool, LoginError> {
        let message = self.server.take(header);
        let body = &message[HEADER_BYTES.min(message.len())..];
        match header.tag {
            b'v' => {
                let newest = Negotiation::parse(body).map_err(of_server)?.newest;
                self.version = self.version.min(newest);
            }
            b'R' => self.request(&message, body)?,
            b'K' => {
                let key = CancelKey::parse(body).map_err(of_server)?;
                let ours = self.registered.give_key(key.process, self.version);
                if let Some(ours) = ours {
                    self.output.extend_from_slice(&ours.backend_key_data());
                }
                self.server_key = Some(key);
            }
            b'E' if notice::sqlstate(body) == Some(b"57P03") && !self.has_negotiated => {
                return Err(LoginError::NotNow(message));
            }
            b'E' => {
                self.output.extend_from_slice(&message);
                self.flush().await?;
                return Err(LoginError::RefusedByServer {
                    is_of_proof: notice::is_of_proof(body),
                });
            }
            b'S' | b'N' => self.output.extend_from_slice(&message),
            b'Z' => {
                self.output.extend_from_slice(&message);
                return Ok(true);
            }
            tag => return Err(of_server(WireError::Unexpected(tag))),
        }
        Ok(false)
    }

    /// What the server asks the client for.
    fn request(&mut self, message: &Bytes, body: &[u8]) -> Result<(), LoginError> {
        if !std::mem::replace(&mut self.has_negotiated, true)
            && let Some(negotiation) = self.startup.negotiation(self.version)
        {
            self.output.extend_from_slice(&negotiation.encode());
        }
        let short = || of_server(WireError::Short("authentication request"));
        let (code, rest) = body.split_first_chunk().ok_or_else(short)?;
        let code = u32::from_be_bytes(*code);
        // Nothing is to be said behind the last one before the server is ready.
        self.is_asked = code != AUTHENTICATION_OK;
        if code == AUTHENTICATION_SASL
            && let Some(mechanisms) = sasl::without_binding(rest).map_err(of_server)?
        {
            self.has_unbound = true;
            let offer = sasl::offer(&mechanisms).map_err(of_server)?;
            self.output.extend_from_slice(&offer);
        } else {
            self.output.extend_from_slice(message);
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), LoginError> {
        let output = self.output.split();
        let sent = self.client.send(&output).await;
        sent.map_err(LoginError::Client)
    }
}

fn of_server(error: WireError) -> LoginError {
    LoginError::Server(ChannelError::Wire(error))
}
