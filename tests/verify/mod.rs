//! Whether source and target are equal, and what of it is told.

mod at_lsn;
mod data;
mod schema;
