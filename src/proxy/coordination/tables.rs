//! The rows by which members and whoever moves traffic speak, in the schema `pgflit` of each server.
//!
//! | table | a row is |
//! |---|---|
//! | `pgflit.proxy` | a member with a session there |
//! | `pgflit.proxy_request` | something that a member is asked, and its answer |
//! | `pgflit.attempt` | the attempt that is about to take traffic away from this server |
//!
//! All are unlogged and belong to pgflit's role. Nobody else may write them: what stands there is obeyed.

use std::time::{Duration, Instant};

use tokio_postgres::types::ToSql;

use super::knowledge::Knowledge;
use crate::pg::{Error, Session};
use crate::proxy::authority::{decision, put_back, schema};
use crate::proxy::control::{Reply, Request};

/// The channel of NOTIFY; a notification says nothing but that there may be something.
const CHANNEL: &str = "pgflit_proxy";

/// How often it is looked whether members have answered: at first, and where it takes longer.
const LOOK_EVERY: Duration = Duration::from_millis(1);
const QUICK: Duration = Duration::from_millis(100);
const LOOK_SELDOM: Duration = Duration::from_millis(10);

/// How often it is looked whether those who have not are there at all.
const MISS_EVERY: Duration = Duration::from_millis(200);

/// Makes the tables, and those of decisions and fences, where they are not there.
///
/// # Errors
/// The server refuses.
pub async fn prepare(session: &Session) -> Result<(), Error> {
    decision::prepare(session).await?;
    put_back::prepare(session).await?;
    schema::make(session, &TABLES).await
}

const TABLES: [(&str, &str); 3] = [
    (
        "proxy",
        "CREATE UNLOGGED TABLE pgflit.proxy (
             id bigint PRIMARY KEY,
             pid int NOT NULL,
             began timestamptz NOT NULL,
             name text NOT NULL,
             listen text NOT NULL,
             version text NOT NULL,
             lease_ms bigint NOT NULL)",
    ),
    (
        "proxy_request",
        "CREATE UNLOGGED TABLE pgflit.proxy_request (
             id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
             proxy bigint NOT NULL,
             request text NOT NULL,
             reply text)",
    ),
    (
        "attempt",
        "CREATE UNLOGGED TABLE pgflit.attempt (
             attempt bigint PRIMARY KEY,
             lease_ms bigint NOT NULL)",
    ),
];

/// Who a member says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// A number that no other process has.
    pub id: i64,
    /// Where it runs, for people: `host:pid`.
    pub name: String,
    /// Where it listens, for people.
    pub listen: String,
    /// Its lease.
    pub lease: Duration,
}

/// Makes `card` a member by this session, for as long as the session lasts, and has notifications wake
/// it. Forgets members whose session is gone.
///
/// # Errors
/// The server refuses.
pub async fn register(session: &Session, card: &Card) -> Result<(), Error> {
    session
        .batch(&format!(
            "DELETE FROM pgflit.proxy p
              WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a
                                 WHERE a.pid = p.pid AND a.backend_start = p.began);
             DELETE FROM pgflit.proxy_request r
              WHERE NOT EXISTS (SELECT FROM pgflit.proxy p WHERE p.id = r.proxy);
             LISTEN {CHANNEL}"
        ))
        .await?;
    let sql = "INSERT INTO pgflit.proxy (id, pid, began, name, listen, version, lease_ms)
               SELECT $1, a.pid, a.backend_start, $2, $3, $4, $5
                 FROM pg_catalog.pg_stat_activity a WHERE a.pid = pg_catalog.pg_backend_pid()
               ON CONFLICT (id) DO UPDATE SET pid = excluded.pid, began = excluded.began";
    let lease_ms = i64::try_from(card.lease.as_millis()).unwrap_or(i64::MAX);
    let version = env!("CARGO_PKG_VERSION");
    let values: [&(dyn ToSql + Sync); 5] =
        [&card.id, &card.name, &card.listen, &version, &lease_ms];
    session.execute(sql, &values).await.map(drop)
}

