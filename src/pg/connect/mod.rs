//! From an [`Address`](super::Address) to a logged-in connection: which server, which socket,
//! which encryption.
//!
//! - [`tcp`] and the Unix socket in [`stream`]: bytes to a server;
//! - [`tls`]: the handshake, and [`certificate_name`], whether the certificate is that server's;
//! - [`encryption`]: libpq's `sslmode` as a list of things to try;
//! - [`walk`]: hosts and addresses in order until one fits.
//!
//! What is said after the sockets are open is left to a [`walk::Login`].

pub mod certificate_name;
pub mod encryption;
pub mod stream;
pub mod tcp;
pub mod tls;
pub mod walk;

pub use stream::Stream;
pub use tls::KeptTls;
pub use walk::{Login, ServerRole, open};
