//! What pgflit keeps on the target is dropped, though sessions that nobody waits for may hold it.
//!
//! A server process notices that its client is gone only when it next talks to it. Until then a
//! COPY, or whatever a killed run had asked for, keeps its locks on the ledger, and the one that
//! applied its origin. Whoever drops them waits a moment, ends those sessions of ours, and names
//! all others rather than wait for them.

use std::time::Duration;

use crate::base::Side;
use crate::catalog::ledger;
use crate::pg::{self, Session};

use super::error::{MigrationError, on_target};

/// How long one lock is waited for: a commit takes less, and so does a session that is just ending.
const LOCK_WAIT: Duration = Duration::from_secs(1);

/// How often it is tried: a few seconds in all, after which a person looks sooner than waits.
const TRIES: u32 = 5;

/// SQLSTATE lock_not_available.
const LOCKED: &str = "55P03";

/// SQLSTATE object_in_use: an origin that a session has set up.
const IN_USE: &str = "55006";

/// Who else of pgflit may be at work on the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    /// Nobody of this migration: the locks of its work directory are ours, so its sessions are left
    /// over from a run that was killed.
    LeftOver,
    /// There is no work directory that would tell: sessions are named, and none is ended.
    Unknown,
}

/// Drops the replication origin; true if it was there and this role may drop it.
///
/// # Errors
/// Another session than one that is left over uses it.
pub(super) async fn drop_origin(
    target: &Session,
    origin: &str,
    others: Others,
) -> Result<bool, MigrationError> {
    let failed = on_target("dropping the origin");
    let sql = "SELECT pg_replication_origin_drop(roname)
                 FROM pg_replication_origin WHERE roname = $1";
    limit_waits(target).await.map_err(&failed)?;
    for attempt in 1.. {
        let error = match target.execute(sql, &[&origin]).await {
            Ok(count) => return Ok(count > 0),
            Err(error) => error,
        };
        let user = match error.sqlstate() {
            Some("42501") => return Ok(false),
            Some(IN_USE) => user_of_origin(&error),
            _ => return Err(failed(error)),
        };
        let users = sessions(target, "a.pid = $1", &user).await;
        let users = users.map_err(&failed)?;
        if attempt == TRIES {
            return Err(held(
                format!("replication origin \"{origin}\" on the target is in use"),
                &users,
            ));
        }
        end_left_over(target, &users, others)
            .await
            .map_err(&failed)?;
        tokio::time::sleep(LOCK_WAIT).await;
    }
    Ok(false)
}

/// The last number of "… in use by PID 4711", whatever the language of the server.
fn user_of_origin(error: &pg::Error) -> i32 {
    let text = error.to_string();
    let said = match error {
        pg::Error::Server(error) => &error.message,
        _ => &text,
    };
    let words = said.rsplit(|char: char| !char.is_ascii_digit());
    let pid = words.filter_map(|word| word.parse().ok()).next();
    pid.unwrap_or_default()
}

/// Drops the schema `pgflit` with all that it says.
///
/// # Errors
/// Sessions that are not left over hold it for longer than a moment.
pub(super) async fn drop_ledger(target: &Session, others: Others) -> Result<(), MigrationError> {
    let failed = on_target("dropping the schema pgflit");
    limit_waits(target).await.map_err(&failed)?;
    for attempt in 1.. {
        match ledger::drop(target).await {
            Ok(()) => return Ok(()),
            Err(error) if error.sqlstate() != Some(LOCKED) => return Err(failed(error)),
            Err(_) => {}
        }
        let holders = sessions(target, HOLDS_LEDGER, &0).await;
        let holders = holders.map_err(&failed)?;
        if attempt == TRIES {
            return Err(held(
                "the schema pgflit on the target cannot be dropped: its tables are locked"
                    .to_owned(),
                &holders,
            ));
        }
        end_left_over(target, &holders, others)
            .await
            .map_err(&failed)?;
    }
    Ok(())
}

async fn limit_waits(target: &Session) -> Result<(), pg::Error> {
    let sql = format!("SET lock_timeout = '{}ms'", LOCK_WAIT.as_millis());
    target.batch(&sql).await
}

/// A session of the target that is in the way.
struct Holder {
    pid: i32,
    /// Whether it calls itself one of pgflit's, from this machine and as this role, since before
    /// the session that asks.
    is_ours: bool,
    /// What a person needs to find it.
    description: String,
}

