//! What the commands that touch traffic are told.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::WorkDir;

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

/// The options of `cutover`, `rollback` and `finalize`.
pub struct CutoverOptions {
    /// The migration's work directory.
    pub work_dir: WorkDir,
    /// The proxy's control socket; none for the one in the work directory.
    pub socket: Option<PathBuf>,
    /// The source's connection string as given.
    pub source: Option<String>,
    /// The target's connection string as given.
    pub target: Option<String>,
    /// How far it goes.
    pub mode: CutoverMode,
}

/// How far a cutover goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CutoverMode {
    /// Up to the pause, then undo: `--dry-run`.
    Rehearse,
    /// All the way, after asking on a terminal.
    Ask,
    /// All the way without asking: `--yes`.
    WithoutAsking,
}
