//! Offering tables a replica identity, and giving it to them.

use std::collections::HashSet;
use std::time::Duration;

use crate::base::{QualifiedName, failpoint};
use crate::catalog::identity::{self, Identified};
use crate::migration::error::{MigrationError, on_source};
use crate::pg::Session;
use crate::store::{Capture, ChangedIdentity, Store, TableRow};

use super::WithoutIdentity;
use super::error::IdentityError;
use super::locks::{self, Attempt, Change};

impl Change for ChangedIdentity {
    fn oid(&self) -> u32 {
        self.oid
    }

    fn table(&self) -> &QualifiedName {
        &self.name
    }
}

/// Takes the tables out of those whose updates are captured that a publication would refuse updates
/// of, although they have an identity.
pub(in crate::migration) async fn leave_to_publication(
    source: &Session,
    tables: &mut [TableRow],
) -> Result<(), MigrationError> {
    let captured = tables
        .iter()
        .filter(|table| table.capture == Capture::Rows)
        .map(|table| table.oid);
    let oids: Vec<u32> = captured.collect();
    let refused = identity::refused_by_publications(source, &oids).await;
    let refused = refused.map_err(on_source("reading replica identities"))?;
    let refused: HashSet<u32> = refused.into_iter().collect();
    for table in tables {
        if refused.contains(&table.oid) {
            table.capture = Capture::InsertsOnly;
        }
    }
    Ok(())
}

async fn lacking(
    source: &Session,
    tables: &[TableRow],
    for_publication: bool,
) -> Result<Vec<Identified>, MigrationError> {
    let lacking = tables
        .iter()
        .filter(|table| table.capture == Capture::InsertsOnly);
    let oids: Vec<u32> = lacking.map(|table| table.oid).collect();
    if oids.is_empty() {
        return Ok(Vec::new());
    }
    let found = identity::of_tables(source, &oids, for_publication).await;
    found.map_err(on_source("reading replica identities"))
}

/// Gives those of `tables` that have no replica identity, and are to be given one, the best that is to be
/// had, until the end.
///
/// # Errors
/// A table is locked by others for longer than is waited for, or is somebody else's; those before it
/// are changed, and noted in `store`.
pub(in crate::migration) async fn give(
    source: &Session,
    store: &mut Store,
    tables: &[TableRow],
    for_publication: bool,
    without: &WithoutIdentity,
) -> Result<(), MigrationError> {
    let mut lacking = lacking(source, tables, for_publication).await?;
    lacking.retain(|table| without.gives(&table.name));
    let changes = lacking.into_iter().filter_map(|table| {
        Some(ChangedIdentity {
            oid: table.oid,
            name: table.name,
            before: table.now,
            made: table.best?,
        })
    });
    let changes: Vec<_> = changes.collect();
    if changes.is_empty() {
        return Ok(());
    }
    let count = changes.len();
    match without {
        WithoutIdentity::GiveOnWayBack(_) => tracing::info!(
            "giving {count} tables of the side that traffic is to go to a replica identity, as they have \
             it where it comes from, for as long as changes go back: rollback and finalize put back what \
             they had"
        ),
        WithoutIdentity::Give | WithoutIdentity::Tell => tracing::info!(
            "giving {count} tables of the source a replica identity until the end: clone --follow, follow \
             or stream cleanup put back what they had"
        ),
    }
    locks::one_by_one(source, changes, async |change, wait| {
        change_one(source, store, change, wait).await
    })
    .await
}

