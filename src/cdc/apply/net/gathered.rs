//! Rows of a table, put together to sets.

use std::collections::HashMap;
use std::sync::Arc;

use crate::cdc::change::Value;

use super::stretch::Key;
use super::{Action, Piece, Set};
use crate::cdc::apply::expect::Change;

/// Fewer rows than this are not worth a command that writes several: each is written as it came.
const FEW: usize = 4;

/// The sets of a stretch, by what is done to which columns.
#[derive(Default)]
pub(super) struct Sets<'a> {
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
    pub(super) fn add(
        &mut self,
        action: Action,
        written: &[(usize, &'a Value)],
        alone: Option<&'a Arc<Change>>,
        first: &'a Arc<Change>,
        key: Key<'a>,
    ) {
        let columns: Vec<usize> = written.iter().map(|(column, _)| *column).collect();
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