/// Locks on the schema itself, or on what is in it. One parameter, which it does not use.
const HOLDS_LEDGER: &str = "a.pid <> $1 AND a.pid IN (
    SELECT l.pid FROM pg_locks l, pg_namespace n
     WHERE n.nspname = 'pgflit' AND l.granted
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND (l.relation IN (SELECT oid FROM pg_class WHERE relnamespace = n.oid)
            OR l.classid = 'pg_namespace'::regclass AND l.objid = n.oid))";

/// The sessions, other than our own, of which `condition` is true with `pid` as its `$1`.
async fn sessions(target: &Session, condition: &str, pid: &i32) -> Result<Vec<Holder>, pg::Error> {
    let sql = format!(
        "SELECT a.pid,
                coalesce(a.usename = session_user AND a.datname = current_database()
                    AND a.application_name ~ 'pgflit: [a-z0-9, ]+$'
                    AND a.client_addr IS NOT DISTINCT FROM inet_client_addr()
                    AND a.backend_start < me.backend_start, false),
                format('pid %s (%s)', a.pid, concat_ws(', ', a.usename,
                    nullif(a.application_name, ''), a.state,
                    'query since ' || to_char(a.query_start, 'YYYY-MM-DD HH24:MI:SS TZ')))
           FROM pg_stat_activity a
           JOIN pg_stat_activity me ON me.pid = pg_backend_pid()
          WHERE a.pid <> me.pid AND {condition}
          ORDER BY 1 LIMIT 100"
    );
    let rows = target.query(&sql, &[pid]).await?;
    let holder = |row: &tokio_postgres::Row| Holder {
        pid: row.get(0),
        is_ours: row.get(1),
        description: row.get(2),
    };
    Ok(rows.iter().map(holder).collect())
}

async fn end_left_over(
    target: &Session,
    holders: &[Holder],
    others: Others,
) -> Result<(), pg::Error> {
    if others != Others::LeftOver {
        return Ok(());
    }
    for holder in holders.iter().filter(|holder| holder.is_ours) {
        tracing::info!(
            "ending what an earlier run has left on the target: {}",
            holder.description
        );
        let end = "SELECT pg_terminate_backend($1)";
        target.execute(end, &[&holder.pid]).await?;
    }
    Ok(())
}

/// How many sessions an error names.
const NAMED: usize = 5;

fn held(problem: String, holders: &[Holder]) -> MigrationError {
    let names: Vec<_> = holders.iter().map(|it| it.description.as_str()).collect();
    let (problem, hint) = match names.as_slice() {
        [] => (
            problem,
            "look at pg_prepared_xacts and pg_locks there for who holds it; then run the same \
             command again"
                .to_owned(),
        ),
        names => {
            let shown = names.get(..NAMED).unwrap_or(names).join("; ");
            let more = match names.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            let pid = holders.first().map_or(0, |first| first.pid);
            (
                format!("{problem} by {shown}{more}"),
                format!(
                    "let it end, or end it there with SELECT pg_terminate_backend({pid}); then run \
                     the same command again"
                ),
            )
        }
    };
    MigrationError::Refused {
        side: Some(Side::Target),
        problem,
        hint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::ServerError;

    #[test]
    fn who_uses_an_origin_is_read_from_what_the_server_says() {
        let said = |message: &str| {
            let message = message.to_owned();
            let error = ServerError {
                message,
                ..ServerError::default()
            };
            user_of_origin(&error.into())
        };
        let english = "could not drop replication origin with ID 3, in use by PID 4711";
        assert_eq!(said(english), 4711);
        assert_eq!(said("von PID 4711 verwendet."), 4711);
        assert_eq!(said("in use by PID 99999999999"), 0);
        assert_eq!(said("in use"), 0);
    }

    #[test]
    fn who_holds_it_is_named_with_what_to_do() {
        let holder = |pid| Holder {
            pid,
            is_ours: false,
            description: format!("pid {pid} (app, psql, idle in transaction)"),
        };
        let error = held("locked".to_owned(), &[holder(7)]);
        assert_eq!(
            error.to_string(),
            "locked by pid 7 (app, psql, idle in transaction)"
        );
        let hint = error.hint().unwrap_or_default();
        assert!(hint.contains("pg_terminate_backend(7)"), "{hint}");
        let many: Vec<_> = (1..=7).map(holder).collect();
        assert!(
            held("locked".to_owned(), &many)
                .to_string()
                .ends_with("; and 2 more")
        );
        let unseen = held("locked".to_owned(), &[]).hint().unwrap_or_default();
        assert!(unseen.contains("pg_prepared_xacts"), "{unseen}");
    }
}
