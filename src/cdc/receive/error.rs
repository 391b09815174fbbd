//! How receive fails.

use std::io;

use crate::base::quantity::ByteSize;
use crate::base::{Lsn, Remedy};
use crate::pg;
use crate::segment;
use crate::store;
use crate::wire::WireError;

use super::feed::FeedError;
use super::pgoutput::DecodeError;

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
        problem: &'static str,
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
        "the segments take {taken}, more than --cdc-disk-limit {limit}, and nothing that the target could replay: one transaction is larger than the limit"
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

impl ReceiveError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            ReceiveError::Source(error) => error.remedy(),
            ReceiveError::StreamEnded | ReceiveError::InProgress(_) => Remedy::Retry,
            ReceiveError::Slot { .. }
            | ReceiveError::SlotMoved { .. }
            | ReceiveError::Timeline { .. }
            | ReceiveError::Publication(_)
            | ReceiveError::Segment(_)
            | ReceiveError::LimitTooSmall { .. }
            | ReceiveError::DiskLimit { .. }
            | ReceiveError::Feed(_) => Remedy::AskOperator,
            ReceiveError::Store(error) => error.remedy(),
            ReceiveError::Wire(_)
            | ReceiveError::Decode(_)
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
            ReceiveError::LimitTooSmall { .. } | ReceiveError::DiskLimit { .. } => {
                Some("give more with --cdc-disk-limit, and run the same command with --resume".to_owned())
            }
            ReceiveError::InProgress(_) => Some(
                "go on: from now on it sends transactions when they are committed".to_owned(),
            ),
            ReceiveError::Slot { hint, .. } => Some((*hint).to_owned()),
            ReceiveError::Segment(error) if error.source.kind() == io::ErrorKind::StorageFull => {
                Some(
                    "make room on this disk, then go on (`clone` with --resume): nothing is lost, the source keeps what is not here"
                        .to_owned(),
                )
            }
            _ => None,
        }
    }
}
