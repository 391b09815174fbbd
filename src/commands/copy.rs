//! `pgflit copy …`: one step of a clone.

use super::{CommandError, choices, clone, not_built, place, progress, runtime};
use crate::cli::ExitCode;
use crate::cli::invocation::{LogSettings, OutputSettings};
use crate::cli::options::{CloneOptions, CopyStep};
use crate::clone::roles::Passwords;
use crate::migration::base_copy::Scope;
use crate::migration::steps::{self, Config, Outcome};
use crate::report::progress::Shown;

/// An option of `clone` that a step of it cannot have.
#[derive(Debug, thiserror::Error)]
#[error("pgflit copy {step} takes no {option}")]
struct NotForSteps {
    step: &'static str,
    option: &'static str,
}

/// Does the step, and tells how it went.
pub(super) fn run(
    step: CopyStep,
    options: &CloneOptions,
    logging: &LogSettings,
    output: &OutputSettings,
) -> Result<ExitCode, CommandError> {
    refuse(step, options)?;
    let Some(scope) = scope(step) else {
        return clone::run(options, logging, output);
    };
    let command = format!("copy {}", step.name());
    not_built::refuse_options(&command, not_built::of_clone(options))?;
    let shown = Shown::of(output, logging);
    let clone = clone::config(options, logging, shown)?;
    let mut copy = clone.copy;
    if scope == Scope::Roles {
        copy.roles = Some(match options.copy.no_role_passwords {
            true => Passwords::LeftOut,
            false => Passwords::Copied,
        });
    }
    let config = Config {
        source: clone.source,
        target: clone.target,
        work_dir: clone.work_dir,
        start: choices::start(options.start),
        scope,
        from_dump: false,
        copy,
        filters: clone.filters,
        snapshot: clone.snapshot,
        progress: clone.progress,
        command_line: clone.command_line,
    };
    finish(&command, &config, shown, output)
}

/// Runs the step that `config` says, as `command`.
pub(super) fn finish(
    command: &str,
    config: &Config,
    shown: Shown,
    output: &OutputSettings,
) -> Result<ExitCode, CommandError> {
    let shutdown = place::shutdown()?;
    let display = progress::show(shown, &config.progress, &config.work_dir);
    let outcome = runtime::block_on(steps::run(config, &shutdown))?;
    drop(display);
    match outcome? {
        Outcome::NothingLeft => {
            tracing::info!("this migration is finished: nothing left to do");
        }
        Outcome::Done => {
            tracing::info!("{command} is done");
            clone::tell_left_out(&config.work_dir);
        }
        Outcome::Complete => {
            tracing::info!("{command} is done, and with it the whole copy");
            clone::print_summary(&config.work_dir, output)?;
            clone::tell_left_out(&config.work_dir);
        }
        Outcome::Stopped => {
            match config.work_dir.has_begun() {
                true => tracing::info!("stopped as asked; go on with --resume"),
                false => tracing::info!("stopped as asked, before anything was made"),
            }
            return Ok(ExitCode::Stopped);
        }
    }
    Ok(ExitCode::Done)
}

/// None for all of them.
const fn scope(step: CopyStep) -> Option<Scope> {
    Some(match step {
        CopyStep::Db => return None,
        CopyStep::Roles => Scope::Roles,
        CopyStep::Extensions => Scope::Extensions,
        CopyStep::Schema => Scope::Schema,
        CopyStep::Data => Scope::Data,
        CopyStep::TableData => Scope::TableData,
        CopyStep::Blobs => Scope::LargeObjects,
        CopyStep::Sequences => Scope::Sequences,
        CopyStep::Indexes => Scope::Indexes,
        CopyStep::Constraints => Scope::Constraints,
    })
}

/// Refuses what a step could only ignore.
fn refuse(step: CopyStep, options: &CloneOptions) -> Result<(), CommandError> {
    let asked = [
        (
            options.cdc.follow,
            "--follow",
            "follow with pgflit clone --follow",
        ),
        (
            options.all_databases && step != CopyStep::Db,
            "--all-databases",
            "copy all databases with pgflit clone --all-databases",
        ),
        (
            !options.copy.copy_from.is_empty() && step != CopyStep::Db,
            "--copy-from",
            "read rows on standbys with pgflit clone",
        ),
        (
            !options.skip_checks.is_empty() && step != CopyStep::Db,
            "--skip-check",
            "a step looks only at what it needs",
        ),
        (
            step == CopyStep::Blobs && options.copy.skip_large_objects,
            "--skip-large-objects",
            "leave the command out instead",
        ),
    ];
    match asked.into_iter().find(|(is_asked, ..)| *is_asked) {
        None => Ok(()),
        Some((_, option, hint)) => {
            let step = step.name();
            Err(CommandError::usage(NotForSteps { step, option }).with_hint(hint))
        }
    }
}
