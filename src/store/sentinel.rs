//! The row that steers streaming, and the positions that report it.

use rusqlite::OptionalExtension;

use crate::base::Lsn;

use super::{Error, Store};

/// What steers and reports streaming, read at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sentinel {
    /// Where streaming began.
    pub startpos: Lsn,
    /// Where it is to end; zero if nobody has said.
    pub endpos: Lsn,
    /// Whether changes may be applied to the target.
    pub apply: bool,
    /// Received and written to a segment.
    pub write_lsn: Lsn,
    /// Written and synced.
    pub flush_lsn: Lsn,
    /// Committed on the target, confirmed.
    pub replay_lsn: Lsn,
    /// Whether apply may raise `endpos` to where it already is: set by `--current`.
    pub endpos_movable: bool,
    /// The `endpos` that apply has seen and acts on.
    pub seen_endpos: Lsn,
}

impl Sentinel {
    /// Where it is to end, if somebody has said.
    pub fn endpos(&self) -> Option<Lsn> {
        (!self.endpos.is_zero()).then_some(self.endpos)
    }

    /// Whether everything up to endpos is safe on this disk.
    pub fn is_received(&self) -> bool {
        self.endpos().is_some_and(|endpos| self.flush_lsn >= endpos)
    }

    /// Whether everything up to endpos is on the target.
    pub fn is_finished(&self) -> bool {
        self.endpos()
            .is_some_and(|endpos| self.replay_lsn >= endpos)
    }
}

/// An endpos that cannot be set.
#[derive(Debug, thiserror::Error)]
pub enum EndposError {
    /// The target is past it already.
    #[error("endpos {endpos} is before {replayed}, which the target has already reached")]
    Passed {
        /// What was asked for.
        endpos: Lsn,
        /// How far the target is.
        replayed: Lsn,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

impl Store {
    /// All of it at one moment.
    pub fn sentinel(&self) -> Result<Sentinel, Error> {
        let texts: Option<([String; 6], bool, bool)> =
            self.read("reading the sentinel", |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT startpos, endpos, write_lsn, flush_lsn, replay_lsn, seen_endpos,
                        apply, endpos_movable
                   FROM sentinel, receive_position, apply_position",
                )?;
                statement
                    .query_row([], |row| {
                        let text = |at| row.get::<_, String>(at);
                        let texts = [text(0)?, text(1)?, text(2)?, text(3)?, text(4)?, text(5)?];
                        Ok((texts, row.get(6)?, row.get(7)?))
                    })
                    .optional()
            })?;
        let Some((texts, apply, endpos_movable)) = texts else {
            return Ok(Sentinel::default());
        };
        let [
            startpos,
            endpos,
            write_lsn,
            flush_lsn,
            replay_lsn,
            seen_endpos,
        ] = texts;
        Ok(Sentinel {
            startpos: self.parse("startpos", startpos)?,
            endpos: self.parse("endpos", endpos)?,
            apply,
            write_lsn: self.parse("write_lsn", write_lsn)?,
            flush_lsn: self.parse("flush_lsn", flush_lsn)?,
            replay_lsn: self.parse("replay_lsn", replay_lsn)?,
            endpos_movable,
            seen_endpos: self.parse("seen_endpos", seen_endpos)?,
        })
    }

    /// Sets where streaming began.
    pub fn set_startpos(&mut self, startpos: Lsn) -> Result<(), Error> {
        self.write("setting startpos", |transaction| {
            transaction.execute("UPDATE sentinel SET startpos = ?1", [startpos.to_string()])
        })
        .map(drop)
    }

