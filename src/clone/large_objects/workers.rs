//! Several pairs of sessions at a time, and what is tried again when one is lost.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use crate::base::backoff::Backoff;
use crate::base::{Remedy, failpoint};
use crate::pg::with_retry;

use super::ranges::OidRange;
use super::source::Reader;
use super::target::Writer;
use super::transfer::{reading, writing};
use super::{Config, LargeObjectError};

/// How often a range is tried when a connection is lost in the middle of it.
const ATTEMPTS: u32 = 5;

/// A worker's two sessions.
pub(super) struct Sessions {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
}

/// Works through `ranges`, `config.jobs` at a time; the first error ends it, and so does being
/// asked to stop, without an error. `work` may be called again for the same range, with new
/// sessions, when one was lost in it.
pub(super) fn in_parallel(
    config: &Config,
    ranges: Vec<OidRange>,
    work: impl AsyncFn(&Sessions, OidRange) -> Result<(), LargeObjectError> + Sync,
) -> Result<(), LargeObjectError> {
    let workers = config.jobs.min(ranges.len());
    let queue = Mutex::new(VecDeque::from(ranges));
    let first_error = Mutex::new(None);
    let worker = || -> Result<(), LargeObjectError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| LargeObjectError::Thread(error.to_string()))?;
        runtime.block_on(async {
            let mut sessions = None;
            while !config.shutdown.asked() && lock(&first_error).is_none() {
                let Some(range) = lock(&queue).pop_front() else {
                    break;
                };
                tokio::select! {
                    done = try_again(config, &mut sessions, range, &work) => done?,
                    // The target waits for a lock, or a server or the network is stuck.
                    () = config.shutdown.overdue() => break,
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
    let first_error = first_error.into_inner();
    match first_error.unwrap_or_else(|poisoned| poisoned.into_inner()) {
        None => Ok(()),
        Some(error) => Err(error),
    }
}

async fn try_again(
    config: &Config,
    sessions: &mut Option<Sessions>,
    range: OidRange,
    work: &impl AsyncFn(&Sessions, OidRange) -> Result<(), LargeObjectError>,
) -> Result<(), LargeObjectError> {
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));
    let mut attempt = 1;
    loop {
        let done = async {
            let open = match &mut *sessions {
                Some(open) => open,
                none => none.insert(open(config, range).await?),
            };
            work(open, range).await
        };
        let Err(error) = done.await else {
            failpoint::reach("large objects copied");
            return Ok(());
        };
        *sessions = None;
        if error.remedy() != Remedy::Retry || attempt == ATTEMPTS || config.shutdown.asked() {
            return Err(error);
        }
        let wait = backoff.next_wait();
        tracing::warn!("{error}; trying again in {} ms", wait.as_millis());
        tokio::time::sleep(wait).await;
        attempt += 1;
    }
}

async fn open(config: &Config, range: OidRange) -> Result<Sessions, LargeObjectError> {
    let (limit, shutdown) = (config.retry_for, &config.shutdown);
    let what = "connecting to the source for large objects";
    let reader = with_retry(limit, shutdown, what, async || {
        Reader::open(&config.source, config.snapshot_id.as_deref()).await
    });
    let reader = reader.await.map_err(reading(range))?;
    let what = "connecting to the target for large objects";
    let writer = with_retry(limit, shutdown, what, async || {
        Writer::open(&config.target, config.restored).await
    });
    let writer = writer.await.map_err(writing(range))?;
    Ok(Sessions { reader, writer })
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}
