//! Rows: per table a count and two sums of hashes, computed by the servers.
//!
//! - [`digest`]: what of a row is hashed, as SQL, and what a server answers;
//! - `unit`: which tables are compared with which, by name, and by which columns;
//! - `moment`: one snapshot a server, for all of its sessions;
//! - `standstill`: the same where a migration is running, at one position of the source;
//! - `board`, `workers`: the parts of all tables, counted by several sessions a server;
//! - `narrow`: from two sums that differ to the keys of the rows that differ;
//! - `sequences`: where they stand; `large_objects`: what is in them;
//! - [`journal`]: what is known to be equal, on disk, for whoever goes on;
//! - [`run`]: all of it.
//!
//! # Crash story
//! Both servers are only read; their sessions end when this process does, at the latest when they look
//! whether somebody listens. On disk is the [`journal`], where there is a work directory: one line for
//! each table that was found equal, written down. One that goes on compares the others, under new snapshots.
//! In the store of a running migration is the wish that apply stands still, for as long as it is repeated.

mod board;
pub mod digest;
pub mod journal;
mod large_objects;
mod moment;
mod narrow;
pub mod outcome;
mod progress;
pub mod run;
mod sequences;
mod standstill;
mod unit;
mod workers;

pub use digest::Sample;
pub use outcome::{Compared, Found, KeyDifference, Kind, Outcome, SequenceDifference, Verdict};
pub use progress::{Progress, TableRead};
pub use run::{Config, Depth, Reading, compare};
