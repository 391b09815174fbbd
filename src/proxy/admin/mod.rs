//! The admin console: what an administrator asks a running proxy in SQL's manner.
//!
//! A client such as psql connects to the database `pgflit` and says `SHOW CLIENTS`. Commands and
//! columns are those of PgBouncer where it has them, so that its exporters and dashboards work here.
//!
//! - [`command`]: what a text asks for;
//! - [`show`]: the tables that `SHOW` answers with;
//! - [`perform`]: what changes something; [`tasks`]: what of it goes on in the background;
//! - [`answer`]: the messages of an answer;
//! - [`login`]: who may come in, and what for;
//! - [`console`]: one conversation, by the simple or the extended protocol;
//! - [`listener`]: the console's own door.
//!
//! # Invariants
//! - No password, key or text of a statement is shown: none is kept anywhere that is read here.
//! - A table is made row by row as it is sent: what one takes in memory is the list of clients and
//!   [`console::FLUSH_BYTES`]. Sessions are not kept waiting for longer than that list takes to copy.
//! - Everything a stranger may use up has a bound: conversations, the length of a message, names of
//!   statements, the time of a login and of taking an answer.

pub mod answer;
pub mod command;
pub mod console;
pub mod listener;
pub mod login;
pub mod perform;
pub mod show;
pub mod tasks;
