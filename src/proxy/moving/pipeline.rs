//! Many statements to a server at once, and its answers one by one.
//!
//! The extended protocol: what is sent together is answered together, and what follows an error is
//! skipped up to the Sync.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Poll, ready};

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::error::MoveError;
use crate::proxy::channel::{Channel, ChannelError};
use crate::proxy::notice;
use crate::wire::WireError;
use crate::wire::frame::{HEADER_BYTES, Header};

/// Most of what a session holds, in bytes of messages. Texts of statements are what can be long.
pub(super) const BYTES_MAX: usize = 16 << 20;

/// The OID of the type text.
pub(super) const TEXT: u32 = 25;

/// Room for one read while there is still something to send.
const READ_BYTES: usize = 8 * 1024;

/// Statements for one Sync; `L` says what each is about.
#[derive(Debug)]
pub(super) struct Pipeline<L> {
    bytes: Vec<u8>,
    steps: VecDeque<(Ends, L)>,
}

/// The message that ends the answer to a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    Parsed,
    Ran,
    Closed,
}

/// How a pipeline ended.
#[derive(Debug)]
pub(super) struct Outcome<L> {
    /// The step that failed, and with what SQLSTATE.
    pub(super) failure: Option<(L, String)>,
    /// Rows came to more than [`BYTES_MAX`]; those behind that were dropped.
    pub(super) is_too_large: bool,
    /// Whether a transaction is open.
    pub(super) is_in_transaction: bool,
}

impl<L> Pipeline<L> {
    pub(super) fn new() -> Self {
        Pipeline {
            bytes: Vec::new(),
            steps: VecDeque::new(),
        }
    }

    /// Prepares `sql` under `name`.
    pub(super) fn parse(&mut self, name: &[u8], sql: &[u8], types: &[u32], about: L) {
        let mut oids = count(types.len()).to_vec();
        for oid in types {
            oids.extend_from_slice(&oid.to_be_bytes());
        }
        put_message(&mut self.bytes, b'P', &[name, b"\0", sql, b"\0", &oids]);
        self.steps.push_back((Ends::Parsed, about));
    }

    /// Runs what is prepared under `name` with these values, as texts.
    pub(super) fn run(&mut self, name: &[u8], values: &[&[u8]], about: L) {
        let mut bound = vec![0, 0];
        bound.extend_from_slice(&count(values.len()));
        for value in values {
            let bytes = i32::try_from(value.len()).unwrap_or(i32::MAX);
            bound.extend_from_slice(&bytes.to_be_bytes());
            bound.extend_from_slice(value);
        }
        put_message(
            &mut self.bytes,
            b'B',
            &[b"\0", name, b"\0", &bound, b"\0\0"],
        );
        put_message(&mut self.bytes, b'E', &[b"\0\0\0\0\0"]);
        self.steps.push_back((Ends::Ran, about));
    }

    /// Forgets what is prepared under `name`, if anything is.
    pub(super) fn close(&mut self, name: &[u8], about: L) {
        put_message(&mut self.bytes, b'C', &[b"S", name, b"\0"]);
        self.steps.push_back((Ends::Closed, about));
    }

