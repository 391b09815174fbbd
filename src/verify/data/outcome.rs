//! What was found.

use crate::base::{Lsn, QualifiedName, Side};

use super::digest::Digest;

/// How a table came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Compared, and the same on both sides.
    Equal,
    /// Not the same.
    Different,
    /// Nobody knows.
    Uncompared,
}

/// What is different about a row with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// It is there alone.
    OnlyOn(Side),
    /// These columns have other values.
    Columns(Vec<String>),
}

/// A row that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyDifference {
    /// Its key, as a record's text.
    pub key: String,
    /// What is different.
    pub kind: Kind,
}

/// The rows that differ, of a table with a key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The columns of the key.
    pub key: Vec<String>,
    /// Some of them.
    pub shown: Vec<KeyDifference>,
    /// How many there are in all.
    pub count: u64,
}

/// A table, or several that have the same rows on both sides together.
#[derive(Debug, Clone)]
pub struct Compared {
    /// Its name on the source.
    pub name: QualifiedName,
    /// What the source has; none if it has no such table, or was not asked to the end.
    pub source: Option<Digest>,
    /// The same of the target.
    pub target: Option<Digest>,
    /// How it came out.
    pub verdict: Verdict,
    /// Why it could not be compared, or what else is different than rows.
    pub problem: Option<String>,
    /// Where it could not be read, if that is why.
    pub unread: Option<Side>,
    /// The rows that differ; none if there is no key to tell them by.
    pub found: Option<Found>,
    /// An earlier run has found it equal.
    pub before: bool,
}

/// A sequence that stands elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceDifference {
    /// Its name.
    pub name: QualifiedName,
    /// Where it stands on the source, and whether that value was given out; none if it is not there.
    pub source: Option<(i64, bool)>,
    /// The same of the target.
    pub target: Option<(i64, bool)>,
}

/// Everything that was found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The tables, by name.
    pub tables: Vec<Compared>,
    /// How many sequences were compared.
    pub sequences: usize,
    /// Those that differ.
    pub sequence_differences: Vec<SequenceDifference>,
    /// Why sequences could not be compared, and on which side.
    pub sequence_problem: Option<(Side, String)>,
    /// The position of the source that both sides were compared at.
    pub at: Option<Lsn>,
}

impl Outcome {
    /// How it came out: a difference that is certain comes before what is not known.
    pub fn verdict(&self) -> Verdict {
        let is = |verdict| self.tables.iter().any(|table| table.verdict == verdict);
        if is(Verdict::Different) || !self.sequence_differences.is_empty() {
            Verdict::Different
        } else if is(Verdict::Uncompared) || self.sequence_problem.is_some() {
            Verdict::Uncompared
        } else {
            Verdict::Equal
        }
    }

    /// The side that could not be read, if there is one; the first.
    pub fn unread(&self) -> Option<Side> {
        let tables = self.tables.iter().find_map(|table| table.unread);
        tables.or(self.sequence_problem.as_ref().map(|(side, _)| *side))
    }
}