    /// Sets where streaming is to end; zero for nowhere. `movable`: "now" rather than a position of its own.
    pub fn set_endpos(&mut self, endpos: Lsn, movable: bool) -> Result<(), EndposError> {
        let replayed = self.write("setting endpos", |transaction| {
            let replayed: String =
                transaction.query_row("SELECT replay_lsn FROM apply_position", [], |row| {
                    row.get(0)
                })?;
            let is_before = |replayed: Lsn| !endpos.is_zero() && endpos < replayed;
            let passed = replayed.parse().is_ok_and(is_before);
            if !passed {
                transaction.execute(
                    "UPDATE sentinel SET endpos = ?1, endpos_movable = ?2",
                    (endpos.to_string(), movable),
                )?;
            }
            Ok(passed.then_some(replayed))
        })?;
        match replayed {
            None => Ok(()),
            Some(replayed) => {
                let replayed = self.parse("replay_lsn", replayed)?;
                Err(EndposError::Passed { endpos, replayed })
            }
        }
    }

    /// Apply's answer to an endpos that it noticed a moment too late: ends where it is.
    pub fn raise_endpos(&mut self, endpos: Lsn) -> Result<(), Error> {
        self.write("raising endpos", |transaction| {
            transaction.execute(
                "UPDATE sentinel SET endpos = ?1 WHERE endpos_movable",
                [endpos.to_string()],
            )
        })
        .map(drop)
    }

    /// Apply's other answer: the target is past it, at `replayed`, so it is as if it had not been set.
    pub fn take_back_endpos(&mut self, endpos: Lsn, replayed: Lsn) -> Result<(), Error> {
        self.write("taking endpos back", |transaction| {
            // Together: whoever sees that it is gone is told how far the target is.
            transaction.execute(
                "UPDATE apply_position SET replay_lsn = ?1",
                [replayed.to_string()],
            )?;
            transaction.execute(
                "UPDATE sentinel SET endpos = ?1 WHERE endpos = ?2 AND NOT endpos_movable",
                (Lsn::ZERO.to_string(), endpos.to_string()),
            )
        })
        .map(drop)
    }

    /// Lets apply go on, or holds it back at the next transaction boundary.
    pub fn set_apply(&mut self, enabled: bool) -> Result<(), Error> {
        self.write("setting apply", |transaction| {
            transaction.execute("UPDATE sentinel SET apply = ?1", [enabled])
        })
        .map(drop)
    }

    /// Receive's report.
    pub fn report_received(&mut self, written: Lsn, flushed: Lsn) -> Result<(), Error> {
        self.write("reporting what is received", |transaction| {
            transaction.execute(
                "UPDATE receive_position SET write_lsn = ?1, flush_lsn = ?2",
                (written.to_string(), flushed.to_string()),
            )
        })
        .map(drop)
    }

    /// How far the source was when receive began; none from its start until it knows.
    pub fn set_backlog(&mut self, source_lsn: Option<Lsn>) -> Result<(), Error> {
        self.write("noting how far the source is", |transaction| {
            transaction.execute(
                "UPDATE receive_position SET backlog_lsn = ?1",
                [source_lsn.map(|lsn| lsn.to_string())],
            )
        })
        .map(drop)
    }

    /// What [`Store::set_backlog`] has noted.
    pub fn backlog(&self) -> Result<Option<Lsn>, Error> {
        let text: Option<Option<String>> = self.read("reading the backlog", |connection| {
            let mut statement =
                connection.prepare_cached("SELECT backlog_lsn FROM receive_position")?;
            statement.query_row([], |row| row.get(0)).optional()
        })?;
        let text = text.flatten();
        text.map(|text| self.parse("backlog_lsn", text)).transpose()
    }

    /// Apply's report; `seen_endpos` is the endpos it acts on.
    ///
    /// `committed`: the end of the last transaction that the target has confirmed; nothing else
    /// happened from there to `replayed`.
    pub fn report_replayed(
        &mut self,
        replayed: Lsn,
        committed: Lsn,
        seen_endpos: Lsn,
    ) -> Result<(), Error> {
        let texts = [replayed, committed, seen_endpos].map(|lsn| lsn.to_string());
        self.write("reporting what is applied", |transaction| {
            transaction.execute(
                "UPDATE apply_position SET replay_lsn = ?1, committed_lsn = ?2, seen_endpos = ?3",
                texts.clone(),
            )
        })
        .map(drop)
    }

