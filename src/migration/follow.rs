//! `follow`: change capture alone, for a target that has the rows already.
//!
//! It goes on where change capture was set up and, if pgflit has made it, the copy is complete; or
//! it begins by itself, with a slot that it makes or takes over (see `take_over`). A copy of ours that
//! has all rows allows apply, and so does a beginning by itself, because whoever begins so says that
//! the rows are there. Where change capture was set up and somebody else copies, the sentinel says
//! when.
//!
//! # Crash story
//! 1. *Before the slot is known to the store*: as `stream setup`; the next start makes it again.
//! 2. *After it, before anything is applied*: the next start needs no `--resume`: it begins.
//! 3. *Later*: the step "following" is begun in the store; `--resume` goes on, see [`crate::cdc`].
//! 4. *After endpos*: the last steps are done again; they only set values.

use std::sync::Arc;

use crate::base::cause::chain;
use crate::base::{Lsn, Shutdown};
use crate::catalog::filters::Filters;
use crate::catalog::server::Server;
use crate::pg::{Address, Session};
use crate::store::{CATALOG_STEP, FOLLOWING_STEP, Lock, Run, Store, WorkDir};

use super::base_copy::{self, Choices, Ends};
use super::begin::{self, FollowBegin, Start};
use super::capture;
use super::clone::{
    CaptureConfig, keep_log, put_identities_back, summarize, summarize_if_nobody_has,
    unless_overdue,
};
use super::cutover::leg;
use super::error::{MigrationError, to_source};
use super::finish::finish;
use super::footprint::Footprint;
use super::foreign_rows;
use super::identities;
use super::leftovers::Others;
use super::partitions;
use super::patience;
use super::preflight::{self, Wanted};
use super::progress::Progress;
use super::rewritten;
use super::sampler::Sampler;
use super::setup::{self, remove_from_servers, set_up_capture, settle_endpos};
use super::stage::Mode;
use super::supervisor::{Alone, Ended, supervise};
use super::take_over::{self, Slot};
use super::watch::{self, Watch};

/// What following is to do.
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
    /// How changes are captured.
    pub capture: CaptureConfig,
    /// Make the slot if it is missing.
    pub create_slot: bool,
    /// What comes at the end, and how.
    pub choices: Choices,
    /// What is left out; none for what the directory was begun with.
    pub filters: Option<Filters>,
    /// The id of a snapshot under which somebody else has copied the rows, and that is still held.
    pub snapshot: Option<String>,
    /// Where it is told how far it is.
    pub progress: Arc<Progress>,
    /// What was typed, passwords hidden: it is kept for the report.
    pub command_line: String,
}

/// How following ended without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was done already.
    NothingLeft,
    /// The target has reached endpos.
    Followed(Lsn),
    /// It was asked to stop; go on with `--resume`.
    Stopped,
}

