//! Users that are looked up on the source: `[auth_query]`.

use std::time::Duration;

use super::Given;
use super::databases::{Database, told};
use super::reader::{File, Section};
use crate::pg::Address;

/// What is asked unless told otherwise. A password that is no longer valid is none.
const QUERY: &str = "SELECT rolname, CASE WHEN rolvaliduntil < now() THEN NULL ELSE rolpassword END \
     FROM pg_authid WHERE rolname = $1 AND rolcanlogin";

/// How users are looked up that are in no `[[user]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthQuery {
    /// Gives name and password of the role `$1`, as `pg_authid` has them.
    pub query: String,
    /// How long a client waits for it.
    pub timeout: Duration,
    /// How long an answer is good for.
    pub cache_time: Duration,
    /// Where it is asked, and as whom: for each database of the configuration, by its name.
    pub servers: Vec<(String, Address)>,
}

/// What the table says; none if there is none, or it is wrong.
pub(super) fn read(
    file: &File<'_>,
    table: Option<Section<'_>>,
    databases: &[Database],
    given: &Given,
) -> Option<AuthQuery> {
    let table = table?;
    let user = table.text("user");
    let passfile = table.text("passfile");
    let dbname = table.text("dbname");
    let query = table.text("query");
    let second = Duration::from_secs(1);
    let timeout = table.duration("timeout", second / 10..=60 * second);
    let cache_time = table.duration("cache_time", second / 10..=3600 * second);
    if user.is_none() {
        table.problem("user", "is missing: the role that looks users up");
    }
    if let Some(query) = query.as_ref().filter(|query| !query.value.contains("$1")) {
        file.wrong(query, "asks for nobody: $1 stands for the role");
    }
    table.finish();
    let user = user?;
    let path = passfile.as_ref().map(|text| file.beside(text.value));
    let environment = &given.environment;
    let mut servers = Vec::with_capacity(databases.len());
    for database in databases {
        let role = (user.value, dbname.as_ref().map(|text| text.value));
        let source = &database.source;
        match source.for_role(role, path.as_deref(), environment) {
            Ok(address) => servers.push((database.name.clone(), address)),
            Err(error) => file.wrong(&user, told(&error)),
        }
    }
    let mut hosts = servers.iter().flat_map(|(_, address)| address.hosts());
    if let Some(at) = &passfile
        && let Some(host) = hosts.find(|host| host.password.is_none())
    {
        let reason = format!(
            "has no line for \"{}\" at {host}, or others may read it; run chmod 0600 on it",
            user.value
        );
        file.wrong(at, reason);
    }
    Some(AuthQuery {
        query: query.map_or(QUERY, |query| query.value).to_owned(),
        timeout: timeout.unwrap_or(5 * second),
        cache_time: cache_time.unwrap_or(60 * second),
        servers,
    })
}
