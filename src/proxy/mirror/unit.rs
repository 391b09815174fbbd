//! One transaction of a client: what it said, and what it was told.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::messages::{self, Request};
use crate::wire::frame;

/// What a client said between two movable points, and what its server answered.
#[derive(Debug)]
pub struct Unit {
    /// Whole messages of the client.
    pub requests: Vec<u8>,
    /// Messages of the server, cut off where there were more than are kept.
    pub answers: Vec<u8>,
    /// The rounds that it took.
    pub rounds: Vec<Round>,
    /// When the client began it.
    pub began: Instant,
}

/// What was said until everything was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// Where its requests end.
    pub requests_end: usize,
    /// Where its answers end among those that are kept.
    pub answers_end: usize,
    /// Whether all of them are kept.
    pub is_whole: bool,
    /// Whether there is an error among them.
    pub has_failed: bool,
    /// From its first request to its last answer.
    pub took: Duration,
}

/// One round, and what was said in it.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// By the client.
    pub requests: &'a [u8],
    /// By the server.
    pub answers: &'a [u8],
    /// How long it took, and whether all the answers are here.
    pub round: Round,
}

impl Unit {
    /// Each round.
    pub fn rounds(&self) -> impl Iterator<Item = Said<'_>> {
        let mut last = (0, 0);
        self.rounds.iter().map(move |round| {
            let (requests, answers) = last;
            last = (round.requests_end, round.answers_end);
            let slice = |bytes: &'_ Vec<u8>, range: Range<usize>| -> (usize, usize) {
                let end = range.end.min(bytes.len());
                (range.start.min(end), end)
            };
            let (from, to) = slice(&self.requests, requests..round.requests_end);
            let (first, end) = slice(&self.answers, answers..round.answers_end);
            Said {
                requests: &self.requests[from..to],
                answers: &self.answers[first..end],
                round: *round,
            }
        })
    }

    /// Whether it executes the unnamed statement that was prepared before it.
    pub fn binds_unnamed(&self) -> bool {
        let mut requests =
            frame::frames(&self.requests).map(|(tag, one)| messages::request(tag, one));
        let first = requests.find(|request| {
            matches!(
                request,
                Request::Query(_)
                    | Request::Parse { name: b"", .. }
                    | Request::Bind { statement: b"", .. }
            )
        });
        matches!(first, Some(Request::Bind { .. }))
    }

    /// What it takes in memory.
    pub fn bytes(&self) -> usize {
        size_of::<Unit>()
            + self.requests.capacity()
            + self.answers.capacity()
            + self.rounds.capacity() * size_of::<Round>()
    }
}

/// Memory that is counted against a mirror's bound until this is dropped.
#[derive(Debug)]
pub struct Charge {
    of: Arc<AtomicUsize>,
    bytes: usize,
}

impl Charge {
    /// Nothing yet, of what is counted there.
    pub fn nothing(of: &Arc<AtomicUsize>) -> Charge {
        Charge {
            of: Arc::clone(of),
            bytes: 0,
        }
    }

    /// Counts `bytes`; none if that would be more than `limit` in all.
    pub fn take(of: &Arc<AtomicUsize>, bytes: usize, limit: usize) -> Option<Charge> {
        let mut charge = Charge::nothing(of);
        // Dropped, it is given back.
        charge.resize(bytes, limit).then_some(charge)
    }

    /// Counts `bytes` from now on. False if it has become more, and that is more than `limit` in
    /// all.
    pub fn resize(&mut self, bytes: usize, limit: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let less = self.bytes.saturating_sub(bytes);
        self.bytes = bytes;
        self.of.fetch_sub(less, Ordering::Relaxed);
        let before = self.of.fetch_add(more, Ordering::Relaxed);
        more == 0 || before.saturating_add(more) <= limit
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.of.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::super::messages::build;
    use super::*;

    #[test]
    fn memory_is_given_back() {
        let used = Arc::new(AtomicUsize::new(0));
        let one = Charge::take(&used, 60, 100).expect("room");
        assert!(Charge::take(&used, 41, 100).is_none());
        assert_eq!(used.load(Ordering::Relaxed), 60);
        drop(one);
        let mut other = Charge::take(&used, 100, 100).expect("room");
        assert!(!other.resize(101, 100) && other.resize(10, 0));
        assert_eq!(used.load(Ordering::Relaxed), 10);
        drop(other);
        assert_eq!(used.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn rounds_are_what_was_said_in_them() {
        let round = |requests_end, answers_end| Round {
            requests_end,
            answers_end,
            is_whole: true,
            has_failed: false,
            took: Duration::ZERO,
        };
        let unit = Unit {
            requests: b"abcd".to_vec(),
            answers: b"xyz".to_vec(),
            rounds: vec![round(1, 2), round(4, 3)],
            began: Instant::now(),
        };
        let said: Vec<_> = unit
            .rounds()
            .map(|said| (said.requests, said.answers))
            .collect();
        assert_eq!(said, [(&b"a"[..], &b"xy"[..]), (b"bcd", b"z")]);
    }

    #[test]
    fn the_unnamed_statement_of_before_is_bound_before_another_is_there() {
        let binds = |requests: &[Vec<u8>]| {
            let unit = Unit {
                requests: requests.concat(),
                answers: Vec::new(),
                rounds: Vec::new(),
                began: Instant::now(),
            };
            unit.binds_unnamed()
        };
        let bind = || build::bind("", "");
        assert!(binds(&[build::bind("", "s"), bind()]));
        assert!(!binds(&[build::parse("", "SELECT 1"), bind()]));
        assert!(!binds(&[
            build::query("BEGIN"),
            build::parse("", ""),
            bind()
        ]));
        assert!(!binds(&[build::bind("", "s"), build::sync()]));
    }
}
