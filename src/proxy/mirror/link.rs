//! A session's connection to a mirror, or to its own server to ask again.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::super::auth::{Answer, Credential, ServerLogin, ServerLoginError};
use super::super::channel::{Channel, ChannelError};
use super::super::conversation::Conversation;
use super::super::notice;
use super::super::server::{self, OpenServer, ServerPlace};
use crate::pg::connect::Stream;
use crate::pg::{Address, Error};
use crate::wire::WireError;
use crate::wire::frame::HEADER_BYTES;
use crate::wire::startup::{CancelKey, ProtocolVersion, Startup};

/// How long opening may take, logging in included. What the client says meanwhile waits in the queue.
const OPEN_MAX: Duration = Duration::from_secs(10);

/// The longest message of a server during a login.
const SERVER_MESSAGE_MAX: usize = 1 << 20;

/// Bytes of the answers of one round that are kept to be compared: as many as of the client's.
const ANSWER_BYTES_MAX: usize = 256 << 10;

/// Room for one read.
const BUFFER_BYTES: usize = 64 * 1024;

thread_local! {
    /// The buffer of all connections of this thread, in use within one poll alone.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; BUFFER_BYTES].into_boxed_slice());
}

/// Where a session is said again, and how it gets in.
#[derive(Debug, Clone)]
pub struct Route {
    /// The server.
    pub address: Address,
    /// What the session began with.
    pub startup: Startup,
    /// As whom.
    pub user: String,
    /// What the server is shown.
    pub credential: Credential,
}

/// A connection that is logged in.
#[derive(Debug)]
pub struct Link {
    stream: Stream,
    conversation: Conversation,
    place: ServerPlace,
    key: Option<CancelKey>,
    told: Option<Told>,
}

