//! How a running proxy is asked and told: Unix sockets in the work directory, one a process.
//!
//! One line of JSON each way: a [`Request`], a [`Reply`], and the connection is closed. Whoever may
//! open the socket may pause the proxy, so it is its owner's alone (mode 0600).
//!
//! - [`place`]: where the sockets are;
//! - [`serving`](self): a process's own end;
//! - [`asking`]: the other end, of one process; [`together`]: of all processes at once.

pub mod asking;
mod mirrors;
mod moving;
pub mod place;
mod serving;
pub mod together;

pub use asking::AskError;
pub use mirrors::{MirrorStatus, StatementStatus, WORST_MAX};
pub(in crate::proxy) use serving::answer_to;
pub use serving::{Control, ControlError, Facts, bind};
pub use together::ask;

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use serde::{Deserialize, Serialize};

use crate::base::Side;
use crate::proxy::authority::Doubt;
use crate::proxy::pause::Hold;
use crate::wire::startup::{CancelKey, FirstPacket};

/// What is asked of a proxy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Request {
    /// How it does.
    Status,
    /// Who is connected.
    Clients,
    /// Who is connected, once all who may move have said what they hold.
    Survey {
        /// How long they are waited for.
        limit_ms: u64,
        /// Who has answered within this time is not asked again.
        every_ms: u64,
    },
    /// Hold new transactions, for so long at most.
    Pause {
        /// The limit.
        limit_ms: u64,
        /// Which pause this is, the same for all processes.
        #[serde(default)]
        id: u64,
        /// Whose.
        #[serde(default)]
        scope: Scope,
    },
    /// Let them go on.
    Resume {
        /// The end of this pause only; none for whichever there is.
        #[serde(default)]
        id: Option<u64>,
        /// Whose.
        #[serde(default)]
        scope: Scope,
    },
    /// Read the configuration again.
    Reload,
    /// How the mirrors do.
    Mirrors,
    /// How one of them does, once nothing is outstanding, or the limit is over.
    Drain {
        /// Its name.
        mirror: String,
        /// The limit.
        limit_ms: u64,
    },
    /// Hold everybody between transactions, for an attempt to move traffic.
    Hold {
        /// The attempt's number.
        attempt: u64,
        /// How long open transactions are waited for.
        drain_limit_ms: u64,
        /// When clients go on by themselves, unless [`Request::Promise`] comes before.
        limit_ms: u64,
    },
    /// Wait for the decision of the attempt, however long that takes.
    Promise {
        /// The attempt, and who decides it.
        doubt: Doubt,
        /// Without a word for so long, the decision is asked for.
        lease_ms: u64,
    },
    /// Open server connections on `to` for sessions that were busy lately, ahead of a move.
    WarmUp {
        /// Where traffic will go.
        to: Side,
        /// How long that may take.
        limit_ms: u64,
    },
    /// Traffic goes to `to`.
    Switch {
        /// The attempt that was decided so.
        attempt: u64,
        /// Where.
        to: Side,
    },
    /// Traffic stays: clients of the attempt go on.
    Abort {
        /// Which.
        attempt: u64,
        /// Whether its fence may still be up, and whoever moves traffic could not lift it.
        #[serde(default)]
        is_fenced: bool,
    },
    /// Cancel, if the key is known.
    Cancel {
        /// What the client has sent.
        key: KeyText,
    },
}

/// What a pause that is asked for holds back. Each scope has one pause at a time, and an end of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All transactions.
    #[default]
    All,
    /// Those of one database.
    Database(String),
    /// All, without waiting for those that run.
    Maintenance,
}

impl Scope {
    /// What holds them back.
    pub fn hold(&self) -> Hold {
        match self {
            Scope::All => Hold::All,
            Scope::Database(name) => Hold::Database(name.clone()),
            Scope::Maintenance => Hold::Maintenance,
        }
    }

    /// The scope of what is held; none of holds that are not anybody's to ask for.
    fn of(hold: Hold) -> Option<Self> {
        match hold {
            Hold::All => Some(Scope::All),
            Hold::Database(name) => Some(Scope::Database(name)),
            Hold::Maintenance => Some(Scope::Maintenance),
            Hold::Cutover | Hold::Lease => None,
        }
    }
}

/// A key that cancels, between two processes of a proxy. It is in no log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyText(String);

impl KeyText {
    /// Of `key`.
    pub fn of(key: &CancelKey) -> Self {
        KeyText(BASE64_STANDARD.encode(key.cancel_request()))
    }

