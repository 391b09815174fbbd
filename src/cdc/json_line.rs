//! The lines of JSON segments: one object a line, the same shape whatever the output plugin.
//!
//! | action | keys besides `action` |
//! |---|---|
//! | `R` | `rel`, `schema`, `table`, `columns` of `{name,type,key}`, `identity` d/n/f/i |
//! | `B` | `xid`, `lsn`, `commit_lsn`, `timestamp` |
//! | `I` `U` `D` | `xid`, `lsn`, `rel`, `old` and/or `new`: values by column position |
//! | `T` | `xid`, `lsn`, `rels`, `cascade`, `restart_identity` |
//! | `M` | `xid`, `lsn`, `prefix`, `transactional`, `content` |
//! | `C` | `xid`, `lsn`, `timestamp` |
//! | `K` `E` | `lsn`, `timestamp` |
//! | `X` | `lsn`, `next`, `crc32`: see [`Switch`] |
//!
//! A value is a JSON string, `null`, `{"unchanged":true}` or `{"base64":"…"}`. Unknown keys are
//! ignored, so that later versions may add some; an unknown action is an error.

use std::borrow::Cow;
use std::fmt;
use std::io::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::Lsn;
use crate::segment::{Crc32, SegmentName};

use super::change::{
    Begin, Column, Commit, Event, Identity, Message, Operation, Position, Relation, RowChange,
    Switch, Truncate, Value,
};
use super::json_row;

/// A line that is not what a JSON segment holds.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not JSON, or a key of the wrong shape.
    #[error("the line is not a change")]
    Json(#[from] serde_json::Error),
    /// A key that this action needs is missing.
    #[error("a \"{action}\" line without \"{key}\"")]
    Missing {
        /// The line's action.
        action: String,
        /// The key.
        key: &'static str,
    },
    /// An action this version does not know.
    #[error("a line with the unknown action \"{0}\"")]
    Action(String),
}

/// Appends `event` to `line` as one line, with its line feed.
pub fn write(event: &Event, line: &mut Vec<u8>) {
    match event {
        Event::Row(row) => json_row::write_row(row, line),
        Event::Begin(begin) => json_row::write_begin(begin, line),
        Event::Commit(commit) => json_row::write_commit(commit, line),
        _ => write_any(event, line),
    }
    line.push(b'\n');
}

fn write_any(event: &Event, line: &mut Vec<u8>) {
    let wire = Wire::from(event);
    // A Vec takes every write, and every key of `Wire` can be serialized.
    let written = serde_json::to_writer(&mut *line, &wire);
    debug_assert!(written.is_ok(), "{written:?}");
}

/// The event that `line` says.
pub fn read(line: &[u8]) -> Result<Event, Error> {
    serde_json::from_slice::<Wire<'_>>(line)?.try_into()
}

/// The position that a `C`, `K`, `E` or `X` line at a transaction boundary says; none for any
/// other. Cheap: only such lines are parsed.
pub fn boundary(line: &[u8]) -> Result<Option<Lsn>, Error> {
    let action = line
        .strip_prefix(br#"{"action":""#)
        .and_then(|rest| rest.first());
    if !matches!(action, Some(b'C' | b'K' | b'E')) {
        return Ok(None);
    }
    Ok(match read(line)? {
        Event::Commit(commit) => Some(commit.lsn),
        Event::Keepalive(at) | Event::Endpos(at) => Some(at.lsn),
        _ => None,
    })
}

/// Writes only what it is given.
#[derive(Default, Serialize, Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    xid: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lsn: Option<Lsn>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    commit_lsn: Option<Lsn>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamp: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rel: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schema: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    table: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    columns: Option<Cow<'a, [Column]>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity: Option<Identity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    old: Option<Cow<'a, [Value]>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    new: Option<Cow<'a, [Value]>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rels: Option<Cow<'a, [u32]>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cascade: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    restart_identity: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prefix: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transactional: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<SegmentName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crc32: Option<Crc32>,
}

