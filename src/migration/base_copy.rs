//! The steps of the base copy, each once, in order.
//!
//! | step | done when |
//! |---|---|
//! | catalog | the store holds it, and the dump is on disk |
//! | pre-data | the target's mark, in the transaction that made it |
//! | rows | every table is in the target's ledger |
//! | indexes | each is there, by name |
//! | post-data | the target's mark |
//! | foreign keys | the target's mark |
//! | vacuum, sequences | the store says so; doing them again does no harm |

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use crate::base::cause::chain;
use crate::base::quantity::{ByteSize, display_duration};
use crate::base::{QualifiedName, Shutdown, durable_file};
use crate::catalog::discovery;
use crate::catalog::ledger::{self, Ledger};
use crate::catalog::restore_list::{
    self, Keep, Objects, PG_CLASS, PG_CONSTRAINT, PG_PUBLICATION, PG_PUBLICATION_REL,
};
use crate::clone::epoch::Epoch;
use crate::clone::indexes::{self, Tidying};
use crate::clone::programs::Programs;
use crate::clone::rows::{self, RowsError};
use crate::clone::schema::{self, Leave, SchemaError, Section};
use crate::clone::sequences;
use crate::pg::{Address, Session};
use crate::store::{CATALOG_STEP, IndexRow, ROWS_STEP, Run, Store, TableRow, WorkDir};

use super::capture::inserts_publication;
use super::error::{MigrationError, on_source, on_target, to_target};

/// How often convergence is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// What the copy is to do.
#[derive(Debug, Clone)]
pub struct Config {
    /// The source.
    pub source: Address,
    /// The target.
    pub target: Address,
    /// Where everything is kept.
    pub work_dir: WorkDir,
    /// pg_dump and pg_restore.
    pub programs: Programs,
    /// What it was begun with.
    pub run: Run,
    /// How.
    pub choices: Choices,
}

/// How the copy is made.
#[derive(Debug, Clone)]
pub struct Choices {
    /// Tables at a time.
    pub table_jobs: usize,
    /// Indexes at a time.
    pub index_jobs: usize,
    /// What of the definitions is left out.
    pub leave: Leave,
    /// Drop on the target what is about to be made.
    pub drop_if_exists: bool,
    /// What to do with each table at the end, if anything.
    pub tidying: Option<Tidying>,
    /// Stop at the first table that fails.
    pub fail_fast: bool,
}

/// Runs what is not done yet. [`MigrationError::Stopped`] when asked to stop in between.
pub async fn run(config: &Config, shutdown: &Shutdown) -> Result<(), MigrationError> {
    let store = Store::create(&config.work_dir.store_path())?;
    let target = Session::connect(&config.target, "base copy")
        .await
        .map_err(to_target(&config.target))?;
    ledger::create(&target)
        .await
        .map_err(on_target("making the schema pgflit"))?;
    let mut copy = BaseCopy {
        config,
        store,
        target,
        shutdown,
    };
    let ledger = ledger::read(&copy.target)
        .await
        .map_err(on_target("reading the ledger"))?;
    let (tables, epoch) = tokio::select! {
        found = copy.catalog(&ledger) => found?,
        // Sizes and definitions are not given while somebody holds a lock on a table.
        () = shutdown.overdue() => return Err(MigrationError::Stopped),
    };
    copy.pre_data().await?;
    copy.rows(&ledger, tables, epoch).await?;
    copy.indexes().await?;
    copy.post_data().await?;
    copy.foreign_keys().await?;
    copy.sequences().await?;
    copy.tidy().await
}

struct BaseCopy<'a> {
    config: &'a Config,
    store: Store,
    target: Session,
    shutdown: &'a Shutdown,
}

