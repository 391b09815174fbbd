//! `pgflit stream transform` of a work directory.

use super::begin;
use crate::base::shutdown::POLL;
use crate::base::{Lsn, Shutdown};
use crate::cdc::transform::{FolderTransform, Progress};
use crate::cli::ExitCode;
use crate::commands::{CommandError, place};
use crate::store::WorkDir;

/// Keeps the SQL segments in step until endpos or a signal, or until the present end.
pub(super) fn run(work_dir: &WorkDir, until_end: bool) -> Result<ExitCode, CommandError> {
    let shutdown = place::shutdown()?;
    let store = work_dir.open_store()?;
    let _lock = begin::role(work_dir, "transform")?;
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

/// Whether receive's end is the end that is wanted now: it may have been moved on since.
fn is_endpos(ended: Lsn, endpos: Option<Lsn>) -> bool {
    endpos.is_some_and(|endpos| ended >= endpos)
}

/// Keeps the SQL segments in step until `source_ended`, and then up to what is there.
pub(super) fn keep_in_step(
    work_dir: &WorkDir,
    source_ended: &Shutdown,
) -> Result<(), CommandError> {
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
