//! The lines of SQL segments: what a DBA can read and, if need be, run by hand.
//!
//! | line | means |
//! |---|---|
//! | `BEGIN; -- {"xid":…,"lsn":…,"commit_lsn":…,"timestamp":…}` | a source transaction begins |
//! | `PREPARE <id> AS <statement>; -- {"op":…,"schema":…,"table":…,"identity":…,"columns":[…],"types":[…],"modifiers":[…],"key":[…]}` | a statement, at its first use in the segment |
//! | `EXECUTE <id>["…",null];` | run it with these values |
//! | `TRUNCATE ONLY "s"."t", …; -- {"rels":[["s","t"],…],…}` | relations emptied |
//! | `ROLLBACK;` | what stood since the last `BEGIN` never happened |
//! | `COMMIT; -- {"xid":…,"lsn":…,"timestamp":…}` | it ends; `lsn` is just after its commit record |
//! | `-- KEEPALIVE {…}`, `-- ENDPOS {…}` | positions |
//! | `-- SWITCH WAL {"lsn":…,"next":…,"crc32":…}` | the segment ends, see [`Switch`] |
//!
//! Everything stays on one line and no identifier contains `--` ([`ident`] writes such characters
//! as escapes), so the first `; -- {` always begins the comment. Apply takes what it needs to know
//! from the comment, never from the SQL text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base::QualifiedName;
use crate::base::ident::quote_ident;

use super::change::{Begin, Commit, Identity, Operation, Position, Switch, Value};
use super::json_line::write_json;

/// A line of a SQL segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqlLine {
    /// A source transaction begins.
    Begin(Begin),
    /// A statement, before its first use.
    Prepare(Prepare),
    /// One run of a statement.
    Execute(Execute),
    /// Relations emptied.
    Truncate(TruncateLine),
    /// The open transaction never happened.
    Rollback,
    /// The open transaction is whole.
    Commit(Commit),
    /// Nothing up to here.
    Keepalive(Position),
    /// The segment ends.
    Switch(Switch),
    /// The end that was asked for.
    Endpos(Position),
}

/// The name of a statement: 64 bits of the digest of its text and shape, so that another text,
/// or the same for parameters of other types, is another statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatementId(u64);

impl StatementId {
    fn of(sql: &str, shape: &Shape) -> Self {
        let mut said = sql.as_bytes().to_vec();
        said.push(0);
        write_json(shape, &mut said);
        let digest = blake3::hash(&said);
        let mut first = [0; 8];
        first.copy_from_slice(&digest.as_bytes()[..8]);
        Self(u64::from_be_bytes(first))
    }

    /// As it is displayed.
    fn digits(self) -> [u8; 16] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [0; 16];
        for (digit, byte) in digits.chunks_exact_mut(2).zip(self.0.to_be_bytes()) {
            digit[0] = DIGITS[usize::from(byte >> 4)];
            digit[1] = DIGITS[usize::from(byte & 0xf)];
        }
        digits
    }
}

impl fmt::Display for StatementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for StatementId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits
            .then(|| u64::from_str_radix(text, 16).ok())
            .flatten()
            .map(Self)
            .ok_or(())
    }
}

/// A statement and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepare {
    /// Its name.
    pub id: StatementId,
    /// Its text, with `$1`, `$2`, …
    pub sql: String,
    /// What it does.
    pub shape: Shape,
    /// To which table, as [`Prepare::shape`] names it.
    pub table: QualifiedName,
}

impl Prepare {
    /// The statement `sql`, named after what it says and does.
    pub fn new(sql: String, shape: Shape) -> Self {
        Self {
            id: StatementId::of(&sql, &shape),
            sql,
            table: QualifiedName::new(&shape.schema, &shape.table),
            shape,
        }
    }
}

/// What a statement does, for those who must not guess at SQL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Which kind of change; each run must touch exactly one row.
    pub op: Operation,
    /// The relation's Postgres namespace.
    pub schema: String,
    /// The relation.
    pub table: String,
    /// What identifies its rows.
    pub identity: Identity,
    /// The column each parameter is for, in order.
    pub columns: Vec<String>,
    /// The type of each on the source, as [`super::change::Column::type_name`] has it.
    pub types: Vec<String>,
    /// What each type is limited to, as [`super::change::Column::modifier`] has it.
    pub modifiers: Vec<i32>,
    /// Which parameters, from 0, identify the row.
    pub key: Vec<usize>,
}

