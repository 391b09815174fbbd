//! `pgflit stream …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::help;
use super::migration::FollowArgs;
use super::sentinel::SentinelArgs;
use crate::cli::error::UsageError;
use crate::cli::invocation::Command;
use crate::cli::options::{
    ApplyOptions, ApplyTo, ApplyUntil, FileOrPipe, ReceiveOptions, StreamCommand, TransformOptions,
};
use crate::cli::settings::Settings;

#[derive(Subcommand)]
pub(super) enum StreamArgs {
    /// Create slot, publication, origin and sentinel, ready for change capture
    Setup(FollowArgs),
    /// Drop what setup created, so that the source keeps no WAL for it
    Cleanup(FollowArgs),
    /// Remove captured changes from disk that the target has committed
    Prune(FollowArgs),
    /// Capture changes to disk as JSON and SQL, without applying them
    Prefetch(FollowArgs),
    /// Apply the changes that were prefetched
    Catchup(FollowArgs),
    /// Capture, transform and apply changes as they come
    Replay(FollowArgs),
    /// Capture changes from the replication slot as JSON
    #[command(mut_args = help::hide_apply_options)]
    Receive(ReceiveArgs),
    /// Turn captured JSON changes into SQL; touches no network
    #[command(mut_args = help::hide_network_options)]
    Transform(TransformArgs),
    /// Apply SQL changes to the target, exactly once
    #[command(mut_args = help::hide_receive_options)]
    Apply(ApplyArgs),
    /// The same as pgflit sentinel
    #[command(subcommand)]
    Sentinel(SentinelArgs),
}

#[derive(Args)]
pub(super) struct ReceiveArgs {
    /// Write the changes to stdout as well as to disk
    #[arg(long, help_heading = "Change capture")]
    to_stdout: bool,

    #[command(flatten)]
    follow: FollowArgs,
}

#[derive(Args)]
pub(super) struct TransformArgs {
    /// JSON segment to read, - for stdin; without it, every segment in the work directory
    #[arg(id = "json_segment", value_name = "JSON")]
    json: Option<PathBuf>,

    /// SQL segment to write, - for stdout; without it, beside the JSON segment
    #[arg(value_name = "SQL")]
    sql: Option<PathBuf>,

    /// End where the segments end now; the supervisor's way from catchup to live replay
    #[arg(long, hide = true, conflicts_with = "json_segment")]
    until_end: bool,

    #[command(flatten)]
    follow: FollowArgs,
}

#[derive(Args)]
#[command(after_help = "With --target - the statements are printed as plain SQL instead.")]
pub(super) struct ApplyArgs {
    /// SQL segment to read, - for stdin; without it, every segment in the work directory
    #[arg(value_name = "SQL")]
    sql: Option<PathBuf>,

    /// End once the target is at most this many bytes behind receive; the supervisor's way from
    /// catchup to live replay
    #[arg(long, value_name = "BYTES", hide = true, conflicts_with = "sql")]
    until_caught_up: Option<u64>,

    /// End where the segments end now, receive being stopped; the supervisor's way to live replay
    #[arg(long, hide = true, conflicts_with_all = ["sql", "until_caught_up"])]
    until_end: bool,

    #[command(flatten)]
    follow: FollowArgs,
}

impl StreamArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<Command, UsageError> {
        let command = match self {
            StreamArgs::Sentinel(sentinel) => {
                return Ok(Command::Sentinel(sentinel.resolve(settings)?));
            }
            StreamArgs::Setup(follow) => StreamCommand::Setup(follow.resolve(settings)?),
            StreamArgs::Cleanup(follow) => StreamCommand::Cleanup(follow.resolve(settings)?),
            StreamArgs::Prune(follow) => StreamCommand::Prune(follow.resolve(settings)?),
            StreamArgs::Prefetch(follow) => StreamCommand::Prefetch(follow.resolve(settings)?),
            StreamArgs::Catchup(follow) => StreamCommand::Catchup(follow.resolve(settings)?),
            StreamArgs::Replay(follow) => StreamCommand::Replay(follow.resolve(settings)?),
            StreamArgs::Receive(receive) => StreamCommand::Receive(ReceiveOptions {
                follow: receive.follow.resolve(settings)?,
                to_stdout: receive.to_stdout,
            }),
            StreamArgs::Transform(transform) => StreamCommand::Transform(TransformOptions {
                follow: transform.follow.resolve(settings)?,
                json: transform.json.map(FileOrPipe::from),
                sql: transform.sql.map(FileOrPipe::from),
                until_end: transform.until_end,
            }),
            StreamArgs::Apply(apply) => StreamCommand::Apply(apply.resolve(settings)?),
        };
        Ok(Command::Stream(command))
    }
}

impl ApplyArgs {
    fn resolve(self, settings: &Settings<'_>) -> Result<ApplyOptions, UsageError> {
        let mut follow = self.follow.resolve(settings)?;
        let stdout = follow.target.take_if(|target| target == "-");
        Ok(ApplyOptions {
            follow,
            sql: self.sql.map(FileOrPipe::from),
            to: match stdout {
                Some(_) => ApplyTo::Stdout,
                None => ApplyTo::Target,
            },
            until: match (self.until_end, self.until_caught_up) {
                (true, _) => ApplyUntil::SegmentsEnd,
                (false, Some(bytes)) => ApplyUntil::Behind(bytes),
                (false, None) => ApplyUntil::Endpos,
            },
        })
    }
}
