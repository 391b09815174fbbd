//! Slot and publications on the source: made before anything is copied, dropped by cleanup.

use std::time::Duration;

use crate::base::Lsn;
use crate::base::ident::{quote_ident, quote_literal};
use crate::base::snapshot::Snapshot;
use crate::clone::schema::Side;
use crate::pg::{self, Address, Connection, Mode, Session};
use crate::store::{Capture, TableRow};

use super::error::{MigrationError, on_source, to_source};

/// A slot as it was made.
#[derive(Debug, Clone)]
pub struct Slot {
    /// Its consistent point: every transaction that commits after it is streamed.
    pub lsn: Lsn,
    /// What was visible at that point, or more; an epoch must see all of it.
    pub snapshot: Snapshot,
    /// The source's timeline.
    pub timeline: u32,
}

/// The publication for tables of which only inserts can be captured.
pub fn inserts_publication(publication: &str) -> String {
    format!("{publication}_inserts")
}

/// Says which of `tables` have no replica identity, and what that means.
pub fn tell_inserts_only(tables: &[TableRow]) {
    let names: Vec<_> = tables
        .iter()
        .filter(|table| table.capture == Capture::InsertsOnly)
        .map(|table| table.name.to_string())
        .collect();
    if !names.is_empty() {
        tracing::warn!(
            "no replica identity, so only inserts and truncates are captured; an update or delete \
             will be noticed, at the end at the latest, and end the migration with an error: {}",
            names.join(", ")
        );
    }
}

/// Makes the publications for `tables`.
///
/// A publication that covers updates of a table without replica identity makes the
/// *application's own* UPDATE fail on the source, so such tables go into one of their own that
/// publishes inserts and truncates.
pub async fn create_publications(
    source: &Session,
    publication: &str,
    tables: &[TableRow],
) -> Result<(), MigrationError> {
    let of = |capture: Capture| {
        let tables = tables.iter().filter(move |table| table.capture == capture);
        tables
            .map(|table| format!("ONLY {}", table.name.quoted()))
            .collect::<Vec<_>>()
    };
    let for_tables = |tables: Vec<String>| match tables.is_empty() {
        true => String::new(),
        false => format!(" FOR TABLE {}", tables.join(", ")),
    };
    let all = format!(
        "CREATE PUBLICATION {}{}",
        quote_ident(publication),
        for_tables(of(Capture::Rows))
    );
    source
        .batch(&all)
        .await
        .map_err(on_source("making the publication"))?;
    let inserts_only = of(Capture::InsertsOnly);
    if inserts_only.is_empty() {
        return Ok(());
    }
    let inserts = format!(
        "CREATE PUBLICATION {}{} WITH (publish = 'insert, truncate')",
        quote_ident(&inserts_publication(publication)),
        for_tables(inserts_only)
    );
    source
        .batch(&inserts)
        .await
        .map_err(on_source("making the publication"))
}

/// Drops the publications, if they are there.
pub async fn drop_publications(source: &Session, publication: &str) -> Result<(), MigrationError> {
    for name in [publication, &inserts_publication(publication)] {
        let sql = format!("DROP PUBLICATION IF EXISTS {}", quote_ident(name));
        source
            .batch(&sql)
            .await
            .map_err(on_source("dropping the publication"))?;
    }
    Ok(())
}

/// Drops the slot, if it is there. True if it was. Names of slots are those of the whole server: a
/// slot of another database is somebody else's.
pub async fn drop_slot(source: &Session, slot: &str) -> Result<bool, MigrationError> {
    let sql = "SELECT pg_drop_replication_slot(slot_name)
                 FROM pg_replication_slots
                WHERE slot_name = $1 AND database = current_database()";
    let dropped = source.execute(sql, &[&slot]).await;
    Ok(dropped.map_err(on_source("dropping the slot"))? > 0)
}

/// How long a walsender may take to notice that its receive is gone, or that it was told to end.
const RELEASE_TRIES: u32 = 100;
const RELEASE_WAIT: Duration = Duration::from_millis(100);

/// As [`drop_slot`], also while the slot is being made or its last user is just leaving.
///
/// A server process that waits for other transactions to make a slot does not notice that nobody
/// waits for it any more, and would leave the slot behind when they end: it is ended. A process
/// that streams from the slot is not.
pub async fn give_up_slot(source: &Session, slot: &str) -> Result<bool, MigrationError> {
    let end_maker = "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots
                      WHERE slot_name = $1 AND database = current_database()
                        AND active AND confirmed_flush_lsn IS NULL";
    for attempt in 1.. {
        let ended = source.execute(end_maker, &[&slot]).await;
        ended.map_err(on_source("ending the making of the slot"))?;
        match drop_slot(source, slot).await {
            Err(MigrationError::Source { source, .. })
                if source.sqlstate() == Some("55006") && attempt < RELEASE_TRIES =>
            {
                tokio::time::sleep(RELEASE_WAIT).await;
            }
            answer => return answer,
        }
    }
    Ok(false)
}

/// Whom the making of the slot is waiting for, if for anybody: a line for the log.
pub async fn blockers_of_slot(source: &Session, slot: &str) -> Result<Option<String>, pg::Error> {
    let sql = "SELECT string_agg(format('pid %s (%s)', a.pid,
                          concat_ws(', ', a.usename, a.datname, nullif(a.application_name, ''),
                                    a.state, 'since ' || to_char(a.xact_start, 'YYYY-MM-DD HH24:MI:SS TZ'))),
                          '; ')
                 FROM pg_replication_slots s
                CROSS JOIN LATERAL unnest(pg_blocking_pids(s.active_pid)) AS blocker (pid)
                 JOIN pg_stat_activity a ON a.pid = blocker.pid
                WHERE s.slot_name = $1";
    Ok(source.query_one(sql, &[&slot]).await?.get(0))
}

