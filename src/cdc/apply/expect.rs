//! What each answer of the target must be, and what is said when it is another.

use std::sync::Arc;

use crate::base::QualifiedName;
use crate::cdc::change::{Begin, Operation};
use crate::cdc::sql_line::{Execute, Prepare, SqlLine, TruncateLine};
use crate::pg;

use super::block::Values;
use super::error::ApplyError;
use super::place::Place;
use super::plan::Answer;
use super::target_table::TargetTable;

/// Values are shortened to this many characters in messages.
const SHOWN_VALUE_CHARS: usize = 80;

/// One row's change, as a segment says it.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) prepare: Arc<Prepare>,
    /// The statement of the segment, where the target runs another, see [`super::placement`].
    pub(super) written: Option<Arc<Prepare>>,
    pub(super) values: Values,
    /// Of which transaction.
    pub(super) begin: Arc<Begin>,
    /// Where its line stands in what its values were read from.
    pub(super) at: u64,
}

/// One TRUNCATE, as a segment says it.
#[derive(Debug)]
pub(super) struct Emptying {
    pub(super) line: TruncateLine,
    /// Of which transaction.
    pub(super) begin: Arc<Begin>,
    pub(super) place: Place,
}

/// What of a TRUNCATE is to be done.
#[derive(Debug)]
pub(super) struct Emptied {
    /// As the segment says it.
    pub(super) emptying: Arc<Emptying>,
    /// Those of its relations that are emptied.
    pub(super) line: TruncateLine,
    /// Those of which only the rows are deleted for which this condition holds.
    pub(super) partly: Vec<(QualifiedName, String)>,
}

impl Emptying {
    /// Where it stands, in a segment if possible.
    pub(super) fn place(&self) -> Place {
        let line = SqlLine::Truncate(self.line.clone());
        self.place.in_segments(&self.begin, &line)
    }
}

/// What [`super::tracking`] has the server say where the position is not what it must be.
const DIVISION_BY_ZERO: &str = "22012";

fn moved(answer: &str) -> pg::Error {
    pg::Error::Protocol(format!(
        "noting the position was answered with {answer}: someone else has moved it"
    ))
}

/// What the next CommandComplete answers.
#[derive(Debug)]
pub(super) enum Expect {
    /// BEGIN, the position, COMMIT and the like; the command for messages.
    Control(&'static str),
    /// The position, which must be there exactly once.
    Position,
    /// One step of a row's change.
    Row(Change, Answer),
    /// A TRUNCATE.
    Truncate(Arc<Emptying>),
    /// Rows of a table that are written together: how many, and the change that the first comes from.
    Rows(Change, u64),
    /// All before it is answered.
    Ready,
}

impl Expect {
    /// Whether the answer is one that is noted. `before` is the rows of the step before, and
    /// becomes those of this one.
    pub(super) fn check(self, tag: &str, before: &mut u64) -> Result<bool, ApplyError> {
        match &self {
            Expect::Control("COMMIT") if tag != "COMMIT" => {
                let problem = format!("COMMIT was answered with {tag}");
                Err(pg::Error::Protocol(problem).into())
            }
            Expect::Position if !tag.ends_with(" 1") => Err(moved(tag).into()),
            Expect::Row(change, answer) => {
                let rows = change.rows_of(tag)?;
                let others = std::mem::replace(before, rows);
                let note = match (answer, rows) {
                    (Answer::One | Answer::OneOrNote(_), 1) | (Answer::NoneOrNote(_), 0) => None,
                    (Answer::OneOrNote(note), 0) | (Answer::NoneOrNote(note), 1) => Some(note),
                    (Answer::WhatIsLeft, _) if others + rows == 1 => None,
                    _ => return Err(change.touched(others, rows, *answer)),
                };
                if let Some(note) = note {
                    let Begin { xid, lsn, .. } = *change.begin;
                    tracing::warn!(
                        "{} on {} ({}) of transaction {xid} at {lsn}: {note}",
                        change.command(),
                        change.table(),
                        change.shown_key()
                    );
                }
                Ok(note.is_some())
            }
            Expect::Rows(change, expected) => match change.rows_of(tag)? {
                rows if rows == *expected => Ok(false),
                rows => Err(ApplyError::RowsTogether {
                    table: Box::new(change.table().clone()),
                    rows,
                    expected: *expected,
                }),
            },
            Expect::Control(_) | Expect::Position | Expect::Truncate(_) | Expect::Ready => {
                Ok(false)
            }
        }
    }