impl BaseCopy<'_> {
    fn go_on(&self) -> Result<(), MigrationError> {
        match self.shutdown.asked() {
            true => Err(MigrationError::Stopped),
            false => Ok(()),
        }
    }

    fn dump_path(&self) -> PathBuf {
        self.config.work_dir.schema_path().join("schema.dump")
    }

    /// The tables to copy; and an epoch, if anything has to be read under one.
    async fn catalog(
        &mut self,
        ledger: &Ledger,
    ) -> Result<(Vec<TableRow>, Option<Epoch>), MigrationError> {
        self.go_on()?;
        if self.store.step_is_done(CATALOG_STEP)? {
            let tables = self.store.tables()?;
            let missing = tables
                .iter()
                .any(|table| ledger.part(&table.name).is_none());
            let epoch = match missing {
                true => Some(self.open_epoch(ledger).await?),
                false => None,
            };
            return Ok((tables, epoch));
        }
        self.store.begin_step(CATALOG_STEP)?;
        let published = self.store.tables()?;
        let epoch = self.open_epoch(ledger).await?;
        let failed = on_source("reading the catalog");
        let mut tables = discovery::tables(epoch.session()).await.map_err(&failed)?;
        let indexes = discovery::indexes(epoch.session()).await.map_err(&failed)?;
        self.check_published(&published, &mut tables)?;
        self.store.set_catalog(&tables, &indexes)?;
        let (programs, source) = (&self.config.programs, &self.config.source);
        let dumped = schema::dump(
            programs,
            source,
            &epoch.id,
            &self.dump_path(),
            self.shutdown,
        );
        dumped.map_err(|error| match error {
            SchemaError::Stopped => MigrationError::Stopped,
            error => error.into(),
        })?;
        let bytes = tables.iter().map(|table| table.bytes).sum();
        tracing::info!(
            "{} tables, {}, and {} indexes to copy",
            tables.len(),
            ByteSize(bytes),
            indexes.len()
        );
        self.store.finish_step(CATALOG_STEP)?;
        Ok((tables, Some(epoch)))
    }

    /// With change capture, a table that appeared after the publication was made is not in it.
    fn check_published(
        &self,
        published: &[TableRow],
        tables: &mut [TableRow],
    ) -> Result<(), MigrationError> {
        if self.config.run.slot.is_none() {
            return Ok(());
        }
        for table in tables {
            match published.iter().find(|known| known.oid == table.oid) {
                // The count as it was before the slot: later changes are to be noticed.
                Some(known) => table.uncaptured = known.uncaptured,
                None => {
                    return Err(MigrationError::Refused {
                        side: Some(schema::Side::Source),
                        problem: format!(
                            "table {} was created on the source while the migration began",
                            table.name
                        ),
                        hint: "begin anew with --restart".to_owned(),
                    });
                }
            }
        }
        Ok(())
    }

    async fn open_epoch(&self, ledger: &Ledger) -> Result<Epoch, MigrationError> {
        let last = ledger.parts().map(|part| part.epoch).max().unwrap_or(0);
        let slot = self.config.run.slot_snapshot.as_ref();
        let slot = slot.and_then(|text| text.parse().ok());
        let epoch = Epoch::open(&self.config.source, last + 1, slot.as_ref())
            .await
            .map_err(on_source("taking a snapshot"))?;
        let path = self.config.work_dir.snapshot_path();
        durable_file::replace(&path, format!("{}\n", epoch.id).as_bytes()).map_err(|source| {
            MigrationError::Io {
                doing: "writing",
                path,
                source,
            }
        })?;
        tracing::info!(
            "epoch {}: snapshot {} ({}), consistent from {}",
            epoch.number,
            epoch.id,
            epoch.snapshot,
            epoch.insert_lsn
        );
        Ok(epoch)
    }

    /// Runs the entries of `list` and the mark of `step`, after `drops`, in one transaction of the
    /// target.
    async fn restore(&self, step: &str, list: &str, drops: &str) -> Result<(), MigrationError> {
        let list_file = self
            .config
            .work_dir
            .schema_path()
            .join(format!("{step}.list"));
        let config = self.config;
        let script = match restore_list::is_empty(list) {
            true => String::new(),
            false => schema::script(
                &config.programs,
                &self.dump_path(),
                list,
                &list_file,
                &config.choices.leave,
            )?,
        };
        // The script changes settings of its session, so it has one of its own.
        let session = Session::connect(&config.target, step)
            .await
            .map_err(to_target(&config.target))?;
        let sql = format!("BEGIN;\n{drops}\n{script}\n{}", ledger::note_step_sql(step));
        let restored = async {
            session.batch(&sql).await?;
            // Separately: when we are killed meanwhile, the server ends the script and then finds
            // nobody who asks for a commit, so that a resumed run never meets half of ours.
            session.batch("COMMIT").await
        };
        tokio::select! {
            done = restored => done.map_err(on_target("restoring the schema")),
            // One transaction: the server undoes it when it notices that we are gone.
            () = self.shutdown.overdue() => Err(MigrationError::Stopped),
        }
    }

    async fn step_is_done(&self, step: &str) -> Result<bool, MigrationError> {
        self.go_on()?;
        let done = ledger::step_is_done(&self.target, step).await;
        done.map_err(on_target("reading the ledger"))
    }

    async fn pre_data(&mut self) -> Result<(), MigrationError> {
        const STEP: &str = "pre-data";
        if self.step_is_done(STEP).await? {
            return Ok(());
        }
        self.store.begin_step(STEP)?;
        let list = schema::list(&self.config.programs, &self.dump_path(), Section::PreData)?;
        let drops = match self.config.choices.drop_if_exists {
            true => self.drops(&list)?,
            false => String::new(),
        };
        self.restore(STEP, &list, &drops).await?;
        Ok(self.store.finish_step(STEP)?)
    }

    /// What drops the entries of the pre-data `list` from the target. Tables go first, with what
    /// depends on them, such as foreign keys, which are not in this list.
    fn drops(&self, list: &str) -> Result<String, MigrationError> {
        let tables = self.store.tables()?;
        let tables = tables.iter().map(|table| table.name.quoted());
        let mut drops: String = tables
            .map(|table| format!("DROP TABLE IF EXISTS {table} CASCADE;\n"))
            .collect();
        let list_file = self.config.work_dir.schema_path().join("drop.list");
        let script =
            schema::drop_script(&self.config.programs, &self.dump_path(), list, &list_file)?;
        drops.push_str(&script);
        Ok(drops)
    }

    async fn rows(
        &mut self,
        ledger: &Ledger,
        tables: Vec<TableRow>,
        epoch: Option<Epoch>,
    ) -> Result<(), MigrationError> {
        const STEP: &str = ROWS_STEP;
        self.go_on()?;
        let Some(epoch) = epoch else {
            // All are in the ledger; killed before this was noted, apply still waits for the note.
            if !self.store.step_is_done(STEP)? {
                self.store.begin_step(STEP)?;
                self.store.finish_step(STEP)?;
            }
            return Ok(());
        };
        self.store.begin_step(STEP)?;
        let all = tables.len();
        let missing: Vec<_> = tables
            .into_iter()
            .filter(|table| ledger.part(&table.name).is_none())
            .collect();
        if missing.len() < all {
            tracing::info!("{} of {all} tables are copied already", all - missing.len());
        }
        let mut epoch = epoch;
        let mut missing = missing;
        while !missing.is_empty() {
            let tables = missing.clone();
            self.rows_of_epoch(&epoch, tables)?;
            let ledger = ledger::read(&self.target)
                .await
                .map_err(on_target("reading the ledger"))?;
            missing.retain(|table| ledger.part(&table.name).is_none());
            if !missing.is_empty() {
                self.go_on()?;
                epoch = self.open_epoch(&ledger).await?;
            }
        }
        Ok(self.store.finish_step(STEP)?)
    }

    /// Copies `tables` under one snapshot, but for those that it cannot see any more, because they
    /// were truncated or rewritten meanwhile.
    fn rows_of_epoch(&self, epoch: &Epoch, tables: Vec<TableRow>) -> Result<(), MigrationError> {
        let all = tables.len();
        let config = rows::Config {
            source: self.config.source.clone(),
            target: self.config.target.clone(),
            jobs: self.config.choices.table_jobs,
            fail_fast: self.config.choices.fail_fast,
            snapshot_id: epoch.id.clone(),
            snapshot: epoch.snapshot.clone(),
            epoch: epoch.number,
            convergence: epoch.insert_lsn,
        };
        let report = CopyReport {
            store: Mutex::new(Store::open(&self.config.work_dir.store_path())?),
            epoch: epoch.number,
        };
        let outcome =
            rows::copy_tables(&config, tables, self.shutdown, &|event| report.take(event));
        let mut failed = Vec::new();
        for error in outcome.failed {
            match error {
                // Without the stream, tables of two moments would not fit together.
                RowsError::Rewritten { table } if self.config.run.slot.is_some() => {
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
                    all,
                    first,
                });
            }
            None => {}
        }
        match outcome.stopped {
            true => Err(MigrationError::Stopped),
            false => Ok(()),
        }
    }

    async fn indexes(&mut self) -> Result<(), MigrationError> {
        const STEP: &str = "indexes";
        self.go_on()?;
        if self.store.step_is_done(STEP)? {
            return Ok(());
        }
        self.store.begin_step(STEP)?;
        let indexes = self.store.indexes()?;
        let count = indexes.len();
        indexes::build(
            &self.config.target,
            self.config.choices.index_jobs,
            indexes,
            self.shutdown,
        )?;
        self.go_on()?;
        tracing::info!("{count} indexes built");
        Ok(self.store.finish_step(STEP)?)
    }

    /// What of post-data pgflit has made itself, and what is its own on the source.
    async fn left_out(&self) -> Result<Objects, MigrationError> {
        let mut objects: Objects = self
            .store
            .indexes()?
            .iter()
            .flat_map(
                |IndexRow {
                     oid, constraint, ..
                 }| {
                    let constraint = constraint
                        .as_ref()
                        .map(|constraint| (PG_CONSTRAINT, constraint.oid));
                    [Some((PG_CLASS, *oid)), constraint]
                },
            )
            .flatten()
            .collect();
        let Some(publication) = &self.config.run.publication else {
            return Ok(objects);
        };
        let failed = on_source("reading its publications");
        let source = Session::connect(&self.config.source, "base copy")
            .await
            .map_err(&failed)?;
        let sql = "SELECT p.oid, r.oid FROM pg_publication p
                     LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid
                    WHERE p.pubname = ANY ($1)";
        let names = vec![publication.clone(), inserts_publication(publication)];
        for row in source.query(sql, &[&names]).await.map_err(&failed)? {
            objects.insert((PG_PUBLICATION, row.get(0)));
            objects.extend(
                row.get::<_, Option<u32>>(1)
                    .map(|oid| (PG_PUBLICATION_REL, oid)),
            );
        }
        Ok(objects)
    }

    async fn post_data_step(&mut self, step: &str, keep: Keep) -> Result<(), MigrationError> {
        if self.step_is_done(step).await? {
            return Ok(());
        }
        self.store.begin_step(step)?;
        let list = schema::list(&self.config.programs, &self.dump_path(), Section::PostData)?;
        let list = restore_list::edit(&list, &self.left_out().await?, keep);
        self.restore(step, &list, "").await?;
        Ok(self.store.finish_step(step)?)
    }

    async fn post_data(&mut self) -> Result<(), MigrationError> {
        self.post_data_step("post-data", Keep::AllButForeignKeys)
            .await
    }

    /// Foreign keys hold only between tables of one moment: with several epochs they wait until
    /// apply has brought all tables to the same one.
    async fn foreign_keys(&mut self) -> Result<(), MigrationError> {
        const STEP: &str = "foreign-keys";
        if self.step_is_done(STEP).await? {
            return Ok(());
        }
        let ledger = ledger::read(&self.target)
            .await
            .map_err(on_target("reading the ledger"))?;
        if ledger.epoch_count() > 1 && self.config.run.slot.is_some() {
            let convergence = ledger.convergence();
            tracing::info!(
                "the copy was taken in several epochs: foreign keys wait for {convergence}"
            );
            self.store.set_apply(true)?;
            loop {
                let sentinel = self.store.sentinel()?;
                if sentinel.replay_lsn >= convergence {
                    break;
                }
                if let Some(endpos) = sentinel.endpos()
                    && endpos < convergence
                {
                    return Err(MigrationError::EndposTooEarly {
                        endpos,
                        begin: convergence,
                    });
                }
                self.go_on()?;
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
        self.post_data_step(STEP, Keep::ForeignKeys).await
    }

    async fn sequences(&mut self) -> Result<(), MigrationError> {
        self.go_on()?;
        set_sequences(&self.config.source, &self.target)
            .await
            .map(drop)
    }

    async fn tidy(&mut self) -> Result<(), MigrationError> {
        const STEP: &str = "vacuum";
        let Some(tidying) = self.config.choices.tidying else {
            return Ok(());
        };
        self.go_on()?;
        if self.store.step_is_done(STEP)? {
            return Ok(());
        }
        self.store.begin_step(STEP)?;
        let tables: Vec<QualifiedName> = self
            .store
            .tables()?
            .into_iter()
            .map(|table| table.name)
            .collect();
        indexes::tidy(
            &self.config.target,
            self.config.choices.index_jobs,
            tables,
            tidying,
            self.shutdown,
        )?;
        self.go_on()?;
        Ok(self.store.finish_step(STEP)?)
    }
}

/// Sets the target's sequences to where the source's stand now; gives how many.
pub async fn set_sequences(source: &Address, target: &Session) -> Result<usize, MigrationError> {
    let failed = on_source("reading its sequences");
    let source = Session::connect(source, "sequences")
        .await
        .map_err(&failed)?;
    let found = sequences::read(&source).await.map_err(&failed)?;
    let set = sequences::set(target, &found).await;
    set.map_err(on_target("setting sequences"))?;
    Ok(found.len())
}

/// Writes to store and log what the copy workers say.
struct CopyReport {
    store: Mutex<Store>,
    epoch: u32,
}

impl CopyReport {
    fn take(&self, event: rows::Event<'_>) {
        let mut store = self
            .store
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let noted = match event {
            rows::Event::Begun(table) => store.begin_table_copy(table.oid, self.epoch),
            rows::Event::Copied { table, part, took } => {
                tracing::info!(
                    "copied {}: {} rows, {}, {}",
                    table.name,
                    part.rows,
                    ByteSize(part.bytes),
                    display_duration(took)
                );
                store.finish_table_copy(table.oid, part.rows, part.bytes)
            }
        };
        // A report that is missing changes nothing: the ledger is the truth.
        if let Err(error) = noted {
            tracing::warn!("{}", chain(&error));
        }
    }
}
