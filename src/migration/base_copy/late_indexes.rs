//! Indexes that wait until a table is of one moment.
//!
//! Parts of several epochs may hold a value twice that was unique at every moment of the source: in a
//! row that had it, and in one that got it later. Only an index that has the column by which the table
//! is cut cannot meet that. The others are built once apply has brought the table to one moment.

use std::collections::{HashMap, HashSet};

use crate::catalog::ledger::{self, Ledger};
use crate::clone::completion::Completion;
use crate::pg::Session;
use crate::store::IndexRow;

use super::left::Left;
use super::steps::BaseCopy;
use super::tables::{Plan, Wanted};
use crate::migration::error::{MigrationError, on_source, on_target};

/// Of the indexes $1, those that could meet a value twice while their table is cut by the column of
/// the same place in $2.
const MAY_MEET_TWICE: &str = "
SELECT i.indexrelid
  FROM unnest($1::oid[], $2::text[]) AS asked (oid, key)
  JOIN pg_index i ON i.indexrelid = asked.oid
 WHERE i.indisexclusion
       OR i.indisunique AND NOT EXISTS (
              SELECT FROM pg_attribute a
               WHERE a.attrelid = i.indrelid AND a.attname = asked.key
                     AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]))";

impl BaseCopy<'_> {
    /// Takes from `completion` the indexes that have to wait, of tables that are, or are about to be,
    /// on the target in parts of several moments: of several epochs, or as `is_split` says.
    /// Those tables must not be told to be copied yet.
    pub(super) async fn leave_for_later(
        &self,
        plan: &Plan,
        ledger: &Ledger,
        is_split: impl Fn(u32) -> bool,
        indexes: &[IndexRow],
        completion: &Completion,
        late: &mut Vec<IndexRow>,
    ) -> Result<(), MigrationError> {
        if self.config.run.slot.is_none() {
            return Ok(());
        }
        let several = ledger.of_several_moments();
        let mixed = plan.tables.iter().filter(|table| {
            several.contains(&table.name)
                || is_split(table.oid)
                || matches!(plan.left(table, ledger, false), Left::Parts(_))
        });
        let keys = mixed.filter_map(|table| {
            let range = plan.parts_of(table.oid).first()?.range.as_ref()?;
            Some((table.oid, range.column.clone()))
        });
        let keys: HashMap<u32, String> = keys.collect();
        let asked = indexes.iter().filter_map(|index| {
            let key = keys.get(&index.table_oid)?;
            Some((index.oid, key.clone()))
        });
        let (oids, columns): (Vec<u32>, Vec<String>) = asked.unzip();
        if oids.is_empty() {
            return Ok(());
        }
        let failed = on_source("looking at its indexes");
        let source = Session::connect(&self.config.source, "base copy").await;
        let source = source.map_err(&failed)?;
        let rows = source.query(MAY_MEET_TWICE, &[&oids, &columns]).await;
        let waiting: HashSet<u32> = rows
            .map_err(&failed)?
            .iter()
            .map(|row| row.get(0))
            .collect();
        for table in keys.keys() {
            completion.leave_out(*table, &waiting);
        }
        let known: HashSet<u32> = late.iter().map(|index| index.oid).collect();
        let more = (indexes.iter())
            .filter(|index| waiting.contains(&index.oid) && !known.contains(&index.oid));
        late.extend(more.cloned());
        Ok(())
    }

    /// Builds `late`, once every table is of one moment.
    pub(super) async fn late_indexes(
        &mut self,
        plan: &Plan,
        wanted: Wanted,
        late: Vec<IndexRow>,
    ) -> Result<(), MigrationError> {
        if late.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = late.iter().map(|index| index.name.to_string()).collect();
        let names = names.join(", ");
        self.wait_for_convergence(&format!("unique indexes {names} wait"))
            .await?;
        let completion = self.start_completion(wanted, plan, late.clone()).await?;
        for index in &late {
            completion.copied(index.table_oid);
        }
        completion.finish()?;
        self.go_on()
    }

    /// Lets apply go on, and waits until it has brought all tables to one moment.
    ///
    /// Rows that are copied again meanwhile make that moment a later one.
    pub(super) async fn wait_for_convergence(&mut self, who: &str) -> Result<(), MigrationError> {
        let mut told = None;
        loop {
            let ledger = ledger::read(&self.target).await;
            let ledger = ledger.map_err(on_target("reading the ledger"))?;
            if ledger.moment_count() <= 1 || self.config.run.slot.is_none() {
                return Ok(());
            }
            let convergence = ledger.convergence();
            if told == Some(convergence) {
                return Ok(());
            }
            told = Some(convergence);
            tracing::info!("the copy was taken in several epochs: {who} for {convergence}");
            self.store.set_apply(true)?;
            self.wait_until_replayed(convergence).await?;
        }
    }
}
