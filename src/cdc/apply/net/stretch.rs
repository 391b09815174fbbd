//! The changes of one table, as what each of its rows comes to.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use foldhash::HashMap;

use crate::cdc::change::Operation;
use crate::cdc::sql_line::{Prepare, StatementId};

use super::gathered::{Content, Sets};
use super::statement::{as_known, set_parameter};
use super::{Action, Contradiction, Piece};
use crate::cdc::apply::block::Field;
use crate::cdc::apply::expect::Change;
use crate::cdc::apply::target_table::TargetTable;

/// A change with more bytes than this is written by itself: in an array its value would be held, and
/// escaped, a second time.
const LARGE: usize = 64 * 1024;

/// Room for so many keys is kept from one table to the next.
const ROOM: usize = 128;

/// Changes of one table between two that no set can say.
#[derive(Debug, Default)]
pub(super) struct Stretch<'a> {
    /// None if its rows are written one by one.
    table: Option<Arc<TargetTable>>,
    /// The columns that any of its statements has values for.
    columns: Vec<&'a str>,
    statements: Vec<Statement<'a>>,
    by_id: HashMap<StatementId, usize>,
    /// What identifies its rows, as its first keyed change says.
    key: Vec<&'a str>,
    /// The places of keyed rows among `rows`, of as many as are `indexed`: none as long as there are
    /// inserts alone, which no other change refers to. Two of one row are for the target to refuse.
    keyed: HashMap<Key<'a>, usize>,
    indexed: usize,
    rows: Vec<Row<'a>>,
}

/// What is known of a statement in its stretch.
#[derive(Debug)]
pub(super) struct Statement<'a> {
    id: StatementId,
    way: Way,
    /// The parameters that are written, each with its column's place among the stretch's; in the order
    /// of the latter.
    pub(super) written: Vec<(usize, usize)>,
    /// The parameters that identify the row, each with the one that sets this column, if one does.
    pub(super) key: &'a [usize],
    key_set: Vec<Option<usize>>,
}

/// How a statement's changes are reduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Not at all.
    None,
    /// Inserts of rows that nothing else in the stream refers to.
    Keyless,
    Keyed,
}

/// What identifies a row.
#[derive(Debug, Clone, Copy)]
struct Key<'a> {
    change: &'a Change,
    at: &'a [usize],
}

impl<'a> Key<'a> {
    fn values(self) -> impl Iterator<Item = Option<&'a [u8]>> {
        self.at.iter().map(move |at| self.change.values.get(*at))
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.values().eq(other.values())
    }
}

impl Eq for Key<'_> {}

impl Hash for Key<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.values().for_each(|value| value.hash(state));
    }
}

/// What a row's changes have come to so far.
#[derive(Debug)]
struct Row<'a> {
    /// The first of them, and its statement, by place.
    first: &'a Change,
    of: usize,
    fate: Fate,
    content: Content<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Insert,
    Update,
    Delete,
    /// A delete and an insert.
    Replace,
    /// An insert and a delete.
    Gone,
}

impl<'a> Stretch<'a> {
    /// What the changes of one table come to.
    pub(super) fn reduce(
        &mut self,
        table: Option<Arc<TargetTable>>,
        changes: &[&'a Change],
    ) -> Result<Vec<Piece<'a>>, Contradiction> {
        self.table = table;
        let mut pieces = Vec::new();
        for change in changes {
            if !self.take(change)? {
                self.close(&mut pieces);
                pieces.push(Piece::Row(change));
            }
        }
        self.close(&mut pieces);
        Ok(pieces)
    }

