//! How this proxy takes part in moving traffic beyond its work directory: `[cutover]`.

use std::path::PathBuf;
use std::time::Duration;

use super::Given;
use super::databases::{self, Database, Server, told};
use super::reader::{File, Section};
use crate::base::Side;
use crate::pg::Address;

/// How long clients go on without a word of the server that they are on: longer than a server that is
/// busy, or a network that has lost its way for a moment, takes to answer.
const LEASE: Duration = Duration::from_secs(10);

/// What the table says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutoverConfig {
    /// pgflit's own role, on both servers.
    pub user: String,
    /// The password file that has its password; none for libpq's.
    pub passfile: Option<PathBuf>,
    /// The database that moves, as that role.
    pub source: Address,
    /// The same on the other side.
    pub target: Address,
    /// Whether the proxy is told through the servers what to do, because the migration's work directory
    /// is on another machine.
    pub shared: bool,
    /// How long clients go on without a word of the server that they are on.
    pub lease: Duration,
    /// Whether the configuration file is written anew once traffic has moved for good: the target is the
    /// source then, and there is no target.
    pub save_config: bool,
}

impl CutoverConfig {
    /// The address of a side.
    pub fn address(&self, side: Side) -> &Address {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }
}

/// What the table says; none if there is none, or it is wrong.
pub(super) fn read(
    file: &File<'_>,
    table: Option<Section<'_>>,
    all: &[Database],
    given: &Given,
) -> Option<CutoverConfig> {
    let table = table?;
    let user = table.text("user");
    let passfile = table.text("passfile");
    let shared = table.boolean("shared").is_some_and(|shared| shared.value);
    let second = Duration::from_secs(1);
    let lease = table.duration("lease", second..=600 * second);
    let save_config = table.boolean("save_config").is_some_and(|save| save.value);
    if user.is_none() {
        table.problem("user", "is missing: pgflit's own role, on both servers");
    }
    let mut movable = all.iter().filter_map(|database| {
        let target = database.target.as_ref()?;
        Some((database, target))
    });
    let moves = match (movable.next(), movable.next()) {
        (Some(one), None) => Some(one),
        // Its target is the source by now, or the fault is told elsewhere.
        (None, _) if all.is_empty() || save_config => None,
        (first, _) => {
            let how_many = first.map_or("none has", |_| "several have");
            table.problem(
                "user",
                format!("is of use where one [[database]] has a target, and {how_many}"),
            );
            None
        }
    };
    table.finish();
    let (user, (database, target)) = (user?, moves?);
    let path = passfile.as_ref().map(|text| {
        // It is read by other processes, too, and by proxies that start elsewhere.
        let path = file.beside(text.value);
        std::path::absolute(&path).unwrap_or(path)
    });
    let own = |server: &Server| {
        let name = server.address(&database.name).dbname().to_owned();
        let role = (user.value, Some(name.as_str()));
        server.for_role(role, path.as_deref(), &given.environment)
    };
    if database.is_any() {
        let reason = "needs to know which database moves: name it, in the [[database]] or as dbname \
                      of the option source";
        file.wrong(&user, reason);
        return None;
    }
    match (own(&database.source), own(target)) {
        (Ok(source), Ok(target)) => {
            let both = [source, target];
            if let Some(passfile) = &passfile {
                databases::needs_passwords(file, passfile, user.value, &both);
            }
            let [source, target] = both;
            Some(CutoverConfig {
                user: user.value.to_owned(),
                passfile: path,
                source,
                target,
                shared,
                lease: lease.unwrap_or(LEASE),
                save_config,
            })
        }
        (Err(error), _) | (_, Err(error)) => {
            file.wrong(&user, told(&error));
            None
        }
    }
}
