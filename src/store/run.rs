//! What a work directory was begun with.

use rusqlite::{OptionalExtension, params};

use crate::base::Lsn;

use super::database::now;
use super::{Error, Store};

/// What a migration was begun with. A resume with anything else is refused.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Run {
    /// The source as people read it, without password.
    pub source: String,
    /// The target, likewise; none for a run that only captures.
    pub target: Option<String>,
    /// The source's system identifier and database: the same server whatever its address.
    pub source_system: String,
    /// The target's, likewise.
    pub target_system: Option<String>,
    /// The replication slot; none without change capture.
    pub slot: Option<String>,
    /// The replication origin on the target.
    pub origin: Option<String>,
    /// The publication on the source.
    pub publication: Option<String>,
    /// The output plugin.
    pub plugin: Option<String>,
    /// The source's timeline when the slot was made.
    pub timeline: Option<u32>,
    /// The size of the source's WAL segments, by which ours are named.
    pub wal_segment_bytes: Option<u64>,
    /// `pg_current_snapshot()` at the slot's consistent point, if the server could say.
    pub slot_snapshot: Option<String>,
    /// The slot's consistent point.
    pub slot_lsn: Option<Lsn>,
    /// What is left out, in one fixed form; none if nothing is.
    pub filters: Option<String>,
    /// Which options about cutting tables into parts were named, empty if none was; none where
    /// nobody said.
    pub split: Option<String>,
    /// The version of the source's PostgreSQL.
    pub source_version: Option<String>,
    /// The target's, likewise.
    pub target_version: Option<String>,
    /// Whether everything is done.
    pub finished: bool,
}

/// When a run began and ended, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunTimes {
    /// When it was begun first.
    pub begun_at: f64,
    /// When everything was done.
    pub finished_at: Option<f64>,
}

impl Store {
    /// When the run of this directory began and ended; none if there is none.
    pub fn run_times(&self) -> Result<Option<RunTimes>, Error> {
        self.read("reading the run", |connection| {
            connection
                .query_row("SELECT begun_at, finished_at FROM run", [], |row| {
                    Ok(RunTimes {
                        begun_at: row.get(0)?,
                        finished_at: row.get(1)?,
                    })
                })
                .optional()
        })
    }

    /// What this directory was begun with, if anything.
    pub fn run(&self) -> Result<Option<Run>, Error> {
        let found = self.read("reading the run", |connection| {
            connection
                .query_row(
                    "SELECT source, target, source_system, target_system, slot, origin,
                            publication, plugin, timeline, wal_segment_bytes, slot_snapshot,
                            slot_lsn, finished_at IS NOT NULL, filters, split,
                            source_version, target_version
                       FROM run",
                    [],
                    |row| {
                        let run = Run {
                            source: row.get(0)?,
                            target: row.get(1)?,
                            source_system: row.get(2)?,
                            target_system: row.get(3)?,
                            slot: row.get(4)?,
                            origin: row.get(5)?,
                            publication: row.get(6)?,
                            plugin: row.get(7)?,
                            timeline: row.get(8)?,
                            wal_segment_bytes: row
                                .get::<_, Option<i64>>(9)?
                                .map(i64::cast_unsigned),
                            slot_snapshot: row.get(10)?,
                            slot_lsn: None,
                            filters: row.get(13)?,
                            split: row.get(14)?,
                            source_version: row.get(15)?,
                            target_version: row.get(16)?,
                            finished: row.get(12)?,
                        };
                        Ok((run, row.get::<_, Option<String>>(11)?))
                    },
                )
                .optional()
        })?;
        let Some((mut run, slot_lsn)) = found else {
            return Ok(None);
        };
        run.slot_lsn = slot_lsn
            .map(|text| self.parse("slot_lsn", text))
            .transpose()?;
        Ok(Some(run))
    }

    /// Writes what this directory is begun with, replacing what was said before.
    pub fn set_run(&mut self, run: &Run) -> Result<(), Error> {
        self.write("writing the run", |transaction| {
            transaction.execute(
                "INSERT INTO run (id, source, target, source_system, target_system, slot, origin,
                                  publication, plugin, timeline, wal_segment_bytes, slot_snapshot,
                                  slot_lsn, begun_at, filters, split, source_version,
                                  target_version)
                 VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,
                         ?16, ?17)
                 ON CONFLICT (id) DO UPDATE SET
                    source = ?1, target = ?2, source_system = ?3, target_system = ?4, slot = ?5,
                    origin = ?6, publication = ?7, plugin = ?8, timeline = ?9,
                    wal_segment_bytes = ?10, slot_snapshot = ?11, slot_lsn = ?12,
                    filters = ?14, split = ?15, source_version = ?16,
                    target_version = ?17",
                params![
                    &run.source,
                    &run.target,
                    &run.source_system,
                    &run.target_system,
                    &run.slot,
                    &run.origin,
                    &run.publication,
                    &run.plugin,
                    run.timeline,
                    run.wal_segment_bytes.map(u64::cast_signed),
                    &run.slot_snapshot,
                    run.slot_lsn.map(|lsn| lsn.to_string()),
                    now(),
                    &run.filters,
                    &run.split,
                    &run.source_version,
                    &run.target_version,
                ],
            )
        })
        .map(drop)
    }

    /// Everything is done: the next start says so and exits 0.
    pub fn finish_run(&mut self) -> Result<(), Error> {
        self.write("finishing the run", |transaction| {
            transaction.execute("UPDATE run SET finished_at = ?1", [now()])
        })
        .map(drop)
    }
}
