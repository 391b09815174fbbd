//! How an attempt was decided: a row on the server that traffic would move to.
//!
//! The row has the position in that server's WAL at which it was written. Whatever the stream there had
//! brought is before it, and whatever a client writes there is behind it: the stream back begins with it,
//! and it is durable together with the decision, for the price of one commit.

use std::fmt;

use tokio_postgres::types::ToSql;

use super::schema;
use crate::base::Lsn;
use crate::pg::{Error, Session};

/// How an attempt to move traffic has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Traffic goes to the server that has this row.
    Switched,
    /// Traffic stays where it was.
    Aborted,
}

/// A decision could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// The server refuses, or has gone.
    #[error("asking how the attempt was decided")]
    Server(#[from] Error),
    /// The row is not one of ours.
    #[error("the table pgflit.authority says \"{0}\", which is no decision or position")]
    Odd(String),
}

impl Decision {
    fn as_str(self) -> &'static str {
        match self {
            Decision::Switched => "switched",
            Decision::Aborted => "aborted",
        }
    }

    fn parse(text: &str) -> Result<Self, DecisionError> {
        match text {
            "switched" => Ok(Decision::Switched),
            "aborted" => Ok(Decision::Aborted),
            other => Err(DecisionError::Odd(other.to_owned())),
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Makes the table that decisions are in, if it is not there.
///
/// # Errors
/// The server refuses.
pub async fn prepare(session: &Session) -> Result<(), Error> {
    let create = "CREATE TABLE pgflit.authority (
             attempt bigint PRIMARY KEY,
             decision text NOT NULL CHECK (decision IN ('switched', 'aborted')),
             lsn pg_catalog.pg_lsn NOT NULL DEFAULT pg_catalog.pg_current_wal_insert_lsn(),
             at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp())";
    schema::make(session, &[("authority", create)]).await
}

/// Traffic is on the source of a migration that begins: whatever earlier migrations between the same
/// servers have decided is over. Nothing is written where they have decided nothing.
///
/// # Errors
/// A server refuses.
pub async fn begin_anew(source: &Session, target: &Session) -> Result<(), Error> {
    let last = last_attempt(source).await?.max(last_attempt(target).await?);
    if last == 0 {
        return Ok(());
    }
    prepare(source).await?;
    let attempt = i64::try_from(last + 1).unwrap_or(i64::MAX);
    let sql = "INSERT INTO pgflit.authority (attempt, decision) VALUES ($1, $2)";
    let values: [&(dyn ToSql + Sync); 2] = [&attempt, &Decision::Switched.as_str()];
    source.execute(sql, &values).await.map(drop)
}

/// The number of the last attempt that was decided here; zero without any.
///
/// # Errors
/// The server refuses.
pub async fn last_attempt(session: &Session) -> Result<u64, Error> {
    let is_there = "SELECT pg_catalog.to_regclass('pgflit.authority') IS NOT NULL";
    if !session.query_one(is_there, &[]).await?.get::<_, bool>(0) {
        return Ok(0);
    }
    let sql = "SELECT coalesce(max(attempt), 0) FROM pgflit.authority";
    let last: i64 = session.query_one(sql, &[]).await?.get(0);
    Ok(u64::try_from(last).unwrap_or_default())
}

/// A decision as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided {
    /// How.
    pub decision: Decision,
    /// Where the server's WAL was then.
    pub lsn: Lsn,
}

/// Decides an attempt, unless it has been decided: gives how it is decided then. On the disk of the
/// server when this returns, and of its synchronous standbys. Who decides runs `also`, statements of
/// SQL, in the same transaction.
///
/// # Errors
/// The server refuses or has gone; then nobody knows whether it is decided.
pub async fn decide(
    session: &Session,
    attempt: u64,
    decision: Decision,
    also: &str,
) -> Result<Decided, DecisionError> {
    let attempt = i64::try_from(attempt).unwrap_or(i64::MAX);
    session
        .batch("SET synchronous_commit = on")
        .await
        .map_err(DecisionError::Server)?;
    let insert = "INSERT INTO pgflit.authority (attempt, decision) VALUES ($1, $2)
                  ON CONFLICT (attempt) DO NOTHING";
    session.batch("BEGIN").await?;
    let inserted = async {
        let values: [&(dyn ToSql + Sync); 2] = [&attempt, &decision.as_str()];
        if session.execute(insert, &values).await? > 0 {
            session.batch(also).await?;
        }
        session.batch("COMMIT").await
    };
    if let Err(error) = inserted.await {
        // The session may be used again.
        let _ = session.batch("ROLLBACK").await;
        return Err(error.into());
    }
    let read = "SELECT decision, lsn::text FROM pgflit.authority WHERE attempt = $1";
    let row = session.query_one(read, &[&attempt]).await?;
    let lsn: String = row.get(1);
    Ok(Decided {
        decision: Decision::parse(row.get(0))?,
        lsn: lsn.parse().map_err(|_| DecisionError::Odd(lsn))?,
    })
}

/// How it is decided; none if it is not.
///
/// # Errors
/// The server refuses or has gone.
pub async fn read(session: &Session, attempt: u64) -> Result<Option<Decision>, DecisionError> {
    let attempt = i64::try_from(attempt).unwrap_or(i64::MAX);
    let sql = "SELECT decision FROM pgflit.authority WHERE attempt = $1";
    match session.query_opt(sql, &[&attempt]).await? {
        Some(row) => Decision::parse(row.get(0)).map(Some),
        None => Ok(None),
    }
}
