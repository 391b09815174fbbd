//! What the databases contain.
//!
//! Owns the discovery queries on the source, the lists by which pg_restore is told what to leave
//! out, and the schema `pgflit` that a migration keeps on the target while it runs. Copies
//! nothing and changes nothing of the user's.

pub mod ledger;
