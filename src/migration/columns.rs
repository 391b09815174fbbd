//! At the end: whether the target has the columns that the source has by now.
//!
//! Apply looks at a table when a change of it comes. One that was altered on the source and not
//! changed since would end with a column that the target lacks, or with values that its old type
//! does not hold.

use std::collections::HashMap;

use crate::base::QualifiedName;
use crate::base::Side;
use crate::cdc::apply::{SourceColumn, TargetColumns};
use crate::pg::{self, Address, Connection, Mode, Session};
use crate::store::{Capture, TableRow};

use super::error::{MigrationError, on_source, on_target, to_target};
use super::partitions::Places;

/// A table's columns in one text: equal on both sides, nothing more need be asked.
const DIGESTS: &str = "
    SELECT n.nspname, c.relname,
           md5(string_agg(a.attname || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod)
                          || coalesce(to_jsonb(a) ->> 'attgenerated', ''), ',' ORDER BY a.attname))
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     GROUP BY 1, 2";

/// The columns of one table: name, type as segments name it, the type under a domain, the limit,
/// whether it is generated.
const COLUMNS: &str = "
    SELECT a.attname,
           CASE n.nspname WHEN 'pg_catalog' THEN t.typname ELSE n.nspname || '.' || t.typname END,
           CASE bn.nspname WHEN 'pg_catalog' THEN b.typname ELSE bn.nspname || '.' || b.typname END,
           a.atttypmod,
           coalesce(to_jsonb(a) ->> 'attgenerated', '') <> ''
      FROM pg_catalog.pg_attribute a
      JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
      JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
      LEFT JOIN pg_catalog.pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
      LEFT JOIN pg_catalog.pg_namespace bn ON bn.oid = b.typnamespace
     WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
     ORDER BY a.attnum";

async fn digests(session: &Session) -> Result<HashMap<QualifiedName, String>, pg::Error> {
    let rows = session.query(DIGESTS, &[]).await?;
    let digest = |row: &tokio_postgres::Row| {
        let (schema, table): (String, String) = (row.get(0), row.get(1));
        (QualifiedName::new(schema, table), row.get(2))
    };
    Ok(rows.iter().map(digest).collect())
}

/// Whether each table of `known` that is captured has on the target what the source's has now.
pub(super) async fn check(
    (source, target, address): (&Session, &Session, &Address),
    known: &[TableRow],
    places: &Places,
) -> Result<(), MigrationError> {
    let failed_there = || on_source("looking at its columns");
    let failed_here = || on_target("looking at its columns");
    let on_source = digests(source).await.map_err(failed_there())?;
    let on_target = digests(target).await.map_err(failed_here())?;
    let differs = |table: &&TableRow| {
        table.capture != Capture::Nothing
            && on_source.contains_key(&table.name)
            && on_source.get(&table.name) != on_target.get(places.of(&table.name))
    };
    let mut connection = None;
    for table in known.iter().filter(differs) {
        let connection = match &mut connection {
            Some(connection) => connection,
            none => none.insert(
                Connection::open(address, Mode::Sql, "finish")
                    .await
                    .map_err(to_target(address))?,
            ),
        };
        let columns = TargetColumns::ask(connection, places.of(&table.name)).await;
        let columns = columns.map_err(failed_here())?;
        let rows = source.query(COLUMNS, &[&table.oid]).await;
        for row in rows.map_err(failed_there())? {
            let column = SourceColumn {
                name: row.get(0),
                type_name: row.get(1),
                below: row.get(2),
                modifier: row.get(3),
                generated: row.get(4),
            };
            if let Some(problem) = columns.misfit(&column) {
                return Err(MigrationError::Refused {
                    side: Some(Side::Target),
                    problem: format!(
                        "{} was altered on the source meanwhile, and not on the target: {problem}",
                        table.name
                    ),
                    hint: "alter the target as the source was altered (what that does to rows that are there included), then go on with --resume"
                        .to_owned(),
                });
            }
        }
    }
    Ok(())
}
