//! What a migration makes on the servers before anything is copied, and how it goes again.

use std::time::Duration;

use crate::base::{Lsn, Shutdown, failpoint};
use crate::catalog::discovery;
use crate::catalog::filters::{self, Filters, Strictness};
use crate::catalog::sizes::Sizes;
use crate::pg::{Address, Session};
use crate::store::{Run, Store, TableRow, WorkDir};

use super::base_copy;
use super::begin::{self, Begin, Start};
use super::capture;
use super::error::{MigrationError, on_source, to_source, to_target};
use super::footprint::Footprint;
use super::identities::{self, At, WithoutIdentity};
use super::leftovers::{self, Others};
use super::partitions;
use super::preflight::{self, Wanted};
use super::rewritten;

/// What `stream setup` is to do.
#[derive(Debug, Clone)]
pub struct Config {
    /// The source.
    pub source: Address,
    /// The target, if it is known already.
    pub target: Option<Address>,
    /// Where everything is kept.
    pub work_dir: WorkDir,
    /// The slot to make.
    pub slot: String,
    /// The position's name on the target.
    pub origin: String,
    /// The publication to make; pgoutput alone has one.
    pub publication: Option<String>,
    /// The output plugin.
    pub plugin: String,
    /// Where to end, if it is known already.
    pub endpos: Option<Lsn>,
    /// What is left out.
    pub filters: Filters,
    /// What to do about tables without a replica identity.
    pub without_identity: WithoutIdentity,
    /// The id of a snapshot that was held together with a slot that is there already.
    pub snapshot: Option<String>,
}

/// Makes work directory, publications and slot, for streaming by hand; gives where it begins.
/// [`MigrationError::Stopped`] when asked to stop before; nothing is left then, nor after an error.
pub async fn set_up(config: &Config, shutdown: &Shutdown) -> Result<Lsn, MigrationError> {
    let mut footprint = Footprint::default();
    let lsn = tokio::select! {
        lsn = try_to_set_up(config, &mut footprint) => lsn,
        () = shutdown.wait() => Err(MigrationError::Stopped),
    };
    if lsn.is_err() {
        footprint.take_back(&config.source, &config.work_dir).await;
    }
    lsn
}

async fn try_to_set_up(config: &Config, footprint: &mut Footprint) -> Result<Lsn, MigrationError> {
    let (begin, lock) = begin::look(&config.work_dir, Start::Fresh)?;
    match begin {
        Begin::New => check_no_snapshot(config)?,
        Begin::AfterSetup(run) => {
            check_snapshot(config)?;
            check_names(config, &run)?;
            begin::check_filters(&run, config.filters.text().as_deref())?;
            identities::tell_too_late(&config.work_dir.open_store()?, &config.without_identity)?;
            settle_endpos(&mut config.work_dir.open_store()?, &run, config.endpos)?;
            return Ok(run.slot_lsn.unwrap_or_default());
        }
        _ => {
            return Err(MigrationError::Refused {
                side: None,
                problem: format!("a migration is in {}", config.work_dir.root.display()),
                hint: "name another work directory with --dir".to_owned(),
            });
        }
    }
    let wanted = Wanted {
        slot: Some(&config.slot),
        plugin: Some(&config.plugin),
        publication: config.publication.as_deref(),
        origin: Some(&config.origin),
        endpos: config.endpos,
        target_may_be_filled: true,
        skip_large_objects: true,
        rows: false,
        role_passwords: false,
        filters: Some(&config.filters),
        of_standbys_alone: false,
        counts_sessions: false,
    };
    let (source, target) = match &config.target {
        Some(target) => {
            let (source, target) =
                preflight::look_to_capture(&config.source, target, &wanted).await?;
            (source, Some(target))
        }
        None => (
            preflight::look_at_source(&config.source, &wanted).await?.0,
            None,
        ),
    };
    let _lock = footprint.enter(&config.work_dir, lock)?;
    footprint.owns_files();
    let mut store = Store::create(&config.work_dir.store_path())?;
    let mut run = Run {
        source: config.source.to_string(),
        target: config.target.as_ref().map(Address::to_string),
        source_system: source.system,
        target_system: target.map(|target| target.system),
        slot: Some(config.slot.clone()),
        origin: Some(config.origin.clone()),
        publication: config.publication.clone(),
        plugin: Some(config.plugin.clone()),
        wal_segment_bytes: Some(source.wal_segment_bytes),
        filters: config.filters.text(),
        ..Run::default()
    };
    store.set_run(&run)?;
    set_up_capture(
        &config.source,
        &mut store,
        &mut run,
        &config.without_identity,
        footprint,
    )
    .await?;
    settle_endpos(&mut store, &run, config.endpos)?;
    Ok(run.slot_lsn.unwrap_or_default())
}

