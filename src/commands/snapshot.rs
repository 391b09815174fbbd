//! `pgflit snapshot`: one moment of the source for several commands.

use super::{CommandError, clone, place, runtime};
use crate::base::Side;
use crate::cli::ExitCode;
use crate::cli::options::SnapshotOptions;
use crate::migration::MigrationError;
use crate::migration::setup;
use crate::migration::snapshot::{Config, hold};
use crate::report::stdout;

/// Exports a snapshot, prints its id, and holds it until a signal.
pub(super) fn run(options: &SnapshotOptions) -> Result<ExitCode, CommandError> {
    let source = place::address(Side::Source, options.source.as_deref())?;
    let work_dir = place::work_dir(&options.work_dir);
    let cdc = &options.cdc;
    let filters = place::filters(options.filters.as_deref())?;
    let config = Config {
        capture: cdc.follow.then(|| setup::Config {
            source: source.clone(),
            target: None,
            work_dir: work_dir.clone(),
            slot: cdc.slot_name.clone(),
            origin: cdc.origin.clone(),
            publication: cdc.own_publication(),
            plugin: cdc.plugin.name().to_owned(),
            endpos: cdc.endpos,
            filters,
            without_identity: clone::without_identity(cdc),
            snapshot: None,
        }),
        source,
        work_dir,
    };
    let shutdown = place::shutdown()?;
    let mut unwritten = None;
    let held = runtime::block_on(hold(&config, &shutdown, |id| {
        stdout::write_line(id).map_err(|error| {
            unwritten = Some(error);
            MigrationError::Stopped
        })
    }))?;
    match (held, unwritten) {
        (_, Some(error)) => Err(CommandError::stdout(error)),
        (Err(MigrationError::Stopped), None) => Ok(ExitCode::Stopped),
        (held, None) => {
            held?;
            tracing::info!("the snapshot is let go");
            Ok(ExitCode::Done)
        }
    }
}
