//! The applying session: statements pipelined, every answer checked, COMMIT confirmed.

use std::collections::VecDeque;
use std::collections::btree_map::{BTreeMap, Entry};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{BufMut, BytesMut};
use foldhash::{HashMap, HashSet};
use postgres_protocol::IsNull;
use postgres_protocol::message::frontend;

use crate::base::ident::quote_literal;
use crate::base::{Lsn, QualifiedName};
use crate::cdc::change::Commit;
use crate::cdc::sql_line::{Prepare, StatementId};
use crate::pg::{self, Connection};

use super::answers::Answers;
use super::error::ApplyError;
use super::expect::{Change, Emptied, Expect};
use super::net::{Action, Set};
use super::plan::{OnConflict, Step, plan};
use super::sets::Rows;
use super::target_table::{END, HOW_MANY, ITS_NAME, TargetTable, name_in_question, question};
use super::tracking::{Tracking, bind_text, unbound};

/// Requests gathered before they are sent and their answers read: large enough that the round
/// trip is not the cost. Two of them at most wait for answers.
const CHUNK_BYTES: usize = 256 * 1024;

/// What is prepared on the server at a time, each statement as its parameters and [`PLAN_BASE`]; past this
/// all are dropped and prepared again as they are used. A unit costs the server some 1 to 2 KB: 200 MB
/// at most, of which statements of five columns for 2500 tables take all.
const PREPARED_MAX: usize = 100_000;

/// What a plan costs besides its parameters.
const PLAN_BASE: usize = 8;

/// Statements known to fit at a time: a few bytes each.
const FITTING_MAX: usize = 100_000;

/// Columns of the target's tables remembered at a time; past this all are asked for again. One takes
/// some 200 bytes.
const COLUMNS_MAX: usize = 100_000;

/// Each time a table is not known, twice as many are asked for together, up to so many: where many change,
/// most of a round trip for each is saved, and where few do, few are asked for in vain. An answer is 10 MB
/// at most.
const TOGETHER_MAX: usize = 256;

/// How old an answer may be by the first change of its table: no older than a group may become between the
/// first look at a table and its being written. From then on the table is known.
const AHEAD_MAX: Duration = Duration::from_secs(1);

/// A session on the target that applies.
#[derive(Debug)]
pub(super) struct Target {
    connection: Connection,
    output: BytesMut,
    expected: VecDeque<Expect>,
    /// How many of what was sent are not answered to their ends.
    unanswered: usize,
    /// Rows that the last step touched that was answered.
    touched_before: u64,
    prepared: HashMap<StatementId, Arc<[Step]>>,
    /// The names of commands for several rows, by their texts; and their tables.
    prepared_sets: HashMap<String, (String, QualifiedName)>,
    /// Of all that is prepared, as [`PREPARED_MAX`] counts.
    prepared_size: usize,
    /// How many names such commands have had.
    set_names: u64,
    /// Statements whose preparing the server has not confirmed: in a pipeline that fails it may have
    /// passed them over.
    unconfirmed: Vec<Unconfirmed>,
    /// Statements that the target's tables take.
    fitting: HashSet<StatementId>,
    /// The target's tables as they were when first asked for.
    tables: BTreeMap<QualifiedName, Arc<TargetTable>>,
    /// Theirs.
    columns: usize,
    /// How many tables are asked for together next.
    together: usize,
    /// Those of them that have had no change yet, and when they were asked for: past [`AHEAD_MAX`] a
    /// table is looked at as it is by then.
    ahead: HashMap<QualifiedName, Instant>,
    on_conflict: OnConflict,
    tracking: Tracking,
    /// Changes of the open transaction that found the target otherwise than the source was.
    conflicts: u64,
    /// As many as there were when the batch began.
    conflicts_before: u64,
    open: bool,
}

/// A statement that may be prepared on the server.
#[derive(Debug)]
enum Unconfirmed {
    Row(StatementId),
    Set(String),
}

