//! Where everything stands: `pgflit status`.
//!
//! Only looks. The store is opened to be read, no lock is taken but for the instant in which it is
//! seen whether somebody has it, and nothing is written anywhere; so it can be asked at any time, of
//! a migration that runs, was killed, or is done.
//!
//! What the work directory says is always there. The servers and the proxy are asked at the same
//! time, each within three seconds; one that does not answer is told as that.
//!
//! - [`model`]: what is told; `look`: finding it out;
//! - `stream`: one direction of changes; `server`: one server; `proxy`;
//! - `stalls`: what waits for whom; `log`: what the logs say.

mod log;
mod look;
pub mod model;
mod proxy;
mod server;
mod stalls;
mod stream;

pub use look::{Config, Looker};
pub use model::Status;
