//! Materialized views are refreshed on the target, never copied: what they hold is what their query
//! gives there.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::thread;

use crate::base::{QualifiedName, Remedy, Shutdown, failpoint};
use crate::catalog::materialized_views::MaterializedView;
use crate::pg::{self, Address, Session};

/// A materialized view could not be refreshed.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// Its query failed, or the role may not.
    #[error("refreshing materialized view {name} on the target")]
    Refresh {
        /// Which.
        name: QualifiedName,
        /// Why.
        #[source]
        source: pg::Error,
    },
    /// Connecting.
    #[error(transparent)]
    Target(#[from] pg::Error),
    /// A worker could not be run.
    #[error("running a worker: {0}")]
    Thread(String),
}

impl RefreshError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            RefreshError::Refresh { source, .. } | RefreshError::Target(source) => source.remedy(),
            RefreshError::Thread(_) => Remedy::Bug,
        }
    }

    /// It reads one that is not populated yet, in a way that no dependency tells: in a function.
    fn is_too_early(&self) -> bool {
        matches!(self, RefreshError::Refresh { source, .. } if source.sqlstate() == Some("55000"))
    }
}

/// How views are refreshed.
#[derive(Debug)]
pub struct Config<'a> {
    /// The target.
    pub target: &'a Address,
    /// How many at a time.
    pub jobs: usize,
    /// Whether each is analyzed after it.
    pub analyze: bool,
    /// Asks to stop; what is not refreshed by then stays as it is, without an error.
    pub shutdown: &'a Shutdown,
}

/// Refreshes `views`, level after level; the errors of those that could not be.
///
/// What a function reads is no dependency, so some may come too early. They are tried again for as
/// long as others succeed meanwhile.
pub fn refresh(config: &Config<'_>, views: Vec<MaterializedView>) -> Vec<RefreshError> {
    let mut left = views;
    let mut errors = Vec::new();
    loop {
        let before = left.len();
        let mut early = Vec::new();
        for level in left.chunk_by(|view, next| view.level == next.level) {
            for (view, error) in refresh_level(config, level) {
                match (view, error.is_too_early()) {
                    (Some(view), true) => early.push((view, error)),
                    _ => errors.push(error),
                }
            }
        }
        if early.is_empty() || early.len() == before || config.shutdown.asked() {
            errors.extend(early.into_iter().map(|(_, error)| error));
            return errors;
        }
        left = early.into_iter().map(|(view, _)| view).collect();
    }
}

/// Refreshes views none of which reads another; those that failed, or no view for a worker.
fn refresh_level(
    config: &Config<'_>,
    views: &[MaterializedView],
) -> Vec<(Option<MaterializedView>, RefreshError)> {
    let queue = Mutex::new(views.iter().collect::<VecDeque<_>>());
    let failed = Mutex::new(Vec::new());
    let take = || lock(&queue).pop_front();
    let worker = || -> Result<(), RefreshError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| RefreshError::Thread(error.to_string()))?;
        runtime.block_on(async {
            let session = Session::connect(config.target, "materialized views").await?;
            while !config.shutdown.asked() {
                let Some(view) = take() else {
                    break;
                };
                tokio::select! {
                    done = refresh_one(&session, view, config.analyze) => {
                        failpoint::reach("view refreshed");
                        if let Err(error) = done {
                            lock(&failed).push((Some(view.clone()), error));
                        }
                    }
                    // The server undoes what it was doing when it notices that we are gone.
                    () = config.shutdown.wait() => break,
                }
            }
            Ok(())
        })
    };
    thread::scope(|scope| {
        for _ in 0..config.jobs.min(views.len()) {
            scope.spawn(|| {
                if let Err(error) = worker() {
                    lock(&failed).push((None, error));
                }
            });
        }
    });
    failed
        .into_inner()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The session's `search_path` is `pg_catalog` alone, as it is for everyone from PostgreSQL 17 on.
async fn refresh_one(
    session: &Session,
    view: &MaterializedView,
    analyze: bool,
) -> Result<(), RefreshError> {
    let name = view.name.quoted();
    let done = async {
        session
            .batch(&format!("REFRESH MATERIALIZED VIEW {name}"))
            .await?;
        match analyze {
            true => session.batch(&format!("ANALYZE {name}")).await,
            false => Ok(()),
        }
    };
    done.await.map_err(|source| RefreshError::Refresh {
        name: view.name.clone(),
        source,
    })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}
