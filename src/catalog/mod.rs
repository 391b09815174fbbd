//! What the databases contain.
//!
//! - [`databases`]: those of an instance, and how one is made;
//! - [`default_privileges`]: how those are ended that the target has;
//! - [`discovery`]: the tables, indexes and sequences of a database, one query each;
//! - [`identity`]: what identifies the rows of tables, and what else could;
//! - [`extensions`]: those of the source, and their tables with rows of users;
//! - [`filters`]: what the operator leaves out, and what falls with it;
//! - [`column_types`]: the types of all columns, and in which form COPY may send their values;
//! - [`materialized_views`]: which are populated, and which read which;
//! - [`restore_list`]: what pg_restore is told to leave out, by catalog OID, never by name;
//! - [`needs`]: the roles and tablespaces that definitions name;
//! - [`columns`]: what tells whether a column is the one that it was;
//! - [`parts`]: which tables are read in parts, and where they are cut;
//! - [`partitions`]: what the source's are of, and where their rows are on the target;
//! - [`privileges`]: what the role may not read, or only in part;
//! - [`ledger`]: the schema `pgflit` that a migration keeps on the target while it runs;
//! - [`listing`]: what the `list` commands show;
//! - [`sizes`]: how large tables and indexes are, measured or estimated;
//! - [`server`]: what a server is and what the role may do on it.
//!
//! Copies nothing and changes nothing of the user's.

pub mod column_types;
pub mod columns;
pub mod databases;
pub mod default_privileges;
pub mod discovery;
pub mod extensions;
pub mod filters;
pub mod identity;
pub mod ledger;
pub mod listing;
pub mod materialized_views;
pub mod needs;
pub mod partitions;
pub mod parts;
pub mod privileges;
pub mod restore_list;
pub mod server;
pub mod sizes;
