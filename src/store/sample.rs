//! How far a migration was at moments of it, for those who look back.
//!
//! However long it runs, there are at most [`SAMPLES_MAX`]: when they are full, every second one goes
//! and the next ones come half as often. What was the most between two of them stays.

use std::time::Duration;

use rusqlite::Transaction;

use crate::base::Lsn;

use super::{Error, Store};

/// Samples that are kept: a plot is about a thousand points wide.
pub const SAMPLES_MAX: usize = 2_000;

/// How far a migration was at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sample {
    /// When, in seconds since 1970.
    pub at: f64,
    /// Rows moved so far by the base copy.
    pub copied_rows: u64,
    /// Bytes of COPY data, likewise; what is in the middle of being moved counts.
    pub copied_bytes: u64,
    /// How far the source's WAL was, as it was last heard of.
    pub source_lsn: Lsn,
    /// Up to where it was on this disk, durably.
    pub flush_lsn: Lsn,
    /// Up to where it was on the target.
    pub replay_lsn: Lsn,
    /// Bytes of WAL that the target was behind, the most since the sample before; none without
    /// change capture.
    pub lag_bytes: Option<u64>,
    /// Seconds that it was behind, likewise.
    pub lag_seconds: Option<f64>,
}

impl Store {
    /// Adds a sample, and gives how long to wait for the next.
    ///
    /// # Errors
    /// SQLite refuses.
    pub fn add_sample(&mut self, sample: &Sample) -> Result<Duration, Error> {
        let seconds: u32 = self.write("adding a sample", |transaction| {
            insert(transaction, sample)?;
            let is_full = "SELECT count(*) >= ?1 FROM sample";
            if transaction.query_row(is_full, [SAMPLES_MAX as i64], |row| row.get(0))? {
                thin(transaction)?;
            }
            transaction.query_row("SELECT every_seconds FROM sampling", [], |row| row.get(0))
        })?;
        Ok(Duration::from_secs(u64::from(seconds.max(1))))
    }

    /// All samples, in the order in which they were taken.
    ///
    /// # Errors
    /// SQLite refuses, or they are not what this version writes.
    pub fn samples(&self) -> Result<Vec<Sample>, Error> {
        let rows: Vec<(Sample, [String; 3])> = self.read("reading the samples", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT at, copied_rows, copied_bytes, lag_bytes, lag_seconds, source_lsn,
                        flush_lsn, replay_lsn
                   FROM sample ORDER BY id",
            )?;
            let rows = statement.query_map([], |row| {
                let number = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
                let sample = Sample {
                    at: row.get(0)?,
                    copied_rows: number(1)?,
                    copied_bytes: number(2)?,
                    lag_bytes: row.get::<_, Option<i64>>(3)?.map(i64::cast_unsigned),
                    lag_seconds: row.get(4)?,
                    ..Sample::default()
                };
                Ok((sample, [row.get(5)?, row.get(6)?, row.get(7)?]))
            })?;
            rows.collect()
        })?;
        let samples = rows.into_iter().map(|(sample, [source, flush, replay])| {
            Ok(Sample {
                source_lsn: self.parse("source_lsn", source)?,
                flush_lsn: self.parse("flush_lsn", flush)?,
                replay_lsn: self.parse("replay_lsn", replay)?,
                ..sample
            })
        });
        samples.collect()
    }
}

fn insert(transaction: &Transaction<'_>, sample: &Sample) -> rusqlite::Result<usize> {
    transaction.execute(
        "INSERT INTO sample (at, copied_rows, copied_bytes, source_lsn, flush_lsn, replay_lsn,
                             lag_bytes, lag_seconds)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (
            sample.at,
            sample.copied_rows.cast_signed(),
            sample.copied_bytes.cast_signed(),
            sample.source_lsn.to_string(),
            sample.flush_lsn.to_string(),
            sample.replay_lsn.to_string(),
            sample.lag_bytes.map(u64::cast_signed),
            sample.lag_seconds,
        ),
    )
}

/// Of two neighbours the later one stays, with the larger lag of both.
fn thin(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "UPDATE sample SET lag_bytes = both.lag_bytes, lag_seconds = both.lag_seconds
           FROM (SELECT id, max(lag_bytes) OVER pair AS lag_bytes,
                        max(lag_seconds) OVER pair AS lag_seconds
                   FROM sample
                 WINDOW pair AS (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)) AS both
          WHERE both.id = sample.id;
         DELETE FROM sample WHERE id IN (
             SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM sample)
              WHERE number % 2 = 1);
         UPDATE sampling SET every_seconds = every_seconds * 2;",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_bounded_and_no_peak_is_lost() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::create(&folder.path().join("pgflit.db")).expect("made");
        let mut store = store.reporting_only().expect("set");
        assert_eq!(store.samples().expect("read"), []);
        let sample = |at: usize| Sample {
            at: at as f64,
            copied_rows: 1,
            copied_bytes: at as u64,
            source_lsn: Lsn::new(at as u64),
            flush_lsn: Lsn::new(3),
            replay_lsn: Lsn::new(2),
            // Both peaks are of samples that do not stay.
            lag_bytes: Some(if at == 700 { 99 } else { 5 }),
            lag_seconds: (at == 702).then_some(1.5),
        };
        let mut waits = Vec::new();
        for at in 0..2 * SAMPLES_MAX {
            waits.push(store.add_sample(&sample(at)).expect("added").as_secs());
        }
        let samples = store.samples().expect("read");
        assert!(samples.len() < SAMPLES_MAX, "{}", samples.len());
        let last = samples.last().expect("some");
        assert_eq!(*last, sample(2 * SAMPLES_MAX - 1));
        assert_eq!((waits[0], waits[2 * SAMPLES_MAX - 1]), (1, 8));
        assert!(samples.is_sorted_by(|a, b| a.at < b.at));
        assert_eq!(
            samples.iter().filter_map(|one| one.lag_bytes).max(),
            Some(99)
        );
        let seconds = samples.iter().filter_map(|one| one.lag_seconds);
        assert_eq!(seconds.collect::<Vec<_>>(), [1.5]);
    }
}