impl Shape {
    /// Whether each parameter has its type, and each key its parameter.
    fn holds_together(&self) -> bool {
        let parameters = self.columns.len();
        self.types.len() == parameters
            && self.modifiers.len() == parameters
            && self.key.iter().all(|at| *at < parameters)
    }
}

/// One run of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execute {
    /// Of which.
    pub id: StatementId,
    /// The parameters; never [`Value::Unchanged`].
    pub values: Vec<Value>,
}

/// Relations emptied by one statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TruncateLine {
    /// Schema and name of each.
    pub rels: Vec<(String, String)>,
    /// `CASCADE`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cascade: bool,
    /// `RESTART IDENTITY`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restart_identity: bool,
}

impl TruncateLine {
    /// The statement. ONLY, because the stream names inheritance children that were emptied too;
    /// a table that is partitioned where it runs cannot be emptied so.
    pub fn sql(&self, is_partitioned: impl Fn(&str, &str) -> bool) -> String {
        let rels: Vec<_> = self
            .rels
            .iter()
            .map(|(schema, table)| {
                let only = if is_partitioned(schema, table) {
                    ""
                } else {
                    "ONLY "
                };
                format!("{only}{}.{}", ident(schema), ident(table))
            })
            .collect();
        let restart = if self.restart_identity {
            " RESTART IDENTITY"
        } else {
            ""
        };
        let cascade = if self.cascade { " CASCADE" } else { "" };
        format!("TRUNCATE {}{restart}{cascade}", rels.join(", "))
    }
}

