//! Rows of a table, put together to sets.

use foldhash::HashMap;

use super::stretch::Statement;
use super::{Action, Piece, Set};
use crate::cdc::apply::block::Field;
use crate::cdc::apply::expect::Change;

/// Fewer rows than this are not worth a command that writes several, whose plan and start cost as much as
/// some ten single ones: each is written as it came.
pub(in crate::cdc::apply) const FEW: usize = 16;

/// The values that a row gets.
#[derive(Debug)]
pub(super) enum Content<'a> {
    /// None.
    Nothing,
    /// Those of one change, of the statement at this place.
    Of(&'a Change, usize),
    /// Those of several, by the places of the stretch's columns.
    Merged(Vec<Option<Field<'a>>>),
}

/// The sets of a stretch, by what is done to which columns.
pub(super) struct Sets<'s, 'a> {
    statements: &'s [Statement<'a>],
    sets: Vec<Gathered<'a>>,
    by_columns: HashMap<(Action, Vec<usize>), usize>,
    /// Those of rows with one change, by its statement.
    by_statement: HashMap<(Action, usize), usize>,
}

struct Gathered<'a> {
    action: Action,
    columns: Vec<usize>,
    first: &'a Change,
    keys: Vec<&'a str>,
    values: Vec<Field<'a>>,
    rows: usize,
    /// The rows' only changes, as long as each row has but one.
    alone: Option<Vec<&'a Change>>,
}

impl<'s, 'a> Sets<'s, 'a> {
    pub(super) fn new(statements: &'s [Statement<'a>]) -> Self {
        Self {
            statements,
            sets: Vec::new(),
            by_columns: HashMap::default(),
            by_statement: HashMap::default(),
        }
    }

    /// Adds a row that gets `content`, and is known by its first change, of the statement at that place.
    /// It is `alone` if its only change says just this.
    pub(super) fn add(
        &mut self,
        action: Action,
        content: &Content<'a>,
        (first, of): (&'a Change, usize),
        alone: bool,
    ) {
        let statements = self.statements;
        let key = statements[of].key;
        let at = match content {
            Content::Nothing => self.like((action, of), |_| Vec::new(), first, key),
            Content::Of(_, of) => {
                let columns = |known: &Statement<'_>| {
                    known.written.iter().map(|(_, column)| *column).collect()
                };
                self.like((action, *of), columns, first, key)
            }
            Content::Merged(values) => {
                let set = values
                    .iter()
                    .enumerate()
                    .filter(|(_, value)| value.is_some());
                let columns = set.map(|(column, _)| column).collect();
                self.with(action, columns, first, key)
            }
        };
        let set = &mut self.sets[at];
        match content {
            Content::Nothing => {}
            Content::Of(change, of) => {
                let written = statements[*of].written.iter();
                set.values
                    .extend(written.map(|(at, _)| change.values.field(*at)));
            }
            Content::Merged(values) => set.values.extend(values.iter().flatten()),
        }
        if action != Action::Insert {
            set.values
                .extend(key.iter().map(|at| first.values.field(*at)));
        }
        set.rows += 1;
        let only = match content {
            Content::Of(change, _) => Some(*change),
            Content::Nothing => Some(first),
            Content::Merged(_) => None,
        };
        match (&mut set.alone, only) {
            (Some(all), Some(change)) if alone && all.len() < FEW => all.push(change),
            _ => set.alone = None,
        }
    }

    /// The set of the rows whose values are those of one statement.
    fn like(
        &mut self,
        which: (Action, usize),
        columns: impl Fn(&Statement<'a>) -> Vec<usize>,
        first: &'a Change,
        key: &'a [usize],
    ) -> usize {
        if let Some(at) = self.by_statement.get(&which) {
            return *at;
        }
        let (action, of) = which;
        let at = self.with(action, columns(&self.statements[of]), first, key);
        self.by_statement.insert(which, at);
        at
    }

    fn with(
        &mut self,
        action: Action,
        columns: Vec<usize>,
        first: &'a Change,
        key: &'a [usize],
    ) -> usize {
        if let Some(at) = self.by_columns.get(&(action, columns.clone())) {
            return *at;
        }
        let names = &first.prepare.shape.columns;
        self.sets.push(Gathered {
            action,
            columns: columns.clone(),
            first,
            keys: match action {
                Action::Insert => Vec::new(),
                _ => key.iter().map(|at| &*names[*at]).collect(),
            },
            values: Vec::new(),
            rows: 0,
            alone: Some(Vec::new()),
        });
        let at = self.sets.len() - 1;
        self.by_columns.insert((action, columns), at);
        at
    }

    pub(super) fn give(mut self, names: &[&'a str], pieces: &mut Vec<Piece<'a>>) {
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
