//! `clone`, with and without `--follow`, from the first look to the end.

use std::cell::Cell;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::base::milestone::STAGE;
use crate::base::quantity::ByteSize;
use crate::base::{Lsn, Shutdown, failpoint};
use crate::catalog::filters::Filters;
use crate::clone::roles::Passwords;
use crate::pg::{Address, Session};
use crate::proxy::authority::decision;
use crate::report::log_file;
use crate::store::{LARGE_OBJECTS_STEP, Lock, ROWS_STEP, Run, Store, WorkDir};

use super::base_copy::{self, ForeignSnapshot, Scope};
use super::begin::{self, Begin, Start};
use super::capture;
use super::check;
use super::error::{MigrationError, to_source, to_target};
use super::finish::{NewTables, finish};
use super::footprint::Footprint;
use super::identities::{self, WithoutIdentity};
use super::leftovers::{self, Others};
use super::patience;
use super::preflight::{self, Facts, Wanted};
use super::progress::Progress;
use super::sampler::Sampler;
use super::setup::{self, remove_from_servers, set_up_capture, settle_endpos};
use super::stage::Mode;
use super::summary::{self, Jobs, Summary};
use super::supervisor::{self, Alone, Ended, supervise};
use super::watch::{self, Watch};

/// What clone is to do.
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
    /// Change capture; none without `--follow`.
    pub capture: Option<CaptureConfig>,
    /// How the base copy is made.
    pub copy: base_copy::Choices,
    /// What else is left out.
    pub filters: Filters,
    /// Which options about cutting tables into parts were named, as text; empty if none was.
    pub split: Option<String>,
    /// The id of a snapshot that somebody else holds.
    pub snapshot: Option<String>,
    /// Standbys of the source that rows are read from; none to read them on the source.
    pub copy_from: Vec<Address>,
    /// Where it is told how far the copy is.
    pub progress: Arc<Progress>,
    /// What was typed, passwords hidden: it is kept for the report.
    pub command_line: String,
    /// What is checked before it begins, besides the above.
    pub checked: Checked,
}

/// What the checks before the beginning are told.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// How changes are captured; none without `--follow`.
    pub follow: Option<check::Following>,
    /// The checks that only warn.
    pub skip: Vec<String>,
}

/// How changes are captured.
#[derive(Debug, Clone)]
pub struct CaptureConfig {
    /// The slot on the source.
    pub slot: String,
    /// The position's name on the target.
    pub origin: String,
    /// The publication on the source; pgoutput alone has one.
    pub publication: Option<String>,
    /// The output plugin.
    pub plugin: String,
    /// Where to end, if it is known already.
    pub endpos: Option<Lsn>,
    /// What to do about a table that is created on the source meanwhile.
    pub new_tables: NewTables,
    /// What to do about tables without a replica identity.
    pub without_identity: WithoutIdentity,
    /// How far behind the target may be before that is told.
    pub lag_limit: Option<ByteSize>,
    /// How the child processes are started.
    pub children: supervisor::Config,
}

/// How clone ended without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was done already.
    NothingLeft,
    /// The copy is there.
    Copied,
    /// The copy is there and the target has reached endpos.
    Followed(Lsn),
    /// It was asked to stop; go on with `--resume`.
    Stopped,
}

