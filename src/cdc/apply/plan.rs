//! What is run on the target for one statement of a segment, and what its answers may be.
//!
//! | `--on-conflict` | INSERT | UPDATE | DELETE |
//! |---|---|---|---|
//! | `stop` | as written, one row | as written, one row | as written, one row |
//! | `skip` | `ON CONFLICT DO NOTHING`; none: noted | none: noted | none: noted |
//! | `overwrite` | after a DELETE of the row that has the key, if any: noted | after a DELETE of another row that has the new key, if any: noted; none: an INSERT of the whole row, noted | none: noted |
//!
//! More than one row is always an error. `overwrite` needs a key (not FULL), and for the INSERT
//! behind an UPDATE every column, which a stream without an untouched TOAST value does not carry:
//! where they are missing, a row that is not there is an error. A conflict with another unique
//! index than the identity stops with `overwrite`, and with `skip` in an UPDATE: either way another
//! row than the one that changed would be concerned.
//!
//! A table that is partitioned here is written without ONLY: its rows are in its partitions.

use crate::cdc::change::{Identity, Operation};
use crate::cdc::sql_line::{Prepare, Shape, ident};

use super::target_table::TargetTable;

/// What to do with a change that finds the target otherwise than the source was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// Stop with an error.
    #[default]
    Stop,
    /// Leave the target as it is; count and log it.
    Skip,
    /// Make the target's row what the source's is; count and log it.
    Overwrite,
}

/// What the number of rows that a step touched means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Exactly one.
    One,
    /// One, or none, which is noted so.
    OneOrNote(&'static str),
    /// None, or one, which is noted so.
    NoneOrNote(&'static str),
    /// None if the step before touched one, one if it touched none.
    WhatIsLeft,
}

/// One statement to run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Its name on the server.
    pub(super) name: String,
    pub(super) sql: String,
    /// Which of the change's values are its parameters, in order; none means all.
    pub(super) parameters: Option<Vec<usize>>,
    pub(super) answer: Answer,
}

/// The statements to run for each use of `prepare`.
pub(super) fn plan(prepare: &Prepare, table: &TargetTable, policy: OnConflict) -> Vec<Step> {
    let shape = &prepare.shape;
    let mut as_written = Step {
        name: prepare.id.to_string(),
        sql: on_this_table(prepare, table),
        parameters: None,
        answer: Answer::One,
    };
    let keyed = matches!(shape.identity, Identity::Default | Identity::Index);
    let has_key = keyed && !shape.key.is_empty();
    match (policy, shape.op) {
        (OnConflict::Stop, _) => vec![as_written],
        (OnConflict::Skip, Operation::Insert) => {
            as_written.sql.push_str(" ON CONFLICT DO NOTHING");
            as_written.answer =
                Answer::OneOrNote("such a row is there already; it is left as it is");
            vec![as_written]
        }
        (OnConflict::Skip, Operation::Update) => {
            as_written.answer = Answer::OneOrNote("there is no such row; skipped");
            vec![as_written]
        }
        (_, Operation::Delete) => {
            as_written.answer = Answer::OneOrNote("there is no such row");
            vec![as_written]
        }
        (OnConflict::Overwrite, Operation::Insert) if has_key => {
            let mut replaced = Text::new(prepare, "d", table);
            replaced.sql = format!("DELETE FROM {}", replaced.table);
            replaced.where_key(shape, Key::Old);
            let note = "the row that was there is replaced";
            vec![replaced.step(Answer::NoneOrNote(note)), as_written]
        }
        (OnConflict::Overwrite, Operation::Update) if has_key => {
            let mut steps = Vec::new();
            if (shape.key.iter()).any(|at| set_parameter(shape, *at).is_some()) {
                let mut replaced = Text::new(prepare, "d", table);
                replaced.sql = format!("DELETE FROM {}", replaced.table);
                replaced.where_key(shape, Key::New);
                replaced.sql.push_str(" AND NOT (");
                replaced.key(shape, Key::Old);
                replaced.sql.push(')');
                let note = "the row that had the new key is replaced";
                steps.push(replaced.step(Answer::NoneOrNote(note)));
            }
            if table.is_covered_by(&shape.columns) {
                as_written.answer = Answer::OneOrNote("there was no such row; it is inserted");
                steps.push(as_written);
                steps.push(insert_if_missing(prepare, table));
            } else {
                steps.push(as_written);
            }
            steps
        }
        (OnConflict::Overwrite, Operation::Insert | Operation::Update) => vec![as_written],
    }
}

