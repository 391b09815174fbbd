//! The SQL that does to a target's row what happened to the source's.
//!
//! | case | statement |
//! |---|---|
//! | insert | all columns, `OVERRIDING SYSTEM VALUE` |
//! | update | SET what the stream carries, without untouched TOAST, identity-always columns and an unchanged key; identity-always columns are compared instead |
//! | key | the replica identity: old values where the stream has them, else the new ones |
//! | FULL | all columns; exactly one of rows that are alike, by its `ctid` |
//! | null in a key | `IS NULL` |
//! | types whose `=` is missing or calls different texts equal, under FULL | their text compared |

use crate::cdc::change::{Column, Identity, Operation, Relation};
use crate::cdc::sql_line::{Prepare, Shape, compares_exactly, ident};

use super::exact::{Cell, Row};

/// A statement for rows of one shape.
pub(super) struct Statement<'a> {
    relation: &'a Relation,
    operation: Operation,
    /// Of one description of a relation, the same text always has the same columns and key.
    pub(super) sql: String,
    /// The column each parameter is for, in order.
    columns: Vec<&'a Column>,
    /// Which parameters identify the row.
    key: Vec<usize>,
    /// What each parameter is in the row.
    pub(super) sources: Vec<Source>,
    /// The values that are written at the moment.
    side: Side,
}

/// Where in a row a parameter's value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Source {
    side: Side,
    /// Counted from 0.
    column: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Old,
    New,
}

impl Source {
    /// The value in `row`, which has the shape that the statement was made for.
    pub(super) fn cell(self, row: &Row<'_>) -> Cell {
        let cells = match self.side {
            Side::Old => row.old,
            Side::New => row.new,
        };
        let cell = cells.and_then(|cells| cells.get(self.column));
        cell.copied().unwrap_or(Cell::Unchanged)
    }
}

/// Why a row cannot be written as SQL.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// The line has more or fewer values than its relation has columns.
    #[error("a row of {table} with {values} values where the relation has {columns} columns")]
    Width {
        /// The relation.
        table: String,
        /// Values in the line.
        values: usize,
        /// Columns in the relation.
        columns: usize,
    },
    /// An update or delete of a table that has nothing to find the row by.
    #[error("{command} on {table}, which has no replica identity")]
    NoIdentity {
        /// What happened.
        command: &'static str,
        /// The relation.
        table: String,
    },
    /// The stream does not carry a value that the statement cannot do without.
    #[error("{command} on {table} does not carry column \"{column}\"")]
    NotCarried {
        /// What happened.
        command: &'static str,
        /// The relation.
        table: String,
        /// The column.
        column: String,
    },
    /// UPDATE cannot set such a column, and the stream says that it changed.
    #[error(
        "UPDATE on {table} changes \"{column}\", which is GENERATED ALWAYS AS IDENTITY on the target"
    )]
    IdentityChanged {
        /// The relation.
        table: String,
        /// The column.
        column: String,
    },
}

/// Appends to `shape` what of `row` decides what its statement is, besides its relation; of two rows
/// with the same, the statement is the same.
pub(super) fn shape_of(relation: &Relation, row: &Row<'_>, shape: &mut Vec<u8>) {
    let full = relation.identity == Identity::Full;
    shape.push(match (row.operation, row.old) {
        (Operation::Insert, _) => b'I',
        (Operation::Update, None) => b'u',
        (Operation::Update, Some(_)) => b'U',
        (Operation::Delete, _) => b'D',
    });
    // NULL matters where the row is found by it.
    let found_by = row
        .old
        .or(row.new.filter(|_| row.operation == Operation::Update));
    for side in [row.old, row.new].into_iter().flatten() {
        let finds = found_by.is_some_and(|found_by| std::ptr::eq(found_by, side));
        let cells = side.iter().zip(&relation.columns);
        shape.extend(cells.map(|(cell, column)| match cell {
            Cell::Unchanged => b'-',
            Cell::Null if finds && (full || column.key) => b'0',
            Cell::Null | Cell::Json { .. } => b'1',
        }));
    }
}

