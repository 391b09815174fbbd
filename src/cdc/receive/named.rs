//! From what a plugin says by name to the events of segments.
//!
//! A row is taken only if the catalog explains it: the same columns, of the same types, in the same
//! order, and the same identity. What does not fit after the catalog was read again ends receive
//! with the table and the difference; nothing is guessed.

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::{Lsn, QualifiedName};
use crate::cdc::change::{
    Begin, Commit, Event, Identity, Message, Operation, Position, RowChange, Truncate, Value,
};
use crate::store::Capture;

use super::error::ReceiveError;
use super::modifier;
use super::said::{Cell, Said, TypeIs};
use super::source_tables::{SourceTable, SourceTables};

/// What the two plugins leave unsaid, each in its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// test_decoding. New rows are whole. Old ones come only where the identity changed, or all
    /// columns are it; their nulls are left out.
    TestDecoding,
    /// wal2json. Unchanged TOAST values of new rows are left out. Old ones always come.
    Wal2json,
}

/// Turns one into the other. Keeps the open transaction.
#[derive(Debug)]
pub(super) struct Named {
    dialect: Dialect,
    tables: SourceTables,
    /// A transaction of which nothing has been passed on yet.
    begun: Option<Begin>,
    /// The open transaction.
    xid: Option<u32>,
    /// What has been passed on of each table.
    described: HashMap<QualifiedName, Arc<SourceTable>>,
    /// Tables that one TRUNCATE reached, as long as more of them may follow.
    emptied: Option<Truncate>,
}

type Events = Vec<(Lsn, Event)>;

impl Named {
    pub(super) fn new(dialect: Dialect, tables: SourceTables) -> Self {
        Self {
            dialect,
            tables,
            begun: None,
            xid: None,
            described: HashMap::new(),
            emptied: None,
        }
    }

    pub(super) fn tables(&mut self) -> &mut SourceTables {
        &mut self.tables
    }

    /// Appends to `events` what `said`, which stands at `lsn`, comes to.
    ///
    /// A transaction in which nothing is captured comes to a keepalive.
    pub(super) fn take(
        &mut self,
        lsn: Lsn,
        said: Said,
        events: &mut Events,
    ) -> Result<(), ReceiveError> {
        if !matches!(said, Said::Truncate { .. }) {
            self.pass_emptied(events);
        }
        match said {
            Said::Begin {
                xid,
                commit_lsn,
                timestamp,
            } => {
                if let Some(open) = self.xid.replace(xid) {
                    return Err(ReceiveError::Order {
                        lsn,
                        problem: format!("transaction {xid} begins inside {open}"),
                    });
                }
                self.tables.begin(xid);
                self.begun = Some(Begin {
                    xid,
                    lsn,
                    commit_lsn,
                    timestamp,
                });
            }
            Said::Commit { xid, timestamp } => {
                if self.xid.take() != Some(xid) {
                    return Err(ReceiveError::Order {
                        lsn,
                        problem: format!("transaction {xid} ends and has not begun"),
                    });
                }
                events.push((
                    lsn,
                    match self.begun.take() {
                        Some(_) => Event::Keepalive(Position { lsn, timestamp }),
                        None => Event::Commit(Commit {
                            xid,
                            lsn,
                            timestamp,
                        }),
                    },
                ));
            }
            Said::Row {
                table,
                operation,
                old,
                new,
            } => {
                self.row(lsn, &table, operation, old, new, events)?;
            }
            Said::Truncate {
                tables,
                cascade,
                restart_identity,
            } => {
                self.truncate(lsn, &tables, (cascade, restart_identity), events)?;
            }
            Said::Message {
                transactional,
                prefix,
                content,
            } => {
                let xid = match transactional {
                    true => Some(self.pass_begin(lsn, events)?),
                    false => None,
                };
                events.push((
                    lsn,
                    Event::Message(Message {
                        xid,
                        lsn,
                        prefix,
                        transactional,
                        content,
                    }),
                ));
            }
        }
        Ok(())
    }

    /// The open transaction, whose beginning is passed on with its first change.
    fn pass_begin(&mut self, lsn: Lsn, events: &mut Events) -> Result<u32, ReceiveError> {
        if let Some(begin) = self.begun.take() {
            events.push((begin.lsn, Event::Begin(begin)));
        }
        let outside = || ReceiveError::Order {
            lsn,
            problem: "a change outside a transaction".into(),
        };
        self.xid.ok_or_else(outside)
    }

