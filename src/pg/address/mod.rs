//! Where and as whom to connect: libpq 17's connection strings, variables and files.
//!
//! A value comes from the first of: the string itself, the service file, the `PG*` variables, the
//! defaults; a password at last from the password file, for each host. The pieces:
//!
//! - [`keyword`]: every word libpq knows, and its variable;
//! - [`uri`] and [`conninfo`]: the two ways to write a string, as keyword and value;
//! - [`service`] and [`passfile`]: the two files;
//! - [`environment`]: the variables and the user, as a value;
//! - [`options`]: the words with a fixed choice of values;
//! - [`resolve`]: all of it together → [`Address`].
//!
//! Left out: GSSAPI (`gssencmode=require` is an error) and LDAP lookups of services.

pub mod conninfo;
pub mod environment;
pub mod error;
pub mod hosts;
pub mod keyword;
pub mod options;
pub mod passfile;
mod print;
pub mod resolve;
pub mod service;
pub mod uri;

pub use environment::Environment;
pub use error::AddressError;
pub use hosts::{Endpoint, Host};
pub use options::{
    AllowedMethods, ChannelBindingMode, SslMode, SslNegotiation, TargetSessionAttrs, TlsVersion,
};
pub use resolve::Address;

#[cfg(test)]
mod tests;
