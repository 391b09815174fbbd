//! Whether source and target are equal: their rows ([`data`]), their definitions ([`schema`]).
//!
//! Owns the questions and the verdict; what of it people see is left to [`crate::report`], and when a
//! migration asks, to [`crate::migration`]. Nothing is changed on either server.
//!
//! Invariant: what could not be compared, for whatever reason, is never told as equal.

pub mod data;
pub mod error;
pub mod schema;

pub use error::CompareError;
