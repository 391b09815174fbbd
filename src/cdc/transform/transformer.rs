//! The function from JSON lines to SQL lines.

use std::collections::HashMap;

use crate::cdc::change::{Event, Switch, Truncate};
use crate::cdc::json_line;
use crate::cdc::sql_line::{SqlLine, TruncateLine};
use crate::segment::Running;

use super::described::Described;
use super::exact::{Cells, Line, Row};
use super::statement::RowError;

/// A line that cannot become SQL.
#[derive(Debug, thiserror::Error)]
pub enum TransformError {
    /// It is not a change.
    #[error("reading a change")]
    Line(#[from] json_line::Error),
    /// It refers to a relation that no line before it describes.
    #[error("a change of relation {0}, which no line before it describes")]
    UnknownRelation(u32),
    /// The row cannot be written as a statement.
    #[error("writing a change as SQL")]
    Row(#[from] RowError),
    /// A row, truncate or commit outside any transaction.
    #[error("a \"{0}\" line outside a transaction")]
    Outside(&'static str),
}

/// Whether a transaction is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Open {
    /// None is.
    #[default]
    No,
    /// One is.
    Yes,
    /// The next line tells: what stood before it was pruned.
    Unknown,
}

/// Keeps what the lines so far have said about relations, and whether a transaction is open.
#[derive(Debug, Default)]
pub struct Transformer {
    relations: HashMap<u32, Described>,
    cells: Cells,
    open: Open,
    /// Of the SQL of the segment so far; none in a pipe, where none begins.
    checksum: Option<Running>,
}

impl Transformer {
    /// One before whose first line a transaction is `open`, or is not.
    pub fn starting(open: Open) -> Self {
        Self {
            open,
            ..Self::default()
        }
    }

    /// A segment begins: what its lines need stands in it again, and its last line has the checksum
    /// of what its lines become.
    pub fn begin_segment(&mut self) {
        self.relations.clear();
        self.checksum = Some(Running::default());
    }

    /// Appends to `sql` what `json` becomes; nothing for lines that only describe.
    pub fn line(&mut self, json: &[u8], sql: &mut Vec<u8>) -> Result<(), TransformError> {
        let before = sql.len();
        let written = self.write(json, sql);
        if let Some(checksum) = &mut self.checksum {
            checksum.add(&sql[before..]);
        }
        written
    }

    fn write(&mut self, json: &[u8], sql: &mut Vec<u8>) -> Result<(), TransformError> {
        let mut cells = std::mem::take(&mut self.cells);
        let written = match cells.read(json) {
            Some(line) => self.write_exact(&line, sql),
            None => self.write_other(json, sql),
        };
        self.cells = cells;
        written
    }

    /// A line as receive writes it: what stands in it goes into SQL as it is.
    fn write_exact(&mut self, line: &Line<'_>, sql: &mut Vec<u8>) -> Result<(), TransformError> {
        match line {
            Line::Row(row) => return self.row(row, sql),
            Line::Begin(comment) => {
                self.begin(sql);
                SqlLine::write_begin(comment, sql);
            }
            Line::Commit(comment) => {
                self.commit()?;
                SqlLine::write_commit(comment, sql);
            }
        }
        Ok(())
    }

    /// Any other line.
    fn write_other(&mut self, json: &[u8], sql: &mut Vec<u8>) -> Result<(), TransformError> {
        match json_line::read(json)? {
            Event::Relation(relation) => {
                // Receive that was started again describes anew what is as it was.
                let known = self.relations.get(&relation.rel);
                if known.is_none_or(|known| known.relation != relation) {
                    self.relations
                        .insert(relation.rel, Described::new(relation));
                }
            }
            Event::Begin(begin) => {
                self.begin(sql);
                SqlLine::Begin(begin).write(sql);
            }
            Event::Row(row) => self.row(&Cells::default().of(&row), sql)?,
            Event::Truncate(truncate) => self.truncate(&truncate, sql)?,
            Event::Message(_) => {}
            Event::Commit(commit) => {
                self.commit()?;
                SqlLine::Commit(commit).write(sql);
            }
            Event::Keepalive(at) => {
                self.cut_off(sql);
                SqlLine::Keepalive(at).write(sql);
            }
            Event::Switch(switch) => {
                let crc32 = self.checksum.as_ref().map(Running::value);
                SqlLine::Switch(Switch { crc32, ..switch }).write(sql);
                // Through a pipe the next one follows, in which they stand again.
                self.relations.clear();
            }
            Event::Endpos(at) => {
                self.cut_off(sql);
                SqlLine::Endpos(at).write(sql);
            }
        }
        Ok(())
    }

    fn begin(&mut self, sql: &mut Vec<u8>) {
        if self.open == Open::Yes {
            // Receive was cut off inside that transaction and has it again from here.
            SqlLine::Rollback.write(sql);
        }
        self.open = Open::Yes;
    }

    fn commit(&mut self) -> Result<(), TransformError> {
        self.inside("C")?;
        self.open = Open::No;
        Ok(())
    }

    /// Positions stand outside transactions: one that is still open was cut off.
    fn cut_off(&mut self, sql: &mut Vec<u8>) {
        if std::mem::take(&mut self.open) == Open::Yes {
            SqlLine::Rollback.write(sql);
        }
    }

    fn inside(&mut self, action: &'static str) -> Result<(), TransformError> {
        match self.open {
            Open::Yes => {}
            Open::Unknown => self.open = Open::Yes,
            Open::No => return Err(TransformError::Outside(action)),
        }
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>, sql: &mut Vec<u8>) -> Result<(), TransformError> {
        self.inside("row")?;
        let described = self.relations.get_mut(&row.rel);
        let described = described.ok_or(TransformError::UnknownRelation(row.rel))?;
        Ok(described.write(row, sql)?)
    }

    fn truncate(&mut self, truncate: &Truncate, sql: &mut Vec<u8>) -> Result<(), TransformError> {
        self.inside("T")?;
        let rels = truncate.rels.iter().map(|rel| {
            let described = self.relations.get(rel);
            let relation = &described
                .ok_or(TransformError::UnknownRelation(*rel))?
                .relation;
            Ok((relation.schema.clone(), relation.table.clone()))
        });
        let line = TruncateLine {
            rels: rels.collect::<Result<_, TransformError>>()?,
            cascade: truncate.cascade,
            restart_identity: truncate.restart_identity,
        };
        SqlLine::Truncate(line).write(sql);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Lsn;
    use crate::cdc::change::{Column, Identity, Operation, Relation, RowChange, Value};
    use proptest::prelude::*;

    const RELATION: &str = r#"{"action":"R","rel":1,"schema":"public","table":"t","columns":[{"name":"id","type":"int4","key":true}],"identity":"d"}"#;
    const BEGIN: &str = r#"{"action":"B","xid":5,"lsn":"0/10","commit_lsn":"0/20"}"#;
    const INSERT: &str = r#"{"action":"I","xid":5,"lsn":"0/10","rel":1,"new":["1"]}"#;
    const COMMIT: &str = r#"{"action":"C","xid":5,"lsn":"0/28"}"#;

    const SWITCH: &str =
        r#"{"action":"X","lsn":"0/30","next":"000000010000000000000002","crc32":"00000000"}"#;

    #[test]
    fn a_statement_is_prepared_again_in_another_segment_or_if_its_relation_is_another() {
        let mut transformer = Transformer::default();
        let mut prepares = |lines: &[&str]| {
            let sql = transform(&mut transformer, lines);
            sql.matches("PREPARE ").count()
        };
        assert_eq!(prepares(&[RELATION, BEGIN, INSERT, COMMIT]), 1);
        assert_eq!(prepares(&[RELATION, BEGIN, INSERT, COMMIT]), 0);
        let altered = RELATION.replace("int4", "int8");
        assert_eq!(prepares(&[&altered, BEGIN, INSERT, COMMIT]), 1);
        assert_eq!(prepares(&[RELATION, BEGIN, INSERT, COMMIT]), 1);
        assert_eq!(prepares(&[SWITCH, RELATION, BEGIN, INSERT, COMMIT]), 1);
    }

    fn transform(transformer: &mut Transformer, lines: &[&str]) -> String {
        let mut sql = Vec::new();
        for line in lines {
            transformer
                .line(line.as_bytes(), &mut sql)
                .expect("transformed");
        }
        String::from_utf8(sql).expect("UTF-8")
    }

    fn words(sql: &str) -> Vec<&str> {
        sql.lines()
            .map(|line| line.split([' ', ';']).next().unwrap_or(""))
            .collect()
    }

    #[test]
    fn a_transaction_cut_off_is_rolled_back_and_comes_again() {
        let sql = transform(
            &mut Transformer::default(),
            &[BEGIN, RELATION, INSERT, BEGIN, RELATION, INSERT, COMMIT],
        );
        assert_eq!(
            words(&sql),
            [
                "BEGIN", "PREPARE", "EXECUTE", "ROLLBACK", "BEGIN", "EXECUTE", "COMMIT"
            ]
        );
    }

    #[test]
    fn the_sql_of_a_segment_is_the_same_wherever_transform_began() {
        let before = [BEGIN, RELATION, INSERT, COMMIT, SWITCH];
        let after = [BEGIN, RELATION, INSERT, INSERT, COMMIT];
        let mut whole = Transformer::default();
        transform(&mut whole, &before);
        let continued = transform(&mut whole, &after);
        assert_eq!(continued, transform(&mut Transformer::default(), &after));
    }

    #[test]
    fn behind_what_was_pruned_the_next_line_tells_whether_a_transaction_is_open() {
        for (lines, expected) in [
            (
                &[BEGIN, RELATION, INSERT][..],
                &["BEGIN", "PREPARE", "EXECUTE"][..],
            ),
            (
                &[RELATION, INSERT, BEGIN],
                &["PREPARE", "EXECUTE", "ROLLBACK", "BEGIN"],
            ),
            (&[COMMIT, BEGIN], &["COMMIT", "BEGIN"]),
        ] {
            let mut transformer = Transformer::starting(Open::Unknown);
            assert_eq!(words(&transform(&mut transformer, lines)), expected);
        }
    }

    #[test]
    fn a_statement_is_prepared_once() {
        let sql = transform(
            &mut Transformer::default(),
            &[BEGIN, RELATION, INSERT, INSERT, COMMIT],
        );
        assert_eq!(
            words(&sql),
            ["BEGIN", "PREPARE", "EXECUTE", "EXECUTE", "COMMIT"]
        );
    }

    #[test]
    fn the_checksum_of_a_segment_is_that_of_its_own_sql() {
        let keys = r#""lsn":"0/30","next":"000000010000000000000002""#;
        let lines = [BEGIN, RELATION, INSERT, COMMIT];
        let before = transform(&mut Transformer::default(), &lines);
        let mut checksum = Running::default();
        checksum.add(before.as_bytes());
        let of_a_segment = format!(
            "-- SWITCH WAL {{{keys},\"crc32\":\"{}\"}}\n",
            checksum.value()
        );
        let in_a_pipe = format!("-- SWITCH WAL {{{keys}}}\n");

        let lines = [&lines[..], &[SWITCH]].concat();
        let mut transformer = Transformer::default();
        assert_eq!(
            transform(&mut transformer, &lines),
            before.clone() + &in_a_pipe
        );
        for _ in 0..2 {
            transformer.begin_segment();
            assert_eq!(
                transform(&mut transformer, &lines),
                before.clone() + &of_a_segment
            );
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            Just(Value::Unchanged),
            "[0-3\\n\"]{0,2}".prop_map(Value::Text),
            any::<Vec<u8>>().prop_map(Value::Bytes),
        ]
    }

    /// A relation of a few columns, and rows that mostly fit it.
    fn rows_of_a_relation() -> impl Strategy<Value = (Relation, Vec<RowChange>)> {
        let column = (
            any::<bool>(),
            any::<bool>(),
            prop::sample::select(vec!["int4", "json"]),
        );
        let columns = proptest::collection::vec(column, 0..4);
        let identities = [
            Identity::Default,
            Identity::Full,
            Identity::Index,
            Identity::Nothing,
        ];
        let relation = (columns, prop::sample::select(identities.to_vec()));
        let relation = relation.prop_map(|(columns, identity)| Relation {
            rel: 1,
            schema: "public".into(),
            table: "t".into(),
            columns: (1..)
                .zip(columns)
                .map(|(at, (key, identity_always, type_name))| Column {
                    name: format!("c{at}"),
                    type_name: type_name.into(),
                    modifier: -1,
                    key,
                    identity_always,
                })
                .collect(),
            identity,
        });
        relation.prop_flat_map(|relation| {
            let width = relation.columns.len();
            let side = move || proptest::collection::vec(value(), width..=width);
            let operations = [Operation::Insert, Operation::Update, Operation::Delete];
            let operation = prop::sample::select(operations.to_vec());
            let row = (operation, proptest::option::of(side()), side(), 0..20);
            let row = row.prop_map(|(operation, old, mut new, odd)| {
                if odd == 0 {
                    new.push(Value::Null);
                }
                let (old, new) = match operation {
                    Operation::Insert => (old.filter(|_| odd == 1), Some(new)),
                    Operation::Update => (old, Some(new)),
                    Operation::Delete => (Some(new), old.filter(|_| odd == 2)),
                };
                let (xid, lsn, rel) = (5, Lsn::new(16), 1);
                RowChange {
                    operation,
                    xid,
                    lsn,
                    rel,
                    old,
                    new,
                }
            });
            (Just(relation), proptest::collection::vec(row, 1..30))
        })
    }

    fn json(event: &Event) -> Vec<u8> {
        let mut line = Vec::new();
        json_line::write(event, &mut line);
        line.pop();
        line
    }

    proptest! {
        #[test]
        fn rows_become_the_same_as_receive_writes_them_and_in_any_other_form(
            (relation, rows) in rows_of_a_relation(),
        ) {
            let (mut exact, mut other) = (Transformer::default(), Transformer::default());
            let (mut exact_sql, mut other_sql) = (Vec::new(), Vec::new());
            for line in [BEGIN.as_bytes(), &json(&Event::Relation(relation.clone()))] {
                exact.line(line, &mut exact_sql).expect("taken");
                other.line(line, &mut other_sql).expect("taken");
            }
            for row in rows {
                let line = json(&Event::Row(row.clone()));
                let as_written = exact.line(&line, &mut exact_sql);
                let as_read = other.write_other(&line, &mut other_sql);
                let told = |result: Result<(), TransformError>| result.err().map(|error| format!("{error:?}"));
                prop_assert_eq!(told(as_written), told(as_read));
                prop_assert_eq!(String::from_utf8_lossy(&exact_sql), String::from_utf8_lossy(&other_sql));
                // As if no row before had the shape of this one.
                let mut fresh = Described::new(relation.clone());
                let mut alone = Vec::new();
                if fresh.write(&Cells::default().of(&row), &mut alone).is_ok() {
                    let last = |sql: &[u8]| sql.rsplit(|byte| *byte == b'\n').nth(1).map(<[u8]>::to_vec);
                    let written = !alone.is_empty();
                    prop_assert!(!written || last(&alone) == last(&exact_sql));
                }
            }
        }
    }

    #[test]
    fn what_does_not_follow_is_an_error() {
        let mut sql = Vec::new();
        let mut transformer = Transformer::default();
        assert!(matches!(
            transformer.line(INSERT.as_bytes(), &mut sql),
            Err(TransformError::Outside("row"))
        ));
        transformer.line(BEGIN.as_bytes(), &mut sql).expect("begin");
        assert!(matches!(
            transformer.line(INSERT.as_bytes(), &mut sql),
            Err(TransformError::UnknownRelation(1))
        ));
    }
}
