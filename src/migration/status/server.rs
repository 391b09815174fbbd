//! One of the two servers: asked within a bound, by one session that is kept for the next look.

use std::time::Duration;

use super::model::{Server, Slot, Stall};
use super::stalls;
use crate::base::cause::chain;
use crate::base::{Lsn, Side};
use crate::catalog::server;
use crate::pg::{Address, Error, Session};

/// How long a server may take to answer. One that takes longer is told as one that does not.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(3);

/// What is asked does not take longer than the answer is waited for, also if nobody waits any more.
const PATIENCE: &str = "SET statement_timeout = '3s'; SET lock_timeout = '1s'";

/// A server, and the session to it if there is one.
#[derive(Debug)]
pub(super) struct Place {
    side: Side,
    address: Result<Address, String>,
    session: Option<Session>,
}

/// What one look has found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) server: Server,
    /// The slots that were asked for, where they are there.
    pub(super) slots: Vec<(String, Slot)>,
    pub(super) stalls: Vec<Stall>,
    /// The server's clock, in seconds since 1970.
    pub(super) now: Option<f64>,
}

/// What is looked for.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// The system that the migration was begun with.
    pub(super) system: Option<String>,
    pub(super) slots: Vec<String>,
    pub(super) origin: Option<String>,
}

impl Place {
    /// The server at `address`; or why that is not known.
    pub(super) fn new(side: Side, address: Result<Address, String>) -> Self {
        Self {
            side,
            address,
            session: None,
        }
    }

    /// Looks. What stands in the way is in what is found.
    pub(super) async fn look(&mut self, wanted: &Wanted) -> Found {
        let address = match &self.address {
            Ok(address) => address.clone(),
            Err(problem) => {
                return Found {
                    server: Server {
                        problem: Some(problem.clone()),
                        ..Server::default()
                    },
                    ..Found::default()
                };
            }
        };
        let looking = tokio::time::timeout(ANSWER_MAX, self.look_at(&address, wanted));
        let problem = match looking.await {
            Ok(Ok(found)) => {
                return Found {
                    server: Server {
                        address: Some(address.to_string()),
                        ..found.server
                    },
                    ..found
                };
            }
            Ok(Err(problem)) => problem,
            Err(_) => format!("no answer within {} s", ANSWER_MAX.as_secs()),
        };
        self.session = None;
        Found {
            server: Server {
                address: Some(address.to_string()),
                problem: Some(problem),
                ..Server::default()
            },
            ..Found::default()
        }
    }

    async fn look_at(&mut self, address: &Address, wanted: &Wanted) -> Result<Found, String> {
        let said = |error: Error| chain(&error);
        let session = match &mut self.session {
            Some(session) => session,
            none => {
                let session = Session::connect(address, "status").await.map_err(said)?;
                session.batch(PATIENCE).await.map_err(said)?;
                let system = server::look(&session).await.map_err(said)?.system;
                if wanted.system.as_ref().is_some_and(|begun| *begun != system) {
                    return Err(format!(
                        "this is another database than the {} that the migration was begun with",
                        self.side
                    ));
                }
                none.insert(session)
            }
        };
        ask(session, self.side, wanted).await.map_err(said)
    }
}

async fn ask(session: &Session, side: Side, wanted: &Wanted) -> Result<Found, Error> {
    let sql = "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                           ELSE pg_current_wal_lsn() END::text,
                      extract(epoch FROM clock_timestamp())::float8";
    let row = session.query_one(sql, &[]).await?;
    let current_lsn = lsn(row.get(0));
    let mut found = Found {
        server: Server {
            reachable: true,
            version: Some(session.server_version().to_string()),
            current_lsn,
            ..Server::default()
        },
        now: Some(row.get(1)),
        ..Found::default()
    };
    for name in &wanted.slots {
        let slot = slot(session, name, current_lsn).await?;
        found.slots.extend(slot.map(|slot| (name.clone(), slot)));
    }
    if let Some(origin) = &wanted.origin {
        let sql =
            "SELECT remote_lsn::text FROM pg_replication_origin_status WHERE external_id = $1";
        // Not every role may read it.
        let row = session.query_opt(sql, &[origin]).await.unwrap_or_default();
        found.server.origin_lsn = row.and_then(|row| lsn(row.get(0)));
    }
    (found.server.sessions, found.stalls) = stalls::look(session, side).await?;
    Ok(found)
}

async fn slot(session: &Session, name: &str, current: Option<Lsn>) -> Result<Option<Slot>, Error> {
    let said = match session.server_version().major() {
        13.. => "wal_status, safe_wal_size",
        _ => "NULL::text, NULL::bigint",
    };
    let sql = format!(
        "SELECT active, restart_lsn::text, confirmed_flush_lsn::text, {said}
           FROM pg_replication_slots WHERE slot_name = $1"
    );
    let row = session.query_opt(&sql, &[&name]).await?;
    Ok(row.map(|row| {
        let restart_lsn = lsn(row.get(1));
        let safe: Option<i64> = row.get(4);
        Slot {
            active: row.get(0),
            restart_lsn,
            confirmed_lsn: lsn(row.get(2)),
            retained_bytes: match (current, restart_lsn) {
                (Some(current), Some(restart)) => current.bytes_since(restart),
                _ => 0,
            },
            wal_status: row.get(3),
            safe_bytes: safe.map(|bytes| u64::try_from(bytes).unwrap_or(0)),
        }
    }))
}

fn lsn(text: Option<String>) -> Option<Lsn> {
    text.and_then(|text| text.parse().ok())
}
