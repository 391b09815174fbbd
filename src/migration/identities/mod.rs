//! Replica identities of the source that it lacks, and may be given until the end.
//!
//! Of a table without one, inserts alone can be captured. What could identify its rows is offered:
//! the primary key, else the narrowest unique index over columns that are not null, else all columns.
//! With `--yes` it is given that before the slot is made, and gets back what it had at the end: at
//! endpos, by `stream cleanup`, by `--restart`, or when the beginning is taken back. The stream back that
//! a cutover arms gives it without being asked, to the tables whose updates were carried there.
//!
//! - `give`: offering and giving; `put_back`: the end;
//! - `locks`: `ALTER TABLE` needs the table for itself, so it waits little at a time, and lets those
//!   who queue behind it go on in between.
//!
//! # Order
//! An UPDATE that was made under no identity does not say which row it was, and one of a table without
//! identity that is published fails on the source. So: identities, then publications, then the slot,
//! which begins when every transaction that was running has ended. At the end the run is marked as
//! finished first, so that nobody goes on from the slot; then each table leaves the publication and
//! gets its identity back in one transaction.
//!
//! # Crash story
//! 1. *Before a change is noted*: nothing has changed; the transaction that has the table locked ends
//!    with its session.
//! 2. *Noted in the store, and committed on the source or not*: whoever puts back locks the table, so
//!    that a server process that is left behind has ended, and only then looks. What it finds is what
//!    was noted as made: it is put back. What was before: nothing was done. Anything else is
//!    somebody's: it is left, and told.
//! 3. *Put back, and not yet forgotten*: the same look finds what was before.
//! 4. *Between the end of the run and the last that is put back*: the next start in the work directory
//!    puts back the others, and so does cleanup.

mod error;
mod give;
mod locks;
mod put_back;

use std::collections::HashSet;

use crate::base::QualifiedName;

pub use error::IdentityError;
pub(super) use give::{give, leave_to_publication, tell, tell_too_late};
pub(super) use put_back::{At, put_back, put_back_left};

/// What to do about tables without a replica identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WithoutIdentity {
    /// Say what they could have.
    Tell,
    /// Give them that until the end.
    Give,
    /// Where changes are to go back after traffic has moved: give it to those whose updates the stream
    /// there carries, and say what the others could have.
    GiveOnWayBack(HashSet<QualifiedName>),
}

impl WithoutIdentity {
    /// Whether `table` is given one.
    fn gives(&self, table: &QualifiedName) -> bool {
        match self {
            WithoutIdentity::Tell => false,
            WithoutIdentity::Give => true,
            WithoutIdentity::GiveOnWayBack(carried) => carried.contains(table),
        }
    }
}
