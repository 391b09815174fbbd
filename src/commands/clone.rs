//! `pgflit clone`.

use std::sync::Arc;

use super::{
    CommandError, all_databases, check, children, choices, not_built, place, progress, typed,
};
use crate::base::Side;
use crate::base::cause::chain;
use crate::cli::invocation::{LogSettings, OutputSettings};
use crate::cli::options::{CdcSettings, CloneOptions};
use crate::cli::{ExitCode, options};
use crate::migration::base_copy::left_out;
use crate::migration::clone::{CaptureConfig, Checked, Config, Outcome, clone};
use crate::migration::finish::NewTables;
use crate::migration::identities::WithoutIdentity;
use crate::migration::summary::Summary;
use crate::migration::supervisor;
use crate::pg::Address;
use crate::report::progress::Shown;
use crate::report::{stdout, summary};
use crate::store::{HANDED_OVER_STEP, WorkDir};

/// Copies, follows if asked to, and tells how it went.
pub(super) fn run(
    options: &CloneOptions,
    logging: &LogSettings,
    output: &OutputSettings,
) -> Result<ExitCode, CommandError> {
    not_built::refuse_options("clone", not_built::of_clone(options))?;
    let shown = Shown::of(output, logging);
    let config = config(options, logging, shown)?;
    let shutdown = place::shutdown()?;
    if options.all_databases {
        return all_databases::run(&config, &shutdown, shown, output);
    }
    let display = progress::show(shown, &config.progress, &config.work_dir);
    let outcome = clone(&config, &shutdown);
    drop(display);
    let outcome = outcome?;
    match outcome {
        Outcome::NothingLeft => {
            tracing::info!("this migration is finished: nothing left to do");
            return Ok(ExitCode::Done);
        }
        Outcome::Stopped => {
            match config.work_dir.has_begun() {
                true if config.capture.is_none() => {
                    tracing::info!("stopped as asked; begin anew with --restart");
                }
                true => tracing::info!("stopped as asked; go on with --resume"),
                false => tracing::info!("stopped as asked, before anything was made"),
            }
            return Ok(ExitCode::Stopped);
        }
        Outcome::Copied | Outcome::Followed(_) => {}
    }
    print_summary(&config.work_dir, output)?;
    tell_left_out(&config.work_dir);
    if let (Outcome::Followed(_), Some(capture)) = (outcome, &config.capture) {
        tell_slot(&config.work_dir, &capture.slot);
    }
    Ok(ExitCode::Done)
}

/// The slot stays after the end; but if traffic was moved, that removes it.
pub(super) fn tell_slot(work_dir: &WorkDir, slot: &str) {
    let store = work_dir.open_store();
    let is_handed_over = store.and_then(|store| store.step_is_done(HANDED_OVER_STEP));
    match is_handed_over {
        Ok(true) => tracing::info!("ended by pgflit cutover, rollback or finalize"),
        Ok(false) | Err(_) => tracing::info!(
            "slot {slot} is still on the source and holds its WAL: remove it with pgflit stream cleanup"
        ),
    }
}

/// What the target can do without, and does not have.
pub(super) fn tell_left_out(work_dir: &WorkDir) {
    if let Some((count, file)) = left_out(work_dir) {
        tracing::warn!(
            "{count} definitions were left out, because the target would not have them: have an administrator look at {}",
            file.display()
        );
    }
}

/// Prints what is in `summary.json`; it may not be there where it could not be written, which was
/// said.
pub(super) fn print_summary(
    work_dir: &WorkDir,
    output: &OutputSettings,
) -> Result<(), CommandError> {
    let summary = match Summary::read(work_dir) {
        Ok(summary) => summary,
        Err(error) => {
            tracing::warn!("{}", chain(&error));
            return Ok(());
        }
    };
    let text = match output.json {
        true => serde_json::to_string(&summary)
            .map(|line| line + "\n")
            .map_err(|error| CommandError::stdout(error.into()))?,
        false => summary::text(&summary, stdout::page()),
    };
    stdout::write(text.as_bytes()).map_err(CommandError::stdout)
}

