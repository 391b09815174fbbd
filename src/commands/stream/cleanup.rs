//! `pgflit stream cleanup`: removes what a migration has made on both servers, and its files.

use crate::base::Side;
use crate::cli::ExitCode;
use crate::cli::options::FollowOptions;
use crate::commands::{CommandError, place, runtime};
use crate::migration::setup::clean_up;
use crate::store::Run;

/// Says what it removed. Without a work directory, what the options name is removed.
pub(in crate::commands) fn run(options: &FollowOptions) -> Result<ExitCode, CommandError> {
    let work_dir = place::work_dir(&options.work_dir);
    let source = place::address(Side::Source, options.source.as_deref())?;
    let target = place::address(Side::Target, options.target.as_deref())?;
    let named = Run {
        slot: Some(options.cdc.slot_name.clone()),
        origin: Some(options.cdc.origin.clone()),
        publication: Some(options.cdc.publication.clone()),
        ..Run::default()
    };
    runtime::block_on(clean_up(&source, &target, &work_dir, &named))??;
    Ok(ExitCode::Done)
}
