//! Waiting for something to become true, with a deadline: the only place that sleeps.

use std::thread;
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(20);

/// Returns once `is_true` says so; panics naming `what` if it has not within `limit`.
#[track_caller]
pub(crate) fn eventually(limit: Duration, what: &str, mut is_true: impl FnMut() -> bool) {
    eventually_some(limit, what, || is_true().then_some(()));
}

/// The first value that `find` finds; panics naming `what` if it finds none within `limit`.
#[track_caller]
pub(crate) fn eventually_some<T>(
    limit: Duration,
    what: &str,
    mut find: impl FnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(
            Instant::now() < deadline,
            "waited {limit:?} in vain until {what}"
        );
        thread::sleep(POLL);
    }
}

/// Lets `moment` pass: for faults that come at a random time, never to wait for something.
pub(crate) fn let_pass(moment: Duration) {
    thread::sleep(moment);
}
