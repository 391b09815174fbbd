//! Rows that are copied again: apply has found that each had moved between parts that were copied at
//! different moments, with values that the stream does not carry, so that it is nowhere on the target.
//!
//! # Crash story
//! Apply's request is in the store. Each row and its line in the ledger commit together, under a
//! snapshot that sees the transaction which moved it; what has such a line is not copied again.

use std::collections::HashSet;
use std::sync::Arc;

use crate::base::visibility::CommitRecord;
use crate::base::{KeyRange, Lsn, Shutdown};
use crate::catalog::ledger::{self, Ledger};
use crate::clone::rows::{self, Task};
use crate::store::{PartRow, TableRow, WantedRow};

use super::readers::Readers;
use super::steps::{BaseCopy, Config};
use crate::migration::error::{MigrationError, on_target};

/// Keys are copied again under snapshots of the source, where the id decides and not the commit record.
const SOMEWHERE: CommitRecord = CommitRecord::After(Lsn::ZERO);

/// Copies what apply has asked for and is not copied since; gives how many keys.
pub async fn copy_wanted(config: &Config, shutdown: &Shutdown) -> Result<usize, MigrationError> {
    let mut copy = BaseCopy::open(config, shutdown).await?;
    let ledger = copy.read_ledger().await?;
    let mut wanted = copy.store.wanted_rows()?;
    wanted.retain(|row| !is_there(row, &ledger));
    if wanted.is_empty() {
        return Ok(0);
    }
    // On the source itself: of single rows, that costs nothing.
    let epoch = copy.open_later_epoch(&ledger).await?;
    let consistent_from = epoch.insert_lsn;
    let readers = Readers::of_source(epoch, &config.source);
    let tasks = copy.tasks(wanted, &ledger, &readers).await?;
    let count = tasks.len();
    let failed = copy.copy_again(&readers, tasks);
    ledger::make_durable(&copy.target)
        .await
        .map_err(on_target("making its rows durable"))?;
    match failed {
        Some(error) => Err(error),
        None => {
            copy.move_end(consistent_from)?;
            tracing::info!(
                "copied {count} keys again whose rows had moved between parts of different moments"
            );
            Ok(count)
        }
    }
}

/// Whether the ledger has a copy of the row that sees it where it moved to.
fn is_there(row: &WantedRow, ledger: &Ledger) -> bool {
    ledger.keys_of(&row.table).iter().any(|part| {
        let only = part.range.as_ref().and_then(|range| range.only.as_ref());
        only == Some(&row.value) && part.visibility.contains(row.xid, SOMEWHERE) == Some(true)
    })
}

impl BaseCopy<'_> {
    async fn tasks(
        &self,
        wanted: Vec<WantedRow>,
        ledger: &Ledger,
        readers: &Readers,
    ) -> Result<Vec<Task>, MigrationError> {
        let names: HashSet<_> = wanted.iter().map(|row| row.table.clone()).collect();
        let mut tables = self.store.tables()?;
        tables.retain(|table| names.contains(&table.name));
        let methods = self.methods(readers, &tables).await?;
        let mut tasks = Vec::new();
        for table in tables.into_iter().map(Arc::new) {
            let parts = ledger.parts_of(&table.name);
            let cut = parts.first().and_then(|part| part.range.clone());
            let (Some(cut), Some(method)) = (cut, methods.get(&table.oid)) else {
                continue;
            };
            let count = parts.first().map_or(0, |part| part.count);
            let known = ledger
                .keys_of(&table.name)
                .iter()
                .map(|part| part.number + 1);
            let mut number = known.max().unwrap_or(count);
            let mut told = HashSet::new();
            for row in wanted.iter().filter(|row| row.table == table.name) {
                if !told.insert(&row.value) {
                    continue;
                }
                let range = KeyRange::only(&cut, &row.value);
                tasks.push(Task {
                    table: Arc::clone(&table),
                    part: Some(part_of(&table, number, range)),
                    part_count: count,
                    method: method.clone(),
                    reader: readers.place_of(table.oid, None),
                    replaces: true,
                });
                number += 1;
            }
        }
        Ok(tasks)
    }

    fn copy_again(&self, readers: &Readers, tasks: Vec<Task>) -> Option<MigrationError> {
        let config = rows::Config {
            readers: &readers.list,
            target: self.config.target.clone(),
            jobs: self.config.choices.table_jobs,
            fail_fast: false,
            give_up: self.give_up.clone(),
            retry_for: self.config.choices.retry_for,
            load_limit: self.config.choices.source_load_limit,
        };
        let outcome = rows::copy_all(&config, tasks, self.shutdown, &|_| {});
        match outcome.failed.into_iter().next() {
            Some(error) => Some(error.into()),
            None if outcome.stopped => Some(MigrationError::Stopped),
            None => None,
        }
    }

    /// The table is of one moment again where the new snapshot was taken; an end before that, which was
    /// only to be "now", moves there.
    fn move_end(&mut self, consistent_from: Lsn) -> Result<(), MigrationError> {
        let sentinel = self.store.sentinel()?;
        let is_before = sentinel.endpos().is_some_and(|end| end < consistent_from);
        if is_before && sentinel.endpos_movable {
            tracing::info!("endpos moves to {consistent_from}, where the rows are consistent");
            self.store.raise_endpos(consistent_from)?;
        }
        Ok(())
    }
}

fn part_of(table: &TableRow, number: u32, range: KeyRange) -> PartRow {
    PartRow {
        table_oid: table.oid,
        number,
        condition: range.condition(),
        by_key: true,
        bytes: 0,
        range: Some(range),
    }
}