    /// The key; none if this is no text of one.
    pub fn decode(&self) -> Option<CancelKey> {
        let request = BASE64_STANDARD.decode(&self.0).ok()?;
        match FirstPacket::parse(&request) {
            Ok(Some((FirstPacket::Cancel(key), _))) => Some(key),
            _ => None,
        }
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

/// What a proxy answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// To [`Request::Status`].
    Status(Box<Status>),
    /// To [`Request::Clients`] and [`Request::Survey`].
    Clients {
        /// In the order in which they came.
        clients: Vec<Client>,
    },
    /// To [`Request::Pause`]: every client is between transactions.
    Paused {
        /// How long that took.
        after_ms: f64,
    },
    /// To [`Request::Resume`].
    Resumed {
        /// Whether there was a pause.
        was_paused: bool,
    },
    /// To [`Request::Reload`].
    Reloaded {
        /// What is in force from now on.
        now: Vec<String>,
        /// What is not before a restart.
        after_restart: Vec<String>,
    },
    /// To [`Request::Mirrors`], and to [`Request::Drain`], without statements then.
    Mirrors {
        /// In the order of the configuration.
        mirrors: Vec<MirrorStatus>,
    },
    /// To [`Request::Promise`].
    Promised,
    /// To [`Request::WarmUp`].
    Warm {
        /// Sessions that have a server connection there now.
        ready: usize,
        /// Sessions for which none could be opened, and why the last could not.
        failed: usize,
        /// That.
        problem: Option<String>,
    },
    /// To [`Request::Switch`].
    Switched {
        /// Sessions that moved before anybody could begin anything.
        moved: usize,
    },
    /// To [`Request::Cancel`].
    Cancelled {
        /// Whether the key is of one of the clients.
        is_known: bool,
    },
    /// It could not be done.
    Refused {
        /// Why.
        problem: String,
        /// What to do.
        hint: Option<String>,
        /// How a server would name that: five characters, if anybody decides by them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sqlstate: Option<String>,
    },
}

/// How a proxy does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The process.
    pub pid: u32,
    /// Of pgflit.
    pub version: String,
    /// Since it started.
    pub uptime_s: f64,
    /// Where it listens.
    pub listen: Vec<String>,
    /// Which side it serves: `source` or `target`.
    pub serves: String,
    /// Where that is.
    pub server: String,
    /// Whether new transactions wait.
    pub paused: bool,
    /// For how long they have.
    pub paused_ms: Option<f64>,
    /// How many there are in each state.
    pub clients: ClientCounts,
    /// Transactions since it started.
    pub transactions: u64,
    /// Bytes from clients.
    pub bytes_in: u64,
    /// Bytes to clients.
    pub bytes_out: u64,
    /// Whether it listens no more, and serves its clients to their ends.
    #[serde(default)]
    pub draining: bool,
    /// Its databases that may move, by the names that clients ask for.
    #[serde(default)]
    pub movable: Vec<String>,
    /// Its numbers among those who are told through the servers what to do, one for each process.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<i64>,
    /// The pauses that are in force, for other processes of the same proxy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<PauseInForce>,
    /// Each process where there are several; the rest is of all of them then, the number, version
    /// and age those of the newest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub processes: Vec<ProcessStatus>,
    /// Processes that do not answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silent: Vec<u32>,
}

/// A pause that is in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PauseInForce {
    /// Which.
    pub id: u64,
    /// Whose.
    #[serde(default)]
    pub scope: Scope,
    /// When it ends by itself.
    pub left_ms: f64,
}

/// One of several processes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessStatus {
    /// Its number.
    pub pid: u32,
    /// Of pgflit.
    pub version: String,
    /// Since it started.
    pub uptime_s: f64,
    /// Whether it listens no more.
    pub draining: bool,
    /// Whether new transactions wait.
    pub paused: bool,
    /// Its clients.
    pub clients: usize,
}

/// Clients by what they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClientCounts {
    /// All of them.
    pub total: usize,
    /// In a statement or transaction.
    pub busy: usize,
    /// Between transactions.
    pub idle: usize,
    /// Logging in.
    pub login: usize,
    /// Without a server connection yet.
    pub waiting: usize,
    /// Kept waiting by a pause with something to say.
    pub held: usize,
}

/// One client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// The process of the proxy that it is connected to.
    #[serde(default)]
    pub proxy_pid: u32,
    /// A number that no other client of this process has had.
    pub id: u64,
    /// `waiting`, `login`, `idle`, `busy` or `held`.
    pub state: String,
    /// Where it connects from.
    pub address: String,
    /// Its role.
    pub user: String,
    /// Its database.
    pub database: String,
    /// Its name for itself.
    pub application_name: String,
    /// Whether it speaks TLS.
    pub encrypted: bool,
    /// The server's process that serves it.
    pub server_pid: Option<u32>,
    /// Whether its database is one that traffic is moved of.
    #[serde(default)]
    pub is_to_move: bool,
    /// Whether it goes along when traffic is moved; one that does not is ended, so that it connects
    /// anew.
    #[serde(default)]
    pub can_move: bool,
    /// What would end it then, each by its kind and name; none if that is not known.
    #[serde(default)]
    pub holds: Option<Vec<String>>,
    /// The mirrors that are sent everything that it does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mirrors: Vec<MirroredTo>,
    /// Since it came.
    pub connected_s: f64,
    /// Transactions that ended.
    pub transactions: u64,
    /// Bytes from it.
    pub bytes_in: u64,
    /// Bytes to it.
    pub bytes_out: u64,
}

/// A mirror that is sent everything that a client does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirroredTo {
    /// Its name.
    pub name: String,
    /// The process of its server that does it again; none before there is something to be done.
    pub server_pid: Option<u32>,
}
