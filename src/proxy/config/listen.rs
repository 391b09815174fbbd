//! Where clients connect: `[proxy]`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::reader::{File, Section};

/// The port where none is named: that of PgBouncer, so that a client's address need not change.
pub const DEFAULT_PORT: u16 = 6432;

/// Where the proxy listens unless told otherwise: nobody else's machine can connect by accident.
const DEFAULT_HOST: &str = "127.0.0.1";

/// One address to listen at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListenAddress {
    /// A name or an IP address, `*` for all of this machine's; port 0 for any that is free.
    Tcp {
        /// Without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// A folder for a Unix socket, `.s.PGSQL.<port>` as libpq looks for it.
    Unix {
        /// Absolute.
        folder: PathBuf,
        /// Part of the socket's name.
        port: u16,
    },
}

/// A text that is no address to listen at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is wrong: it takes host:port, [IPv6]:port, *:port, or /folder:port for a Unix socket")]
pub struct ListenError(&'static str);

impl FromStr for ListenAddress {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        let (place, port) = match text.rsplit_once(':') {
            // The colons of an IPv6 address without a port.
            Some((_, rest)) if rest.ends_with(']') => (text, DEFAULT_PORT),
            Some((place, port)) => (place, port.parse().map_err(|_| ListenError("the port"))?),
            None => (text, DEFAULT_PORT),
        };
        if place.starts_with('/') {
            let folder = PathBuf::from(place);
            return Ok(ListenAddress::Unix { folder, port });
        }
        let bare = place
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let host = match bare {
            Some(host) if host.parse::<std::net::Ipv6Addr>().is_ok() => host,
            Some(_) => return Err(ListenError("what is in brackets")),
            None if place.is_empty() || place.contains([':', '[', ']', ' ']) => {
                return Err(ListenError("the host"));
            }
            None => place,
        };
        let host = host.to_owned();
        Ok(ListenAddress::Tcp { host, port })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListenAddress::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            ListenAddress::Tcp { host, port } => write!(f, "{host}:{port}"),
            ListenAddress::Unix { folder, port } => write!(f, "{}:{port}", folder.display()),
        }
    }
}

/// The addresses of `--listen`, else of the table, else the one by default.
pub(super) fn read(
    file: &File<'_>,
    table: Option<Section<'_>>,
    typed: &[String],
) -> Vec<ListenAddress> {
    let mut found = Vec::new();
    if let Some(table) = table {
        for text in table.texts("listen").unwrap_or_default() {
            match text.value.parse() {
                Ok(address) if found.contains(&address) => file.wrong(&text, "is there twice"),
                Ok(address) => found.push(address),
                Err(error) => file.wrong::<&str>(&text, error),
            }
        }
        table.finish();
    }
    if !typed.is_empty() {
        found.clear();
    }
    for text in typed {
        match text.parse() {
            Ok(address) => found.push(address),
            Err(error) => file.typed("--listen", error),
        }
    }
    if found.is_empty() {
        found.push(ListenAddress::Tcp {
            host: DEFAULT_HOST.to_owned(),
            port: DEFAULT_PORT,
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_printed_as_they_are_read() {
        for (text, printed) in [
            ("0.0.0.0:6432", "0.0.0.0:6432"),
            ("db.example.com", "db.example.com:6432"),
            ("*:5432", "*:5432"),
            ("[::1]:7", "[::1]:7"),
            ("[::]", "[::]:6432"),
            ("/run/pgflit", "/run/pgflit:6432"),
            ("/run/pgflit:5432", "/run/pgflit:5432"),
            ("127.0.0.1:0", "127.0.0.1:0"),
        ] {
            let address: ListenAddress = text.parse().expect(text);
            assert_eq!(address.to_string(), printed);
        }
        for text in [
            "",
            ":6432",
            "host:",
            "host:99999",
            "::1",
            "[x]:1",
            "a b:1",
            "[::1",
        ] {
            assert!(text.parse::<ListenAddress>().is_err(), "{text}");
        }
    }
}
