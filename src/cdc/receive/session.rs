//! The conversation with the source's walsender.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, TrySendError};

use crate::base::cause::chain;
use crate::base::quantity::ByteSize;
use crate::base::{Lsn, Shutdown};
use crate::cdc::positions::{Ack, Positions};
use crate::cdc::timestamp::unix_micros_now;
use crate::pg::{Address, Connection, CopyMessages, Mode};
use crate::segment::{self, Kind, segment_holding};
use crate::store::WorkDir;
use crate::wire::replication::StandbyStatus;

use super::error::ReceiveError;
use super::keeper::Keeper;
use super::pace::Pace;
use super::pipe::{Pipe, PipeWatch, Reader};
use super::plugin::{self, Plugin, Wanted};
use super::resume::last_boundary;
use super::room::Room;
use super::sink::{Geometry, Sink};
use super::source::check_slot;
use super::spill::Spills;
use super::streaming::Streaming;
use super::timeline;
use super::writer::{Progress, Shared, Writer};

/// Bytes that go to the writer at once, if that many have arrived.
const BATCH_BYTES: usize = 1 << 20;
/// Bytes between socket and writer: the bound on memory here, with one batch or message more.
/// Enough to keep receiving while the disk syncs.
const QUEUE_BYTES: usize = 32 << 20;
/// Batches between socket and writer, when they are small.
const QUEUE_BATCHES: usize = 1024;
/// Status goes out at least this often; the server gives up on us after `wal_sender_timeout`,
/// a minute by default.
const STATUS: Duration = Duration::from_secs(1);
/// While an endpos is set and not reached, the server is asked this often how far it is: an idle
/// source says nothing by itself.
const ASK: Duration = Duration::from_millis(200);
/// How often the loop looks around when nothing arrives.
const TICK: Duration = Duration::from_millis(20);
/// The least limit on the disk, in segments as the source cuts its WAL: one that grows and one that
/// is being replayed, as JSON and as SQL.
const LIMIT_SEGMENTS: u64 = 4;

/// How long the last status and the end of the stream may take.
const GOODBYE_MAX: Duration = Duration::from_secs(10);

/// What receive is to do.
#[derive(Debug, Clone)]
pub struct Config {
    /// The source.
    pub source: Address,
    /// The slot to read.
    pub slot: String,
    /// What the slot was made for.
    pub plugin: Plugin,
    /// The publication that says which tables; pgoutput alone reads it.
    pub publication: String,
    /// Where to begin if there are no segments yet: the slot's consistent point.
    pub slot_lsn: Lsn,
    /// The source's WAL segment size, which names the segments.
    pub wal_segment_bytes: u64,
    /// Where the segments and the store are.
    pub work_dir: WorkDir,
    /// What to report as flushed.
    pub ack: Ack,
    /// Whether closed segments are compressed.
    pub compress: bool,
    /// What the segments may take on the disk before the source is left to keep its WAL.
    pub disk_limit: Option<ByteSize>,
    /// Whether to pass everything on to standard output too.
    pub to_stdout: Option<Pipe>,
}

/// Why receive ended without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Everything up to endpos is on this disk.
    Endpos,
    /// It was asked to stop; everything received is on this disk.
    Asked,
    /// Nobody reads the pipe that a person built; everything received is on this disk.
    ReaderGone,
}

/// Receives until endpos or until asked to stop.
///
/// Everything received is synced when this returns, and reported to the source as far as the
/// connection still allows.
pub async fn receive(config: Config, shutdown: &Shutdown) -> Result<Ended, ReceiveError> {
    let least = ByteSize(LIMIT_SEGMENTS * config.wal_segment_bytes);
    if let Some(limit) = config.disk_limit.filter(|limit| limit.0 < least.0) {
        return Err(ReceiveError::LimitTooSmall { limit, least });
    }
    match receive_once(&config, shutdown).await {
        // Nothing has gone into a pipe, where it would go again.
        Err(error @ ReceiveError::InProgress(_)) if config.to_stdout.is_none() => {
            tracing::warn!("{}; asking for committed ones only", chain(&error));
            receive_once(&config, shutdown).await
        }
        ended => ended,
    }
}

