//! How a command starts the streaming processes: their options and their secrets.

use std::time::Duration;

use super::place;
use crate::cli::invocation::{LogSettings, Verbosity};
use crate::cli::options::{Ack, CdcSettings, OnConflict, ProgressTracking, WorkDir};
use crate::migration::supervisor;
use crate::pg::Address;
use crate::report::progress::Shown;
use crate::report::terminal;
use crate::worker::child::LogSink;

/// Where the children work; a server that no child talks to is none.
pub(super) struct Place<'a> {
    pub(super) work_dir: &'a WorkDir,
    pub(super) source: Option<&'a Address>,
    pub(super) target: Option<&'a Address>,
}

/// What the supervisor starts them with.
pub(super) fn config(
    place: &Place<'_>,
    cdc: &CdcSettings,
    retry_for: Duration,
    logging: &LogSettings,
    shown: Shown,
) -> supervisor::Config {
    let mut shared_arguments = log_arguments(logging);
    if let Shown::Bars { color: true } = shown {
        // Their stderr is a pipe to us.
        shared_arguments.push("--color=always".to_owned());
    }
    if place.work_dir.dir_given {
        shared_arguments.push(format!("--dir={}", place.work_dir.dir.display()));
    }
    // In the environment, because everybody sees the arguments of a process.
    let variable = |name: &str, address: Option<&Address>| {
        let pair = address.map(|address| (name.to_owned(), address.to_uri()));
        pair.into_iter().collect::<Vec<_>>()
    };
    let receive_environment = variable("PGFLIT_SOURCE_PGURI", place.source);
    let mut apply_environment = variable("PGFLIT_TARGET_PGURI", place.target);
    // Apply asks it what the stream does not say.
    apply_environment.extend(receive_environment.clone());
    supervisor::Config {
        work_dir: place::work_dir(place.work_dir),
        shared_arguments,
        receive_arguments: receive_arguments(cdc),
        apply_arguments: vec![
            format!("--progress-tracking={}", tracking(cdc.progress_tracking)),
            format!("--on-conflict={}", on_conflict(cdc.on_conflict)),
            format!("--apply-jobs={}", cdc.apply_jobs),
        ],
        receive_environment,
        apply_environment,
        retry_for,
        log_sink: shown.redraws().then_some(terminal::write as LogSink),
    }
}

fn receive_arguments(cdc: &CdcSettings) -> Vec<String> {
    let mut arguments = vec![format!("--ack={}", ack(cdc.ack))];
    if cdc.compress_segments {
        arguments.push("--compress-segments".to_owned());
    }
    if let Some(limit) = cdc.disk_limit {
        arguments.push(format!("--cdc-disk-limit={}B", limit.0));
    }
    arguments
}

const fn ack(ack: Ack) -> &'static str {
    match ack {
        Ack::Spill => "spill",
        Ack::Apply => "apply",
    }
}

const fn tracking(tracking: ProgressTracking) -> &'static str {
    match tracking {
        ProgressTracking::Auto => "auto",
        ProgressTracking::Origin => "origin",
        ProgressTracking::Table => "table",
    }
}

const fn on_conflict(choice: OnConflict) -> &'static str {
    match choice {
        OnConflict::Stop => "stop",
        OnConflict::Skip => "skip",
        OnConflict::Overwrite => "overwrite",
    }
}

/// The same logging in the child processes.
fn log_arguments(logging: &LogSettings) -> Vec<String> {
    let verbosity = match logging.verbosity {
        Verbosity::Quiet => Some("--quiet"),
        Verbosity::Normal => None,
        Verbosity::Debug => Some("--debug"),
        Verbosity::Trace => Some("--trace"),
    };
    let mut arguments: Vec<_> = verbosity.map(str::to_owned).into_iter().collect();
    if logging.json {
        arguments.push("--log-json".to_owned());
    }
    if let Some(file) = &logging.file {
        arguments.push(format!("--log-file={}", file.display()));
    }
    arguments
}
