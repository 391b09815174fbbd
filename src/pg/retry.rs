//! Trying again while an error is transient.

use std::time::{Duration, Instant};

use super::error::Error;
use crate::base::backoff::Backoff;
use crate::base::cause::chain;
use crate::base::quantity::display_duration;
use crate::base::{Remedy, Shutdown};

/// Long enough for a restarting server not to be flooded, short enough to go unnoticed.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// Short enough to be back soon after a long outage.
const MAX_WAIT: Duration = Duration::from_secs(15);

/// Runs `attempt` until it succeeds, fails for good, or `limit` has passed.
///
/// Waits between attempts grow; each is told once as a warning, as "`what` failed: …". Only what
/// may be repeated belongs into `attempt`: it cannot be known how far the last one got.
///
/// # Errors
/// The last one, also when asked to stop. Not cancel safe unless `attempt` is.
pub async fn with_retry<T>(
    limit: Duration,
    shutdown: &Shutdown,
    what: &str,
    mut attempt: impl AsyncFnMut() -> Result<T, Error>,
) -> Result<T, Error> {
    let begun = Instant::now();
    let mut backoff = Backoff::new(FIRST_WAIT, MAX_WAIT);
    loop {
        let error = match attempt().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let left = limit.saturating_sub(begun.elapsed());
        if error.remedy() != Remedy::Retry || left.is_zero() || shutdown.asked() {
            return Err(error);
        }
        let wait = backoff.next_wait().min(left);
        tracing::warn!(
            "{what} failed: {}; trying again in {}",
            chain(&error),
            display_duration(wait)
        );
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = shutdown.wait() => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(future)
    }

    #[test]
    fn a_lost_connection_is_tried_again_and_other_errors_are_not() {
        let attempts = Cell::new(0);
        let limit = Duration::from_secs(30);
        let outcome = run(with_retry(
            limit,
            &Shutdown::default(),
            "this",
            async || {
                attempts.set(attempts.get() + 1);
                match attempts.get() {
                    1 => Err(Error::closed()),
                    2 => Err(Error::Protocol("odd".to_owned())),
                    _ => Ok(()),
                }
            },
        ));
        assert!(matches!(outcome, Err(Error::Protocol(_))));
        assert_eq!(attempts.get(), 2);
    }

    #[test]
    fn stopping_ends_the_waiting() {
        let shutdown = Shutdown::default();
        shutdown.ask();
        let limit = Duration::from_secs(30);
        let outcome = run(with_retry(limit, &shutdown, "this", async || {
            Err::<(), _>(Error::closed())
        }));
        assert!(outcome.is_err());
    }
}