async fn receive_once(config: &Config, shutdown: &Shutdown) -> Result<Ended, ReceiveError> {
    let mut connection = Connection::open(&config.source, Mode::Replication, "receive").await?;
    let on_disk = last_boundary(&config.work_dir.cdc)?.unwrap_or(config.slot_lsn);
    let mut store = config.work_dir.open_store()?.reporting_only()?;
    let known = match segment::entries(&config.work_dir.cdc, Kind::Json)?.last() {
        Some(last) => Some(last.name.timeline()),
        None => store.run()?.and_then(|run| run.timeline),
    };
    let source = timeline::ask(&mut connection).await?;
    timeline::check(&mut connection, source.timeline, known, on_disk).await?;
    let geometry = Geometry {
        timeline: source.timeline,
        wal_segment_bytes: config.wal_segment_bytes,
    };
    let mut sink = Sink::open(&config.work_dir.cdc, geometry)?;
    let slot_flushed = check_slot(&mut connection, &config.slot, config.plugin).await?;
    if on_disk < slot_flushed {
        // Nothing is ever reported that is not on this disk, so someone else has moved it.
        return Err(ReceiveError::SlotMoved {
            slot: config.slot.clone(),
            slot_flushed,
            on_disk,
        });
    }
    let sentinel = store.sentinel()?;
    let streaming = Streaming::of(&config.work_dir.cdc);
    let wanted = Wanted {
        slot: &config.slot,
        publication: &config.publication,
        streaming,
        from: on_disk,
    };
    let folder = &config.work_dir.cdc;
    let decoder = plugin::start(
        &mut connection,
        config.plugin,
        wanted,
        (&config.source, &store.tables()?, folder),
    )
    .await?;
    sink.start_at(on_disk)?;
    store.set_backlog(Some(source.lsn))?;
    tracing::info!("receiving from slot {} at {on_disk}", config.slot);

    let keeper = Keeper::start(
        config.work_dir.cdc.clone(),
        config.work_dir.open_store()?,
        config.wal_segment_bytes,
        config.compress,
    )?;
    let shared = Arc::new(Shared::default());
    let (batches, queue) = crossbeam_channel::bounded(QUEUE_BATCHES);
    let (wake_feed, wake) = crossbeam_channel::bounded(1);
    let writer_shared = Arc::clone(&shared);
    let spills = Spills::open(&config.work_dir.cdc)?;
    let writer_shutdown = shutdown.clone();
    let writes_feed = config.to_stdout.map(|_| wake_feed);
    let writer = spawn("writer", move || {
        let writer = Writer {
            sink,
            decoder,
            events: Vec::new(),
            store,
            spills,
            shutdown: writer_shutdown,
            shared: &writer_shared,
            wake_feed: writes_feed,
            progress: Progress::starting_at(on_disk, source.lsn),
        };
        writer.run(&queue)
    })?;
    let mut pipe = match config.to_stdout {
        None => None,
        Some(pipe) => {
            let folder = &config.work_dir.cdc;
            let applied = sentinel.replay_lsn;
            let first = segment_holding(folder, Kind::Json, applied, config.wal_segment_bytes)?;
            Some(PipeWatch::start(pipe, folder, first, wake, keeper.kept())?)
        }
    };

    let mut socket = Socket {
        connection,
        shared: &shared,
        ack: config.ack,
        room: Room::new(config.disk_limit, keeper.kept()),
        pace: Pace::starting(Instant::now()),
        status_at: Instant::now(),
        asked_at: Instant::now(),
    };
    let streamed = socket.stream(batches, pipe.as_mut(), shutdown).await;
    let written = join(writer)?;
    // A dead network answers nothing: what is synced is found again by the next start.
    let goodbye = tokio::time::timeout(GOODBYE_MAX, socket.goodbye())
        .await
        .unwrap_or(Ok(()));
    if let Some(pipe) = pipe {
        pipe.finish(shutdown).await?;
    }
    written?;
    let streamed = streamed
        .map_err(|error| streaming.judge(error, &config.work_dir.cdc))
        .map_err(|error| named(error, &config.publication));
    match streamed? {
        Ended::Endpos => Ok(Ended::Endpos),
        ended @ (Ended::Asked | Ended::ReaderGone) => {
            goodbye?;
            Ok(ended)
        }
    }
}

/// What the server does not find while it decodes is a publication that was there at the start.
fn named(error: ReceiveError, publication: &str) -> ReceiveError {
    const UNDEFINED_OBJECT: &str = "42704";
    match error {
        ReceiveError::Source(error) if error.sqlstate() == Some(UNDEFINED_OBJECT) => {
            ReceiveError::Publication(publication.to_owned())
        }
        error => error,
    }
}

