//! Having a table for oneself for a moment, without making others wait for long.

use std::time::{Duration, Instant};

use crate::base::QualifiedName;
use crate::catalog::identity::{self, Holders};
use crate::migration::error::{MigrationError, on_source};
use crate::pg::{self, Session};

use super::error::IdentityError;

/// How long a lock is waited for at a time: for so long others may queue behind it.
const WAIT: Duration = Duration::from_millis(200);
/// The same where autovacuum alone is in the way: it leaves when somebody has waited for
/// `deadlock_timeout`, one second unless said otherwise.
const WAIT_FOR_AUTOVACUUM: Duration = Duration::from_millis(1500);
/// Those who queued have this long before the next attempt.
const PAUSE: Duration = Duration::from_millis(300);
/// For so long it is tried, since the last table that was had. Transactions of applications are over by
/// then; whoever begins a migration is there to see about others.
const TRY_FOR: Duration = Duration::from_secs(10);
/// A network that breaks down in between must not leave the table locked.
const IDLE_MAX: Duration = Duration::from_secs(10);

/// A table that is to be changed.
pub(super) trait Change {
    fn oid(&self) -> u32;
    /// What it is called, as far as is known.
    fn table(&self) -> &QualifiedName;
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// There is nothing more to do.
    Done,
    /// Others have the table.
    Locked,
}

/// Makes an attempt at each of `waiting`, and others at those that are locked, one after the other so
/// that no two tables are locked at a time.
pub(super) async fn one_by_one<T: Change>(
    source: &Session,
    mut waiting: Vec<T>,
    mut attempt: impl AsyncFnMut(&T, Duration) -> Result<Attempt, MigrationError>,
) -> Result<(), MigrationError> {
    let mut last_had = Instant::now();
    let mut is_told = false;
    while !waiting.is_empty() {
        let mut locked = Vec::new();
        let count = waiting.len();
        for (place, change) in waiting.into_iter().enumerate() {
            let holders = match is_told {
                true => holders(source, &change).await?,
                false => None,
            };
            let wait = match holders {
                Some(holders) if holders.is_autovacuum => WAIT_FOR_AUTOVACUUM,
                _ => WAIT,
            };
            match attempt(&change, wait).await? {
                Attempt::Done => last_had = Instant::now(),
                Attempt::Locked if last_had.elapsed() < TRY_FOR => locked.push(change),
                Attempt::Locked => {
                    let others = locked.len() + (count - place - 1);
                    return Err(given_up(source, &change, others).await?.into());
                }
            }
        }
        if let (Some(first), false) = (locked.first(), is_told) {
            is_told = true;
            tracing::warn!(
                "{} is locked by {}: its replica identity is changed when it is not",
                first.table(),
                named(holders(source, first).await?)
            );
        }
        if !locked.is_empty() {
            tokio::time::sleep(PAUSE).await;
        }
        waiting = locked;
    }
    Ok(())
}

async fn given_up(
    source: &Session,
    change: &impl Change,
    others: usize,
) -> Result<IdentityError, MigrationError> {
    Ok(IdentityError::Locked {
        table: change.table().clone(),
        others,
        holders: named(holders(source, change).await?),
    })
}

async fn holders(
    source: &Session,
    change: &impl Change,
) -> Result<Option<Holders>, MigrationError> {
    let holders = identity::holders(source, change.oid()).await;
    holders.map_err(on_source("looking at its locks"))
}

fn named(holders: Option<Holders>) -> String {
    holders.map_or_else(
        || "somebody now and then".to_owned(),
        |holders| holders.text,
    )
}

/// SQLSTATEs of a lock that is not had: lock_not_available, deadlock_detected; or of a name that is
/// another's by now, undefined_table.
const NOT_HAD: [&str; 3] = ["55P03", "40P01", "42P01"];

/// Begins a transaction in which nobody else has `table`; false, and none is begun, if others have it
/// for longer than `wait`.
pub(super) async fn lock(
    source: &Session,
    table: &QualifiedName,
    wait: Duration,
) -> Result<bool, pg::Error> {
    // A standby that is waited for must not keep the table locked.
    let sql = format!(
        "BEGIN; SET LOCAL lock_timeout = {}; SET LOCAL idle_in_transaction_session_timeout = {};
         SET LOCAL synchronous_commit = local;
         LOCK TABLE ONLY {} IN ACCESS EXCLUSIVE MODE",
        wait.as_millis(),
        IDLE_MAX.as_millis(),
        table.quoted()
    );
    let Err(error) = source.batch(&sql).await else {
        return Ok(true);
    };
    let is_not_had = error.sqlstate().is_some_and(|code| NOT_HAD.contains(&code));
    if error.sqlstate().is_some() {
        source.batch("ROLLBACK").await?;
    }
    match is_not_had {
        true => Ok(false),
        false => Err(error),
    }
}
