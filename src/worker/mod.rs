//! Processes that pgflit starts and is answerable for.
//!
//! Owns how they are started, watched and ended. The invariant of everything here: no process
//! outlives the one that started it, however that one ended.

pub mod child;
pub mod cluster;
pub mod death_watch;
