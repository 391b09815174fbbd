//! Which streamed changes the copy already contains.
//!
//! A transaction that is visible in the snapshot a part was copied under is in the copy; any other
//! is not. This is PostgreSQL's own visibility rule, so it is exact with or without a key, and it
//! never compares LSNs: a commit record may be written before a snapshot is taken and the
//! transaction become visible after it.
//!
//! A part that was read on a standby whose replay was paused contains a transaction if its commit
//! record was replayed: there LSNs are exact, and nothing else is; see [`crate::base::visibility`].
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

use foldhash::HashMap;

use crate::base::key_range::KeyRanges;
use crate::base::visibility::{CommitRecord, Visibility};
use crate::base::{KeyRange, Lsn, QualifiedName, failpoint};
use crate::catalog::ledger::{Ledger, Part};
use crate::cdc::change::Begin;
use crate::pg;

/// What the copies of tables contain.
#[derive(Debug, Default)]
pub(super) struct Filter {
    tables: HashMap<QualifiedName, Copied>,
}

/// How a table was copied.
#[derive(Debug)]
enum Copied {
    /// At one moment.
    Once(Visibility),
    /// Parts at several.
    InEpochs(Box<InEpochs>),
}

/// A table of which parts were copied at several moments.
#[derive(Debug)]
pub(super) struct InEpochs {
    ranges: KeyRanges,
    /// All that follow, each once.
    moments: Vec<Visibility>,
    /// One for each of the ranges.
    parts: Vec<(KeyRange, Visibility)>,
    /// Single keys that were copied again.
    keys: HashMap<String, (KeyRange, Visibility)>,
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
    /// It depends on where the transaction commits, which is not known yet.
    Unknown,
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
    /// Whether rows of `moment` contain it; none if its commit record must be read first.
    fn is_in(self, moment: &Visibility) -> Option<bool> {
        moment.contains(self.xid, self.commit)
    }

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
    pub(super) fn of(ledger: &Ledger) -> Result<Self, pg::Error> {
        let mut tables = HashMap::default();
        if failpoint::is_without("visibility filter") {
            return Ok(Self::default());
        }
        let several = ledger.of_several_moments();
        for part in ledger.parts() {
            if tables.contains_key(&part.table) {
                continue;
            }
            let copied = match several.contains(&part.table) {
                false => Copied::Once(part.visibility.clone()),
                true => Copied::InEpochs(Box::new(InEpochs::of(ledger, &part.table)?)),
            };
            tables.insert(part.table.clone(), copied);
        }
        Ok(Self { tables })
    }

    /// Whether there are copies of which only the end of the transaction tells whether they contain
    /// it.
    pub(super) fn needs_end(&self, begin: &Begin) -> bool {
        let transaction = Committed::of(begin, None);
        self.tables.values().any(|copied| match copied {
            Copied::Once(moment) => transaction.is_in(moment).is_none(),
            Copied::InEpochs(parts) => matches!(parts.contains(transaction), Contains::Unknown),
        })
    }

    /// What the copy of `table` contains of `transaction`. Of a table that was not copied it
    /// contains nothing.
    pub(super) fn contains(&self, table: &QualifiedName, transaction: Committed) -> Contains<'_> {
        match self.tables.get(table) {
            None => Contains::Nothing,
            Some(Copied::Once(moment)) => match transaction.is_in(moment) {
                Some(true) => Contains::Everything,
                Some(false) => Contains::Nothing,
                None => Contains::Unknown,
            },
            Some(Copied::InEpochs(parts)) => parts.contains(transaction),
        }
    }
}

impl InEpochs {
    fn of(ledger: &Ledger, table: &QualifiedName) -> Result<Self, pg::Error> {
        let odd = || {
            pg::Error::Protocol(format!(
                "the ledger pgflit.part on the target has parts of {table} of several epochs, and their ranges do not make up the table"
            ))
        };
        let ranged = |part: &Part| Some((part.range.clone()?, part.visibility.clone()));
        let parts = ledger.parts_of(table).iter().map(ranged);
        let parts: Vec<_> = parts.collect::<Option<_>>().ok_or_else(odd)?;
        let ranges: Vec<_> = parts.iter().map(|(range, _)| range).collect();
        let ranges = KeyRanges::of(&ranges).ok_or_else(odd)?;
        let mut again: Vec<_> = ledger.keys_of(table).iter().collect();
        again.sort_by_key(|part| part.epoch);
        let mut keys = HashMap::default();
        for part in again {
            let range = part.range.clone().ok_or_else(odd)?;
            let value = range.only.clone().ok_or_else(odd)?;
            // The later one stands.
            keys.insert(value, (range, part.visibility.clone()));
        }
        let all = parts.iter().chain(keys.values());
        let mut moments: Vec<_> = all.map(|(_, moment)| moment.clone()).collect();
        moments.sort_by_key(Visibility::to_string);
        moments.dedup();
        Ok(Self {
            ranges,
            moments,
            parts,
            keys,
        })
    }

