//! Everything that needs a real PostgreSQL or the whole program, in one binary that links once.
//!
//! `support` is the bench: throw-away clusters, the command line as a sentence, an independent
//! comparison. Beside it one file a scenario, by area.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test that cannot go on should say so loudly"
)]

mod support;

mod bench_itself;
mod cdc;
mod check;
mod cli;
mod clone;
mod cluster;
mod cutover;
mod demo;
mod guide;
mod list;
mod notify;
mod ping;
mod proxy;
mod report;
mod resume;
mod sentinel;
mod snapshot;
mod status;
mod tidy;
mod verify;