/// Runs it. Must be called on the main thread: it starts the child processes.
pub fn follow(config: &Config, shutdown: &Shutdown) -> Result<Outcome, MigrationError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| MigrationError::Thread(error.to_string()))?;
    let prepared = runtime.block_on(prepare_or_leave_nothing(config, shutdown));
    let (_lock, mut store) = match prepared {
        Err(MigrationError::Stopped) => return Ok(Outcome::Stopped),
        Ok(None) => return Ok(Outcome::NothingLeft),
        Err(error) => return Err(error),
        Ok(Some(prepared)) => prepared,
    };
    keep_log(&config.work_dir, "follow")?;
    store.note_command(&config.command_line)?;
    store.begin_step(FOLLOWING_STEP)?;
    tell_if_held_back(&store)?;
    let (children, new_tables) = (&config.capture.children, config.capture.new_tables);
    let alone = Alone::take(&config.work_dir)?;
    let sampler = Sampler::start(&config.progress, &config.work_dir);
    let wanted = watch::Wanted {
        new_tables,
        lag_limit: config.capture.lag_limit,
        source_lsn: sampler.source_lsn(),
    };
    let watch = Watch::start(&config.source, &config.work_dir, wanted);
    let ended = supervise(children, &alone, Mode::Follow, shutdown, || Ok(()))?;
    drop(watch);
    let Ended::Endpos(endpos) = ended else {
        return Ok(Outcome::Stopped);
    };
    store.finish_step(FOLLOWING_STEP)?;
    let ends = Ends {
        source: &config.source,
        target: &config.target,
        choices: &config.choices,
    };
    let work_dir = &config.work_dir;
    let finishing = patience::patiently(config.choices.retry_for, shutdown, async || {
        finish(ends, &mut store, endpos, new_tables, work_dir, shutdown).await
    });
    match runtime.block_on(unless_overdue(finishing, shutdown)) {
        Err(MigrationError::Stopped) => Ok(Outcome::Stopped),
        finished => {
            finished?;
            summarize(&config.work_dir, &config.choices, &store, Some(endpos))?;
            let (source, choices) = (&config.source, &config.choices);
            let putting_back = put_identities_back(source, work_dir, choices, shutdown);
            match runtime.block_on(putting_back) {
                Err(MigrationError::Stopped) => Ok(Outcome::Stopped),
                done => done.map(|()| Outcome::Followed(endpos)),
            }
        }
    }
}

fn tell_if_held_back(store: &Store) -> Result<(), MigrationError> {
    if !store.sentinel()?.apply {
        tracing::warn!(
            "changes are captured and not applied: once all rows are on the target, let them be \
             applied with pgflit sentinel set apply"
        );
    }
    Ok(())
}

type Prepared = Option<(Lock, Store)>;

/// As [`prepare`]; asked to stop, or after an error, what it had made by then is taken back.
async fn prepare_or_leave_nothing(
    config: &Config,
    shutdown: &Shutdown,
) -> Result<Prepared, MigrationError> {
    let mut footprint = Footprint::default();
    let prepared = tokio::select! {
        prepared = prepare(config, &mut footprint, shutdown) => prepared,
        () = shutdown.wait() => Err(MigrationError::Stopped),
    };
    if prepared.is_err() {
        footprint.take_back(&config.source, &config.work_dir).await;
    }
    prepared
}

/// Looks, then goes on with what is there or begins; none if nothing is left to do.
async fn prepare(
    config: &Config,
    footprint: &mut Footprint,
    shutdown: &Shutdown,
) -> Result<Prepared, MigrationError> {
    if leg::waits_for_cutover(&config.work_dir)? {
        return Err(MigrationError::Refused {
            side: None,
            problem: format!(
                "{} is for a stream that begins when traffic is moved",
                config.work_dir.root.display()
            ),
            hint: "pgflit cutover or rollback begins it; afterwards it can be resumed here"
                .to_owned(),
        });
    }
    let (mut begin, lock) = begin::look_for_follow(&config.work_dir, config.start)?;
    if let FollowBegin::StartOver(run) = &begin {
        base_copy::release_all(&config.work_dir, &[], &run.source_system).await?;
        start_over(config, run).await?;
        begin = FollowBegin::New;
    }
    let (lock, mut store, run) = match begin {
        FollowBegin::Finished => {
            summarize_if_nobody_has(&config.work_dir, &config.choices)?;
            let (source, choices) = (&config.source, &config.choices);
            put_identities_back(source, &config.work_dir, choices, shutdown).await?;
            return Ok(None);
        }
        FollowBegin::GoOn(run) => go_on(config, run, lock, footprint, shutdown).await?,
        FollowBegin::New | FollowBegin::StartOver(_) => begin_anew(config, lock, footprint).await?,
    };
    // Those that a killed copy has left paused: all its rows are there.
    let released = base_copy::release_all(&config.work_dir, &[], &run.source_system).await;
    if let Err(error) = released {
        tracing::warn!("{}", chain(&error));
    }
    settle_endpos(&mut store, &run, config.capture.endpos)?;
    if !store.step_is_begun(FOLLOWING_STEP)? {
        foreign_rows::note(config, &run, &store).await?;
    }
    Ok(Some((lock, store)))
}

