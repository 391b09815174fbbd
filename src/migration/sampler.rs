//! How far a migration is, written down at moments of it for those who look back.
//!
//! A thread of its own looks once a second at what is in memory and in the store, and at no server.
//! What it writes gets sparser the longer a migration runs ([`crate::store::SAMPLES_MAX`]), what it
//! looks at does not, so that no peak is missed. It is a report: nothing is decided by it, and what
//! cannot be written is said once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::base::cause::chain;
use crate::base::{Lsn, Shutdown};
use crate::store::{Error, Sample, Sentinel, Store, WorkDir, seconds_since_1970};

use super::progress::{Progress, View};

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Moments that are kept to tell a lag in seconds: more than an hour of looks, and when they are
/// full, every second one goes.
const MOMENTS_MAX: usize = 4_096;

/// Takes samples until it is dropped, the last one then.
#[derive(Debug)]
pub(super) struct Sampler {
    stop: Shutdown,
    source_lsn: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Sampler {
    /// Begins, in a thread of its own. The store must be there.
    pub(super) fn start(progress: &Arc<Progress>, work_dir: &WorkDir) -> Self {
        let (stop, source_lsn) = (Shutdown::default(), Arc::default());
        let asked = stop.clone();
        let (progress, told) = (Arc::clone(progress), Arc::clone(&source_lsn));
        let path = work_dir.store_path();
        let thread = thread::Builder::new()
            .name("sampler".to_owned())
            .spawn(move || {
                let sampled = Store::open(&path)
                    .and_then(Store::reporting_only)
                    .and_then(|store| sample(store, &progress, &told, &asked));
                if let Err(error) = sampled {
                    tracing::warn!(
                        "pgflit report will not show how this run went on: {}",
                        chain(&error)
                    );
                }
            });
        Self {
            stop,
            source_lsn,
            thread: thread.ok(),
        }
    }

    /// Whoever hears how far the source's WAL is tells it here.
    pub(super) fn source_lsn(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.source_lsn)
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.stop.ask();
        if let Some(thread) = self.thread.take() {
            // What went wrong is in the log.
            let _ = thread.join();
        }
    }
}

fn sample(
    mut store: Store,
    progress: &Progress,
    source_lsn: &AtomicU64,
    stop: &Shutdown,
) -> Result<(), Error> {
    let mut gauge = Gauge::after(&store.samples()?);
    let follows = store.run()?.is_some_and(|run| run.slot.is_some());
    let (mut written, mut every) = (None::<Instant>, LOOK_EVERY);
    loop {
        let ends = stop.sleep(LOOK_EVERY);
        let sentinel = match follows {
            true => Some(store.sentinel()?),
            false => None,
        };
        let heard = Lsn::new(source_lsn.load(Ordering::Relaxed));
        let seen = gauge.look(
            seconds_since_1970(),
            &progress.view(),
            sentinel.as_ref(),
            heard,
        );
        let is_due = written.is_none_or(|written| written.elapsed() + LOOK_EVERY / 2 >= every);
        if is_due || ends {
            every = store.add_sample(&seen)?;
            written = Some(Instant::now());
            gauge.is_written();
        }
        if ends {
            return Ok(());
        }
    }
}

/// Makes samples of what is seen.
#[derive(Debug, Default)]
struct Gauge {
    /// What runs before this one have moved.
    rows_before: u64,
    bytes_before: u64,
    /// The most bytes that were seen: a COPY that is begun again takes nothing back.
    bytes: u64,
    source_lsn: Lsn,
    /// When the source was first seen to be so far; those that the target has passed are gone.
    reached: VecDeque<(f64, Lsn)>,
    /// The largest lag since the last sample that was written.
    lag_bytes: Option<u64>,
    lag_seconds: Option<f64>,
}

impl Gauge {
    /// Goes on where `samples` end.
    fn after(samples: &[Sample]) -> Self {
        let last = samples.last().copied().unwrap_or_default();
        let reached = samples.iter().map(|sample| (sample.at, sample.source_lsn));
        Self {
            rows_before: last.copied_rows,
            bytes_before: last.copied_bytes,
            source_lsn: last.source_lsn,
            reached: reached.filter(|(_, lsn)| *lsn > last.replay_lsn).collect(),
            ..Self::default()
        }
    }

