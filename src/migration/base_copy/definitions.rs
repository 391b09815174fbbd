//! Definitions before and after the rows, and foreign keys when all tables are of one moment.

use std::time::Duration;

use crate::base::backoff::Backoff;
use crate::catalog::restore_list::{
    self, Keep, Objects, PG_CLASS, PG_CONSTRAINT, PG_PUBLICATION, PG_PUBLICATION_REL,
};
use crate::catalog::{dump_entries, ledger};
use crate::clone::schema::{self, Section};
use crate::pg::Session;
use crate::store::IndexRow;

use super::steps::BaseCopy;
use crate::migration::capture::inserts_publication;
use crate::migration::error::{MigrationError, on_source, on_target, to_target};

/// SQLSTATE deadlock_detected.
const DEADLOCK: &str = "40P01";

/// How many deadlocks with apply, while foreign keys are added, end the migration.
const DEADLOCKS: u32 = 20;

/// How often convergence is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

impl BaseCopy<'_> {
    /// Runs the entries of `list` and the mark of `step`, after `drops`, in one transaction of the
    /// target.
    async fn restore(&self, step: &str, list: &str, drops: &str) -> Result<(), MigrationError> {
        let list_file = self
            .config
            .work_dir
            .schema_path()
            .join(format!("{step}.list"));
        let config = self.config;
        let script = match restore_list::is_empty(list) {
            true => String::new(),
            false => schema::script(
                &config.programs,
                &self.dump_path(),
                list,
                &list_file,
                &config.choices.leave,
            )?,
        };
        // The script changes settings of its session, so it has one of its own.
        let session = Session::connect(&config.target, step)
            .await
            .map_err(to_target(&config.target))?;
        let sql = format!("BEGIN;\n{drops}\n{script}\n{}", ledger::note_step_sql(step));
        let restored = async {
            session.batch(&sql).await?;
            // Separately: when we are killed meanwhile, the server ends the script and then finds
            // nobody who asks for a commit, so that a resumed run never meets half of ours.
            session.batch("COMMIT").await
        };
        tokio::select! {
            done = restored => done.map_err(on_target("restoring the schema")),
            // One transaction: the server undoes it when it notices that we are gone.
            () = self.shutdown.overdue() => Err(MigrationError::Stopped),
        }
    }

    async fn step_is_done(&self, step: &str) -> Result<bool, MigrationError> {
        self.go_on()?;
        let done = ledger::step_is_done(&self.target, step).await;
        done.map_err(on_target("reading the ledger"))
    }

    pub(super) async fn pre_data(&mut self) -> Result<(), MigrationError> {
        const STEP: &str = "pre-data";
        if self.step_is_done(STEP).await? {
            return Ok(());
        }
        self.store.begin_step(STEP)?;
        let list = self.list(Section::PreData)?;
        let list = restore_list::edit(&list, &self.left_out().await?, Keep::Everything);
        let drops = match self.config.choices.drop_if_exists {
            true => self.drops(&list)?,
            false => String::new(),
        };
        self.restore(STEP, &list, &drops).await?;
        Ok(self.store.finish_step(STEP)?)
    }

    /// The entries of `section`, without those that filters and options leave out.
    fn list(&self, section: Section) -> Result<String, MigrationError> {
        let list = schema::list(&self.config.programs, &self.dump_path(), section)?;
        let gone = restore_list::objects(&self.store.left_out()?);
        if gone.is_empty() {
            return Ok(list);
        }
        let all = schema::list_with_dependencies(&self.config.programs, &self.dump_path())?;
        Ok(dump_entries::without(&list, &all, &gone))
    }

    /// What drops the entries of the pre-data `list` from the target. Tables go first, with what
    /// depends on them, such as foreign keys, which are not in this list.
    fn drops(&self, list: &str) -> Result<String, MigrationError> {
        let tables = self.store.tables()?;
        let tables = tables.iter().map(|table| table.name.quoted());
        let mut drops: String = tables
            .map(|table| format!("DROP TABLE IF EXISTS {table} CASCADE;\n"))
            .collect();
        let list_file = self.config.work_dir.schema_path().join("drop.list");
        let script =
            schema::drop_script(&self.config.programs, &self.dump_path(), list, &list_file)?;
        drops.push_str(&script);
        Ok(drops)
    }

    /// What filters and options leave out, what pgflit makes itself, and what is its own on the
    /// source.
    async fn left_out(&self) -> Result<Objects, MigrationError> {
        let mut objects: Objects = self
            .store
            .indexes()?
            .iter()
            .flat_map(
                |IndexRow {
                     oid, constraint, ..
                 }| {
                    let constraint = constraint
                        .as_ref()
                        .map(|constraint| (PG_CONSTRAINT, constraint.oid));
                    [Some((PG_CLASS, *oid)), constraint]
                },
            )
            .flatten()
            .collect();
        let left_out = self.store.left_out()?;
        objects.extend(
            left_out
                .iter()
                .map(|object| (object.catalog_oid, object.object_oid)),
        );
        let Some(publication) = &self.config.run.publication else {
            return Ok(objects);
        };
        let failed = on_source("reading its publications");
        let source = Session::connect(&self.config.source, "base copy")
            .await
            .map_err(&failed)?;
        let sql = "SELECT p.oid, r.oid FROM pg_publication p
                     LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid
                    WHERE p.pubname = ANY ($1)";
        let names = vec![publication.clone(), inserts_publication(publication)];
        for row in source.query(sql, &[&names]).await.map_err(&failed)? {
            objects.insert((PG_PUBLICATION, row.get(0)));
            objects.extend(
                row.get::<_, Option<u32>>(1)
                    .map(|oid| (PG_PUBLICATION_REL, oid)),
            );
        }
        Ok(objects)
    }

    async fn post_data_step(&mut self, step: &str, keep: Keep) -> Result<(), MigrationError> {
        if self.step_is_done(step).await? {
            return Ok(());
        }
        self.store.begin_step(step)?;
        let list = self.list(Section::PostData)?;
        let list = restore_list::edit(&list, &self.left_out().await?, keep);
        self.restore(step, &list, "").await?;
        Ok(self.store.finish_step(step)?)
    }

    pub(super) async fn post_data(&mut self) -> Result<(), MigrationError> {
        self.post_data_step("post-data", Keep::AllButForeignKeys)
            .await
    }

    /// Foreign keys hold only between tables of one moment: with several epochs they wait until
    /// apply has brought all tables to the same one.
    pub(super) async fn foreign_keys(&mut self) -> Result<(), MigrationError> {
        const STEP: &str = "foreign-keys";
        if self.step_is_done(STEP).await? {
            return Ok(());
        }
        let ledger = ledger::read(&self.target)
            .await
            .map_err(on_target("reading the ledger"))?;
        if ledger.epoch_count() > 1 && self.config.run.slot.is_some() {
            let convergence = ledger.convergence();
            tracing::info!(
                "the copy was taken in several epochs: foreign keys wait for {convergence}"
            );
            self.store.set_apply(true)?;
            loop {
                let sentinel = self.store.sentinel()?;
                if sentinel.replay_lsn >= convergence {
                    break;
                }
                if let Some(endpos) = sentinel.endpos()
                    && endpos < convergence
                {
                    return Err(MigrationError::EndposTooEarly {
                        endpos,
                        begin: convergence,
                    });
                }
                self.go_on()?;
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));
        for attempt in 1.. {
            match self.post_data_step(STEP, Keep::ForeignKeys).await {
                // Apply locks the same tables meanwhile, in another order; all of it is undone.
                Err(MigrationError::Target { source, .. })
                    if source.sqlstate() == Some(DEADLOCK) && attempt < DEADLOCKS =>
                {
                    tracing::warn!("adding foreign keys: {source}; trying again");
                    tokio::time::sleep(backoff.next_wait()).await;
                }
                done => return done,
            }
        }
        Ok(())
    }
}
