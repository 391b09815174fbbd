//! SCRAM-SHA-256, as values: RFC 5802 and 7677 as PostgreSQL uses them.
//!
//! - [`message`]: the four messages, hostile until parsed, and what they are put together from;
//! - [`secret`]: what a server stores of a password, and the keys that are in it;
//! - [`client`]: a login with the keys of a secret instead of the password.
//!
//! ```text
//! client → n,,n=,r=<nonce>                                first
//! server → r=<nonce of both>,s=<salt>,i=<iterations>
//! client → c=<binding>,r=<nonce of both>,p=<proof>        final
//! server → v=<signature>
//! ```
//! A proof is the client key, exclusive-or the signature that its hash makes over the first three
//! messages. A server that knows the hash can therefore take the key out of the proof, and open
//! another server with it that has the same secret: no password is needed.
//!
//! Follows `src/backend/libpq/auth-scram.c` and `src/common/scram-common.c` of PostgreSQL.

pub mod client;
pub mod message;
pub mod secret;

pub use client::KeyLogin;
pub use message::{ClientFinal, ClientFirst, Gs2Flag, SaslError, ServerFirst};
pub use secret::{ClientKey, ScramSecret, SecretError, saslprep};

/// The mechanism without channel binding.
pub const SCRAM_SHA_256: &str = "SCRAM-SHA-256";

/// The mechanism that is bound to the TLS connection.
pub const SCRAM_SHA_256_PLUS: &str = "SCRAM-SHA-256-PLUS";

/// The only kind of channel binding there is in PostgreSQL: a hash of the server's certificate.
pub const TLS_SERVER_END_POINT: &str = "tls-server-end-point";

/// Bytes of a key, a hash, a proof and a signature.
pub const KEY_BYTES: usize = 32;
