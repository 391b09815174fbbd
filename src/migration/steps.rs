//! The steps of the base copy as commands: each alone, one after the other in one work directory.
//!
//! A step goes on with what the steps before it have left, as long as all of those ended. One that
//! was interrupted has to be resumed first, by the same command or by `clone --resume`, which does
//! all that is missing. The step with which nothing is missing any more ends the copy as `clone`
//! does.
//!
//! # Crash story
//! The steps are those of [`super::base_copy`], with its marks. A step that is begun in the store
//! and not finished was interrupted. Between two commands nothing holds a snapshot: unless someone
//! does and it is named, each command reads at a moment of its own, and says so.

use std::sync::Arc;

use crate::base::Shutdown;
use crate::base::Side;
use crate::catalog::filters::Filters;
use crate::clone::programs::Programs;
use crate::clone::roles::Passwords;
use crate::pg::{Address, Session};
use crate::store::{CATALOG_STEP, LARGE_OBJECTS_STEP, Lock, ROWS_STEP, Run, Store, WorkDir};

use super::base_copy::{self, Action, Choices, ForeignSnapshot, PRE_DATA_STEP, Scope};
use super::begin::{self, Begin, Start};
use super::clone::{self, end_plain_copy, unless_overdue};
use super::error::{MigrationError, to_target};
use super::footprint::Footprint;
use super::patience;
use super::preflight::{self, Facts, Wanted};
use super::progress::Progress;

/// What a step is to do.
#[derive(Debug, Clone)]
pub struct Config {
    /// The source.
    pub source: Address,
    /// The target.
    pub target: Address,
    /// Where everything is kept.
    pub work_dir: WorkDir,
    /// What to do with what an earlier run left.
    pub start: Start,
    /// Which step.
    pub scope: Scope,
    /// Whether the dump has to be there already.
    pub from_dump: bool,
    /// How the copy is made.
    pub copy: Choices,
    /// What else is left out.
    pub filters: Filters,
    /// The id of a snapshot that somebody else holds.
    pub snapshot: Option<String>,
    /// Where it is told how far the copy is.
    pub progress: Arc<Progress>,
    /// What was typed, passwords hidden: it is kept for the report.
    pub command_line: String,
}

/// How a step ended without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The whole copy was done already.
    NothingLeft,
    /// The step is done.
    Done,
    /// The step is done, and with it the whole copy.
    Complete,
    /// It was asked to stop; go on with `--resume`.
    Stopped,
}

/// Runs one step.
pub async fn run(config: &Config, shutdown: &Shutdown) -> Result<Outcome, MigrationError> {
    let mut footprint = Footprint::default();
    let prepared = tokio::select! {
        prepared = prepare(config, &mut footprint) => prepared,
        () = shutdown.wait() => Err(MigrationError::Stopped),
    };
    let prepared = match prepared {
        Ok(Some(prepared)) => prepared,
        Ok(None) => return Ok(Outcome::NothingLeft),
        Err(error) => {
            footprint.take_back(&config.source, &config.work_dir).await;
            return match error {
                MigrationError::Stopped => Ok(Outcome::Stopped),
                error => Err(error),
            };
        }
    };
    match unless_overdue(work(config, prepared, shutdown), shutdown).await {
        Err(MigrationError::Stopped) => Ok(Outcome::Stopped),
        outcome => outcome,
    }
}

struct Prepared {
    run: Run,
    facts: Facts,
    _lock: Lock,
}

async fn work(
    config: &Config,
    prepared: Prepared,
    shutdown: &Shutdown,
) -> Result<Outcome, MigrationError> {
    let Prepared { run, facts, _lock } = prepared;
    clone::keep_log(&config.work_dir, "copy")?;
    let copy = base_copy::Config {
        source: config.source.clone(),
        target: config.target.clone(),
        work_dir: config.work_dir.clone(),
        programs: facts.programs,
        // A streamed change is filtered by the one snapshot of its table.
        several_moments: config.start == Start::ResumeNotConsistent && run.slot.is_none(),
        run,
        snapshot: config.snapshot.clone().map(|id| ForeignSnapshot { id }),
        copy_from: Vec::new(),
        choices: config.copy.clone(),
        progress: Arc::clone(&config.progress),
    };
    let mut store = config.work_dir.open_store()?;
    store.note_command(&config.command_line)?;
    // Killed while it was ended: what the target knew of the copy may be gone.
    if !base_copy::is_complete(&store, &config.copy)? {
        patience::copy(&copy, config.scope, shutdown).await?;
        if !base_copy::is_complete(&store, &config.copy)? {
            return Ok(Outcome::Done);
        }
    }
    end_plain_copy(&copy, &mut store).await?;
    clone::summarize(&config.work_dir, &config.copy, &store, None)?;
    Ok(Outcome::Complete)
}

