//! The summary, from what the store knows.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::{RunSummary, StepSummary, Summary, TableSummary, Total, covered};
use crate::base::Lsn;
use crate::store::{
    Error, IndexProgress, IndexRow, LARGE_OBJECTS_STEP, PartProgress, StepTimes, Store, TableRow,
};

/// How many worked at a time; known to the run alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jobs {
    /// On rows.
    pub table: usize,
    /// On indexes.
    pub index: usize,
    /// On definitions.
    pub restore: usize,
    /// On large objects; none if they are left out.
    pub large_objects: Option<usize>,
}

/// Collects the summary of what is done so far. `endpos`: where following has ended.
pub fn collect(store: &Store, jobs: Jobs, endpos: Option<Lsn>) -> Result<Summary, Error> {
    let tables = store.tables()?;
    let indexes = store.indexes()?;
    let parts = store.part_progress()?;
    let builds = store.index_progress()?;
    let copied = copied_tables(&tables, &indexes, &parts, &builds);
    let total = Total {
        tables: copied.len(),
        rows: copied.iter().map(|table| table.rows).sum(),
        bytes: copied.iter().map(|table| table.bytes).sum(),
        source_bytes: copied.iter().map(|table| table.source_bytes).sum(),
        indexes: copied.iter().map(|table| table.indexes).sum(),
        duration_ms: millis(covered(parts.iter().filter_map(span_of_part))),
    };
    let workers = Workers {
        jobs,
        bytes: total.bytes,
        rows_time: together(parts.iter().filter_map(span_of_part)),
        index_time: together(builds.iter().filter_map(span_of_index)),
    };
    let steps = store.steps()?;
    Ok(Summary {
        pgflit: env!("CARGO_PKG_VERSION").to_owned(),
        run: RunSummary {
            endpos: endpos.map(|endpos| endpos.to_string()),
            ..RunSummary::read(store)?
        },
        total,
        steps: steps.iter().map(|step| workers.step(step)).collect(),
        tables: copied,
    })
}

impl RunSummary {
    /// What the store says of it; not where it ended.
    pub fn read(store: &Store) -> Result<Self, Error> {
        let run = store.run()?.unwrap_or_default();
        let times = store.run_times()?;
        let begun_at = times.map_or(0.0, |times| times.begun_at);
        let finished_at = times.and_then(|times| times.finished_at);
        Ok(RunSummary {
            source: run.source,
            target: run.target,
            begun_at: utc(begun_at),
            finished_at: finished_at.map(utc),
            duration_ms: finished_at.map(|finished_at| seconds_to_millis(finished_at - begun_at)),
            follow: run.slot.is_some(),
            endpos: None,
            conflicts: store.conflicts()?,
        })
    }
}

/// Seconds since 1970 as people read them.
fn utc(seconds: f64) -> String {
    let time = Timestamp::from_millisecond((seconds * 1000.0) as i64);
    time.unwrap_or_default().to_string()
}

/// The tables of which something was copied, the most bytes first.
fn copied_tables(
    tables: &[TableRow],
    indexes: &[IndexRow],
    parts: &[PartProgress],
    builds: &[IndexProgress],
) -> Vec<TableSummary> {
    let mut parts_of: HashMap<u32, Vec<&PartProgress>> = HashMap::new();
    for part in parts.iter().filter(|part| part.finished_at.is_some()) {
        parts_of.entry(part.table_oid).or_default().push(part);
    }
    let table_of: HashMap<u32, u32> = indexes
        .iter()
        .map(|index| (index.oid, index.table_oid))
        .collect();
    let mut indexes_of: HashMap<u32, usize> = HashMap::new();
    for index in indexes {
        *indexes_of.entry(index.table_oid).or_default() += 1;
    }
    let mut builds_of: HashMap<u32, Vec<(f64, f64)>> = HashMap::new();
    for build in builds {
        if let (Some(table), Some(span)) = (table_of.get(&build.index_oid), span_of_index(build)) {
            builds_of.entry(*table).or_default().push(span);
        }
    }
    let mut copied: Vec<_> = tables
        .iter()
        .filter_map(|table| {
            let parts = parts_of.get(&table.oid)?;
            let bytes = parts.iter().map(|part| part.bytes).sum();
            let took = covered(parts.iter().filter_map(|part| span_of_part(part)));
            let builds = builds_of.remove(&table.oid).unwrap_or_default();
            Some(TableSummary {
                oid: table.oid,
                schema: table.name.schema.clone(),
                name: table.name.name.clone(),
                parts: parts.len(),
                rows: parts.iter().map(|part| part.rows).sum(),
                bytes,
                source_bytes: table.bytes,
                duration_ms: millis(took),
                bytes_per_second: per_second(bytes, took),
                indexes: indexes_of.get(&table.oid).copied().unwrap_or(0),
                index_duration_ms: millis(covered(builds)),
            })
        })
        .collect();
    copied.sort_by(|a, b| b.bytes.cmp(&a.bytes).then(a.oid.cmp(&b.oid)));
    copied
}

