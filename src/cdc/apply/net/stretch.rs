//! The changes of one table, as what each of its rows comes to.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::cdc::change::{Operation, Value};
use crate::cdc::sql_line::{Prepare, StatementId};

use super::gathered::Sets;
use super::statement::{as_known, set_parameter};
use super::{Action, Contradiction, Known, Piece};
use crate::cdc::apply::expect::Change;
use crate::cdc::apply::target_table::TargetTable;

/// A change with more bytes than this is written by itself: in an array its value would be held, and
/// escaped, a second time.
const LARGE: usize = 64 * 1024;

/// Changes of one table between two that no set can say.
#[derive(Debug)]
pub(super) struct Stretch<'a> {
    table: Option<Arc<TargetTable>>,
    may_fire: bool,
    /// The columns that any of its statements has values for.
    columns: Vec<&'a str>,
    statements: HashMap<StatementId, Statement<'a>>,
    /// What identifies its rows, as its first keyed change says.
    key: Vec<&'a str>,
    /// The places of keyed rows among `rows`.
    keyed: HashMap<Key<'a>, usize>,
    rows: Vec<Row<'a>>,
}

/// What is known of a statement in its stretch.
#[derive(Debug)]
struct Statement<'a> {
    way: Way,
    /// The parameters that are written, each with its column's place among the stretch's; in the order
    /// of the latter.
    written: Vec<(usize, usize)>,
    /// The parameters that identify the row, each with the one that sets this column, if one does.
    key: &'a [usize],
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
pub(super) struct Key<'a> {
    pub(super) values: &'a [Value],
    pub(super) at: &'a [usize],
}

impl<'a> Key<'a> {
    pub(super) fn values(self) -> impl Iterator<Item = &'a Value> {
        self.at.iter().map(move |at| &self.values[*at])
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
        for value in self.values() {
            value.as_bytes().hash(state);
        }
    }
}

/// What a row's changes have come to so far.
#[derive(Debug)]
struct Row<'a> {
    /// The first of them.
    first: &'a Arc<Change>,
    /// None of rows that have no key.
    key: Option<Key<'a>>,
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

