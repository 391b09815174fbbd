//! The proxy logs in to a server as a client that has shown who it is.
//!
//! The client hears of it only when its session is ready, or will not be: until then another server
//! of the same address may be tried.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};

use super::LoggedIn;
use crate::pg::address::Host;
use crate::pg::connect::walk::ROLE_QUERY;
use crate::pg::connect::{Login, ServerRole, Stream};
use crate::pg::server_error::ServerError;
use crate::pg::{Address, Error};
use crate::proxy::auth::{Answer, Credential, ServerLogin};
use crate::proxy::channel::{Channel, ChannelError};
use crate::proxy::notice;
use crate::proxy::registry::Registered;
use crate::proxy::server::{ServerPlace, no_answer};
use crate::wire::WireError;
use crate::wire::frame::{self, HEADER_BYTES};
use crate::wire::startup::{CancelKey, ProtocolVersion, Startup};

/// The longest message of a server during a login. Parameters may be long lists; errors quote.
const SERVER_MESSAGE_MAX: usize = 1 << 20;

/// AuthenticationOk.
const LET_IN: &[u8] = b"R\0\0\0\x08\0\0\0\0";

/// A session at a server that is ready, of which the client knows nothing.
#[derive(Debug)]
pub struct Ready {
    /// Its connection.
    pub server: Channel,
    /// Which server it is.
    pub place: ServerPlace,
    key: Option<CancelKey>,
    /// Parameters and notices, for the client.
    messages: BytesMut,
    role: ReportedRole,
}

impl Ready {
    /// What cancels there; none if the server gave none.
    pub fn key(&self) -> Option<&CancelKey> {
        self.key.as_ref()
    }
}

/// What servers since 14 report of their role.
#[derive(Debug, Clone, Copy, Default)]
struct ReportedRole {
    in_recovery: Option<bool>,
    read_only: Option<bool>,
}

/// Logins of one client.
pub struct OwnLogin<'a> {
    startup: Startup,
    user: &'a str,
    credential: &'a Credential,
    address: &'a Address,
    /// How long one may take.
    limit: Duration,
    is_under_way: AtomicBool,
    /// What a server refused the last one with.
    refusal: Mutex<Option<Bytes>>,
}

impl<'a> OwnLogin<'a> {
    /// Logins with `credential` and the client's own `startup`, each within `limit`.
    pub fn new(
        (startup, user): (&Startup, &'a str),
        (credential, address): (&'a Credential, &'a Address),
        limit: Duration,
    ) -> Self {
        OwnLogin {
            startup: startup.at_most(ProtocolVersion::V3_2),
            user,
            credential,
            address,
            limit,
            is_under_way: AtomicBool::new(false),
            refusal: Mutex::default(),
        }
    }

    /// Whether a server has been reached and is being logged in to.
    pub fn is_under_way(&self) -> bool {
        self.is_under_way.load(Ordering::Relaxed)
    }

    /// The last message by which a server refused, for the client.
    pub fn refusal(&self) -> Option<Bytes> {
        let refusal = self.refusal.lock();
        refusal.unwrap_or_else(PoisonError::into_inner).take()
    }

    async fn run(&self, mut server: Channel, place: ServerPlace) -> Result<Ready, Error> {
        let sent = server.send(&self.startup.encode()).await;
        sent.map_err(of_server)?;
        let end_point = server.stream.channel_binding();
        let mut login = ServerLogin::new(self.user, self.credential, self.address, end_point);
        let mut is_let_in = false;
        let mut key = None;
        let mut messages = BytesMut::new();
        let mut role = ReportedRole::default();
        loop {
            let header = server.next_header(SERVER_MESSAGE_MAX).await;
            let header = header.map_err(of_server)?;
            let message = server.take(header);
            let body = message.get(HEADER_BYTES..).unwrap_or_default();
            match header.tag {
                b'R' if !is_let_in => match login.answer(body).map_err(|error| self.own(error))? {
                    Answer::Send(answer) => server.send(&answer).await.map_err(of_server)?,
                    Answer::Wait => {}
                    Answer::Done => is_let_in = true,
                },
                b'K' if is_let_in => key = Some(CancelKey::parse(body).map_err(odd)?),
                b'E' => return Err(self.refused(message.clone(), body)),
                b'Z' if is_let_in => {
                    return Ok(Ready {
                        server,
                        place,
                        key,
                        messages,
                        role,
                    });
                }
                b'S' | b'N' => {
                    if header.tag == b'S' {
                        role.hear(body);
                    }
                    messages.extend_from_slice(&message);
                }
                b'v' if !is_let_in => {}
                tag => return Err(odd(WireError::Unexpected(tag))),
            }
            if messages.len() > SERVER_MESSAGE_MAX {
                return Err(of_server(ChannelError::TooLong {
                    tag: header.tag,
                    bytes: messages.len(),
                }));
            }
        }
    }

    fn own(&self, error: impl ToString) -> Error {
        let hosts: Vec<_> = self
            .address
            .hosts()
            .iter()
            .map(ToString::to_string)
            .collect();
        Error::Auth {
            address: hosts.join(", "),
            problem: error.to_string(),
        }
    }

    fn refused(&self, message: Bytes, body: &[u8]) -> Error {
        let sqlstate = notice::sqlstate(body).unwrap_or_default();
        let refusal = self.refusal.lock();
        *refusal.unwrap_or_else(PoisonError::into_inner) = Some(message);
        Error::from(ServerError {
            sqlstate: String::from_utf8_lossy(sqlstate).into_owned(),
            message: "the server refused the login".to_owned(),
            ..ServerError::default()
        })
    }
}

impl Login for OwnLogin<'_> {
    type Opened = Ready;