/// Whether `row` can be a row of `relation`, and an UPDATE can do what it says. What its statement
/// is does not depend on it.
pub(super) fn check(relation: &Relation, row: &Row<'_>) -> Result<(), RowError> {
    for side in [row.old, row.new].into_iter().flatten() {
        if side.len() != relation.columns.len() {
            return Err(RowError::Width {
                table: display(relation),
                values: side.len(),
                columns: relation.columns.len(),
            });
        }
    }
    let (Operation::Update, Some(old), Some(new)) = (row.operation, row.old, row.new) else {
        return Ok(());
    };
    for (column, (before, value)) in relation.columns.iter().zip(old.iter().zip(new)) {
        let is_kept = column.identity_always && column.key && *value != Cell::Unchanged;
        if is_kept && !row.same(*before, *value) {
            return Err(RowError::IdentityChanged {
                table: display(relation),
                column: column.name.clone(),
            });
        }
    }
    Ok(())
}

/// The statement for `row` of `relation`, which was checked; none if there is nothing to write (an
/// update of nothing that can be set).
pub(super) fn for_row<'a>(
    relation: &'a Relation,
    row: &Row<'_>,
) -> Result<Option<Statement<'a>>, RowError> {
    let mut builder = Statement::new(relation, row.operation);
    let new = row.new.unwrap_or_default();
    match row.operation {
        Operation::Insert => builder.insert(new)?,
        Operation::Update => {
            let mut set = builder.set_list(row.old.is_some(), new);
            if set.is_empty() {
                let Some(itself) = builder.set_nothing() else {
                    return Ok(None);
                };
                set.push(itself);
            }
            let table = builder.table();
            let mut found = match row.old {
                Some(old) => builder.find(Side::Old, old)?,
                None => builder.find(Side::New, new)?,
            };
            found.push_str(&builder.identities_unchanged(new));
            builder.sql = format!("UPDATE ONLY {table} SET {} WHERE {found}", set.join(", "));
        }
        Operation::Delete => {
            let table = builder.table();
            let found = builder.find(Side::Old, row.old.unwrap_or_default())?;
            builder.sql = format!("DELETE FROM ONLY {table} WHERE {found}");
        }
    }
    Ok(Some(builder))
}

fn display(relation: &Relation) -> String {
    crate::base::QualifiedName::new(&relation.schema, &relation.table).to_string()
}

impl<'a> Statement<'a> {
    fn new(relation: &'a Relation, operation: Operation) -> Self {
        Self {
            relation,
            operation,
            sql: String::new(),
            columns: Vec::new(),
            key: Vec::new(),
            sources: Vec::new(),
            side: Side::New,
        }
    }

    fn table(&self) -> String {
        format!(
            "{}.{}",
            ident(&self.relation.schema),
            ident(&self.relation.table)
        )
    }

    /// Takes the value of the column `at` as the next parameter and gives its placeholder.
    fn parameter(&mut self, at: usize, identifies: bool) -> String {
        let relation = self.relation;
        if identifies {
            self.key.push(self.sources.len());
        }
        self.columns.extend(relation.columns.get(at));
        self.sources.push(Source {
            side: self.side,
            column: at,
        });
        format!("${}", self.sources.len())
    }

    fn not_carried(&self, column: &Column) -> RowError {
        RowError::NotCarried {
            command: self.operation.command(),
            table: display(self.relation),
            column: column.name.clone(),
        }
    }

    fn insert(&mut self, new: &[Cell]) -> Result<(), RowError> {
        let relation = self.relation;
        let keyed = matches!(relation.identity, Identity::Default | Identity::Index);
        let mut names = Vec::new();
        let mut placeholders = Vec::new();
        for (at, (column, value)) in relation.columns.iter().zip(new).enumerate() {
            if *value == Cell::Unchanged {
                return Err(self.not_carried(column));
            }
            names.push(ident(&column.name));
            placeholders.push(self.parameter(at, keyed && column.key));
        }
        let table = self.table();
        self.sql = match names.is_empty() {
            true => format!("INSERT INTO {table} DEFAULT VALUES"),
            false => format!(
                "INSERT INTO {table} ({}) OVERRIDING SYSTEM VALUE VALUES ({})",
                names.join(", "),
                placeholders.join(", ")
            ),
        };
        Ok(())
    }

    fn set_list(&mut self, has_old: bool, new: &[Cell]) -> Vec<String> {
        let relation = self.relation;
        let mut set = Vec::new();
        for (at, (column, value)) in relation.columns.iter().zip(new).enumerate() {
            // Without old values the key has not changed.
            let same_key = column.key && relation.identity != Identity::Full && !has_old;
            if *value == Cell::Unchanged || same_key || column.identity_always {
                continue;
            }
            let placeholder = self.parameter(at, false);
            set.push(format!("{} = {placeholder}", ident(&column.name)));
        }
        set
    }

