//! What is told of a migration, as plain values: units are bytes and seconds, positions are text.

use serde::Serialize;

use crate::base::{Lsn, Side};
use crate::report::progress::Picture;

/// Where everything stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// When this was looked at, in seconds since 1970.
    pub at: f64,
    /// The work directory.
    pub work_dir: String,
    /// What becomes of the migration as a whole.
    pub state: State,
    /// Who works in the directory, if somebody does.
    pub running: Option<Running>,
    /// When the migration was begun, in seconds since 1970.
    pub begun_at: Option<f64>,
    /// When it was finished, likewise.
    pub finished_at: Option<f64>,
    /// How far the base copy is; none where nothing is copied.
    pub copy: Option<Picture>,
    /// Changes on their way, in each direction there was: that to the target first.
    pub streams: Vec<Stream>,
    /// Which side traffic goes to, if it was ever moved or a proxy says so.
    pub serves: Option<Side>,
    /// The last attempt to move traffic.
    pub cutover: Option<Cutover>,
    /// The source.
    pub source: Server,
    /// The target.
    pub target: Server,
    /// The disk of the work directory.
    pub disk: Disk,
    /// The proxy that has its control socket in the work directory, or where `--socket` says.
    pub proxy: Option<Proxy>,
    /// What does not get on, and why.
    pub stalls: Vec<Stall>,
    /// The last warnings and errors of the logs, the newest last.
    pub warnings: Vec<Warning>,
}

/// What becomes of the migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nothing was begun here.
    Empty,
    /// Somebody is at it.
    Running,
    /// Nobody is, and it is not done.
    Interrupted,
    /// Everything is done.
    Finished,
}

impl State {
    /// As scripts read it.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Empty => "empty",
            State::Running => "running",
            State::Interrupted => "interrupted",
            State::Finished => "finished",
        }
    }

    /// All of them.
    pub const ALL: [State; 4] = [
        State::Empty,
        State::Running,
        State::Interrupted,
        State::Finished,
    ];
}

/// A process that works in the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Running {
    /// Its number.
    pub pid: u32,
    /// Its command.
    pub command: String,
}

/// Changes that go from one side to the other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stream {
    /// Where they come from.
    pub from: Side,
    /// Where its files are.
    pub work_dir: String,
    /// Whether somebody is at it.
    pub state: State,
    /// How they go at present.
    pub mode: Option<Mode>,
    /// What holds applying up on purpose.
    pub held: Option<Held>,
    /// The slot's name.
    pub slot_name: String,
    /// The slot, as the server has it.
    pub slot: Option<Slot>,
    /// Whether changes may be applied.
    pub apply: bool,
    /// Where following began.
    pub start_lsn: Lsn,
    /// Where it is to end, if somebody has said.
    pub end_lsn: Option<Lsn>,
    /// Where the server is that they come from, if it could be asked.
    pub current_lsn: Option<Lsn>,
    /// Received, and safe on this disk.
    pub received_lsn: Lsn,
    /// Committed on the other side.
    pub replayed_lsn: Lsn,
    /// From there to where the server is, or to what is received if it could not be asked.
    pub lag_bytes: u64,
    /// How old the oldest change is that is received and not there yet; none if that is not known.
    pub lag_seconds: Option<f64>,
    /// Applied lately, in bytes of WAL a second; for those who look more than once.
    pub apply_bytes_per_second: Option<u64>,
    /// How often live replay was left for the disk, as the log has it.
    pub fallbacks: u64,
    /// Changes that found the other side otherwise than expected and did not stop apply.
    pub conflicts: u64,
}

/// How changes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// To this disk only.
    Prefetching,
    /// From this disk to the other side.
    CatchingUp,
    /// Straight to the other side.
    LiveReplay,
}

impl Mode {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Mode::Prefetching => "prefetching",
            Mode::CatchingUp => "catching up",
            Mode::LiveReplay => "live replay",
        }
    }
}

/// What holds applying up on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// The rows are not there yet.
    Copy,
    /// The sentinel.
    Sentinel,
    /// A comparison that takes its snapshots.
    Comparison,
}

