//! How a running proxy is asked and told: a Unix socket in the work directory.
//!
//! One line of JSON each way: a [`Request`], a [`Reply`], and the connection is closed. Whoever may
//! open the socket may pause the proxy, so it is its owner's alone (mode 0600).

mod asking;
mod mirrors;
mod serving;

pub use asking::{AskError, ask};
pub use mirrors::{MirrorStatus, StatementStatus, WORST_MAX};
pub use serving::{Control, ControlError, Facts, bind};

use serde::{Deserialize, Serialize};

/// What is asked of a proxy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Request {
    /// How it does.
    Status,
    /// Who is connected.
    Clients,
    /// Hold new transactions, for so long at most.
    Pause {
        /// The limit.
        limit_ms: u64,
    },
    /// Let them go on.
    Resume,
    /// Read the configuration again.
    Reload,
    /// How the mirrors do.
    Mirrors,
}

/// What a proxy answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// To [`Request::Status`].
    Status(Status),
    /// To [`Request::Clients`].
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
    /// To [`Request::Mirrors`].
    Mirrors {
        /// In the order of the configuration.
        mirrors: Vec<MirrorStatus>,
    },
    /// It could not be done.
    Refused {
        /// Why.
        problem: String,
        /// What to do.
        hint: Option<String>,
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
    /// Which side it serves: `source`.
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
    /// Since it came.
    pub connected_s: f64,
    /// Transactions that ended.
    pub transactions: u64,
    /// Bytes from it.
    pub bytes_in: u64,
    /// Bytes to it.
    pub bytes_out: u64,
}
