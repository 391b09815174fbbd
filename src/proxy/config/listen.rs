//! Where clients connect: `[proxy]`.

use std::fmt;
use std::str::FromStr;

use super::reader::{File, Section};

/// The port where none is named: that of PgBouncer, so that a client's address need not change.
const DEFAULT_PORT: u16 = 6432;

/// Where the proxy listens unless told otherwise: nobody else's machine can connect by accident.
const DEFAULT: &str = "127.0.0.1:6432";

/// A name or IP address, and a port; port 0 for any that is free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress(String);

/// A text that is no address to listen at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is wrong: it takes host:port or [IPv6]:port")]
pub struct ListenAddressError(&'static str);

impl ListenAddress {
    /// `host:port`, as names are looked up by.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, ListenAddressError> {
        let (host, port) = match text.rsplit_once(':') {
            // The colons of an IPv6 address without a port.
            Some((_, rest)) if rest.ends_with(']') => (text, DEFAULT_PORT),
            Some((host, port)) => {
                let port = port.parse().map_err(|_| ListenAddressError("the port"))?;
                (host, port)
            }
            None => (text, DEFAULT_PORT),
        };
        let bare = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let is_right = match bare {
            Some(bare) => bare.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && !host.contains([':', '[', ']', '/', '*', ' ']),
        };
        match is_right {
            true => Ok(ListenAddress(format!("{host}:{port}"))),
            false => Err(ListenAddressError("the host")),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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
                Err(error) => file.wrong(&text, error),
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
        found.push(ListenAddress(DEFAULT.to_owned()));
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
            ("[::1]:7", "[::1]:7"),
            ("[::]", "[::]:6432"),
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
            "*:1",
            "/run",
        ] {
            assert!(text.parse::<ListenAddress>().is_err(), "{text}");
        }
    }
}
