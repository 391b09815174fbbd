//! Being a PostgreSQL client.
//!
//! Owns everything between a connection string and a server's answer:
//!
//! - [`Address`]: where and as whom to connect, from libpq's strings, variables and files;
//! - [`connect`]: sockets and TLS, with libpq's `sslmode` rules;
//! - [`Session`]: catalog queries and DDL, over tokio-postgres;
//! - [`Connection`]: replication, raw COPY and pipelines, which tokio-postgres cannot do;
//! - [`retry`]: trying again while an error is transient.
//!
//! What messages look like is left to [`crate::wire`]; what to ask of a server, to the callers.
//!
//! Invariants: no password is ever printed; every connection runs with the settings of
//! [`pinned_settings`], so that values read the same whatever the role's or database's defaults;
//! an error of the server keeps its SQLSTATE. Nothing here writes to disk.

pub mod address;
mod auth_watch;
pub mod connect;
pub mod connection;
mod copy;
pub mod error;
mod hint;
mod link;
mod login;
mod pinned;
mod pump;
mod replication;
mod replies;
pub mod retry;
pub mod server_error;
pub mod session;
pub mod split;
pub mod version;

pub use address::{Address, AddressError};
pub use connection::{Connection, Mode};
pub use error::Error;
pub use pinned::{PinnedSetting, pinned_settings};
pub use pump::{PumpError, Pumped, pump};
pub use replication::{CopyMessage, CopyMessages};
pub use replies::ResultSet;
pub use retry::with_retry;
pub use server_error::{ServerError, server_error};
pub use session::Session;
pub use split::{FrameReader, FrameWriter};
pub use version::ServerVersion;
