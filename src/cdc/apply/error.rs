//! How apply fails.

use std::io;
use std::path::PathBuf;

use crate::base::{Lsn, QualifiedName, Remedy};
use crate::cdc::sql_line;
use crate::pg;
use crate::segment::{self, Kind};
use crate::store;

use super::filter::KnownEnd;
use super::place::Place;

/// Apply failed. The target holds exactly what it held after the last confirmed group.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The target.
    #[error(transparent)]
    Target(#[from] pg::Error),
    /// One statement of a transaction was refused.
    #[error("{command} on {table} ({key}) of transaction {xid} at {lsn} was refused ({place})")]
    Refused {
        /// INSERT, UPDATE, DELETE or TRUNCATE.
        command: &'static str,
        /// Of which table.
        table: Box<QualifiedName>,
        /// Columns and values that identify the row.
        key: String,
        /// The source's transaction.
        xid: u32,
        /// Where it begins.
        lsn: Lsn,
        /// Which line of what.
        place: Place,
        /// The target's answer.
        #[source]
        source: Box<pg::Error>,
    },
    /// One statement did not touch exactly one row.
    #[error(
        "{command} on {table} ({key}) of transaction {xid} at {lsn} touched {rows} rows instead of one ({place})"
    )]
    RowCount {
        /// UPDATE or DELETE.
        command: &'static str,
        /// Of which table.
        table: Box<QualifiedName>,
        /// Columns and values that identify the row.
        key: String,
        /// The source's transaction.
        xid: u32,
        /// Where it begins.
        lsn: Lsn,
        /// How many it touched.
        rows: u64,
        /// Which line of what.
        place: Place,
    },
    /// Rows that were written together were not all found, or were there before. Each is tried by
    /// itself then.
    #[error("{rows} rows of {table} were touched instead of {expected}")]
    RowsTogether {
        /// Of which table.
        table: Box<QualifiedName>,
        /// How many were touched.
        rows: u64,
        /// How many should be.
        expected: u64,
    },
    /// The target's table does not take what the source's gives.
    #[error("{table} on the target does not fit transaction {xid} at {lsn}: {problem} ({place})")]
    Misfit {
        /// Which table.
        table: Box<QualifiedName>,
        /// What is different.
        problem: String,
        /// The source's transaction.
        xid: u32,
        /// Where it begins.
        lsn: Lsn,
        /// Which line of what.
        place: Place,
    },
    /// A partition was emptied whose rows are among others on the target.
    #[error(
        "TRUNCATE of partition {table} of transaction {xid} at {lsn} cannot be done: on the target its rows are in {here}, with those of others, and which they are {why} ({place})"
    )]
    EmptiedPartition {
        /// Which partition.
        table: Box<QualifiedName>,
        /// Where its rows are.
        here: Box<QualifiedName>,
        /// Why it cannot.
        why: Untold,
        /// The source's transaction.
        xid: u32,
        /// Where it begins.
        lsn: Lsn,
        /// Which line of what.
        place: Place,
    },
    /// Parts of the table were copied under several snapshots, and a change does not say which of
    /// them it concerns.
    #[error(
        "{table} was copied at several moments, by ranges of \"{column}\", and a change of transaction {xid} at {lsn} does not say in which it is ({place})"
    )]
    Unplaced {
        /// Which table.
        table: Box<QualifiedName>,
        /// By which column it was copied.
        column: String,
        /// The source's transaction.
        xid: u32,
        /// Where it begins.
        lsn: Lsn,
        /// Which line of what.
        place: Place,
    },
    /// An update has moved a row between parts that were copied at different moments, with values
    /// that the stream does not carry. It is asked for, and applied once it is copied again.
    #[error(
        "{rows} rows of {table} were moved by transaction {xid} at {lsn} between parts that were copied at different moments, with values that the stream does not carry: they have to be copied again"
    )]
    NotCarried {
        /// The first table.
        table: Box<QualifiedName>,
        /// How many rows.
        rows: usize,
        /// The source's transaction.
        xid: u32,
        /// Where it begins.
        lsn: Lsn,
    },
    /// A line is not what transform writes.
    #[error("{place}")]
    Line {
        /// Which line of what.
        place: Place,
        /// Why.
        #[source]
        source: sql_line::Error,
    },
    /// A line does not follow from those before it.
    #[error("{place}: {problem}")]
    Order {
        /// Which line of what.
        place: Place,
        /// What is wrong.
        problem: String,
    },
    /// Where a large transaction ends is known by now, and it must be read once more: its beginning
    /// does not say which copies contain it. Nothing of it is on the target.
    #[error(
        "transaction {} at {} must be read again, now that it is known to end at {}", .0.xid, .0.first, .0.end
    )]
    ReadAgain(KnownEnd),
    /// The segments.
    #[error(transparent)]
    Segment(#[from] segment::Error),
    /// The input.
    #[error("reading {}", path.display())]
    Read {
        /// The file, or `standard input`.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// An endpos was set that the target had passed at that moment.
    #[error("the target has reached {applied}, past endpos {endpos}")]
    PastEndpos {
        /// What was asked for.
        endpos: Lsn,
        /// Where the target is.
        applied: Lsn,
    },
    /// The role can neither use origins nor was a table asked for.
    #[error("the role may not use replication origins on the target")]
    NoOrigin(#[source] pg::Error),
    /// An origin was asked for, and several connections.
    #[error("a replication origin serves one connection, and --apply-jobs asks for more")]
    OriginServesOne,
    /// Changes were applied before, and the target does not know any more up to where.
    #[error(
        "the target has lost the position of \"{0}\": its replication origin, or its line in pgflit.progress, is gone"
    )]
    PositionGone(String),
    /// The target has gone back behind what it had confirmed.
    #[error(
        "the target is at {committed}, and changes that it had confirmed up to {pruned} are removed here: it was restored from an earlier state"
    )]
    Pruned {
        /// Where the target is.
        committed: Lsn,
        /// What it had confirmed when segments were removed.
        pruned: Lsn,
    },
    /// A thread could not be run.
    #[error("running a thread")]
    Thread(#[source] io::Error),
}

