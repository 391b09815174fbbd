//! The base copy: schema, rows, indexes, constraints, sequences, as of one snapshot.
//!
//! - [`epoch`]: the snapshot that every source connection shares, and its keeper;
//! - [`standby`]: standbys of the source that rows are read from;
//! - [`schema`]: pg_dump and pg_restore, for definitions only;
//! - [`extensions`]: what users have put into their tables;
//! - [`roles`]: of the instance, by pg_dumpall;
//! - [`large_objects`]: with their OIDs, several at a time;
//! - [`materialized_views`]: refreshed, level after level;
//! - [`restore`]: definitions made on the target, in bounded transactions;
//! - [`foreign_keys`]: added, then validated, several tables at a time;
//! - [`method`]: how the rows of each table are moved;
//! - [`rows`]: COPY, biggest table first, several at a time;
//! - [`completion`]: indexes, their constraints and VACUUM, as soon as a table's rows are there;
//! - [`sequences`]: where each stands;
//! - [`database`]: properties of the database itself.
//!
//! Which step comes when, and what is skipped on a resume, is [`crate::migration`]'s.
//!
//! # Crash story
//! 1. *Inside a COPY*: the target rolls back; the table is not in the ledger and is copied again,
//!    under the same snapshot or a new epoch's.
//! 2. *After the COMMIT of a COPY*: the table is in the ledger, with its rows; never copied twice.
//! 3. *Inside a schema script*: a chunk of entries and their lines in the ledger are one
//!    transaction; the next run makes the entries that are not there.
//! 4. *Inside an index build*: the target rolls it back. What is there is found by name and kept.

pub mod completion;
pub mod database;
pub mod epoch;
pub mod extensions;
pub mod foreign_keys;
pub mod large_objects;
pub mod materialized_views;
pub mod method;
pub mod programs;
pub mod restore;
pub mod roles;
pub mod rows;
pub mod schema;
pub mod sequences;
pub mod standby;
