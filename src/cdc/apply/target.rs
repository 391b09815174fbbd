//! The applying session: statements pipelined, every answer checked, COMMIT confirmed.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use bytes::BytesMut;
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;

use crate::base::QualifiedName;
use crate::cdc::change::{Begin, Commit, Operation, Value};
use crate::cdc::sql_line::{Execute, Prepare, SqlLine, StatementId, TruncateLine};
use crate::pg::{self, Connection};

use super::error::ApplyError;
use super::place::Place;
use super::plan::{Answer, OnConflict, Step, plan};
use super::target_table::{TargetTable, question};
use super::tracking::{Tracking, bind_text};

/// Requests gathered before they are sent and their answers read: large enough that the round
/// trip is not the cost, and the bound on what waits for an answer.
const CHUNK_BYTES: usize = 512 * 1024;

/// Statements prepared on the server at a time; past this all are dropped and prepared again as
/// they are used. Each costs the server a plan.
const PREPARED_MAX: usize = 1000;

/// Tables of the target remembered at a time; past this all are asked for again. One of a hundred
/// columns takes some 20 KB.
const TABLES_MAX: usize = 1000;

/// Values are shortened to this many characters in messages.
const SHOWN_VALUE_CHARS: usize = 80;

/// One row's change, as a segment says it.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) prepare: Arc<Prepare>,
    pub(super) values: Vec<Value>,
    /// Of which transaction.
    pub(super) begin: Arc<Begin>,
    pub(super) place: Place,
}

/// One TRUNCATE, as a segment says it.
#[derive(Debug)]
pub(super) struct Emptying {
    pub(super) line: TruncateLine,
    /// Of which transaction.
    pub(super) begin: Arc<Begin>,
    pub(super) place: Place,
}

impl Emptying {
    /// Where it stands, in a segment if possible.
    fn place(&self) -> Place {
        let line = SqlLine::Truncate(self.line.clone());
        self.place.in_segments(&self.begin, &line)
    }
}

/// What the next CommandComplete answers.
#[derive(Debug)]
enum Expect {
    /// BEGIN, the position, COMMIT and the like; the command for messages.
    Control(&'static str),
    /// The position, which must be there exactly once.
    Position,
    /// One step of a row's change.
    Row(Arc<Change>, Answer),
    /// A TRUNCATE.
    Truncate(Arc<Emptying>),
}

/// A session on the target that applies.
#[derive(Debug)]
pub(super) struct Target {
    connection: Connection,
    output: BytesMut,
    expected: VecDeque<Expect>,
    prepared: HashMap<StatementId, Arc<[Step]>>,
    /// The target's tables as they were when first asked for.
    tables: HashMap<QualifiedName, Arc<TargetTable>>,
    on_conflict: OnConflict,
    /// Changes of the open transaction that found the target otherwise than the source was.
    conflicts: u64,
    open: bool,
}

const BEGIN: &str = "pgflit_begin";
const COMMIT: &str = "pgflit_commit";
const ROLLBACK: &str = "pgflit_rollback";
const POSITION: &str = "pgflit_position";

impl Target {
    /// Makes `connection` ready to apply: no triggers, no foreign keys, as on a replica.
    pub(super) async fn start(
        mut connection: Connection,
        tracking: Tracking,
        origin: &str,
        on_conflict: OnConflict,
    ) -> Result<Self, ApplyError> {
        connection
            .query("SET session_replication_role = replica; SET synchronous_commit = on")
            .await?;
        if connection.parameter("server_encoding") == Some("SQL_ASCII") {
            // What the source has may be no text in any encoding.
            connection
                .query("SET client_encoding = 'SQL_ASCII'")
                .await?;
        }
        let mut target = Self {
            connection,
            output: BytesMut::new(),
            expected: VecDeque::new(),
            prepared: HashMap::new(),
            tables: HashMap::new(),
            on_conflict,
            conflicts: 0,
            open: false,
        };
        target.parse(BEGIN, "BEGIN")?;
        target.parse(COMMIT, "COMMIT")?;
        target.parse(ROLLBACK, "ROLLBACK")?;
        target.parse(POSITION, &tracking.note_sql(origin))?;
        target.exchange().await?;
        Ok(target)
    }

