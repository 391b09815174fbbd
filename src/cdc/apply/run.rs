//! Apply from its start to its end.

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use crate::base::{Lsn, Shutdown};
use crate::catalog::ledger;
use crate::pg::{Address, Connection, Mode, Session};
use crate::segment::{self, Kind, segment_holding};
use crate::store::WorkDir;

use super::applier::{After, Applier};
use super::block::{At, Line, Lines};
use super::error::ApplyError;
use super::filter::{Filter, KnownEnd};
use super::input::{self, Input, Piece};
use super::lanes::{LaneConfig, Lanes};
use super::placement::Placement;
use super::plan::OnConflict;
use super::steering::Steering;
use super::target::Target;
use super::tracking::{Tracking, TrackingChoice};

/// How often apply looks around while there is nothing to do.
const LOOK_AROUND: Duration = Duration::from_millis(50);

/// What apply is to do.
#[derive(Debug, Clone)]
pub struct Config {
    /// The target.
    pub target: Address,
    /// The source, if it is known: asked what the stream does not say.
    pub source: Option<Address>,
    /// Where the segments and the store are.
    pub work_dir: WorkDir,
    /// What to read.
    pub input: Input,
    /// When to stop reading a folder.
    pub until: Until,
    /// The name of the position on the target.
    pub origin: String,
    /// Where the position is kept.
    pub tracking: TrackingChoice,
    /// What to do with a change that finds the target otherwise than the source was.
    pub on_conflict: OnConflict,
    /// How many connections apply at a time; with one, none besides the first.
    pub jobs: NonZeroUsize,
    /// The source's WAL segment size, which names the segments.
    pub wal_segment_bytes: u64,
}

/// When to stop reading a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// At endpos.
    Endpos,
    /// Once the end of the segments is reached, between two transactions, and receive is at most
    /// this many bytes ahead.
    Behind(u64),
    /// Once the end of the segments is reached, also inside a transaction: receive is not running,
    /// and will send that transaction again.
    SegmentsEnd,
}

/// Why apply ended without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Everything up to endpos is on the target.
    Endpos,
    /// Everything that was there to read is on the target.
    InputEnd,
    /// It was asked to stop; whole transactions are on the target.
    Asked,
}

/// Applies until endpos, the end of the input, or until asked to stop.
pub async fn apply(config: Config, shutdown: &Shutdown) -> Result<Ended, ApplyError> {
    tokio::select! {
        ended = apply_until_asked(&config, shutdown) => ended,
        // The target waits for a lock, or it or the network is stuck. It undoes the open group, or
        // has committed it with its position: the next start asks.
        () = overdue(shutdown) => Ok(Ended::Asked),
    }
}

/// Where changes arrive fast, the next are there within a moment; if not, there are none.
const MORE_COMES: Duration = Duration::from_millis(10);

/// How long a group that is on its way may take to commit once asked to stop.
const COMMIT_MAX: Duration = Duration::from_secs(8);

async fn overdue(shutdown: &Shutdown) {
    shutdown.wait().await;
    tokio::time::sleep(COMMIT_MAX).await;
}

async fn apply_until_asked(config: &Config, shutdown: &Shutdown) -> Result<Ended, ApplyError> {
    let mut known_end = None;
    loop {
        match apply_once(config, known_end, shutdown).await {
            // A pipe cannot be read again. Whoever runs one goes on from the segments.
            Err(ApplyError::ReadAgain(known))
                if config.input != Input::Pipe && known_end != Some(known) =>
            {
                tracing::info!(
                    "transaction {} at {} is read once more: it ends at {}, which tells what of it was copied from a standby",
                    known.xid,
                    known.first,
                    known.end
                );
                known_end = Some(known);
            }
            ended => return ended,
        }
    }
}

