//! The counters of one client.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::histogram::{Histogram, add};
use super::totals::Totals;
use crate::proxy::conversation::Heard;

/// What one client did. Its session alone writes; everybody reads. A number may be ahead of
/// another by what is being counted at that moment.
#[derive(Debug)]
pub struct ClientStatistics {
    /// When it came; the instants below are nanoseconds since.
    began: Instant,
    transactions: Histogram,
    queries: Histogram,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    server_wait_ns: AtomicU64,
    pause_wait_ns: AtomicU64,
    /// When it last asked for something; 0 if it never has.
    asked_at_ns: AtomicU64,
    /// Since when it has been in a transaction; 0 if it is in none.
    in_transaction_from_ns: AtomicU64,
    /// Since when it has been kept waiting; 0 if it is not.
    waits_from_ns: AtomicU64,
}

impl Default for ClientStatistics {
    fn default() -> Self {
        ClientStatistics {
            began: Instant::now(),
            transactions: Histogram::default(),
            queries: Histogram::default(),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            server_wait_ns: AtomicU64::new(0),
            pause_wait_ns: AtomicU64::new(0),
            asked_at_ns: AtomicU64::new(0),
            in_transaction_from_ns: AtomicU64::new(0),
            waits_from_ns: AtomicU64::new(0),
        }
    }
}

/// What a client waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// A server connection that is logged in.
    Server,
    /// The end of a pause.
    Pause,
}

impl ClientStatistics {
    /// How much the client has sent.
    pub fn bytes_in(&self) -> u64 {
        self.bytes_in.load(Ordering::Relaxed)
    }

    /// For the session itself: the client sent this much.
    pub fn count_in(&self, bytes: usize) {
        add(&self.bytes_in, bytes as u64);
    }

    /// For the session itself: the server sent this much.
    pub fn count_out(&self, bytes: usize) {
        add(&self.bytes_out, bytes as u64);
    }

    /// For the session itself: the client waits from now on. A pause within the wait for a server
    /// is part of that.
    pub fn begin_wait(&self) {
        self.waits_from_ns.store(self.now(), Ordering::Relaxed);
    }

    /// For the session itself: the wait is over. Nothing if there was none.
    pub fn end_wait(&self, wait: Wait) {
        let from = self.waits_from_ns.swap(0, Ordering::Relaxed);
        if from == 0 {
            return;
        }
        let counter = match wait {
            Wait::Server => &self.server_wait_ns,
            Wait::Pause => &self.pause_wait_ns,
        };
        add(counter, self.now().saturating_sub(from));
    }

    /// How long it has been kept waiting; none if it is not.
    pub fn waits_for(&self) -> Option<Duration> {
        self.since(&self.waits_from_ns)
    }

    /// How long it has been in a transaction; none if it is in none.
    pub fn in_transaction_for(&self) -> Option<Duration> {
        self.since(&self.in_transaction_from_ns)
    }

    /// When it last asked for something, since it came; none if it never has.
    pub fn asked_after(&self) -> Option<Duration> {
        let at = self.asked_at_ns.load(Ordering::Relaxed);
        (at > 0).then(|| Duration::from_nanos(at))
    }

    /// All that was counted so far; what belongs to a database alone is 0.
    pub fn read(&self) -> Totals {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Totals {
            transactions: self.transactions.read(),
            queries: self.queries.read(),
            bytes_in: read(&self.bytes_in),
            bytes_out: read(&self.bytes_out),
            server_wait_ns: read(&self.server_wait_ns),
            pause_wait_ns: read(&self.pause_wait_ns),
            ..Totals::default()
        }
    }

    fn since(&self, from_ns: &AtomicU64) -> Option<Duration> {
        let from = from_ns.load(Ordering::Relaxed);
        (from > 0).then(|| Duration::from_nanos(self.now().saturating_sub(from)))
    }

    /// Nanoseconds since it came, at least one: 0 stands for never. Enough for 584 years.
    fn now(&self) -> u64 {
        (self.began.elapsed().as_nanos() as u64).max(1)
    }
}

