//! What the operator leaves out: a file of filters, and what it means for one source.
//!
//! - `entry`: one line of the file, exact names and patterns;
//! - `parse`: the whole file, what contradicts itself, its text for the store;
//! - `matching`: which objects of the source the entries mean, asked of the source;
//! - `facts`: what else must be known of the source, one query each;
//! - `dependents`: what falls with what is left out, by `pg_depend`;
//! - `seeds`: what the filters say themselves;
//! - `checks`: what they must not say;
//! - `naming`: what to call what is left out;
//! - `selection`: the decision, which the rest of pgflit reads;
//! - `error`: what is wrong with a file, or with what it asks for.
//!
//! Names are never compared by pgflit's own rules: exact ones are equal or not, patterns are
//! PostgreSQL's `~`, evaluated by the source. Nothing is written there, so that a standby will do.

mod checks;
mod dependents;
mod entry;
mod error;
mod facts;
mod matching;
mod naming;
mod parse;
mod seeds;
mod selection;

pub use entry::{Entry, Section, Term};
pub use error::FilterError;
pub use parse::Filters;
pub use selection::{Selection, Strictness, resolve};