/// Runs it. Must be called on the main thread: it starts the child processes.
pub fn clone(config: &Config, shutdown: &Shutdown) -> Result<Outcome, MigrationError> {
    let (begin, lock) = begin::look_for_copy(&config.work_dir, config.start)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| MigrationError::Thread(error.to_string()))?;
    if begin == Begin::Finished {
        summarize_if_nobody_has(&config.work_dir, &config.copy)?;
        let putting_back =
            put_identities_back(&config.source, &config.work_dir, &config.copy, shutdown);
        return match runtime.block_on(putting_back) {
            Err(MigrationError::Stopped) => Ok(Outcome::Stopped),
            done => done.map(|()| Outcome::NothingLeft),
        };
    }
    let prepared = runtime.block_on(prepare_or_leave_nothing(config, begin, lock, shutdown));
    let Prepared { run, facts, _lock } = match prepared {
        Err(MigrationError::Stopped) => return Ok(Outcome::Stopped),
        prepared => prepared?,
    };
    keep_log(&config.work_dir, "clone")?;
    let copy = base_copy::Config {
        source: config.source.clone(),
        target: config.target.clone(),
        work_dir: config.work_dir.clone(),
        programs: facts.programs,
        // A streamed change is filtered by the one snapshot of its table.
        several_moments: config.start == Start::ResumeNotConsistent && run.slot.is_none(),
        run,
        snapshot: config.snapshot.clone().map(|id| ForeignSnapshot { id }),
        copy_from: config.copy_from.clone(),
        choices: config.copy.clone(),
        progress: Arc::clone(&config.progress),
    };
    let mut store = config.work_dir.open_store()?;
    store.note_command(&config.command_line)?;
    let sampler = Sampler::start(&config.progress, &config.work_dir);
    let Some(capture) = &config.capture else {
        let copying = async {
            // Killed while it was ended: what the target knew of the copy may be gone.
            if !base_copy::is_complete(&store, &config.copy)? {
                patience::copy(&copy, Scope::Whole, shutdown).await?;
            }
            end_plain_copy(&copy, &mut store).await?;
            summarize(&config.work_dir, &config.copy, &store, None)
        };
        return match runtime.block_on(release_after(&copy, unless_overdue(copying, shutdown))) {
            Ok(()) => Ok(Outcome::Copied),
            Err(MigrationError::Stopped) => Ok(Outcome::Stopped),
            Err(error) => Err(error),
        };
    };
    match follow(&copy, capture, &sampler, &runtime, shutdown)? {
        Ended::Asked | Ended::DiskEnd => Ok(Outcome::Stopped),
        Ended::Endpos(endpos) => {
            let finishing = patience::patiently(config.copy.retry_for, shutdown, async || {
                let new_tables = capture.new_tables;
                let work_dir = &config.work_dir;
                finish(
                    copy.ends(),
                    &mut store,
                    endpos,
                    new_tables,
                    work_dir,
                    shutdown,
                )
                .await
            });
            let ending = async {
                unless_overdue(finishing, shutdown).await?;
                let (work_dir, choices) = (&config.work_dir, &config.copy);
                summarize(
                    work_dir,
                    choices,
                    &config.work_dir.open_store()?,
                    Some(endpos),
                )?;
                put_identities_back(&config.source, work_dir, choices, shutdown).await
            };
            match runtime.block_on(ending) {
                Ok(()) => Ok(Outcome::Followed(endpos)),
                Err(MigrationError::Stopped) => Ok(Outcome::Stopped),
                Err(error) => Err(error),
            }
        }
    }
}

/// The last of all, when the run is marked as finished: the source's tables get back the replica
/// identities that they had.
pub(super) async fn put_identities_back(
    source: &Address,
    work_dir: &WorkDir,
    choices: &base_copy::Choices,
    shutdown: &Shutdown,
) -> Result<(), MigrationError> {
    let putting_back = patience::patiently(choices.retry_for, shutdown, async || {
        identities::put_back_left(source, work_dir).await
    });
    unless_overdue(putting_back, shutdown).await
}

/// Keeps the log of this process in the work directory.
pub(super) fn keep_log(work_dir: &WorkDir, name: &str) -> Result<(), MigrationError> {
    let logs = work_dir.log_path();
    log_file::keep_in(&logs, name).map_err(|source| MigrationError::Io {
        doing: "making the log in",
        path: logs,
        source,
    })
}

/// Gives `work` up a moment after being asked to stop: a dead server, the network or a lock may
/// hold any of its questions for ever. Whatever a server was doing then, it undoes.
pub(super) async fn unless_overdue<T>(
    work: impl Future<Output = Result<T, MigrationError>>,
    shutdown: &Shutdown,
) -> Result<T, MigrationError> {
    tokio::select! {
        done = work => done,
        () = shutdown.overdue() => Err(MigrationError::Stopped),
    }
}

