//! Definitions: every kind of object, on both sides, as lines that are compared.
//!
//! - [`kinds`]: for each kind of object the query that writes its lines, and what of them versions know;
//! - `read`: the objects of one database, by what PostgreSQL itself calls them (`pg_identify_object`);
//! - [`diff`]: which lines only one side has;
//! - [`run`]: all of it.
//!
//! A line is a clause of the object's definition: an owner, a privilege, a column, a comment. Where two
//! versions of PostgreSQL write the same thing in different words, or one of them does not know it, it is
//! no difference: see [`kinds::Versions`] and [`diff`].
//!
//! Nothing is written anywhere, on disk neither.

pub mod diff;
pub mod kinds;
mod read;
pub mod run;

pub use diff::{Difference, Side};
pub use run::{Config, Outcome, compare};
