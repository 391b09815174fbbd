//! A slot that somebody else has made for us, with the copy that belongs to it.
//!
//! What is taken for granted of a slot of our own is looked at here: that it is one we can read,
//! that the publication carries every change of every table, and that the target has not been
//! given changes that this slot does not have any more.

use std::collections::HashMap;

use crate::base::Lsn;
use crate::base::Side;
use crate::base::ident::quote_ident;
use crate::catalog::discovery;
use crate::catalog::filters::{self, Filters, Strictness};
use crate::catalog::sizes::Sizes;
use crate::pg::{self, Address, Session};
use crate::store::{Capture, Run, TableRow};

use super::capture;
use super::error::{MigrationError, on_source, on_target, to_source, to_target};

/// A slot that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    /// Up to where its reader has confirmed: later changes come.
    pub(super) lsn: Lsn,
}

/// What the source says of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    is_logical: bool,
    /// Its database, and whether that is the one we are in.
    database: (Option<String>, bool),
    plugin: Option<String>,
    reader: Option<i32>,
    is_lost: bool,
    confirmed: Option<String>,
}

/// The slot called `slot`, if it is there.
///
/// # Errors
/// It is there, and not one that can be read with `plugin`.
pub(super) async fn look(
    source: &Session,
    slot: &str,
    plugin: &str,
) -> Result<Option<Slot>, MigrationError> {
    let wal_status = match source.server_version().major() {
        13.. => "coalesce(wal_status = 'lost', false)",
        _ => "false",
    };
    let sql = format!(
        "SELECT slot_type = 'logical', database::text, database = current_database(),
                plugin::text, active_pid, {wal_status}, confirmed_flush_lsn::text
           FROM pg_replication_slots WHERE slot_name = $1"
    );
    let row = source.query_opt(&sql, &[&slot]).await;
    let Some(row) = row.map_err(on_source("looking at its slots"))? else {
        return Ok(None);
    };
    let found = Found {
        is_logical: row.get(0),
        database: (row.get(1), row.get::<_, Option<bool>>(2).unwrap_or(false)),
        plugin: row.get(3),
        reader: row.get(4),
        is_lost: row.get(5),
        confirmed: row.get(6),
    };
    match found.readable_with(plugin) {
        Ok(lsn) => Ok(Some(Slot { lsn })),
        Err((problem, hint)) => Err(refused(
            Side::Source,
            format!("replication slot \"{slot}\" cannot be taken over: {problem}"),
            hint,
        )),
    }
}

impl Found {
    /// Where reading begins, or what is wrong and what to do.
    fn readable_with(&self, plugin: &str) -> Result<Lsn, (String, String)> {
        const ANOTHER: &str = "name another with --slot-name";
        let no = |problem: String, hint: &str| Err((problem, hint.to_owned()));
        if !self.is_logical {
            return no("it is a physical one".to_owned(), ANOTHER);
        }
        if !self.database.1 {
            let name = self.database.0.as_deref().unwrap_or_default();
            return no(format!("it is one of database \"{name}\""), ANOTHER);
        }
        if self.plugin.as_deref() != Some(plugin) {
            let own = self.plugin.as_deref().unwrap_or_default();
            let problem = format!("it was made for the plugin {own}, not for {plugin}");
            return Err((problem, format!("use it with --plugin {own}, or {ANOTHER}")));
        }
        if let Some(pid) = self.reader {
            let hint = "resume the migration that it belongs to, or end that process";
            return no(format!("process {pid} reads from it"), hint);
        }
        if self.is_lost {
            let hint = "the changes are lost: copy anew, with a new slot";
            return no("the source has removed WAL that it needs".to_owned(), hint);
        }
        match self.confirmed.as_deref().map(str::parse) {
            Some(Ok(lsn)) => Ok(lsn),
            _ => no(
                "it is still being made".to_owned(),
                "wait until the transactions that it waits for have ended",
            ),
        }
    }
}

fn refused(side: Side, problem: String, hint: impl Into<String>) -> MigrationError {
    MigrationError::Refused {
        side: Some(side),
        problem,
        hint: hint.into(),
    }
}

/// There is nothing to follow.
pub(super) fn missing(slot: &str) -> MigrationError {
    refused(
        Side::Source,
        format!("there is no replication slot \"{slot}\" on the source"),
        "if the target has the rows as they are now and nobody writes to the source, add \
         --create-slot; else copy and follow with pgflit clone --follow, or set up with pgflit \
         stream setup before the copy is made",
    )
}

/// Looks whether following from the slot of `run` would lose anything, and gives the tables.
pub(super) async fn check(
    source: &Address,
    target: &Address,
    run: &Run,
    filters: &Filters,
) -> Result<Vec<TableRow>, MigrationError> {
    let on_source_session = Session::connect(source, "preflight")
        .await
        .map_err(to_source(source))?;
    check_position(&on_source_session, target, run).await?;
    let failed = on_source("reading the catalog");
    let mut tables = discovery::tables(&on_source_session, Sizes::Estimated)
        .await
        .map_err(failed)?;
    filters::resolve(&on_source_session, filters, Strictness::GoOn)
        .await?
        .filter_tables(&mut tables);
    // Only pgoutput has one.
    if let Some(publication) = &run.publication {
        check_publication(&on_source_session, publication, &mut tables).await?;
    }
    Ok(tables)
}

