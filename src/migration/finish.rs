//! What comes at endpos: sequences, and a last look for changes that could not be captured.

use crate::base::Lsn;
use crate::catalog::discovery;
use crate::pg::{Address, Session};
use crate::store::{Capture, Store};

use super::base_copy::set_sequences;
use super::error::{MigrationError, on_source, to_target};

/// Sets the sequences and marks the run as finished.
///
/// # Errors
/// [`MigrationError::Uncaptured`] if the source has counted updates or deletes on a table of which
/// only inserts are captured: the target is then not what the source was.
pub async fn finish(
    source: &Address,
    target: &Address,
    store: &mut Store,
    endpos: Lsn,
) -> Result<(), MigrationError> {
    check_uncaptured(source, store).await?;
    let session = Session::connect(target, "finish")
        .await
        .map_err(to_target)?;
    let sequences = set_sequences(source, &session).await?;
    store.finish_run()?;
    tracing::info!("the target has reached endpos {endpos}; {sequences} sequences set");
    Ok(())
}

async fn check_uncaptured(source: &Address, store: &Store) -> Result<(), MigrationError> {
    let known = store.tables()?;
    let inserts_only: Vec<_> = known
        .iter()
        .filter(|table| table.capture == Capture::InsertsOnly)
        .collect();
    if inserts_only.is_empty() {
        return Ok(());
    }
    let failed = on_source("looking at its statistics");
    let session = Session::connect(source, "finish").await.map_err(&failed)?;
    for now in discovery::tables(&session).await.map_err(&failed)? {
        let Some(before) = inserts_only.iter().find(|table| table.oid == now.oid) else {
            continue;
        };
        if now.uncaptured > before.uncaptured {
            return Err(MigrationError::Uncaptured {
                table: now.name,
                changes: now.uncaptured - before.uncaptured,
            });
        }
    }
    Ok(())
}
