//! Listings of a source for people and scripts: more than a migration needs, one query each.
//!
//! Every row can be written as JSON as it is. Nothing here is kept in the store.

mod databases;
mod extensions;
mod relations;
mod whole;

pub use databases::{Collation, Database, collations, databases};
pub use extensions::{AvailableVersion, ConfigTable, Extension, available_versions, extensions};
pub use relations::{Index, Sequence, Table, indexes, sequences, tables};
pub use whole::{Catalog, whole};