/// A line that is not what a SQL segment holds.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No line of this format begins so.
    #[error("the line is none that transform writes")]
    Unknown,
    /// The JSON in it is not what it must be.
    #[error("the JSON in the line cannot be read")]
    Json(#[from] serde_json::Error),
    /// A statement whose text or comment is not what its name says.
    #[error("statement {0} is not what transform wrote under this name: the line was edited")]
    Edited(StatementId),
    /// It is not UTF-8.
    #[error("the line is not UTF-8")]
    Utf8(#[from] std::str::Utf8Error),
}

/// `name` quoted so that it has no line feed and no `--` in it. Needs
/// `standard_conforming_strings`, which every session of pgflit sets.
pub fn ident(name: &str) -> String {
    let plain = !name.contains("--") && !name.chars().any(char::is_control);
    if plain {
        return quote_ident(name);
    }
    let mut quoted = String::from("U&\"");
    for character in name.chars() {
        match character {
            '"' => quoted.push_str("\"\""),
            '\\' => quoted.push_str("\\\\"),
            '-' => quoted.push_str("\\002D"),
            control if control.is_control() => {
                quoted.push_str(&format!("\\{:04X}", u32::from(control)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Types whose `=` holds exactly when their texts are the same, so that an index may be used.
/// For others two values may be equal and differ (1.0 and 1.00, '1 mon' and '30 days', any box of
/// the same area) or have no `=` at all (json, xml, point).
const EXACT_EQUALITY: [&str; 17] = [
    "bool",
    "int2",
    "int4",
    "int8",
    "oid",
    "text",
    "varchar",
    "bpchar",
    "bytea",
    "uuid",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "name",
    "char",
    "xid8",
];

/// Whether two values of that type are the same exactly when `=` says so.
pub fn compares_exactly(type_name: &str) -> bool {
    EXACT_EQUALITY.contains(&type_name)
}

impl SqlLine {
    /// Appends the line with its line feed.
    pub fn write(&self, line: &mut Vec<u8>) {
        match self {
            SqlLine::Begin(begin) => commented(line, "BEGIN; -- ", begin),
            SqlLine::Prepare(prepare) => {
                let head = format!("PREPARE {} AS {}; -- ", prepare.id, prepare.sql);
                commented(line, &head, &prepare.shape);
            }
            SqlLine::Execute(execute) => {
                line.extend_from_slice(format!("EXECUTE {}", execute.id).as_bytes());
                write_json(&execute.values, line);
                line.extend_from_slice(b";\n");
            }
            SqlLine::Truncate(truncate) => {
                commented(
                    line,
                    &format!("{}; -- ", truncate.sql(|_, _| false)),
                    truncate,
                );
            }
            SqlLine::Rollback => line.extend_from_slice(b"ROLLBACK;\n"),
            SqlLine::Commit(commit) => commented(line, "COMMIT; -- ", commit),
            SqlLine::Keepalive(at) => commented(line, "-- KEEPALIVE ", at),
            SqlLine::Switch(at) => commented(line, "-- SWITCH WAL ", at),
            SqlLine::Endpos(at) => commented(line, "-- ENDPOS ", at),
        }
    }

    /// As [`SqlLine::write`] for a [`SqlLine::Begin`] whose JSON, without its opening brace, is
    /// there already.
    pub(super) fn write_begin(json: &[u8], line: &mut Vec<u8>) {
        commented_as(b"BEGIN; -- {", json, line);
    }

    /// The same for a [`SqlLine::Commit`].
    pub(super) fn write_commit(json: &[u8], line: &mut Vec<u8>) {
        commented_as(b"COMMIT; -- {", json, line);
    }

    /// As [`SqlLine::write`] for a [`SqlLine::Execute`] of which the JSON of each value is there
    /// already.
    pub(super) fn write_execute<'a>(
        id: StatementId,
        values: impl Iterator<Item = &'a [u8]>,
        line: &mut Vec<u8>,
    ) {
        line.extend_from_slice(b"EXECUTE ");
        line.extend_from_slice(&id.digits());
        line.push(b'[');
        for (at, json) in values.enumerate() {
            if at > 0 {
                line.push(b',');
            }
            line.extend_from_slice(json);
        }
        line.extend_from_slice(b"];\n");
    }

    /// The line that `line` says, without its line feed.
    pub fn read(line: &[u8]) -> Result<Self, Error> {
        let line = std::str::from_utf8(line)?;
        if let Some(rest) = line.strip_prefix("EXECUTE ") {
            let (id, values) = rest.split_at_checked(16).ok_or(Error::Unknown)?;
            let values = values.strip_suffix(';').ok_or(Error::Unknown)?;
            return Ok(SqlLine::Execute(Execute {
                id: id.parse().map_err(|()| Error::Unknown)?,
                values: serde_json::from_str(values)?,
            }));
        }
        if line == "ROLLBACK;" {
            return Ok(SqlLine::Rollback);
        }
        if let Some(json) = line.strip_prefix("-- KEEPALIVE ") {
            return Ok(SqlLine::Keepalive(serde_json::from_str(json)?));
        }
        if let Some(json) = line.strip_prefix("-- SWITCH WAL ") {
            return Ok(SqlLine::Switch(serde_json::from_str(json)?));
        }
        if let Some(json) = line.strip_prefix("-- ENDPOS ") {
            return Ok(SqlLine::Endpos(serde_json::from_str(json)?));
        }
        let at = line.find("; -- {").ok_or(Error::Unknown)?;
        let (sql, json) = (&line[..at], &line[at + "; -- ".len()..]);
        if let Some(rest) = sql.strip_prefix("PREPARE ") {
            let (id, text) = rest.split_once(" AS ").ok_or(Error::Unknown)?;
            let id: StatementId = id.parse().map_err(|()| Error::Unknown)?;
            let shape: Shape = serde_json::from_str(json)?;
            if !shape.holds_together() {
                return Err(Error::Unknown);
            }
            let prepare = Prepare::new(text.to_owned(), shape);
            return match prepare.id == id {
                true => Ok(SqlLine::Prepare(prepare)),
                false => Err(Error::Edited(id)),
            };
        }
        match sql {
            "BEGIN" => Ok(SqlLine::Begin(serde_json::from_str(json)?)),
            "COMMIT" => Ok(SqlLine::Commit(serde_json::from_str(json)?)),
            _ if sql.starts_with("TRUNCATE ") => Ok(SqlLine::Truncate(serde_json::from_str(json)?)),
            _ => Err(Error::Unknown),
        }
    }
}

fn commented_as(head: &[u8], json: &[u8], line: &mut Vec<u8>) {
    line.extend_from_slice(head);
    line.extend_from_slice(json);
    line.push(b'\n');
}

fn commented(line: &mut Vec<u8>, head: &str, comment: &impl Serialize) {
    line.extend_from_slice(head.as_bytes());
    write_json(comment, line);
    line.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Lsn;
    use proptest::prelude::*;

    fn same_after_writing_and_reading(line: &SqlLine) -> String {
        let mut bytes = Vec::new();
        line.write(&mut bytes);
        assert_eq!(bytes.pop(), Some(b'\n'));
        assert!(!bytes.contains(&b'\n'));
        assert_eq!(SqlLine::read(&bytes).expect("read"), *line);
        String::from_utf8(bytes).expect("UTF-8")
    }

    proptest! {
        #[test]
        fn statements_on_any_name_are_read_as_written(schema: String, table: String, columns: Vec<String>) {
            let sql = format!("DELETE FROM {}.{} WHERE x = $1", ident(&schema), ident(&table));
            same_after_writing_and_reading(&SqlLine::Prepare(Prepare::new(sql, Shape {
                op: Operation::Delete, schema: schema.clone(), table: table.clone(),
                identity: Identity::Default, types: columns.clone(), modifiers: vec![-1; columns.len()], key: (0..columns.len().min(1)).collect(), columns,
            })));
            same_after_writing_and_reading(&SqlLine::Truncate(TruncateLine {
                rels: vec![(schema, table)], cascade: true, restart_identity: false,
            }));
        }

        #[test]
        fn hostile_lines_give_errors(line: Vec<u8>) {
            let _ = SqlLine::read(&line);
        }
    }

    #[test]
    fn the_shape_is_the_contracts() {
        let begin = SqlLine::Begin(Begin {
            xid: 954,
            lsn: Lsn::new(0x1A_2B3C),
            commit_lsn: Some(Lsn::new(0x1A_2C00)),
            timestamp: Some("2026-11-21 03:09:04.870684+0000".into()),
        });
        assert_eq!(
            same_after_writing_and_reading(&begin),
            r#"BEGIN; -- {"xid":954,"lsn":"0/1A2B3C","commit_lsn":"0/1A2C00","timestamp":"2026-11-21 03:09:04.870684+0000"}"#
        );
        let execute = SqlLine::Execute(Execute {
            id: "5e3a9c175e3a9c17".parse().expect("an id"),
            values: vec![Value::Text("16050".into()), Value::Null],
        });
        assert_eq!(
            same_after_writing_and_reading(&execute),
            r#"EXECUTE 5e3a9c175e3a9c17["16050",null];"#
        );
        let (SqlLine::Execute(execute), mut line) = (execute, Vec::new()) else {
            panic!("another line");
        };
        let values = [&b"\"16050\""[..], b"null"];
        SqlLine::write_execute(execute.id, values.into_iter(), &mut line);
        assert_eq!(line, b"EXECUTE 5e3a9c175e3a9c17[\"16050\",null];\n");
    }

    #[test]
    fn a_statement_that_was_edited_is_not_taken() {
        let shape = Shape {
            op: Operation::Delete,
            schema: "public".into(),
            table: "t".into(),
            identity: Identity::Default,
            columns: vec!["id".into()],
            types: vec!["int4".into()],
            modifiers: vec![-1],
            key: vec![0],
        };
        let sql = r#"DELETE FROM ONLY "public"."t" WHERE "id" = $1"#;
        let odd: [fn(&mut Shape); 3] = [
            |shape| shape.key.push(1),
            |shape| shape.types.clear(),
            |shape| shape.modifiers.push(-1),
        ];
        for spoil in odd {
            let mut shape = shape.clone();
            spoil(&mut shape);
            let mut line = Vec::new();
            SqlLine::Prepare(Prepare::new(sql.into(), shape)).write(&mut line);
            let read = SqlLine::read(line.trim_ascii_end());
            assert!(matches!(read, Err(Error::Unknown)), "{read:?}");
        }
        let text =
            same_after_writing_and_reading(&SqlLine::Prepare(Prepare::new(sql.into(), shape)));
        for (written, edited) in [("$1", "$1 OR true"), ("[0]", "[]"), ("int4", "text")] {
            let edited = text.trim_end().replace(written, edited);
            let read = SqlLine::read(edited.as_bytes());
            assert!(matches!(read, Err(Error::Edited(_))), "{edited}: {read:?}");
        }
    }

    #[test]
    fn a_name_cannot_begin_the_comment_nor_break_the_line() {
        assert_eq!(ident("a; -- {\n"), r#"U&"a; \002D\002D {\000A""#);
        assert_eq!(ident("Weird \" Name"), r#""Weird "" Name""#);
    }
}
