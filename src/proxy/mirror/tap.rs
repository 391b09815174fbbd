//! Where a session's bytes are taken off for its mirrors.
//!
//! Bytes are copied as they pass, and handed over when the client is at a movable point again: by
//! then it has its answers. Nothing here waits, and nothing is parsed but the client's messages,
//! once, for the state that they change.

use std::sync::Arc;
use std::time::Instant;

use super::counters::DropReason;
use super::feed::Feed;
use super::messages::{self, Request};
use super::state::{Finder, STATE_BYTES_MAX};
use super::unit::{Charge, Round, Unit};
use crate::proxy::scan::{FrameScanner, Step};
use crate::wire::frame;

/// Bytes of a transaction's requests, beyond which only the state that it changes is kept. COPY and
/// large values are what comes to so much.
const REQUEST_BYTES_MAX: usize = 4 << 20;

/// Bytes of its answers that are kept to be compared.
const ANSWER_BYTES_MAX: usize = 256 << 10;

/// Rounds of one transaction that are kept; the last one has all the rest.
const ROUNDS_MAX: usize = 10_000;

/// A session's bytes on their way to its mirrors.
#[derive(Debug)]
pub struct Tap {
    feeds: Vec<Arc<Feed>>,
    keeps_answers: bool,
    finder: Finder,
    gathered: Gathered,
}

#[derive(Debug, Default)]
struct Gathered {
    requests: Vec<u8>,
    answers: Vec<u8>,
    rounds: Vec<Round>,
    began: Option<Instant>,
    round_began: Option<Instant>,
    /// The round's answers so far are all kept.
    is_cut: bool,
    has_failed: bool,
    /// What is kept of a transaction that is dropped, and why it is.
    rest: Option<(DropReason, StateOnly)>,
    /// For the requests and answers, from each mirror's memory.
    charges: Vec<Charge>,
    charged_bytes: usize,
}

/// Memory is taken in such steps: most transactions take one.
const CHARGE_BYTES: usize = 4096;

impl Tap {
    /// To these mirrors; `keeps_answers` if one of them compares.
    pub fn new(feeds: Vec<Arc<Feed>>, keeps_answers: bool) -> Self {
        Tap {
            feeds,
            keeps_answers,
            finder: Finder::default(),
            gathered: Gathered::default(),
        }
    }

    /// The client has said this, and it goes to the server.
    pub fn client_said(&mut self, bytes: &[u8]) {
        let gathered = &mut self.gathered;
        if gathered.round_began.is_none() {
            let now = Instant::now();
            gathered.began.get_or_insert(now);
            gathered.round_began = Some(now);
        }
        if let Some((_, rest)) = &mut gathered.rest {
            return rest.take(bytes);
        }
        gathered.requests.extend_from_slice(bytes);
        if gathered.requests.len() > REQUEST_BYTES_MAX {
            gathered.drop_for(DropReason::TooLarge);
        } else if !gathered.charge(&self.feeds) {
            gathered.drop_for(DropReason::Memory);
        }
    }

    /// The server has said this. `has_failed` if there is an error in it.
    pub fn server_said(&mut self, bytes: &[u8], has_failed: bool) {
        let gathered = &mut self.gathered;
        gathered.has_failed |= has_failed;
        if !self.keeps_answers || gathered.began.is_none() || gathered.rest.is_some() {
            return;
        }
        let room = ANSWER_BYTES_MAX.saturating_sub(gathered.answers.len());
        let kept = bytes.get(..room).unwrap_or(bytes);
        gathered.is_cut |= kept.len() < bytes.len();
        gathered.answers.extend_from_slice(kept);
        if !gathered.charge(&self.feeds) {
            gathered.drop_for(DropReason::Memory);
        }
    }

    /// Everything that was asked is answered.
    pub fn answered(&mut self) {
        let gathered = &mut self.gathered;
        let Some(began) = gathered.round_began.take() else {
            return;
        };
        let round = Round {
            requests_end: gathered.requests.len(),
            answers_end: gathered.answers.len(),
            is_whole: self.keeps_answers && !gathered.is_cut,
            took: began.elapsed(),
        };
        let is_full = gathered.rounds.len() >= ROUNDS_MAX;
        match gathered.rounds.last_mut().filter(|_| is_full) {
            Some(last) => {
                *last = Round {
                    is_whole: false,
                    took: last.took + round.took,
                    ..round
                };
            }
            None => gathered.rounds.push(round),
        }
    }