    /// Whether a target transaction is open.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    fn parse(&mut self, name: &str, sql: &str) -> Result<(), ApplyError> {
        frontend::parse(name, sql, [], &mut self.output).map_err(pg::Error::from)?;
        Ok(())
    }

    fn run(&mut self, statement: &str, expect: Expect) -> Result<(), ApplyError> {
        bind_text(statement, std::iter::empty(), &mut self.output)?;
        self.execute(expect)
    }

    fn execute(&mut self, expect: Expect) -> Result<(), ApplyError> {
        frontend::execute("", 0, &mut self.output).map_err(pg::Error::from)?;
        self.expected.push_back(expect);
        Ok(())
    }

    /// Opens a target transaction, if none is open.
    pub(super) fn begin(&mut self) -> Result<(), ApplyError> {
        if !self.open {
            self.run(BEGIN, Expect::Control("BEGIN"))?;
            self.open = true;
        }
        Ok(())
    }

    /// Runs one row's change in the open transaction.
    pub(super) async fn row(&mut self, change: Arc<Change>) -> Result<(), ApplyError> {
        let steps = match self.prepared.get(&change.prepare.id) {
            Some(steps) => Arc::clone(steps),
            None => self.prepare(&change).await?,
        };
        for step in steps.iter() {
            let values = &change.values;
            match &step.parameters {
                None => bind_text(&step.name, values.iter().map(bytes), &mut self.output)?,
                Some(chosen) => {
                    let chosen = chosen.iter().map(|at| values.get(*at).and_then(bytes));
                    bind_text(&step.name, chosen, &mut self.output)?;
                }
            }
            self.execute(Expect::Row(Arc::clone(&change), step.answer))?;
        }
        self.exchange_if_much().await
    }

    /// Whether this change's statement is prepared, so that the target's table takes it.
    pub(super) fn has_prepared(&self, change: &Change) -> bool {
        self.prepared.contains_key(&change.prepare.id)
    }

    /// Prepares what is run for this change's statement, if the target's table takes it.
    async fn prepare(&mut self, change: &Change) -> Result<Arc<[Step]>, ApplyError> {
        let table = self.fitting_table(change).await?;
        self.bound_prepared()?;
        let steps: Arc<[Step]> = plan(&change.prepare, &table, self.on_conflict).into();
        for step in steps.iter() {
            self.parse(&step.name, &step.sql)?;
        }
        self.prepared.insert(change.prepare.id, Arc::clone(&steps));
        Ok(steps)
    }

    /// The table that takes this change's statement, or why it does not.
    pub(super) async fn fitting_table(
        &mut self,
        change: &Change,
    ) -> Result<Arc<TargetTable>, ApplyError> {
        let name = change.table();
        let shape = &change.prepare.shape;
        let misfit = |problem| ApplyError::Misfit {
            table: Box::new(name.clone()),
            problem,
            xid: change.begin.xid,
            lsn: change.begin.lsn,
            place: change.place(),
        };
        let known = self.tables.contains_key(&name);
        let mut table = self.table(&name).await?;
        let fits = |table: &Option<Arc<TargetTable>>| {
            table
                .as_ref()
                .map_or(Some(NOT_THERE.to_owned()), |table| table.misfit(shape))
        };
        let mut problem = fits(&table);
        if problem.is_some() && known {
            // It may have been altered since.
            self.tables.remove(&name);
            table = self.table(&name).await?;
            problem = fits(&table);
        }
        match (table, problem) {
            (Some(table), None) => Ok(table),
            (_, problem) => Err(misfit(problem.unwrap_or_default())),
        }
    }

    /// A table as the target has it; none if it has not.
    async fn table(
        &mut self,
        name: &QualifiedName,
    ) -> Result<Option<Arc<TargetTable>>, ApplyError> {
        if let Some(known) = self.tables.get(name) {
            return Ok(Some(Arc::clone(known)));
        }
        // What was sent before has its answers first.
        self.exchange().await?;
        let results = self
            .connection
            .query(&question(&name.schema, &name.name))
            .await?;
        let Some(table) = results.first().and_then(TargetTable::read) else {
            return Ok(None);
        };
        if self.tables.len() >= TABLES_MAX {
            self.tables.clear();
        }
        let table = Arc::new(table);
        self.tables.insert(name.clone(), Arc::clone(&table));
        Ok(Some(table))
    }

