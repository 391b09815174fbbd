//! Asking the source's catalog about changes that are decoded already.
//!
//! A transaction is in the WAL, and decoded, a moment before other sessions see it; where its
//! commit waits for a standby, long before. What the catalog says without it is older than its
//! changes, so an answer counts only if it was given under a snapshot that sees every transaction
//! decoded so far.

use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::base::snapshot::Snapshot;
use crate::pg::{self, Address, Connection, Mode, ResultSet};

use super::error::ReceiveError;

/// How long the source may take to answer about its catalog, which takes milliseconds.
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// How long a transaction may be decoded and not be seen. Shorter than a supervisor waits for
/// receive to stop, as nothing else is done meanwhile; then receive starts again and waits anew.
const SEEN_MAX: Duration = Duration::from_secs(10);
/// How often it is looked for.
const SEEN_AGAIN: Duration = Duration::from_millis(10);
/// Transactions that are noted before an answer is due.
const NOTED_MAX: usize = 1 << 16;

/// A session of its own on the source, opened when it is needed.
#[derive(Debug)]
pub(super) struct SourceCatalog {
    source: Address,
    /// Taken when this is dropped.
    runtime: Option<Runtime>,
    connection: Option<Connection>,
    /// Transactions of which it is not known that others see them.
    noted: Vec<u32>,
}

/// What the source's sessions see.
enum Seen {
    /// What this snapshot does.
    By(Snapshot),
    /// Everything that is decoded: on a standby it is replayed first.
    All,
}

impl SourceCatalog {
    pub(super) fn new(source: Address) -> Result<Self, ReceiveError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(ReceiveError::Thread)?;
        Ok(Self {
            source,
            runtime: Some(runtime),
            connection: None,
            noted: Vec::new(),
        })
    }

    /// The transaction `xid`, which has committed, is decoded.
    pub(super) fn note(&mut self, xid: u32) {
        self.noted.push(xid);
    }

    /// Whether transactions were decoded since the last answer.
    pub(super) fn has_noted(&self) -> bool {
        !self.noted.is_empty()
    }

    /// Whether more are noted than should be.
    pub(super) fn is_full(&self) -> bool {
        self.noted.len() >= NOTED_MAX
    }

    /// The rows that the source answers to the one statement that `sql` gives for its version.
    ///
    /// Blocks, so it is for a thread that runs no event loop.
    pub(super) fn ask(
        &mut self,
        sql: impl Fn(u32) -> String,
    ) -> Result<Vec<Vec<Option<String>>>, ReceiveError> {
        let begun = Instant::now();
        let mut told = false;
        loop {
            let (seen, answer) = self.ask_once(&sql)?;
            if let Seen::By(snapshot) = seen {
                self.noted
                    .retain(|xid| !snapshot.sees(snapshot.widen(*xid)));
            } else {
                self.noted.clear();
            }
            let Some(&xid) = self.noted.first() else {
                return Ok(answer.rows);
            };
            if begun.elapsed() > SEEN_MAX {
                return Err(ReceiveError::Unseen(xid));
            }
            if !std::mem::replace(&mut told, true) {
                tracing::info!("waiting until the source's sessions see transaction {xid}");
            }
            std::thread::sleep(SEEN_AGAIN);
        }
    }

    fn ask_once(&mut self, sql: impl Fn(u32) -> String) -> Result<(Seen, ResultSet), ReceiveError> {
        // One that has been idle may have been closed meanwhile.
        let kept = self.connection.take();
        let (source, asked) = (&self.source, kept.is_some());
        let asking = async |kept: Option<Connection>| {
            let answer = async {
                let mut connection = match kept {
                    Some(connection) => connection,
                    None => Connection::open(source, Mode::Sql, "receive, catalog").await?,
                };
                let major = connection.server_version().major();
                let results = connection.query(&in_one_moment(major, &sql(major))).await?;
                Ok::<_, pg::Error>((connection, results))
            };
            let late = || pg::Error::Lost(Some(std::io::ErrorKind::TimedOut.into()));
            tokio::time::timeout(ANSWER_MAX, answer)
                .await
                .unwrap_or_else(|_| Err(late()))
        };
        let ended = || ReceiveError::Thread(std::io::Error::other("the runtime has ended"));
        let runtime = self.runtime.as_ref().ok_or_else(ended)?;
        let answer = runtime.block_on(async {
            match asking(kept).await {
                Err(pg::Error::Lost(_)) if asked => asking(None).await,
                answer => answer,
            }
        });
        let (connection, results) = answer?;
        self.connection = Some(connection);
        read(results).ok_or_else(|| unreadable().into())
    }
}

/// What the catalog answers is not what was asked for.
pub(super) fn unreadable() -> pg::Error {
    pg::Error::Protocol("the catalog's answer is not as asked for".into())
}

/// `sql` and the snapshot under which it is answered.
fn in_one_moment(major: u32, sql: &str) -> String {
    let function = match major {
        13.. => "pg_current_snapshot",
        _ => "txid_current_snapshot",
    };
    format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
         SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'all'
                     ELSE pg_catalog.{function}()::text END;
         {sql};
         COMMIT"
    )
}

fn read(results: Vec<ResultSet>) -> Option<(Seen, ResultSet)> {
    let mut results = results.into_iter().skip(1);
    let seen = match results.next()?.single()? {
        "all" => Seen::All,
        snapshot => Seen::By(snapshot.parse().ok()?),
    };
    Some((seen, results.next()?))
}

impl Drop for SourceCatalog {
    /// Also where an event loop runs, in which a runtime may not wait for its own end.
    fn drop(&mut self) {
        self.connection = None;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
