//! The steps of the base copy, each once, in order.
//!
//! | step | done when |
//! |---|---|
//! | catalog | the store holds it, and the dump is on disk |
//! | pre-data | the target's mark, in the transaction that made it |
//! | rows | every part of every table is in the target's ledger, durably |
//! | indexes | each is there, by name; begun for each table when its rows are there |
//! | post-data | the target's mark |
//! | foreign keys | the target's mark |
//! | sequences | doing it again does no harm |
//!
//! The catalog is in `catalog`, definitions and foreign keys in `definitions`, rows and indexes in
//! `tables` (what is left of a table is decided in `left`), their order in `steps`.

mod catalog;
mod definitions;
mod left;
mod steps;
mod tables;
mod told;

pub use steps::{Choices, Config, run, set_sequences};
