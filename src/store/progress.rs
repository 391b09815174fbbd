//! How far the copy is: parts of tables, and indexes.

use super::database::now;
use super::{Error, Store};

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

/// What changed of the progress since it was last written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProgressNews {
    /// Parts as they are now.
    pub parts: Vec<PartProgress>,
    /// Indexes as they are now.
    pub indexes: Vec<IndexProgress>,
    /// Parts, by table and number, that are not being copied any more and not on the target.
    pub parts_given_up: Vec<(u32, u32)>,
    /// Indexes that are not being built any more and not on the target.
    pub indexes_given_up: Vec<u32>,
}

impl ProgressNews {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }
}

impl Store {
    /// Writes how far parts and indexes are, replacing what stood there of each. What is finished
    /// is not forgotten because it was given up: another attempt may have done it.
    pub fn note_progress(&mut self, news: &ProgressNews) -> Result<(), Error> {
        self.write("writing progress", |transaction| {
            let mut delete = transaction.prepare(
                "DELETE FROM part_copy
                  WHERE table_oid = ?1 AND part = ?2 AND finished_at IS NULL",
            )?;
            for part in &news.parts_given_up {
                delete.execute(*part)?;
            }
            let mut delete = transaction
                .prepare("DELETE FROM index_build WHERE index_oid = ?1 AND finished_at IS NULL")?;
            for index in &news.indexes_given_up {
                delete.execute([index])?;
            }
            let mut insert = transaction.prepare(
                "INSERT OR REPLACE INTO part_copy
                 (table_oid, part, epoch, begun_at, finished_at, copied_rows, copied_bytes)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?;
            for part in &news.parts {
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
            for index in &news.indexes {
                insert.execute((index.index_oid, index.begun_at, index.finished_at))?;
            }
            Ok(())
        })
    }

    /// Replaces all that is known of parts, and forgets the indexes that a run before had begun
    /// and not finished: a run says so when it begins, with what is on the target.
    pub fn begin_progress(&mut self, parts: &[PartProgress]) -> Result<(), Error> {
        self.write("writing progress", |transaction| {
            transaction.execute_batch(
                "DELETE FROM part_copy; DELETE FROM index_build WHERE finished_at IS NULL;",
            )
        })?;
        self.note_progress(&ProgressNews {
            parts: parts.to_vec(),
            ..ProgressNews::default()
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
}

/// The time now, as the store writes it: seconds since 1970.
pub fn seconds_since_1970() -> f64 {
    now()
}