    async fn log_in(&self, stream: Stream, host: &Host) -> Result<Ready, Error> {
        let place = ServerPlace::of(&stream, host, self.address);
        self.is_under_way.store(true, Ordering::Relaxed);
        let run = self.run(Channel::new(stream), place);
        let done = tokio::time::timeout(self.limit, run).await;
        self.is_under_way.store(false, Ordering::Relaxed);
        done.unwrap_or_else(|_| Err(no_answer(self.address)))
    }

    async fn role(&self, ready: &mut Ready) -> Result<ServerRole, Error> {
        if let ReportedRole {
            in_recovery: Some(in_recovery),
            read_only: Some(read_only),
        } = ready.role
        {
            return Ok(ServerRole {
                in_recovery,
                read_only: read_only || in_recovery,
            });
        }
        let asked = tokio::time::timeout(self.limit, ask_role(&mut ready.server)).await;
        asked.unwrap_or_else(|_| Err(no_answer(self.address)))
    }
}

impl ReportedRole {
    /// Takes in the body of a ParameterStatus.
    fn hear(&mut self, body: &[u8]) {
        let mut parts = body.split(|byte| *byte == 0);
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
            return;
        };
        match name {
            b"in_hot_standby" => self.in_recovery = Some(value == b"on"),
            b"default_transaction_read_only" => self.read_only = Some(value == b"on"),
            _ => {}
        }
    }
}

/// The answer to [`ROLE_QUERY`]: one row of two short texts.
async fn ask_role(server: &mut Channel) -> Result<ServerRole, Error> {
    let text = [ROLE_QUERY.as_bytes(), b"\0"].concat();
    let header = frame::header(b'Q', text.len()).map_err(odd)?;
    let sent = server.send(&[&header[..], &text].concat()).await;
    sent.map_err(of_server)?;
    let mut role = None;
    loop {
        let header = server.next_header(SERVER_MESSAGE_MAX).await;
        let message = server.take(header.map_err(of_server)?);
        let body = message.get(HEADER_BYTES..).unwrap_or_default();
        match message.first() {
            Some(b'D') => role = two_texts(body),
            Some(b'Z') => {
                let missing = || Error::Protocol("no answer about the server's role".to_owned());
                let (recovery, read_only) = role.ok_or_else(missing)?;
                return Ok(ServerRole::of_columns(&recovery, &read_only));
            }
            _ => {}
        }
    }
}

/// The columns of a DataRow that has two, neither of them null.
fn two_texts(body: &[u8]) -> Option<(String, String)> {
    let mut body = body.strip_prefix(&[0, 2])?;
    let mut text = || {
        let length = usize::try_from(body.try_get_i32().ok()?).ok()?;
        let (text, rest) = body.split_at_checked(length)?;
        body = rest;
        Some(String::from_utf8_lossy(text).into_owned())
    };
    Some((text()?, text()?))
}

/// Tells a client that it is let in, and that it waits.
///
/// # Errors
/// It has gone.
pub async fn tell_waiting(client: &mut Channel) -> Result<(), ChannelError> {
    let notice = notice::notice("waiting for a server connection");
    client.send(&[LET_IN, &notice].concat()).await
}

/// Tells the client that its session is ready; whether it `is_let_in` it may know already.
///
/// # Errors
/// It has gone.
pub async fn welcome(
    client: &mut Channel,
    registered: &mut Registered,
    version: ProtocolVersion,
    ready: Ready,
    is_let_in: bool,
) -> Result<(Stream, LoggedIn), ChannelError> {
    let mut output = BytesMut::new();
    if !is_let_in {
        output.extend_from_slice(LET_IN);
    }
    output.extend_from_slice(&ready.messages);
    // What is spoken with the server does not matter: the client's key is ours.
    let process = ready.key.as_ref().map(|key| key.process);
    if let Some(ours) = process.and_then(|process| registered.give_key(process, version)) {
        output.extend_from_slice(&ours.backend_key_data());
    }
    output.extend_from_slice(b"Z\0\0\0\x05I");
    client.send(&output).await?;
    let mut server = ready.server;
    let logged_in = LoggedIn {
        server_key: ready.key,
        was_asked: false,
        from_server: server.input.split().freeze(),
    };
    Ok((server.stream, logged_in))
}

fn of_server(error: ChannelError) -> Error {
    match error {
        ChannelError::Closed(source) => Error::Lost(source),
        other => Error::Protocol(other.to_string()),
    }
}

fn odd(error: WireError) -> Error {
    Error::Protocol(error.to_string())
}
