//! What the proxy is told: the tables of its file and the options, as one [`Config`].
//!
//! - [`reader`](self): tables with line numbers, so that every fault is told at once;
//! - [`listen`]: where clients connect;
//! - [`tls`]: the certificate that clients see;
//! - [`databases`]: what clients ask for, and where it is;
//! - [`users`]: who they are, with passwords by reference;
//! - [`auth_query`]: who else they are, looked up on the source;
//! - [`rules`]: how they show it, by address, database and user;
//! - [`mirrors`]: who else is sent what they say;
//! - [`cutover`]: how it takes part in moving traffic;
//! - [`limits`]: how many, how long;
//! - [`admin`]: who administers it, and where it tells its metrics;
//! - [`changes`]: what of a new file takes effect under way;
//! - [`exchange`]: the file once traffic has moved for good.
//!
//! The tables stand in the file that `--config` names, beside the options of other commands, which
//! are plain values and read elsewhere. A key that nobody knows is a fault, never ignored: it is a
//! limit or a rule that somebody believes to be in force.
//!
//! Reading a configuration opens files and looks at variables, and connects to nothing.

pub mod admin;
pub mod auth_query;
pub mod changes;
pub mod cutover;
pub mod databases;
pub mod exchange;
pub mod limits;
pub mod listen;
pub mod mirrors;
mod reader;
pub mod rules;
pub mod tls;
pub mod users;

use std::io;
use std::path::{Path, PathBuf};

use reader::{File, Section};

pub use admin::{Admin, AdminAddress};
pub use auth_query::AuthQuery;
pub use changes::Changes;
pub use cutover::CutoverConfig;
pub use databases::Database;
pub use exchange::{ExchangeError, exchanged};
pub use limits::Limits;
pub use listen::{ListenAddress, Sockets};
pub use mirrors::{MirrorConfig, MirrorMode};
pub use reader::Problem;
pub use rules::{AuthRule, Method};
pub use tls::Tls;
pub use users::{Stored, User};

use crate::pg::address::Environment;

/// A larger file is no configuration: some ten thousand users fit in.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// All that the proxy is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where clients connect; at least one.
    pub listen: Vec<ListenAddress>,
    /// How they are listened on.
    pub sockets: Sockets,
    /// The certificate that they see; none for no TLS.
    pub tls: Option<Tls>,
    /// What they may ask for; at least one.
    pub databases: Vec<Database>,
    /// Who they may be. Empty where every login is decided by the server.
    pub users: Vec<User>,
    /// How others are looked up; none if there are no others.
    pub auth_query: Option<AuthQuery>,
    /// How they show it; the first that fits counts. Never empty.
    pub rules: Vec<AuthRule>,
    /// Who else is sent what they say.
    pub mirrors: Vec<MirrorConfig>,
    /// How it takes part in moving traffic, beyond its work directory.
    pub cutover: Option<CutoverConfig>,
    /// How many, how long.
    pub limits: Limits,
    /// Who may administer the proxy; none for nobody.
    pub admin: Option<Admin>,
    /// Where it tells its metrics; nothing for nowhere.
    pub metrics: Vec<ListenAddress>,
}

/// What was typed beside the file, and beats it.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// `--listen`, as often as it was given.
    pub listen: Vec<String>,
    /// `--reuse-port`.
    pub reuse_port: bool,
    /// `--source`, from wherever it came.
    pub source: Option<String>,
    /// `--target`, likewise.
    pub target: Option<String>,
    /// `--tls-certificate` and `--tls-key`.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// `--max-server-connections`.
    pub max_server_connections: Option<u32>,
    /// libpq's variables, and those that passwords are in.
    pub environment: Environment,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("reading the configuration file {}", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file, or what was typed, is wrong.
    #[error("the proxy's configuration is wrong: {}", listed(.0))]
    Wrong(Vec<Problem>),
}

impl ConfigError {
    /// Each thing that is wrong, if it could be read at all.
    pub fn problems(&self) -> &[Problem] {
        match self {
            ConfigError::Unreadable { .. } => &[],
            ConfigError::Wrong(problems) => problems,
        }
    }
}

