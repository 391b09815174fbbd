//! When to nap between two reads of the socket.
//!
//! While the source keeps sending, each read brings the few messages that came during the last
//! one, and costs as much as one that brings a thousand: a system call, and two threads to wake. A
//! nap before the next read lets more arrive. When little comes there is none: what comes is passed
//! on at once.

use std::time::{Duration, Instant};

/// How long to nap: what it may add to the age of a change under load.
pub(super) const NAP: Duration = Duration::from_micros(500);
/// What counts as the source sending on and on: that much within a nap's time. Ten thousand small
/// changes a second stay below it.
const DENSE_BYTES: usize = 1024;

/// How fast the source sends.
#[derive(Debug)]
pub(super) struct Pace {
    since: Instant,
    bytes: usize,
    /// Whether to nap before the next read.
    pub(super) is_dense: bool,
}

impl Pace {
    /// Nothing was read yet.
    pub(super) fn starting(now: Instant) -> Self {
        Self {
            since: now,
            bytes: 0,
            is_dense: false,
        }
    }

    /// A read brought `bytes`.
    pub(super) fn read(&mut self, bytes: usize, now: Instant) {
        if now.duration_since(self.since) >= NAP {
            self.since = now;
            self.bytes = 0;
        }
        self.bytes += bytes;
        self.is_dense = self.bytes >= DENSE_BYTES;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of `reads` reads of `bytes` each, `micros` apart, are followed by a nap.
    fn naps(reads: u32, bytes: usize, micros: u64) -> u32 {
        let mut now = Instant::now();
        let mut pace = Pace::starting(now);
        let mut naps = 0;
        for _ in 0..reads {
            now += Duration::from_micros(micros);
            pace.read(bytes, now);
            naps += u32::from(pace.is_dense);
        }
        naps
    }

    #[test]
    fn naps_are_taken_while_much_comes_and_never_when_little_does() {
        // Five hundred transactions a second, a message a read.
        assert_eq!(naps(1000, 200, 400), 0);
        // A walsender at full speed, of which each read gets some messages.
        assert!(naps(100, 500, 20) > 80);
        // After naps, each read brings what came meanwhile.
        assert_eq!(naps(100, 10_000, 550), 100);
    }
}
