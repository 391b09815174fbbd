//! Waiting out what passes by itself: a server that restarts, fails over, or refuses connections for
//! a while.
//!
//! Whatever is tried again here can be: each step knows from both servers and from the store what is
//! done already, as after a crash.

use std::time::{Duration, Instant};

use crate::base::backoff::Backoff;
use crate::base::cause::chain;
use crate::base::quantity::display_duration;
use crate::base::{Remedy, Shutdown};
use crate::store::Store;

use super::base_copy::{self, Config, Scope};
use super::error::MigrationError;

/// Waits between attempts: as for a single connection.
fn new_backoff() -> Backoff {
    Backoff::new(Duration::from_millis(250), Duration::from_secs(15))
}

/// Runs `attempt` until it succeeds, fails for good, or has failed for `limit`.
///
/// # Errors
/// The last one; [`MigrationError::Stopped`] when asked to stop.
pub(super) async fn patiently<T>(
    limit: Duration,
    shutdown: &Shutdown,
    mut attempt: impl AsyncFnMut() -> Result<T, MigrationError>,
) -> Result<T, MigrationError> {
    let mut failing = Failing::default();
    loop {
        match attempt().await {
            Err(error) if error.remedy() == Remedy::Retry => {
                failing.wait(limit, error, shutdown).await?;
            }
            done => return done,
        }
    }
}

/// Runs the base copy; after a failure that passes by itself again, as `--resume` would, as long as
/// what is copied already may stand beside what a new snapshot sees.
///
/// # Errors
/// The last one, when it got nowhere for as long as servers are tried again.
pub(super) async fn copy(
    config: &Config,
    scope: Scope,
    shutdown: &Shutdown,
) -> Result<(), MigrationError> {
    let mut failing = Failing::default();
    let mut before = None;
    loop {
        let Err(error) = base_copy::run(config, scope, shutdown).await else {
            return Ok(());
        };
        if shutdown.asked() || !passes(config, &error)? {
            return Err(error);
        }
        // Others may need them while nothing is read there.
        base_copy::release_at_the_end(config).await;
        let now = Some(Reached::of(config)?);
        if now != before {
            failing = Failing::default();
            before = now;
        }
        failing
            .wait(config.choices.retry_for, error, shutdown)
            .await?;
    }
}

/// With change capture, a new snapshot brings what is missing up to date with what is there; without
/// it, nothing may be missing that needs one.
fn passes(config: &Config, error: &MigrationError) -> Result<bool, MigrationError> {
    if config.run.slot.is_some() {
        return Ok(error.remedy() == Remedy::Retry || error.is_lost_snapshot());
    }
    let is_copied = store(config)?.is_copied(config.choices.large_object_jobs.is_some())?;
    Ok(is_copied && error.remedy() == Remedy::Retry)
}

fn store(config: &Config) -> Result<Store, MigrationError> {
    Ok(config.work_dir.open_store()?)
}

/// How far the copy is: an attempt that moved any of it was not in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reached {
    steps: usize,
    tables: usize,
    bytes: u64,
    indexes: usize,
}

impl Reached {
    fn of(config: &Config) -> Result<Self, MigrationError> {
        let steps = store(config)?.steps()?;
        let done = config.progress.view().done;
        Ok(Self {
            steps: steps
                .iter()
                .filter(|step| step.finished_at.is_some())
                .count(),
            tables: done.tables,
            bytes: done.bytes,
            indexes: done.indexes,
        })
    }
}

/// Attempts that failed, one after the other.
struct Failing {
    since: Option<Instant>,
    backoff: Backoff,
}

impl Default for Failing {
    fn default() -> Self {
        Self {
            since: None,
            backoff: new_backoff(),
        }
    }
}

impl Failing {
    /// Says what failed and waits; gives `error` back once it has been long enough.
    async fn wait(
        &mut self,
        limit: Duration,
        error: MigrationError,
        shutdown: &Shutdown,
    ) -> Result<(), MigrationError> {
        let since = *self.since.get_or_insert_with(Instant::now);
        let left = limit.saturating_sub(since.elapsed());
        if left.is_zero() {
            return Err(error);
        }
        let wait = self.backoff.next_wait().min(left);
        tracing::warn!(
            "{}; trying again in {}",
            chain(&error),
            display_duration(wait)
        );
        tokio::select! {
            () = tokio::time::sleep(wait) => Ok(()),
            () = shutdown.wait() => Err(MigrationError::Stopped),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::migration::error::on_source;
    use crate::pg;

    fn run<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(future)
    }

    fn lost() -> MigrationError {
        on_source("looking")(pg::Error::Lost(None))
    }

    #[test]
    fn what_passes_is_tried_again_and_what_does_not_is_told() {
        let attempts = Cell::new(0);
        let limit = Duration::from_secs(60);
        let done = run(patiently(limit, &Shutdown::default(), async || {
            attempts.set(attempts.get() + 1);
            match attempts.get() {
                1 => Err(lost()),
                2 => Err(MigrationError::Thread("no".into())),
                _ => Ok(()),
            }
        }));
        assert!(matches!(done, Err(MigrationError::Thread(_))));
        assert_eq!(attempts.get(), 2);
    }

    #[test]
    fn without_patience_the_first_failure_is_told_and_a_stop_ends_the_wait() {
        let never = || async || Err::<(), _>(lost());
        let told = run(patiently(Duration::ZERO, &Shutdown::default(), never()));
        assert!(matches!(told, Err(MigrationError::Source { .. })));
        let asked = Shutdown::default();
        asked.ask();
        let stopped = run(patiently(Duration::from_secs(60), &asked, never()));
        assert!(matches!(stopped, Err(MigrationError::Stopped)));
    }
}
