//! The source's catalog as it was when the schema was dumped, and the copy of each table.

use crate::base::QualifiedName;

use super::database::now;
use super::{Error, Store};

/// What of a table change capture can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capture {
    /// It has a replica identity: every change.
    Rows,
    /// It has none: inserts and truncates only.
    InsertsOnly,
    /// It is unlogged: nothing.
    Nothing,
}

impl Capture {
    const fn word(self) -> &'static str {
        match self {
            Capture::Rows => "rows",
            Capture::InsertsOnly => "inserts",
            Capture::Nothing => "nothing",
        }
    }

    fn of_word(word: &str) -> Self {
        match word {
            "rows" => Capture::Rows,
            "inserts" => Capture::InsertsOnly,
            _ => Capture::Nothing,
        }
    }
}

/// A table whose rows are copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRow {
    /// Its OID on the source.
    pub oid: u32,
    /// Its name.
    pub name: QualifiedName,
    /// The columns COPY moves: all but generated ones.
    pub columns: Vec<String>,
    /// Its size on the source, TOAST included, without indexes.
    pub bytes: u64,
    /// What the source's statistics say.
    pub estimated_rows: u64,
    /// What can be captured of it.
    pub capture: Capture,
    /// Updates and deletes the source had counted on it when the slot was made.
    pub uncaptured: u64,
}

/// An index that pgflit builds itself, or a constraint with its index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexRow {
    /// Its OID on the source.
    pub oid: u32,
    /// Of which table.
    pub table_oid: u32,
    /// Its name.
    pub name: QualifiedName,
    /// Its size on the source.
    pub bytes: u64,
    /// `CREATE INDEX …`; none if adding the constraint makes it.
    pub sql: Option<String>,
    /// The constraint it supports.
    pub constraint: Option<ConstraintRow>,
    /// What belongs to it and pg_dump writes with it: clustering, replica identity.
    pub extra_sql: Vec<String>,
}

/// A constraint that an index supports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConstraintRow {
    /// Its OID on the source.
    pub oid: u32,
    /// Its name.
    pub name: String,
    /// `ALTER TABLE … ADD CONSTRAINT …`.
    pub sql: String,
}

/// How the copy of a table went.
#[derive(Debug, Clone, PartialEq)]
pub struct TableCopy {
    /// Its name.
    pub name: QualifiedName,
    /// Rows moved.
    pub rows: u64,
    /// Bytes of COPY data moved.
    pub bytes: u64,
    /// How long.
    pub seconds: f64,
}