/// Takes the time of a session's transactions and queries.
///
/// The time of a query is that in which something is asked and not answered. Where answers come
/// together, as those of a pipeline do, each counts with an equal share: the sum is the time that
/// passed, the count that of the answers.
#[derive(Debug, Default)]
pub struct Stopwatch {
    query_from: Option<u64>,
    transaction_from: Option<u64>,
}

impl Stopwatch {
    /// The client sends something to its server.
    pub fn asked(&mut self, statistics: &ClientStatistics) {
        if self.query_from.is_some() {
            return;
        }
        let now = statistics.now();
        self.query_from = Some(now);
        statistics.asked_at_ns.store(now, Ordering::Relaxed);
        if self.transaction_from.is_none() {
            self.transaction_from = Some(now);
            let from = &statistics.in_transaction_from_ns;
            from.store(now, Ordering::Relaxed);
        }
    }

    /// The server said this, behind which the session is idle, or not.
    pub fn heard(&mut self, statistics: &ClientStatistics, heard: &Heard, now_is: Now) {
        if heard.answers == 0 {
            return;
        }
        let now = statistics.now();
        let since = |from: Option<u64>| now.saturating_sub(from.unwrap_or(now));
        let queries = &statistics.queries;
        queries.count(since(self.query_from), heard.answers);
        self.query_from = Some(now).filter(|_| now_is == Now::Asked);
        if heard.transactions > 0 {
            let transactions = &statistics.transactions;
            transactions.count(since(self.transaction_from), heard.transactions);
            self.transaction_from = Some(now).filter(|_| now_is != Now::Idle);
            let from = self.transaction_from.unwrap_or(0);
            statistics
                .in_transaction_from_ns
                .store(from, Ordering::Relaxed);
        }
    }
}

/// What a session does behind what its server said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Now {
    /// More was asked and is not answered.
    Asked,
    /// All is answered, and a transaction is open.
    InTransaction,
    /// Nothing.
    Idle,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(answers: u32, transactions: u32) -> Heard {
        Heard {
            answers,
            transactions,
            ..Heard::default()
        }
    }

    #[test]
    fn a_transaction_lasts_from_its_first_request_to_its_last_answer() {
        let statistics = ClientStatistics::default();
        let mut stopwatch = Stopwatch::default();
        assert!(statistics.asked_after().is_none());
        stopwatch.asked(&statistics);
        assert!(statistics.in_transaction_for().is_some());
        stopwatch.heard(&statistics, &heard(1, 0), Now::InTransaction);
        std::thread::yield_now();
        stopwatch.asked(&statistics);
        // Parts of the same request.
        stopwatch.asked(&statistics);
        stopwatch.heard(&statistics, &heard(0, 0), Now::Asked);
        stopwatch.heard(&statistics, &heard(1, 1), Now::Idle);
        let read = statistics.read();
        assert_eq!((read.queries.count(), read.transactions.count()), (2, 1));
        assert!(read.queries.sum_ns < read.transactions.sum_ns);
        assert!(statistics.in_transaction_for().is_none());
        assert!(statistics.asked_after().is_some());
    }

    #[test]
    fn a_pipeline_takes_as_long_as_it_takes() {
        let statistics = ClientStatistics::default();
        let mut stopwatch = Stopwatch::default();
        stopwatch.asked(&statistics);
        stopwatch.heard(&statistics, &heard(3, 3), Now::Asked);
        stopwatch.heard(&statistics, &heard(2, 2), Now::Idle);
        let read = statistics.read();
        assert_eq!((read.queries.count(), read.transactions.count()), (5, 5));
        assert_eq!(read.queries.sum_ns, read.transactions.sum_ns);
    }

    #[test]
    fn a_wait_is_counted_when_it_is_over() {
        let statistics = ClientStatistics::default();
        statistics.end_wait(Wait::Pause);
        assert_eq!(statistics.read(), Totals::default());
        statistics.begin_wait();
        assert!(statistics.waits_for().is_some());
        statistics.end_wait(Wait::Pause);
        let read = statistics.read();
        assert!(read.pause_wait_ns > 0 && read.server_wait_ns == 0);
        assert!(statistics.waits_for().is_none());
    }
}
