//! Client and server speak; the relay carries their bytes.
//!
//! Whatever has arrived is read into one buffer, its headers are stepped over, and all of it is
//! written on. The buffer belongs to the thread: it is in use only between a read and the write
//! that follows at once, so a session that waits has none, and ten thousand idle clients cost their
//! sockets. What the other side does not take at once is kept (at most one buffer a direction), and
//! nothing more is read in that direction until it is gone: a client that does not read stops its
//! server, and nobody else.
//!
//! There is no lock and no allocation on the way of a message that passes whole.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWrite;

use super::conversation::Conversation;
use super::end::End;
use super::gate::{Gate, Turns, Way};
use super::mirror::feed::Feed;
use super::mirror::tap::Tap;
use super::moving::{CustomNames, Unnamed};
use super::notice;
use super::registry::{Entry, SessionState};
use super::statistics::Stopwatch;
use crate::pg::connect::Stream;
use crate::wire::WireError;
use crate::wire::frame::Header;

/// Room for one read. COPY moves several socket buffers at a time; larger ones leave the
/// processor's second cache.
const BUFFER_BYTES: usize = 64 * 1024;

thread_local! {
    /// The buffer of all sessions of this thread.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; BUFFER_BYTES].into_boxed_slice());
}

/// What the relay comes back for.
#[derive(Debug)]
pub enum Event {
    /// The client speaks, and the gate is closed.
    Held,
    /// The client has closed, and the server what it answered.
    ClientEnded,
    /// The server has closed, and the client has everything that it said.
    ServerEnded,
    /// The client sent what is no message.
    ClientBroke(WireError),
    /// The server did.
    ServerBroke(WireError),
    /// A network failed; which of the two does not matter to the other.
    Lost(io::Error),
    /// The client is not listened to until it has its answers: the gate is closed.
    Quiet,
    /// The session is asked to end.
    AskedToEnd,
    /// Traffic goes to another server by now, and the session is between two transactions.
    Elsewhere,
    /// The session is between two transactions, and asked what it holds.
    Surveyed,
}

/// A session between login and end.
#[derive(Debug)]
pub struct Relay {
    client: End,
    server: End,
    conversation: Conversation,
    stopwatch: Stopwatch,
    /// Of the client, read while the gate was closed, and not for the server yet.
    kept: Vec<u8>,
    /// How much the client has said to its servers, in bytes.
    said: u64,
    entry: Arc<Entry>,
    gate: Arc<Gate>,
    /// Of which side the server is.
    turns: Turns,
    /// What the client says of what no server tells; none where it is never asked.
    heard: Option<Box<Heard>>,
    is_busy: bool,
    /// The server's last message so far is an error: if it then closes, it has said why.
    has_said_why: bool,
    /// The server knows that the client has closed.
    has_told_end: bool,
    /// Takes off what is said, for mirrors.
    tap: Option<Box<Tap>>,
}

impl Relay {
    /// A session that has just become ready. What either side has sent already goes first.
    ///
    /// # Errors
    /// What the server has sent already is no message.
    pub fn new(
        client: Stream,
        server: Stream,
        (from_client, from_server): (Bytes, Bytes),
        (entry, turns): (Arc<Entry>, Turns),
    ) -> Result<Self, WireError> {
        let gate = Arc::clone(entry.gate());
        let mut relay = Relay {
            client: End::new(client),
            server: End::new(server),
            conversation: Conversation::default(),
            stopwatch: Stopwatch::default(),
            kept: from_client.to_vec(),
            said: 0,
            entry,
            gate,
            turns,
            heard: None,
            is_busy: true,
            has_said_why: false,
            has_told_end: false,
            tap: None,
        };
        relay.conversation.from_server(&from_server)?;
        relay.client.unsent.keep(&from_server);
        relay.settle();
        Ok(relay)
    }

    /// From now on what is said goes to mirrors, too.
    #[must_use]
    pub fn tapped(self, tap: Option<Box<Tap>>) -> Self {
        Relay { tap, ..self }
    }

    /// From now on it is listened to what the session would have to take along to another server.
    #[must_use]
    pub fn that_may_move(self) -> Self {
        Relay {
            heard: Some(Box::default()),
            ..self
        }
    }