    /// What an UPDATE sets that changes nothing: the row must still be there.
    fn set_nothing(&self) -> Option<String> {
        let mut columns = self.relation.columns.iter();
        let column = columns.find(|column| !column.identity_always)?;
        let name = ident(&column.name);
        Some(format!("{name} = {name}"))
    }

    /// UPDATE cannot set a `GENERATED ALWAYS AS IDENTITY` column, so outside the key it must have
    /// the new value already. If the source gave it another (`SET column = DEFAULT`), no row is
    /// found, which apply takes for the error that it is.
    fn identities_unchanged(&mut self, new: &[Cell]) -> String {
        let relation = self.relation;
        self.side = Side::New;
        let full = relation.identity == Identity::Full;
        let mut conditions = String::new();
        for (at, (column, value)) in relation.columns.iter().zip(new).enumerate() {
            if column.identity_always && (full || !column.key) && *value != Cell::Unchanged {
                let placeholder = self.parameter(at, false);
                conditions.push_str(&format!(" AND {} = {placeholder}", ident(&column.name)));
            }
        }
        conditions
    }

    /// The condition that finds the row whose identity is in `row`, the values of that side.
    fn find(&mut self, side: Side, row: &[Cell]) -> Result<String, RowError> {
        let relation = self.relation;
        self.side = side;
        let full = relation.identity == Identity::Full;
        let mut conditions = Vec::new();
        for (at, (column, value)) in relation.columns.iter().zip(row).enumerate() {
            if !column.key && !full {
                continue;
            }
            let name = ident(&column.name);
            conditions.push(match value {
                Cell::Unchanged => return Err(self.not_carried(column)),
                Cell::Null => format!("{name} IS NULL"),
                Cell::Json { .. } => {
                    let placeholder = self.parameter(at, true);
                    // concat writes a value as COPY does; casts of some types (inet) do not.
                    match full && !compares_exactly(&column.type_name) {
                        true => format!("concat({name}) = {placeholder}"),
                        false => format!("{name} = {placeholder}"),
                    }
                }
            });
        }
        if relation.identity == Identity::Nothing || conditions.is_empty() {
            return Err(RowError::NoIdentity {
                command: self.operation.command(),
                table: display(relation),
            });
        }
        let conditions = conditions.join(" AND ");
        Ok(match full {
            true => format!(
                "ctid = (SELECT ctid FROM ONLY {} WHERE {conditions} LIMIT 1)",
                self.table()
            ),
            false => conditions,
        })
    }

    /// Its line before the first use.
    pub(super) fn prepare(&self) -> Prepare {
        let columns = || self.columns.iter();
        let shape = Shape {
            op: self.operation,
            schema: self.relation.schema.clone(),
            table: self.relation.table.clone(),
            identity: self.relation.identity,
            columns: columns().map(|column| column.name.clone()).collect(),
            types: columns().map(|column| column.type_name.clone()).collect(),
            modifiers: columns().map(|column| column.modifier).collect(),
            key: self.key.clone(),
        };
        Prepare::new(self.sql.clone(), shape)
    }
}

#[cfg(test)]
mod tests {
    use super::super::exact::Cells;
    use super::*;
    use crate::base::Lsn;
    use crate::cdc::change::{RowChange, Value};

    fn relation(identity: Identity, columns: &[(&str, &str, bool)]) -> Relation {
        Relation {
            rel: 1,
            schema: "public".into(),
            table: "t".into(),
            columns: columns
                .iter()
                .map(|(name, type_name, key)| Column {
                    name: (*name).into(),
                    type_name: (*type_name).into(),
                    modifier: -1,
                    key: *key,
                    identity_always: *name == "always",
                })
                .collect(),
            identity,
        }
    }

