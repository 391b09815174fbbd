//! Users that are looked up on the source: `[auth_query]`.

use std::time::Duration;

use super::Given;
use super::databases::{self, Database, Server, told};
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
    /// Where it is asked, and as whom: for each database of the configuration, in their order.
    pub servers: Vec<Servers>,
}

/// Where users of a database are looked up: on the side that traffic goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Servers {
    /// Before a cutover.
    pub source: Address,
    /// After it; none for a database that stays.
    pub target: Option<Address>,
}

/// What the table says; none if there is none, or it is wrong.
pub(super) fn read(
    file: &File<'_>,
    table: Option<Section<'_>>,
    all: &[Database],
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
    let mut servers = Vec::with_capacity(all.len());
    for database in all {
        let role = (user.value, dbname.as_ref().map(|text| text.value));
        let address = |server: &Server| server.for_role(role, path.as_deref(), environment);
        let target = database.target.as_ref().map(address).transpose();
        match (address(&database.source), target) {
            (Ok(source), Ok(target)) => servers.push(Servers { source, target }),
            (Err(error), _) | (_, Err(error)) => file.wrong(&user, told(&error)),
        }
    }
    if let Some(passfile) = &passfile {
        let both = |servers: &Servers| [Some(servers.source.clone()), servers.target.clone()];
        let all: Vec<_> = servers.iter().flat_map(both).flatten().collect();
        databases::needs_passwords(file, passfile, user.value, &all);
    }
    Some(AuthQuery {
        query: query.map_or(QUERY, |query| query.value).to_owned(),
        timeout: timeout.unwrap_or(5 * second),
        cache_time: cache_time.unwrap_or(60 * second),
        servers,
    })
}
