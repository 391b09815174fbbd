//! `pgflit proxy …`, `cutover`, `rollback` and `finalize`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, Args, Subcommand};

use super::connection::{SourceArgs, TargetArgs, WorkDirArgs};
use super::notify::NotifyArgs;
use crate::base::quantity::{ByteSize, parse_duration};
use crate::base::shadow_demands::ShadowDemands;
use crate::cli::error::UsageError;
use crate::cli::options::{
    ByMirror, CutoverOptions, Fence, FinalizeOptions, MigrationPlace, OnTimeout, ProxyCommand,
    ProxyControl, ProxyRun, TlsFiles,
};
use crate::cli::settings::Settings;

/// How long a pause lasts at most unless told otherwise: longer than a cutover takes, shorter than
/// most applications wait.
const PAUSE_MAX: &str = "30s";

/// What says which proxy is meant may stand before or after the subcommand; what only the proxy
/// itself reads stands before it, where there is none.
pub(super) fn global_unless_of_run(arg: Arg) -> Arg {
    let is_of_run = arg.get_help_heading() == Some("Proxy");
    arg.global(!is_of_run)
}

#[derive(Args)]
pub(super) struct ProxyArgs {
    #[command(subcommand)]
    command: Option<ProxySubcommand>,
    #[command(flatten)]
    control: ControlArgs,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Proxy")]
struct RunArgs {
    /// Where clients connect: an address, * for all, or the folder of a Unix socket; may be given
    /// more than once
    #[arg(long, value_name = "HOST:PORT")]
    listen: Vec<String>,
    /// Let another process of the same proxy listen on the same addresses, for a restart under
    /// which clients stay
    #[arg(long)]
    reuse_port: bool,
    /// Certificate for clients that ask for TLS, with its chain
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// Key of the certificate
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Server connections at a time; further clients wait for one [default: as many as the server
    /// takes]
    #[arg(long, value_name = "COUNT")]
    max_server_connections: Option<NonZeroUsize>,
}

#[derive(Subcommand)]
enum ProxySubcommand {
    /// Print which side a running proxy serves, its clients, servers and mirrors
    Status,
    /// Hold new transactions until resume; running ones end first
    Pause {
        /// Wait no longer than this for running transactions, and then end the pause in any case
        #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = PAUSE_MAX)]
        timeout: Duration,
    },
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
pub(super) struct SocketArg {
    /// Control socket of the proxy [default: the one in the work directory]
    #[arg(long, value_name = "PATH")]
    pub(super) socket: Option<PathBuf>,
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
            None => ProxyCommand::Run(self.run.resolve(control)),
            Some(ProxySubcommand::Status) => ProxyCommand::Status(control),
            Some(ProxySubcommand::Pause { timeout }) => ProxyCommand::Pause {
                control,
                limit: timeout,
            },
            Some(ProxySubcommand::Resume) => ProxyCommand::Resume(control),
            Some(ProxySubcommand::Reload) => ProxyCommand::Reload(control),
            Some(ProxySubcommand::Mirrors) => ProxyCommand::Mirrors(control),
            Some(ProxySubcommand::Clients) => ProxyCommand::Clients(control),
            Some(ProxySubcommand::CheckConfig) => ProxyCommand::CheckConfig(control),
        })
    }
}

