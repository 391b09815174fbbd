//! The fence: nobody but us and the paused proxies can write to a side.
//!
//! A read-only default alone is none, because any session can undo it; taking CONNECT away alone leaves
//! the sessions that are there. So: logins are taken away, sessions are ended, and then it is *proven*
//! that no other session is left and nothing of theirs is still being written.
//!
//! What is changed is noted in the table `pgflit.fence` of the same database, in the same transaction,
//! and put back from there: by an abort, by a rollback, or by hand.

use std::time::{Duration, Instant};

use tokio_postgres::types::ToSql;

use super::config::FenceMode;
use super::error::{CutoverError, on};
use crate::base::Side;
use crate::base::ident::{quote_ident, quote_literal};
use crate::pg::Session;
use crate::proxy::authority::put_back::{self, Changed, PutBackError, grantee};
use crate::proxy::control::Client;
use crate::proxy::moving::MARK;

/// How often it is looked whether those that were ended have gone.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// After so long, those that are still there are ended again: some came in just before the fence.
const END_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// Somebody who is connected past the proxy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bypasser {
    /// Its role.
    pub role: String,
    /// Its name for itself.
    pub application: String,
    /// Where it comes from.
    pub address: String,
    /// Whether the fence keeps that role out of the database: superusers pass it otherwise.
    pub is_superuser: bool,
    /// Whether it is the role that pgflit uses itself.
    pub is_own_role: bool,
}

impl Bypasser {
    /// For people.
    pub fn describe(&self) -> String {
        let application = match self.application.is_empty() {
            true => String::new(),
            false => format!(" ({})", self.application),
        };
        format!("{} from {}{application}", self.role, self.address)
    }
}

/// The server processes of the proxies' clients, each with its role: on another server somebody else may have
/// the same number.
#[derive(Debug, Clone, Default)]
pub struct Spared {
    /// The processes.
    pub pids: Vec<i32>,
    /// Of each, the role.
    pub roles: Vec<String>,
}

impl Spared {
    /// Those of `clients` that are to move.
    pub fn of(clients: &[Client]) -> Self {
        let mut spared = Spared::default();
        for client in clients.iter().filter(|client| client.is_to_move) {
            if let Some(pid) = client.server_pid.and_then(|pid| i32::try_from(pid).ok()) {
                spared.pids.push(pid);
                spared.roles.push(client.user.clone());
            }
        }
        spared
    }
}

/// Sessions of this database that are neither ours nor the proxies'.
const FOREIGN: &str = "FROM pg_catalog.pg_stat_activity a
     WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
       AND coalesce(a.backend_type, 'client backend') IN ('client backend', 'parallel worker')
       AND NOT (a.pid, a.usename::text) IN (SELECT pid, role FROM
                ROWS FROM (pg_catalog.unnest($1::int[]), pg_catalog.unnest($2::text[]))
                    AS spared (pid, role))
       AND NOT (a.usename IS NOT DISTINCT FROM CURRENT_USER
                AND a.application_name ~ 'pgflit: [a-z0-9, ]+$')";

/// Whether one is up.
///
/// # Errors
/// The server refuses.
pub async fn is_up(session: &Session, side: Side) -> Result<bool, CutoverError> {
    let up = put_back::is_up(session).await;
    up.map_err(on(side, "looking for the fence"))
}

/// Who is connected past the proxies, whose server processes are `spared`.
///
/// # Errors
/// The server refuses.
pub async fn bypassers(
    session: &Session,
    side: Side,
    spared: &Spared,
) -> Result<Vec<Bypasser>, CutoverError> {
    let sql = format!(
        "SELECT a.usename::text, a.application_name, coalesce(host(a.client_addr), 'a local socket'),
                r.rolsuper, a.usename = CURRENT_USER
           FROM (SELECT a.* {FOREIGN} AND a.backend_type = 'client backend') AS a
           JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid"
    );
    let rows = session.query(&sql, &[&spared.pids, &spared.roles]).await;
    let rows = rows.map_err(on(side, "looking who is connected"))?;
    let mut found: Vec<_> = rows
        .iter()
        .map(|row| Bypasser {
            role: row.get(0),
            application: row.get(1),
            address: row.get(2),
            is_superuser: row.get(3),
            is_own_role: row.get(4),
        })
        .collect();
    found.sort();
    found.dedup();
    Ok(found)
}