    fn contains(&self, transaction: Committed) -> Contains<'_> {
        let (mut some, mut all) = (false, true);
        for moment in &self.moments {
            match transaction.is_in(moment) {
                Some(is_in) => {
                    some |= is_in;
                    all &= is_in;
                }
                None => return Contains::Unknown,
            }
        }
        match (some, all) {
            (true, true) => Contains::Everything,
            (true, false) => Contains::ByRow(self),
            (false, _) => Contains::Nothing,
        }
    }

    /// The column whose value says which part has a row.
    pub(super) fn column(&self) -> &str {
        self.ranges.column()
    }

    /// Whether the copy of the rows with `value` contains `transaction`, whose commit record is
    /// known; none if it cannot be told where they are.
    pub(super) fn contains_at(&self, value: &str, transaction: Committed) -> Option<bool> {
        let moment = match self.keys.get(value) {
            Some((_, moment)) => moment,
            None => &self.parts.get(self.ranges.find(value)?)?.1,
        };
        transaction.is_in(moment)
    }

    /// The rows whose copy does not contain `transaction`, as a condition in SQL: what a TRUNCATE
    /// empties.
    pub(super) fn rows_without(&self, transaction: Committed) -> String {
        let misses = |copied: &&(KeyRange, Visibility)| transaction.is_in(&copied.1) == Some(false);
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
            visibility: snapshot.parse().expect("a visibility"),
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

    fn begin(xid: u32, commit_lsn: Option<u64>) -> Begin {
        Begin {
            xid,
            lsn: Lsn::new(50),
            commit_lsn: commit_lsn.map(Lsn::new),
            timestamp: None,
        }
    }

    fn with_xid(xid: u32) -> Committed {
        Committed::of(&begin(xid, None), None)
    }

    fn contains(filter: &Filter, xid: u32) -> Contains<'_> {
        filter.contains(&QualifiedName::new("public", "t"), with_xid(xid))
    }

    #[test]
    fn what_was_read_on_a_standby_is_filtered_by_the_commit_record_alone() {
        let filter = filter(vec![part(0, 1, "replayed 0/64", None)]);
        let filter = filter.expect("a filter");
        let table = QualifiedName::new("public", "t");
        let contains = |commit_lsn, end: Option<u64>| {
            let transaction = Committed::of(&begin(7, commit_lsn), end.map(Lsn::new));
            match filter.contains(&table, transaction) {
                Contains::Everything => Some(true),
                Contains::Nothing => Some(false),
                Contains::ByRow(_) => panic!("it is of one moment"),
                Contains::Unknown => None,
            }
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

    #[test]
    fn parts_that_were_read_on_two_standbys_are_asked_one_by_one() {
        let [low, high] = below_and_from_10();
        let filter = filter(vec![
            part(0, 1, "replayed 0/64", Some(low)),
            part(1, 2, "replayed 0/C8", Some(high)),
        ]);
        let filter = filter.expect("a filter");
        let table = QualifiedName::new("public", "t");
        let at_end = |end: u64| Committed::of(&begin(7, None), Some(Lsn::new(end)));
        let contains = |end: u64| filter.contains(&table, at_end(end));
        assert!(matches!(contains(100), Contains::Everything));
        assert!(matches!(contains(201), Contains::Nothing));
        for end in [101, 200] {
            let Contains::ByRow(parts) = contains(end) else {
                panic!("one part contains it, the other does not");
            };
            let at = |value: &str| parts.contains_at(value, at_end(end));
            assert_eq!([at("9"), at("10")], [Some(false), Some(true)]);
        }
        let unread = filter.contains(&table, Committed::of(&begin(7, None), None));
        assert!(matches!(unread, Contains::Unknown));
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
        assert!(matches!(
            filter.contains(&other, with_xid(1)),
            Contains::Nothing
        ));
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
        let at = |value: &str, xid| parts.contains_at(value, with_xid(xid));
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
            parts.rows_without(with_xid(150)),
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
