//! A client's messages, as far as a mirror must understand them.

use crate::wire::frame::{self, HEADER_BYTES};

/// What a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// Simple query.
    Query(&'a [u8]),
    /// Prepares a statement; the unnamed one if the name is empty.
    Parse {
        /// Its name.
        name: &'a [u8],
        /// Its text.
        text: &'a [u8],
    },
    /// Makes a portal of a statement.
    Bind {
        /// The portal.
        portal: &'a [u8],
        /// The statement.
        statement: &'a [u8],
    },
    /// Runs a portal.
    Execute {
        /// Which.
        portal: &'a [u8],
    },
    /// Forgets a prepared statement.
    CloseStatement(&'a [u8]),
    /// Ends a pipeline.
    Sync,
    /// Calls a function by its number.
    FunctionCall,
    /// Anything else.
    Other,
}

/// What a whole `message` with this `tag` asks for. One that is broken is [`Request::Other`]: the
/// server has refused it.
pub fn request(tag: u8, message: &[u8]) -> Request<'_> {
    let body = message.get(HEADER_BYTES..).unwrap_or_default();
    read(tag, body).unwrap_or(Request::Other)
}

fn read(tag: u8, mut body: &[u8]) -> Option<Request<'_>> {
    let body = &mut body;
    Some(match tag {
        b'Q' => Request::Query(text(body)?),
        b'P' => Request::Parse {
            name: text(body)?,
            text: text(body)?,
        },
        b'B' => Request::Bind {
            portal: text(body)?,
            statement: text(body)?,
        },
        b'E' => Request::Execute {
            portal: text(body)?,
        },
        b'C' => match body.split_first()? {
            (b'S', mut name) => Request::CloseStatement(text(&mut name)?),
            _ => Request::Other,
        },
        b'S' => Request::Sync,
        b'F' => Request::FunctionCall,
        _ => Request::Other,
    })
}

/// The parameters of a whole Bind, none for a NULL; none if it is broken.
pub fn parameters(bind: &[u8]) -> Option<Vec<Option<&[u8]>>> {
    let body = &mut bind.get(HEADER_BYTES..)?;
    text(body)?;
    text(body)?;
    let formats = count(body)?;
    *body = body.get(2 * formats..)?;
    let parameters = count(body)?;
    (0..parameters).map(|_| parameter(body)).collect()
}

/// Takes a parameter.
fn parameter<'a>(body: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let (length, rest) = body.split_first_chunk::<4>()?;
    let (value, rest) = match usize::try_from(i32::from_be_bytes(*length)) {
        Ok(bytes) => rest
            .split_at_checked(bytes)
            .map(|(v, rest)| (Some(v), rest))?,
        Err(_) => (None, rest),
    };
    *body = rest;
    Some(value)
}

/// Takes a number of things.
fn count(body: &mut &[u8]) -> Option<usize> {
    let (count, rest) = body.split_first_chunk::<2>()?;
    *body = rest;
    Some(usize::from(u16::from_be_bytes(*count)))
}

/// A simple query.
pub fn query(text: &[u8]) -> Vec<u8> {
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    message(b'Q', &[text, b"\0"])
}

/// Forgets a prepared statement.
pub fn close_statement(name: &[u8]) -> Vec<u8> {
    message(b'C', &[b"S", name, b"\0"])
}

/// A Parse and a Bind of it, with the unnamed statement and portal in the place of theirs, and the
/// Execute of that; none if one of them is broken.
pub fn call(parse: &[u8], bind: &[u8]) -> Option<Vec<u8>> {
    let parse = &mut parse.get(HEADER_BYTES..)?;
    text(parse)?;
    let bind = &mut bind.get(HEADER_BYTES..)?;
    text(bind)?;
    text(bind)?;
    let parse = message(b'P', &[b"\0", parse]);
    let bind = message(b'B', &[b"\0\0", bind]);
    let execute = message(b'E', &[&[0; 5]]);
    Some([parse, bind, execute].concat())
}