    /// Segments are about to be removed because of what the target has confirmed so far. Durable
    /// when this returns: they are not there again after a crash.
    pub fn note_pruned(&mut self) -> Result<(), Error> {
        self.write("noting what is pruned", |transaction| {
            transaction.execute(
                "UPDATE receive_position SET pruned_lsn = committed_lsn FROM apply_position",
                [],
            )
        })
        .map(drop)
    }

    /// What the target must have: segments were removed because it had confirmed that.
    pub fn pruned(&self) -> Result<Lsn, Error> {
        let text: Option<String> = self.read("reading what is pruned", |connection| {
            let mut statement =
                connection.prepare_cached("SELECT pruned_lsn FROM receive_position")?;
            statement.query_row([], |row| row.get(0)).optional()
        })?;
        text.map_or(Ok(Lsn::ZERO), |text| self.parse("pruned_lsn", text))
    }

    /// The end of the last transaction that the target had confirmed when it was reported.
    pub fn committed(&self) -> Result<Lsn, Error> {
        let text: Option<String> = self.read("reading what is committed", |connection| {
            let mut statement =
                connection.prepare_cached("SELECT committed_lsn FROM apply_position")?;
            statement.query_row([], |row| row.get(0)).optional()
        })?;
        text.map_or(Ok(Lsn::ZERO), |text| self.parse("committed_lsn", text))
    }

    /// Apply has let `more` changes pass that found the target otherwise than the source was.
    pub fn count_conflicts(&mut self, more: u64) -> Result<(), Error> {
        self.write("counting conflicts", |transaction| {
            transaction.execute(
                "UPDATE apply_position SET conflicts = conflicts + ?1",
                [i64::try_from(more).unwrap_or(i64::MAX)],
            )
        })
        .map(drop)
    }

    /// How many changes found the target otherwise than the source was, and did not stop apply.
    pub fn conflicts(&self) -> Result<u64, Error> {
        let counted: Option<i64> = self.read("reading the conflicts", |connection| {
            let mut statement =
                connection.prepare_cached("SELECT conflicts FROM apply_position")?;
            statement.query_row([], |row| row.get(0)).optional()
        })?;
        Ok(counted
            .and_then(|count| u64::try_from(count).ok())
            .unwrap_or(0))
    }

    /// A number that changes whenever another process has written to the store. Cheap.
    pub fn data_version(&self) -> Result<i64, Error> {
        self.read("looking for news", |connection| {
            connection
                .prepare_cached("PRAGMA data_version")?
                .query_row([], |row| row.get(0))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpos_before_what_is_applied_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::create(&folder.path().join("pgflit.db")).expect("made");
        assert_eq!(store.sentinel().expect("read"), Sentinel::default());
        store
            .report_replayed(Lsn::new(100), Lsn::new(90), Lsn::ZERO)
            .expect("reported");
        let refused = store.set_endpos(Lsn::new(99), false).expect_err("passed");
        assert_eq!(
            refused.to_string(),
            "endpos 0/63 is before 0/64, which the target has already reached"
        );
        store.set_endpos(Lsn::new(100), true).expect("set");
        assert!(store.sentinel().expect("read").is_finished());
        store.set_endpos(Lsn::ZERO, false).expect("taken away");
        assert_eq!(store.sentinel().expect("read").endpos(), None);
        store.set_endpos(Lsn::new(100), true).expect("set again");
        store.raise_endpos(Lsn::new(120)).expect("raised");
        assert_eq!(
            store.sentinel().expect("read").endpos(),
            Some(Lsn::new(120))
        );
    }

    #[test]
    fn another_process_writing_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pgflit.db");
        let mut one = Store::create(&path).expect("made");
        let other = Store::open(&path).expect("opened");
        let before = other.data_version().expect("read");
        assert_eq!(other.data_version().expect("read"), before);
        one.set_apply(true).expect("set");
        assert_ne!(other.data_version().expect("read"), before);
    }
}
