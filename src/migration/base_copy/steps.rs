//! The order of the steps, and the small ones.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Shutdown, failpoint};
use crate::catalog::ledger::Ledger;
use crate::catalog::parts::Cutting;
use crate::catalog::restore_list::Contents;
use crate::catalog::sizes::Sizes;
use crate::catalog::{ledger, restore_list};
use crate::clone::completion::Tidying;
use crate::clone::epoch::Epoch;
use crate::clone::extensions::requirements::Requirement;
use crate::clone::method::FormatChoice;
use crate::clone::programs::Programs;
use crate::clone::roles::Passwords;
use crate::clone::schema::Leave;
use crate::clone::sequences;
use crate::pg::{Address, Session, with_retry};
use crate::store::{CATALOG_STEP, Run, Store, TableRow, WorkDir};

use super::refused::Definition;
use super::scope::{Action, Scope};
use super::source::ForeignSnapshot;
use super::tables::{INDEXES_STEP, Wanted};
use crate::migration::error::{MigrationError, on_source, on_target, to_target};
use crate::migration::progress::{Progress, ProgressWriter};

/// The step that makes what rows need.
pub const PRE_DATA_STEP: &str = "pre-data";
/// The other steps of definitions.
pub(super) const POST_DATA_STEP: &str = "post-data";
pub(super) const FOREIGN_KEYS_STEP: &str = "foreign-keys";
pub(super) const LAST_STEP: &str = "last";
/// The step that ends when the tables of extensions are there.
pub(super) const EXTENSION_ROWS_STEP: &str = "extension rows";
/// The step that ends when materialized views are populated.
pub(super) const MATERIALIZED_VIEWS_STEP: &str = "matviews";
/// The step that ends when the target's sequences stand where the source's do.
pub(super) const SEQUENCES_STEP: &str = "sequences";

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
    /// A snapshot that somebody else holds, to be read under.
    pub snapshot: Option<ForeignSnapshot>,
    /// Standbys of the source that rows are read from; none to read them on the source.
    pub copy_from: Vec<Address>,
    /// Whether rows of several moments were asked for.
    pub several_moments: bool,
    /// How.
    pub choices: Choices,
    /// Where it is told how far the copy is.
    pub progress: Arc<Progress>,
}

/// What the last steps of a migration need to know, with a copy of ours or without.
#[derive(Debug, Clone, Copy)]
pub struct Ends<'a> {
    /// The source.
    pub source: &'a Address,
    /// The target.
    pub target: &'a Address,
    /// How.
    pub choices: &'a Choices,
}

impl Config {
    /// Both databases and how they are made equal.
    pub fn ends(&self) -> Ends<'_> {
        Ends {
            source: &self.source,
            target: &self.target,
            choices: &self.choices,
        }
    }
}

/// How the copy is made.
#[derive(Debug, Clone)]
pub struct Choices {
    /// Tables at a time.
    pub table_jobs: usize,
    /// No part begins while more sessions than this are active where it is read.
    pub source_load_limit: Option<usize>,
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
    /// Where the sizes that the plan goes by are taken from.
    pub sizes: Sizes,
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
    /// How long a server that cannot be reached is tried again.
    pub retry_for: Duration,
}

/// Runs what `scope` has and is not done yet. [`MigrationError::Stopped`] when asked to stop in
/// between.
pub async fn run(config: &Config, scope: Scope, shutdown: &Shutdown) -> Result<(), MigrationError> {
    let mut copy = BaseCopy::open(config, shutdown).await?;
    // Those that a killed run has left paused.
    copy.release_standbys().await;
    let ledger = copy.read_ledger().await?;
    let (mut tables, mut epoch) = (Vec::new(), None);
    if scope.needs_catalog() {
        (tables, epoch) = tokio::select! {
            found = copy.catalog(&ledger, scope) => found?,
            // Sizes and definitions are not given while somebody holds a lock on a table.
            () = shutdown.overdue() => return Err(MigrationError::Stopped),
        };
    }
    if scope.has(Action::Roles) {
        copy.roles().await?;
    }
    if scope.has(Action::Extensions) {
        copy.extensions_alone().await?;
    }
    if scope.has(Action::PreData) {
        copy.pre_data().await?;
    }
    if scope.needs_tables() {
        copy.find_tables(&tables).await?;
    }
    if scope.has(Action::ExtensionRows) {
        copy.extension_rows(&ledger, epoch.as_ref()).await?;
    }
    copy.contents_of_tables(scope, &ledger, tables, epoch)
        .await?;
    if scope.has(Action::PostData) {
        copy.post_data().await?;
    }
    if scope.has(Action::ForeignKeys) {
        copy.foreign_keys().await?;
    }
    let views = match scope.has(Action::MaterializedViews) {
        true => copy.materialized_views().await,
        false => Ok(()),
    };
    if scope.has(Action::Last) {
        copy.end_extensions().await?;
        copy.last().await?;
    }
    if scope.has(Action::Sequences) {
        copy.sequences().await?;
    }
    if scope.has(Action::Rows) {
        copy.nothing_lost().await?;
    }
    views.and(copy.all_made())
}