/// Looks, then makes the work directory or goes on in it; none if nothing is left to do.
async fn prepare(
    config: &Config,
    footprint: &mut Footprint,
) -> Result<Option<Prepared>, MigrationError> {
    let (mut begin, mut lock) = begin::look_for_step(&config.work_dir, config.start)?;
    if begin == Begin::Finished {
        clone::summarize_if_nobody_has(&config.work_dir, &config.copy)?;
        return Ok(None);
    }
    let known = match &begin {
        Begin::Resume(_) | Begin::AfterSetup(_) => Some(config.work_dir.open_store()?),
        _ => None,
    };
    check_dump(config, known.as_ref())?;
    if let Begin::StartOver(run) = &begin {
        let wanted = wanted(config, &Begin::New, None)?;
        clone::start_over(&as_clone(config), &wanted, run).await?;
        begin = Begin::New;
    }
    let facts = preflight::look(
        &config.source,
        &config.target,
        &wanted(config, &begin, known.as_ref())?,
    )
    .await?;
    let asked = clone::describe(&as_clone(config), &facts);
    let taken = footprint.enter(&config.work_dir, lock.take())?;
    let run = match begin {
        Begin::Resume(begun) | Begin::AfterSetup(begun) => {
            begin::check_same(&begun, &asked)?;
            Run {
                target: asked.target,
                target_system: asked.target_system,
                ..begun
            }
        }
        _ => {
            footprint.owns_files();
            asked
        }
    };
    let mut store = Store::create(&config.work_dir.store_path())?;
    check_moment(config, &run, &store)?;
    store.set_run(&run)?;
    Ok(Some(Prepared {
        run,
        facts,
        _lock: taken,
    }))
}

/// A restore takes what a dump has left.
fn check_dump(config: &Config, store: Option<&Store>) -> Result<(), MigrationError> {
    let is_there = match store {
        Some(store) => store.step_is_done(CATALOG_STEP)?,
        None => false,
    };
    match config.from_dump && !is_there {
        false => Ok(()),
        true => Err(no_dump(&config.work_dir)),
    }
}

/// Nothing was dumped in this work directory.
pub fn no_dump(work_dir: &WorkDir) -> MigrationError {
    MigrationError::Refused {
        side: None,
        problem: format!("there is no dump in {}", work_dir.schema_path().display()),
        hint: "make one with pgflit dump; --dir names the work directory".to_owned(),
    }
}

fn wanted<'a>(
    config: &'a Config,
    begin: &Begin,
    store: Option<&Store>,
) -> Result<Wanted<'a>, MigrationError> {
    let (scope, choices) = (config.scope, &config.copy);
    let is_made = match store {
        Some(store) => store.step_is_begun(PRE_DATA_STEP)?,
        None => false,
    };
    let has = |action| scope.has(action);
    Ok(Wanted {
        slot: None,
        plugin: None,
        publication: None,
        origin: None,
        endpos: None,
        target_may_be_filled: !scope.makes_tables() || choices.drop_if_exists || is_made,
        skip_large_objects: !has(Action::LargeObjects) || choices.large_object_jobs.is_none(),
        rows: has(Action::Rows),
        role_passwords: has(Action::Roles) && choices.roles == Some(Passwords::Copied),
        counts_sessions: choices.source_load_limit.is_some(),
        filters: (*begin == Begin::New).then_some(&config.filters),
        of_standbys_alone: false,
    })
}

/// Refuses to put rows of two moments into one step unless that was asked for; warns where two
/// steps are of two moments.
fn check_moment(config: &Config, run: &Run, store: &Store) -> Result<(), MigrationError> {
    if config.snapshot.is_some() || run.slot.is_some() {
        return Ok(());
    }
    let mut another = None;
    for (action, step, what) in [
        (Action::Rows, ROWS_STEP, "rows of tables"),
        (Action::LargeObjects, LARGE_OBJECTS_STEP, "large objects"),
    ] {
        let (begun, done) = (store.step_is_begun(step)?, store.step_is_done(step)?);
        let is_interrupted = begun && !done && config.scope.has(action);
        if is_interrupted && config.start != Start::ResumeNotConsistent {
            return Err(clone::snapshot_is_gone());
        }
        if begun && !config.scope.has(action) {
            another = Some(what);
        }
    }
    if let Some(what) = another.filter(|_| config.scope.reads_rows()) {
        tracing::warn!(
            "{what} were copied before, at another moment of the source: to have all steps at one, hold a snapshot with pgflit snapshot and name it with --snapshot"
        );
    }
    Ok(())
}

