//! How far the copy is: parts of tables, and indexes.

use super::database::now;
use super::{Error, Store};
use crate::base::QualifiedName;

/// How far the copy of a part is.
#[derive(Debug, Clone, PartialEq)]
pub struct PartProgress {
    /// Of which table.
    pub table_oid: u32,
    /// Which part, from 0.
    pub part: u32,
    /// Under which epoch.
    pub epoch: u32,
    /// When the COPY began, in seconds since 1970.
    pub begun_at: f64,
    /// When it was committed.
    pub finished_at: Option<f64>,
    /// Rows moved; known when it is finished.
    pub rows: u64,
    /// Bytes moved so far.
    pub bytes: u64,
}

/// How far the build of an index is.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexProgress {
    /// Which.
    pub index_oid: u32,
    /// When it began, in seconds since 1970.
    pub begun_at: f64,
    /// When it was there.
    pub finished_at: Option<f64>,
}

/// How the copy of a table went.
#[derive(Debug, Clone, PartialEq)]
pub struct TableCopy {
    /// Its OID on the source.
    pub oid: u32,
    /// Its name.
    pub name: QualifiedName,
    /// Parts that are on the target.
    pub parts: u32,
    /// Rows moved.
    pub rows: u64,
    /// Bytes of COPY data moved.
    pub bytes: u64,
    /// The time of its parts together: with several at a time, more than passed.
    pub seconds: f64,
}

impl Store {
    /// Writes how far parts and indexes are, replacing what stood there of each.
    pub fn note_progress(
        &mut self,
        parts: &[PartProgress],
        indexes: &[IndexProgress],
    ) -> Result<(), Error> {
        self.write("writing progress", |transaction| {
            let mut insert = transaction.prepare(
                "INSERT OR REPLACE INTO part_copy
                 (table_oid, part, epoch, begun_at, finished_at, copied_rows, copied_bytes)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?;
            for part in parts {
                insert.execute((
                    part.table_oid,
                    part.part,
                    part.epoch,
                    part.begun_at,
                    part.finished_at,
                    part.rows.cast_signed(),
                    part.bytes.cast_signed(),
                ))?;
            }
            let mut insert = transaction.prepare(
                "INSERT OR REPLACE INTO index_build (index_oid, begun_at, finished_at)
                 VALUES (?1, ?2, ?3)",
            )?;
            for index in indexes {
                insert.execute((index.index_oid, index.begun_at, index.finished_at))?;
            }
            Ok(())
        })
    }

    /// How far each part is that was begun, finished or not.
    pub fn part_progress(&self) -> Result<Vec<PartProgress>, Error> {
        self.read("reading progress", |connection| {
            let mut statement = connection.prepare(
                "SELECT table_oid, part, epoch, begun_at, finished_at, copied_rows, copied_bytes
                   FROM part_copy ORDER BY table_oid, part",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(PartProgress {
                    table_oid: row.get(0)?,
                    part: row.get(1)?,
                    epoch: row.get(2)?,
                    begun_at: row.get(3)?,
                    finished_at: row.get(4)?,
                    rows: row.get::<_, i64>(5)?.cast_unsigned(),
                    bytes: row.get::<_, i64>(6)?.cast_unsigned(),
                })
            })?;
            rows.collect()
        })
    }

    /// How far each index is that was begun, finished or not.
    pub fn index_progress(&self) -> Result<Vec<IndexProgress>, Error> {
        self.read("reading progress", |connection| {
            let mut statement = connection.prepare(
                "SELECT index_oid, begun_at, finished_at FROM index_build ORDER BY index_oid",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(IndexProgress {
                    index_oid: row.get(0)?,
                    begun_at: row.get(1)?,
                    finished_at: row.get(2)?,
                })
            })?;
            rows.collect()
        })
    }

    /// The tables copied so far, or in part, biggest first.
    pub fn table_copies(&self) -> Result<Vec<TableCopy>, Error> {
        self.read("reading the copies", |connection| {
            let mut statement = connection.prepare(
                "SELECT oid, schema, name, count(*), sum(copied_rows), sum(copied_bytes) AS bytes,
                        sum(finished_at - begun_at)
                   FROM part_copy JOIN source_table ON oid = table_oid
                  WHERE finished_at IS NOT NULL
                  GROUP BY oid, schema, name ORDER BY bytes DESC, oid",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(TableCopy {
                    oid: row.get(0)?,
                    name: QualifiedName::new(row.get::<_, String>(1)?, row.get::<_, String>(2)?),
                    parts: row.get(3)?,
                    rows: row.get::<_, i64>(4)?.cast_unsigned(),
                    bytes: row.get::<_, i64>(5)?.cast_unsigned(),
                    seconds: row.get(6)?,
                })
            })?;
            rows.collect()
        })
    }
}

/// The time now, as the store writes it: seconds since 1970.
pub fn seconds_since_1970() -> f64 {
    now()
}
