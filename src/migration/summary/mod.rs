//! What a copy moved and how long it took: `D/summary.json`, and the tables at the end.
//!
//! Made from the store when the base copy is complete, and again when the run is. A report:
//! nothing is decided by it, and a run that cannot write it goes on.
//!
//! | key | meaning |
//! |---|---|
//! | `pgflit` | the version that wrote it |
//! | `run` | source and target without passwords, begun, finished, endpos |
//! | `total` | sums over all tables |
//! | `steps` | in order: connection, duration, transfer, concurrency |
//! | `tables` | the most bytes first: parts, rows, bytes, duration, indexes, their duration |
//!
//! Keys may be added; none changes its meaning. Durations are milliseconds. That of a table is
//! the time during which any part of it was moving, that of its indexes likewise; `work_ms` of a
//! step is the time of all its workers together.

mod collect;
mod spans;

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::base::cause::chain;
use crate::base::{Remedy, durable_file};
use crate::store::WorkDir;

pub use collect::{Jobs, collect};
pub use spans::covered;

/// The whole summary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The version that wrote it.
    pub pgflit: String,
    /// What was moved where, and when.
    pub run: RunSummary,
    /// All tables together.
    pub total: Total,
    /// In order.
    pub steps: Vec<StepSummary>,
    /// The most bytes first.
    pub tables: Vec<TableSummary>,
}

/// What was moved where, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// The source as people read it, without password.
    pub source: String,
    /// The target, likewise.
    pub target: Option<String>,
    /// When it began, UTC.
    pub begun_at: String,
    /// When everything was done; none while changes are still followed.
    pub finished_at: Option<String>,
    /// From then to then.
    pub duration_ms: Option<u64>,
    /// Whether changes were followed.
    pub follow: bool,
    /// Where following ended.
    pub endpos: Option<String>,
    /// Changes that found the target otherwise than the source was, and were skipped or overwrote
    /// it.
    #[serde(default)]
    pub conflicts: u64,
}

/// All tables together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Total {
    /// Tables copied.
    pub tables: usize,
    /// Rows moved.
    pub rows: u64,
    /// Bytes of COPY data moved.
    pub bytes: u64,
    /// Their size on the source when the copy began.
    pub source_bytes: u64,
    /// Indexes built.
    pub indexes: usize,
    /// The time during which rows were moving.
    pub duration_ms: u64,
}

/// One step of the copy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepSummary {
    /// What it is called.
    pub name: String,
    /// Which servers it works with: `source`, `target` or `both`.
    pub connection: String,
    /// From its beginning, the last if it was interrupted, to its end.
    pub duration_ms: Option<u64>,
    /// The time of all its workers together.
    pub work_ms: Option<u64>,
    /// Bytes moved.
    pub transfer_bytes: Option<u64>,
    /// Workers.
    pub concurrency: Option<usize>,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableSummary {
    /// Its OID on the source.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// In how many parts it was copied.
    pub parts: usize,
    /// Rows moved.
    pub rows: u64,
    /// Bytes of COPY data moved.
    pub bytes: u64,
    /// Its size on the source when the copy began.
    pub source_bytes: u64,
    /// The time during which any of its parts was moving.
    pub duration_ms: u64,
    /// Bytes a second in that time.
    pub bytes_per_second: Option<u64>,
    /// Indexes built.
    pub indexes: usize,
    /// The time during which any of them was being built.
    pub index_duration_ms: u64,
}

/// The file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SummaryError {
    /// There is none.
    #[error("no copy was completed in {}", .0.display())]
    Missing(PathBuf),
    /// It is there and cannot be read.
    #[error("reading {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not what pgflit writes.
    #[error("{} is not a summary", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl SummaryError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            SummaryError::Missing(_) => Remedy::FixArguments,
            SummaryError::Io { .. } | SummaryError::Content { .. } => Remedy::AskOperator,
        }
    }
}

impl Summary {
    /// Writes the file, durably. What cannot be written is said and does no harm: the copy is
    /// there.
    pub fn write(&self, work_dir: &WorkDir) {
        let path = work_dir.summary_path();
        let written = serde_json::to_vec_pretty(self)
            .map_err(io::Error::from)
            .and_then(|mut text| {
                text.push(b'\n');
                durable_file::replace(&path, &text)
            });
        if let Err(error) = written {
            tracing::warn!("writing {}: {}", path.display(), chain(&error));
        }
    }

    /// Reads the file of the last copy.
    pub fn read(work_dir: &WorkDir) -> Result<Self, SummaryError> {
        let path = work_dir.summary_path();
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(SummaryError::Missing(work_dir.root.clone()));
            }
            Err(source) => return Err(SummaryError::Io { path, source }),
        };
        serde_json::from_slice(&text).map_err(|source| SummaryError::Content { path, source })
    }
}
