//! The rows of all tables, in as many epochs as it takes; and each table's indexes as soon as its
//! rows are there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::base::QualifiedName;
use crate::base::Side;
use crate::base::cause::chain;
use crate::base::ident::quote_ident;
use crate::base::milestone::STAGE;
use crate::base::quantity::{ByteSize, display_duration};
use crate::catalog::column_types;
use crate::catalog::ledger::{self, Ledger};
use crate::clone::completion::{self, Completion, TableToComplete};
use crate::clone::method::{self, Method};
use crate::clone::rows::{self, RowsError, Task};
use crate::store::{IndexRow, PartRow, ProgressNews, ROWS_STEP, TableRow};

use super::large_objects::Copying;
use super::left::{Left, left};
use super::readers::{Readers, in_turn};
use super::scope::{Action, Scope};
use super::steps::BaseCopy;
use super::told::on_target_now;
use crate::migration::error::{MigrationError, on_source, on_target};
use crate::migration::progress::{Done, Progress, Totals};

/// The step that ends when every index is on the target.
pub(super) const INDEXES_STEP: &str = "indexes";

/// How often indexes are built again that a crash of the target has undone: a target that goes on
/// crashing needs its operator.
const CRASHES_MAX: u32 = 3;

/// What tables are to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Their rows, and nothing that needs them.
    Rows,
    /// Indexes, for the rows that are there.
    Indexes,
    /// Rows, and each table's indexes as soon as its rows are there.
    Both,
}

impl Wanted {
    /// None if `scope` has neither.
    pub(super) fn of(scope: Scope) -> Option<Self> {
        match (scope.has(Action::Rows), scope.has(Action::Indexes)) {
            (true, false) => Some(Wanted::Rows),
            (false, true) => Some(Wanted::Indexes),
            (true, true) => Some(Wanted::Both),
            (false, false) => None,
        }
    }

    const fn rows(self) -> bool {
        matches!(self, Wanted::Rows | Wanted::Both)
    }

    const fn indexes(self) -> bool {
        matches!(self, Wanted::Indexes | Wanted::Both)
    }
}

/// What the source has, and how it is moved.
pub(super) struct Plan {
    pub(super) tables: Vec<Arc<TableRow>>,
    parts: HashMap<u32, Vec<PartRow>>,
    methods: HashMap<u32, Method>,
}

impl Plan {
    pub(super) fn parts_of(&self, table: u32) -> &[PartRow] {
        self.parts.get(&table).map_or(&[], Vec::as_slice)
    }

    pub(super) fn left(&self, table: &TableRow, ledger: &Ledger, several_moments: bool) -> Left {
        let done = ledger.parts_of(&table.name);
        left(self.parts_of(table.oid), done, several_moments)
    }
}

/// How the copy under one snapshot ended, if not with an error.
enum Copied {
    /// With everything.
    All,
    /// Tables are left whose rows the snapshot cannot see any more.
    AllButRewritten,
}

