//! The unnamed prepared statement, of which no server tells.
//!
//! Some drivers parse in one round and bind in the next (Parse, Describe, Sync; then Bind, Execute,
//! Sync): between the two a session is idle, and may move. So the client's last Parse without a name is
//! kept as it passes, and said again on the new server.

use super::MoveError;
use crate::proxy::channel::Channel;
use crate::wire::frame::HEADER_BYTES;

/// The longest Parse that is kept; of a longer one it is known that there was one.
const PARSE_BYTES_MAX: usize = 64 * 1024;

/// The longest answer to one. Errors quote.
const ANSWER_BYTES_MAX: usize = 1 << 20;

const SYNC: [u8; 5] = *b"S\0\0\0\x04";

/// What a client has parsed without a name.
#[derive(Debug, Default)]
pub struct Unnamed {
    /// The last whole message; empty if there is none.
    parse: Vec<u8>,
    is_too_long: bool,
    /// The header of the message that passes, as far as it has.
    header: Vec<u8>,
    /// Bytes of its body that have not passed.
    left: usize,
    /// It, if it is a Parse.
    passing: Option<Vec<u8>>,
}

impl Unnamed {
    /// What the client says, cut anywhere. Whether it is a message the server finds out.
    pub fn heard(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left == 0 {
                let wanted = HEADER_BYTES - self.header.len();
                let (header, rest) = bytes.split_at(wanted.min(bytes.len()));
                self.header.extend_from_slice(header);
                bytes = rest;
                if self.header.len() < HEADER_BYTES {
                    return;
                }
                self.begins();
            }
            let (body, rest) = bytes.split_at(self.left.min(bytes.len()));
            self.left -= body.len();
            bytes = rest;
            if let Some(passing) = &mut self.passing {
                passing.extend_from_slice(body);
            }
            if self.left == 0 {
                self.ends();
            }
        }
    }

    /// Whether there is one that is not kept.
    pub fn is_too_long(&self) -> bool {
        self.is_too_long
    }

    fn begins(&mut self) {
        let length = self.header[1..].try_into().map_or(0, u32::from_be_bytes);
        self.left = usize::try_from(length)
            .unwrap_or_default()
            .saturating_sub(4);
        match self.header[0] {
            b'P' if self.left <= PARSE_BYTES_MAX => {
                let mut passing = Vec::with_capacity(HEADER_BYTES + self.left);
                passing.extend_from_slice(&self.header);
                self.passing = Some(passing);
            }
            // Its name is not looked at: no name is so long, but it may be one.
            b'P' => self.is_too_long = true,
            // A simple query takes it away.
            b'Q' => {
                self.parse = Vec::new();
                self.is_too_long = false;
            }
            _ => {}
        }
    }

    fn ends(&mut self) {
        self.header.clear();
        let is_unnamed = |parse: &Vec<u8>| parse.get(HEADER_BYTES) == Some(&0);
        if let Some(parse) = self.passing.take().filter(is_unnamed) {
            self.parse = parse;
            self.is_too_long = false;
        }
    }

    /// Says it again to `server`. One that the old server has refused is refused here, too, and
    /// nothing is there either way. Not cancel safe.
    ///
    /// # Errors
    /// The connection is of no more use.
    pub async fn say_again(&self, server: &mut Channel) -> Result<(), MoveError> {
        if self.parse.is_empty() {
            return Ok(());
        }
        server.send(&[&self.parse[..], &SYNC].concat()).await?;
        loop {
            let header = server.next_header(ANSWER_BYTES_MAX).await?;
            let message = server.take(header);
            if message.first() == Some(&b'Z') {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        let header = crate::wire::frame::header(tag, body.len()).expect("fits");
        [&header, body].concat()
    }

    #[test]
    fn the_last_parse_without_a_name_is_kept_until_a_simple_query() {
        let one = message(b'P', b"\0SELECT 1\0\0\0");
        let named = message(b'P', b"s\0SELECT 2\0\0\0");
        let sync = message(b'S', b"");
        let talk = [&one[..], &named, &sync].concat();
        for cut in 1..talk.len() {
            let mut unnamed = Unnamed::default();
            talk.chunks(cut).for_each(|piece| unnamed.heard(piece));
            assert_eq!(unnamed.parse, one, "{cut}");
            unnamed.heard(&message(b'Q', b"SELECT 3\0"));
            assert!(unnamed.parse.is_empty());
        }
    }

    #[test]
    fn one_that_is_too_long_is_known_and_not_kept() {
        let mut unnamed = Unnamed::default();
        let body = [b"\0", &[b'x'; PARSE_BYTES_MAX][..]].concat();
        unnamed.heard(&message(b'P', &body));
        assert!(unnamed.is_too_long() && unnamed.parse.is_empty());
        unnamed.heard(&message(b'P', b"\0SELECT 1\0\0\0"));
        assert!(!unnamed.is_too_long());
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_no_panic(pieces: Vec<Vec<u8>>) {
            let mut unnamed = Unnamed::default();
            pieces.iter().for_each(|piece| unnamed.heard(piece));
        }
    }
}