impl<'a> From<&'a Event> for Wire<'a> {
    fn from(event: &'a Event) -> Self {
        let text = |text: &'a Option<String>| text.as_deref().map(Cow::Borrowed);
        let at = |action: &'static str, position: &'a Position| Wire {
            action: action.into(),
            lsn: Some(position.lsn),
            timestamp: text(&position.timestamp),
            ..Wire::default()
        };
        match event {
            Event::Relation(relation) => Wire {
                action: "R".into(),
                rel: Some(relation.rel),
                schema: Some(Cow::Borrowed(&relation.schema)),
                table: Some(Cow::Borrowed(&relation.table)),
                columns: Some(Cow::Borrowed(&relation.columns)),
                identity: Some(relation.identity),
                ..Wire::default()
            },
            Event::Begin(begin) => Wire {
                action: "B".into(),
                xid: Some(begin.xid),
                lsn: Some(begin.lsn),
                commit_lsn: begin.commit_lsn,
                timestamp: text(&begin.timestamp),
                ..Wire::default()
            },
            Event::Row(row) => Wire {
                action: match row.operation {
                    Operation::Insert => "I".into(),
                    Operation::Update => "U".into(),
                    Operation::Delete => "D".into(),
                },
                xid: Some(row.xid),
                lsn: Some(row.lsn),
                rel: Some(row.rel),
                old: row.old.as_deref().map(Cow::Borrowed),
                new: row.new.as_deref().map(Cow::Borrowed),
                ..Wire::default()
            },
            Event::Truncate(truncate) => Wire {
                action: "T".into(),
                xid: Some(truncate.xid),
                lsn: Some(truncate.lsn),
                rels: Some(Cow::Borrowed(&truncate.rels)),
                cascade: Some(truncate.cascade),
                restart_identity: Some(truncate.restart_identity),
                ..Wire::default()
            },
            Event::Message(message) => Wire {
                action: "M".into(),
                xid: message.xid,
                lsn: Some(message.lsn),
                prefix: Some(Cow::Borrowed(&message.prefix)),
                transactional: Some(message.transactional),
                content: Some(message.content.clone()),
                ..Wire::default()
            },
            Event::Commit(commit) => Wire {
                action: "C".into(),
                xid: Some(commit.xid),
                lsn: Some(commit.lsn),
                timestamp: text(&commit.timestamp),
                ..Wire::default()
            },
            Event::Keepalive(position) => at("K", position),
            Event::Switch(switch) => Wire {
                action: "X".into(),
                lsn: Some(switch.lsn),
                next: switch.next,
                crc32: switch.crc32,
                ..Wire::default()
            },
            Event::Endpos(position) => at("E", position),
        }
    }
}

impl TryFrom<Wire<'_>> for Event {
    type Error = Error;

    fn try_from(wire: Wire<'_>) -> Result<Self, Error> {
        let action = wire.action.into_owned();
        let missing = |key| Error::Missing {
            action: action.clone(),
            key,
        };
        let lsn = || wire.lsn.ok_or_else(|| missing("lsn"));
        let xid = || wire.xid.ok_or_else(|| missing("xid"));
        let timestamp = wire.timestamp.clone().map(Cow::into_owned);
        let position = || -> Result<Position, Error> {
            Ok(Position {
                lsn: lsn()?,
                timestamp: timestamp.clone(),
            })
        };
        Ok(match action.as_str() {
            "R" => Event::Relation(Relation {
                rel: wire.rel.ok_or_else(|| missing("rel"))?,
                schema: wire.schema.ok_or_else(|| missing("schema"))?.into_owned(),
                table: wire.table.ok_or_else(|| missing("table"))?.into_owned(),
                columns: wire.columns.ok_or_else(|| missing("columns"))?.into_owned(),
                identity: wire.identity.ok_or_else(|| missing("identity"))?,
            }),
            "B" => Event::Begin(Begin {
                xid: xid()?,
                lsn: lsn()?,
                commit_lsn: wire.commit_lsn,
                timestamp,
            }),
            "I" | "U" | "D" => {
                let operation = match action.as_str() {
                    "I" => Operation::Insert,
                    "U" => Operation::Update,
                    _ => Operation::Delete,
                };
                let (old, new) = (wire.old.map(Cow::into_owned), wire.new.map(Cow::into_owned));
                if operation != Operation::Delete && new.is_none() {
                    return Err(missing("new"));
                }
                if operation == Operation::Delete && old.is_none() {
                    return Err(missing("old"));
                }
                Event::Row(RowChange {
                    operation,
                    xid: wire.xid.ok_or_else(|| missing("xid"))?,
                    lsn: wire.lsn.ok_or_else(|| missing("lsn"))?,
                    rel: wire.rel.ok_or_else(|| missing("rel"))?,
                    old,
                    new,
                })
            }
            "T" => Event::Truncate(Truncate {
                xid: xid()?,
                lsn: lsn()?,
                rels: wire.rels.ok_or_else(|| missing("rels"))?.into_owned(),
                cascade: wire.cascade.unwrap_or(false),
                restart_identity: wire.restart_identity.unwrap_or(false),
            }),
            "M" => Event::Message(Message {
                xid: wire.xid,
                lsn: lsn()?,
                prefix: wire.prefix.ok_or_else(|| missing("prefix"))?.into_owned(),
                transactional: wire.transactional.unwrap_or(false),
                content: wire.content.ok_or_else(|| missing("content"))?,
            }),
            "C" => Event::Commit(Commit {
                xid: xid()?,
                lsn: lsn()?,
                timestamp,
            }),
            "K" => Event::Keepalive(position()?),
            "X" => Event::Switch(Switch {
                lsn: lsn()?,
                next: wire.next,
                crc32: wire.crc32,
            }),
            "E" => Event::Endpos(position()?),
            _ => return Err(Error::Action(action)),
        })
    }
}

#[derive(Serialize)]
struct Unchanged {
    unchanged: bool,
}