impl BaseCopy<'_> {
    pub(super) async fn tables(
        &mut self,
        wanted: Wanted,
        ledger: &Ledger,
        tables: Vec<TableRow>,
        readers: Option<Readers>,
        large_objects: &mut Option<Copying>,
    ) -> Result<(), MigrationError> {
        self.go_on()?;
        let readers = readers.filter(|_| wanted.rows());
        let rows_done = readers.is_none() && self.store.step_is_done(ROWS_STEP)?;
        let indexes_done = self.store.step_is_done(INDEXES_STEP)?;
        if (rows_done || !wanted.rows()) && (indexes_done || !wanted.indexes()) {
            return Ok(());
        }
        let parts = self.store.parts()?;
        let indexes = match wanted.indexes() {
            true => self.store.indexes()?,
            false => Vec::new(),
        };
        let mut plan = Plan {
            parts: by_table(parts, |part| part.table_oid),
            methods: match &readers {
                Some(readers) => self.methods(readers, &tables).await?,
                None => HashMap::new(),
            },
            tables: tables.into_iter().map(Arc::new).collect(),
        };
        self.begin_progress(&plan, ledger, &indexes)?;
        for (step, is_wanted) in [(ROWS_STEP, wanted.rows()), (INDEXES_STEP, wanted.indexes())] {
            if is_wanted {
                self.store.begin_step(step)?;
            }
        }
        let completion = self
            .start_completion(wanted, &plan, indexes.clone())
            .await?;
        let mut late = Vec::new();
        let none = |_| false;
        self.leave_for_later(&plan, ledger, none, &indexes, &completion, &mut late)
            .await?;
        let mut before = 0;
        for table in &plan.tables {
            let is_there = plan.left(table, ledger, false) == Left::Nothing;
            // Without rows to copy, whatever rows are there are the ones to index.
            if is_there || !wanted.rows() {
                completion.copied(table.oid);
            }
            before += usize::from(is_there);
        }
        if before > 0 && wanted.rows() {
            let all = plan.tables.len();
            tracing::info!("{before} of {all} tables are copied already");
        }
        if let Some(readers) = readers {
            let copied = self
                .rows(&mut plan, ledger, readers, &indexes, &completion, &mut late)
                .await;
            if let Err(error) = copied {
                return Err(self.without_all_rows(error, completion));
            }
        }
        if wanted.rows() {
            self.store.finish_step(ROWS_STEP)?;
            let rows = self.config.progress.view().done;
            tracing::info!(
            target: STAGE,
                "all rows are on the target: {} rows, {} moved",
                rows.rows,
                ByteSize(rows.moved)
            );
        }
        // Their end is noted now, not after the indexes: a copy that is killed meanwhile then needs
        // no snapshot to go on.
        let objects = self.end_large_objects(large_objects.take()).await;
        // Nothing is read on standbys any more.
        self.release_standbys().await;
        // Theirs is the error if it ended what it runs beside; a stop is none.
        match (completion.finish(), objects) {
            (Ok(()), objects) => objects?,
            (Err(error), _) => return Err(error.into()),
        }
        self.go_on()?;
        if !wanted.indexes() {
            return Ok(());
        }
        self.late_indexes(&plan, wanted, late).await?;
        self.nothing_lost_of(&plan, wanted, &indexes).await?;
        tracing::info!(target: STAGE, "{} indexes are on the target", indexes.len());
        Ok(self.store.finish_step(INDEXES_STEP)?)
    }

    /// Rows of some tables are missing, as `error` says: the indexes of those that are complete are
    /// built all the same, unless everything is to stop.
    fn without_all_rows(&self, error: MigrationError, completion: Completion) -> MigrationError {
        if self.config.choices.fail_fast {
            self.give_up.ask();
        }
        match (error, completion.finish()) {
            // Given up, because an index had failed.
            (MigrationError::Stopped, Err(failed)) => failed.into(),
            (error, _) => error,
        }
    }

    /// How each table is moved, from what both servers say of it.
    pub(super) async fn methods(
        &self,
        readers: &Readers,
        tables: &[TableRow],
    ) -> Result<HashMap<u32, Method>, MigrationError> {
        let reading = "reading the types of columns";
        let target = method::look(&self.target).await;
        let target = target.map_err(on_target(reading))?;
        self.check_triggers(tables).await?;
        let split: Vec<_> = self.store.parts()?;
        let is_split = |oid| split.iter().any(|part| part.table_oid == oid);
        let format = self.config.choices.format;
        let (mut methods, mut errors) = (HashMap::new(), Vec::new());
        // Each place has the types of its own moment.
        for (place, session) in readers.sessions() {
            let source = method::look(session).await;
            let source = source.map_err(on_source(reading))?;
            let there = tables.iter().filter(|it| readers.is_read_at(it.oid, place));
            let there: Vec<_> = there.cloned().collect();
            match method::decide(&source, &target, &there, format, is_split) {
                Ok(decided) => methods.extend(decided),
                Err(several) => errors.extend(several),
            }
        }
        for error in &errors {
            tracing::error!("{}", chain(error));
        }
        let count = errors.len();
        match errors.into_iter().next() {
            Some(first) => Err(MigrationError::Methods { count, first }),
            None => Ok(methods),
        }
    }

    /// Triggers come after the rows. Where somebody else has made the tables they may be there, and
    /// would change rows, or do a second time what the source's have done.
    async fn check_triggers(&self, tables: &[TableRow]) -> Result<(), MigrationError> {
        let triggers = column_types::firing_triggers(&self.target).await;
        let triggers = triggers.map_err(on_target("looking at its triggers"))?;
        let found = tables
            .iter()
            .find_map(|table| Some((&table.name, triggers.get(&table.name)?)));
        let Some((table, trigger)) = found else {
            return Ok(());
        };
        Err(MigrationError::Refused {
            side: Some(Side::Target),
            problem: format!(
                "trigger {} of {table} on the target would fire for every row that is copied",
                quote_ident(trigger)
            ),
            hint: format!(
                "ALTER TABLE {} DISABLE TRIGGER {} until the rows are copied",
                table.quoted(),
                quote_ident(trigger)
            ),
        })
    }

    fn begin_progress(
        &mut self,
        plan: &Plan,
        ledger: &Ledger,
        indexes: &[IndexRow],
    ) -> Result<(), MigrationError> {
        let several_moments = self.several_moments();
        let mut done = Done::default();
        for table in &plan.tables {
            let left = plan.left(table, ledger, several_moments);
            done.tables += usize::from(left == Left::Nothing);
            done.bytes += match left {
                Left::Nothing => table.bytes,
                Left::Whole | Left::AllParts => 0,
                Left::Parts(numbers) => {
                    let parts = plan.parts_of(table.oid).iter();
                    let there = parts.filter(|part| !numbers.contains(&part.number));
                    there.map(|part| part.bytes).sum()
                }
            };
        }
        done.bytes_before = done.bytes;
        let totals = Totals {
            tables: plan.tables.len(),
            bytes: plan.tables.iter().map(|table| table.bytes).sum(),
            indexes: indexes.len(),
        };
        self.config.progress.begin(totals, done);
        let known = self.store.part_progress()?;
        let is_kept =
            |table: &&Arc<TableRow>| plan.left(table, ledger, several_moments) != Left::AllParts;
        let there = on_target_now(plan.tables.iter().filter(is_kept), ledger, known);
        Ok(self.store.begin_progress(&there)?)
    }

    /// Whether the tables need not be of one moment: without the stream, that is what
    /// `--not-consistent` asked for.
    fn several_moments(&self) -> bool {
        self.config.run.slot.is_none()
    }

    pub(super) async fn start_completion(
        &self,
        wanted: Wanted,
        plan: &Plan,
        indexes: Vec<IndexRow>,
    ) -> Result<Completion, MigrationError> {
        let failed = on_target("looking at its indexes");
        let existing = completion::existing(&self.target).await.map_err(&failed)?;
        // What was seen is not made again, so it may not be lost either.
        ledger::make_durable(&self.target).await.map_err(&failed)?;
        let all = indexes.len();
        let missing: Vec<_> = indexes
            .into_iter()
            .filter_map(|index| existing.left_of(index))
            .collect();
        self.config.progress.indexes_are_there(all - missing.len());
        let mut missing = by_table(missing, |index: &IndexRow| index.table_oid);
        let tables = plan.tables.iter().map(|table| TableToComplete {
            oid: table.oid,
            name: table.name.clone(),
            indexes: missing.remove(&table.oid).unwrap_or_default(),
            freeze: !plan.parts_of(table.oid).is_empty(),
        });
        let choices = &self.config.choices;
        let config = completion::Config {
            target: self.config.target.clone(),
            jobs: choices.index_jobs,
            // Statistics come after the indexes, which may be on expressions.
            tidying: choices.tidying.filter(|_| wanted.indexes()),
            fail_fast: choices.fail_fast,
            give_up: self.give_up.clone(),
            retry_for: choices.retry_for,
        };
        let progress = Arc::clone(&self.config.progress);
        let events = move |event: completion::Event<'_>| {
            if let completion::Event::Built { index, took } = &event {
                tracing::info!("built {}: {}", index.name, display_duration(*took));
            }
            progress.of_completion(&event);
        };
        Ok(Completion::start(
            config,
            tables.collect(),
            self.shutdown,
            Arc::new(events),
        ))
    }

    /// Copies what is missing; under further epochs what the first cannot see any more, because it
    /// was truncated or rewritten meanwhile. The last epoch's snapshots are let go at the end.
    async fn rows(
        &mut self,
        plan: &mut Plan,
        ledger: &Ledger,
        readers: Readers,
        indexes: &[IndexRow],
        completion: &Completion,
        late: &mut Vec<IndexRow>,
    ) -> Result<(), MigrationError> {
        let mut readers = readers;
        let mut ledger = ledger.clone();
        loop {
            let tasks = self.prepare(plan, &ledger, &readers).await?;
            if tasks.is_empty() {
                return Ok(());
            }
            let is_split = |table: u32| readers.is_split(table);
            self.leave_for_later(plan, &ledger, is_split, indexes, completion, late)
                .await?;
            let copied = self.rows_of_epoch(&readers, tasks, completion)?;
            self.reopen_target().await?;
            ledger::make_durable(&self.target)
                .await
                .map_err(on_target("making its rows durable"))?;
            ledger = self.read_ledger().await?;
            // Workers tell only of their own commits: the answer to one may have been lost, or a
            // server process that an earlier run left behind was faster.
            let is_complete = |table: &&Arc<TableRow>| ledger.is_complete(&table.name);
            let complete: Vec<_> = plan.tables.iter().filter(is_complete).collect();
            for table in &complete {
                completion.copied(table.oid);
            }
            if complete.len() == plan.tables.len() {
                let known = self.store.part_progress()?;
                return Ok(self.store.note_progress(&ProgressNews {
                    parts: on_target_now(plan.tables.iter(), &ledger, known),
                    ..ProgressNews::default()
                })?);
            }
            self.go_on()?;
            match copied {
                // A later snapshot sees their rows, and the columns that they have by now.
                Copied::AllButRewritten => {
                    let epoch = self.open_later_epoch(&ledger).await?;
                    let tables: Vec<_> =
                        plan.tables.iter().map(|table| (**table).clone()).collect();
                    readers = self.open_readers(epoch, &tables, &ledger).await?;
                    plan.methods = self.methods(&readers, &tables).await?;
                }
                // The target crashed since, and lost commits that did not wait for its disk. The
                // snapshot is still there.
                Copied::All => tracing::warn!(
                    "the target has lost rows that it had confirmed: they are copied again"
                ),
            }
        }
    }

    /// What is to be copied, in order: all of the biggest table first, so that its indexes can
    /// begin. Tables in parts are made empty where they hold what cannot be used.
    async fn prepare(
        &self,
        plan: &Plan,
        ledger: &Ledger,
        readers: &Readers,
    ) -> Result<Vec<Task>, MigrationError> {
        let several_moments = self.several_moments();
        let mut tasks = Vec::new();
        for table in &plan.tables {
            let Some(method) = plan.methods.get(&table.oid) else {
                continue;
            };
            let parts = plan.parts_of(table.oid);
            let part_count = u32::try_from(parts.len().max(1)).unwrap_or(u32::MAX);
            let task = |part: Option<PartRow>| Task {
                table: Arc::clone(table),
                reader: readers.place_of(table.oid, part.as_ref().map(|part| part.number)),
                part,
                part_count,
                method: method.clone(),
                replaces: false,
            };
            match plan.left(table, ledger, several_moments) {
                Left::Nothing => {}
                Left::Whole => tasks.push(task(None)),
                Left::Parts(numbers) => {
                    let left = parts.iter().filter(|part| numbers.contains(&part.number));
                    tasks.extend(left.cloned().map(|part| task(Some(part))));
                }
                Left::AllParts => {
                    self.make_empty(&table.name, method).await?;
                    tasks.extend(parts.iter().cloned().map(|part| task(Some(part))));
                }
            }
        }
        Ok(in_turn(tasks))
    }

    /// Parts are added to an empty table. Rows that the ledger knows are taken away together with
    /// its lines; others are not ours.
    ///
    /// A server process that a killed run left behind may be about to commit a part: the lock waits
    /// for its end, and what it has committed then goes like the rest.
    async fn make_empty(
        &self,
        table: &QualifiedName,
        method: &Method,
    ) -> Result<(), MigrationError> {
        let (name, only) = (table.quoted(), method.only());
        let look = async {
            let lock = format!("BEGIN; LOCK TABLE {only}{name} IN SHARE MODE");
            self.target.batch(&lock).await?;
            let sql = format!(
                "SELECT EXISTS (SELECT FROM {only}{name}),
                        EXISTS (SELECT FROM pgflit.part WHERE schema_name = $1 AND table_name = $2)"
            );
            let row = self
                .target
                .query_one(&sql, &[&table.schema, &table.name])
                .await?;
            let (has_rows, is_known): (bool, bool) = (row.get(0), row.get(1));
            let end = match is_known {
                true => format!("{}; COMMIT", ledger::forget_sql(table, only)),
                false => "COMMIT".to_owned(),
            };
            self.target.batch(&end).await?;
            Ok(has_rows && !is_known)
        };
        let failed = on_target("making a table empty that is copied again");
        match look.await.map_err(failed)? {
            false => Ok(()),
            true => Err(RowsError::NotEmpty {
                table: table.clone(),
            }
            .into()),
        }
    }

    fn rows_of_epoch(
        &self,
        readers: &Readers,
        tasks: Vec<Task>,
        completion: &Completion,
    ) -> Result<Copied, MigrationError> {
        let config = rows::Config {
            readers: &readers.list,
            target: self.config.target.clone(),
            jobs: self.config.choices.table_jobs,
            fail_fast: self.config.choices.fail_fast,
            give_up: self.give_up.clone(),
            retry_for: self.config.choices.retry_for,
            load_limit: self.config.choices.source_load_limit,
        };
        let epochs = readers.list.iter().map(|reader| reader.epoch).collect();
        let report = CopyReport::new(&self.config.progress, epochs, completion, &tasks);
        let outcome = rows::copy_all(&config, tasks, self.shutdown, &|event| report.take(&event));
        let mut failed = Vec::new();
        let mut copied = Copied::All;
        for error in outcome.failed {
            match error {
                // Without the stream, tables of two moments would not fit together.
                RowsError::Rewritten { table } if self.config.run.slot.is_some() => {
                    copied = Copied::AllButRewritten;
                    tracing::info!(
                        "{} was truncated or rewritten meanwhile: it is copied again",
                        table.name
                    );
                }
                error => {
                    tracing::error!("{}", chain(&error));
                    failed.push(error);
                }
            }
        }
        let count = failed.len();
        let mut errors = failed.into_iter();
        match errors.next() {
            Some(first) if count == 1 => return Err(first.into()),
            Some(first) => {
                return Err(MigrationError::ManyRows {
                    failed: count,
                    first,
                });
            }
            None => {}
        }
        match outcome.stopped {
            true => Err(MigrationError::Stopped),
            false => Ok(copied),
        }
    }

    /// Commits of the index workers do not wait for the disk: had the target crashed since, some
    /// would be missing now, and are built again.
    async fn nothing_lost_of(
        &mut self,
        plan: &Plan,
        wanted: Wanted,
        indexes: &[IndexRow],
    ) -> Result<(), MigrationError> {
        for crash in 0.. {
            self.reopen_target().await?;
            let lost = self.lost_indexes(indexes).await?;
            let Some(first) = lost.first() else {
                break;
            };
            if crash == CRASHES_MAX {
                let name = first.name.clone();
                return Err(completion::CompletionError::Lost { name }.into());
            }
            tracing::warn!(
                "the target has lost {} indexes that it had confirmed: they are built again",
                lost.len()
            );
            let completion = self.start_completion(wanted, plan, lost.clone()).await?;
            for index in &lost {
                completion.copied(index.table_oid);
            }
            completion.finish()?;
            self.go_on()?;
        }
        Ok(())
    }

    /// Those of `indexes` that are not on the target's disk.
    async fn lost_indexes(&self, indexes: &[IndexRow]) -> Result<Vec<IndexRow>, MigrationError> {
        let failed = on_target("looking at its indexes");
        ledger::make_durable(&self.target).await.map_err(&failed)?;
        let existing = completion::existing(&self.target).await.map_err(&failed)?;
        let lost = indexes.iter().filter(|index| !existing.has(index));
        Ok(lost.cloned().collect())
    }
}

