//! The thread that decodes, writes and syncs. The socket never waits for it, except when its
//! queue is full.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::base::{Lsn, Shutdown, failpoint};
use crate::cdc::change::{Event, Position};
use crate::cdc::positions::{Positions, endpos_is_reached};
use crate::cdc::timestamp::format_unix_micros;
use crate::pg::{CopyMessage, CopyMessages};
use crate::store::{self, Store};
use crate::wire::replication::{ReplicationMessage, XLogData};

use super::error::ReceiveError;
use super::plugin::Decoder;
use super::sink::Sink;
use super::source_tables::Look;
use super::spill::Spills;

/// While data keeps coming, one sync covers what arrived in this time.
const SYNC_BUSY: Duration = Duration::from_millis(100);
/// When the queue is empty, a sync follows at once, but not more often than this.
const SYNC_IDLE: Duration = Duration::from_millis(20);
/// How often the store is told and asked.
const REPORT: Duration = Duration::from_millis(200);
/// An idle source gives a keepalive line this often, so that positions move in the segments too.
const KEEPALIVE_LINE: Duration = Duration::from_secs(1);

/// What the socket and the writer tell each other.
#[derive(Debug, Default)]
pub(super) struct Shared {
    positions: Mutex<Positions>,
    endpos: AtomicU64,
    ended: AtomicBool,
    /// Whether apply is at work.
    applying: AtomicBool,
    /// Bytes that the socket has handed over and the writer has not finished with.
    queued_bytes: AtomicUsize,
}

impl Shared {
    pub(super) fn positions(&self) -> Positions {
        *self.lock()
    }

    /// Where to end, if somebody has said.
    pub(super) fn endpos(&self) -> Option<Lsn> {
        let endpos = Lsn::new(self.endpos.load(Ordering::SeqCst));
        (!endpos.is_zero()).then_some(endpos)
    }

    /// Whether the target has everything that is whole on this disk.
    pub(super) fn all_is_replayed(&self) -> bool {
        let Positions {
            written, replayed, ..
        } = self.positions();
        self.applying.load(Ordering::SeqCst) && replayed >= written
    }

    /// Whether the end is reached and durable.
    pub(super) fn ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Whether fewer than `max` bytes wait for the writer; a batch may always be alone.
    pub(super) fn has_room(&self, max: usize) -> bool {
        self.queued_bytes.load(Ordering::SeqCst) < max
    }

    /// The socket hands a batch over.
    pub(super) fn queue(&self, batch: &CopyMessages) {
        self.queued_bytes
            .fetch_add(batch.byte_count(), Ordering::SeqCst);
    }

