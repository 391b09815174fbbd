//! Proxies on several machines share one migration through its two servers, and nothing else.
//!
//! Each process that is told `shared = true` has a session of pgflit's role on both servers, and is a
//! *member*: a row in `pgflit.proxy` there ([`tables`]). Whoever moves traffic asks members by rows, as it
//! asks the processes on its own machine by their sockets: the same requests, the same replies.
//! NOTIFY wakes them; they look by themselves, too, because anybody may send one and some are lost. What
//! a notification says is not read, for the same reason.
//!
//! - [`knowledge`]: what a server says about where traffic goes, and what follows from both;
//! - [`tables`]: the rows;
//! - [`member`]: this process's sessions, and its lease.
//!
//! # The lease
//! A member that has not heard for its lease from the server that it serves lets nobody begin
//! anything: traffic may have been moved meanwhile, without it. It goes on once it hears again, where the
//! servers say. It begins like that, too. That server only counts: while the other one is away, a
//! migration does not move, and its clients must not notice.
//!
//! # Why it cannot be two
//! The fence: whoever was not told, or was left out because it did not answer, finds the old side closed,
//! and its sessions there ended. The lease makes of that a pause instead of errors. One server alone is
//! believed only if no fence says that an attempt to leave it is later than the last one to come to it;
//! [`crate::migration::cutover::finalize`] leaves such a note when it lifts the fence.
//!
//! # Crash story
//! The tables are unlogged: they are of processes that are there. A row whose session is gone is nobody's.
//! A member that dies in an attempt is missed by whoever moves traffic; one that promised to wait
//! finds the decision itself ([`crate::proxy::switch`]).

pub mod knowledge;
pub mod member;
pub mod tables;

pub use member::Membership;
