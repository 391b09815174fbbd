//! SQL lines become committed rows on the target, exactly once.
//!
//! ```text
//! folder or pipe ([`input`]) ─[`block`]s▶ whole transactions, grouped ([`applier`])
//!                                             │ filtered by the ledger ([`filter`])
//!                                             │ for the table that has the rows ([`placement`])
//!                                             │ reduced to what they come to ([`net`], [`batch`])
//!                                             ▼
//!                  target, rows together ([`sets`]), pipelined ([`target`]) + position ([`tracking`])
//! ```
//! With `--apply-jobs` batches are written by several sessions at a time, and committed in order (`lanes`).
//!
//! # Once
//! A group of whole source transactions commits together with its position, in one target
//! transaction. At the start the target says how far it is, and whole transactions up to there are
//! skipped. A group counts as applied only when the server has answered its COMMIT.
//!
//! # Crash story
//! 1. *Killed before the COMMIT reached the target*: the target rolls back; the next start begins
//!    at the position before the group.
//! 2. *Killed after the target committed, before its answer arrived*: the position committed with
//!    the rows; the next start skips them.
//! 3. *Killed after the answer, before the store was told*: the store is behind the target. It is
//!    a report; the target's own word counts.

mod answers;
mod applier;
mod batch;
mod block;
mod emptying;
mod error;
mod execute_line;
mod expect;
mod filter;
mod input;
mod lanes;
mod moved;
mod net;
mod pace;
mod place;
mod placement;
mod plan;
mod print;
mod run;
mod sending;
mod sets;
mod steering;
mod target;
mod target_table;
mod tracking;
mod writer;

pub use error::ApplyError;
pub use filter::KnownEnd;
pub use input::Input;
pub use place::{Place, Segments};
pub use plan::OnConflict;
pub use print::{PrintError, SqlPrinter};
pub use run::{Config, Ended, Until, apply};
pub use target_table::{SourceColumn, TargetColumns};
pub use tracking::TrackingChoice;
