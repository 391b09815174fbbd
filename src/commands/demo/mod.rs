//! `pgflit demo`: a whole migration of a busy database and its traffic, on this machine, in about a
//! minute.
//!
//! Owns the story: two throw-away clusters, an application that writes through `pgflit proxy` from
//! beginning to end, `pgflit clone --follow`, `cutover`, `rollback`, `cutover` and `finalize` as
//! anyone would run them, what the application itself has noticed of it, and a comparison of every row
//! that shares no code with what is shown. Leaves the clusters to [`crate::worker::cluster`] and the
//! printing to whoever passes the writer.
//!
//! Everything but a folder that the user named, and the report, goes when the demo ends, however it ends, the streams
//! that a cutover leaves running included (`ways_back`).

mod command;
mod comparison;
mod error;
mod lag;
mod options;
mod pgflit;
mod psql;
mod running;
mod story;
mod summary;
mod timeline;
mod traffic;
mod ways_back;
mod workspace;

pub(super) use command::command;
pub use error::DemoError;
pub use options::{DemoOptions, Outcome};
pub use story::run;
