//! Where a session's bytes are taken off for its mirrors.
//!
//! Bytes are copied as they pass, and handed over when the client is at a movable point again: by
//! then it has its answers. Nothing here waits, and nothing is parsed but the client's messages,
//! once, for the state that they change.

use std::sync::Arc;
use std::time::Instant;

use super::counters::DropReason;
use super::feed::Feed;
use super::finder::Finder;
use super::state::State;
use super::unit::{Charge, Round, Unit};
use crate::proxy::scan::{FrameScanner, Step};
use crate::wire::frame::{self, HEADER_BYTES};

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
    /// There is an error in the round's answers so far.
    has_failed: bool,
    /// Why the transaction is dropped, and what its messages are now taken apart with.
    rest: Option<(DropReason, Rest)>,
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

    /// The ways to its mirrors.
    pub fn feeds(&self) -> &[Arc<Feed>] {
        &self.feeds
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
            rest.take(bytes, &mut self.finder);
            return self.charge_rest();
        }
        gathered.requests.extend_from_slice(bytes);
        match gathered.requests.len() > REQUEST_BYTES_MAX {
            true => self.drop_for(DropReason::TooLarge),
            false => self.charge(),
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
        self.charge();
    }

    /// Everything that was asked is answered.
    pub fn answered(&mut self) {
        let gathered = &mut self.gathered;
        let Some(began) = gathered.round_began.take() else {
            return;
        };
        let has_failed = std::mem::take(&mut gathered.has_failed);
        if gathered.rest.is_some() {
            self.finder.answered(has_failed);
            return;
        }
        let round = Round {
            requests_end: gathered.requests.len(),
            answers_end: gathered.answers.len(),
            is_whole: self.keeps_answers && !gathered.is_cut,
            has_failed,
            took: began.elapsed(),
        };
        let is_full = gathered.rounds.len() >= ROUNDS_MAX;
        match gathered.rounds.last_mut().filter(|_| is_full) {
            Some(last) => {
                *last = Round {
                    is_whole: false,
                    has_failed: last.has_failed || round.has_failed,
                    took: last.took + round.took,
                    ..round
                };
            }
            None => gathered.rounds.push(round),
        }
        self.charge();
    }

    /// The client is at a movable point: what it did is complete.
    pub fn ended(&mut self) {
        self.answered();
        let mut gathered = std::mem::take(&mut self.gathered);
        let Some(began) = gathered.began.filter(|_| gathered.asks()) else {
            return;
        };
        // It is charged anew as what waits.
        gathered.charges.clear();
        if let Some((why, _)) = gathered.rest {
            return self.push_dropped(why);
        }
        if gathered.requests.ends_with(&TERMINATE) && says_goodbye(&gathered.requests) {
            // The mirror's connection ends when everything was said on it.
            let end = gathered.requests.len() - TERMINATE.len();
            gathered.requests.truncate(end);
        }
        gathered.find(&mut self.finder);
        let Some(state) = self.finder.take() else {
            return self.push_dropped(DropReason::StateLost);
        };
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

    /// A transaction is counted that is not sent; what it has changed is.
    fn push_dropped(&mut self, why: DropReason) {
        let state = self.finder.take();
        for feed in &self.feeds {
            feed.push_dropped(why, state.clone());
        }
    }

    /// Takes memory for what has been gathered. The transaction is dropped if there is none.
    fn charge(&mut self) {
        let gathered = &mut self.gathered;
        let rounds = gathered.rounds.capacity() * size_of::<Round>();
        let bytes = gathered.requests.capacity() + gathered.answers.capacity() + rounds;
        let more = bytes.saturating_sub(gathered.charged_bytes);
        if more == 0 || gathered.rest.is_some() {
            return;
        }
        let more = more.max(CHARGE_BYTES);
        let feeds = self.feeds.iter();
        match feeds.map(|feed| feed.reserve(more)).collect() {
            Some::<Vec<Charge>>(charges) => {
                gathered.charged_bytes += more;
                gathered.charges.extend(charges);
            }
            None => self.drop_for(DropReason::Memory),
        }
    }

    /// From now on only what changes the session's state is kept.
    fn drop_for(&mut self, why: DropReason) {
        let gathered = &mut self.gathered;
        let found = gathered.find(&mut self.finder);
        let mut rest = Rest {
            asks: gathered.asks(),
            ..Rest::default()
        };
        rest.take(&gathered.requests[found..], &mut self.finder);
        gathered.requests = Vec::new();
        gathered.answers = Vec::new();
        gathered.rounds = Vec::new();
        gathered.charges = self.feeds.iter().map(|feed| feed.empty_charge()).collect();
        gathered.rest = Some((why, rest));
        self.charge_rest();
    }

    /// Takes memory for the state of a transaction that is dropped.
    fn charge_rest(&mut self) {
        let rest = self.gathered.rest.as_ref();
        let message = rest.map_or(0, |(_, rest)| rest.message.capacity());
        let bytes = self.finder.bytes() + message;
        for (feed, charge) in self.feeds.iter().zip(&mut self.gathered.charges) {
            if !feed.resize(charge, bytes) {
                feed.lose();
            }
        }
    }
}

