//! How far the base copy is: what is moving now, what is done, what is left.
//!
//! The workers tell it to [`Progress`] in memory, which anyone may look at ([`Progress::view`]);
//! a thread of its own writes it to the store a few times a second, for other processes. It is a
//! report: nothing is decided by it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::base::cause::chain;
use crate::base::{QualifiedName, Shutdown};
use crate::clone::{completion, rows};
use crate::store::{IndexProgress, PartProgress, ProgressNews, Store, WorkDir, seconds_since_1970};

/// How often it is written to the store: often enough for a person who watches.
const WRITE_EVERY: Duration = Duration::from_millis(250);

/// What the workers said so far.
#[derive(Debug, Default)]
pub struct Progress {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    totals: Totals,
    done: Done,
    moving: HashMap<(u32, u32), (Moving, Noted)>,
    building: HashMap<u32, (Building, f64)>,
    /// Not yet in the store.
    news: ProgressNews,
}

/// What there is to do in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Tables to copy.
    pub tables: usize,
    /// Their size on the source.
    pub bytes: u64,
    /// Indexes to build.
    pub indexes: usize,
}

/// What is done, by this process or before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Tables that are on the target as a whole.
    pub tables: usize,
    /// Their size, and that of finished parts, on the source.
    pub bytes: u64,
    /// What of that an earlier run did.
    pub bytes_before: u64,
    /// Rows moved by this process.
    pub rows: u64,
    /// Bytes of COPY data moved by this process.
    pub moved: u64,
    /// Indexes that are there.
    pub indexes: usize,
    /// Tables vacuumed or analyzed.
    pub tidied: usize,
}

/// A COPY that is running, or a table that is being compared.
#[derive(Debug, Clone)]
pub struct Moving {
    /// The table's OID on the source.
    pub oid: u32,
    /// The table.
    pub table: QualifiedName,
    /// Which part of it, from 0.
    pub part: u32,
    /// In how many parts it is copied.
    pub part_count: u32,
    /// Its size on the source, estimated.
    pub bytes: u64,
    /// What was moved so far; the form on the wire may be larger or smaller than that on disk.
    pub moved: Arc<AtomicU64>,
    /// Since when.
    pub begun: Instant,
}

/// What the store has of a COPY beside that.
#[derive(Debug, Clone, Copy)]
struct Noted {
    begun_at: f64,
    epoch: u32,
}

/// An index that is being built.
#[derive(Debug, Clone)]
pub struct Building {
    /// Its OID on the source.
    pub oid: u32,
    /// Which.
    pub name: QualifiedName,
    /// Its size on the source.
    pub bytes: u64,
    /// Since when.
    pub begun: Instant,
}

/// All of it at one moment.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// What there is to do.
    pub totals: Totals,
    /// What is done.
    pub done: Done,
    /// What is moving, the longest running first.
    pub moving: Vec<Moving>,
    /// What is being built, the longest running first.
    pub building: Vec<Building>,
}

impl Progress {
    /// What there is to do, and what of it an earlier run has done.
    pub fn begin(&self, totals: Totals, done: Done) {
        let mut state = self.lock();
        state.totals = totals;
        state.done = done;
    }

    /// Everything at this moment.
    pub fn view(&self) -> View {
        let state = self.lock();
        let mut moving: Vec<_> = state
            .moving
            .values()
            .map(|(moving, _)| moving.clone())
            .collect();
        moving.sort_by_key(|moving| (moving.begun, moving.part));
        let mut building: Vec<_> = state
            .building
            .values()
            .map(|(building, _)| building.clone())
            .collect();
        building.sort_by_key(|building| building.begun);
        View {
            totals: state.totals,
            done: state.done,
            moving,
            building,
        }
    }

