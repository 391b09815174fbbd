//! `pgflit stream prefetch`, `catchup` and `replay`: some of what `follow` does, with the same
//! processes under the same supervisor.

use std::sync::Arc;

use super::begin;
use crate::base::Side;
use crate::cli::ExitCode;
use crate::cli::invocation::LogSettings;
use crate::cli::options::FollowOptions;
use crate::commands::{CommandError, children, clone, place};
use crate::migration::stage::Mode;
use crate::migration::supervisor::{Alone, Ended, supervise};
use crate::migration::watch::{self, Watch};
use crate::report::progress::Shown;
use crate::store::{Store, WorkDir};

/// Receives and transforms until endpos or a signal; nothing is applied.
pub(in crate::commands) fn prefetch(
    options: &FollowOptions,
    logging: &LogSettings,
) -> Result<ExitCode, CommandError> {
    run("stream prefetch", Mode::Prefetch, options, logging)
}

/// Applies what is on this disk, up to endpos.
pub(in crate::commands) fn catchup(
    options: &FollowOptions,
    logging: &LogSettings,
) -> Result<ExitCode, CommandError> {
    run("stream catchup", Mode::Catchup, options, logging)
}

/// Applies what is on this disk, then what comes, until endpos or a signal.
pub(in crate::commands) fn replay(
    options: &FollowOptions,
    logging: &LogSettings,
) -> Result<ExitCode, CommandError> {
    run("stream replay", Mode::Replay, options, logging)
}

fn run(
    command: &str,
    mode: Mode,
    options: &FollowOptions,
    logging: &LogSettings,
) -> Result<ExitCode, CommandError> {
    begin::refuse_restart(command, options)?;
    let work_dir = place::work_dir(&options.work_dir);
    let mut store = work_dir.open_store()?;
    let run = begin::known_run(&work_dir, &store)?;
    begin::known(run.slot_lsn, "the slot's position", &work_dir)?;
    begin::check_filters(options, &store)?;
    let receives = mode != Mode::Catchup;
    let applies = mode != Mode::Prefetch;
    let source = match receives {
        true => Some(place::address(Side::Source, options.source.as_deref())?),
        false => place::known(Side::Source, options.source.as_deref())?,
    };
    let target = match applies {
        true => Some(place::address(Side::Target, options.target.as_deref())?),
        false => None,
    };
    let shutdown = place::shutdown()?;
    // Rows may be copied while changes are only received.
    let _lock = applies.then(|| work_dir.lock()).transpose()?;
    let alone = Alone::take(&work_dir)?;
    begin::free_roles(&work_dir, receives, applies)?;
    if run.finished {
        tracing::info!("this migration is finished: nothing left to do");
        return Ok(ExitCode::Done);
    }
    begin::set_endpos(&mut store, options.cdc.endpos)?;
    let place = children::Place {
        work_dir: &options.work_dir,
        source: source.as_ref(),
        target: target.as_ref(),
    };
    let new_tables = clone::new_tables(options.cdc.new_tables);
    let children = children::config(&place, &options.cdc, options.retry_for, logging, Shown::Off);
    let watched = source.filter(|_| receives);
    let wanted = watch::Wanted {
        new_tables,
        lag_limit: options.cdc.notify_lag,
        source_lsn: Arc::default(),
    };
    let watch = watched.map(|source| Watch::start(&source, &work_dir, wanted));
    let ended = supervise(&children, &alone, mode, &shutdown, || Ok(()))?;
    drop(watch);
    tell(ended, &store, &work_dir)
}

fn tell(ended: Ended, store: &Store, work_dir: &WorkDir) -> Result<ExitCode, CommandError> {
    let sentinel = store.sentinel()?;
    let (on_disk, on_target) = (sentinel.flush_lsn, sentinel.replay_lsn);
    let folder = work_dir.cdc.display();
    let where_it_is =
        format!("changes up to {on_disk} are in {folder}, the target is at {on_target}");
    Ok(match ended {
        Ended::Endpos(endpos) => {
            tracing::info!("endpos {endpos} is reached: {where_it_is}");
            ExitCode::Done
        }
        Ended::DiskEnd => {
            tracing::info!("applied all there was: {where_it_is}");
            ExitCode::Done
        }
        Ended::Asked => {
            tracing::info!("stopped as asked: {where_it_is}");
            ExitCode::Stopped
        }
    })
}