    /// Adds a change; false if no set can say it.
    fn take(&mut self, change: &'a Change) -> Result<bool, Contradiction> {
        if self.table.is_none() || change.values.bytes() > LARGE {
            return Ok(false);
        }
        let of = self.statement_of(&change.prepare);
        let statement = &self.statements[of];
        let key = Key {
            change,
            at: statement.key,
        };
        let op = change.prepare.shape.op;
        match statement.way {
            Way::None => return Ok(false),
            Way::Keyless => {
                self.add(change, of, Fate::Insert);
                return Ok(true);
            }
            Way::Keyed => {}
        }
        let moves = (key.at.iter().zip(&statement.key_set)).any(|(at, set)| {
            set.is_some_and(|set| change.values.get(set) != change.values.get(*at))
        });
        if moves || key.values().any(|value| value.is_none()) {
            return Ok(false);
        }
        if op == Operation::Insert && self.keyed.is_empty() {
            self.add(change, of, Fate::Insert);
            return Ok(true);
        }
        self.index()?;
        let Some(at) = self.keyed.get(&key).copied() else {
            let fate = match op {
                Operation::Insert => Fate::Insert,
                Operation::Update => Fate::Update,
                Operation::Delete => Fate::Delete,
            };
            self.keyed.insert(key, self.rows.len());
            self.add(change, of, fate);
            self.indexed = self.rows.len();
            return Ok(true);
        };
        let row = &mut self.rows[at];
        row.fate = match (row.fate, op) {
            (Fate::Insert | Fate::Update | Fate::Replace, Operation::Update) => {
                row.content
                    .merge(&self.statements, self.columns.len(), change, of);
                return Ok(true);
            }
            (Fate::Insert, Operation::Delete) => Fate::Gone,
            (Fate::Update | Fate::Replace, Operation::Delete) => Fate::Delete,
            (Fate::Delete, Operation::Insert) => Fate::Replace,
            (Fate::Gone, Operation::Insert) => Fate::Insert,
            (Fate::Insert | Fate::Update | Fate::Replace, Operation::Insert)
            | (Fate::Delete | Fate::Gone, Operation::Update | Operation::Delete) => {
                return Err(Contradiction);
            }
        };
        row.content = match op {
            Operation::Insert => Content::Of(change, of),
            Operation::Update | Operation::Delete => Content::Nothing,
        };
        Ok(true)
    }

    fn add(&mut self, change: &'a Change, of: usize, fate: Fate) {
        self.rows.push(Row {
            first: change,
            of,
            fate,
            content: match fate {
                Fate::Delete => Content::Nothing,
                _ => Content::Of(change, of),
            },
        });
    }

    /// Makes the rows found by their keys that were only added.
    fn index(&mut self) -> Result<(), Contradiction> {
        for at in self.indexed..self.rows.len() {
            let row = &self.rows[at];
            let statement = &self.statements[row.of];
            let key = Key {
                change: row.first,
                at: statement.key,
            };
            if statement.way == Way::Keyed && self.keyed.insert(key, at).is_some() {
                return Err(Contradiction);
            }
        }
        self.indexed = self.rows.len();
        Ok(())
    }

    fn statement_of(&mut self, prepare: &'a Prepare) -> usize {
        // Changes of one kind often come together.
        if let Some(last) = self.rows.last().map(|row| row.of)
            && self.statements[last].id == prepare.id
        {
            return last;
        }
        if let Some(known) = self.by_id.get(&prepare.id) {
            return *known;
        }
        let statement = self.statement(prepare);
        self.statements.push(statement);
        let of = self.statements.len() - 1;
        self.by_id.insert(prepare.id, of);
        of
    }

