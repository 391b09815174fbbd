//! Which streamed changes the copy already contains.
//!
//! Rows that were read under a snapshot of the source contain a transaction if the snapshot sees
//! it. This is PostgreSQL's own visibility rule, so it is exact with or without a key, and it never
//! compares LSNs: a commit record may be written before a snapshot is taken and the transaction
//! become visible after it.
//!
//! Rows that were read on a standby whose replay was paused contain a transaction if its commit
//! record was replayed: there LSNs are exact, and nothing else is; see [`crate::base::visibility`].

use std::collections::HashMap;

use crate::base::visibility::{CommitRecord, Visibility};
use crate::base::{Lsn, QualifiedName};
use crate::catalog::ledger::Ledger;
use crate::cdc::change::Begin;

/// What the copy of each table contains.
#[derive(Debug, Default)]
pub(super) struct Filter {
    copies: HashMap<QualifiedName, Visibility>,
}

/// A source transaction, as far as it matters whether a copy contains it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Committed {
    xid: u32,
    commit: CommitRecord,
}

/// Where a transaction ends whose beginning does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownEnd {
    /// Where its first change stands.
    pub first: Lsn,
    /// Its id.
    pub xid: u32,
    /// The end of its commit record.
    pub end: Lsn,
}

impl KnownEnd {
    /// The end of the one that began with `begin`, if it is that one.
    pub(super) fn of(self, begin: &Begin) -> Option<Lsn> {
        (self.first == begin.lsn && self.xid == begin.xid).then_some(self.end)
    }
}

impl Committed {
    /// The one that began with `begin`; `end` is the end of its commit record, once that is read.
    pub(super) fn of(begin: &Begin, end: Option<Lsn>) -> Self {
        let commit = match (end, begin.commit_lsn) {
            (Some(end), _) => CommitRecord::Ends(end),
            (None, Some(start)) => CommitRecord::Starts(start),
            (None, None) => CommitRecord::After(begin.lsn),
        };
        Self {
            xid: begin.xid,
            commit,
        }
    }
}

impl Filter {
    pub(super) fn of(ledger: &Ledger) -> Self {
        let parts = ledger.parts();
        Self {
            copies: parts
                .map(|part| (part.table.clone(), part.visibility.clone()))
                .collect(),
        }
    }

    /// Whether there are copies of which only the end of the transaction tells whether they contain
    /// it.
    pub(super) fn needs_end(&self, begin: &Begin) -> bool {
        let Committed { xid, commit } = Committed::of(begin, None);
        let mut copies = self.copies.values();
        copies.any(|copy| copy.contains(xid, commit).is_none())
    }

    /// Whether the copy of `table` already contains what `transaction` did; none if its commit
    /// record must be read first. A table that was not copied contains nothing.
    pub(super) fn contains(&self, table: &QualifiedName, transaction: Committed) -> Option<bool> {
        match self.copies.get(table) {
            Some(copy) => copy.contains(transaction.xid, transaction.commit),
            None => Some(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(copies: &[(&str, &str)]) -> Filter {
        let copies = copies.iter().map(|(name, text)| {
            let visibility = text.parse().expect("a visibility");
            (QualifiedName::new("public", *name), visibility)
        });
        Filter {
            copies: copies.collect(),
        }
    }

    fn begin(xid: u32, commit_lsn: Option<u64>) -> Begin {
        Begin {
            xid,
            lsn: Lsn::new(50),
            commit_lsn: commit_lsn.map(Lsn::new),
            timestamp: None,
        }
    }

    #[test]
    fn each_table_is_filtered_by_its_own_snapshot() {
        let filter = filter(&[("early", "100:110:105"), ("late", "200:200:")]);
        for (name, xid, contained) in [
            ("early", 99, true),
            ("early", 105, false),
            ("early", 106, true),
            ("early", 110, false),
            ("late", 110, true),
            ("late", 105, true),
            ("late", 200, false),
            ("not copied", 1, false),
        ] {
            let transaction = Committed::of(&begin(xid, None), None);
            assert_eq!(
                filter.contains(&QualifiedName::new("public", name), transaction),
                Some(contained),
                "{name} {xid}"
            );
        }
    }

    #[test]
    fn what_was_read_on_a_standby_is_filtered_by_the_commit_record_alone() {
        let filter = filter(&[("t", "replayed 0/64")]);
        let table = QualifiedName::new("public", "t");
        let contains = |commit_lsn, end: Option<u64>| {
            let transaction = Committed::of(&begin(7, commit_lsn), end.map(Lsn::new));
            filter.contains(&table, transaction)
        };
        // The whole transaction is there, whether the plugin says where its commit record starts.
        for commit_lsn in [None, Some(90)] {
            assert_eq!(contains(commit_lsn, Some(100)), Some(true));
            assert_eq!(contains(commit_lsn, Some(101)), Some(false));
        }
        // One that is applied while it is read.
        assert_eq!(contains(Some(99), None), Some(true));
        assert_eq!(contains(Some(100), None), Some(false));
        assert_eq!(contains(None, None), None);
        assert!(filter.needs_end(&begin(7, None)) && !filter.needs_end(&begin(7, Some(99))));
        let late = Begin {
            lsn: Lsn::new(100),
            ..begin(7, None)
        };
        assert!(!filter.needs_end(&late));
    }
}
