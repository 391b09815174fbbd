//! Batches: changes that are gathered, reduced to what they come to, and written together; row by row
//! if that is refused.
//!
//! A batch lies in one target transaction: one that holds whole source transactions, or a piece of one
//! that is too large to be held. What a batch comes to is the same either way ([`super::net`]), so
//! whatever is refused of it, for whatever reason, is undone and applied row by row in the source's
//! order, which goes well or finds the change that does not. Then the source transactions before it are
//! committed one by one, and nothing else is.

use crate::base::{Lsn, failpoint};
use crate::cdc::change::Commit;

use super::applier::{Applier, new_bytes};
use super::error::ApplyError;
use super::net::Ready;

/// A batch is written at this many changes: enough that the rows of each of a thousand tables are worth a
/// command for all of them, and little enough that one which has to be applied row by row takes some
/// seconds at most.
const BATCH_CHANGES: usize = 200_000;

/// And at this many bytes of blocks that its changes hold, which is what bounds memory.
const BATCH_BYTES: usize = 32 << 20;

/// How much is gathered before it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) changes: usize,
    /// Of blocks that they hold.
    pub(super) bytes: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self {
            changes: BATCH_CHANGES,
            bytes: BATCH_BYTES,
        }
    }
}

/// What is gathered.
#[derive(Debug, Default)]
pub(super) struct Batch {
    size: Size,
    /// How many times its size it has been let grow.
    grown: usize,
    ready: Vec<Ready>,
    bytes: usize,
    /// Source transactions that are whole, each with the end of its changes in `ready`.
    ends: Vec<(usize, Commit)>,
    /// Nothing else happened up to here behind the last of them.
    reached: Lsn,
}

/// The transactions of a batch that has no others.
#[derive(Debug)]
pub(super) struct Whole {
    /// Each with the end of its changes.
    ends: Vec<(usize, Commit)>,
    /// The last of them.
    pub(super) last: Commit,
    reached: Lsn,
}

impl Whole {
    /// Nothing else happens up to `lsn` behind them.
    pub(super) fn pass(&mut self, lsn: Lsn) {
        self.reached = self.reached.max(lsn);
    }

    /// Where the target is once they are committed.
    pub(super) fn reached(&self) -> Lsn {
        self.reached.max(self.last.lsn)
    }
}

impl Batch {
    pub(super) fn of(size: Size) -> Self {
        Self {
            size,
            ..Self::default()
        }
    }

    pub(super) fn is_full(&self) -> bool {
        let times = self.grown + 1;
        self.ready.len() >= self.size.changes * times || self.bytes >= self.size.bytes * times
    }

    /// Lets it grow by its size once more; how often that was.
    pub(super) fn grow(&mut self) -> usize {
        self.grown += 1;
        self.grown
    }

    /// What is gathered.
    pub(super) fn ready(&self) -> &[Ready] {
        &self.ready
    }

    pub(super) fn add(&mut self, ready: Ready) {
        if let Ready::Row(change) = &ready {
            let last = match self.ready.last() {
                Some(Ready::Row(last)) => Some(last.values.block()),
                _ => None,
            };
            self.bytes += new_bytes(change.values.block(), last);
        }
        self.ready.push(ready);
    }

    /// How much of it is gathered.
    pub(super) fn mark(&self) -> usize {
        self.ready.len()
    }

    /// What was added since then never was.
    pub(super) fn back_to(&mut self, mark: usize) {
        self.ready.truncate(mark);
    }

    /// The transaction of what was added last is whole.
    pub(super) fn end(&mut self, commit: Commit) {
        self.ends.push((self.ready.len(), commit));
    }

    /// The last transaction that is whole and not committed.
    pub(super) fn last(&self) -> Option<&Commit> {
        self.ends.last().map(|(_, commit)| commit)
    }

    /// Nothing else happens up to `lsn` behind the last transaction that is whole; false if there is none.
    pub(super) fn pass(&mut self, lsn: Lsn) -> bool {
        self.reached = self.reached.max(lsn);
        !self.ends.is_empty()
    }

    /// What is gathered of transactions that are whole; none if that is none.
    pub(super) fn take_whole(&mut self) -> Option<(Vec<Ready>, Whole)> {
        self.grown = 0;
        let reached = std::mem::replace(&mut self.reached, Lsn::ZERO);
        let ends = std::mem::take(&mut self.ends);
        // Without one, what is gathered, if anything, is of a transaction that is still being read.
        let (_, last) = ends.last()?;
        let last = last.clone();
        let whole = Whole {
            ends,
            last,
            reached,
        };
        Some((self.take(), whole))
    }

    /// What is gathered of a transaction that is not whole never happened.
    pub(super) fn clear(&mut self) {
        self.ready.clear();
        self.bytes = 0;
    }

    fn take(&mut self) -> Vec<Ready> {
        self.bytes = 0;
        std::mem::take(&mut self.ready)
    }
}

impl Applier {
    /// Writes what is gathered of a transaction that is still being read into the open target
    /// transaction.
    pub(super) async fn write_batch(&mut self) -> Result<(), ApplyError> {
        let ready = self.batch.take();
        Box::pin(self.writer.write(&ready)).await
    }

    /// Commits the transactions that are whole. When this returns, the target has confirmed it.
    pub(super) async fn commit_batch(&mut self) -> Result<(), ApplyError> {
        match self.batch.take_whole() {
            Some((ready, whole)) => Box::pin(self.commit_gathered(&ready, &whole)).await,
            None => Ok(()),
        }
    }

    /// The same of what is taken out of the batch.
    pub(super) async fn commit_gathered(
        &mut self,
        ready: &[Ready],
        whole: &Whole,
    ) -> Result<(), ApplyError> {
        let committed = match self.writer.write(ready).await {
            Ok(()) => self.commit_open(&whole.last).await,
            Err(error) => Err(error),
        };
        match committed {
            Err(error) if whole.ends.len() > 1 && error.is_refusal() => {
                // What stands before the change that is refused is to be there.
                self.writer.target.rollback().await.map_err(|_| error)?;
                self.commit_one_by_one(ready, &whole.ends).await?;
            }
            committed => committed?,
        }
        self.positions.reached = self.positions.reached.max(whole.reached());
        Ok(())
    }

    /// Notes that the target has confirmed these.
    pub(super) fn note_committed(&mut self, whole: &Whole) {
        self.positions.committed = whole.last.lsn;
        self.positions.reached = self.positions.reached.max(whole.reached());
    }

    async fn commit_one_by_one(
        &mut self,
        ready: &[Ready],
        ends: &[(usize, Commit)],
    ) -> Result<(), ApplyError> {
        let mut begin = 0;
        for (end, commit) in ends {
            self.writer.write_rows(&ready[begin..*end]).await?;
            self.commit_open(commit).await?;
            begin = *end;
        }
        Ok(())
    }

    async fn commit_open(&mut self, last: &Commit) -> Result<(), ApplyError> {
        if self.writer.target.is_open() {
            failpoint::reach("group sent");
            let conflicts = {
                let after = self.positions.committed;
                self.writer.target.commit(last, after).await?
            };
            failpoint::reach("group committed");
            self.steering.count_conflicts(conflicts)?;
            self.positions.committed = last.lsn;
        }
        self.positions.reached = self.positions.reached.max(last.lsn);
        Ok(())
    }
}
