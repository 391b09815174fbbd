//! What the proxy itself says to a client, as a server would: ErrorResponse and NoticeResponse.

use std::borrow::Cow;

use bytes::BufMut;

use crate::wire::frame::{self, HEADER_BYTES};

/// An error that ends the connection.
///
/// The texts are the proxy's own: what a server said is passed on as it is, and what the proxy knows
/// of servers (addresses, why TLS failed) goes to its log, not to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Five characters; drivers decide by them whether to try again.
    pub sqlstate: Cow<'static, str>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<Cow<'static, str>>,
}

impl Refusal {
    /// With no hint.
    pub fn new(sqlstate: &'static str, message: impl Into<String>) -> Self {
        Refusal {
            sqlstate: sqlstate.into(),
            message: message.into(),
            hint: None,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(self, hint: &'static str) -> Self {
        Refusal {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// Bytes that are not protocol 3: `protocol_violation`.
    pub fn protocol(problem: impl std::fmt::Display) -> Self {
        Refusal::new("08P01", problem.to_string())
    }

    /// The server cannot be reached now, and may be later: `cannot_connect_now`.
    pub fn unreachable() -> Self {
        Refusal::new("57P03", "the database server cannot be reached now")
    }

    /// The message.
    pub fn encode(&self) -> Vec<u8> {
        encode(b'E', "FATAL", self)
    }
}

/// A notice, for those who look: NoticeResponse.
pub fn notice(message: &str) -> Vec<u8> {
    encode(b'N', "NOTICE", &Refusal::new("00000", message))
}

/// An error behind which the session goes on.
pub fn error(refusal: &Refusal) -> Vec<u8> {
    encode(b'E', "ERROR", refusal)
}

/// An error of a statement, behind which the session goes on, and the ReadyForQuery that follows.
pub fn statement_error(sqlstate: &'static str, message: &str) -> Vec<u8> {
    let mut bytes = error(&Refusal::new(sqlstate, message));
    bytes.extend_from_slice(b"Z\0\0\0\x05I");
    bytes
}

fn encode(tag: u8, severity: &str, said: &Refusal) -> Vec<u8> {
    let mut body = Vec::with_capacity(64 + said.message.len());
    let mut field = |name: u8, text: &str| {
        body.put_u8(name);
        body.extend(text.bytes().filter(|byte| *byte != 0));
        body.put_u8(0);
    };
    field(b'S', severity);
    field(b'V', severity);
    field(b'C', &said.sqlstate);
    field(b'M', &said.message);
    if let Some(hint) = &said.hint {
        field(b'H', hint);
    }
    body.put_u8(0);
    // The texts are ours and short.
    let header = frame::header(tag, body.len()).unwrap_or([tag, 0, 0, 0, 4]);
    let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len());
    bytes.extend_from_slice(&header);
    bytes.append(&mut body);
    bytes
}

/// Whether the body of a server's ErrorResponse says that a login has failed: class 28.
pub fn is_of_proof(body: &[u8]) -> bool {
    sqlstate(body).is_some_and(|sqlstate| sqlstate.starts_with(b"28"))
}

/// The SQLSTATE in the body of a server's ErrorResponse.
pub fn sqlstate(mut body: &[u8]) -> Option<&[u8]> {
    loop {
        let (name, rest) = body.split_first()?;
        let end = memchr::memchr(0, rest)?;
        match name {
            b'C' => return Some(&rest[..end]),
            0 => return None,
            _ => body = &rest[end + 1..],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use postgres_protocol::message::backend::Message;

    #[test]
    fn clients_read_what_is_written() {
        let refusal = Refusal::new("57P03", "no\0body").hint("wait");
        let mut bytes = bytes::BytesMut::from(&refusal.encode()[..]);
        assert_eq!(sqlstate(&bytes[5..]), Some(&b"57P03"[..]));
        assert!(!is_of_proof(&bytes[5..]));
        assert!(is_of_proof(&Refusal::new("28P01", "no").encode()[5..]));
        let message = Message::parse(&mut bytes).expect("valid");
        let Some(Message::ErrorResponse(body)) = message else {
            panic!("no error");
        };
        let error = crate::pg::server_error(&body);
        assert_eq!(error.message, "nobody");
        assert_eq!(error.hint.as_deref(), Some("wait"));
        assert!(error.is_fatal() && bytes.is_empty());
    }

    #[test]
    fn errors_that_break_off_have_no_sqlstate() {
        for body in [&b""[..], b"\0", b"C57P03", b"Mx\0", b"Mx"] {
            assert_eq!(sqlstate(body), None, "{body:?}");
        }
    }
}
