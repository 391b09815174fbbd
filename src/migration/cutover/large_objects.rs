//! Large objects, which are in no stream of changes: they are compared and brought over while traffic
//! flows, and again while clients wait. That takes as long as reading all of them does.

use super::error::{CutoverError, on};
use crate::base::{Shutdown, Side};
use crate::catalog::ledger;
use crate::clone::large_objects::{self, Compared, LargeObjectError, Restored};
use crate::migration::MigrationError;
use crate::pg::{Address, Session};

/// Sessions on each side.
const JOBS: usize = 4;

/// Whether either side has any.
///
/// # Errors
/// A server refuses.
pub async fn are_there(
    (from, to): (&Session, &Session),
    from_side: Side,
) -> Result<bool, CutoverError> {
    let sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata)";
    for (session, side) in [(from, from_side), (to, from_side.other())] {
        let row = session.query_one(sql, &[]).await;
        let row = row.map_err(on(side, "looking for large objects"))?;
        if row.get(0) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Makes what the comparison notes its work in, where it is missing.
///
/// # Errors
/// The server refuses.
pub async fn prepare(to: &Session, side: Side) -> Result<(), CutoverError> {
    let made = ledger::create(to).await;
    made.map_err(on(side, "making the schema pgflit"))
}

/// Makes the large objects of `to` those that `from` has now. Cancel safe: the work is stopped then,
/// between two objects.
///
/// # Errors
/// A server refuses.
pub async fn carry(from: &Address, to: &Address) -> Result<Compared, CutoverError> {
    let stop = AskWhenDropped(Shutdown::default());
    let config = large_objects::Config {
        source: from.clone(),
        target: to.clone(),
        jobs: JOBS,
        snapshot_id: None,
        replace: true,
        restored: Restored {
            owners: true,
            privileges: true,
            comments: true,
        },
        retry_for: std::time::Duration::ZERO,
        shutdown: stop.0.clone(),
    };
    // It blocks its thread.
    let (send, receive) = tokio::sync::oneshot::channel();
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let compared = match runtime {
            Ok(runtime) => runtime.block_on(large_objects::compare(&config)),
            Err(error) => Err(LargeObjectError::Thread(error.to_string())),
        };
        // Nobody waits for it if it was cancelled.
        let _ = send.send(compared);
    };
    let failed = |error| CutoverError::from(MigrationError::LargeObjects(error));
    std::thread::Builder::new()
        .spawn(run)
        .map_err(|error| failed(LargeObjectError::Thread(error.to_string())))?;
    match receive.await {
        Ok(compared) => compared.map_err(failed),
        Err(_) => Err(CutoverError::not_ready(
            "comparing large objects broke off",
            "see the log",
        )),
    }
}

/// Stops the work when nobody waits for it any more.
struct AskWhenDropped(Shutdown);

impl Drop for AskWhenDropped {
    fn drop(&mut self) {
        self.0.ask();
    }
}