impl RunArgs {
    fn resolve(self, control: ProxyControl) -> ProxyRun {
        let files = self.tls_certificate.zip(self.tls_key);
        ProxyRun {
            control,
            listen: self.listen,
            reuse_port: self.reuse_port,
            tls: files.map(|(certificate, key)| TlsFiles { certificate, key }),
            max_server_connections: self.max_server_connections,
        }
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
    /// Rehearse: do everything up to the decision, then undo it, and tell how long clients waited
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Bytes of WAL that the other side may be behind when clients are held [default: 1 MB]
    #[arg(long, value_name = "SIZE")]
    max_lag: Option<ByteSize>,
    /// How long open transactions are waited for [default: 2s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    drain_limit: Option<Duration>,
    /// How long clients may be held [default: 5s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    max_pause: Option<Duration>,
    /// What comes when clients have been held for as long as they may
    #[arg(long, value_name = "WHAT")]
    on_timeout: Option<OnTimeout>,
    /// How often it is tried, with growing pauses between [default: 3]
    #[arg(long, value_name = "COUNT")]
    attempts: Option<NonZeroUsize>,
    /// How others are kept out of the side that traffic leaves
    #[arg(long, value_name = "HOW")]
    fence: Option<Fence>,
    /// No stream back: there is no rollback then
    #[arg(long)]
    no_reverse: bool,
    /// Go on although this table was updated or deleted from without a replica identity, so that no
    /// stream carries it: that stays behind; may be given more than once
    #[arg(long, value_name = "TABLE")]
    without_changes_of: Vec<String>,
    /// Move traffic only if every mirror has shown this, such as
    /// 'errors=0,p99_ratio<1.5,min_samples=1000'
    #[arg(long, value_name = "CONDITIONS", conflicts_with = "no_proxy")]
    require_shadow: Option<ShadowDemands>,
    /// The application is moved by other means than pgflit proxy
    #[arg(long, conflicts_with = "socket")]
    no_proxy: bool,
    /// What moves it then, run by a shell once everything is on the other side; PGFLIT_SERVES says
    /// which that is
    #[arg(long, value_name = "COMMAND", requires = "no_proxy")]
    switch_command: Option<String>,
    #[command(flatten)]
    place: MigrationArgs,
}

/// What `cutover` takes besides: there is no rollback by a mirror.
#[derive(Args)]
pub(super) struct CutoverToTargetArgs {
    #[command(flatten)]
    cutover: CutoverArgs,
    /// No stream has fed the target: this mirror of the proxy has, in mode all; there is no rollback
    /// then
    #[arg(long, value_name = "NAME", conflicts_with_all = ["no_proxy", "without_changes_of"])]
    by_mirror: Option<String>,
    /// With --by-mirror: count rows before clients are held, only tell where the numbers differ, and
    /// go on
    #[arg(long, requires = "by_mirror")]
    allow_different_counts: bool,
}

#[derive(Args)]
pub(super) struct FinalizeArgs {
    /// Let the old side take writes again, which nobody carries anywhere
    #[arg(long)]
    lift_fence: bool,
    #[command(flatten)]
    place: MigrationArgs,
}

/// Which migration is meant.
#[derive(Args)]
struct MigrationArgs {
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
    #[command(flatten)]
    notify: NotifyArgs,
}

/// A cutover may take this many bytes of WAL with it into the pause: at 100 MB/s, ten milliseconds.
const LAG_MAX: ByteSize = ByteSize(1_000_000);
const DRAIN_MAX: Duration = Duration::from_secs(2);
const HELD_MAX: Duration = Duration::from_secs(5);
const ATTEMPTS: usize = 3;

impl CutoverArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<CutoverOptions, UsageError> {
        let attempts = settings.value("attempts", self.attempts)?;
        let rehearses = self.dry_run;
        Ok(CutoverOptions {
            rehearses,
            max_lag: settings.value("max-lag", self.max_lag)?.unwrap_or(LAG_MAX),
            drain_limit: settings
                .duration("drain-limit", self.drain_limit)?
                .unwrap_or(DRAIN_MAX),
            max_pause: settings
                .duration("max-pause", self.max_pause)?
                .unwrap_or(HELD_MAX),
            on_timeout: settings
                .choice("on-timeout", self.on_timeout)?
                .unwrap_or(OnTimeout::Abort),
            attempts: attempts.map_or(ATTEMPTS, NonZeroUsize::get),
            fence: settings
                .choice("fence", self.fence)?
                .unwrap_or(Fence::Connections),
            reverse: !settings.switch("no-reverse", self.no_reverse)?,
            without_changes_of: settings.list("without-changes-of", self.without_changes_of),
            require_shadow: settings.value("require-shadow", self.require_shadow)?,
            by_mirror: None,
            has_proxy: !settings.switch("no-proxy", self.no_proxy)?,
            switch_command: settings.value("switch-command", self.switch_command)?,
            place: self.place.resolve(settings)?,
        })
    }
}

impl CutoverToTargetArgs {
    pub(super) fn resolve(self, settings: &Settings<'_>) -> Result<CutoverOptions, UsageError> {
        let allows_different_counts = self.allow_different_counts;
        let by_mirror = self.by_mirror.map(|name| ByMirror {
            name,
            allows_different_counts,
        });
        Ok(CutoverOptions {
            by_mirror,
            ..self.cutover.resolve(settings)?
        })
    }
}

impl FinalizeArgs {
    pub(super) fn resolve(
        self,
        config: Option<PathBuf>,
        settings: &Settings<'_>,
    ) -> Result<FinalizeOptions, UsageError> {
        Ok(FinalizeOptions {
            config,
            lift_fence: settings.switch("lift-fence", self.lift_fence)?,
            place: self.place.resolve(settings)?,
        })
    }
}

impl MigrationArgs {
    fn resolve(self, settings: &Settings<'_>) -> Result<MigrationPlace, UsageError> {
        Ok(MigrationPlace {
            work_dir: self.work_dir.resolve(settings)?,
            socket: settings.value("socket", self.socket.socket)?,
            source: self.source.resolve(settings)?,
            target: self.target.resolve(settings)?,
            asks: !settings.switch("yes", self.yes)?,
            notify: self.notify.resolve(settings)?,
        })
    }
}
