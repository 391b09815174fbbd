//! What is looked at before the first definition is made.

use std::collections::HashMap;

use crate::base::QualifiedName;
use crate::base::Side;
use crate::base::ident::quote_ident;
use crate::catalog::needs::{self, Lacks};
use crate::catalog::partitions;
use crate::catalog::restore_list::{Contents, Entry, Objects, PG_NAMESPACE};
use crate::pg::Session;
use crate::store::TableRow;

use super::steps::{BaseCopy, PRE_DATA_STEP};
use crate::migration::error::{MigrationError, on_source, on_target};
use crate::migration::partitions::Places;

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

    /// Refuses to copy rows where they would be among those of others: the ledger has the rows of one
    /// table, and what is copied again takes the place of what is there.
    async fn check_partitions(&self, tables: &[TableRow]) -> Result<(), MigrationError> {
        let places = Places::on(&self.target, &self.store).await?;
        let there = partitions::shown(&self.target).await;
        let there = there.map_err(on_target("looking at its partitions"))?;
        let known = self.store.partitions()?.into_iter();
        let known: HashMap<_, _> = known.map(|it| (it.itself.table(), it.shown)).collect();
        // Two servers may write one condition in two ways. Where it is another one after all, the
        // target refuses the rows.
        let is_alike = |table: &QualifiedName| {
            let there = there.get(table).and_then(Option::as_ref);
            there.is_some() && there == known.get(table)
        };
        let shared = tables
            .iter()
            .filter_map(|it| Some((&it.name, places.shared(&it.name)?)));
        let shared: Vec<_> = shared.filter(|(table, _)| !is_alike(table)).collect();
        let Some((table, here)) = shared.first() else {
            return Ok(());
        };
        Err(MigrationError::Refused {
            side: Some(Side::Target),
            problem: format!(
                "{} of {} tables are not on the target with the bounds that they have on the source, {table} first: its rows would be in {here}",
                shared.len(),
                tables.len()
            ),
            hint: "copy the rows with pg_dump --load-via-partition-root and follow them with pgflit \
                   follow; or copy them into the source's partitions, and make others of them before \
                   following goes on"
                .to_owned(),
        })
    }

    /// Refuses to copy rows to tables that are not there. Where somebody else has made all of them,
    /// what is there is taken as the definitions.
    pub(super) async fn find_tables(&mut self, tables: &[TableRow]) -> Result<(), MigrationError> {
        if self.step_is_done(PRE_DATA_STEP).await? {
            return Ok(());
        }
        self.check_partitions(tables).await?;
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
