//! Extensions: is each available, in which version is it made, what of its tables is copied.

use std::collections::HashSet;

use crate::base::Side;
use crate::base::ident::{quote_ident, quote_literal};
use crate::catalog::extensions::{self, ConfigRelation, Extension};
use crate::catalog::ledger::{self, EntryState, Ledger};
use crate::catalog::restore_list::{Contents, Entry, PG_EXTENSION, PG_NAMESPACE};
use crate::clone::epoch::Epoch;
use crate::clone::extensions::copy_config;
use crate::pg::{Address, Session};
use crate::store::Store;

use super::refused;
use super::steps::{BaseCopy, Choices, EXTENSION_ROWS_STEP, Ends, PRE_DATA_STEP};
use crate::migration::error::{MigrationError, on_source, on_target, to_source};

/// Between these hooks of its own, TimescaleDB lets its catalog be filled.
const TIMESCALEDB: &str = "timescaledb";
const RESTORING: &str = "timescaledb restore";

impl BaseCopy<'_> {
    /// Ends the migration before anything is made if the target lacks extensions; makes them, with
    /// their schemas, where versions are required.
    pub(super) async fn extensions(&mut self, contents: &Contents) -> Result<(), MigrationError> {
        let is_extension = |entry: &&Entry| entry.object.0 == PG_EXTENSION;
        let entries: Vec<&Entry> = contents.pre_data.iter().filter(is_extension).collect();
        if entries.is_empty() {
            return Ok(());
        }
        let source = Session::connect(&self.config.source, "extensions")
            .await
            .map_err(to_source(&self.config.source))?;
        let all = extensions::extensions(&source).await;
        let all = all.map_err(on_source("reading its extensions"))?;
        let wanted: Vec<_> = all
            .iter()
            .filter(|it| entries.iter().any(|entry| entry.object.1 == it.oid))
            .map(|it| (it.name.clone(), self.required(&it.name)))
            .collect();
        self.check_available(&wanted).await?;
        let restoring = wanted.iter().any(|(name, _)| name == TIMESCALEDB);
        match restoring || wanted.iter().any(|(_, version)| version.is_some()) {
            true => self.make_extensions(contents, &all).await,
            false => Ok(()),
        }
    }

    /// Makes extensions and what they need, and nothing else of the dump.
    pub(super) async fn extensions_alone(&mut self) -> Result<(), MigrationError> {
        const STEP: &str = "extensions";
        if self.step_is_done(PRE_DATA_STEP).await? || self.step_is_done(STEP).await? {
            return Ok(());
        }
        self.store.begin_step(STEP)?;
        let mut contents = self.contents()?;
        let wanted = with_needs(&contents.pre_data);
        contents.retain(|entry| wanted.contains(&entry.dump_id));
        self.check_needs(&mut contents).await?;
        self.extensions(&contents).await?;
        let failed = self.restore(STEP, contents.pre_data).await?;
        match refused::all(failed) {
            Some(error) => Err(error),
            None => self.finish_on_target(STEP).await,
        }
    }

    /// The version that `--requirements` has of an extension.
    fn required(&self, name: &str) -> Option<String> {
        let requirements = &self.config.choices.requirements;
        let found = requirements.iter().find(|it| it.name == name);
        found.map(|it| it.version.clone())
    }

    async fn check_available(
        &self,
        wanted: &[(String, Option<String>)],
    ) -> Result<(), MigrationError> {
        let missing = extensions::unavailable(&self.target, wanted).await;
        let missing = missing.map_err(on_target("looking for extensions"))?;
        if missing.is_empty() {
            return Ok(());
        }
        Err(MigrationError::Refused {
            side: Some(Side::Target),
            problem: format!(
                "these extensions are not available on the target: {}",
                missing.join(", ")
            ),
            hint: "install them on the target's server; or name versions that it has with \
                   --requirements; or leave them out with [exclude-extension] in --filters, all of \
                   them with --skip-extensions; then begin anew with --restart, or with --follow go on with --resume"
                .to_owned(),
        })
    }

    /// Makes schemas and extensions in the order of the dump.
    async fn make_extensions(
        &mut self,
        contents: &Contents,
        all: &[Extension],
    ) -> Result<(), MigrationError> {
        const STEP: &str = "extensions";
        let known = ledger::entries(&self.target).await;
        let known = known.map_err(on_target("reading the ledger"))?;
        let mut plain = Vec::new();
        for entry in &contents.pre_data {
            if !matches!(entry.object.0, PG_NAMESPACE | PG_EXTENSION) {
                continue;
            }
            let of_entry = |it: &&Extension| entry.object == (PG_EXTENSION, it.oid);
            let extension = all.iter().find(of_entry);
            let version = extension.and_then(|it| self.required(&it.name));
            let special = extension.filter(|it| version.is_some() || it.name == TIMESCALEDB);
            let Some(extension) = special else {
                plain.push(entry.clone());
                continue;
            };
            if known.get(&entry.dump_id) == Some(&EntryState::Done) {
                continue;
            }
            let failed = self.restore(STEP, std::mem::take(&mut plain)).await?;
            if let Some(error) = refused::all(failed) {
                return Err(error);
            }
            self.make_extension(entry, extension, version.as_deref())
                .await?;
        }
        // The rest comes with everything else.
        Ok(())
    }

    async fn make_extension(
        &mut self,
        entry: &Entry,
        extension: &Extension,
        version: Option<&str>,
    ) -> Result<(), MigrationError> {
        let version = version.map(|version| format!(" VERSION {}", quote_literal(version)));
        let mut sql = format!(
            "BEGIN; CREATE EXTENSION IF NOT EXISTS {} WITH SCHEMA {}{}; ",
            quote_ident(&extension.name),
            quote_ident(&extension.schema),
            version.unwrap_or_default()
        );
        if extension.name == TIMESCALEDB {
            self.store.begin_step(RESTORING)?;
            sql.push_str(&hook(&extension.schema, "timescaledb_pre_restore"));
        }
        sql.push_str(&ledger::note_entries_sql(
            &[entry.dump_id],
            EntryState::Done,
        ));
        sql.push_str("; COMMIT");
        let made = self.target.batch(&sql).await;
        made.map_err(on_target("making an extension"))
    }

    /// After everything but event triggers is there.
    pub(super) async fn end_extensions(&mut self) -> Result<(), MigrationError> {
        if !self.store.step_is_begun(RESTORING)? || self.store.step_is_done(RESTORING)? {
            return Ok(());
        }
        let there = extensions::extensions(&self.target).await;
        let there = there.map_err(on_target("reading its extensions"))?;
        if let Some(found) = there.iter().find(|it| it.name == TIMESCALEDB) {
            let sql = hook(&found.schema, "timescaledb_post_restore");
            let ended = self.target.batch(&sql).await;
            ended.map_err(on_target("ending the restore of TimescaleDB"))?;
        }
        Ok(self.store.finish_step(RESTORING)?)
    }

    /// Copies what users have put into tables of extensions.
    pub(super) async fn extension_rows(
        &mut self,
        ledger: &Ledger,
        epoch: Option<&Epoch>,
    ) -> Result<(), MigrationError> {
        const STEP: &str = EXTENSION_ROWS_STEP;
        if self.step_is_done(STEP).await? {
            return Ok(());
        }
        self.store.begin_step(STEP)?;
        let (source, choices) = (&self.config.source, &self.config.choices);
        let relations = wanted_relations(source, choices, &self.store).await?;
        if relations.is_empty() {
            return self.finish_on_target(STEP).await;
        }
        // The rows of tables may be there already, and their snapshot gone.
        let own = match epoch {
            Some(_) => None,
            None => Some(self.open_epoch(ledger).await?),
        };
        let id = epoch.or(own.as_ref()).map(|epoch| epoch.id.as_str());
        let note = ledger::note_step_sql(STEP);
        copy_config(source, &self.config.target, id, &relations, &note).await?;
        tracing::info!(
            "copied {} tables and sequences of extensions",
            relations.len()
        );
        Ok(self.store.finish_step(STEP)?)
    }
}