    /// The batch is not queued any more.
    pub(super) fn take_from_queue(&self, batch: &CopyMessages) {
        self.queued_bytes
            .fetch_sub(batch.byte_count(), Ordering::SeqCst);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Positions> {
        self.positions
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// The writer's own state.
pub(super) struct Writer<'a> {
    pub(super) sink: Sink,
    pub(super) decoder: Decoder,
    /// What the message at hand says; kept for its room.
    pub(super) events: Vec<(Lsn, Event)>,
    /// Transactions that are streamed while in progress.
    pub(super) spills: Spills,
    pub(super) store: Store,
    /// Looked at where one message makes work for long.
    pub(super) shutdown: Shutdown,
    pub(super) shared: &'a Shared,
    /// Tells the feed that there is more to read back.
    pub(super) wake_feed: Option<Sender<()>>,
    pub(super) progress: Progress,
}

/// What is written and what is not yet durable.
#[derive(Debug)]
pub(super) struct Progress {
    pub(super) open: bool,
    /// Asked to stop inside a transaction that is released, which was left without its end: nothing
    /// may be written after it.
    pub(super) abandoned: bool,
    /// The last transaction boundary written.
    boundary: Lsn,
    /// How far the source was when receive began: apply waits to hear that this is passed.
    backlog: Lsn,
    dirty: bool,
    synced_at: Instant,
    reported_at: Instant,
    keepalive_at: Instant,
    reported: (Lsn, Lsn),
    store_version: Option<i64>,
}

impl Progress {
    /// Nothing new yet; everything up to `boundary` is on this disk and synced, and the source is at
    /// `backlog`.
    pub(super) fn starting_at(boundary: Lsn, backlog: Lsn) -> Self {
        let now = Instant::now();
        Self {
            open: false,
            abandoned: false,
            boundary,
            backlog,
            dirty: false,
            synced_at: now,
            reported_at: now,
            keepalive_at: now,
            reported: (Lsn::ZERO, Lsn::ZERO),
            store_version: None,
        }
    }
}

impl Writer<'_> {
    /// Takes batches until the sender is gone or the end is reached. Everything taken is durable
    /// and reported to the store when this returns.
    pub(super) fn run(mut self, batches: &Receiver<CopyMessages>) -> Result<(), ReceiveError> {
        self.look_at_store()?;
        self.end_if_reached(self.progress.boundary)?;
        while !self.shared.ended() {
            match batches.recv_timeout(SYNC_IDLE) {
                Ok(batch) => {
                    self.take(&batch)?;
                    self.shared.take_from_queue(&batch);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.progress.abandoned {
                break;
            }
            self.look_around(batches.is_empty())?;
        }
        self.sync()?;
        self.look_at_store()?;
        self.decoder
            .look_at_source(Look::IfAnythingCame, self.progress.boundary)
    }

    /// Syncs, reports and learns, when it is time to.
    pub(super) fn look_around(&mut self, is_idle: bool) -> Result<(), ReceiveError> {
        let since = self.progress.synced_at.elapsed();
        if since >= SYNC_BUSY || (is_idle && since >= SYNC_IDLE) {
            self.sync()?;
        } else if is_idle {
            self.flush()?;
        }
        if self.progress.reported_at.elapsed() >= REPORT {
            self.look_at_store()?;
            self.decoder
                .look_at_source(Look::NowAndThen, self.progress.boundary)?;
            // An endpos that was set where an idle source already is: no message will follow
            // that reaches it. What is open now commits past it.
            self.end_if_reached(self.progress.boundary)?;
        }
        Ok(())
    }

    fn take(&mut self, batch: &CopyMessages) -> Result<(), ReceiveError> {
        for message in batch.iter() {
            if self.shared.ended() || self.progress.abandoned {
                return Ok(());
            }
            let data = match message? {
                CopyMessage::Data(data) => data,
                CopyMessage::Notice(text) => {
                    self.decoder.notice(self.progress.boundary, &text)?;
                    continue;
                }
            };
            match ReplicationMessage::parse(data)? {
                ReplicationMessage::XLogData(data) => self.message(&data)?,
                ReplicationMessage::Keepalive(keepalive) => {
                    let sent_at = || Some(format_unix_micros(keepalive.sent_at_micros));
                    self.keepalive(keepalive.wal_end, sent_at)?;
                }
            }
        }
        Ok(())
    }

    fn message(&mut self, data: &XLogData<'_>) -> Result<(), ReceiveError> {
        if let Some(message) = self.decoder.stream_message(data.body)? {
            return self.stream_message(data.start, message);
        }
        if self.spills.in_block() {
            return match self.decoder.subtransaction(data.body)? {
                Some(subxid) => self.spills.piece(data.start, subxid, data.body),
                None => Ok(()),
            };
        }
        let mut events = std::mem::take(&mut self.events);
        self.decoder.decode(data.start, data.body, &mut events)?;
        for (lsn, event) in events.drain(..) {
            // What stands behind the end is not written.
            if !self.shared.ended() {
                self.write(lsn, event)?;
            }
        }
        self.events = events;
        Ok(())
    }

    pub(super) fn write(&mut self, lsn: Lsn, event: Event) -> Result<(), ReceiveError> {
        match &event {
            Event::Begin(begin) => {
                let commit = begin.commit_lsn.unwrap_or(begin.lsn);
                // A commit record that starts at endpos ends after it.
                if self.end_if_reached(commit)? {
                    return Ok(());
                }
                self.progress.open = true;
            }
            // Nothing of a transaction that ended there is captured.
            Event::Keepalive(at) => {
                let timestamp = at.timestamp.clone();
                return self.keepalive(at.lsn, || timestamp);
            }
            Event::Commit(commit) => {
                let end = commit.lsn;
                self.sink.write(lsn.max(end), event)?;
                self.progress.open = false;
                self.progress.boundary = end;
                self.progress.dirty = true;
                self.end_if_reached(end)?;
                return Ok(());
            }
            _ => {}
        }
        self.sink.write(lsn, event)?;
        self.progress.dirty = true;
        Ok(())
    }

    /// Nothing happened up to `lsn`; inside a transaction that says nothing.
    fn keepalive(
        &mut self,
        lsn: Lsn,
        sent_at: impl FnOnce() -> Option<String>,
    ) -> Result<(), ReceiveError> {
        if self.progress.open || lsn <= self.progress.boundary {
            return Ok(());
        }
        let reached = endpos_is_reached(lsn, self.shared.endpos());
        let backlog = self.progress.backlog;
        let is_through = self.progress.boundary < backlog && backlog <= lsn;
        if reached || is_through || self.progress.keepalive_at.elapsed() >= KEEPALIVE_LINE {
            // Only with a line on disk: what is reported to the source must be found here again.
            self.progress.boundary = lsn;
            let timestamp = sent_at();
            self.sink
                .write(lsn, Event::Keepalive(Position { lsn, timestamp }))?;
            self.progress.keepalive_at = Instant::now();
            self.progress.dirty = true;
        }
        self.end_if_reached(lsn)?;
        Ok(())
    }

    /// Ends if endpos is at or before `lsn`, where no transaction is open.
    fn end_if_reached(&mut self, lsn: Lsn) -> Result<bool, ReceiveError> {
        let endpos = self.shared.endpos();
        let Some(endpos) = endpos.filter(|_| endpos_is_reached(lsn, endpos)) else {
            return Ok(false);
        };
        // Once the end is said to be here, nothing that was read wrongly may be.
        self.decoder.look_at_source(Look::Now, lsn)?;
        let end = Event::Endpos(Position {
            lsn: endpos,
            timestamp: None,
        });
        self.sink.write(endpos, end)?;
        self.progress.boundary = self.progress.boundary.max(endpos);
        self.progress.dirty = true;
        self.sync()?;
        self.shared.ended.store(true, Ordering::SeqCst);
        tracing::info!("received everything up to endpos {endpos}");
        Ok(true)
    }

    fn flush(&mut self) -> Result<(), ReceiveError> {
        if self.progress.dirty {
            self.sink.flush()?;
            self.wake_feed();
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), ReceiveError> {
        if self.progress.dirty {
            self.flush()?;
            failpoint::reach("lines written");
            self.sink.sync()?;
            failpoint::reach("lines synced");
            self.progress.dirty = false;
        }
        self.progress.synced_at = Instant::now();
        let mut positions = self.shared.lock();
        positions.written = self.progress.boundary;
        positions.flushed = self.progress.boundary;
        Ok(())
    }

    fn wake_feed(&self) {
        if let Some(wake) = &self.wake_feed {
            // Full means that it is awake already.
            let _ = wake.try_send(());
        }
    }

    /// Reports positions and learns what others have written.
    fn look_at_store(&mut self) -> Result<(), store::Error> {
        self.progress.reported_at = Instant::now();
        let positions = self.shared.positions();
        let report = (self.progress.boundary, positions.flushed);
        if report != self.progress.reported {
            self.store.report_received(report.0, report.1)?;
            self.progress.reported = report;
        }
        let version = Some(self.store.data_version()?);
        if version != self.progress.store_version {
            self.progress.store_version = version;
            let sentinel = self.store.sentinel()?;
            self.shared
                .endpos
                .store(sentinel.endpos.as_u64(), Ordering::SeqCst);
            self.shared.applying.store(sentinel.apply, Ordering::SeqCst);
            self.shared.lock().replayed = sentinel.replay_lsn;
        }
        Ok(())
    }
}
