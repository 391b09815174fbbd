//! Where messages begin and end in a stream that is looked at in passing.
//!
//! The relay reads whatever has arrived and writes it on; this steps over it by the headers. Bodies
//! are skipped by their length and never gathered: a message of a gigabyte costs as much as one of
//! ten bytes, and what is kept between two reads is a header's beginning and a number.

use crate::wire::WireError;
use crate::wire::frame::{HEADER_BYTES, Header};

/// A place in a stream of messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrameScanner {
    /// The type of the message that is being stepped over.
    tag: u8,
    /// Bytes of its body that are still to come.
    body_left: usize,
    /// The beginning of a header that a read cut in two.
    partial: [u8; HEADER_BYTES],
    partial_bytes: usize,
}

/// What the scanner has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// A message begins.
    Message(Header),
    /// A piece of the body of the message that began last; never empty.
    Body {
        /// The message's type.
        tag: u8,
        /// The bytes.
        piece: &'a [u8],
    },
}

impl FrameScanner {
    /// Takes the next step from the front of `bytes`; none once they are used up.
    ///
    /// # Errors
    /// A length that no message has. The stream is of no more use.
    pub fn step<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<Option<Step<'a>>, WireError> {
        if self.body_left > 0 {
            return Ok(self.body(bytes));
        }
        if self.partial_bytes == 0
            && let Some(header) = Header::peek(bytes)?
        {
            *bytes = &bytes[HEADER_BYTES..];
            return Ok(Some(self.begin(header)));
        }
        while let Some((first, rest)) = bytes.split_first() {
            self.partial[self.partial_bytes] = *first;
            self.partial_bytes += 1;
            *bytes = rest;
            if let Some(header) = Header::peek(&self.partial[..self.partial_bytes])? {
                self.partial_bytes = 0;
                return Ok(Some(self.begin(header)));
            }
        }
        Ok(None)
    }

    /// Whether the last message ended with the last byte.
    pub fn is_at_boundary(&self) -> bool {
        self.body_left == 0 && self.partial_bytes == 0
    }

    fn begin<'a>(&mut self, header: Header) -> Step<'a> {
        self.tag = header.tag;
        self.body_left = header.body_bytes;
        Step::Message(header)
    }

    fn body<'a>(&mut self, bytes: &mut &'a [u8]) -> Option<Step<'a>> {
        let (piece, rest) = bytes.split_at(self.body_left.min(bytes.len()));
        *bytes = rest;
        self.body_left -= piece.len();
        let tag = self.tag;
        (!piece.is_empty()).then_some(Step::Body { tag, piece })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::hostile::nearly;
    use proptest::prelude::*;

    /// The messages of a stream that arrives in pieces of these sizes: types and bodies.
    fn messages(stream: &[u8], sizes: &[usize]) -> (Vec<(u8, Vec<u8>)>, bool) {
        let mut scanner = FrameScanner::default();
        let mut found: Vec<(u8, Vec<u8>)> = Vec::new();
        let mut rest = stream;
        let mut sizes = sizes.iter().cycle();
        while !rest.is_empty() {
            let size = sizes.next().copied().unwrap_or(1).clamp(1, rest.len());
            let (mut piece, after) = rest.split_at(size);
            while let Some(step) = scanner.step(&mut piece).expect("valid") {
                match step {
                    Step::Message(header) => found.push((header.tag, Vec::new())),
                    Step::Body { tag, piece } => {
                        let last = found.last_mut().expect("a header first");
                        assert_eq!(last.0, tag);
                        last.1.extend(piece);
                    }
                }
            }
            rest = after;
        }
        (found, scanner.is_at_boundary())
    }

    proptest! {
        #[test]
        fn messages_are_the_same_wherever_reads_cut_them(
            written in proptest::collection::vec((any::<u8>(), proptest::collection::vec(any::<u8>(), 0..40)), 0..12),
            sizes in proptest::collection::vec(1_usize..60, 1..8),
            cut in 0_usize..4,
        ) {
            let mut stream = Vec::new();
            for (tag, body) in &written {
                stream.extend(crate::wire::frame::header(*tag, body.len()).expect("fits"));
                stream.extend(body);
            }
            let whole = messages(&stream, &[usize::MAX]);
            prop_assert_eq!(&whole.0, &written);
            prop_assert!(whole.1);
            prop_assert_eq!(messages(&stream, &sizes), whole);
            let end = stream.len().saturating_sub(cut);
            prop_assert_eq!(messages(&stream[..end], &sizes).1, cut == 0 || stream.is_empty());
        }

        #[test]
        fn hostile_bytes_are_errors_and_not_panics(
            stream: Vec<u8>, at in 0_usize..20,
            near in nearly(vec![b"Q\0\0\0\x0dSELECT 1\0S\0\0\0\x04d\0\0\0\x06ab".to_vec()]),
        ) {
            for stream in [stream, near] {
                let mut scanner = FrameScanner::default();
                let (mut one, mut two) = stream.split_at(at.min(stream.len()));
                for piece in [&mut one, &mut two] {
                    while let Ok(Some(_)) = scanner.step(piece) {}
                }
            }
        }
    }

    #[test]
    fn a_negative_length_is_an_error_also_in_pieces() {
        let mut scanner = FrameScanner::default();
        let mut bytes = &b"Q\xff\xff"[..];
        assert_eq!(scanner.step(&mut bytes), Ok(None));
        let mut bytes = &b"\xff\xff"[..];
        assert!(scanner.step(&mut bytes).is_err());
    }

    #[test]
    fn a_gigabyte_is_a_number() {
        let mut scanner = FrameScanner::default();
        let header = crate::wire::frame::header(b'd', 1 << 30).expect("fits");
        assert!(scanner.step(&mut &header[..]).expect("valid").is_some());
        let chunk = vec![0; 1 << 20];
        for left in (0..1024).rev() {
            let mut bytes = &chunk[..];
            while scanner.step(&mut bytes).expect("valid").is_some() {}
            assert_eq!(scanner.is_at_boundary(), left == 0);
        }
    }
}