impl Gathered {
    /// Whether the client asks for something, and does not only send what a COPY that has failed
    /// left over, or goodbye.
    fn asks(&self) -> bool {
        match &self.rest {
            Some((_, rest)) => rest.asks,
            None => frame::frames(&self.requests).any(|(tag, _)| asks(tag)),
        }
    }

    /// Finds the state in what is answered; gives how far that goes.
    fn find(&self, finder: &mut Finder) -> usize {
        let mut begin = 0;
        for round in &self.rounds {
            let requests = self.requests.get(begin..round.requests_end);
            for (tag, message) in frame::frames(requests.unwrap_or_default()) {
                finder.message(tag, message);
            }
            finder.answered(round.has_failed);
            begin = round.requests_end.min(self.requests.len());
        }
        begin
    }
}

/// Whether a message of this type asks for something: the data of a COPY does not, nor its end.
fn asks(tag: u8) -> bool {
    !matches!(tag, b'd' | b'c' | b'f' | b'X')
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
        let is_unanswered = self.gathered.asks();
        self.gathered = Gathered::default();
        for feed in &self.feeds {
            if is_unanswered {
                feed.push_dropped(DropReason::Unanswered, Some(State::default()));
            }
            feed.close();
        }
    }
}

/// Takes the messages of a transaction apart that is dropped: none is kept.
#[derive(Debug, Default)]
struct Rest {
    scanner: FrameScanner,
    /// The message that is being read, or its beginning.
    message: Vec<u8>,
    /// Bytes of its body.
    body_bytes: usize,
    /// There was one that asks for something.
    asks: bool,
}

/// A longer message changes no state: it is data, or a list of values.
const STATE_MESSAGE_MAX: usize = 64 << 10;

impl Rest {
    fn take(&mut self, mut bytes: &[u8], finder: &mut Finder) {
        // The session itself has scanned the same bytes, and found no fault.
        while let Ok(Some(step)) = self.scanner.step(&mut bytes) {
            match step {
                Step::Message(header) => {
                    self.asks |= asks(header.tag);
                    self.message.clear();
                    let written = frame::header(header.tag, header.body_bytes);
                    self.message.extend(written.unwrap_or_default());
                    self.body_bytes = header.body_bytes;
                }
                Step::Body { tag: b'd', .. } => {}
                Step::Body { piece, .. } => {
                    let room = STATE_MESSAGE_MAX.saturating_sub(self.message.len());
                    self.message
                        .extend_from_slice(piece.get(..room).unwrap_or(piece));
                }
            }
            if self.scanner.is_at_boundary() {
                self.end_message(finder);
            }
        }
    }

