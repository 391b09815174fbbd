//! PostgreSQL's own output plugin, protocol versions 1 to 4.
//!
//! From version 2 on the source may send a transaction while it is in progress: in blocks, each
//! framed by a [`StreamMessage`], and every piece in them with the xid of its subtransaction. Such
//! pieces are decoded when the transaction is committed ([`Decoder::decode_streamed`]); until then
//! only the frames are read.
//!
//! Source of the formats: "Logical Replication Message Formats" in PostgreSQL's documentation,
//! `src/backend/replication/logical/proto.c`.

use std::collections::{HashMap, HashSet};

use tokio_postgres::types::Type;

use crate::base::Lsn;
use crate::cdc::change::{
    Begin, Column, Commit, Event, Identity, Message, OF_DOMAIN, Operation, Relation, RowChange,
    Truncate, UNLIMITED, Value,
};
use crate::cdc::timestamp::format_postgres_micros;

/// A message that is not what pgoutput sends.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// It ends before it should.
    #[error("a pgoutput \"{0}\" message is cut short")]
    Short(char),
    /// A kind this version does not ask for.
    #[error("an unknown pgoutput message \"{0}\"")]
    Unknown(char),
    /// A field that cannot be so.
    #[error("a pgoutput \"{kind}\" message with {what}")]
    Field {
        /// Of which message.
        kind: char,
        /// What is wrong.
        what: String,
    },
}

/// What frames the pieces of a transaction that is sent while it is in progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StreamMessage {
    /// A block of pieces of the transaction `xid` begins.
    Start {
        /// The top-level transaction.
        xid: u32,
        /// Whether it is the first of that transaction.
        is_first: bool,
    },
    /// The block ends.
    Stop,
    /// The transaction is committed.
    Commit(StreamCommit),
    /// The subtransaction is aborted; when both are the same, all of it is.
    Abort {
        /// The top-level transaction.
        xid: u32,
        /// The subtransaction.
        subxid: u32,
    },
}

/// The end of a streamed transaction: what `B` and `C` say of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StreamCommit {
    /// The top-level transaction.
    pub(super) xid: u32,
    /// Where its commit record starts.
    pub(super) commit_lsn: Lsn,
    /// Just after its commit record.
    pub(super) lsn: Lsn,
    /// When it committed.
    pub(super) timestamp: String,
}

/// Columns that are `GENERATED ALWAYS AS IDENTITY`: relation OID and column name.
pub(super) type IdentityAlways = HashSet<(u32, String)>;

/// Keeps what earlier messages said about types and the open transaction.
#[derive(Debug)]
pub(super) struct Decoder {
    types: HashMap<u32, String>,
    identity_always: IdentityAlways,
    xid: u32,
}

impl Decoder {
    pub(super) fn new(identity_always: IdentityAlways) -> Self {
        Self {
            types: HashMap::new(),
            identity_always,
            xid: 0,
        }
    }

    /// The event that the message `body`, sent for the WAL at `lsn`, says; none for those that
    /// only describe types and origins.
    pub(super) fn decode(&mut self, lsn: Lsn, body: &[u8]) -> Result<Option<Event>, DecodeError> {
        let mut fields = Fields::of(body)?;
        match fields.kind {
            'B' => Ok(Some(self.begin(lsn, &mut fields)?)),
            'C' => Ok(Some(self.commit(&mut fields)?)),
            _ => self.piece(lsn, &mut fields),
        }
    }

    /// The frame that `body` is, if it is one.
    pub(super) fn stream_message(&self, body: &[u8]) -> Result<Option<StreamMessage>, DecodeError> {
        let mut fields = Fields::of(body)?;
        Ok(Some(match fields.kind {
            'S' => StreamMessage::Start {
                xid: fields.u32()?,
                is_first: fields.u8()? == 1,
            },
            'E' => StreamMessage::Stop,
            'c' => {
                let xid = fields.u32()?;
                let _flags = fields.u8()?;
                StreamMessage::Commit(StreamCommit {
                    xid,
                    commit_lsn: fields.lsn()?,
                    lsn: fields.lsn()?,
                    timestamp: format_postgres_micros(fields.i64()?),
                })
            }
            'A' => StreamMessage::Abort {
                xid: fields.u32()?,
                subxid: fields.u32()?,
            },
            _ => return Ok(None),
        }))
    }

    /// The subtransaction of `body`, a piece in a block; none for what may be left out there.
    pub(super) fn subtransaction(&self, body: &[u8]) -> Result<Option<u32>, DecodeError> {
        let mut fields = Fields::of(body)?;
        match fields.kind {
            'R' | 'I' | 'U' | 'D' | 'T' | 'M' | 'Y' => Ok(Some(fields.u32()?)),
            'O' => Ok(None),
            other => Err(DecodeError::Unknown(other)),
        }
    }

