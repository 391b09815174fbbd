//! Standbys of the source as readers: rows are read there while replay is paused.
//!
//! # Why it is exact
//! 1. Replay is paused, and the standby itself says so: it then stands between two records, and
//!    everything up to L, `pg_last_wal_replay_lsn()`, is replayed, nothing after.
//! 2. A snapshot that is taken then sees exactly the transactions whose commit record is before L;
//!    [`crate::base::visibility`] has the argument, and says which side L itself is on.
//! 3. That it was taken then: the standby says before and after it that it is paused, and both
//!    times the same L. Were replay resumed and paused again in between, a record would have been
//!    replayed and L be another; if none was, nothing has changed.
//! 4. L is at or past the slot's consistent point: what the slot does not stream, because it
//!    committed before that point, is replayed. And past the moment of the catalog, so the tables
//!    that it names are there.
//! 5. From then on the snapshot is held, exported, and counts by itself. What happens to replay
//!    later cannot change what it sees: neither somebody's resuming it, nor a promotion. Pausing
//!    goes on all the same, because replay would have to remove rows that the snapshot still sees,
//!    and end it (unless `hot_standby_feedback` is on).
//!
//! The standby must have the source's history: the same system identifier and timeline, which two
//! servers that were promoted from one backup have too, and the outcome of some transactions that
//! end on the source by chance, half of them with COMMIT, half with ROLLBACK ([`Mark`]). A primary
//! flushes WAL before it sends it, so nothing that is read on a standby can be lost to a crash of
//! the source.
//!
//! # Locks
//! A transaction of the source that holds an ACCESS EXCLUSIVE lock where replay happens to pause
//! holds it on the standby for as long as the pause lasts, and reading would wait for ever. Then
//! replay is resumed and paused again a moment later.
//!
//! # Crash story
//! A server does not end the pause when the session that asked for it ends. Whoever calls
//! [`Standby::pause`] notes it durably before, and forgets it after [`Standby::resume`], so that
//! the next start knows whom to resume. A standby that is restarted resumes by itself, and its
//! snapshots are gone.

mod error;
mod history;
mod server;
mod waiting;

pub use error::StandbyError;
pub use history::{Mark, Origin, source_waits_for_replay};
pub use server::{Shown, Standby, Wanted, still_paused_sql};