/// Why the bounds of a partition do not tell which rows it had on the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untold {
    /// They hold for other rows on another server.
    #[error("depends on a hash or the order of a collation")]
    Inexact,
    /// They are not what they were, and when they changed is not known.
    #[error(
        "is not known, as its bounds or its place on the source were altered since the migration began"
    )]
    Otherwise,
    /// Apply does not know the source.
    #[error("only the source can say")]
    Unasked,
}

impl ApplyError {
    /// Whether a change was refused, or did not find what it should have: the connection is as good as
    /// before.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(
            self,
            ApplyError::Refused { .. }
                | ApplyError::RowCount { .. }
                | ApplyError::RowsTogether { .. }
        )
    }

    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            ApplyError::Target(error) => error.remedy(),
            ApplyError::Refused { source, .. } => match source.remedy() {
                Remedy::Retry => Remedy::Retry,
                _ => Remedy::AskOperator,
            },
            ApplyError::Store(error) => error.remedy(),
            ApplyError::NotCarried { .. } => Remedy::Retry,
            // From the segments, which know its end.
            ApplyError::ReadAgain(_) => Remedy::Retry,
            ApplyError::Thread(_) => Remedy::Bug,
            _ => Remedy::AskOperator,
        }
    }

    /// What to do, where it can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            ApplyError::Target(error) => error.hint(),
            ApplyError::Refused { .. } => Some(
                "mend the row or the definition on the target, then run the same command with --resume"
                    .to_owned(),
            ),
            ApplyError::RowCount { .. } => Some(
                "something else has changed the target; mend the row there, or choose with --on-conflict skip or overwrite, then run the same command with --resume"
                    .to_owned(),
            ),
            ApplyError::Misfit { .. } => Some(
                "alter the target as the source was altered, then run the same command with --resume"
                    .to_owned(),
            ),
            ApplyError::EmptiedPartition {
                why: Untold::Unasked,
                ..
            } => Some("name it with --source, then run the same command again".to_owned()),
            ApplyError::EmptiedPartition {
                why: Untold::Otherwise,
                table,
                ..
            } => Some(format!(
                "give {table} on both sides the bounds that it had when the migration began (detach what was attached since), run the same command with --resume, and alter it again once that is past"
            )),
            ApplyError::EmptiedPartition { table, here, .. } => Some(format!(
                "make {table} a partition of {here} on the target, with the bounds that it has on the source and its rows in it, then run the same command with --resume"
            )),
            ApplyError::NotCarried { .. } => Some(
                "pgflit clone --follow --resume copies them and goes on".to_owned(),
            ),
            ApplyError::Unplaced { .. } => {
                Some("its replica identity was changed: begin anew with --restart".to_owned())
            }
            ApplyError::Line { place, .. } | ApplyError::Order { place, .. } => {
                place.is_in_segment().then(|| Kind::Sql.mended_by().to_owned())
            }
            ApplyError::ReadAgain(_) => {
                Some("apply it from the segments, with pgflit stream apply".to_owned())
            }
            ApplyError::Segment(error) => error.hint(),
            ApplyError::PastEndpos { applied, .. } => {
                Some(format!("set a later endpos than {applied}, or --current"))
            }
            ApplyError::Pruned { .. } => Some(
                "the changes between are lost: begin anew with --restart".to_owned(),
            ),
            ApplyError::OriginServesOne => {
                Some("leave out --progress-tracking, or --apply-jobs".to_owned())
            }
            ApplyError::PositionGone(_) => Some(
                "applying from the beginning would apply changes twice: begin anew with --restart"
                    .to_owned(),
            ),
            ApplyError::NoOrigin(_) => Some(
                "use --progress-tracking table, or have an administrator GRANT EXECUTE on pg_replication_origin_*"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}
