//! Which streamed changes the copy already contains.
//!
//! A transaction that is visible in the snapshot a part was copied under is in the copy; any other
//! is not. This is PostgreSQL's own visibility rule, so it is exact with or without a key, and it
//! never compares LSNs: a commit record may be written before a snapshot is taken and the
//! transaction become visible after it.
//!
//! # Why it is exact
//! Let a part hold exactly the rows of its range that its snapshot S sees, and let the stream bring
//! every transaction that commits behind the slot's point, in the order of their commits. The slot
//! sees no more than S does, so a transaction is in S, or in the stream, or in both; it is applied
//! when it is not in S. What applies to the part in the end is S and everything after it, each once,
//! in order: the rows of the source. The order among those left out does not matter, since S has them
//! in their own.
//!
//! It needs no key: a change that is applied finds the row that S, or a change applied before it, has
//! left; a change that is not applied touches nothing. It holds within a transaction, since S sees all
//! of one or nothing: subtransactions carry the id of the whole, and a prepared transaction is in
//! progress for S until it is committed.
//!
//! # Parts of several epochs
//! A change concerns the part that has the row, before and after it. Where a row stays in its part the
//! rule is the same. An update that moves a row from part p to part q takes it from p and gives it to
//! q, and either may be in the copy already:
//!
//! | p contains it | q contains it | what is left |
//! |---|---|---|
//! | yes | yes | nothing |
//! | no | no | the update |
//! | no | yes | to delete the row from p |
//! | yes | no | to insert the row into q |
//!
//! For the last the stream must carry the whole row. Where it does not (a TOAST value that the update
//! left alone), the row is nowhere on the target: its key is copied again, as a part of its own with a
//! later snapshot, and the rule is asked about that one.

use std::collections::HashMap;

use crate::base::key_range::KeyRanges;
use crate::base::snapshot::Snapshot;
use crate::base::{KeyRange, QualifiedName, failpoint};
use crate::catalog::ledger::{Ledger, Part};
use crate::pg;

/// The snapshots that tables were copied under.
#[derive(Debug, Default)]
pub(super) struct Filter {
    tables: HashMap<QualifiedName, Copied>,
}

/// How a table was copied.
#[derive(Debug)]
enum Copied {
    /// Under one snapshot.
    Once(Snapshot),
    /// Parts under several.
    InEpochs(Box<InEpochs>),
}

/// A table of which parts were copied under several snapshots.
#[derive(Debug)]
pub(super) struct InEpochs {
    ranges: KeyRanges,
    /// All that follow, each once.
    snapshots: Vec<Snapshot>,
    /// One for each of the ranges.
    parts: Vec<(KeyRange, Snapshot)>,
    /// Single keys that were copied again.
    keys: HashMap<String, (KeyRange, Snapshot)>,
}

/// What the copy has of a whole transaction's changes to a table.
#[derive(Debug)]
pub(super) enum Contains<'a> {
    /// Nothing: each is to be applied.
    Nothing,
    /// All.
    Everything,
    /// It depends on the row.
    ByRow(&'a InEpochs),
}

impl Filter {
    pub(super) fn of(ledger: &Ledger) -> Result<Self, pg::Error> {
        let mut tables = HashMap::new();
        if failpoint::is_without("visibility filter") {
            return Ok(Self::default());
        }
        let several = ledger.of_several_epochs();
        for part in ledger.parts() {
            if tables.contains_key(&part.table) {
                continue;
            }
            let copied = match several.contains(&part.table) {
                false => Copied::Once(part.snapshot.clone()),
                true => Copied::InEpochs(Box::new(InEpochs::of(ledger, &part.table)?)),
            };
            tables.insert(part.table.clone(), copied);
        }
        Ok(Self { tables })
    }

    /// What the copy of `table` contains of transaction `xid`. Of a table that was not copied it
    /// contains nothing.
    pub(super) fn contains(&self, table: &QualifiedName, xid: u32) -> Contains<'_> {
        match self.tables.get(table) {
            None => Contains::Nothing,
            Some(Copied::Once(snapshot)) => match sees(snapshot, xid) {
                true => Contains::Everything,
                false => Contains::Nothing,
            },
            Some(Copied::InEpochs(parts)) => parts.contains(xid),
        }
    }
}

fn sees(snapshot: &Snapshot, xid: u32) -> bool {
    snapshot.sees(snapshot.widen(xid))
}

impl InEpochs {
    fn of(ledger: &Ledger, table: &QualifiedName) -> Result<Self, pg::Error> {
        let odd = || {
            pg::Error::Protocol(format!(
                "the ledger pgflit.part on the target has parts of {table} of several epochs, and their ranges do not make up the table"
            ))
        };
        let ranged = |part: &Part| Some((part.range.clone()?, part.snapshot.clone()));
        let parts = ledger.parts_of(table).iter().map(ranged);
        let parts: Vec<_> = parts.collect::<Option<_>>().ok_or_else(odd)?;
        let ranges: Vec<_> = parts.iter().map(|(range, _)| range).collect();
        let ranges = KeyRanges::of(&ranges).ok_or_else(odd)?;
        let mut again: Vec<_> = ledger.keys_of(table).iter().collect();
        again.sort_by_key(|part| part.epoch);
        let mut keys = HashMap::new();
        for part in again {
            let range = part.range.clone().ok_or_else(odd)?;
            let value = range.only.clone().ok_or_else(odd)?;
            // The later one stands.
            keys.insert(value, (range, part.snapshot.clone()));
        }
        let all = parts.iter().chain(keys.values());
        let mut snapshots: Vec<_> = all.map(|(_, snapshot)| snapshot.clone()).collect();
        snapshots.sort_by_key(Snapshot::to_string);
        snapshots.dedup();
        Ok(Self {
            ranges,
            snapshots,
            parts,
            keys,
        })
    }