    /// What a copy worker says, under `epoch`.
    pub(super) fn of_rows(&self, epoch: u32, event: &rows::Event<'_>) {
        let mut state = self.lock();
        match event {
            rows::Event::Begun { task, moved } => {
                let moving = Moving {
                    oid: task.table.oid,
                    table: task.table.name.clone(),
                    part: task.number(),
                    part_count: task.part_count,
                    bytes: task.bytes(),
                    moved: Arc::clone(moved),
                    begun: Instant::now(),
                };
                let noted = Noted {
                    begun_at: seconds_since_1970(),
                    epoch,
                };
                let part = (task.table.oid, task.number());
                state.moving.insert(part, (moving, noted));
            }
            rows::Event::Ended { task } => {
                let part = (task.table.oid, task.number());
                state.moving.remove(&part);
                state.news.parts_given_up.push(part);
            }
            rows::Event::Found { task } => {
                state.moving.remove(&(task.table.oid, task.number()));
                state.done.bytes += task.bytes();
            }
            rows::Event::Copied { task, part, .. } => {
                let moving = state.moving.remove(&(task.table.oid, task.number()));
                state.done.bytes += task.bytes();
                state.done.rows += part.rows;
                state.done.moved += part.bytes;
                let now = seconds_since_1970();
                state.news.parts.push(PartProgress {
                    table_oid: task.table.oid,
                    part: part.number,
                    epoch,
                    begun_at: moving.map_or(now, |(_, noted)| noted.begun_at),
                    finished_at: Some(now),
                    rows: part.rows,
                    bytes: part.bytes,
                });
            }
        }
    }

    /// That many indexes were on the target before.
    pub(super) fn indexes_are_there(&self, count: usize) {
        self.lock().done.indexes = count;
    }

    /// A table is on the target as a whole.
    pub(super) fn table_is_copied(&self) {
        self.lock().done.tables += 1;
    }

    /// What an index worker says.
    pub(super) fn of_completion(&self, event: &completion::Event<'_>) {
        let mut state = self.lock();
        let now = seconds_since_1970();
        match event {
            completion::Event::Begun(index) => {
                let building = Building {
                    oid: index.oid,
                    name: index.name.clone(),
                    bytes: index.bytes,
                    begun: Instant::now(),
                };
                state.building.insert(index.oid, (building, now));
                state.news.indexes.push(IndexProgress {
                    index_oid: index.oid,
                    begun_at: now,
                    finished_at: None,
                });
            }
            completion::Event::Ended(index) => {
                state.building.remove(&index.oid);
                state.news.indexes_given_up.push(index.oid);
            }
            completion::Event::Built { index, .. } => {
                let begun = state.building.remove(&index.oid);
                state.done.indexes += 1;
                state.news.indexes.push(IndexProgress {
                    index_oid: index.oid,
                    begun_at: begun.map_or(now, |(_, begun_at)| begun_at),
                    finished_at: Some(now),
                });
            }
            completion::Event::Tidied { .. } => state.done.tidied += 1,
        }
    }

    /// What the store does not have yet.
    fn unwritten(&self) -> ProgressNews {
        let mut state = self.lock();
        let mut news = std::mem::take(&mut state.news);
        let moving = state.moving.iter();
        news.parts.extend(
            moving.map(|((table_oid, part), (moving, noted))| PartProgress {
                table_oid: *table_oid,
                part: *part,
                epoch: noted.epoch,
                begun_at: noted.begun_at,
                finished_at: None,
                rows: 0,
                bytes: moving.moved.load(Ordering::Relaxed),
            }),
        );
        news
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Writes progress to the store until dropped.
pub(super) struct ProgressWriter {
    stop: Shutdown,
    thread: Option<JoinHandle<()>>,
}

impl ProgressWriter {
    /// Starts it.
    pub(super) fn start(progress: Arc<Progress>, work_dir: &WorkDir) -> Self {
        let stop = Shutdown::default();
        let (asked, path) = (stop.clone(), work_dir.store_path());
        let thread = thread::spawn(move || {
            let store = Store::open(&path).and_then(Store::reporting_only);
            let mut store = match store {
                Ok(store) => store,
                Err(error) => return tracing::warn!("no progress: {}", chain(&error)),
            };
            loop {
                let ends = asked.sleep(WRITE_EVERY);
                let news = progress.unwritten();
                if !news.is_empty()
                    && let Err(error) = store.note_progress(&news)
                {
                    tracing::warn!("{}", chain(&error));
                }
                if ends {
                    return;
                }
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for ProgressWriter {
    fn drop(&mut self) {
        self.stop.ask();
        if let Some(thread) = self.thread.take() {
            // It has told what it could.
            let _ = thread.join();
        }
    }
}
