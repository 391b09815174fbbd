//! One whole migration: which step comes when, what a resume skips, who is asked to stop.
//!
//! The only module that knows all the parts.
//!
//! - [`preflight`]: everything that would make it fail, looked at before anything is changed;
//! - [`check`]: the same and more, told line by line with what to do about it;
//! - [`begin`]: the work directory: new, resumed, started over, or refused;
//! - [`capture`]: slot and publications on the source; [`setup`]: making and removing them;
//!   `leftovers`: sessions that are in the way of that;
//! - [`identities`]: what identifies the rows of tables, offered, given, and put back at the end;
//! - [`base_copy`]: the steps of the copy, each once; `patience`: what is tried again;
//! - [`stage`]: when to prefetch, catch up, replay live; decided without I/O;
//! - [`supervisor`]: carries that out with three child processes; [`watch`]: tells of new
//!   tables, of the slot and of the disk;
//! - `sampler`: how far it is, written down every few seconds for those who look back;
//! - [`report`]: what a report is made of, from disk alone;
//! - [`steps`]: the base copy step by step; [`snapshot`]: one moment for several commands;
//! - [`all_databases`]: one migration after the other;
//! - [`follow`]: change capture without the copy;
//! - [`status`]: where all of it stands, for who only looks;
//! - [`cutover`]: traffic is moved to the target, and back;
//! - [`clone`]: all of it in order; [`finish`]: what comes at endpos; `columns`,
//!   `partitions`, `rewritten`: whether DDL on the source has left the target behind.
//!
//! # Crash story of `clone --follow`
//! 0. *An error or a signal before the slot is made*: what was made is taken back, see
//!    `footprint`; the next start is a first start. The rest is about ends that leave no time.
//! 1. *Before the store has a run*: nothing is on either server; the next start is a first start.
//! 2. *The run is written, the slot's position is not*: a slot or publication of that name may be
//!    there. Preflight had found none, so they are ours: dropped, and made again. Replica identities
//!    may be changed: the store names them (`identities`).
//! 3. *The slot is known; inside the schema's restore*: definitions are made some at a time, each
//!    time in one transaction of the target together with their lines in the ledger.
//! 4. *Rows*: the ledger on the target says which tables are there and under which snapshot; what
//!    is missing is copied under a new epoch. Apply skips what each copy already contains. What passes
//!    by itself is waited out without a crash in between, in the same way (`patience`). Standbys that
//!    rows were read from may be paused: the store names them, and the next start of the copy,
//!    `--restart` and cleanup resume them (`base_copy::readers`).
//! 5. *Indexes, foreign keys*: what is there is kept. With several epochs, foreign keys wait until
//!    apply has passed the convergence of all tables.
//! 6. *Streaming*: see [`crate::cdc`].
//! 7. *After endpos, before the run is marked finished*: the last steps are done again; they only
//!    set values.
//! 8. *Marked finished*: replica identities that were changed are put back; the next start does what
//!    is left of that.

pub mod all_databases;
pub mod base_copy;
pub mod begin;
pub mod capture;
pub mod check;
mod children;
pub mod clone;
mod columns;
pub mod cutover;
pub mod error;
pub mod finish;
pub mod follow;
mod footprint;
mod foreign_rows;
pub mod identities;
mod leftovers;
mod lock_room;
mod log_line;
mod partitions;
mod patience;
pub mod preflight;
pub mod progress;
pub mod report;
mod rewritten;
mod sampler;
pub mod setup;
pub mod snapshot;
pub mod stage;
pub mod status;
pub mod steps;
pub mod summary;
pub mod supervisor;
mod take_over;
pub mod watch;

pub use error::MigrationError;
