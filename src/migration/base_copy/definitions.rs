//! Definitions before and after the rows.

use std::collections::HashMap;

use crate::catalog::identity;
use crate::catalog::ledger::{self, EntryState};
use crate::catalog::restore_list::{self, Contents, Entry, Objects, PG_CLASS, PG_CONSTRAINT};
use crate::clone::programs::Programs;
use crate::clone::restore::{Outcome, Refused, Restore, RestoreError};
use crate::clone::schema::{self, Leave};
use crate::pg::{self, Session};
use crate::store::{IndexRow, LeftOut, Store, WorkDir};

use super::refused::{self, Definition, Verdict};
use super::source::SourceSide;
use super::steps::{BaseCopy, LAST_STEP, POST_DATA_STEP, PRE_DATA_STEP, dump_path};
use crate::base::durable_file;
use crate::migration::capture::inserts_publication;
use crate::migration::error::{MigrationError, on_source, on_target, to_target};

/// The indexes that pgflit builds itself, and their constraints.
fn made_here(store: &Store) -> Result<Objects, MigrationError> {
    let objects = |index: IndexRow| {
        let constraint = index.constraint.map(|it| (PG_CONSTRAINT, it.oid));
        [Some((PG_CLASS, index.oid)), constraint]
    };
    let indexes = store.indexes()?.into_iter();
    Ok(indexes.flat_map(objects).flatten().collect())
}

/// What of the dump in `work_dir` is not left out.
pub fn contents_of_dump(
    programs: &Programs,
    work_dir: &WorkDir,
    leave: &Leave,
    store: &Store,
) -> Result<Contents, MigrationError> {
    let mut contents = schema::contents(programs, &dump_path(work_dir), leave)?;
    contents.leave_out(&restore_list::objects(&store.left_out()?), &Objects::new());
    Ok(contents)
}

impl SourceSide<'_> {
    /// What of the dump the target is to have, whoever makes it.
    pub(super) fn wanted_contents(&self) -> Result<Contents, MigrationError> {
        contents_of_dump(
            self.programs,
            self.work_dir,
            &self.choices.leave,
            self.store,
        )
    }

    /// Writes the lists of what the target is to have, before the rows and after them.
    pub(super) fn write_lists(&self, contents: &Contents) -> Result<(), MigrationError> {
        let late = contents
            .post_data
            .iter()
            .chain(&contents.foreign_keys)
            .chain(&contents.last);
        for (name, list) in [
            ("pre-data.list", restore_list::list(&contents.pre_data)),
            ("post-data.list", restore_list::list(late)),
        ] {
            let path = self.work_dir.schema_path().join(name);
            durable_file::replace(&path, list.as_bytes()).map_err(|source| MigrationError::Io {
                doing: "writing",
                path,
                source,
            })?;
        }
        Ok(())
    }

    /// What is pgflit's own on the source.
    pub(super) async fn own_publications(
        &self,
        source: &Session,
    ) -> Result<Vec<LeftOut>, MigrationError> {
        let Some(publication) = &self.run.publication else {
            return Ok(Vec::new());
        };
        let sql = "SELECT 'pg_publication'::regclass::oid, p.oid, p.pubname::text
                     FROM pg_publication p WHERE p.pubname = ANY ($1)
                   UNION ALL
                   SELECT 'pg_publication_rel'::regclass::oid, r.oid, p.pubname::text
                     FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid
                    WHERE p.pubname = ANY ($1)";
        let names = vec![publication.clone(), inserts_publication(publication)];
        let rows = source.query(sql, &[&names]).await;
        let rows = rows.map_err(on_source("reading its publications"))?;
        let own = |row: &tokio_postgres::Row| LeftOut {
            catalog_oid: row.get(0),
            object_oid: row.get(1),
            kind: "publication".to_owned(),
            schema: None,
            name: row.get(2),
            reason: "pgflit's own".to_owned(),
        };
        Ok(rows.iter().map(own).collect())
    }
}

