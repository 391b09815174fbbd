//! The thread that keeps the folder small: what is replayed is removed, what is closed compressed,
//! and what is left measured.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::base::cause::chain;
use crate::cdc::prune::{PruneError, prune};
use crate::segment::{self, Kind, SegmentName};
use crate::store::Store;

use super::error::ReceiveError;
use super::session::spawn;

/// How often the folder is measured. Until the next time receive may write more than the limit.
const MEASURE: Duration = Duration::from_millis(200);
/// How often it is pruned and compressed.
const TIDY: Duration = Duration::from_secs(1);
/// How often what went wrong is told again.
const TELL_AGAIN: Duration = Duration::from_secs(60);

/// What the keeper and the others tell each other.
#[derive(Debug, Default)]
pub(super) struct Kept {
    bytes: AtomicU64,
    fed: Mutex<Option<SegmentName>>,
    stop: AtomicBool,
}

impl Kept {
    /// What the folder takes on the disk.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::SeqCst)
    }

    /// The pipe is fed from this segment now; from none any more.
    pub(super) fn note_fed(&self, segment: Option<SegmentName>) {
        *self.fed.lock().unwrap_or_else(PoisonError::into_inner) = segment;
    }

    fn fed(&self) -> Option<SegmentName> {
        *self.fed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::SeqCst)
    }
}

/// The thread, which ends with this.
#[derive(Debug)]
pub(super) struct Keeper {
    kept: Arc<Kept>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread works on.
struct Work {
    folder: PathBuf,
    store: Store,
    wal_segment_bytes: u64,
    compress: bool,
    kept: Arc<Kept>,
}

impl Keeper {
    pub(super) fn start(
        folder: PathBuf,
        store: Store,
        wal_segment_bytes: u64,
        compress: bool,
    ) -> Result<Self, ReceiveError> {
        let kept = Arc::new(Kept::default());
        let mut work = Work {
            folder,
            store,
            wal_segment_bytes,
            compress,
            kept: Arc::clone(&kept),
        };
        work.measure()?;
        let thread = spawn("keeper", move || work.run())?;
        Ok(Self {
            kept,
            thread: Some(thread),
        })
    }

    pub(super) fn kept(&self) -> Arc<Kept> {
        Arc::clone(&self.kept)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.kept.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // Whatever it was doing, the next start does it again.
            let _ = thread.join();
        }
    }
}

impl Work {
    /// What goes wrong here costs room, never changes: it is told, and tried again.
    fn run(&mut self) {
        let mut tidied_at: Option<Instant> = None;
        let mut told_at: Option<Instant> = None;
        while self.kept.goes_on() {
            let is_time = tidied_at.is_none_or(|at| at.elapsed() >= TIDY);
            let done = match is_time {
                true => self.tidy(),
                false => Ok(()),
            };
            if is_time {
                tidied_at = Some(Instant::now());
            }
            let measured = self.measure().map_err(PruneError::from);
            if let Err(error) = done.and(measured)
                && told_at.is_none_or(|at| at.elapsed() >= TELL_AGAIN)
            {
                told_at = Some(Instant::now());
                tracing::warn!("keeping the segments small: {}", chain(&error));
            }
            std::thread::park_timeout(MEASURE);
        }
    }

    fn measure(&self) -> Result<(), segment::Error> {
        let bytes = segment::bytes_taken(&self.folder)?;
        self.kept.bytes.store(bytes, Ordering::SeqCst);
        Ok(())
    }

    fn tidy(&mut self) -> Result<(), PruneError> {
        let fed = self.kept.fed();
        let removed = prune(&self.folder, &mut self.store, self.wal_segment_bytes, fed)?;
        if removed > 0 {
            tracing::debug!("removed {removed} segments that the target has replayed");
        }
        if self.compress {
            for kind in [Kind::Json, Kind::Sql] {
                for entry in segment::entries(&self.folder, kind)? {
                    segment::compress(&entry, || self.kept.goes_on())?;
                }
            }
        }
        Ok(())
    }
}
