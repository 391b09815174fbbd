//! The order of the steps, and the small ones.

use std::path::PathBuf;
use std::sync::Arc;

use crate::base::Shutdown;
use crate::catalog::{ledger, restore_list};
use crate::clone::completion::Tidying;
use crate::clone::extensions::requirements::Requirement;
use crate::clone::method::FormatChoice;
use crate::clone::parts::Cutting;
use crate::clone::programs::Programs;
use crate::clone::roles::Passwords;
use crate::clone::schema::Leave;
use crate::clone::sequences;
use crate::pg::{Address, Session};
use crate::store::{Run, Store, WorkDir};

use super::refused::Definition;
use crate::migration::error::{MigrationError, on_source, on_target, to_target};
use crate::migration::progress::{Progress, ProgressWriter};

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
    /// Where it is told how far the copy is.
    pub progress: Arc<Progress>,
}

/// How the copy is made.
#[derive(Debug, Clone)]
pub struct Choices {
    /// Tables at a time.
    pub table_jobs: usize,
    /// Indexes at a time.
    pub index_jobs: usize,
    /// Make the source's roles first, if so with passwords or without.
    pub roles: Option<Passwords>,
    /// The versions in which extensions are made.
    pub requirements: Vec<Requirement>,
    /// Leave properties of the database out.
    pub skip_db_properties: bool,
    /// Refresh materialized views again when following ends.
    pub refresh_matviews: bool,
    /// Workers that copy large objects; none if they are left out.
    pub large_object_jobs: Option<usize>,
    /// Foreign keys, and materialized views, at a time.
    pub restore_jobs: usize,
    /// How tables are cut into parts; none to copy each as one.
    pub cutting: Option<Cutting>,
    /// In which format rows are moved.
    pub format: FormatChoice,
    /// What of the definitions is left out.
    pub leave: Leave,
    /// Drop on the target what is about to be made.
    pub drop_if_exists: bool,
    /// What to do with each table at the end, if anything.
    pub tidying: Option<Tidying>,
    /// Stop at the first table or definition that fails.
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
        refused: Vec::new(),
    };
    let ledger = copy.read_ledger().await?;
    let (tables, epoch) = tokio::select! {
        found = copy.catalog(&ledger) => found?,
        // Sizes and definitions are not given while somebody holds a lock on a table.
        () = shutdown.overdue() => return Err(MigrationError::Stopped),
    };
    copy.roles().await?;
    copy.pre_data().await?;
    copy.extension_rows(&ledger, epoch.as_ref()).await?;
    let objects = copy.begin_large_objects(&ledger, epoch.as_ref()).await?;
    let writer = ProgressWriter::start(Arc::clone(&config.progress), &config.work_dir);
    let rows = copy.tables(&ledger, tables, epoch).await;
    drop(writer);
    let give_up = rows.is_err() && config.choices.fail_fast;
    let objects = copy.end_large_objects(objects, give_up).await;
    rows.and(objects)?;
    copy.post_data().await?;
    copy.foreign_keys().await?;
    let views = copy.materialized_views().await;
    copy.end_extensions().await?;
    copy.last().await?;
    copy.sequences().await?;
    copy.nothing_lost().await?;
    views.and(copy.all_made())
}

pub(super) struct BaseCopy<'a> {
    pub(super) config: &'a Config,
    pub(super) store: Store,
    pub(super) target: Session,
    pub(super) shutdown: &'a Shutdown,
    /// Definitions that the target refused and that rows can do without: told at the end.
    pub(super) refused: Vec<Definition>,
}

impl BaseCopy<'_> {
    pub(super) fn go_on(&self) -> Result<(), MigrationError> {
        match self.shutdown.asked() {
            true => Err(MigrationError::Stopped),
            false => Ok(()),
        }
    }

    pub(super) fn dump_path(&self) -> PathBuf {
        self.config.work_dir.schema_path().join("schema.dump")
    }

    async fn sequences(&mut self) -> Result<(), MigrationError> {
        self.go_on()?;
        set_sequences(&self.config.source, &self.target, &self.store)
            .await
            .map(drop)
    }
}

/// Sets the target's sequences to where the source's stand now; gives how many.
pub async fn set_sequences(
    source: &Address,
    target: &Session,
    store: &Store,
) -> Result<usize, MigrationError> {
    let left_out = restore_list::objects(&store.left_out()?);
    let failed = on_source("reading its sequences");
    let source = Session::connect(source, "sequences")
        .await
        .map_err(&failed)?;
    let found = sequences::read(&source, &left_out).await.map_err(&failed)?;
    let set = sequences::set(target, &found).await;
    let missing = set.map_err(on_target("setting sequences"))?;
    for sequence in &missing {
        tracing::warn!(
            "sequence {sequence} was created on the source meanwhile: it is not on the target"
        );
    }
    Ok(found.len() - missing.len())
}
