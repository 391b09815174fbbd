//! A child's side of the promise that no child outlives its supervisor.
//!
//! The supervisor starts its children with [`SUPERVISED`] set to its own process id. A child asks
//! the kernel to be killed when its parent ends, and then looks whether the parent is still that
//! one: 1, the child is started; 2, the supervisor is killed; 3, the child asks the kernel, too
//! late to hear of 2. Without the look it would go on alone, and hold the slot for ever.

use std::env;

use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getppid};

/// The environment variable that holds the supervisor's process id; a person never sets it.
pub const SUPERVISED: &str = "PGFLIT_SUPERVISED";

/// A supervised process cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DeathWatchError {
    /// The supervisor has ended already.
    #[error("the supervisor, process {supervisor}, has ended")]
    Orphaned {
        /// Its process id.
        supervisor: i32,
    },
    /// Nobody's supervisor writes this.
    #[error("{SUPERVISED}={value} is not a process id; leave it unset to run the command by hand")]
    Value {
        /// What it is set to.
        value: String,
    },
    /// The kernel refused.
    #[error("asking the kernel for a signal when the supervisor ends")]
    Kernel(#[source] nix::Error),
}

/// Whether this process was started by a supervisor.
pub fn is_supervised() -> bool {
    env::var_os(SUPERVISED).is_some()
}

/// Makes this process end with its supervisor, if it has one. True if so.
///
/// Call it first, on the main thread: the kernel's promise is about the thread that started us.
pub fn arm() -> Result<bool, DeathWatchError> {
    let Some(value) = env::var_os(SUPERVISED) else {
        return Ok(false);
    };
    let supervisor = value.to_str().and_then(|value| value.parse().ok());
    let supervisor = supervisor.ok_or_else(|| DeathWatchError::Value {
        value: value.to_string_lossy().into_owned(),
    })?;
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(DeathWatchError::Kernel)?;
    match getppid() == Pid::from_raw(supervisor) {
        true => Ok(true),
        false => Err(DeathWatchError::Orphaned { supervisor }),
    }
}
