//! What is copied, and the snapshot it is copied under.

use crate::base::failpoint;
use crate::base::milestone::STAGE;
use crate::base::quantity::ByteSize;
use crate::catalog::discovery;
use crate::catalog::filters::{self, Selection, Strictness};
use crate::catalog::ledger::Ledger;
use crate::catalog::parts::{self, Cutting};
use crate::clone::epoch::Epoch;
use crate::clone::schema::{self, SchemaError};
use crate::pg::{self, Session};
use crate::store::{CATALOG_STEP, Capture, PartRow, TableRow};

use super::scope::{Action, Scope};
use super::source::SourceSide;
use super::steps::{BaseCopy, dump_path};
use crate::migration::begin::filters_of;
use crate::migration::error::{MigrationError, on_source, to_source};
use crate::migration::{partitions, rewritten};

impl BaseCopy<'_> {
    /// The tables to copy; and an epoch, if `scope` has anything to read under one.
    pub(super) async fn catalog(
        &mut self,
        ledger: &Ledger,
        scope: Scope,
    ) -> Result<(Vec<TableRow>, Option<Epoch>), MigrationError> {
        self.go_on()?;
        if !self.store.step_is_done(CATALOG_STEP)? {
            let (tables, epoch) = self.source_side().read_catalog(ledger).await?;
            return Ok((tables, Some(epoch)));
        }
        let tables = self.store.tables()?;
        let missing = tables.iter().any(|table| !ledger.is_complete(&table.name));
        if !missing || !scope.has(Action::Rows) {
            return Ok((tables, None));
        }
        let epoch = self.open_epoch(ledger).await?;
        let side = self.source_side();
        side.check_tables(epoch.session(), &tables).await?;
        Ok((tables, Some(epoch)))
    }
}

impl SourceSide<'_> {
    /// Writes what the source contains to the store, and dumps its definitions.
    pub(super) async fn read_catalog(
        &mut self,
        ledger: &Ledger,
    ) -> Result<(Vec<TableRow>, Epoch), MigrationError> {
        self.store.begin_step(CATALOG_STEP)?;
        let published = self.store.tables()?;
        let epoch = self.open_epoch(ledger).await?;
        failpoint::reach("epoch opened");
        let failed = on_source("reading the catalog");
        let sizes = self.choices.sizes;
        let mut tables = discovery::tables(epoch.session(), sizes)
            .await
            .map_err(&failed)?;
        let with_tablespaces = !self.choices.leave.has("--no-tablespaces");
        let invalid = discovery::invalid_indexes(epoch.session()).await;
        for index in invalid.map_err(&failed)? {
            tracing::warn!("index {index} is invalid on the source: the target does not get it");
        }
        let mut indexes = discovery::indexes(epoch.session(), sizes, with_tablespaces)
            .await
            .map_err(&failed)?;
        let selection = self.select(epoch.session()).await?;
        for notice in &selection.notices {
            tracing::warn!("{notice}");
        }
        let own = self.own_publications(epoch.session()).await?;
        self.store
            .set_left_out(&[selection.left_out(), &own].concat())?;
        self.store.set_rows_left_out(&selection.rows_left_out())?;
        selection.filter_tables(&mut tables);
        selection.filter_indexes(&mut indexes);
        self.check_published(&published, &mut tables)?;
        self.store.set_catalog(&tables, &indexes)?;
        rewritten::keep(epoch.session(), self.store).await?;
        let session = Session::connect(self.source, "catalog").await;
        let session = session.map_err(to_source(self.source))?;
        partitions::keep(&session, self.store).await?;
        drop(session);
        if let Some(cutting) = self.choices.cutting {
            let parts = plan_parts(epoch.session(), &tables, cutting).await;
            let parts = parts.map_err(on_source("cutting tables into parts"))?;
            self.store.set_parts(&parts)?;
        }
        let source = schema::for_programs(self.source).await;
        let source = source.map_err(on_source("asking for its settings"))?;
        let dumped = schema::dump(
            self.programs,
            &source,
            &epoch.id,
            selection.schemas(),
            &dump_path(self.work_dir),
            self.shutdown,
        );
        dumped.map_err(|error| match error {
            SchemaError::Stopped => MigrationError::Stopped,
            error => error.into(),
        })?;
        failpoint::reach("dump made");
        self.keep_foreign_keys(epoch.session()).await?;
        let bytes = tables.iter().map(|table| table.bytes).sum();
        tracing::info!(
            target: STAGE,
            "{} tables, {}, and {} indexes to copy",
            tables.len(),
            ByteSize(bytes),
            indexes.len()
        );
        self.store.finish_step(CATALOG_STEP)?;
        Ok((tables, epoch))
    }

    /// What the filters leave out.
    pub(super) async fn select(&self, source: &Session) -> Result<Selection, MigrationError> {
        let filters = filters_of(self.run)?;
        Ok(filters::resolve(source, &filters, Strictness::GoOn).await?)
    }

    /// With change capture, a table that appeared after the publication was made is not in it.
    fn check_published(
        &self,
        published: &[TableRow],
        tables: &mut [TableRow],
    ) -> Result<(), MigrationError> {
        if self.run.slot.is_none() {
            return Ok(());
        }
        for table in tables {
            match published.iter().find(|known| known.oid == table.oid) {
                Some(known) => {
                    // The count as it was before the slot: later changes are to be noticed.
                    table.uncaptured = known.uncaptured;
                    // What is published is what was so then.
                    if self.run.publication.is_some() && known.capture == Capture::InsertsOnly {
                        table.capture = known.capture;
                    }
                }
                None => {
                    return Err(MigrationError::Refused {
                        side: Some(crate::base::Side::Source),
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
}

/// Cutting reads the tables. The keeper of a snapshot lets these locks go: for as long as it holds
/// the snapshot, a TRUNCATE would wait for them, and behind it whoever uses the table.
async fn plan_parts(
    keeper: &Session,
    tables: &[TableRow],
    cutting: Cutting,
) -> Result<Vec<PartRow>, pg::Error> {
    keeper.batch("SAVEPOINT before_cutting").await?;
    let parts = parts::plan(keeper, tables, cutting).await?;
    keeper.batch("ROLLBACK TO before_cutting").await?;
    Ok(parts)
}
