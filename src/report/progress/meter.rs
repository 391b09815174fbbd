//! From one look to the next: sizes, rates, and the time that is left.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::picture::{Building, Copying, Count, Picture, Streaming, percent};
use super::stage::Stage;
use crate::migration::progress::View;
use crate::store::{Sentinel, StepTimes};

/// Rates are of this much time: long enough to be steady, short enough to follow what happens.
const WINDOW: Duration = Duration::from_secs(20);

/// Below this, what was moved says nothing about how large COPY data is beside a table.
const TELLING_BYTES: u64 = 1 << 20;

/// What is known at one moment.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// What the workers said.
    pub view: View,
    /// The steps of the copy.
    pub steps: Vec<StepTimes>,
    /// Change capture, if there is any.
    pub stream: Option<Sentinel>,
}

/// Looks again and again, and keeps what rates need.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// When how much was done.
    looks: VecDeque<(Instant, u64)>,
    /// Never goes back on a screen.
    most_done: u64,
}

impl Meter {
    /// What `sample`, taken `now`, looks like.
    pub(super) fn look(&mut self, sample: &Sample, now: Instant) -> Picture {
        let View {
            totals,
            done,
            moving,
            building,
        } = &sample.view;
        let stage = stage(sample);
        let inflation = inflation(done.bytes.saturating_sub(done.bytes_before), done.moved);
        let copying: Vec<_> = moving
            .iter()
            .map(|moving| {
                let moved = moving.moved.load(Ordering::Relaxed);
                let done_bytes = on_source(moved, moving.bytes, inflation);
                Copying {
                    oid: moving.oid,
                    name: (&moving.table).into(),
                    part: moving.part + 1,
                    parts: moving.part_count,
                    total_bytes: moving.bytes,
                    done_bytes,
                    percent: percent(done_bytes, moving.bytes).min(99),
                    elapsed: now.saturating_duration_since(moving.begun),
                }
            })
            .collect();
        let moved_now: u64 = moving
            .iter()
            .map(|moving| moving.moved.load(Ordering::Relaxed))
            .sum();
        let on_the_way: u64 = copying.iter().map(|copying| copying.done_bytes).sum();
        self.most_done = (done.bytes + on_the_way)
            .min(totals.bytes)
            .max(self.most_done);
        let rows_left = done.tables < totals.tables;
        if totals.tables > 0 {
            self.note(now, self.most_done);
        }
        let rate = self.rate().filter(|_| rows_left);
        Picture {
            percent: overall_percent(self.most_done, totals.bytes, rows_left, totals.tables > 0),
            tables: Count {
                total: totals.tables,
                done: done.tables,
                in_progress: copying,
            },
            indexes: Count {
                total: totals.indexes,
                done: done.indexes,
                in_progress: building
                    .iter()
                    .map(|building| Building {
                        oid: building.oid,
                        name: (&building.name).into(),
                        bytes: building.bytes,
                        elapsed: now.saturating_duration_since(building.begun),
                    })
                    .collect(),
            },
            tidied: Some(done.tidied),
            total_bytes: totals.bytes,
            done_bytes: self.most_done,
            moved_bytes: done.moved + moved_now,
            rows: done.rows,
            bytes_per_second: rate.map(|rate| rate as u64),
            eta: rate.and_then(|rate| time_left(totals.bytes - self.most_done, rate)),
            stream: sample.stream.as_ref().map(streaming),
            stage,
        }
    }

    fn note(&mut self, now: Instant, done: u64) {
        self.looks.push_back((now, done));
        // One look from before the window stays, so that the window is covered.
        while let Some((second, _)) = self.looks.get(1)
            && now.saturating_duration_since(*second) >= WINDOW
        {
            self.looks.pop_front();
        }
    }

    /// Bytes a second between the first look that is kept and the last.
    fn rate(&self) -> Option<f64> {
        let ((from, before), (to, after)) = (self.looks.front()?, self.looks.back()?);
        let seconds = to.saturating_duration_since(*from).as_secs_f64();
        (seconds >= 0.5).then(|| after.saturating_sub(*before) as f64 / seconds)
    }
}

