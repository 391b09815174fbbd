//! The options of `clone`, `follow`, `copy …` and the streaming steps.

use clap::Args;

use super::change_capture::{CdcArgs, FollowArg, YesArg};
use super::connection::{FilterArgs, SourceArgs, TargetArgs, WorkDirArgs};
use super::copying::CopyArgs;
use super::inspection::SkipCheckArg;
use super::notify::NotifyArgs;
use super::resume::{RetryArg, SnapshotArg, StartArgs};
use crate::cli::error::UsageError;
use crate::cli::options::{CloneOptions, FollowOptions};
use crate::cli::settings::Settings;

/// Everything that a whole migration can be told.
#[derive(Args)]
pub(super) struct CloneArgs {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    target: TargetArgs,

    /// Copy every database of the source's instance
    #[arg(long, help_heading = "Connection")]
    all_databases: bool,

    #[command(flatten)]
    work_dir: WorkDirArgs,
    #[command(flatten)]
    copy: CopyArgs,
    #[command(flatten)]
    filters: FilterArgs,
    #[command(flatten)]
    follow: FollowArg,
    #[command(flatten)]
    cdc: CdcArgs,
    #[command(flatten)]
    yes: YesArg,
    #[command(flatten)]
    skip_checks: SkipCheckArg,
    #[command(flatten)]
    start: StartArgs,
    #[command(flatten)]
    snapshot: SnapshotArg,
    #[command(flatten)]
    retry: RetryArg,
    #[command(flatten)]
    notify: NotifyArgs,
}

/// Everything that change capture alone can be told.
#[derive(Args)]
pub(super) struct FollowArgs {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    work_dir: WorkDirArgs,
    #[command(flatten)]
    filters: FilterArgs,
    #[command(flatten)]
    cdc: CdcArgs,
    #[command(flatten)]
    yes: YesArg,
    #[command(flatten)]
    start: StartArgs,
    #[command(flatten)]
    snapshot: SnapshotArg,
    #[command(flatten)]
    retry: RetryArg,
}

impl CloneArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<CloneOptions, UsageError> {
        let follow = self.follow.resolve(settings)?;
        let snapshot = self.snapshot.resolve(settings)?;
        let all_databases = settings.switch("all-databases", self.all_databases)?;
        if all_databases && snapshot.is_some() {
            return Err(UsageError::Contradiction(
                "--all-databases and --snapshot exclude each other: a snapshot belongs to one database",
            ));
        }
        Ok(CloneOptions {
            work_dir: self.work_dir.resolve(settings)?,
            source: self.source.resolve(settings)?,
            target: self.target.resolve(settings)?,
            all_databases,
            copy: self.copy.resolve(settings)?,
            cdc: self.cdc.resolve(follow, self.yes.yes, settings)?,
            start: self.start.resolve(settings)?,
            snapshot,
            filters: self.filters.resolve(settings)?,
            skip_checks: self.skip_checks.resolve(settings),
            retry_for: self.retry.resolve(settings)?,
            notify: self.notify.resolve(settings)?,
        })
    }

    /// As `follow` means them: it captures changes without being told to.
    pub(super) fn resolve_follow(
        self,
        settings: &Settings<'_>,
    ) -> Result<CloneOptions, UsageError> {
        let mut options = self.resolve(settings)?;
        options.cdc.follow = true;
        Ok(options)
    }
}

impl FollowArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<FollowOptions, UsageError> {
        Ok(FollowOptions {
            work_dir: self.work_dir.resolve(settings)?,
            source: self.source.resolve(settings)?,
            target: self.target.resolve(settings)?,
            cdc: self.cdc.resolve(true, self.yes.yes, settings)?,
            start: self.start.resolve(settings)?,
            snapshot: self.snapshot.resolve(settings)?,
            filters: self.filters.resolve(settings)?,
            retry_for: self.retry.resolve(settings)?,
        })
    }
}
