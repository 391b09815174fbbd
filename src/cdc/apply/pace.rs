//! Whether apply catches up with the source or keeps pace with it.
//!
//! By the source's own clock, so that nobody's clocks need agree: where more of its time passes in what
//! is applied than passes here, there is something to catch up with.

use std::time::{Duration, Instant};

use crate::cdc::timestamp::parse;

/// How long is looked at: longer than any group of few is old, and soon over once apply keeps pace.
const WINDOW: Duration = Duration::from_millis(100);

/// So many times as fast as the source's clock: twice after a moment in which nothing was applied is
/// catching up too, and a clock that is set right seldom is.
const FASTER: u128 = 2;

/// What is known.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When it was last looked, and the source's time then, in microseconds.
    since: Option<(Instant, i64)>,
    catches_up: bool,
}

impl Pace {
    /// Whether apply catches up, where it has come to a transaction that was committed at `timestamp`.
    /// Not known is no.
    pub(super) fn catches_up(&mut self, timestamp: Option<&str>, now: Instant) -> bool {
        if let Some((then, _)) = self.since
            && now.duration_since(then) < WINDOW
        {
            return self.catches_up;
        }
        let Some(at) = timestamp.and_then(parse) else {
            return false;
        };
        if let Some((then, before)) = self.since.replace((now, at)) {
            let theirs = u128::try_from(at.saturating_sub(before)).unwrap_or(0);
            let ours = now.duration_since(then).as_micros();
            self.catches_up = theirs >= ours.saturating_mul(FASTER);
        }
        self.catches_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cdc::timestamp::format_unix_micros;

    /// Asked every ten milliseconds, each time `theirs` further by the source's clock.
    fn asked(pace: &mut Pace, now: &mut Instant, at: &mut i64, theirs: i64) -> Vec<bool> {
        let mut answers = Vec::new();
        for _ in 0..25 {
            *now += Duration::from_millis(10);
            *at += theirs;
            answers.push(pace.catches_up(Some(&format_unix_micros(*at)), *now));
        }
        answers
    }

    #[test]
    fn whoever_passes_more_of_the_sources_time_than_of_its_own_catches_up() {
        let (mut pace, mut now, mut at) = (Pace::default(), Instant::now(), 0);
        let mut ask = |theirs| asked(&mut pace, &mut now, &mut at, theirs);
        assert!(!ask(10_000).contains(&true));
        assert_eq!(ask(100_000).last(), Some(&true));
        // A little faster is no backlog.
        assert_eq!(ask(15_000).last(), Some(&false));
        assert_eq!(ask(-15_000).last(), Some(&false));
    }

    #[test]
    fn without_the_sources_time_nothing_is_held_back() {
        let mut pace = Pace::default();
        let now = Instant::now();
        for step in 0..50 {
            let now = now + Duration::from_millis(10 * step);
            assert!(!pace.catches_up(None, now));
            assert!(!pace.catches_up(Some("yesterday"), now));
        }
    }
}
