//! What is to be done next for which table.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};

use crate::base::QualifiedName;
use crate::store::IndexRow;

/// A table and what it gets.
#[derive(Debug, Clone)]
pub struct TableToComplete {
    /// Its OID on the source.
    pub oid: u32,
    /// Its name.
    pub name: QualifiedName,
    /// Its indexes, but for those that are there already.
    pub indexes: Vec<IndexRow>,
    /// Whether VACUUM freezes its rows, because COPY could not.
    pub freeze: bool,
}

/// One thing to do on the target.
#[derive(Debug, Clone)]
pub(super) enum Job {
    /// Make an index.
    Index(IndexRow),
    /// Make what needs the table for itself alone: the constraint of an index that is there, or an
    /// index that only a constraint can make.
    Constraint(IndexRow),
    /// VACUUM, ANALYZE.
    Tidy { name: QualifiedName, freeze: bool },
}

impl Job {
    fn freezes(&self) -> bool {
        matches!(self, Job::Tidy { freeze: true, .. })
    }
}

/// What a worker is to do.
#[derive(Debug)]
pub(super) enum Next {
    /// This.
    Do(Job),
    /// Wait until the board changes.
    Wait,
    /// Nothing more will come.
    End,
}

/// Everything that is known to be done for tables; shared by the workers under a lock.
#[derive(Debug, Default)]
pub(super) struct Board {
    waiting: HashMap<u32, TableToComplete>,
    /// Of a table that is being worked on: how many indexes are still to be built, and the table
    /// with those that are to get a constraint.
    building: HashMap<u32, (usize, TableToComplete)>,
    constraints: VecDeque<Job>,
    indexes: BinaryHeap<BySize>,
    tidying: VecDeque<Job>,
    /// VACUUM FREEZE. It would be in vain while anything runs on the target that began before the
    /// rows were committed, or commits without waiting for the disk.
    freezing: VecDeque<Job>,
    tidies: bool,
    in_hand: usize,
    /// Of those in hand, the ones that do not freeze.
    others_in_hand: usize,
    closed: bool,
}

impl Board {
    /// Nothing is to be done for `tables` until [`Board::copied`] says so of one.
    pub(super) fn new(tables: Vec<TableToComplete>, tidies: bool) -> Self {
        Self {
            waiting: tables.into_iter().map(|table| (table.oid, table)).collect(),
            tidies,
            ..Self::default()
        }
    }

    /// Takes `indexes` from a table whose rows are not there yet.
    pub(super) fn leave_out(&mut self, table: u32, indexes: &HashSet<u32>) {
        if let Some(table) = self.waiting.get_mut(&table) {
            table.indexes.retain(|index| !indexes.contains(&index.oid));
        }
    }

    /// The rows of a table are there.
    pub(super) fn copied(&mut self, table: u32) {
        let Some(table) = self.waiting.remove(&table) else {
            return;
        };
        let to_build: Vec<_> = table
            .indexes
            .iter()
            .filter(|index| index.sql.is_some())
            .cloned()
            .collect();
        if to_build.is_empty() {
            return self.indexes_are_built(table);
        }
        self.building.insert(table.oid, (to_build.len(), table));
        self.indexes.extend(to_build.into_iter().map(BySize));
    }

    /// No more tables will be copied.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// What a worker is to do. Constraints first, which are short and lock their table; then the
    /// largest index; VACUUM when there is nothing else; last what is to be frozen.
    pub(super) fn take(&mut self) -> Next {
        let job = self
            .constraints
            .pop_front()
            .or_else(|| self.indexes.pop().map(|BySize(index)| Job::Index(index)))
            .or_else(|| self.tidying.pop_front())
            .or_else(|| match self.closed && self.others_in_hand == 0 {
                true => self.freezing.pop_front(),
                false => None,
            });
        match job {
            Some(job) => {
                self.in_hand += 1;
                self.others_in_hand += usize::from(!job.freezes());
                Next::Do(job)
            }
            None if self.closed && self.in_hand == 0 => Next::End,
            None => Next::Wait,
        }
    }

