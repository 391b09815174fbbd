//! The root of the command tree.

use std::path::PathBuf;

use clap::{CommandFactory, Parser, Subcommand};

use super::global::GlobalArgs;
use super::help;
use super::inspection::{
    CheckArgs, CompareSubjectArgs, DemoArgs, PingArgs, ReportArgs, SnapshotArgs, StatusArgs,
};
use super::list::ListArgs;
use super::migration::CloneArgs;
use super::sentinel::SentinelArgs;
use super::steps::{CopyStepArgs, DumpSubjectArgs, RestoreStepArgs};
use super::stream::StreamArgs;
use super::traffic::{
    CutoverArgs, CutoverToTargetArgs, FinalizeArgs, ProxyArgs, global_unless_of_run,
};
use crate::cli::error::UsageError;
use crate::cli::invocation::{Command, Invocation, Shell};
use crate::cli::settings::Settings;

/// Move a live PostgreSQL database, and its traffic, to another server
#[derive(Parser)]
#[command(
    name = "pgflit",
    version,
    infer_long_args = true,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(in crate::cli) struct Typed {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: TypedCommand,
}

#[derive(Subcommand)]
enum TypedCommand {
    /// Copy a database to the target; with --follow, keep it up to date from then on
    #[command(visible_alias = "fork", alias = "copy-db")]
    Clone(CloneArgs),
    /// Apply the changes made on the source since the copy, until --endpos or a signal
    #[command(mut_args = help::hide_copy_options)]
    Follow(CloneArgs),
    /// Export a snapshot of the source, print its id and hold it until a signal
    Snapshot(SnapshotArgs),
    /// Do one step of clone by hand
    #[command(subcommand)]
    Copy(CopyStepArgs),
    /// Dump the source's definitions, with the filters applied
    #[command(subcommand)]
    Dump(DumpSubjectArgs),
    /// Restore dumped definitions on the target, with the filters applied
    #[command(subcommand)]
    Restore(RestoreStepArgs),
    /// List what the source contains and what would be copied; changes nothing
    #[command(subcommand)]
    List(ListArgs),
    /// Prove that source and target are equal; exit code 3 if they are not
    #[command(subcommand)]
    Compare(CompareSubjectArgs),
    /// Do one step of change capture by hand
    #[command(subcommand)]
    Stream(StreamArgs),
    /// Steer a running or future follow: where it ends, and whether changes are applied
    #[command(subcommand)]
    Sentinel(SentinelArgs),
    /// Connect to source and target, and print versions and round-trip times
    Ping(PingArgs),
    /// Find what would make the migration fail or lose data, before anything is changed
    Check(CheckArgs),
    /// Show where the migration stands: tables, bytes, rates, lag, disk, cutover
    Status(StatusArgs),
    /// Write a web page about a running or finished migration, with plots
    Report(ReportArgs),
    /// Run the traffic proxy, or talk to a running one
    #[command(mut_args = global_unless_of_run)]
    Proxy(ProxyArgs),
    /// Move the application's traffic to the target; --dry-run rehearses it
    Cutover(CutoverToTargetArgs),
    /// Move the traffic back to the source after a cutover, without losing writes
    Rollback(CutoverArgs),
    /// Make the cutover final: drop what made going back possible
    Finalize(FinalizeArgs),
    /// Watch a whole migration, traffic included, between two throw-away clusters on this machine
    Demo(DemoArgs),
    /// Print the completion script of a shell
    Completions {
        /// Shell to complete for
        shell: Shell,
    },
    /// Print the version of pgflit and what it was built with
    Version,
    /// Write man/ and completions/ under a folder
    #[command(hide = true)]
    Generate {
        /// Folder to write to
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
}

/// The whole definition, with help texts completed.
pub(in crate::cli) fn definition() -> clap::Command {
    help::complete(Typed::command())
}

impl Typed {
    /// The file given by `--config`.
    pub(in crate::cli) fn config(&self) -> Option<&PathBuf> {
        self.global.config.as_ref()
    }

    /// What it all comes to.
    pub(in crate::cli) fn resolve(self, settings: &Settings<'_>) -> Result<Invocation, UsageError> {
        let config = self.global.config.clone();
        let json_short = self.command.wants_json();
        let (logging, mut output) = self.global.resolve(settings)?;
        output.json |= json_short;
        Ok(Invocation {
            logging,
            output,
            command: self.command.resolve(config, settings)?,
        })
    }
}

impl TypedCommand {
    fn resolve(
        self,
        config: Option<PathBuf>,
        settings: &Settings<'_>,
    ) -> Result<Command, UsageError> {
        Ok(match self {
            TypedCommand::Clone(clone) => Command::Clone(clone.resolve(settings)?),
            TypedCommand::Follow(clone) => Command::Follow(clone.resolve_follow(settings)?),
            TypedCommand::Snapshot(snapshot) => Command::Snapshot(snapshot.resolve(settings)?),
            TypedCommand::Copy(step) => step.resolve(settings)?,
            TypedCommand::Dump(subject) => Command::Dump(subject.resolve(settings)?),
            TypedCommand::Restore(step) => Command::Restore(step.resolve(settings)?),
            TypedCommand::List(list) => Command::List(list.resolve(settings)?),
            TypedCommand::Compare(subject) => subject.resolve(settings)?,
            TypedCommand::Stream(stream) => stream.resolve(settings)?,
            TypedCommand::Sentinel(sentinel) => Command::Sentinel(sentinel.resolve(settings)?),
            TypedCommand::Ping(ping) => Command::Ping(ping.resolve(settings)?),
            TypedCommand::Check(check) => Command::Check(check.resolve(settings)?),
            TypedCommand::Status(status) => Command::Status(status.resolve(settings)?),
            TypedCommand::Report(report) => Command::Report(report.resolve(settings)?),
            TypedCommand::Proxy(proxy) => Command::Proxy(proxy.resolve(config, settings)?),
            TypedCommand::Cutover(cutover) => Command::Cutover(cutover.resolve(settings)?),
            TypedCommand::Rollback(rollback) => Command::Rollback(rollback.resolve(settings)?),
            TypedCommand::Finalize(finalize) => {
                Command::Finalize(finalize.resolve(config, settings)?)
            }
            TypedCommand::Demo(demo) => Command::Demo(demo.resolve(settings)?),
            TypedCommand::Completions { shell } => Command::Completions(shell),
            TypedCommand::Version => Command::Version,
            TypedCommand::Generate { dir } => Command::Generate(dir),
        })
    }

    fn wants_json(&self) -> bool {
        match self {
            TypedCommand::List(list) => list.wants_json(),
            TypedCommand::Compare(subject) => subject.wants_json(),
            TypedCommand::Sentinel(sentinel)
            | TypedCommand::Stream(StreamArgs::Sentinel(sentinel)) => sentinel.wants_json(),
            _ => false,
        }
    }
}
