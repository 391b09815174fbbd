//! One worker: a connection to either server, and the bytes from one to the other.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::base::backoff::Backoff;
use crate::base::cause::chain;
use crate::base::{Remedy, Shutdown, failpoint};
use crate::catalog::ledger::{self, Part};
use crate::pg::{self, Connection, Mode, PumpError, Pumped, ResultSet, pump, with_retry};

use super::error::RowsError;
use super::pool::{Config, Event};
use super::reader::Reader;
use super::task::Task;

/// How often a part is tried when a connection is lost in the middle of it; the snapshot is still
/// there.
const ATTEMPTS: u32 = 5;

/// One worker.
pub(super) struct Worker<'a> {
    pub(super) config: &'a Config<'a>,
    pub(super) queue: &'a Mutex<VecDeque<Task>>,
    pub(super) shutdown: &'a Shutdown,
    pub(super) events: &'a (dyn Fn(Event<'_>) + Sync),
    /// Whether the workers wait for a server that is busy.
    pub(super) is_held: &'a AtomicBool,
}

/// A worker's two connections.
pub(super) struct Connections {
    /// Which of the readers `source` is connected to.
    reader: usize,
    pub(super) source: Connection,
    target: Connection,
}

/// How one attempt ended without an error.
enum Copied {
    /// It is committed.
    Done(Box<Part>),
    /// The ledger had it already: an earlier run's COMMIT came through after all.
    Before,
    /// Asked to stop in the middle: nothing of it is on the target.
    Stopped,
}

