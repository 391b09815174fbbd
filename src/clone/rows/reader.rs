//! A server that rows are read from, and what is seen there.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::{Lsn, Visibility};
use crate::pg::Address;

/// Where rows are read, and under which snapshot.
#[derive(Debug)]
pub struct Reader {
    /// The server.
    pub address: Address,
    /// What kind of server it is.
    pub place: Place,
    /// The exported snapshot.
    pub snapshot_id: String,
    /// What it sees.
    pub visibility: Visibility,
    /// Which epoch.
    pub epoch: u32,
    /// Everything it sees is committed before this.
    pub convergence: Lsn,
}

/// What kind of server rows are read from.
#[derive(Debug)]
pub enum Place {
    /// The source itself.
    Source,
    /// A standby of it, whose replay was paused.
    Standby {
        /// Whether it was told already that somebody has resumed replay.
        resumed: AtomicBool,
    },
}

impl Place {
    /// A standby that is paused.
    pub fn standby() -> Self {
        Place::Standby {
            resumed: AtomicBool::new(false),
        }
    }
}

/// As messages have it.
impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::Source => f.write_str("the source"),
            Place::Standby { .. } => write!(f, "the standby {}", self.address),
        }
    }
}

impl Reader {
    /// Whether it is a standby.
    pub(super) fn is_standby(&self) -> bool {
        matches!(self.place, Place::Standby { .. })
    }

    /// Somebody has resumed replay, or promoted it: told once. The snapshot counts as before.
    pub(super) fn tell_resumed(&self) {
        if let Place::Standby { resumed } = &self.place
            && !resumed.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                "{self} was resumed or promoted by somebody else while rows are read there: they are of the moment of its pause all the same, but replay may end what is reading now"
            );
        }
    }
}