    fn pass_emptied(&mut self, events: &mut Events) {
        if let Some(truncate) = self.emptied.take() {
            events.push((truncate.lsn, Event::Truncate(truncate)));
        }
    }

    fn row(
        &mut self,
        lsn: Lsn,
        name: &QualifiedName,
        operation: Operation,
        old: Option<Vec<Cell>>,
        new: Option<Vec<Cell>>,
        events: &mut Events,
    ) -> Result<(), ReceiveError> {
        let mut fitted = None;
        let mut difference = String::new();
        for attempt in 0..2 {
            let Some((table, capture)) = self.tables.look_up(lsn, name)? else {
                return Ok(());
            };
            if capture == Capture::InsertsOnly && operation != Operation::Insert {
                return Err(ReceiveError::Uncaptured {
                    table: name.clone(),
                    operation,
                    lsn,
                });
            }
            match fit(
                self.dialect,
                &table,
                operation,
                old.as_deref(),
                new.as_deref(),
            ) {
                Ok(row) => {
                    fitted = Some((table, row));
                    break;
                }
                Err(found) => difference = found,
            }
            if attempt == 0 {
                self.tables.read_again(name)?;
            }
        }
        let Some((table, (old, new))) = fitted else {
            return Err(ReceiveError::Unexplained {
                table: name.clone(),
                operation,
                lsn,
                difference,
            });
        };
        let xid = self.pass_begin(lsn, events)?;
        self.describe(lsn, name, &table, events);
        let rel = table.oid;
        events.push((
            lsn,
            Event::Row(RowChange {
                operation,
                xid,
                lsn,
                rel,
                old,
                new,
            }),
        ));
        Ok(())
    }

    fn describe(
        &mut self,
        lsn: Lsn,
        name: &QualifiedName,
        table: &Arc<SourceTable>,
        events: &mut Events,
    ) {
        let before = self.described.get(name);
        if !before.is_some_and(|before| Arc::ptr_eq(before, table)) {
            self.described.insert(name.clone(), Arc::clone(table));
            events.push((lsn, Event::Relation(table.relation(name))));
        }
    }

    fn truncate(
        &mut self,
        lsn: Lsn,
        names: &[QualifiedName],
        (cascade, restart_identity): (bool, bool),
        events: &mut Events,
    ) -> Result<(), ReceiveError> {
        if self
            .emptied
            .as_ref()
            .is_some_and(|truncate| truncate.lsn != lsn)
        {
            self.pass_emptied(events);
        }
        for name in names {
            let Some((table, _)) = self.tables.look_up(lsn, name)? else {
                continue;
            };
            let xid = self.pass_begin(lsn, events)?;
            self.describe(lsn, name, &table, events);
            let truncate = self.emptied.get_or_insert_with(|| Truncate {
                xid,
                lsn,
                rels: Vec::new(),
                cascade,
                restart_identity,
            });
            truncate.rels.push(table.oid);
        }
        Ok(())
    }
}

type Sides = (Option<Vec<Value>>, Option<Vec<Value>>);

/// The values of a row by column position, without generated columns; or how it differs from
/// `table`.
fn fit(
    dialect: Dialect,
    table: &SourceTable,
    operation: Operation,
    old: Option<&[Cell]>,
    new: Option<&[Cell]>,
) -> Result<Sides, String> {
    let is_full = table.identity == Identity::Full;
    let new = new.map(|cells| {
        place(table, cells, |column| match dialect {
            Dialect::Wal2json if operation == Operation::Update && column.may_be_toasted => {
                Some(Value::Unchanged)
            }
            _ => None,
        })
    });
    let new = new.transpose()?;
    let old = old.map(|cells| {
        if !is_full
            && let Some(cell) = cells.iter().find(|cell| {
                !table
                    .columns
                    .iter()
                    .any(|column| column.is_key && column.name == cell.name)
            })
        {
            return Err(format!(
                "its identity has the column {:?}, which is not of the table's",
                cell.name
            ));
        }
        place(table, cells, |column| {
            let may_lack = match is_full {
                true => dialect == Dialect::TestDecoding,
                false => !column.is_key,
            };
            may_lack.then_some(Value::Null)
        })
    });
    let mut old = old.transpose()?;
    let has_key = table.columns.iter().any(|column| column.is_key);
    match (operation, &old) {
        (Operation::Insert, _) => {}
        (_, Some(_)) if !is_full && !has_key => {
            return Err("it has an identity, and the table has none".into());
        }
        (Operation::Update, None) if dialect == Dialect::TestDecoding && !is_full && has_key => {}
        (_, None) => return Err("it does not say which row it was".into()),
        _ => {}
    }
    // An identity that did not change is not repeated, as with the other plugins.
    if dialect == Dialect::Wal2json
        && operation == Operation::Update
        && !is_full
        && let (Some(before), Some(after)) = (&old, &new)
    {
        let columns = table.columns.iter().filter(|column| !column.is_generated);
        let mut keys = columns
            .zip(before.iter().zip(after))
            .filter(|(column, _)| column.is_key);
        if keys.all(|(_, (before, after))| before == after) {
            old = None;
        }
    }
    Ok((old, new))
}

