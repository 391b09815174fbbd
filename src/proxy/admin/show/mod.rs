//! The tables that `SHOW` answers with.
//!
//! - `sockets`: one row a client or server connection;
//! - `stats`: sums and averages;
//! - `pools`: by database and user, and the lists of both;
//! - `settings`: what is in force, and the state of the process;
//! - `moving`: mirrors, and what a cutover looks at;
//! - `cutover`: where traffic goes, its streams, and tasks.

mod cutover;
mod moving;
mod pools;
mod settings;
mod sockets;
mod stats;

use std::time::Duration;

use super::answer::{Cell, Column, text};
use crate::proxy::control::Facts;

/// Rows, made as they are taken.
pub type Rows = Box<dyn Iterator<Item = Vec<Cell>> + Send>;

/// What can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// `HELP`.
    Help,
    /// `CLIENTS`.
    Clients,
    /// `SERVERS`.
    Servers,
    /// `SOCKETS`.
    Sockets,
    /// `POOLS`.
    Pools,
    /// `STATS`.
    Stats,
    /// `STATS_TOTALS`.
    StatsTotals,
    /// `STATS_AVERAGES`.
    StatsAverages,
    /// `TOTALS`.
    Totals,
    /// `LISTS`.
    Lists,
    /// `DATABASES`.
    Databases,
    /// `USERS`.
    Users,
    /// `CONFIG`.
    Config,
    /// `MEM`.
    Mem,
    /// `STATE`.
    State,
    /// `VERSION`.
    Version,
    /// `MIRRORS`.
    Mirrors,
    /// `SHADOW`.
    Shadow,
    /// `CUTOVER`.
    Cutover,
    /// `PROXIES`.
    Proxies,
    /// `SESSIONS UNMOVABLE`.
    Unmovable,
    /// `REPLICATION`.
    Replication,
    /// `TASKS`.
    Tasks,
}

impl Show {
    /// All of them, as `SHOW HELP` lists them.
    pub const ALL: [Show; 23] = [
        Show::Help,
        Show::Clients,
        Show::Servers,
        Show::Sockets,
        Show::Pools,
        Show::Stats,
        Show::StatsTotals,
        Show::StatsAverages,
        Show::Totals,
        Show::Lists,
        Show::Databases,
        Show::Users,
        Show::Config,
        Show::Mem,
        Show::State,
        Show::Version,
        Show::Mirrors,
        Show::Shadow,
        Show::Cutover,
        Show::Proxies,
        Show::Unmovable,
        Show::Replication,
        Show::Tasks,
    ];