/// Whatever becomes of `copying`, it leaves no standby paused that can be reached.
async fn release_after<T>(copy: &base_copy::Config, copying: impl Future<Output = T>) -> T {
    let copied = copying.await;
    base_copy::release_at_the_end(copy).await;
    copied
}

/// Without change capture nobody needs the ledger any more; with it (`stream setup` came first),
/// the next steps do.
pub(super) async fn end_plain_copy(
    copy: &base_copy::Config,
    store: &mut Store,
) -> Result<(), MigrationError> {
    if copy.run.slot.is_some() {
        base_copy::set_database_properties(copy.ends()).await?;
        store.set_apply(true)?;
        return Ok(());
    }
    let target = Session::connect(&copy.target, "base copy")
        .await
        .map_err(to_target(&copy.target))?;
    leftovers::drop_ledger(&target, Others::LeftOver).await?;
    failpoint::reach("ledger dropped");
    base_copy::set_database_properties(copy.ends()).await?;
    store.finish_run()?;
    failpoint::reach("run finished");
    Ok(())
}

/// The base copy in a thread, streaming in child processes meanwhile and after.
fn follow(
    copy: &base_copy::Config,
    capture: &CaptureConfig,
    sampler: &Sampler,
    runtime: &Runtime,
    shutdown: &Shutdown,
) -> Result<Ended, MigrationError> {
    let store = copy.work_dir.open_store()?;
    let wanted_before = Cell::new(0);
    let copy_wanted = || {
        let wanted = store.wanted_row_count()?;
        if wanted == wanted_before.replace(wanted) {
            return Ok(());
        }
        // Apply has stopped before them; receive goes on.
        let copying = patience::patiently(copy.choices.retry_for, shutdown, async || {
            base_copy::copy_wanted(copy, shutdown).await
        });
        match runtime.block_on(unless_overdue(copying, shutdown)) {
            Ok(_) | Err(MigrationError::Stopped) => Ok(()),
            Err(error) => Err(error),
        }
    };
    let alone = Alone::take(&copy.work_dir)?;
    let wanted = watch::Wanted {
        new_tables: capture.new_tables,
        lag_limit: capture.lag_limit,
        source_lsn: sampler.source_lsn(),
    };
    let _watch = Watch::start(&copy.source, &copy.work_dir, wanted);
    // The copy is stopped by a signal to us, and when streaming fails.
    let stop_copy = Shutdown::default();
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        let (stop, config) = (&stop_copy, copy);
        scope.spawn(move || {
            // Streaming that has ended takes no result.
            let _ = sender.send(copy_in_thread(config, stop));
        });
        let copied = Cell::new(false);
        let still_fine = || match receiver.try_recv() {
            Ok(result) => {
                result?;
                copied.set(true);
                Ok(())
            }
            Err(mpsc::TryRecvError::Disconnected) if !copied.get() => Err(without_result()),
            Err(_) => copy_wanted(),
        };
        let ended = supervise(
            &capture.children,
            &alone,
            Mode::Follow,
            shutdown,
            still_fine,
        );
        if !matches!(ended, Ok(Ended::Endpos(_))) {
            stop_copy.ask();
            return ended;
        }
        // The target may be at endpos before the last steps of the copy are done, such as
        // foreign keys.
        while !copied.get() {
            match receiver.recv_timeout(LOOK_AGAIN) {
                Ok(result) => {
                    result?;
                    copied.set(true);
                }
                Err(mpsc::RecvTimeoutError::Timeout) if shutdown.asked() => {
                    stop_copy.ask();
                    return Ok(Ended::Asked);
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return Err(without_result()),
            }
        }
        ended
    })
}

/// How often signals are looked at while the copy ends.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

fn without_result() -> MigrationError {
    MigrationError::Thread("the base copy ended without a result".into())
}

