//! A session moves from one server to another.
//!
//! Owns the question what a session holds at the server that it leaves ([`inventory::take`]), its
//! making again at the one that it comes to ([`replay::give`]), and what of it no server can be
//! asked for and is heard in passing instead ([`custom_names`]). The clients hear of changed
//! [`parameters`] only.
//!
//! Leaves to others: when a session moves, which servers these are and the login at the new one,
//! which is made with the client's own startup packet; what becomes of a session that cannot move.
//!
//! # What is moved
//! Settings made by SET, custom settings (`app.x`) whose names were heard, session authorization
//! and role, prepared statements, the [`unnamed`] one among them, LISTEN, session-level advisory locks.
//!
//! # What is not
//! - Held cursors and what is in the temporary schema: told as [`Obstacle`]s.
//! - `currval`, `lastval`, the seed of `random()`, loaded libraries, custom settings that only a
//!   function on the server sets: no server tells of them.
//! - How often an advisory lock is held: on the new server it is held once.
//!
//! # Invariants
//! - The old session is left as it was, whether the question is answered or not. Its unnamed
//!   statement is not touched.
//! - Neither question nor answer depends on the session's own settings: every name of a catalog, a
//!   function and an operator is qualified, and short timeouts are off for the time.
//! - Texts are bytes in the client's encoding, which both servers are told to speak, and travel as
//!   parameters; only names that must be in a statement's text are quoted into it.
//! - What goes to a log names a kind and a name, never a value or the text of a query.

pub mod custom_names;
pub mod error;
pub mod inventory;
mod names;
pub mod parameters;
mod pipeline;
mod prepare;
mod question;
pub mod replay;
mod told;
pub mod unnamed;
mod words;

pub use custom_names::CustomNames;
pub use error::{MoveError, Part};
pub use inventory::{Inventory, Obstacle, Taken, take};
pub use parameters::{Parameters, changed_parameters};
pub use question::MARK;
pub use replay::{Given, discard, give};
pub use unnamed::Unnamed;