/// The settings of the session: no triggers and foreign keys, as on a replica; and every row found by
/// its index, whatever the statistics of a table say that has just been filled.
const SETTINGS: &str = "
    SET session_replication_role = replica;
    SET synchronous_commit = on;
    SET plan_cache_mode = force_generic_plan;
    SET enable_hashjoin = off; SET enable_mergejoin = off;
    SET enable_seqscan = off; SET enable_bitmapscan = off;
    SET jit = off";

const QUESTION: &str = "pgflit_table";
const BEGIN: &str = "pgflit_begin";
const COMMIT: &str = "pgflit_commit";
const ROLLBACK: &str = "pgflit_rollback";
const POSITION: &str = "pgflit_position";
const SAVEPOINT: &str = "pgflit_savepoint";
const RELEASE: &str = "pgflit_release";
const ROLLBACK_TO: &str = "pgflit_rollback_to";

impl Target {
    /// Makes `connection` ready to apply: no triggers, no foreign keys, as on a replica.
    pub(super) async fn start(
        mut connection: Connection,
        tracking: Tracking,
        origin: &str,
        on_conflict: OnConflict,
    ) -> Result<Self, ApplyError> {
        connection.query(SETTINGS).await?;
        // There may be thousands of tables, and its plan costs more than its answer.
        let question = question(ITS_NAME, HOW_MANY, END);
        let prepare = format!("PREPARE {QUESTION} (text, bigint, name) AS {question}");
        connection.query(&prepare).await?;
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
            unanswered: 0,
            touched_before: 0,
            prepared: HashMap::default(),
            prepared_sets: HashMap::default(),
            set_names: 0,
            unconfirmed: Vec::new(),
            fitting: HashSet::default(),
            tables: BTreeMap::new(),
            columns: 0,
            together: 1,
            ahead: HashMap::default(),
            prepared_size: 0,
            on_conflict,
            tracking,
            conflicts: 0,
            conflicts_before: 0,
            open: false,
        };
        target.parse(BEGIN, "BEGIN")?;
        target.parse(COMMIT, "COMMIT")?;
        target.parse(ROLLBACK, "ROLLBACK")?;
        target.parse(SAVEPOINT, "SAVEPOINT pgflit_batch")?;
        target.parse(RELEASE, "RELEASE SAVEPOINT pgflit_batch")?;
        target.parse(ROLLBACK_TO, "ROLLBACK TO SAVEPOINT pgflit_batch")?;
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
    pub(super) async fn row(&mut self, change: &Change) -> Result<(), ApplyError> {
        let steps = match self.prepared.get(&change.prepare.id) {
            Some(steps) => Arc::clone(steps),
            None => Box::pin(self.prepare(change)).await?,
        };
        for step in steps.iter() {
            let values = &change.values;
            match &step.parameters {
                None => bind_text(&step.name, values.iter(), &mut self.output)?,
                Some(chosen) => {
                    let chosen = chosen.iter().map(|at| values.get(*at));
                    bind_text(&step.name, chosen, &mut self.output)?;
                }
            }
            self.execute(Expect::Row(change.clone(), step.answer))?;
        }
        self.exchange_if_much().await
    }

    /// Whether the target's table is known to take this change's statement.
    pub(super) fn is_fitting(&self, change: &Change) -> bool {
        self.fitting.contains(&change.prepare.id)
    }

    /// A table of the target, if it was asked for already.
    pub(super) fn known_table(&self, name: &QualifiedName) -> Option<Arc<TargetTable>> {
        self.tables.get(name).cloned()
    }