pub(super) fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<std::thread::JoinHandle<T>, ReceiveError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(ReceiveError::Thread)
}

fn join(
    writer: std::thread::JoinHandle<Result<(), ReceiveError>>,
) -> Result<Result<(), ReceiveError>, ReceiveError> {
    let joined = writer.join();
    joined.map_err(|_| ReceiveError::Thread(io::Error::other("the writer panicked")))
}

struct Socket<'a> {
    connection: Connection,
    shared: &'a Shared,
    ack: Ack,
    room: Room,
    pace: Pace,
    status_at: Instant,
    asked_at: Instant,
}

impl Socket<'_> {
    /// Moves batches to the writer until endpos, a signal or an error.
    async fn stream(
        &mut self,
        batches: Sender<CopyMessages>,
        mut pipe: Option<&mut PipeWatch>,
        shutdown: &Shutdown,
    ) -> Result<Ended, ReceiveError> {
        let mut waiting: Option<CopyMessages> = None;
        loop {
            if self.shared.ended() {
                return Ok(Ended::Endpos);
            }
            if shutdown.asked() {
                return Ok(Ended::Asked);
            }
            self.report().await?;
            if let Some(pipe) = &mut pipe
                && pipe.look() == Reader::Gone
            {
                return Ok(Ended::ReaderGone);
            }
            if !self.room.is_there(self.shared)? {
                tokio::time::sleep(TICK).await;
                continue;
            }
            let batch = match waiting.take() {
                Some(batch) => batch,
                None => match self.read_batch().await? {
                    Some(batch) => batch,
                    None => continue,
                },
            };
            if !self.shared.has_room(QUEUE_BYTES) {
                waiting = Some(batch);
                tokio::time::sleep(TICK / 4).await;
                continue;
            }
            self.shared.queue(&batch);
            match batches.try_send(batch) {
                Ok(()) => {}
                Err(TrySendError::Full(batch)) => {
                    self.shared.take_from_queue(&batch);
                    waiting = Some(batch);
                    tokio::time::sleep(TICK / 4).await;
                }
                // The writer has ended: its own result says why.
                Err(TrySendError::Disconnected(_)) => return Ok(Ended::Endpos),
            }
        }
    }

    /// What arrives within a tick, up to a bound; none if nothing does.
    async fn read_batch(&mut self) -> Result<Option<CopyMessages>, ReceiveError> {
        if let Some(nap) = self.pace.nap {
            // Not tokio's, which wakes up for each message that arrives meanwhile. Nothing else
            // runs on this thread.
            std::thread::sleep(nap);
        }
        let read = self.connection.read_copy_messages(BATCH_BYTES);
        let Ok(read) = tokio::time::timeout(TICK, read).await else {
            self.pace.read(0, Instant::now());
            return Ok(None);
        };
        let batch = read?.ok_or(ReceiveError::StreamEnded)?;
        self.pace.read(batch.byte_count(), Instant::now());
        if batch.want_reply() {
            self.send_status(false).await?;
        }
        Ok(Some(batch))
    }

    async fn report(&mut self) -> Result<(), ReceiveError> {
        let endpos = self.shared.endpos();
        let ask = endpos.is_some() && self.asked_at.elapsed() >= ASK;
        if ask {
            self.asked_at = Instant::now();
        }
        if ask || self.status_at.elapsed() >= STATUS {
            self.send_status(ask).await?;
        }
        Ok(())
    }

    async fn send_status(&mut self, reply_requested: bool) -> Result<(), ReceiveError> {
        self.status_at = Instant::now();
        let positions = self.shared.positions();
        let status = status(&positions, self.ack, reply_requested);
        Ok(self.connection.send_copy_message(&status.encode()).await?)
    }

    /// Tells the source the last positions and ends the stream.
    async fn goodbye(&mut self) -> Result<(), ReceiveError> {
        self.send_status(false).await?;
        Ok(self.connection.end_replication().await?)
    }
}

fn status(positions: &Positions, ack: Ack, reply_requested: bool) -> StandbyStatus {
    StandbyStatus {
        written: positions.written,
        flushed: positions.reported_flush(ack),
        applied: positions.replayed,
        now_micros: unix_micros_now(),
        reply_requested,
    }
}