    /// Carries bytes in both directions until something else is to be done.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if self.entry.is_asked_to_end() {
            return Poll::Ready(Event::AskedToEnd);
        }
        if self.entry.is_asked_to_move() && !self.is_busy {
            return Poll::Ready(Event::Elsewhere);
        }
        if let Poll::Ready(event) = self.poll_from_server(cx) {
            return Poll::Ready(event);
        }
        match self.poll_from_client(cx) {
            // Behind what was said just now: nobody wakes the session at the end of a transaction.
            Poll::Pending if self.is_surveyed() => Poll::Ready(Event::Surveyed),
            polled => polled,
        }
    }

    fn is_surveyed(&self) -> bool {
        !self.is_busy && self.kept.is_empty() && self.entry.survey.is_asked()
    }

    /// Carries only what the server says. The client is not listened to.
    pub fn poll_from_server(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        loop {
            if let Err(error) = ready!(self.client.poll_send_unsent(cx)) {
                return Poll::Ready(Event::Lost(error));
            }
            if self.server.has_ended {
                return Poll::Ready(Event::ServerEnded);
            }
            if let Err(error) = ready!(self.server.poll_readable(cx)) {
                return Poll::Ready(Event::Lost(error));
            }
            let done = BUFFER.with_borrow_mut(|buffer| self.server_to_client(cx, buffer));
            if let Some(event) = ready!(done) {
                return Poll::Ready(event);
            }
        }
    }

    /// Carries what the server says until everything that the client asked is answered, or the
    /// server waits for the client; then none.
    pub fn poll_until_answered(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        match self.poll_from_server(cx) {
            Poll::Ready(event) => Poll::Ready(Some(event)),
            Poll::Pending if self.may_read_client() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_from_client(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        loop {
            if let Err(error) = ready!(self.server.poll_send_unsent(cx)) {
                return Poll::Ready(server_does_not_take(&error));
            }
            if self.client.has_ended && self.kept.is_empty() {
                return self.poll_goodbye(cx);
            }
            if !self.may_read_client() {
                return Poll::Ready(Event::Quiet);
            }
            if self.kept.is_empty()
                && let Err(error) = ready!(self.client.poll_readable(cx))
            {
                return Poll::Ready(Event::Lost(error));
            }
            match self.begin() {
                Way::Open => {}
                Way::Closed => return Poll::Ready(Event::Held),
                Way::Elsewhere => return Poll::Ready(Event::Elsewhere),
            }
            let done = match self.kept.is_empty() {
                true => BUFFER.with_borrow_mut(|buffer| self.client_to_server(cx, buffer)),
                false => {
                    let kept = std::mem::take(&mut self.kept);
                    Poll::Ready(self.send_to_server(cx, &kept))
                }
            };
            if let Some(event) = ready!(done) {
                return Poll::Ready(event);
            }
        }
    }

    /// Whether the client may be listened to. While the gate is closed, one that has asked something
    /// is not, until the answer tells whether its transaction has ended.
    fn may_read_client(&self) -> bool {
        !self.is_busy
            || !self.gate.is_closed()
            || self.conversation.is_answered()
            || !self.conversation.is_client_quiet()
    }

    /// Says that the client begins something, if it may.
    fn begin(&mut self) -> Way {
        if self.is_busy {
            return Way::Open;
        }
        self.entry.set_state(SessionState::Busy);
        let way = self.gate.way(self.turns);
        match way {
            Way::Open => self.is_busy = true,
            Way::Closed | Way::Elsewhere => {
                self.entry.set_state(SessionState::Held);
                // A pause may have seen it busy in between, and wait for it.
                self.gate.settled();
            }
        }
        way
    }

    /// Says so if the session has come to a movable point.
    fn settle(&mut self) {
        let is_movable = self.conversation.is_movable();
        if self.is_busy && is_movable && self.server.unsent.is_empty() {
            self.is_busy = false;
            // First: whoever holds everybody looks then how much is outstanding for mirrors.
            if let Some(tap) = &mut self.tap {
                tap.ended();
            }
            self.entry.set_state(SessionState::Idle);
            self.gate.settled();
        } else if !self.is_busy && !is_movable {
            // Half a notification: not to be moved until the rest is there.
            self.is_busy = true;
            self.entry.set_state(SessionState::Busy);
        }
    }

    fn client_to_server(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Option<Event>> {
        let bytes = match self.client.poll_read(cx, buffer) {
            Poll::Ready(Ok(bytes)) => bytes,
            Poll::Ready(Err(error)) => return Poll::Ready(Some(Event::Lost(error))),
            Poll::Pending => {
                // It was said to be busy for nothing.
                self.settle();
                return Poll::Pending;
            }
        };
        if bytes == 0 {
            self.client.has_ended = true;
            self.settle();
            return Poll::Ready(None);
        }
        self.entry.statistics.count_in(bytes);
        Poll::Ready(self.send_to_server(cx, &buffer[..bytes]))
    }

    fn send_to_server(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Option<Event> {
        self.stopwatch.asked(&self.entry.statistics);
        let taken = match self.gate.is_closed() {
            true => self.conversation.from_client_until_quiet(bytes),
            false => self.conversation.from_client(bytes).map(|()| bytes.len()),
        };
        let taken = match taken {
            Ok(taken) => taken,
            Err(error) => return Some(Event::ClientBroke(error)),
        };
        self.kept.extend_from_slice(&bytes[taken..]);
        self.said += taken as u64;
        if let Some(heard) = &mut self.heard {
            heard.unnamed.heard(&bytes[..taken]);
            let names = &mut heard.names;
            names.heard(&bytes[..taken]);
            if names.may_listen() || names.may_lock() {
                self.entry.note_must_move_first();
            }
        }
        if let Some(tap) = &mut self.tap {
            tap.client_said(&bytes[..taken]);
        }
        let sent = self.server.send(cx, &bytes[..taken]);
        self.settle();
        sent.err().map(|error| server_does_not_take(&error))
    }

    fn server_to_client(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Option<Event>> {
        // A server that was killed resets the connection: as good as its end.
        let bytes = ready!(self.server.poll_read(cx, buffer)).unwrap_or_default();
        if bytes == 0 {
            self.server.has_ended = true;
            return Poll::Ready(None);
        }
        let bytes = &buffer[..bytes];
        let heard = match self.conversation.from_server(bytes) {
            Ok(heard) => heard,
            Err(error) => return Poll::Ready(Some(Event::ServerBroke(error))),
        };
        let statistics = &self.entry.statistics;
        statistics.count_out(bytes.len());
        let now = self.conversation.now();
        self.stopwatch.heard(statistics, &heard, now);
        for class in &heard.errors {
            self.entry.database.count_error(*class);
        }
        self.has_said_why = heard.ends_with_error.unwrap_or(self.has_said_why);
        let sent = self.client.send(cx, bytes);
        if let Some(tap) = &mut self.tap {
            tap.server_said(bytes, !heard.errors.is_empty());
            if self.conversation.is_answered() && self.conversation.is_client_quiet() {
                tap.answered();
            }
        }
        self.settle();
        Poll::Ready(sent.err().map(Event::Lost))
    }

    /// Tells the server that the client has closed, once; then the server's answers are waited for.
    fn poll_goodbye(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        match self.conversation.has_said_goodbye() || self.conversation.is_movable() {
            true => Poll::Ready(Event::ClientEnded),
            // As without a proxy: the server goes on with what it has, answers, and then sees the
            // end. A client that is gone altogether is noticed by the answer.
            false if self.has_told_end => Poll::Pending,
            false => match ready!(Pin::new(&mut self.server.stream).poll_shutdown(cx)) {
                Ok(()) => {
                    self.has_told_end = true;
                    Poll::Pending
                }
                Err(_) => Poll::Ready(Event::ClientEnded),
            },
        }
    }

    /// Puts a message of the proxy's own into what the client reads. False if the server stands
    /// within a message, or the client has not taken what is there already.
    pub fn say_to_client(&mut self, message: &[u8]) -> bool {
        let is_possible =
            self.conversation.is_server_at_boundary() && self.client.unsent.is_empty();
        if is_possible {
            self.client.unsent.keep(message);
        }
        is_possible
    }

    /// Whether the server, if it closes now, has told the client why.
    pub fn has_said_why(&self) -> bool {
        self.has_said_why && self.conversation.is_server_at_boundary()
    }

    /// Whether the client has closed, or said that it is about to: the server then closes because
    /// of that.
    pub fn has_client_left(&self) -> bool {
        self.client.has_ended || self.conversation.has_said_goodbye()
    }

    /// Writes what the client has not taken yet. Cancel safe.
    pub fn poll_flush_client(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.client.poll_send_unsent(cx)
    }

    /// The gate is open again for a session that was held.
    pub fn go_on(&mut self) {
        self.entry.set_state(SessionState::Idle);
    }

    /// Takes back what a held client has said, if that is one Query: it is answered as cancelled,
    /// and the server never hears of it. False if it is something else, or not all there.
    pub fn cancel_held(&mut self, cx: &mut Context<'_>) -> bool {
        let query_bytes = |kept: &[u8]| match Header::peek(kept) {
            Ok(Some(header)) if header.tag == b'Q' && header.frame_bytes() <= kept.len() => {
                Some(header.frame_bytes())
            }
            _ => None,
        };
        if query_bytes(&self.kept).is_none() && self.kept.len() < BUFFER_BYTES {
            BUFFER.with_borrow_mut(|buffer| {
                if let Poll::Ready(Ok(bytes)) = self.client.poll_read(cx, buffer) {
                    self.kept.extend_from_slice(&buffer[..bytes]);
                    self.client.has_ended |= bytes == 0;
                    self.entry.statistics.count_in(bytes);
                }
            });
        }
        let cancelled = "canceling statement due to user request";
        match query_bytes(&self.kept) {
            Some(bytes) if self.say_to_client(&notice::statement_error("57014", cancelled)) => {
                self.kept.drain(..bytes);
                true
            }
            _ => false,
        }
    }

    /// The client's stream, for its last words; the server's is closed.
    pub fn into_client(self) -> Stream {
        self.client.stream
    }

    /// Of which side the server is.
    pub fn turns(&self) -> Turns {
        self.turns
    }

    /// The server is the right one also after these turns.
    pub fn stay(&mut self, turns: Turns) {
        self.turns = turns;
    }

    /// Takes the server away from a session between two transactions; none if it is not there.
    pub fn part(self) -> Result<(Stream, Parted), Box<Relay>> {
        if self.is_busy || !self.server.unsent.is_empty() {
            return Err(Box::new(self));
        }
        let parted = Parted {
            client: self.client,
            conversation: self.conversation,
            kept: self.kept,
            said: self.said,
            entry: self.entry,
            heard: self.heard,
            tap: self.tap,
        };
        Ok((self.server.stream, parted))
    }
}

/// A session between two servers.
#[derive(Debug)]
pub struct Parted {
    client: End,
    conversation: Conversation,
    kept: Vec<u8>,
    said: u64,
    entry: Arc<Entry>,
    heard: Option<Box<Heard>>,
    tap: Option<Box<Tap>>,
}

/// What a client has said of what no server tells.
#[derive(Debug, Default)]
pub struct Heard {
    /// Settings that a server does not list.
    pub names: CustomNames,
    /// The unnamed statement.
    pub unnamed: Unnamed,
}

impl Parted {
    /// What the client has said of what no server tells.
    pub fn heard(&self) -> Option<&Heard> {
        self.heard.as_deref()
    }

    /// How much the client has said to its servers, in bytes: as long as that is the same, what the
    /// session holds is.
    pub fn said(&self) -> u64 {
        self.said
    }

    /// Ends its mirrors: what is said on the side that it goes to is nothing that they have followed.
    pub fn leave_mirrors(&mut self) -> Vec<Arc<Feed>> {
        let left = self.tap.take();
        left.map_or_else(Vec::new, |tap| tap.feeds().to_vec())
    }

    /// Goes on with a server of the side `turns`, which has sent this meanwhile: that which it had, or
    /// another.
    ///
    /// # Errors
    /// That is no message.
    pub fn go_on_with(
        mut self,
        server: Stream,
        from_server: &[u8],
        turns: Turns,
    ) -> Result<Relay, (WireError, Parted)> {
        if let Err(error) = self.conversation.from_server(from_server) {
            return Err((error, self));
        }
        self.client.unsent.keep(from_server);
        let mut relay = Relay {
            client: self.client,
            server: End::new(server),
            conversation: self.conversation,
            stopwatch: Stopwatch::default(),
            kept: self.kept,
            said: self.said,
            gate: Arc::clone(self.entry.gate()),
            entry: self.entry,
            turns,
            heard: self.heard,
            is_busy: true,
            has_said_why: false,
            has_told_end: false,
            tap: self.tap,
        };
        relay.settle();
        Ok(relay)
    }

    /// Writes what the client has not taken yet, within `limit`, and gives its stream, for its last
    /// words.
    pub async fn into_client(mut self, limit: Duration) -> Stream {
        let flush = std::future::poll_fn(|cx| self.client.poll_send_unsent(cx));
        // Who does not read loses the connection all the same.
        let _ = tokio::time::timeout(limit, flush).await;
        self.client.stream
    }
}

/// The server closed while it was written to. That ends the session; what the server has said
/// before, if anything, is read by whoever ends it.
fn server_does_not_take(error: &io::Error) -> Event {
    tracing::debug!("a server did not take what its client sent: {error}");
    Event::ServerEnded
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixStream;

    use super::*;
    use crate::proxy::pause::{Hold, Paused, Pauses};
    use crate::proxy::registry::{ClientFacts, Registered, Registry};

    const LONG: Duration = Duration::from_secs(60);

    /// A session between two sockets, and their other ends.
    struct Session {
        relay: Relay,
        client: UnixStream,
        server: UnixStream,
        registry: Arc<Registry>,
        _registered: Registered,
    }

    fn session() -> Session {
        let registry = Arc::new(Registry::default());
        let registered = registry.add(ClientFacts::default());
        let (client, proxys_client) = UnixStream::pair().expect("a pair");
        let (server, proxys_server) = UnixStream::pair().expect("a pair");
        let relay = Relay::new(
            Stream::Unix(proxys_client),
            Stream::Unix(proxys_server),
            (Bytes::new(), Bytes::new()),
            (Arc::clone(&registered.entry), Turns::default()),
        );
        Session {
            relay: relay.expect("nothing is said yet"),
            client,
            server,
            registry,
            _registered: registered,
        }
    }

    #[tokio::test]
    async fn a_session_that_takes_back_that_it_is_busy_wakes_the_pause() {
        let mut session = session();
        session.relay.entry.set_state(SessionState::Busy);
        let pauses = Pauses::new(Arc::clone(&session.registry));
        let pausing = tokio::spawn(async move { pauses.pause(&Hold::All, LONG).await });
        while !session.relay.gate.is_closed() {
            tokio::task::yield_now().await;
        }
        tokio::task::yield_now().await;
        assert_eq!(session.relay.begin(), Way::Closed);
        let paused = tokio::time::timeout(LONG / 4, pausing).await;
        let paused = paused.expect("in time").expect("no panic");
        assert!(matches!(paused, Paused::Complete { .. }));
    }

    #[tokio::test]
    async fn more_than_sockets_hold_passes_whole_to_one_that_reads_late() {
        let Session {
            mut relay,
            mut client,
            mut server,
            ..
        } = session();
        let body = vec![7; 3 << 20];
        let header = crate::wire::frame::header(b'd', body.len()).expect("fits");
        let message = [&header[..], &body].concat();
        let sent = message.clone();
        let sending = tokio::spawn(async move {
            client.write_all(&sent).await.expect("sent");
            client
        });
        let relaying = tokio::spawn(async move {
            std::future::poll_fn(|cx| relay.poll(cx)).await;
        });
        let mut received = vec![0; message.len()];
        server.read_exact(&mut received).await.expect("received");
        assert!(received == message);
        drop((sending.await.expect("no panic"), server));
        relaying.await.expect("it ends with its client");
    }
}