/// What a member asks again and again, and by which it is known to be there: what the server says of where
/// traffic goes, and whether the member is known still.
pub const BEAT: &str = "SELECT
     (SELECT coalesce(max(attempt), 0) FROM pgflit.authority WHERE decision = 'switched'),
     (SELECT coalesce(max(attempt), 0) FROM pgflit.authority),
     (SELECT coalesce(max(attempt), 0) FROM pgflit.fence),
     (SELECT coalesce(max(attempt), 0) FROM pgflit.attempt),
     (SELECT coalesce(max(lease_ms), 0) FROM pgflit.attempt),
     EXISTS (SELECT FROM pgflit.proxy WHERE id = $1 AND pid = pg_catalog.pg_backend_pid())";

/// The knowledge in a row of [`BEAT`]; none if the member is not known any more.
pub fn knowledge(row: &tokio_postgres::Row) -> Option<Knowledge> {
    let number = |at: usize| u64::try_from(row.get::<_, i64>(at)).unwrap_or_default();
    row.get::<_, bool>(5).then(|| Knowledge {
        switched: number(0),
        decided: number(1),
        fenced: number(2),
        noted: number(3),
        noted_for: Duration::from_millis(number(4)),
    })
}

/// What a member is asked and has not answered.
pub const ASKED: &str = "SELECT id, request FROM pgflit.proxy_request
     WHERE proxy = $1 AND id > $2 AND reply IS NULL ORDER BY id";

/// Its answer.
pub const ANSWER: &str = "UPDATE pgflit.proxy_request SET reply = $2 WHERE id = $1";

/// A member as whoever moves traffic sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub id: i64,
    /// Where it runs.
    pub name: String,
    /// Where it listens.
    pub listen: String,
    /// Of pgflit.
    pub version: String,
    /// How long ago it was heard.
    pub silent: Duration,
    /// Its lease.
    pub lease: Duration,
    /// Whether it has our own role there.
    pub is_own_role: bool,
}

impl Member {
    /// Whether its clients go on: past its lease they wait, whatever it thinks.
    pub fn is_there(&self) -> bool {
        self.silent < self.lease
    }
}

/// Those who have a session here.
///
/// # Errors
/// The server refuses.
pub async fn members(session: &Session) -> Result<Vec<Member>, Error> {
    let is_there = "SELECT pg_catalog.to_regclass('pgflit.proxy') IS NOT NULL";
    if !session.query_one(is_there, &[]).await?.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    // A member asks at least four times in a lease.
    let sql = "SELECT p.id, p.name, p.listen, p.version, p.lease_ms,
                      coalesce(1000 * extract(epoch FROM pg_catalog.clock_timestamp() - a.query_start),
                               0)::bigint,
                      a.usename IS NOT DISTINCT FROM CURRENT_USER
                 FROM pgflit.proxy p
                 JOIN pg_catalog.pg_stat_activity a ON a.pid = p.pid AND a.backend_start = p.began
                ORDER BY p.name, p.id";
    let rows = session.query(sql, &[]).await?;
    let millis = |value: i64| Duration::from_millis(u64::try_from(value).unwrap_or_default());
    let member = |row: &tokio_postgres::Row| Member {
        id: row.get(0),
        name: row.get(1),
        listen: row.get(2),
        version: row.get(3),
        lease: millis(row.get(4)),
        silent: millis(row.get(5)),
        is_own_role: row.get(6),
    };
    Ok(rows.iter().map(member).collect())
}

/// Says that `attempt` is about to take traffic away from here: a member that comes from now on waits, for
/// `lease` at most before it asks how that was decided. Forgets what was asked in earlier attempts.
///
/// # Errors
/// The server refuses.
pub async fn note(session: &Session, attempt: u64, lease: Duration) -> Result<(), Error> {
    let lease_ms = lease.as_millis();
    session
        .batch(&format!(
            "DELETE FROM pgflit.attempt; DELETE FROM pgflit.proxy_request;
             INSERT INTO pgflit.attempt VALUES ({attempt}, {lease_ms})"
        ))
        .await
}

/// No attempt is about to take traffic away from here.
///
/// # Errors
/// The server refuses.
pub async fn end_note(session: &Session) -> Result<(), Error> {
    let is_there = "SELECT pg_catalog.to_regclass('pgflit.attempt') IS NOT NULL";
    match session.query_one(is_there, &[]).await?.get(0) {
        true => session.batch("DELETE FROM pgflit.attempt").await,
        false => Ok(()),
    }
}

