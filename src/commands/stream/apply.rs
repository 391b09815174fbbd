//! `pgflit stream apply`.

use super::{apply_to_stdout, begin};
use crate::base::Side;
use crate::cdc::apply::{Config, Ended, Input, OnConflict, TrackingChoice, Until, apply};
use crate::cli::ExitCode;
use crate::cli::options::{self, ApplyOptions, ApplyTo, ApplyUntil, FileOrPipe, ProgressTracking};
use crate::commands::{CommandError, place, runtime};
use crate::store::{Store, WorkDir};

/// Applies until endpos, the end of the input, or a signal.
pub(in crate::commands) fn run(options: &ApplyOptions) -> Result<ExitCode, CommandError> {
    begin::supervised()?;
    let work_dir = place::work_dir(&options.follow.work_dir);
    if options.to == ApplyTo::Stdout {
        return apply_to_stdout::run(options.sql.as_ref(), &work_dir);
    }
    let shutdown = place::shutdown()?;
    let mut store = work_dir.open_store()?;
    begin::check_filters(&options.follow, &store)?;
    let config = config(options, &work_dir, &store)?;
    let _lock = begin::role(&work_dir, "apply")?;
    begin::set_endpos(&mut store, options.follow.cdc.endpos)?;
    let ended = runtime::block_on(apply(config, &shutdown))??;
    let replayed = store.sentinel()?.replay_lsn;
    Ok(match ended {
        Ended::Endpos => {
            tracing::info!("applied everything up to endpos; the target is at {replayed}");
            ExitCode::Done
        }
        Ended::InputEnd => {
            tracing::info!("applied all there was to read; the target is at {replayed}");
            ExitCode::Done
        }
        Ended::Asked => {
            tracing::info!("stopped applying as asked; the target is at {replayed}");
            ExitCode::Stopped
        }
    })
}

fn config(
    options: &ApplyOptions,
    work_dir: &WorkDir,
    store: &Store,
) -> Result<Config, CommandError> {
    let run = begin::known_run(work_dir, store)?;
    Ok(Config {
        target: place::address(Side::Target, options.follow.target.as_deref())?,
        source: place::known(Side::Source, options.follow.source.as_deref())?,
        work_dir: work_dir.clone(),
        input: match &options.sql {
            None => Input::Folder,
            Some(FileOrPipe::File(path)) => Input::File(path.clone()),
            Some(FileOrPipe::Pipe) => Input::Pipe,
        },
        until: match options.until {
            ApplyUntil::Endpos => Until::Endpos,
            ApplyUntil::Behind(bytes) => Until::Behind(bytes),
            ApplyUntil::SegmentsEnd => Until::SegmentsEnd,
        },
        origin: begin::known(run.origin, "the origin", work_dir)?,
        tracking: match options.follow.cdc.progress_tracking {
            ProgressTracking::Auto => TrackingChoice::Auto,
            ProgressTracking::Origin => TrackingChoice::Origin,
            ProgressTracking::Table => TrackingChoice::Table,
        },
        on_conflict: match options.follow.cdc.on_conflict {
            options::OnConflict::Stop => OnConflict::Stop,
            options::OnConflict::Skip => OnConflict::Skip,
            options::OnConflict::Overwrite => OnConflict::Overwrite,
        },
        jobs: options.follow.cdc.apply_jobs.0,
        wal_segment_bytes: begin::known(
            run.wal_segment_bytes,
            "the source's WAL segment size",
            work_dir,
        )?,
    })
}
