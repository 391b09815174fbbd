//! One standby: looked at, waited for, paused and resumed.

use std::fmt;
use std::time::Duration;

use crate::base::quantity::display_duration;
use crate::base::{Lsn, Visibility};
use crate::catalog::server;
use crate::pg::{Address, Error, Session};

use super::error::StandbyError;
use super::history::{Mark, Origin, timeline};
use super::waiting::Progress;

/// The first version of a standby that says that it has paused, not only that it was told to.
const SAYS_PAUSED_SINCE: u32 = 14;
/// The first whose startup process can be seen to have paused.
const SHOWS_PAUSED_SINCE: u32 = 13;

/// How often a standby is looked at that is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// OIDs below are of what every database has, its catalogs among it.
const FIRST_OF_USERS: u32 = 16_384;

/// A server that is, or is to be, read from as a standby of the source.
#[derive(Debug)]
pub struct Standby {
    address: Address,
    session: Session,
}

/// What a paused standby shows.
#[derive(Debug)]
pub struct Shown {
    /// Where replay stands.
    pub replayed: Lsn,
    /// The id under which sessions on this standby import the snapshot.
    pub snapshot_id: String,
    /// Holds the transaction, and with it the snapshot.
    keeper: Session,
}

impl Shown {
    /// What rows contain that are read under the snapshot.
    pub fn visibility(&self) -> Visibility {
        Visibility::Replayed(self.replayed)
    }

    /// A session that sees what the snapshot sees; it is the keeper's own.
    pub fn session(&self) -> &Session {
        &self.keeper
    }
}

/// What is wanted of a pause.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Replay must have come to here.
    pub at_least: Lsn,
    /// The tables that are to be read, by OID.
    pub tables: &'a [u32],
    /// How long a standby that does not get on is waited for; a minute at least.
    pub patience: Duration,
}

impl fmt::Display for Standby {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)
    }
}

