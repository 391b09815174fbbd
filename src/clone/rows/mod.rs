//! Rows: one COPY a table or part of one, biggest table first, several at a time.
//!
//! - [`Task`]: what one COPY moves, and the statements for it;
//! - [`Reader`]: where it is read, the source or a standby, and under which snapshot;
//! - [`copy_all`]: the workers, each with a connection to either server;
//! - [`RowsError`]: what can be the matter with one of them.
//!
//! Which tables are cut into parts is [`crate::catalog::parts`]', which format and method a table is
//! copied with [`crate::clone::method`]'s.
//!
//! # Exactly once
//! A part and its line in the ledger commit together. The ledger's key refuses a second line, so
//! that a server process which a killed run has left behind and the next run cannot both commit
//! the same part, whichever is first.

mod error;
mod load;
mod pool;
mod reader;
mod task;
mod worker;

pub use error::RowsError;
pub use pool::{Config, Event, Outcome, copy_all};
pub use reader::{Place, Reader};
pub use task::Task;
