//! Where the target keeps how far it is: a replication origin, or a table of ours.

use postgres_protocol::IsNull;
use postgres_protocol::message::frontend;

use crate::base::Lsn;
use crate::base::ident::quote_literal;
use crate::catalog::ledger;
use crate::pg::{Connection, Error, Session};

use super::error::ApplyError;

/// What was asked for with `--progress-tracking`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TrackingChoice {
    /// An origin if the role may, else a table.
    #[default]
    Auto,
    /// An origin or nothing.
    Origin,
    /// A table.
    Table,
}

/// What is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tracking {
    /// `pg_replication_origin_*`.
    Origin,
    /// `pgflit.progress`.
    Table,
}

/// Insufficient privilege.
const NOT_PERMITTED: &str = "42501";

impl Tracking {
    /// Makes the origin or the table's line, if it is not there. If changes have been applied
    /// before (`has_applied`) it must be there: one that is made anew would stand at the beginning,
    /// and everything on disk would be applied once more.
    pub(super) async fn prepare(
        choice: TrackingChoice,
        target: &Session,
        origin: &str,
        has_applied: bool,
    ) -> Result<Self, ApplyError> {
        let in_table = table_is_in_use(target, origin).await?;
        let kept = match choice == TrackingChoice::Table || in_table {
            true => in_table,
            false => origin_exists(target, origin).await?,
        };
        if has_applied && !kept {
            return Err(ApplyError::PositionGone(origin.to_owned()));
        }
        if choice == TrackingChoice::Table || in_table {
            return Self::prepare_table(target, origin).await;
        }
        let made = target
            .execute(
                "SELECT pg_replication_origin_create($1)
                  WHERE NOT EXISTS (SELECT FROM pg_replication_origin WHERE roname = $1)",
                &[&origin],
            )
            .await;
        match made {
            Ok(_) => Ok(Tracking::Origin),
            Err(error) if error.sqlstate() != Some(NOT_PERMITTED) => Err(error.into()),
            Err(error) if choice == TrackingChoice::Origin => Err(ApplyError::NoOrigin(error)),
            Err(_) => {
                tracing::info!(
                    "the role may not use replication origins: progress is kept in the table pgflit.progress"
                );
                Self::prepare_table(target, origin).await
            }
        }
    }

    /// The same where several sessions apply, which only a table can serve. A position that an origin
    /// has goes into the table.
    pub(super) async fn prepare_for_lanes(
        choice: TrackingChoice,
        target: &Session,
        origin: &str,
        has_applied: bool,
    ) -> Result<Self, ApplyError> {
        if choice == TrackingChoice::Origin {
            return Err(ApplyError::OriginServesOne);
        }
        if !table_is_in_use(target, origin).await? && origin_exists(target, origin).await? {
            ledger::create(target).await?;
            // An origin that another session has is refused here, and one whose session is gone has
            // nothing on its way.
            let origin = quote_literal(origin);
            let moved = format!(
                "BEGIN;
                 SELECT pg_catalog.pg_replication_origin_session_setup({origin});
                 INSERT INTO pgflit.progress (origin, lsn)
                 SELECT {origin},
                        coalesce(pg_catalog.pg_replication_origin_session_progress(true), '0/0');
                 SELECT pg_catalog.pg_replication_origin_session_reset();
                 COMMIT"
            );
            target.batch(&moved).await?;
            tracing::info!(
                "several connections apply: progress is kept in the table pgflit.progress"
            );
        }
        Self::prepare(TrackingChoice::Table, target, origin, has_applied).await
    }

    async fn prepare_table(target: &Session, origin: &str) -> Result<Self, ApplyError> {
        ledger::create(target).await?;
        target
            .execute(
                "INSERT INTO pgflit.progress (origin, lsn) VALUES ($1, '0/0') ON CONFLICT DO NOTHING",
                &[&origin],
            )
            .await?;
        Ok(Tracking::Table)
    }

    /// Binds the applying session to the origin and asks how far the target is.
    pub(super) async fn start(
        self,
        connection: &mut Connection,
        origin: &str,
    ) -> Result<Lsn, ApplyError> {
        let origin = quote_literal(origin);
        let sql = match self {
            Tracking::Origin => format!(
                "SELECT pg_catalog.pg_replication_origin_session_setup({origin});
                 SELECT pg_catalog.pg_replication_origin_progress({origin}, true)::text"
            ),
            // As an origin serves one session at a time: a session of ours whose process is gone
            // may still have a whole group before it. It is waited for.
            // So are lanes, whose lock is let go at once: no more of them begin.
            Tracking::Table => format!(
                "SELECT pg_catalog.pg_advisory_lock(pg_catalog.hashtextextended('pgflit ' || {origin}, 0));
                 SELECT pg_catalog.pg_advisory_lock({});
                 SELECT pg_catalog.pg_advisory_unlock({});
                 SELECT lsn::text FROM pgflit.progress WHERE origin = {origin}",
                lanes_lock(&origin),
                lanes_lock(&origin)
            ),
        };
        let results = connection.query(&sql).await?;
        let lsn = results.last().and_then(|result| result.single());
        Ok(self.position(lsn)?)
    }

