//! Words everyone uses: positions in the WAL, names, sizes, secrets, stopping, waiting.
//!
//! Owns plain values without knowledge of PostgreSQL connections, files or the command line.
//! Nothing here talks to a server; [`durable_file`] is the only part that touches a disk.

pub mod backoff;
pub mod cause;
pub mod durable_file;
pub mod failpoint;
#[cfg(test)]
pub mod hostile;
pub mod ident;
pub mod key_range;
pub mod lsn;
pub mod milestone;
pub mod quantity;
pub mod remedy;
pub mod secret;
pub mod shadow_demands;
pub mod shutdown;
pub mod side;
pub mod snapshot;
pub mod visibility;

pub use ident::QualifiedName;
pub use key_range::KeyRange;
pub use lsn::Lsn;
pub use remedy::Remedy;
pub use secret::Secret;
pub use shutdown::Shutdown;
pub use side::Side;
pub use visibility::Visibility;
