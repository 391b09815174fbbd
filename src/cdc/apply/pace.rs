//! Whether so much arrives that it is worth gathering, though nothing is there to read just now.
//!
//! By the rate alone, over a while: a burst after a moment in which nothing came is no sign of it, and
//! neither is one large transaction.

use std::time::{Duration, Instant};

/// How long is looked at.
const WINDOW: Duration = Duration::from_millis(250);

/// So many changes in that time: 20,000 a second, where groups that are committed as they come cost the
/// target several times what larger ones do, and apply would fall behind.
const MANY: usize = 5_000;

/// How fast changes arrive.
#[derive(Debug)]
pub(super) struct Pace {
    since: Instant,
    changes: usize,
    is_fast: bool,
}

impl Pace {
    /// Nothing has arrived yet.
    pub(super) fn starting(now: Instant) -> Self {
        Self {
            since: now,
            changes: 0,
            is_fast: false,
        }
    }

    /// A transaction of so many changes is whole.
    pub(super) fn took(&mut self, changes: usize, now: Instant) {
        let took = now.duration_since(self.since);
        if took >= WINDOW {
            let expected = MANY as u128 * took.as_micros() / WINDOW.as_micros();
            self.is_fast = self.changes as u128 >= expected;
            self.since = now;
            self.changes = 0;
        }
        self.changes += changes;
    }

    /// Whether many have arrived in the window before.
    pub(super) fn is_fast(&self) -> bool {
        self.is_fast
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After a second of transactions of `changes`, `micros` apart.
    fn is_fast_after(pace: &mut Pace, now: &mut Instant, changes: usize, micros: u64) -> bool {
        for _ in 0..=1_000_000 / micros {
            *now += Duration::from_micros(micros);
            pace.took(changes, *now);
        }
        pace.is_fast()
    }

    #[test]
    fn a_stream_is_fast_that_goes_on_being_fast() {
        let mut now = Instant::now();
        let mut pace = Pace::starting(now);
        // Two thousand TPC-B transactions a second.
        assert!(!is_fast_after(&mut pace, &mut now, 4, 500));
        assert!(is_fast_after(&mut pace, &mut now, 4, 50));
        assert!(!is_fast_after(&mut pace, &mut now, 4, 500));
        // A large one now and then; and the first after a silence.
        assert!(!is_fast_after(&mut pace, &mut now, 4_000, 250_000));
        assert!(is_fast_after(&mut pace, &mut now, 4, 50));
        now += Duration::from_secs(10);
        pace.took(4, now);
        assert!(!pace.is_fast());
    }
}
