//! PostgreSQL's protocol 3 as values, without I/O.
//!
//! - [`frame`]: where a message begins and ends in a buffer;
//! - [`startup`]: what a client sends first;
//! - [`scram`]: the messages and keys of SCRAM-SHA-256;
//! - [`replication`]: the messages inside COPY BOTH.
//!
//! The codecs of single messages are postgres-protocol's. Everything here reads what came from a
//! network: hostile input gives a [`WireError`], never a panic or an allocation of its choosing.

pub mod error;
pub mod frame;
pub mod replication;
pub mod scram;
pub mod startup;

pub use error::WireError;
