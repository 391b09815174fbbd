//! Rows: one COPY a table, biggest first, several tables at a time.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use crate::base::backoff::Backoff;
use crate::base::ident::quote_ident;
use crate::base::snapshot::Snapshot;
use crate::base::{Lsn, QualifiedName, Remedy, Shutdown};
use crate::catalog::ledger::{self, Part};
use crate::pg::{self, Address, Connection, Mode};
use crate::store::TableRow;

use super::epoch::import_sql;

/// Rows are passed on in frames of this size: one CopyData a row costs the target's backend far
/// more than the rows themselves.
const FRAME_BYTES: usize = 64 * 1024;

/// How often a table is tried when a connection is lost in the middle of it; the snapshot is still
/// there.
const ATTEMPTS: u32 = 5;

/// What the workers need.
#[derive(Debug, Clone)]
pub struct Config {
    /// The source.
    pub source: Address,
    /// The target.
    pub target: Address,
    /// Tables at a time.
    pub jobs: usize,
    /// Stop everything at the first table that fails.
    pub fail_fast: bool,
    /// The epoch's exported snapshot.
    pub snapshot_id: String,
    /// What it sees.
    pub snapshot: Snapshot,
    /// Which epoch.
    pub epoch: u32,
    /// Everything it sees is committed before this.
    pub convergence: Lsn,
}

/// What a worker has to say.
#[derive(Debug)]
pub enum Event<'a> {
    /// A table's COPY begins.
    Begun(&'a TableRow),
    /// A table is committed on the target.
    Copied {
        /// Which.
        table: &'a TableRow,
        /// What was moved.
        part: &'a Part,
        /// How long it took.
        took: Duration,
    },
}

/// A table could not be copied.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// Reading it.
    #[error("copying {table}: reading from the source stopped after {bytes} bytes")]
    Source {
        /// Which.
        table: QualifiedName,
        /// How much had been read.
        bytes: u64,
        /// Why.
        #[source]
        source: pg::Error,
    },
    /// Writing it.
    #[error("copying {table}: the target refused after {bytes} bytes")]
    Target {
        /// Which.
        table: QualifiedName,
        /// How much had been written.
        bytes: u64,
        /// Why.
        #[source]
        source: pg::Error,
    },
    /// Its rows were replaced after the snapshot, which then sees none of them: TRUNCATE and
    /// ALTER TABLE do not keep what earlier snapshots see. Nothing of it is on the target.
    #[error("copying {}: it was truncated or rewritten on the source after the snapshot", table.name)]
    Rewritten {
        /// Which.
        table: TableRow,
    },
    /// A worker could not be run.
    #[error("running a copy worker: {0}")]
    Thread(String),
}

impl RowsError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            RowsError::Source { source, .. } | RowsError::Target { source, .. } => source.remedy(),
            // A later snapshot sees the new rows: `--resume` takes one.
            RowsError::Rewritten { .. } => Remedy::AskOperator,
            RowsError::Thread(_) => Remedy::Bug,
        }
    }
}

/// How the copy of all tables ended.
#[derive(Debug)]
pub struct Outcome {
    /// Tables that failed; the others are on the target.
    pub failed: Vec<RowsError>,
    /// It was asked to stop before the end.
    pub stopped: bool,
}

/// Copies `tables`, in that order, and tells `events` from several threads.
pub fn copy_tables(
    config: &Config,
    tables: Vec<TableRow>,
    shutdown: &Shutdown,
    events: &(dyn Fn(Event<'_>) + Sync),
) -> Outcome {
    let workers = config.jobs.min(tables.len()).max(1);
    let queue = Mutex::new(VecDeque::from(tables));
    let failed = Mutex::new(Vec::new());
    let give_up = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let work = Work {
                    config,
                    queue: &queue,
                    give_up: &give_up,
                    shutdown,
                    events,
                };
                for error in work.run() {
                    if config.fail_fast {
                        give_up.store(true, Ordering::SeqCst);
                    }
                    lock(&failed).push(error);
                }
            });
        }
    });
    Outcome {
        stopped: shutdown.asked(),
        failed: failed
            .into_inner()
            .unwrap_or_else(|poisoned| poisoned.into_inner()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// One worker.
struct Work<'a> {
    config: &'a Config,
    queue: &'a Mutex<VecDeque<TableRow>>,
    give_up: &'a AtomicBool,
    shutdown: &'a Shutdown,
    events: &'a (dyn Fn(Event<'_>) + Sync),
}

/// A worker's two connections.
struct Connections {
    source: Connection,
    target: Connection,
}

