//! The applying session: statements pipelined, every answer checked, COMMIT confirmed.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use bytes::BytesMut;
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;

use crate::base::QualifiedName;
use crate::cdc::change::{Begin, Commit, Operation, Value};
use crate::cdc::sql_line::{Execute, Prepare, StatementId, TruncateLine};
use crate::pg::{self, Connection};

use super::error::ApplyError;
use super::tracking::{Tracking, bind_text};

/// Requests gathered before they are sent and their answers read: large enough that the round
/// trip is not the cost, and the bound on what waits for an answer.
const CHUNK_BYTES: usize = 512 * 1024;

/// Statements prepared on the server at a time; past this all are dropped and prepared again as
/// they are used. Each costs the server a plan.
const PREPARED_MAX: usize = 1000;

/// Values are shortened to this many characters in messages.
const SHOWN_VALUE_CHARS: usize = 80;

/// What the next CommandComplete answers.
#[derive(Debug)]
enum Expect {
    /// BEGIN, the position, COMMIT and the like; the command for messages.
    Control(&'static str),
    /// The position, which must be there exactly once.
    Position,
    /// A row, which must be exactly one.
    Row {
        prepare: Arc<Prepare>,
        values: Vec<Value>,
        begin: Arc<Begin>,
    },
    /// A TRUNCATE.
    Truncate {
        line: TruncateLine,
        begin: Arc<Begin>,
    },
}

/// A session on the target that applies.
#[derive(Debug)]
pub(super) struct Target {
    connection: Connection,
    output: BytesMut,
    expected: VecDeque<Expect>,
    prepared: HashSet<StatementId>,
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
    ) -> Result<Self, ApplyError> {
        connection
            .query("SET session_replication_role = replica; SET synchronous_commit = on")
            .await?;
        let mut target = Self {
            connection,
            output: BytesMut::new(),
            expected: VecDeque::new(),
            prepared: HashSet::new(),
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

    /// Runs one row's statement in the open transaction.
    pub(super) async fn row(
        &mut self,
        prepare: &Arc<Prepare>,
        execute: Execute,
        begin: &Arc<Begin>,
    ) -> Result<(), ApplyError> {
        let name = execute.id.to_string();
        if !self.prepared.contains(&execute.id) {
            self.bound_prepared()?;
            self.parse(&name, &prepare.sql)?;
            self.prepared.insert(execute.id);
        }
        let values = execute.values.iter().map(|value| match value {
            Value::Text(text) => Some(text.as_bytes()),
            Value::Bytes(bytes) => Some(bytes.as_slice()),
            Value::Null | Value::Unchanged => None,
        });
        bind_text(&name, values, &mut self.output)?;
        self.execute(Expect::Row {
            prepare: Arc::clone(prepare),
            values: execute.values,
            begin: Arc::clone(begin),
        })?;
        self.exchange_if_much().await
    }

    /// Drops a prepared statement, if there is one of that name: its next use prepares it again.
    pub(super) fn forget(&mut self, id: StatementId) -> Result<(), ApplyError> {
        if self.prepared.remove(&id) {
            frontend::close(b'S', &id.to_string(), &mut self.output).map_err(pg::Error::from)?;
        }
        Ok(())
    }

    fn bound_prepared(&mut self) -> Result<(), ApplyError> {
        if self.prepared.len() < PREPARED_MAX {
            return Ok(());
        }
        for id in self.prepared.drain() {
            frontend::close(b'S', &id.to_string(), &mut self.output).map_err(pg::Error::from)?;
        }
        Ok(())
    }

    /// Empties relations in the open transaction.
    pub(super) async fn truncate(
        &mut self,
        line: TruncateLine,
        begin: &Arc<Begin>,
    ) -> Result<(), ApplyError> {
        self.parse("", &line.sql())?;
        let begin = Arc::clone(begin);
        self.run("", Expect::Truncate { line, begin })?;
        self.exchange_if_much().await
    }

    /// Commits the open transaction together with the position of `last`. When this returns, the
    /// server has confirmed it.
    pub(super) async fn commit(&mut self, last: &Commit) -> Result<(), ApplyError> {
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
        Ok(())
    }

    /// Undoes the open transaction, if one is open.
    pub(super) async fn rollback(&mut self) -> Result<(), ApplyError> {
        if self.open {
            self.run(ROLLBACK, Expect::Control("ROLLBACK"))?;
            self.exchange().await?;
            self.open = false;
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
        let read = async {
            loop {
                match reader.next().await? {
                    Message::CommandComplete(body) => {
                        let tag = body.tag().map_err(pg::Error::from)?;
                        let answered = expected.pop_front();
                        answered.map_or(Ok(()), |expect| expect.check(tag))?;
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

impl Expect {
    fn check(self, tag: &str) -> Result<(), ApplyError> {
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
            Expect::Row {
                prepare,
                values,
                begin,
            } => {
                let rows = tag.rsplit(' ').next().and_then(|rows| rows.parse().ok());
                match rows {
                    Some(1) => Ok(()),
                    rows => Err(ApplyError::RowCount {
                        command: prepare.shape.op.command(),
                        table: Box::new(table(prepare)),
                        key: shown_key(prepare, values),
                        xid: begin.xid,
                        lsn: begin.lsn,
                        rows: rows.unwrap_or(0),
                    }),
                }
            }
            Expect::Control(_) | Expect::Position | Expect::Truncate { .. } => Ok(()),
        }
    }

    fn refused(self, source: pg::Error) -> ApplyError {
        let (command, table, key, begin) = match self {
            Expect::Control(_) | Expect::Position => return source.into(),
            Expect::Row {
                prepare,
                values,
                begin,
            } => {
                let key = shown_key(&prepare, &values);
                (prepare.shape.op.command(), table(&prepare), key, begin)
            }
            Expect::Truncate { line, begin } => {
                let (schema, name) = line.rels.first().cloned().unwrap_or_default();
                let key = format!("{} tables", line.rels.len());
                ("TRUNCATE", QualifiedName::new(schema, name), key, begin)
            }
        };
        ApplyError::Refused {
            command,
            table: Box::new(table),
            key,
            xid: begin.xid,
            lsn: begin.lsn,
            source: Box::new(source),
        }
    }
}

fn table(prepare: &Prepare) -> QualifiedName {
    QualifiedName::new(&prepare.shape.schema, &prepare.shape.table)
}

/// The columns and values that identify a row; of an insert without a key, its first columns.
fn shown_key(prepare: &Prepare, values: &[Value]) -> String {
    let shape = &prepare.shape;
    let first_columns = || (0..values.len().min(3)).collect();
    let key: Vec<usize> = match shape.op {
        Operation::Insert if shape.key.is_empty() => first_columns(),
        _ => shape.key.clone(),
    };
    let shown = key.iter().filter_map(|at| {
        let value = match values.get(*at)? {
            Value::Text(text) => text.chars().take(SHOWN_VALUE_CHARS).collect(),
            Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
            Value::Null => "null".to_owned(),
            Value::Unchanged => "unchanged".to_owned(),
        };
        Some(format!("{}={value}", shape.columns.get(*at)?))
    });
    shown.collect::<Vec<_>>().join(", ")
}
