//! What the three have in common before they start.

use std::time::Duration;

use crate::base::Lsn;
use crate::catalog::filters::Filters;
use crate::cli::ExitCode;
use crate::cli::options::{FollowOptions, StartMode};
use crate::commands::CommandError;
use crate::migration::begin::{LEAVE_WAIT, check_filters as same_filters};
use crate::report::log_file;
use crate::store::{Lock, Run, Store, WorkDir};
use crate::worker::death_watch;

/// How long the lock of a role is tried for: a predecessor that was told to end may still be
/// writing its last lines.
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// There is nothing to stream with.
#[derive(Debug, thiserror::Error)]
#[error("change capture has not been set up in {}: {missing} is not recorded", dir.display())]
struct NotSetUp {
    dir: std::path::PathBuf,
    missing: &'static str,
}

/// Ties this process to its supervisor. True if it has one.
pub(super) fn supervised() -> Result<bool, CommandError> {
    death_watch::arm().map_err(|error| CommandError::new(ExitCode::Other, error))
}

/// The log in the work directory cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("making the log in {}", dir.display())]
struct LogError {
    dir: std::path::PathBuf,
    source: std::io::Error,
}

/// Takes the lock of `role`, and keeps its log in the work directory.
pub(super) fn role(work_dir: &WorkDir, role: &str) -> Result<Lock, CommandError> {
    let lock = Lock::take_within(&work_dir.role_lock_path(role), LOCK_WAIT)?;
    let logs = work_dir.log_path();
    log_file::keep_in(&logs, role).map_err(|source| {
        let dir = logs.clone();
        CommandError::new(ExitCode::Other, LogError { dir, source })
    })?;
    Ok(lock)
}

/// What the run was begun with.
pub(super) fn known_run(work_dir: &WorkDir, store: &Store) -> Result<Run, CommandError> {
    store
        .run()?
        .ok_or_else(|| not_set_up(work_dir, "its beginning"))
}

/// `value`, of a run that must have it.
pub(super) fn known<T>(
    value: Option<T>,
    missing: &'static str,
    work_dir: &WorkDir,
) -> Result<T, CommandError> {
    value.ok_or_else(|| not_set_up(work_dir, missing))
}

fn not_set_up(work_dir: &WorkDir, missing: &'static str) -> CommandError {
    let dir = work_dir.root.clone();
    CommandError::usage(NotSetUp { dir, missing })
        .with_hint("set it up with `pgflit stream setup`, or run `pgflit clone --follow`")
}

/// Refuses other filters than the run was begun with. Without `--filters`, those are meant.
pub(super) fn check_filters(options: &FollowOptions, store: &Store) -> Result<(), CommandError> {
    let Some(file) = &options.filters else {
        return Ok(());
    };
    let filters = Filters::read(file)?;
    match store.run()? {
        Some(run) => Ok(same_filters(&run, filters.text().as_deref())?),
        None => Ok(()),
    }
}

/// An option that belongs to a whole migration.
#[derive(Debug, thiserror::Error)]
#[error("pgflit {command} takes no --restart")]
struct NoRestart {
    command: String,
}

/// Refuses `--restart`: a step alone cannot make anew what the others build on.
pub(super) fn refuse_restart(command: &str, options: &FollowOptions) -> Result<(), CommandError> {
    if options.start != StartMode::Restart {
        return Ok(());
    }
    let command = command.to_owned();
    Err(CommandError::usage(NoRestart { command }).with_hint(
        "it goes on where the last one stopped; to begin anew, remove everything with pgflit \
         stream cleanup",
    ))
}

/// Looks whether somebody runs one of the three by hand in this directory, which a supervisor would
/// take for its own that are still ending.
pub(in crate::commands) fn free_roles(
    work_dir: &WorkDir,
    receives: bool,
    applies: bool,
) -> Result<(), CommandError> {
    for (role, is_wanted) in [
        ("receive", receives),
        ("transform", true),
        ("apply", applies),
    ] {
        if is_wanted {
            Lock::take_within(&work_dir.role_lock_path(role), LEAVE_WAIT)?;
        }
    }
    Ok(())
}

/// Puts `--endpos` into the sentinel, where all three read it. One that stands there already is
/// left alone, so that the command that has reached it can be run again.
pub(super) fn set_endpos(store: &mut Store, endpos: Option<Lsn>) -> Result<(), CommandError> {
    let Some(endpos) = endpos else {
        return Ok(());
    };
    if store.sentinel()?.endpos() != Some(endpos) {
        store.set_endpos(endpos, false)?;
    }
    Ok(())
}