impl BaseCopy<'_> {
    pub(super) async fn step_is_done(&self, step: &str) -> Result<bool, MigrationError> {
        self.go_on()?;
        let done = ledger::step_is_done(&self.target, step).await;
        done.map_err(on_target("reading the ledger"))
    }

    /// Marks `step` as done, on the target and here.
    pub(super) async fn finish_on_target(&mut self, step: &str) -> Result<(), MigrationError> {
        let noted = self.target.batch(&ledger::note_step_sql(step)).await;
        noted.map_err(on_target("writing the ledger"))?;
        Ok(self.store.finish_step(step)?)
    }

    /// What of the dump is to be made by pg_restore's scripts.
    pub(super) fn contents(&mut self) -> Result<Contents, MigrationError> {
        if let Some(known) = &self.contents {
            return Ok(known.clone());
        }
        let side = self.source_side();
        let mut contents = side.wanted_contents()?;
        side.write_lists(&contents)?;
        contents.leave_out(&Objects::new(), &made_here(side.store)?);
        self.contents = Some(contents.clone());
        Ok(contents)
    }

    pub(super) async fn pre_data(&mut self) -> Result<(), MigrationError> {
        const STEP: &str = PRE_DATA_STEP;
        if self.step_is_done(STEP).await? {
            return Ok(());
        }
        self.store.begin_step(STEP)?;
        let mut contents = self.contents()?;
        if self.config.choices.drop_if_exists {
            self.drop_what_is_there(&contents).await?;
        }
        self.check_needs(&mut contents).await?;
        self.extensions(&contents).await?;
        let failed = self.restore(STEP, contents.pre_data).await?;
        match refused::all(failed) {
            // Rows would have nowhere to go.
            Some(error) => Err(error),
            None => self.finish_on_target(STEP).await,
        }
    }

    pub(super) async fn post_data(&mut self) -> Result<(), MigrationError> {
        const STEP: &str = POST_DATA_STEP;
        if self.step_is_done(STEP).await? {
            return Ok(());
        }
        self.store.begin_step(STEP)?;
        let entries = self.contents()?.post_data;
        self.restore_late(STEP, entries).await
    }

    /// What is part of foreign keys, such as comments; and event triggers, which would fire while
    /// anything else is made.
    pub(super) async fn last(&mut self) -> Result<(), MigrationError> {
        const STEP: &str = LAST_STEP;
        if self.step_is_done(STEP).await? {
            return Ok(());
        }
        self.store.begin_step(STEP)?;
        self.identities_as_before().await?;
        let entries = self.contents()?.last;
        self.restore_late(STEP, entries).await
    }

    /// The dump has the replica identities that this run has given to the source's tables: the target
    /// gets what they had before.
    async fn identities_as_before(&self) -> Result<(), MigrationError> {
        let failed = on_target("setting replica identities");
        for table in self.store.changed_identities()? {
            let set = identity::set(&self.target, &table.name, &table.before).await;
            set.map_err(&failed)?;
        }
        Ok(())
    }

    /// Makes `entries` of `step`; what is refused is told when everything else is done.
    async fn restore_late(
        &mut self,
        step: &str,
        entries: Vec<Entry>,
    ) -> Result<(), MigrationError> {
        let failed = self.restore(step, entries).await?;
        if failed.is_empty() {
            return self.finish_on_target(step).await;
        }
        self.refuse(failed)
    }

    /// Keeps what was refused for the end; ends at once with `--fail-fast`.
    pub(super) fn refuse(&mut self, failed: Vec<Definition>) -> Result<(), MigrationError> {
        self.refused.extend(failed);
        match self.config.choices.fail_fast {
            true => self.all_made(),
            false => Ok(()),
        }
    }

    /// An error if anything was refused on the way.
    pub(super) fn all_made(&mut self) -> Result<(), MigrationError> {
        match refused::all(std::mem::take(&mut self.refused)) {
            None => Ok(()),
            Some(error) => Err(error),
        }
    }

    /// Makes those of `entries` that are not on the target; gives what it refused.
    pub(super) async fn restore(
        &self,
        step: &str,
        entries: Vec<Entry>,
    ) -> Result<Vec<Definition>, MigrationError> {
        let config = self.config;
        let folder = config.work_dir.schema_path();
        let known = ledger::entries(&self.target)
            .await
            .map_err(on_target("reading the ledger"))?;
        let missing = entries
            .into_iter()
            .filter(|entry| matches!(known.get(&entry.dump_id), None | Some(EntryState::Failed)));
        let missing: Vec<Entry> = missing.collect();
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        // Scripts change settings of their session, so they have one of their own.
        let session = Session::connect(&config.target, step)
            .await
            .map_err(to_target(&config.target))?;
        let restore = Restore {
            programs: &config.programs,
            dump: &self.dump_path(),
            folder: &folder,
            leave: &config.choices.leave,
            target: &session,
            fail_fast: config.choices.fail_fast,
            shutdown: self.shutdown,
        };
        let outcome = restore.make(missing).await.map_err(|error| match error {
            RestoreError::Stopped => MigrationError::Stopped,
            RestoreError::Schema(error) => error.into(),
            RestoreError::Target(source) => MigrationError::Target {
                doing: "making definitions",
                source,
            },
            RestoreError::Thread(error) => MigrationError::Thread(error),
        })?;
        self.settle(step, outcome, &known).await
    }

    /// Decides about each entry that the target refused, says so, and notes it.
    async fn settle(
        &self,
        step: &str,
        outcome: Outcome,
        known: &HashMap<u32, EntryState>,
    ) -> Result<Vec<Definition>, MigrationError> {
        let mut failed = Vec::new();
        let (mut left_out, mut sql) = (Vec::new(), String::new());
        for refused in outcome.refused {
            let Refused { entry, error, .. } = &refused;
            let was_refused = known.contains_key(&entry.dump_id);
            match refused::verdict(entry, &error_code(error), was_refused) {
                Verdict::Made => {
                    tracing::info!("{} was made by hand", refused::name(entry));
                    self.note(&[entry.dump_id], EntryState::Done).await?;
                }
                Verdict::LeaveOut => {
                    tracing::warn!("left out {}: {error}", refused::name(entry));
                    left_out.push(refused);
                }
                Verdict::Refuse => {
                    self.note(&[entry.dump_id], EntryState::Failed).await?;
                    sql.push_str(&refused::as_sql_to_be_done(&refused));
                    let definition = Definition::of(refused);
                    definition.say();
                    failed.push(definition);
                }
            }
        }
        if outcome.skipped > 0 {
            tracing::error!(
                "{} more definitions were not tried, because they need those",
                outcome.skipped
            );
        }
        if !sql.is_empty() {
            let sql = format!("{}{sql}", refused::SETTINGS);
            self.write(&format!("{step}-refused.sql"), &sql)?;
        }
        self.leave_out(left_out).await?;
        Ok(failed)
    }

    /// Keeps the SQL of what is left out for an administrator, and then notes it.
    async fn leave_out(&self, entries: Vec<Refused>) -> Result<(), MigrationError> {
        if entries.is_empty() {
            return Ok(());
        }
        let path = self.config.work_dir.schema_path().join(refused::LEFT_OUT);
        let mut text =
            std::fs::read_to_string(path).unwrap_or_else(|_| refused::SETTINGS.to_owned());
        text.extend(entries.iter().map(refused::as_sql));
        self.write(refused::LEFT_OUT, &text)?;
        let dump_ids: Vec<_> = entries
            .iter()
            .map(|refused| refused.entry.dump_id)
            .collect();
        self.note(&dump_ids, EntryState::LeftOut).await
    }

    async fn note(&self, dump_ids: &[u32], state: EntryState) -> Result<(), MigrationError> {
        let sql = ledger::note_entries_sql(dump_ids, state);
        let noted = self.target.batch(&sql).await;
        noted.map_err(on_target("writing the ledger"))
    }

    /// Writes a file in the folder of definitions.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), MigrationError> {
        let path = self.config.work_dir.schema_path().join(name);
        durable_file::replace(&path, text.as_bytes()).map_err(|source| MigrationError::Io {
            doing: "writing",
            path,
            source,
        })
    }
}

fn error_code(error: &pg::Error) -> String {
    error.sqlstate().unwrap_or_default().to_owned()
}
