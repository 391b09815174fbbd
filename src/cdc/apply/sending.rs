//! Changes on their way to the target: what of each the copy does not contain.

use std::sync::Arc;

use crate::base::QualifiedName;
use crate::cdc::change::Begin;
use crate::store::WantedRow;

use super::applier::{Applier, Step};
use super::error::ApplyError;
use super::expect::Change;
use super::filter::{Committed, Contains};
use super::moved::{Left, left_of};
use super::net::Ready;
use super::place::Place;

/// Rows asked for at a time: of a transaction that has moved more, the others are asked for when it is
/// read again.
const WANTED_MAX: usize = 10_000;

/// What of a change is to be sent.
enum Missing {
    /// Nothing: the copy contains it.
    Nothing,
    /// This.
    Change(Arc<Change>),
    /// A row that the stream does not carry whole.
    Row(WantedRow),
}

impl Applier {
    pub(super) async fn send_all(
        &mut self,
        steps: Vec<Step>,
        transaction: Committed,
    ) -> Result<(), ApplyError> {
        for step in steps {
            self.send(step, transaction).await?;
        }
        Ok(())
    }

    /// Whether the target's tables take a transaction of which nothing is sent yet. If one does
    /// not, what stands before it in the group is committed first: it fits, and is shown to.
    ///
    /// Notes which of its rows have to be copied again.
    pub(super) async fn check_fit(
        &mut self,
        steps: &[Step],
        transaction: Committed,
    ) -> Result<(), ApplyError> {
        for step in steps {
            let missing = match step {
                Step::Row(change) => self.missing_of(change, transaction).await,
                Step::Truncate(emptying) => {
                    let emptied = self.emptied(emptying, transaction).await;
                    emptied.map(|_| Missing::Nothing)
                }
            };
            let fits = match missing {
                Ok(Missing::Nothing) => continue,
                Ok(Missing::Row(row)) => {
                    self.want(row);
                    continue;
                }
                Ok(Missing::Change(change)) if self.target.is_fitting(&change) => continue,
                Ok(Missing::Change(change)) => self.target.fitting_table(&change).await.map(drop),
                Err(error) => Err(error),
            };
            match fits {
                Err(
                    error @ (ApplyError::Misfit { .. }
                    | ApplyError::Unplaced { .. }
                    | ApplyError::EmptiedPartition { .. }),
                ) => {
                    self.finish_group().await?;
                    return Err(error);
                }
                fits => fits?,
            }
        }
        Ok(())
    }

    /// Takes a change for the target, unless the copy contains it.
    pub(super) async fn send(
        &mut self,
        step: Step,
        transaction: Committed,
    ) -> Result<(), ApplyError> {
        match step {
            Step::Row(change) => match self.missing_of(&change, transaction).await? {
                Missing::Nothing => {}
                Missing::Row(row) => self.want(row),
                Missing::Change(_) if !self.wanted.is_empty() => {}
                Missing::Change(change) => {
                    if !self.target.is_fitting(&change) {
                        self.target.fitting_table(&change).await?;
                    }
                    self.batch.add(Ready::Row(change));
                }
            },
            Step::Truncate(emptying) => {
                let emptied = self.emptied(&emptying, transaction).await?;
                if self.wanted.is_empty()
                    && let Some(emptied) = emptied
                {
                    self.batch.add(Ready::Empty(emptied));
                }
            }
        }
        Ok(())
    }

    /// What of `change` the copy does not contain.
    async fn missing_of(
        &mut self,
        change: &Arc<Change>,
        transaction: Committed,
    ) -> Result<Missing, ApplyError> {
        let table = change.source_table();
        let left = match self.filter.contains(table, transaction) {
            Contains::Everything => return Ok(Missing::Nothing),
            Contains::Nothing => return Ok(Missing::Change(Arc::clone(change))),
            Contains::ByRow(parts) => left_of(change, parts, transaction)?,
            Contains::Unknown => return Err(self.unknown(table, &change.place)),
        };
        Ok(match left {
            Left::Nothing => Missing::Nothing,
            Left::All => Missing::Change(Arc::clone(change)),
            Left::Delete(change) => Missing::Change(Arc::new(change)),
            Left::Insert(change, value) => {
                let known = self.target.fitting_table(&change).await?;
                match known.is_covered_by(&change.prepare.shape.columns) {
                    true => Missing::Change(Arc::new(change)),
                    false => Missing::Row(WantedRow {
                        table: table.clone(),
                        value,
                        xid: change.begin.xid,
                    }),
                }
            }
        })
    }

    /// Never so where [`super::filter::Filter::needs_end`] was asked before.
    pub(super) fn unknown(&self, table: &QualifiedName, place: &Place) -> ApplyError {
        let problem = format!(
            "BEGIN does not say where the transaction commits, so whether the rows of {table}, \
             copied from a standby, contain it is not known"
        );
        self.out_of_order(place, problem)
    }

    fn want(&mut self, row: WantedRow) {
        if self.wanted.len() < WANTED_MAX {
            self.wanted.push(row);
        }
    }

    /// Asks for the rows that `begin` has moved; the error that apply ends with.
    pub(super) fn want_rows(&mut self, begin: &Begin) -> Result<ApplyError, ApplyError> {
        self.steering.want_rows(&self.wanted)?;
        let table = self.wanted.first().map(|row| row.table.clone());
        Ok(ApplyError::NotCarried {
            table: Box::new(table.unwrap_or_else(|| QualifiedName::new("", ""))),
            rows: self.wanted.len(),
            xid: begin.xid,
            lsn: begin.lsn,
        })
    }
}
