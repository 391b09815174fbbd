//! Why a table or part could not be copied.

use crate::base::{QualifiedName, Remedy};
use crate::pg;
use crate::store::TableRow;

/// A table, or one part of it, could not be copied. Nothing of that part is on the target.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// Reading it.
    #[error("copying {what}: reading from {reader} stopped after {bytes} bytes")]
    Source {
        /// The table, and which part of it.
        what: String,
        /// The source, or which standby of it.
        reader: String,
        /// How much had been read.
        bytes: u64,
        /// Why.
        #[source]
        source: pg::Error,
    },
    /// Writing it.
    #[error("copying {what}: the target refused after {bytes} bytes")]
    Target {
        /// The table, and which part of it.
        what: String,
        /// How much had been written.
        bytes: u64,
        /// Why.
        #[source]
        source: pg::Error,
    },
    /// Its file was exchanged after the snapshot. Nothing of this copy of it is on the target.
    ///
    /// After TRUNCATE and ALTER TABLE the snapshot sees none of its rows. VACUUM FULL and CLUSTER
    /// keep what it sees, elsewhere: not for ranges of ctid. They cannot be told apart for certain:
    /// extensions such as pg_repack exchange files too, and theirs may have rows from before the
    /// snapshot and lack later changes that it sees.
    #[error("copying {}: it was truncated or rewritten on the source after the snapshot", table.name)]
    Rewritten {
        /// Which.
        table: Box<TableRow>,
    },
    /// Its name means another table by now, or none. Nothing of it is on the target.
    #[error(
        "copying {table}: on the source the name does not mean the same table any more: it was dropped or renamed, and maybe made anew"
    )]
    Replaced {
        /// Which.
        table: QualifiedName,
    },
    /// It is unlogged, and the target crashed after its copy.
    #[error("a crash of the target has emptied {table}, which is unlogged")]
    Emptied {
        /// Which.
        table: QualifiedName,
    },
    /// There are rows in it already, and nobody knows whose.
    #[error("copying {table}: it is not empty on the target")]
    NotEmpty {
        /// Which.
        table: QualifiedName,
    },
    /// The target took another number of rows than the source gave.
    #[error("copying {what}: the source gave {read} rows and the target kept {written}")]
    Miscounted {
        /// The table, and which part of it.
        what: String,
        /// Rows read.
        read: u64,
        /// Rows kept.
        written: u64,
    },
    /// A worker could not be run.
    #[error("running a copy worker: {0}")]
    Thread(String),
}

impl RowsError {
    /// The table of which no other part can be copied under the same snapshot either.
    pub(super) fn lost_table(&self) -> Option<&QualifiedName> {
        match self {
            RowsError::Rewritten { table } => Some(&table.name),
            RowsError::Replaced { table } => Some(table),
            _ => None,
        }
    }

    /// Whether the snapshot is gone under which it was to be read.
    pub(super) fn is_lost_snapshot(&self) -> bool {
        matches!(self, RowsError::Source { source, .. } if source.is_lost_snapshot())
    }

    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            RowsError::Source { source, .. } | RowsError::Target { source, .. } => source.remedy(),
            // A later snapshot sees the new rows: `--resume` takes one.
            RowsError::Rewritten { .. } => Remedy::AskOperator,
            RowsError::Replaced { .. }
            | RowsError::NotEmpty { .. }
            | RowsError::Miscounted { .. } => Remedy::AskOperator,
            RowsError::Emptied { .. } => Remedy::Retry,
            RowsError::Thread(_) => Remedy::Bug,
        }
    }
}
