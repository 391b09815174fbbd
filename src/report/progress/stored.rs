//! The same picture from the store, for another process, or for later.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;

use super::meter::{inflation, on_source, overall_percent, streaming, time_left};
use super::picture::{Building, Copying, Count, Picture, percent};
use super::stage::Stage;
use crate::store::{
    Error, IndexProgress, IndexRow, PartProgress, PartRow, Sentinel, StepTimes, Store, TableRow,
    seconds_since_1970,
};

/// The rate is of this many seconds.
const WINDOW: f64 = 60.0;

/// Whether someone is at it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nobody is, and it is not done.
    #[default]
    Interrupted,
    /// Someone is: what was begun and is not finished is in progress.
    Running,
    /// Everything is done.
    Finished,
}

/// What the store knows, read one after the other.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    /// The tables to copy.
    pub tables: Vec<TableRow>,
    /// The parts of those that are copied in several.
    pub planned: Vec<PartRow>,
    /// The parts that were begun.
    pub parts: Vec<PartProgress>,
    /// The indexes to build.
    pub indexes: Vec<IndexRow>,
    /// Those that were begun.
    pub builds: Vec<IndexProgress>,
    /// The steps that were begun.
    pub steps: Vec<StepTimes>,
    /// Change capture, if there is any.
    pub stream: Option<Sentinel>,
    /// Whether someone is at it.
    pub state: State,
    /// When this was read, in seconds since 1970.
    pub now: f64,
}

impl Stored {
    /// Reads it. `is_held`: whether the lock of the work directory is.
    pub fn read(store: &Store, is_held: bool) -> Result<Self, Error> {
        let run = store.run()?.unwrap_or_default();
        Ok(Stored {
            tables: store.tables()?,
            planned: store.parts()?,
            parts: store.part_progress()?,
            indexes: store.indexes()?,
            builds: store.index_progress()?,
            steps: store.steps()?,
            stream: match run.slot {
                Some(_) => Some(store.sentinel()?),
                None => None,
            },
            state: match (run.finished, is_held) {
                (true, _) => State::Finished,
                (false, true) => State::Running,
                (false, false) => State::Interrupted,
            },
            now: seconds_since_1970(),
        })
    }

    fn stage(&self) -> Stage {
        if self.state == State::Finished {
            return Stage::Finished;
        }
        match (Stage::of_steps(&self.steps), &self.stream) {
            (Stage::BetweenSteps, Some(sentinel)) if sentinel.apply => Stage::Following,
            (stage, _) => stage,
        }
    }
}

/// A part and its size on the source.
struct Sized<'a> {
    part: &'a PartProgress,
    table: &'a TableRow,
    part_count: usize,
    bytes: u64,
}

