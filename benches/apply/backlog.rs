//! The same backlog for everybody: both sides equal, a slot for each kind of reader, then the
//! transactions, once.
//!
//! Each slot that is made here is kept and never read: every run reads from a copy of it, which
//! stands at the same position. A slot that nobody reads costs the others nothing but disk.

use std::fs;
use std::path::{Path, PathBuf};

use crate::contenders::{pgcopydb, pgflit};
use crate::servers::{DATABASE, Pair};
use crate::shared::Result;
use crate::shared::sql::{answer, sql};
use crate::workloads::Workload;

/// The table that the last transaction writes to: its row tells that everything is there.
pub(crate) const MARKER: &str = "marker";
/// The publication that subscriptions and plain receivers use.
pub(crate) const PUBLICATION: &str = "bench";
/// The slot that theirs are copies of.
pub(crate) const KEPT: &str = "kept";

/// Who will read: what is made for them beforehand depends on it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Readers {
    pub(crate) pgflit: bool,
    pub(crate) pgcopydb: bool,
}

/// A source with transactions to read, and a target as it was before.
pub(crate) struct Backlog {
    pub(crate) pair: Pair,
    /// Where everybody is to end, after the last transaction.
    pub(crate) end: String,
    /// What the tables hold then.
    digest: String,
    folder: PathBuf,
}

impl Backlog {
    /// Makes it.
    pub(crate) fn make(
        workload: &Workload,
        programs: Option<&Path>,
        folder: &Path,
        readers: Readers,
        pgflit: &Path,
    ) -> Result<Self> {
        let pair = Pair::create(programs)?;
        for (cluster, database) in pair.bases() {
            let marker = format!("CREATE TABLE {MARKER} (id int PRIMARY KEY)");
            sql(cluster, database, &marker)?;
            workload.make_base(cluster, database)?;
        }
        let publish = format!("CREATE PUBLICATION {PUBLICATION} FOR ALL TABLES");
        sql(&pair.source, DATABASE, &publish)?;
        let slot = format!("SELECT pg_create_logical_replication_slot('{KEPT}', 'pgoutput')");
        answer(&pair.source, DATABASE, &slot)?;
        pair.fresh_target()?;
        let mut backlog = Self {
            pair,
            end: String::new(),
            digest: String::new(),
            folder: folder.to_owned(),
        };
        if readers.pgflit {
            pgflit::set_up(&backlog, pgflit)?;
        }
        if readers.pgcopydb
            && let Err(error) = pgcopydb::set_up(&backlog)
        {
            // Its runs fail then; the others need not.
            eprintln!("pgcopydb cannot be set up: {error}");
        }
        let source = &backlog.pair.source;
        workload.make(source, DATABASE, folder)?;
        // Flushed, so that all before it is.
        let mark = format!("SET synchronous_commit = on; INSERT INTO {MARKER} VALUES (1)");
        sql(source, DATABASE, &mark)?;
        // A little later than that transaction's end: not everybody who is to end there takes it.
        sql(source, DATABASE, "CHECKPOINT")?;
        backlog.end = answer(source, DATABASE, "SELECT pg_current_wal_flush_lsn()")?;
        backlog.digest = digest(&backlog, Side::Source)?;
        Ok(backlog)
    }

    /// A folder of that name that is here for as long as the backlog.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Keeps a folder as it is now, and the slot that belongs to it.
    pub(crate) fn keep(&self, folder: &str, slot: &str) -> Result<()> {
        let kept = self.folder(&kept(folder));
        if kept.exists() {
            fs::remove_dir_all(&kept)?;
        }
        copy_folder(&self.folder(folder), &kept)?;
        self.pair.fresh_slot(&self::kept(slot), slot)?;
        self.pair.drop_slot(slot)
    }

    /// Puts folder and slot back to what they were when they were kept.
    pub(crate) fn put_back(&self, folder: &str, slot: &str) -> Result<()> {
        let now = self.folder(folder);
        if now.exists() {
            fs::remove_dir_all(&now)?;
        }
        copy_folder(&self.folder(&kept(folder)), &now)?;
        self.pair.fresh_slot(slot, &kept(slot))
    }

    /// What differs between the target and the source's end, if anything does.
    pub(crate) fn difference(&self) -> Result<Option<String>> {
        let target = digest(self, Side::Target)?;
        if target == self.digest {
            return Ok(None);
        }
        let lines = self.digest.lines().zip(target.lines());
        let different: Vec<_> = lines.filter(|(source, target)| source != target).collect();
        let (source, target) = different
            .first()
            .unwrap_or(&("all tables", "fewer or more tables"));
        Ok(Some(format!(
            "{source} on the source, {target} on the target; tables that differ: {}",
            different.len()
        )))
    }
}

fn kept(name: &str) -> String {
    format!("{name}_kept")
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    let mut copy = std::process::Command::new("cp");
    crate::shared::processes::run_quietly(copy.arg("-a").arg(from).arg(to))
}

enum Side {
    Source,
    Target,
}

/// A line a table: its rows, and the sum of their hashes.
fn digest(backlog: &Backlog, side: Side) -> Result<String> {
    let cluster = match side {
        Side::Source => &backlog.pair.source,
        Side::Target => &backlog.pair.target,
    };
    let query = "SELECT c.relname, (xpath('//c/text()', query_to_xml(format(
                    'SELECT count(*) || '' rows, '' ||
                            coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) AS c
                       FROM ONLY %s t', c.oid::regclass), false, true, '')))[1]
                   FROM pg_class c
                  WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
                  ORDER BY 1";
    answer(cluster, DATABASE, query)
}
