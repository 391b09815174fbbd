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
//! values, tables with triggers that fire on a replica. Tables do not wait for each other: foreign keys
//! are not checked while applying. A TRUNCATE waits for all, and all wait for it.
//!
//! A row is known by its key as the source writes it. Texts that are equal by `=` and differ (1.0 and
//! 1.00) are two rows here, of which the source had one after the other: the first is deleted by the
//! time the second is inserted.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::base::QualifiedName;
use crate::cdc::change::{Operation, Value};
use crate::cdc::sql_line::{Prepare, Shape, StatementId, ident};

use super::expect::{Change, Emptied};
use super::target_table::TargetTable;

/// Fewer rows than this are not worth a command that writes several: each is written as it came.
const FEW: usize = 4;

/// A change with more bytes than this is written by itself: in an array its value would be held, and
/// escaped, a second time.
const LARGE: usize = 64 * 1024;

/// One thing to do in the open target transaction, in the source's order.
#[derive(Debug)]
pub(super) enum Ready {
    /// A row's change.
    Row(Arc<Change>),
    /// A TRUNCATE.
    Empty(Emptied),
}

/// The same, in an order in which it comes to the same.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    Row(&'a Arc<Change>),
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
    pub(super) first: &'a Arc<Change>,
    /// What each row has values for; of an update what is set before what identifies the row.
    pub(super) columns: Vec<&'a str>,
    /// How many of the last columns identify the row; none of an insert.
    pub(super) keys: usize,
    /// Row by row.
    pub(super) values: Vec<&'a Value>,
    pub(super) rows: usize,
}

/// Changes that do not follow from each other, such as two inserts of one row: each is to be applied
/// by itself, which finds out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Contradiction;

/// What `batch` comes to on a target with `table`s.
pub(super) fn reduce<'a>(
    batch: &'a [Ready],
    table: impl Fn(&QualifiedName) -> Option<Arc<TargetTable>>,
) -> Result<Vec<Piece<'a>>, Contradiction> {
    let mut pieces = Vec::new();
    let mut stretches: Vec<Stretch<'a>> = Vec::new();
    let mut by_table: HashMap<&QualifiedName, usize> = HashMap::new();
    for ready in batch {
        match ready {
            Ready::Row(change) => {
                let at = *by_table.entry(change.table()).or_insert_with(|| {
                    stretches.push(Stretch::of(table(change.table())));
                    stretches.len() - 1
                });
                let stretch = &mut stretches[at];
                if !stretch.take(change)? {
                    stretch.close(&mut pieces);
                    pieces.push(Piece::Row(change));
                }
            }
            Ready::Empty(emptied) => {
                for stretch in &mut stretches {
                    stretch.close(&mut pieces);
                }
                pieces.push(Piece::Empty(emptied));
            }
        }
    }
    for stretch in &mut stretches {
        stretch.close(&mut pieces);
    }
    Ok(pieces)
}

/// Changes of one table between two that no set can say.
#[derive(Debug)]
struct Stretch<'a> {
    table: Option<Arc<TargetTable>>,
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
struct Key<'a> {
    values: &'a [Value],
    at: &'a [usize],
}

impl<'a> Key<'a> {
    fn values(self) -> impl Iterator<Item = &'a Value> {
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
    fn of(table: Option<Arc<TargetTable>>) -> Self {
        Self {
            table: table.filter(|table| table.takes_sets),
            columns: Vec::new(),
            statements: HashMap::new(),
            key: Vec::new(),
            keyed: HashMap::new(),
            rows: Vec::new(),
        }
    }

