//! Whether the source has room for the locks of pg_dump, which locks every table that it dumps at
//! once.
//!
//! The lock table is made for `max_locks_per_transaction` locks a backend and prepared transaction,
//! takes more from what shared memory is left, and is shared with everybody. So what is beyond
//! that number may fit or not; pg_dump would find out by failing, and so do we, but at once.

use crate::base::Side;
use crate::catalog::discovery;
use crate::pg::Session;

use super::error::{MigrationError, on_source};

/// Tables locked by one statement.
const LOCKED_TOGETHER: usize = 500;

/// Refuses a source whose lock table cannot hold all tables but those of the schemas `left_out`;
/// warns where they are more than it is made for, and fit: pg_dump locks catalogs besides.
pub(super) async fn check(session: &Session, left_out: &[String]) -> Result<(), MigrationError> {
    let looking = on_source("looking at its locks");
    let tables = discovery::lockable_tables(session, left_out).await;
    let tables = tables.map_err(&looking)?;
    let room = room(session).await.map_err(&looking)?;
    if tables.len() as u64 <= room.locks {
        return Ok(());
    }
    let locked = lock_all(session, &tables).await;
    session.batch("ROLLBACK").await.map_err(&looking)?;
    let problem = room.problem(tables.len() as u64);
    let hint = room.hint(tables.len() as u64);
    match locked {
        Err(error) if error.sqlstate() == Some("53200") => Err(MigrationError::Refused {
            side: Some(Side::Source),
            problem: format!("{problem}: it ran out of shared memory"),
            hint,
        }),
        // Somebody holds a table, or this role may not lock one: pg_dump will say so.
        Err(error) => {
            tracing::warn!("{problem}; whether they fit could not be tried ({error}): {hint}");
            Ok(())
        }
        Ok(()) => {
            tracing::warn!(
                "{problem}: they fit now, but may not when pg_dump needs others too: {hint}"
            );
            Ok(())
        }
    }
}

/// What the lock table is made for, by `NLOCKENTS` of PostgreSQL's `lock.c`.
pub(super) struct Room {
    /// `max_locks_per_transaction`.
    each: u64,
    /// Backends of every kind, and prepared transactions.
    holders: u64,
    /// All.
    pub(super) locks: u64,
}

impl Room {
    /// That so many `tables` are more than it is made for.
    pub(super) fn problem(&self, tables: u64) -> String {
        format!(
            "pg_dump locks {tables} tables at once, and the source's lock table is made for {} locks \
             (max_locks_per_transaction = {}, for each of {} processes and prepared transactions)",
            self.locks, self.each, self.holders
        )
    }

    /// What `max_locks_per_transaction` must be for so many.
    pub(super) fn enough(&self, tables: u64) -> u64 {
        tables.div_ceil(self.holders.max(1)) + self.each
    }

    /// What to do about so many.
    pub(super) fn hint(&self, tables: u64) -> String {
        format!(
            "raise max_locks_per_transaction to {} or more on the source and restart it; or \
             leave schemas out with --filters",
            self.enough(tables)
        )
    }
}

/// Asks the server.
pub(super) async fn room(session: &Session) -> Result<Room, crate::pg::Error> {
    // Before 12, walsenders are among max_connections; since 18, slots for autovacuum are counted
    // and not its workers, and there is one more process of the server's own.
    let sql = "SELECT current_setting('max_locks_per_transaction')::bigint,
                      current_setting('max_connections')::bigint
                      + coalesce(current_setting('autovacuum_worker_slots', true),
                                 current_setting('autovacuum_max_workers'))::bigint
                      + CASE WHEN v >= 180000 THEN 2 ELSE 1 END
                      + current_setting('max_worker_processes')::bigint
                      + CASE WHEN v >= 120000
                             THEN current_setting('max_wal_senders')::bigint ELSE 0 END
                      + current_setting('max_prepared_transactions')::bigint
                 FROM (SELECT current_setting('server_version_num')::int AS v) AS version";
    let row = session.query_one(sql, &[]).await?;
    let count = |at: usize| row.get::<_, i64>(at).max(0).cast_unsigned();
    let (each, holders) = (count(0), count(1));
    Ok(Room {
        each,
        holders,
        locks: each * holders,
    })
}

/// Locks as pg_dump does, and as little as it does.
async fn lock_all(session: &Session, tables: &[String]) -> Result<(), crate::pg::Error> {
    session
        .batch("BEGIN READ ONLY; SET LOCAL lock_timeout = '100ms'")
        .await?;
    for tables in tables.chunks(LOCKED_TOGETHER) {
        let names: Vec<_> = tables.iter().map(|table| format!("ONLY {table}")).collect();
        let sql = format!("LOCK TABLE {} IN ACCESS SHARE MODE", names.join(", "));
        session.batch(&sql).await?;
    }
    Ok(())
}
