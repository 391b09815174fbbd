//! The steps of the base copy, each once, in order.
//!
//! | step | done when |
//! |---|---|
//! | catalog | the store holds it, and the dump is on disk |
//! | roles | the store says so; those that are there are kept |
//! | pre-data | the target's mark, in the transaction that made it |
//! | rows | every table is in the target's ledger |
//! | large objects | every range of OIDs is in the target's ledger; beside the rows |
//! | indexes | each is there, by name |
//! | post-data | the target's mark |
//! | foreign keys | the target's mark |
//! | materialized views | each is populated |
//! | vacuum, sequences | the store says so; doing them again does no harm |
//!
//! The catalog is in `catalog`, definitions and foreign keys in `definitions`, rows in
//! `table_rows`, their order in `steps`.

mod catalog;
mod definitions;
mod large_objects;
mod materialized_views;
mod roles;
mod steps;
mod table_rows;

pub use large_objects::compare_large_objects;
pub use materialized_views::refresh_again;
pub use roles::copy_roles;
pub use steps::{Choices, Config, run, set_sequences};