    /// Adds a change; false if no set can say it.
    fn take(&mut self, change: &'a Arc<Change>) -> Result<bool, Contradiction> {
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
    fn close(&mut self, pieces: &mut Vec<Piece<'a>>) {
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
                sets.add(action, &[], alone, &row, key);
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
            sets.add(action, &written, alone, &row, key);
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

/// The sets of a stretch, by what is done to which columns.
#[derive(Default)]
struct Sets<'a> {
    sets: Vec<Gathered<'a>>,
    by_columns: HashMap<(Action, Vec<usize>), usize>,
}

struct Gathered<'a> {
    action: Action,
    columns: Vec<usize>,
    first: &'a Arc<Change>,
    keys: Vec<&'a str>,
    values: Vec<&'a Value>,
    rows: usize,
    /// The rows' only changes, as long as each row has but one.
    alone: Option<Vec<&'a Arc<Change>>>,
}

impl<'a> Sets<'a> {
    fn add(
        &mut self,
        action: Action,
        written: &[(usize, &'a Value)],
        alone: Option<&'a Arc<Change>>,
        row: &Row<'a>,
        key: Key<'a>,
    ) {
        let columns: Vec<usize> = written.iter().map(|(column, _)| *column).collect();
        let first = row.first;
        let at = match self.by_columns.get(&(action, columns.clone())) {
            Some(at) => *at,
            None => {
                let shape = &first.prepare.shape;
                let keys = match action {
                    Action::Insert => Vec::new(),
                    _ => key.at.iter().map(|at| &*shape.columns[*at]).collect(),
                };
                self.sets.push(Gathered {
                    action,
                    columns: columns.clone(),
                    first,
                    keys,
                    values: Vec::new(),
                    rows: 0,
                    alone: Some(Vec::new()),
                });
                self.by_columns
                    .insert((action, columns), self.sets.len() - 1);
                self.sets.len() - 1
            }
        };
        let set = &mut self.sets[at];
        set.values.extend(written.iter().map(|(_, value)| *value));
        if action != Action::Insert {
            set.values.extend(key.values());
        }
        set.rows += 1;
        match (&mut set.alone, alone) {
            (Some(all), Some(change)) if all.len() < FEW => all.push(change),
            _ => set.alone = None,
        }
    }

    fn give(mut self, names: &[&'a str], pieces: &mut Vec<Piece<'a>>) {
        const ORDER: [Action; 4] = [Action::Delete, Action::Miss, Action::Update, Action::Insert];
        self.sets
            .sort_by_key(|set| ORDER.iter().position(|action| *action == set.action));
        for set in self.sets {
            match set.alone {
                Some(changes) if set.rows < FEW => {
                    pieces.extend(changes.into_iter().map(Piece::Row));
                }
                _ => {
                    let written = set.columns.iter().map(|column| names[*column]);
                    pieces.push(Piece::Set(Set {
                        action: set.action,
                        first: set.first,
                        columns: written.chain(set.keys.iter().copied()).collect(),
                        keys: set.keys.len(),
                        values: set.values,
                        rows: set.rows,
                    }));
                }
            }
        }
    }
}

/// The parameter that sets the key column of parameter `at`, if one does.
fn set_parameter(shape: &Shape, at: usize) -> Option<usize> {
    (0..shape.columns.len())
        .find(|other| !shape.key.contains(other) && shape.columns[*other] == shape.columns[at])
}

/// The statement that means what a set of such changes means: its parameters are written, or identify
/// the row by `=`, and nothing else is said.
fn as_known(shape: &Shape) -> Option<String> {
    let table = format!("{}.{}", ident(&shape.schema), ident(&shape.table));
    let equals = |at: usize| format!("{} = ${}", ident(&shape.columns[at]), at + 1);
    let found = || {
        let conditions: Vec<_> = shape.key.iter().map(|at| equals(*at)).collect();
        conditions.join(" AND ")
    };
    let all = 0..shape.columns.len();
    Some(match shape.op {
        _ if shape.columns.is_empty() => return None,
        Operation::Insert => {
            let names: Vec<_> = shape.columns.iter().map(|name| ident(name)).collect();
            let values: Vec<_> = all.map(|at| format!("${}", at + 1)).collect();
            format!(
                "INSERT INTO {table} ({}) OVERRIDING SYSTEM VALUE VALUES ({})",
                names.join(", "),
                values.join(", ")
            )
        }
        Operation::Update => {
            let set: Vec<_> = all
                .filter(|at| !shape.key.contains(at))
                .map(equals)
                .collect();
            format!(
                "UPDATE ONLY {table} SET {} WHERE {}",
                set.join(", "),
                found()
            )
        }
        Operation::Delete => format!("DELETE FROM ONLY {table} WHERE {}", found()),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::expect::Emptying;
    use super::super::place::Place;
    use super::*;
    use crate::base::Lsn;
    use crate::cdc::change::{Begin, Identity};
    use crate::cdc::sql_line::TruncateLine;

    /// Rows by their keys.
    type Model = BTreeMap<String, BTreeMap<String, Option<String>>>;

    /// What happens to a row; keys and values are small so that changes meet.
    #[derive(Debug, Clone)]
    enum Act {
        Insert(u8, [u8; 2]),
        /// Sets one or both of the other columns.
        Update(u8, [Option<u8>; 2]),
        Move(u8, u8),
        Delete(u8),
        Truncate,
    }

    fn act() -> impl Strategy<Value = Act> {
        let key = 0..6u8;
        prop_oneof![
            4 => (key.clone(), any::<[u8; 2]>()).prop_map(|(key, values)| Act::Insert(key, values)),
            6 => (key.clone(), any::<[Option<u8>; 2]>()).prop_map(|(key, set)| Act::Update(key, set)),
            4 => key.clone().prop_map(Act::Delete),
            1 => (key.clone(), key).prop_map(|(from, to)| Act::Move(from, to)),
            1 => Just(Act::Truncate),
        ]
    }

    fn change(op: Operation, columns: &[(&str, bool, Option<String>)]) -> Arc<Change> {
        let shape = Shape {
            op,
            schema: "public".into(),
            table: "t".into(),
            identity: Identity::Default,
            columns: columns
                .iter()
                .map(|(name, ..)| (*name).to_owned())
                .collect(),
            types: columns.iter().map(|_| "text".to_owned()).collect(),
            modifiers: columns.iter().map(|_| -1).collect(),
            key: (0..columns.len()).filter(|at| columns[*at].1).collect(),
        };
        let value = |(_, _, value): &(&str, bool, Option<String>)| match value {
            Some(text) => Value::Text(text.clone()),
            None => Value::Null,
        };
        let sql = as_known(&shape).expect("columns");
        Arc::new(Change {
            prepare: Arc::new(Prepare::new(sql, shape)),
            values: columns.iter().map(value).collect(),
            bytes: 1,
            begin: begin(),
            place: Place::Line(std::path::Path::new("t").into(), 1),
        })
    }

    fn begin() -> Arc<Begin> {
        Arc::new(Begin {
            xid: 1,
            lsn: Lsn::new(1),
            commit_lsn: None,
            timestamp: None,
        })
    }

    /// The change that `act` makes, if there is or is not such a row as it takes, and what it does.
    fn done(act: &Act, model: &mut Model) -> Option<Ready> {
        // One value in four is null.
        let shown = |value: u8| (!value.is_multiple_of(4)).then(|| value.to_string());
        let name = |at: usize| ["a", "b"][at];
        Some(match act {
            Act::Insert(key, values) => {
                let key = key.to_string();
                if model.contains_key(&key) {
                    return None;
                }
                let row = (0..2).map(|at| (name(at).to_owned(), shown(values[at])));
                model.insert(key.clone(), row.collect());
                let key = ("id", true, Some(key));
                let values = (0..2).map(|at| (name(at), false, shown(values[at])));
                let columns: Vec<_> = [key].into_iter().chain(values).collect();
                Ready::Row(change(Operation::Insert, &columns))
            }
            Act::Update(key, set) => {
                let key = key.to_string();
                let row = model.get_mut(&key)?;
                let set: Vec<_> = (0..2).filter_map(|at| Some((name(at), set[at]?))).collect();
                if set.is_empty() {
                    return None;
                }
                for (name, value) in &set {
                    row.insert((*name).to_owned(), shown(*value));
                }
                let set = set
                    .into_iter()
                    .map(|(name, value)| (name, false, shown(value)));
                let columns: Vec<_> = set.chain([("id", true, Some(key))]).collect();
                Ready::Row(change(Operation::Update, &columns))
            }
            Act::Move(from, to) => {
                let (from, to) = (from.to_string(), to.to_string());
                if from != to && model.contains_key(&to) {
                    return None;
                }
                let row = model.remove(&from)?;
                model.insert(to.clone(), row);
                let columns = [("id", false, Some(to)), ("id", true, Some(from))];
                Ready::Row(change(Operation::Update, &columns))
            }
            Act::Delete(key) => {
                let key = key.to_string();
                model.remove(&key)?;
                Ready::Row(change(Operation::Delete, &[("id", true, Some(key))]))
            }
            Act::Truncate => {
                model.clear();
                let line = TruncateLine {
                    rels: vec![("public".into(), "t".into())],
                    cascade: false,
                    restart_identity: false,
                };
                Ready::Empty(Emptied {
                    emptying: Arc::new(Emptying {
                        line: line.clone(),
                        begin: begin(),
                        place: Place::Line(std::path::Path::new("t").into(), 1),
                    }),
                    line,
                    partly: vec![],
                })
            }
        })
    }

    fn text(value: &Value) -> Option<String> {
        value
            .as_bytes()
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// Does to `model` what one command does: each row must be as it expects.
    fn write(model: &mut Model, action: Action, columns: &[&str], keys: usize, row: &[&Value]) {
        let (set, key) = columns.split_at(columns.len() - keys);
        let old = (keys > 0).then(|| text(row[columns.len() - 1]).expect("a key"));
        assert!(keys <= 1 && key.iter().all(|name| *name == "id"));
        match (action, old) {
            (Action::Delete, Some(old)) => assert!(model.remove(&old).is_some(), "{old} deleted"),
            (Action::Miss, Some(old)) => assert!(!model.contains_key(&old), "{old} missed"),
            (Action::Update, Some(old)) => {
                let mut content = model.remove(&old).expect("a row to update");
                let mut new = old;
                for (name, value) in set.iter().zip(row) {
                    match *name {
                        "id" => new = text(value).expect("a key"),
                        name => drop(content.insert(name.to_owned(), text(value))),
                    }
                }
                assert!(model.insert(new, content).is_none());
            }
            (Action::Insert, _) => {
                let mut content: BTreeMap<_, _> = (columns.iter().zip(row))
                    .map(|(name, value)| ((*name).to_owned(), text(value)))
                    .collect();
                let key = content.remove("id").flatten().expect("a key");
                assert!(
                    model.insert(key.clone(), content).is_none(),
                    "{key} inserted"
                );
            }
            other => panic!("{other:?}"),
        }
    }

    fn write_row(model: &mut Model, change: &Change) {
        let shape = &change.prepare.shape;
        let action = match shape.op {
            Operation::Insert => Action::Insert,
            Operation::Update => Action::Update,
            Operation::Delete => Action::Delete,
        };
        let keys = match action {
            Action::Insert => 0,
            _ => shape.key.len(),
        };
        let columns: Vec<&str> = shape.columns.iter().map(String::as_str).collect();
        let values: Vec<&Value> = change.values.iter().collect();
        write(model, action, &columns, keys, &values);
    }

    fn written(model: &mut Model, pieces: &[Piece<'_>]) {
        for piece in pieces {
            match piece {
                Piece::Row(change) => write_row(model, change),
                Piece::Empty(_) => model.clear(),
                Piece::Set(set) => {
                    assert_eq!(set.values.len(), set.rows * set.columns.len());
                    for row in set.values.chunks(set.columns.len()) {
                        write(model, set.action, &set.columns, set.keys, row);
                    }
                }
            }
        }
    }

    fn table() -> Arc<TargetTable> {
        Arc::new(TargetTable::with_key(&["id"], &["a", "b"]))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn what_changes_come_to_is_what_they_do_one_by_one(
            before in proptest::collection::vec(act(), 0..8),
            acts in proptest::collection::vec(act(), 0..60),
        ) {
            let mut source = Model::new();
            for act in &before {
                let _ = done(act, &mut source);
            }
            let mut target = source.clone();
            let batch: Vec<_> = acts.iter().filter_map(|act| done(act, &mut source)).collect();
            let pieces = reduce(&batch, |_| Some(table())).expect("they follow from each other");
            written(&mut target, &pieces);
            prop_assert_eq!(source, target);
        }
    }

    fn inserted(key: &str) -> Ready {
        let columns = [("id", true, Some(key.to_owned())), ("a", false, None)];
        Ready::Row(change(Operation::Insert, &columns))
    }

    fn updated(key: &str, value: &str) -> Ready {
        let value = ("a", false, Some(value.to_owned()));
        Ready::Row(change(
            Operation::Update,
            &[value, ("id", true, Some(key.to_owned()))],
        ))
    }

    fn deleted(key: &str) -> Ready {
        Ready::Row(change(
            Operation::Delete,
            &[("id", true, Some(key.to_owned()))],
        ))
    }

    #[test]
    fn a_row_that_is_changed_often_is_written_once() {
        let batch: Vec<_> = (0..1000).map(|n| updated("1", &n.to_string())).collect();
        let pieces = reduce(&batch, |_| Some(table())).expect("they follow");
        let [Piece::Set(set)] = &pieces[..] else {
            panic!("{pieces:?}");
        };
        let last = [Value::Text("999".into()), Value::Text("1".into())];
        assert_eq!(set.values, last.iter().collect::<Vec<_>>());
    }

    #[test]
    fn few_rows_are_written_as_they_came_and_without_a_fitting_table_all_are() {
        let batch: Vec<_> = ["1", "2", "3"].map(inserted).into_iter().collect();
        let pieces = reduce(&batch, |_| Some(table())).expect("they follow");
        assert!(pieces.iter().all(|piece| matches!(piece, Piece::Row(_))));
        let batch: Vec<_> = (0..100).map(|n| inserted(&n.to_string())).collect();
        let rows = |table: Option<TargetTable>| {
            let table = table.map(Arc::new);
            let pieces = reduce(&batch, |_| table.clone()).expect("they follow");
            pieces
                .iter()
                .filter(|piece| matches!(piece, Piece::Row(_)))
                .count()
        };
        assert_eq!(rows(None), 100);
        assert_eq!(
            rows(Some(TargetTable::with_key(&["other"], &["id", "a"]))),
            100
        );
        assert_eq!(rows(Some(TargetTable::with_key(&["id"], &["a"]))), 0);
    }

    #[test]
    fn a_statement_that_says_more_is_run_as_it_is() {
        let plain = updated("1", "2");
        let Ready::Row(plain) = &plain else { panic!() };
        let shape = plain.prepare.shape.clone();
        let sql = format!("{} AND \"s\" = 1", plain.prepare.sql);
        let odd = Arc::new(Change {
            prepare: Arc::new(Prepare::new(sql, shape)),
            values: plain.values.clone(),
            bytes: 1,
            begin: begin(),
            place: plain.place.clone(),
        });
        let batch: Vec<_> = (0..10).map(|_| Ready::Row(Arc::clone(&odd))).collect();
        let pieces = reduce(&batch, |_| Some(table())).expect("they follow");
        assert_eq!(pieces.len(), 10);
    }

    #[test]
    fn what_cannot_have_happened_is_left_to_the_target_to_refuse() {
        for batch in [
            [inserted("1"), inserted("1")],
            [deleted("1"), deleted("1")],
            [deleted("1"), updated("1", "2")],
        ] {
            assert_eq!(reduce(&batch, |_| Some(table())).err(), Some(Contradiction));
        }
    }
}