/// The dump ids of extensions, of all that they need, and of the comments on them.
fn with_needs(entries: &[Entry]) -> HashSet<u32> {
    let mut wanted = HashSet::new();
    // The dump has each entry after those that it needs.
    for entry in entries.iter().rev() {
        let is_comment = entry.is_extension_comment();
        if is_comment || entry.object.0 == PG_EXTENSION || wanted.contains(&entry.dump_id) {
            wanted.insert(entry.dump_id);
            wanted.extend(&entry.depends);
        }
    }
    wanted
}

fn hook(schema: &str, function: &str) -> String {
    format!("SELECT {}.{function}(); ", quote_ident(schema))
}

/// The tables and sequences of extensions that are not left out.
async fn wanted_relations(
    source: &Address,
    choices: &Choices,
    store: &Store,
) -> Result<Vec<ConfigRelation>, MigrationError> {
    if choices.leave.extensions {
        return Ok(Vec::new());
    }
    let left_out: HashSet<u32> = store
        .left_out()?
        .iter()
        .filter(|object| object.catalog_oid == PG_EXTENSION)
        .map(|object| object.object_oid)
        .collect();
    let failed = on_source("reading its extensions");
    let source = Session::connect(source, "extensions")
        .await
        .map_err(&failed)?;
    let mut relations = extensions::config_relations(&source)
        .await
        .map_err(&failed)?;
    relations.retain(|relation| !left_out.contains(&relation.extension));
    Ok(relations)
}

/// Makes tables of extensions what they are on the source now: no stream carries them.
pub async fn copy_extension_rows(ends: Ends<'_>, store: &Store) -> Result<(), MigrationError> {
    let relations = wanted_relations(ends.source, ends.choices, store).await?;
    if relations.is_empty() {
        return Ok(());
    }
    copy_config(ends.source, ends.target, None, &relations, "").await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_comes_with_what_it_needs_and_its_comment() {
        let entry = |dump_id, object, what: &str, depends: &[u32]| Entry {
            dump_id,
            object,
            what: what.to_owned(),
            depends: depends.to_vec(),
        };
        let entries = [
            entry(5, (PG_NAMESPACE, 1), "SCHEMA - gis postgres", &[]),
            entry(6, (PG_NAMESPACE, 2), "SCHEMA - app postgres", &[]),
            entry(2, (PG_EXTENSION, 3), "EXTENSION - hstore ", &[5]),
            entry(9, (0, 0), "COMMENT - EXTENSION hstore ", &[2]),
            entry(7, (1259, 4), "TABLE app t postgres", &[6]),
        ];
        assert_eq!(with_needs(&entries), HashSet::from([2, 5, 9]));
    }
}
