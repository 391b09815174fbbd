//! Changes on their way to the target: what of each the copy does not contain.

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
    /// All of it.
    All,
    /// This.
    Change(Change),
    /// A row that the stream does not carry whole.
    Row(WantedRow),
}

impl Applier {
    /// Takes the changes of a transaction that is whole, if the target's tables take them all and the
    /// stream carries every row. Else what stands before it in the group is committed: it fits, and is
    /// shown to.
    pub(super) async fn send_whole(
        &mut self,
        begin: &Begin,
        steps: Vec<Step>,
        transaction: Committed,
    ) -> Result<(), ApplyError> {
        let before = self.batch.mark();
        let sent = self.send_all(steps, transaction).await;
        if sent.is_ok() && self.wanted.is_empty() {
            return Ok(());
        }
        self.batch.back_to(before);
        match sent {
            Err(
                error @ (ApplyError::Misfit { .. }
                | ApplyError::Unplaced { .. }
                | ApplyError::EmptiedPartition { .. }),
            ) => {
                self.finish_group().await?;
                Err(error)
            }
            Err(error) => Err(error),
            Ok(()) => {
                self.finish_group().await?;
                Err(self.want_rows(begin)?)
            }
        }
    }

    pub(super) async fn send_all(
        &mut self,
        mut steps: Vec<Step>,
        transaction: Committed,
    ) -> Result<(), ApplyError> {
        for step in steps.drain(..) {
            self.send(step, transaction).await?;
        }
        self.spare = steps;
        Ok(())
    }

    /// Takes a change for the target, unless the copy contains it.
    pub(super) async fn send(
        &mut self,
        step: Step,
        transaction: Committed,
    ) -> Result<(), ApplyError> {
        match self.send_plain(step, transaction) {
            None => Ok(()),
            Some(step) => Box::pin(self.send_asking(step, transaction)).await,
        }
    }

    /// The same, if nobody has to be asked for that; else it is given back.
    pub(super) fn send_plain(&mut self, step: Step, transaction: Committed) -> Option<Step> {
        let change = match step {
            Step::Row(change) if self.placement.is_plain() && self.wanted.is_empty() => change,
            step => return Some(step),
        };
        match self.filter.contains(change.table(), transaction) {
            Contains::Everything => None,
            Contains::Nothing if self.writer.target.is_fitting(&change) => {
                self.batch.add(Ready::Row(change));
                None
            }
            _ => Some(Step::Row(change)),
        }
    }

    async fn send_asking(&mut self, step: Step, transaction: Committed) -> Result<(), ApplyError> {
        let change = match step {
            Step::Row(change) => change,
            Step::Truncate(emptying) => {
                let emptied = self.emptied(&emptying, transaction).await?;
                if let Some(emptied) = emptied.filter(|_| self.wanted.is_empty()) {
                    self.batch.add(Ready::Empty(emptied));
                }
                return Ok(());
            }
        };
        let mut change = match self.missing_of(&change, transaction).await? {
            Missing::Nothing => return Ok(()),
            Missing::Row(row) => {
                self.want(row);
                return Ok(());
            }
            Missing::All => change,
            Missing::Change(left) => left,
        };
        if self.wanted.is_empty() {
            self.place(&mut change).await?;
            if !self.writer.target.is_fitting(&change) {
                self.writer.target.fitting_table(&change).await?;
            }
            self.batch.add(Ready::Row(change));
        }
        Ok(())
    }

    /// What of `change` the copy does not contain.
    async fn missing_of(
        &mut self,
        change: &Change,
        transaction: Committed,
    ) -> Result<Missing, ApplyError> {
        let table = change.table();
        let left = match self.filter.contains(table, transaction) {
            Contains::Everything => return Ok(Missing::Nothing),
            Contains::Nothing => return Ok(Missing::All),
            Contains::ByRow(parts) => left_of(change, parts, transaction)?,
            Contains::Unknown => return Err(self.unknown(table, change.read_at())),
        };
        Ok(match left {
            Left::Nothing => Missing::Nothing,
            Left::All => Missing::All,
            Left::Delete(change) => Missing::Change(change),
            Left::Insert(mut change, value) => {
                self.place(&mut change).await?;
                let known = self.writer.target.fitting_table(&change).await?;
                match known.is_covered_by(&change.prepare.shape.columns) {
                    true => Missing::Change(change),
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
    pub(super) fn unknown(&self, table: &QualifiedName, place: Place) -> ApplyError {
        let problem = format!(
            "BEGIN does not say where the transaction commits, so whether the rows of {table}, \
             copied from a standby, contain it is not known"
        );
        ApplyError::Order { place, problem }
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
