//! The tables, indexes and sequences of the source.
//!
//! Not listed: what belongs to an extension (CREATE EXTENSION makes it), system schemas, and the
//! schema `pgflit`. Partitioned tables have no rows of their own; their partitions are listed.

use std::collections::HashMap;

use super::restore_list::{Objects, PG_CLASS};
use super::sizes::Sizes;
use crate::base::QualifiedName;
use crate::base::ident::{quote_ident, quote_literal};
use crate::pg::{Error, Session};
use crate::store::{Capture, ConstraintRow, IndexRow, TableRow};

/// The condition on `n.nspname` and `c.oid` that leaves out what is not the user's.
pub(crate) const USERS_OWN: &str =
    "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgflit')
    AND NOT EXISTS (SELECT FROM pg_depend d
                     WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                       AND d.deptype = 'e')";

/// The tables whose rows are copied, biggest first.
pub async fn tables(source: &Session, sizes: Sizes) -> Result<Vec<TableRow>, Error> {
    let generated = match source.server_version().major() {
        12.. => "AND a.attgenerated = ''",
        _ => "",
    };
    let bytes = sizes.of_table("c");
    let sql = format!(
        "SELECT c.oid, n.nspname::text, c.relname::text, {bytes},
                greatest(c.reltuples, 0)::bigint,
                ARRAY(SELECT a.attname::text FROM pg_attribute a
                       WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped {generated}
                       ORDER BY a.attnum),
                CASE WHEN c.relpersistence <> 'p' THEN 'nothing'
                     WHEN c.relreplident = 'f' THEN 'rows'
                     WHEN c.relreplident = 'n' THEN 'inserts'
                     WHEN EXISTS (SELECT FROM pg_index i
                                   WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate
                                     AND CASE c.relreplident WHEN 'd' THEN i.indisprimary
                                                             ELSE i.indisreplident END) THEN 'rows'
                     ELSE 'inserts' END,
                pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid)
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind = 'r' AND c.relpersistence IN ('p', 'u') AND {USERS_OWN}
          ORDER BY 4 DESC, 1"
    );
    let rows = source.query(&sql, &[]).await?;
    Ok(rows
        .iter()
        .map(|row| TableRow {
            oid: row.get(0),
            name: QualifiedName::new(row.get::<_, String>(1), row.get::<_, String>(2)),
            bytes: count(row.get(3)),
            estimated_rows: count(row.get(4)),
            columns: row.get(5),
            capture: match row.get::<_, &str>(6) {
                "rows" => Capture::Rows,
                "inserts" => Capture::InsertsOnly,
                _ => Capture::Nothing,
            },
            uncaptured: count(row.get(7)),
        })
        .collect())
}

/// The names of the tables that [`tables`] lists, by OID.
pub async fn table_names(source: &Session) -> Result<HashMap<u32, QualifiedName>, Error> {
    let sql = format!(
        "SELECT c.oid, n.nspname::text, c.relname::text
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind = 'r' AND c.relpersistence IN ('p', 'u') AND {USERS_OWN}"
    );
    let rows = source.query(&sql, &[]).await?;
    let name = |row: &tokio_postgres::Row| {
        QualifiedName::new(row.get::<_, String>(1), row.get::<_, String>(2))
    };
    Ok(rows.iter().map(|row| (row.get(0), name(row))).collect())
}