    /// Forgets what is known of a statement and its table: the next use asks and prepares again.
    pub(super) fn forget(&mut self, prepare: &Prepare) -> Result<(), ApplyError> {
        self.tables.remove(&shape_table(prepare));
        if let Some(steps) = self.prepared.remove(&prepare.id) {
            self.close(&steps)?;
        }
        Ok(())
    }

    fn close(&mut self, steps: &[Step]) -> Result<(), ApplyError> {
        for step in steps {
            frontend::close(b'S', &step.name, &mut self.output).map_err(pg::Error::from)?;
        }
        Ok(())
    }

    fn bound_prepared(&mut self) -> Result<(), ApplyError> {
        if self.prepared.len() < PREPARED_MAX {
            return Ok(());
        }
        for steps in std::mem::take(&mut self.prepared).into_values() {
            self.close(&steps)?;
        }
        Ok(())
    }

    /// Empties relations in the open transaction: those of `line`, of what the segment says.
    pub(super) async fn truncate(
        &mut self,
        line: &TruncateLine,
        emptying: Arc<Emptying>,
    ) -> Result<(), ApplyError> {
        let mut partitioned = HashSet::new();
        for (schema, name) in &line.rels {
            let table = QualifiedName::new(schema, name);
            match self.table(&table).await? {
                None => {
                    return Err(ApplyError::Misfit {
                        table: Box::new(table),
                        problem: NOT_THERE.to_owned(),
                        xid: emptying.begin.xid,
                        lsn: emptying.begin.lsn,
                        place: emptying.place(),
                    });
                }
                Some(known) if known.partitioned => {
                    partitioned.insert(table);
                }
                Some(_) => {}
            }
        }
        let sql = line.sql(|schema, name| partitioned.contains(&QualifiedName::new(schema, name)));
        self.parse("", &sql)?;
        self.run("", Expect::Truncate(emptying))?;
        self.exchange_if_much().await
    }

    /// Deletes the rows of `table` for which `condition` holds, in the open transaction: what is left
    /// to empty of a table whose copy contains a part of a TRUNCATE.
    pub(super) async fn empty_rows(
        &mut self,
        table: &QualifiedName,
        condition: &str,
        emptying: &Arc<Emptying>,
    ) -> Result<(), ApplyError> {
        let only = match self.table(table).await? {
            Some(known) if known.partitioned => "",
            _ => "ONLY ",
        };
        let sql = format!("DELETE FROM {only}{} WHERE {condition}", table.quoted());
        self.parse("", &sql)?;
        self.run("", Expect::Truncate(Arc::clone(emptying)))?;
        self.exchange_if_much().await
    }

    /// Commits the open transaction together with the position of `last`. When this returns, the
    /// server has confirmed it. Gives how many changes found the target otherwise than the source
    /// was.
    pub(super) async fn commit(&mut self, last: &Commit) -> Result<u64, ApplyError> {
        // A change that touched no row is no error for the server, which would commit the others.
        self.exchange().await?;
        let lsn = last.lsn.to_string();
        // An origin wants a time; where the plugin gives none, the epoch stands for "unknown".
        let at = last
            .timestamp
            .as_deref()
            .unwrap_or("2000-01-01 00:00:00+0000");
        let values = [Some(lsn.as_bytes()), Some(at.as_bytes())];
        bind_text(POSITION, values.into_iter(), &mut self.output)?;
        self.execute(Expect::Position)?;
        self.run(COMMIT, Expect::Control("COMMIT"))?;
        self.exchange().await?;
        self.open = false;
        Ok(std::mem::take(&mut self.conflicts))
    }

    /// Undoes the open transaction, if one is open.
    pub(super) async fn rollback(&mut self) -> Result<(), ApplyError> {
        if self.open {
            self.run(ROLLBACK, Expect::Control("ROLLBACK"))?;
            self.exchange().await?;
            self.open = false;
            self.conflicts = 0;
        }
        Ok(())
    }

    async fn exchange_if_much(&mut self) -> Result<(), ApplyError> {
        match self.output.len() >= CHUNK_BYTES {
            true => self.exchange().await,
            false => Ok(()),
        }
    }