/// What was set up already stays what it is.
fn check_names(config: &Config, run: &Run) -> Result<(), MigrationError> {
    let names = [
        ("slot", &run.slot, Some(&config.slot)),
        ("origin", &run.origin, Some(&config.origin)),
        ("plugin", &run.plugin, Some(&config.plugin)),
        ("publication", &run.publication, config.publication.as_ref()),
    ];
    for (what, begun, asked) in names {
        let asked = asked.filter(|asked| begun.as_ref() != Some(asked));
        if let (Some(begun), Some(asked)) = (begun, asked) {
            return Err(MigrationError::Refused {
                side: None,
                problem: format!(
                    "change capture was set up in {} with {what} {begun}, not {asked}",
                    config.work_dir.root.display()
                ),
                hint: "leave the option out, or remove what was set up with pgflit stream cleanup"
                    .to_owned(),
            });
        }
    }
    Ok(())
}

/// A slot that is made now begins after any snapshot that is held: what commits between the two
/// would be in neither.
fn check_no_snapshot(config: &Config) -> Result<(), MigrationError> {
    match &config.snapshot {
        None => Ok(()),
        Some(id) => Err(MigrationError::Refused {
            side: None,
            problem: format!("a replication slot that is made now begins after snapshot {id}"),
            hint:
                "hold a snapshot that goes with a slot with pgflit snapshot --follow; it sets up \
                   change capture too"
                    .to_owned(),
        }),
    }
}

/// The snapshot must be the one that is held for this directory.
fn check_snapshot(config: &Config) -> Result<(), MigrationError> {
    let Some(id) = &config.snapshot else {
        return Ok(());
    };
    let held = std::fs::read_to_string(config.work_dir.snapshot_path()).unwrap_or_default();
    match held.trim() == id {
        true => Ok(()),
        false => Err(MigrationError::Refused {
            side: None,
            problem: format!(
                "snapshot {id} is not the one that is held for {}",
                config.work_dir.root.display()
            ),
            hint: "leave --snapshot out, or name the directory of that snapshot with --dir"
                .to_owned(),
        }),
    }
}

/// Whether somebody else had made the slot of `run`: of one of ours, what was visible at its point
/// is known.
fn is_taken_over(run: &Run) -> bool {
    run.slot_lsn.is_some() && run.slot_snapshot.is_none()
}

/// Removes what the run in `work_dir` has made on both servers, and its files. Without a run
/// there, what `named` names.
pub async fn clean_up(
    source: &Address,
    target: &Address,
    work_dir: &WorkDir,
    named: &Run,
) -> Result<(), MigrationError> {
    if !work_dir.has_begun() {
        return remove_from_servers(source, target, named, Others::Unknown).await;
    }
    let _lock = work_dir.lock()?;
    let _alone = begin::nobody_streams(work_dir, begin::LEAVE_WAIT)?;
    match Store::create(&work_dir.store_path())?.run()? {
        None => remove_from_servers(source, target, named, Others::Unknown).await?,
        Some(run) => {
            let (on_source, on_target) = preflight::look_at_servers(source, target).await?;
            begin::check_servers(&run, &on_source, &on_target)?;
            let released = base_copy::release_all(work_dir, &[], &run.source_system).await;
            remove_from_servers(source, target, &run, Others::LeftOver).await?;
            let put_back = put_identities_back(source, work_dir).await;
            // The files stay: they name the standby, and the tables.
            released?;
            put_back?;
        }
    }
    begin::remove_files(work_dir)?;
    tracing::info!("removed the files in {}", work_dir.root.display());
    Ok(())
}

/// Gives the source's tables back the replica identities that they had before the run in `work_dir`,
/// once its slot and publications are gone.
pub(super) async fn put_identities_back(
    source: &Address,
    work_dir: &WorkDir,
) -> Result<(), MigrationError> {
    let mut store = Store::create(&work_dir.store_path())?;
    if store.changed_identities()?.is_empty() {
        return Ok(());
    }
    let session = Session::connect(source, "cleanup")
        .await
        .map_err(to_source(source))?;
    identities::put_back(&session, &mut store, At::Cleanup).await
}

/// The tables of `run`, and what of them can be captured.
async fn tables_of(source: &Session, run: &Run) -> Result<Vec<TableRow>, MigrationError> {
    let mut tables = discovery::tables(source, Sizes::Estimated)
        .await
        .map_err(on_source("reading the catalog"))?;
    let filters = begin::filters_of(run)?;
    filters::resolve(source, &filters, Strictness::GoOn)
        .await?
        .filter_tables(&mut tables);
    if run.publication.is_some() {
        identities::leave_to_publication(source, &mut tables).await?;
    }
    Ok(tables)
}

