//! Servers that are sent what clients send to theirs: `[[mirror]]`.

use std::collections::HashSet;
use std::time::Duration;

use super::databases::{self, Database, Server};
use super::reader::{File, Section};
use super::{Given, User, users::Stored};

/// A mirror.
#[derive(Debug, Clone, PartialEq)]
pub struct MirrorConfig {
    /// Its name, for people.
    pub name: String,
    /// The databases whose traffic it is sent; empty for all.
    pub databases: Vec<String>,
    /// Where it is; none for the target of the client's database.
    pub server: Option<Server>,
    /// As whom the proxy logs in there; none for the client's own role.
    pub user: Option<String>,
    /// What it is sent.
    pub mode: MirrorMode,
    /// Of how many transactions, from 0 to 1.
    pub exposure: f64,
    /// Whether its answers are compared with the client's.
    pub compares: bool,
    /// Transactions of a client that may wait.
    pub queue_transactions: usize,
    /// Memory of all that waits, in bytes.
    pub queue_bytes: usize,
    /// How old a transaction may be when its turn comes.
    pub queue_age: Duration,
    /// How long an answer may take.
    pub answer_limit: Duration,
}

impl Eq for MirrorConfig {}

/// What of the traffic a mirror is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MirrorMode {
    /// Transactions that only read, in sessions that may only read.
    Reads,
    /// Everything.
    All,
    /// Transactions that change definitions.
    Ddl,
    /// Transactions that change rows.
    Dml,
}

const MODES: [(&str, MirrorMode); 4] = [
    ("reads", MirrorMode::Reads),
    ("all", MirrorMode::All),
    ("ddl", MirrorMode::Ddl),
    ("dml", MirrorMode::Dml),
];

impl MirrorMode {
    /// As it is configured.
    pub fn as_str(self) -> &'static str {
        let mut modes = MODES.iter();
        let found = modes.find(|(_, mode)| *mode == self);
        found.map_or("", |(word, _)| word)
    }
}

/// Mirrors of one database: more than anybody compares, and each costs a connection a client.
const MIRRORS_MAX: usize = 8;

impl MirrorConfig {
    /// Whether it is sent the traffic of clients that ask for `database`.
    pub fn is_of(&self, database: &str) -> bool {
        self.databases.is_empty() || self.databases.iter().any(|one| one == database)
    }

    /// Where a client that asked for `asked` of `database` is mirrored to; none if nobody said.
    pub fn server<'a>(&'a self, database: &'a Database) -> Option<&'a Server> {
        self.server.as_ref().or(database.target.as_ref())
    }

    /// Whether it is sent all traffic of `database` to where that is to go.
    pub fn is_target_of(&self, database: &Database) -> bool {
        self.is_of(&database.name) && self.server(database) == database.target.as_ref()
    }
}

pub(super) fn read(
    file: &File<'_>,
    tables: Vec<Section<'_>>,
    (databases, users): (&[Database], &[User]),
    given: &Given,
) -> Vec<MirrorConfig> {
    if let Some(one_more) = tables.get(MIRRORS_MAX) {
        one_more.problem("", format!("there are more than {MIRRORS_MAX} mirrors"));
    }
    let mut names = HashSet::new();
    let mut mirrors = Vec::new();
    for table in tables {
        let name = table.text("name");
        match &name {
            None => table.problem("name", "is missing: what the mirror is called in reports"),
            Some(name) if !names.insert(name.value) => {
                file.wrong(name, "is the name of another mirror, too");
            }
            Some(_) => {}
        }
        let of = of_databases(file, &table, databases);
        let mut needs_role = Vec::new();
        let server = databases::server(file, &table, "server", given, &mut needs_role);
        needs_role.iter().for_each(|one| one.refuse(file));
        if server.is_none() {
            needs_target(&table, databases, &of);
        }
        let user = user(file, &table, users);
        let seconds = |key, default| {
            let bounds = Duration::from_millis(100)..=Duration::from_secs(3600);
            table.duration(key, bounds).unwrap_or(default)
        };
        let number = |key, bounds, default| table.number(key, bounds).unwrap_or(default) as usize;
        let mirror = MirrorConfig {
            name: name.map(|name| name.value.to_owned()).unwrap_or_default(),
            databases: of,
            server: server.flatten(),
            user,
            mode: table
                .choice("mode", &MODES)
                .map_or(MirrorMode::Reads, |mode| mode.value),
            exposure: table.fraction("exposure").unwrap_or(1.0),
            compares: table.boolean("compare").is_none_or(|compare| compare.value),
            queue_transactions: number("mirror_queue", 1..=100_000, 128),
            queue_bytes: number("queue_megabytes", 1..=16_384, 64) << 20,
            queue_age: seconds("queue_age", Duration::from_secs(30)),
            answer_limit: seconds("answer_limit", Duration::from_secs(30)),
        };
        table.finish();
        mirrors.push(mirror);
    }
    mirrors
}

fn of_databases(file: &File<'_>, table: &Section<'_>, databases: &[Database]) -> Vec<String> {
    let asked = table.texts("database").unwrap_or_default();
    for one in &asked {
        let is_known = |database: &Database| database.is_any() || database.name == one.value;
        if !databases.is_empty() && !databases.iter().any(is_known) {
            file.wrong(one, "is no [[database]] of this file");
        }
    }
    asked.iter().map(|one| one.value.to_owned()).collect()
}

fn needs_target(table: &Section<'_>, databases: &[Database], of: &[String]) {
    let is_meant = |database: &&Database| of.is_empty() || of.contains(&database.name);
    let mut meant = databases.iter().filter(is_meant);
    if let Some(database) = meant.find(|database| database.target.is_none()) {
        table.problem(
            "server",
            format!(
                "is missing, and the database \"{}\" has no target",
                database.name
            ),
        );
    }
}

fn user(file: &File<'_>, table: &Section<'_>, users: &[User]) -> Option<String> {
    let given = table.text("user")?;
    match users.iter().find(|user| user.name == given.value) {
        None => file.wrong(&given, "is no [[user]] of this file"),
        Some(User {
            stored: Stored::Scram(_),
            ..
        }) => file.wrong(
            &given,
            "has a SCRAM secret alone, which opens no server without its client: \
             say where the password is",
        ),
        Some(_) => {}
    }
    Some(given.value.to_owned())
}
