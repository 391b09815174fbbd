//! A client's messages, as far as a mirror must understand them.

use crate::wire::frame::HEADER_BYTES;

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

    proptest! {
        #[test]
        fn hostile_messages_are_nothing(tag: u8, body: Vec<u8>) {
            let _ = request(tag, &body);
        }
    }
}
