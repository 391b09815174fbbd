//! Changes since the snapshot: from the source's slot to the target, exactly once.
//!
//! Three processes that know nothing of each other's code. They meet in the model ([`change`]),
//! in the two line formats ([`json_line`], [`sql_line`]), in the segments and in the store.
//!
//! | process | reads | writes | truth it leaves behind |
//! |---|---|---|---|
//! | [`receive`] | the slot | JSON segments, then the pipe | synced segments |
//! | [`transform`] | JSON lines | SQL lines | none: its output is a function of its input |
//! | [`apply`] | SQL lines | the target | the target's replication origin |
//!
//! # Cut-off transactions
//! Segments are only ever appended to. When receive is killed inside a transaction, the lines of
//! that transaction stay, without an end; the next start receives the transaction again from its
//! beginning. So a `B` line while a transaction is open says: *what stood since the last `B` never
//! happened*. Transform writes that as `ROLLBACK;`, so a SQL segment run by hand does the same.
//!
//! # Statements
//! A relation line (`R`) makes transform forget which statements of that relation it has written
//! a `PREPARE` for. Receive writes one at a relation's first use in each segment and after each
//! start, so the SQL of a piece of JSON is the same wherever transform began to read.

pub mod apply;
pub mod change;
pub mod json_line;
mod json_row;
mod json_string;
pub mod positions;
pub mod prune;
pub mod receive;
pub mod sql_line;
pub mod timestamp;
pub mod transform;
