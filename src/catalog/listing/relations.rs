//! Tables, indexes and sequences, with what people ask about them.

use serde::Serialize;

use crate::catalog::discovery::USERS_OWN;
use crate::pg::{Error, Session};

/// A table that holds rows, or a materialized view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Table {
    /// Its OID.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// What the statistics say; none if there are none.
    pub estimated_rows: Option<i64>,
    /// Its size, TOAST included, without indexes.
    pub bytes: i64,
    /// Whether it has a primary key.
    pub has_primary_key: bool,
    /// Why it is not copied; none if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
}

/// The tables that hold rows, biggest first.
pub async fn tables(source: &Session) -> Result<Vec<Table>, Error> {
    let sql = format!(
        "SELECT c.oid, n.nspname::text, c.relname::text,
                CASE WHEN c.reltuples > 0 OR c.relpages > 0 THEN c.reltuples::bigint END,
                coalesce(pg_table_size(c.oid), 0),
                EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind = 'r' AND c.relpersistence IN ('p', 'u') AND {USERS_OWN}
          ORDER BY 5 DESC, 2, 3"
    );
    let rows = source.query(&sql, &[]).await?;
    let table = |row: &tokio_postgres::Row| Table {
        oid: row.get(0),
        schema: row.get(1),
        name: row.get(2),
        estimated_rows: row.get(3),
        bytes: row.get(4),
        has_primary_key: row.get(5),
        left_out: None,
    };
    Ok(rows.iter().map(table).collect())
}

/// An index, with the constraint it supports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Index {
    /// Its OID.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// The OID of its table.
    pub table_oid: u32,
    /// Its table, which is in the same schema.
    pub table: String,
    /// Its size.
    pub bytes: i64,
    /// Whether queries use it: a failed CREATE INDEX CONCURRENTLY leaves one that they do not.
    pub is_valid: bool,
    /// What creates it.
    pub definition: String,
    /// The constraint it supports.
    pub constraint: Option<String>,
    /// And that one's definition.
    pub constraint_definition: Option<String>,
}

/// The indexes of tables of every kind and of materialized views, by schema and name.
pub async fn indexes(source: &Session) -> Result<Vec<Index>, Error> {
    let sql = format!(
        "SELECT i.indexrelid, n.nspname::text, x.relname::text, c.oid, c.relname::text,
                coalesce(pg_relation_size(x.oid), 0), i.indisvalid, pg_get_indexdef(x.oid),
                k.conname::text, pg_get_constraintdef(k.oid)
           FROM pg_index i
           JOIN pg_class x ON x.oid = i.indexrelid
           JOIN pg_class c ON c.oid = i.indrelid
           JOIN pg_namespace n ON n.oid = c.relnamespace
           LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid
                                    AND k.contype IN ('p', 'u', 'x')
          WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence IN ('p', 'u') AND {USERS_OWN}
          ORDER BY 2, 5, 3"
    );
    let rows = source.query(&sql, &[]).await?;
    let index = |row: &tokio_postgres::Row| Index {
        oid: row.get(0),
        schema: row.get(1),
        name: row.get(2),
        table_oid: row.get(3),
        table: row.get(4),
        bytes: row.get(5),
        is_valid: row.get(6),
        definition: row.get(7),
        constraint: row.get(8),
        constraint_definition: row.get(9),
    };
    Ok(rows.iter().map(index).collect())
}

/// A sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sequence {
    /// Its OID.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// The column that owns it: `schema.table.column`, quoted where needed.
    pub owned_by: Option<String>,
    /// Whether that is an identity column.
    pub is_identity: bool,
    /// The value last given out; none if there was none, or if the role may not read it.
    pub last_value: Option<i64>,
}

/// How many sequences are asked at once: each stays locked until the statement has ended, and a
/// server has room for some thousand locks.
const SEQUENCES_AT_ONCE: usize = 200;

/// The sequences, by schema and name. Not to be called in a transaction.
pub async fn sequences(source: &Session) -> Result<Vec<Sequence>, Error> {
    let sql = format!(
        "SELECT c.oid, n.nspname::text, c.relname::text,
                CASE WHEN o.oid IS NOT NULL THEN format('%I.%I.%I', s.nspname, o.relname, a.attname) END,
                coalesce(d.deptype = 'i', false)
           FROM pg_class c
           JOIN pg_namespace n ON n.oid = c.relnamespace
           LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
                                AND d.objsubid = 0 AND d.refclassid = 'pg_class'::regclass
                                AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
           LEFT JOIN pg_class o ON o.oid = d.refobjid
           LEFT JOIN pg_namespace s ON s.oid = o.relnamespace
           LEFT JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = d.refobjsubid
          WHERE c.relkind = 'S' AND c.relpersistence IN ('p', 'u') AND {USERS_OWN}
          ORDER BY 2, 3"
    );
    let rows = source.query(&sql, &[]).await?;
    let sequence = |row: &tokio_postgres::Row| Sequence {
        oid: row.get(0),
        schema: row.get(1),
        name: row.get(2),
        owned_by: row.get(3),
        is_identity: row.get(4),
        last_value: None,
    };
    let mut sequences: Vec<_> = rows.iter().map(sequence).collect();
    for some in sequences.chunks_mut(SEQUENCES_AT_ONCE) {
        let oids: Vec<_> = some.iter().map(|sequence| sequence.oid).collect();
        let values = "SELECT CASE WHEN has_sequence_privilege(oid, 'USAGE, SELECT')
                                  THEN pg_sequence_last_value(oid) END
                        FROM unnest($1::oid[]) WITH ORDINALITY AS s (oid, place) ORDER BY place";
        let values = source.query(values, &[&oids]).await?;
        for (sequence, row) in some.iter_mut().zip(&values) {
            sequence.last_value = row.get(0);
        }
    }
    Ok(sequences)
}