    /// A worker is through with a job. What needs an index that could not be built is left out:
    /// its failure is told already.
    pub(super) fn done(&mut self, job: &Job, succeeded: bool) {
        self.in_hand -= 1;
        self.others_in_hand -= usize::from(!job.freezes());
        match job {
            Job::Index(index) => {
                let Some((left, table)) = self.building.get_mut(&index.table_oid) else {
                    return;
                };
                *left -= 1;
                if !succeeded {
                    table.indexes.retain(|other| other.oid != index.oid);
                }
                if *left == 0
                    && let Some((_, table)) = self.building.remove(&index.table_oid)
                {
                    self.indexes_are_built(table);
                }
            }
            Job::Constraint(index) => {
                if let Some((_, table)) = self.building.remove(&index.table_oid) {
                    self.next_constraint(table);
                }
            }
            Job::Tidy { .. } => {}
        }
    }

    fn indexes_are_built(&mut self, mut table: TableToComplete) {
        table
            .indexes
            .retain(|index| index.constraint.is_some() || !index.extra_sql.is_empty());
        self.next_constraint(table);
    }

    /// One at a time: each locks the table.
    fn next_constraint(&mut self, mut table: TableToComplete) {
        if table.indexes.is_empty() {
            return self.tidy(table);
        }
        let next = table.indexes.remove(0);
        self.constraints.push_back(Job::Constraint(next));
        self.building.insert(table.oid, (0, table));
    }

    fn tidy(&mut self, table: TableToComplete) {
        if !self.tidies {
            return;
        }
        let queue = match table.freeze {
            true => &mut self.freezing,
            false => &mut self.tidying,
        };
        queue.push_back(Job::Tidy {
            name: table.name,
            freeze: table.freeze,
        });
    }
}

/// The largest index is taken first.
#[derive(Debug)]
struct BySize(IndexRow);

impl Ord for BySize {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |index: &IndexRow| (index.bytes, std::cmp::Reverse(index.oid));
        key(&self.0).cmp(&key(&other.0))
    }
}

impl PartialOrd for BySize {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for BySize {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for BySize {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ConstraintRow;

    fn index(oid: u32, table_oid: u32, bytes: u64, constraint: bool) -> IndexRow {
        IndexRow {
            oid,
            table_oid,
            name: QualifiedName::new("public", format!("i{oid}")),
            bytes,
            sql: Some("CREATE INDEX".into()),
            constraint: constraint.then(|| ConstraintRow {
                oid: oid + 1000,
                name: "c".into(),
                sql: "ALTER TABLE".into(),
            }),
            extra_sql: vec![],
        }
    }

    fn table(oid: u32, indexes: Vec<IndexRow>) -> TableToComplete {
        TableToComplete {
            oid,
            name: QualifiedName::new("public", format!("t{oid}")),
            indexes,
            freeze: false,
        }
    }

    /// The job as a word, and the job.
    fn take(board: &mut Board) -> (String, Option<Job>) {
        match board.take() {
            Next::Wait => ("wait".into(), None),
            Next::End => ("end".into(), None),
            Next::Do(job) => {
                let word = match &job {
                    Job::Index(index) => format!("index {}", index.oid),
                    Job::Constraint(index) => format!("constraint {}", index.oid),
                    Job::Tidy { name, .. } => format!("tidy {}", name.name),
                };
                (word, Some(job))
            }
        }
    }

