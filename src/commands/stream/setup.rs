//! `pgflit stream setup`: slot, publications and sentinel, for streaming by hand.

use super::begin;
use crate::base::Side;
use crate::cli::ExitCode;
use crate::cli::options::FollowOptions;
use crate::commands::{CommandError, clone, place, runtime};
use crate::migration::MigrationError;
use crate::migration::setup::{Config, set_up};

/// Makes them; then `pgflit clone` makes the base copy and the streaming commands follow.
pub(in crate::commands) fn run(options: &FollowOptions) -> Result<ExitCode, CommandError> {
    begin::refuse_restart("stream setup", options)?;
    let config = Config {
        source: place::address(Side::Source, options.source.as_deref())?,
        target: Some(place::address(Side::Target, options.target.as_deref())?),
        work_dir: place::work_dir(&options.work_dir),
        slot: options.cdc.slot_name.clone(),
        origin: options.cdc.origin.clone(),
        publication: options.cdc.own_publication(),
        plugin: options.cdc.plugin.name().to_owned(),
        endpos: options.cdc.endpos,
        filters: place::filters(options.filters.as_deref())?,
        without_identity: clone::without_identity(&options.cdc),
        snapshot: options.snapshot.clone(),
    };
    let shutdown = place::shutdown()?;
    let lsn = match runtime::block_on(set_up(&config, &shutdown))? {
        Err(MigrationError::Stopped) => {
            tracing::info!("stopped as asked; nothing was set up");
            return Ok(ExitCode::Stopped);
        }
        lsn => lsn?,
    };
    tracing::info!(
        "streaming begins at {lsn}; next: pgflit clone, then stream receive, transform and apply"
    );
    Ok(ExitCode::Done)
}