impl Held {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Held::Copy => "applied once the rows are copied",
            Held::Sentinel => "held back; pgflit sentinel set apply lets it go on",
            Held::Comparison => "held for a moment by pgflit compare",
        }
    }
}

/// A slot, as its server has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Slot {
    /// Whether somebody receives from it.
    pub active: bool,
    /// WAL is kept from here on.
    pub restart_lsn: Option<Lsn>,
    /// Confirmed as received.
    pub confirmed_lsn: Option<Lsn>,
    /// WAL that is kept.
    pub retained_bytes: u64,
    /// `pg_replication_slots.wal_status`, from PostgreSQL 13 on.
    pub wal_status: Option<String>,
    /// What may be written until WAL that it needs is removed; none without a limit.
    pub safe_bytes: Option<u64>,
}

/// An attempt to move traffic.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cutover {
    /// Its number.
    pub attempt: u64,
    /// Where to.
    pub to: Side,
    /// `begun`, `holding`, `switched`, `done`, `aborted` or `rehearsed`.
    pub state: &'static str,
    /// Whether somebody is at it now.
    pub in_progress: bool,
    /// Whether changes go back afterwards.
    pub has_way_back: bool,
    /// When it began, in seconds since 1970.
    pub begun_at: f64,
    /// Why it came to nothing.
    pub problem: Option<String>,
}

/// One of the two servers.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Server {
    /// Its address, without password; none if nobody has named it.
    pub address: Option<String>,
    /// Whether it has answered.
    pub reachable: bool,
    /// Why it has not, or why what it says is not shown.
    pub problem: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Where its WAL is.
    pub current_lsn: Option<Lsn>,
    /// The position that it has in the migration's replication origin, where its role may read it.
    pub origin_lsn: Option<Lsn>,
    /// What pgflit does there, at most [`SESSIONS_MAX`].
    pub sessions: Vec<Working>,
}

/// So many sessions are told of each server.
pub const SESSIONS_MAX: usize = 64;

/// A session of pgflit that runs something.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Working {
    /// The server's process.
    pub pid: i32,
    /// What for: `apply`, `copy`, `indexes`.
    pub purpose: String,
    /// `pg_stat_activity.wait_event_type`, if it waits.
    pub wait_event_type: Option<String>,
    /// `pg_stat_activity.wait_event`, if it waits.
    pub wait_event: Option<String>,
    /// For how long, or since its statement began.
    pub seconds: f64,
}

/// The disk of the work directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Disk {
    /// What segments take, in all directions.
    pub segment_bytes: u64,
    /// What is free, if the system says.
    pub free_bytes: Option<u64>,
    /// How large it is, likewise.
    pub size_bytes: Option<u64>,
}

/// A proxy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Proxy {
    /// Why it could not be asked; everything else is empty then.
    pub problem: Option<String>,
    /// Which side it serves.
    pub serves: Option<String>,
    /// Its processes.
    pub processes: usize,
    /// For how long new transactions have waited; none if they flow.
    pub paused_seconds: Option<f64>,
    /// Its clients.
    pub clients: usize,
    /// Of these, in a statement or transaction.
    pub busy: usize,
    /// Kept waiting by a pause.
    pub held: usize,
    /// Transactions since it started.
    pub transactions: u64,
    /// Its mirrors.
    pub mirrors: Vec<Mirror>,
}

/// A mirror.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mirror {
    /// Its name.
    pub name: String,
    /// Transactions that were answered to the end.
    pub completed: u64,
    /// Transactions that were dropped.
    pub dropped: u64,
    /// Answers that were compared.
    pub compared: u64,
    /// Of these, different.
    pub differences: u64,
}

/// Something that does not get on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stall {
    /// On which server.
    pub side: Side,
    /// The server's process that waits.
    pub pid: i32,
    /// What it is there for: `apply`, `copy`, `indexes`.
    pub what: String,
    /// What it waits for, and who has it.
    pub why: String,
    /// What to do.
    pub hint: String,
    /// For how long.
    pub seconds: f64,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// When, as the log writes it.
    pub time: String,
    /// Which process said so: `clone`, `receive`.
    pub process: String,
    /// `WARN` or `ERROR`.
    pub level: String,
    /// What.
    pub text: String,
}