    /// As [`Decoder::decode`], for a piece of a block of the transaction `xid`, which is committed.
    pub(super) fn decode_streamed(
        &mut self,
        xid: u32,
        lsn: Lsn,
        body: &[u8],
    ) -> Result<Option<Event>, DecodeError> {
        let mut fields = Fields::of(body)?;
        let _subtransaction = fields.u32()?;
        self.xid = xid;
        self.piece(lsn, &mut fields)
    }

    /// What stands between the beginning and the end of a transaction.
    fn piece(&mut self, lsn: Lsn, fields: &mut Fields<'_>) -> Result<Option<Event>, DecodeError> {
        let event = match fields.kind {
            'R' => self.relation(fields)?,
            'I' => {
                let rel = fields.u32()?;
                fields.expect(b'N')?;
                let new = Some(fields.tuple()?);
                self.row(Operation::Insert, lsn, rel, None, new)
            }
            'U' => self.update(lsn, fields)?,
            'D' => {
                let rel = fields.u32()?;
                match fields.u8()? {
                    b'K' | b'O' => {}
                    other => return Err(fields.wrong(format!("a tuple of kind {other}"))),
                }
                let old = Some(fields.tuple()?);
                self.row(Operation::Delete, lsn, rel, old, None)
            }
            'T' => self.truncate(lsn, fields)?,
            'M' => self.message(fields)?,
            'Y' => {
                let oid = fields.u32()?;
                let (schema, name) = (fields.string()?, fields.string()?);
                // Of a domain it says the type under it, and no schema where that is pg_catalog.
                let name = match schema.is_empty() {
                    true => name,
                    false => format!("{schema}.{name}"),
                };
                self.types.insert(oid, name);
                return Ok(None);
            }
            'O' => return Ok(None),
            other => return Err(DecodeError::Unknown(other)),
        };
        Ok(Some(event))
    }

    fn begin(&mut self, lsn: Lsn, fields: &mut Fields<'_>) -> Result<Event, DecodeError> {
        let commit_lsn = fields.lsn()?;
        let at = fields.i64()?;
        self.xid = fields.u32()?;
        Ok(Event::Begin(Begin {
            xid: self.xid,
            lsn,
            commit_lsn: Some(commit_lsn),
            timestamp: Some(format_postgres_micros(at)),
        }))
    }

    fn commit(&mut self, fields: &mut Fields<'_>) -> Result<Event, DecodeError> {
        let _flags = fields.u8()?;
        let _commit_lsn = fields.lsn()?;
        let lsn = fields.lsn()?;
        let at = fields.i64()?;
        Ok(Event::Commit(Commit {
            xid: self.xid,
            lsn,
            timestamp: Some(format_postgres_micros(at)),
        }))
    }

    fn relation(&mut self, fields: &mut Fields<'_>) -> Result<Event, DecodeError> {
        let rel = fields.u32()?;
        let schema = match fields.string()? {
            schema if schema.is_empty() => "pg_catalog".to_owned(),
            schema => schema,
        };
        let table = fields.string()?;
        let identity = match fields.u8()? {
            b'd' => Identity::Default,
            b'n' => Identity::Nothing,
            b'f' => Identity::Full,
            b'i' => Identity::Index,
            other => return Err(fields.wrong(format!("replica identity {other}"))),
        };
        let mut columns = Vec::new();
        for _ in 0..fields.u16()? {
            let key = fields.u8()? & 1 != 0;
            let name = fields.string()?;
            let type_oid = fields.u32()?;
            let modifier = match (fields.i32()?, self.types.get(&type_oid)) {
                (UNLIMITED, Some(built_in)) if !built_in.contains('.') => OF_DOMAIN,
                (modifier, _) => modifier,
            };
            columns.push(Column {
                identity_always: self.identity_always.contains(&(rel, name.clone())),
                name,
                type_name: self.type_name(type_oid),
                modifier,
                key,
            });
        }
        Ok(Event::Relation(Relation {
            rel,
            schema,
            table,
            columns,
            identity,
        }))
    }

    fn type_name(&self, oid: u32) -> String {
        match (self.types.get(&oid), Type::from_oid(oid)) {
            (Some(name), _) => name.clone(),
            (None, Some(built_in)) => built_in.name().to_owned(),
            (None, None) => format!("oid {oid}"),
        }
    }

    fn row(
        &self,
        operation: Operation,
        lsn: Lsn,
        rel: u32,
        old: Option<Vec<Value>>,
        new: Option<Vec<Value>>,
    ) -> Event {
        Event::Row(RowChange {
            operation,
            xid: self.xid,
            lsn,
            rel,
            old,
            new,
        })
    }

    fn update(&self, lsn: Lsn, fields: &mut Fields<'_>) -> Result<Event, DecodeError> {
        let rel = fields.u32()?;
        let mut kind = fields.u8()?;
        let mut old = None;
        if matches!(kind, b'K' | b'O') {
            old = Some(fields.tuple()?);
            kind = fields.u8()?;
        }
        if kind != b'N' {
            return Err(fields.wrong(format!("a tuple of kind {kind}")));
        }
        let new = Some(fields.tuple()?);
        Ok(self.row(Operation::Update, lsn, rel, old, new))
    }

