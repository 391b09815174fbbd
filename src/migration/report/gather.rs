//! From the work directory to what a report tells.

use std::path::Path;

use super::log_tail::LogTail;
use super::{Attempt, Facts, Stream};
use crate::base::cause::chain;
use crate::migration::summary::{self, Jobs, Summary};
use crate::proxy::control::{MirrorStatus, Reply, Request, ask};
use crate::report::progress::{Stored, picture_of};
use crate::store::{Error, Lock, Store, WorkDir, seconds_since_1970};

/// Attempts that are told.
const ATTEMPTS_MAX: u32 = 50;

/// The work directories of the streams that cutovers and rollbacks begin.
const LEGS: [&str; 2] = ["reverse", "forward"];

/// Reads everything that a report of the migration in `work_dir` tells. `socket` is the proxy's.
///
/// # Errors
/// There is no migration, or its store cannot be read.
pub fn gather(work_dir: &WorkDir, socket: &Path) -> Result<Facts, Error> {
    let store = work_dir.open_store()?;
    let (Some(run), Some(times)) = (store.run()?, store.run_times()?) else {
        // A folder that `list` has read a catalog into, or that nothing has come of yet.
        return Err(Error::Missing(work_dir.root.clone()));
    };
    let is_held = Lock::is_held(&work_dir.lock_path());
    let stored = Stored::read(&store, is_held)?;
    let collected = summary::collect(&store, nobody(), None)?;
    let (attempts, attempts_left_out) = attempts(&store)?;
    let mut streams = vec![stream(&store, None)?];
    streams.extend(LEGS.into_iter().filter_map(|folder| leg(work_dir, folder)));
    let logs = [None].into_iter().chain(LEGS.map(Some));
    let logs = logs.map(|leg| match leg {
        None => (String::new(), work_dir.log_path()),
        Some(leg) => (format!("{leg}/"), work_dir.root.join(leg).join("log")),
    });
    Ok(Facts {
        made_at: seconds_since_1970(),
        work_dir: work_dir.root.display().to_string(),
        state: stored.state,
        picture: picture_of(&stored),
        steps: stored.steps,
        tables: collected.tables,
        step_summaries: Summary::read(work_dir).map_or_else(|_| Vec::new(), |told| told.steps),
        streams,
        attempts,
        attempts_left_out,
        left_out: (store.left_out()?.len(), store.rows_left_out()?.len()),
        conflicts: store.conflicts()?,
        mirrors: mirrors(socket),
        log: LogTail::read(logs),
        commands: store.commands()?,
        run,
        times,
    })
}

/// Nobody's workers: how many there were is in the summary that the copy has written.
fn nobody() -> Jobs {
    Jobs {
        table: 0,
        index: 0,
        restore: 0,
        large_objects: None,
    }
}

/// In order, and how many earlier ones there are.
fn attempts(store: &Store) -> Result<(Vec<Attempt>, u64), Error> {
    let mut past = store.past_cutovers(ATTEMPTS_MAX)?;
    past.reverse();
    let first = past.first().map_or(1, |past| past.cutover.attempt);
    let attempts = past.into_iter().map(|past| Attempt {
        // Of a version that writes them otherwise: told without them.
        steps: serde_json::from_str(&past.cutover.steps).unwrap_or_default(),
        past,
    });
    Ok((attempts.collect(), first.saturating_sub(1)))
}

fn stream(store: &Store, folder: Option<&'static str>) -> Result<Stream, Error> {
    let follows = store.run()?.is_some_and(|run| run.slot.is_some());
    Ok(Stream {
        folder,
        samples: store.samples()?,
        sentinel: match follows {
            true => Some(store.sentinel()?),
            false => None,
        },
    })
}

/// The stream in `folder`, if it has ever begun.
fn leg(work_dir: &WorkDir, folder: &'static str) -> Option<Stream> {
    let root = work_dir.root.join(folder);
    let leg = WorkDir::new(root.clone(), root.join("cdc"));
    if !leg.has_begun() {
        return None;
    }
    let read = leg
        .open_store()
        .and_then(|store| stream(&store, Some(folder)));
    match read {
        Ok(stream) => Some(stream).filter(|stream| !stream.samples.is_empty()),
        Err(error) => {
            tracing::warn!(
                "the stream in {} is not told of: {}",
                root.display(),
                chain(&error)
            );
            None
        }
    }
}

/// What a proxy says of its mirrors, if one answers.
fn mirrors(socket: &Path) -> Option<Vec<MirrorStatus>> {
    if !socket.exists() {
        return None;
    }
    match ask(socket, &Request::Mirrors) {
        Ok(Reply::Mirrors { mirrors }) => Some(mirrors),
        Ok(_) => None,
        Err(error) => {
            tracing::debug!("{}", chain(&error));
            None
        }
    }
}