impl Work<'_> {
    /// Takes tables until there are none; gives the errors of those that failed.
    fn run(&self) -> Vec<RowsError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        match runtime {
            Ok(runtime) => runtime.block_on(self.take_tables()),
            Err(error) => vec![RowsError::Thread(error.to_string())],
        }
    }

    fn is_over(&self) -> bool {
        self.shutdown.asked() || self.give_up.load(Ordering::SeqCst)
    }

    async fn take_tables(&self) -> Vec<RowsError> {
        let mut errors = Vec::new();
        let mut connections = None;
        while !self.is_over() {
            let Some(table) = lock(self.queue).pop_front() else {
                break;
            };
            match self.copy_with_retry(&table, &mut connections).await {
                Ok(()) => {}
                Err(error) => {
                    // Whatever state they are in, the next table begins with new ones.
                    connections = None;
                    errors.push(error);
                }
            }
        }
        errors
    }

    async fn copy_with_retry(
        &self,
        table: &TableRow,
        connections: &mut Option<Connections>,
    ) -> Result<(), RowsError> {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));
        let mut attempt = 1;
        loop {
            let begun = Instant::now();
            (self.events)(Event::Begun(table));
            let copied = tokio::select! {
                copied = self.copy(table, connections) => copied,
                // The target waits for a lock, or a server or the network is stuck.
                () = self.shutdown.overdue() => {
                    *connections = None;
                    return Ok(());
                }
            };
            match copied {
                Ok(None) => return Ok(()),
                Ok(Some(part)) => {
                    let took = begun.elapsed();
                    (self.events)(Event::Copied {
                        table,
                        part: &part,
                        took,
                    });
                    return Ok(());
                }
                Err(error) if error.remedy() != Remedy::Retry || attempt == ATTEMPTS => {
                    return Err(error);
                }
                Err(error) => {
                    *connections = None;
                    let wait = backoff.next_wait();
                    tracing::warn!("{error}; trying again in {} ms", wait.as_millis());
                    attempt += 1;
                    if self.shutdown.sleep(wait) || self.is_there(table).await? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Copies one table in one transaction of the target, together with its line in the ledger.
    /// None if asked to stop in the middle: then nothing of it is on the target.
    async fn copy(
        &self,
        table: &TableRow,
        connections: &mut Option<Connections>,
    ) -> Result<Option<Part>, RowsError> {
        let from_source = |bytes| {
            let table = table.name.clone();
            move |source| RowsError::Source {
                table,
                bytes,
                source,
            }
        };
        let from_target = |bytes| {
            let table = table.name.clone();
            move |source| RowsError::Target {
                table,
                bytes,
                source,
            }
        };
        let Connections { source, target } = match connections {
            Some(open) => open,
            None => {
                let source = self.open_source().await.map_err(from_source(0))?;
                let target = self.open_target().await.map_err(from_target(0))?;
                connections.insert(Connections { source, target })
            }
        };
        let columns: Vec<_> = table.columns.iter().map(|name| quote_ident(name)).collect();
        let what = match columns.is_empty() {
            true => table.name.quoted(),
            false => format!("{} ({})", table.name.quoted(), columns.join(", ")),
        };
        // A transaction a table: its lock on the source is let go as soon as it is copied.
        source
            .query(&import_sql(&self.config.snapshot_id))
            .await
            .map_err(from_source(0))?;
        target.query("BEGIN").await.map_err(from_target(0))?;
        source
            .copy_out(&format!("COPY {what} TO STDOUT"))
            .await
            .map_err(from_source(0))?;
        target
            .copy_in(&format!("COPY {what} FROM STDIN"))
            .await
            .map_err(from_target(0))?;
        let mut frame = BytesMut::with_capacity(2 * FRAME_BYTES);
        let mut bytes = 0;
        loop {
            let more = source
                .read_copy_rows(&mut frame, FRAME_BYTES)
                .await
                .map_err(from_source(bytes))?;
            if !frame.is_empty() {
                target
                    .write_copy_data(&frame)
                    .await
                    .map_err(from_target(bytes))?;
                bytes += frame.len() as u64;
                frame.clear();
            }
            if !more {
                break;
            }
            if self.is_over() {
                // Dropping both connections undoes the transaction.
                *connections = None;
                return Ok(None);
            }
        }
        if !end_reading(source, table)
            .await
            .map_err(from_source(bytes))?
        {
            return Err(RowsError::Rewritten {
                table: table.clone(),
            });
        }
        let part = Part {
            table: table.name.clone(),
            epoch: self.config.epoch,
            snapshot: self.config.snapshot.clone(),
            convergence: self.config.convergence,
            rows: target.finish_copy().await.map_err(from_target(bytes))?,
            bytes,
        };
        let note = ledger::note_sql(&part);
        target.query(&note).await.map_err(from_target(bytes))?;
        // Separately: when we are killed meanwhile, nobody asks for the commit of what a resumed
        // run has not seen there.
        target.query("COMMIT").await.map_err(from_target(bytes))?;
        Ok(Some(part))
    }

    /// Whether the table is on the target already: its COMMIT was lost on the way, or its answer.
    async fn is_there(&self, table: &TableRow) -> Result<bool, RowsError> {
        let look = async {
            let mut target = self.open_target().await?;
            let found = target.query(&ledger::part_sql(&table.name)).await?;
            Ok(found.iter().any(|result| !result.rows.is_empty()))
        };
        look.await.map_err(|source| RowsError::Target {
            table: table.name.clone(),
            bytes: 0,
            source,
        })
    }

    async fn open_source(&self) -> Result<Connection, pg::Error> {
        Connection::open(&self.config.source, Mode::Sql, "copy").await
    }

    async fn open_target(&self) -> Result<Connection, pg::Error> {
        let mut target = Connection::open(&self.config.target, Mode::Sql, "copy").await?;
        // What a crash of the target could lose by this it loses together with the ledger.
        target.query("SET synchronous_commit = off").await?;
        // Not permitted to everyone; there are no triggers yet in any case.
        if let Err(error) = target.query("SET session_replication_role = replica").await {
            tracing::debug!("session_replication_role: {error}");
        }
        Ok(target)
    }
}

/// Ends the transaction that `table` was read in. False if its rows are not in the file that the
/// snapshot knows: `pg_class` is read under the snapshot, the function tells what is so now, and
/// since the COPY began its lock has kept it so.
async fn end_reading(source: &mut Connection, table: &TableRow) -> Result<bool, pg::Error> {
    let sql = format!(
        "SELECT c.relfilenode = pg_catalog.pg_relation_filenode(c.oid)
           FROM pg_catalog.pg_class c WHERE c.oid = {}; COMMIT",
        table.oid
    );
    let results = source.query(&sql).await?;
    let mut rows = results.into_iter().flat_map(|result| result.rows);
    let same = rows.next().and_then(|row| row.into_iter().next().flatten());
    Ok(same.as_deref() == Some("t"))
}