impl Standby {
    /// Connects. Whether it is a standby is not looked at yet.
    pub async fn connect(address: &Address) -> Result<Self, StandbyError> {
        let session = Session::connect(address, "standby").await;
        let session = session.map_err(|source| StandbyError::Connect {
            address: address.to_string(),
            source,
        })?;
        Ok(Self {
            address: address.clone(),
            session,
        })
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    fn failed(&self, doing: &'static str) -> impl Fn(Error) -> StandbyError + use<> {
        let address = self.address.to_string();
        move |source| StandbyError::Failed {
            doing,
            address: address.clone(),
            source,
        }
    }

    fn refused(&self, problem: impl Into<String>, hint: impl Into<String>) -> StandbyError {
        StandbyError::Refused {
            address: self.address.to_string(),
            problem: problem.into(),
            hint: hint.into(),
        }
    }

    /// Whether it is a standby of the database that `origin` tells of, and lets itself be paused.
    /// Nothing is changed.
    pub async fn check(&self, origin: &Origin) -> Result<(), StandbyError> {
        const NAME_ANOTHER: &str = "name a hot standby of the source, and the database of the source in it, with --copy-from";
        let server = server::look(&self.session).await;
        let server = server.map_err(self.failed("looking at the server"))?;
        if !server.is_standby {
            return Err(self.refused("is not in recovery: it is no standby", NAME_ANOTHER));
        }
        let cluster = |system: &str| system.split('/').next().map(str::to_owned);
        if cluster(&server.system) != cluster(&origin.system) {
            let problem =
                "is a standby of another cluster: its system identifier is not the source's";
            return Err(self.refused(problem, NAME_ANOTHER));
        }
        if server.system != origin.system {
            let problem = "was asked for another database than the source's";
            return Err(self.refused(problem, NAME_ANOTHER));
        }
        let timeline = timeline(&self.session).await;
        let timeline = timeline.map_err(self.failed("asking for its timeline"))?;
        if timeline != origin.timeline {
            return Err(self.refused(
                format!(
                    "is on timeline {timeline}, the source on timeline {}: one of them has been \
                     promoted",
                    origin.timeline
                ),
                "name a standby that follows this source; one that has just changed over to it \
                 tells so after a CHECKPOINT there",
            ));
        }
        let major = self.session.server_version().major();
        if major < SHOWS_PAUSED_SINCE {
            return Err(self.refused(
                format!("is PostgreSQL {major}, which does not say when replay has paused"),
                format!(
                    "from PostgreSQL {SHOWS_PAUSED_SINCE} on a standby does; leave --copy-from out"
                ),
            ));
        }
        let sql = "SELECT has_function_privilege('pg_wal_replay_pause()', 'EXECUTE')
                      AND has_function_privilege('pg_wal_replay_resume()', 'EXECUTE')";
        let row = self.session.query_one(sql, &[]).await;
        let row = row.map_err(self.failed("looking at privileges"))?;
        match row.get(0) {
            true => Ok(()),
            false => Err(self.refused(
                format!("does not let role \"{}\" pause replay", self.address.user()),
                "connect as a superuser, or have GRANT EXECUTE ON FUNCTION pg_wal_replay_pause(), \
                 pg_wal_replay_resume() run on the source",
            )),
        }
    }

    /// Whether somebody has told it to pause. None if it is no standby any more.
    async fn pause_is_asked_for(&self) -> Result<Option<bool>, StandbyError> {
        let sql = "SELECT CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END";
        let row = self.session.query_one(sql, &[]).await;
        Ok(row
            .map_err(self.failed("asking whether replay is paused"))?
            .get(0))
    }

    /// Refuses one that somebody else has paused.
    pub async fn check_runs(&self) -> Result<(), StandbyError> {
        match self.pause_is_asked_for().await? {
            Some(true) => Err(self.refused(
                "was paused by somebody else",
                "if nobody needs it so any more, run there: SELECT pg_wal_replay_resume()",
            )),
            _ => Ok(()),
        }
    }

    /// Waits until replay has come to `wanted.at_least`.
    pub async fn wait_until_replayed(&self, wanted: Wanted<'_>) -> Result<(), StandbyError> {
        let mut progress = Progress::new(wanted.patience);
        loop {
            let replayed = self.replayed().await?;
            if replayed >= wanted.at_least {
                return Ok(());
            }
            if progress.is_over(replayed) {
                return Err(self.refused(
                    format!(
                        "has replayed up to {replayed}, must come to {}, and did not get on for {}{}",
                        wanted.at_least,
                        display_duration(progress.patience),
                        self.if_unfed().await
                    ),
                    "look whether it still receives from the source, whether its replay is paused, \
                     and at its recovery_min_apply_delay",
                ));
            }
            if progress.is_to_be_told() {
                tracing::info!(
                    "waiting for the standby {self}: it has replayed up to {replayed}, and must come to {}{}",
                    wanted.at_least,
                    self.if_unfed().await
                );
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// What to add about a standby that stands still: that nothing streams to it, if that is so.
    async fn if_unfed(&self) -> &'static str {
        let sql = "SELECT EXISTS (SELECT FROM pg_stat_wal_receiver)";
        match self.session.query_one(sql, &[]).await {
            Ok(row) if !row.get::<_, bool>(0) => {
                "; no server streams to it now: unless an archive feeds it, its log says why"
            }
            _ => "",
        }
    }

    /// Whether it has replayed what the source did, once it is past `mark`.
    pub async fn check_history(&self, mark: &Mark) -> Result<(), StandbyError> {
        /// SQLSTATE invalid_parameter_value: of a transaction that has not been.
        const IN_THE_FUTURE: &str = "22023";
        let sql = "SELECT (SELECT count(*) FROM unnest($1::bigint[]) AS it (xid)
                            WHERE txid_status(xid) = 'committed')
                        + (SELECT count(*) FROM unnest($2::bigint[]) AS it (xid)
                            WHERE txid_status(xid) = 'aborted')";
        let (committed, rolled_back) = (&mark.committed, &mark.rolled_back);
        let alike: i64 = match self.session.query_one(sql, &[committed, rolled_back]).await {
            Ok(row) => row.get(0),
            Err(error) if error.sqlstate() == Some(IN_THE_FUTURE) => 0,
            Err(error) => return Err(self.failed("asking for transactions")(error)),
        };
        match usize::try_from(alike) == Ok(committed.len() + rolled_back.len()) {
            true => Ok(()),
            false => Err(self.refused(
                "has another history than the source: transactions of the source are not there, \
                 or ended otherwise",
                "name a standby that follows this source",
            )),
        }
    }

    /// Pauses replay, at or after `wanted.at_least`, and takes a snapshot there. On an error replay
    /// may be left paused.
    pub async fn pause(&self, wanted: Wanted<'_>) -> Result<Shown, StandbyError> {
        let keeper = Session::connect(&self.address, "snapshot keeper").await;
        let keeper = keeper.map_err(self.failed("connecting once more"))?;
        let mut progress = Progress::new(wanted.patience);
        loop {
            let paused_at = self.pause_once(wanted.patience).await?;
            let locked = match paused_at >= wanted.at_least {
                true => self.locked(wanted.tables).await?,
                false => None,
            };
            if paused_at >= wanted.at_least && locked.is_none() {
                if let Some((replayed, snapshot_id)) =
                    self.take_snapshot(&keeper, paused_at).await?
                {
                    return Ok(Shown {
                        replayed,
                        snapshot_id,
                        keeper,
                    });
                }
                tracing::info!("the standby {self} was resumed meanwhile: it is paused again");
            }
            if let Some(locked) = &locked
                && progress.is_to_be_told()
            {
                tracing::info!(
                    "where the standby {self} has paused, a transaction of the source has locked {locked}: it is paused again a little later"
                );
            }
            // Getting on does not help where the lock stays.
            if progress.is_over(Lsn::default()) {
                return Err(self.refused(
                    match locked {
                        Some(locked) => format!(
                            "cannot be read: a transaction of the source keeps {locked} locked in \
                             ACCESS EXCLUSIVE mode"
                        ),
                        None => "does not stay paused: somebody resumes it".to_owned(),
                    },
                    "end that transaction, or whatever resumes the standby; then go on with --resume",
                ));
            }
            self.resume().await?;
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Tells it to pause and waits until it has; gives where.
    async fn pause_once(&self, patience: Duration) -> Result<Lsn, StandbyError> {
        let failed = self.failed("pausing replay");
        self.session
            .batch("SELECT pg_wal_replay_pause()")
            .await
            .map_err(&failed)?;
        let mut progress = Progress::new(patience);
        while !is_paused(&self.session).await.map_err(&failed)? {
            if progress.is_over(self.replayed().await?) {
                return Err(self.refused(
                    format!(
                        "was told to pause replay {} ago and does not say that it has",
                        display_duration(progress.patience)
                    ),
                    "replay may wait for a query there (max_standby_streaming_delay); before \
                     PostgreSQL 14 the role must be a member of pg_read_all_stats to see it",
                ));
            }
            if progress.is_to_be_told() {
                tracing::info!("waiting for the standby {self} to pause replay");
            }
            tokio::time::sleep(LOOK_AGAIN / 10).await;
        }
        self.replayed().await
    }

    /// A snapshot that was certainly taken while replay stood at `paused_at`: that position and the
    /// snapshot's id.
    async fn take_snapshot(
        &self,
        keeper: &Session,
        paused_at: Lsn,
    ) -> Result<Option<(Lsn, String)>, StandbyError> {
        let failed = self.failed("taking a snapshot");
        keeper
            .batch("ROLLBACK; BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ")
            .await
            .map_err(&failed)?;
        let row = keeper.query_one("SELECT pg_export_snapshot()", &[]).await;
        let id = row.map_err(&failed)?.get(0);
        let is_still = is_paused(keeper).await.map_err(&failed)?
            && replayed(keeper).await.map_err(&failed)? == paused_at;
        Ok(is_still.then_some((paused_at, id)))
    }

    /// What of `tables`, or of the catalogs, replay holds an ACCESS EXCLUSIVE lock on, if it does.
    /// Nobody else can on a standby.
    async fn locked(&self, tables: &[u32]) -> Result<Option<String>, StandbyError> {
        let failed = self.failed("looking at its locks");
        // Reads no table, so it waits for none.
        let sql = "SELECT relation FROM pg_locks
                    WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock' AND granted";
        let rows = self.session.query(sql, &[]).await.map_err(&failed)?;
        let locked: Vec<u32> = rows.iter().map(|row| row.get(0)).collect();
        if let Some(catalog) = locked.iter().find(|oid| **oid < FIRST_OF_USERS) {
            return Ok(Some(format!("the catalog with OID {catalog}")));
        }
        if locked.is_empty() {
            return Ok(None);
        }
        // Of this database; what has the same OID in another is of no harm, and this costs a wait.
        let sql = "SELECT c.oid::regclass::text
                     FROM pg_class c
                    WHERE c.oid = ANY ($1) AND (c.oid = ANY ($2)
                          OR EXISTS (SELECT FROM pg_class t
                                      WHERE t.oid = ANY ($2) AND t.reltoastrelid = c.oid)
                          OR EXISTS (SELECT FROM pg_index i
                                      WHERE i.indexrelid = c.oid
                                        AND (i.indrelid = ANY ($2) OR i.indrelid IN
                                             (SELECT reltoastrelid FROM pg_class
                                               WHERE oid = ANY ($2)))))
                    LIMIT 1";
        let row = self.session.query_opt(sql, &[&locked, &tables]).await;
        Ok(row.map_err(&failed)?.map(|row| row.get(0)))
    }

    async fn replayed(&self) -> Result<Lsn, StandbyError> {
        let replayed = replayed(&self.session).await;
        replayed.map_err(self.failed("asking for its position"))
    }

    /// Resumes replay, if it is paused; whether it was.
    pub async fn resume(&self) -> Result<bool, StandbyError> {
        if self.pause_is_asked_for().await? != Some(true) {
            return Ok(false);
        }
        let resumed = self.session.batch("SELECT pg_wal_replay_resume()").await;
        resumed.map_err(self.failed("resuming replay"))?;
        Ok(true)
    }

    /// Whether it is the same cluster and database as `system` tells of.
    pub async fn is_of(&self, system: &str) -> Result<bool, StandbyError> {
        let server = server::look(&self.session).await;
        let server = server.map_err(self.failed("looking at the server"))?;
        Ok(server.system == system)
    }
}

/// Whether replay stands between two records and stays there.
async fn is_paused(session: &Session) -> Result<bool, Error> {
    // Before 14 the flag says what was asked for. Once it is set, a startup process that is seen
    // paused, or waiting for the next record, begins with no other.
    let sql = match session.server_version().major() {
        SAYS_PAUSED_SINCE.. => "SELECT pg_get_wal_replay_pause_state() = 'paused'",
        _ => {
            "SELECT pg_is_wal_replay_paused()
                AND EXISTS (SELECT FROM pg_stat_activity
                             WHERE backend_type = 'startup'
                               AND wait_event IN ('RecoveryPause', 'RecoveryWalStream',
                                                  'RecoveryRetrieveRetryInterval'))"
        }
    };
    Ok(session.query_one(sql, &[]).await?.get(0))
}

async fn replayed(session: &Session) -> Result<Lsn, Error> {
    let sql = "SELECT coalesce(pg_last_wal_replay_lsn(), '0/0')::text";
    let text: String = session.query_one(sql, &[]).await?.get(0);
    let parsed = text.parse();
    parsed.map_err(|_| Error::Protocol(format!("the standby says \"{text}\" of its position")))
}

/// The part of a statement that tells, `true` or `false`, whether replay is still paused.
pub fn still_paused_sql() -> &'static str {
    "CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_is_wal_replay_paused() \
          ELSE false END"
}
