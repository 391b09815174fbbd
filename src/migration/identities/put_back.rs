//! Giving tables back the replica identity that they had.

use std::time::Duration;

use crate::base::Side;
use crate::base::ident::quote_ident;
use crate::base::{QualifiedName, failpoint};
use crate::catalog::identity::{self, Identified};
use crate::catalog::server;
use crate::migration::capture::inserts_publication;
use crate::migration::error::{MigrationError, on_source, to_source};
use crate::pg::{Address, Session};
use crate::store::{ChangedIdentity, ReplicaIdentity, Store, WorkDir};

use super::error::{IdentityError, NOT_ALLOWED};
use super::locks::{self, Attempt, Change};

/// When it is put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::migration) enum At<'a> {
    /// Everything is applied, and what was made for capturing is still there; the publication, if
    /// there is one.
    End(Option<&'a str>),
    /// Slot and publications are gone.
    Cleanup,
}

impl At<'_> {
    fn publication(&self) -> Option<&str> {
        match self {
            At::End(publication) => *publication,
            At::Cleanup => None,
        }
    }
}

/// A table, by what it is called now.
struct Back {
    changed: ChangedIdentity,
    name: QualifiedName,
}

impl Change for Back {
    fn oid(&self) -> u32 {
        self.changed.oid
    }

    fn table(&self) -> &QualifiedName {
        &self.name
    }
}

impl Back {
    fn sql(&self) -> String {
        self.changed.before.sql(&self.name)
    }
}

/// What is to be done with a table.
#[derive(Debug, PartialEq, Eq)]
enum Decision {
    /// It is as it was before.
    Nothing,
    /// It is as it was made.
    PutBack,
    /// Somebody has changed it since.
    Leave,
}

fn decide(changed: &ChangedIdentity, now: &ReplicaIdentity) -> Decision {
    match now {
        now if *now == changed.before => Decision::Nothing,
        now if *now == changed.made => Decision::PutBack,
        _ => Decision::Leave,
    }
}

/// Puts back what a finished run in `work_dir` has not put back yet.
pub(in crate::migration) async fn put_back_left(
    source: &Address,
    work_dir: &WorkDir,
) -> Result<(), MigrationError> {
    let mut store = Store::create(&work_dir.store_path())?;
    if store.changed_identities()?.is_empty() {
        return Ok(());
    }
    let run = store.run()?.unwrap_or_default();
    let session = Session::connect(source, "finish")
        .await
        .map_err(to_source(source))?;
    let server = server::look(&session).await;
    let server = server.map_err(on_source("looking at the server"))?;
    if server.system != run.source_system {
        return Err(MigrationError::Refused {
            side: Some(Side::Source),
            problem: format!(
                "replica identities are to be put back on {}, which is another database",
                run.source
            ),
            hint: "name the source that the migration was begun with".to_owned(),
        });
    }
    put_back(&session, &mut store, At::End(run.publication.as_deref())).await
}

/// Puts back every replica identity that is noted in `store`, and forgets it.
///
/// # Errors
/// A table is locked by others for longer than is waited for, or the source refuses; what is left
/// stays noted.
pub(in crate::migration) async fn put_back(
    source: &Session,
    store: &mut Store,
    at: At<'_>,
) -> Result<(), MigrationError> {
    let noted = store.changed_identities()?;
    if noted.is_empty() {
        return Ok(());
    }
    let mut tables = Vec::new();
    for changed in noted {
        match look(source, changed.oid).await? {
            Some(now) => tables.push(Back {
                changed,
                name: now.name,
            }),
            None => {
                tracing::info!(
                    "{} was dropped on the source: its replica identity is not put back",
                    changed.name
                );
                store.forget_identity(changed.oid)?;
            }
        }
    }
    locks::one_by_one(source, tables, async |back, wait| {
        put_one_back(source, store, back, at, wait).await
    })
    .await
}

async fn look(source: &Session, oid: u32) -> Result<Option<Identified>, MigrationError> {
    let now = identity::of_tables(source, &[oid], false).await;
    let now = now.map_err(on_source("reading replica identities"))?;
    Ok(now.into_iter().next())
}

/// SQLSTATE undefined_object: the index that it had is gone.
const NO_INDEX: &str = "42704";

