//! What clients may ask for, and where it is: `[[database]]`.

use std::path::Path;

use super::Given;
use super::reader::{At, File, Section};
use crate::base::Side;
use crate::pg::Address;
use crate::pg::address::TargetSessionAttrs;
use crate::pg::address::{AddressError, Environment, conninfo, uri};
use crate::wire::startup::Startup;

/// The name that stands for every database that no other entry names.
pub const ANY: &str = "*";

const NEEDS_LOGIN: &str = "has target_session_attrs, which needs a login of the proxy's own; \
     name the one server that clients are to reach, without it";

/// A server whose role is asked for after a login, which must be the proxy's own.
#[derive(Debug)]
pub(super) enum NeedsLogin {
    /// Of an option.
    Typed(&'static str),
    /// Of the file.
    Written(At<()>),
}

impl NeedsLogin {
    /// A fault where servers authenticate clients.
    pub(super) fn refuse(&self, file: &File<'_>) {
        match self {
            NeedsLogin::Typed(option) => file.typed(option, NEEDS_LOGIN),
            NeedsLogin::Written(at) => file.wrong(at, NEEDS_LOGIN),
        }
    }
}

/// A database that clients may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// What a client asks for; [`ANY`] for whatever it asks for.
    pub name: String,
    /// Where it is now.
    pub source: Server,
    /// Where it will be after a cutover, if that is known.
    pub target: Option<Server>,
}

/// One of the two servers of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    address: Address,
    is_dbname_given: bool,
}

impl Database {
    /// Its server on `side`. What has no target stays where it is.
    pub fn server(&self, side: Side) -> &Server {
        match (side, &self.target) {
            (Side::Target, Some(target)) => target,
            _ => &self.source,
        }
    }

    /// Whether it stands for every name.
    pub fn is_any(&self) -> bool {
        self.name == ANY
    }
}

impl Server {
    /// Its address for a client that asks for the database `asked`.
    pub fn address(&self, asked: &str) -> Address {
        match self.is_dbname_given {
            true => self.address.clone(),
            false => self.address.with_dbname(asked),
        }
    }

