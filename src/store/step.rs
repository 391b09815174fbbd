//! Stages of the base copy, each done once.

use std::time::Duration;

use rusqlite::OptionalExtension;

use crate::base::failpoint;

use super::database::now;
use super::{Error, Store};

/// The base copy's first step: once it is begun, the copy is.
pub const CATALOG_STEP: &str = "catalog";
/// The base copy's step after which every table is on the target.
pub const ROWS_STEP: &str = "rows";
/// The base copy's step after which every large object is on the target.
pub const LARGE_OBJECTS_STEP: &str = "large objects";

/// Not a step of a migration: what looking at both servers is called meanwhile.
pub const COMPARE_STEP: &str = "compare";

/// Following by itself; not a step of the copy.
pub const FOLLOWING_STEP: &str = "following";
/// What comes at the end of following is done by whoever moves traffic.
pub const HANDED_OVER_STEP: &str = "handed over";

/// A step and when it was; times are in seconds since 1970.
#[derive(Debug, Clone, PartialEq)]
pub struct StepTimes {
    /// What it is called.
    pub name: String,
    /// When it was begun last.
    pub begun_at: f64,
    /// When it was finished.
    pub finished_at: Option<f64>,
}

impl StepTimes {
    /// How long it took, if it is finished.
    pub fn took(&self) -> Option<Duration> {
        let finished_at = self.finished_at?;
        Some(Duration::from_secs_f64(
            (finished_at - self.begun_at).max(0.0),
        ))
    }
}

impl Store {
    /// Whether nothing is left to be read under a snapshot, with large objects or without.
    pub fn is_copied(&self, large_objects: bool) -> Result<bool, Error> {
        Ok(self.step_is_done(ROWS_STEP)?
            && (!large_objects || self.step_is_done(LARGE_OBJECTS_STEP)?))
    }

    /// Whether changes may be applied as far as the base copy is concerned: there is none, or
    /// every table is on the target, so that its ledger is complete.
    pub fn copy_allows_apply(&self) -> Result<bool, Error> {
        Ok(!self.step_is_begun(CATALOG_STEP)? || self.step_is_done(ROWS_STEP)?)
    }

    /// Whether this step was finished, here or before an interruption.
    pub fn step_is_done(&self, name: &str) -> Result<bool, Error> {
        let done = self.read("reading a step", |connection| {
            let sql = "SELECT finished_at IS NOT NULL FROM step WHERE name = ?1";
            connection
                .query_row(sql, [name], |row| row.get(0))
                .optional()
        })?;
        Ok(done.unwrap_or(false))
    }

    /// Whether this step was begun, finished or not.
    pub fn step_is_begun(&self, name: &str) -> Result<bool, Error> {
        self.read("reading a step", |connection| {
            let sql = "SELECT EXISTS (SELECT 1 FROM step WHERE name = ?1)";
            connection.query_row(sql, [name], |row| row.get(0))
        })
    }

    /// The first step of a copy that was begun and not finished, if there is one.
    pub fn interrupted_step(&self) -> Result<Option<String>, Error> {
        self.read("reading the steps", |connection| {
            let sql = "SELECT name FROM step WHERE finished_at IS NULL AND name <> ?1
                        ORDER BY begun_at LIMIT 1";
            connection
                .query_row(sql, [FOLLOWING_STEP], |row| row.get(0))
                .optional()
        })
    }

    /// Whoever moves traffic has taken over what comes at the end of following. Durable when this
    /// returns.
    pub fn hand_over(&mut self) -> Result<(), Error> {
        self.write("handing over the end", |transaction| {
            transaction.execute(
                "INSERT INTO step (name, begun_at, finished_at) VALUES (?1, ?2, ?2)
                 ON CONFLICT (name) DO NOTHING",
                (HANDED_OVER_STEP, now()),
            )
        })
        .map(drop)
    }

    /// A step begins, or begins again.
    pub fn begin_step(&mut self, name: &str) -> Result<(), Error> {
        self.write("beginning a step", |transaction| {
            transaction.execute(
                "INSERT INTO step (name, begun_at) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET begun_at = ?2, finished_at = NULL",
                (name, now()),
            )
        })?;
        failpoint::reach_of(name, "begun");
        Ok(())
    }

    /// A step is done, durably.
    pub fn finish_step(&mut self, name: &str) -> Result<(), Error> {
        failpoint::reach_of(name, "done");
        self.write("finishing a step", |transaction| {
            transaction.execute(
                "UPDATE step SET finished_at = ?2 WHERE name = ?1",
                (name, now()),
            )
        })
        .map(drop)
    }

    /// The steps that were begun, in order.
    pub fn steps(&self) -> Result<Vec<StepTimes>, Error> {
        self.read("reading the steps", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT name, begun_at, finished_at FROM step ORDER BY begun_at, rowid",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(StepTimes {
                    name: row.get(0)?,
                    begun_at: row.get(1)?,
                    finished_at: row.get(2)?,
                })
            })?;
            rows.collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_begun_then_done_and_may_begin_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::create(&folder.path().join("pgflit.db")).expect("made");
        let state = |store: &Store| {
            let begun = store.step_is_begun("rows").expect("read");
            (begun, store.step_is_done("rows").expect("read"))
        };
        assert_eq!(state(&store), (false, false));
        store.begin_step("rows").expect("begun");
        assert_eq!(state(&store), (true, false));
        store.finish_step("rows").expect("finished");
        assert_eq!(state(&store), (true, true));
        let steps = store.steps().expect("read");
        assert_eq!(steps[0].name, "rows");
        assert!(steps[0].took().is_some());
        store.begin_step("rows").expect("begun again");
        assert_eq!(state(&store), (true, false));
    }
}
