//! The messages inside COPY BOTH: the manual's "Streaming Replication Protocol".

use bytes::{Buf, BufMut};

use super::error::WireError;
use crate::base::Lsn;

/// Microseconds from 1970-01-01, where Unix begins to count, to 2000-01-01, where PostgreSQL does.
pub const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// What a walsender sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicationMessage<'a> {
    /// `w`: one message of the output plugin.
    XLogData(XLogData<'a>),
    /// `k`: nothing new, or nothing for us.
    Keepalive(Keepalive),
}

/// A piece of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct XLogData<'a> {
    /// Where this piece stands in the WAL. Zero for messages that stand nowhere.
    pub start: Lsn,
    /// The end of WAL at the server, as of sending.
    pub end: Lsn,
    /// The server's clock at sending, in microseconds since 1970.
    pub sent_at_micros: i64,
    /// What the output plugin wrote.
    pub body: &'a [u8],
}

/// A sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepalive {
    /// How far the server has sent everything there is for us.
    pub wal_end: Lsn,
    /// The server's clock at sending, in microseconds since 1970.
    pub sent_at_micros: i64,
    /// Whether the server wants a status update at once, or it will give up on us.
    pub reply_requested: bool,
}

/// `r`: what we have done so far; the server keeps WAL from `flushed` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StandbyStatus {
    /// Everything before it was received.
    pub written: Lsn,
    /// Everything before it is durable here: the server may forget it.
    pub flushed: Lsn,
    /// Everything before it is in the target.
    pub applied: Lsn,
    /// Our clock, in microseconds since 1970.
    pub now_micros: i64,
    /// Whether the server should answer with a keepalive at once.
    pub reply_requested: bool,
}

/// Microseconds since 1970 of `micros` since 2000; ends of the range stay ends.
pub fn unix_micros(micros: i64) -> i64 {
    micros.saturating_add(POSTGRES_EPOCH_MICROS)
}

/// Microseconds since 2000 of `micros` since 1970; ends of the range stay ends.
pub fn postgres_micros(micros: i64) -> i64 {
    micros.saturating_sub(POSTGRES_EPOCH_MICROS)
}

/// Whether the body of a CopyData is a keepalive that wants an answer at once.
pub fn wants_reply(body: &[u8]) -> bool {
    body.first() == Some(&b'k')
        && matches!(
            ReplicationMessage::parse(body),
            Ok(ReplicationMessage::Keepalive(keepalive)) if keepalive.reply_requested
        )
}

impl<'a> ReplicationMessage<'a> {
    /// Reads the body of a CopyData.
    ///
    /// # Errors
    /// A body that is too short, or of an unknown type.
    pub fn parse(mut body: &'a [u8]) -> Result<Self, WireError> {
        if body.is_empty() {
            return Err(WireError::Short("empty replication"));
        }
        match body.get_u8() {
            b'w' if body.len() >= 24 => Ok(ReplicationMessage::XLogData(XLogData {
                start: Lsn::new(body.get_u64()),
                end: Lsn::new(body.get_u64()),
                sent_at_micros: unix_micros(body.get_i64()),
                body,
            })),
            b'k' if body.len() >= 17 => Ok(ReplicationMessage::Keepalive(Keepalive {
                wal_end: Lsn::new(body.get_u64()),
                sent_at_micros: unix_micros(body.get_i64()),
                reply_requested: body.get_u8() != 0,
            })),
            b'w' => Err(WireError::Short("XLogData")),
            b'k' => Err(WireError::Short("keepalive")),
            tag => Err(WireError::UnknownReplication(tag)),
        }
    }
}

impl StandbyStatus {
    /// The body of a CopyData.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(34);
        body.put_u8(b'r');
        for lsn in [self.written, self.flushed, self.applied] {
            body.put_u64(lsn.as_u64());
        }
        body.put_i64(postgres_micros(self.now_micros));
        body.put_u8(u8::from(self.reply_requested));
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_piece_of_the_stream_is_read_field_by_field() {
        let mut bytes = vec![b'w'];
        bytes.put_u64(0x16_B374_D848);
        bytes.put_u64(0x16_B374_D900);
        bytes.put_i64(1_000_000);
        bytes.put_slice(b"BEGIN 1");
        let expected = XLogData {
            start: Lsn::new(0x16_B374_D848),
            end: Lsn::new(0x16_B374_D900),
            sent_at_micros: POSTGRES_EPOCH_MICROS + 1_000_000,
            body: b"BEGIN 1",
        };
        assert_eq!(
            ReplicationMessage::parse(&bytes),
            Ok(ReplicationMessage::XLogData(expected))
        );
    }

    #[test]
    fn a_keepalive_says_whether_it_wants_an_answer() {
        let mut bytes = vec![b'k'];
        bytes.put_u64(7);
        bytes.put_i64(0);
        bytes.put_u8(1);
        let expected = Keepalive {
            wal_end: Lsn::new(7),
            sent_at_micros: POSTGRES_EPOCH_MICROS,
            reply_requested: true,
        };
        assert_eq!(
            ReplicationMessage::parse(&bytes),
            Ok(ReplicationMessage::Keepalive(expected))
        );
        assert!(wants_reply(&bytes));
    }

    #[test]
    fn a_status_update_has_the_manuals_layout() {
        let status = StandbyStatus {
            written: Lsn::new(3),
            flushed: Lsn::new(2),
            applied: Lsn::new(1),
            now_micros: POSTGRES_EPOCH_MICROS + 5,
            reply_requested: true,
        };
        let body = status.encode();
        assert_eq!(body.len(), 34);
        assert_eq!(
            (body[0], body[8], body[16], body[24], body[32], body[33]),
            (b'r', 3, 2, 1, 5, 1)
        );
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_errors_and_not_panics(bytes: Vec<u8>) {
            let _ = wants_reply(&bytes);
            let _ = ReplicationMessage::parse(&bytes);
        }
    }
}