/// The target's own position must be one that this slot goes on from.
async fn check_position(
    source: &Session,
    target: &Address,
    run: &Run,
) -> Result<(), MigrationError> {
    let session = Session::connect(target, "preflight")
        .await
        .map_err(to_target(target))?;
    let origin = run.origin.clone().unwrap_or_default();
    let applied = capture::applied_until(&session, &origin).await;
    let Some(applied) = applied.map_err(on_target("looking at its replication origins"))? else {
        return Ok(());
    };
    let slot = run.slot.clone().unwrap_or_default();
    let sql = "SELECT confirmed_flush_lsn <= $2::text::pg_lsn, confirmed_flush_lsn::text,
                      $2::text::pg_lsn <= pg_current_wal_flush_lsn()
                 FROM pg_replication_slots WHERE slot_name = $1";
    let row = source.query_one(sql, &[&slot, &applied.to_string()]).await;
    let row = row.map_err(on_source("looking at its slots"))?;
    let confirmed: String = row.get(1);
    if row.get(0) && row.get(2) {
        tracing::info!("the target has been given changes up to {applied} already");
        return Ok(());
    }
    let problem = match row.get(0) {
        false => format!(
            "the target has changes up to {applied} by replication origin \"{origin}\", and slot \
             \"{slot}\" stands at {confirmed}: those between may be lost"
        ),
        true => format!(
            "replication origin \"{origin}\" on the target stands at {applied}, where the source \
             has not been yet: it is of another migration"
        ),
    };
    Err(refused(
        Side::Target,
        problem,
        "go on in the work directory that has the changes; or copy anew, with a new slot; or, if \
         the target is known to have them, name another position with --origin",
    ))
}

/// Whether the publication carries every change of `tables`; those of which it carries updates are
/// noted so, because Postgres itself then refuses updates that it could not carry.
pub(super) async fn check_publication(
    source: &Session,
    publication: &str,
    tables: &mut [TableRow],
) -> Result<(), MigrationError> {
    let failed = || on_source("looking at its publications");
    let sql = "SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate
                 FROM pg_publication WHERE pubname = $1";
    let row = source
        .query_opt(sql, &[&publication])
        .await
        .map_err(failed())?;
    let Some(row) = row else {
        return Err(refused(
            Side::Source,
            format!("there is no publication \"{publication}\" on the source"),
            "name the one that was made before the slot with --publication; if it was dropped since, \
             changes are lost: copy anew, with a new slot",
        ));
    };
    if !row.get::<_, bool>(0) {
        return Err(refused(
            Side::Source,
            format!("publication \"{publication}\" does not publish every kind of change"),
            format!(
                "ALTER PUBLICATION {} SET (publish = 'insert, update, delete, truncate'), and copy anew",
                quote_ident(publication)
            ),
        ));
    }
    let published = published(source, publication).await.map_err(failed())?;
    let inserts_only = capture::inserts_publication(publication);
    let inserts_only = self::published(source, &inserts_only)
        .await
        .map_err(failed())?;
    for table in tables {
        match (table.capture, published.get(&table.oid)) {
            (Capture::Nothing, _) => {}
            (_, Some(Extent::Whole)) => table.capture = Capture::Rows,
            (Capture::InsertsOnly, None)
                if inserts_only.get(&table.oid) == Some(&Extent::Whole) => {}
            (_, extent) => {
                let what = match extent {
                    Some(_) => "publishes only some rows or columns of",
                    None => "does not publish",
                };
                return Err(refused(
                    Side::Source,
                    format!("publication \"{publication}\" {what} {}", table.name),
                    "leave the table out with --filters; or publish all of it, and copy anew",
                ));
            }
        }
    }
    Ok(())
}

/// How much of a table a publication publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    Part,
}

/// The tables of a publication, by OID.
async fn published(source: &Session, publication: &str) -> Result<HashMap<u32, Extent>, pg::Error> {
    let is_partial = match source.server_version().major() {
        15.. => "r.prqual IS NOT NULL OR r.prattrs IS NOT NULL",
        _ => "false",
    };
    let sql = format!(
        "SELECT c.oid, EXISTS (SELECT FROM pg_publication_rel r
                                WHERE r.prpubid = p.oid AND r.prrelid = c.oid AND ({is_partial}))
           FROM pg_publication p
           JOIN pg_publication_tables t ON t.pubname = p.pubname
           JOIN pg_namespace n ON n.nspname = t.schemaname
           JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
          WHERE p.pubname = $1"
    );
    let rows = source.query(&sql, &[&publication]).await?;
    let extent = |is_partial| match is_partial {
        true => Extent::Part,
        false => Extent::Whole,
    };
    Ok(rows
        .iter()
        .map(|row| (row.get(0), extent(row.get(1))))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_that_cannot_be_read_is_told_apart() {
        let good = Found {
            is_logical: true,
            database: (Some("app".into()), true),
            plugin: Some("pgoutput".into()),
            reader: None,
            is_lost: false,
            confirmed: Some("0/10".into()),
        };
        assert_eq!(good.readable_with("pgoutput"), Ok(Lsn::new(16)));
        let problem = |found: Found, plugin| found.readable_with(plugin).expect_err("refused").0;
        let another = (Some("other".to_owned()), false);
        for (found, words) in [
            (
                Found {
                    is_logical: false,
                    ..good.clone()
                },
                "physical",
            ),
            (
                Found {
                    database: another,
                    ..good.clone()
                },
                "database \"other\"",
            ),
            (
                Found {
                    reader: Some(7),
                    ..good.clone()
                },
                "process 7",
            ),
            (
                Found {
                    is_lost: true,
                    ..good.clone()
                },
                "removed WAL",
            ),
            (
                Found {
                    confirmed: None,
                    ..good.clone()
                },
                "being made",
            ),
        ] {
            let told = problem(found, "pgoutput");
            assert!(told.contains(words), "{told}");
        }
        assert!(problem(good, "wal2json").contains("plugin pgoutput"));
    }
}