    pub(super) fn refused(self, source: pg::Error) -> ApplyError {
        let (command, table, key, begin, place) = match &self {
            Expect::Position if source.sqlstate() == Some(DIVISION_BY_ZERO) => {
                return moved("an error").into();
            }
            Expect::Control(_) | Expect::Position | Expect::Ready => return source.into(),
            Expect::Row(change, _) | Expect::Rows(change, _) => (
                change.command(),
                change.table().clone(),
                change.shown_key(),
                &change.begin,
                change.place(),
            ),
            Expect::Truncate(emptying) => {
                let (schema, name) = emptying.line.rels.first().cloned().unwrap_or_default();
                let key = format!("{} tables", emptying.line.rels.len());
                let table = QualifiedName::new(schema, name);
                ("TRUNCATE", table, key, &emptying.begin, emptying.place())
            }
        };
        ApplyError::Refused {
            command,
            table: Box::new(table),
            key,
            xid: begin.xid,
            lsn: begin.lsn,
            place,
            source: Box::new(source),
        }
    }
}

impl Change {
    pub(super) fn table(&self) -> &QualifiedName {
        &self.prepare.table
    }

    /// Whether it is written to a table that has the rows of several partitions, of which two may have the
    /// same key.
    pub(super) fn has_own_key(&self, table: &TargetTable) -> bool {
        let shape = &self.prepare.shape;
        let key: Vec<_> = (shape.key.iter())
            .map(|at| shape.columns[*at].as_str())
            .collect();
        self.written.is_some() && !table.is_unique_within(&key)
    }

    /// How many rows a command of this change touched, by its `tag`.
    fn rows_of(&self, tag: &str) -> Result<u64, ApplyError> {
        let rows = tag.rsplit(' ').next().and_then(|rows| rows.parse().ok());
        // Taken for none, it would pass where none is expected.
        rows.ok_or_else(|| {
            pg::Error::Protocol(format!("{} was answered with {tag}", self.command())).into()
        })
    }

    pub(super) fn command(&self) -> &'static str {
        self.prepare.shape.op.command()
    }

    fn touched(&self, others: u64, rows: u64, answer: Answer) -> ApplyError {
        ApplyError::RowCount {
            command: self.command(),
            table: Box::new(self.table().clone()),
            key: self.shown_key(),
            xid: self.begin.xid,
            lsn: self.begin.lsn,
            rows: match answer {
                Answer::WhatIsLeft => others + rows,
                _ => rows,
            },
            place: self.place(),
        }
    }

    /// Where its line was read.
    pub(super) fn read_at(&self) -> Place {
        self.values.block().place(self.at)
    }

    /// Where it stands, in a segment if possible.
    pub(super) fn place(&self) -> Place {
        let execute = Execute {
            id: self.written.as_ref().unwrap_or(&self.prepare).id,
            values: self.values.as_read(),
        };
        self.read_at()
            .in_segments(&self.begin, &SqlLine::Execute(execute))
    }

    /// The columns and values that identify the row; of an insert without a key, its first columns.
    fn shown_key(&self) -> String {
        let shape = &self.prepare.shape;
        let first_columns = || (0..self.values.len().min(3)).collect();
        let key: Vec<usize> = match shape.op {
            Operation::Insert if shape.key.is_empty() => first_columns(),
            _ => shape.key.clone(),
        };
        let shown = key.iter().filter_map(|at| {
            let value = match self.values.get(*at) {
                None => "null".to_owned(),
                Some(bytes) => match str::from_utf8(bytes) {
                    Ok(text) => text.chars().take(SHOWN_VALUE_CHARS).collect(),
                    Err(_) => format!("{} bytes", bytes.len()),
                },
            };
            Some(format!("{}={value}", shape.columns.get(*at)?))
        });
        shown.collect::<Vec<_>>().join(", ")
    }
}
