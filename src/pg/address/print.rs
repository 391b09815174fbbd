//! An [`Address`] written down again: for people, for child processes.

use std::fmt;

use super::keyword::{KEYWORDS, Settings};
use super::resolve::Address;
use super::uri::encode;

/// Keywords whose values are never shown.
const SECRET: [&str; 2] = ["password", "sslpassword"];

impl Address {
    /// The whole address as a URI, **password included**: for child processes, by environment.
    ///
    /// Read again where no `PG*` variables say otherwise, it is the same address.
    pub fn to_uri(&self) -> String {
        uri(&self.settings.0, true)
    }

    /// The `PG*` variables that give libpq this address, **PGPASSWORD included**.
    ///
    /// Remove those of [`Address::libpq_variables`] from the child's environment first. Options
    /// without a variable (`keepalives…`, `tcp_user_timeout`, `sslpassword`) cannot be handed on
    /// this way; a child that needs them takes the address's [`fmt::Display`] as its `--dbname`.
    pub fn libpq_env(&self) -> Vec<(String, String)> {
        let mut variables = Vec::new();
        for keyword in &KEYWORDS {
            let value = self.settings.0.get(keyword.name);
            if let (Some(variable), Some(value)) = (keyword.variable, value) {
                variables.push((variable.to_owned(), value.clone()));
            }
        }
        if !self.settings.0.contains_key("application_name") {
            variables.push(("PGAPPNAME".to_owned(), "pgflit".to_owned()));
        }
        variables
    }

    /// Every variable that libpq takes an address's options from.
    pub fn libpq_variables() -> impl Iterator<Item = &'static str> {
        KEYWORDS
            .iter()
            .filter_map(|keyword| keyword.variable)
            .chain(["PGSERVICEFILE", "PGREQUIRESSL"])
    }
}

/// A URI without passwords.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&uri(&self.settings.0, false))
    }
}

fn uri(settings: &Settings, with_secrets: bool) -> String {
    let get = |keyword: &str| settings.get(keyword).map_or("", String::as_str);
    let shown = |keyword: &str| with_secrets || !SECRET.contains(&keyword);
    let mut uri = format!("postgresql://{}", encode(get("user")));
    if shown("password") && !get("password").is_empty() {
        uri.push(':');
        uri.push_str(&encode(get("password")));
    }
    uri.push('@');
    // A single named server reads best before the slash; lists and sockets as parameters.
    let authority = authority(get("host"), get("port"));
    uri.push_str(authority.as_deref().unwrap_or_default());
    uri.push('/');
    uri.push_str(&encode(get("dbname")));
    let mut separator = '?';
    for (keyword, value) in settings {
        let placed = matches!(*keyword, "user" | "dbname")
            || (*keyword == "password" && !value.is_empty())
            || (authority.is_some() && matches!(*keyword, "host" | "port"));
        if placed || !shown(keyword) {
            continue;
        }
        uri.push_str(&format!("{separator}{keyword}={}", encode(value)));
        separator = '&';
    }
    uri
}

/// `host:port` if that says the same as the two values.
fn authority(host: &str, port: &str) -> Option<String> {
    let name = match host {
        "" => return None,
        ipv6 if ipv6.parse::<std::net::Ipv6Addr>().is_ok() => format!("[{ipv6}]"),
        name if encode(name) == name => name.to_owned(),
        _ => return None,
    };
    match port {
        "" => Some(name),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(format!("{name}:{digits}"))
        }
        _ => None,
    }
}
