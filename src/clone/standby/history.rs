//! Whether a server replays what the source does.

use tokio_postgres::SimpleQueryMessage;

use crate::base::Lsn;
use crate::catalog::server;
use crate::pg::{Error, Session};

/// What tells whether a server is a standby of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The source's cluster and database, as [`server::Server::system`] says.
    pub system: String,
    /// Its timeline.
    pub timeline: i32,
}

impl Origin {
    /// What `source` says of itself.
    pub async fn of(source: &Session) -> Result<Self, Error> {
        Ok(Self {
            system: server::look(source).await?.system,
            timeline: timeline(source).await?,
        })
    }
}

/// Transactions of the source that did nothing, and how each ended: what no other history has the
/// same of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub(super) committed: Vec<i64>,
    pub(super) rolled_back: Vec<i64>,
    /// All have ended before this position.
    pub made_before: Lsn,
}

/// How many: a server with another history has them all alike once in four thousand million times.
const MARKS: usize = 32;

impl Mark {
    /// Makes them on `source`; none where it is a standby itself.
    pub async fn make(source: &Session) -> Result<Option<Self>, Error> {
        let sql = "SELECT pg_is_in_recovery()";
        if source.query_one(sql, &[]).await?.get(0) {
            return Ok(None);
        }
        let ends: [bool; MARKS] = rand::random();
        // The last one makes all of them durable, which they are sent to standbys after.
        let mut script = String::from("SET synchronous_commit = local; ");
        for is_committed in ends {
            script.push_str("BEGIN; SELECT txid_current(); ");
            script.push_str(if is_committed {
                "COMMIT; "
            } else {
                "ROLLBACK; "
            });
        }
        script.push_str("BEGIN; SELECT txid_current(); COMMIT; SELECT pg_current_wal_insert_lsn()");
        let answers = source.client().simple_query(&script).await?;
        let texts = answers.iter().filter_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        Self::read(&ends, &texts.collect::<Vec<_>>())
            .map(Some)
            .ok_or_else(|| Error::Protocol("the source does not say its transactions".into()))
    }

    /// `texts`: the ids of as many transactions as `ends` has, one more, and the position.
    fn read(ends: &[bool], texts: &[&str]) -> Option<Self> {
        let ids = texts.get(..ends.len())?;
        let mut mark = Self {
            committed: Vec::new(),
            rolled_back: Vec::new(),
            made_before: texts.get(ends.len() + 1)?.parse().ok()?,
        };
        for (is_committed, id) in ends.iter().zip(ids) {
            match is_committed {
                true => mark.committed.push(id.parse().ok()?),
                false => mark.rolled_back.push(id.parse().ok()?),
            }
        }
        Some(mark)
    }
}

pub(super) async fn timeline(session: &Session) -> Result<i32, Error> {
    // Of a standby: what it is receiving; what it has restarted from last where it receives nothing
    // or does not let it be seen.
    let sql = "SELECT CASE WHEN pg_is_in_recovery()
                      THEN coalesce((SELECT received_tli FROM pg_stat_wal_receiver),
                                    (SELECT timeline_id FROM pg_control_checkpoint()))
                      ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int
                      END";
    Ok(session.query_one(sql, &[]).await?.get(0))
}

/// Whether the source waits for standbys to replay what it commits: paused ones would stop it.
pub async fn source_waits_for_replay(source: &Session) -> Result<bool, Error> {
    let sql = "SELECT current_setting('synchronous_standby_names') <> ''
                  AND ((SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit')
                           = 'remote_apply'
                       OR EXISTS (SELECT FROM pg_db_role_setting s, unnest(s.setconfig) AS one
                                   WHERE one = 'synchronous_commit=remote_apply'))";
    Ok(source.query_one(sql, &[]).await?.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_source_says_of_its_transactions_is_read_or_refused() {
        let ends = [true, false, true];
        let texts = ["7", "8", "9", "10", "0/1A"];
        let mark = Mark::read(&ends, &texts).expect("a mark");
        assert_eq!((mark.committed, mark.rolled_back), (vec![7, 9], vec![8]));
        assert_eq!(mark.made_before, Lsn::new(26));
        for texts in [&texts[..4], &["7", "x", "9", "10", "0/1A"], &[]] {
            assert_eq!(Mark::read(&ends, texts), None, "{texts:?}");
        }
    }
}
