//! The store: one SQLite file that says what a migration was begun with and how far it is.
//!
//! Owns the file, its versions (`migrations/NNNN_name.sql`, applied at open), the work directory
//! and the lock on it. One file a table group, each with one writer: see the head of
//! `migrations/0001_store.sql`. Readers never block writers (WAL mode).
//!
//! The store reports progress; it is not the truth about it. That is in the synced segments
//! (receive), in the target's replication origin (apply) and in the target's ledger (copy). What a
//! run was begun with and which steps are done is durable when the call returns; positions are
//! reports, see [`Store::reporting_only`].

mod catalog;
mod columns;
mod command;
mod cutover;
mod database;
mod hold;
mod identity;
mod left_out;
mod lock;
mod partition;
mod progress;
mod run;
mod sample;
mod sentinel;
mod standby;
mod step;
mod wanted_row;
mod work_dir;

pub use catalog::{Capture, ConstraintRow, IndexRow, PartRow, TableRow};
pub use columns::{ColumnMark, TableMarks};
pub use command::CommandRun;
pub use cutover::{Cutover, CutoverState, PastCutover};
pub use database::{Error, Store};
pub use hold::{HOLD_LASTS, Hold};
pub use identity::{ChangedIdentity, ReplicaIdentity};
pub use left_out::{LeftOut, RowsLeftOut};
pub use lock::{Lock, LockError};
pub use partition::{Level, Partition};
pub use progress::{IndexProgress, PartProgress, ProgressNews, seconds_since_1970};
pub use run::{Run, RunTimes};
pub use sample::{SAMPLES_MAX, Sample};
pub use sentinel::{EndposError, Sentinel};
pub use step::{
    CATALOG_STEP, COMPARE_STEP, FOLLOWING_STEP, HANDED_OVER_STEP, LARGE_OBJECTS_STEP, ROWS_STEP,
    StepTimes,
};
pub use wanted_row::WantedRow;
pub use work_dir::{WorkDir, WorkDirError};
