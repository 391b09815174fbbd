//! The JSON of wal2json, format version 2.
//!
//! Types are asked for by OID: the plugin writes a quoted type name into its JSON without escaping
//! it. Values that a JSON number cannot hold (`NaN`, `Infinity`) come as null from versions that
//! cannot write numbers as strings (before 2.6); those say so in a notice before the row, see
//! [`Specials`]. An unchanged TOAST value is left out.
//!
//! Names and strings of a SQL_ASCII source may be any bytes. JSON readers want UTF-8, so such a line
//! is read with every byte for a character, which no byte below 128 notices.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::base::{Lsn, QualifiedName};
use crate::cdc::change::{Operation, Value};

use super::said::{Cell, NotUnderstood, Said, TypeIs, timestamp_of, value_of};

/// The options of `START_REPLICATION`, without those that not all versions know.
pub(super) const OPTIONS: &str = r#""format-version" '2', "include-xids" '1', "include-timestamp" '1', "include-lsn" '1', "include-types" '0', "include-type-oids" '1', "include-pk" '0'"#;
/// Since 2.6: numbers as strings, `NaN` and the like among them.
pub(super) const NUMBERS_AS_STRINGS: &str = r#", "numeric-data-types-as-string" '1'"#;

/// OIDs of types whose values the plugin writes in a way of its own; fixed in PostgreSQL's
/// `pg_type.dat`.
const BOOL: u32 = 16;
const BYTEA: u32 = 17;
/// int8, int2, int4, oid, float4, float8, numeric.
const NUMBERS: [u32; 7] = [20, 21, 23, 26, 700, 701, 1700];
/// Those among them that have values which are no numbers.
const WITH_SPECIALS: [u32; 3] = [700, 701, 1700];

/// The values of a row that are written as null and are not, in the order of its columns.
#[derive(Debug, Default)]
pub(super) struct Specials {
    told: Vec<String>,
}

/// What the plugin says in a notice.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// A change is not sent, because the table has no identity: the command, and the table's name
    /// in quotes that are not doubled.
    NoIdentity(Operation, String),
    /// Nothing that matters here.
    Other,
}

/// More of them in one row than a table may have columns, twice over, is nonsense.
const SPECIALS_MAX: usize = 4000;

impl Specials {
    /// Takes a notice that came before a row.
    pub(super) fn notice(&mut self, text: &str) -> Told {
        if let Some(value) = text.strip_prefix("special value: ") {
            if self.told.len() < SPECIALS_MAX {
                self.told.push(value.to_owned());
            }
            return Told::Other;
        }
        for (command, operation) in [("UPDATE", Operation::Update), ("DELETE", Operation::Delete)] {
            for what in ["tuple identifier", "old tuple data", "tuple data"] {
                let prefix = format!("no {what} for {command} in table ");
                if let Some(table) = text.strip_prefix(&prefix) {
                    return Told::NoIdentity(operation, table.to_owned());
                }
            }
        }
        Told::Other
    }

    /// Puts them where the row has null: into all such columns, or it cannot be known into which.
    fn put(
        &mut self,
        table: &QualifiedName,
        cells: [&mut Option<Vec<Cell>>; 2],
    ) -> Result<(), NotUnderstood> {
        if self.told.is_empty() {
            return Ok(());
        }
        let mut told = std::mem::take(&mut self.told).into_iter();
        let cells = cells.into_iter().flatten().flatten();
        let nulls = cells.filter(|cell| cell.value == Value::Null && has_specials(&cell.type_is));
        let mut nulls: Vec<_> = nulls.collect();
        if nulls.len() != told.len() {
            let names: Vec<_> = nulls.iter().map(|cell| cell.name.as_str()).collect();
            return Err(NotUnderstood::Ambiguous {
                table: table.clone(),
                columns: names.join(", "),
                specials: told.len(),
            });
        }
        for cell in &mut nulls {
            cell.value = told.next().map_or(Value::Null, Value::Text);
        }
        Ok(())
    }
}

