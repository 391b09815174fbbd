//! How long things took, in fixed classes.

use std::sync::atomic::{AtomicU64, Ordering};

/// The upper bounds of the classes, in nanoseconds: from what a statement takes that is in memory
/// on the same machine to what nobody waits for. Each is about twice the one before, so that a
/// quantile is right to a factor of two at worst. What is longer is in one more class.
pub const BOUNDS_NS: [u64; 18] = [
    100_000,
    200_000,
    500_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    20_000_000,
    50_000_000,
    100_000_000,
    200_000_000,
    500_000_000,
    1_000_000_000,
    2_000_000_000,
    5_000_000_000,
    10_000_000_000,
    20_000_000_000,
    60_000_000_000,
];

/// The classes: one for each bound and the one above them.
pub const CLASSES: usize = BOUNDS_NS.len() + 1;

/// Durations that one thread at a time counts, and others read.
#[derive(Debug, Default)]
pub struct Histogram {
    classes: [AtomicU64; CLASSES],
    sum_ns: AtomicU64,
}

impl Histogram {
    /// `count` things took `total_ns` together; each counts with an equal share of it.
    pub fn count(&self, total_ns: u64, count: u32) {
        if count == 0 {
            return;
        }
        let each = total_ns / u64::from(count);
        let class = BOUNDS_NS.partition_point(|bound| *bound < each);
        if let Some(class) = self.classes.get(class) {
            add(class, count.into());
        }
        add(&self.sum_ns, total_ns);
    }

    /// What was counted so far.
    pub fn read(&self) -> Distribution {
        Distribution {
            classes: std::array::from_fn(|at| self.classes[at].load(Ordering::Relaxed)),
            sum_ns: self.sum_ns.load(Ordering::Relaxed),
        }
    }
}

/// One writer: no read-modify-write is needed.
pub(super) fn add(counter: &AtomicU64, more: u64) {
    let sum = counter.load(Ordering::Relaxed).wrapping_add(more);
    counter.store(sum, Ordering::Relaxed);
}

/// What a histogram held at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Distribution {
    /// How many in each class.
    pub classes: [u64; CLASSES],
    /// All of them together.
    pub sum_ns: u64,
}

impl Distribution {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.classes.iter().sum()
    }

    /// Adds the other's.
    pub fn add(&mut self, other: &Distribution) {
        for (sum, more) in self.classes.iter_mut().zip(other.classes) {
            *sum += more;
        }
        self.sum_ns += other.sum_ns;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_duration_is_in_the_class_whose_bound_it_does_not_pass() {
        let histogram = Histogram::default();
        for ns in [0, 100_000, 100_001, 60_000_000_000, u64::MAX / 2] {
            histogram.count(ns, 1);
        }
        let read = histogram.read();
        assert_eq!((read.classes[0], read.classes[1]), (2, 1));
        assert_eq!(
            (read.classes[CLASSES - 2], read.classes[CLASSES - 1]),
            (1, 1)
        );
        assert_eq!(read.count(), 5);
    }

    #[test]
    fn several_share_their_time() {
        let histogram = Histogram::default();
        histogram.count(3_000_001, 3);
        histogram.count(7, 0);
        let read = histogram.read();
        assert_eq!(
            (read.classes[3], read.count(), read.sum_ns),
            (3, 3, 3_000_001)
        );
    }

    proptest! {
        #[test]
        fn nothing_is_lost(each in proptest::collection::vec((0_u64..100_000_000_000, 0_u32..5), 0..50)) {
            let histogram = Histogram::default();
            let mut twice = Distribution::default();
            for (ns, count) in &each {
                histogram.count(*ns, *count);
            }
            let read = histogram.read();
            twice.add(&read);
            twice.add(&read);
            let count: u64 = each.iter().map(|(_, count)| u64::from(*count)).sum();
            let sum: u64 = each.iter().filter(|(_, count)| *count > 0).map(|(ns, _)| ns).sum();
            prop_assert_eq!((read.count(), read.sum_ns), (count, sum));
            prop_assert_eq!((twice.count(), twice.sum_ns), (2 * count, 2 * sum));
        }
    }
}
