//! What the commands that touch traffic are told.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use super::NotifySettings;
use super::WorkDir;
use crate::base::quantity::ByteSize;
use crate::base::shadow_demands::ShadowDemands;

/// `pgflit proxy …`.
pub enum ProxyCommand {
    /// Run the proxy in the foreground.
    Run(ProxyRun),
    /// Print what a running proxy does.
    Status(ProxyControl),
    /// Hold new transactions.
    Pause {
        /// Which proxy.
        control: ProxyControl,
        /// After which they go on by themselves.
        limit: Duration,
    },
    /// Let them go on.
    Resume(ProxyControl),
    /// Read the configuration again.
    Reload(ProxyControl),
    /// Print the mirrors.
    Mirrors(ProxyControl),
    /// Print the clients.
    Clients(ProxyControl),
    /// Read the configuration and say what is wrong with it.
    CheckConfig(ProxyControl),
}

/// A proxy that runs in the foreground.
pub struct ProxyRun {
    /// Where it works.
    pub control: ProxyControl,
    /// Where clients connect, `HOST:PORT` each; empty for where the configuration says.
    pub listen: Vec<String>,
    /// Whether another process may listen there, too.
    pub reuse_port: bool,
    /// What is shown to clients that ask for TLS.
    pub tls: Option<TlsFiles>,
    /// Server connections at a time; none for as many as the server takes.
    pub max_server_connections: Option<NonZeroUsize>,
}

/// A certificate and its key, PEM both.
pub struct TlsFiles {
    /// The certificate, with its chain.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// Which proxy.
pub struct ProxyControl {
    /// The migration's work directory.
    pub work_dir: WorkDir,
    /// `--config`: the proxy's tables stand in the same file as other options.
    pub config: Option<PathBuf>,
    /// The control socket; none for the one that the configuration or the work directory names.
    pub socket: Option<PathBuf>,
    /// The source's connection string as given.
    pub source: Option<String>,
    /// The target's connection string as given.
    pub target: Option<String>,
}

/// The options of `cutover` and `rollback`.
pub struct CutoverOptions {
    /// `--dry-run`: up to the decision, then undone.
    pub rehearses: bool,
    /// `--max-lag`.
    pub max_lag: ByteSize,
    /// `--drain-limit`.
    pub drain_limit: Duration,
    /// `--max-pause`.
    pub max_pause: Duration,
    /// `--on-timeout`.
    pub on_timeout: OnTimeout,
    /// `--attempts`.
    pub attempts: usize,
    /// `--fence`.
    pub fence: Fence,
    /// Unless `--no-reverse`.
    pub reverse: bool,
    /// `--without-changes-of`, each.
    pub without_changes_of: Vec<String>,
    /// `--require-shadow`.
    pub require_shadow: Option<ShadowDemands>,
    /// `--by-mirror`.
    pub by_mirror: Option<ByMirror>,
    /// Unless `--no-proxy`.
    pub has_proxy: bool,
    /// `--switch-command`.
    pub switch_command: Option<String>,
    /// Which migration.
    pub place: MigrationPlace,
}

/// Which mirror has fed the target, where no stream has.
pub struct ByMirror {
    /// Its name.
    pub name: String,
    /// `--allow-different-counts`.
    pub allows_different_counts: bool,
}

/// The options of `finalize`.
pub struct FinalizeOptions {
    /// `--lift-fence`.
    pub lift_fence: bool,
    /// `--config`: the proxy's tables may stand in it.
    pub config: Option<PathBuf>,
    /// Which migration.
    pub place: MigrationPlace,
}

/// Which migration is meant, and whether it is to be asked first.
pub struct MigrationPlace {
    /// Its work directory.
    pub work_dir: WorkDir,
    /// The proxy's control socket; none for the one in the work directory.
    pub socket: Option<PathBuf>,
    /// The source's connection string as given.
    pub source: Option<String>,
    /// The target's connection string as given.
    pub target: Option<String>,
    /// Unless `--yes`.
    pub asks: bool,
    /// Who is told what happens.
    pub notify: NotifySettings,
}

/// What comes when clients have been held for as long as they may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum OnTimeout {
    /// Everything is undone; clients go on where they were
    Abort,
    /// They are held until it is done
    Cutover,
}

/// How others are kept out of the side that traffic leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum Fence {
    /// They are ended, and may not connect
    Connections,
    /// They are ended, and new sessions are read-only unless they say otherwise
    ReadOnly,
    /// They are ended; they may connect again
    Terminate,
}
