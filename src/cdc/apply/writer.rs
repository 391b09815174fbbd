//! What a batch comes to, written into the open target transaction; row by row if that is refused.

use foldhash::HashMap;

use crate::base::QualifiedName;

use super::error::ApplyError;
use super::net::{Contradiction, FEW, Known, Piece, Ready, Reduced, reduce};
use super::target::Target;

/// For so many batches the rows of a table that were refused together are written one by one.
const BY_ROW: u32 = 16;

/// Writes batches to the target.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) target: Target,
    /// Tables whose rows are written one by one, and for how many batches more.
    by_row: HashMap<QualifiedName, u32>,
    /// Batches that were refused together, so far.
    refused: u64,
}

impl Writer {
    pub(super) fn new(target: Target) -> Self {
        Self {
            target,
            by_row: HashMap::default(),
            refused: 0,
        }
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

    /// Writes `ready` into the open target transaction, which it opens if need be.
    pub(super) async fn write(&mut self, ready: &[Ready]) -> Result<(), ApplyError> {
        match ready.len() >= FEW && self.write_together(ready).await? {
            true => Ok(()),
            false => self.write_rows(ready).await,
        }
    }

    pub(super) async fn write_rows(&mut self, ready: &[Ready]) -> Result<(), ApplyError> {
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
        let (target, by_row) = (&self.target, &self.by_row);
        let table =
            |name: &QualifiedName| match (by_row.contains_key(name), target.known_table(name)) {
                (true, Some(table)) if table.takes_sets => Known::ByRow,
                (_, Some(table)) => Known::Table(table),
                (_, None) => Known::Unknown,
            };
        let mut reduced = reduce(ready, table);
        self.age_refusals();
        // Nothing is begun for rows that are written one by one anyway.
        let mut pieces = Vec::new();
        loop {
            let Some(Ok(more)) = reduced.next() else {
                return Ok(false);
            };
            let has_set = more.iter().any(|piece| matches!(piece, Piece::Set(_)));
            pieces.extend(more);
            if has_set {
                break;
            }
        }
        let within = self.target.begin_batch().await?;
        let written = match self.write_pieces(pieces, reduced).await {
            Ok(true) => self.target.end_batch(within).await.map(|()| true),
            other => other,
        };
        let refused = match written {
            Ok(true) => return Ok(true),
            Ok(false) => None,
            Err(
                error @ (ApplyError::Refused { .. }
                | ApplyError::RowCount { .. }
                | ApplyError::RowsTogether { .. }),
            ) => Some(error),
            Err(error) => return Err(error),
        };
        match (self.target.undo_batch(within).await, refused) {
            (Ok(()), None) => {}
            (Ok(()), Some(error)) => {
                tracing::debug!("{error}: {} changes are applied row by row", ready.len());
                self.note_refusal(&error);
            }
            (Err(_), Some(error)) | (Err(error), None) => return Err(error),
        }
        Ok(false)
    }

    /// Writes `pieces` and the rest; false if that holds changes that do not follow from each other.
    async fn write_pieces(
        &mut self,
        mut pieces: Vec<Piece<'_>>,
        mut rest: Reduced<'_>,
    ) -> Result<bool, ApplyError> {
        loop {
            for piece in &pieces {
                match piece {
                    Piece::Row(change) => self.target.row(change).await?,
                    Piece::Empty(emptied) => self.target.empty(emptied).await?,
                    Piece::Set(set) => self.target.set(set).await?,
                }
            }
            pieces = match rest.next() {
                Some(Ok(pieces)) => pieces,
                Some(Err(Contradiction)) => return Ok(false),
                None => return Ok(true),
            };
        }
    }
}
