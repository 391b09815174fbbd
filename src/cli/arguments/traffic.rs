//! `pgflit proxy …`, `cutover`, `rollback` and `finalize`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::connection::{SourceArgs, TargetArgs, WorkDirArgs};
use crate::cli::error::UsageError;
use crate::cli::options::{CutoverMode, CutoverOptions, ProxyCommand, ProxyControl};
use crate::cli::settings::Settings;

/// The tree makes the options global, so that they may stand before or after the subcommand.
#[derive(Args)]
pub(super) struct ProxyArgs {
    #[command(subcommand)]
    command: Option<ProxySubcommand>,
    #[command(flatten)]
    control: ControlArgs,
}

#[derive(Subcommand)]
enum ProxySubcommand {
    /// Print which side a running proxy serves, its clients, servers and mirrors
    Status,
    /// Hold new transactions until resume; running ones end first
    Pause,
    /// Let held transactions go on
    Resume,
    /// Read the configuration file again, without losing a connection
    Reload,
    /// Print what each mirror has received, dropped and answered differently
    Mirrors,
    /// Print each client, what it runs and what its session holds
    Clients,
    /// Read the configuration file and say what is wrong with it
    CheckConfig,
}

#[derive(Args)]
struct ControlArgs {
    #[command(flatten)]
    socket: SocketArg,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    work_dir: WorkDirArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Connection")]
struct SocketArg {
    /// Control socket of the proxy [default: the one in the work directory]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
}

impl ProxyArgs {
    /// `config` is the global `--config`, whose `[proxy]` tables the proxy reads itself.
    pub(super) fn resolve(
        self,
        config: Option<PathBuf>,
        settings: &Settings<'_>,
    ) -> Result<ProxyCommand, UsageError> {
        let control = self.control.resolve(config, settings)?;
        Ok(match self.command {
            None => ProxyCommand::Run(control),
            Some(ProxySubcommand::Status) => ProxyCommand::Status(control),
            Some(ProxySubcommand::Pause) => ProxyCommand::Pause(control),
            Some(ProxySubcommand::Resume) => ProxyCommand::Resume(control),
            Some(ProxySubcommand::Reload) => ProxyCommand::Reload(control),
            Some(ProxySubcommand::Mirrors) => ProxyCommand::Mirrors(control),
            Some(ProxySubcommand::Clients) => ProxyCommand::Clients(control),
            Some(ProxySubcommand::CheckConfig) => ProxyCommand::CheckConfig(control),
        })
    }
}

impl ControlArgs {
    fn resolve(
        self,
        config: Option<PathBuf>,
        settings: &Settings<'_>,
    ) -> Result<ProxyControl, UsageError> {
        Ok(ProxyControl {
            work_dir: self.work_dir.resolve(settings)?,
            config,
            socket: settings.value("socket", self.socket.socket)?,
            source: self.source.resolve(settings)?,
            target: self.target.resolve(settings)?,
        })
    }
}

#[derive(Args)]
pub(super) struct CutoverArgs {
    /// Rehearse: do everything up to the pause, then undo it
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    confirmed: ConfirmedArgs,
}

/// The options of `finalize`, which cannot be rehearsed.
#[derive(Args)]
pub(super) struct ConfirmedArgs {
    /// Do not ask before doing it
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    socket: SocketArg,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    work_dir: WorkDirArgs,
}

impl CutoverArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<CutoverOptions, UsageError> {
        let mut options = self.confirmed.resolve(settings)?;
        if self.dry_run {
            options.mode = CutoverMode::Rehearse;
        }
        Ok(options)
    }
}

impl ConfirmedArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<CutoverOptions, UsageError> {
        Ok(CutoverOptions {
            work_dir: self.work_dir.resolve(settings)?,
            socket: settings.value("socket", self.socket.socket)?,
            source: self.source.resolve(settings)?,
            target: self.target.resolve(settings)?,
            mode: match settings.switch("yes", self.yes)? {
                true => CutoverMode::WithoutAsking,
                false => CutoverMode::Ask,
            },
        })
    }
}
