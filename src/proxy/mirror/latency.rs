//! How long answers took: counts by powers of two, from which percentiles are read.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Steps within each power of two: a percentile is at most a quarter too high.
const STEPS: usize = 4;

/// From one microsecond to half an hour; what is longer counts as that.
const POWERS: usize = 31;

/// A histogram that many write.
#[derive(Debug)]
pub struct Latencies {
    counts: [AtomicU32; STEPS * POWERS],
}

impl Default for Latencies {
    fn default() -> Self {
        Latencies {
            counts: [const { AtomicU32::new(0) }; STEPS * POWERS],
        }
    }
}

impl Latencies {
    /// Counts one.
    pub fn add(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get(place(micros)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What this share of them took at most; none if there are none.
    pub fn percentile(&self, share: f64) -> Option<Duration> {
        let counts: Vec<u64> = self
            .counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed).into())
            .collect();
        let all: u64 = counts.iter().sum();
        let mut left = ((all as f64) * share).ceil().max(1.0) as u64;
        for (place, count) in counts.iter().enumerate() {
            if *count >= left {
                return (all > 0).then(|| Duration::from_micros(upper(place)));
            }
            left -= count;
        }
        None
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        let counts = self.counts.iter();
        counts
            .map(|count| u64::from(count.load(Ordering::Relaxed)))
            .sum()
    }
}

fn place(micros: u64) -> usize {
    let power = micros.max(1).ilog2();
    // The two bits behind the first.
    let step = match power {
        0 => 0,
        1 => (micros & 1) << 1,
        _ => (micros >> (power - 2)) & 3,
    };
    (power as usize * STEPS + step as usize).min(STEPS * POWERS - 1)
}

/// The most that is counted at `place`.
fn upper(place: usize) -> u64 {
    let (power, step) = (place / STEPS, place % STEPS);
    let size = 1_u64 << power;
    (size + (size * (step as u64 + 1)).div_ceil(STEPS as u64))
        .saturating_sub(1)
        .max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percentiles_are_near() {
        let latencies = Latencies::default();
        assert_eq!(latencies.percentile(0.5), None);
        for micros in 1..=1000 {
            latencies.add(Duration::from_micros(micros));
        }
        assert_eq!(latencies.count(), 1000);
        for (share, micros) in [(0.5, 500), (0.99, 990), (1.0, 1000)] {
            let found = latencies.percentile(share).expect("some").as_micros() as f64;
            assert!(
                (micros as f64..=micros as f64 * 1.26).contains(&found),
                "{share}: {found}"
            );
        }
        latencies.add(Duration::MAX);
        assert!(latencies.percentile(1.0) > Some(Duration::from_secs(1000)));
    }

    proptest! {
        #[test]
        fn each_is_counted_at_its_place(micros in 1_u64..1 << 30) {
            let place = place(micros);
            prop_assert!(micros <= upper(place));
            prop_assert!(place == 0 || micros > upper(place - 1) || upper(place - 1) == upper(place));
        }
    }
}
