//! Batches: changes that are gathered, reduced to what they come to, and written together; row by row
//! if that is refused.
//!
//! A batch lies in one target transaction: one that holds whole source transactions, or a piece of one
//! that is too large to be held. What a batch comes to is the same either way ([`super::net`]), so
//! whatever is refused of it, for whatever reason, is undone and applied row by row in the source's
//! order, which goes well or finds the change that does not. Then the source transactions before it are
//! committed one by one, and nothing else is.

use foldhash::HashMap;

use crate::base::{QualifiedName, failpoint};
use crate::cdc::change::Commit;

use super::applier::{Applier, new_bytes};
use super::error::ApplyError;
use super::net::{FEW, Known, Piece, Ready, reduce};

/// A batch is written at this many changes: enough that the rows of each of a thousand tables are worth a
/// command for all of them, and little enough that one which has to be applied row by row takes a second
/// or two.
const BATCH_CHANGES: usize = 100_000;

/// And at this many bytes of blocks that its changes hold, which is what bounds memory.
const BATCH_BYTES: usize = 16 << 20;

/// For so many batches the rows of a table that were refused together are written one by one.
const BY_ROW: u32 = 16;

/// What is gathered, and how it goes.
#[derive(Debug, Default)]
pub(super) struct Batch {
    ready: Vec<Ready>,
    bytes: usize,
    /// Source transactions that are whole, each with the end of its changes in `ready`.
    ends: Vec<(usize, Commit)>,
    /// Tables whose rows are written one by one, and for how many batches more.
    by_row: HashMap<QualifiedName, u32>,
    /// Batches that were refused together, so far.
    refused: u64,
}

impl Batch {
    pub(super) fn is_full(&self) -> bool {
        self.ready.len() >= BATCH_CHANGES || self.bytes >= BATCH_BYTES
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

    /// What is gathered of a transaction that is not whole never happened.
    pub(super) fn clear(&mut self) {
        self.ready.clear();
        self.bytes = 0;
    }

    fn take(&mut self) -> Vec<Ready> {
        self.bytes = 0;
        std::mem::take(&mut self.ready)
    }

    /// How many batches were refused together and applied row by row.
    pub(super) fn refused(&self) -> u64 {
        self.refused
    }

    fn note_refusal(&mut self, error: &ApplyError) {
        self.refused += 1;
        let table = match error {
            ApplyError::RowsTogether { table, .. } | ApplyError::Refused { table, .. } => table,
            _ => return,
        };
        self.by_row.insert((**table).clone(), BY_ROW);
    }

    fn age_refusals(&mut self) {
        self.by_row.retain(|_, left| {
            *left -= 1;
            *left > 0
        });
    }
}

impl Applier {
    /// Writes what is gathered of a transaction that is still being read into the open target
    /// transaction.
    pub(super) async fn write_batch(&mut self) -> Result<(), ApplyError> {
        let ready = self.batch.take();
        self.write(&ready).await
    }

    /// Commits the transactions that are whole. When this returns, the target has confirmed it.
    pub(super) async fn commit_batch(&mut self) -> Result<(), ApplyError> {
        let ends = std::mem::take(&mut self.batch.ends);
        let Some((_, last)) = ends.last() else {
            // What is gathered, if anything, is of a transaction that is still being read.
            return Ok(());
        };
        let ready = self.batch.take();
        let committed = match self.write(&ready).await {
            Ok(()) => self.commit_open(last).await,
            Err(error) => Err(error),
        };
        match committed {
            Err(error) if ends.len() > 1 && error.is_refusal() => {
                // What stands before the change that is refused is to be there.
                self.target.rollback().await.map_err(|_| error)?;
                self.commit_one_by_one(&ready, &ends).await
            }
            committed => committed,
        }
    }

    async fn commit_one_by_one(
        &mut self,
        ready: &[Ready],
        ends: &[(usize, Commit)],
    ) -> Result<(), ApplyError> {
        let mut begin = 0;
        for (end, commit) in ends {
            self.write_rows(&ready[begin..*end]).await?;
            self.commit_open(commit).await?;
            begin = *end;
        }
        Ok(())
    }

    async fn commit_open(&mut self, last: &Commit) -> Result<(), ApplyError> {
        if self.target.is_open() {
            failpoint::reach("group sent");
            let conflicts = self.target.commit(last).await?;
            failpoint::reach("group committed");
            self.steering.count_conflicts(conflicts)?;
            self.positions.committed = last.lsn;
        }
        self.positions.reached = self.positions.reached.max(last.lsn);
        Ok(())
    }

    /// Writes `ready` into the open target transaction, which it opens if need be.
    async fn write(&mut self, ready: &[Ready]) -> Result<(), ApplyError> {
        match ready.len() >= FEW && self.write_together(ready).await? {
            true => Ok(()),
            false => self.write_rows(ready).await,
        }
    }

    async fn write_rows(&mut self, ready: &[Ready]) -> Result<(), ApplyError> {
        for ready in ready {
            self.target.begin()?;
            match ready {
                Ready::Row(change) => self.target.row(change).await?,
                Ready::Empty(emptied) => self.target.empty(emptied).await?,
            }
        }
        Ok(())
    }

    /// Writes what `ready` comes to; false if it is refused, or not worth the while, and nothing is
    /// written.
    async fn write_together(&mut self, ready: &[Ready]) -> Result<bool, ApplyError> {
        let (target, by_row) = (&self.target, &self.batch.by_row);
        let table =
            |name: &QualifiedName| match (by_row.contains_key(name), target.known_table(name)) {
                (true, Some(table)) if table.takes_sets => Known::ByRow,
                (_, Some(table)) => Known::Table(table),
                (_, None) => Known::Unknown,
            };
        let pieces = reduce(ready, table).unwrap_or_default();
        self.batch.age_refusals();
        if !pieces.iter().any(|piece| matches!(piece, Piece::Set(_))) {
            return Ok(false);
        }
        let within = self.target.begin_batch().await?;
        let written = match self.write_pieces(&pieces).await {
            Ok(()) => self.target.end_batch(within).await,
            Err(error) => Err(error),
        };
        let Err(error) = written else {
            return Ok(true);
        };
        let is_refusal = matches!(
            error,
            ApplyError::Refused { .. }
                | ApplyError::RowCount { .. }
                | ApplyError::RowsTogether { .. }
        );
        if !is_refusal || self.target.undo_batch(within).await.is_err() {
            return Err(error);
        }
        tracing::debug!("{error}: {} changes are applied row by row", ready.len());
        self.batch.note_refusal(&error);
        Ok(false)
    }

    async fn write_pieces(&mut self, pieces: &[Piece<'_>]) -> Result<(), ApplyError> {
        for piece in pieces {
            match piece {
                Piece::Row(change) => self.target.row(change).await?,
                Piece::Empty(emptied) => self.target.empty(emptied).await?,
                Piece::Set(set) => {
                    self.target.set(set).await?;
                }
            }
        }
        Ok(())
    }
}