/// With what `stream setup`, `snapshot --follow`, a copy or an earlier follow has left.
async fn go_on(
    config: &Config,
    begun: Run,
    lock: Option<Lock>,
    footprint: &mut Footprint,
    shutdown: &Shutdown,
) -> Result<(Lock, Store, Run), MigrationError> {
    let looking = patience::patiently(config.choices.retry_for, shutdown, async || {
        preflight::look_at_servers(&config.source, &config.target).await
    });
    let servers = looking.await?;
    let now = describe(config, servers, begun.filters.clone());
    begin::check_same(&begun, &now)?;
    let lock = footprint.enter(&config.work_dir, lock)?;
    let mut store = Store::create(&config.work_dir.store_path())?;
    let mut run = Run {
        target: now.target,
        target_system: now.target_system,
        source_version: now.source_version,
        target_version: now.target_version,
        ..begun
    };
    store.set_run(&run)?;
    if run.slot_lsn.is_none() && !config.create_slot {
        return Err(MigrationError::Refused {
            side: None,
            problem: format!(
                "setting up change capture in {} was interrupted",
                config.work_dir.root.display()
            ),
            hint: "remove what it has made with pgflit stream cleanup, and set up again; nothing \
                   was copied yet"
                .to_owned(),
        });
    }
    if run.slot_lsn.is_none() {
        // Killed while they were being made; preflight had found none, so they are ours.
        let source = Session::connect(&config.source, "setup")
            .await
            .map_err(to_source(&config.source))?;
        capture::give_up_slot(&source, &config.capture.slot).await?;
        let (source, without) = (&config.source, &config.capture.without_identity);
        set_up_capture(source, &mut store, &mut run, without, footprint).await?;
        store.set_apply(true)?;
    } else {
        identities::tell_too_late(&store, &config.capture.without_identity)?;
    }
    if !store.step_is_begun(FOLLOWING_STEP)? {
        allow_apply(config, &mut store)?;
    }
    Ok((lock, store, run))
}

/// A copy of ours that is whole has allowed apply itself; after one that has all rows, and lacks
/// what is brought up to date at the end anyway, following does.
fn allow_apply(config: &Config, store: &mut Store) -> Result<(), MigrationError> {
    let is_ours = store.step_is_begun(CATALOG_STEP)?;
    let has_applied = !store.sentinel()?.replay_lsn.is_zero();
    if is_ours && !has_applied && !base_copy::is_complete(store, &config.choices)? {
        store.set_apply(true)?;
    }
    Ok(())
}

