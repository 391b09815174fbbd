//! The source's catalog as it was when the schema was dumped.

use crate::base::{KeyRange, QualifiedName};

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

/// A part of a table that is copied in several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartRow {
    /// Of which table.
    pub table_oid: u32,
    /// Which part, from 0.
    pub number: u32,
    /// SQL: which of the table's rows.
    pub condition: String,
    /// Ranges of a key, which mean the same under every snapshot; not so ranges of ctid.
    pub by_key: bool,
    /// The range, where a change of a row tells in which part the row is.
    pub range: Option<KeyRange>,
    /// Its size on the source, estimated.
    pub bytes: u64,
}

fn key_range_json(range: &KeyRange) -> String {
    serde_json::to_string(range).unwrap_or_default()
}

impl Store {
    /// Writes the catalog, replacing what was there.
    pub fn set_catalog(&mut self, tables: &[TableRow], indexes: &[IndexRow]) -> Result<(), Error> {
        self.write("writing the catalog", |transaction| {
            transaction.execute_batch(
                "DELETE FROM part_copy; DELETE FROM index_build; DELETE FROM source_part;
                 DELETE FROM source_index; DELETE FROM source_table;",
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

    /// Writes the parts of the tables that are copied in several, replacing what was there for
    /// these tables.
    pub fn set_parts(&mut self, parts: &[PartRow]) -> Result<(), Error> {
        self.write("writing the parts", |transaction| {
            let mut delete = transaction.prepare("DELETE FROM source_part WHERE table_oid = ?1")?;
            let mut insert =
                transaction.prepare("INSERT INTO source_part VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            for part in parts {
                if part.number == 0 {
                    delete.execute([part.table_oid])?;
                }
                insert.execute((
                    part.table_oid,
                    part.number,
                    &part.condition,
                    part.by_key,
                    part.bytes.cast_signed(),
                    part.range.as_ref().map(key_range_json),
                ))?;
            }
            Ok(())
        })
    }

    /// The parts of the tables that are copied in several, in order.
    pub fn parts(&self) -> Result<Vec<PartRow>, Error> {
        self.read("reading the parts", |connection| {
            let mut statement = connection.prepare(
                "SELECT table_oid, part, condition, by_key, bytes, key_range
                   FROM source_part ORDER BY table_oid, part",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(PartRow {
                    table_oid: row.get(0)?,
                    number: row.get(1)?,
                    condition: row.get(2)?,
                    by_key: row.get(3)?,
                    bytes: row.get::<_, i64>(4)?.cast_unsigned(),
                    // One that cannot be read is none: the table is then copied again as a whole.
                    range: row
                        .get::<_, Option<String>>(5)?
                        .and_then(|text| serde_json::from_str(&text).ok()),
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
