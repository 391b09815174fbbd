//! The steps of the base copy, each once, in order.
//!
//! | step | done when |
//! |---|---|
//! | catalog | the store holds it, and the dump is on disk |
//! | drop | the target's mark, once all is dropped |
//! | pre-data | the target's mark; before that, each entry of the dump by the ledger |
//! | rows | every table is in the target's ledger |
//! | indexes | each is there, by name |
//! | post-data | the target's mark; before that, each entry by the ledger |
//! | foreign keys | the target's mark; before that, each is there and valid |
//! | last | the target's mark; before that, each entry by the ledger |
//! | vacuum, sequences | the store says so; doing them again does no harm |
//!
//! The catalog is in `catalog`; definitions in `definitions`, what is looked at and dropped first
//! in `before_pre_data`, what the target refuses in `refused`; foreign keys in `foreign_keys`; rows
//! in `table_rows`; their order in `steps`.

mod before_pre_data;
mod catalog;
mod definitions;
mod foreign_keys;
mod refused;
mod steps;
mod table_rows;

pub use refused::{Definition, left_out};
pub use steps::{Choices, Config, run, set_sequences};
