//! Indexes and the constraints they support, several at a time; then VACUUM and ANALYZE.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::thread;

use crate::base::{QualifiedName, Shutdown};
use crate::pg::{self, Address, Session};
use crate::store::IndexRow;

/// A statement on the target failed.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Making an index or its constraint.
    #[error("building index {name} on the target")]
    Build {
        /// Which.
        name: QualifiedName,
        /// Why.
        #[source]
        source: pg::Error,
    },
    /// Vacuuming or analyzing.
    #[error("vacuuming {table} on the target")]
    Vacuum {
        /// Which.
        table: QualifiedName,
        /// Why.
        #[source]
        source: pg::Error,
    },
    /// Connecting.
    #[error(transparent)]
    Target(#[from] pg::Error),
    /// A worker could not be run.
    #[error("running an index worker: {0}")]
    Thread(String),
}

/// Builds those of `indexes` that are not on the target yet, in that order, `jobs` at a time.
/// Returns early, without error, when asked to stop.
pub fn build(
    target: &Address,
    jobs: usize,
    indexes: Vec<IndexRow>,
    shutdown: &Shutdown,
) -> Result<(), IndexError> {
    in_parallel(target, jobs, indexes, shutdown, async |session, index| {
        let name = index.name.clone();
        let built = build_one(session, index).await;
        built.map_err(|source| IndexError::Build { name, source })
    })
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
    fn command(self) -> &'static str {
        match self {
            Tidying::VacuumAnalyze => "VACUUM (ANALYZE)",
            Tidying::Analyze => "ANALYZE",
            Tidying::Vacuum => "VACUUM",
        }
    }
}

/// Vacuums or analyzes `tables`, `jobs` at a time.
pub fn tidy(
    target: &Address,
    jobs: usize,
    tables: Vec<QualifiedName>,
    tidying: Tidying,
    shutdown: &Shutdown,
) -> Result<(), IndexError> {
    in_parallel(target, jobs, tables, shutdown, async |session, table| {
        let sql = format!("{} {}", tidying.command(), table.quoted());
        let done = session.batch(&sql).await;
        done.map_err(|source| IndexError::Vacuum { table, source })
    })
}

/// Works through `items` on `jobs` sessions of the target; the first error ends it.
fn in_parallel<T: Send>(
    target: &Address,
    jobs: usize,
    items: Vec<T>,
    shutdown: &Shutdown,
    work: impl AsyncFn(&Session, T) -> Result<(), IndexError> + Sync,
) -> Result<(), IndexError> {
    let workers = jobs.min(items.len());
    let queue = Mutex::new(VecDeque::from(items));
    let first_error = Mutex::new(None);
    let take = || lock(&queue).pop_front();
    let worker = || -> Result<(), IndexError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| IndexError::Thread(error.to_string()))?;
        runtime.block_on(async {
            let session = Session::connect(target, "indexes").await?;
            while !shutdown.asked() && lock(&first_error).is_none() {
                let Some(item) = take() else {
                    break;
                };
                tokio::select! {
                    done = work(&session, item) => done?,
                    // The server undoes what it was doing when it notices that we are gone.
                    () = shutdown.wait() => break,
                }
            }
            Ok(())
        })
    };
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                if let Err(error) = worker() {
                    lock(&first_error).get_or_insert(error);
                }
            });
        }
    });
    match first_error
        .into_inner()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
    {
        None => Ok(()),
        Some(error) => Err(error),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Makes the index, and then its constraint and what belongs to it; leaves out what an earlier run
/// has made.
///
/// Two transactions, because two indexes of one table are built at the same time: each build holds
/// a lock that the other's ALTER TABLE has to wait for, and in one transaction both would wait for
/// ever. Killed between the two, the index is there without its constraint, and the next run adds
/// that.
async fn build_one(session: &Session, index: IndexRow) -> Result<(), pg::Error> {
    let there = session
        .query_opt(
            "SELECT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid
                                                          AND k.contype IN ('p', 'u', 'x'))
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE n.nspname = $1 AND c.relname = $2",
            &[&index.name.schema, &index.name.name],
        )
        .await?;
    let has_constraint = there.as_ref().is_some_and(|row| row.get(0));
    if let (None, Some(sql)) = (&there, &index.sql) {
        in_transaction(session, std::slice::from_ref(sql)).await?;
    }
    let constraint = index.constraint.filter(|_| !has_constraint);
    let statements: Vec<_> = constraint
        .map(|constraint| constraint.sql)
        .into_iter()
        .chain(index.extra_sql)
        .collect();
    match statements.is_empty() {
        true => Ok(()),
        false => in_transaction(session, &statements).await,
    }
}

/// COMMIT goes separately: when we are killed meanwhile, the server still ends the statement it is
/// at, and must then find nobody who asks for a commit. Else a resumed run, which has seen nothing
/// there, would meet the index of this one.
async fn in_transaction(session: &Session, statements: &[String]) -> Result<(), pg::Error> {
    session.batch("BEGIN").await?;
    for statement in statements {
        if let Err(error) = session.batch(statement).await {
            // The error says more than a failed ROLLBACK would.
            let _ = session.batch("ROLLBACK").await;
            return Err(error);
        }
    }
    session.batch("COMMIT").await
}