    /// Writes several rows together in the open transaction.
    pub(super) async fn set(&mut self, set: &Set<'_>) -> Result<(), ApplyError> {
        let table = set.first.table();
        let sql = (self.tables.get(table)).and_then(|known| set.sql(known));
        // Not known any more, or altered: row by row, it is looked at again.
        let sql = sql.ok_or_else(|| ApplyError::RowsTogether {
            table: Box::new(table.clone()),
            rows: 0,
            expected: set.rows as u64,
        })?;
        let is_copy = set.action == Action::Insert;
        let name = match is_copy {
            true => String::new(),
            false => self.prepare_set(&sql, set).await?,
        };
        for rows in set.commands() {
            let expected = match set.action {
                Action::Miss => 0,
                _ => rows.count as u64,
            };
            let expect = Expect::Rows(set.first.clone(), expected);
            if is_copy {
                self.parse("", &sql)?;
                self.run("", expect)?;
                self.copy(&rows)?;
            } else {
                let as_text = Some(0);
                let bound = frontend::bind(
                    "",
                    &name,
                    as_text,
                    0..rows.width,
                    |column, array| {
                        rows.write_array(column, array);
                        Ok(IsNull::No)
                    },
                    as_text,
                    &mut self.output,
                );
                bound.map_err(unbound)?;
                self.execute(expect)?;
            }
            self.exchange_if_much().await?;
        }
        Ok(())
    }

    /// Appends the rows of a COPY and its end.
    fn copy(&mut self, rows: &Rows<'_>) -> Result<(), ApplyError> {
        self.output.put_u8(b'd');
        let begin = self.output.len();
        self.output.put_i32(0);
        rows.write_copied(&mut self.output);
        let length = i32::try_from(self.output.len() - begin)
            .map_err(|_| pg::Error::Protocol("rows too large for the protocol".into()))?;
        self.output[begin..begin + 4].copy_from_slice(&length.to_be_bytes());
        frontend::copy_done(&mut self.output);
        Ok(())
    }

    /// The name of a command for several rows, prepared.
    async fn prepare_set(&mut self, sql: &str, set: &Set<'_>) -> Result<String, ApplyError> {
        if let Some((name, _)) = self.prepared_sets.get(sql) {
            return Ok(name.clone());
        }
        self.bound_prepared(set.columns.len()).await?;
        self.set_names += 1;
        let name = format!("pgflit_set_{}", self.set_names);
        self.parse(&name, sql)?;
        let table = set.first.table().clone();
        self.prepared_sets
            .insert(sql.to_owned(), (name.clone(), table));
        self.unconfirmed.push(Unconfirmed::Set(sql.to_owned()));
        Ok(name)
    }

    /// What is sent from here on can be undone by itself. True if that takes a savepoint, because the
    /// open transaction has more than that.
    ///
    /// Whatever was sent before is answered first: an error of it is none of the batch's, and undoing the
    /// batch would not undo it.
    pub(super) async fn begin_batch(&mut self) -> Result<bool, ApplyError> {
        let within = self.open;
        if within {
            self.exchange().await?;
        }
        self.conflicts_before = self.conflicts;
        match within {
            true => self.run(SAVEPOINT, Expect::Control("SAVEPOINT"))?,
            false => self.begin()?,
        }
        Ok(within)
    }

    /// Has the answers to all that was sent since [`Target::begin_batch`].
    pub(super) async fn end_batch(&mut self, within: bool) -> Result<(), ApplyError> {
        if within {
            self.run(RELEASE, Expect::Control("RELEASE"))?;
        }
        self.exchange().await
    }

    /// Undoes what was sent since [`Target::begin_batch`].
    pub(super) async fn undo_batch(&mut self, within: bool) -> Result<(), ApplyError> {
        if let Err(error) = self.exchange().await {
            // Of what is undone; or the next exchange fails too.
            tracing::debug!("{error}, in what is undone");
        }
        match within {
            true => {
                self.run(ROLLBACK_TO, Expect::Control("ROLLBACK"))?;
                // Or a later ROLLBACK TO would find it where its own savepoint was refused.
                self.run(RELEASE, Expect::Control("RELEASE"))?;
                self.conflicts = self.conflicts_before;
                self.exchange().await
            }
            false => self.rollback().await,
        }
    }