fn span_of_part(part: &PartProgress) -> Option<(f64, f64)> {
    Some((part.begun_at, part.finished_at?))
}

fn span_of_index(index: &IndexProgress) -> Option<(f64, f64)> {
    Some((index.begun_at, index.finished_at?))
}

/// What is known of the workers of some steps.
struct Workers {
    jobs: Jobs,
    bytes: u64,
    rows_time: Duration,
    index_time: Duration,
}

impl Workers {
    fn step(&self, step: &StepTimes) -> StepSummary {
        let (connection, concurrency) = match step.name.as_str() {
            "catalog" => ("source", Some(1)),
            "rows" => ("both", Some(self.jobs.table)),
            "indexes" => ("target", Some(self.jobs.index)),
            "foreign-keys" | "matviews" => ("target", Some(self.jobs.restore)),
            "drop" | "pre-data" | "post-data" | "last" => ("target", Some(1)),
            LARGE_OBJECTS_STEP => ("both", self.jobs.large_objects),
            _ => ("both", None),
        };
        let work = match step.name.as_str() {
            "rows" => Some(self.rows_time),
            "indexes" => Some(self.index_time),
            _ => step.took(),
        };
        StepSummary {
            name: step.name.clone(),
            connection: connection.to_owned(),
            duration_ms: step.took().map(millis),
            work_ms: work.map(millis),
            transfer_bytes: (step.name == "rows").then_some(self.bytes),
            concurrency,
        }
    }
}

/// The time of all `spans`, one after the other.
fn together(spans: impl Iterator<Item = (f64, f64)>) -> Duration {
    let seconds = spans.map(|(from, to)| (to - from).max(0.0)).sum();
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// `bytes` in `took` as bytes a second; none for no time.
fn per_second(bytes: u64, took: Duration) -> Option<u64> {
    let seconds = took.as_secs_f64();
    (seconds > 0.0).then(|| (bytes as f64 / seconds) as u64)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn seconds_to_millis(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1000.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::QualifiedName;
    use crate::store::Capture;

    fn table(oid: u32, name: &str) -> TableRow {
        TableRow {
            oid,
            name: QualifiedName::new("public", name),
            columns: vec![],
            bytes: 8192,
            estimated_rows: 0,
            capture: Capture::Rows,
            uncaptured: 0,
        }
    }

    fn part(table_oid: u32, part: u32, span: (f64, Option<f64>), bytes: u64) -> PartProgress {
        PartProgress {
            table_oid,
            part,
            epoch: 1,
            begun_at: span.0,
            finished_at: span.1,
            rows: 10,
            bytes,
        }
    }

    #[test]
    fn parts_are_added_up_and_time_that_they_share_counts_once() {
        let tables = [table(1, "small"), table(2, "big"), table(3, "untouched")];
        let parts = [
            part(1, 0, (0.0, Some(0.0)), 5),
            part(2, 0, (0.0, Some(2.0)), 300),
            part(2, 1, (1.0, Some(3.0)), 300),
            part(2, 2, (3.0, None), 77),
        ];
        let copied = copied_tables(&tables, &[], &parts, &[]);
        let names: Vec<_> = copied.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, ["big", "small"]);
        let big = &copied[0];
        assert_eq!((big.parts, big.rows, big.bytes), (2, 20, 600));
        assert_eq!((big.duration_ms, big.bytes_per_second), (3000, Some(200)));
        assert_eq!(copied[1].bytes_per_second, None);
    }

    #[test]
    fn times_are_written_so_that_people_and_programs_can_read_them() {
        assert_eq!(utc(0.0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(1_700_000_000.25), "2023-11-14T22:13:20.25Z");
    }
}
