//! The servers of a connection string, in the order to try them.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use super::environment::Environment;
use super::error::AddressError;
use super::keyword::Settings;
use super::options::value;
use super::passfile::{self, Login};
use crate::base::Secret;

/// PostgreSQL's port, if none is given.
pub const DEFAULT_PORT: u16 = 5432;

/// Where one server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// Over TCP. `host` is what the certificate must say; `address`, if given, where to connect.
    Tcp {
        /// Name or address as written.
        host: String,
        /// From `hostaddr`: no name needs to be looked up.
        address: Option<IpAddr>,
    },
    /// A socket in this folder, or in the abstract namespace if it begins with `@`.
    Unix(PathBuf),
}

/// One server and the password for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Where it listens.
    pub endpoint: Endpoint,
    /// The TCP port, or the number in the socket's name.
    pub port: u16,
    /// From the string, PGPASSWORD or the password file.
    pub password: Option<Secret>,
}

impl Host {
    /// The socket's file, if this is a local server.
    pub fn socket_path(&self) -> Option<PathBuf> {
        match &self.endpoint {
            Endpoint::Unix(folder) => Some(folder.join(format!(".s.PGSQL.{}", self.port))),
            Endpoint::Tcp { .. } => None,
        }
    }

    /// What the certificate must say; none for local servers.
    pub fn name(&self) -> Option<&str> {
        match &self.endpoint {
            Endpoint::Tcp { host, .. } => Some(host),
            Endpoint::Unix(_) => None,
        }
    }

    /// What a password file calls it, where sockets are in `default_folder` by default.
    pub fn passfile_name(&self, default_folder: &str) -> String {
        match &self.endpoint {
            Endpoint::Tcp { host, .. } => host.clone(),
            Endpoint::Unix(folder) if folder.as_os_str() == default_folder => {
                "localhost".to_owned()
            }
            Endpoint::Unix(folder) => folder.display().to_string(),
        }
    }
}

/// `db1:5432`, `[::1]:5432`, or the socket's file.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.endpoint {
            Endpoint::Tcp { host, .. } if host.contains(':') => write!(f, "[{host}]:{}", self.port),
            Endpoint::Tcp { host, .. } => write!(f, "{host}:{}", self.port),
            Endpoint::Unix(folder) => write!(f, "{}/.s.PGSQL.{}", folder.display(), self.port),
        }
    }
}

/// The servers that `settings` name, without passwords; at least one.
pub(super) fn of(
    settings: &Settings,
    environment: &Environment,
) -> Result<Vec<Host>, AddressError> {
    let list = |keyword: &str| -> Vec<&str> {
        value(settings, keyword).map_or_else(Vec::new, |text| text.split(',').collect())
    };
    let (names, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
    let count = match addresses.len() {
        0 => names.len().max(1),
        count => count,
    };
    if !addresses.is_empty() && !names.is_empty() && names.len() != count {
        return Err(AddressError::Counts {
            keyword: "hostaddr",
            found: count,
            hosts: names.len(),
        });
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(AddressError::Counts {
            keyword: "port",
            found: ports.len(),
            hosts: count,
        });
    }
    let at = |list: &[&str], index: usize| list.get(index).copied().unwrap_or_default().to_owned();
    (0..count)
        .map(|index| {
            let port = if ports.len() == 1 { 0 } else { index };
            Ok(Host {
                endpoint: endpoint(at(&names, index), &at(&addresses, index), environment)?,
                port: parse_port(at(&ports, port).trim())?,
                password: None,
            })
        })
        .collect()
}

fn endpoint(
    name: String,
    address: &str,
    environment: &Environment,
) -> Result<Endpoint, AddressError> {
    if !address.is_empty() {
        let ip = address.parse().map_err(|_| AddressError::BadValue {
            keyword: "hostaddr",
            value: address.to_owned(),
            allowed: "a numeric IPv4 or IPv6 address".to_owned(),
        })?;
        let host = if name.is_empty() {
            address.to_owned()
        } else {
            name
        };
        return Ok(Endpoint::Tcp {
            host,
            address: Some(ip),
        });
    }
    Ok(match name.as_str() {
        "" => Endpoint::Unix(environment.socket_folder().into()),
        folder if folder.starts_with(['/', '@']) => Endpoint::Unix(folder.into()),
        _ => Endpoint::Tcp {
            host: name,
            address: None,
        },
    })
}

fn parse_port(text: &str) -> Result<u16, AddressError> {
    if text.is_empty() {
        return Ok(DEFAULT_PORT);
    }
    let port = text.parse().ok().filter(|port| *port > 0);
    port.ok_or_else(|| AddressError::BadValue {
        keyword: "port",
        value: text.to_owned(),
        allowed: "a number from 1 to 65535".to_owned(),
    })
}

/// Gives each host its password: the one of `settings`, else what the password file says.
pub(super) fn fill_passwords(
    hosts: &mut [Host],
    settings: &Settings,
    environment: &Environment,
    (dbname, user): (&str, &str),
) {
    if let Some(password) = value(settings, "password") {
        for host in hosts {
            host.password = Some(Secret::new(password));
        }
        return;
    }
    let path = match value(settings, "passfile") {
        Some(path) => Some(path.into()),
        None => environment.in_home(".pgpass"),
    };
    let Some(text) = path.and_then(|path| passfile::read(&path)) else {
        return;
    };
    let default_folder = environment.socket_folder();
    for host in hosts {
        let login = Login {
            host: &host.passfile_name(default_folder),
            port: host.port,
            dbname,
            user,
        };
        host.password = passfile::find(&text, login);
    }
}