/// Replica identities, then publications, then the slot, then the store's word that all are there.
pub(super) async fn set_up_capture(
    source_address: &Address,
    store: &mut Store,
    run: &mut Run,
    without_identity: &WithoutIdentity,
    footprint: &mut Footprint,
) -> Result<(), MigrationError> {
    let (Some(slot), Some(plugin)) = (&run.slot, &run.plugin) else {
        return Ok(());
    };
    let source = Session::connect(source_address, "setup")
        .await
        .map_err(to_source(source_address))?;
    let mut tables = tables_of(&source, run).await?;
    let for_publication = run.publication.is_some();
    if *without_identity != WithoutIdentity::Tell {
        footprint.changes_identities();
        identities::give(&source, store, &tables, for_publication, without_identity).await?;
        tables = tables_of(&source, run).await?;
    }
    store.set_catalog(&tables, &[])?;
    rewritten::keep(&source, store).await?;
    partitions::keep(&source, store).await?;
    identities::tell(&source, &tables, for_publication, without_identity).await?;
    if let Some(publication) = &run.publication {
        footprint.makes_publication(publication);
        capture::drop_publications(&source, publication).await?;
        capture::create_publications(&source, publication, &tables).await?;
        failpoint::reach("publications made");
    }
    footprint.makes_slot(slot);
    let made = slot_when_others_have_ended(&source, source_address, slot, plugin).await;
    let made = made.inspect_err(|error| {
        if matches!(error, MigrationError::Source { source, .. } if source.sqlstate() == Some(DUPLICATE)) {
            footprint.slot_was_refused();
        }
    })?;
    failpoint::reach("slot made");
    run.slot_lsn = Some(made.lsn);
    run.slot_snapshot = Some(made.snapshot.to_string());
    run.timeline = Some(made.timeline);
    store.set_run(run)?;
    store.set_startpos(made.lsn)?;
    failpoint::reach("slot known");
    tracing::info!("replication slot {slot} made at {}", made.lsn);
    Ok(())
}

/// SQLSTATE duplicate_object.
const DUPLICATE: &str = "42710";

/// How often it is told whom the making of the slot waits for.
const WAITING_TOLD_EVERY: Duration = Duration::from_secs(5);

/// Makes the slot, and tells whom it waits for while it does.
async fn slot_when_others_have_ended(
    source: &Session,
    address: &Address,
    slot: &str,
    plugin: &str,
) -> Result<capture::Slot, MigrationError> {
    let making = capture::create_slot(address, slot, plugin);
    tokio::pin!(making);
    loop {
        tokio::select! {
            made = &mut making => return made,
            () = tokio::time::sleep(WAITING_TOLD_EVERY) => {}
        }
        let blockers = capture::blockers_of_slot(source, slot).await;
        if let Some(blockers) = blockers.map_err(on_source("looking at its sessions"))? {
            tracing::warn!(
                "replication slot {slot} still waits for a transaction to end: {blockers}"
            );
        }
    }
}

/// endpos from the command line, if nobody has set another one since.
///
/// # Errors
/// Change capture begins behind it: nothing needs to be copied to find that out.
pub(super) fn settle_endpos(
    store: &mut Store,
    run: &Run,
    given: Option<Lsn>,
) -> Result<(), MigrationError> {
    let begin = run.slot_lsn.unwrap_or_default();
    let set = store.sentinel()?.endpos();
    if let Some(endpos) = [given, set].into_iter().flatten().find(|one| *one < begin) {
        return Err(MigrationError::EndposTooEarly { endpos, begin });
    }
    if let (Some(endpos), None) = (given, set) {
        store
            .set_endpos(endpos, false)
            .map_err(|error| MigrationError::Refused {
                side: None,
                problem: error.to_string(),
                hint: "set a later endpos, or --current".to_owned(),
            })?;
    }
    Ok(())
}

/// Drops slot and publication on the source, origin and ledger on the target.
pub(super) async fn remove_from_servers(
    source: &Address,
    target: &Address,
    run: &Run,
    others: Others,
) -> Result<(), MigrationError> {
    let session = Session::connect(source, "cleanup")
        .await
        .map_err(to_source(source))?;
    if let Some(slot) = &run.slot
        && capture::give_up_slot(&session, slot).await?
    {
        tracing::info!("dropped replication slot {slot} on the source");
    }
    failpoint::reach("slot dropped");
    if let Some(publication) = run.publication.as_ref().filter(|_| !is_taken_over(run)) {
        capture::drop_publications(&session, publication).await?;
        tracing::info!("dropped publication {publication} on the source");
    }
    failpoint::reach("publications dropped");
    let session = Session::connect(target, "cleanup")
        .await
        .map_err(to_target(target))?;
    if let Some(origin) = &run.origin
        && leftovers::drop_origin(&session, origin, others).await?
    {
        tracing::info!("dropped replication origin {origin} on the target");
    }
    failpoint::reach("origin dropped");
    leftovers::drop_ledger(&session, others).await?;
    failpoint::reach("ledger dropped");
    tracing::info!("dropped schema pgflit on the target");
    Ok(())
}
