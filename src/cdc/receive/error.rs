//! How receive fails.

use std::io;

use crate::base::quantity::ByteSize;
use crate::base::{Lsn, QualifiedName, Remedy};
use crate::cdc::change::Operation;
use crate::pg;
use crate::segment;
use crate::store;
use crate::wire::WireError;

use super::feed::FeedError;
use super::pgoutput::DecodeError;
use super::said::NotUnderstood;

/// Receive failed. What was synced before is there and will be found.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The source.
    #[error(transparent)]
    Source(#[from] pg::Error),
    /// The source says something that cannot be understood.
    #[error("reading the replication stream")]
    Wire(#[from] WireError),
    /// The same, inside a change.
    #[error("decoding a change")]
    Decode(#[from] DecodeError),
    /// The same, of a plugin that sends text.
    #[error("a message of {plugin} at {lsn} cannot be understood")]
    NotUnderstood {
        /// The plugin.
        plugin: &'static str,
        /// Where it stands.
        lsn: Lsn,
        /// What is wrong.
        source: NotUnderstood,
    },
    /// Messages come in an order in which they cannot.
    #[error("at {lsn}: {problem}")]
    Order {
        /// Where.
        lsn: Lsn,
        /// What is wrong.
        problem: String,
    },
    /// The columns of a row are not those that the source's catalog has.
    #[error("{} on {table} at {lsn} cannot be read with the source's catalog as it is now: {difference}", operation.command())]
    Unexplained {
        /// The table.
        table: QualifiedName,
        /// What happened to the row.
        operation: Operation,
        /// Where.
        lsn: Lsn,
        /// What does not fit.
        difference: String,
    },
    /// A table that is captured has gone, or another has its name.
    #[error("{0} has changes, and on the source it was dropped, renamed or replaced since")]
    TableGone(QualifiedName),
    /// The stream does not carry which row changed.
    #[error("{table} has no replica identity, and {} at {lsn} does not say which row it was", operation.command())]
    Uncaptured {
        /// The table.
        table: QualifiedName,
        /// What happened to the row.
        operation: Operation,
        /// Where; or the transaction before.
        lsn: Lsn,
    },
    /// Changes since then may have been read as another table's.
    #[error(
        "{table} {}, noticed at {lsn}, and {plugin} tells tables by their names only",
        renamed(table, now)
    )]
    Renamed {
        /// The plugin.
        plugin: &'static str,
        /// What the table was called when the migration began.
        table: Box<QualifiedName>,
        /// What it is called now.
        now: Box<QualifiedName>,
        /// How far changes had been read, or nothing at the start.
        lsn: Lsn,
    },
    /// The name was another table's, of which the target has the rows under it.
    #[error(
        "at {lsn} the name {name} means another table on the source than when the migration began"
    )]
    Replaced {
        /// The name.
        name: QualifiedName,
        /// Where.
        lsn: Lsn,
    },
    /// What the catalog says is older than the change at hand.
    #[error("transaction {0} is in the source's WAL, and its sessions do not see it")]
    Unseen(u32),
    /// Changes since then may have been read by the wrong key.
    #[error(
        "the replica identity of {0} was changed while its changes were captured with test_decoding, which does not show it"
    )]
    IdentityChanged(QualifiedName),
    /// The plugin does not convert what it sends.
    #[error("{plugin} sends text in the encoding of the database, {encoding}")]
    Encoding {
        /// The plugin.
        plugin: &'static str,
        /// The database's encoding.
        encoding: String,
    },
    /// The disk.
    #[error(transparent)]
    Segment(#[from] segment::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The pipe.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The slot cannot be read from.
    #[error("replication slot \"{slot}\": {problem}")]
    Slot {
        /// Its name.
        slot: String,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        hint: &'static str,
    },
    /// The slot has gone on without us: it was made again, or someone else reads it.
    #[error(
        "replication slot \"{slot}\" stands at {slot_flushed}, past {on_disk}, the last position on this disk"
    )]
    SlotMoved {
        /// Its name.
        slot: String,
        /// What the source believes to be received.
        slot_flushed: Lsn,
        /// What is.
        on_disk: Lsn,
    },
    /// The source is on a timeline on which what was received did not happen.
    #[error("the source is on timeline {now} and the last changes came from {known}: {problem}")]
    Timeline {
        /// The source's.
        now: u32,
        /// That of the last segment.
        known: u32,
        /// Why they do not fit.
        problem: String,
    },
    /// The publication is gone.
    #[error("publication \"{0}\" does not exist on the source")]
    Publication(String),
    /// The source says of a transaction in progress what does not follow from what it said before.
    #[error("transaction {xid}, streamed while in progress: {problem}")]
    Streamed {
        /// The top-level transaction.
        xid: u32,
        /// What does not follow.
        problem: &'static str,
    },
    /// The limit leaves no room to work in.
    #[error("--cdc-disk-limit {limit} is less than {least}, four segments as the source cuts them")]
    LimitTooSmall {
        /// What was asked for.
        limit: ByteSize,
        /// The least that works.
        least: ByteSize,
    },
    /// The target has replayed all there is, and it still takes more than the limit.
    #[error(
        "the segments take {taken}, more than --cdc-disk-limit {limit}, and nothing that the target could replay: one transaction is larger than the limit, or several at once are"
    )]
    DiskLimit {
        /// What they take.
        taken: ByteSize,
        /// What was allowed.
        limit: ByteSize,
    },
    /// The source failed while it sent transactions in progress; it is not asked for them again.
    #[error("the source failed at sending transactions in progress")]
    InProgress(#[source] pg::Error),
    /// A thread could not be run.
    #[error("running a thread")]
    Thread(#[source] io::Error),
    /// The server ended the stream without being asked.
    #[error("the source ended the replication stream")]
    StreamEnded,
}

fn renamed(table: &QualifiedName, now: &QualifiedName) -> String {
    match table == now {
        true => "had another name on the source for a while".to_owned(),
        false => format!("was renamed to {now} on the source"),
    }
}

impl ReceiveError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            ReceiveError::Source(error) => error.remedy(),
            ReceiveError::StreamEnded | ReceiveError::InProgress(_) | ReceiveError::Unseen(_) => {
                Remedy::Retry
            }
            ReceiveError::Slot { .. }
            | ReceiveError::SlotMoved { .. }
            | ReceiveError::Timeline { .. }
            | ReceiveError::Unexplained { .. }
            | ReceiveError::TableGone(_)
            | ReceiveError::Renamed { .. }
            | ReceiveError::Replaced { .. }
            | ReceiveError::Uncaptured { .. }
            | ReceiveError::IdentityChanged(_)
            | ReceiveError::Encoding { .. }
            | ReceiveError::Publication(_)
            | ReceiveError::Segment(_)
            | ReceiveError::LimitTooSmall { .. }
            | ReceiveError::DiskLimit { .. }
            | ReceiveError::Feed(_) => Remedy::AskOperator,
            ReceiveError::Store(error) => error.remedy(),
            ReceiveError::NotUnderstood { source, .. } => match source {
                NotUnderstood::Ambiguous { .. } => Remedy::AskOperator,
                NotUnderstood::Malformed { .. } => Remedy::Bug,
            },
            ReceiveError::Wire(_)
            | ReceiveError::Decode(_)
            | ReceiveError::Order { .. }
            | ReceiveError::Streamed { .. }
            | ReceiveError::Thread(_) => Remedy::Bug,
        }
    }

    /// What to do, where it can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            ReceiveError::Source(error) => error.hint(),
            ReceiveError::Publication(_) => {
                Some("without it changes cannot be decoded; begin anew with --restart".to_owned())
            }
            ReceiveError::SlotMoved { .. } => Some(
                "the changes between are lost: the slot was made again or read by someone else; begin anew with --restart"
                    .to_owned(),
            ),
            ReceiveError::Timeline { .. } => Some(
                "connect to the server that went on from there; if it is lost, changes may be on the target that no server has any more: begin anew with --restart"
                    .to_owned(),
            ),
            ReceiveError::Unexplained { .. } | ReceiveError::TableGone(_) => Some(
                "the table was altered after that change, and this plugin does not tell how it was: begin anew with --restart, with pgoutput if tables are altered meanwhile"
                    .to_owned(),
            ),
            ReceiveError::Renamed { .. } => Some(
                "changes may have gone to another table: begin anew with --restart, with pgoutput if tables are renamed meanwhile"
                    .to_owned(),
            ),
            ReceiveError::Replaced { .. } => Some(
                "the target has another table's rows under that name: begin anew with --restart, and exchange names before or after"
                    .to_owned(),
            ),
            ReceiveError::Unseen(_) => Some(
                "its commit waits for a synchronous standby: see pg_stat_activity on the source, and run the same command with --resume"
                    .to_owned(),
            ),
            ReceiveError::Uncaptured { table, .. } => Some(format!(
                "begin anew with --restart --yes, which gives it an identity until the end; or give it one (ALTER TABLE {} REPLICA IDENTITY FULL) and begin anew with --restart",
                table.quoted()
            )),
            ReceiveError::IdentityChanged(_) => Some(
                "begin anew with --restart; pgoutput and wal2json tell the identity with each change"
                    .to_owned(),
            ),
            ReceiveError::NotUnderstood {
                source: NotUnderstood::Ambiguous { .. },
                ..
            } => Some(
                "install wal2json 2.6 or later on the source and --resume: it says which; pgoutput and test_decoding do too"
                    .to_owned(),
            ),
            ReceiveError::Encoding { .. } => {
                Some("begin anew with --restart and --plugin pgoutput, which converts".to_owned())
            }
            ReceiveError::LimitTooSmall { .. } | ReceiveError::DiskLimit { .. } => {
                Some("give more with --cdc-disk-limit, and run the same command with --resume".to_owned())
            }
            ReceiveError::InProgress(_) => Some(
                "go on: from now on it sends transactions when they are committed".to_owned(),
            ),
            ReceiveError::Slot { hint, .. } => Some((*hint).to_owned()),
            ReceiveError::Segment(error) | ReceiveError::Feed(FeedError::Segment(error)) => {
                error.hint()
            }
            _ => None,
        }
    }
}