impl Worker<'_> {
    /// Takes tasks until there are none; gives the errors of those that failed.
    pub(super) fn run(&self) -> Vec<RowsError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        match runtime {
            Ok(runtime) => runtime.block_on(self.take_tasks()),
            Err(error) => vec![RowsError::Thread(error.to_string())],
        }
    }

    async fn take_tasks(&self) -> Vec<RowsError> {
        let mut errors = Vec::new();
        let mut connections = None;
        while let Some(task) = self.next_task() {
            if !self.wait_for_room(&task, &mut connections).await {
                break;
            }
            if let Err(error) = self.copy_with_retry(&task, &mut connections).await {
                // Whatever state they are in, the next task begins with new ones.
                connections = None;
                self.failed(&error);
                errors.push(error);
            }
        }
        errors
    }

    async fn copy_with_retry(
        &self,
        task: &Task,
        connections: &mut Option<Connections>,
    ) -> Result<(), RowsError> {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));
        let mut attempt = 1;
        loop {
            let begun = Instant::now();
            let moved = Arc::new(AtomicU64::new(0));
            (self.events)(Event::Begun {
                task,
                moved: &moved,
            });
            let copied = tokio::select! {
                copied = self.copy(task, connections, &moved) => copied,
                // The target waits for a lock, or a server or the network is stuck.
                () = self.overdue() => Ok(Copied::Stopped),
            };
            if let Ok(Copied::Done(part)) = &copied {
                let took = begun.elapsed();
                (self.events)(Event::Copied { task, part, took });
                return Ok(());
            }
            (self.events)(match &copied {
                Ok(Copied::Before) => Event::Found { task },
                _ => Event::Ended { task },
            });
            match copied {
                Ok(_) => {
                    // Dropping both undoes whatever was going on.
                    *connections = None;
                    return Ok(());
                }
                Err(error) if error.remedy() != Remedy::Retry || attempt == ATTEMPTS => {
                    return Err(error);
                }
                Err(error) => {
                    *connections = None;
                    let wait = backoff.next_wait();
                    tracing::warn!("{}; trying again in {} ms", chain(&error), wait.as_millis());
                    attempt += 1;
                    if self.shutdown.sleep(wait) || self.is_over() {
                        return Ok(());
                    }
                    let there = tokio::select! {
                        there = self.reconnect(task, connections) => there,
                        () = self.overdue() => return Ok(()),
                    };
                    match there {
                        Ok(false) => {}
                        Ok(true) => {
                            (self.events)(Event::Found { task });
                            return Ok(());
                        }
                        Err(_) if self.is_over() => return Ok(()),
                        Err(error) => return Err(error),
                    }
                }
            }
        }
    }

    /// Connects again, when both servers can be reached again; whether the part is on the target.
    async fn reconnect(
        &self,
        task: &Task,
        connections: &mut Option<Connections>,
    ) -> Result<bool, RowsError> {
        let (limit, shutdown) = (self.config.retry_for, self.shutdown);
        let what = "connecting to the target";
        let target = with_retry(limit, shutdown, what, async || {
            let mut target = self.open_target().await?;
            let is_there = is_there(task, &mut target).await?;
            Ok((target, is_there))
        });
        let (target, is_there) = target.await.map_err(|source| RowsError::Target {
            what: task.to_string(),
            bytes: 0,
            source,
        })?;
        let what = "connecting to the source";
        let reader = self.reader(task)?;
        let source = with_retry(limit, shutdown, what, async || open_source(reader).await);
        let source = source.await.map_err(|source| RowsError::Source {
            what: task.to_string(),
            reader: reader.to_string(),
            bytes: 0,
            source,
        })?;
        *connections = Some(Connections {
            reader: task.reader,
            source,
            target,
        });
        Ok(is_there)
    }

    /// Copies one part in one transaction of the target, together with its line in the ledger.
    async fn copy(
        &self,
        task: &Task,
        connections: &mut Option<Connections>,
        moved: &AtomicU64,
    ) -> Result<Copied, RowsError> {
        let bytes = || moved.load(Ordering::Relaxed);
        let reader = self.reader(task)?;
        let from_source = |source| RowsError::Source {
            what: task.to_string(),
            reader: reader.to_string(),
            bytes: bytes(),
            source,
        };
        let from_target = |source| RowsError::Target {
            what: task.to_string(),
            bytes: bytes(),
            source,
        };
        let Connections { source, target, .. } = self.connect(task, connections).await?;
        if task.part.is_none() {
            let answers = target.query(&task.look_sql()).await.map_err(from_target)?;
            match facts(&answers) {
                [_, true] => return Ok(Copied::Before),
                [true, false] => {
                    return Err(RowsError::NotEmpty {
                        table: task.table.name.clone(),
                    });
                }
                [false, false] => {}
            }
        }
        source
            .copy_out(&task.read_sql(reader))
            .await
            .map_err(from_source)?;
        target
            .copy_in(&task.write_sql())
            .await
            .map_err(from_target)?;
        match pump(source, target, moved, || !self.is_over()).await {
            Ok(Pumped::All) => {}
            Ok(Pumped::Stopped) => return Ok(Copied::Stopped),
            Err(PumpError::Source(error)) => return Err(from_source(error)),
            Err(PumpError::Target(error)) => return Err(from_target(error)),
        }
        let answers = source.end_copy_out().await.map_err(from_source)?;
        let read = answers.first().map_or(0, ResultSet::count);
        let [is_same, is_unchanged, is_paused] = facts(answers.get(1..).unwrap_or_default());
        if reader.is_standby() && !is_paused {
            reader.tell_resumed();
        }
        match (is_same, is_unchanged) {
            (true, true) => {}
            (false, _) => {
                return Err(RowsError::Replaced {
                    table: task.table.name.clone(),
                });
            }
            (true, false) => {
                return Err(RowsError::Rewritten {
                    table: Box::new(task.table.as_ref().clone()),
                });
            }
        }
        let written = target.finish_copy().await.map_err(from_target)?;
        if read != written {
            return Err(RowsError::Miscounted {
                what: task.to_string(),
                read,
                written,
            });
        }
        let part = part_of(task, reader, written, bytes());
        let note = format!("{}; COMMIT", ledger::note_sql(&part));
        match target.query(&note).await {
            Ok(_) => {
                failpoint::reach("part copied");
                Ok(Copied::Done(Box::new(part)))
            }
            // Its line may be there: a process that a killed run left behind was faster.
            Err(error) if error.sqlstate() == Some("23505") => {
                let mut other = self.open_target().await.map_err(from_target)?;
                match is_there(task, &mut other).await.map_err(from_target)? {
                    true => Ok(Copied::Before),
                    false => Err(from_target(error)),
                }
            }
            Err(error) => Err(from_target(error)),
        }
    }

    /// The connections for `task`: those that are open, or new ones.
    pub(super) async fn connect<'c>(
        &self,
        task: &Task,
        connections: &'c mut Option<Connections>,
    ) -> Result<&'c mut Connections, RowsError> {
        let reader = self.reader(task)?;
        let from_source = |source| RowsError::Source {
            what: task.to_string(),
            reader: reader.to_string(),
            bytes: 0,
            source,
        };
        match connections {
            Some(open) => {
                if open.reader != task.reader {
                    open.source = open_source(reader).await.map_err(from_source)?;
                    open.reader = task.reader;
                }
                Ok(open)
            }
            None => {
                let source = open_source(reader).await.map_err(from_source)?;
                let target = self.open_target().await;
                let target = target.map_err(|source| RowsError::Target {
                    what: task.to_string(),
                    bytes: 0,
                    source,
                })?;
                Ok(connections.insert(Connections {
                    reader: task.reader,
                    source,
                    target,
                }))
            }
        }
    }

    pub(super) fn reader(&self, task: &Task) -> Result<&Reader, RowsError> {
        let found = self.config.readers.get(task.reader);
        found.ok_or_else(|| RowsError::Thread(format!("there is no reader {}", task.reader)))
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

async fn open_source(reader: &Reader) -> Result<Connection, pg::Error> {
    Connection::open(&reader.address, Mode::Sql, "copy").await
}

fn part_of(task: &Task, reader: &Reader, rows: u64, bytes: u64) -> Part {
    Part {
        table: task.table.name.clone(),
        number: task.number(),
        count: task.part_count,
        epoch: reader.epoch,
        visibility: reader.visibility.clone(),
        convergence: reader.convergence,
        rows,
        bytes,
        range: task.part.as_ref().and_then(|part| part.range.clone()),
    }
}

/// Whether the part is on the target already: its COMMIT was lost on the way, or its answer.
async fn is_there(task: &Task, target: &mut Connection) -> Result<bool, pg::Error> {
    let sql = ledger::part_sql(&task.table.name, task.number());
    let found = target.query(&sql).await?;
    Ok(found.iter().any(|result| !result.rows.is_empty()))
}

/// An answer of booleans. To [`Task::look_sql`]: whether there are rows, whether the ledger has it.
/// At the end of [`Task::read_sql`]: whether it was the table, whether its rows were all there,
/// whether a standby is still paused.
fn facts<const COUNT: usize>(answers: &[ResultSet]) -> [bool; COUNT] {
    let row = answers.iter().find_map(|answer| answer.rows.first());
    std::array::from_fn(|at| {
        let value = row.and_then(|row| row.get(at));
        value.and_then(Option::as_deref) == Some("t")
    })
}
