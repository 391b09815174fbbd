//! The settings that every connection runs with, whatever the role's or database's defaults.

use super::error::Error;

/// A run-time parameter and its fixed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinnedSetting {
    /// The parameter.
    pub name: &'static str,
    /// Its value, as text.
    pub value: &'static str,
    /// Whether it may go into the startup packet. Poolers know only a few and refuse the others,
    /// so the rest is set by one batch after login.
    pub at_startup: bool,
}

const fn at_startup(name: &'static str, value: &'static str) -> PinnedSetting {
    PinnedSetting {
        name,
        value,
        at_startup: true,
    }
}

const fn after_login(name: &'static str, value: &'static str) -> PinnedSetting {
    PinnedSetting {
        name,
        value,
        at_startup: false,
    }
}

/// Values print the same everywhere; nothing is cut short by a timeout meant for applications;
/// rows hidden by row security are an error, not missing; a database that is read-only by default,
/// as operators set for a target that waits, takes what we write; what is made stands where the
/// database's own tablespace is, unless it says otherwise.
///
/// The timeout is the first that is set, so that it does not cut the others short.
const PINNED: [PinnedSetting; 20] = [
    after_login("statement_timeout", "0"),
    at_startup("client_encoding", "UTF8"),
    at_startup("DateStyle", "ISO"),
    at_startup("TimeZone", "UTC"),
    at_startup("extra_float_digits", "3"),
    after_login("IntervalStyle", "postgres"),
    after_login("bytea_output", "hex"),
    after_login("standard_conforming_strings", "on"),
    after_login("array_nulls", "on"),
    after_login("xmloption", "content"),
    after_login("transform_null_equals", "off"),
    // A value of the type money is printed and read by it.
    after_login("lc_monetary", "C"),
    after_login("default_tablespace", ""),
    after_login("quote_all_identifiers", "off"),
    after_login("search_path", "pg_catalog"),
    after_login("lock_timeout", "0"),
    after_login("idle_in_transaction_session_timeout", "0"),
    after_login("row_security", "off"),
    after_login("default_transaction_read_only", "off"),
    after_login("default_transaction_isolation", "read committed"),
];

/// Parameters of newer servers, set to 0 where they exist: 14 and 17.
const NEWER_TIMEOUTS: &str = "'idle_session_timeout', 'transaction_timeout'";

/// All settings that a connection is pinned to, in the order they are set.
pub fn pinned_settings() -> &'static [PinnedSetting] {
    &PINNED
}

/// One batch that sets all of them, those of the startup packet included.
pub(super) fn batch() -> String {
    let mut sql = String::new();
    for setting in pinned_settings() {
        sql.push_str(&format!("SET {} = '{}'; ", setting.name, setting.value));
    }
    sql.push_str(&format!(
        "SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings \
         WHERE name IN ({NEWER_TIMEOUTS})"
    ));
    sql
}

/// The name that a connection shows in `pg_stat_activity`: the operator's own, if there is one,
/// then what pgflit does with it.
pub(super) fn application_name(own: Option<&str>, purpose: &str) -> String {
    match own {
        Some(own) => format!("{own} pgflit: {purpose}"),
        None => format!("pgflit: {purpose}"),
    }
}

/// How often the batch is sent to a server whose default `statement_timeout` ends it before it has
/// set another.
const ATTEMPTS: u32 = 20;

/// Whether to send the batch again after `error`, the answer to this attempt, counted from 1.
pub(super) fn is_to_be_sent_again(error: &Error, attempt: u32) -> bool {
    attempt < ATTEMPTS && error.sqlstate() == Some("57014")
}