/// What is the same for a whole clone.
fn as_clone(config: &Config) -> clone::Config {
    clone::Config {
        // Each step may name its own.
        split: None,
        source: config.source.clone(),
        target: config.target.clone(),
        work_dir: config.work_dir.clone(),
        start: config.start,
        capture: None,
        copy: config.copy.clone(),
        filters: config.filters.clone(),
        snapshot: None,
        copy_from: Vec::new(),
        progress: Arc::clone(&config.progress),
        command_line: config.command_line.clone(),
        // A step looks at what it needs.
        checked: clone::Checked::default(),
    }
}

/// Makes on the target the roles that `dump roles` has left in the work directory.
pub async fn restore_roles(target: &Address, work_dir: &WorkDir) -> Result<(), MigrationError> {
    if !base_copy::roles_path(work_dir).exists() {
        return Err(no_dump(work_dir));
    }
    let _lock = work_dir.lock()?;
    let session = Session::connect(target, "roles")
        .await
        .map_err(to_target(target))?;
    base_copy::restore_roles(&session, work_dir).await
}

/// What `dump` is to do.
#[derive(Debug, Clone)]
pub struct DumpConfig {
    /// The source.
    pub source: Address,
    /// Where the dump goes.
    pub work_dir: WorkDir,
    /// What is left out.
    pub copy: Choices,
    /// What else is left out.
    pub filters: Filters,
    /// The id of a snapshot that somebody else holds.
    pub snapshot: Option<String>,
}

/// Dumps the roles of the source's instance, without their passwords, which are never written.
pub async fn dump_roles(config: &DumpConfig, shutdown: &Shutdown) -> Result<(), MigrationError> {
    let programs = source_facts(config, None).await?.1;
    let (_lock, _) = enter_for_dump(&config.work_dir)?;
    let (source, work_dir) = (&config.source, &config.work_dir);
    let without = Passwords::LeftOut;
    let dumped = base_copy::dump_roles(&programs, source, work_dir, without, shutdown).await;
    dumped.map(drop)
}

async fn source_facts(
    config: &DumpConfig,
    filters: Option<&Filters>,
) -> Result<(crate::catalog::server::Server, Programs), MigrationError> {
    let wanted = Wanted {
        slot: None,
        plugin: None,
        publication: None,
        origin: None,
        endpos: None,
        target_may_be_filled: true,
        skip_large_objects: true,
        rows: false,
        role_passwords: false,
        filters,
        of_standbys_alone: false,
        counts_sessions: false,
    };
    preflight::look_at_source(&config.source, &wanted).await
}

fn enter_for_dump(work_dir: &WorkDir) -> Result<(Lock, Begin), MigrationError> {
    // A dump that was interrupted is simply made again.
    let (begin, lock) = begin::look(work_dir, Start::Resume)?;
    work_dir.create()?;
    let lock = match lock {
        Some(lock) => lock,
        None => work_dir.lock()?,
    };
    Ok((lock, begin))
}

/// Dumps the definitions of the source, and writes the lists of what a restore would make; gives
/// how many entries.
pub async fn dump_schema(
    config: &DumpConfig,
    shutdown: &Shutdown,
) -> Result<usize, MigrationError> {
    let (server, programs) = source_facts(config, Some(&config.filters)).await?;
    let (_lock, begin) = enter_for_dump(&config.work_dir)?;
    let mut store = Store::create(&config.work_dir.store_path())?;
    let run = match begin {
        Begin::Resume(run) | Begin::AfterSetup(run) => run,
        Begin::Finished => return Err(begun(config)),
        Begin::New | Begin::StartOver(_) => Run {
            source: config.source.to_string(),
            source_system: server.system.clone(),
            wal_segment_bytes: Some(server.wal_segment_bytes),
            filters: config.filters.text(),
            ..Run::default()
        },
    };
    if run.source_system != server.system {
        return Err(MigrationError::Refused {
            side: Some(Side::Source),
            problem: format!("this migration was begun with source {}", run.source),
            hint: "name another work directory with --dir".to_owned(),
        });
    }
    begin::check_filters(&run, config.filters.text().as_deref())?;
    for step in [PRE_DATA_STEP, ROWS_STEP, LARGE_OBJECTS_STEP] {
        if store.step_is_begun(step)? {
            return Err(begun(config));
        }
    }
    store.set_run(&run)?;
    let snapshot = config.snapshot.clone().map(|id| ForeignSnapshot { id });
    let side = base_copy::SourceSide {
        source: &config.source,
        work_dir: &config.work_dir,
        programs: &programs,
        run: &run,
        choices: &config.copy,
        snapshot: snapshot.as_ref(),
        several_moments: false,
        store: &mut store,
        shutdown,
    };
    unless_overdue(side.dump(), shutdown).await
}

/// What is on the target was made from the dump that is there.
fn begun(config: &DumpConfig) -> MigrationError {
    MigrationError::Refused {
        side: None,
        problem: format!(
            "a copy has begun with the dump that is in {}",
            config.work_dir.schema_path().display()
        ),
        hint: "name another work directory with --dir".to_owned(),
    }
}