/// The values that a row gets.
#[derive(Debug)]
enum Content<'a> {
    /// None.
    Nothing,
    /// Those of one change.
    Of(&'a Arc<Change>),
    /// Those of several, by the places of the stretch's columns.
    Merged(Vec<Option<&'a Value>>),
}

impl<'a> Stretch<'a> {
    pub(super) fn of(table: Known) -> Self {
        let (table, may_fire) = match table {
            Known::Table(table) if table.takes_sets => (Some(table), false),
            Known::ByRow => (None, false),
            Known::Table(_) | Known::Unknown => (None, true),
        };
        Self {
            table,
            may_fire,
            columns: Vec::new(),
            statements: HashMap::new(),
            key: Vec::new(),
            keyed: HashMap::new(),
            rows: Vec::new(),
        }
    }

    /// Whether triggers or rules may fire for its rows.
    pub(super) fn may_fire(&self) -> bool {
        self.may_fire
    }

    /// Adds a change; false if no set can say it.
    pub(super) fn take(&mut self, change: &'a Arc<Change>) -> Result<bool, Contradiction> {
        if self.table.is_none() || change.bytes > LARGE {
            return Ok(false);
        }
        let id = change.prepare.id;
        if !self.statements.contains_key(&id) {
            let statement = self.statement(&change.prepare);
            self.statements.insert(id, statement);
        }
        let Some(statement) = self.statements.get(&id) else {
            return Ok(false);
        };
        let key = Key {
            values: &change.values,
            at: statement.key,
        };
        match statement.way {
            Way::None => return Ok(false),
            Way::Keyless => {
                self.rows.push(Row {
                    first: change,
                    key: None,
                    fate: Fate::Insert,
                    content: Content::Of(change),
                });
                return Ok(true);
            }
            Way::Keyed => {}
        }
        let moves = (key.at.iter().zip(&statement.key_set))
            .any(|(at, set)| set.is_some_and(|set| change.values[set] != change.values[*at]));
        if moves || !key.values().all(|value| matches!(value, Value::Text(_))) {
            return Ok(false);
        }
        let op = change.prepare.shape.op;
        let Some(at) = self.keyed.get(&key).copied() else {
            self.keyed.insert(key, self.rows.len());
            let (fate, content) = match op {
                Operation::Insert => (Fate::Insert, Content::Of(change)),
                Operation::Update => (Fate::Update, Content::Of(change)),
                Operation::Delete => (Fate::Delete, Content::Nothing),
            };
            self.rows.push(Row {
                first: change,
                key: Some(key),
                fate,
                content,
            });
            return Ok(true);
        };
        let row = &mut self.rows[at];
        row.fate = match (row.fate, op) {
            (Fate::Insert | Fate::Update | Fate::Replace, Operation::Update) => {
                merge(
                    &mut row.content,
                    &self.statements,
                    self.columns.len(),
                    change,
                );
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
            Operation::Insert => Content::Of(change),
            Operation::Update | Operation::Delete => Content::Nothing,
        };
        Ok(true)
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
    pub(super) fn close(&mut self, pieces: &mut Vec<Piece<'a>>) {
        let rows = std::mem::take(&mut self.rows);
        self.keyed.clear();
        self.key.clear();
        let mut sets = Sets::default();
        for row in rows {
            if let (Fate::Delete | Fate::Replace | Fate::Gone, Some(key)) = (row.fate, row.key) {
                let action = match row.fate {
                    Fate::Gone => Action::Miss,
                    _ => Action::Delete,
                };
                let alone = (row.fate == Fate::Delete
                    && row.first.prepare.shape.op == Operation::Delete)
                    .then_some(row.first);
                sets.add(action, &[], alone, row.first, key);
            }
            let action = match row.fate {
                Fate::Insert | Fate::Replace => Action::Insert,
                Fate::Update => Action::Update,
                Fate::Delete | Fate::Gone => continue,
            };
            let written: Vec<(usize, &Value)> = match &row.content {
                Content::Nothing => continue,
                Content::Of(change) => {
                    let statement = self.statements.get(&change.prepare.id);
                    let written = statement.into_iter().flat_map(|known| &known.written);
                    written
                        .map(|(at, column)| (*column, &change.values[*at]))
                        .collect()
                }
                Content::Merged(values) => (values.iter().enumerate())
                    .filter_map(|(column, value)| Some((column, (*value)?)))
                    .collect(),
            };
            let alone = match (&row.content, row.fate) {
                (Content::Of(change), Fate::Insert | Fate::Update) => Some(*change),
                _ => None,
            };
            let key = row.key.unwrap_or(Key {
                values: &[],
                at: &[],
            });
            sets.add(action, &written, alone, row.first, key);
        }
        sets.give(&self.columns, pieces);
        self.statements.clear();
        self.columns.clear();
    }
}

/// What an update sets, over what was there.
fn merge<'a>(
    content: &mut Content<'a>,
    statements: &HashMap<StatementId, Statement<'a>>,
    columns: usize,
    change: &'a Change,
) {
    let put = |values: &mut Vec<Option<&'a Value>>, change: &'a Change| {
        values.resize(columns, None);
        let statement = statements.get(&change.prepare.id);
        for (at, column) in statement.into_iter().flat_map(|known| &known.written) {
            values[*column] = Some(&change.values[*at]);
        }
    };
    let mut values = match std::mem::replace(content, Content::Nothing) {
        Content::Merged(values) => values,
        Content::Of(before) => {
            let mut values = Vec::with_capacity(columns);
            put(&mut values, before);
            values
        }
        Content::Nothing => Vec::new(),
    };
    put(&mut values, change);
    *content = Content::Merged(values);
}
