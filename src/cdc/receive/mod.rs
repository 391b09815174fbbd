//! The slot becomes JSON segments. Knows replication; writes no SQL.
//!
//! ```text
//! socket ([`session`]) ──batches, bounded──▶ writer ([`writer`]) ──▶ segments ([`sink`])
//!    ▲ status every second                      │ positions             │
//!    └───────────────────────────────────────────┘                      ▼ read back
//!                                                      standard output ([`feed`], --to-stdout)
//! ```
//! The socket is never behind the disk: status updates go out while the writer is busy. The pipe
//! is never in front of the disk: it is fed by reading the segments back, so that a slow target
//! costs disk space and nothing else.
//!
//! # Order
//! Decode, append, sync, and only then report as flushed. A position is reported only at a
//! transaction boundary.
//!
//! # Crash story
//! 1. *Killed while appending*: the torn line is cut off at the next start; the transaction it
//!    belonged to has no `C` and comes again behind it, see [`crate::cdc`].
//! 2. *Killed after appending, before the sync*: the source has not been told; what survives is
//!    found by [`resume::last_boundary`], and the source sends what follows it.
//! 3. *Killed after the sync, before the report*: the source's slot is behind the disk. The start
//!    position comes from the disk, so nothing is received twice.
//! 4. *Killed between closing a segment and opening the next*: the next start opens the one after
//!    the last closed one, whatever position comes first.

mod error;
mod feed;
mod pgoutput;
mod pipe;
mod resume;
mod session;
mod sink;
mod source;
mod timeline;
mod writer;

pub use error::ReceiveError;
pub use pipe::Pipe;
pub use resume::last_boundary;
pub use session::{Config, Ended, receive};