    /// What would be sent.
    #[cfg(test)]
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Sends all of it and takes in the answers. Messages that come unasked go whole to
    /// `unasked`, of rows the bodies to `row`. Not cancel safe.
    ///
    /// # Errors
    /// The connection is of no more use.
    pub(super) async fn exchange(
        mut self,
        channel: &mut Channel,
        unasked: &mut Vec<u8>,
        mut row: impl FnMut(&L, &[u8]) -> Result<(), MoveError>,
    ) -> Result<Outcome<L>, MoveError> {
        put_message(&mut self.bytes, b'S', &[]);
        send_and_listen(channel, &self.bytes).await?;
        let mut steps = self.steps;
        let (mut failure, mut row_bytes) = (None, 0_usize);
        loop {
            let header = next_header(channel).await?;
            if header.tag == b'D' {
                row_bytes = row_bytes.saturating_add(header.frame_bytes());
                if row_bytes > BYTES_MAX {
                    skip(channel, header).await?;
                    continue;
                }
            }
            let header = channel.next_header(BYTES_MAX).await?;
            let message = channel.take(header);
            let body = message.get(HEADER_BYTES..).unwrap_or_default();
            match header.tag {
                b'A' | b'N' | b'S' => {
                    if unasked.len() + message.len() > BYTES_MAX {
                        return Err(MoveError::Odd("notifications without end"));
                    }
                    unasked.extend_from_slice(&message);
                }
                b'Z' => {
                    let is_in_transaction = match body {
                        b"I" => false,
                        b"T" | b"E" => true,
                        _ => return Err(WireError::Short("ReadyForQuery").into()),
                    };
                    if failure.is_none() && !steps.is_empty() {
                        return Err(MoveError::Odd("it is ready too early"));
                    }
                    return Ok(Outcome {
                        failure,
                        is_too_large: row_bytes > BYTES_MAX,
                        is_in_transaction,
                    });
                }
                tag if failure.is_some() => return Err(WireError::Unexpected(tag).into()),
                b'E' => {
                    let Some((_, about)) = steps.pop_front() else {
                        return Err(MoveError::Odd("an error without a question"));
                    };
                    failure = Some((about, sqlstate(body)));
                }
                b'2' => {}
                b'D' => match steps.front() {
                    Some((Ends::Ran, about)) => row(about, body)?,
                    _ => return Err(MoveError::Odd("a row without a question")),
                },
                tag => {
                    let ends = match tag {
                        b'1' => Ends::Parsed,
                        b'C' | b'I' => Ends::Ran,
                        b'3' => Ends::Closed,
                        tag => return Err(WireError::Unexpected(tag).into()),
                    };
                    if steps.pop_front().is_none_or(|(wanted, _)| wanted != ends) {
                        return Err(MoveError::Odd("answers are out of order"));
                    }
                }
            }
        }
    }
}

/// The columns of a row, which must be `N`; none for NULL.
pub(super) fn columns<const N: usize>(body: &[u8]) -> Result<[Option<&[u8]>; N], MoveError> {
    let read = || {
        let (columns, mut rest) = body.split_first_chunk()?;
        let mut found = [None; N];
        if usize::from(u16::from_be_bytes(*columns)) != N {
            return None;
        }
        for column in &mut found {
            let (bytes, after) = rest.split_first_chunk()?;
            rest = after;
            if let Ok(bytes) = usize::try_from(i32::from_be_bytes(*bytes)) {
                let (value, after) = rest.split_at_checked(bytes)?;
                (*column, rest) = (Some(value), after);
            }
        }
        rest.is_empty().then_some(found)
    };
    read().ok_or(MoveError::Odd("a row is not what was asked for"))
}

