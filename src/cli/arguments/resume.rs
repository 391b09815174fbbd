//! Options about what an earlier run left.

use std::time::Duration;

use clap::Args;

use crate::base::quantity::parse_duration;
use crate::cli::error::UsageError;
use crate::cli::options::StartMode;
use crate::cli::settings::Settings;

/// Long enough for a restart of a server or a failover, short enough for someone who watches.
const RETRY_FOR: Duration = Duration::from_secs(600);

#[derive(Args)]
#[command(next_help_heading = "Resume")]
pub(super) struct StartArgs {
    /// Drop what an earlier run left behind, its slot and origin too, and start anew
    #[arg(short = 'r', long, conflicts_with = "resume")]
    restart: bool,

    /// Go on where an earlier run stopped
    #[arg(short = 'R', long)]
    resume: bool,

    /// With --resume and without --follow: take a new snapshot if the old one is gone
    #[arg(short = 'C', long)]
    not_consistent: bool,
}

#[derive(Args)]
#[command(next_help_heading = "Resume")]
pub(super) struct SnapshotArg {
    /// Use this snapshot, which someone else has exported and still holds
    #[arg(short = 'N', long, value_name = "ID")]
    snapshot: Option<String>,
}

#[derive(Args)]
#[command(next_help_heading = "Resume")]
pub(super) struct RetryArg {
    /// Keep trying this long when a server cannot be reached [default: 10min]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    retry_for: Option<Duration>,
}

impl StartArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<StartMode, UsageError> {
        // What was typed decides between the two before what a file says is looked at.
        let restart = self.restart || (!self.resume && settings.switch("restart", false)?);
        let resume = self.resume || (!self.restart && settings.switch("resume", false)?);
        let not_consistent = settings.switch("not-consistent", self.not_consistent)?;
        match (restart, resume) {
            (true, true) => Err(UsageError::Contradiction(
                "restart and resume exclude each other: set one of them",
            )),
            (true, false) => Ok(StartMode::Restart),
            (false, true) => Ok(StartMode::Resume { not_consistent }),
            (false, false) => Ok(StartMode::Fresh),
        }
    }
}

impl SnapshotArg {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<Option<String>, UsageError> {
        settings.value("snapshot", self.snapshot)
    }
}

impl RetryArg {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<Duration, UsageError> {
        let retry_for = settings.duration("retry-for", self.retry_for)?;
        Ok(retry_for.unwrap_or(RETRY_FOR))
    }
}