/// Copies, then lets apply begin.
fn copy_in_thread(copy: &base_copy::Config, stop: &Shutdown) -> Result<(), MigrationError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| MigrationError::Thread(error.to_string()))?;
    let copying = unless_overdue(patience::copy(copy, Scope::Whole, stop), stop);
    runtime.block_on(release_after(copy, copying))?;
    let mut store = copy.work_dir.open_store()?;
    failpoint::reach("copy complete");
    store.set_apply(true)?;
    failpoint::reach("apply allowed");
    tracing::info!(target: STAGE, "the base copy is complete");
    summarize(&copy.work_dir, &copy.choices, &store, None)
}

/// Writes what was done so far into the work directory.
pub(super) fn summarize(
    work_dir: &WorkDir,
    choices: &base_copy::Choices,
    store: &Store,
    endpos: Option<Lsn>,
) -> Result<(), MigrationError> {
    let jobs = Jobs {
        table: choices.table_jobs,
        index: choices.index_jobs,
        restore: choices.restore_jobs,
        large_objects: choices.large_object_jobs,
    };
    summary::collect(store, jobs, endpos)?.write(work_dir);
    Ok(())
}

/// A run that was killed between its last step and its summary is summarized by the next one.
pub(super) fn summarize_if_nobody_has(
    work_dir: &WorkDir,
    choices: &base_copy::Choices,
) -> Result<(), MigrationError> {
    let written = Summary::read(work_dir);
    if written.is_ok_and(|summary| summary.run.finished_at.is_some()) {
        return Ok(());
    }
    let store = work_dir.open_store()?;
    summarize(work_dir, choices, &store, store.sentinel()?.endpos())
}

struct Prepared {
    run: Run,
    facts: Facts,
    _lock: Lock,
}

/// As [`prepare`]; asked to stop, or after an error, what it had made by then is taken back.
async fn prepare_or_leave_nothing(
    config: &Config,
    begin: Begin,
    lock: Option<Lock>,
    shutdown: &Shutdown,
) -> Result<Prepared, MigrationError> {
    let mut footprint = Footprint::default();
    let prepared = tokio::select! {
        prepared = prepare(config, begin, lock, &mut footprint, shutdown) => prepared,
        () = shutdown.wait() => Err(MigrationError::Stopped),
    };
    if prepared.is_err() {
        footprint.take_back(&config.source, &config.work_dir).await;
    }
    prepared
}

