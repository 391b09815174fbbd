//! A relation as it was described last, and the statements for its rows.

use std::collections::HashMap;

use crate::cdc::change::Relation;
use crate::cdc::sql_line::{SqlLine, StatementId};

use super::exact::Row;
use super::statement::{self, RowError, Source};

/// Shapes of rows of a relation whose statement is kept ready, each some bytes a column. Most
/// relations have one for each operation; a wide one with large values may have any number, and
/// when there are this many all are made again.
const READY_MAX: usize = 64;

/// What one description of a relation, in one segment, has led to.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) relation: Relation,
    /// Statements whose PREPARE stands already, by text.
    prepared: HashMap<String, StatementId>,
    /// By the shape of the row, see [`statement::shape_of`].
    ready: HashMap<Vec<u8>, Ready>,
    /// The shape of the row at hand; kept for its room.
    shape: Vec<u8>,
}

/// A statement whose PREPARE stands; none where there is nothing to write.
type Ready = Option<Run>;

/// How a statement is run.
#[derive(Debug)]
struct Run {
    id: StatementId,
    sources: Vec<Source>,
}

impl Described {
    pub(super) fn new(relation: Relation) -> Self {
        Self {
            relation,
            prepared: HashMap::new(),
            ready: HashMap::new(),
            shape: Vec::new(),
        }
    }

    /// Appends to `sql` what `row` becomes.
    pub(super) fn write(&mut self, row: &Row<'_>, sql: &mut Vec<u8>) -> Result<(), RowError> {
        statement::check(&self.relation, row)?;
        self.shape.clear();
        statement::shape_of(&self.relation, row, &mut self.shape);
        if let Some(ready) = self.ready.get(&self.shape) {
            run(ready, row, sql);
            return Ok(());
        }
        let ready = self.make_ready(row, sql)?;
        run(&ready, row, sql);
        if self.ready.len() >= READY_MAX {
            self.ready.clear();
        }
        self.ready.insert(self.shape.clone(), ready);
        Ok(())
    }

    /// The statement for rows like `row`, with its PREPARE before its first use.
    fn make_ready(&mut self, row: &Row<'_>, sql: &mut Vec<u8>) -> Result<Ready, RowError> {
        let Some(statement) = statement::for_row(&self.relation, row)? else {
            return Ok(None);
        };
        let id = match self.prepared.get(&statement.sql) {
            Some(id) => *id,
            None => {
                let prepare = statement.prepare();
                let id = prepare.id;
                SqlLine::Prepare(prepare).write(sql);
                self.prepared.insert(statement.sql, id);
                id
            }
        };
        let sources = statement.sources;
        Ok(Some(Run { id, sources }))
    }
}

fn run(ready: &Ready, row: &Row<'_>, sql: &mut Vec<u8>) {
    if let Some(run) = ready {
        let values = run.sources.iter().map(|source| row.json(source.cell(row)));
        SqlLine::write_execute(run.id, values, sql);
    }
}
