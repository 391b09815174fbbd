//! Attempts to move traffic, one after the other, until one succeeds.

use std::time::{Duration, Instant};

use super::attempt::{Attempt, Sessions};
use super::by_mirror::Mirrored;
use super::config::Config;
use super::error::{CutoverError, on};
use super::leg::Leg;
use super::outcome::Outcome;
use super::recover;
use crate::base::cause::chain;
use crate::base::{Shutdown, Side};
use crate::migration::MigrationError;
use crate::store::{Lock, Store};

/// The pauses between attempts.
const AGAIN_FIRST: Duration = Duration::from_secs(2);

/// How long the server may take to end a session that has the lock still: our own of the attempt before, or that
/// of a command that was killed. How often it is looked.
const LEAVE_MAX: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Moves traffic to `config.to`.
///
/// # Errors
/// Something stands against it, or it was undone; in any case traffic flows, on one side. Only
/// [`CutoverError::Unknown`] leaves clients waiting.
pub async fn cut_over(config: &Config, shutdown: &Shutdown) -> Result<Outcome, CutoverError> {
    match (config.work_dir.has_begun(), &config.by_mirror) {
        (true, _) => {}
        // Says what is missing.
        (false, None) => drop(Leg::current(config, None).run()?),
        // What a mirror feeds needs no migration.
        (false, Some(_)) => {
            config.work_dir.create().map_err(MigrationError::from)?;
            Store::create(&config.work_dir.store_path())?;
        }
    }
    let _lock = Lock::take(&config.work_dir.root.join("cutover.lock"))?;
    let mut store = config.work_dir.open_store()?;
    let mut sessions = open_alone(config).await?;
    let recovered = recover::recover(config, &mut store).await?;
    let serves = store.last_switch()?.map_or(Side::Source, |last| last.to);
    if let Some(done) = recovered.filter(|done| done.to == config.to && !config.rehearses) {
        return Ok(Outcome::recovered(config, &done));
    }
    if serves == config.to {
        let hint = match serves {
            Side::Source => "move it with pgflit cutover",
            Side::Target => {
                "for the way back there is pgflit rollback, for the end pgflit finalize"
            }
        };
        let problem = format!("traffic goes to the {serves} already");
        return Err(CutoverError::not_ready(problem, hint));
    }
    let told = config.by_mirror.as_ref();
    let mirrored = told.map(|told| Mirrored::new(config, told));
    let mut mirrored = mirrored.transpose()?;
    let mut wait = AGAIN_FIRST;
    let mut left = config.limits.attempts.max(1);
    loop {
        let is_first = left == config.limits.attempts.max(1);
        left -= 1;
        let done = Attempt::new(config, &mut store, &sessions, mirrored.as_mut())?
            .run(shutdown)
            .await;
        let may_again = left > 0 && !shutdown.asked();
        let problem = match &done {
            Err(CutoverError::Undone { problem, .. }) if may_again => problem,
            // What the attempt before has left may be in the way for a moment.
            Err(CutoverError::NotReady { problem, .. }) if may_again && !is_first => problem,
            _ => {
                if !is_decided(&done) {
                    disarm(config).await;
                }
                return done;
            }
        };
        tracing::warn!("{problem}: tried again in {wait:?}, {left} times at most");
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = shutdown.wait() => {}
        }
        wait *= 2;
        // A server that has failed meanwhile has ended them.
        drop(sessions);
        sessions = match open_alone(config).await {
            Ok(sessions) => sessions,
            Err(error) => {
                disarm(config).await;
                return Err(error);
            }
        };
    }
}

/// Whether traffic has moved, or may have.
fn is_decided(done: &Result<Outcome, CutoverError>) -> bool {
    match done {
        Ok(outcome) => !outcome.rehearsed,
        Err(error) => matches!(error, CutoverError::Moved { .. } | CutoverError::Unknown(_)),
    }
}

/// Nothing of the way back stays that would keep WAL.
async fn disarm(config: &Config) {
    let back = Leg::back(config);
    let disarmed = async {
        match config.reverse && back.is_open()? {
            true => back.disarm(&config.connect(config.to).await?).await,
            false => Ok(()),
        }
    };
    if let Err(error) = disarmed.await {
        tracing::warn!(
            "the way back that was armed is still there: {}",
            chain(&error)
        );
    }
}

/// Sessions on both sides, while nobody else moves this database's traffic, from another machine or
/// folder.
async fn open_alone(config: &Config) -> Result<Sessions, CutoverError> {
    let sessions = Sessions {
        from: config.connect(config.to.other()).await?,
        to: config.connect(config.to).await?,
    };
    let sql = "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtext('pgflit cutover'))";
    let sides = [
        (&sessions.from, config.to.other()),
        (&sessions.to, config.to),
    ];
    for (session, side) in sides {
        let deadline = Instant::now() + LEAVE_MAX;
        let is_alone = loop {
            let row = session.query_one(sql, &[]).await;
            let row = row.map_err(on(side, "taking the lock of cutovers"))?;
            if row.get(0) || Instant::now() >= deadline {
                break row.get::<_, bool>(0);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        };
        if !is_alone {
            return Err(CutoverError::not_ready(
                format!("somebody else moves traffic of the database on the {side}"),
                "wait until that has ended",
            ));
        }
    }
    Ok(sessions)
}
