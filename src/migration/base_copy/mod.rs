//! The steps of the base copy, each once, in order.
//!
//! | step | done when |
//! |---|---|
//! | catalog | the store holds it, and the dump is on disk |
//! | roles | the store says so; those that are there are kept |
//! | pre-data | the target's mark, in the transaction that made it |
//! | large objects | every range of OIDs is in the target's ledger; beside the rows |
//! | rows | every part of every table is in the target's ledger, durably |
//! | indexes | each is there, by name; begun for each table when its rows are there |
//! | post-data | the target's mark |
//! | foreign keys | the target's mark |
//! | materialized views | each is populated |
//! | sequences | doing it again does no harm |
//!
//! The catalog is in `catalog`, definitions and foreign keys in `definitions`, rows and indexes in
//! `tables` (what is left of a table is decided in `left`), their order in `steps`.

mod catalog;
mod database;
mod definitions;
mod large_objects;
mod left;
mod materialized_views;
mod roles;
mod steps;
mod tables;

pub use database::set_database_properties;
pub use large_objects::compare_large_objects;
pub use materialized_views::refresh_again;
pub use roles::copy_roles;
pub use steps::{Choices, Config, run, set_sequences};
