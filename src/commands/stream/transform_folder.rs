//! `pgflit stream transform` of a work directory.

use super::begin;
use crate::base::shutdown::POLL;
use crate::base::{Lsn, Shutdown};
use crate::cdc::transform::{FolderTransform, Progress};
use crate::cli::ExitCode;
use crate::commands::{CommandError, place};
use crate::segment::{self, Kind, SegmentName};
use crate::store::{Store, WorkDir};

/// Keeps the SQL segments in step until endpos or a signal, or until the present end.
pub(super) fn run(work_dir: &WorkDir, until_end: bool) -> Result<ExitCode, CommandError> {
    let shutdown = place::shutdown()?;
    let store = work_dir.open_store()?;
    let _lock = begin::role(work_dir, "transform")?;
    begins_where_following_does(work_dir, &store)?;
    let mut transform = FolderTransform::open(&work_dir.cdc)?;
    loop {
        match transform.step()? {
            Progress::AtEnd | Progress::Endpos(_) if until_end => {
                tracing::info!("transformed all there was in {}", work_dir.cdc.display());
                return Ok(ExitCode::Done);
            }
            Progress::Endpos(ended) if is_endpos(ended, store.sentinel()?.endpos()) => {
                tracing::info!("transformed everything up to endpos {ended}");
                return Ok(ExitCode::Done);
            }
            Progress::AtEnd | Progress::Endpos(_) => {
                shutdown.sleep(POLL);
            }
            Progress::Moved => {}
        }
        if shutdown.asked() {
            tracing::info!("stopped transforming as asked");
            return Ok(ExitCode::Stopped);
        }
    }
}

/// Refuses a folder without any SQL whose first JSON segment is gone. Each later one is named by the
/// one before it; the first is where following begins, or where what is replayed ends.
fn begins_where_following_does(work_dir: &WorkDir, store: &Store) -> Result<(), CommandError> {
    let folder = &work_dir.cdc;
    if !segment::entries(folder, Kind::Sql)?.is_empty() {
        return Ok(());
    }
    // In this order: what is pruned meanwhile is replayed before.
    let json = segment::entries(folder, Kind::Json)?;
    let (Some(first), Some(run)) = (json.first(), store.run()?) else {
        return Ok(());
    };
    let (Some(begun), Some(bytes)) = (run.slot_lsn, run.wal_segment_bytes) else {
        return Ok(());
    };
    let start = begun.max(store.sentinel()?.replay_lsn);
    match first.name.first_lsn(bytes) > start {
        true => {
            let timeline = run.timeline.unwrap_or(first.name.timeline());
            let name = SegmentName::holding(start, timeline, bytes);
            Err(segment::Error::Missing(Kind::Json.closed_path(folder, name)).into())
        }
        false => Ok(()),
    }
}

/// Whether receive's end is the end that is wanted now: it may have been moved on since.
fn is_endpos(ended: Lsn, endpos: Option<Lsn>) -> bool {
    endpos.is_some_and(|endpos| ended >= endpos)
}

/// Keeps the SQL segments in step until `source_ended`, and then up to what is there.
pub(super) fn keep_in_step(
    work_dir: &WorkDir,
    source_ended: &Shutdown,
) -> Result<(), CommandError> {
    begins_where_following_does(work_dir, &work_dir.open_store()?)?;
    let mut transform = FolderTransform::open(&work_dir.cdc)?;
    loop {
        // Asked before the step: what was written before the end is seen by it.
        let last = source_ended.asked();
        if transform.step()? == Progress::Moved {
            continue;
        }
        if last {
            return Ok(());
        }
        source_ended.sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_was_moved_on_is_not_the_end() {
        assert!(is_endpos(Lsn::new(100), Some(Lsn::new(100))));
        assert!(!is_endpos(Lsn::new(100), Some(Lsn::new(101))));
        assert!(!is_endpos(Lsn::new(100), None));
    }
}
