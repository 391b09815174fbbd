//! `pgflit stream prune`.

use super::begin;
use crate::cdc::prune::{PruneError, prune};
use crate::cli::ExitCode;
use crate::cli::options::FollowOptions;
use crate::commands::{CommandError, place};
use crate::segment::bytes_taken;

/// Removes the segments that the target has replayed. Receive does so too while it runs; this is for
/// a folder that nobody receives into.
pub(in crate::commands) fn run(options: &FollowOptions) -> Result<ExitCode, CommandError> {
    let work_dir = place::work_dir(&options.work_dir);
    let mut store = work_dir.open_store()?;
    let run = begin::known_run(&work_dir, &store)?;
    let bytes = begin::known(
        run.wal_segment_bytes,
        "the source's WAL segment size",
        &work_dir,
    )?;
    // A receive that runs knows which of them it is still reading, and removes them itself.
    let _lock = begin::role(&work_dir, "receive")?;
    let before = bytes_taken(&work_dir.cdc)?;
    let removed = prune(&work_dir.cdc, &mut store, bytes, None)?;
    let freed = crate::base::quantity::ByteSize(before.saturating_sub(bytes_taken(&work_dir.cdc)?));
    let replayed = store.sentinel()?.replay_lsn;
    tracing::info!("removed {removed} segments, {freed}; the target has replayed up to {replayed}");
    Ok(ExitCode::Done)
}

impl From<PruneError> for CommandError {
    fn from(error: PruneError) -> Self {
        CommandError::new(ExitCode::Other, error)
    }
}
