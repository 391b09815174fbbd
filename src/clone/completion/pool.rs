//! The sessions that complete tables.

use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::base::backoff::Backoff;
use crate::base::cause::chain;
use crate::base::shutdown::POLL;
use crate::base::{QualifiedName, Remedy, Shutdown, failpoint};
use crate::pg::{self, Address, Session, with_retry};
use crate::store::IndexRow;

use super::board::{Board, Job, Next, TableToComplete};
use super::error::CompletionError;
use super::{build, memory};

/// How often a job is tried when its connection is lost.
const ATTEMPTS: u32 = 5;

/// What the workers need.
#[derive(Debug, Clone)]
pub struct Config {
    /// The target.
    pub target: Address,
    /// Indexes at a time.
    pub jobs: usize,
    /// What to do with each table at the end, if anything.
    pub tidying: Option<Tidying>,
    /// Stop everything at the first failure.
    pub fail_fast: bool,
    /// How: it is asked, and whoever shares it ends; another's failure ends the workers here.
    pub give_up: Shutdown,
    /// How long a target that cannot be reached is tried again.
    pub retry_for: Duration,
}

/// What to do with a table once its rows and indexes are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tidying {
    /// Both.
    VacuumAnalyze,
    /// Statistics alone.
    Analyze,
    /// The visibility map alone.
    Vacuum,
}

impl Tidying {
    /// The statement; with `freeze`, for rows that COPY could not freeze.
    pub(super) fn sql(self, table: &QualifiedName, freeze: bool) -> Option<String> {
        let command = match (self, freeze) {
            (Tidying::VacuumAnalyze, false) => "VACUUM (ANALYZE)",
            (Tidying::VacuumAnalyze, true) => "VACUUM (FREEZE, ANALYZE)",
            (Tidying::Analyze, _) => "ANALYZE",
            (Tidying::Vacuum, false) => "VACUUM",
            (Tidying::Vacuum, true) => "VACUUM (FREEZE)",
        };
        Some(format!("{command} {}", table.quoted()))
    }
}

