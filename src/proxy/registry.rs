//! Who is connected: one entry a client, which its session writes and everybody else reads.
//!
//! The list is locked when a client comes and goes, never while it speaks. What changes while it
//! speaks is in atomics of its own entry, written by its session alone.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::time::Instant;

use rand::Rng;
use tokio::sync::Notify;

use super::ahead::Ahead;
use super::gate::{Gate, Turns};
use super::mirror::feed::Feed;
use super::opening::Passport;
use super::pause::Hold;
use super::server::ServerPlace;
use super::statistics::database::{Database, Databases};
use super::statistics::{ClientStatistics, Totals};
use super::survey::Survey;
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
    /// Every state.
    pub const ALL: [SessionState; 5] = [
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
#[derive(Debug, Clone, Default)]
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
    /// Whether it replicates.
    pub replication: Replication,
    /// Where it has connected to.
    pub local: Option<SocketAddr>,
}

/// The `replication` of a client's first packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Replication {
    /// Does not replicate.
    #[default]
    None,
    /// One database, by logical decoding.
    Logical,
    /// The write-ahead log.
    Physical,
}

impl Replication {
    /// As the server reads it (`ProcessStartupPacket` of `src/backend/postmaster/postmaster.c`).
    pub fn of(parameter: Option<&[u8]>) -> Self {
        match parameter.map(<[u8]>::to_ascii_lowercase).as_deref() {
            None | Some(b"false" | b"off" | b"no" | b"0") => Replication::None,
            Some(b"database") => Replication::Logical,
            Some(_) => Replication::Physical,
        }
    }

    /// As people and scripts read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Replication::None => "none",
            Replication::Logical => "logical",
            Replication::Physical => "physical",
        }
    }
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
    /// What it asks for.
    pub database: Arc<Database>,
    /// What it did.
    pub statistics: ClientStatistics,
    /// Wakes its session while it is held: someone asks to cancel what it waits to say.
    pub cancel_held: Notify,
    /// What its session would need to go to another server; none before its login, and where the
    /// server has authenticated it.
    pub passport: OnceLock<Passport>,
    /// A server connection that is ready on another side, for when the session goes there.
    pub ahead: tokio::sync::Mutex<Option<Ahead>>,
    /// What it holds that would end it.
    pub survey: Survey,
    /// The ways to its mirrors, as its session began with them; none if there were none.
    pub mirrors: OnceLock<Vec<Arc<Feed>>>,
    must_move_first: AtomicBool,
    is_asked_to_move: AtomicBool,
    is_asked_to_end: AtomicBool,
    is_killed: AtomicBool,
    /// Wakes its session before the relay begins.
    end: Notify,
    /// Wakes it from then on: the relay looks at the flag whenever it is woken.
    relay: Mutex<Option<Waker>>,
    state: AtomicU8,
    server: Mutex<Option<ServerSide>>,
}

/// The server that a client's session is on, and the key that cancels there.
#[derive(Debug, Clone)]
pub struct ServerSide {
    /// Which one.
    pub place: ServerPlace,
    /// None if the server gave none.
    pub key: Option<CancelKey>,
    /// Where the connection begins; none of a local socket.
    pub local: Option<SocketAddr>,
    /// When it was opened.
    pub since: Instant,
    /// Whether it is.
    pub is_encrypted: bool,
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

    /// What a pause of its database closes.
    pub fn gate(&self) -> &Arc<Gate> {
        &self.database.gate
    }

    /// Asks the session to end, because an administrator wants it.
    pub fn kill(&self) {
        self.is_killed.store(true, Ordering::SeqCst);
        self.ask_to_end();
    }

    /// Whether an administrator wants it to end.
    pub fn is_killed(&self) -> bool {
        self.is_killed.load(Ordering::SeqCst)
    }

    /// Asks the session to end. It tells its client why.
    pub fn ask_to_end(&self) {
        self.is_asked_to_end.store(true, Ordering::SeqCst);
        self.end.notify_one();
        self.wake_relay();
    }

    /// Asks the session to go to where traffic goes by now, as soon as it is between transactions.
    pub fn ask_to_move(&self) {
        self.is_asked_to_move.store(true, Ordering::SeqCst);
        self.wake_relay();
    }

    /// Whether it is asked to.
    pub fn is_asked_to_move(&self) -> bool {
        self.is_asked_to_move.load(Ordering::Relaxed)
    }

    /// For the session itself: it may hold what must be on another server before anybody begins
    /// anything there.
    pub fn note_must_move_first(&self) {
        self.must_move_first.store(true, Ordering::Relaxed);
    }

    /// Whether it may.
    pub fn must_move_first(&self) -> bool {
        self.must_move_first.load(Ordering::Relaxed)
    }

    /// For the session itself: it has.
    pub fn has_moved(&self) {
        self.is_asked_to_move.store(false, Ordering::SeqCst);
    }

    /// Whether it goes along when traffic moves, unless it holds what keeps it ([`Entry::survey`]).
    pub fn may_move(&self) -> bool {
        self.passport.get().is_some() && self.facts.replication == Replication::None
    }

