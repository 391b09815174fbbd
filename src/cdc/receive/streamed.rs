//! Transactions that the source streams while they are in progress: kept until they end, and
//! then written to the segments as any other.

use crate::base::{Lsn, failpoint};
use crate::cdc::change::{Begin, Commit, Event};

use super::error::ReceiveError;
use super::pgoutput::{StreamCommit, StreamMessage};
use super::relations::Moment;
use super::spill::Record;
use super::writer::Writer;

/// Bytes of a transaction written between two looks around: some hundredths of a second.
const LOOK_BYTES: usize = 1 << 20;

impl Writer<'_> {
    /// What frames the pieces of such a transaction.
    pub(super) fn stream_message(
        &mut self,
        lsn: Lsn,
        message: StreamMessage,
    ) -> Result<(), ReceiveError> {
        if self.progress.open {
            let problem = "a message of it stands inside another transaction";
            return Err(ReceiveError::Streamed { xid: 0, problem });
        }
        match message {
            StreamMessage::Start { xid, is_first } => {
                let moment = self.sink.relations.next_moment();
                self.spills.begin_block(xid, is_first, lsn, moment)
            }
            StreamMessage::Stop => {
                failpoint::reach("transaction spilled");
                self.spills.end_block()
            }
            StreamMessage::Abort { xid, subxid } => self.spills.abort(xid, subxid),
            StreamMessage::Commit(commit) => self.release(lsn, commit),
        }
    }

    /// Writes a committed transaction to the segments, piece by piece.
    ///
    /// When asked to stop it is left without its end, so it never happened, and the source will
    /// send it again.
    fn release(&mut self, lsn: Lsn, commit: StreamCommit) -> Result<(), ReceiveError> {
        let mut release = self.spills.commit(commit.xid)?;
        let begin = Begin {
            xid: commit.xid,
            lsn: release.first_lsn,
            commit_lsn: Some(commit.commit_lsn),
            timestamp: Some(commit.timestamp.clone()),
        };
        self.write(release.first_lsn, Event::Begin(begin))?;
        let (mut piece, mut told): (Vec<u8>, Moment) = (Vec::new(), 0);
        let mut unlooked = 0;
        while !self.shared.ended() {
            match release.next(&mut piece)? {
                None => return self.end_release(lsn, commit),
                Some(Record::Block(moment)) => told = moment,
                Some(Record::Piece(at)) => self.write_piece(commit.xid, at, told, &piece)?,
            }
            unlooked += piece.len();
            if unlooked >= LOOK_BYTES {
                unlooked = 0;
                if self.shutdown.asked() {
                    self.progress.abandoned = true;
                    return Ok(());
                }
                self.look_around(false)?;
            }
        }
        Ok(())
    }

    fn write_piece(
        &mut self,
        xid: u32,
        lsn: Lsn,
        told: Moment,
        piece: &[u8],
    ) -> Result<(), ReceiveError> {
        match self.decoder.decode_streamed(xid, lsn, piece)? {
            Some(Event::Relation(relation)) => {
                self.sink.relations.learn_told(relation, told);
                Ok(())
            }
            Some(event) => self.write(lsn, event),
            None => Ok(()),
        }
    }

    fn end_release(&mut self, lsn: Lsn, commit: StreamCommit) -> Result<(), ReceiveError> {
        failpoint::reach("transaction released");
        self.sink.relations.end_release();
        let end = Commit {
            xid: commit.xid,
            lsn: commit.lsn,
            timestamp: Some(commit.timestamp),
        };
        self.write(lsn, Event::Commit(end))
    }
}
