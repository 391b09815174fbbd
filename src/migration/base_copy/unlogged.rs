//! Unlogged tables: a crash of the target empties them, and says nothing.
//!
//! Their line in the ledger is logged and survives. So it is looked at, whenever the ledger is read
//! and once more at the end, whether tables of which rows were copied have any.

use crate::catalog::ledger::{self, Ledger};
use crate::clone::rows::RowsError;

use super::steps::BaseCopy;
use crate::migration::error::{MigrationError, on_target};

impl BaseCopy<'_> {
    /// The ledger as it is true: without tables whose rows a crash has lost since.
    pub(super) async fn read_ledger(&self) -> Result<Ledger, MigrationError> {
        let failed = on_target("reading the ledger");
        for table in ledger::forget_lost(&self.target).await.map_err(&failed)? {
            tracing::warn!(
                "{table} is unlogged, and a crash of the target has emptied it: it is copied again"
            );
        }
        ledger::read(&self.target).await.map_err(&failed)
    }

    /// Looks whether that happened since the rows were copied.
    pub(super) async fn nothing_lost(&self) -> Result<(), MigrationError> {
        let lost = ledger::forget_lost(&self.target).await;
        let lost = lost.map_err(on_target("looking at its unlogged tables"))?;
        match lost.into_iter().next() {
            None => Ok(()),
            Some(table) => Err(RowsError::Emptied { table }.into()),
        }
    }
}