    /// Binds the session of a lane to the position; [`Tracking::start`] waits until it is gone.
    pub(super) async fn start_lane(
        self,
        connection: &mut Connection,
        origin: &str,
    ) -> Result<(), ApplyError> {
        let lock = lanes_lock(&quote_literal(origin));
        let sql = format!("SELECT pg_catalog.pg_advisory_lock_shared({lock})");
        connection.query(&sql).await?;
        Ok(())
    }

    /// The position that the target says. Only an origin that has never moved says nothing; any
    /// other answer that cannot be read must not be taken for the beginning.
    fn position(self, said: Option<&str>) -> Result<Lsn, Error> {
        match (self, said) {
            (Tracking::Origin, None) => Ok(Lsn::ZERO),
            (Tracking::Table, None) => Err(Error::Protocol(
                "pgflit.progress does not say how far it is".into(),
            )),
            (_, Some(text)) => text.parse().map_err(|_| {
                Error::Protocol(format!("the target says \"{text}\" of how far it is"))
            }),
        }
    }

    /// The statement that puts the position into the transaction that is open; `$1` the LSN, `$2`
    /// the commit time. Of a table, `$3` the LSN that it must have: where it has another, somebody else
    /// applies too, and the server refuses, so that nothing is committed.
    pub(super) fn note_sql(self, origin: &str) -> String {
        match self {
            Tracking::Origin => {
                "SELECT pg_catalog.pg_replication_origin_xact_setup($1::pg_lsn, $2::timestamptz)"
                    .to_owned()
            }
            Tracking::Table => format!(
                "WITH moved AS (
                     UPDATE pgflit.progress SET lsn = $1::pg_lsn, committed = $2::timestamptz
                      WHERE origin = {} AND lsn = $3::pg_lsn AND lsn < $1::pg_lsn RETURNING 1)
                 SELECT 1 / pg_catalog.count(*) FROM moved",
                quote_literal(origin)
            ),
        }
    }
}

/// The advisory lock that lanes have; `origin` as SQL.
fn lanes_lock(origin: &str) -> String {
    format!("pg_catalog.hashtextextended('pgflit lanes ' || {origin}, 0)")
}

/// Whether an earlier run already keeps its position in the table: going over to an origin that
/// knows nothing would apply everything again.
async fn table_is_in_use(target: &Session, origin: &str) -> Result<bool, Error> {
    let there = target
        .query_one("SELECT to_regclass('pgflit.progress') IS NOT NULL", &[])
        .await?;
    if !there.get::<_, bool>(0) {
        return Ok(false);
    }
    let sql = "SELECT EXISTS (SELECT FROM pgflit.progress WHERE origin = $1)";
    Ok(target.query_one(sql, &[&origin]).await?.get(0))
}

async fn origin_exists(target: &Session, origin: &str) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT FROM pg_replication_origin WHERE roname = $1)";
    Ok(target.query_one(sql, &[&origin]).await?.get(0))
}

/// Appends a Bind of text parameters; `None` is NULL.
pub(super) fn bind_text<'a>(
    statement: &str,
    values: impl ExactSizeIterator<Item = Option<&'a [u8]>>,
    buffer: &mut bytes::BytesMut,
) -> Result<(), Error> {
    let text_format = 0;
    let bound = frontend::bind(
        "",
        statement,
        Some(text_format),
        values,
        |value, buffer| match value {
            Some(bytes) => {
                buffer.extend_from_slice(bytes);
                Ok(IsNull::No)
            }
            None => Ok(IsNull::Yes),
        },
        Some(text_format),
        buffer,
    );
    bound.map_err(unbound)
}

/// Why a Bind could not be written.
pub(super) fn unbound(error: frontend::BindError) -> Error {
    match error {
        frontend::BindError::Serialization(error) => Error::Protocol(error.to_string()),
        frontend::BindError::Conversion(error) => {
            Error::Protocol(format!("a row too large for the protocol: {error}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_origin_that_never_moved_stands_at_the_beginning() {
        assert_eq!(Tracking::Origin.position(None).ok(), Some(Lsn::ZERO));
        assert!(Tracking::Table.position(None).is_err());
        for tracking in [Tracking::Origin, Tracking::Table] {
            assert_eq!(tracking.position(Some("0/10")).ok(), Some(Lsn::new(16)));
            assert!(tracking.position(Some("zebra")).is_err());
        }
    }
}