#[derive(Serialize)]
struct Bytes {
    base64: String,
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_none(),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Unchanged => Unchanged { unchanged: true }.serialize(serializer),
            Value::Bytes(bytes) => {
                let base64 = BASE64_STANDARD.encode(bytes);
                Bytes { base64 }.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"a string, null, {"unchanged":true} or {"base64":"…"}"#)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let key: Option<String> = map.next_key()?;
        let value = match key.as_deref() {
            Some("unchanged") if map.next_value::<bool>()? => Value::Unchanged,
            Some("base64") => {
                let text: String = map.next_value()?;
                Value::Bytes(BASE64_STANDARD.decode(text).map_err(de::Error::custom)?)
            }
            _ => {
                return Err(de::Error::custom(
                    "an object that is neither unchanged nor base64",
                ));
            }
        };
        match map.next_key::<String>()? {
            None => Ok(value),
            Some(key) => Err(de::Error::custom(format!(
                "an unexpected key \"{key}\" in a value"
            ))),
        }
    }
}

/// Appends the text of a SQL line's comment: `value` as compact JSON.
pub(super) fn write_json<T: Serialize + ?Sized>(value: &T, line: &mut Vec<u8>) {
    let written = serde_json::to_writer(&mut *line, value);
    debug_assert!(written.is_ok(), "{written:?}");
    let _ = line.flush();
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Vec<Value>> {
        let value = prop_oneof![
            Just(Value::Null),
            Just(Value::Unchanged),
            any::<String>().prop_map(Value::Text),
            any::<Vec<u8>>().prop_map(Value::Bytes),
        ];
        proptest::collection::vec(value, 0..5)
    }

    /// The lines that are written by themselves are those that serde writes.
    fn assert_written_as_any(event: &Event) {
        let (mut line, mut any) = (Vec::new(), Vec::new());
        write(event, &mut line);
        write_any(event, &mut any);
        assert_eq!(line.pop(), Some(b'\n'));
        assert_eq!(
            String::from_utf8_lossy(&line),
            String::from_utf8_lossy(&any)
        );
    }

    proptest! {
        #[test]
        fn begins_and_commits_are_written_as_any_other(
            xid: u32, lsn: u64, commit_lsn: Option<u64>, timestamp: Option<String>, short in 0_u64..20,
        ) {
            let commit_lsn = commit_lsn.map(Lsn::new);
            for lsn in [lsn, short, lsn & 0xFFFF_FFFF, lsn << 32] {
                let lsn = Lsn::new(lsn);
                let timestamp = timestamp.clone();
                assert_written_as_any(&Event::Commit(Commit { xid, lsn, timestamp: timestamp.clone() }));
                assert_written_as_any(&Event::Begin(Begin { xid, lsn, commit_lsn, timestamp }));
            }
        }

        #[test]
        fn a_row_is_the_same_after_writing_and_reading(
            old in proptest::option::of(values()), new in values(), xid: u32, lsn: u64, rel: u32,
        ) {
            let event = Event::Row(RowChange {
                operation: Operation::Update, xid, lsn: Lsn::new(lsn), rel, old, new: Some(new),
            });
            let mut line = Vec::new();
            write(&event, &mut line);
            prop_assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
            assert_written_as_any(&event);
            prop_assert_eq!(read(&line).expect("read"), event);
        }

        #[test]
        fn hostile_lines_give_errors(line: Vec<u8>) {
            let _ = read(&line);
            let _ = boundary(&line);
        }
    }

    #[test]
    fn the_shape_is_the_contracts() {
        let mut line = Vec::new();
        write(
            &Event::Relation(Relation {
                rel: 16_385,
                schema: "public".into(),
                table: "rental".into(),
                columns: vec![Column {
                    name: "rental_id".into(),
                    type_name: "int4".into(),
                    modifier: -1,
                    key: true,
                    identity_always: false,
                }],
                identity: Identity::Default,
            }),
            &mut line,
        );
        let expected = r#"{"action":"R","rel":16385,"schema":"public","table":"rental","columns":[{"name":"rental_id","type":"int4","key":true}],"identity":"d"}"#;
        assert_eq!(String::from_utf8_lossy(&line).trim_end(), expected);
    }

    #[test]
    fn boundaries_are_commits_keepalives_and_the_end() {
        let lsn = |text: &str| {
            boundary(text.as_bytes())
                .expect("a line")
                .map(|lsn| lsn.to_string())
        };
        assert_eq!(
            lsn(r#"{"action":"C","xid":1,"lsn":"0/10"}"#).as_deref(),
            Some("0/10")
        );
        assert_eq!(
            lsn(r#"{"action":"K","lsn":"0/11"}"#).as_deref(),
            Some("0/11")
        );
        assert_eq!(lsn(r#"{"action":"X","lsn":"0/12"}"#), None);
        assert_eq!(lsn(r#"{"action":"B","xid":1,"lsn":"0/13"}"#), None);
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = read(br#"{"action":"I","xid":1,"lsn":"0/1","rel":3}"#).expect_err("no new");
        assert_eq!(error.to_string(), "a \"I\" line without \"new\"");
        assert!(matches!(read(br#"{"action":"Q"}"#), Err(Error::Action(_))));
    }
}