    /// Lets the session look at its flags.
    pub(super) fn wake_relay(&self) {
        if let Some(relay) = lock(&self.relay).as_ref() {
            relay.wake_by_ref();
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

/// All clients, and what their cancel keys stand for.
#[derive(Debug, Default)]
pub struct Registry {
    next_id: AtomicU64,
    inner: Mutex<Lists>,
}

#[derive(Debug, Default)]
struct Lists {
    clients: HashMap<u64, Arc<Entry>>,
    keys: HashMap<CancelKey, Arc<Entry>>,
    databases: Databases,
}

/// Who is connected, and what everybody did that ever was, at one moment.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// In the order in which they came.
    pub clients: Vec<Arc<Entry>>,
    /// By name.
    pub databases: Vec<(Arc<Database>, Totals)>,
}

impl Snapshot {
    /// Sums over all databases.
    pub fn totals(&self) -> Totals {
        let mut sum = Totals::default();
        for (_, totals) in &self.databases {
            sum.add(totals);
        }
        sum
    }
}

impl Registry {
    /// Adds a client. It is taken out when the result is dropped.
    pub fn add(self: &Arc<Self>, facts: ClientFacts) -> Registered {
        let mut lists = lock(&self.inner);
        let entry = Arc::new(Entry {
            database: lists.databases.enter(&facts.database),
            statistics: ClientStatistics::default(),
            id: self.next_id.fetch_add(1, Ordering::Relaxed) + 1,
            facts,
            since: Instant::now(),
            cancel_held: Notify::new(),
            passport: OnceLock::new(),
            ahead: tokio::sync::Mutex::new(None),
            survey: Survey::default(),
            mirrors: OnceLock::new(),
            must_move_first: AtomicBool::new(false),
            is_asked_to_move: AtomicBool::new(false),
            is_asked_to_end: AtomicBool::new(false),
            is_killed: AtomicBool::new(false),
            end: Notify::new(),
            relay: Mutex::new(None),
            state: AtomicU8::new(SessionState::Waiting as u8),
            server: Mutex::new(None),
        });
        lists.clients.insert(entry.id, Arc::clone(&entry));
        drop(lists);
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

    /// The client of this number.
    pub fn client(&self, id: u64) -> Option<Arc<Entry>> {
        lock(&self.inner).clients.get(&id).cloned()
    }

    /// How many clients keep a pause from being complete.
    pub fn unsettled(&self, hold: &Hold) -> usize {
        let lists = lock(&self.inner);
        let clients = lists.clients.values();
        let keeps = |entry: &&Arc<Entry>| {
            entry.state().is_unsettled() && hold.is_about(&entry.database.name)
        };
        clients.filter(keeps).count()
    }

    /// What sessions wake when they become idle in a pause.
    pub fn settled(&self) -> Arc<Notify> {
        lock(&self.inner).databases.settled()
    }

    /// Closes the gates that `hold` is about, those of names that are asked for later too.
    pub fn close_gates(&self, hold: &Hold) {
        lock(&self.inner).databases.close(hold);
    }

    /// Opens them again, but for other reasons.
    pub fn open_gates(&self, hold: &Hold) {
        lock(&self.inner).databases.open(hold);
    }

    /// Where traffic goes.
    pub fn turns(&self) -> Turns {
        lock(&self.inner).databases.turns()
    }

    /// Traffic goes elsewhere from now on. Only while a hold of everything is complete.
    pub fn turn(&self, turns: Turns) {
        lock(&self.inner).databases.turn(turns);
    }

    /// These databases are in the configuration, and no others: they are never forgotten.
    pub fn configure<'a>(&self, names: impl Iterator<Item = &'a str>) {
        lock(&self.inner).databases.configure(names);
    }

    /// How many clients there are.
    pub fn count(&self) -> usize {
        lock(&self.inner).clients.len()
    }

    /// Whom `key` was given to.
    pub fn by_key(&self, key: &CancelKey) -> Option<Arc<Entry>> {
        lock(&self.inner).keys.get(key).cloned()
    }

    /// Who is connected, and the sums over everybody that ever was, by database.
    ///
    /// The list is locked only while it is copied: what clients have counted is added up behind it,
    /// and one that goes meanwhile is neither missed nor taken twice.
    pub fn snapshot(&self) -> Snapshot {
        let (mut clients, mut databases) = {
            let lists = lock(&self.inner);
            let clients: Vec<_> = lists.clients.values().cloned().collect();
            (clients, lists.databases.read())
        };
        clients.sort_unstable_by_key(|entry| entry.id);
        // Sorted by name, as they are kept.
        for entry in &clients {
            let name = &entry.database.name;
            let found = databases.binary_search_by(|(database, _)| database.name.cmp(name));
            if let Some((_, totals)) = found.ok().and_then(|at| databases.get_mut(at)) {
                totals.add(&entry.statistics.read());
            }
        }
        Snapshot { clients, databases }
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
        let totals = self.entry.statistics.read();
        lists.databases.leave(&self.entry.database, &totals);
        if let Some(key) = &self.key {
            lists.keys.remove(key);
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
            ..ClientFacts::default()
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
        one.entry.database.count_login();
        one.entry.statistics.count_in(3);
        one.entry.statistics.count_out(5);
        let before = registry.snapshot().totals();
        assert_eq!(
            (before.bytes_in, before.bytes_out, before.logins),
            (3, 5, 1)
        );
        drop(one);
        assert_eq!(registry.snapshot().totals(), before);
        let two = registry.add(facts());
        two.entry.statistics.count_in(2);
        assert_eq!(registry.snapshot().totals().bytes_in, 5);
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
            assert_eq!(registry.unsettled(&Hold::All), unsettled, "{state:?}");
            let other = Hold::Database("other".to_owned());
            assert_eq!(registry.unsettled(&other), 0);
        }
    }
}
