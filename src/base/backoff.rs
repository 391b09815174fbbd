//! How long to wait before trying again.

use std::time::Duration;

use rand::Rng;

/// Waits that double from `first` to `max`, each shortened by up to a quarter at random, so that
/// several workers cut off by one restart do not come back at the same instant.
#[derive(Debug, Clone)]
pub struct Backoff {
    next: Duration,
    max: Duration,
}

impl Backoff {
    /// Waits from `first` on, never longer than `max`.
    pub fn new(first: Duration, max: Duration) -> Self {
        Self { next: first, max }
    }

    /// The wait before the next attempt.
    pub fn next_wait(&mut self) -> Duration {
        let wait = self.next.min(self.max);
        self.next = (self.next * 2).min(self.max);
        wait.mul_f64(1.0 - rand::rng().random_range(0.0..0.25))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_bounded() {
        let max = Duration::from_secs(2);
        let mut backoff = Backoff::new(Duration::from_millis(100), max);
        let waits: Vec<_> = (0..20).map(|_| backoff.next_wait()).collect();
        assert!(waits[0] <= Duration::from_millis(100));
        assert!(waits.iter().all(|wait| *wait <= max));
        assert!(waits[19] >= max.mul_f64(0.75));
    }
}
