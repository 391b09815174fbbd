//! What is known of each statement: how its answers compare, and how long they take on both sides.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::answers::Difference;
use super::latency::Latencies;
use super::statement::Statement;

/// Statements that are told apart. Applications have some hundred; what generates texts without end
/// is counted as one.
const STATEMENTS_MAX: usize = 2000;

/// A statement is rare until it was compared so often, and again after not having been for so long:
/// then it is sent whatever the share of transactions that are.
const RARE_COUNT: u64 = 20;
const RARE_FOR: Duration = Duration::from_secs(60);

/// All statements of a mirror.
#[derive(Debug)]
pub struct Shadow {
    statements: Mutex<HashMap<u64, Arc<StatementFacts>>>,
    /// Everything beyond [`STATEMENTS_MAX`].
    others: Arc<StatementFacts>,
    began: Instant,
}

/// One statement.
#[derive(Debug)]
pub struct StatementFacts {
    /// Its text without values.
    pub shape: String,
    /// How long it takes where clients are.
    pub main: Latencies,
    /// And on the mirror.
    pub mirror: Latencies,
    compared: AtomicU64,
    confirmed: [AtomicU64; Difference::ALL.len()],
    passing: AtomicU64,
    unconfirmed: AtomicU64,
    sent: AtomicU64,
    /// When it was last sent, in milliseconds since the mirror is there.
    sent_at: AtomicU64,
}

impl Default for Shadow {
    fn default() -> Self {
        Shadow {
            statements: Mutex::default(),
            others: Arc::new(StatementFacts::new("(other statements)".to_owned())),
            began: Instant::now(),
        }
    }
}

/// What became of a difference that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was there again.
    Confirmed(Difference),
    /// Asked again, both sides answered alike: one was behind the other.
    Passing,
    /// It cannot be asked again, or the answer changes from one time to the next.
    Unconfirmed,
}

impl Shadow {
    /// What is known of `statement`.
    pub fn facts(&self, statement: &Statement) -> Arc<StatementFacts> {
        let mut statements = self.lock();
        if let Some(facts) = statements.get(&statement.fingerprint) {
            return Arc::clone(facts);
        }
        if statements.len() >= STATEMENTS_MAX {
            return Arc::clone(&self.others);
        }
        let facts = Arc::new(StatementFacts::new(statement.shape.clone()));
        statements.insert(statement.fingerprint, Arc::clone(&facts));
        facts
    }

    /// Whether it is to be sent though others like it are not.
    pub fn is_rare(&self, facts: &StatementFacts) -> bool {
        let sent_at = Duration::from_millis(facts.sent_at.load(Ordering::Relaxed));
        facts.sent.load(Ordering::Relaxed) < RARE_COUNT
            || self.began.elapsed().saturating_sub(sent_at) > RARE_FOR
    }

    /// It is sent.
    pub fn send(&self, facts: &StatementFacts) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        facts.sent.fetch_add(1, Ordering::Relaxed);
        facts.sent_at.store(now, Ordering::Relaxed);
    }

    /// All statements that were compared, those with most confirmed differences first, then those
    /// that are slower on the mirror by most.
    pub fn worst(&self) -> Vec<Arc<StatementFacts>> {
        let mut facts: Vec<_> = self.lock().values().cloned().collect();
        facts.push(Arc::clone(&self.others));
        facts.retain(|facts| facts.read().compared > 0);
        let rank = |facts: &StatementFacts| {
            let counts = facts.read();
            let slower = counts.p99_ratio.unwrap_or_default();
            (
                counts.confirmed_in_all(),
                (slower * 1000.0) as u64,
                counts.compared,
            )
        };
        facts.sort_by_cached_key(|facts| std::cmp::Reverse(rank(facts)));
        facts
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<StatementFacts>>> {
        self.statements
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A statement's counts at a moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StatementCounts {
    /// Answers that were compared.
    pub compared: u64,
    /// Differences that were there again when asked again, by kind.
    pub confirmed: [u64; Difference::ALL.len()],
    /// That were not.
    pub passing: u64,
    /// That could not be asked again.
    pub unconfirmed: u64,
    /// The mirror's 99th percentile in relation to that of where clients are.
    pub p99_ratio: Option<f64>,
}

impl StatementCounts {
    /// Of every kind.
    pub fn confirmed_in_all(&self) -> u64 {
        self.confirmed.iter().sum()
    }
}

impl StatementFacts {
    fn new(shape: String) -> Self {
        StatementFacts {
            shape,
            main: Latencies::default(),
            mirror: Latencies::default(),
            compared: AtomicU64::new(0),
            confirmed: Default::default(),
            passing: AtomicU64::new(0),
            unconfirmed: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            sent_at: AtomicU64::new(0),
        }
    }

    /// An answer was compared.
    pub fn compare(&self) {
        self.compared.fetch_add(1, Ordering::Relaxed);
    }

    /// What became of a difference.
    pub fn judge(&self, verdict: Verdict) {
        let counter = match verdict {
            Verdict::Confirmed(difference) => &self.confirmed[difference.index()],
            Verdict::Passing => &self.passing,
            Verdict::Unconfirmed => &self.unconfirmed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Its counts now.
    pub fn read(&self) -> StatementCounts {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let p99 = |latencies: &Latencies| latencies.percentile(0.99);
        let ratio = p99(&self.mirror).zip(p99(&self.main));
        StatementCounts {
            compared: get(&self.compared),
            confirmed: [0, 1, 2, 3].map(|at: usize| get(&self.confirmed[at])),
            passing: get(&self.passing),
            unconfirmed: get(&self.unconfirmed),
            p99_ratio: ratio.map(|(mirror, main)| mirror.as_secs_f64() / main.as_secs_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_are_one_are_counted_as_one_and_only_so_many() {
        let shadow = Shadow::default();
        let of = |text: &str| shadow.facts(&Statement::of(text.as_bytes()));
        of("SELECT 1").compare();
        of("select 2").compare();
        assert_eq!(of("SELECT 3").read().compared, 2);
        for column in 0..STATEMENTS_MAX {
            of(&format!("SELECT a{column}")).compare();
        }
        assert_eq!(shadow.worst().len(), STATEMENTS_MAX + 1);
        assert_eq!(of("SELECT never").shape, "(other statements)");
    }

    #[test]
    fn the_worst_come_first() {
        let shadow = Shadow::default();
        let of = |text: &str| shadow.facts(&Statement::of(text.as_bytes()));
        for text in ["SELECT a", "SELECT b", "SELECT c"] {
            of(text).compare();
        }
        of("SELECT b").judge(Verdict::Confirmed(Difference::Values));
        of("SELECT c").judge(Verdict::Passing);
        of("SELECT c").main.add(Duration::from_millis(1));
        of("SELECT c").mirror.add(Duration::from_millis(4));
        let shapes: Vec<_> = shadow.worst().iter().map(|one| one.shape.clone()).collect();
        assert_eq!(shapes, ["select b", "select c", "select a"]);
        let ratio = of("SELECT c").read().p99_ratio.expect("both sides");
        assert!((3.0..=5.2).contains(&ratio), "{ratio}");
    }

    #[test]
    fn what_was_sent_often_is_not_rare() {
        let shadow = Shadow::default();
        let facts = shadow.facts(&Statement::of(b"SELECT 1"));
        for _ in 0..RARE_COUNT {
            assert!(shadow.is_rare(&facts));
            shadow.send(&facts);
        }
        assert!(!shadow.is_rare(&facts));
    }
}
