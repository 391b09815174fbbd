//! Who is connected: one entry a client, which its session writes and everybody else reads.
//!
//! The list is locked when a client comes and goes, never while it speaks. What changes while it
//! speaks is in atomics of its own entry, written by its session alone.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

use rand::Rng;
use tokio::sync::Notify;

use super::server::ServerPlace;
use crate::wire::startup::{CancelKey, ProtocolVersion};

/// Bytes of the secret that is given to clients of protocol 3.2; PostgreSQL 18 gives as many.
const LONG_SECRET_BYTES: usize = 32;

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum SessionState {
    /// Has no server connection: still says what it wants, or waits for one.
    Waiting = 0,
    /// A server connection is being opened and logged in.
    LoggingIn = 1,
    /// At a movable point; nobody speaks.
    Idle = 2,
    /// In a statement or in a transaction.
    Busy = 3,
    /// At a movable point; the client has spoken and is kept waiting by a pause.
    Held = 4,
}

impl SessionState {
    const ALL: [SessionState; 5] = [
        SessionState::Waiting,
        SessionState::LoggingIn,
        SessionState::Idle,
        SessionState::Busy,
        SessionState::Held,
    ];

    /// Whether it keeps a pause from being complete.
    pub fn is_unsettled(self) -> bool {
        matches!(self, SessionState::LoggingIn | SessionState::Busy)
    }

    /// As people and scripts read it.
    pub fn as_str(self) -> &'static str {
        match self {
            SessionState::Waiting => "waiting",
            SessionState::LoggingIn => "login",
            SessionState::Idle => "idle",
            SessionState::Busy => "busy",
            SessionState::Held => "held",
        }
    }
}

/// What a client said of itself; not UTF-8 is shown with replacement characters.
#[derive(Debug, Clone)]
pub struct ClientFacts {
    /// Where it connects from.
    pub address: String,
    /// Its role.
    pub user: String,
    /// Its database.
    pub database: String,
    /// Its own name for itself.
    pub application_name: String,
    /// Whether it speaks TLS.
    pub is_encrypted: bool,
}

/// One client.
#[derive(Debug)]
pub struct Entry {
    /// A number that no other client of this process has had.
    pub id: u64,
    /// What it said of itself.
    pub facts: ClientFacts,
    /// When it came.
    pub since: Instant,
    /// Wakes its session while it is held: someone asks to cancel what it waits to say.
    pub cancel_held: Notify,
    is_asked_to_end: AtomicBool,
    /// Wakes its session before the relay begins.
    end: Notify,
    /// Wakes it from then on: the relay looks at the flag whenever it is woken.
    relay: Mutex<Option<Waker>>,
    state: AtomicU8,
    transactions: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    server: Mutex<Option<ServerSide>>,
}

/// The server that a client's session is on, and the key that cancels there.
#[derive(Debug, Clone)]
pub struct ServerSide {
    /// Which one.
    pub place: ServerPlace,
    /// None if the server gave none.
    pub key: Option<CancelKey>,
}

impl Entry {
    /// Where the session stands.
    pub fn state(&self) -> SessionState {
        // Sequentially consistent: see the gate.
        let number = self.state.load(Ordering::SeqCst);
        let state = SessionState::ALL.get(usize::from(number));
        state.copied().unwrap_or(SessionState::Busy)
    }

    /// For the session itself.
    pub fn set_state(&self, state: SessionState) {
        self.state.store(state as u8, Ordering::SeqCst);
    }

    /// For the session itself: the client sent this much.
    pub fn count_in(&self, bytes: usize) {
        add(&self.bytes_in, bytes as u64);
    }

    /// For the session itself: the server sent this much, and ended so many transactions.
    pub fn count_out(&self, bytes: usize, transactions: u32) {
        add(&self.bytes_out, bytes as u64);
        if transactions > 0 {
            add(&self.transactions, transactions.into());
        }
    }

    /// Transactions that ended.
    pub fn transactions(&self) -> u64 {
        self.transactions.load(Ordering::Relaxed)
    }