async fn put_one_back(
    source: &Session,
    store: &mut Store,
    back: &Back,
    at: At<'_>,
    wait: Duration,
) -> Result<Attempt, MigrationError> {
    let (changed, table) = (&back.changed, &back.name);
    let refused = |source| IdentityError::Refused {
        table: table.clone(),
        sql: back.sql(),
        source,
    };
    match locks::lock(source, table, wait).await {
        Ok(true) => {}
        Ok(false) => return Ok(Attempt::Locked),
        Err(error) if error.sqlstate() == Some(NOT_ALLOWED) => {
            // Somebody who may has done it.
            return match look(source, changed.oid).await? {
                Some(now) if decide(changed, &now.now) == Decision::PutBack => {
                    Err(refused(error).into())
                }
                _ => forgotten(store, changed),
            };
        }
        Err(error) => return Err(refused(error).into()),
    }
    // What a session of ours that was killed was still doing is done by now.
    let now = look(source, changed.oid).await?;
    let rollback = async || source.batch("ROLLBACK").await.map_err(refused);
    let Some(now) = now.filter(|now| now.name == *table) else {
        rollback().await?;
        return match look(source, changed.oid).await? {
            None => forgotten(store, changed),
            // Renamed in this moment: the next attempt must know it by its new name.
            Some(_) => Err(MigrationError::Refused {
                side: Some(Side::Source),
                problem: format!("{table} was renamed while its replica identity was put back"),
                hint: "run the same command again".to_owned(),
            }),
        };
    };
    match decide(changed, &now.now) {
        Decision::Nothing => {
            rollback().await?;
            return forgotten(store, changed);
        }
        Decision::Leave => {
            rollback().await?;
            tracing::warn!(
                "somebody has changed the replica identity of {table} on the source since pgflit did: \
                 it is left as it is"
            );
            return forgotten(store, changed);
        }
        Decision::PutBack => {}
    }
    let others = publications_that_need_it(source, changed, at).await?;
    if !others.is_empty() {
        rollback().await?;
        tracing::warn!(
            "the replica identity of {table} on the source is left as pgflit has made it, because \
             updates of it would fail: it is published by {} too; to put back what it had: {}",
            others.join(", "),
            back.sql()
        );
        return Ok(Attempt::Done);
    }
    match source.batch(&sql(source, back, at).await?).await {
        Ok(()) => {
            failpoint::reach("identity put back");
            tracing::info!("on the source: {}", back.sql());
        }
        Err(error) if error.sqlstate() == Some(NO_INDEX) => {
            rollback().await?;
            tracing::warn!(
                "the replica identity of {table} on the source is left as pgflit has made it: {error}"
            );
        }
        Err(error) => {
            if error.sqlstate().is_some() {
                rollback().await?;
            }
            return Err(refused(error).into());
        }
    }
    forgotten(store, changed)
}

/// The end of the transaction that has the table locked. It leaves the publication, because a table
/// without identity that is published cannot be updated.
async fn sql(source: &Session, back: &Back, at: At<'_>) -> Result<String, MigrationError> {
    let failed = on_source("looking at its publications");
    let mut sql = String::new();
    if let Some(publication) = at.publication() {
        let is_published = identity::is_published(source, publication, back.oid()).await;
        if is_published.map_err(failed)? {
            sql = format!(
                "ALTER PUBLICATION {} DROP TABLE ONLY {}; ",
                quote_ident(publication),
                back.name.quoted()
            );
        }
    }
    Ok(format!("{sql}{}; COMMIT", back.sql()))
}

async fn publications_that_need_it(
    source: &Session,
    changed: &ChangedIdentity,
    at: At<'_>,
) -> Result<Vec<String>, MigrationError> {
    let ours = at
        .publication()
        .map(|name| [name.to_owned(), inserts_publication(name)]);
    let ours = ours.map(Vec::from).unwrap_or_default();
    let others = identity::publications_of(source, changed.oid, &ours).await;
    others.map_err(on_source("looking at its publications"))
}

fn forgotten(store: &mut Store, changed: &ChangedIdentity) -> Result<Attempt, MigrationError> {
    store.forget_identity(changed.oid)?;
    Ok(Attempt::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_as_it_was_made_is_put_back() {
        use ReplicaIdentity::{Default, Full, Index, Nothing};
        let index = |name: &str| Index(name.to_owned());
        let changed = |before, made| ChangedIdentity {
            oid: 1,
            name: QualifiedName::new("public", "t"),
            before,
            made,
        };
        let full = changed(Default, Full);
        assert_eq!(decide(&full, &Full), Decision::PutBack);
        assert_eq!(decide(&full, &Default), Decision::Nothing);
        for now in [Nothing, index("i")] {
            assert_eq!(decide(&full, &now), Decision::Leave);
        }
        let by_index = changed(Nothing, index("i"));
        assert_eq!(decide(&by_index, &index("i")), Decision::PutBack);
        assert_eq!(decide(&by_index, &index("j")), Decision::Leave);
    }
}