    /// The client is at a movable point: what it did is complete.
    pub fn ended(&mut self) {
        self.answered();
        let mut gathered = std::mem::take(&mut self.gathered);
        let Some(began) = gathered.began else {
            return;
        };
        let is_kept = !gathered.has_failed;
        // It is charged anew as what waits.
        gathered.charges.clear();
        if let Some((why, rest)) = gathered.rest {
            let requests = rest.into_requests();
            let state = requests.map(|requests| self.finder.find(&requests, is_kept));
            for feed in &self.feeds {
                feed.push_dropped(why, state.clone());
            }
            return;
        }
        if gathered.requests.ends_with(&TERMINATE) && says_goodbye(&gathered.requests) {
            // The mirror's connection ends when everything was said on it.
            let end = gathered.requests.len() - TERMINATE.len();
            gathered.requests.truncate(end);
        }
        if gathered.requests.is_empty() {
            return;
        }
        let state = self.finder.find(&gathered.requests, is_kept);
        let unit = Arc::new(Unit {
            requests: gathered.requests,
            answers: gathered.answers,
            rounds: gathered.rounds,
            began,
        });
        for feed in &self.feeds {
            feed.push(&unit, state.clone());
        }
    }
}

impl Gathered {
    /// Takes memory for what has been gathered. False if there is none.
    fn charge(&mut self, feeds: &[Arc<Feed>]) -> bool {
        let bytes = self.requests.capacity() + self.answers.capacity();
        let Some(more) = bytes
            .checked_sub(self.charged_bytes)
            .filter(|more| *more > 0)
        else {
            return true;
        };
        let more = more.max(CHARGE_BYTES);
        let charges: Option<Vec<Charge>> = feeds.iter().map(|feed| feed.reserve(more)).collect();
        match charges {
            Some(charges) => {
                self.charged_bytes += more;
                self.charges.extend(charges);
                true
            }
            None => false,
        }
    }

    /// From now on only what changes the session's state is kept.
    fn drop_for(&mut self, why: DropReason) {
        let mut rest = StateOnly::default();
        rest.take(&std::mem::take(&mut self.requests));
        self.rest = Some((why, rest));
        self.answers = Vec::new();
        self.charges.clear();
    }
}

const TERMINATE: [u8; 5] = [b'X', 0, 0, 0, 4];

/// Whether the last of these messages is Terminate: it only looks like it within another.
fn says_goodbye(requests: &[u8]) -> bool {
    frame::frames(requests)
        .last()
        .is_some_and(|(tag, _)| tag == b'X')
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.feeds.iter().for_each(|feed| feed.close());
    }
}

/// Of a transaction that is too large, the messages that may change state.
#[derive(Debug, Default)]
struct StateOnly {
    scanner: FrameScanner,
    /// Whole messages that were kept, and the beginning of the one that is being read.
    kept: Vec<u8>,
    /// Where the message begins that is being read; none if it is not kept.
    message: Option<usize>,
    is_too_much: bool,
}

/// A longer message changes no state: it is data, or a list of values.
const STATE_MESSAGE_MAX: usize = 64 << 10;

impl StateOnly {
    fn take(&mut self, mut bytes: &[u8]) {
        // The session itself has scanned the same bytes, and found no fault.
        while let Ok(Some(step)) = self.scanner.step(&mut bytes) {
            match step {
                Step::Message(header) => {
                    self.end_message();
                    let may_change = matches!(header.tag, b'Q' | b'P' | b'C');
                    let is_kept = may_change && header.body_bytes <= STATE_MESSAGE_MAX;
                    let written = frame::header(header.tag, header.body_bytes);
                    self.message = is_kept.then_some(self.kept.len());
                    if let (true, Ok(written)) = (is_kept, written) {
                        self.kept.extend_from_slice(&written);
                    }
                    // A prepared statement that is not kept is missing ever after.
                    self.is_too_much |= header.tag == b'P' && !is_kept;
                }
                Step::Body { piece, .. } if self.message.is_some() => {
                    self.kept.extend_from_slice(piece);
                }
                Step::Body { .. } => {}
            }
        }
        if self.kept.len() > STATE_BYTES_MAX {
            self.end_message();
            self.is_too_much |= self.kept.len() > STATE_BYTES_MAX;
            self.kept.truncate(STATE_BYTES_MAX);
        }
    }

    /// The message before is whole. Statements that only read or write rows are let go at once: a
    /// transaction may have millions.
    fn end_message(&mut self) {
        let Some(begin) = self.message.take() else {
            return;
        };
        let message = self.kept.get(begin..).unwrap_or_default();
        let tag = message.first().copied().unwrap_or_default();
        let may_change = match messages::request(tag, message) {
            Request::Query(text) => {
                super::statement::kinds(text).has(super::statement::Kinds::STATE)
            }
            Request::Parse { .. } | Request::CloseStatement(_) => true,
            _ => false,
        };
        if !may_change {
            self.kept.truncate(begin);
        }
    }

    /// The messages; none if there were too many.
    fn into_requests(mut self) -> Option<Vec<u8>> {
        self.end_message();
        (!self.is_too_much).then_some(self.kept)
    }
}

#[cfg(test)]
mod tests {
    use super::super::messages::build;
    use super::super::tests::mirror;
    use super::super::{Mirror, feed::Turn};
    use super::*;

