//! Snapshots of both servers at one position of the source, while a migration follows it.
//!
//! 1. Apply is asked to stand still where it is: nothing that commits from now on is on the target.
//! 2. A temporary slot is made on the source. Decoding finds a position L of the WAL and the snapshot
//!    that sees exactly what commits up to there; nothing that is read beside a position says that.
//! 3. Nothing is read under that snapshot until an ordinary one sees all that it sees: a transaction
//!    whose commit is in the WAL may still be about to leave, and would be taken for one that failed.
//! 4. Apply is let go to L, and stands still there: all that commits up to L is on the target, and
//!    nothing else.
//! 5. A snapshot of the target; then apply goes on, while both snapshots are read. It counts only if the
//!    wish was repeated in time until then.
//!
//! # Crash story
//! The slot goes with its connection. That apply stands still is a wish in the store, which is repeated
//! every second; apply goes on by itself when it has not been for some seconds, and one that starts
//! meanwhile does the same. So whatever ends this, nothing waits for it.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::base::ident::{quote_ident, quote_literal};
use crate::base::snapshot::Snapshot;
use crate::base::{Lsn, Side, failpoint};
use crate::pg::{Connection, Error, Mode, Session};
use crate::store::{HOLD_LASTS, Run, Store, WorkDir};

use super::moment::{BEGIN, Moment};
use super::run::Config;
use crate::verify::error::{CompareError, on};

/// How often the wish is repeated.
const BEAT: Duration = Duration::from_secs(1);

/// How often it is looked whether something has happened.
const LOOK: Duration = Duration::from_millis(20);

/// How long apply may take to come to the end of what it is at.
const HELD_WITHIN: Duration = Duration::from_secs(30);

/// How long transactions that run on the source may take to end: a slot waits for them, and apply is
/// held meanwhile.
const SLOT_WITHIN: Duration = Duration::from_secs(60);

/// How long apply may take to come to the position, from where it stood still.
const THERE_WITHIN: Duration = Duration::from_secs(60);

/// How often a slot is tried: on a busy server the snapshot may have no room.
const SLOT_TRIES: usize = 3;

/// A snapshot of each server, and the position of the source that both are of.
pub(super) async fn moments(
    config: &Config,
    work_dir: &WorkDir,
    systems: &[String; 2],
) -> Result<([Moment; 2], Lsn), CompareError> {
    let mut store = work_dir.open_store()?;
    let run = running(&store, systems)?;
    let number = store.set_hold(None)?;
    let beaten = Cell::new(Instant::now());
    let taken = tokio::select! {
        taken = take(config, work_dir, &run, number) => taken,
        error = beat(work_dir, &beaten) => Err(error),
    };
    let is_lapsed = beaten.get().elapsed() >= HOLD_LASTS;
    let ended = store.end_hold();
    let taken = taken?;
    ended?;
    if is_lapsed {
        return Err(CompareError::NotInTime {
            what: "this process was held up: the wish that apply stands still could not be repeated",
            waited: HOLD_LASTS,
            hint: "run it again when the machine has less to do",
        });
    }
    Ok(taken)
}

/// What the migration was begun with, if it follows the source between these databases.
fn running(store: &Store, systems: &[String; 2]) -> Result<Run, CompareError> {
    let refused = |problem: &str, hint| CompareError::NoStream {
        problem: problem.to_owned(),
        hint,
    };
    let run = store.run()?.filter(|run| run.slot.is_some());
    let Some(run) = run else {
        return Err(refused(
            "no migration in the work directory follows the source",
            "name that of clone --follow or follow with --dir; leave --at-lsn out where nothing is written",
        ));
    };
    if run.source_system != systems[0] || run.target_system.as_ref() != Some(&systems[1]) {
        return Err(refused(
            "the migration in the work directory is between other databases",
            "name its own --source and --target, or another --dir",
        ));
    }
    if !store.sentinel()?.apply {
        return Err(refused(
            "nothing is applied to the target yet, or applying is held back",
            "wait until all tables are copied, or let it go on with pgflit sentinel set apply",
        ));
    }
    Ok(run)
}

/// Repeats the wish; `beaten` is when it was last begun to be said.
async fn beat(work_dir: &WorkDir, beaten: &Cell<Instant>) -> CompareError {
    let mut store = match work_dir.open_store() {
        Ok(store) => store,
        Err(error) => return error.into(),
    };
    loop {
        let begun = Instant::now();
        if let Err(error) = store.beat_hold() {
            return error.into();
        }
        beaten.set(begun);
        tokio::time::sleep(BEAT).await;
    }
}