fn by_table<T>(rows: Vec<T>, table: impl Fn(&T) -> u32) -> HashMap<u32, Vec<T>> {
    let mut grouped: HashMap<_, Vec<_>> = HashMap::new();
    for row in rows {
        grouped.entry(table(&row)).or_default().push(row);
    }
    grouped
}

/// Tells log, progress and the index workers what the copy workers say.
struct CopyReport<'a> {
    progress: &'a Progress,
    /// Of each reader.
    epochs: Vec<u32>,
    completion: &'a Completion,
    /// Parts that are not on the target yet, by table.
    missing: Mutex<HashMap<u32, usize>>,
}

impl<'a> CopyReport<'a> {
    fn new(
        progress: &'a Progress,
        epochs: Vec<u32>,
        completion: &'a Completion,
        tasks: &[Task],
    ) -> Self {
        let mut missing = HashMap::new();
        for task in tasks {
            *missing.entry(task.table.oid).or_insert(0) += 1;
        }
        Self {
            progress,
            epochs,
            completion,
            missing: Mutex::new(missing),
        }
    }

    fn take(&self, event: &rows::Event<'_>) {
        let epoch = self.epochs.get(event.task().reader).copied();
        self.progress.of_rows(epoch.unwrap_or_default(), event);
        let task = match event {
            rows::Event::Copied { task, part, took } => {
                tracing::info!(
                    "copied {task}: {} rows, {}, {}",
                    part.rows,
                    ByteSize(part.bytes),
                    display_duration(*took)
                );
                task
            }
            rows::Event::Found { task } => {
                tracing::info!("{task} is on the target already");
                task
            }
            rows::Event::Begun { .. } | rows::Event::Ended { .. } => return,
        };
        if self.was_last(task.table.oid) {
            self.progress.table_is_copied();
            self.completion.copied(task.table.oid);
        }
    }

    /// One part less to wait for; true for the last.
    fn was_last(&self, table: u32) -> bool {
        let mut missing = self
            .missing
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        missing.get_mut(&table).is_some_and(|left| {
            *left -= 1;
            *left == 0
        })
    }
}
