//! Everything that a person or a script reads.
//!
//! Stdout carries data only ([`stdout`], [`listing`]); the log ([`logging`]) and errors ([`errors`]) go to
//! stderr, and to a file in the work directory ([`log_file`]). Nothing here decides anything.

pub mod errors;
pub mod listing;
pub mod log_file;
mod log_line;
pub mod logging;
pub mod stdout;