/// Looks, then makes the work directory, publication and slot, or finds them.
async fn prepare(
    config: &Config,
    begin: Begin,
    lock: Option<Lock>,
    footprint: &mut Footprint,
    shutdown: &Shutdown,
) -> Result<Prepared, MigrationError> {
    let mut begin = begin;
    if let Begin::StartOver(run) = &begin {
        let wanted = Wanted {
            slot: None,
            plugin: None,
            publication: None,
            origin: None,
            endpos: config.capture.as_ref().and_then(|capture| capture.endpos),
            target_may_be_filled: config.copy.drop_if_exists,
            skip_large_objects: config.copy.large_object_jobs.is_none(),
            rows: true,
            role_passwords: config.copy.roles == Some(Passwords::Copied),
            counts_sessions: config.copy.source_load_limit.is_some(),
            filters: Some(&config.filters),
            of_standbys_alone: reads_standbys_alone(config),
        };
        start_over(config, &wanted, run).await?;
        begin = Begin::New;
    }
    let new_slot = config.capture.as_ref().filter(|_| begin == Begin::New);
    let wanted = Wanted {
        slot: new_slot.map(|capture| capture.slot.as_str()),
        plugin: new_slot.map(|capture| capture.plugin.as_str()),
        publication: new_slot.and_then(|capture| capture.publication.as_deref()),
        origin: new_slot.map(|capture| capture.origin.as_str()),
        endpos: new_slot.and_then(|capture| capture.endpos),
        target_may_be_filled: config.copy.drop_if_exists || matches!(begin, Begin::Resume(_)),
        skip_large_objects: config.copy.large_object_jobs.is_none(),
        rows: true,
        role_passwords: config.copy.roles == Some(Passwords::Copied),
        counts_sessions: config.copy.source_load_limit.is_some(),
        // One that goes on is told below if its filters are others.
        filters: (begin == Begin::New).then_some(&config.filters),
        of_standbys_alone: reads_standbys_alone(config),
    };
    // What was begun before has reached both servers; of a first start, nobody knows.
    let limit = match begin {
        Begin::Resume(_) => config.copy.retry_for,
        _ => Duration::ZERO,
    };
    let looking = patience::patiently(limit, shutdown, async || {
        preflight::look(&config.source, &config.target, &wanted).await
    });
    let facts = looking.await?;
    if matches!(begin, Begin::New | Begin::AfterSetup(_)) {
        check_everything(config, &begin).await?;
    }
    let mut run = describe(config, &facts);
    check_copy_from(config, &begin).await?;
    if let Begin::Resume(begun) = &begin {
        begin::check_same(begun, &run)?;
    }
    if let Begin::AfterSetup(begun) = &begin {
        begin::check_same(begun, &run)?;
    }
    let lock = footprint.enter(&config.work_dir, lock)?;
    if begin == Begin::New {
        footprint.owns_files();
    }
    let mut store = Store::create(&config.work_dir.store_path())?;
    let without_identity = match &config.capture {
        Some(capture) => &capture.without_identity,
        None => &WithoutIdentity::Tell,
    };
    match begin {
        Begin::Resume(begun) => {
            let is_plain = config.capture.is_none() && begun.slot.is_none();
            let is_copied = store.is_copied(config.copy.large_object_jobs.is_some())?;
            let has_rows =
                store.step_is_begun(ROWS_STEP)? || store.step_is_begun(LARGE_OBJECTS_STEP)?;
            // With all rows there, what is missing needs no snapshot; with none, any will do. One
            // that was named is compared when it is taken over.
            let needs_snapshot = is_plain && has_rows && !is_copied && config.snapshot.is_none();
            if needs_snapshot && config.start != Start::ResumeNotConsistent {
                return Err(snapshot_is_gone());
            }
            run = Run {
                target: run.target,
                target_system: run.target_system,
                ..begun
            };
            store.set_run(&run)?;
            if config.capture.is_some() && run.slot_lsn.is_none() {
                // Killed while they were being made; preflight had found none, so they are ours.
                let source = Session::connect(&config.source, "setup")
                    .await
                    .map_err(to_source(&config.source))?;
                if let Some(slot) = &run.slot {
                    capture::give_up_slot(&source, slot).await?;
                }
                let (source, without) = (&config.source, without_identity);
                set_up_capture(source, &mut store, &mut run, without, footprint).await?;
            } else {
                identities::tell_too_late(&store, without_identity)?;
            }
        }
        Begin::AfterSetup(begun) => {
            identities::tell_too_late(&store, without_identity)?;
            run = Run {
                target: run.target,
                target_system: run.target_system,
                split: run.split,
                ..begun
            };
            store.set_run(&run)?;
        }
        Begin::New | Begin::StartOver(_) | Begin::Finished => {
            store.set_run(&run)?;
            failpoint::reach("run written");
            if config.capture.is_some() {
                forget_moves(config).await?;
                let (source, without) = (&config.source, without_identity);
                set_up_capture(source, &mut store, &mut run, without, footprint).await?;
            }
        }
    }
    if let Some(capture) = &config.capture {
        settle_endpos(&mut store, &run, capture.endpos)?;
    }
    Ok(Prepared {
        run,
        facts,
        _lock: lock,
    })
}