async fn apply_once(
    config: &Config,
    known_end: Option<KnownEnd>,
    shutdown: &Shutdown,
) -> Result<Ended, ApplyError> {
    let store = config.work_dir.open_store()?.reporting_only()?;
    let placement = Placement::of(store.partitions()?);
    let mut steering = Steering::new(store)?;
    if !wait_until_enabled(&mut steering, shutdown).await? {
        return Ok(Ended::Asked);
    }
    let session = Session::connect(&config.target, "apply, preparing").await?;
    let has_applied = !steering.look()?.replay_lsn.is_zero();
    let jobs = config.jobs.get();
    let tracking = match jobs {
        1 => Tracking::prepare(config.tracking, &session, &config.origin, has_applied).await?,
        _ => {
            Tracking::prepare_for_lanes(config.tracking, &session, &config.origin, has_applied)
                .await?
        }
    };
    let filter = Filter::of(&ledger::read(&session).await?)?;
    drop(session);
    let mut connection = Connection::open(&config.target, Mode::Sql, "apply").await?;
    let committed = tracking.start(&mut connection, &config.origin).await?;
    let pruned = steering.pruned()?;
    if matches!(config.input, Input::Folder | Input::Pipe) && committed < pruned {
        return Err(ApplyError::Pruned { committed, pruned });
    }
    let mut target =
        Target::start(connection, tracking, &config.origin, config.on_conflict).await?;
    tracing::info!("applying from {}", committed.max(steering.look()?.startpos));

    let cdc = &config.work_dir.cdc;
    let first = segment_holding(cdc, Kind::Sql, committed, config.wal_segment_bytes)?;
    let at = steering.reached_at_start(committed)?;
    if config.input == Input::Folder {
        none_is_missing(cdc, at.reached, config.wal_segment_bytes)?;
    }
    let mut pieces = input::start(
        config.input.clone(),
        cdc.clone(),
        first,
        config.wal_segment_bytes,
    )?;
    let lanes = match jobs {
        1 => None,
        _ => {
            let lane = LaneConfig {
                target: config.target.clone(),
                tracking,
                origin: config.origin.clone(),
            };
            let lanes = Lanes::start(jobs, &lane).await?;
            // Its lock was there until the lanes had theirs.
            target.settle().await?;
            Some(lanes)
        }
    };
    let mut applier = Applier::new(target, filter, placement, steering, at)
        .knowing(known_end)
        .asking(config.source.clone())
        .over(lanes);
    let ended = run(&mut applier, &mut pieces, config.until, shutdown).await?;
    let reached = applier.positions;
    applier.steering.report_now(reached)?;
    let refused = applier.writer.refused();
    if refused > 0 {
        tracing::info!("{refused} batches of changes were refused together and applied row by row");
    }
    if let Some(lanes) = &applier.lanes {
        tracing::info!("{}", lanes.told());
    }
    Ok(ended)
}

/// Refuses a folder from which a SQL segment was taken that has changes past `reached`, and those
/// after it were not: reading would go on behind it. JSON segments outlive their SQL only where the
/// next SQL begins at or before what is replayed, see [`crate::cdc::prune`].
fn none_is_missing(cdc: &Path, reached: Lsn, wal_segment_bytes: u64) -> Result<(), segment::Error> {
    // In this order: of what is pruned, the JSON goes first.
    let sql = segment::entries(cdc, Kind::Sql)?;
    for json in segment::entries(cdc, Kind::Json)? {
        let next = sql.iter().find(|sql| sql.name >= json.name);
        if let Some(next) = next
            && next.name > json.name
            && next.name.first_lsn(wal_segment_bytes) > reached
        {
            let path = Kind::Sql.closed_path(cdc, json.name);
            return Err(segment::Error::Missing(path));
        }
    }
    Ok(())
}

async fn run(
    applier: &mut Applier,
    pieces: &mut tokio::sync::mpsc::Receiver<Result<Piece, ApplyError>>,
    until: Until,
    shutdown: &Shutdown,
) -> Result<Ended, ApplyError> {
    if applier.look_around()? == After::AtEnd {
        return Ok(Ended::Endpos);
    }
    let mut paused = false;
    let mut patience = LOOK_AROUND;
    loop {
        if shutdown.asked() {
            applier.finish_group().await?;
            return Ok(Ended::Asked);
        }
        let next =
            tokio::time::timeout(std::mem::replace(&mut patience, LOOK_AROUND), pieces.recv());
        let piece = match next.await {
            Ok(Some(Err(error))) => {
                // What is whole before it is applied.
                return match applier.finish_group().await? {
                    After::AtEnd => Ok(Ended::Endpos),
                    After::GoOn => Err(error),
                };
            }
            Ok(Some(Ok(piece))) => piece,
            Ok(None) => {
                let silent = std::io::Error::other("it has ended without a word");
                return Err(ApplyError::Thread(silent));
            }
            Err(_) => {
                if applier.finish_group().await? == After::AtEnd {
                    return Ok(Ended::Endpos);
                }
                if paused && is_near_enough(applier, until)? {
                    return Ok(Ended::InputEnd);
                }
                if let Some(ended) = hold_while_disabled(applier, shutdown).await? {
                    return Ok(ended);
                }
                continue;
            }
        };
        paused = false;
        match piece {
            Piece::Lines(Lines { block, lines }) => {
                for (line, at) in lines {
                    let at = At { block: &block, at };
                    if let Line::Execute(run) = &line
                        && applier.take(*run, at)?
                    {
                        continue;
                    }
                    if applier.line(line, at).await? == After::AtEnd {
                        return Ok(Ended::Endpos);
                    }
                    // At every boundary: a block of lines may end inside transaction after
                    // transaction.
                    if applier.is_held_back()
                        && let Some(ended) = hold_while_disabled(applier, shutdown).await?
                    {
                        return Ok(ended);
                    }
                }
            }
            Piece::Segment => applier.begin_segment(),
            // More has come meanwhile: one group.
            Piece::Pause if !pieces.is_empty() => {}
            Piece::Pause => {
                if let Some(left) = applier.gathers_for() {
                    (patience, paused) = (left.min(MORE_COMES), true);
                    continue;
                }
                if applier.finish_group().await? == After::AtEnd {
                    return Ok(Ended::Endpos);
                }
                paused = true;
                if is_near_enough(applier, until)? {
                    return Ok(Ended::InputEnd);
                }
            }
            Piece::End => {
                if applier.finish_group().await? == After::AtEnd {
                    return Ok(Ended::Endpos);
                }
                return Ok(Ended::InputEnd);
            }
        }
        if let Some(ended) = hold_while_disabled(applier, shutdown).await? {
            return Ok(ended);
        }
    }
}