/// What a worker has to say.
#[derive(Debug)]
pub enum Event<'a> {
    /// An index is being built.
    Begun(&'a IndexRow),
    /// It is there.
    Built {
        /// Which.
        index: &'a IndexRow,
        /// How long it took.
        took: Duration,
    },
    /// It could not be built.
    Ended(&'a IndexRow),
    /// A table was vacuumed or analyzed.
    Tidied {
        /// Which.
        table: &'a QualifiedName,
        /// How long it took.
        took: Duration,
    },
}

/// Told from several threads.
pub type Events = Arc<dyn Fn(Event<'_>) + Send + Sync>;

/// The workers. Dropped before [`Completion::finish`], they end at their next statement.
pub struct Completion {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

struct Shared {
    config: Config,
    board: Mutex<Board>,
    changed: Condvar,
    failed: Mutex<Vec<CompletionError>>,
    stop: Shutdown,
    shutdown: Shutdown,
    events: Events,
}

impl Completion {
    /// Starts the workers. Nothing is done for any of `tables` until [`Completion::copied`].
    pub fn start(
        config: Config,
        tables: Vec<TableToComplete>,
        shutdown: &Shutdown,
        events: Events,
    ) -> Self {
        let most = tables
            .iter()
            .map(|table| table.indexes.len().max(1))
            .sum::<usize>();
        let shared = Arc::new(Shared {
            board: Mutex::new(Board::new(tables, config.tidying.is_some())),
            changed: Condvar::new(),
            failed: Mutex::new(Vec::new()),
            stop: Shutdown::default(),
            shutdown: shutdown.clone(),
            events,
            config,
        });
        let workers = (0..shared.config.jobs.min(most)).map(|_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.work())
        });
        let workers = workers.collect();
        Self { shared, workers }
    }

    /// The rows of a table are on the target.
    pub fn copied(&self, table: u32) {
        lock(&self.shared.board).copied(table);
        self.shared.changed.notify_all();
    }

    /// Of a table whose rows are not there yet, `indexes` are nothing to build here.
    pub fn leave_out(&self, table: u32, indexes: &HashSet<u32>) {
        lock(&self.shared.board).leave_out(table, indexes);
    }

    /// Waits until everything is done, and gives what failed. No more tables will be copied. When
    /// asked to stop or to give up, it ends early and without an error for what is left.
    pub fn finish(mut self) -> Result<(), CompletionError> {
        lock(&self.shared.board).close();
        self.join();
        let failed = std::mem::take(&mut *lock(&self.shared.failed));
        let count = failed.len();
        let mut failed = failed.into_iter();
        match failed.next() {
            None => Ok(()),
            Some(only) if count == 1 => Err(only),
            Some(first) => Err(CompletionError::Many {
                failed: count,
                first: Box::new(first),
            }),
        }
    }

    fn join(&mut self) {
        self.shared.changed.notify_all();
        for worker in self.workers.drain(..) {
            if worker.join().is_err() {
                let error = CompletionError::Thread("it ended without a result".into());
                lock(&self.shared.failed).push(error);
            }
        }
    }
}

impl Drop for Completion {
    fn drop(&mut self) {
        self.shared.stop.ask();
        self.join();
    }
}

impl Shared {
    fn is_over(&self) -> bool {
        self.stop.asked() || self.config.give_up.asked() || self.shutdown.asked()
    }

    fn work(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        match runtime {
            Ok(runtime) => runtime.block_on(self.take_jobs()),
            Err(error) => self.fail(CompletionError::Thread(error.to_string())),
        }
    }

    fn fail(&self, error: CompletionError) {
        tracing::error!("{}", chain(&error));
        lock(&self.failed).push(error);
        if self.config.fail_fast {
            self.config.give_up.ask();
        }
    }

    /// The next job; none when there will be no more.
    fn next_job(&self) -> Option<Job> {
        let mut board = lock(&self.board);
        while !self.is_over() {
            match board.take() {
                Next::Do(job) => return Some(job),
                Next::End => return None,
                Next::Wait => {
                    let waited = self.changed.wait_timeout(board, POLL);
                    board = waited.unwrap_or_else(|poisoned| poisoned.into_inner()).0;
                }
            }
        }
        None
    }

    async fn take_jobs(&self) {
        let mut session = None;
        while let Some(job) = self.next_job() {
            let begun = Instant::now();
            if let Job::Index(index) = &job {
                (self.events)(Event::Begun(index));
            }
            let done = tokio::select! {
                done = self.run_with_retry(&job, &mut session) => done,
                // The server undoes what it was doing when it notices that we are gone.
                () = self.shutdown.wait() => return,
                () = self.stop.wait() => return,
                () = self.config.give_up.wait() => return,
            };
            failpoint::reach(match &job {
                Job::Index(_) => "index built",
                Job::Constraint(_) => "constraint added",
                Job::Tidy { .. } => "table vacuumed",
            });
            let took = begun.elapsed();
            match (&done, &job) {
                (Ok(()), Job::Index(index)) => (self.events)(Event::Built { index, took }),
                (Err(_), Job::Index(index)) => (self.events)(Event::Ended(index)),
                (Ok(()), Job::Tidy { name, .. }) => {
                    (self.events)(Event::Tidied { table: name, took });
                }
                _ => {}
            }
            let succeeded = done.is_ok();
            if let Err(error) = done {
                self.fail(error);
            }
            lock(&self.board).done(&job, succeeded);
            self.changed.notify_all();
        }
    }

    async fn run_with_retry(
        &self,
        job: &Job,
        session: &mut Option<Session>,
    ) -> Result<(), CompletionError> {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));
        for attempt in 1.. {
            let done = async {
                let session = match session {
                    Some(open) => open,
                    None => session.insert(self.open().await.map_err(CompletionError::Connect)?),
                };
                build::run(session, job, self.config.tidying).await
            };
            match done.await {
                Err(error) if error.remedy() == Remedy::Retry && attempt < ATTEMPTS => {
                    *session = None;
                    let wait = backoff.next_wait();
                    tracing::warn!("{}; trying again in {} ms", chain(&error), wait.as_millis());
                    tokio::time::sleep(wait).await;
                }
                done => return done,
            }
        }
        Ok(())
    }

    async fn open(&self) -> Result<Session, pg::Error> {
        let what = "connecting to the target for indexes";
        let opened = with_retry(self.config.retry_for, &self.shutdown, what, async || {
            self.open_once().await
        });
        opened.await
    }

    async fn open_once(&self) -> Result<Session, pg::Error> {
        let target = &self.config.target;
        let session = Session::connect(target, "indexes").await?;
        let settings = session
            .query_one(
                "SELECT (SELECT setting::bigint * 1024 FROM pg_settings
                          WHERE name = 'maintenance_work_mem'),
                        (SELECT setting::bigint * current_setting('block_size')::bigint
                           FROM pg_settings WHERE name = 'shared_buffers')",
                &[],
            )
            .await?;
        let (setting, buffers): (i64, i64) = (settings.get(0), settings.get(1));
        let memory = memory::for_each_build(
            setting.unsigned_abs(),
            buffers.unsigned_abs(),
            memory::free_beside(target),
            self.config.jobs,
        );
        // The end of the step waits for the disk, once for all of them.
        session.batch("SET synchronous_commit = off").await?;
        if let Some(bytes) = memory {
            let sql = format!("SET maintenance_work_mem = '{}kB'", bytes / 1024);
            session.batch(&sql).await?;
        }
        Ok(session)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}
