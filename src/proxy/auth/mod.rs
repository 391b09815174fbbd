//! Who a client is, and what opens the server for it.
//!
//! - [`policy`]: the users and rules of one configuration, as logins look at them;
//! - [`exchange`]: a client's login, a message in and a message out;
//! - [`scram`]: the part of it that is SCRAM;
//! - [`server_login`]: the proxy's own login at the server, with what the client has shown;
//! - [`failures`]: who has failed too often.
//!
//! Nothing here does I/O or waits. No password, proof or key is in a log, in an error or in what
//! `Debug` prints, and their memory is overwritten when they are dropped.

pub mod exchange;
pub mod failures;
pub mod policy;
pub mod scram;
pub mod server_login;

pub use exchange::{Claim, Credential, Exchange, Step};
pub use failures::Failures;
pub use policy::{Policy, SaltKey};
pub use server_login::{Answer, ServerLogin, ServerLoginError};