async fn change_one(
    source: &Session,
    store: &mut Store,
    change: &ChangedIdentity,
    wait: Duration,
) -> Result<Attempt, MigrationError> {
    let refused = |source| IdentityError::Refused {
        table: change.name.clone(),
        sql: change.made.sql(&change.name),
        source,
    };
    if !locks::lock(source, &change.name, wait)
        .await
        .map_err(refused)?
    {
        return Ok(Attempt::Locked);
    }
    let now = identity::of_tables(source, &[change.oid], false).await;
    let now = now.map_err(on_source("reading replica identities"))?;
    let is_as_it_was = now
        .first()
        .is_some_and(|now| now.name == change.name && now.now == change.before);
    if !is_as_it_was {
        // It has another by now, which may do.
        source.batch("ROLLBACK").await.map_err(refused)?;
        return Ok(Attempt::Done);
    }
    store.note_identity(change)?;
    failpoint::reach("identity noted");
    let sql = change.made.sql(&change.name);
    source
        .batch(&format!("{sql}; COMMIT"))
        .await
        .map_err(refused)?;
    failpoint::reach("identity changed");
    tracing::info!("done: {sql}");
    Ok(Attempt::Done)
}

/// So many tables are named in a line of the log.
const NAMED_MAX: usize = 20;

/// Says which of `tables` have no replica identity, what that means, and what they could have.
pub(in crate::migration) async fn tell(
    source: &Session,
    tables: &[TableRow],
    for_publication: bool,
    without: &WithoutIdentity,
) -> Result<(), MigrationError> {
    let lacking = lacking(source, tables, for_publication).await?;
    if lacking.is_empty() {
        return Ok(());
    }
    let named = names(lacking.iter().map(|table| &table.name));
    let (better, without_any): (Vec<_>, Vec<_>) =
        lacking.iter().partition(|table| table.best.is_some());
    let sql = better.iter().filter_map(|table| {
        let best = table.best.as_ref()?;
        Some(best.sql(&table.name))
    });
    match without {
        WithoutIdentity::GiveOnWayBack(_) => tracing::warn!(
            "no replica identity on the side that traffic is to go to, so only inserts and truncates go \
             back from there; after an update or delete, a rollback is refused that does not give it up: \
             {named}"
        ),
        WithoutIdentity::Tell | WithoutIdentity::Give => tracing::warn!(
            "no replica identity, so only inserts and truncates are captured; an update or delete will \
             be noticed, at the end at the latest, and end the migration with an error: {named}"
        ),
    }
    match without {
        _ if better.is_empty() => {}
        WithoutIdentity::Give => {}
        WithoutIdentity::Tell => tracing::warn!(
            "what they could have: {}; --yes does this before changes are captured, and puts back what \
             was at the end: begin anew with it (--restart --yes, or stream cleanup first)",
            listed(sql, "; ")
        ),
        WithoutIdentity::GiveOnWayBack(_) => tracing::warn!(
            "what they could have: {}; run it there before traffic moves",
            listed(sql, "; ")
        ),
    }
    if !without_any.is_empty() {
        tracing::warn!(
            "PostgreSQL publishes no updates of tables with generated columns by all of their columns; \
             give them a primary key, or capture with another --plugin: {}",
            names(without_any.iter().map(|table| &table.name))
        );
    }
    Ok(())
}

fn names<'a>(tables: impl Iterator<Item = &'a QualifiedName>) -> String {
    listed(tables.map(QualifiedName::to_string), ", ")
}

fn listed(items: impl Iterator<Item = String>, separator: &str) -> String {
    let mut items: Vec<_> = items.collect();
    let more = items.len().saturating_sub(NAMED_MAX);
    items.truncate(NAMED_MAX);
    let text = items.join(separator);
    match more {
        0 => text,
        more => format!("{text}{separator}and {more} more"),
    }
}

/// A slot is there, and with it changes that nobody could identify: `--yes` changes nothing any more.
pub(in crate::migration) fn tell_too_late(
    store: &Store,
    without: &WithoutIdentity,
) -> Result<(), MigrationError> {
    if *without != WithoutIdentity::Give {
        return Ok(());
    }
    let tables = store.tables()?;
    let lacking = tables
        .iter()
        .filter(|table| table.capture == Capture::InsertsOnly);
    let lacking: Vec<_> = lacking.map(|table| &table.name).collect();
    if !lacking.is_empty() {
        tracing::warn!(
            "--yes gives no table a replica identity once the slot is there: changes from before \
             would be missing; begin anew with --restart --yes to have updates captured of {}",
            names(lacking.into_iter())
        );
    }
    Ok(())
}
