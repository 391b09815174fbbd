//! `pgflit snapshot`, `compare …`, `ping`, `check`, `status`, `report` and `demo`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::change_capture::{CdcArgs, FollowArg, YesArg};
use super::connection::{FilterArgs, SourceArgs, TargetArgs, WorkDirArgs};
use super::copying::{CopyArgs, SplitArgs, table_jobs};
use super::list::JsonArg;
use super::traffic::SocketArg;
use crate::base::quantity::parse_duration;
use crate::cli::error::UsageError;
use crate::cli::invocation::Command;
use crate::cli::options::{
    CheckOptions, CompareOptions, CompareRows, CompareSubject, DemoOptions, Fixes, PingOptions,
    ReportOptions, SnapshotOptions, StatusOptions, StatusView,
};
use crate::cli::settings::Settings;

#[derive(Args)]
pub(super) struct SnapshotArgs {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    work_dir: WorkDirArgs,
    #[command(flatten)]
    follow: FollowArg,
    #[command(flatten)]
    cdc: CdcArgs,
    #[command(flatten)]
    yes: YesArg,
    #[command(flatten)]
    filters: FilterArgs,
}

impl SnapshotArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<SnapshotOptions, UsageError> {
        let follow = self.follow.resolve(settings)?;
        Ok(SnapshotOptions {
            work_dir: self.work_dir.resolve(settings)?,
            source: self.source.resolve(settings)?,
            cdc: self.cdc.resolve(follow, self.yes.yes, settings)?,
            filters: self.filters.resolve(settings)?,
        })
    }
}

#[derive(Subcommand)]
pub(super) enum CompareSubjectArgs {
    /// Compare the definitions of every kind of object, extras on the target included
    Schema(CompareArgs),
    /// Compare the rows of every table by count and checksum
    Data {
        #[command(flatten)]
        compare: CompareArgs,
        #[command(flatten)]
        rows: CompareRowsArgs,
    },
}

#[derive(Args)]
#[command(next_help_heading = "Rows")]
pub(super) struct CompareRowsArgs {
    /// Compare how many rows there are, not what is in them
    #[arg(long)]
    counts_only: bool,
    /// Compare this percentage of the rows of tables with a key, chosen by the key
    #[arg(long, value_name = "PERCENT", value_parser = percentage)]
    sample: Option<u32>,
    /// Print at most this many differing keys of each table
    #[arg(long, value_name = "N", default_value_t = 20)]
    keys: usize,
    /// Leave out the tables that an earlier run in the same --dir has found equal
    #[arg(short = 'R', long, requires = "dir")]
    resume: bool,
    /// While the migration in --dir follows the source: compare both as they are at one position of its
    /// WAL, where apply stands still for a moment
    #[arg(long)]
    at_lsn: bool,
}

/// A percentage, as so many of a million.
fn percentage(text: &str) -> Result<u32, String> {
    let number = text.trim_end_matches('%').trim_end().parse::<f64>();
    match number {
        Ok(percent) if percent > 0.0 && percent <= 100.0 => {
            Ok(((percent * 10_000.0).round() as u32).max(1))
        }
        _ => Err("a percentage is more than 0 and at most 100".to_owned()),
    }
}

#[derive(Args)]
pub(super) struct CompareArgs {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    work_dir: WorkDirArgs,
    #[command(flatten)]
    filters: FilterArgs,
    /// Compare this many tables, or parts of tables, at a time [default: 4]
    #[arg(long, visible_alias = "jobs", value_name = "N", help_heading = "Copy")]
    table_jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    split: SplitArgs,
    #[command(flatten)]
    json: JsonArg,
}

impl CompareSubjectArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<Command, UsageError> {
        let (subject, compare) = match self {
            CompareSubjectArgs::Schema(compare) => (CompareSubject::Schema, compare),
            CompareSubjectArgs::Data { compare, rows } => {
                let rows = CompareRows {
                    counts_only: rows.counts_only,
                    sample: rows.sample,
                    keys_shown: rows.keys,
                    resume: rows.resume,
                    at_lsn: rows.at_lsn,
                };
                (CompareSubject::Data(rows), compare)
            }
        };
        let options = CompareOptions {
            work_dir: compare.work_dir.resolve(settings)?,
            source: compare.source.resolve(settings)?,
            target: compare.target.resolve(settings)?,
            filters: compare.filters.resolve(settings)?,
            table_jobs: table_jobs(compare.table_jobs, settings)?,
            split: compare.split.resolve(settings)?,
        };
        Ok(Command::Compare { subject, options })
    }

    /// Whether `-J`, pgcopydb's short form of `--json`, was typed.
    pub(super) fn wants_json(&self) -> bool {
        let (CompareSubjectArgs::Schema(compare) | CompareSubjectArgs::Data { compare, .. }) = self;
        compare.json.typed()
    }
}

