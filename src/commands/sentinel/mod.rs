//! `pgflit sentinel …`: remote control of a running or future follow.
//!
//! Owns the words that go in and out; the row itself is the store's. Every command here is one
//! short transaction on the store, safe from any process at any time; only `set endpos --current`
//! talks to a server, and only to the source.

mod endpos;
mod print;
mod run;

pub(super) use run::run;
