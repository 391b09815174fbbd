//! Which rows a batch touches, as far as two batches at a time must know of each other.
//!
//! | a table's changes | are apart from those of another batch if |
//! |---|---|
//! | by a key, old and new | that has none of the same keys, by the same columns |
//! | rows added that nothing refers to | that adds such rows too |
//! | others | that does not touch the table |
//!
//! This only spares the target from refusing: changes that meet all the same (by another unique index,
//! or by keys whose texts differ) wait for each other there, or are refused, see [`super`].

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use foldhash::{HashMap, HashSet};

use crate::base::QualifiedName;
use crate::cdc::apply::expect::Change;
use crate::cdc::apply::net::{Ready, as_known, set_parameter};
use crate::cdc::change::{Identity, Operation};
use crate::cdc::sql_line::{Prepare, Shape, StatementId};

/// What a batch touches.
#[derive(Debug, Default)]
pub(super) struct Touched {
    tables: HashMap<QualifiedName, How>,
    /// Of keys and their tables. Two that are alike by chance cost a wait.
    keys: HashSet<u64>,
}

/// How the rows of a table are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// By these columns, as the hash of their names.
    Keys(u64),
    Added,
    Whole,
}

impl How {
    fn and(self, other: How) -> How {
        match self == other {
            true => self,
            false => How::Whole,
        }
    }
}

/// What is known of a statement.
struct Way<'a> {
    table: u64,
    how: How,
    /// The parameters of its key, each with the one that sets this column.
    key: Vec<(usize, Option<usize>)>,
    name: &'a QualifiedName,
}

impl Touched {
    /// What `ready` touches; none if it must be applied while nothing else is: a TRUNCATE, and tables
    /// that are not `plain`.
    pub(super) fn of(ready: &[Ready], plain: impl Fn(&QualifiedName) -> bool) -> Option<Self> {
        let mut touched = Self::default();
        let mut ways: HashMap<StatementId, Way<'_>> = HashMap::default();
        for ready in ready {
            let Ready::Row(change) = ready else {
                return None;
            };
            let way = match ways.get(&change.prepare.id) {
                Some(way) => way,
                None => {
                    if !plain(change.table()) {
                        return None;
                    }
                    let way = way_of(&change.prepare);
                    touched.table(way.name, way.how);
                    ways.entry(change.prepare.id).or_insert(way)
                }
            };
            if let How::Keys(_) = way.how
                && !touched.row(change, way)
            {
                touched.table(way.name, How::Whole);
            }
        }
        Some(touched)
    }

    fn table(&mut self, name: &QualifiedName, how: How) {
        match self.tables.get_mut(name) {
            Some(known) => *known = known.and(how),
            None => {
                self.tables.insert(name.clone(), how);
            }
        }
    }

    /// Notes the keys of a row; false if it has none.
    fn row(&mut self, change: &Change, way: &Way<'_>) -> bool {
        let hash = |new: bool| {
            let mut values = way.key.iter().map(|(old, set)| match (new, set) {
                (true, Some(set)) => change.values.get(*set),
                _ => change.values.get(*old),
            });
            values.try_fold(way.table, |hash, value| {
                Some(seeded().hash_one((hash, value?)))
            })
        };
        let (Some(old), Some(new)) = (hash(false), hash(true)) else {
            return false;
        };
        self.keys.insert(old);
        self.keys.insert(new);
        true
    }

    /// Whether both may touch the same rows.
    pub(super) fn meets(&self, other: &Touched) -> bool {
        let (few, many) = match self.keys.len() <= other.keys.len() {
            true => (self, other),
            false => (other, self),
        };
        let same_table = few.tables.iter().any(|(name, how)| {
            many.tables.get(name).is_some_and(|other| {
                let are_apart = how == other && *how != How::Whole;
                !are_apart
            })
        });
        same_table || few.keys.iter().any(|key| many.keys.contains(key))
    }
}

fn way_of(prepare: &Prepare) -> Way<'_> {
    let shape = &prepare.shape;
    let mut columns: Vec<usize> = shape.key.clone();
    columns.sort_by(|a, b| shape.columns[*a].cmp(&shape.columns[*b]));
    let names: Vec<_> = columns.iter().map(|at| &shape.columns[*at]).collect();
    let set_by = |at: usize| match shape.op {
        Operation::Update => set_parameter(shape, at),
        Operation::Insert | Operation::Delete => None,
    };
    Way {
        table: seeded().hash_one(&prepare.table),
        how: how_of(shape, &prepare.sql, || seeded().hash_one(&names)),
        key: columns.iter().map(|at| (*at, set_by(*at))).collect(),
        name: &prepare.table,
    }
}

