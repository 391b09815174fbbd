//! The rows of all tables, in as many epochs as it takes.

use std::sync::Mutex;

use crate::base::cause::chain;
use crate::base::quantity::{ByteSize, display_duration};
use crate::catalog::ledger::{self, Ledger};
use crate::clone::epoch::Epoch;
use crate::clone::rows::{self, RowsError};
use crate::store::{ROWS_STEP, Store, TableRow};

use super::steps::BaseCopy;
use crate::migration::error::{MigrationError, on_target};

impl BaseCopy<'_> {
    pub(super) async fn rows(
        &mut self,
        ledger: &Ledger,
        tables: Vec<TableRow>,
        epoch: Option<Epoch>,
    ) -> Result<(), MigrationError> {
        const STEP: &str = ROWS_STEP;
        self.go_on()?;
        let Some(epoch) = epoch else {
            // All are in the ledger; killed before this was noted, apply still waits for the note.
            if !self.store.step_is_done(STEP)? {
                self.store.begin_step(STEP)?;
                self.store.finish_step(STEP)?;
            }
            return Ok(());
        };
        self.store.begin_step(STEP)?;
        let all = tables.len();
        let missing: Vec<_> = tables
            .into_iter()
            .filter(|table| ledger.part(&table.name).is_none())
            .collect();
        if missing.len() < all {
            tracing::info!("{} of {all} tables are copied already", all - missing.len());
        }
        let mut epoch = epoch;
        let mut missing = missing;
        while !missing.is_empty() {
            let tables = missing.clone();
            self.rows_of_epoch(&epoch, tables)?;
            let ledger = ledger::read(&self.target)
                .await
                .map_err(on_target("reading the ledger"))?;
            missing.retain(|table| ledger.part(&table.name).is_none());
            if !missing.is_empty() {
                self.go_on()?;
                epoch = self.open_epoch(&ledger).await?;
            }
        }
        Ok(self.store.finish_step(STEP)?)
    }

    /// Copies `tables` under one snapshot, but for those that it cannot see any more, because they
    /// were truncated or rewritten meanwhile.
    fn rows_of_epoch(&self, epoch: &Epoch, tables: Vec<TableRow>) -> Result<(), MigrationError> {
        let all = tables.len();
        let config = rows::Config {
            source: self.config.source.clone(),
            target: self.config.target.clone(),
            jobs: self.config.choices.table_jobs,
            fail_fast: self.config.choices.fail_fast,
            snapshot_id: epoch.id.clone(),
            snapshot: epoch.snapshot.clone(),
            epoch: epoch.number,
            convergence: epoch.insert_lsn,
        };
        let report = CopyReport {
            store: Mutex::new(Store::open(&self.config.work_dir.store_path())?),
            epoch: epoch.number,
        };
        let outcome =
            rows::copy_tables(&config, tables, self.shutdown, &|event| report.take(event));
        let mut failed = Vec::new();
        for error in outcome.failed {
            match error {
                // Without the stream, tables of two moments would not fit together.
                RowsError::Rewritten { table } if self.config.run.slot.is_some() => {
                    tracing::info!(
                        "{} was truncated or rewritten meanwhile: it is copied again",
                        table.name
                    );
                }
                error => {
                    tracing::error!("{}", chain(&error));
                    failed.push(error);
                }
            }
        }
        let count = failed.len();
        let mut errors = failed.into_iter();
        match errors.next() {
            Some(first) if count == 1 => return Err(first.into()),
            Some(first) => {
                return Err(MigrationError::ManyRows {
                    failed: count,
                    all,
                    first,
                });
            }
            None => {}
        }
        match outcome.stopped {
            true => Err(MigrationError::Stopped),
            false => Ok(()),
        }
    }
}

/// Writes to store and log what the copy workers say.
struct CopyReport {
    store: Mutex<Store>,
    epoch: u32,
}

impl CopyReport {
    fn take(&self, event: rows::Event<'_>) {
        let mut store = self
            .store
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let noted = match event {
            rows::Event::Begun(table) => store.begin_table_copy(table.oid, self.epoch),
            rows::Event::Copied { table, part, took } => {
                tracing::info!(
                    "copied {}: {} rows, {}, {}",
                    table.name,
                    part.rows,
                    ByteSize(part.bytes),
                    display_duration(took)
                );
                store.finish_table_copy(table.oid, part.rows, part.bytes)
            }
        };
        // A report that is missing changes nothing: the ledger is the truth.
        if let Err(error) = noted {
            tracing::warn!("{}", chain(&error));
        }
    }
}