fn has_specials(type_is: &TypeIs) -> bool {
    matches!(type_is, TypeIs::Oid(oid) if WITH_SPECIALS.contains(oid))
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
    xid: Option<u32>,
    #[serde(borrow)]
    timestamp: Option<Cow<'a, str>>,
    #[serde(borrow)]
    lsn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    schema: Option<Cow<'a, str>>,
    #[serde(borrow)]
    table: Option<Cow<'a, str>>,
    #[serde(borrow)]
    columns: Option<Vec<ColumnOf<'a>>>,
    #[serde(borrow)]
    identity: Option<Vec<ColumnOf<'a>>>,
    transactional: Option<bool>,
    #[serde(borrow)]
    prefix: Option<Cow<'a, str>>,
    #[serde(borrow)]
    content: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct ColumnOf<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    /// Written as a signed number.
    typeoid: i64,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// What `body` says. The notices before it are used up by a row.
pub(super) fn parse(body: &[u8], specials: &mut Specials) -> Result<Said, NotUnderstood> {
    match std::str::from_utf8(body) {
        Ok(text) => Reader { is_bytes: false }.said(text, specials),
        Err(_) => {
            let text: String = body.iter().map(|byte| char::from(*byte)).collect();
            Reader { is_bytes: true }.said(&text, specials)
        }
    }
}

fn wrong(problem: impl Into<String>) -> NotUnderstood {
    NotUnderstood::Malformed {
        at: 0,
        problem: problem.into(),
    }
}

/// How strings are to be read.
struct Reader {
    /// Every character stands for a byte.
    is_bytes: bool,
}

impl Reader {
    fn said(&self, text: &str, specials: &mut Specials) -> Result<Said, NotUnderstood> {
        let line: Line<'_> =
            serde_json::from_str(text).map_err(|error| NotUnderstood::Malformed {
                at: error.column(),
                problem: format!("not the JSON of wal2json: {error}"),
            })?;
        let xid = || line.xid.ok_or_else(|| wrong("no xid"));
        let timestamp = || {
            let printed = line.timestamp.as_deref().and_then(timestamp_of);
            printed.ok_or_else(|| wrong("no timestamp in UTC"))
        };
        Ok(match line.action.as_ref() {
            "B" => {
                let lsn = line.lsn.as_deref().and_then(|lsn| lsn.parse::<Lsn>().ok());
                Said::Begin {
                    xid: xid()?,
                    commit_lsn: Some(lsn.ok_or_else(|| wrong("no lsn"))?),
                    timestamp: Some(timestamp()?),
                }
            }
            "C" => Said::Commit {
                xid: xid()?,
                timestamp: Some(timestamp()?),
            },
            "I" | "U" | "D" => self.row(line, specials)?,
            "T" => Said::Truncate {
                tables: vec![self.table(&line)?],
                cascade: false,
                restart_identity: false,
            },
            "M" => {
                let content = line.content.as_deref().unwrap_or_default();
                Said::Message {
                    transactional: line
                        .transactional
                        .ok_or_else(|| wrong("no transactional"))?,
                    prefix: self.name(line.prefix.as_deref(), "prefix")?,
                    content: value_of(self.bytes(content)?),
                }
            }
            other => return Err(wrong(format!("an unknown action {other:?}"))),
        })
    }

    fn row(&self, line: Line<'_>, specials: &mut Specials) -> Result<Said, NotUnderstood> {
        let table = self.table(&line)?;
        let operation = match line.action.as_ref() {
            "I" => Operation::Insert,
            "U" => Operation::Update,
            _ => Operation::Delete,
        };
        let cells = |columns: Option<Vec<ColumnOf<'_>>>| {
            let cells =
                columns.map(|columns| columns.iter().map(|column| self.cell(column)).collect());
            cells.transpose()
        };
        let (mut new, mut old) = (cells(line.columns)?, cells(line.identity)?);
        if (operation == Operation::Delete) == new.is_some() {
            return Err(wrong(format!(
                "{} with the wrong columns",
                operation.command()
            )));
        }
        if operation == Operation::Insert && old.is_some() {
            return Err(wrong("INSERT with an identity"));
        }
        specials.put(&table, [&mut new, &mut old])?;
        Ok(Said::Row {
            table,
            operation,
            old,
            new,
        })
    }

    fn table(&self, line: &Line<'_>) -> Result<QualifiedName, NotUnderstood> {
        let schema = self.name(line.schema.as_deref(), "schema")?;
        Ok(QualifiedName::new(
            schema,
            self.name(line.table.as_deref(), "table")?,
        ))
    }

    fn name(&self, text: Option<&str>, key: &str) -> Result<String, NotUnderstood> {
        let text = text.ok_or_else(|| wrong(format!("no {key}")))?;
        String::from_utf8(self.bytes(text)?)
            .map_err(|_| wrong(format!("a {key} that is not UTF-8")))
    }

    fn bytes(&self, text: &str) -> Result<Vec<u8>, NotUnderstood> {
        match self.is_bytes {
            false => Ok(text.as_bytes().to_vec()),
            true => text
                .chars()
                .map(|character| {
                    u8::try_from(character).map_err(|_| wrong("a character of no byte"))
                })
                .collect(),
        }
    }

    fn cell(&self, column: &ColumnOf<'_>) -> Result<Cell, NotUnderstood> {
        let name = self.name(Some(&column.name), "column name")?;
        let oid = u32::try_from(column.typeoid)
            .or_else(|_| i32::try_from(column.typeoid).map(i32::cast_unsigned));
        let oid = oid.map_err(|_| wrong(format!("column {name} with no type")))?;
        let raw = column.value.get();
        let value = match (raw.as_bytes().first(), oid) {
            (Some(b'"'), _) => {
                let text: String = serde_json::from_str(raw)
                    .map_err(|error| wrong(format!("column {name}: {error}")))?;
                match oid {
                    BYTEA => Value::Text(format!("\\x{text}")),
                    BOOL => return Err(wrong(format!("column {name} is neither true nor false"))),
                    _ => value_of(self.bytes(&text)?),
                }
            }
            _ if raw == "null" => Value::Null,
            (Some(b't'), BOOL) => Value::Text("t".into()),
            (Some(b'f'), BOOL) => Value::Text("f".into()),
            (Some(b'-' | b'0'..=b'9'), oid) if NUMBERS.contains(&oid) => {
                Value::Text(raw.to_owned())
            }
            _ => return Err(wrong(format!("column {name} is not what its type has"))),
        };
        Ok(Cell {
            name,
            type_is: TypeIs::Oid(oid),
            value,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const UPDATE: &str = r#"{"action":"U","xid":809,"timestamp":"2026-11-21 12:43:37.5+00","lsn":"0/1E0F0C0","schema":"My.S","table":"t \"x\"","columns":[{"name":"id","typeoid":23,"value":2},{"name":"n","typeoid":1700,"value":12345678901234567890.12345678901234567890},{"name":"b","typeoid":17,"value":"00ff"},{"name":"ok","typeoid":16,"value":true},{"name":"f","typeoid":701,"value":null},{"name":"own","typeoid":-294967296,"value":"it's \\ \"q\"\n\u0001ä"}],"identity":[{"name":"id","typeoid":23,"value":1}]}"#;

    fn read(body: &[u8]) -> Result<Said, NotUnderstood> {
        parse(body, &mut Specials::default())
    }

    fn values(said: Result<Said, NotUnderstood>) -> Vec<Value> {
        match said {
            Ok(Said::Row { new: Some(new), .. }) => {
                new.into_iter().map(|cell| cell.value).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    #[test]
    fn values_are_the_text_that_postgres_wrote() {
        let said = read(UPDATE.as_bytes());
        if let Ok(Said::Row {
            table,
            new: Some(new),
            ..
        }) = &said
        {
            assert_eq!(*table, QualifiedName::new("My.S", "t \"x\""));
            assert_eq!(new[5].type_is, TypeIs::Oid(4_000_000_000));
        }
        assert_eq!(
            values(said),
            [
                text("2"),
                text("12345678901234567890.12345678901234567890"),
                text("\\x00ff"),
                text("t"),
                Value::Null,
                text("it's \\ \"q\"\n\u{1}ä"),
            ]
        );
    }

    #[test]
    fn bytes_of_no_encoding_stay_bytes() {
        let mut body = br#"{"action":"I","schema":"s","table":"t","columns":[{"name":"a","typeoid":25,"value":"x"#.to_vec();
        body.extend(b"\xff\\\"\xe4");
        body.extend(br#""},{"name":""#);
        body.extend("ä".as_bytes());
        body.extend(br#"","typeoid":25,"value":"plain"}]}"#);
        let Ok(Said::Row { new: Some(new), .. }) = read(&body) else {
            panic!("{:?}", read(&body));
        };
        assert_eq!(new[0].value, Value::Bytes(b"x\xff\"\xe4".to_vec()));
        assert_eq!((new[1].name.as_str(), &new[1].value), ("ä", &text("plain")));
    }

    #[test]
    fn a_null_that_is_no_null_is_told_or_refused() {
        let row = |columns: &[(u32, &str)]| {
            let columns: Vec<_> = columns
                .iter()
                .map(|(oid, value)| format!(r#"{{"name":"c","typeoid":{oid},"value":{value}}}"#))
                .collect();
            let columns = columns.join(",");
            format!(r#"{{"action":"I","schema":"s","table":"t","columns":[{columns}]}}"#)
        };
        let told = |values: &[&str]| {
            let mut specials = Specials::default();
            for value in values {
                let told = specials.notice(&format!("special value: {value}"));
                assert_eq!(told, Told::Other);
            }
            specials
        };
        let both = row(&[(701, "null"), (23, "null"), (1700, "1"), (1700, "null")]);
        let mut specials = told(&["NaN", "-Infinity"]);
        assert_eq!(
            values(parse(both.as_bytes(), &mut specials)),
            [text("NaN"), Value::Null, text("1"), text("-Infinity")]
        );
        assert_eq!(
            values(parse(both.as_bytes(), &mut specials)),
            [Value::Null, Value::Null, text("1"), Value::Null],
            "notices count for one row"
        );
        assert!(parse(both.as_bytes(), &mut told(&["NaN"])).is_err());
        assert!(parse(both.as_bytes(), &mut told(&["NaN"; 3])).is_err());
    }

    #[test]
    fn a_change_that_is_not_sent_is_told() {
        let mut specials = Specials::default();
        let told = specials.notice(r#"no tuple identifier for UPDATE in table "s"."t "x"""#);
        let expected = Told::NoIdentity(Operation::Update, r#""s"."t "x"""#.into());
        assert_eq!(told, expected);
        assert_eq!(specials.notice("anything"), Told::Other);
    }

    #[test]
    fn cut_anywhere_it_is_an_error() {
        for end in 0..UPDATE.len() {
            assert!(read(&UPDATE.as_bytes()[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn what_the_plugin_never_sends_is_refused() {
        let column = |rest: &str| {
            format!(
                r#"{{"action":"I","schema":"s","table":"t","columns":[{{"name":"a",{rest}}}]}}"#
            )
        };
        for body in [
            r#"{"action":"Z"}"#.to_owned(),
            r#"{"action":"B","xid":1}"#.to_owned(),
            r#"{"action":"I","schema":"s","table":"t"}"#.to_owned(),
            r#"{"action":"D","schema":"s","table":"t","columns":[]}"#.to_owned(),
            r#"{"action":"T","table":"t"}"#.to_owned(),
            column(r#""typeoid":25,"value":1"#),
            column(r#""typeoid":16,"value":"x""#),
            column(r#""typeoid":23,"value":true"#),
            column(r#""typeoid":99999999999,"value":"x""#),
            column(r#""typeoid":25,"value":{}"#),
            column(r#""typeoid":25"#),
        ] {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
    }

    proptest! {
        #[test]
        fn hostile_lines_give_errors(rest: Vec<u8>, at in 0..UPDATE.len()) {
            let _ = read(&rest);
            let _ = read(&[&UPDATE.as_bytes()[..at], &rest, &UPDATE.as_bytes()[at..]].concat());
        }
    }
}
