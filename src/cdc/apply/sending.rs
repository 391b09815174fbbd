//! Changes on their way into the open target transaction: what of each the copy does not contain.

use std::sync::Arc;

use crate::base::QualifiedName;
use crate::cdc::change::Begin;
use crate::store::WantedRow;

use super::applier::{Applier, Step};
use super::error::ApplyError;
use super::filter::Contains;
use super::moved::{Left, left_of};
use super::target::{Change, Emptying};

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
    pub(super) async fn send_all(&mut self, steps: Vec<Step>) -> Result<(), ApplyError> {
        for step in steps {
            self.send(step).await?;
        }
        Ok(())
    }

    /// Whether the target's tables take a transaction of which nothing is sent yet. If one does
    /// not, what stands before it in the group is committed first: it fits, and is shown to.
    ///
    /// Notes which of its rows have to be copied again.
    pub(super) async fn check_fit(&mut self, steps: &[Step]) -> Result<(), ApplyError> {
        for step in steps {
            let Step::Row(change) = step else { continue };
            let fits = match self.missing_of(change).await {
                Ok(Missing::Nothing) => continue,
                Ok(Missing::Row(row)) => {
                    self.want(row);
                    continue;
                }
                Ok(Missing::Change(change)) if self.target.has_prepared(&change) => continue,
                Ok(Missing::Change(change)) => self.target.fitting_table(&change).await.map(drop),
                Err(error) => Err(error),
            };
            match fits {
                Err(error @ (ApplyError::Misfit { .. } | ApplyError::Unplaced { .. })) => {
                    self.finish_group().await?;
                    return Err(error);
                }
                fits => fits?,
            }
        }
        Ok(())
    }

    /// Sends a change into the open target transaction, unless the copy contains it.
    pub(super) async fn send(&mut self, step: Step) -> Result<(), ApplyError> {
        match step {
            Step::Row(change) => match self.missing_of(&change).await? {
                Missing::Nothing => Ok(()),
                Missing::Row(row) => {
                    self.want(row);
                    Ok(())
                }
                Missing::Change(_) if !self.wanted.is_empty() => Ok(()),
                Missing::Change(change) => {
                    self.target.begin()?;
                    self.group_rows += 1;
                    self.target.row(change).await
                }
            },
            Step::Truncate(emptying) => self.empty(emptying).await,
        }
    }

    /// What of `change` the copy does not contain.
    async fn missing_of(&mut self, change: &Arc<Change>) -> Result<Missing, ApplyError> {
        let table = change.table();
        let left = match self.filter.contains(&table, change.begin.xid) {
            Contains::Everything => return Ok(Missing::Nothing),
            Contains::Nothing => return Ok(Missing::Change(Arc::clone(change))),
            Contains::ByRow(parts) => left_of(change, parts)?,
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
                        table,
                        value,
                        xid: change.begin.xid,
                    }),
                }
            }
        })
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

    /// Empties the relations of a TRUNCATE; of one that was copied in several epochs the parts that do
    /// not contain it.
    async fn empty(&mut self, emptying: Arc<Emptying>) -> Result<(), ApplyError> {
        let mut line = emptying.line.clone();
        let mut partly = Vec::new();
        line.rels.retain(|(schema, name)| {
            let table = QualifiedName::new(schema, name);
            match self.filter.contains(&table, emptying.begin.xid) {
                Contains::Everything => false,
                Contains::Nothing => true,
                Contains::ByRow(parts) => {
                    partly.push((table, parts.rows_without(emptying.begin.xid)));
                    false
                }
            }
        });
        if !self.wanted.is_empty() || (line.rels.is_empty() && partly.is_empty()) {
            return Ok(());
        }
        self.target.begin()?;
        self.group_rows += 1;
        for (table, rows) in &partly {
            self.target.empty_rows(table, rows, &emptying).await?;
        }
        match line.rels.is_empty() {
            true => Ok(()),
            false => self.target.truncate(&line, emptying).await,
        }
    }
}
