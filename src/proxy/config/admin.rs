//! The admin console and the metrics: `[admin]`, `[metrics]`.

use std::fmt;
use std::path::PathBuf;

use super::listen::ListenAddress;
use super::reader::{At, File, Section};
use super::users::{Stored, User};
use crate::proxy::config::Database;

/// The names of the console's database: the product's, what PgDog's users know, and what exporters
/// for PgBouncer ask for.
pub const CONSOLE_NAMES: [&str; 3] = ["pgflit", "admin", "pgbouncer"];

/// The port of a socket in a folder, unless another is named: that of clients.
const SOCKET_PORT: u16 = 6432;

/// Bytes of a socket's path: `sun_path` of Linux, less the zero byte.
const SOCKET_PATH_MAX: usize = 107;

/// Who may administer the proxy, and where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Admin {
    /// Where the console listens; nothing if only among clients.
    pub listen: Vec<AdminAddress>,
    /// Who may do everything.
    pub users: Vec<String>,
    /// Who may look.
    pub read_only_users: Vec<String>,
    /// Whether these users reach it where clients connect, too.
    pub in_proxy: bool,
}

/// Where the console listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdminAddress {
    /// A port.
    Tcp(ListenAddress),
    /// The socket `.s.PGSQL.PORT` in a folder.
    Unix {
        /// The folder.
        folder: PathBuf,
        /// The number in its name.
        port: u16,
    },
}

impl AdminAddress {
    /// The socket's file; none of a port.
    pub fn socket_path(&self) -> Option<PathBuf> {
        match self {
            AdminAddress::Tcp(_) => None,
            AdminAddress::Unix { folder, port } => Some(folder.join(format!(".s.PGSQL.{port}"))),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        if !text.starts_with('/') {
            return tcp(text).map(AdminAddress::Tcp);
        }
        let (folder, port) = match text.rsplit_once(':') {
            Some((folder, port)) => (folder, port.parse().map_err(|_| "the port is wrong")?),
            None => (text, SOCKET_PORT),
        };
        let folder = PathBuf::from(folder);
        let address = AdminAddress::Unix { folder, port };
        let length = address
            .socket_path()
            .map_or(0, |path| path.as_os_str().len());
        match length > SOCKET_PATH_MAX {
            true => Err(format!(
                "the socket's path has more than {SOCKET_PATH_MAX} bytes"
            )),
            false => Ok(address),
        }
    }
}

impl fmt::Display for AdminAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AdminAddress::Tcp(address) => address.fmt(f),
            AdminAddress::Unix { folder, port } => write!(f, "{}:{port}", folder.display()),
        }
    }
}

/// A host and a port, which must be there: the port of clients would be taken.
fn tcp(text: &str) -> Result<ListenAddress, String> {
    let port = text.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(_)) => text.parse().map_err(|error| format!("{error}")),
        _ => Err("takes host:port, with a port of its own".to_owned()),
    }
}

/// `[admin]`; none without it.
pub(super) fn read(
    file: &File<'_>,
    table: Option<Section<'_>>,
    users: &[User],
    databases: &[Database],
) -> Option<Admin> {
    let table = table?;
    let owned = |texts: &Vec<At<&str>>| texts.iter().map(|text| text.value.to_owned()).collect();
    let mut admin = Admin::default();
    for text in table.texts("listen").unwrap_or_default() {
        match AdminAddress::parse(text.value) {
            Ok(address) if admin.listen.contains(&address) => file.wrong(&text, "is there twice"),
            Ok(address) => admin.listen.push(address),
            Err(error) => file.wrong(&text, error),
        }
    }
    let full = table.texts("users").unwrap_or_default();
    let read_only = table.texts("read_only_users").unwrap_or_default();
    (admin.users, admin.read_only_users) = (owned(&full), owned(&read_only));
    for text in full.iter().chain(&read_only) {
        if let Some(problem) = cannot_log_in(users, text.value) {
            file.wrong(text, problem);
        }
    }
    for text in &read_only {
        if admin.users.iter().any(|name| name == text.value) {
            file.wrong(text, "may do everything already: it is in users");
        }
    }
    if let Some(in_proxy) = table.boolean("in_proxy") {
        admin.in_proxy = in_proxy.value;
        let taken = databases.iter().find(|one| is_console_in_proxy(&one.name));
        if let Some(database) = taken.filter(|_| in_proxy.value) {
            let name = &database.name;
            file.wrong(&in_proxy, format!("hides the [[database]] \"{name}\""));
        }
    }
    let is_by_name = admin.in_proxy || admin.listen.iter().any(|one| one.socket_path().is_none());
    if admin.listen.is_empty() && !admin.in_proxy && table.texts("listen").is_none() {
        let missing = "is missing: host:port or the folder of a socket, or in_proxy = true";
        table.problem("listen", missing);
    } else if is_by_name && full.is_empty() && read_only.is_empty() {
        table.problem(
            "users",
            "is missing: without a user nobody can log in there",
        );
    }
    table.finish();
    Some(admin)
}

/// Whether a client that asks for `database` where clients connect may mean the console.
pub fn is_console_in_proxy(database: &str) -> bool {
    // The third name is for exporters, which have an address of their own to ask at.
    CONSOLE_NAMES[..2].contains(&database)
}

/// Why a user cannot log in to the console, which asks for SCRAM; none if it can.
fn cannot_log_in(users: &[User], name: &str) -> Option<&'static str> {
    let user = users.iter().find(|user| user.name == name);
    match user.map(|user| &user.stored) {
        Some(Stored::Password(_) | Stored::Scram(_)) => None,
        Some(Stored::Md5(_) | Stored::Nothing) => {
            Some("needs a password or a SCRAM secret in its [[user]]")
        }
        None => Some("is in no [[user]]"),
    }
}

/// The addresses of `[metrics]`; none without it.
pub(super) fn read_metrics(file: &File<'_>, table: Option<Section<'_>>) -> Vec<ListenAddress> {
    let Some(table) = table else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let texts = table.texts("listen");
    if texts.is_none() {
        table.problem(
            "listen",
            "is missing: host:port, such as \"127.0.0.1:9187\"",
        );
    }
    for text in texts.unwrap_or_default() {
        match tcp(text.value) {
            Ok(address) if found.contains(&address) => file.wrong(&text, "is there twice"),
            Ok(address) => found.push(address),
            Err(error) => file.wrong(&text, error),
        }
    }
    table.finish();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_port_or_a_folder() {
        for (text, printed, path) in [
            ("127.0.0.1:7000", "127.0.0.1:7000", None),
            ("[::1]:0", "[::1]:0", None),
            (
                "/run/pgflit",
                "/run/pgflit:6432",
                Some("/run/pgflit/.s.PGSQL.6432"),
            ),
            ("/run/x:7", "/run/x:7", Some("/run/x/.s.PGSQL.7")),
        ] {
            let address = AdminAddress::parse(text).expect(text);
            assert_eq!(address.to_string(), printed);
            assert_eq!(address.socket_path(), path.map(PathBuf::from));
        }
        let long = format!("/{}", "x".repeat(200));
        for text in ["", "127.0.0.1", "[::1]", "run/x", "/run/x:y", ":1", &long] {
            assert!(AdminAddress::parse(text).is_err(), "{text}");
        }
    }
}