pub(super) fn config(
    options: &CloneOptions,
    logging: &LogSettings,
    shown: Shown,
) -> Result<Config, CommandError> {
    let source = place::address(Side::Source, options.source.as_deref())?;
    let target = place::address(Side::Target, options.target.as_deref())?;
    let work_dir = place::work_dir(&options.work_dir);
    let children = children::config(
        &children::Place {
            work_dir: &options.work_dir,
            source: Some(&source),
            target: Some(&target),
        },
        &options.cdc,
        options.retry_for,
        logging,
        shown,
    );
    Ok(Config {
        source,
        target,
        start: choices::start(options.start),
        capture: options.cdc.follow.then(|| capture(&options.cdc, children)),
        copy: choices::of(&options.copy, options.retry_for)?,
        snapshot: options.snapshot.clone(),
        copy_from: copy_from(options)?,
        filters: place::filters(options.filters.as_deref())?,
        split: Some(choices::split_named(&options.copy.split)),
        progress: Arc::default(),
        command_line: typed::command_line(),
        checked: Checked {
            follow: check::following(&options.cdc, options.cdc.change_source),
            skip: check::skipped(&options.skip_checks)?,
        },
        work_dir: WorkDir::new(work_dir.root, work_dir.cdc),
    })
}

/// `--copy-from` as it cannot be meant.
#[derive(Debug, thiserror::Error)]
enum CopyFromError {
    #[error("--copy-from and {0} exclude each other")]
    With(&'static str),
    #[error("--copy-from {0} names several servers")]
    SeveralServers(Address),
    #[error("--copy-from names {0} twice")]
    Twice(Address),
}

/// The standbys that rows are read from.
fn copy_from(options: &CloneOptions) -> Result<Vec<Address>, CommandError> {
    let typed = &options.copy.copy_from;
    let others = [
        (options.all_databases, "--all-databases"),
        (options.snapshot.is_some(), "--snapshot"),
    ];
    let other = others.into_iter().find(|(is_asked, _)| *is_asked);
    if let (false, Some((_, other))) = (typed.is_empty(), other) {
        return Err(CommandError::usage(CopyFromError::With(other)).with_hint(
            "a standby is of one database here, and has snapshots of its own: leave one of them out",
        ));
    }
    let mut standbys: Vec<Address> = Vec::new();
    for text in typed {
        let standby = place::standby(text)?;
        if standby.hosts().len() > 1 {
            return Err(CommandError::usage(CopyFromError::SeveralServers(standby))
                .with_hint("repeat --copy-from, once for each standby"));
        }
        if standbys
            .iter()
            .any(|known| known.to_string() == standby.to_string())
        {
            return Err(CommandError::usage(CopyFromError::Twice(standby)));
        }
        standbys.push(standby);
    }
    Ok(standbys)
}

pub(super) fn capture(cdc: &CdcSettings, children: supervisor::Config) -> CaptureConfig {
    CaptureConfig {
        slot: cdc.slot_name.clone(),
        origin: cdc.origin.clone(),
        publication: cdc.own_publication(),
        plugin: cdc.plugin.name().to_owned(),
        endpos: cdc.endpos,
        new_tables: new_tables(cdc.new_tables),
        without_identity: without_identity(cdc),
        lag_limit: cdc.notify_lag,
        children,
    }
}

/// What to do about tables without a replica identity.
pub(super) const fn without_identity(cdc: &CdcSettings) -> WithoutIdentity {
    match cdc.change_source {
        true => WithoutIdentity::Give,
        false => WithoutIdentity::Tell,
    }
}

pub(super) const fn new_tables(typed: options::NewTables) -> NewTables {
    match typed {
        options::NewTables::Stop => NewTables::Stop,
        options::NewTables::Warn => NewTables::Warn,
    }
}