fn how_of(shape: &Shape, sql: &str, key: impl Fn() -> u64) -> How {
    let is_known = as_known(shape).as_deref() == Some(sql);
    let keyed = matches!(shape.identity, Identity::Default | Identity::Index);
    match (is_known, shape.key.is_empty(), shape.op) {
        (true, false, _) if keyed => How::Keys(key()),
        (true, true, Operation::Insert) => How::Added,
        _ => How::Whole,
    }
}

/// The same for all batches of this program.
fn seeded() -> FixedState {
    FixedState::with_seed(0)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::Lsn;
    use crate::cdc::apply::block::{Origin, Values};
    use crate::cdc::change::Begin;

    /// A change of table `t` that has these values, of which those are its key that begin with `=`.
    fn of(identity: Identity, op: Operation, columns: &[(&str, Option<&str>)]) -> Ready {
        let names = columns.iter().map(|(name, _)| name.trim_start_matches('='));
        let shape = Shape {
            op,
            schema: "public".into(),
            table: "t".into(),
            identity,
            columns: names.map(str::to_owned).collect(),
            types: columns.iter().map(|_| "text".to_owned()).collect(),
            modifiers: columns.iter().map(|_| -1).collect(),
            key: (0..columns.len())
                .filter(|at| columns[*at].0.starts_with('='))
                .collect(),
        };
        let values = columns.iter().map(|(_, value)| value.map(str::as_bytes));
        let sql = as_known(&shape).expect("columns");
        Ready::Row(Change {
            prepare: Arc::new(Prepare::new(sql, shape)),
            written: None,
            values: Values::of(values, Origin::File(std::path::Path::new("t").into())),
            begin: Arc::new(Begin {
                xid: 1,
                lsn: Lsn::new(1),
                commit_lsn: None,
                timestamp: None,
            }),
            at: 1,
        })
    }

    fn insert(id: &str) -> Ready {
        let columns = [("=id", Some(id)), ("n", Some("1"))];
        of(Identity::Default, Operation::Insert, &columns)
    }

    fn update(columns: &[(&str, Option<&str>)]) -> Ready {
        of(Identity::Default, Operation::Update, columns)
    }

    fn meet(one: &[Ready], other: &[Ready]) -> bool {
        let touched = |ready| Touched::of(ready, |_| true).expect("nothing to be done alone");
        let (one, other) = (touched(one), touched(other));
        assert_eq!(one.meets(&other), other.meets(&one));
        one.meets(&other)
    }

    #[test]
    fn batches_meet_in_the_keys_of_rows_old_and_new() {
        assert!(!meet(&[insert("1"), insert("2")], &[insert("3")]));
        assert!(meet(&[insert("1"), insert("2")], &[insert("2")]));
        let set = update(&[("n", Some("1")), ("=id", Some("2"))]);
        assert!(meet(&[insert("2")], &[set]));
        let moved = || update(&[("id", Some("3")), ("=id", Some("2"))]);
        assert!(meet(&[insert("2")], &[moved()]));
        assert!(meet(&[insert("3")], &[moved()]));
        assert!(!meet(&[insert("4")], &[moved()]));
    }

    #[test]
    fn the_order_of_key_columns_is_of_no_matter_and_which_they_are_is() {
        let one = || update(&[("n", Some("1")), ("=a", Some("1")), ("=b", Some("2"))]);
        let same = update(&[("n", Some("1")), ("=b", Some("2")), ("=a", Some("1"))]);
        assert!(meet(&[one()], &[same]));
        let swapped = update(&[("n", Some("1")), ("=b", Some("1")), ("=a", Some("2"))]);
        assert!(!meet(&[one()], &[swapped]));
        let other_key = update(&[("n", Some("1")), ("=c", Some("7"))]);
        assert!(meet(&[one()], &[other_key]));
    }

    #[test]
    fn what_has_no_key_meets_all_but_rows_that_are_only_added() {
        let plain = |op| of(Identity::Nothing, op, &[("n", Some("1"))]);
        let full = || of(Identity::Full, Operation::Delete, &[("=n", Some("1"))]);
        let added = || plain(Operation::Insert);
        assert!(!meet(&[added()], &[added()]));
        assert!(meet(&[added()], &[full()]));
        assert!(meet(&[full()], &[full()]));
        let null = update(&[("n", Some("1")), ("=id", None)]);
        assert!(meet(&[insert("1")], &[null]));
        assert!(Touched::of(&[added()], |_| false).is_none());
    }
}