#[derive(Args)]
pub(super) struct PingArgs {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    target: TargetArgs,
}

impl PingArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<PingOptions, UsageError> {
        Ok(PingOptions {
            source: self.source.resolve(settings)?,
            target: self.target.resolve(settings)?,
        })
    }
}

#[derive(Args)]
#[command(next_help_heading = "Checks")]
pub(super) struct SkipCheckArg {
    /// Let this check only warn where it would refuse; may be repeated. See pgflit check
    #[arg(long, value_name = "ID")]
    skip_check: Vec<String>,
}

impl SkipCheckArg {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Vec<String> {
        settings.list("skip-check", self.skip_check)
    }
}

#[derive(Args)]
pub(super) struct CheckArgs {
    /// Fix what can be fixed, such as replica identities and parameters, after asking
    #[arg(long)]
    fix: bool,
    /// With --fix: do not ask; without it: as if clone --follow had it
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    work_dir: WorkDirArgs,
    #[command(flatten)]
    filters: FilterArgs,
    #[command(flatten)]
    copy: CopyArgs,
    #[command(flatten)]
    follow: FollowArg,
    #[command(flatten)]
    cdc: CdcArgs,
    #[command(flatten)]
    skip_checks: SkipCheckArg,
}

impl CheckArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<CheckOptions, UsageError> {
        let follow = self.follow.resolve(settings)?;
        Ok(CheckOptions {
            work_dir: self.work_dir.resolve(settings)?,
            source: self.source.resolve(settings)?,
            target: self.target.resolve(settings)?,
            filters: self.filters.resolve(settings)?,
            copy: self.copy.resolve(settings)?,
            cdc: self.cdc.resolve(follow, self.yes, settings)?,
            fixes: match (self.fix, settings.switch("yes", self.yes)?) {
                (false, _) => Fixes::None,
                (true, false) => Fixes::Ask,
                (true, true) => Fixes::WithoutAsking,
            },
            skip_checks: self.skip_checks.resolve(settings),
        })
    }
}

#[derive(Args)]
pub(super) struct StatusArgs {
    /// Show a dashboard that follows the migration until q is pressed
    #[arg(long, conflicts_with = "metrics")]
    watch: bool,
    /// Print Prometheus metrics
    #[arg(long)]
    metrics: bool,
    /// With --watch: time from one look to the next [default: 1s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    interval: Option<Duration>,
    #[command(flatten)]
    socket: SocketArg,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    work_dir: WorkDirArgs,
}

/// Less than this would only flicker, and ask the servers more than is worth it.
const INTERVAL_MIN: Duration = Duration::from_millis(100);
const INTERVAL: Duration = Duration::from_secs(1);

impl StatusArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<StatusOptions, UsageError> {
        Ok(StatusOptions {
            work_dir: self.work_dir.resolve(settings)?,
            view: match (self.watch, self.metrics) {
                (true, _) => StatusView::Watch,
                (false, true) => StatusView::Metrics,
                (false, false) => StatusView::Once,
            },
            interval: settings
                .duration("interval", self.interval)?
                .unwrap_or(INTERVAL)
                .max(INTERVAL_MIN),
            socket: settings.value("socket", self.socket.socket)?,
            source: self.source.resolve(settings)?,
            target: self.target.resolve(settings)?,
        })
    }
}

#[derive(Args)]
pub(super) struct ReportArgs {
    /// Write the page to this file, or with - to stdout [default: report.html in the work directory]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    work_dir: WorkDirArgs,
}

impl ReportArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<ReportOptions, UsageError> {
        Ok(ReportOptions {
            work_dir: self.work_dir.resolve(settings)?,
            output: self.output,
        })
    }
}

#[derive(Args)]
pub(super) struct DemoArgs {
    /// Size of the database, in units of 100,000 rows or about 15 MB
    #[arg(long, value_name = "UNITS", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    scale: u32,
    /// Seconds of traffic under live replay, after the base copy and before traffic is moved
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    seconds: u64,
    /// Leave the two clusters running at the end, until Ctrl-C
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    work_dir: WorkDirArgs,
}

impl DemoArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<DemoOptions, UsageError> {
        Ok(DemoOptions {
            work_dir: self.work_dir.resolve(settings)?,
            scale: self.scale,
            seconds: self.seconds,
            keep: self.keep,
        })
    }
}