    /// Where it may be, for people.
    pub fn hosts(&self) -> Vec<String> {
        self.address
            .hosts()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// What a client asks of the proxy, as it is asked of this server: the database may have
    /// another name here.
    pub fn renamed(&self, startup: &Startup) -> Startup {
        let mut renamed = startup.clone();
        let names_one = startup
            .parameter("database")
            .is_some_and(|name| !name.is_empty());
        if self.is_dbname_given && startup.database() != Some(self.address.dbname().as_bytes()) {
            renamed
                .parameters
                .retain(|(name, _)| !(names_one && name == b"database"));
            let dbname = self.address.dbname().as_bytes().to_vec();
            renamed.parameters.push((b"database".to_vec(), dbname));
        }
        renamed
    }

    fn needs_login(&self) -> bool {
        self.address.target_session_attrs() != TargetSessionAttrs::Any
    }

    /// Its address for a role of the proxy's own, in `dbname`; without one, in the database that it
    /// names, else `postgres`.
    pub(super) fn for_role(
        &self,
        (user, dbname): (&str, Option<&str>),
        passfile: Option<&Path>,
        environment: &Environment,
    ) -> Result<Address, AddressError> {
        let own = match self.is_dbname_given {
            true => self.address.dbname(),
            false => "postgres",
        };
        let dbname = dbname.unwrap_or(own);
        self.address.for_role((user, dbname), passfile, environment)
    }

    fn parse(text: &str, environment: &Environment) -> Result<Server, AddressError> {
        let settings = match uri::strip_scheme(text) {
            Some(rest) => uri::parse(rest)?,
            None => conninfo::parse(text)?,
        };
        Ok(Server {
            address: Address::parse_with(text, environment)?.keeping_tls(),
            is_dbname_given: settings.get("dbname").is_some_and(|name| !name.is_empty()),
        })
    }
}

/// The databases of the file; without any, the one that the options name. With them, what needs a
/// login of the proxy's own.
pub(super) fn read(
    file: &File<'_>,
    tables: Vec<Section<'_>>,
    given: &Given,
) -> (Vec<Database>, Vec<NeedsLogin>) {
    let mut needs_login = Vec::new();
    let databases = read_all(file, tables, given, &mut needs_login);
    (databases, needs_login)
}

fn read_all(
    file: &File<'_>,
    tables: Vec<Section<'_>>,
    given: &Given,
    needs_login: &mut Vec<NeedsLogin>,
) -> Vec<Database> {
    let mut option =
        |name, text: Option<&String>| option(file, name, text?, given, &mut *needs_login);
    let source = option("--source", given.source.as_ref());
    let target = option("--target", given.target.as_ref());
    if tables.is_empty() {
        return of_options(file, source, target);
    }
    let mut databases: Vec<Database> = Vec::new();
    for table in tables {
        let name = table.text("name");
        let own_source = server(file, &table, "source", given, needs_login);
        let own_target = server(file, &table, "target", given, needs_login);
        if name.is_none() {
            table.problem(
                "name",
                "is missing: what clients ask for, or \"*\" for everything",
            );
        }
        let own_source = own_source.unwrap_or_else(|| {
            if source.is_none() && given.source.is_none() {
                table.problem("source", "is missing, here and as the option of that name");
            }
            source.clone()
        });
        let same = |name: &&At<&str>| databases.iter().any(|other| other.name == name.value);
        if let Some(name) = name.as_ref().filter(same) {
            file.wrong(name, "is the name of another database, too");
        }
        table.finish();
        if let (Some(name), Some(source)) = (name, own_source) {
            databases.push(Database {
                name: name.value.to_owned(),
                source,
                target: own_target.unwrap_or_else(|| target.clone()),
            });
        }
    }
    databases
}

/// The simple case: only the database that is moved, if one is named. Another one of the same server would be
/// looked for on the target after the cutover, where it is not.
fn of_options(file: &File<'_>, source: Option<Server>, target: Option<Server>) -> Vec<Database> {
    let Some(source) = source else {
        if !file.has_problems() {
            file.typed("--source", "is missing, and there is no [[database]]");
        }
        return Vec::new();
    };
    let name = match source.is_dbname_given {
        true => source.address.dbname(),
        false => ANY,
    };
    vec![Database {
        name: name.to_owned(),
        source,
        target,
    }]
}

fn option(
    file: &File<'_>,
    name: &'static str,
    text: &str,
    given: &Given,
    needs_login: &mut Vec<NeedsLogin>,
) -> Option<Server> {
    match Server::parse(text, &given.environment) {
        Ok(server) => {
            if server.needs_login() {
                needs_login.push(NeedsLogin::Typed(name));
            }
            Some(server)
        }
        Err(error) => {
            file.typed(name, told(&error));
            None
        }
    }
}

/// The server that `key` says; none inside where it says it wrongly.
pub(super) fn server(
    file: &File<'_>,
    table: &Section<'_>,
    key: &'static str,
    given: &Given,
    needs_login: &mut Vec<NeedsLogin>,
) -> Option<Option<Server>> {
    let text: At<&str> = table.text(key)?;
    if holds_password(text.value) {
        file.wrong(
            &text,
            "holds a password; leave it to a password file: passfile=/path in the same text",
        );
        return Some(None);
    }
    match Server::parse(text.value, &given.environment) {
        Ok(server) => {
            if server.needs_login() {
                needs_login.push(NeedsLogin::Written(At {
                    value: (),
                    line: text.line,
                    key: text.key,
                }));
            }
            Some(Some(server))
        }
        Err(error) => {
            file.wrong(&text, told(&error));
            Some(None)
        }
    }
}

/// A fault if the password file at `passfile` has none of `user` for one of the servers.
pub(super) fn needs_passwords(
    file: &File<'_>,
    passfile: &At<&str>,
    user: &str,
    addresses: &[Address],
) {
    let mut hosts = addresses.iter().flat_map(Address::hosts);
    if let Some(host) = hosts.find(|host| host.password.is_none()) {
        let reason = format!(
            "has no line for \"{user}\" at {host}, or others may read it; run chmod 0600 on it"
        );
        file.wrong(passfile, reason);
    }
}

fn holds_password(text: &str) -> bool {
    let settings = match uri::strip_scheme(text) {
        Some(rest) => uri::parse(rest),
        None => conninfo::parse(text),
    };
    settings.is_ok_and(|settings| settings.contains_key("password"))
}

pub(super) fn told(error: &AddressError) -> String {
    match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}
