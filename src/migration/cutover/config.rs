//! What an attempt is told.

use std::path::PathBuf;
use std::time::Duration;

use super::error::{CutoverError, on};
use super::proxies::Proxies;
use crate::base::Side;
use crate::base::shadow_demands::ShadowDemands;
use crate::pg::{Address, Session};
use crate::store::WorkDir;

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Config {
    /// The migration's source.
    pub source: Address,
    /// Its target.
    pub target: Address,
    /// Its work directory.
    pub work_dir: WorkDir,
    /// The control socket of the proxy; none if the application is moved by other means.
    pub socket: Option<PathBuf>,
    /// What moves it then: a command of the shell, run once it is decided.
    pub switch_command: Option<String>,
    /// Where traffic is to go.
    pub to: Side,
    /// Up to the decision, and then undo it.
    pub rehearses: bool,
    /// Thresholds.
    pub limits: Limits,
    /// How others are kept out of the side that traffic leaves.
    pub fence: FenceMode,
    /// Whether there is to be a way back.
    pub reverse: bool,
    /// What has fed the side that traffic goes to, if not a stream.
    pub by_mirror: Option<ByMirror>,
    /// Tables whose updates and deletes may stay behind where no stream carries them.
    pub given_up: Vec<String>,
    /// What mirrors must have shown.
    pub shadow: Option<ShadowDemands>,
}

/// A mirror of the proxies that has fed the side that traffic goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByMirror {
    /// Its name.
    pub name: String,
    /// What the numbers of rows on both sides decide.
    pub counts: Counts,
}

/// What the numbers of rows on both sides decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// They must be equal while clients are held.
    MustBeEqual,
    /// They are told before that.
    MayDiffer,
}

/// Thresholds.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of WAL that the stream may be behind when clients are held.
    pub max_lag: u64,
    /// How long open transactions are waited for.
    pub drain_limit: Duration,
    /// How long clients may be held.
    pub max_pause: Duration,
    /// What comes when that is over.
    pub on_timeout: OnTimeout,
    /// How often it is tried.
    pub attempts: u32,
}

/// What comes when clients have been held for as long as they may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTimeout {
    /// Everything is undone.
    Abort,
    /// They are held on until it is done.
    Cutover,
}

/// How others are kept out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FenceMode {
    /// They are ended, and may not connect.
    Connections,
    /// They are ended, and new sessions are read-only unless they say otherwise.
    ReadOnly,
    /// They are ended; they may connect again.
    Terminate,
}

impl Config {
    /// The address of a side.
    pub fn address(&self, side: Side) -> &Address {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }

    /// The addresses of the side that traffic leaves and the one that it goes to.
    pub(super) fn ends(&self) -> (&Address, &Address) {
        (self.address(self.to.other()), self.address(self.to))
    }

    pub(super) fn proxies(&self) -> Proxies {
        Proxies::at(self.socket.as_deref())
    }

    pub(super) async fn connect(&self, side: Side) -> Result<Session, CutoverError> {
        let connecting = Session::connect(self.address(side), "cutover");
        connecting.await.map_err(on(side, "opening a session"))
    }
}