fn listed(problems: &[Problem]) -> String {
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    lines.join("; ")
}

impl Config {
    /// Reads the file at `path`, if there is one, and what was typed.
    ///
    /// # Errors
    /// A file that cannot be read, or all that is wrong in it.
    pub fn load(path: Option<&Path>, given: &Given) -> Result<Config, ConfigError> {
        let Some(path) = path else {
            return Config::read(Path::new("the command line"), "", given);
        };
        let unreadable = |source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let text = read_file(path).map_err(unreadable)?;
        Config::read(path, &text, given)
    }

    /// As [`Config::load`], of the `text` of the file at `path`.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn read(path: &Path, text: &str, given: &Given) -> Result<Config, ConfigError> {
        let file = File::new(path, text);
        let root = file.parse();
        // What comes after a fault of syntax is misread: only that is worth telling.
        let config = match file.has_problems() {
            true => None,
            false => Some(read_tables(&file, Section::root(&file, &root), given)),
        };
        match config {
            Some(config) if !file.has_problems() => Ok(config),
            _ => Err(ConfigError::Wrong(file.into_problems())),
        }
    }

    /// The user of this name.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name == name)
    }

    /// Whether what a client that asks for `name` gets may move to another server.
    pub fn has_target(&self, name: &str) -> bool {
        let found = self.database(name);
        found.is_some_and(|database| database.target.is_some())
    }

    /// Whether anything may move to another server.
    pub fn has_any_target(&self) -> bool {
        self.databases.iter().any(|one| one.target.is_some())
    }

    /// What a client that asks for `name` gets; the first that fits.
    pub fn database(&self, name: &str) -> Option<&Database> {
        let exact = self.databases.iter().find(|one| one.name == name);
        exact.or_else(|| self.databases.iter().find(|one| one.is_any()))
    }
}

/// The text of a configuration file.
///
/// # Errors
/// It cannot be read, or is none by its size.
pub fn read_file(path: &Path) -> io::Result<String> {
    users::read_bounded(path, FILE_BYTES_MAX)
}

/// All tables of the file. Where one is wrong, something else stands in its place: the problems
/// say so.
fn read_tables(file: &File<'_>, root: Section<'_>, given: &Given) -> Config {
    let (listen, mut sockets) = listen::read(file, root.table("proxy"), &given.listen);
    sockets.reuse_port |= given.reuse_port;
    let tls = tls::read(file, root.table("tls"), given.tls.as_ref());
    let (databases, needs_login) = databases::read(file, root.tables("database"), given);
    let users = users::read(file, root.tables("user"), &databases, given);
    let auth_query = auth_query::read(file, root.table("auth_query"), &databases, given);
    let has_users = !users.is_empty() || auth_query.is_some();
    let rules = rules::read(file, root.tables("auth"), tls.as_ref(), has_users);
    if rules.iter().any(|rule| rule.method == Method::Passthrough) {
        needs_login.iter().for_each(|one| one.refuse(file));
    }
    let mirrors = mirrors::read(file, root.tables("mirror"), (&databases, &users), given);
    let cutover = cutover::read(file, root.table("cutover"), &databases, given);
    let mut limits = root.table("limits").map(limits::read).unwrap_or_default();
    if given.max_server_connections.is_some() {
        limits.max_server_connections = given.max_server_connections;
    }
    let admin = admin::read(file, root.table("admin"), &users, &databases);
    let metrics = admin::read_metrics(file, root.table("metrics"));
    // A plain value stands for an option, which the command line knows.
    root.finish_but(|value| {
        let is_of_tables = |items: &toml::de::DeArray<'_>| {
            let mut items = items.iter();
            items.any(|item| item.get_ref().is_table())
        };
        !value.is_table() && !value.as_array().is_some_and(is_of_tables)
    });
    Config {
        listen,
        sockets,
        tls,
        databases,
        users,
        auth_query,
        rules,
        mirrors,
        cutover,
        limits,
        admin,
        metrics,
    }
}

#[cfg(test)]
mod tests;
