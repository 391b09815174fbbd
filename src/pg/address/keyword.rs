//! Every connection option of libpq 17, and its environment variable.

use std::collections::BTreeMap;

use super::error::AddressError;

/// A connection option: its word, and the variable that sets it where the string does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyword {
    /// As written in connection strings.
    pub name: &'static str,
    /// As written in the environment, if there is one.
    pub variable: Option<&'static str>,
}

/// Values by keyword. An empty value counts as given: it keeps later places from being asked.
pub type Settings = BTreeMap<&'static str, String>;

const fn both(name: &'static str, variable: &'static str) -> Keyword {
    Keyword {
        name,
        variable: Some(variable),
    }
}

const fn word(name: &'static str) -> Keyword {
    Keyword {
        name,
        variable: None,
    }
}

/// All of them, after `PQconninfoOptions` of PostgreSQL's `src/interfaces/libpq/fe-connect.c`.
pub const KEYWORDS: [Keyword; 41] = [
    both("service", "PGSERVICE"),
    both("user", "PGUSER"),
    both("password", "PGPASSWORD"),
    both("passfile", "PGPASSFILE"),
    both("channel_binding", "PGCHANNELBINDING"),
    both("connect_timeout", "PGCONNECT_TIMEOUT"),
    both("dbname", "PGDATABASE"),
    both("host", "PGHOST"),
    both("hostaddr", "PGHOSTADDR"),
    both("port", "PGPORT"),
    both("client_encoding", "PGCLIENTENCODING"),
    both("options", "PGOPTIONS"),
    both("application_name", "PGAPPNAME"),
    word("fallback_application_name"),
    word("keepalives"),
    word("keepalives_idle"),
    word("keepalives_interval"),
    word("keepalives_count"),
    word("tcp_user_timeout"),
    both("sslmode", "PGSSLMODE"),
    both("sslnegotiation", "PGSSLNEGOTIATION"),
    both("sslcompression", "PGSSLCOMPRESSION"),
    both("sslcert", "PGSSLCERT"),
    both("sslkey", "PGSSLKEY"),
    both("sslcertmode", "PGSSLCERTMODE"),
    word("sslpassword"),
    both("sslrootcert", "PGSSLROOTCERT"),
    both("sslcrl", "PGSSLCRL"),
    both("sslcrldir", "PGSSLCRLDIR"),
    both("sslsni", "PGSSLSNI"),
    both("requirepeer", "PGREQUIREPEER"),
    both("require_auth", "PGREQUIREAUTH"),
    both("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    both("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    both("gssencmode", "PGGSSENCMODE"),
    both("krbsrvname", "PGKRBSRVNAME"),
    both("gsslib", "PGGSSLIB"),
    both("gssdelegation", "PGGSSDELEGATION"),
    word("replication"),
    both("target_session_attrs", "PGTARGETSESSIONATTRS"),
    both("load_balance_hosts", "PGLOADBALANCEHOSTS"),
];

/// The option of that name, or an error that names the nearest one.
pub fn find(name: &str) -> Result<Keyword, AddressError> {
    let known = KEYWORDS.iter().find(|keyword| keyword.name == name);
    known.copied().ok_or_else(|| AddressError::UnknownKeyword {
        keyword: name.to_owned(),
        nearest: nearest(name),
    })
}

/// Keeps `value` for the option of that name; a later one wins, as in libpq.
///
/// Also knows `requiressl`, which is no option any more: 1 is `sslmode=require`.
pub fn store(settings: &mut Settings, name: &str, value: String) -> Result<(), AddressError> {
    if name == "requiressl" {
        let mode = if value == "1" { "require" } else { "prefer" };
        settings.insert("sslmode", mode.to_owned());
        return Ok(());
    }
    settings.insert(find(name)?.name, value);
    Ok(())
}

fn nearest(name: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    KEYWORDS
        .iter()
        .map(|keyword| keyword.name)
        .min_by_key(|known| edits_between(&name, known))
        .unwrap_or("host")
}

/// Insertions, deletions and replacements that turn `one` into `other`.
fn edits_between(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, left) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, right) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_word_gets_the_nearest_one() {
        for (wrong, right) in [
            ("hots", "host"),
            ("ssl_mode", "sslmode"),
            ("pasword", "password"),
            ("HOST", "host"),
        ] {
            let error = find(wrong).map(|_| ()).expect_err("an unknown word");
            let AddressError::UnknownKeyword { nearest, .. } = error else {
                unreachable!("{error}");
            };
            assert_eq!(nearest, right);
        }
    }
}
