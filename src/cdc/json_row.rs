//! The lines that nearly all of a JSON segment are: rows, begins and commits, written without the
//! detour over all the keys that a line may have. They are as `json_line` describes them.

use crate::base::Lsn;

use super::change::{Begin, Commit, Operation, RowChange, Value};
use super::json_line::write_json;

/// Appends `row` without its line feed.
pub(super) fn write_row(row: &RowChange, line: &mut Vec<u8>) {
    line.extend_from_slice(match row.operation {
        Operation::Insert => br#"{"action":"I""#,
        Operation::Update => br#"{"action":"U""#,
        Operation::Delete => br#"{"action":"D""#,
    });
    number(b",\"xid\":", row.xid, line);
    lsn(b",\"lsn\":\"", row.lsn, line);
    number(b",\"rel\":", row.rel, line);
    values(b",\"old\":[", row.old.as_deref(), line);
    values(b",\"new\":[", row.new.as_deref(), line);
    line.push(b'}');
}

/// Appends `begin` without its line feed.
pub(super) fn write_begin(begin: &Begin, line: &mut Vec<u8>) {
    line.extend_from_slice(br#"{"action":"B""#);
    number(b",\"xid\":", begin.xid, line);
    lsn(b",\"lsn\":\"", begin.lsn, line);
    if let Some(commit_lsn) = begin.commit_lsn {
        lsn(b",\"commit_lsn\":\"", commit_lsn, line);
    }
    timestamp(begin.timestamp.as_deref(), line);
    line.push(b'}');
}

/// Appends `commit` without its line feed.
pub(super) fn write_commit(commit: &Commit, line: &mut Vec<u8>) {
    line.extend_from_slice(br#"{"action":"C""#);
    number(b",\"xid\":", commit.xid, line);
    lsn(b",\"lsn\":\"", commit.lsn, line);
    timestamp(commit.timestamp.as_deref(), line);
    line.push(b'}');
}

fn number(key: &[u8], number: u32, line: &mut Vec<u8>) {
    line.extend_from_slice(key);
    write_json(&number, line);
}

fn lsn(key: &[u8], lsn: Lsn, line: &mut Vec<u8>) {
    line.extend_from_slice(key);
    hexadecimal(lsn.as_u64() >> 32, line);
    line.push(b'/');
    hexadecimal(lsn.as_u64() & 0xFFFF_FFFF, line);
    line.push(b'"');
}

fn hexadecimal(number: u64, line: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digits = (u64::BITS - number.leading_zeros()).div_ceil(4).max(1);
    for place in (0..digits).rev() {
        line.push(DIGITS[(number >> (4 * place)) as usize & 0xf]);
    }
}

fn timestamp(timestamp: Option<&str>, line: &mut Vec<u8>) {
    if let Some(timestamp) = timestamp {
        line.extend_from_slice(b",\"timestamp\":");
        text(timestamp, line);
    }
}

fn values(key: &[u8], values: Option<&[Value]>, line: &mut Vec<u8>) {
    let Some(values) = values else {
        return;
    };
    line.extend_from_slice(key);
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            line.push(b',');
        }
        match value {
            Value::Null => line.extend_from_slice(b"null"),
            Value::Text(value) => text(value, line),
            Value::Unchanged | Value::Bytes(_) => write_json(value, line),
        }
    }
    line.push(b']');
}

fn text(text: &str, line: &mut Vec<u8>) {
    let is_special = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    // The whole of it, so that several bytes are looked at in one step.
    let is_plain = !text
        .bytes()
        .fold(false, |special, byte| special | is_special(byte));
    if !is_plain {
        return write_json(text, line);
    }
    line.reserve(text.len() + 2);
    line.push(b'"');
    line.extend_from_slice(text.as_bytes());
    line.push(b'"');
}
