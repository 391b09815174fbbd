//! Averages over the last minute.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Totals;

/// How long averages are taken over: PgBouncer's default `stats_period`.
pub const PERIOD: Duration = Duration::from_secs(60);

/// The totals at the two ends of the last whole period, by database.
#[derive(Debug)]
pub struct Periods(Mutex<Ends>);

#[derive(Debug)]
struct Ends {
    older: Sample,
    newer: Option<Sample>,
}

/// Totals at one moment.
#[derive(Debug, Clone)]
struct Sample {
    at: Instant,
    by_database: HashMap<String, Totals>,
}

/// What happened in a period, on the average.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Averages {
    /// Server connections a second.
    pub logins: u64,
    /// Transactions a second.
    pub transactions: u64,
    /// Queries a second.
    pub queries: u64,
    /// Bytes from clients a second.
    pub bytes_in: u64,
    /// Bytes to clients a second.
    pub bytes_out: u64,
    /// Of one transaction.
    pub transaction_us: u64,
    /// Of one query.
    pub query_us: u64,
    /// Of waiting, for each server connection that was given.
    pub wait_us: u64,
}

impl Periods {
    /// The first begins now.
    pub fn new() -> Self {
        let older = Sample {
            at: Instant::now(),
            by_database: HashMap::new(),
        };
        Periods(Mutex::new(Ends { older, newer: None }))
    }

    /// A period ends now, with these totals.
    pub fn turn(&self, totals: impl Iterator<Item = (String, Totals)>, now: Instant) {
        let sample = Sample {
            at: now,
            by_database: totals.collect(),
        };
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(newer) = ends.newer.replace(sample) {
            ends.older = newer;
        }
    }

    /// The averages of a database, or of all, in the last whole period; before the first has ended,
    /// since the beginning. `current` are its totals at `now`.
    pub fn averages(&self, database: Option<&str>, current: &Totals, now: Instant) -> Averages {
        let ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |sample: &Sample| sample.of(database);
        let older = of(&ends.older);
        match &ends.newer {
            Some(newer) => average(&older, &of(newer), newer.at - ends.older.at),
            None => average(
                &older,
                current,
                now.saturating_duration_since(ends.older.at),
            ),
        }
    }
}

impl Sample {
    fn of(&self, database: Option<&str>) -> Totals {
        let Some(database) = database else {
            let mut all = Totals::default();
            self.by_database.values().for_each(|one| all.add(one));
            return all;
        };
        self.by_database.get(database).copied().unwrap_or_default()
    }
}

impl Default for Periods {
    fn default() -> Self {
        Periods::new()
    }
}

fn average(older: &Totals, newer: &Totals, passed: Duration) -> Averages {
    // Less than a microsecond is no time to have an average over.
    let passed_us = passed.as_micros().max(1);
    // A name that was forgotten in between has less than before.
    let more = |new: u64, old: u64| u128::from(new.saturating_sub(old));
    let narrow = |number: u128| u64::try_from(number).unwrap_or(u64::MAX);
    let a_second = |new, old| narrow(more(new, old) * 1_000_000 / passed_us);
    let each = |new_ns, old_ns, count: u128| match count {
        0 => 0,
        _ => narrow(more(new_ns, old_ns) / 1000 / count),
    };
    let (transactions, queries) = (
        (newer.transactions.count(), older.transactions.count()),
        (newer.queries.count(), older.queries.count()),
    );
    Averages {
        logins: a_second(newer.logins, older.logins),
        transactions: a_second(transactions.0, transactions.1),
        queries: a_second(queries.0, queries.1),
        bytes_in: a_second(newer.bytes_in, older.bytes_in),
        bytes_out: a_second(newer.bytes_out, older.bytes_out),
        transaction_us: each(
            newer.transactions.sum_ns,
            older.transactions.sum_ns,
            more(transactions.0, transactions.1),
        ),
        query_us: each(
            newer.queries.sum_ns,
            older.queries.sum_ns,
            more(queries.0, queries.1),
        ),
        wait_us: each(
            newer.wait_ns(),
            older.wait_ns(),
            more(newer.logins, older.logins),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(transactions: u64, each_ns: u64) -> Totals {
        let mut totals = Totals::default();
        totals.transactions.classes[0] = transactions;
        totals.transactions.sum_ns = transactions * each_ns;
        totals.bytes_in = transactions * 100;
        totals
    }

    #[test]
    fn averages_are_of_the_last_whole_period() {
        let periods = Periods::new();
        let began = Instant::now();
        let turn = |count, after| {
            let totals = std::iter::once(("shop".to_owned(), totals(count, 4_000)));
            periods.turn(totals, began + Duration::from_secs(after));
        };
        // Before the first has ended, since the beginning.
        let early = periods.averages(
            Some("shop"),
            &totals(50, 4_000),
            began + Duration::from_secs(10),
        );
        assert!((4..=5).contains(&early.transactions) && early.transaction_us == 4);
        turn(600, 60);
        turn(6_600, 120);
        let now = began + Duration::from_secs(130);
        let averages = periods.averages(Some("shop"), &totals(9_999, 4_000), now);
        assert_eq!((averages.transactions, averages.bytes_in), (100, 10_000));
        assert_eq!((averages.transaction_us, averages.wait_us), (4, 0));
        assert_eq!(periods.averages(None, &totals(9_999, 4_000), now), averages);
        assert_eq!(
            periods.averages(Some("other"), &Totals::default(), now),
            Averages::default()
        );
    }

    #[test]
    fn what_went_down_is_no_negative_number() {
        let less = average(&totals(9, 1), &totals(3, 1), Duration::ZERO);
        assert_eq!(less, Averages::default());
    }
}
