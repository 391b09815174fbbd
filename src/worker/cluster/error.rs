//! What can go wrong with a throw-away cluster.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::base::Remedy;

/// Why a throw-away cluster could not be made, started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No folder holds both `initdb` and `postgres`.
    #[error(
        "looking for PostgreSQL's server programs: none in {searched}; install the server \
         (on Debian: apt install postgresql) or name its pg_config in PG_CONFIG"
    )]
    NoServer {
        /// Where was looked, for people.
        searched: String,
    },
    /// PostgreSQL refuses to run as root, and there is nobody else to run it as.
    #[error("choosing who runs the server: root may not, and there is no user postgres or nobody")]
    NoUser,
    /// The folder for all clusters belongs to someone else, who could read or replace what is in it.
    #[error("using {folder}: it belongs to user {uid}; remove it")]
    ForeignFolder {
        /// The folder that is kept for clusters.
        folder: PathBuf,
        /// Whose it is.
        uid: u32,
    },
    /// The file system or a lock refused.
    #[error("{action} {path}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A program could not be started at all.
    #[error("starting {program}")]
    Spawn {
        /// The program.
        program: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A program ran and said no.
    #[error("running {program}: {message}")]
    Program {
        /// The program.
        program: PathBuf,
        /// What it printed last.
        message: String,
    },
    /// The server ended while starting.
    #[error("starting the server of {log}: {message}")]
    DidNotStart {
        /// The server's log.
        log: PathBuf,
        /// The end of it.
        message: String,
    },
    /// The server neither got ready nor ended, or did not stop.
    #[error("waiting {limit:?} for the server of {log} to {what}")]
    Timeout {
        /// What was waited for.
        what: &'static str,
        /// The server's log.
        log: PathBuf,
        /// How long was waited.
        limit: Duration,
    },
    /// Something was asked of a server that is not running.
    #[error("signalling the server of {log}: it is not running; start it first")]
    NotRunning {
        /// The server's log.
        log: PathBuf,
    },
}

impl ClusterError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Timeout { .. } => Remedy::Retry,
            Self::NotRunning { .. } => Remedy::Bug,
            Self::NoServer { .. }
            | Self::NoUser
            | Self::ForeignFolder { .. }
            | Self::Io { .. }
            | Self::Spawn { .. }
            | Self::Program { .. }
            | Self::DidNotStart { .. } => Remedy::AskOperator,
        }
    }

    /// For `map_err` on a file operation: `action` is a word such as "creating".
    pub(super) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
