//! Everything that a person or a script reads.
//!
//! Stdout carries data only ([`stdout`], [`listing`], [`summary`], [`comparison`], [`definitions`],
//! [`status`]); the log ([`logging`]),
//! [`progress`] and [`errors`] go to stderr ([`terminal`]), and to a file in the work directory
//! ([`log_file`]). The HTML report is [`page`]; what is news goes to whoever is to be told ([`notify`]).
//! Nothing here decides anything.

pub mod check;
pub mod comparison;
pub mod definitions;
pub mod errors;
pub mod listing;
pub mod log_file;
mod log_line;
pub mod logging;
pub mod notify;
pub mod page;
pub mod progress;
pub mod status;
pub mod stdout;
pub mod summary;
pub mod terminal;