    /// Prepares what is run for this change's statement, if the target's table takes it.
    async fn prepare(&mut self, change: &Change) -> Result<Arc<[Step]>, ApplyError> {
        let table = self.fitting_table(change).await?;
        self.bound_prepared(change.values.len()).await?;
        let policy = match change.has_own_key(&table) {
            // What has this key may be a row of another partition.
            true => OnConflict::Stop,
            false => self.on_conflict,
        };
        let steps: Arc<[Step]> = plan(&change.prepare, &table, policy).into();
        for step in steps.iter() {
            self.parse(&step.name, &step.sql)?;
        }
        self.unconfirmed.push(Unconfirmed::Row(change.prepare.id));
        self.prepared.insert(change.prepare.id, Arc::clone(&steps));
        Ok(steps)
    }

    /// The table that takes this change's statement, or why it does not.
    pub(super) async fn fitting_table(
        &mut self,
        change: &Change,
    ) -> Result<Arc<TargetTable>, ApplyError> {
        let name = change.table().clone();
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
            self.forget_table(&name);
            table = self.table(&name).await?;
            problem = fits(&table);
        }
        match (table, problem) {
            (Some(table), None) => {
                if self.fitting.len() >= FITTING_MAX {
                    self.fitting.clear();
                }
                self.fitting.insert(change.prepare.id);
                Ok(table)
            }
            (_, problem) => Err(misfit(problem.unwrap_or_default())),
        }
    }

    /// A table as the target has it; none if it has not.
    async fn table(
        &mut self,
        name: &QualifiedName,
    ) -> Result<Option<Arc<TargetTable>>, ApplyError> {
        let is_old = |asked: &Instant| asked.elapsed() > AHEAD_MAX;
        if let Some(known) = self.tables.get(name)
            && !self.ahead.get(name).is_some_and(is_old)
        {
            self.ahead.remove(name);
            return Ok(Some(Arc::clone(known)));
        }
        self.forget_ahead(is_old);
        // What was sent before has its answers first.
        self.exchange().await?;
        let (its_name, count) = (name_in_question(name), self.together);
        // What follows the next that is known was asked about along with that.
        let mut behind = self.tables.range((Excluded(name), Unbounded));
        let next = behind.next().filter(|(next, _)| next.schema == name.schema);
        let end = next.map_or("NULL".to_owned(), |(next, _)| quote_literal(&next.name));
        let execute = format!("EXECUTE {QUESTION} ({its_name}, {count}, {end})");
        let now = Instant::now();
        let results = self.connection.query(&execute).await?;
        let found = results.first().map(TargetTable::read).unwrap_or_default();
        self.together = (self.together * 2).min(TOGETHER_MAX);
        if self.columns >= COLUMNS_MAX {
            self.forget_ahead(|_| true);
        }
        // Not even those that have changes have room.
        if self.columns >= COLUMNS_MAX {
            self.tables.clear();
            self.fitting.clear();
            (self.columns, self.together) = (0, 1);
        }
        for (found, table) in found {
            // Those that are known are as they were when statements were made for them.
            if let Entry::Vacant(entry) = self.tables.entry(found) {
                if entry.key() != name {
                    self.ahead.insert(entry.key().clone(), now);
                }
                self.columns += table.width();
                entry.insert(Arc::new(table));
            }
        }
        Ok(self.tables.get(name).cloned())
    }

    /// What the target answers to `sql`, for each row two columns.
    pub(super) async fn ask(
        &mut self,
        sql: &str,
    ) -> Result<impl Iterator<Item = (Option<String>, Option<String>)> + use<>, ApplyError> {
        // What was sent before has its answers first.
        self.exchange().await?;
        let results = self.connection.query(sql).await?;
        let rows = results.into_iter().flat_map(|result| result.rows);
        Ok(rows.map(|mut row| {
            let second = (row.len() > 1).then(|| row.swap_remove(1)).flatten();
            let first = row.into_iter().next().flatten();
            (first, second)
        }))
    }

    /// Forgets what is known of a statement and its table: the next use asks and prepares again.
    pub(super) async fn forget(&mut self, prepare: &Prepare) -> Result<(), ApplyError> {
        // A server that passes over what follows an error would pass over what closes statements too.
        self.exchange().await?;
        self.forget_table(&prepare.table);
        self.fitting.clear();
        // The columns may have other types by now.
        self.close_sets(|table| *table == prepare.table)?;
        if let Some(steps) = self.prepared.remove(&prepare.id) {
            self.close(&steps)?;
        }
        Ok(())
    }

    /// Forgets those that were asked for at such a time and have had no change.
    fn forget_ahead(&mut self, is_meant: impl Fn(&Instant) -> bool) {
        for (name, _) in self.ahead.extract_if(|_, asked| is_meant(asked)) {
            if let Some(known) = self.tables.remove(&name) {
                self.columns = self.columns.saturating_sub(known.width());
            }
        }
    }

    /// It is asked for anew; alone, as each of those that are forgotten one by one.
    fn forget_table(&mut self, table: &QualifiedName) {
        self.together = 1;
        if let Some(known) = self.tables.remove(table) {
            self.columns = self.columns.saturating_sub(known.width());
        }
    }

    fn close(&mut self, steps: &[Step]) -> Result<(), ApplyError> {
        for step in steps {
            frontend::close(b'S', &step.name, &mut self.output).map_err(pg::Error::from)?;
        }
        Ok(())
    }

    fn close_sets(&mut self, of: impl Fn(&QualifiedName) -> bool) -> Result<(), ApplyError> {
        let closed = (self.prepared_sets).extract_if(|_, (_, table)| of(table));
        for (_, (name, _)) in closed {
            frontend::close(b'S', &name, &mut self.output).map_err(pg::Error::from)?;
        }
        Ok(())
    }

    /// Makes room for one more statement.
    async fn bound_prepared(&mut self, parameters: usize) -> Result<(), ApplyError> {
        self.prepared_size += PLAN_BASE + parameters;
        if self.prepared_size < PREPARED_MAX {
            return Ok(());
        }
        // A server that passes over what follows an error would pass over these too.
        self.exchange().await?;
        self.prepared_size = 0;
        self.close_sets(|_| true)?;
        for steps in std::mem::take(&mut self.prepared).into_values() {
            self.close(&steps)?;
        }
        Ok(())
    }

    /// Empties relations in the open transaction.
    pub(super) async fn empty(&mut self, emptied: &Emptied) -> Result<(), ApplyError> {
        for (table, rows) in &emptied.partly {
            self.empty_rows(table, rows, emptied).await?;
        }
        match emptied.line.rels.is_empty() {
            true => Ok(()),
            false => self.truncate(emptied).await,
        }
    }

    async fn truncate(&mut self, emptied: &Emptied) -> Result<(), ApplyError> {
        let Emptied { emptying, line, .. } = emptied;
        let mut partitioned = HashSet::default();
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
        self.run("", Expect::Truncate(Arc::clone(emptying)))?;
        self.exchange_if_much().await
    }

    /// Deletes the rows of `table` for which `condition` holds: what is left to empty of a table whose
    /// copy contains a part of a TRUNCATE.
    async fn empty_rows(
        &mut self,
        table: &QualifiedName,
        condition: &str,
        emptied: &Emptied,
    ) -> Result<(), ApplyError> {
        let only = match self.table(table).await? {
            Some(known) if known.partitioned => "",
            _ => "ONLY ",
        };
        let sql = format!("DELETE FROM {only}{} WHERE {condition}", table.quoted());
        self.parse("", &sql)?;
        self.run("", Expect::Truncate(Arc::clone(&emptied.emptying)))?;
        self.exchange_if_much().await
    }

    /// Commits the open transaction together with the position of `last`, which follows `after` as the
    /// target has it. When this returns, the
    /// server has confirmed it. Gives how many changes found the target otherwise than the source
    /// was.
    pub(super) async fn commit(&mut self, last: &Commit, after: Lsn) -> Result<u64, ApplyError> {
        // A change that touched no row is no error for the server, which would commit the others.
        self.exchange().await?;
        let lsn = last.lsn.to_string();
        // An origin wants a time; where the plugin gives none, the epoch stands for "unknown".
        let at = last
            .timestamp
            .as_deref()
            .unwrap_or("2000-01-01 00:00:00+0000");
        let after = after.to_string();
        let values = [&*lsn, at, &*after].map(|value| Some(value.as_bytes()));
        let taken = match self.tracking {
            Tracking::Origin => 2,
            Tracking::Table => 3,
        };
        bind_text(POSITION, values.into_iter().take(taken), &mut self.output)?;
        self.execute(Expect::Position)?;
        self.run(COMMIT, Expect::Control("COMMIT"))?;
        self.exchange().await?;
        self.open = false;
        Ok(std::mem::take(&mut self.conflicts))
    }

    /// Has the answers to all that was sent.
    pub(super) async fn settle(&mut self) -> Result<(), ApplyError> {
        self.exchange().await
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
            // The target works on this while more is made ready.
            true => Box::pin(self.exchange_but(1)).await,
            false => Ok(()),
        }
    }

    /// Statements of a pipeline that has failed are prepared anew at their next use.
    fn forget_unconfirmed(&mut self) -> Result<(), ApplyError> {
        for unconfirmed in std::mem::take(&mut self.unconfirmed) {
            match unconfirmed {
                Unconfirmed::Row(id) => {
                    if let Some(steps) = self.prepared.remove(&id) {
                        self.close(&steps)?;
                    }
                }
                Unconfirmed::Set(sql) => {
                    if let Some((name, _)) = self.prepared_sets.remove(&sql) {
                        frontend::close(b'S', &name, &mut self.output).map_err(pg::Error::from)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Sends what is gathered and reads every answer.
    async fn exchange(&mut self) -> Result<(), ApplyError> {
        Box::pin(self.exchange_but(0)).await
    }

    /// Sends what is gathered, and reads the answers to all but the last `later` that were sent; at the
    /// same time, so that neither side waits for the other to read.
    async fn exchange_but(&mut self, later: usize) -> Result<(), ApplyError> {
        // Sync ends no explicit transaction; it only asks for the answers.
        frontend::sync(&mut self.output);
        self.expected.push_back(Expect::Ready);
        self.unanswered += 1;
        let (mut reader, mut writer) = self.connection.split();
        writer.buffer().unsplit(self.output.split());
        let mut answers = Answers {
            expected: &mut self.expected,
            unanswered: &mut self.unanswered,
            conflicts: &mut self.conflicts,
            before: &mut self.touched_before,
            failed: Ok(()),
        };
        let mut written = Ok(());
        let mut is_written = false;
        // Of a pipeline that has failed all is read.
        let read = loop {
            let later = if answers.failed.is_ok() { later } else { 0 };
            if *answers.unanswered <= later && (is_written || *answers.unanswered == 0) {
                break answers.failed;
            }
            tokio::select! {
                flushed = writer.flush(), if !is_written => {
                    (written, is_written) = (flushed, true);
                }
                message = reader.next() => match message {
                    Ok(message) => answers.take(message),
                    Err(error) => break answers.failed.and(Err(error.into())),
                },
            }
        };
        // The server's reason says more than a broken pipe.
        if let Err(error) = read {
            self.forget_unconfirmed()?;
            return Err(error);
        }
        written?;
        if self.unanswered == 0 {
            self.unconfirmed.clear();
        }
        Ok(())
    }
}

/// Said of a change of a table that is missing.
const NOT_THERE: &str = "the target has no such table";
