//! Waiting for a standby: for how long, and when it is told.

use std::time::{Duration, Instant};

use crate::base::Lsn;

/// How often it is told whom is waited for.
const TOLD_EVERY: Duration = Duration::from_secs(10);
/// The shortest that a standby is waited for that does not get on: replay of one record may take
/// seconds, such as that of a transaction that drops many tables.
const PATIENCE_MIN: Duration = Duration::from_secs(60);

/// Whether a standby that is waited for gets on.
pub(super) struct Progress {
    pub(super) patience: Duration,
    last: Lsn,
    since: Instant,
    told: Instant,
}

impl Progress {
    pub(super) fn new(patience: Duration) -> Self {
        Self {
            patience: patience.max(PATIENCE_MIN),
            last: Lsn::default(),
            since: Instant::now(),
            told: Instant::now(),
        }
    }

    /// Whether it stands at `position` for longer than anybody waits.
    pub(super) fn is_over(&mut self, position: Lsn) -> bool {
        if position > self.last {
            self.last = position;
            self.since = Instant::now();
        }
        self.since.elapsed() >= self.patience
    }

    pub(super) fn is_to_be_told(&mut self) -> bool {
        let is_due = self.told.elapsed() >= TOLD_EVERY;
        if is_due {
            self.told = Instant::now();
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standby_that_gets_on_is_waited_for() {
        let mut progress = Progress::new(Duration::ZERO);
        assert_eq!(progress.patience, PATIENCE_MIN);
        progress.patience = Duration::ZERO;
        assert!(progress.is_over(Lsn::default()));
        progress.patience = PATIENCE_MIN;
        let long_ago = Instant::now().checked_sub(2 * PATIENCE_MIN);
        progress.since = long_ago.unwrap_or_else(Instant::now);
        assert!(!progress.is_over(Lsn::new(1)), "it got on just now");
    }
}
