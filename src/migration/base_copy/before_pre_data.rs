//! What is looked at, and dropped, before the first definition is made.

use std::fs;

use crate::base::ident::quote_ident;
use crate::catalog::ledger::{self, EntryState};
use crate::catalog::needs::{self, Lacks};
use crate::catalog::restore_list::{self, Contents, Entry, Objects, PG_NAMESPACE};
use crate::clone::schema::{self, Side};
use crate::pg::Session;
use crate::store::TableRow;

use super::steps::{BaseCopy, PRE_DATA_STEP};
use crate::migration::error::{MigrationError, on_source, on_target, to_target};

/// Objects dropped in one transaction, each with the locks of a table and of its indexes.
const DROPPED_TOGETHER: usize = 200;

impl BaseCopy<'_> {
    /// Leaves schemas out that the target has, and ends the migration if roles or tablespaces are
    /// missing there: one message, before anything is made.
    pub(super) async fn check_needs(&self, contents: &mut Contents) -> Result<(), MigrationError> {
        let on_source_failed = on_source("looking for what its definitions name");
        let on_target_failed = on_target("looking for what definitions name");
        let source = Session::connect(&self.config.source, "base copy")
            .await
            .map_err(&on_source_failed)?;
        let is_schema = |entry: &&Entry| entry.object.0 == PG_NAMESPACE;
        let schemas: Vec<u32> = contents
            .pre_data
            .iter()
            .filter(is_schema)
            .map(|entry| entry.object.1)
            .collect();
        let there = needs::schemas_there(&source, &self.target, &schemas).await;
        let there = there.map_err(&on_target_failed)?;
        // Of public, the dump tells only the owner.
        let public = there.iter().find(|(_, name)| name == "public");
        let public = public.map(|(oid, _)| (PG_NAMESPACE, *oid));
        let others: Objects = there
            .iter()
            .filter(|(_, name)| name != "public")
            .map(|(oid, _)| (PG_NAMESPACE, *oid))
            .collect();
        contents.leave_out(&Objects::new(), &others);
        let objects: Objects = contents
            .all()
            .map(|entry| entry.object)
            .filter(|object| Some(*object) != public)
            .collect();
        let needs = needs::read(&source, &objects)
            .await
            .map_err(&on_source_failed)?;
        let mut needs = needs;
        let leave = &self.config.choices.leave;
        if leave.has("--no-owner") {
            needs.owners.clear();
        }
        if leave.has("--no-acl") {
            needs.grantees.clear();
        }
        if leave.has("--no-tablespaces") {
            needs.tablespaces.clear();
        }
        let lacks = needs::lacking(&self.target, &needs).await;
        match refusal(&lacks.map_err(&on_target_failed)?) {
            None => Ok(()),
            Some((problem, hint)) => Err(MigrationError::Refused {
                side: Some(Side::Target),
                problem,
                hint,
            }),
        }
    }

    /// Drops from the target what is about to be made there. Tables go first, with what depends on
    /// them; then the rest, last made first dropped. Each may be dropped again, so a run that was
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
        self.drop_tables(&session).await?;
        // Of what is made late, these do not go with a table.
        let late = contents
            .post_data
            .iter()
            .chain(&contents.last)
            .filter(|entry| entry.is_dispensable() && !entry.is_part());
        // Extensions may have been made before, as a step of their own.
        let made = ledger::entries(&self.target).await;
        let made = made.map_err(on_target("reading the ledger"))?;
        let entries = contents.pre_data.iter().chain(late);
        let entries = entries.filter(|entry| made.get(&entry.dump_id) != Some(&EntryState::Done));
        let entries: Vec<Entry> = entries.cloned().collect();
        let mut waiting: Vec<Vec<Entry>> = entries
            .chunks(DROPPED_TOGETHER)
            .map(<[Entry]>::to_vec)
            .collect();
        while let Some(chunk) = waiting.pop() {
            self.go_on()?;
            self.drop_chunk(&session, chunk, &mut waiting).await?;
        }
        self.finish_on_target(STEP).await
    }

    /// Refuses to copy rows to tables that are not there. Where somebody else has made all of them,
    /// what is there is taken as the definitions.
    pub(super) async fn find_tables(&mut self, tables: &[TableRow]) -> Result<(), MigrationError> {
        if self.step_is_done(PRE_DATA_STEP).await? {
            return Ok(());
        }
        let names: Vec<_> = tables.iter().map(|table| table.name.quoted()).collect();
        let sql = "SELECT name FROM unnest($1::text[]) WITH ORDINALITY AS given (name, at)
                    WHERE to_regclass(name) IS NULL ORDER BY at";
        let missing = self.target.query(sql, &[&names]).await;
        let missing = missing.map_err(on_target("looking at its tables"))?;
        let begun = self.store.step_is_begun(PRE_DATA_STEP)?;
        let problem = match missing.first() {
            None if !begun => {
                tracing::info!("the target's tables are taken as they are");
                self.store.begin_step(PRE_DATA_STEP)?;
                return self.finish_on_target(PRE_DATA_STEP).await;
            }
            None => "definitions were begun on the target and are not complete".to_owned(),
            Some(first) => format!(
                "{} of {} tables are not on the target, {} first",
                missing.len(),
                tables.len(),
                first.get::<_, String>(0)
            ),
        };
        Err(MigrationError::Refused {
            side: Some(Side::Target),
            problem,
            hint: match begun {
                true => "complete them with pgflit copy schema --resume, then go on",
                false => "make them with pgflit copy schema, then run this command again",
            }
            .to_owned(),
        })
    }

    async fn drop_tables(&self, session: &Session) -> Result<(), MigrationError> {
        let tables = self.store.tables()?;
        let mut waiting: Vec<&[TableRow]> = tables.chunks(DROPPED_TOGETHER).collect();
        while let Some(tables) = waiting.pop() {
            self.go_on()?;
            let drops = tables
                .iter()
                .map(|table| format!("DROP TABLE IF EXISTS {} CASCADE;\n", table.name.quoted()));
            match session.batch(&drops.collect::<String>()).await {
                Ok(()) => {}
                // More locks than there is room for: half of them may fit.
                Err(error) if error.sqlstate() == Some("53200") && tables.len() > 1 => {
                    waiting.extend(<[_; 2]>::from(tables.split_at(tables.len() / 2)));
                }
                Err(error) => return Err(on_target("dropping tables")(error)),
            }
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

/// The problem and the ways out; none if nothing is lacking.
fn refusal(lacks: &Lacks) -> Option<(String, String)> {
    let list = |names: &[String]| names.join(", ");
    let quoted = |names: &[String]| {
        let names: Vec<_> = names.iter().map(|name| quote_ident(name)).collect();
        names.join(", ")
    };
    let (mut problems, mut hints) = (Vec::new(), Vec::new());
    if !lacks.roles.is_empty() {
        problems.push(format!(
            "these roles are not on the target: {}",
            list(&lacks.roles)
        ));
        hints.push(
            "create them, copy them with --roles, or leave owners and privileges out with --no-owner and --no-acl".to_owned(),
        );
    }
    if !lacks.foreign_owners.is_empty() {
        problems.push(format!(
            "role {} may not make objects on the target that belong to: {}",
            lacks.own_role,
            list(&lacks.foreign_owners)
        ));
        hints.push(format!(
            "have an administrator run GRANT {} TO {}, or own everything yourself with --no-owner",
            quoted(&lacks.foreign_owners),
            quote_ident(&lacks.own_role)
        ));
    }
    if !lacks.tablespaces.is_empty() {
        problems.push(format!(
            "these tablespaces are not on the target: {}",
            list(&lacks.tablespaces)
        ));
        hints.push(
            "create them, or put everything in the default one with --no-tablespaces".to_owned(),
        );
    }
    if problems.is_empty() {
        return None;
    }
    hints.push("then begin anew with --restart, or with --follow go on with --resume".to_owned());
    Some((problems.join("; "), hints.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_lacking_is_said_at_once() {
        assert_eq!(refusal(&Lacks::default()), None);
        let lacks = Lacks {
            roles: vec!["a".into(), "b c".into()],
            foreign_owners: vec!["D".into()],
            tablespaces: vec!["fast".into()],
            own_role: "me".into(),
        };
        let (problem, hint) = refusal(&lacks).expect("a refusal");
        assert!(problem.contains("a, b c") && problem.contains("fast"));
        assert!(hint.contains("GRANT \"D\" TO \"me\""));
        assert!(hint.contains("--roles") && hint.contains("--no-tablespaces"));
    }
}
