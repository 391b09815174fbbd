//! Where apply stands still for a moment, while a comparison takes its snapshots.
//!
//! A hold is a wish that has to be repeated: [`Store::beat_hold`]. Apply goes on by itself when it is
//! not, so that a comparison that is killed holds nothing up.

use std::time::Duration;

use rusqlite::OptionalExtension;

use crate::base::Lsn;

use super::{Error, Store};

/// For so long apply stands still without the wish being repeated, from when it has seen the last.
pub const HOLD_LASTS: Duration = Duration::from_secs(5);

/// Where apply is to stand still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// Which wish it is.
    pub number: i64,
    /// Everything that commits up to here is to be applied, and nothing after it; none for where apply is.
    pub at: Option<Lsn>,
    /// Goes up for as long as it is wanted.
    pub beat: i64,
}

impl Hold {
    /// Whether a transaction that ends at `end` has to wait.
    pub fn is_before(&self, end: Lsn) -> bool {
        self.at.is_none_or(|at| end > at)
    }

    /// Whether nothing is missing once `reached` is.
    pub fn is_at(&self, reached: Lsn) -> bool {
        self.at.is_none_or(|at| reached >= at)
    }
}

impl Store {
    /// Wants apply to stand still at `at`, instead of what was wanted before. The number of the wish.
    pub fn set_hold(&mut self, at: Option<Lsn>) -> Result<i64, Error> {
        let at = at.map(|at| at.to_string());
        self.write("holding apply", |transaction| {
            transaction.query_row(
                "INSERT INTO compare_hold (only, number, at_lsn, beat)
                 VALUES (1, 1 + (SELECT coalesce(max(number), 0) FROM compare_held), ?1, 0)
                 ON CONFLICT (only) DO UPDATE SET number = number + 1, at_lsn = excluded.at_lsn
                 RETURNING number",
                [&at],
                |row| row.get(0),
            )
        })
    }

    /// Still wants it.
    pub fn beat_hold(&mut self) -> Result<(), Error> {
        self.write("holding apply", |transaction| {
            transaction.execute("UPDATE compare_hold SET beat = beat + 1", [])
        })
        .map(drop)
    }

    /// Lets apply go on.
    pub fn end_hold(&mut self) -> Result<(), Error> {
        self.write("letting apply go on", |transaction| {
            transaction.execute("DELETE FROM compare_hold", [])
        })
        .map(drop)
    }

    /// What is wanted, if anything is.
    pub fn hold(&self) -> Result<Option<Hold>, Error> {
        let found: Option<(i64, Option<String>, i64)> =
            self.read("reading where apply is held", |connection| {
                let mut statement =
                    connection.prepare_cached("SELECT number, at_lsn, beat FROM compare_hold")?;
                statement
                    .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                    .optional()
            })?;
        let Some((number, at, beat)) = found else {
            return Ok(None);
        };
        let at = at.map(|at| self.parse("at_lsn", at)).transpose()?;
        Ok(Some(Hold { number, at, beat }))
    }

    /// Apply's answer to the wish `number`: it stands still, and the last transaction that the target
    /// has ends at `committed`.
    pub fn report_held(&mut self, number: i64, committed: Lsn) -> Result<(), Error> {
        self.write("reporting that apply is held", |transaction| {
            transaction.execute(
                "INSERT INTO compare_held (only, number, committed_lsn) VALUES (1, ?1, ?2)
                 ON CONFLICT (only) DO UPDATE SET number = excluded.number,
                                                  committed_lsn = excluded.committed_lsn",
                (number, committed.to_string()),
            )
        })
        .map(drop)
    }

    /// The answer to the wish `number`, if it is there.
    pub fn held(&self, number: i64) -> Result<Option<Lsn>, Error> {
        let found: Option<String> = self.read("reading whether apply is held", |connection| {
            let mut statement = connection
                .prepare_cached("SELECT committed_lsn FROM compare_held WHERE number = ?1")?;
            statement.query_row([number], |row| row.get(0)).optional()
        })?;
        found
            .map(|committed| self.parse("committed_lsn", committed))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_to_one_wish_also_after_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::create(&folder.path().join("pgflit.db")).expect("made");
        assert_eq!(store.hold().expect("read"), None);
        let first = store.set_hold(None).expect("set");
        store.report_held(first, Lsn::new(10)).expect("reported");
        assert_eq!(store.held(first).expect("read"), Some(Lsn::new(10)));
        let second = store.set_hold(Some(Lsn::new(20))).expect("set");
        assert_eq!(store.held(second).expect("read"), None);
        store.beat_hold().expect("beaten");
        let hold = store.hold().expect("read").expect("wanted");
        assert_eq!((hold.number, hold.beat), (second, 1));
        store.report_held(second, Lsn::new(20)).expect("reported");
        store.end_hold().expect("ended");
        let third = store.set_hold(None).expect("set");
        assert!(third > second);
        assert_eq!(store.held(third).expect("read"), None);
    }

    #[test]
    fn what_ends_at_the_position_is_applied_and_what_ends_after_it_waits() {
        let hold = |at| Hold {
            number: 1,
            at,
            beat: 0,
        };
        let at = hold(Some(Lsn::new(100)));
        assert!(!at.is_before(Lsn::new(100)) && at.is_before(Lsn::new(101)));
        assert!(at.is_at(Lsn::new(100)) && !at.is_at(Lsn::new(99)));
        assert!(hold(None).is_before(Lsn::new(1)) && hold(None).is_at(Lsn::ZERO));
    }
}