/// Makes the slot. Waits until the transactions that are running now have ended.
///
/// The text of the snapshot at its consistent point is read, and no table: reading tables under
/// that snapshot is not safe on every minor release, see [`crate::clone::epoch`].
pub async fn create_slot(
    source: &Address,
    slot: &str,
    plugin: &str,
) -> Result<Slot, MigrationError> {
    let failed = |error| slot_error(error, plugin);
    let mut connection = Connection::open(source, Mode::Replication, "slot")
        .await
        .map_err(to_source(source))?;
    let timeline = first_row(&mut connection, "IDENTIFY_SYSTEM")
        .await
        .map_err(failed)?;
    let timeline = timeline
        .get(1)
        .cloned()
        .flatten()
        .and_then(|text| text.parse().ok());
    let timeline = timeline.unwrap_or(1);
    tracing::info!("making replication slot {slot}: this waits for running transactions to end");
    match create_with_snapshot(&mut connection, slot, plugin).await {
        Ok((lsn, snapshot)) => {
            return Ok(Slot {
                lsn,
                snapshot,
                timeline,
            });
        }
        // "initial slot snapshot too large": on a busy server with many running transactions.
        Err(pg::Error::Server(error)) if error.message.contains("snapshot too large") => {
            tracing::info!("{}; waiting instead", error.message);
        }
        Err(error) => return Err(failed(error)),
    }
    let (lsn, snapshot) = create_and_wait(&mut connection, slot, plugin)
        .await
        .map_err(failed)?;
    Ok(Slot {
        lsn,
        snapshot,
        timeline,
    })
}

/// SQLSTATE undefined_file: the server has no library of the plugin's name.
pub(super) const NO_LIBRARY: &str = "58P01";

/// The source lacks an output plugin; every server has pgoutput.
pub(super) fn no_such_plugin(plugin: &str) -> MigrationError {
    let package = match plugin {
        "test_decoding" => "postgresql-contrib; with Debian it comes with the server",
        _ => "Debian: postgresql-NN-wal2json, Red Hat: wal2json_NN, NN the server's version",
    };
    MigrationError::Refused {
        side: Some(Side::Source),
        problem: format!("output plugin {plugin} is not installed on the source"),
        hint: format!(
            "install its package on the source's machine ({package}), which takes no restart; or \
             use pgoutput, which every server has"
        ),
    }
}

fn slot_error(error: pg::Error, plugin: &str) -> MigrationError {
    match error.sqlstate() {
        Some(NO_LIBRARY) => no_such_plugin(plugin),
        _ => on_source("making the replication slot")(error),
    }
}

async fn create_with_snapshot(
    connection: &mut Connection,
    slot: &str,
    plugin: &str,
) -> Result<(Lsn, Snapshot), pg::Error> {
    connection
        .query("BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ")
        .await?;
    let create = format!(
        "CREATE_REPLICATION_SLOT {} LOGICAL {} USE_SNAPSHOT",
        quote_ident(slot),
        quote_ident(plugin)
    );
    let made = first_row(connection, &create).await;
    let made = match made {
        Ok(made) => made,
        Err(error) => {
            connection.query("ROLLBACK").await?;
            return Err(error);
        }
    };
    let snapshot = first_row(connection, &current_snapshot(connection)).await?;
    connection.query("COMMIT").await?;
    Ok((parsed(&made, 1)?, parsed(&snapshot, 0)?))
}

/// Makes the slot without a snapshot. Every transaction below `xmax`, taken just after, may have
/// committed before the slot's point, so an epoch must see them all: written as the snapshot in
/// which exactly those are visible.
async fn create_and_wait(
    connection: &mut Connection,
    slot: &str,
    plugin: &str,
) -> Result<(Lsn, Snapshot), pg::Error> {
    let create = format!(
        "CREATE_REPLICATION_SLOT {} LOGICAL {} NOEXPORT_SNAPSHOT",
        quote_ident(slot),
        quote_ident(plugin)
    );
    let made = first_row(connection, &create).await?;
    let snapshot = first_row(connection, &current_snapshot(connection)).await?;
    let snapshot = snapshot.first().cloned().flatten().unwrap_or_default();
    let xmax = snapshot.split(':').nth(1).unwrap_or_default();
    let all_below = format!("{xmax}:{xmax}:");
    Ok((parsed(&made, 1)?, parsed(&[Some(all_below)], 0)?))
}

fn current_snapshot(connection: &Connection) -> String {
    let function = match connection.server_version().major() {
        13.. => "pg_current_snapshot",
        _ => "txid_current_snapshot",
    };
    format!("SELECT pg_catalog.{function}()::text")
}

async fn first_row(
    connection: &mut Connection,
    sql: &str,
) -> Result<Vec<Option<String>>, pg::Error> {
    let results = connection.query(sql).await?;
    let row = results
        .into_iter()
        .find_map(|result| result.rows.into_iter().next());
    row.ok_or_else(|| pg::Error::Protocol(format!("no answer to {sql}")))
}

fn parsed<T: std::str::FromStr>(row: &[Option<String>], at: usize) -> Result<T, pg::Error> {
    let text = row.get(at).cloned().flatten().unwrap_or_default();
    let value = text.parse();
    value.map_err(|_| {
        pg::Error::Protocol(format!("{} is not what a slot has", quote_literal(&text)))
    })
}
