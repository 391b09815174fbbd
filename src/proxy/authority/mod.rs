//! Which of the two servers traffic goes to, and who has the last word about it.
//!
//! - [`decision`]: an attempt to move traffic is decided by one row on the server that it would move
//!   to: `switched` or `aborted`, whichever commits first. It is never changed afterwards.
//! - [`put_back`]: the fence around the side that traffic was about to leave is lifted.
//! - [`schema`]: the tables of both, and whose they are;
//! - [`record`]: what this machine knows of it, in a file of the work directory that a proxy reads when
//!   it starts. While an attempt is undecided, the file says so and where to ask.
//!
//! # Why it cannot be two
//! A proxy that has promised to wait for an attempt lets nobody begin anything before it knows how the
//! attempt was decided: it is told, or it asks the server that decides. It may itself decide for
//! `aborted` when nobody speaks to it any more. If that server cannot be asked, it waits: guessing
//! would let two servers take writes.

pub mod decision;
pub mod put_back;
pub mod record;
pub mod schema;

pub use decision::{Decided, Decision, DecisionError};
pub use record::{Doubt, Exchange, Record};
