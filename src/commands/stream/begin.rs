//! What the three have in common before they start.

use std::thread;
use std::time::{Duration, Instant};

use crate::base::Lsn;
use crate::base::shutdown::POLL;
use crate::cli::ExitCode;
use crate::commands::CommandError;
use crate::report::log_file;
use crate::store::{Lock, LockError, Run, Store, WorkDir};
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
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        match Lock::take(&work_dir.role_lock_path(role)) {
            Err(LockError::Held { .. }) if Instant::now() < deadline => thread::sleep(POLL),
            taken => {
                let lock = taken?;
                let logs = work_dir.log_path();
                log_file::keep_in(&logs, role).map_err(|source| {
                    let dir = logs.clone();
                    CommandError::new(ExitCode::Other, LogError { dir, source })
                })?;
                return Ok(lock);
            }
        }
    }
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