    fn contains(&self, xid: u32) -> Contains<'_> {
        let mut all = self.snapshots.iter();
        let first = all.next().is_some_and(|snapshot| sees(snapshot, xid));
        let same = all.all(|snapshot| sees(snapshot, xid) == first);
        match (same, first) {
            (true, true) => Contains::Everything,
            (true, false) => Contains::Nothing,
            (false, _) => Contains::ByRow(self),
        }
    }

    /// The column whose value says which part has a row.
    pub(super) fn column(&self) -> &str {
        self.ranges.column()
    }

    /// Whether the copy of the rows with `value` contains transaction `xid`; none if it cannot be
    /// told where they are.
    pub(super) fn contains_at(&self, value: &str, xid: u32) -> Option<bool> {
        let snapshot = match self.keys.get(value) {
            Some((_, snapshot)) => snapshot,
            None => &self.parts.get(self.ranges.find(value)?)?.1,
        };
        Some(sees(snapshot, xid))
    }

    /// The rows whose copy does not contain `xid`, as a condition in SQL: what a TRUNCATE empties.
    pub(super) fn rows_without(&self, xid: u32) -> String {
        let misses = |copied: &&(KeyRange, Snapshot)| !sees(&copied.1, xid);
        let not_again: Vec<_> = (self.keys.values())
            .map(|(range, _)| format!(" AND NOT ({})", range.condition()))
            .collect();
        let not_again = not_again.concat();
        let parts = self.parts.iter().filter(misses);
        let parts = parts.map(|(range, _)| format!("({}{not_again})", range.condition()));
        let keys = self.keys.values().filter(misses);
        let keys = keys.map(|(range, _)| format!("({})", range.condition()));
        parts.chain(keys).collect::<Vec<_>>().join(" OR ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Lsn;

    fn part(number: u32, epoch: u32, snapshot: &str, range: Option<KeyRange>) -> Part {
        Part {
            table: QualifiedName::new("public", "t"),
            number,
            count: 2,
            epoch,
            snapshot: snapshot.parse().expect("a snapshot"),
            convergence: Lsn::new(1),
            rows: 0,
            bytes: 0,
            range,
        }
    }

    fn range(lower: Option<&str>, upper: Option<&str>) -> KeyRange {
        KeyRange {
            column: "id".into(),
            type_name: "bigint".into(),
            lower: lower.map(str::to_owned),
            upper: upper.map(str::to_owned),
            only: None,
        }
    }

    fn below_and_from_10() -> [KeyRange; 2] {
        [range(None, Some("10")), range(Some("10"), None)]
    }

    fn filter(parts: Vec<Part>) -> Result<Filter, pg::Error> {
        Filter::of(&Ledger::of(parts))
    }

    fn contains(filter: &Filter, xid: u32) -> Contains<'_> {
        filter.contains(&QualifiedName::new("public", "t"), xid)
    }

    #[test]
    fn a_table_of_one_snapshot_contains_what_it_sees_and_another_nothing() {
        let filter = filter(vec![
            part(0, 1, "100:100:", None),
            part(1, 1, "100:100:", None),
        ]);
        let filter = filter.expect("a filter");
        assert!(matches!(contains(&filter, 99), Contains::Everything));
        assert!(matches!(contains(&filter, 100), Contains::Nothing));
        let other = QualifiedName::new("public", "other");
        assert!(matches!(filter.contains(&other, 1), Contains::Nothing));
    }

    #[test]
    fn parts_of_two_snapshots_are_asked_one_by_one() {
        let [low, high] = below_and_from_10();
        let again = part(2, 3, "300:300:", Some(KeyRange::only(&high, "77")));
        let filter = filter(vec![
            part(0, 1, "100:100:", Some(low)),
            part(1, 2, "200:200:", Some(high)),
            again,
        ]);
        let filter = filter.expect("a filter");
        assert!(matches!(contains(&filter, 99), Contains::Everything));
        assert!(matches!(contains(&filter, 300), Contains::Nothing));
        let Contains::ByRow(parts) = contains(&filter, 150) else {
            panic!("one part contains it, the other does not");
        };
        let at = |value: &str, xid| parts.contains_at(value, xid);
        assert_eq!(
            [at("9", 150), at("10", 150), at("77", 150)],
            [Some(false), Some(true), Some(true)]
        );
        assert_eq!(
            [at("9", 250), at("10", 250), at("77", 250)],
            [Some(false), Some(false), Some(true)]
        );
        assert_eq!(at("x", 150), None);
        assert_eq!(
            parts.rows_without(150),
            r#"("id" < '10'::bigint AND NOT ("id" = '77'::bigint))"#
        );
    }

    #[test]
    fn ranges_that_do_not_make_up_the_table_are_refused() {
        let [low, high] = below_and_from_10();
        let of = |first: Option<KeyRange>, second| {
            let parts = vec![
                part(0, 1, "100:100:", first),
                part(1, 2, "200:200:", second),
            ];
            filter(parts).is_ok()
        };
        assert!(of(Some(low.clone()), Some(high.clone())));
        assert!(!of(Some(low.clone()), None));
        assert!(!of(Some(low), Some(range(Some("11"), None))));
        assert!(!of(None, Some(high)));
    }
}