/// With a slot that is made now, or that somebody has made for us.
async fn begin_anew(
    config: &Config,
    lock: Option<Lock>,
    footprint: &mut Footprint,
) -> Result<(Lock, Store, Run), MigrationError> {
    let found = look_for_slot(config).await?;
    if found.is_none() && !config.create_slot {
        return Err(take_over::missing(&config.capture.slot));
    }
    let filters = config.filters.clone().unwrap_or_default();
    let is_new = found.is_none();
    let wanted = Wanted {
        slot: is_new.then_some(config.capture.slot.as_str()),
        plugin: is_new.then_some(config.capture.plugin.as_str()),
        publication: config.capture.publication.as_deref().filter(|_| is_new),
        origin: is_new.then_some(config.capture.origin.as_str()),
        endpos: config.capture.endpos.filter(|_| is_new),
        target_may_be_filled: true,
        skip_large_objects: config.choices.large_object_jobs.is_none(),
        rows: false,
        role_passwords: false,
        filters: Some(&filters),
        of_standbys_alone: false,
        counts_sessions: false,
    };
    let servers = preflight::look_to_capture(&config.source, &config.target, &wanted).await?;
    let mut run = describe(config, servers, filters.text());
    let tables = match &found {
        Some(_) => Some(take_over::check(&config.source, &config.target, &run, &filters).await?),
        None => None,
    };
    let lock = footprint.enter(&config.work_dir, lock)?;
    footprint.owns_files();
    let mut store = Store::create(&config.work_dir.store_path())?;
    match (found, tables) {
        (Some(Slot { lsn }), Some(tables)) => {
            store.set_catalog(&tables, &[])?;
            let source = Session::connect(&config.source, "setup")
                .await
                .map_err(to_source(&config.source))?;
            rewritten::keep(&source, &mut store).await?;
            partitions::keep(&source, &mut store).await?;
            run.slot_lsn = Some(lsn);
            store.set_startpos(lsn)?;
            store.set_run(&run)?;
            identities::tell_too_late(&store, &config.capture.without_identity)?;
            tracing::info!("taking over slot {} at {lsn}", config.capture.slot);
        }
        _ => {
            store.set_run(&run)?;
            let (source, without) = (&config.source, &config.capture.without_identity);
            set_up_capture(source, &mut store, &mut run, without, footprint).await?;
        }
    }
    store.set_apply(true)?;
    let begins = run.slot_lsn.unwrap_or_default();
    tracing::info!("the target must have the rows as they were at {begins}: later changes follow");
    Ok((lock, store, run))
}

async fn look_for_slot(config: &Config) -> Result<Option<Slot>, MigrationError> {
    let source = Session::connect(&config.source, "preflight")
        .await
        .map_err(to_source(&config.source))?;
    take_over::look(&source, &config.capture.slot, &config.capture.plugin).await
}

/// Drops what was made for following alone. Rows that were copied need the slot they were copied
/// with, so a copy is begun anew as a whole or not at all.
async fn start_over(config: &Config, run: &Run) -> Result<(), MigrationError> {
    let store = Store::create(&config.work_dir.store_path())?;
    if store.step_is_begun(CATALOG_STEP)? {
        return Err(MigrationError::Refused {
            side: None,
            problem: match run.slot {
                Some(_) => "the rows on the target were copied with the slot that would be dropped",
                None => "the rows on the target were copied without capturing changes",
            }
            .to_owned(),
            hint: "begin copy and following anew with pgflit clone --follow --restart".to_owned(),
        });
    }
    if !config.create_slot {
        return Err(MigrationError::Refused {
            side: None,
            problem: "--restart drops the slot, and nobody has said to make it again".to_owned(),
            hint: "add --create-slot, if the target has the rows as they are now; or go on with --resume".to_owned(),
        });
    }
    let (source, target) = preflight::look_at_servers(&config.source, &config.target).await?;
    begin::check_servers(run, &source, &target)?;
    let _alone = begin::nobody_streams(&config.work_dir, begin::LEAVE_WAIT)?;
    remove_from_servers(&config.source, &config.target, run, Others::LeftOver).await?;
    setup::put_identities_back(&config.source, &config.work_dir).await?;
    begin::remove_files(&config.work_dir)
}

fn describe(config: &Config, servers: (Server, Server), begun_filters: Option<String>) -> Run {
    let (source, target) = servers;
    let capture = &config.capture;
    Run {
        source: config.source.to_string(),
        target: Some(config.target.to_string()),
        source_system: source.system,
        target_system: Some(target.system),
        source_version: Some(source.version),
        target_version: Some(target.version),
        slot: Some(capture.slot.clone()),
        origin: Some(capture.origin.clone()),
        publication: capture.publication.clone(),
        plugin: Some(capture.plugin.clone()),
        wal_segment_bytes: Some(source.wal_segment_bytes),
        filters: match &config.filters {
            Some(filters) => filters.text(),
            None => begun_filters,
        },
        ..Run::default()
    }
}