    fn tap() -> (Tap, Arc<Feed>, Arc<Mirror>) {
        let mirror = mirror(|_| ());
        let feed = Arc::new(Feed::new(Arc::clone(&mirror)));
        (Tap::new(vec![Arc::clone(&feed)], true), feed, mirror)
    }

    async fn turns(tap: Tap, feed: &Feed) -> Vec<Turn> {
        drop(tap);
        let mut turns = Vec::new();
        while let Some(turn) = feed.next().await {
            turns.push(turn);
        }
        turns
    }

    #[tokio::test]
    async fn a_transaction_is_handed_over_whole_and_in_rounds() {
        let (mut tap, feed, _) = tap();
        for (request, answer) in [("BEGIN", "1"), ("SELECT 1", "23"), ("END", "4")] {
            tap.client_said(&build::query(request));
            tap.server_said(answer.as_bytes(), false);
            tap.answered();
        }
        tap.ended();
        // Nothing was said: no transaction.
        tap.server_said(b"notification", false);
        tap.ended();
        let turns = turns(tap, &feed).await;
        assert_eq!(turns.len(), 1);
        let (unit, _) = turns[0].unit.as_ref().expect("a transaction");
        let said: Vec<_> = unit.rounds().map(|said| said.answers).collect();
        assert_eq!(said, [b"1".as_slice(), b"23", b"4"]);
        assert!(unit.rounds.iter().all(|round| round.is_whole));
    }

    #[tokio::test]
    async fn goodbye_is_not_said_to_mirrors() {
        let (mut tap, feed, _) = tap();
        let query = build::query("SELECT 1");
        tap.client_said(&[&query[..], &TERMINATE].concat());
        tap.ended();
        tap.client_said(&TERMINATE);
        tap.ended();
        let turns = turns(tap, &feed).await;
        assert_eq!(turns.len(), 1);
        let (unit, _) = turns[0].unit.as_ref().expect("a transaction");
        assert_eq!(unit.requests, query);
        assert!(!says_goodbye(&build::message(b'd', &TERMINATE)));
    }

    #[tokio::test]
    async fn of_one_that_is_too_large_the_state_is_kept() {
        let (mut tap, feed, mirror) = tap();
        let parse = build::parse("s", "SELECT 1");
        tap.client_said(&parse);
        tap.client_said(&build::query("COPY t FROM STDIN"));
        for chunk in build::message(b'd', &vec![b'x'; 2 * REQUEST_BYTES_MAX]).chunks(60_000) {
            tap.client_said(chunk);
        }
        let set = build::query("SET a = 'b'");
        tap.client_said(&set[..3]);
        tap.client_said(&set[3..]);
        for _ in 0..100_000 {
            tap.client_said(&build::query("INSERT INTO t VALUES (1)"));
        }
        tap.ended();
        let turns = turns(tap, &feed).await;
        assert_eq!(turns.len(), 1);
        assert!(turns[0].unit.is_none() && !feed.is_lost());
        assert_eq!(turns[0].state, [parse, set, build::sync()].concat());
        assert!(mirror.counters.read().dropped.contains(&("too_large", 1)));
    }

    #[tokio::test]
    async fn transactions_that_are_not_complete_take_from_the_same_memory() {
        let mirror = mirror(|config| config.queue_bytes = 1 << 20);
        let feed = Arc::new(Feed::new(Arc::clone(&mirror)));
        let tap = || Tap::new(vec![Arc::clone(&feed)], true);
        let (mut one, mut other) = (tap(), tap());
        let large = build::message(b'd', &vec![b'x'; 700_000]);
        one.client_said(&large);
        assert!(mirror.waiting_bytes() >= 700_000);
        let parse = build::parse("s", "SELECT 1");
        other.client_said(&parse);
        other.client_said(&large);
        other.ended();
        one.ended();
        assert!(mirror.counters.read().dropped.contains(&("memory", 1)));
        drop((one, other));
        let mut states = Vec::new();
        let mut transactions = 0;
        while let Some(turn) = feed.next().await {
            transactions += usize::from(turn.unit.is_some());
            states.extend(turn.state);
        }
        assert_eq!(transactions, 1);
        assert_eq!(states, [parse, build::sync()].concat());
        assert_eq!(mirror.waiting_bytes(), 0);
    }

    #[tokio::test]
    async fn more_answers_than_are_kept_are_cut_and_said_to_be() {
        let (mut tap, feed, _) = tap();
        tap.client_said(&build::query("SELECT 1"));
        tap.server_said(&vec![0; ANSWER_BYTES_MAX], false);
        tap.answered();
        tap.client_said(&build::query("SELECT 2"));
        tap.server_said(b"x", false);
        tap.ended();
        let turns = turns(tap, &feed).await;
        let (unit, _) = turns[0].unit.as_ref().expect("a transaction");
        let whole: Vec<_> = unit.rounds.iter().map(|round| round.is_whole).collect();
        assert_eq!(whole, [true, false]);
        assert_eq!(unit.answers.len(), ANSWER_BYTES_MAX);
    }
}
