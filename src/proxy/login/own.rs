//! The proxy logs in to a server as a client that has shown who it is.

use bytes::BytesMut;

use super::{LoggedIn, LoginError};
use crate::pg::Address;
use crate::proxy::auth::{Answer, Credential, ServerLogin};
use crate::proxy::channel::{Channel, ChannelError};
use crate::proxy::notice;
use crate::proxy::registry::Registered;
use crate::wire::WireError;
use crate::wire::frame::HEADER_BYTES;
use crate::wire::startup::{CancelKey, ProtocolVersion, Startup};

/// The longest message of a server during a login. Parameters may be long lists; errors quote.
const SERVER_MESSAGE_MAX: usize = 1 << 20;

/// Logs in with `credential` and the client's own `startup`. At the end both are ready for the
/// first query.
///
/// # Errors
/// See [`LoginError`]; which of them the client has been told.
pub async fn log_in(
    client: &mut Channel,
    server: &mut Channel,
    registered: &mut Registered,
    startup: &Startup,
    (credential, address): (&Credential, &Address),
) -> Result<LoggedIn, LoginError> {
    let asked = startup.at_most(ProtocolVersion::V3_2);
    let sent = server.send(&asked.encode()).await;
    sent.map_err(LoginError::Server)?;
    let user = registered.entry.facts.user.clone();
    let end_point = server.stream.channel_binding();
    let mut login = ServerLogin::new(&user, credential, address, end_point);
    let mut is_let_in = false;
    let mut server_key = None;
    let mut output = BytesMut::new();
    loop {
        let header = server.next_header(SERVER_MESSAGE_MAX).await;
        let header = header.map_err(LoginError::Server)?;
        let message = server.take(header);
        let body = message.get(HEADER_BYTES..).unwrap_or_default();
        match header.tag {
            b'R' if !is_let_in => match login.answer(body).map_err(LoginError::Own)? {
                Answer::Send(answer) => {
                    let sent = server.send(&answer).await;
                    sent.map_err(LoginError::Server)?;
                }
                Answer::Wait => {}
                Answer::Done => {
                    is_let_in = true;
                    output.extend_from_slice(&message);
                }
            },
            b'K' if is_let_in => {
                let key = CancelKey::parse(body).map_err(of_server)?;
                // What is spoken with the server does not matter: the client's key is ours.
                if let Some(ours) = registered.give_key(key.process, asked.version) {
                    output.extend_from_slice(&ours.backend_key_data());
                }
                server_key = Some(key);
            }
            b'E' if notice::sqlstate(body) == Some(b"57P03") && !is_let_in => {
                return Err(LoginError::NotNow(message));
            }
            b'E' => {
                output.extend_from_slice(&message);
                let sent = client.send(&output).await;
                sent.map_err(LoginError::Client)?;
                return Err(LoginError::RefusedByServer {
                    is_of_proof: notice::is_of_proof(body),
                });
            }
            b'Z' if is_let_in => {
                output.extend_from_slice(&message);
                let sent = client.send(&output).await;
                sent.map_err(LoginError::Client)?;
                return Ok(LoggedIn {
                    server_key,
                    from_server: server.input.split().freeze(),
                });
            }
            b'S' | b'N' => output.extend_from_slice(&message),
            b'v' if !is_let_in => {}
            tag => return Err(of_server(WireError::Unexpected(tag))),
        }
        if output.len() > SERVER_MESSAGE_MAX {
            return Err(LoginError::Server(ChannelError::TooLong {
                tag: header.tag,
                bytes: output.len(),
            }));
        }
    }
}

fn of_server(error: WireError) -> LoginError {
    LoginError::Server(ChannelError::Wire(error))
}
