//! What the source says happened, whatever output plugin said it.

use serde::{Deserialize, Serialize};

use crate::base::Lsn;
use crate::segment::{Crc32, SegmentName};

/// One event of the stream; one line of a JSON segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// `R`: what a relation looks like from here on.
    Relation(Relation),
    /// `B`: a transaction begins.
    Begin(Begin),
    /// `I`, `U`, `D`: one row changed.
    Row(RowChange),
    /// `T`: relations were emptied.
    Truncate(Truncate),
    /// `M`: a logical message; kept, not applied.
    Message(Message),
    /// `C`: the transaction that began last is committed.
    Commit(Commit),
    /// `K`: nothing happened up to this position, outside any transaction.
    Keepalive(Position),
    /// `X`: the segment ends here; the next holds what follows.
    Switch(Switch),
    /// `E`: the position that was asked for as the end is reached.
    Endpos(Position),
}

/// A position and when the source was there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The position.
    pub lsn: Lsn,
    /// The source's clock, see [`super::timestamp`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
}

/// The end of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// Where what follows stands.
    pub lsn: Lsn,
    /// The segment that holds it; older segments do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<SegmentName>,
    /// The checksum of all bytes of this file before this line. None in a pipe, in older segments,
    /// and where somebody has edited the file on purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc32: Option<Crc32>,
}

/// A relation as the stream describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The number rows refer to it by: its OID on the source where the plugin says it.
    pub rel: u32,
    /// Its Postgres namespace.
    pub schema: String,
    /// Its name.
    pub table: String,
    /// The columns of its rows, in the order of [`RowChange::new`] and [`RowChange::old`].
    pub columns: Vec<Column>,
    /// What identifies a row in updates and deletes.
    pub identity: Identity,
}

/// A column of a [`Relation`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The name of its type; with its schema when not in `pg_catalog`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// What its type is limited to, as `pg_attribute.atttypmod` has it: length, precision and
    /// scale; [`UNLIMITED`] for nothing, [`OF_DOMAIN`] for what a domain says.
    #[serde(default = "unlimited", skip_serializing_if = "is_unlimited")]
    pub modifier: i32,
    /// Whether it is part of the replica identity.
    #[serde(default)]
    pub key: bool,
    /// Whether it is `GENERATED ALWAYS AS IDENTITY`, which an UPDATE may not set.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub identity_always: bool,
}

/// [`Column::modifier`] of a type without a limit.
pub const UNLIMITED: i32 = -1;
/// [`Column::modifier`] of a domain that the plugin gives as the type under it, without its limit.
pub const OF_DOMAIN: i32 = -2;

fn unlimited() -> i32 {
    UNLIMITED
}

fn is_unlimited(modifier: &i32) -> bool {
    *modifier == UNLIMITED
}

/// A table's `REPLICA IDENTITY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Identity {
    /// The primary key.
    #[serde(rename = "d")]
    Default,
    /// None: updates and deletes are not decoded.
    #[serde(rename = "n")]
    Nothing,
    /// All columns; rows may be alike.
    #[serde(rename = "f")]
    Full,
    /// A named unique index.
    #[serde(rename = "i")]
    Index,
}

/// The beginning of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    /// Its top-level transaction id on the source.
    pub xid: u32,
    /// Where its first change stands.
    pub lsn: Lsn,
    /// Where its commit record *starts*, if the plugin gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_lsn: Option<Lsn>,
    /// When it committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
}

/// The end of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The transaction that began last.
    pub xid: u32,
    /// Just after its commit record.
    pub lsn: Lsn,
    /// When it committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
}

/// Which kind of row change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operation {
    /// A new row.
    #[serde(rename = "I")]
    Insert,
    /// A changed row.
    #[serde(rename = "U")]
    Update,
    /// A row gone.
    #[serde(rename = "D")]
    Delete,
}

impl Operation {
    /// The SQL command.
    pub fn command(self) -> &'static str {
        match self {
            Operation::Insert => "INSERT",
            Operation::Update => "UPDATE",
            Operation::Delete => "DELETE",
        }
    }
}

/// One row changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChange {
    /// What happened to it.
    pub operation: Operation,
    /// Of which transaction.
    pub xid: u32,
    /// Where; many rows may share it.
    pub lsn: Lsn,
    /// Of which relation: [`Relation::rel`].
    pub rel: u32,
    /// The identity before: always for a delete; for an update only when the plugin sent it.
    pub old: Option<Vec<Value>>,
    /// The row after: for an insert and an update.
    pub new: Option<Vec<Value>>,
}

/// A column's value, as Postgres writes it in text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A TOASTed value that the update did not touch, so the stream does not carry it.
    Unchanged,
    /// Valid UTF-8.
    Text(String),
    /// Bytes that are not UTF-8: from a source whose encoding is SQL_ASCII.
    Bytes(Vec<u8>),
}

impl Value {
    /// As Postgres writes it; none of NULL, and of what is not known.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Text(text) => Some(text.as_bytes()),
            Value::Bytes(bytes) => Some(bytes),
            Value::Null | Value::Unchanged => None,
        }
    }

    /// What it takes to hold, besides the value itself.
    pub fn byte_count(&self) -> usize {
        match self {
            Value::Null | Value::Unchanged => 0,
            Value::Text(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
        }
    }
}

/// Relations were emptied by one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truncate {
    /// Of which transaction.
    pub xid: u32,
    /// Where.
    pub lsn: Lsn,
    /// All relations it named or reached.
    pub rels: Vec<u32>,
    /// `CASCADE` was given.
    pub cascade: bool,
    /// `RESTART IDENTITY` was given.
    pub restart_identity: bool,
}

/// A message written by `pg_logical_emit_message`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Of which transaction; none if not transactional.
    pub xid: Option<u32>,
    /// Where.
    pub lsn: Lsn,
    /// Who it is for.
    pub prefix: String,
    /// Whether it stands inside a transaction.
    pub transactional: bool,
    /// What it says.
    pub content: Value,
}