    /// What is typed behind `SHOW`, in lower case.
    pub fn words(self) -> &'static str {
        match self {
            Show::Help => "help",
            Show::Clients => "clients",
            Show::Servers => "servers",
            Show::Sockets => "sockets",
            Show::Pools => "pools",
            Show::Stats => "stats",
            Show::StatsTotals => "stats_totals",
            Show::StatsAverages => "stats_averages",
            Show::Totals => "totals",
            Show::Lists => "lists",
            Show::Databases => "databases",
            Show::Users => "users",
            Show::Config => "config",
            Show::Mem => "mem",
            Show::State => "state",
            Show::Version => "version",
            Show::Mirrors => "mirrors",
            Show::Shadow => "shadow",
            Show::Cutover => "cutover",
            Show::Proxies => "proxies",
            Show::Unmovable => "sessions unmovable",
            Show::Replication => "replication",
            Show::Tasks => "tasks",
        }
    }

    /// Whether a database may be named behind it.
    pub fn is_by_database(self) -> bool {
        matches!(
            self,
            Show::Stats | Show::StatsTotals | Show::StatsAverages | Show::Databases | Show::Pools
        )
    }

    /// What it is, for people.
    fn told(self) -> &'static str {
        match self {
            Show::Help => "these commands",
            Show::Clients => "one row a client",
            Show::Servers => "one row a server connection",
            Show::Sockets => "both",
            Show::Pools => "connections by database and user",
            Show::Stats => "sums since the start, and averages of the last minute, by database",
            Show::StatsTotals => "the sums alone",
            Show::StatsAverages => "the averages alone",
            Show::Totals => "sums and averages over all databases",
            Show::Lists => "how many of everything there are",
            Show::Databases => "what clients may ask for, and where it is",
            Show::Users => "who they may be",
            Show::Config => "settings in force",
            Show::Mem => "memory of what is counted",
            Show::State => "whether traffic flows",
            Show::Version => "the version",
            Show::Mirrors => "mirrors of traffic",
            Show::Shadow => "answers of mirrors that differ",
            Show::Cutover => "where traffic goes, and the last attempts to move it",
            Show::Proxies => "the proxies of this database",
            Show::Unmovable => "clients that could not move to another server now",
            Show::Replication => "the streams of the migration, and how far they are",
            Show::Tasks => "what runs in the background, and the last that did",
        }
    }

    /// The columns.
    pub fn columns(self) -> &'static [Column] {
        match self {
            Show::Help => &HELP,
            Show::Clients => &sockets::CLIENTS,
            Show::Servers => &sockets::COLUMNS[..sockets::PUBLIC],
            Show::Sockets => &sockets::COLUMNS,
            Show::Pools => &pools::POOLS,
            Show::Stats => &stats::STATS,
            Show::StatsTotals => &stats::PARTS,
            Show::StatsAverages => &stats::PARTS,
            Show::Totals => &stats::TOTALS,
            Show::Lists => &pools::LISTS,
            Show::Databases => &pools::DATABASES,
            Show::Users => &pools::USERS,
            Show::Config => &settings::CONFIG,
            Show::Mem => &settings::MEM,
            Show::State => &settings::STATE,
            Show::Version => &settings::VERSION,
            Show::Mirrors => &moving::MIRRORS,
            Show::Shadow => &moving::SHADOW,
            Show::Cutover => &cutover::CUTOVER,
            Show::Proxies => &moving::PROXIES,
            Show::Unmovable => &moving::UNMOVABLE,
            Show::Replication => &cutover::REPLICATION,
            Show::Tasks => &cutover::TASKS,
        }
    }

    /// The rows, of one database if one is named.
    pub fn rows(self, facts: &Facts, database: Option<&str>) -> Rows {
        match self {
            Show::Help => help(),
            Show::Clients => sockets::clients(facts),
            Show::Servers => sockets::servers(facts),
            Show::Sockets => sockets::all(facts),
            Show::Pools => pools::pools(facts, database),
            Show::Stats => stats::stats(facts, database),
            Show::StatsTotals => stats::totals(facts, database),
            Show::StatsAverages => stats::averages(facts, database),
            Show::Totals => stats::over_all(facts),
            Show::Lists => pools::lists(facts),
            Show::Databases => pools::databases(facts, database),
            Show::Users => pools::users(facts),
            Show::Config => settings::config(facts),
            Show::Mem => settings::mem(facts),
            Show::State => settings::state(facts),
            Show::Version => settings::version(),
            Show::Mirrors => moving::mirrors(facts),
            Show::Shadow => moving::shadow(facts),
            Show::Cutover => cutover::cutover(facts),
            Show::Proxies => moving::proxies(facts),
            Show::Unmovable => moving::unmovable(facts),
            Show::Replication => cutover::replication(facts),
            Show::Tasks => cutover::tasks(facts),
        }
    }
}

const HELP: [Column; 2] = [text("command"), text("what")];

/// What changes something.
const ACTIONS: [(&str, &str); 11] = [
    (
        "PAUSE [database] [TIMEOUT ms]",
        "hold transactions back, 30 s at most unless said otherwise",
    ),
    ("RESUME [database]", "end that"),
    (
        "MAINTENANCE ON|OFF",
        "hold transactions and new clients back, an hour at most",
    ),
    ("RELOAD", "read the configuration again"),
    ("KILL_CLIENT id", "end a client"),
    ("SHUTDOWN", "end all clients and the proxy"),
    (
        "SHUTDOWN WAIT_FOR_CLIENTS",
        "take no new clients, and end when all have gone",
    ),
    ("CUTOVER [DRY RUN]", "move traffic to the target, as a task"),
    (
        "ROLLBACK [DRY RUN]",
        "move it back to the source, as a task",
    ),
    ("FINALIZE [LIFT FENCE]", "give up the way back, as a task"),
    (
        "STOP_TASK task",
        "end a task: it undoes what is not decided",
    ),
];

fn help() -> Rows {
    let shows = Show::ALL.into_iter().map(|show| {
        let database = match show.is_by_database() {
            true => " [database]",
            false => "",
        };
        let command = format!("SHOW {}{database}", show.words().to_ascii_uppercase());
        vec![command.into(), show.told().into()]
    });
    let actions = ACTIONS.into_iter();
    Box::new(shows.chain(actions.map(|(command, what)| vec![command.into(), what.into()])))
}

/// The moment `ago`, as PgBouncer prints it.
fn moment(ago: Duration) -> String {
    let now = jiff::Timestamp::now();
    let then = now.checked_sub(ago).unwrap_or(now);
    then.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_columns_are_each_there_once() {
        for (at, show) in Show::ALL.iter().enumerate() {
            assert!(
                Show::ALL[..at]
                    .iter()
                    .all(|other| other.words() != show.words())
            );
            let columns = show.columns();
            for (at, column) in columns.iter().enumerate() {
                let is_new = |other: &Column| other.name != column.name;
                assert!(columns[..at].iter().all(is_new), "{}", column.name);
            }
        }
    }

    #[test]
    fn a_moment_is_printed_in_utc() {
        let printed = moment(Duration::from_secs(60));
        assert!(
            printed.ends_with(" UTC") && printed.len() == 23,
            "{printed}"
        );
    }
}