/// A message of these parts; empty if they are more than a message may have, which none is that is
/// made of another message's.
fn message(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let header = frame::header(tag, body.len());
    header.map_or_else(|_| Vec::new(), |header| [&header[..], &body].concat())
}

/// Takes what is before the next zero byte, and that.
fn text<'a>(body: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = memchr::memchr(0, body)?;
    let (text, rest) = body.split_at(end);
    *body = &rest[1..];
    Some(text)
}

/// Messages, for tests.
#[cfg(test)]
pub(super) mod build {
    pub(in crate::proxy::mirror) fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        let header = crate::wire::frame::header(tag, body.len()).expect("fits");
        [&header, body].concat()
    }

    pub(in crate::proxy::mirror) fn query(text: &str) -> Vec<u8> {
        message(b'Q', format!("{text}\0").as_bytes())
    }

    pub(in crate::proxy::mirror) fn parse(name: &str, text: &str) -> Vec<u8> {
        message(b'P', format!("{name}\0{text}\0\0\0").as_bytes())
    }

    pub(in crate::proxy::mirror) fn bind(portal: &str, statement: &str) -> Vec<u8> {
        message(
            b'B',
            format!("{portal}\0{statement}\0\0\0\0\0\0\0").as_bytes(),
        )
    }

    /// With parameters, to the unnamed portal.
    pub(in crate::proxy::mirror) fn bind_with(statement: &str, parameters: &[&str]) -> Vec<u8> {
        let count = u16::try_from(parameters.len()).expect("few");
        let mut body = format!("\0{statement}\0\0\0").into_bytes();
        body.extend(count.to_be_bytes());
        for parameter in parameters {
            body.extend(u32::try_from(parameter.len()).expect("short").to_be_bytes());
            body.extend(parameter.as_bytes());
        }
        body.extend([0, 0]);
        message(b'B', &body)
    }

    pub(in crate::proxy::mirror) fn execute(portal: &str) -> Vec<u8> {
        message(b'E', format!("{portal}\0\0\0\0\0").as_bytes())
    }

    pub(in crate::proxy::mirror) fn close_statement(name: &str) -> Vec<u8> {
        message(b'C', format!("S{name}\0").as_bytes())
    }

    pub(in crate::proxy::mirror) fn sync() -> Vec<u8> {
        message(b'S', b"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn messages_are_read_as_they_are_written() {
        let read = |message: &[u8]| format!("{:?}", request(message[0], message));
        assert_eq!(
            request(b'P', &build::parse("a", "b")),
            Request::Parse {
                name: b"a",
                text: b"b"
            }
        );
        assert_eq!(
            request(b'B', &build::bind("p", "s")),
            Request::Bind {
                portal: b"p",
                statement: b"s"
            }
        );
        assert_eq!(read(&build::sync()), "Sync");
        assert_eq!(
            request(b'C', &build::message(b'C', b"Px\0")),
            Request::Other
        );
        assert_eq!(
            request(b'Q', &build::message(b'Q', b"no end")),
            Request::Other
        );
    }

    #[test]
    fn a_call_is_said_again_without_names() {
        let bind = build::bind_with("s", &["a", "bc"]);
        let values = parameters(&bind).expect("parameters");
        assert_eq!(values, [Some(b"a".as_slice()), Some(b"bc")]);
        assert_eq!(parameters(&build::bind("p", "s")), Some(vec![]));
        let called = call(&build::parse("s", "SELECT $1"), &bind);
        let anew = [
            build::parse("", "SELECT $1"),
            build::bind_with("", &["a", "bc"]),
            build::execute(""),
        ];
        assert_eq!(called, Some(anew.concat()));
        assert_eq!(query(b"SELECT 1"), build::query("SELECT 1"));
        assert_eq!(query(b"SELECT 1\0"), build::query("SELECT 1"));
        assert_eq!(close_statement(b"s"), build::close_statement("s"));
    }

    proptest! {
        #[test]
        fn hostile_messages_are_nothing(tag: u8, body: Vec<u8>) {
            let _ = request(tag, &body);
            let _ = parameters(&body);
            let _ = call(&body, &body);
        }
    }
}
