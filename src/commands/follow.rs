//! `pgflit follow`.

use std::sync::Arc;

use super::{CommandError, choices, clone, not_built, place, progress, stream};
use crate::cli::ExitCode;
use crate::cli::invocation::{LogSettings, OutputSettings};
use crate::cli::options::CloneOptions;
use crate::migration::follow::{Config, Outcome, follow};
use crate::migration::supervisor::Alone;
use crate::report::progress::Shown;

/// Follows until endpos or a signal, and tells how it went.
pub(super) fn run(
    options: &CloneOptions,
    logging: &LogSettings,
    output: &OutputSettings,
) -> Result<ExitCode, CommandError> {
    not_built::refuse_options("follow", not_built::of_follow(options))?;
    let shown = Shown::of(output, logging);
    let all = clone::config(options, logging, shown)?;
    let Some(capture) = all.capture else {
        return not_built::not_built("follow");
    };
    let config = Config {
        source: all.source,
        target: all.target,
        start: choices::start(options.start),
        create_slot: options.cdc.create_slot,
        choices: all.copy,
        filters: options.filters.as_ref().map(|_| all.filters),
        snapshot: all.snapshot,
        progress: Arc::clone(&all.progress),
        command_line: all.command_line,
        work_dir: all.work_dir,
        capture,
    };
    let shutdown = place::shutdown()?;
    if config.work_dir.has_begun() {
        drop(Alone::take(&config.work_dir)?);
        stream::free_roles(&config.work_dir, true, true)?;
    }
    let display = progress::show(shown, &config.progress, &config.work_dir);
    let outcome = follow(&config, &shutdown);
    drop(display);
    match outcome? {
        Outcome::NothingLeft => {
            tracing::info!("this migration is finished: nothing left to do");
            Ok(ExitCode::Done)
        }
        Outcome::Stopped => {
            match config.work_dir.has_begun() {
                true => tracing::info!("stopped as asked; go on with --resume"),
                false => tracing::info!("stopped as asked, before anything was made"),
            }
            Ok(ExitCode::Stopped)
        }
        Outcome::Followed(_) => {
            clone::print_summary(&config.work_dir, output)?;
            clone::tell_slot(&config.work_dir, &config.capture.slot);
            Ok(ExitCode::Done)
        }
    }
}