    #[test]
    fn indexes_begin_with_the_largest_as_soon_as_their_table_is_copied() {
        let tables = vec![
            table(1, vec![index(11, 1, 5, true), index(12, 1, 9, false)]),
            table(2, vec![index(21, 2, 7, false)]),
        ];
        let mut board = Board::new(tables, true);
        assert_eq!(take(&mut board).0, "wait");
        board.copied(1);
        let (first, largest) = take(&mut board);
        assert_eq!(first, "index 12");
        board.copied(2);
        let (second, other_table) = take(&mut board);
        assert_eq!(second, "index 21");
        let (third, last) = take(&mut board);
        assert_eq!(third, "index 11");
        assert_eq!(take(&mut board).0, "wait");
        board.close();
        board.done(&largest.expect("a job"), true);
        assert_eq!(take(&mut board).0, "wait", "a constraint needs all indexes");
        board.done(&last.expect("a job"), true);
        let (fourth, constraints) = take(&mut board);
        assert_eq!(fourth, "constraint 11");
        board.done(&other_table.expect("a job"), true);
        let (fifth, tidy) = take(&mut board);
        assert_eq!(fifth, "tidy t2");
        board.done(&tidy.expect("a job"), true);
        assert_eq!(take(&mut board).0, "wait");
        board.done(&constraints.expect("a job"), true);
        let (sixth, tidy) = take(&mut board);
        assert_eq!(sixth, "tidy t1");
        assert_eq!(take(&mut board).0, "wait");
        board.done(&tidy.expect("a job"), true);
        assert_eq!(take(&mut board).0, "end");
    }

    #[test]
    fn rows_are_frozen_when_nothing_else_is_left() {
        let frozen = |oid| TableToComplete {
            freeze: true,
            ..table(oid, vec![])
        };
        let tables = vec![table(1, vec![index(11, 1, 5, false)]), frozen(2), frozen(3)];
        let mut board = Board::new(tables, true);
        board.copied(1);
        let (first, build) = take(&mut board);
        assert_eq!(first, "index 11");
        board.copied(2);
        board.copied(3);
        assert_eq!(take(&mut board).0, "wait", "rows are being copied");
        board.close();
        assert_eq!(take(&mut board).0, "wait", "an index is being built");
        board.done(&build.expect("a job"), true);
        let (second, tidy) = take(&mut board);
        assert_eq!(second, "tidy t1");
        assert_eq!(take(&mut board).0, "wait", "statistics are being made");
        board.done(&tidy.expect("a job"), true);
        assert_eq!(take(&mut board).0, "tidy t2");
        assert_eq!(take(&mut board).0, "tidy t3", "they may run side by side");
    }

    #[test]
    fn a_table_that_is_copied_twice_is_completed_once() {
        let mut board = Board::new(vec![table(1, vec![index(11, 1, 5, false)])], false);
        board.copied(1);
        board.copied(1);
        board.copied(99);
        board.close();
        let (word, job) = take(&mut board);
        assert_eq!(word, "index 11");
        board.done(&job.expect("a job"), true);
        assert_eq!(take(&mut board).0, "end", "nothing to tidy was asked for");
    }

    #[test]
    fn an_index_that_its_constraint_makes_waits_for_the_others() {
        let exclusion = IndexRow {
            sql: None,
            ..index(12, 1, 100, true)
        };
        let mut board = Board::new(
            vec![table(1, vec![exclusion, index(11, 1, 5, true)])],
            false,
        );
        board.copied(1);
        let (word, job) = take(&mut board);
        assert_eq!(word, "index 11");
        assert_eq!(take(&mut board).0, "wait");
        board.done(&job.expect("a job"), true);
        let (word, job) = take(&mut board);
        assert_eq!(word, "constraint 12");
        board.done(&job.expect("a job"), true);
        assert_eq!(take(&mut board).0, "constraint 11", "one at a time");
    }

    #[test]
    fn a_constraint_is_not_tried_without_its_index() {
        let indexes = vec![index(11, 1, 9, true), index(12, 1, 5, true)];
        let mut board = Board::new(vec![table(1, indexes)], false);
        board.copied(1);
        board.close();
        let (first, failed) = take(&mut board);
        assert_eq!(first, "index 11");
        let (second, built) = take(&mut board);
        assert_eq!(second, "index 12");
        board.done(&failed.expect("a job"), false);
        board.done(&built.expect("a job"), true);
        let (third, constraint) = take(&mut board);
        assert_eq!(third, "constraint 12");
        board.done(&constraint.expect("a job"), false);
        assert_eq!(take(&mut board).0, "end");
    }
}