    /// What is seen at `now`; `heard` is how far the source is, as its own server has said.
    fn look(&mut self, now: f64, view: &View, stream: Option<&Sentinel>, heard: Lsn) -> Sample {
        let moving = view.moving.iter();
        let moving: u64 = moving.map(|one| one.moved.load(Ordering::Relaxed)).sum();
        self.bytes = self.bytes.max(view.done.moved + moving);
        let mut sample = Sample {
            at: now,
            copied_rows: self.rows_before + view.done.rows,
            copied_bytes: self.bytes_before + self.bytes,
            ..Sample::default()
        };
        if let Some(stream) = stream {
            sample.flush_lsn = stream.flush_lsn;
            sample.replay_lsn = stream.replay_lsn.max(stream.startpos);
            self.measure(now, stream.write_lsn.max(heard), sample.replay_lsn);
            sample.source_lsn = self.source_lsn;
        }
        Sample {
            lag_bytes: self.lag_bytes,
            lag_seconds: self.lag_seconds,
            ..sample
        }
    }

    /// How far the target, which is at `replayed`, is behind.
    fn measure(&mut self, now: f64, source: Lsn, replayed: Lsn) {
        if source > self.source_lsn {
            self.source_lsn = source;
            self.reached.push_back((now, source));
        }
        if self.reached.len() > MOMENTS_MAX {
            let mut at = 0;
            self.reached.retain(|_| {
                at += 1;
                at % 2 == 1
            });
        }
        while self
            .reached
            .front()
            .is_some_and(|(_, lsn)| *lsn <= replayed)
        {
            self.reached.pop_front();
        }
        let bytes = self.source_lsn.bytes_since(replayed);
        let since = self.reached.front().filter(|_| bytes > 0);
        let seconds = since.map_or(0.0, |(at, _)| (now - at).max(0.0));
        self.lag_bytes = self.lag_bytes.max(Some(bytes));
        self.lag_seconds = Some(self.lag_seconds.unwrap_or_default().max(seconds));
    }

    /// The next sample tells of what comes after this one.
    fn is_written(&mut self) {
        self.lag_bytes = None;
        self.lag_seconds = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration::progress::Done;

    fn at(replayed: u64, written: u64) -> Sentinel {
        Sentinel {
            startpos: Lsn::new(100),
            write_lsn: Lsn::new(written),
            replay_lsn: Lsn::new(replayed),
            ..Sentinel::default()
        }
    }

    fn moved(bytes: u64) -> View {
        let done = Done {
            rows: 7,
            moved: bytes,
            ..Done::default()
        };
        View {
            done,
            ..View::default()
        }
    }

    #[test]
    fn the_lag_is_since_when_the_source_was_ahead_and_its_peak_is_kept() {
        let (mut gauge, view) = (Gauge::default(), View::default());
        let lag = |sample: Sample| (sample.lag_bytes, sample.lag_seconds);
        let mut look = |now, replayed, written, heard| {
            let seen = gauge.look(now, &view, Some(&at(replayed, written)), Lsn::new(heard));
            let written = lag(seen);
            gauge.is_written();
            written
        };
        assert_eq!(look(10.0, 0, 100, 0), (Some(0), Some(0.0)));
        assert_eq!(look(11.0, 100, 150, 0), (Some(50), Some(0.0)));
        assert_eq!(look(12.0, 100, 160, 170), (Some(70), Some(1.0)));
        assert_eq!(look(13.0, 150, 160, 170), (Some(20), Some(1.0)));
        assert_eq!(look(14.0, 170, 170, 170), (Some(0), Some(0.0)));
        gauge.look(20.0, &view, Some(&at(170, 500)), Lsn::ZERO);
        let peak = gauge.look(21.0, &view, Some(&at(500, 500)), Lsn::ZERO);
        assert_eq!(lag(peak), (Some(330), Some(0.0)));
    }

    #[test]
    fn a_resumed_run_goes_on_counting_and_still_knows_since_when_it_is_behind() {
        let before = |at, source| Sample {
            at,
            copied_rows: 5,
            copied_bytes: 1000,
            source_lsn: Lsn::new(source),
            replay_lsn: Lsn::new(100),
            ..Sample::default()
        };
        let mut gauge = Gauge::after(&[before(1.0, 100), before(2.0, 180), before(3.0, 190)]);
        let sample = gauge.look(60.0, &moved(50), Some(&at(100, 190)), Lsn::ZERO);
        assert_eq!((sample.copied_rows, sample.copied_bytes), (12, 1050));
        assert_eq!(sample.lag_seconds, Some(58.0));
        // A COPY that failed is begun anew.
        let sample = gauge.look(61.0, &moved(20), None, Lsn::ZERO);
        assert_eq!(sample.copied_bytes, 1050);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut gauge = Gauge::default();
        for second in 0..3 * MOMENTS_MAX as u64 {
            gauge.measure(second as f64, Lsn::new(200 + second), Lsn::new(100));
        }
        assert!(gauge.reached.len() <= MOMENTS_MAX);
        assert_eq!(gauge.reached.front(), Some(&(0.0, Lsn::new(200))));
    }
}
