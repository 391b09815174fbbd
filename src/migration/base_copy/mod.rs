//! The steps of the base copy, each once, in order.
//!
//! | step | done when |
//! |---|---|
//! | catalog | the store holds it, and the dump is on disk |
//! | drop | the target's mark, once all is dropped |
//! | pre-data | the target's mark; before that, each entry of the dump by the ledger |
//! | rows | every part of every table is in the target's ledger, durably |
//! | indexes | each is there, by name; begun for each table when its rows are there |
//! | post-data | the target's mark; before that, each entry by the ledger |
//! | foreign keys | the target's mark; before that, each is there and valid |
//! | last | the target's mark; before that, each entry by the ledger |
//! | sequences | doing it again does no harm |
//!
//! The catalog is in `catalog`; definitions in `definitions`, what is looked at and dropped first
//! in `before_pre_data`, what the target refuses in `refused`; foreign keys in `foreign_keys`; rows
//! and indexes in `tables` (what is left of a table is decided in `left`); their order in `steps`.

mod before_pre_data;
mod catalog;
mod definitions;
mod foreign_keys;
mod left;
mod refused;
mod steps;
mod tables;

pub use refused::{Definition, left_out};
pub use steps::{Choices, Config, run, set_sequences};