    /// Bytes from the client, and to it.
    pub fn bytes(&self) -> (u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.bytes_in), read(&self.bytes_out))
    }

    /// Asks the session to end. It tells its client why.
    pub fn ask_to_end(&self) {
        self.is_asked_to_end.store(true, Ordering::SeqCst);
        self.end.notify_one();
        if let Some(relay) = lock(&self.relay).take() {
            relay.wake();
        }
    }

    /// Whether it is asked to.
    pub fn is_asked_to_end(&self) -> bool {
        self.is_asked_to_end.load(Ordering::Relaxed)
    }

    /// Returns once the session is asked to end. For the session itself. Cancel safe.
    pub async fn asked_to_end(&self) {
        while !self.is_asked_to_end() {
            self.end.notified().await;
        }
    }

    /// For the session itself: whom to wake when it is asked to end.
    pub fn set_relay(&self, waker: &Waker) {
        *lock(&self.relay) = Some(waker.clone());
    }

    /// Which server it is on; none before its login.
    pub fn server(&self) -> Option<ServerSide> {
        lock(&self.server).clone()
    }

    /// For the session itself.
    pub fn set_server(&self, server: ServerSide) {
        *lock(&self.server) = Some(server);
    }
}

/// One writer: no read-modify-write is needed.
fn add(counter: &AtomicU64, more: u64) {
    let sum = counter.load(Ordering::Relaxed).wrapping_add(more);
    counter.store(sum, Ordering::Relaxed);
}

/// All clients, and what their cancel keys stand for.
#[derive(Debug, Default)]
pub struct Registry {
    next_id: AtomicU64,
    inner: Mutex<Lists>,
    /// Transactions and bytes of clients that have gone.
    gone: [AtomicU64; 3],
}

#[derive(Debug, Default)]
struct Lists {
    clients: HashMap<u64, Arc<Entry>>,
    keys: HashMap<CancelKey, Arc<Entry>>,
}

/// Totals over all clients that ever were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Transactions that ended.
    pub transactions: u64,
    /// Bytes from clients.
    pub bytes_in: u64,
    /// Bytes to clients.
    pub bytes_out: u64,
}

impl Registry {
    /// Adds a client. It is taken out when the result is dropped.
    pub fn add(self: &Arc<Self>, facts: ClientFacts) -> Registered {
        let entry = Arc::new(Entry {
            id: self.next_id.fetch_add(1, Ordering::Relaxed) + 1,
            facts,
            since: Instant::now(),
            cancel_held: Notify::new(),
            is_asked_to_end: AtomicBool::new(false),
            end: Notify::new(),
            relay: Mutex::new(None),
            state: AtomicU8::new(SessionState::Waiting as u8),
            transactions: AtomicU64::new(0),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            server: Mutex::new(None),
        });
        lock(&self.inner)
            .clients
            .insert(entry.id, Arc::clone(&entry));
        Registered {
            registry: Arc::clone(self),
            entry,
            key: None,
        }
    }

    /// Everybody, in the order in which they came.
    pub fn clients(&self) -> Vec<Arc<Entry>> {
        let mut clients: Vec<_> = lock(&self.inner).clients.values().cloned().collect();
        clients.sort_unstable_by_key(|entry| entry.id);
        clients
    }

    /// How many clients keep a pause from being complete.
    pub fn unsettled(&self) -> usize {
        let lists = lock(&self.inner);
        let clients = lists.clients.values();
        clients.filter(|entry| entry.state().is_unsettled()).count()
    }

    /// How many clients there are.
    pub fn count(&self) -> usize {
        lock(&self.inner).clients.len()
    }

    /// Whom `key` was given to.
    pub fn by_key(&self, key: &CancelKey) -> Option<Arc<Entry>> {
        lock(&self.inner).keys.get(key).cloned()
    }

