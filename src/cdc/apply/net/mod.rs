//! What a run of changes comes to: of each row of each table one change at most, and the changes of a
//! table as sets that one command can write.
//!
//! | a row's changes | come to |
//! |---|---|
//! | insert, then updates | one insert, of the last values; what an update leaves alone is the insert's |
//! | updates | one update of all columns that any of them sets, to the last values |
//! | updates, then delete | the delete |
//! | insert, updates, delete | nothing; but such a row must not have been there |
//! | delete, then insert | both, with the last values |
//!
//! Of a table deletes come first, then updates, then inserts: each row has one of them, so their order
//! matters to unique indexes alone, and then the target refuses and all is applied row by row.
//! Whatever sets cannot say stands between them as it is, in its order among the changes of its table:
//! updates of the key, tables without a key or with FULL identity, columns that are arrays, large
//! values. Tables do not wait for each other: foreign keys are not checked while applying. A TRUNCATE
//! waits for all, and all wait for it; so do changes of a table with triggers that fire on a replica,
//! which may look at any other.
//!
//! A row is known by its key as the source writes it. Texts that are equal by `=` and differ (1.0 and
//! 1.00) are two rows here, of which the source had one after the other: the first is deleted by the
//! time the second is inserted.

mod gathered;
mod statement;
mod stretch;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use foldhash::HashMap;

use crate::base::QualifiedName;
use crate::cdc::sql_line::StatementId;

use super::block::Field;
use super::expect::{Change, Emptied};
use super::target_table::TargetTable;

pub(super) use gathered::FEW;
pub(super) use statement::{as_known, set_parameter};
use stretch::Stretch;

/// One thing to do in the open target transaction, in the source's order.
#[derive(Debug)]
pub(super) enum Ready {
    /// A row's change.
    Row(Change),
    /// A TRUNCATE.
    Empty(Emptied),
}

/// The same, in an order in which it comes to the same.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    Row(&'a Change),
    Empty(&'a Emptied),
    Set(Set<'a>),
}

/// What is done to the rows of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Action {
    Delete,
    /// Nothing: they must not be there.
    Miss,
    Update,
    Insert,
}

/// Rows of one table that are written together.
#[derive(Debug)]
pub(super) struct Set<'a> {
    pub(super) action: Action,
    /// The change that its first row comes from.
    pub(super) first: &'a Change,
    /// What each row has values for; of an update what is set before what identifies the row.
    pub(super) columns: Vec<&'a str>,
    /// How many of the last columns identify the row; none of an insert.
    pub(super) keys: usize,
    /// Row by row.
    pub(super) values: Vec<Field<'a>>,
    pub(super) rows: usize,
}

/// Changes that do not follow from each other, such as two inserts of one row: each is to be applied
/// by itself, which finds out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Contradiction;

/// A table of the target.
#[derive(Debug, Clone)]
pub(super) enum Known {
    /// Its rows may be written together, if it takes that.
    Table(Arc<TargetTable>),
    /// It takes that, and its rows are to be written one by one all the same.
    ByRow,
    /// Nothing is known of it.
    Unknown,
}

/// What a batch comes to, a part at a time: the first is written while the others are still worked out.
#[derive(Debug)]
pub(super) struct Reduced<'a> {
    parts: std::vec::IntoIter<Part<'a>>,
    stretch: Stretch<'a>,
}

/// A part of a batch.
#[derive(Debug)]
enum Part<'a> {
    /// The changes of one table between two that all wait for, if its rows may be written together.
    Table(Option<Arc<TargetTable>>, Vec<&'a Change>),
    /// What all wait for.
    Alone(&'a Ready),
}

/// What `batch` comes to on a target with `table`s.
pub(super) fn reduce<'a>(
    batch: &'a [Ready],
    table: impl Fn(&QualifiedName) -> Known,
) -> Reduced<'a> {
    let mut parting = Parting::default();
    for ready in batch {
        match ready {
            Ready::Row(change) => parting.take(ready, change, &table),
            Ready::Empty(_) => parting.alone(ready),
        }
    }
    parting.close();
    Reduced {
        parts: parting.parts.into_iter(),
        stretch: Stretch::default(),
    }
}

impl<'a> Iterator for Reduced<'a> {
    type Item = Result<Vec<Piece<'a>>, Contradiction>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(match self.parts.next()? {
            Part::Alone(Ready::Row(change)) => Ok(vec![Piece::Row(change)]),
            Part::Alone(Ready::Empty(emptied)) => Ok(vec![Piece::Empty(emptied)]),
            Part::Table(table, changes) => self.stretch.reduce(table, &changes),
        })
    }
}

/// Changes on their way to their parts. Those of a table lie scattered in a batch, and what is known of
/// its rows is at hand if they are looked at together.
#[derive(Debug, Default)]
struct Parting<'a> {
    parts: Vec<Part<'a>>,
    groups: Vec<Group<'a>>,
    /// Of [`Parting::groups`], those that have changes.
    filled: Vec<usize>,
    by_table: HashMap<&'a QualifiedName, usize>,
    by_statement: HashMap<StatementId, usize>,
}

#[derive(Debug)]
struct Group<'a> {
    table: Option<Arc<TargetTable>>,
    /// Triggers or rules may fire for its rows.
    may_fire: bool,
    changes: Vec<&'a Change>,
}

impl<'a> Group<'a> {
    fn of(table: Known) -> Self {
        let (table, may_fire) = match table {
            Known::Table(table) if table.takes_sets => (Some(table), false),
            Known::ByRow => (None, false),
            Known::Table(_) | Known::Unknown => (None, true),
        };
        Self {
            table,
            may_fire,
            changes: Vec::new(),
        }
    }
}

impl<'a> Parting<'a> {
    fn take(
        &mut self,
        ready: &'a Ready,
        change: &'a Change,
        table: impl Fn(&QualifiedName) -> Known,
    ) {
        let at = match self.by_statement.get(&change.prepare.id) {
            Some(at) => *at,
            None => {
                let at = *self.by_table.entry(change.table()).or_insert_with(|| {
                    self.groups.push(Group::of(table(change.table())));
                    self.groups.len() - 1
                });
                self.by_statement.insert(change.prepare.id, at);
                at
            }
        };
        let group = &mut self.groups[at];
        // What fires for it may look at any table.
        if group.may_fire {
            return self.alone(ready);
        }
        if group.changes.is_empty() {
            self.filled.push(at);
        }
        group.changes.push(change);
    }

    fn alone(&mut self, ready: &'a Ready) {
        self.close();
        self.parts.push(Part::Alone(ready));
    }

    fn close(&mut self) {
        for at in self.filled.drain(..) {
            let group = &mut self.groups[at];
            let changes = std::mem::take(&mut group.changes);
            self.parts.push(Part::Table(group.table.clone(), changes));
        }
    }
}
