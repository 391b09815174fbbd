//! One file a subcommand: build the parts, run them, report.
//!
//! [`run`] chooses the file. A command returns `Ok` with the exit code that its result stands
//! for, or a [`CommandError`] that knows its own; nothing here ends the process.

mod all_databases;
mod check;
mod children;
mod choices;
mod clone;
mod compare;
mod completions;
mod copy;
mod cutover;
pub mod demo;
mod dispatch;
mod dump;
mod error;
mod failure;
mod follow;
mod generate;
mod list;
mod names;
mod not_built;
mod ping;
mod place;
mod progress;
mod proxy;
mod report;
mod restore;
mod runtime;
mod sentinel;
mod snapshot;
mod status;
mod stream;
mod typed;
mod version;

pub use dispatch::run;
pub use error::CommandError;