/// Where it stands which process of the server is at the other end, for as long as the connection is there.
#[derive(Debug)]
struct Told(Arc<AtomicU32>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// What was answered in one round.
#[derive(Debug, Default)]
pub struct Heard {
    /// Messages of the server; cut off where there were more than are kept.
    pub answers: Vec<u8>,
    /// Whether they are all there.
    pub is_whole: bool,
    /// Statements that failed.
    pub errors: u32,
    /// From the first request to the last answer.
    pub took: Duration,
}

/// Why there is no connection, or none any more.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The server cannot be reached.
    #[error("connecting")]
    Unreachable(#[from] Error),
    /// It took too long.
    #[error("no answer within {0:?}")]
    Slow(Duration),
    /// The server does not let the role in. With its SQLSTATE.
    #[error("the server refused the login ({0})")]
    Refused(String),
    /// The server asks for what there is not.
    #[error("logging in")]
    Login(#[from] ServerLoginError),
    /// The connection broke, or what came is no message.
    #[error("speaking with the server")]
    Broken(#[from] ChannelError),
}

impl From<WireError> for LinkError {
    fn from(error: WireError) -> Self {
        LinkError::Broken(ChannelError::Wire(error))
    }
}

impl From<io::Error> for LinkError {
    fn from(error: io::Error) -> Self {
        LinkError::Broken(ChannelError::from(error))
    }
}

impl Route {
    /// The same for a session that may only read.
    #[must_use]
    pub fn reading_only(mut self) -> Self {
        let parameters = &mut self.startup.parameters;
        parameters.retain(|(name, _)| !name.eq_ignore_ascii_case(SETTING));
        // Behind the client's `options`, which the server therefore takes first.
        parameters.push((SETTING.to_vec(), b"on".to_vec()));
        self
    }
}

const SETTING: &[u8] = b"default_transaction_read_only";

/// Makes a session one that may only read, whatever has been said in it before.
pub const READ_ONLY: &[u8] = b"SET default_transaction_read_only = on";

impl Link {
    /// Opens a connection and logs in.
    ///
    /// # Errors
    /// See [`LinkError`].
    pub async fn open(route: &Route) -> Result<Link, LinkError> {
        let opening = Link::open_unbounded(route);
        let opened = tokio::time::timeout(OPEN_MAX, opening).await;
        opened.unwrap_or(Err(LinkError::Slow(OPEN_MAX)))
    }

    async fn open_unbounded(route: &Route) -> Result<Link, LinkError> {
        let OpenServer { stream, place } = server::open_once(&route.address).await?;
        let mut channel = Channel::new(stream);
        let asked = route.startup.at_most(ProtocolVersion::V3_2);
        channel.send(&asked.encode()).await?;
        let end_point = channel.stream.channel_binding();
        let mut login = ServerLogin::new(&route.user, &route.credential, &route.address, end_point);
        let mut key = None;
        loop {
            let header = channel.next_header(SERVER_MESSAGE_MAX).await?;
            let message = channel.take(header);
            let body = message.get(HEADER_BYTES..).unwrap_or_default();
            match header.tag {
                b'R' => match login.answer(body)? {
                    Answer::Send(answer) => channel.send(&answer).await?,
                    Answer::Wait | Answer::Done => {}
                },
                b'K' => key = CancelKey::parse(body).ok(),
                b'E' => {
                    let sqlstate = notice::sqlstate(body).unwrap_or_default();
                    let sqlstate = String::from_utf8_lossy(sqlstate).into_owned();
                    return Err(LinkError::Refused(sqlstate));
                }
                b'Z' => break,
                b'S' | b'N' | b'v' => {}
                tag => return Err(WireError::Unexpected(tag).into()),
            }
        }
        let mut conversation = Conversation::default();
        conversation.from_server(&channel.input)?;
        Ok(Link {
            stream: channel.stream,
            conversation,
            place,
            key,
            told: None,
        })
    }

    /// Says in `place`, from now on and until it is closed, which process of the server is at its other end.
    pub fn tell_process(&mut self, place: &Arc<AtomicU32>) {
        if let Some(key) = &self.key {
            place.store(key.process, Ordering::Relaxed);
            self.told = Some(Told(Arc::clone(place)));
        }
    }

    /// Says `requests`, whole messages, and returns once everything is answered. An answer that
    /// takes longer than `limit` is cancelled at the server; the connection is then of no more use,
    /// as after every error.
    ///
    /// # Errors
    /// See [`LinkError`].
    pub async fn say(&mut self, requests: &[u8], limit: Duration) -> Result<Heard, LinkError> {
        let began = Instant::now();
        self.conversation.from_client(requests)?;
        let mut exchange = Exchange {
            link: self,
            unsent: requests,
            heard: Heard {
                is_whole: true,
                ..Heard::default()
            },
        };
        let answered = tokio::time::timeout(limit, poll_fn(|cx| exchange.poll(cx))).await;
        let mut heard = std::mem::take(&mut exchange.heard);
        match answered {
            Ok(answered) => answered?,
            Err(_) => {
                self.cancel().await;
                return Err(LinkError::Slow(limit));
            }
        }
        heard.took = began.elapsed();
        Ok(heard)
    }

    /// Whether a transaction begins with the next statement.
    pub fn is_between_transactions(&self) -> bool {
        self.conversation.is_movable()
    }

    /// Says goodbye, and returns once the server's process has ended, which gives up its locks before.
    pub async fn close(mut self) {
        let goodbye = async {
            self.stream.write_all(b"X\0\0\0\x04").await?;
            while self.stream.read(&mut [0; 1024]).await? > 0 {}
            Ok::<_, io::Error>(())
        };
        let _ = tokio::time::timeout(OPEN_MAX, goodbye).await;
    }

    async fn cancel(&self) {
        let Some(key) = &self.key else {
            return;
        };
        let cancelling = async {
            let mut stream = server::open_again(&self.place).await?;
            stream.write_all(&key.cancel_request()).await?;
            Ok::<_, Error>(stream.flush().await?)
        };
        let _ = tokio::time::timeout(OPEN_MAX, cancelling).await;
    }
}

/// Says that the data of a COPY does not come: CopyFail without a reason. Where the COPY was begun by
/// the extended protocol the server has passed over its Sync, and needs another.
const COPY_FAIL: [u8; 6] = *b"f\0\0\0\x05\0";
const COPY_FAIL_AND_SYNC: [u8; 11] = *b"f\0\0\0\x05\0S\0\0\0\x04";

/// One round under way: requests are written while answers are read, so that neither side waits for
/// the other with full sockets.
struct Exchange<'a> {
    link: &'a mut Link,
    unsent: &'a [u8],
    heard: Heard,
}

impl Exchange<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), LinkError>> {
        while !self.unsent.is_empty() {
            match Pin::new(&mut self.link.stream).poll_write(cx, self.unsent) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(closed())),
                Poll::Ready(Ok(sent)) => self.unsent = &self.unsent[sent..],
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
                Poll::Pending => break,
            }
        }
        loop {
            if self.unsent.is_empty() && self.link.conversation.is_answered() {
                return Poll::Ready(Ok(()));
            }
            if self.unsent.is_empty()
                && let Some(needs_sync) = self.link.conversation.waits_for_copy()
            {
                // The client's own server has refused it.
                self.unsent = match needs_sync {
                    true => &COPY_FAIL_AND_SYNC,
                    false => &COPY_FAIL,
                };
                self.link.conversation.from_client(self.unsent)?;
                return self.poll(cx);
            }
            ready!(BUFFER.with_borrow_mut(|buffer| self.poll_read(cx, buffer)))?;
        }
    }

    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<(), LinkError>> {
        let mut read = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.link.stream).poll_read(cx, &mut read))?;
        let bytes = read.filled();
        if bytes.is_empty() {
            return Poll::Ready(Err(closed()));
        }
        let errors = self.link.conversation.from_server(bytes)?.errors.len();
        self.heard.errors += u32::try_from(errors).unwrap_or(u32::MAX);
        let room = ANSWER_BYTES_MAX.saturating_sub(self.heard.answers.len());
        let kept = bytes.get(..room).unwrap_or(bytes);
        self.heard.is_whole &= kept.len() == bytes.len();
        self.heard.answers.extend_from_slice(kept);
        Poll::Ready(Ok(()))
    }
}

fn closed() -> LinkError {
    LinkError::Broken(ChannelError::Closed(None))
}