/// The names of what pg_dump locks, partitioned tables included, but for the schemas `left_out`.
pub async fn lockable_tables(source: &Session, left_out: &[String]) -> Result<Vec<String>, Error> {
    let sql = format!(
        "SELECT format('%I.%I', n.nspname, c.relname)
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND {USERS_OWN}
            AND n.nspname <> ALL ($1::text[]) ORDER BY c.oid"
    );
    let rows = source.query(&sql, &[&left_out]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// A count that PostgreSQL keeps as a signed number and may not know.
fn count(number: Option<i64>) -> u64 {
    number.unwrap_or(0).max(0).cast_unsigned()
}

/// What pg_dump writes with an index besides clustering and replica identity: statistics targets
/// of its expressions, and extensions it goes with.
const EXTRA_OF_INDEX: &str = "
    ARRAY(SELECT format('ALTER INDEX %I.%I ALTER COLUMN %s SET STATISTICS %s',
                        n.nspname, x.relname, a.attnum, a.attstattarget)
            FROM pg_attribute a
           WHERE a.attrelid = x.oid AND a.attstattarget >= 0 ORDER BY a.attnum)
    || ARRAY(SELECT format('ALTER INDEX %I.%I DEPENDS ON EXTENSION %I',
                           n.nspname, x.relname, e.extname)
               FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
              WHERE d.classid = 'pg_class'::regclass AND d.objid = x.oid AND d.deptype = 'x'
                AND d.refclassid = 'pg_extension'::regclass)";

/// The indexes that a failed CREATE INDEX CONCURRENTLY or REINDEX has left behind: nobody uses
/// them, and pg_dump passes them over.
pub async fn invalid_indexes(source: &Session) -> Result<Vec<QualifiedName>, Error> {
    let sql = format!(
        "SELECT n.nspname::text, x.relname::text
           FROM pg_index i
           JOIN pg_class x ON x.oid = i.indexrelid
           JOIN pg_class c ON c.oid = i.indrelid
           JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind = 'r' AND NOT i.indisvalid AND {USERS_OWN}
          ORDER BY 1, 2"
    );
    let rows = source.query(&sql, &[]).await?;
    let name = |row: &tokio_postgres::Row| {
        QualifiedName::new(row.get::<_, String>(0), row.get::<_, String>(1))
    };
    Ok(rows.iter().map(name).collect())
}

/// The valid indexes of the tables that [`tables`] lists, biggest first.
///
/// `with_tablespaces` is whether they are to stand in the tablespace that they stand in here.
pub async fn indexes(
    source: &Session,
    sizes: Sizes,
    with_tablespaces: bool,
) -> Result<Vec<IndexRow>, Error> {
    let bytes = sizes.of_index("x");
    let period = match source.server_version().major() {
        18.. => "coalesce(k.conperiod, false)",
        _ => "false",
    };
    let sql = format!(
        "SELECT i.indexrelid, i.indrelid, n.nspname::text, x.relname::text, c.relname::text,
                {bytes}, pg_get_indexdef(i.indexrelid),
                k.oid, k.conname::text, k.contype::text, pg_get_constraintdef(k.oid),
                k.condeferrable, k.condeferred, i.indisclustered,
                i.indisreplident AND c.relreplident = 'i', {period}, {EXTRA_OF_INDEX},
                (SELECT spcname::text FROM pg_tablespace s WHERE s.oid = x.reltablespace AND $1)
           FROM pg_index i
           JOIN pg_class x ON x.oid = i.indexrelid
           JOIN pg_class c ON c.oid = i.indrelid
           JOIN pg_namespace n ON n.oid = c.relnamespace
           LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid
                                    AND k.contype IN ('p', 'u', 'x')
          WHERE c.relkind = 'r' AND c.relpersistence IN ('p', 'u') AND i.indisvalid AND {USERS_OWN}
          ORDER BY 6 DESC, 1"
    );
    let rows = source.query(&sql, &[&with_tablespaces]).await?;
    Ok(rows.iter().map(index_of).collect())
}

fn index_of(row: &tokio_postgres::Row) -> IndexRow {
    let name = QualifiedName::new(row.get::<_, String>(2), row.get::<_, String>(3));
    let table = QualifiedName::new(&name.schema, row.get::<_, String>(4)).quoted();
    // As pg_dump has it: the clause's place is in the middle of a definition. It holds for the
    // transaction that the statements run in together.
    let in_tablespace = match row.get::<_, Option<String>>(17) {
        None => String::new(),
        Some(name) => format!("SET LOCAL default_tablespace = {};\n", quote_literal(&name)),
    };
    let definition = format!("{in_tablespace}{}", row.get::<_, String>(6));
    let kind: Option<String> = row.get(9);
    let is_period: bool = row.get(15);
    // Such a constraint makes its index itself: ALTER TABLE has no USING INDEX for it.
    let makes_index = kind.as_deref() == Some("x") || is_period;
    let mut extra_sql: Vec<String> = row.get(16);
    if row.get(13) {
        extra_sql.push(format!(
            "ALTER TABLE {table} CLUSTER ON {}",
            quote_ident(&name.name)
        ));
    }
    if row.get(14) {
        let index = quote_ident(&name.name);
        extra_sql.push(format!(
            "ALTER TABLE ONLY {table} REPLICA IDENTITY USING INDEX {index}"
        ));
    }
    let constraint = kind.map(|kind| {
        let constraint_name: String = row.get(8);
        let add = format!(
            "ALTER TABLE ONLY {table} ADD CONSTRAINT {}",
            quote_ident(&constraint_name)
        );
        let sql = if makes_index {
            format!("{in_tablespace}{add} {}", row.get::<_, String>(10))
        } else {
            let unique = if kind == "p" { "PRIMARY KEY" } else { "UNIQUE" };
            let deferred = match (row.get(11), row.get(12)) {
                (true, true) => " DEFERRABLE INITIALLY DEFERRED",
                (true, false) => " DEFERRABLE",
                (false, _) => "",
            };
            format!(
                "{add} {unique} USING INDEX {}{deferred}",
                quote_ident(&name.name)
            )
        };
        ConstraintRow {
            oid: row.get(7),
            name: constraint_name,
            sql,
        }
    });
    IndexRow {
        oid: row.get(0),
        table_oid: row.get(1),
        bytes: count(row.get(5)),
        sql: (!makes_index).then_some(definition),
        constraint,
        extra_sql,
        name,
    }
}

/// A sequence and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// Its OID on the source.
    pub oid: u32,
    /// Its name.
    pub name: QualifiedName,
    /// The value last given out, or the first to come.
    pub last_value: i64,
    /// Whether `last_value` was given out.
    pub is_called: bool,
}

/// How many sequences are read by one statement.
const SEQUENCES_AT_ONCE: usize = 200;

/// The sequences of the source, as they are now, by name, without those among `left_out`:
/// sequences know no snapshots.
pub async fn sequences(source: &Session, left_out: &Objects) -> Result<Vec<Sequence>, Error> {
    let sql = format!(
        "SELECT c.oid, n.nspname::text, c.relname::text
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind = 'S' AND c.relpersistence IN ('p', 'u') AND {USERS_OWN}
          ORDER BY 2, 3"
    );
    let rows = source.query(&sql, &[]).await?;
    let names = rows.iter().map(|row| {
        let name = QualifiedName::new(row.get::<_, String>(1), row.get::<_, String>(2));
        (row.get::<_, u32>(0), name)
    });
    let names = names.filter(|(oid, _)| !left_out.contains(&(PG_CLASS, *oid)));
    let names: Vec<_> = names.collect();
    let mut sequences = Vec::with_capacity(names.len());
    for names in names.chunks(SEQUENCES_AT_ONCE) {
        let states = (0..).zip(names).map(|(place, (_, name))| {
            let sequence = name.quoted();
            format!("SELECT {place}::int4, last_value, is_called FROM {sequence}")
        });
        let states: Vec<_> = states.collect();
        let sql = format!("{} ORDER BY 1", states.join(" UNION ALL "));
        let states = source.query(&sql, &[]).await?;
        let sequence =
            |((oid, name), state): (&(u32, QualifiedName), &tokio_postgres::Row)| Sequence {
                oid: *oid,
                name: name.clone(),
                last_value: state.get(1),
                is_called: state.get(2),
            };
        sequences.extend(names.iter().zip(&states).map(sequence));
    }
    Ok(sequences)
}

/// Tables, views and the like that are the user's own; for a target, what is in the way.
pub async fn user_relations(session: &Session) -> Result<Vec<QualifiedName>, Error> {
    let sql = format!(
        "SELECT n.nspname::text, c.relname::text
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND {USERS_OWN}
          ORDER BY 1, 2"
    );
    let rows = session.query(&sql, &[]).await?;
    let name = |row: &tokio_postgres::Row| {
        QualifiedName::new(row.get::<_, String>(0), row.get::<_, String>(1))
    };
    Ok(rows.iter().map(name).collect())
}