/// What `stored` looks like.
pub fn picture_of(stored: &Stored) -> Picture {
    let parts = sized_parts(stored);
    let (done, open): (Vec<_>, Vec<_>) = parts
        .iter()
        .partition(|sized| sized.part.finished_at.is_some());
    let open = match stored.state {
        State::Running => open,
        State::Interrupted | State::Finished => Vec::new(),
    };
    let moved = |sized: &[&Sized<'_>]| -> u64 { sized.iter().map(|sized| sized.part.bytes).sum() };
    let finished_bytes = done.iter().map(|sized| sized.bytes).sum();
    let inflation = inflation(finished_bytes, moved(&done));
    let copying = copying(&open, inflation, stored.now);
    let open_bytes: u64 = copying.iter().map(|copying| copying.done_bytes).sum();
    let total_bytes: u64 = stored.tables.iter().map(|table| table.bytes).sum();
    let done_bytes = (finished_bytes + open_bytes).min(total_bytes);
    let tables_done = complete_tables(&done);
    let rows_left = tables_done < stored.tables.len();
    let rate = match rows_left && stored.state == State::Running {
        true => recent_rate(spans(&parts, inflation, stored.now), stored.now),
        false => None,
    };
    let is_known = !stored.tables.is_empty();
    Picture {
        stage: stored.stage(),
        percent: overall_percent(done_bytes, total_bytes, rows_left, is_known),
        tables: Count {
            total: stored.tables.len(),
            done: tables_done,
            in_progress: copying,
        },
        indexes: indexes(stored),
        tidied: None,
        total_bytes,
        done_bytes,
        moved_bytes: moved(&done) + moved(&open),
        rows: done.iter().map(|sized| sized.part.rows).sum(),
        bytes_per_second: rate.map(|rate| rate as u64),
        eta: rate.and_then(|rate| time_left(total_bytes - done_bytes, rate)),
        stream: stored.stream.as_ref().map(streaming),
    }
}

/// The parts that are in progress, the longest first.
fn copying(open: &[&Sized<'_>], inflation: f64, now: f64) -> Vec<Copying> {
    let copying = open.iter().map(|sized| {
        let done_bytes = on_source(sized.part.bytes, sized.bytes, inflation);
        Copying {
            oid: sized.table.oid,
            name: (&sized.table.name).into(),
            part: sized.part.part + 1,
            parts: u32::try_from(sized.part_count).unwrap_or(u32::MAX),
            total_bytes: sized.bytes,
            done_bytes,
            percent: percent(done_bytes, sized.bytes).min(99),
            elapsed: since(sized.part.begun_at, now),
        }
    });
    let mut copying: Vec<_> = copying.collect();
    copying.sort_by_key(|copying| std::cmp::Reverse(copying.elapsed));
    copying
}

/// When each part was moving, and how much of the source's bytes went in that time.
fn spans(parts: &[Sized<'_>], inflation: f64, now: f64) -> impl Iterator<Item = (f64, f64, u64)> {
    parts.iter().map(move |sized| {
        let begun_at = sized.part.begun_at;
        match sized.part.finished_at {
            Some(finished_at) => (begun_at, finished_at, sized.bytes),
            None => {
                let bytes = on_source(sized.part.bytes, sized.bytes, inflation);
                (begun_at, now, bytes)
            }
        }
    })
}

fn sized_parts(stored: &Stored) -> Vec<Sized<'_>> {
    let tables: HashMap<_, _> = stored
        .tables
        .iter()
        .map(|table| (table.oid, table))
        .collect();
    let mut planned: HashMap<u32, Vec<&PartRow>> = HashMap::new();
    for part in &stored.planned {
        planned.entry(part.table_oid).or_default().push(part);
    }
    let sized = stored.parts.iter().filter_map(|part| {
        let table = *tables.get(&part.table_oid)?;
        let planned = planned.get(&part.table_oid).map_or(&[][..], Vec::as_slice);
        let own = planned.iter().find(|planned| planned.number == part.part);
        Some(Sized {
            part,
            table,
            part_count: planned.len().max(1),
            bytes: own.map_or(table.bytes, |planned| planned.bytes),
        })
    });
    sized.collect()
}

/// The tables of which every part is `done`.
fn complete_tables(done: &[&Sized<'_>]) -> usize {
    let mut parts: HashMap<u32, (usize, usize)> = HashMap::new();
    for sized in done {
        let (count, _) = parts
            .entry(sized.table.oid)
            .or_insert((0, sized.part_count));
        *count += 1;
    }
    parts.values().filter(|(done, all)| done == all).count()
}

fn indexes(stored: &Stored) -> Count<Building> {
    let by_oid: HashMap<_, _> = stored
        .indexes
        .iter()
        .map(|index| (index.oid, index))
        .collect();
    let is_done = |build: &&IndexProgress| build.finished_at.is_some();
    let open = stored.builds.iter().filter(|build| !is_done(build));
    let mut building: Vec<_> = open
        .filter(|_| stored.state == State::Running)
        .filter_map(|build| {
            let index = by_oid.get(&build.index_oid)?;
            Some(Building {
                oid: index.oid,
                name: (&index.name).into(),
                bytes: index.bytes,
                elapsed: since(build.begun_at, stored.now),
            })
        })
        .collect();
    building.sort_by_key(|building| std::cmp::Reverse(building.elapsed));
    Count {
        total: stored.indexes.len(),
        done: stored.builds.iter().filter(is_done).count(),
        in_progress: building,
    }
}

/// Bytes a second in the last while, as if each of `spans` (from, to, bytes) had moved evenly.
fn recent_rate(spans: impl Iterator<Item = (f64, f64, u64)>, now: f64) -> Option<f64> {
    let spans: Vec<_> = spans.collect();
    let first = spans.iter().map(|(from, ..)| *from).reduce(f64::min)?;
    let begin = first.max(now - WINDOW);
    let bytes: f64 = spans
        .iter()
        .map(|(from, to, bytes)| {
            let overlap = to.min(now) - from.max(begin);
            let share = overlap.max(0.0) / (to - from).max(1e-3);
            share.min(1.0) * *bytes as f64
        })
        .sum();
    (now - begin >= 0.5).then(|| bytes / (now - begin))
}

fn since(begun_at: f64, now: f64) -> Duration {
    Duration::try_from_secs_f64((now - begun_at).max(0.0)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::QualifiedName;
    use crate::store::Capture;

    fn table(oid: u32, bytes: u64) -> TableRow {
        TableRow {
            oid,
            name: QualifiedName::new("public", format!("t{oid}")),
            columns: vec![],
            bytes,
            estimated_rows: 0,
            capture: Capture::Rows,
            uncaptured: 0,
        }
    }

    fn planned(table_oid: u32, number: u32) -> PartRow {
        PartRow {
            table_oid,
            number,
            condition: "true".to_owned(),
            by_key: true,
            range: None,
            bytes: 500,
        }
    }

    fn part(table_oid: u32, part: u32, finished_at: Option<f64>, bytes: u64) -> PartProgress {
        PartProgress {
            table_oid,
            part,
            epoch: 1,
            begun_at: 0.0,
            finished_at,
            rows: 7,
            bytes,
        }
    }

    fn stored(state: State) -> Stored {
        Stored {
            tables: vec![table(1, 1000), table(2, 200), table(3, 10)],
            planned: vec![planned(1, 0), planned(1, 1)],
            parts: vec![
                part(1, 0, Some(10.0), 500),
                part(1, 1, None, 100),
                part(2, 0, Some(5.0), 200),
            ],
            state,
            now: 20.0,
            ..Stored::default()
        }
    }

    #[test]
    fn a_table_is_done_when_all_its_parts_are() {
        let picture = picture_of(&stored(State::Running));
        assert_eq!((picture.tables.total, picture.tables.done), (3, 1));
        let copying = &picture.tables.in_progress;
        assert_eq!(copying.len(), 1);
        assert_eq!(copying[0].shown(), "public.t1 2/2");
        assert_eq!((copying[0].done_bytes, copying[0].percent), (100, 20));
        assert_eq!((picture.done_bytes, picture.total_bytes), (800, 1210));
        assert_eq!((picture.rows, picture.percent), (14, 66));
        assert_eq!(picture.bytes_per_second, Some(40));
    }

    #[test]
    fn nothing_is_in_progress_when_nobody_is_at_it() {
        let picture = picture_of(&stored(State::Interrupted));
        assert_eq!(picture.tables.in_progress, []);
        assert_eq!(picture.done_bytes, 700);
        assert_eq!((picture.bytes_per_second, picture.eta), (None, None));
    }

    #[test]
    fn the_rate_is_of_the_last_minute_only() {
        let spans = [(0.0, 10.0, 10_000), (950.0, 1000.0, 500)];
        assert_eq!(recent_rate(spans.into_iter(), 1000.0), Some(500.0 / 60.0));
        assert_eq!(recent_rate([].into_iter(), 1000.0), None);
    }
}