    fn statement(&mut self, prepare: &'a Prepare) -> Statement<'a> {
        let shape = &prepare.shape;
        let way = self.way(prepare);
        let set_by = |at: &usize| match shape.op {
            Operation::Update => set_parameter(shape, *at),
            Operation::Insert | Operation::Delete => None,
        };
        let key_set: Vec<_> = shape.key.iter().map(set_by).collect();
        let mut written: Vec<_> = (0..shape.columns.len())
            .filter(|at| match shape.op {
                Operation::Insert => true,
                Operation::Update => !shape.key.contains(at) && !key_set.contains(&Some(*at)),
                Operation::Delete => false,
            })
            .map(|at| (at, self.column(&shape.columns[at])))
            .collect();
        written.sort_by_key(|(_, column)| *column);
        Statement {
            id: prepare.id,
            way: match shape.op {
                // Nothing but the key, which stays as it is: only to be there.
                Operation::Update if written.is_empty() => Way::None,
                _ => way,
            },
            written,
            key: &shape.key,
            key_set,
        }
    }

    fn way(&mut self, prepare: &'a Prepare) -> Way {
        let Some(table) = &self.table else {
            return Way::None;
        };
        let shape = &prepare.shape;
        if as_known(shape).as_deref() != Some(&prepare.sql) {
            return Way::None;
        }
        if shape.key.is_empty() {
            return match shape.op {
                Operation::Insert => Way::Keyless,
                Operation::Update | Operation::Delete => Way::None,
            };
        }
        let key: Vec<&str> = shape.key.iter().map(|at| &*shape.columns[*at]).collect();
        // Rows are copied; what finds or changes them is sent as arrays.
        let fits = table.is_unique_within(&key)
            && match shape.op {
                Operation::Insert => key.iter().all(|name| table.has_array(name)),
                Operation::Update | Operation::Delete => {
                    shape.columns.iter().all(|name| table.has_array(name))
                }
            };
        if !fits || (!self.key.is_empty() && self.key != key) {
            return Way::None;
        }
        self.key = key;
        Way::Keyed
    }

    fn column(&mut self, name: &'a str) -> usize {
        let known = self.columns.iter().position(|known| *known == name);
        known.unwrap_or_else(|| {
            self.columns.push(name);
            self.columns.len() - 1
        })
    }

    /// Gives what has been gathered, and begins anew.
    fn close(&mut self, pieces: &mut Vec<Piece<'a>>) {
        let mut sets = Sets::new(&self.statements);
        for row in &self.rows {
            if let Fate::Delete | Fate::Replace | Fate::Gone = row.fate {
                let action = match row.fate {
                    Fate::Gone => Action::Miss,
                    _ => Action::Delete,
                };
                let alone =
                    row.fate == Fate::Delete && row.first.prepare.shape.op == Operation::Delete;
                sets.add(action, &Content::Nothing, (row.first, row.of), alone);
            }
            match row.fate {
                Fate::Insert => sets.add(Action::Insert, &row.content, (row.first, row.of), true),
                Fate::Update => sets.add(Action::Update, &row.content, (row.first, row.of), true),
                Fate::Replace => sets.add(Action::Insert, &row.content, (row.first, row.of), false),
                Fate::Delete | Fate::Gone => {}
            }
        }
        sets.give(&self.columns, pieces);
        self.rows.clear();
        // Clearing costs what it has room for, and the next table may have a row.
        match self.keyed.capacity() / 8 > self.keyed.len().max(ROOM) {
            true => self.keyed = HashMap::default(),
            false => self.keyed.clear(),
        }
        self.indexed = 0;
        self.key.clear();
        self.statements.clear();
        self.by_id.clear();
        self.columns.clear();
    }
}

impl<'a> Content<'a> {
    /// What an update sets, over what was there.
    fn merge(
        &mut self,
        statements: &[Statement<'a>],
        columns: usize,
        change: &'a Change,
        of: usize,
    ) {
        let put = |values: &mut Vec<Option<Field<'a>>>, change: &'a Change, of: usize| {
            values.resize(columns, None);
            for (at, column) in &statements[of].written {
                values[*column] = Some(change.values.field(*at));
            }
        };
        match self {
            Content::Merged(values) => put(values, change, of),
            Content::Of(before, of_before) => {
                let mut values = Vec::with_capacity(columns);
                put(&mut values, before, *of_before);
                put(&mut values, change, of);
                *self = Content::Merged(values);
            }
            Content::Nothing => *self = Content::Of(change, of),
        }
    }
}
