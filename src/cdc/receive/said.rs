//! What plugins say that know tables and columns by their names: test_decoding and wal2json.

use crate::base::{Lsn, QualifiedName};
use crate::cdc::change::{Operation, Value};

/// A message that is not what the plugin sends.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotUnderstood {
    /// It is not what the plugin writes.
    #[error("byte {at}: {problem}")]
    Malformed {
        /// The byte of the message.
        at: usize,
        /// What is wrong there.
        problem: String,
    },
    /// It has several meanings.
    #[error(
        "of the columns {columns} of {table}, {specials} are NaN or infinite and the others null, and it does not say which"
    )]
    Ambiguous {
        /// Of which table.
        table: QualifiedName,
        /// The columns that are null in the message.
        columns: String,
        /// How many of them are not null.
        specials: usize,
    },
}

/// One message of such a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// A transaction begins.
    Begin {
        xid: u32,
        /// Where its commit record starts, if the plugin says so.
        commit_lsn: Option<Lsn>,
        timestamp: Option<String>,
    },
    /// It is committed. Where its commit record ends is where the message stands.
    Commit { xid: u32, timestamp: Option<String> },
    /// A row changed.
    Row {
        table: QualifiedName,
        operation: Operation,
        old: Option<Vec<Cell>>,
        new: Option<Vec<Cell>>,
    },
    /// Tables were emptied; all that one statement reached, or some of them, others to follow.
    Truncate {
        tables: Vec<QualifiedName>,
        cascade: bool,
        restart_identity: bool,
    },
    /// A logical message.
    Message {
        transactional: bool,
        prefix: String,
        content: Value,
    },
}

/// A column's value, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) name: String,
    pub(super) type_is: TypeIs,
    pub(super) value: Value,
}

/// How the plugin tells a column's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TypeIs {
    /// As `format_type` writes it, without modifiers.
    Named(String),
    /// By its OID on the source.
    Oid(u32),
}

/// UTF-8 is text; anything else, from a source whose encoding is SQL_ASCII, stays bytes.
pub(super) fn value_of(bytes: Vec<u8>) -> Value {
    match String::from_utf8(bytes) {
        Ok(text) => Value::Text(text),
        Err(error) => Value::Bytes(error.into_bytes()),
    }
}

/// `2026-11-21 03:09:04.8+00`, as servers print it in UTC, in the form of segments.
pub(super) fn timestamp_of(printed: &str) -> Option<String> {
    let at = printed.strip_suffix("+00")?;
    let (seconds, fraction) = at.split_once('.').unwrap_or((at, ""));
    let plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b' ');
    let is_plain = seconds.bytes().all(plain) && fraction.bytes().all(|b| b.is_ascii_digit());
    (is_plain && seconds.len() == 19 && fraction.len() <= 6)
        .then(|| format!("{seconds}.{fraction:0<6}+0000"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_get_the_form_of_segments() {
        for (printed, expected) in [
            (
                "2026-11-21 03:09:04.8707+00",
                "2026-11-21 03:09:04.870700+0000",
            ),
            ("2026-11-21 03:09:04+00", "2026-11-21 03:09:04.000000+0000"),
        ] {
            assert_eq!(timestamp_of(printed).as_deref(), Some(expected));
        }
        for other in [
            "",
            "2026-11-21 03:09:04+01",
            "2026-11-21 03:09:04",
            "infinity",
            "x+00",
        ] {
            assert_eq!(timestamp_of(other), None, "{other}");
        }
    }
}