async fn take(
    config: &Config,
    work_dir: &WorkDir,
    run: &Run,
    number: i64,
) -> Result<([Moment; 2], Lsn), CompareError> {
    let mut store = work_dir.open_store()?;
    until_held(&store, number, HELD_WITHIN).await?;
    failpoint::reach("apply held");
    let (source, at) = source_at(config, run).await?;
    let number = store.set_hold(Some(at))?;
    let committed = until_held(&store, number, THERE_WITHIN).await?;
    if committed > at {
        // It stood still before; somebody has moved the origin, or another apply is running.
        return Err(CompareError::NoStream {
            problem: format!(
                "the target is at {committed}, past {at}, where it was to stand still"
            ),
            hint: "run it again; if it happens again, something else writes to the target",
        });
    }
    let target = Moment::take(Side::Target, &config.target).await?;
    tracing::info!("comparing both as they are at {at}; changes are applied again");
    Ok(([source, target], at))
}

/// Returns once apply stands still as it was asked to: the end of the last transaction on the target.
async fn until_held(store: &Store, number: i64, within: Duration) -> Result<Lsn, CompareError> {
    let held = async {
        loop {
            if let Some(committed) = store.held(number)? {
                return Ok(committed);
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    let limited = tokio::time::timeout(within, held).await;
    limited.unwrap_or(Err(CompareError::NotInTime {
        what: "nobody who applies changes in the work directory has come to a standstill",
        waited: within,
        hint: "see that clone --follow or follow is running there, and what its log says",
    }))
}

/// A snapshot of the source, and the position that it is exactly of.
async fn source_at(config: &Config, run: &Run) -> Result<(Moment, Lsn), CompareError> {
    let doing = "making a temporary replication slot";
    let taking = async {
        let mut tried = 1;
        loop {
            match slot_at(config, run).await {
                Err(error) if tried < SLOT_TRIES && is_too_busy(&error) => tried += 1,
                taken => return taken.map_err(on(Side::Source, doing)),
            }
        }
    };
    let limited = tokio::time::timeout(SLOT_WITHIN, taking).await;
    limited.unwrap_or(Err(CompareError::NotInTime {
        what: "transactions that were running on the source have not ended",
        waited: SLOT_WITHIN,
        hint: "end the oldest one in pg_stat_activity, or run it again when there is none; apply was \
               held meanwhile, and goes on",
    }))
}

fn is_too_busy(error: &Error) -> bool {
    matches!(error, Error::Server(error) if error.message.contains("snapshot too large"))
}

async fn slot_at(config: &Config, run: &Run) -> Result<(Moment, Lsn), Error> {
    let plugin = run.plugin.as_deref().unwrap_or("pgoutput");
    let name = format!("pgflit_compare_{}", std::process::id());
    let mut walsender = Connection::open(&config.source, Mode::Replication, "compare").await?;
    // The old words are understood by every version.
    let sql = format!(
        "CREATE_REPLICATION_SLOT {} TEMPORARY LOGICAL {} EXPORT_SNAPSHOT",
        quote_ident(&name),
        quote_ident(plugin)
    );
    let made = walsender.query(&sql).await?;
    let value = |column| {
        let value = made.first().and_then(|made| made.value(column));
        value.ok_or_else(|| Error::Protocol(format!("a slot without {column}")))
    };
    let at: Lsn = parse(value("consistent_point")?)?;
    let id = quote_literal(value("snapshot_name")?);
    let keeper = Session::connect(&config.source, "compare, snapshot keeper").await?;
    keeper
        .batch(&format!("{BEGIN}; SET TRANSACTION SNAPSHOT {id}"))
        .await?;
    let seen = current(&keeper).await?;
    walsender.close().await;
    let ordinary = Session::connect(&config.source, "compare").await?;
    while !current(&ordinary).await?.covers(&seen) {
        tokio::time::sleep(LOOK).await;
    }
    let moment = Moment::held_by(Side::Source, &config.source, keeper).await?;
    Ok((moment, at))
}

/// What the session sees. Reads no table.
async fn current(session: &Session) -> Result<Snapshot, Error> {
    let sql = match session.server_version().major() {
        13.. => "SELECT pg_current_snapshot()::text",
        _ => "SELECT txid_current_snapshot()::text",
    };
    parse(session.query_one(sql, &[]).await?.get(0))
}

fn parse<T: std::str::FromStr>(text: &str) -> Result<T, Error> {
    let parsed = text.parse();
    parsed.map_err(|_| Error::Protocol(format!("\"{text}\" of a new slot")))
}