/// Whether `attempt` is said to be about to take traffic away from here.
///
/// # Errors
/// The server refuses.
pub async fn is_noted(session: &Session, attempt: u64) -> Result<bool, Error> {
    let attempt = i64::try_from(attempt).unwrap_or(i64::MAX);
    let sql = "SELECT EXISTS (SELECT FROM pgflit.attempt WHERE attempt = $1)";
    Ok(session.query_one(sql, &[&attempt]).await?.get(0))
}

/// What came of asking a member.
pub type Answered = (i64, Result<Reply, Silence>);

/// A member has not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Silence {
    /// Within the time it had.
    #[error("no answer within the time limit")]
    TimedOut,
    /// Its session has ended.
    #[error("its session has ended")]
    Gone,
    /// Its words are another version's.
    #[error("its answer is not understood")]
    Odd,
}

/// Asks each of `members` the same; their answers, in their order. One that does not answer within
/// `limit` is not asked any more.
///
/// # Errors
/// The server refuses.
pub async fn ask(
    session: &Session,
    members: &[i64],
    request: &Request,
    limit: Duration,
) -> Result<Vec<Answered>, Error> {
    // A request is made of plain values: it cannot fail.
    let text = serde_json::to_string(request).unwrap_or_default();
    let sql = "WITH asked AS (
                   INSERT INTO pgflit.proxy_request (proxy, request)
                   SELECT proxy, $2 FROM pg_catalog.unnest($1::bigint[]) AS proxy
                   RETURNING id, proxy)
               SELECT id, proxy, pg_catalog.pg_notify('pgflit_proxy', '') FROM asked";
    let asked = session.query(sql, &[&members, &text]).await?;
    let asked: Vec<(i64, i64)> = asked.iter().map(|row| (row.get(0), row.get(1))).collect();
    let ids: Vec<i64> = asked.iter().map(|(id, _)| *id).collect();
    let answered = "SELECT id FROM pgflit.proxy_request WHERE id = ANY ($1) AND reply IS NOT NULL";
    let answered = session.client().prepare(answered).await?;
    let began = Instant::now();
    let mut looked = began;
    // What is decided is told to whoever is there; for all else one that is gone is enough.
    let is_for_whoever_is_there = matches!(request, Request::Switch { .. } | Request::Abort { .. });
    let mut gone: Vec<i64> = Vec::new();
    loop {
        let rows = session.client().query(&answered, &[&ids]).await?;
        if rows.len() == ids.len() || began.elapsed() >= limit {
            break;
        }
        if looked.elapsed() >= MISS_EVERY {
            looked = Instant::now();
            let there = self::members(session).await?;
            let members = asked.iter().map(|(_, member)| *member);
            gone = members
                .filter(|member| there.iter().all(|one| one.id != *member))
                .collect();
            let has_answered = |id: i64| rows.iter().any(|row| row.get::<_, i64>(0) == id);
            let mut missing = asked.iter().filter(|(id, _)| !has_answered(*id));
            let is_over = match is_for_whoever_is_there {
                true => missing.all(|(_, member)| gone.contains(member)),
                false => !gone.is_empty(),
            };
            if is_over {
                break;
            }
        }
        let wait = match began.elapsed() < QUICK {
            true => LOOK_EVERY,
            false => LOOK_SELDOM,
        };
        tokio::time::sleep(wait).await;
    }
    // What was asked of an attempt that is over must not be done later.
    let take = "DELETE FROM pgflit.proxy_request WHERE id = ANY ($1) RETURNING id, reply";
    let rows = session.query(take, &[&ids]).await?;
    let answered = |(id, member): (i64, i64)| {
        let row = rows.iter().find(|row| row.get::<_, i64>(0) == id);
        let reply = match row.and_then(|row| row.get::<_, Option<&str>>(1)) {
            None if gone.contains(&member) => Err(Silence::Gone),
            None => Err(Silence::TimedOut),
            // What it holds, it holds no more.
            Some(_) if gone.contains(&member) && !is_for_whoever_is_there => Err(Silence::Gone),
            Some(text) => serde_json::from_str(text).map_err(|_| Silence::Odd),
        };
        (member, reply)
    };
    Ok(asked.into_iter().map(answered).collect())
}
