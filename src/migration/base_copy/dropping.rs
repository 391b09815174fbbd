//! What is dropped on the target before the first definition is made.

use std::fs;

use crate::catalog::default_privileges;
use crate::catalog::ledger::{self, EntryState};
use crate::catalog::restore_list::{
    self, Contents, Entry, PG_EVENT_TRIGGER, PG_PUBLICATION, PG_PUBLICATION_NAMESPACE,
    PG_PUBLICATION_REL, PG_STATISTIC_EXT,
};
use crate::clone::schema;
use crate::pg::Session;

use super::steps::BaseCopy;
use crate::migration::error::{MigrationError, on_source, on_target, to_target};

/// Objects dropped in one transaction, each with the locks of a table and of its indexes.
const DROPPED_TOGETHER: usize = 200;

impl BaseCopy<'_> {
    /// Drops from the target what is about to be made there. Event triggers, which would fire on
    /// the rest, go first, with what else is made late; then tables, with what depends on them;
    /// then the rest, last made first dropped. Each may be dropped again, so a run that was
    /// interrupted begins anew with it; once it is done it never is, since what is there then is
    /// ours.
    pub(super) async fn drop_what_is_there(
        &mut self,
        contents: &Contents,
    ) -> Result<(), MigrationError> {
        const STEP: &str = "drop";
        if self.step_is_done(STEP).await? {
            return Ok(());
        }
        self.store.begin_step(STEP)?;
        let session = Session::connect(&self.config.target, STEP)
            .await
            .map_err(to_target(&self.config.target))?;
        let late = contents.post_data.iter().chain(&contents.last);
        let late: Vec<Entry> = late.cloned().collect();
        let outlive_tables = late.iter().filter(|entry| outlives_tables(entry));
        self.drop_entries(&session, outlive_tables).await?;
        self.end_default_privileges(&session, &late).await?;
        self.drop_tables(&session).await?;
        // Extensions may have been made before, as a step of their own.
        let made = ledger::entries(&self.target).await;
        let made = made.map_err(on_target("reading the ledger"))?;
        let entries = contents.pre_data.iter();
        let entries = entries.filter(|entry| made.get(&entry.dump_id) != Some(&EntryState::Done));
        self.drop_entries(&session, entries).await?;
        self.finish_on_target(STEP).await
    }

    /// Those that the target has would add to the privileges of all that is made now.
    async fn end_default_privileges(
        &self,
        session: &Session,
        entries: &[Entry],
    ) -> Result<(), MigrationError> {
        let failed = on_source("reading default privileges");
        let source = Session::connect(&self.config.source, "base copy")
            .await
            .map_err(&failed)?;
        let privileges = default_privileges::of_entries(&source, entries).await;
        let privileges = privileges.map_err(&failed)?;
        let ended = default_privileges::end_sql(session, &privileges).await;
        for sql in ended.map_err(on_target("reading default privileges"))? {
            if let Err(error) = session.batch(&sql).await {
                if error.sqlstate().is_none() {
                    return Err(on_target("ending default privileges")(error));
                }
                tracing::warn!("default privileges of the target stay: {error}: {sql}");
            }
        }
        Ok(())
    }

    async fn drop_tables(&self, session: &Session) -> Result<(), MigrationError> {
        let tables = self.store.tables()?;
        let names: Vec<String> = tables.iter().map(|table| table.name.quoted()).collect();
        // Somebody may have put a view, say, in the place of a table.
        let sql = "SELECT format('DROP %s %s CASCADE;',
                                 CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE'
                                      WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE'
                                      WHEN 'c' THEN 'TYPE' WHEN 'i' THEN 'INDEX'
                                      WHEN 'I' THEN 'INDEX' ELSE 'TABLE' END, 'IF EXISTS ' || name)
                     FROM unnest($1::text[]) AS name JOIN pg_class c ON c.oid = to_regclass(name)";
        let failed = on_target("dropping tables");
        let drops = session.query(sql, &[&names]).await.map_err(&failed)?;
        let drops: Vec<String> = drops.iter().map(|row| row.get(0)).collect();
        let mut waiting: Vec<&[String]> = drops.chunks(DROPPED_TOGETHER).collect();
        while let Some(drops) = waiting.pop() {
            self.go_on()?;
            match session.batch(&drops.join("\n")).await {
                Ok(()) => {}
                // More locks than there is room for: half of them may fit.
                Err(error) if error.sqlstate() == Some("53200") && drops.len() > 1 => {
                    waiting.extend(<[_; 2]>::from(drops.split_at(drops.len() / 2)));
                }
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }

    async fn drop_entries(
        &self,
        session: &Session,
        entries: impl Iterator<Item = &Entry>,
    ) -> Result<(), MigrationError> {
        let entries: Vec<Entry> = entries.cloned().collect();
        let chunks = entries.chunks(DROPPED_TOGETHER);
        let mut waiting: Vec<Vec<Entry>> = chunks.map(<[Entry]>::to_vec).collect();
        while let Some(chunk) = waiting.pop() {
            self.go_on()?;
            self.drop_chunk(session, chunk, &mut waiting).await?;
        }
        Ok(())
    }

    /// Drops `chunk` in one transaction, or puts its halves back.
    async fn drop_chunk(
        &self,
        session: &Session,
        mut chunk: Vec<Entry>,
        waiting: &mut Vec<Vec<Entry>>,
    ) -> Result<(), MigrationError> {
        let list_file = self.config.work_dir.schema_path().join("drop.list");
        let script = schema::drop_script(
            &self.config.programs,
            &self.dump_path(),
            &restore_list::list(&chunk),
            &list_file,
        )?;
        // Nobody needs it any more; one that stays does no harm.
        let _ = fs::remove_file(&list_file);
        let Err(error) = session.batch(&format!("BEGIN;\n{script}\nCOMMIT;")).await else {
            return Ok(());
        };
        if error.sqlstate().is_none() {
            return Err(on_target("dropping what is there")(error));
        }
        let ended = session.batch("ROLLBACK").await;
        ended.map_err(on_target("dropping what is there"))?;
        match chunk.len() {
            // A schema or a type that others use stays; where that matters, making it says so.
            0 | 1 => tracing::debug!("not dropped: {error}"),
            count => {
                let later = chunk.split_off(count / 2);
                waiting.extend([chunk, later]);
            }
        }
        Ok(())
    }
}

/// Whether what is made late can be there without the table it is made for. Default privileges
/// can too, and have no name to be dropped by.
fn outlives_tables(entry: &Entry) -> bool {
    let of_nobody = [
        PG_EVENT_TRIGGER,
        PG_PUBLICATION,
        PG_PUBLICATION_REL,
        PG_PUBLICATION_NAMESPACE,
        PG_STATISTIC_EXT,
    ];
    of_nobody.contains(&entry.object.0)
}
