//! What remote control is told.

use super::WorkDir;
use crate::base::Lsn;

/// `pgflit sentinel …`, the same as `pgflit stream sentinel …`.
pub enum SentinelCommand {
    /// Make the sentinel.
    Setup {
        /// Which sentinel.
        place: SentinelPlace,
        /// Where streaming starts; none for the slot's position.
        startpos: Option<Lsn>,
        /// Where it ends; none for never.
        endpos: Option<Lsn>,
    },
    /// Print it, or one value of it.
    Get {
        /// Which sentinel.
        place: SentinelPlace,
        /// The one value to print bare; none for all six.
        field: Option<SentinelField>,
    },
    /// Set where streaming starts.
    SetStartpos {
        /// Which sentinel.
        place: SentinelPlace,
        /// The position.
        startpos: Lsn,
    },
    /// Set where streaming ends, and print that position.
    SetEndpos {
        /// Which sentinel.
        place: SentinelPlace,
        /// The position.
        endpos: NewEndpos,
    },
    /// Allow applying.
    SetApply(SentinelPlace),
    /// Prefetch only.
    SetPrefetch(SentinelPlace),
}

/// Which sentinel, and the source it belongs to.
pub struct SentinelPlace {
    /// The work directory that holds the sentinel.
    pub work_dir: WorkDir,
    /// The source's connection string as given; only `set endpos --current` connects.
    pub source: Option<String>,
}

/// The position that `set endpos` sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NewEndpos {
    /// This one.
    At(Lsn),
    /// Where the source is at the moment of asking: everything that is committed is before it.
    Current,
}

/// One of the sentinel's six values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SentinelField {
    /// Where streaming starts.
    Startpos,
    /// Where it ends.
    Endpos,
    /// Whether applying is allowed.
    Apply,
    /// What has been received.
    WriteLsn,
    /// What is synced to disk.
    FlushLsn,
    /// What the target has committed.
    ReplayLsn,
}
