//! What the application did in each stage, and how long its longest transaction took there, by
//! pgbench's own log.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a client waits for when traffic moves may still be on its way for so long after the command
/// has ended: each session goes when it next speaks.
const AFTERWARDS: Duration = Duration::from_secs(1);

/// One transaction, as a client saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Transaction {
    /// When its commit was acknowledged, since 1970.
    ended: Duration,
    /// How long it took.
    took: Duration,
}

/// Whether traffic stays where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Traffic {
    Stays,
    Moves,
}

/// One stage of the story.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stage {
    name: String,
    traffic: Traffic,
    /// Since 1970, by the clock that pgbench uses, too.
    began: Duration,
    ended: Duration,
}

/// The stages, in their order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Timeline {
    stages: Vec<Stage>,
}

/// A stage, as the application saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// Its name.
    pub(super) name: String,
    /// How long it was.
    pub(super) took: Duration,
    /// Transactions that were acknowledged in it.
    pub(super) acknowledged: u64,
    /// The longest. Of a move: of those that it can have delayed; else of the others.
    pub(super) longest: Duration,
}

impl Transaction {
    /// A line of `pgbench -l`: client, number, microseconds, script, and when it ended in seconds and
    /// microseconds.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ').skip(2);
        let took = words.next()?.parse().ok()?;
        let mut when = words.skip(1).map(str::parse::<u64>);
        let (seconds, micros) = (when.next()?.ok()?, when.next()?.ok()?);
        Some(Self {
            ended: Duration::from_secs(seconds) + Duration::from_micros(micros),
            took: Duration::from_micros(took),
        })
    }
}

impl Stage {
    fn delays(&self, one: &Transaction) -> bool {
        let began = one.ended.saturating_sub(one.took);
        self.traffic == Traffic::Moves
            && one.ended >= self.began
            && began <= self.ended + AFTERWARDS
    }
}

impl Timeline {
    /// A stage begins now, and the one before it ends.
    pub(super) fn begin(&mut self, name: impl Into<String>, traffic: Traffic) {
        let began = self.end();
        self.stages.push(Stage {
            name: name.into(),
            traffic,
            began,
            ended: began,
        });
    }

    /// The last stage ends now.
    pub(super) fn end(&mut self) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default();
        if let Some(last) = self.stages.last_mut() {
            last.ended = now;
        }
        now
    }

    /// Each stage as those who made `transactions` have seen it.
    pub(super) fn seen(&self, transactions: &[Transaction]) -> Vec<Seen> {
        let is_delayed = |one: &Transaction| self.stages.iter().any(|stage| stage.delays(one));
        let seen = |stage: &Stage| {
            let within = |one: &&Transaction| (stage.began..stage.ended).contains(&one.ended);
            let counts = |one: &&Transaction| match stage.traffic {
                Traffic::Moves => stage.delays(one),
                Traffic::Stays => within(one) && !is_delayed(one),
            };
            let longest = transactions.iter().filter(counts).map(|one| one.took).max();
            Seen {
                name: stage.name.clone(),
                took: stage.ended.saturating_sub(stage.began),
                acknowledged: transactions.iter().filter(within).count() as u64,
                longest: longest.unwrap_or_default(),
            }
        };
        self.stages.iter().map(seen).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_answers_for_the_transactions_that_were_open_meanwhile() {
        let lines = [
            "0 1 5000 0 1000 0",
            "0 2 90000 0 1002 50000",
            "1 7 30000 0 1004 0",
        ];
        let transactions: Vec<_> = lines.map(Transaction::parse).map(Option::unwrap).into();
        let at = Duration::from_secs;
        let stage = |name: &str, traffic, began, ended| Stage {
            name: name.to_owned(),
            traffic,
            began: at(began),
            ended: at(ended),
        };
        let timeline = Timeline {
            stages: vec![
                stage("before", Traffic::Stays, 999, 1001),
                stage("move", Traffic::Moves, 1001, 1002),
                stage("after", Traffic::Stays, 1002, 1005),
            ],
        };
        let seen = timeline.seen(&transactions);
        let seen: Vec<_> = seen
            .iter()
            .map(|seen| (seen.acknowledged, seen.longest.as_millis()))
            .collect();
        assert_eq!(seen, [(1, 5), (0, 90), (2, 30)]);
    }

    #[test]
    fn what_is_no_transaction_is_passed_over() {
        for line in ["", "0 1 skipped 0 1000 0", "0 1 2"] {
            assert_eq!(Transaction::parse(line), None, "{line}");
        }
    }
}
