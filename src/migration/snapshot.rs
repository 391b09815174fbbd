//! A snapshot of the source that is held for other commands.
//!
//! # Crash story
//! The snapshot goes with the session that holds it, and so with this process, however it ends. The
//! file with its id may stay behind: whoever names that id is told that nobody holds it. What
//! `--follow` has made, slot and publications, stays, for `clone --follow` in the same directory.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::base::{Shutdown, durable_file};
use crate::clone::epoch::Epoch;
use crate::pg::Address;
use crate::store::WorkDir;

use super::error::{MigrationError, on_source};
use super::setup;

/// How often the source is asked whether the session is still there.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What is to be held.
#[derive(Debug, Clone)]
pub struct Config {
    /// The source.
    pub source: Address,
    /// Where the id is written as well.
    pub work_dir: WorkDir,
    /// Change capture to set up first, so that the snapshot covers where it begins.
    pub capture: Option<setup::Config>,
}

/// Exports a snapshot and gives its id to `tell` once everything is ready; holds it until asked to
/// stop.
///
/// # Errors
/// It cannot be taken; the connection that holds it is lost; nobody takes the id.
pub async fn hold(
    config: &Config,
    shutdown: &Shutdown,
    tell: impl FnOnce(&str) -> Result<(), MigrationError>,
) -> Result<(), MigrationError> {
    if let Some(capture) = &config.capture {
        setup::set_up(capture, shutdown).await?;
    }
    let holding = async {
        let epoch = open(config).await?;
        let path = config.work_dir.snapshot_path();
        let text = format!("{}\n", epoch.id);
        durable_file::replace(&path, text.as_bytes()).map_err(|source| MigrationError::Io {
            doing: "writing",
            path: path.clone(),
            source,
        })?;
        tell(&epoch.id)?;
        tracing::info!("holding snapshot {} ({})", epoch.id, epoch.snapshot);
        let lost = until_lost(&epoch);
        let ended = tokio::select! {
            error = lost => Err(error),
            () = shutdown.wait() => Ok(()),
        };
        remove(&path, &text);
        ended
    };
    tokio::select! {
        held = holding => held,
        // The source may not answer while it is taken.
        () = shutdown.overdue() => Ok(()),
    }
}

/// After the slot that the work directory knows, if it knows one.
async fn open(config: &Config) -> Result<Epoch, MigrationError> {
    config.work_dir.create()?;
    let run = match config.work_dir.has_begun() {
        true => config.work_dir.open_store()?.run()?,
        false => None,
    };
    let slot = run.and_then(|run| run.slot_snapshot);
    let slot = slot.and_then(|text| text.parse().ok());
    Ok(Epoch::open(&config.source, 0, slot.as_ref()).await?)
}

async fn until_lost(epoch: &Epoch) -> MigrationError {
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        if let Err(error) = epoch.is_held().await {
            return on_source("holding a snapshot")(error);
        }
    }
}

/// Removes the file unless someone else has written another id there.
fn remove(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|found| found == text) {
        let _ = fs::remove_file(path);
    }
}