/// Adds a message of `parts`. What is told here is bounded far below what a message can hold.
pub(super) fn put_message(out: &mut Vec<u8>, tag: u8, parts: &[&[u8]]) {
    let body_bytes: usize = parts.iter().map(|part| part.len()).sum();
    let length = u32::try_from(body_bytes + 4).unwrap_or(u32::MAX);
    out.push(tag);
    out.extend_from_slice(&length.to_be_bytes());
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// Servers allow no more parameters than 65535.
fn count(parameters: usize) -> [u8; 2] {
    u16::try_from(parameters).unwrap_or(u16::MAX).to_be_bytes()
}

/// The SQLSTATE of an ErrorResponse, which may be anything.
fn sqlstate(body: &[u8]) -> String {
    let found = notice::sqlstate(body).unwrap_or_default();
    let is_one = found.len() == 5 && found.iter().all(u8::is_ascii_alphanumeric);
    String::from_utf8_lossy(if is_one { found } else { b"?????" }).into_owned()
}

/// The header of the next message, of which no more needs to be there.
async fn next_header(channel: &mut Channel) -> Result<Header, MoveError> {
    loop {
        if let Some(header) = Header::peek(&channel.input)? {
            return Ok(header);
        }
        channel.read_more().await?;
    }
}

/// Reads past a message of any length.
async fn skip(channel: &mut Channel, header: Header) -> Result<(), MoveError> {
    let mut left = header.frame_bytes();
    loop {
        let here = left.min(channel.input.len());
        channel.skip(here);
        left -= here;
        if left == 0 {
            return Ok(());
        }
        channel.read_more().await?;
    }
}

/// Sends `bytes`, and reads whenever the server does not take more: it may be waiting until its
/// answers are read.
async fn send_and_listen(channel: &mut Channel, mut bytes: &[u8]) -> Result<(), ChannelError> {
    let Channel { stream, input } = channel;
    let sent = poll_fn(|cx| {
        loop {
            if bytes.is_empty() {
                return Poll::Ready(Ok::<_, io::Error>(()));
            }
            match Pin::new(&mut *stream).poll_write(cx, bytes)? {
                Poll::Ready(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(sent) => {
                    bytes = &bytes[sent..];
                    continue;
                }
                Poll::Pending => {}
            }
            if input.len() > BYTES_MAX {
                return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            }
            input.reserve(READ_BYTES);
            if ready!(pin!(stream.read_buf(input)).poll(cx))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    });
    sent.await?;
    Ok(stream.flush().await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::connect::Stream;
    use crate::proxy::moving::inventory::{AdvisoryLock, CustomType, LockKey};
    use crate::proxy::moving::{CustomNames, Inventory, give, take};
    use proptest::prelude::*;
    use tokio::net::UnixStream;

    /// Something that only a server says, or nonsense.
    fn said() -> impl Strategy<Value = Vec<u8>> {
        let tag = prop::sample::select(b"123CDEIZANSTtGdK".to_vec());
        let body = prop_oneof![
            Just(b"I".to_vec()),
            Just(b"\0\x01\0\0\0\x01t".to_vec()),
            Just(b"\0\x05\0\0\0\x04type\0\0\0\x0220\xff\xff\xff\xff\xff\xff\xff\xff".to_vec()),
            proptest::collection::vec(any::<u8>(), 0..20),
        ];
        let message = (tag, body).prop_map(|(tag, body)| {
            let mut bytes = Vec::new();
            put_message(&mut bytes, tag, &[&body]);
            bytes
        });
        let messages = proptest::collection::vec(message, 0..30);
        (messages, 0_usize..4).prop_map(|(messages, cut)| {
            let mut bytes = messages.concat();
            bytes.truncate(bytes.len().saturating_sub(cut));
            bytes
        })
    }

    proptest! {
        #![proptest_config(crate::base::hostile::at_least(128))]
        #[test]
        fn hostile_servers_are_errors_and_not_panics(said in said()) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let inventory = Inventory {
                    types: vec![CustomType { oid: 20_000, name: b"a".to_vec() }],
                    locks: vec![AdvisoryLock { is_shared: true, key: LockKey::One(1) }],
                    ..Inventory::default()
                };
                for is_old in [true, false] {
                    let (own, mut other) = UnixStream::pair().expect("a pair");
                    other.write_all(&said).await.expect("room");
                    other.shutdown().await.expect("open");
                    let mut channel = Channel::new(Stream::Unix(own));
                    let is_fine = match is_old {
                        true => take(&mut channel, &CustomNames::default()).await.is_ok(),
                        false => give(&mut channel, &inventory).await.is_ok(),
                    };
                    assert!(!is_fine, "so many answers in order are no accident");
                }
            });
        }

        #[test]
        fn hostile_rows_are_errors_and_not_panics(body: Vec<u8>, cut in 0_usize..20) {
            let _ = columns::<2>(&body);
            let row = [&b"\0\x02\0\0\0\x03"[..], b"abc", b"\xff\xff\xff\xff"].concat();
            prop_assert_eq!(columns::<2>(&row).expect("valid"), [Some(&b"abc"[..]), None]);
            if cut < row.len() {
                prop_assert!(columns::<2>(&row[..cut]).is_err());
            }
            prop_assert_eq!(sqlstate(&body).len(), 5);
        }
    }
}
