//! Rows that somebody else has copied: what the target must know of them before changes are applied.
//!
//! Noted before the first change is applied, so once: what is on the target later may be ours.

use crate::base::Visibility;
use crate::catalog::ledger::{self, Part};
use crate::catalog::server;
use crate::clone::epoch::Epoch;
use crate::pg::Session;
use crate::store::{CATALOG_STEP, LARGE_OBJECTS_STEP, Run, Store};

use super::error::{MigrationError, on_source, on_target, to_source, to_target};
use super::follow::Config;

/// Notes which rows and large objects the target has, as far as pgflit has not copied them.
pub(super) async fn note(config: &Config, run: &Run, store: &Store) -> Result<(), MigrationError> {
    if let Some(id) = &config.snapshot {
        note_snapshot(config, run, store, id).await?;
    }
    note_own_large_objects(config, store).await
}

/// Changes that the snapshot `id` sees are in rows that were copied under it: what the ledger says
/// of a copy of ours.
async fn note_snapshot(
    config: &Config,
    run: &Run,
    store: &Store,
    id: &str,
) -> Result<(), MigrationError> {
    if store.step_is_begun(CATALOG_STEP)? {
        tracing::info!("pgflit has copied the rows: under which snapshots, it knows");
        return Ok(());
    }
    let slot = run.slot_snapshot.as_deref();
    let slot = slot.and_then(|text| text.parse().ok());
    let epoch = Epoch::take_over(&config.source, 1, id, slot.as_ref()).await?;
    let target = Session::connect(&config.target, "ledger")
        .await
        .map_err(to_target(&config.target))?;
    let failed = on_target("writing the ledger");
    ledger::create(&target).await.map_err(&failed)?;
    let mut notes = "BEGIN; DELETE FROM pgflit.part".to_owned();
    for table in store.tables()? {
        let part = Part {
            table: table.name,
            number: 0,
            count: 1,
            epoch: epoch.number,
            visibility: Visibility::Snapshot(epoch.snapshot.clone()),
            convergence: epoch.insert_lsn,
            rows: 0,
            bytes: 0,
            range: None,
        };
        notes.push_str("; ");
        notes.push_str(&ledger::note_sql(&part));
    }
    notes.push_str("; COMMIT");
    target.batch(&notes).await.map_err(failed)?;
    tracing::info!(
        "the target has the rows of snapshot {id} ({}): changes that it sees are not applied again",
        epoch.snapshot
    );
    Ok(())
}

/// Where pgflit has not copied large objects, those that only the target has are its own: what is
/// compared at the end leaves them alone.
async fn note_own_large_objects(config: &Config, store: &Store) -> Result<(), MigrationError> {
    let is_left_out = config.choices.large_object_jobs.is_none();
    if is_left_out || store.step_is_begun(LARGE_OBJECTS_STEP)? {
        return Ok(());
    }
    let source = Session::connect(&config.source, "large objects")
        .await
        .map_err(to_source(&config.source))?;
    let target = Session::connect(&config.target, "large objects")
        .await
        .map_err(to_target(&config.target))?;
    let failed = on_target("looking at its large objects");
    ledger::create(&target).await.map_err(&failed)?;
    let there = server::large_objects(&target, None)
        .await
        .map_err(&failed)?;
    if there.is_empty() {
        return Ok(());
    }
    let both = server::large_objects(&source, Some(&there)).await;
    let both = both.map_err(on_source("looking at its large objects"))?;
    let own: Vec<u32> = there
        .into_iter()
        .filter(|oid| both.binary_search(oid).is_err())
        .collect();
    ledger::note_kept_large_objects(&target, &own)
        .await
        .map_err(failed)
}
