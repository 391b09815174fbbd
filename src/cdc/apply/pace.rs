//! How fast changes come.

use std::time::{Duration, Instant};

/// It is looked at so often.
const WINDOW: Duration = Duration::from_millis(100);

/// So many a second are fast: hundreds in the time that a group waits for more, which are written
/// together then. Slower ones are few, and nobody gains by their waiting.
const FAST: u128 = 10_000;

/// How many changes have come, and when.
#[derive(Debug)]
pub(super) struct Pace {
    since: Instant,
    changes: u64,
    is_fast: bool,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            since: now,
            changes: 0,
            is_fast: false,
        }
    }

    /// So many more have come.
    pub(super) fn count(&mut self, changes: usize) {
        self.changes += changes as u64;
    }

    /// Whether they came fast lately.
    pub(super) fn is_fast(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.since);
        if elapsed >= WINDOW {
            self.is_fast = u128::from(self.changes) * 1_000_000 >= FAST * elapsed.as_micros();
            (self.since, self.changes) = (now, 0);
        }
        self.is_fast
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_fast_while_enough_come_in_a_window() {
        let begin = Instant::now();
        let at = |millis| begin + Duration::from_millis(millis);
        let mut pace = Pace::new(begin);
        pace.count(1000);
        assert!(!pace.is_fast(at(99)), "too early to tell");
        assert!(pace.is_fast(at(100)));
        pace.count(100);
        assert!(pace.is_fast(at(150)), "the window before counts");
        assert!(!pace.is_fast(at(200)));
        pace.count(2000);
        assert!(
            !pace.is_fast(at(1200)),
            "after a second of which most was idle"
        );
    }
}
