//! The workers that copy: how many, in which order, and how they end.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::base::Shutdown;
use crate::catalog::ledger::Part;
use crate::pg::Address;

use super::error::RowsError;
use super::reader::Reader;
use super::task::Task;
use super::worker::Worker;

/// What the workers need.
#[derive(Debug)]
pub struct Config<'a> {
    /// Where rows are read; [`Task::reader`] counts them.
    pub readers: &'a [Reader],
    /// The target.
    pub target: Address,
    /// Parts at a time.
    pub jobs: usize,
    /// Stop everything at the first part that fails.
    pub fail_fast: bool,
    /// How: it is asked, and whoever shares it ends; another's failure ends the workers here.
    pub give_up: Shutdown,
    /// How long a server that cannot be reached is tried again.
    pub retry_for: Duration,
    /// No part begins while more sessions than this are active on the server that it is read on.
    pub load_limit: Option<usize>,
}

/// What a worker has to say.
#[derive(Debug)]
pub enum Event<'a> {
    /// A COPY begins, or begins again.
    Begun {
        /// Of what.
        task: &'a Task,
        /// Goes up as bytes arrive on the target.
        moved: &'a Arc<AtomicU64>,
    },
    /// It is committed on the target.
    Copied {
        /// What.
        task: &'a Task,
        /// What was moved.
        part: &'a Part,
        /// How long it took.
        took: Duration,
    },
    /// It was on the target already: committed by a killed run, or the answer to COMMIT was lost.
    Found {
        /// What.
        task: &'a Task,
    },
    /// It is not: the COPY failed or was given up.
    Ended {
        /// What.
        task: &'a Task,
    },
}

impl<'a> Event<'a> {
    /// What it is about.
    pub fn task(&self) -> &'a Task {
        match self {
            Event::Begun { task, .. }
            | Event::Copied { task, .. }
            | Event::Found { task }
            | Event::Ended { task } => task,
        }
    }
}

/// How the copy of all tasks ended.
#[derive(Debug)]
pub struct Outcome {
    /// Tasks that failed; a table that is lost to the snapshot stands here once. The others are on
    /// the target.
    pub failed: Vec<RowsError>,
    /// It was asked to stop, or to give up, before the end.
    pub stopped: bool,
}

/// Copies `tasks`, in that order, and tells `events` from several threads.
pub fn copy_all(
    config: &Config<'_>,
    tasks: Vec<Task>,
    shutdown: &Shutdown,
    events: &(dyn Fn(Event<'_>) + Sync),
) -> Outcome {
    let workers = config.jobs.min(tasks.len()).max(1);
    let queue = Mutex::new(VecDeque::from(tasks));
    let failed = Mutex::new(Vec::new());
    let is_held = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let worker = Worker {
                    config,
                    queue: &queue,
                    shutdown,
                    events,
                    is_held: &is_held,
                };
                for error in worker.run() {
                    lock(&failed).push(error);
                }
            });
        }
    });
    let failed = failed
        .into_inner()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    Outcome {
        stopped: shutdown.asked() || config.give_up.asked(),
        failed: each_table_once(failed),
    }
}

/// Several workers may have been at parts of the same lost table.
fn each_table_once(mut errors: Vec<RowsError>) -> Vec<RowsError> {
    let mut told = HashSet::new();
    errors.retain(|error| match error.lost_table() {
        Some(table) => told.insert(table.clone()),
        None => true,
    });
    errors
}

impl Worker<'_> {
    /// The next task, unless it is time to stop.
    pub(super) fn next_task(&self) -> Option<Task> {
        match self.is_over() {
            true => None,
            false => lock(self.queue).pop_front(),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.shutdown.asked() || self.config.give_up.asked()
    }

    /// Returns a moment after it is time to stop. Cancel safe.
    pub(super) async fn overdue(&self) {
        tokio::select! {
            () = self.shutdown.overdue() => {}
            () = self.config.give_up.overdue() => {}
        }
    }

    /// After a failure: whether the others go on is for `--fail-fast` to say. Other parts of a table
    /// that is lost to the snapshot are not read in vain.
    pub(super) fn failed(&self, error: &RowsError) {
        if let Some(lost) = error.lost_table() {
            lock(self.queue).retain(|task| task.table.name != *lost);
        }
        if error.is_lost_snapshot() {
            // All the others would fail with it.
            lock(self.queue).clear();
        }
        if self.config.fail_fast {
            self.config.give_up.ask();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}
