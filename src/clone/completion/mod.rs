//! What a table gets once its rows are there: indexes, the constraints they support, VACUUM and
//! ANALYZE; all while other tables are still being copied.
//!
//! - [`Completion`]: the workers, several sessions of the target;
//! - `board`: what there is to do next, decided without I/O;
//! - `build`: the statements;
//! - `memory`: how much of it an index build may use.
//!
//! # Crash story
//! 1. *Inside a CREATE INDEX*: the target rolls it back, or its server process, which a killed run
//!    left behind, still commits it. The next run takes what it finds there by name; where both
//!    build, the second fails by the name and looks again.
//! 2. *Between an index and its constraint*: the index is there without it, and the next run adds
//!    the constraint alone.
//! 3. *After the last*: commits here do not wait for the disk. The end of the step does, and then
//!    looks whether everything is there.

mod board;
mod build;
mod error;
mod memory;
mod pool;

pub use board::TableToComplete;
pub use build::existing;
pub use error::CompletionError;
pub use pool::{Completion, Config, Event, Events, Tidying};
