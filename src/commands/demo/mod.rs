//! `pgflit demo`: a whole migration of a busy database, on this machine, in about a minute.
//!
//! Owns the story: two throw-away clusters, traffic on the source from beginning to end,
//! `pgflit clone --follow` as anyone would run it, the end by `pgflit sentinel`, and a comparison
//! of every row that shares no code with what is shown. Leaves the clusters to
//! [`crate::worker::cluster`] and the printing to whoever passes the writer.
//!
//! Everything but a folder that the user named goes when the demo ends, however it ends.

mod command;
mod comparison;
mod error;
mod lag;
mod migration;
mod psql;
mod story;
mod summary;
mod traffic;
mod workspace;

pub(super) use command::run as command;
pub use error::DemoError;
pub use story::{DemoOptions, Outcome, run};
