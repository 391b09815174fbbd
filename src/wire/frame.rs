//! Where a message begins and ends.
//!
//! A frame is one byte of type, four bytes of length in network order that count themselves but
//! not the type, then the body (the manual's "Message Formats").

use bytes::{Buf, Bytes, BytesMut};

use super::error::WireError;

/// Bytes before the body.
pub const HEADER_BYTES: usize = 5;

/// COPY BOTH begins: `CopyBothResponse`, which postgres-protocol does not know.
pub const COPY_BOTH_RESPONSE_TAG: u8 = b'W';

/// The protocol's lengths are signed 32-bit numbers.
const LENGTH_MAX: u32 = i32::MAX as u32;

/// The beginning of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The message's type.
    pub tag: u8,
    /// Bytes of the body.
    pub body_bytes: usize,
}

impl Header {
    /// The header at the front of `buffer`; none if it is not all there.
    pub fn peek(buffer: &[u8]) -> Result<Option<Header>, WireError> {
        let Some((&[tag, a, b, c, d], _)) = buffer.split_first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([a, b, c, d]);
        if !(4..=LENGTH_MAX).contains(&length) {
            return Err(WireError::Length { tag, length });
        }
        Ok(Some(Header {
            tag,
            body_bytes: length as usize - 4,
        }))
    }

    /// Bytes of the whole frame.
    pub fn frame_bytes(self) -> usize {
        HEADER_BYTES + self.body_bytes
    }
}

/// Bytes that are missing until `buffer` holds a whole frame; 0 if it does.
pub fn missing_bytes(buffer: &[u8]) -> Result<usize, WireError> {
    let wanted = Header::peek(buffer)?.map_or(HEADER_BYTES, Header::frame_bytes);
    Ok(wanted.saturating_sub(buffer.len()))
}

/// Takes the body of the frame at the front of `buffer`, which must hold all of it.
pub fn take_body(buffer: &mut BytesMut, header: Header) -> Bytes {
    buffer.advance(HEADER_BYTES);
    buffer.split_to(header.body_bytes).freeze()
}

/// Bytes of the whole frames at the front of `buffer`, up to the first of another type than
/// `wanted`. No more are taken once there are `enough` bytes.
pub fn run_bytes(
    buffer: &[u8],
    wanted: impl Fn(u8) -> bool,
    enough: usize,
) -> Result<usize, WireError> {
    let mut bytes = 0;
    while bytes < enough {
        let rest = &buffer[bytes..];
        match Header::peek(rest)? {
            Some(header) if wanted(header.tag) && header.frame_bytes() <= rest.len() => {
                bytes += header.frame_bytes();
            }
            _ => break,
        }
    }
    Ok(bytes)
}

/// Each frame of a run of whole ones: its type, and all of it.
pub fn frames(mut run: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let header = Header::peek(run).ok().flatten()?;
        let (frame, rest) = run.split_at_checked(header.frame_bytes())?;
        run = rest;
        Some((header.tag, frame))
    })
}

/// The header of a frame whose body is written separately.
///
/// # Errors
/// A body of 2 GiB or more does not fit into a frame.
pub fn header(tag: u8, body_bytes: usize) -> Result<[u8; HEADER_BYTES], WireError> {
    let length = u32::try_from(body_bytes + 4).unwrap_or(u32::MAX);
    if length > LENGTH_MAX {
        return Err(WireError::Length { tag, length });
    }
    let [a, b, c, d] = length.to_be_bytes();
    Ok([tag, a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::hostile::nearly;
    use proptest::prelude::*;

    #[test]
    fn a_frame_is_whole_when_its_last_byte_is_there() {
        let frame = [b'd', 0, 0, 0, 6, 1, 2];
        for end in 0..frame.len() {
            assert_ne!(missing_bytes(&frame[..end]), Ok(0), "{end} bytes");
        }
        assert_eq!(missing_bytes(&frame), Ok(0));
        let mut buffer = BytesMut::from(&frame[..]);
        let header = Header::peek(&buffer).expect("valid").expect("whole");
        assert_eq!(take_body(&mut buffer, header).as_ref(), [1, 2]);
        assert!(buffer.is_empty());
    }

    proptest! {
        #[test]
        fn a_run_is_the_frames_that_are_whole_and_wanted(
            written in proptest::collection::vec((prop::sample::select(b"dNE".to_vec()), ".{0,9}"), 0..9),
            cut in 0_usize..9, enough in 0_usize..60,
        ) {
            let frame = |(tag, body): &(u8, String)| {
                let header = header(*tag, body.len()).expect("fits");
                [&header, body.as_bytes()].concat()
            };
            let mut bytes: Vec<u8> = written.iter().flat_map(frame).collect();
            bytes.truncate(bytes.len().saturating_sub(cut));
            let run = run_bytes(&bytes, |tag| tag != b'E', enough).expect("valid");
            let mut end = 0;
            let expected = written.iter().map(|one| (one.0, frame(one)));
            let expected: Vec<_> = expected.take_while(|(tag, frame)| {
                let is_in = *tag != b'E' && end < enough && end + frame.len() <= bytes.len();
                end += if is_in { frame.len() } else { 0 };
                is_in
            }).collect();
            let found: Vec<_> = frames(&bytes[..run]).map(|(tag, frame)| (tag, frame.to_vec())).collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn hostile_bytes_are_no_frames_past_their_end(
            bytes: Vec<u8>, near in nearly(vec![b"Q\0\0\0\x0dSELECT 1\0S\0\0\0\x04d\0\0\0\x06ab".to_vec()]),
        ) {
            for bytes in [bytes, near] {
                let run = run_bytes(&bytes, |_| true, usize::MAX).unwrap_or(0);
                let taken: usize = frames(&bytes[..run]).map(|(_, frame)| frame.len()).sum();
                prop_assert_eq!(taken, run);
            }
        }
    }

    #[test]
    fn impossible_lengths_are_errors() {
        for length in [0u32, 3, 0x8000_0000, u32::MAX] {
            let mut frame = vec![b'd'];
            frame.extend(length.to_be_bytes());
            assert_eq!(
                Header::peek(&frame),
                Err(WireError::Length { tag: b'd', length })
            );
        }
    }

    #[test]
    fn headers_written_are_headers_read() {
        let bytes = header(b'd', 1 << 30).expect("fits");
        let read = Header::peek(&bytes).expect("valid").expect("whole");
        assert_eq!((read.tag, read.body_bytes), (b'd', 1 << 30));
        assert!(header(b'd', 1 << 31).is_err());
    }
}
