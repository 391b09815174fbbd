//! Everything that a person or a script reads.
//!
//! Stdout carries data only ([`stdout`]); the log ([`logging`]) and errors ([`errors`]) go to
//! stderr. Nothing here decides anything.

pub mod errors;
mod log_line;
pub mod logging;
pub mod stdout;
