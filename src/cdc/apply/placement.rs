//! Which table of the target a change is written to: where that is partitioned otherwise than the
//! source, one above the partition that the change names. Which one is said in
//! [`crate::catalog::partitions`].
//!
//! The rows of several partitions are then in one table, so a change becomes one of that table
//! before it is held against others; whether the copy contains it is asked by the partition.

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::QualifiedName;
use crate::catalog::partitions::{Placed, places_of, question};
use crate::cdc::change::Operation;
use crate::cdc::sql_line::{Prepare, Shape, StatementId, ident};
use crate::store::Partition;

use super::applier::Applier;
use super::error::ApplyError;
use super::expect::Change;

/// The partitions of the source, and where their rows are on the target, as far as that was asked.
#[derive(Debug, Default)]
pub(super) struct Placement {
    partitions: HashMap<QualifiedName, Partition>,
    placed: HashMap<QualifiedName, Placed>,
    /// The statements of the segment, and what is run instead.
    statements: HashMap<StatementId, Arc<Prepare>>,
}

impl Placement {
    pub(super) fn of(partitions: Vec<Partition>) -> Self {
        let partitions = partitions.into_iter();
        Self {
            partitions: partitions.map(|it| (it.itself.table(), it)).collect(),
            placed: HashMap::new(),
            statements: HashMap::new(),
        }
    }

    /// Whether the source has no partitions.
    pub(super) fn is_plain(&self) -> bool {
        self.partitions.is_empty()
    }

    /// A segment begins; it prepares its own statements again.
    pub(super) fn begin_segment(&mut self) {
        self.statements.clear();
    }

    /// What is run for a statement of the segment, as was noted.
    pub(super) fn statement(&self, id: StatementId) -> Option<&Arc<Prepare>> {
        self.statements.get(&id)
    }

    pub(super) fn note_statement(&mut self, written: StatementId, here: Arc<Prepare>) {
        self.statements.insert(written, here);
    }

    pub(super) fn forget(&mut self, id: StatementId) -> Option<Arc<Prepare>> {
        self.statements.remove(&id)
    }

    /// All that the source had when the migration began.
    pub(super) fn partitions(&self) -> impl Iterator<Item = &Partition> {
        self.partitions.values()
    }

    /// The partition of that name, if the source has it.
    pub(super) fn partition(&self, table: &QualifiedName) -> Option<&Partition> {
        self.partitions.get(table)
    }

    /// Where its rows are, as was noted.
    pub(super) fn known(&self, table: &QualifiedName) -> Option<&Placed> {
        self.placed.get(table)
    }

    pub(super) fn note(&mut self, table: QualifiedName, placed: Placed) {
        // There may be thousands: the first tells.
        if placed.is_shared && !self.placed.values().any(|known| known.is_shared) {
            let here = &placed.table;
            tracing::info!(
                "the target is partitioned otherwise: changes of {table} are written to {here}"
            );
        }
        self.placed.insert(table, placed);
    }
}

impl Applier {
    /// Makes `change` one of the table that has the rows on the target.
    pub(super) async fn place(&mut self, change: &mut Change) -> Result<(), ApplyError> {
        if self.placement.is_plain() {
            return Ok(());
        }
        let here = match self.placement.statement(change.prepare.id) {
            Some(here) => Arc::clone(here),
            None => {
                let here = self.placed(&change.prepare).await?;
                self.placement
                    .note_statement(change.prepare.id, Arc::clone(&here));
                here
            }
        };
        if here.id != change.prepare.id {
            change.written = Some(std::mem::replace(&mut change.prepare, here));
        }
        Ok(())
    }

    /// The statement of a change for the table of the target that has the rows.
    async fn placed(&mut self, written: &Arc<Prepare>) -> Result<Arc<Prepare>, ApplyError> {
        let table = &written.table;
        let Some(partition) = self.placement.partition(table) else {
            return Ok(Arc::clone(written));
        };
        if let Some(placed) = self.placement.known(table) {
            return Ok(on_table(written, partition, placed));
        }
        let partitions = [partition];
        let rows = self.writer.target.ask(&question(&partitions)).await?;
        let Some(placed) = places_of(&partitions, rows).pop() else {
            return Ok(Arc::clone(written));
        };
        let here = on_table(written, partition, &placed);
        self.placement.note(table.clone(), placed);
        Ok(here)
    }
}

