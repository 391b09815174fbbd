//! The steps of the base copy, each once, in order.
//!
//! | step | done when |
//! |---|---|
//! | catalog | the store holds it, and the dump is on disk |
//! | roles | the store says so; those that are there are kept |
//! | drop | the target's mark, once all is dropped |
//! | pre-data | the target's mark; before that, each entry of the dump by the ledger |
//! | rows | every part of every table is in the target's ledger, durably |
//! | extension rows | the target's mark, in the transaction that copies them |
//! | large objects | every range of OIDs is in the target's ledger; beside the rows |
//! | indexes | each is there, by name; begun for each table when its rows are there |
//! | post-data | the target's mark; before that, each entry by the ledger |
//! | foreign keys | the target's mark; before that, each is there and valid |
//! | materialized views | each is populated |
//! | last | the target's mark; before that, each entry by the ledger |
//! | sequences | doing it again does no harm |
//!
//! The catalog is in `catalog`; definitions in `definitions`, what is looked at first in
//! `before_pre_data`, what is dropped first in `dropping`, what the target refuses in `refused`; foreign keys in `foreign_keys`; rows
//! and indexes in `tables` (what is left of a table is decided in `left`, where it is read in
//! `readers`; what waits until a table of several moments is of one in `late_indexes`; what is copied
//! again in `moved_rows`); their order in `steps`.

mod before_pre_data;
mod catalog;
mod database;
mod definitions;
mod dropping;
mod extensions;
mod foreign_keys;
mod large_objects;
mod late_indexes;
mod left;
mod materialized_views;
mod moved_rows;
mod readers;
mod refused;
mod roles;
mod scope;
mod source;
mod steps;
mod tables;
mod told;
mod unlogged;

pub use database::set_database_properties;
pub use definitions::contents_of_dump;
pub use extensions::copy_extension_rows;
pub use large_objects::compare_large_objects;
pub use materialized_views::refresh_again;
pub use moved_rows::copy_wanted;
pub use readers::{check_standbys, no_unlogged_rows, release_all, release_at_the_end};
pub use refused::{Definition, left_out};
pub use roles::{copy_roles, dump_roles, restore_roles, roles_path};
pub use scope::{Action, Scope};
pub use source::{ForeignSnapshot, SourceSide};
pub use steps::{
    Choices, Config, Ends, PRE_DATA_STEP, dump_path, is_complete, lacks_definitions, run,
    set_sequences,
};
