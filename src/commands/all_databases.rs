//! `pgflit clone --all-databases`.

use super::CommandError;
use crate::base::Shutdown;
use crate::base::quantity::ByteSize;
use crate::cli::ExitCode;
use crate::migration::all_databases::{Done, clone_all};
use crate::migration::clone::{Config, Outcome};

/// Copies one database after the other, and tells how each went.
pub(super) fn run(config: &Config, shutdown: &Shutdown) -> Result<ExitCode, CommandError> {
    let complete = clone_all(config, shutdown, &tell)?;
    if complete {
        tracing::info!("all databases are copied");
        return Ok(ExitCode::Done);
    }
    tracing::info!("stopped as asked; go on with --resume");
    Ok(ExitCode::Stopped)
}

fn tell(done: &Done) {
    let name = &done.name;
    if done.outcome == Outcome::NothingLeft {
        return tracing::info!("database {name}: nothing left to do");
    }
    let store = done.work_dir.open_store();
    // A summary that cannot be read changes nothing of what was copied.
    match store.and_then(|store| store.table_copies()) {
        Ok(copies) => {
            let rows: u64 = copies.iter().map(|copy| copy.rows).sum();
            let bytes = ByteSize(copies.iter().map(|copy| copy.bytes).sum());
            tracing::info!(
                "database {name}: copied {} tables, {rows} rows, {bytes}",
                copies.len()
            );
        }
        Err(error) => tracing::warn!("database {name}: copied; {error}"),
    }
}