    fn end_message(&mut self, finder: &mut Finder) {
        let Some((header, body)) = self.message.split_first_chunk::<HEADER_BYTES>() else {
            return;
        };
        match body.len() == self.body_bytes {
            true => finder.message(header[0], &self.message),
            false => finder.long_message(header[0], body),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::messages::build;
    use super::super::tests::mirror;
    use super::super::{Mirror, feed::Turn};
    use super::*;
    use proptest::prelude::*;

    fn tap() -> (Tap, Arc<Feed>, Arc<Mirror>) {
        let mirror = mirror(|_| ());
        let feed = Arc::new(Feed::new(Arc::clone(&mirror)));
        (Tap::new(vec![Arc::clone(&feed)], true), feed, mirror)
    }

    /// What makes a session one where this is prepared.
    fn prepared(name: &str, text: &str) -> Vec<u8> {
        let close = build::close_statement(name);
        let parse = build::parse(name, text);
        [close, build::sync(), parse, build::sync()].concat()
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
    async fn what_a_failed_copy_leaves_over_is_no_transaction() {
        let (mut tap, feed, mirror) = tap();
        let data = build::message(b'd', &vec![b'x'; REQUEST_BYTES_MAX]);
        let end = build::message(b'c', b"");
        for leftover in [&data, &data, &end, &[&data[..], &data, &end].concat()] {
            tap.client_said(leftover);
            tap.ended();
        }
        tap.client_said(&[end, build::query("SELECT 1")].concat());
        tap.ended();
        assert_eq!(turns(tap, &feed).await.len(), 1);
        let counted = mirror.counters.read();
        assert_eq!((counted.seen, counted.dropped_in_all()), (1, 0));
    }

    #[tokio::test]
    async fn a_transaction_whose_client_leaves_is_counted() {
        for said in [
            vec![build::query("BEGIN")],
            vec![build::query("BEGIN"), TERMINATE.to_vec()],
            vec![
                build::message(b'd', &vec![b'x'; REQUEST_BYTES_MAX]),
                build::sync(),
            ],
        ] {
            let (mut tap, feed, mirror) = tap();
            said.iter().for_each(|message| tap.client_said(message));
            assert!(turns(tap, &feed).await.is_empty());
            let counted = mirror.counters.read();
            assert_eq!((counted.seen, counted.outstanding()), (1, 0));
            assert!(counted.dropped.contains(&("unanswered", 1)));
            assert_eq!(mirror.waiting_bytes(), 0);
        }
    }

    #[tokio::test]
    async fn rounds_and_the_state_of_what_is_dropped_take_memory() {
        let (mut tap, _feed, mirror) = tap();
        let query = build::query("SELECT 1");
        for _ in 0..ROUNDS_MAX {
            tap.client_said(&query);
            tap.answered();
        }
        let gathered = &tap.gathered;
        let rounds = gathered.rounds.capacity() * size_of::<Round>();
        assert!(mirror.waiting_bytes() >= rounds + gathered.requests.capacity());
        tap.drop_for(DropReason::TooLarge);
        assert!(mirror.waiting_bytes() < 1000);
        let long = "x".repeat(60_000);
        for name in ["a", "b", "c"] {
            tap.client_said(&build::parse(name, &long));
        }
        assert!(mirror.waiting_bytes() >= 180_000);
        tap.ended();
        assert!((180_000..190_000).contains(&mirror.waiting_bytes()));
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
        for _ in 0..50_000 {
            tap.client_said(&build::query("INSERT INTO t VALUES (1)"));
            tap.client_said(&build::parse("", "INSERT INTO t VALUES (2)"));
        }
        let long = format!("SELECT '{}'", "x".repeat(REQUEST_BYTES_MAX));
        tap.client_said(&build::parse("", &long));
        let call = "SELECT set_config('c', $1, false)";
        let called = [
            build::parse("", call),
            build::bind_with("", &["d"]),
            build::execute(""),
            build::sync(),
        ]
        .concat();
        tap.client_said(&called);
        tap.ended();
        let turns = turns(tap, &feed).await;
        assert_eq!(turns.len(), 1);
        assert!(turns[0].unit.is_none() && !feed.is_lost());
        let named = turns[0].state.named();
        assert_eq!(named, [prepared("s", "SELECT 1"), set, called].concat());
        let last = [build::parse("", call), build::sync()].concat();
        assert_eq!(turns[0].state.unnamed(), last);
        assert!(mirror.counters.read().dropped.contains(&("too_large", 1)));
    }

    #[tokio::test]
    async fn transactions_that_are_not_complete_take_from_the_same_memory() {
        let mirror = mirror(|config| config.queue_bytes = 1 << 20);
        let feed = Arc::new(Feed::new(Arc::clone(&mirror)));
        let tap = || Tap::new(vec![Arc::clone(&feed)], true);
        let (mut one, mut other) = (tap(), tap());
        let large = build::message(b'd', &vec![b'x'; 700_000]);
        one.client_said(&build::query("COPY t FROM STDIN"));
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
            states.extend(turn.state.named());
        }
        assert_eq!(transactions, 1);
        assert_eq!(states, prepared("s", "SELECT 1"));
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

    proptest! {
        #[test]
        fn the_same_state_is_found_in_what_is_dropped(
            said in proptest::collection::vec((0_usize..12, any::<bool>(), any::<bool>()), 0..20),
            dropped_at in 0_usize..20,
            chunk in 1_usize..50,
        ) {
            let messages = [
                build::query("BEGIN"),
                build::query("SET a = 1; SELECT 1; SET b = 2"),
                build::query("SAVEPOINT s"),
                build::query("ROLLBACK TO s"),
                build::query("ROLLBACK"),
                build::query("DEALLOCATE ALL"),
                build::parse("", "SET c = 3"),
                build::parse("n", "SELECT set_config('d', $1, false)"),
                build::bind_with("", &[]),
                build::bind_with("n", &["4"]),
                build::execute(""),
                build::close_statement("n"),
            ];
            let state = |dropped_at| {
                let (mut tap, ..) = tap();
                for (at, (message, ends_round, has_failed)) in said.iter().enumerate() {
                    for piece in messages[*message].chunks(chunk) {
                        tap.client_said(piece);
                        if at == dropped_at && tap.gathered.rest.is_none() {
                            tap.drop_for(DropReason::TooLarge);
                        }
                    }
                    if *ends_round {
                        tap.server_said(b"", *has_failed);
                        tap.answered();
                    }
                }
                tap.answered();
                if tap.gathered.rest.is_none() {
                    tap.gathered.find(&mut tap.finder);
                }
                tap.finder.take()
            };
            prop_assert_eq!(state(dropped_at), state(usize::MAX));
        }
    }
}
