//! Traffic is moved to the other server, and back.
//!
//! - [`config`]: what it is told;
//! - [`mod@cut_over`]: attempts, one after the other, until one succeeds;
//! - [`attempt`]: one attempt, step by step, and how it is undone; `after`: what comes
//!   after the decision; [`outcome`]: what came of it;
//! - [`recover`]: what an attempt that was killed has left;
//! - [`preflight`]: everything that would make it fail, looked at while traffic flows;
//!   `carried`: what no stream carries; `shadow`: what mirrors must have shown;
//! - `by_mirror`: where a mirror of the proxies stands for the stream;
//! - [`leg`]: the stream in one direction, its work directory, how it is armed, begun and ended;
//! - [`fence`]: nobody but us and the paused proxies can write to a side;
//! - [`sequences`]: where they stand on the other side; [`large_objects`]: the other thing that no
//!   stream carries;
//! - [`proxies`]: what the processes of the proxy are told;
//! - [`steps`]: how long each step took;
//! - [`finalize`]: there is no way back any more; [`exchange`]: the proxy's configuration says so.
//!
//! `to` is where traffic is to go, `from` where it is: a rollback is the same with the sides exchanged.
//!
//! # Why nothing is lost and nobody writes on two sides
//! 1. The proxies hold every client between two transactions, and promise to let nobody go on before
//!    they know the decision ([`crate::proxy::authority`]).
//! 2. The fence keeps everybody else out of `from`, and it is proven: no foreign session is left there,
//!    and none that writes.
//! 3. Only then a marker is written on `from`; whatever anybody committed there is before it. When `to`
//!    has it, by apply's own account, `to` has everything. Where a mirror has fed `to`, it has answered by
//!    then all that clients have done, and the row counts of both sides are equal.
//! 4. The stream back begins at a position of `to` that is behind all that the stream there has written
//!    and before anything a client writes.
//! 5. One row on `to` decides. Before it, everything is undone; after it, everything goes on to its end.
//!
//! # Crash story
//! The store says how far an attempt was ([`crate::store::CutoverState`]); the row on `to` how it was
//! decided. The next start of any of these commands first ends what is not over:
//! 1. *Begun*: clients were never held. What was armed stays for the next attempt.
//! 2. *Holding, not decided*: decided for `aborted`, by the proxies when nobody speaks to them any more,
//!    or here; clients go on, the fence is lifted.
//! 3. *Holding or switched, decided for `switched`*: the proxies are told, and what comes after is done.
//! 4. *Done*: nothing.
//!
//! Asked to stop, by a signal, an attempt that is not decided is undone as one that fails; one that is
//! decided goes on to its end.

mod after;
pub mod attempt;
mod by_mirror;
mod carried;
pub mod config;
pub mod cut_over;
pub mod error;
pub mod exchange;
pub mod fence;
pub mod finalize;
pub mod large_objects;
pub mod leg;
pub mod outcome;
pub mod preflight;
pub mod proxies;
pub mod recover;
pub mod sequences;
mod shadow;
pub mod steps;

pub use config::{ByMirror, Config, Counts, FenceMode, Limits, OnTimeout};
pub use cut_over::cut_over;
pub use error::CutoverError;
pub use outcome::Outcome;
pub use steps::Step;
