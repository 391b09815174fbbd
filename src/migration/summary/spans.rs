//! Spans of time that overlap.

use std::time::Duration;

/// The time that `spans` cover together, each from its first to its second value in seconds: what
/// several cover at once counts once.
pub fn covered(spans: impl IntoIterator<Item = (f64, f64)>) -> Duration {
    let mut spans: Vec<_> = spans.into_iter().filter(|(from, to)| to > from).collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut seconds = 0.0;
    let mut end = f64::NEG_INFINITY;
    for (from, to) in spans {
        if to > end {
            seconds += to - from.max(end);
            end = to;
        }
    }
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_counts_once_and_pauses_do_not_count() {
        let seconds = |spans: &[(f64, f64)]| covered(spans.iter().copied()).as_secs_f64();
        assert_eq!(seconds(&[]), 0.0);
        assert_eq!(seconds(&[(1.0, 3.0), (2.0, 4.0)]), 3.0);
        assert_eq!(seconds(&[(5.0, 6.0), (1.0, 3.0)]), 3.0);
        assert_eq!(seconds(&[(1.0, 9.0), (2.0, 3.0), (8.0, 10.0)]), 9.0);
        // A clock that was set back.
        assert_eq!(seconds(&[(5.0, 1.0)]), 0.0);
    }
}
