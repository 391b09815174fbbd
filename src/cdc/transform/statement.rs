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

use crate::cdc::change::{Column, Identity, Operation, Relation, RowChange, Value};
use crate::cdc::sql_line::{Prepare, Shape, compares_exactly, ident};

/// A statement and its values for one row.
pub(super) struct Statement<'a> {
    relation: &'a Relation,
    operation: Operation,
    /// Of one description of a relation, the same text always has the same columns and key.
    pub(super) sql: String,
    /// The column each parameter is for, in order.
    columns: Vec<&'a Column>,
    /// Which parameters identify the row.
    key: Vec<usize>,
    pub(super) values: Vec<Value>,
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

/// The statement for `row` of `relation`; none if there is nothing to write (an update of
/// nothing that can be set).
pub(super) fn for_row<'a>(
    relation: &'a Relation,
    row: &RowChange,
) -> Result<Option<Statement<'a>>, RowError> {
    for side in [&row.old, &row.new].into_iter().flatten() {
        if side.len() != relation.columns.len() {
            return Err(RowError::Width {
                table: display(relation),
                values: side.len(),
                columns: relation.columns.len(),
            });
        }
    }
    let mut builder = Statement::new(relation, row.operation);
    let empty = Vec::new();
    let new = row.new.as_ref().unwrap_or(&empty);
    match row.operation {
        Operation::Insert => builder.insert(new)?,
        Operation::Update => {
            let mut set = builder.set_list(row.old.as_deref(), new)?;
            if set.is_empty() {
                let Some(itself) = builder.set_nothing() else {
                    return Ok(None);
                };
                set.push(itself);
            }
            let table = builder.table();
            let mut found = builder.find(row.old.as_deref().unwrap_or(new))?;
            found.push_str(&builder.identities_unchanged(new));
            builder.sql = format!("UPDATE ONLY {table} SET {} WHERE {found}", set.join(", "));
        }
        Operation::Delete => {
            let table = builder.table();
            let found = builder.find(row.old.as_deref().unwrap_or(&empty))?;
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
            values: Vec::new(),
        }
    }

    fn table(&self) -> String {
        format!(
            "{}.{}",
            ident(&self.relation.schema),
            ident(&self.relation.table)
        )
    }

    /// Takes `value` as the next parameter and gives its placeholder.
    fn parameter(&mut self, column: &'a Column, value: &Value, identifies: bool) -> String {
        if identifies {
            self.key.push(self.values.len());
        }
        self.columns.push(column);
        self.values.push(value.clone());
        format!("${}", self.values.len())
    }

    fn not_carried(&self, column: &Column) -> RowError {
        RowError::NotCarried {
            command: self.operation.command(),
            table: display(self.relation),
            column: column.name.clone(),
        }
    }

    fn insert(&mut self, new: &[Value]) -> Result<(), RowError> {
        let relation = self.relation;
        let keyed = matches!(relation.identity, Identity::Default | Identity::Index);
        let mut names = Vec::new();
        let mut placeholders = Vec::new();
        for (column, value) in relation.columns.iter().zip(new) {
            if *value == Value::Unchanged {
                return Err(self.not_carried(column));
            }
            names.push(ident(&column.name));
            placeholders.push(self.parameter(column, value, keyed && column.key));
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

    fn set_list(&mut self, old: Option<&[Value]>, new: &[Value]) -> Result<Vec<String>, RowError> {
        let relation = self.relation;
        let mut set = Vec::new();
        for (at, (column, value)) in relation.columns.iter().zip(new).enumerate() {
            let before = old.map(|old| &old[at]);
            // Without old values the key has not changed.
            let same_key = column.key && relation.identity != Identity::Full && before.is_none();
            if *value == Value::Unchanged || same_key {
                continue;
            }
            if column.identity_always {
                if column.key && before.is_some_and(|before| before != value) {
                    return Err(RowError::IdentityChanged {
                        table: display(relation),
                        column: column.name.clone(),
                    });
                }
                continue;
            }
            let placeholder = self.parameter(column, value, false);
            set.push(format!("{} = {placeholder}", ident(&column.name)));
        }
        Ok(set)
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
    fn identities_unchanged(&mut self, new: &[Value]) -> String {
        let relation = self.relation;
        let full = relation.identity == Identity::Full;
        let mut conditions = String::new();
        for (column, value) in relation.columns.iter().zip(new) {
            if column.identity_always && (full || !column.key) && *value != Value::Unchanged {
                let placeholder = self.parameter(column, value, false);
                conditions.push_str(&format!(" AND {} = {placeholder}", ident(&column.name)));
            }
        }
        conditions
    }

    /// The condition that finds the row whose identity is in `row`.
    fn find(&mut self, row: &[Value]) -> Result<String, RowError> {
        let relation = self.relation;
        let full = relation.identity == Identity::Full;
        let mut conditions = Vec::new();
        for (column, value) in relation.columns.iter().zip(row) {
            if !column.key && !full {
                continue;
            }
            let name = ident(&column.name);
            conditions.push(match value {
                Value::Unchanged => return Err(self.not_carried(column)),
                Value::Null => format!("{name} IS NULL"),
                value => {
                    let placeholder = self.parameter(column, value, true);
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
    use super::*;
    use crate::base::Lsn;

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
        let statement = for_row(relation, row)
            .expect("a statement")
            .expect("something to do");
        (statement.sql, statement.values)
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
            for_row(&relation, &moved),
            Err(RowError::IdentityChanged { .. })
        ));
    }

    #[test]
    fn what_cannot_be_found_is_an_error_never_a_guess() {
        let nothing = relation(Identity::Nothing, &[("a", "int4", false)]);
        let update = row(Operation::Update, None, Some(vec![text("1")]));
        assert!(matches!(
            for_row(&nothing, &update),
            Err(RowError::NoIdentity { .. })
        ));
        let keyless = relation(Identity::Default, &[("a", "int4", false)]);
        let delete = row(Operation::Delete, Some(vec![text("1")]), None);
        assert!(matches!(
            for_row(&keyless, &delete),
            Err(RowError::NoIdentity { .. })
        ));
        let narrow = row(Operation::Insert, None, Some(vec![]));
        assert!(matches!(
            for_row(&keyless, &narrow),
            Err(RowError::Width { .. })
        ));
        let toast = relation(Identity::Full, &[("a", "text", true)]);
        let unknown = row(
            Operation::Update,
            Some(vec![Value::Unchanged]),
            Some(vec![text("1")]),
        );
        assert!(matches!(
            for_row(&toast, &unknown),
            Err(RowError::NotCarried { .. })
        ));
    }
}
