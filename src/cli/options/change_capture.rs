//! What change capture is told.

use std::fmt::{self, Display, Formatter};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::{StartMode, WorkDir};
use crate::base::Lsn;
use crate::base::quantity::ByteSize;

/// The options of `follow` and of the streaming steps.
pub struct FollowOptions {
    /// Where the run keeps its files.
    pub work_dir: WorkDir,
    /// The source's connection string as given; none leaves it to libpq's `PG*` variables.
    pub source: Option<String>,
    /// The target's connection string as given.
    pub target: Option<String>,
    /// How changes are captured.
    pub cdc: CdcSettings,
    /// What to do with what an earlier run left.
    pub start: StartMode,
    /// A snapshot exported by someone who holds it.
    pub snapshot: Option<String>,
    /// The filter file.
    pub filters: Option<PathBuf>,
    /// How long a lost connection is tried again.
    pub retry_for: Duration,
}

/// How changes are captured and applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CdcSettings {
    /// Whether `clone` or `snapshot` captures changes; always true for the streaming commands.
    pub follow: bool,
    /// The output plugin of the slot.
    pub plugin: Plugin,
    /// Have wal2json print numbers as strings.
    pub wal2json_numeric_as_string: bool,
    /// The replication slot on the source.
    pub slot_name: String,
    /// Create the slot if it is missing.
    pub create_slot: bool,
    /// The replication origin on the target.
    pub origin: String,
    /// The publication on the source; only pgoutput reads it.
    pub publication: String,
    /// Where to stop.
    pub endpos: Option<Lsn>,
    /// What the slot is told to be safe.
    pub ack: Ack,
    /// Where the target keeps how far apply has come.
    pub progress_tracking: ProgressTracking,
    /// What to do when a row is not as the change expects.
    pub on_conflict: OnConflict,
    /// Connections that apply at a time.
    pub apply_jobs: ApplyJobs,
    /// Apply updates that change nothing, for the triggers they fire.
    pub replay_no_op_updates: bool,
    /// Compress closed segments.
    pub compress_segments: bool,
    /// Stop receiving while the segments take more than this.
    pub disk_limit: Option<ByteSize>,
    /// What to do about a table created on the source meanwhile.
    pub new_tables: NewTables,
    /// Change on the source what capturing needs, until the end: `--yes`.
    pub change_source: bool,
    /// Warn when the target is this far behind.
    pub notify_lag: Option<ByteSize>,
}

/// Connections that apply at a time: at least one, at most [`APPLY_JOBS_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApplyJobs(pub NonZeroUsize);

/// Each holds a batch of 16 MB, and a target commits them one after the other.
pub const APPLY_JOBS_MAX: usize = 32;

impl FromStr for ApplyJobs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let jobs = text.parse().ok().filter(|jobs| *jobs <= APPLY_JOBS_MAX);
        let jobs = jobs.and_then(NonZeroUsize::new);
        jobs.map(Self)
            .ok_or_else(|| format!("\"{text}\" is not a number from 1 to {APPLY_JOBS_MAX}"))
    }
}

impl Display for ApplyJobs {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl CdcSettings {
    /// The publication to make: no other plugin reads one.
    pub fn own_publication(&self) -> Option<String> {
        (self.plugin == Plugin::Pgoutput).then(|| self.publication.clone())
    }
}

/// A logical decoding output plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Plugin {
    /// Postgres's own, with a publication
    Pgoutput,
    /// Postgres's contrib module
    #[value(name = "test_decoding")]
    TestDecoding,
    /// The wal2json extension
    Wal2json,
}

impl Plugin {
    /// The name Postgres knows it by.
    pub const fn name(self) -> &'static str {
        match self {
            Plugin::Pgoutput => "pgoutput",
            Plugin::TestDecoding => "test_decoding",
            Plugin::Wal2json => "wal2json",
        }
    }
}

/// What the source is told to be safe, and may therefore recycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Ack {
    /// What is synced to this disk
    Spill,
    /// What the target has committed
    Apply,
}

/// Where the target keeps how far apply has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum ProgressTracking {
    /// An origin if the role may use one, else a table
    Auto,
    /// A replication origin
    Origin,
    /// A one-row table in the schema pgflit
    Table,
}

/// What to do when a row is not as the change expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum OnConflict {
    /// Stop and name the row
    Stop,
    /// Leave the target's row, count and log it
    Skip,
    /// Make the target's row what the source says
    Overwrite,
}

/// What to do about a table created on the source while following.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum NewTables {
    /// Stop and name the table
    Stop,
    /// Warn and leave the table out
    Warn,
}