/// The statement of a change of `partition` as it is run on the table that has its rows.
///
/// Where that has the rows of others, which may have the same keys, the row is looked for within the
/// partition's bounds. A key that two rows have where bounds do not tell is an error by itself.
pub(super) fn on_table(
    written: &Arc<Prepare>,
    partition: &Partition,
    placed: &Placed,
) -> Arc<Prepare> {
    let table = &placed.table;
    if written.table == *table {
        return Arc::clone(written);
    }
    let named = |schema: &str, name: &str| format!("{}.{}", ident(schema), ident(name));
    let (from, to) = (
        named(&written.shape.schema, &written.shape.table),
        named(&table.schema, &table.name),
    );
    let shape = Shape {
        schema: table.schema.clone(),
        table: table.name.clone(),
        ..written.shape.clone()
    };
    // Columns stand without their table, and inside quotes every quote is doubled, so nothing else
    // can look like this.
    let mut sql = written.sql.replace(&from, &to);
    let bounds = partition.itself.bounds.as_deref().unwrap_or_default();
    let finds = matches!(shape.op, Operation::Update | Operation::Delete);
    if finds && partition.has_own_key && partition.is_exact && !bounds.is_empty() {
        sql.push_str(&format!(" AND ({bounds})"));
    }
    Arc::new(Prepare::new(sql, shape))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cdc::change::Identity;
    use crate::store::Level;

    #[test]
    fn the_statement_is_that_of_the_table_above() {
        let written = |sql: &str, columns: &[&str]| {
            let columns: Vec<_> = columns.iter().map(|name| (*name).to_owned()).collect();
            let shape = Shape {
                op: Operation::Delete,
                schema: "s".into(),
                table: "leaf".into(),
                identity: Identity::Full,
                types: vec!["int4".into(); columns.len()],
                modifiers: vec![-1; columns.len()],
                columns,
                key: vec![0],
            };
            Arc::new(Prepare::new(sql.into(), shape))
        };
        let root = QualifiedName::new("s", "a \"root\"");
        let alike = r#"DELETE FROM ONLY "s"."leaf" WHERE ctid = (SELECT ctid FROM ONLY "s"."leaf" WHERE "s"".""leaf" = $1 LIMIT 1)"#;
        let level = |name: &str, bounds: Option<&str>| Level {
            schema: "s".into(),
            name: name.into(),
            bounds: bounds.map(str::to_owned),
        };
        let mut partition = Partition {
            itself: level("leaf", Some("(id < 10)")),
            parents: vec![level("a \"root\"", None)],
            is_exact: true,
            has_own_key: false,
            shown: String::new(),
        };
        let placed = |table: &QualifiedName| Placed {
            table: table.clone(),
            is_shared: true,
        };
        let moved = on_table(&written(alike, &["s\".\"leaf"]), &partition, &placed(&root));
        assert_eq!(
            moved.sql,
            r#"DELETE FROM ONLY "s"."a ""root""" WHERE ctid = (SELECT ctid FROM ONLY "s"."a ""root""" WHERE "s"".""leaf" = $1 LIMIT 1)"#
        );
        assert_eq!(moved.table, root);
        let same = written(alike, &["id"]);
        let here = placed(&same.table);
        assert!(Arc::ptr_eq(&on_table(&same, &partition, &here), &same));
        partition.has_own_key = true;
        let keyed = written(r#"DELETE FROM ONLY "s"."leaf" WHERE "id" = $1"#, &["id"]);
        assert_eq!(
            on_table(&keyed, &partition, &placed(&root)).sql,
            r#"DELETE FROM ONLY "s"."a ""root""" WHERE "id" = $1 AND ((id < 10))"#
        );
    }
}
