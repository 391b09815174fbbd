//! Slot and publications on the source: made before anything is copied, dropped by cleanup.

use std::time::Duration;

use crate::base::Lsn;
use crate::base::Side;
use crate::base::ident::{quote_ident, quote_literal};
use crate::base::snapshot::Snapshot;
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

/// What apply needs, so that it fires no triggers and checks no foreign keys.
pub async fn may_apply(session: &Session) -> Result<bool, pg::Error> {
    let probe = "BEGIN; SET LOCAL session_replication_role = replica";
    let asked = session.batch(probe).await;
    // A lost session says so here.
    session.batch("ROLLBACK").await?;
    match asked {
        Ok(()) => Ok(true),
        Err(error) if error.sqlstate() == Some("42501") => Ok(false),
        Err(error) => Err(error),
    }
}

/// What to do where [`may_apply`] is false, of the role `user`.
pub fn let_apply(user: &str) -> String {
    format!(
        "have an administrator run, from PostgreSQL 15 on: GRANT SET ON PARAMETER \
         session_replication_role TO {user}; or connect as a superuser"
    )
}

/// The position that the target keeps under the name `origin`, in an origin or in our table; none
/// if nothing was ever applied under it.
pub async fn applied_until(target: &Session, origin: &str) -> Result<Option<Lsn>, pg::Error> {
    let in_table = "SELECT to_regclass('pgflit.progress') IS NOT NULL";
    let mut known: Vec<Option<String>> = Vec::new();
    if target.query_one(in_table, &[]).await?.get(0) {
        let sql = "SELECT max(lsn)::text FROM pgflit.progress WHERE origin = $1 AND lsn <> '0/0'";
        known.push(target.query_one(sql, &[&origin]).await?.get(0));
    }
    let sql = "SELECT max(lsn)::text
                 FROM (SELECT pg_replication_origin_progress(roname, false)
                         FROM pg_replication_origin WHERE roname = $1) AS kept (lsn)
                WHERE lsn <> '0/0'";
    match target.query_one(sql, &[&origin]).await {
        Ok(row) => known.push(row.get(0)),
        // Apply cannot use it either.
        Err(error) if error.sqlstate() == Some("42501") => {}
        Err(error) => return Err(error),
    }
    let mut latest = None;
    for text in known.into_iter().flatten() {
        let lsn: Lsn = text.parse().map_err(|_| {
            pg::Error::Protocol(format!("the target says \"{text}\" of how far it is"))
        })?;
        latest = latest.max(Some(lsn));
    }
    Ok(latest)
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
    let mut kind = Kind::best_of(&connection);
    let mut way = Way::WithSnapshot;
    loop {
        let made = match way {
            Way::WithSnapshot => create_with_snapshot(&mut connection, slot, plugin, kind).await,
            Way::Waiting => create_and_wait(&mut connection, slot, plugin, kind).await,
        };
        match made {
            Ok((lsn, snapshot)) => {
                return Ok(Slot {
                    lsn,
                    snapshot,
                    timeline,
                });
            }
            // "initial slot snapshot too large": on a busy server with many running transactions.
            Err(pg::Error::Server(error))
                if way == Way::WithSnapshot && error.message.contains("snapshot too large") =>
            {
                tracing::info!("{}; waiting instead", error.message);
                way = Way::Waiting;
            }
            Err(pg::Error::Server(error))
                if kind == Kind::Failover && refuses_kind(&error.sqlstate) =>
            {
                tracing::info!(
                    "the source makes no slot that its standbys keep too ({}): this one is lost in a failover",
                    error.message
                );
                kind = Kind::Plain;
            }
            Err(error) => return Err(failed(error)),
        }
    }
}

/// What becomes of the slot when a standby takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Standbys that synchronize slots have it too.
    Failover,
    /// It is lost, unless somebody hands it over.
    Plain,
}

impl Kind {
    fn best_of(connection: &Connection) -> Self {
        match connection.server_version().major() {
            17.. => Kind::Failover,
            _ => Kind::Plain,
        }
    }

    /// CREATE_REPLICATION_SLOT, with the snapshot that is used or none. The old words are
    /// understood by every version.
    fn create(self, slot: &str, plugin: &str, uses_snapshot: bool) -> String {
        let options = match (self, uses_snapshot) {
            (Kind::Plain, true) => "USE_SNAPSHOT",
            (Kind::Plain, false) => "NOEXPORT_SNAPSHOT",
            (Kind::Failover, true) => "(SNAPSHOT 'use', FAILOVER true)",
            (Kind::Failover, false) => "(SNAPSHOT 'nothing', FAILOVER true)",
        };
        format!(
            "CREATE_REPLICATION_SLOT {} LOGICAL {} {options}",
            quote_ident(slot),
            quote_ident(plugin)
        )
    }
}

/// How the snapshot at the slot's point is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    WithSnapshot,
    Waiting,
}

/// Whether a server that refuses so may make a slot of the plain kind: it does not know the option,
/// or may not have it.
fn refuses_kind(sqlstate: &str) -> bool {
    const SYNTAX_ERROR: &str = "42601";
    const INVALID_VALUE: &str = "22023";
    const NOT_SUPPORTED: &str = "0A000";
    const WRONG_STATE: &str = "55000";
    const NOT_PERMITTED: &str = "42501";
    [
        SYNTAX_ERROR,
        INVALID_VALUE,
        NOT_SUPPORTED,
        WRONG_STATE,
        NOT_PERMITTED,
    ]
    .contains(&sqlstate)
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
    kind: Kind,
) -> Result<(Lsn, Snapshot), pg::Error> {
    connection
        .query("BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ")
        .await?;
    let made = first_row(connection, &kind.create(slot, plugin, true)).await;
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
    kind: Kind,
) -> Result<(Lsn, Snapshot), pg::Error> {
    let made = first_row(connection, &kind.create(slot, plugin, false)).await?;
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