/// Roles that connect whatever the database's privileges say, other than our own: those of `roles` that
/// are superusers.
///
/// # Errors
/// The server refuses.
pub async fn superusers(
    session: &Session,
    side: Side,
    roles: &[String],
) -> Result<Vec<String>, CutoverError> {
    let sql = "SELECT rolname::text FROM pg_catalog.pg_roles
                WHERE rolsuper AND rolname <> CURRENT_USER AND rolname = ANY ($1)";
    let rows = session.query(sql, &[&roles]).await;
    let rows = rows.map_err(on(side, "looking at roles"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Takes logins away, as `mode` says, and notes what that has changed; `superusers` are kept out too.
///
/// # Errors
/// The server refuses; then nothing is changed.
pub async fn raise(
    session: &Session,
    side: Side,
    (attempt, mode): (u64, FenceMode),
    superusers: &[String],
) -> Result<(), CutoverError> {
    let failed = on(side, "putting up the fence");
    let mut changed = Changed::default();
    let row = session
        .query_one(
            "SELECT pg_catalog.quote_ident(d.datname), CURRENT_USER::text,
                    ARRAY(SELECT coalesce(r.rolname, '')::text
                            FROM pg_catalog.aclexplode(
                                   coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) AS x
                            LEFT JOIN pg_catalog.pg_roles r ON r.oid = x.grantee
                           WHERE x.privilege_type = 'CONNECT'),
                    (SELECT pg_catalog.split_part(one, '=', 2)
                       FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) AS one
                      WHERE s.setdatabase = d.oid AND s.setrole = 0
                        AND one LIKE 'default_transaction_read_only=%'),
                    (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER),
                    ARRAY(SELECT r.rolname::text FROM pg_catalog.aclexplode(d.datacl) AS x
                            JOIN pg_catalog.pg_roles r ON r.oid = x.grantee
                           WHERE x.privilege_type = 'CONNECT' AND x.is_grantable)
               FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()",
            &[],
        )
        .await
        .map_err(&failed)?;
    let (database, own): (String, String) = (row.get(0), row.get(1));
    let mut statements = Vec::new();
    match mode {
        FenceMode::Connections => {
            changed.connect = row.get(2);
            changed.granted_it = row.get(5);
            let is_superuser: bool = row.get(4);
            if !changed.connect.contains(&own) && !is_superuser {
                changed.let_in = Some(quote_ident(&own));
            }
            for role in changed.connect.iter().filter(|role| **role != own) {
                // Those to whom they have granted it are among them.
                statements.push(format!(
                    "REVOKE CONNECT ON DATABASE {database} FROM {} CASCADE",
                    grantee(role)
                ));
            }
            // Also where somebody had granted it to us who has it no more.
            if !is_superuser {
                let own = quote_ident(&own);
                statements.push(format!("GRANT CONNECT ON DATABASE {database} TO {own}"));
            }
            for role in superusers {
                statements.push(format!("ALTER ROLE {} NOLOGIN", quote_ident(role)));
                changed.no_login.push(role.clone());
            }
        }
        FenceMode::ReadOnly => {
            changed.read_only = true;
            changed.read_only_before = row.get(3);
            statements.push(format!(
                "ALTER DATABASE {database} SET default_transaction_read_only = on"
            ));
        }
        FenceMode::Terminate => {}
    }
    // Plain values: it cannot fail.
    let text = serde_json::to_string(&changed).unwrap_or_default();
    let sql = format!(
        "BEGIN; INSERT INTO pgflit.fence (attempt, changed) VALUES ({attempt}, {}); {}",
        quote_literal(&text),
        statements.join("; ")
    );
    let raised = async {
        session.batch(&sql).await.map_err(&failed)?;
        if mode == FenceMode::Connections {
            check_closed(session, side).await?;
        }
        session.batch("COMMIT").await.map_err(&failed)
    };
    let raised = raised.await;
    if raised.is_err() {
        // The session may be used again.
        let _ = session.batch("ROLLBACK").await;
    }
    raised
}

/// Whether nobody but superusers and we ourselves may connect any more: a REVOKE that changes nothing
/// is no error, and privileges may come by other ways.
async fn check_closed(session: &Session, side: Side) -> Result<(), CutoverError> {
    let sql = "SELECT coalesce(string_agg(rolname, ', ' ORDER BY rolname), '')
                 FROM (SELECT rolname FROM pg_catalog.pg_roles
                        WHERE rolcanlogin AND NOT rolsuper AND rolname <> CURRENT_USER
                          AND pg_catalog.has_database_privilege(
                                  oid, pg_catalog.current_database(), 'CONNECT')
                        ORDER BY rolname LIMIT 10) AS open";
    let row = session.query_one(sql, &[]).await;
    let row = row.map_err(on(side, "looking who may connect"))?;
    match row.get::<_, String>(0).as_str() {
        "" => Ok(()),
        roles => Err(CutoverError::not_ready(
            format!("these roles may connect to the {side} past the fence: {roles}"),
            "let pgflit connect there as the database's owner or a superuser, and see that these roles \
             are no members of its role; or be content with --fence read-only",
        )),
    }
}

/// Whether this role sees and may end other sessions: without that, nothing is proven.
///
/// # Errors
/// It does not; the server refuses.
pub async fn check_rights(session: &Session, side: Side) -> Result<(), CutoverError> {
    let sql = "SELECT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
                      AND pg_catalog.pg_has_role('pg_signal_backend', 'USAGE')";
    let row = session.query_one(sql, &[]).await;
    match row.map_err(on(side, "asking for rights"))?.get(0) {
        true => Ok(()),
        false => Err(CutoverError::not_ready(
            format!("pgflit's role on the {side} may not see and end other sessions"),
            "GRANT pg_read_all_stats, pg_signal_backend TO it",
        )),
    }
}

/// Ends everybody who is neither ours nor `spared`, and returns once nobody is left and nothing of
/// theirs is being written; who that was. Waits for as long as it is polled.
///
/// # Errors
/// The server refuses; or one of `spared` is not between two transactions.
pub async fn clear(
    session: &Session,
    side: Side,
    spared: &Spared,
) -> Result<Vec<String>, CutoverError> {
    let failed = on(side, "ending sessions that are not the proxy's");
    let end = format!(
        "SELECT a.usename::text, a.application_name, coalesce(host(a.client_addr), 'a local socket'),
                pg_catalog.pg_terminate_backend(a.pid)
           FROM (SELECT a.* {FOREIGN} AND a.backend_type = 'client backend') AS a"
    );
    let mut ended = Vec::new();
    loop {
        let spare: [&(dyn ToSql + Sync); 2] = [&spared.pids, &spared.roles];
        let rows = session.query(&end, &spare).await.map_err(&failed)?;
        ended.extend(rows.iter().map(|row| {
            let bypasser = Bypasser {
                role: row.get(0),
                application: row.get(1),
                address: row.get(2),
                is_superuser: false,
                is_own_role: false,
            };
            bypasser.describe()
        }));
        let since = Instant::now();
        while since.elapsed() < END_AGAIN_AFTER {
            if is_clear(session, side, spared).await? {
                ended.sort();
                ended.dedup();
                return Ok(ended);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// Whether nobody is there who is neither ours nor `spared`, nothing of theirs is being written, and
/// `spared` are between two transactions, or asked by the proxy itself what they hold.
///
/// # Errors
/// The server refuses; or it has prepared transactions, which nobody can end for their owner.
pub async fn is_clear(
    session: &Session,
    side: Side,
    spared: &Spared,
) -> Result<bool, CutoverError> {
    // A session that has ended has ended its transaction before it is gone from here. Workers of
    // other kinds are no clients, but what they write counts.
    let sql = format!(
        "SELECT (SELECT count(*) {FOREIGN}),
                (SELECT count(*) FROM pg_catalog.pg_stat_activity a
                  WHERE a.datname = pg_catalog.current_database() AND a.backend_xid IS NOT NULL
                    AND a.backend_type NOT IN ('client backend', 'parallel worker', 'walsender')
                    AND a.backend_type NOT LIKE 'autovacuum%'),
                (SELECT count(*) FROM pg_catalog.pg_stat_activity a
                  WHERE a.pid = ANY ($1) AND a.datname = pg_catalog.current_database()
                    AND (a.state IS DISTINCT FROM 'idle' AND NOT coalesce(pg_catalog.starts_with(a.query, '{MARK}'), false)
                         OR a.backend_xid IS NOT NULL)),
                (SELECT count(*) FROM pg_catalog.pg_prepared_xacts
                  WHERE database = pg_catalog.current_database())"
    );
    let spare: [&(dyn ToSql + Sync); 2] = [&spared.pids, &spared.roles];
    let row = session.query_one(&sql, &spare).await;
    let row = row.map_err(on(side, "looking whether nobody else is there"))?;
    let counts: [i64; 4] = std::array::from_fn(|at| row.get(at));
    if counts[3] > 0 {
        return Err(CutoverError::not_ready(
            format!("the {side} has prepared transactions"),
            "end them with COMMIT PREPARED or ROLLBACK PREPARED; see pg_prepared_xacts",
        ));
    }
    Ok(counts.iter().all(|count| *count == 0))
}

/// The statements that put back what fences have changed, and forget them; empty if none is up.
///
/// # Errors
/// The server refuses, or what is noted is not understood.
pub async fn lifting(session: &Session, side: Side) -> Result<String, CutoverError> {
    put_back::statements(session, None)
        .await
        .map_err(|error| of_put_back(error, side))
}

/// Puts back what fences have changed, if any are up.
///
/// # Errors
/// The server refuses; what is not put back stays noted.
pub async fn lift(session: &Session, side: Side) -> Result<(), CutoverError> {
    put_back::put_back(session, None)
        .await
        .map_err(|error| of_put_back(error, side))
}

/// As [`lift`], of a side that traffic has left by `attempt` for good.
///
/// # Errors
/// As [`lift`].
pub async fn lift_for_good(
    session: &Session,
    side: Side,
    attempt: u64,
) -> Result<(), CutoverError> {
    put_back::put_back_for_good(session, attempt)
        .await
        .map_err(|error| of_put_back(error, side))
}

fn of_put_back(error: PutBackError, side: Side) -> CutoverError {
    match error {
        PutBackError::Server(source) => on(side, "lifting the fence")(source),
        PutBackError::Odd => CutoverError::not_ready(
            format!("the table pgflit.fence of the {side} does not say what to put back"),
            "give CONNECT back to the application's roles, and empty the table",
        ),
    }
}