    fn truncate(&self, lsn: Lsn, fields: &mut Fields<'_>) -> Result<Event, DecodeError> {
        let count = fields.u32()?;
        let options = fields.u8()?;
        let rels = (0..count).map(|_| fields.u32());
        Ok(Event::Truncate(Truncate {
            xid: self.xid,
            lsn,
            rels: rels.collect::<Result<_, _>>()?,
            cascade: options & 1 != 0,
            restart_identity: options & 2 != 0,
        }))
    }

    fn message(&self, fields: &mut Fields<'_>) -> Result<Event, DecodeError> {
        let transactional = fields.u8()? & 1 != 0;
        let lsn = fields.lsn()?;
        let prefix = fields.string()?;
        let length = fields.u32()? as usize;
        Ok(Event::Message(Message {
            xid: transactional.then_some(self.xid),
            lsn,
            prefix,
            transactional,
            content: value_of(fields.bytes(length)?.to_vec()),
        }))
    }
}

fn value_of(bytes: Vec<u8>) -> Value {
    match String::from_utf8(bytes) {
        Ok(text) => Value::Text(text),
        Err(error) => Value::Bytes(error.into_bytes()),
    }
}

/// What is left of a message.
struct Fields<'a> {
    kind: char,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn of(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (kind, rest) = body.split_first().ok_or(DecodeError::Short('?'))?;
        Ok(Self {
            kind: char::from(*kind),
            rest,
        })
    }

    fn wrong(&self, what: String) -> DecodeError {
        DecodeError::Field {
            kind: self.kind,
            what,
        }
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let split = self.rest.split_at_checked(length);
        let (bytes, rest) = split.ok_or(DecodeError::Short(self.kind))?;
        self.rest = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let bytes = self.bytes(N)?;
        bytes.try_into().map_err(|_| DecodeError::Short(self.kind))
    }

    fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    fn i32(&mut self) -> Result<i32, DecodeError> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    fn i64(&mut self) -> Result<i64, DecodeError> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    fn lsn(&mut self) -> Result<Lsn, DecodeError> {
        Ok(Lsn::new(u64::from_be_bytes(self.array()?)))
    }

    fn expect(&mut self, byte: u8) -> Result<(), DecodeError> {
        match self.u8()? {
            found if found == byte => Ok(()),
            found => Err(self.wrong(format!("a tuple of kind {found}"))),
        }
    }

    fn string(&mut self) -> Result<String, DecodeError> {
        let end = self.rest.iter().position(|byte| *byte == 0);
        let end = end.ok_or(DecodeError::Short(self.kind))?;
        let text = std::str::from_utf8(&self.rest[..end]);
        let text = text.map_err(|_| self.wrong("a name that is not UTF-8".into()))?;
        self.rest = &self.rest[end + 1..];
        Ok(text.to_owned())
    }

    fn tuple(&mut self) -> Result<Vec<Value>, DecodeError> {
        let count = self.u16()?;
        let mut values = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            values.push(match self.u8()? {
                b'n' => Value::Null,
                b'u' => Value::Unchanged,
                b't' => {
                    let length = self.u32()? as usize;
                    value_of(self.bytes(length)?.to_vec())
                }
                other => return Err(self.wrong(format!("a value of kind {other}"))),
            });
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn hostile_messages_give_errors(kind in prop::sample::select(b"BCRIUDTMYOSEcA?".to_vec()), rest: Vec<u8>) {
            let mut body = vec![kind];
            body.extend(rest);
            let mut decoder = Decoder::new(IdentityAlways::new());
            let _ = decoder.decode(Lsn::ZERO, &body);
            let _ = decoder.decode_streamed(1, Lsn::ZERO, &body);
            let _ = decoder.stream_message(&body);
            let _ = decoder.subtransaction(&body);
        }
    }

    #[test]
    fn a_key_update_has_old_and_new() {
        let mut body = vec![b'U'];
        body.extend(7u32.to_be_bytes());
        for (kind, value) in [(b'K', b"1"), (b'N', b"2")] {
            body.push(kind);
            body.extend(2u16.to_be_bytes());
            body.push(b't');
            body.extend(1u32.to_be_bytes());
            body.extend(value);
            body.push(if kind == b'K' { b'n' } else { b'u' });
        }
        let event = Decoder::new(IdentityAlways::new()).decode(Lsn::new(9), &body);
        let Ok(Some(Event::Row(row))) = event else {
            panic!("{event:?}");
        };
        assert_eq!(row.old, Some(vec![Value::Text("1".into()), Value::Null]));
        assert_eq!(
            row.new,
            Some(vec![Value::Text("2".into()), Value::Unchanged])
        );
        assert_eq!((row.rel, row.lsn), (7, Lsn::new(9)));
    }
}