/// The text of `prepare`, without ONLY if the table has partitions, of which each has its own ctids.
fn on_this_table(prepare: &Prepare, table: &TargetTable) -> String {
    if !table.partitioned {
        return prepare.sql.clone();
    }
    // Inside quotes every quote is doubled, so no name can look like this.
    let name = qualified(&prepare.shape);
    let only = format!("ONLY {name}");
    prepare
        .sql
        .replace(
            &format!("ctid = (SELECT ctid FROM {only}"),
            &format!("(tableoid, ctid) = (SELECT tableoid, ctid FROM {name}"),
        )
        .replace(&only, &name)
}

fn qualified(shape: &Shape) -> String {
    format!("{}.{}", ident(&shape.schema), ident(&shape.table))
}

/// The parameter that the key column of parameter `at` is set to, if it is set.
fn set_parameter(shape: &Shape, at: usize) -> Option<usize> {
    (0..shape.columns.len())
        .find(|other| !shape.key.contains(other) && shape.columns[*other] == shape.columns[at])
}

fn insert_if_missing(prepare: &Prepare, table: &TargetTable) -> Step {
    let shape = &prepare.shape;
    let mut text = Text::new(prepare, "i", table);
    let mut names = Vec::new();
    let mut values = Vec::new();
    for at in 0..shape.columns.len() {
        // A key column that is set stands twice; the row after has what it is set to.
        let before = shape.key.contains(&at) && set_parameter(shape, at).is_some();
        if !before {
            names.push(ident(&shape.columns[at]));
            values.push(text.parameter(at));
        }
    }
    text.sql = format!(
        "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} WHERE NOT EXISTS (SELECT FROM {}",
        qualified(shape),
        names.join(", "),
        values.join(", "),
        text.table,
    );
    text.where_key(shape, Key::New);
    text.sql.push(')');
    text.step(Answer::WhatIsLeft)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Old,
    New,
}

/// A statement of ours with parameters taken from the change's.
struct Text {
    name: String,
    /// Of the target, with ONLY where that is meant.
    table: String,
    sql: String,
    parameters: Vec<usize>,
}

impl Text {
    fn new(prepare: &Prepare, suffix: &str, table: &TargetTable) -> Self {
        let name = qualified(&prepare.shape);
        Self {
            name: format!("{}{suffix}", prepare.id),
            table: match table.partitioned {
                true => name,
                false => format!("ONLY {name}"),
            },
            sql: String::new(),
            parameters: Vec::new(),
        }
    }

    /// Each use is a parameter of its own: two uses of one may want different types.
    fn parameter(&mut self, at: usize) -> String {
        self.parameters.push(at);
        format!("${}", self.parameters.len())
    }

    fn where_key(&mut self, shape: &Shape, key: Key) {
        self.sql.push_str(" WHERE ");
        self.key(shape, key);
    }

    fn key(&mut self, shape: &Shape, key: Key) {
        let conditions: Vec<_> = (shape.key.iter())
            .map(|at| {
                let new = (key == Key::New)
                    .then(|| set_parameter(shape, *at))
                    .flatten();
                let placeholder = self.parameter(new.unwrap_or(*at));
                format!("{} = {placeholder}", ident(&shape.columns[*at]))
            })
            .collect();
        self.sql.push_str(&conditions.join(" AND "));
    }

    fn step(self, answer: Answer) -> Step {
        Step {
            name: self.name,
            sql: self.sql,
            parameters: Some(self.parameters),
            answer,
        }
    }
}