    /// Sums over everybody that ever was.
    pub fn totals(&self) -> Totals {
        let lists = lock(&self.inner);
        let [transactions, bytes_in, bytes_out] =
            [0, 1, 2].map(|at: usize| self.gone[at].load(Ordering::Relaxed));
        let mut totals = Totals {
            transactions,
            bytes_in,
            bytes_out,
        };
        for entry in lists.clients.values() {
            let (bytes_in, bytes_out) = entry.bytes();
            totals.transactions += entry.transactions();
            totals.bytes_in += bytes_in;
            totals.bytes_out += bytes_out;
        }
        totals
    }
}

/// A client's place in the registry, for as long as its session lives.
#[derive(Debug)]
pub struct Registered {
    registry: Arc<Registry>,
    /// The place.
    pub entry: Arc<Entry>,
    key: Option<CancelKey>,
}

impl Registered {
    /// Makes the key by which the client may cancel. The process is the server's own, which drivers
    /// show and compare with those of notifications; the secret is ours, as long as `version` has
    /// it.
    pub fn give_key(&mut self, process: u32, version: ProtocolVersion) -> Option<CancelKey> {
        let secret_bytes = match version >= ProtocolVersion::V3_2 {
            true => LONG_SECRET_BYTES,
            false => 4,
        };
        let mut lists = lock(&self.registry.inner);
        loop {
            let mut secret = [0; LONG_SECRET_BYTES];
            rand::rng().fill(&mut secret[..]);
            let key = CancelKey::new(process, &secret[..secret_bytes])?;
            if !lists.keys.contains_key(&key) {
                lists.keys.insert(key.clone(), Arc::clone(&self.entry));
                self.key = Some(key.clone());
                return Some(key);
            }
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut lists = lock(&self.registry.inner);
        lists.clients.remove(&self.entry.id);
        if let Some(key) = &self.key {
            lists.keys.remove(key);
        }
        let (bytes_in, bytes_out) = self.entry.bytes();
        let gone = &self.registry.gone;
        for (sum, more) in gone
            .iter()
            .zip([self.entry.transactions(), bytes_in, bytes_out])
        {
            sum.fetch_add(more, Ordering::Relaxed);
        }
    }
}

/// What is behind the locks is consistent between any two statements: a panic elsewhere while one
/// was held does not make it wrong.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> ClientFacts {
        ClientFacts {
            address: "127.0.0.1:1".to_owned(),
            user: "ann".to_owned(),
            database: "app".to_owned(),
            application_name: String::new(),
            is_encrypted: false,
        }
    }

    #[test]
    fn a_key_finds_its_client_for_as_long_as_it_is_there() {
        let registry = Arc::new(Registry::default());
        let mut one = registry.add(facts());
        let mut two = registry.add(facts());
        let short = one.give_key(7, ProtocolVersion::V3_0).expect("a key");
        let long = two.give_key(7, ProtocolVersion::V3_2).expect("a key");
        assert_eq!((short.secret_bytes(), long.secret_bytes()), (4, 32));
        let found = |key| registry.by_key(key).map(|entry| entry.id);
        assert_eq!(found(&short), Some(one.entry.id));
        assert_eq!(found(&long), Some(two.entry.id));
        drop(one);
        assert_eq!(found(&short), None);
        assert_eq!(registry.count(), 1);
    }

    #[test]
    fn what_clients_did_is_still_counted_when_they_are_gone() {
        let registry = Arc::new(Registry::default());
        let one = registry.add(facts());
        one.entry.count_in(3);
        one.entry.count_out(5, 1);
        let before = registry.totals();
        assert_eq!(
            (before.transactions, before.bytes_in, before.bytes_out),
            (1, 3, 5)
        );
        drop(one);
        assert_eq!(registry.totals(), before);
    }

    #[test]
    fn only_those_who_do_something_keep_a_pause_from_being_complete() {
        let registry = Arc::new(Registry::default());
        let one = registry.add(facts());
        for (state, unsettled) in [
            (SessionState::Waiting, 0),
            (SessionState::LoggingIn, 1),
            (SessionState::Idle, 0),
            (SessionState::Busy, 1),
            (SessionState::Held, 0),
        ] {
            one.entry.set_state(state);
            assert_eq!(one.entry.state(), state);
            assert_eq!(registry.unsettled(), unsettled, "{state:?}");
        }
    }
}