impl Store {
    /// Writes the catalog, replacing what was there.
    pub fn set_catalog(&mut self, tables: &[TableRow], indexes: &[IndexRow]) -> Result<(), Error> {
        self.write("writing the catalog", |transaction| {
            transaction.execute_batch(
                "DELETE FROM table_copy; DELETE FROM source_part; DELETE FROM source_index;
                 DELETE FROM source_table;",
            )?;
            let mut insert = transaction
                .prepare("INSERT INTO source_table VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
            for table in tables {
                let columns = serde_json::to_string(&table.columns).unwrap_or_default();
                insert.execute((
                    table.oid,
                    &table.name.schema,
                    &table.name.name,
                    columns,
                    table.bytes.cast_signed(),
                    table.estimated_rows.cast_signed(),
                    table.capture.word(),
                    table.uncaptured.cast_signed(),
                ))?;
            }
            let mut insert = transaction.prepare(
                "INSERT INTO source_index VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?;
            for index in indexes {
                let constraint = index.constraint.as_ref();
                insert.execute((
                    index.oid,
                    index.table_oid,
                    &index.name.schema,
                    &index.name.name,
                    index.bytes.cast_signed(),
                    index.sql.as_deref().unwrap_or(""),
                    constraint.map(|constraint| constraint.oid),
                    constraint.map(|constraint| &constraint.name),
                    constraint.map(|constraint| &constraint.sql),
                    serde_json::to_string(&index.extra_sql).unwrap_or_default(),
                ))?;
            }
            Ok(())
        })
    }

    /// The tables whose rows are copied, biggest first.
    pub fn tables(&self) -> Result<Vec<TableRow>, Error> {
        self.read("reading the catalog", |connection| {
            let mut statement = connection.prepare(
                "SELECT oid, schema, name, columns, bytes, estimated_rows, capture, uncaptured
                   FROM source_table ORDER BY bytes DESC, oid",
            )?;
            let rows = statement.query_map([], |row| {
                let columns: String = row.get(3)?;
                let capture: String = row.get(6)?;
                Ok(TableRow {
                    oid: row.get(0)?,
                    name: QualifiedName::new(row.get::<_, String>(1)?, row.get::<_, String>(2)?),
                    columns: json_list(3, &columns)?,
                    bytes: row.get::<_, i64>(4)?.cast_unsigned(),
                    estimated_rows: row.get::<_, i64>(5)?.cast_unsigned(),
                    capture: Capture::of_word(&capture),
                    uncaptured: row.get::<_, i64>(7)?.cast_unsigned(),
                })
            })?;
            rows.collect()
        })
    }

    /// The indexes that pgflit builds, biggest first.
    pub fn indexes(&self) -> Result<Vec<IndexRow>, Error> {
        self.read("reading the catalog", |connection| {
            let mut statement = connection.prepare(
                "SELECT oid, table_oid, schema, name, bytes, sql, constraint_oid, constraint_name,
                        constraint_sql, extra_sql
                   FROM source_index ORDER BY bytes DESC, oid",
            )?;
            let rows = statement.query_map([], |row| {
                let sql: String = row.get(5)?;
                let extra: String = row.get(9)?;
                let constraint = match row.get::<_, Option<u32>>(6)? {
                    None => None,
                    Some(oid) => Some(ConstraintRow {
                        oid,
                        name: row.get(7)?,
                        sql: row.get(8)?,
                    }),
                };
                Ok(IndexRow {
                    oid: row.get(0)?,
                    table_oid: row.get(1)?,
                    name: QualifiedName::new(row.get::<_, String>(2)?, row.get::<_, String>(3)?),
                    bytes: row.get::<_, i64>(4)?.cast_unsigned(),
                    sql: (!sql.is_empty()).then_some(sql),
                    constraint,
                    extra_sql: json_list(9, &extra)?,
                })
            })?;
            rows.collect()
        })
    }

    /// A table's copy begins, or begins again.
    pub fn begin_table_copy(&mut self, table_oid: u32, epoch: u32) -> Result<(), Error> {
        self.write("beginning a table", |transaction| {
            transaction.execute(
                "INSERT INTO table_copy (table_oid, begun_at, epoch) VALUES (?1, ?2, ?3)
                 ON CONFLICT (table_oid) DO UPDATE SET begun_at = ?2, epoch = ?3, finished_at = NULL",
                (table_oid, now(), epoch),
            )
        })
        .map(drop)
    }

    /// A table's copy is committed on the target.
    pub fn finish_table_copy(
        &mut self,
        table_oid: u32,
        rows: u64,
        bytes: u64,
    ) -> Result<(), Error> {
        self.write("finishing a table", |transaction| {
            transaction.execute(
                "UPDATE table_copy SET finished_at = ?2, copied_rows = ?3, copied_bytes = ?4
                  WHERE table_oid = ?1",
                (table_oid, now(), rows.cast_signed(), bytes.cast_signed()),
            )
        })
        .map(drop)
    }

    /// The tables copied so far, biggest first.
    pub fn table_copies(&self) -> Result<Vec<TableCopy>, Error> {
        self.read("reading the copies", |connection| {
            let mut statement = connection.prepare(
                "SELECT schema, name, copied_rows, copied_bytes, finished_at - begun_at
                   FROM table_copy JOIN source_table ON oid = table_oid
                  WHERE finished_at IS NOT NULL ORDER BY copied_bytes DESC, oid",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(TableCopy {
                    name: QualifiedName::new(row.get::<_, String>(0)?, row.get::<_, String>(1)?),
                    rows: row.get::<_, i64>(2)?.cast_unsigned(),
                    bytes: row.get::<_, i64>(3)?.cast_unsigned(),
                    seconds: row.get(4)?,
                })
            })?;
            rows.collect()
        })
    }
}

fn json_list(column: usize, text: &str) -> rusqlite::Result<Vec<String>> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    })
}
