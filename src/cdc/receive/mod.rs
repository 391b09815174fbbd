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
//! # Plugins
//! One decoder for each output plugin (`plugin`). pgoutput describes tables itself. The others
//! (`test_decoding`, `wal2json`) say names and values (`said`); what is missing comes from the
//! source's catalog (`source_tables`), and `named` takes a row only if both agree. What neither
//! shows, that a name stood for another table for a while, is looked for in the catalog (`names`).
//!
//! # Order
//! Decode, append, sync, and only then report as flushed. A position is reported only at a
//! transaction boundary.
//!
//! # Large transactions
//! From Postgres 14 on, the source sends a transaction that outgrows its memory while it is in
//! progress, in blocks between others. Its pieces wait in a file (`spill`) and become lines of
//! the segments at its commit (`streamed`), or go when it is aborted. The order of lines is that
//! of commits, as for others.
//!
//! Such a transaction does not hold back the positions that are reported, though its pieces are in
//! no segment. The source keeps WAL from the oldest transaction in progress on, whatever was
//! reported, and after a reconnection sends everything that *commits* after the reported position,
//! whole. A boundary of ours is the end of a commit that is in the segments, or a keepalive's
//! position outside of one; what is only in a file commits later than either.
//!
//! A source that fails at it is asked for committed transactions only (`streaming`).
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
//! 5. *Killed while transactions are in progress*: their files stay. Positions may have been
//!    reported that are past where those transactions began, never past where one commits. The next
//!    start removes the files and begins at the last boundary, and the source sends each of them
//!    again: what it has WAL for from the oldest on. It may send one whole that it streamed before.
//! 6. *Killed or stopped while such a transaction is written to the segments*: its `B` and some
//!    rows stay, perhaps over several segments, without a `C`; as 1. Its commit was never reported.
//! 7. *Killed between its `C` and the sync, or the sync and the report*: as 2 and 3. Its file may
//!    still be there; nobody reads it.
//! 8. *Killed after a relation was described inside one*: nothing of it was learned, except by the
//!    lines that stand in the segments after its `B`; the source describes every relation anew to
//!    a new connection.

mod error;
mod feed;
mod identities;
mod keeper;
mod modifier;
mod named;
mod names;
mod pace;
mod pgoutput;
mod pipe;
mod plugin;
mod relations;
mod resume;
mod room;
mod said;
mod session;
mod sink;
mod source;
mod source_catalog;
mod source_tables;
mod spill;
mod streamed;
mod streaming;
mod test_decoding;
mod timeline;
mod wal2json;
mod writer;

pub use error::ReceiveError;
pub use pipe::Pipe;
pub use plugin::{Plugin, check_unsaid};
pub use resume::last_boundary;
pub use said::NotUnderstood;
pub use session::{Config, Ended, receive};
