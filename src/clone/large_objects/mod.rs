//! Large objects: copied with their OIDs, owners, privileges and comments; compared again at the
//! end of following, because no stream carries them.
//!
//! - [`ranges`]: the space of OIDs, cut into pieces of work;
//! - [`definition`]: what belongs to an object besides its bytes;
//! - `source`, `target`: reading under a snapshot, writing in transactions of several;
//! - `transfer`: some objects from one to the other, whatever their size;
//! - `workers`: several pairs of sessions at a time, and what is tried again.
//!
//! Memory: a worker holds the beginnings of 128 objects, or one chunk of a long one.
//!
//! # Crash story
//! 1. *Inside a transaction of the target*: it is rolled back; the range is not in the ledger
//!    (`pgflit.large_objects`) and is copied again.
//! 2. *After its COMMIT*: the range is in the ledger, with its objects; never copied twice.
//! 3. *Inside the comparison at the end*: what was replaced is equal now; the comparison begins
//!    anew.

mod compare;
mod copy;
pub mod definition;
pub mod ranges;
mod source;
mod target;
mod transfer;
mod workers;

pub use compare::{Compared, compare};
pub use copy::{Copied, copy, note_kept};
pub use definition::Restored;

use std::time::Duration;

use crate::base::{Remedy, Shutdown};
use crate::pg::{self, Address};
use ranges::OidRange;

/// What the workers need.
#[derive(Debug, Clone)]
pub struct Config {
    /// The source.
    pub source: Address,
    /// The target.
    pub target: Address,
    /// Workers.
    pub jobs: usize,
    /// The exported snapshot to read under; none for what is there now.
    pub snapshot_id: Option<String>,
    /// Whether an object of the target that has the OID of one to make is replaced.
    pub replace: bool,
    /// What belongs to an object besides its bytes.
    pub restored: Restored,
    /// How long a server that cannot be reached is tried again.
    pub retry_for: Duration,
    /// Asks the workers to stop.
    pub shutdown: Shutdown,
}

/// Large objects could not be copied.
#[derive(Debug, thiserror::Error)]
pub enum LargeObjectError {
    /// Reading them.
    #[error("copying large objects {range}: reading from the source")]
    Source {
        /// Which.
        range: OidRange,
        /// Why.
        #[source]
        source: pg::Error,
    },
    /// Writing them.
    #[error("copying large objects {range}: writing to the target")]
    Target {
        /// Which.
        range: OidRange,
        /// Why.
        #[source]
        source: pg::Error,
    },
    /// The source has made an object since, whose OID an object has that was on the target before.
    #[error("the target had a large object {oid} before, and the source has made one since")]
    Taken {
        /// Which.
        oid: u32,
    },
    /// A worker could not be run.
    #[error("running a large object worker: {0}")]
    Thread(String),
}

impl LargeObjectError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            LargeObjectError::Source { source, .. } | LargeObjectError::Target { source, .. } => {
                source.remedy()
            }
            LargeObjectError::Taken { .. } => Remedy::AskOperator,
            LargeObjectError::Thread(_) => Remedy::Bug,
        }
    }
}
