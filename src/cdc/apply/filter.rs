//! Which streamed changes the copy already contains.
//!
//! A transaction that is visible in the snapshot a part was copied under is in the copy; any other
//! is not. This is PostgreSQL's own visibility rule, so it is exact with or without a key, and it
//! never compares LSNs: a commit record may be written before a snapshot is taken and the
//! transaction become visible after it.

use std::collections::HashMap;

use crate::base::QualifiedName;
use crate::base::snapshot::Snapshot;
use crate::catalog::ledger::Ledger;

/// The snapshots that tables were copied under.
#[derive(Debug, Default)]
pub(super) struct Filter {
    snapshots: HashMap<QualifiedName, Snapshot>,
}

impl Filter {
    pub(super) fn of(ledger: &Ledger) -> Self {
        let parts = ledger.parts();
        Self {
            snapshots: parts
                .map(|part| (part.table.clone(), part.snapshot.clone()))
                .collect(),
        }
    }

    /// Whether the copy of `table` already contains what transaction `xid` did. A table that
    /// was not copied contains nothing.
    pub(super) fn contains(&self, table: &QualifiedName, xid: u32) -> bool {
        let snapshot = self.snapshots.get(table);
        snapshot.is_some_and(|snapshot| snapshot.sees(snapshot.widen(xid)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_is_filtered_by_its_own_snapshot() {
        let table = |name: &str| QualifiedName::new("public", name);
        let snapshots = [("early", "100:110:105"), ("late", "200:200:")];
        let filter = Filter {
            snapshots: snapshots
                .iter()
                .map(|(name, text)| (table(name), text.parse().expect("a snapshot")))
                .collect(),
        };
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
            assert_eq!(
                filter.contains(&table(name), xid),
                contained,
                "{name} {xid}"
            );
        }
    }
}