fn stage(sample: &Sample) -> Stage {
    match (Stage::of_steps(&sample.steps), &sample.stream) {
        (Stage::BetweenSteps, Some(sentinel)) if sentinel.apply => Stage::Following,
        (stage, _) => stage,
    }
}

/// Change capture as the sentinel reports it.
pub(super) fn streaming(sentinel: &Sentinel) -> Streaming {
    let replayed = sentinel.replay_lsn.max(sentinel.startpos);
    Streaming {
        received: sentinel.write_lsn.max(sentinel.startpos),
        replayed,
        endpos: sentinel.endpos(),
        behind_bytes: match sentinel.write_lsn > replayed {
            true => sentinel.write_lsn.bytes_since(replayed),
            false => 0,
        },
    }
}

/// Bytes of COPY data for a byte of table, from what was moved so far.
pub(super) fn inflation(table_bytes: u64, moved: u64) -> f64 {
    if table_bytes.min(moved) < TELLING_BYTES {
        return 1.0;
    }
    (moved as f64 / table_bytes as f64).clamp(0.05, 20.0)
}

/// How much of a part of `bytes` is done when `moved` bytes of COPY data were.
pub(super) fn on_source(moved: u64, bytes: u64, inflation: f64) -> u64 {
    ((moved as f64 / inflation) as u64).min(bytes)
}

/// Of everything: by bytes, and 100 only when no table is left.
pub(super) fn overall_percent(done: u64, total: u64, rows_left: bool, is_known: bool) -> u8 {
    match (is_known, rows_left) {
        (false, _) => 0,
        (true, false) => 100,
        (true, true) => percent(done, total).min(99),
    }
}

/// How long `left` bytes take; none if that cannot be said.
pub(super) fn time_left(left: u64, rate: f64) -> Option<Duration> {
    match rate > 1.0 {
        true => Duration::try_from_secs_f64(left as f64 / rate).ok(),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration::progress::{Done, Totals};

    fn sample(done_bytes: u64, done_tables: usize) -> Sample {
        Sample {
            view: View {
                totals: Totals {
                    tables: 4,
                    bytes: 4000,
                    indexes: 0,
                },
                done: Done {
                    tables: done_tables,
                    bytes: done_bytes,
                    moved: done_bytes,
                    ..Done::default()
                },
                ..View::default()
            },
            ..Sample::default()
        }
    }

    #[test]
    fn rate_and_time_left_are_of_the_last_seconds() {
        let begin = Instant::now();
        let mut meter = Meter::default();
        let mut at = |seconds, bytes| {
            let now = begin + Duration::from_secs(seconds);
            meter.look(&sample(bytes, 1), now)
        };
        assert_eq!(at(0, 0).bytes_per_second, None);
        let picture = at(10, 1000);
        assert_eq!(picture.bytes_per_second, Some(100));
        assert_eq!(picture.eta, Some(Duration::from_secs(30)));
        assert_eq!(picture.percent, 25);
        // Nothing moves any more: the rate forgets.
        for seconds in 11..=40 {
            at(seconds, 1000);
        }
        let stuck = at(41, 1000);
        assert_eq!((stuck.bytes_per_second, stuck.eta), (Some(0), None));
    }

    #[test]
    fn a_hundred_percent_means_that_every_table_is_there() {
        let now = Instant::now();
        assert_eq!(Meter::default().look(&sample(4000, 3), now).percent, 99);
        let done = Meter::default().look(&sample(4000, 4), now);
        assert_eq!((done.percent, done.eta), (100, None));
        assert_eq!(Meter::default().look(&Sample::default(), now).percent, 0);
    }

    #[test]
    fn what_is_done_never_goes_back() {
        let now = Instant::now();
        let mut meter = Meter::default();
        meter.look(&sample(3000, 1), now);
        assert_eq!(meter.look(&sample(2000, 1), now).done_bytes, 3000);
    }

    #[test]
    fn copy_data_is_counted_in_bytes_of_table() {
        assert_eq!(inflation(100, 5), 1.0);
        let half = inflation(4 << 20, 2 << 20);
        assert_eq!(half, 0.5);
        assert_eq!(on_source(100, 1000, half), 200);
        assert_eq!(on_source(u64::MAX, 1000, half), 1000);
        assert_eq!(time_left(100, 0.0), None);
    }
}
