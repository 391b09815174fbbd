//! When to nap between two reads of the socket.
//!
//! While the source keeps sending, each read brings the few messages that came during the last
//! one, and costs as much as one that brings a thousand: a system call, two threads to wake, and two
//! processes behind them. A nap before the next read lets more arrive. When little comes there is none:
//! what comes is passed on at once. Neither is there one where a read brings much as it is. A source at
//! full speed gets a short one: the kernel keeps some three hundred small messages on a Unix socket,
//! which come in little more than a millisecond, and then its sender stands still.

use std::time::{Duration, Instant};

/// How long to nap: what it may add to the age of a change under load.
const NAP: Duration = Duration::from_millis(1);
const SHORT_NAP: Duration = Duration::from_micros(250);
/// A read that brings so much comes from a source at full speed: three thousand transactions of a kilobyte
/// each a second.
const FULL_SPEED_BYTES: usize = 3 * 1024;
/// What counts as the source sending on and on: that much in such a time. Half a thousand transactions
/// of five changes a second stay below it.
const DENSE_BYTES: usize = 2048;
const WINDOW: Duration = Duration::from_millis(4);
/// A read that brings so much is worth its costs.
const MUCH_BYTES: usize = 64 * 1024;

/// How fast the source sends.
#[derive(Debug)]
pub(super) struct Pace {
    since: Instant,
    /// What came since then.
    bytes: usize,
    /// Whether much has come in the window before, or in this one by now.
    keeps_coming: bool,
    /// How long to nap before the next read.
    pub(super) nap: Option<Duration>,
}

impl Pace {
    /// Nothing was read yet.
    pub(super) fn starting(now: Instant) -> Self {
        Self {
            since: now,
            bytes: 0,
            keeps_coming: false,
            nap: None,
        }
    }

    /// A read brought `bytes`.
    pub(super) fn read(&mut self, bytes: usize, now: Instant) {
        let took = now.duration_since(self.since);
        if took >= WINDOW {
            self.keeps_coming = self.bytes >= DENSE_BYTES && took < 2 * WINDOW;
            self.since = now;
            self.bytes = 0;
        }
        self.bytes += bytes;
        self.keeps_coming |= self.bytes >= DENSE_BYTES;
        self.nap = match bytes {
            _ if !self.keeps_coming => None,
            0..FULL_SPEED_BYTES => Some(NAP),
            FULL_SPEED_BYTES..MUCH_BYTES => Some(SHORT_NAP),
            _ => None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of `reads` reads of `bytes` each, `micros` apart, are followed by a nap.
    fn naps(reads: u32, bytes: usize, micros: u64) -> u32 {
        of_each(reads, bytes, micros).iter().sum()
    }

    /// The same for long naps and short ones.
    fn of_each(reads: u32, bytes: usize, micros: u64) -> [u32; 2] {
        let mut now = Instant::now();
        let mut pace = Pace::starting(now);
        let mut naps = [0; 2];
        for _ in 0..reads {
            now += Duration::from_micros(micros);
            pace.read(bytes, now);
            naps[0] += u32::from(pace.nap == Some(NAP));
            naps[1] += u32::from(pace.nap == Some(SHORT_NAP));
        }
        naps
    }

    #[test]
    fn naps_are_taken_while_much_comes_and_never_when_little_does() {
        // Five hundred transactions a second, a message a read.
        assert_eq!(naps(1000, 550, 2000), 0);
        assert_eq!(naps(1000, 110, 400), 0);
        // Twice as many.
        assert!(naps(1000, 550, 800) > 900);
        // A walsender at full speed, of which each read gets some messages.
        assert!(naps(100, 500, 20) > 80);
        // After naps, each read brings what came meanwhile, or so much that it needs none.
        assert_eq!(of_each(100, 1_500, 1050), [99, 0]);
        assert_eq!(of_each(100, 10_000, 300), [0, 100]);
        assert_eq!(naps(100, 100_000, 1050), 0);
        // After a silence the first are passed on at once.
        assert_eq!(naps(10, 1500, 20_000), 0);
    }
}
