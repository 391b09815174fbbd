//! What is copied, and the snapshot it is copied under.

use crate::base::durable_file;
use crate::base::quantity::ByteSize;
use crate::base::snapshot::Snapshot;
use crate::catalog::discovery;
use crate::catalog::filters::{self, Selection, Strictness};
use crate::catalog::ledger::Ledger;
use crate::clone::epoch::Epoch;
use crate::clone::parts;
use crate::clone::schema::{self, SchemaError};
use crate::pg::Session;
use crate::store::{CATALOG_STEP, TableRow};

use super::steps::BaseCopy;
use crate::migration::begin::filters_of;
use crate::migration::error::{MigrationError, on_source};

impl BaseCopy<'_> {
    /// The tables to copy; and an epoch, if anything has to be read under one.
    pub(super) async fn catalog(
        &mut self,
        ledger: &Ledger,
    ) -> Result<(Vec<TableRow>, Option<Epoch>), MigrationError> {
        self.go_on()?;
        if self.store.step_is_done(CATALOG_STEP)? {
            let tables = self.store.tables()?;
            let missing = tables.iter().any(|table| !ledger.is_complete(&table.name));
            let epoch = match missing {
                true => Some(self.open_epoch(ledger).await?),
                false => None,
            };
            return Ok((tables, epoch));
        }
        self.store.begin_step(CATALOG_STEP)?;
        let published = self.store.tables()?;
        let epoch = self.open_epoch(ledger).await?;
        let failed = on_source("reading the catalog");
        let mut tables = discovery::tables(epoch.session()).await.map_err(&failed)?;
        let with_tablespaces = !self.config.choices.leave.has("--no-tablespaces");
        let mut indexes = discovery::indexes(epoch.session(), with_tablespaces)
            .await
            .map_err(&failed)?;
        let selection = self.select(epoch.session()).await?;
        selection.filter_tables(&mut tables);
        selection.filter_indexes(&mut indexes);
        self.check_published(&published, &mut tables)?;
        self.store.set_catalog(&tables, &indexes)?;
        if let Some(cutting) = self.config.choices.cutting {
            let parts = parts::plan(epoch.session(), &tables, cutting).await;
            let parts = parts.map_err(on_source("cutting tables into parts"))?;
            self.store.set_parts(&parts)?;
        }
        let (programs, source) = (&self.config.programs, &self.config.source);
        let dumped = schema::dump(
            programs,
            source,
            &epoch.id,
            selection.schemas(),
            &self.dump_path(),
            self.shutdown,
        );
        dumped.map_err(|error| match error {
            SchemaError::Stopped => MigrationError::Stopped,
            error => error.into(),
        })?;
        self.keep_foreign_keys(epoch.session()).await?;
        let bytes = tables.iter().map(|table| table.bytes).sum();
        tracing::info!(
            "{} tables, {}, and {} indexes to copy",
            tables.len(),
            ByteSize(bytes),
            indexes.len()
        );
        self.store.finish_step(CATALOG_STEP)?;
        Ok((tables, Some(epoch)))
    }

    /// What the filters leave out, written to the store.
    async fn select(&mut self, source: &Session) -> Result<Selection, MigrationError> {
        let filters = filters_of(&self.config.run)?;
        let selection = filters::resolve(source, &filters, Strictness::GoOn).await?;
        for notice in &selection.notices {
            tracing::warn!("{notice}");
        }
        self.store.set_left_out(selection.left_out())?;
        self.store.set_rows_left_out(&selection.rows_left_out())?;
        Ok(selection)
    }

    /// With change capture, a table that appeared after the publication was made is not in it.
    fn check_published(
        &self,
        published: &[TableRow],
        tables: &mut [TableRow],
    ) -> Result<(), MigrationError> {
        if self.config.run.slot.is_none() {
            return Ok(());
        }
        for table in tables {
            match published.iter().find(|known| known.oid == table.oid) {
                // The count as it was before the slot: later changes are to be noticed.
                Some(known) => table.uncaptured = known.uncaptured,
                None => {
                    return Err(MigrationError::Refused {
                        side: Some(schema::Side::Source),
                        problem: format!(
                            "table {} was created on the source while the migration began",
                            table.name
                        ),
                        hint: "begin anew with --restart".to_owned(),
                    });
                }
            }
        }
        Ok(())
    }

    /// What was visible where the slot begins; every epoch must see all of it. Without a slot there
    /// is none; with one it must be known, or changes between slot and epoch could be in neither.
    fn slot_snapshot(&self) -> Result<Option<Snapshot>, MigrationError> {
        let run = &self.config.run;
        let known = run
            .slot_snapshot
            .as_ref()
            .and_then(|text| text.parse().ok());
        match (&run.slot, known) {
            (Some(slot), None) => Err(MigrationError::Refused {
                side: None,
                problem: format!(
                    "the store does not say what was visible where slot {slot} begins"
                ),
                hint: "begin anew with --restart".to_owned(),
            }),
            (_, known) => Ok(known),
        }
    }

    pub(super) async fn open_epoch(&self, ledger: &Ledger) -> Result<Epoch, MigrationError> {
        let last = ledger.parts().map(|part| part.epoch).max().unwrap_or(0);
        let slot = self.slot_snapshot()?;
        let epoch = Epoch::open(&self.config.source, last + 1, slot.as_ref())
            .await
            .map_err(on_source("taking a snapshot"))?;
        let path = self.config.work_dir.snapshot_path();
        durable_file::replace(&path, format!("{}\n", epoch.id).as_bytes()).map_err(|source| {
            MigrationError::Io {
                doing: "writing",
                path,
                source,
            }
        })?;
        tracing::info!(
            "epoch {}: snapshot {} ({}), consistent from {}",
            epoch.number,
            epoch.id,
            epoch.snapshot,
            epoch.insert_lsn
        );
        Ok(epoch)
    }
}