/// `cells` by the position of their columns; `lacking` is what a column has that is not among them,
/// if that may be.
fn place(
    table: &SourceTable,
    cells: &[Cell],
    lacking: impl Fn(&super::source_tables::SourceColumn) -> Option<Value>,
) -> Result<Vec<Value>, String> {
    let mut cells = cells.iter().peekable();
    let mut values = Vec::with_capacity(table.columns.len());
    for column in &table.columns {
        let cell = cells.next_if(|cell| cell.name == column.name);
        if let Some(cell) = cell {
            let fits = match &cell.type_is {
                TypeIs::Named(name) => *name == column.type_name,
                TypeIs::Oid(oid) => *oid == column.type_oid,
            };
            if let Value::Text(text) = &cell.value
                && !modifier::allows(column.type_oid, column.modifier, text)
            {
                return Err(format!(
                    "its column {:?} is wider than the table's",
                    column.name
                ));
            }
            if !fits {
                let was = match &cell.type_is {
                    TypeIs::Named(name) => name.clone(),
                    TypeIs::Oid(oid) => format!("the type with OID {oid}"),
                };
                return Err(format!(
                    "its column {:?} is {was}, and the table's is {}",
                    column.name, column.type_name
                ));
            }
        }
        // Whether it is there depends on its kind and the server's version.
        if column.is_generated {
            continue;
        }
        let value = cell
            .map(|cell| cell.value.clone())
            .or_else(|| lacking(column));
        values.push(value.ok_or_else(|| match cells.peek() {
            Some(other) => format!(
                "it has {:?} where the table has the column {:?}",
                other.name, column.name
            ),
            None => format!("it lacks the table's column {:?}", column.name),
        })?);
    }
    match cells.next() {
        None => Ok(values),
        Some(cell) => Err(format!(
            "it has the column {:?}, which the table has not",
            cell.name
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cdc::receive::source_tables::SourceColumn;

    fn table(identity: Identity, key: &[&str]) -> SourceTable {
        let column = |name: &str, type_name: &str, type_oid| SourceColumn {
            name: name.into(),
            type_oid,
            type_name: type_name.into(),
            segment_type: type_name.into(),
            is_generated: name == "made",
            is_identity_always: false,
            may_be_toasted: type_oid == 25,
            is_key: key.contains(&name) || identity == Identity::Full,
            number: 1,
            modifier: -1,
        };
        SourceTable {
            oid: 7,
            identity,
            columns: vec![
                column("id", "integer", 23),
                column("made", "integer", 23),
                column("body", "text", 25),
                column("n", "integer", 23),
            ],
        }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    fn cells(dialect: Dialect, cells: &[(&str, Value)]) -> Vec<Cell> {
        cells
            .iter()
            .map(|(name, value)| Cell {
                name: (*name).into(),
                type_is: match (dialect, *name) {
                    (Dialect::Wal2json, "body") => TypeIs::Oid(25),
                    (Dialect::Wal2json, _) => TypeIs::Oid(23),
                    (_, "body") => TypeIs::Named("text".into()),
                    _ => TypeIs::Named("integer".into()),
                },
                value: value.clone(),
            })
            .collect()
    }

    const BOTH: [Dialect; 2] = [Dialect::TestDecoding, Dialect::Wal2json];

    #[test]
    fn generated_columns_are_left_out_whether_they_are_sent_or_not() {
        let table = table(Identity::Default, &["id"]);
        for dialect in BOTH {
            let mut row = vec![
                ("id", text("1")),
                ("made", text("2")),
                ("body", Value::Null),
                ("n", text("3")),
            ];
            for _ in 0..2 {
                let new = cells(dialect, &row);
                let fitted = fit(dialect, &table, Operation::Insert, None, Some(&new));
                let expected = vec![text("1"), Value::Null, text("3")];
                assert_eq!(fitted, Ok((None, Some(expected))));
                row.remove(1);
            }
        }
    }

    #[test]
    fn a_row_with_other_columns_is_refused() {
        let table = table(Identity::Default, &["id"]);
        let body = ("body", text("x"));
        for row in [
            vec![],
            vec![("id", text("1"))],
            vec![("id", text("1")), body.clone()],
            vec![("id", text("1")), ("n", text("1")), body.clone()],
            vec![
                ("id", text("1")),
                body.clone(),
                ("n", text("1")),
                ("more", text("1")),
            ],
            vec![("no", text("1")), body.clone(), ("n", text("1"))],
        ] {
            for dialect in BOTH {
                let new = cells(dialect, &row);
                let fitted = fit(dialect, &table, Operation::Insert, None, Some(&new));
                assert!(fitted.is_err(), "{row:?}");
            }
        }
        let mut new = cells(BOTH[0], &[("id", text("1")), body, ("n", text("1"))]);
        new[0].type_is = TypeIs::Named("bigint".into());
        let fitted = fit(BOTH[0], &table, Operation::Insert, None, Some(&new));
        assert!(fitted.is_err_and(|difference| difference.contains("bigint")));
    }

    #[test]
    fn only_a_value_that_may_be_toasted_may_be_lacking_and_only_in_an_update() {
        let table = table(Identity::Default, &["id"]);
        let dialect = Dialect::Wal2json;
        let new = cells(dialect, &[("id", text("1")), ("n", text("3"))]);
        let old = cells(dialect, &[("id", text("1"))]);
        let fitted = fit(dialect, &table, Operation::Update, Some(&old), Some(&new));
        let expected = vec![text("1"), Value::Unchanged, text("3")];
        assert_eq!(
            fitted,
            Ok((None, Some(expected))),
            "an identity that is the same is left out"
        );
        assert!(fit(dialect, &table, Operation::Insert, None, Some(&new)).is_err());
        let lacks_n = cells(dialect, &[("id", text("1")), ("body", text("x"))]);
        assert!(
            fit(
                dialect,
                &table,
                Operation::Update,
                Some(&old),
                Some(&lacks_n)
            )
            .is_err()
        );
    }

    #[test]
    fn an_identity_other_than_the_tables_is_refused() {
        for dialect in BOTH {
            let new = cells(
                dialect,
                &[("id", text("1")), ("body", Value::Null), ("n", text("3"))],
            );
            let by_id = cells(dialect, &[("id", text("0"))]);
            let by_both = cells(dialect, &[("id", text("0")), ("n", text("3"))]);
            let id = table(Identity::Default, &["id"]);
            let both = table(Identity::Index, &["id", "n"]);
            let full = table(Identity::Full, &[]);
            let none = table(Identity::Nothing, &[]);
            let keyless = table(Identity::Default, &[]);
            let fits = |table: &SourceTable, old: Option<&[Cell]>| {
                fit(dialect, table, Operation::Update, old, Some(&new)).is_ok()
            };
            assert!(fits(&id, Some(&by_id)) && fits(&both, Some(&by_both)));
            assert!(!fits(&id, Some(&by_both)) && !fits(&both, Some(&by_id)));
            assert!(!fits(&full, None) && !fits(&none, None) && !fits(&keyless, None));
            assert!(!fits(&none, Some(&by_id)) && !fits(&keyless, Some(&by_id)));
            assert_eq!(fits(&id, None), dialect == Dialect::TestDecoding);
            assert!(fit(dialect, &id, Operation::Delete, None, None).is_err());
        }
    }

    #[test]
    fn nulls_that_test_decoding_leaves_out_of_a_full_identity_are_nulls() {
        let full = table(Identity::Full, &[]);
        for (dialect, fits) in [(BOTH[0], true), (BOTH[1], false)] {
            let old = cells(dialect, &[("body", text("x"))]);
            let fitted = fit(dialect, &full, Operation::Delete, Some(&old), None);
            let expected = (Some(vec![Value::Null, text("x"), Value::Null]), None);
            assert_eq!(fitted.ok(), fits.then_some(expected));
        }
    }
}
