//! At the end: whether partitions of the same name hold the same rows on both sides.
//!
//! Changes name the partition that they are in on the source. Where the target's has other bounds,
//! a row that does not belong there is refused, and one that is elsewhere is not found; but to
//! empty it empties other rows than on the source, and nothing says so.

use std::collections::HashMap;

use crate::base::QualifiedName;
use crate::catalog::ledger;
use crate::clone::schema::Side;
use crate::pg::{self, Session};
use crate::store::{Capture, TableRow};

use super::error::{MigrationError, on_source, on_target};

/// Partitions by name: whose they are, and with which bounds, up to the root.
const BOUNDS: &str = "
    WITH RECURSIVE above (oid, parent, bounds) AS (
        SELECT c.oid, i.inhparent,
               format('%s %s', i.inhparent::regclass, pg_get_expr(c.relpartbound, c.oid))
          FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
         WHERE c.relispartition AND c.relkind = 'r'
        UNION ALL
        SELECT above.oid, i.inhparent, format('%s, %s %s', above.bounds, i.inhparent::regclass,
                                              pg_get_expr(p.relpartbound, p.oid))
          FROM above
          JOIN pg_class p ON p.oid = above.parent AND p.relispartition
          JOIN pg_inherits i ON i.inhrelid = p.oid)
    SELECT DISTINCT ON (above.oid) n.nspname::text, c.relname::text, above.bounds
      FROM above
      JOIN pg_class c ON c.oid = above.oid
      JOIN pg_namespace n ON n.oid = c.relnamespace
     ORDER BY above.oid, length(above.bounds) DESC";

async fn bounds(session: &Session) -> Result<HashMap<QualifiedName, String>, pg::Error> {
    let rows = session.query(BOUNDS, &[]).await?;
    let named = |row: &tokio_postgres::Row| {
        let (schema, name): (String, String) = (row.get(0), row.get(1));
        (QualifiedName::new(schema, name), row.get(2))
    };
    Ok(rows.iter().map(named).collect())
}

/// The first captured partition that has other bounds on the target: theirs and ours.
fn difference<'a>(
    known: &'a [TableRow],
    there: &'a HashMap<QualifiedName, String>,
    here: &'a HashMap<QualifiedName, String>,
) -> Option<(&'a QualifiedName, &'a str, &'a str)> {
    let captured = known.iter();
    let captured = captured.filter(|table| table.capture != Capture::Nothing);
    let both = captured.filter_map(|table| {
        let name = &table.name;
        Some((name, there.get(name)?.as_str(), here.get(name)?.as_str()))
    });
    both.into_iter().find(|(_, there, here)| there != here)
}

/// What somebody says on the target who knows that none was emptied, or has mended its rows.
const SEEN: &str = "partitions are others";

/// Whether each partition of `known` has the bounds on the target that it has on the source.
pub(super) async fn check(
    source: &Session,
    target: &Session,
    known: &[TableRow],
) -> Result<(), MigrationError> {
    let there = bounds(source).await;
    let there = there.map_err(on_source("looking at its partitions"))?;
    let failed = || on_target("looking at its partitions");
    let here = bounds(target).await.map_err(failed())?;
    let Some((table, there, here)) = difference(known, &there, &here) else {
        return Ok(());
    };
    ledger::create(target).await.map_err(failed())?;
    if ledger::step_is_done(target, SEEN).await.map_err(failed())? {
        return Ok(());
    }
    Err(MigrationError::Refused {
        side: Some(Side::Target),
        problem: format!(
            "partition {table} is of {there} on the source, and of {here} on the target: a TRUNCATE of it empties other rows there"
        ),
        hint: format!(
            "if no partition was truncated since the migration began, or once the rows are the \
             same, say so on the target: {}; and go on with --resume",
            ledger::note_step_sql(SEEN)
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_captured_partitions_of_both_sides_are_held_against_each_other() {
        let table = |name: &str, capture| TableRow {
            oid: 1,
            name: QualifiedName::new("public", name),
            columns: vec![],
            bytes: 0,
            estimated_rows: 0,
            capture,
            uncaptured: 0,
        };
        let known = [
            table("same", Capture::Rows),
            table("unlogged", Capture::Nothing),
            table("plain", Capture::Rows),
            table("other", Capture::InsertsOnly),
        ];
        let sides = |of_other: &str| {
            let named = |(name, bounds): (&str, &str)| {
                (QualifiedName::new("public", name), bounds.to_owned())
            };
            HashMap::from([("same", "a"), ("unlogged", of_other), ("other", of_other)].map(named))
        };
        let (there, here) = (sides("p 1"), sides("p 2"));
        assert_eq!(difference(&known, &there, &there), None);
        let found = difference(&known, &there, &here);
        assert_eq!(found, Some((&known[3].name, "p 1", "p 2")));
    }
}