pub(super) struct BaseCopy<'a> {
    pub(super) config: &'a Config,
    pub(super) store: Store,
    pub(super) target: Session,
    pub(super) shutdown: &'a Shutdown,
    /// With `--fail-fast`, asked by the first that fails of what runs side by side: rows, indexes,
    /// large objects.
    pub(super) give_up: Shutdown,
    /// Definitions that the target refused and that rows can do without: told at the end.
    pub(super) refused: Vec<Definition>,
    /// What pg_restore's scripts make, once it is known: each list of a dump costs as much time as
    /// a small table.
    pub(super) contents: Option<Contents>,
}

impl<'a> BaseCopy<'a> {
    pub(super) async fn open(
        config: &'a Config,
        shutdown: &'a Shutdown,
    ) -> Result<Self, MigrationError> {
        let store = Store::create(&config.work_dir.store_path())?;
        let target = Session::connect(&config.target, "base copy")
            .await
            .map_err(to_target(&config.target))?;
        ledger::create(&target)
            .await
            .map_err(on_target("making the schema pgflit"))?;
        failpoint::reach("ledger made");
        Ok(Self {
            config,
            store,
            target,
            shutdown,
            give_up: Shutdown::default(),
            refused: Vec::new(),
            contents: None,
        })
    }

    /// Rows with their indexes, and large objects beside them; those of them that `scope` has.
    async fn contents_of_tables(
        &mut self,
        scope: Scope,
        ledger: &Ledger,
        tables: Vec<TableRow>,
        epoch: Option<Epoch>,
    ) -> Result<(), MigrationError> {
        let readers = match epoch {
            Some(epoch) => Some(self.open_readers(epoch, &tables, ledger).await?),
            None => None,
        };
        let mut objects = match scope.has(Action::LargeObjects) {
            true => self.begin_large_objects(ledger, readers.as_ref()).await?,
            false => None,
        };
        let progress = Arc::clone(&self.config.progress);
        let writer = ProgressWriter::start(progress, &self.config.work_dir);
        let rows = match Wanted::of(scope) {
            Some(wanted) => {
                self.tables(wanted, ledger, tables, readers, &mut objects)
                    .await
            }
            None => Ok(()),
        };
        drop(writer);
        if rows.is_err() && self.config.choices.fail_fast {
            self.give_up.ask();
        }
        let objects = self.end_large_objects(objects).await;
        match rows {
            // Given up, because large objects had failed.
            Err(MigrationError::Stopped) if objects.is_err() => objects,
            rows => rows.and(objects),
        }
    }
}

impl BaseCopy<'_> {
    pub(super) fn go_on(&self) -> Result<(), MigrationError> {
        match self.shutdown.asked() {
            true => Err(MigrationError::Stopped),
            false => Ok(()),
        }
    }

    /// The target may have restarted during what takes hours: its session is then made anew, before
    /// anything else is asked of it.
    pub(super) async fn reopen_target(&mut self) -> Result<(), MigrationError> {
        if self.target.batch("SELECT 1").await.is_ok() {
            return Ok(());
        }
        let address = &self.config.target;
        let (limit, what) = (self.config.choices.retry_for, "connecting to the target");
        let opened = with_retry(limit, self.shutdown, what, async || {
            Session::connect(address, "base copy").await
        });
        match opened.await {
            Ok(session) => self.target = session,
            Err(_) if self.shutdown.asked() => return Err(MigrationError::Stopped),
            Err(error) => return Err(to_target(address)(error)),
        }
        Ok(())
    }

    pub(super) fn dump_path(&self) -> PathBuf {
        dump_path(&self.config.work_dir)
    }

    async fn sequences(&mut self) -> Result<(), MigrationError> {
        self.go_on()?;
        self.store.begin_step(SEQUENCES_STEP)?;
        let set = set_sequences(&self.config.source, &self.target, &self.store).await?;
        tracing::info!("{set} sequences set");
        Ok(self.store.finish_step(SEQUENCES_STEP)?)
    }
}

/// Where pg_dump writes the definitions.
pub fn dump_path(work_dir: &WorkDir) -> PathBuf {
    work_dir.schema_path().join("schema.dump")
}

/// Whether every step of the copy is done, by whichever commands, with these `choices`.
pub fn is_complete(store: &Store, choices: &Choices) -> Result<bool, MigrationError> {
    let steps = [
        CATALOG_STEP,
        PRE_DATA_STEP,
        EXTENSION_ROWS_STEP,
        POST_DATA_STEP,
        FOREIGN_KEYS_STEP,
        MATERIALIZED_VIEWS_STEP,
        LAST_STEP,
        INDEXES_STEP,
        SEQUENCES_STEP,
    ];
    for step in steps {
        if !store.step_is_done(step)? {
            return Ok(false);
        }
    }
    Ok(store.is_copied(choices.large_object_jobs.is_some())?)
}

/// Whether pgflit has made the tables, and not yet all that goes with their rows.
pub fn lacks_definitions(store: &Store) -> Result<bool, MigrationError> {
    if !store.step_is_done(PRE_DATA_STEP)? {
        return Ok(false);
    }
    for step in [INDEXES_STEP, POST_DATA_STEP, FOREIGN_KEYS_STEP, LAST_STEP] {
        if !store.step_is_done(step)? {
            return Ok(true);
        }
    }
    Ok(false)
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