/// What `pgflit check` would fail for is refused before anything is made.
async fn check_everything(config: &Config, begin: &Begin) -> Result<(), MigrationError> {
    let follow = config.checked.follow.clone();
    check::refuse(&check::Config {
        source: config.source.clone(),
        target: config.target.clone(),
        work_dir: config.work_dir.clone(),
        filters: config.filters.clone(),
        copy: config.copy.clone(),
        // After `stream setup` the slot and what goes with it are there.
        follow: follow.filter(|_| *begin == Begin::New),
        skip: config.checked.skip.clone(),
    })
    .await
}

/// Whether all rows are to be of the moment at which a standby is paused.
fn reads_standbys_alone(config: &Config) -> bool {
    config.capture.is_none() && !config.copy_from.is_empty()
}

/// Looks at the standbys that rows are to be read from. A resume looks when it needs them: the rows
/// may all be there.
async fn check_copy_from(config: &Config, begin: &Begin) -> Result<(), MigrationError> {
    if config.copy_from.is_empty() {
        return Ok(());
    }
    if reads_standbys_alone(config) && config.copy_from.len() > 1 {
        return Err(MigrationError::Refused {
            side: None,
            problem: "standbys pause at different moments, and without --follow nothing brings \
                      the tables to the same"
                .to_owned(),
            hint: "name one with --copy-from, or add --follow".to_owned(),
        });
    }
    match begin {
        Begin::Resume(_) => Ok(()),
        _ => base_copy::check_standbys(&config.source, &config.copy_from)
            .await
            .map(drop),
    }
}

/// Without the stream, what is missing would be of another moment.
pub(super) fn snapshot_is_gone() -> MigrationError {
    MigrationError::Refused {
        side: None,
        problem: "the snapshot of the interrupted copy is gone".to_owned(),
        hint: "begin anew with --restart; or take what is missing as it is now with \
               --resume --not-consistent; or name the same snapshot with --snapshot, if someone \
               still holds it. A copy with --follow can be resumed exactly"
            .to_owned(),
    }
}

pub(super) fn describe(config: &Config, facts: &Facts) -> Run {
    let capture = config.capture.as_ref();
    Run {
        source: config.source.to_string(),
        target: Some(config.target.to_string()),
        source_system: facts.source.system.clone(),
        target_system: Some(facts.target.system.clone()),
        source_version: Some(facts.source.version.clone()),
        target_version: Some(facts.target.version.clone()),
        slot: capture.map(|capture| capture.slot.clone()),
        origin: capture.map(|capture| capture.origin.clone()),
        publication: capture.and_then(|capture| capture.publication.clone()),
        plugin: capture.map(|capture| capture.plugin.clone()),
        wal_segment_bytes: Some(facts.source.wal_segment_bytes),
        filters: config.filters.text(),
        split: config.split.clone(),
        ..Run::default()
    }
}

/// Drops what an earlier run has made, on both servers and here; nothing unless preflight, which
/// comes again after it, has no objection to beginning anew.
pub(super) async fn start_over(
    config: &Config,
    wanted: &Wanted<'_>,
    run: &Run,
) -> Result<(), MigrationError> {
    let facts = preflight::look(&config.source, &config.target, wanted).await?;
    begin::check_servers(run, &facts.source, &facts.target)?;
    let _alone = begin::nobody_streams(&config.work_dir, begin::LEAVE_WAIT)?;
    base_copy::release_all(&config.work_dir, &config.copy_from, &run.source_system).await?;
    remove_from_servers(&config.source, &config.target, run, Others::LeftOver).await?;
    setup::put_identities_back(&config.source, &config.work_dir).await?;
    begin::remove_files(&config.work_dir)
}

/// Traffic is on the source now, whatever an earlier migration between these servers has decided: proxies
/// of other machines go by that.
async fn forget_moves(config: &Config) -> Result<(), MigrationError> {
    let source = Session::connect(&config.source, "setup").await;
    let source = source.map_err(to_source(&config.source))?;
    let target = Session::connect(&config.target, "setup").await;
    let target = target.map_err(to_target(&config.target))?;
    let begun = decision::begin_anew(&source, &target).await;
    begun.map_err(|source| MigrationError::Source {
        doing: "noting that traffic goes there",
        source,
    })
}