/// Whether everything there is to read is applied, and receive is not far ahead, nor has a backlog of the
/// source or the end to come: live replay would begin with that, decoded again, by processes that know no
/// table yet.
fn is_near_enough(applier: &mut Applier, until: Until) -> Result<bool, ApplyError> {
    let bytes = match until {
        Until::Endpos => return Ok(false),
        Until::SegmentsEnd => return Ok(true),
        Until::Behind(bytes) => bytes,
    };
    let Some(written) = applier.steering.received_before_live()? else {
        return Ok(false);
    };
    Ok(applier.is_between() && written.bytes_since(applier.positions.reached) <= bytes)
}

/// Waits for the sentinel's word; false if asked to stop meanwhile.
async fn wait_until_enabled(
    steering: &mut Steering,
    shutdown: &Shutdown,
) -> Result<bool, ApplyError> {
    let mut told = false;
    while !steering.may_apply()? {
        if !told {
            tracing::info!("waiting until the sentinel lets apply go on");
            told = true;
        }
        if shutdown.asked() {
            return Ok(false);
        }
        tokio::time::sleep(LOOK_AROUND).await;
    }
    Ok(true)
}

/// Between two transactions, stops here while the sentinel says prefetch. Everything before is
/// committed and reported meanwhile. How apply ends, if it ends here.
async fn hold_while_disabled(
    applier: &mut Applier,
    shutdown: &Shutdown,
) -> Result<Option<Ended>, ApplyError> {
    if let Some(ended) = hold_while_compared(applier, shutdown).await? {
        return Ok(Some(ended));
    }
    // Which has just had a glance.
    if applier.steering.allows_more() || !applier.is_between() {
        return Ok(None);
    }
    if applier.finish_group().await? == After::AtEnd {
        return Ok(Some(Ended::Endpos));
    }
    let positions = applier.positions;
    let reached = positions.reached;
    applier.steering.report_now(positions)?;
    tracing::info!("applying is held back by the sentinel; the target is at {reached}");
    while !applier.steering.may_apply()? {
        if shutdown.asked() {
            return Ok(Some(Ended::Asked));
        }
        // Whoever sets an end meanwhile waits for an answer, and it may be where the target is.
        if applier.look_around()? == After::AtEnd {
            return Ok(Some(Ended::Endpos));
        }
        tokio::time::sleep(LOOK_AROUND).await;
    }
    tracing::info!("the sentinel lets apply go on from {reached}");
    Ok(None)
}

/// Between two transactions, stops here while a comparison wants the target as it is now.
async fn hold_while_compared(
    applier: &mut Applier,
    shutdown: &Shutdown,
) -> Result<Option<Ended>, ApplyError> {
    applier.steering.glance()?;
    let wanted = |applier: &Applier| {
        let hold = applier.steering.hold();
        hold.filter(|hold| hold.is_at(applier.positions.reached) && applier.is_between())
    };
    if wanted(applier).is_some() && applier.finish_group().await? == After::AtEnd {
        return Ok(Some(Ended::Endpos));
    }
    while let Some(hold) = wanted(applier) {
        if shutdown.asked() {
            return Ok(Some(Ended::Asked));
        }
        let positions = applier.positions;
        applier.steering.report_held(hold, positions)?;
        tokio::time::sleep(LOOK_AROUND).await;
        applier.steering.look()?;
    }
    Ok(None)
}
