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
//! # Large transactions
//! From Postgres 14 on, the source sends a transaction that outgrows its memory while it is in
//! progress, in blocks between others. Its pieces wait in a file ([`spill`]) and become lines of
//! the segments at its commit ([`streamed`]), or go when it is aborted. The order of lines is that
//! of commits, as for others.
//!
//! Such a transaction does not hold back the positions that are reported, though its pieces are in
//! no segment. The source keeps WAL from the oldest transaction in progress on, whatever was
//! reported, and after a reconnection sends everything that *commits* after the reported position,
//! whole. A boundary of ours is the end of a commit that is in the segments, or a keepalive's
//! position outside of one; what is only in a file commits later than either.
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
//! 5. *Killed while transactions are in progress*: their files are removed at the next start, and
//!    the source sends them again from their beginning.
//! 6. *Killed between the commit of such a transaction and the sync*: as 1 and 2; a boundary past
//!    its commit is written only after its `C`.

mod error;
mod feed;
mod keeper;
mod pgoutput;
mod pipe;
mod relations;
mod resume;
mod room;
mod session;
mod sink;
mod source;
mod spill;
mod streamed;
mod timeline;
mod writer;

pub use error::ReceiveError;
pub use pipe::Pipe;
pub use resume::last_boundary;
pub use session::{Config, Ended, receive};