    fn row(operation: Operation, old: Option<Vec<Value>>, new: Option<Vec<Value>>) -> RowChange {
        RowChange {
            operation,
            xid: 1,
            lsn: Lsn::new(1),
            rel: 1,
            old,
            new,
        }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    fn sql(relation: &Relation, row: &RowChange) -> (String, Vec<Value>) {
        let mut cells = Cells::default();
        let row = cells.of(row);
        check(relation, &row).expect("a row");
        let statement = for_row(relation, &row)
            .expect("a statement")
            .expect("something to do");
        let values = statement.sources.iter().map(|source| {
            let json = row.json(source.cell(&row));
            serde_json::from_slice(json).expect("a value")
        });
        (statement.sql.clone(), values.collect())
    }

    fn refused(relation: &Relation, row: &RowChange) -> Option<RowError> {
        let mut cells = Cells::default();
        let row = cells.of(row);
        let checked = check(relation, &row);
        checked
            .and_then(|()| for_row(relation, &row).map(|_| ()))
            .err()
    }

    #[test]
    fn an_untouched_toast_value_is_left_out_of_set() {
        let relation = relation(
            Identity::Default,
            &[
                ("id", "int4", true),
                ("big", "text", false),
                ("n", "int4", false),
            ],
        );
        let row = row(
            Operation::Update,
            None,
            Some(vec![text("1"), Value::Unchanged, Value::Null]),
        );
        let (sql, values) = sql(&relation, &row);
        assert_eq!(
            sql,
            r#"UPDATE ONLY "public"."t" SET "n" = $1 WHERE "id" = $2"#
        );
        assert_eq!(values, vec![Value::Null, text("1")]);
    }

    #[test]
    fn an_update_of_the_key_finds_the_row_by_the_old_key() {
        let relation = relation(
            Identity::Default,
            &[("id", "int4", true), ("n", "int4", false)],
        );
        let row = row(
            Operation::Update,
            Some(vec![text("1"), Value::Null]),
            Some(vec![text("2"), text("7")]),
        );
        let (sql, values) = sql(&relation, &row);
        assert_eq!(
            sql,
            r#"UPDATE ONLY "public"."t" SET "id" = $1, "n" = $2 WHERE "id" = $3"#
        );
        assert_eq!(values, vec![text("2"), text("7"), text("1")]);
    }

    #[test]
    fn full_changes_exactly_one_row_and_compares_text_where_equality_is_not_exact() {
        let relation = relation(
            Identity::Full,
            &[
                ("a", "int4", true),
                ("j", "json", true),
                ("n", "numeric", true),
            ],
        );
        let row = row(
            Operation::Delete,
            Some(vec![text("1"), text("{}"), Value::Null]),
            None,
        );
        let (sql, values) = sql(&relation, &row);
        assert_eq!(
            sql,
            r#"DELETE FROM ONLY "public"."t" WHERE ctid = (SELECT ctid FROM ONLY "public"."t" WHERE "a" = $1 AND concat("j") = $2 AND "n" IS NULL LIMIT 1)"#
        );
        assert_eq!(values, vec![text("1"), text("{}")]);
    }

    #[test]
    fn identity_always_columns_are_inserted_and_never_set() {
        let relation = relation(
            Identity::Default,
            &[("always", "int4", true), ("n", "int4", false)],
        );
        let insert = row(Operation::Insert, None, Some(vec![text("1"), text("2")]));
        assert_eq!(
            sql(&relation, &insert).0,
            r#"INSERT INTO "public"."t" ("always", "n") OVERRIDING SYSTEM VALUE VALUES ($1, $2)"#
        );
        let moved = row(
            Operation::Update,
            Some(vec![text("1"), Value::Null]),
            Some(vec![text("3"), text("2")]),
        );
        assert!(matches!(
            refused(&relation, &moved),
            Some(RowError::IdentityChanged { .. })
        ));
    }

    #[test]
    fn what_cannot_be_found_is_an_error_never_a_guess() {
        let nothing = relation(Identity::Nothing, &[("a", "int4", false)]);
        let update = row(Operation::Update, None, Some(vec![text("1")]));
        assert!(matches!(
            refused(&nothing, &update),
            Some(RowError::NoIdentity { .. })
        ));
        let keyless = relation(Identity::Default, &[("a", "int4", false)]);
        let delete = row(Operation::Delete, Some(vec![text("1")]), None);
        assert!(matches!(
            refused(&keyless, &delete),
            Some(RowError::NoIdentity { .. })
        ));
        let narrow = row(Operation::Insert, None, Some(vec![]));
        assert!(matches!(
            refused(&keyless, &narrow),
            Some(RowError::Width { .. })
        ));
        let toast = relation(Identity::Full, &[("a", "text", true)]);
        let unknown = row(
            Operation::Update,
            Some(vec![Value::Unchanged]),
            Some(vec![text("1")]),
        );
        assert!(matches!(
            refused(&toast, &unknown),
            Some(RowError::NotCarried { .. })
        ));
    }
}