    /// Sends what is gathered and reads every answer to it, at the same time, so that neither
    /// side waits for the other to read.
    async fn exchange(&mut self) -> Result<(), ApplyError> {
        // Sync ends no explicit transaction; it only asks for the answers.
        frontend::sync(&mut self.output);
        let (mut reader, mut writer) = self.connection.split();
        writer.buffer().unsplit(self.output.split());
        let expected = &mut self.expected;
        let conflicts = &mut self.conflicts;
        let read = async {
            // Rows that the step before touched.
            let mut before = 0;
            loop {
                match reader.next().await? {
                    Message::CommandComplete(body) => {
                        let tag = body.tag().map_err(pg::Error::from)?;
                        if let Some(expect) = expected.pop_front()
                            && expect.check(tag, &mut before)?
                        {
                            *conflicts += 1;
                        }
                    }
                    Message::ErrorResponse(body) => {
                        let error = pg::Error::from(pg::server_error(&body));
                        return Err(match expected.pop_front() {
                            Some(expect) => expect.refused(error),
                            None => error.into(),
                        });
                    }
                    Message::ReadyForQuery(_) => return Ok(()),
                    _ => {}
                }
            }
        };
        let (written, read) = tokio::join!(writer.flush(), read);
        // The server's reason says more than a broken pipe.
        read?;
        written?;
        match self.expected.is_empty() {
            true => Ok(()),
            false => Err(pg::Error::Protocol("fewer answers than requests".into()).into()),
        }
    }
}

/// What a parameter is sent as; none is NULL.
fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::Text(text) => Some(text.as_bytes()),
        Value::Bytes(bytes) => Some(bytes.as_slice()),
        Value::Null | Value::Unchanged => None,
    }
}

impl Expect {
    /// Whether the answer is one that is noted. `before` is the rows of the step before, and
    /// becomes those of this one.
    fn check(self, tag: &str, before: &mut u64) -> Result<bool, ApplyError> {
        match &self {
            Expect::Control("COMMIT") if tag != "COMMIT" => {
                let problem = format!("COMMIT was answered with {tag}");
                Err(pg::Error::Protocol(problem).into())
            }
            Expect::Position if !tag.ends_with(" 1") => {
                let problem = format!(
                    "noting the position was answered with {tag}: someone else has moved it"
                );
                Err(pg::Error::Protocol(problem).into())
            }
            Expect::Row(change, answer) => {
                let rows = tag.rsplit(' ').next().and_then(|rows| rows.parse().ok());
                // Taken for none, it would pass where none is expected.
                let rows = rows.ok_or_else(|| {
                    pg::Error::Protocol(format!("{} was answered with {tag}", change.command()))
                })?;
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
            Expect::Control(_) | Expect::Position | Expect::Truncate(_) => Ok(false),
        }
    }

    fn refused(self, source: pg::Error) -> ApplyError {
        let (command, table, key, begin, place) = match &self {
            Expect::Control(_) | Expect::Position => return source.into(),
            Expect::Row(change, _) => (
                change.command(),
                change.table(),
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

const NOT_THERE: &str = "the target has no such table";

fn shape_table(prepare: &Prepare) -> QualifiedName {
    QualifiedName::new(&prepare.shape.schema, &prepare.shape.table)
}

impl Change {
    pub(super) fn table(&self) -> QualifiedName {
        shape_table(&self.prepare)
    }

    fn command(&self) -> &'static str {
        self.prepare.shape.op.command()
    }

    fn touched(&self, others: u64, rows: u64, answer: Answer) -> ApplyError {
        ApplyError::RowCount {
            command: self.command(),
            table: Box::new(self.table()),
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

    /// Where it stands, in a segment if possible.
    pub(super) fn place(&self) -> Place {
        let execute = Execute {
            id: self.prepare.id,
            values: self.values.clone(),
        };
        self.place
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
            let value = match self.values.get(*at)? {
                Value::Text(text) => text.chars().take(SHOWN_VALUE_CHARS).collect(),
                Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
                Value::Null => "null".to_owned(),
                Value::Unchanged => "unchanged".to_owned(),
            };
            Some(format!("{}={value}", shape.columns.get(*at)?))
        });
        shown.collect::<Vec<_>>().join(", ")
    }
}
