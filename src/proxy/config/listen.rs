//! Where clients connect: `[proxy]`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::reader::{At, File, Section};

/// The port where none is named: that of PgBouncer, so that a client's address need not change.
pub const DEFAULT_PORT: u16 = 6432;

/// Where the proxy listens unless told otherwise: nobody else's machine can connect by accident.
const DEFAULT: &str = "127.0.0.1:6432";

/// Bytes of the folder of a Unix socket: a socket's whole path has at most 107, and while it is made
/// it is `/.s.PGSQL.65535.4194304` behind the folder.
const FOLDER_BYTES_MAX: usize = 84;

/// Anybody who may open the folder may connect, as with PostgreSQL: the login decides.
const UNIX_SOCKET_MODE: u32 = 0o777;

/// Where clients connect; port 0 for any that is free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    /// A name or IP address and a port, `host:port`, as names are looked up by.
    Host(String),
    /// All addresses of the machine, IPv4 and IPv6.
    Everywhere {
        /// The port.
        port: u16,
    },
    /// A Unix socket, named as PostgreSQL's clients look for it.
    Unix {
        /// The folder, absolute.
        folder: PathBuf,
        /// The number in its name; none for the first port that is listened on.
        port: Option<u16>,
    },
}

/// A text that is no address to listen at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is wrong: it takes host:port, [IPv6]:port, *:port or the folder of a Unix socket")]
pub struct ListenAddressError(&'static str);

/// How the sockets are made that clients connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sockets {
    /// The permissions of Unix sockets.
    pub unix_mode: u32,
    /// Whether another process may listen on the same addresses.
    pub reuse_port: bool,
}

impl Default for Sockets {
    fn default() -> Self {
        Sockets {
            unix_mode: UNIX_SOCKET_MODE,
            reuse_port: false,
        }
    }
}

impl ListenAddress {
    /// The socket's file in `folder`, by PostgreSQL's naming.
    pub fn unix_path(folder: &Path, port: u16) -> PathBuf {
        folder.join(format!(".s.PGSQL.{port}"))
    }

    fn unix(text: &str) -> Result<Self, ListenAddressError> {
        let (folder, port) = match text.rsplit_once(':') {
            Some((folder, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                let port = port.parse().ok().filter(|port| *port > 0);
                (folder, Some(port.ok_or(ListenAddressError("the port"))?))
            }
            _ => (text, None),
        };
        match folder.len() <= FOLDER_BYTES_MAX && !folder.contains('\0') {
            true => Ok(ListenAddress::Unix {
                folder: folder.into(),
                port,
            }),
            false => Err(ListenAddressError(
                "the folder, which has at most 84 bytes,",
            )),
        }
    }
}

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, ListenAddressError> {
        if text.starts_with('/') {
            return ListenAddress::unix(text);
        }
        let (host, port) = match text.rsplit_once(':') {
            // The colons of an IPv6 address without a port.
            Some((_, rest)) if rest.ends_with(']') => (text, DEFAULT_PORT),
            Some((host, port)) => {
                let port = port.parse().map_err(|_| ListenAddressError("the port"))?;
                (host, port)
            }
            None => (text, DEFAULT_PORT),
        };
        if host == "*" {
            return Ok(ListenAddress::Everywhere { port });
        }
        let bare = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let is_right = match bare {
            Some(bare) => bare.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && !host.contains([':', '[', ']', '/', '*', ' ']),
        };
        match is_right {
            true => Ok(ListenAddress::Host(format!("{host}:{port}"))),
            false => Err(ListenAddressError("the host")),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListenAddress::Host(text) => f.write_str(text),
            ListenAddress::Everywhere { port } => write!(f, "*:{port}"),
            ListenAddress::Unix { folder, port: None } => write!(f, "{}", folder.display()),
            ListenAddress::Unix {
                folder,
                port: Some(port),
            } => write!(f, "{}:{port}", folder.display()),
        }
    }
}

/// The addresses of `--listen`, else of the table, else the one by default; and how they are
/// listened on.
pub(super) fn read(
    file: &File<'_>,
    table: Option<Section<'_>>,
    typed: &[String],
) -> (Vec<ListenAddress>, Sockets) {
    let mut found = Vec::new();
    let mut sockets = Sockets::default();
    if let Some(table) = table {
        for text in table.texts("listen").unwrap_or_default() {
            match text.value.parse() {
                Ok(address) if found.contains(&address) => file.wrong(&text, "is there twice"),
                Ok(address) => found.push(address),
                Err(error) => file.wrong(&text, error),
            }
        }
        let mode = table.text("unix_socket_mode");
        let mode = mode.and_then(|text| self::mode(file, &text));
        sockets.unix_mode = mode.unwrap_or(sockets.unix_mode);
        let reuse_port = table.boolean("reuse_port");
        sockets.reuse_port = reuse_port.is_some_and(|on| on.value);
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
        found.push(ListenAddress::Host(DEFAULT.to_owned()));
    }
    (found, sockets)
}

/// Permissions as `chmod` takes them: octal digits.
fn mode(file: &File<'_>, text: &At<&str>) -> Option<u32> {
    let mode = u32::from_str_radix(text.value, 8).ok();
    let mode = mode.filter(|mode| *mode <= 0o777);
    if mode.is_none() {
        file.wrong(
            text,
            "takes permissions in octal, from \"0000\" to \"0777\"",
        );
    }
    mode
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_printed_as_they_are_read() {
        for (text, printed) in [
            ("0.0.0.0:6432", "0.0.0.0:6432"),
            ("db.example.com", "db.example.com:6432"),
            ("[::1]:7", "[::1]:7"),
            ("[::]", "[::]:6432"),
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("*", "*:6432"),
            ("*:7", "*:7"),
            ("/run/pgflit", "/run/pgflit"),
            ("/run/pgflit:7", "/run/pgflit:7"),
            ("/run/a:b", "/run/a:b"),
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
            "**:1",
            "run/pgflit",
            "/run:0",
            "/run:65536",
            "/run:",
        ] {
            assert!(text.parse::<ListenAddress>().is_err(), "{text}");
        }
        let long = format!("/{}", "x".repeat(FOLDER_BYTES_MAX));
        assert!(long.parse::<ListenAddress>().is_err());
    }
}
