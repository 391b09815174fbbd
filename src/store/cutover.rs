//! Attempts to move traffic.

use rusqlite::OptionalExtension;

use crate::base::{Lsn, Side};

use super::database::now;
use super::{Error, Store};

/// How far an attempt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutoverState {
    /// Traffic flows: everything is being made ready.
    Begun,
    /// Clients may be held, and the fence may be up.
    Holding,
    /// Decided: traffic goes to the other side. What follows may not be done yet.
    Switched,
    /// Everything is done.
    Done,
    /// Undone; traffic stays.
    Aborted,
    /// Undone, as was asked for.
    Rehearsed,
}

impl CutoverState {
    const ALL: [CutoverState; 6] = [
        CutoverState::Begun,
        CutoverState::Holding,
        CutoverState::Switched,
        CutoverState::Done,
        CutoverState::Aborted,
        CutoverState::Rehearsed,
    ];

    /// As it is in the store, and as scripts read it.
    pub fn as_str(self) -> &'static str {
        match self {
            CutoverState::Begun => "begun",
            CutoverState::Holding => "holding",
            CutoverState::Switched => "switched",
            CutoverState::Done => "done",
            CutoverState::Aborted => "aborted",
            CutoverState::Rehearsed => "rehearsed",
        }
    }

    /// Whether nothing is left to be done.
    pub fn is_over(self) -> bool {
        matches!(
            self,
            CutoverState::Done | CutoverState::Aborted | CutoverState::Rehearsed
        )
    }
}

/// An attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cutover {
    /// Its number, which no other of this migration has.
    pub attempt: u64,
    /// Where traffic was to go.
    pub to: Side,
    /// How far it is.
    pub state: CutoverState,
    /// Up to where everything had to be on that side, once that is known.
    pub marker: Option<Lsn>,
    /// What was done and how long it took, as JSON.
    pub steps: String,
    /// Whether changes were to go back afterwards.
    pub has_way_back: bool,
}

/// An attempt, and what is told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct PastCutover {
    /// The attempt.
    pub cutover: Cutover,
    /// When it began, in seconds since 1970.
    pub begun_at: f64,
    /// Why it came to nothing.
    pub problem: Option<String>,
}

/// A row as SQLite has it.
struct Row {
    attempt: i64,
    destination: String,
    state: String,
    marker: Option<String>,
    steps: String,
    has_way_back: bool,
}

impl Row {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
        Ok(Row {
            attempt: row.get(0)?,
            destination: row.get(1)?,
            state: row.get(2)?,
            marker: row.get(3)?,
            steps: row.get(4)?,
            has_way_back: row.get(5)?,
        })
    }
}

const COLUMNS: &str = "attempt, destination, state, marker, steps, has_way_back";

impl Store {
    /// An attempt begins. Durable when this returns, as what follows.
    pub fn begin_cutover(
        &mut self,
        attempt: u64,
        to: Side,
        has_way_back: bool,
    ) -> Result<(), Error> {
        self.write("beginning a cutover", |transaction| {
            transaction.execute(
                "INSERT INTO cutover (attempt, destination, state, begun_at, has_way_back)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                (
                    number(attempt),
                    to.as_str(),
                    CutoverState::Begun.as_str(),
                    now(),
                    has_way_back,
                ),
            )
        })
        .map(drop)
    }

    /// An attempt is so far.
    pub fn set_cutover_state(&mut self, attempt: u64, state: CutoverState) -> Result<(), Error> {
        self.write("noting how far a cutover is", |transaction| {
            transaction.execute(
                "UPDATE cutover SET state = ?2, ended_at = ?3 WHERE attempt = ?1",
                (number(attempt), state.as_str(), state.is_over().then(now)),
            )
        })
        .map(drop)
    }

    /// Up to where everything had to be on the other side.
    pub fn set_cutover_marker(&mut self, attempt: u64, marker: Lsn) -> Result<(), Error> {
        self.write("noting the marker of a cutover", |transaction| {
            transaction.execute(
                "UPDATE cutover SET marker = ?2 WHERE attempt = ?1",
                (number(attempt), marker.to_string()),
            )
        })
        .map(drop)
    }

    /// What was done and how long it took, and why it came to nothing.
    pub fn set_cutover_report(
        &mut self,
        attempt: u64,
        steps: &str,
        problem: Option<&str>,
    ) -> Result<(), Error> {
        self.write("noting how a cutover went", |transaction| {
            transaction.execute(
                "UPDATE cutover SET steps = ?2, problem = ?3 WHERE attempt = ?1",
                (number(attempt), steps, problem),
            )
        })
        .map(drop)
    }

    /// The last attempt; none if there was none.
    pub fn last_cutover(&self) -> Result<Option<Cutover>, Error> {
        self.find_cutover("SELECT {} FROM cutover ORDER BY attempt DESC LIMIT 1")
    }

    /// The last attempt by which traffic was moved; none if it never was.
    pub fn last_switch(&self) -> Result<Option<Cutover>, Error> {
        self.find_cutover(
            "SELECT {} FROM cutover WHERE state IN ('switched', 'done')
              ORDER BY attempt DESC LIMIT 1",
        )
    }

    /// The same before the attempt `attempt`.
    pub fn switch_before(&self, attempt: u64) -> Result<Option<Cutover>, Error> {
        let sql = format!(
            "SELECT {{}} FROM cutover WHERE state IN ('switched', 'done') AND attempt < {attempt}
              ORDER BY attempt DESC LIMIT 1"
        );
        self.find_cutover(&sql)
    }

    /// The last `most` attempts, the newest first.
    pub fn past_cutovers(&self, most: u32) -> Result<Vec<PastCutover>, Error> {
        let sql = format!(
            "SELECT {COLUMNS}, begun_at, problem FROM cutover ORDER BY attempt DESC LIMIT ?1"
        );
        let rows = self.read("reading the cutovers", |connection| {
            let mut statement = connection.prepare(&sql)?;
            let rows = statement.query_map([most], |row| {
                Ok((Row::read(row)?, row.get(6)?, row.get(7)?))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        let past = rows.into_iter().map(|(row, begun_at, problem)| {
            Ok(PastCutover {
                cutover: self.cutover_of(row)?,
                begun_at,
                problem,
            })
        });
        past.collect()
    }

    fn find_cutover(&self, sql: &str) -> Result<Option<Cutover>, Error> {
        let sql = sql.replace("{}", COLUMNS);
        let found = self.read("reading the cutovers", |connection| {
            connection.query_row(&sql, [], Row::read).optional()
        })?;
        found.map(|row| self.cutover_of(row)).transpose()
    }

    fn cutover_of(&self, row: Row) -> Result<Cutover, Error> {
        let marker = row.marker.map(|text| self.parse("marker", text));
        Ok(Cutover {
            attempt: u64::try_from(row.attempt).unwrap_or_default(),
            to: match row.destination.as_str() {
                "source" => Side::Source,
                _ => Side::Target,
            },
            state: CutoverState::ALL
                .into_iter()
                .find(|known| known.as_str() == row.state)
                // Of a version that knows more: as if it were not over.
                .unwrap_or(CutoverState::Holding),
            marker: marker.transpose()?,
            steps: row.steps,
            has_way_back: row.has_way_back,
        })
    }
}

/// SQLite counts to half as many; so do we.
fn number(attempt: u64) -> i64 {
    i64::try_from(attempt).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_is_known_by_how_far_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::create(&folder.path().join("pgflit.db")).expect("made");
        assert_eq!(store.last_cutover().expect("read"), None);
        store.begin_cutover(1, Side::Target, true).expect("begun");
        store.set_cutover_marker(1, Lsn::new(7)).expect("noted");
        store
            .set_cutover_state(1, CutoverState::Switched)
            .expect("noted");
        store.begin_cutover(2, Side::Source, false).expect("begun");
        store
            .set_cutover_state(2, CutoverState::Aborted)
            .expect("noted");
        store
            .set_cutover_report(2, "[]", Some("no"))
            .expect("noted");
        let last = store.last_cutover().expect("read").expect("there");
        assert_eq!((last.attempt, last.to), (2, Side::Source));
        assert!(last.state.is_over());
        let switch = store.last_switch().expect("read").expect("there");
        assert_eq!((switch.attempt, switch.to), (1, Side::Target));
        assert_eq!(switch.marker, Some(Lsn::new(7)));
        let past = store.past_cutovers(5).expect("read");
        let told = |one: &PastCutover| (one.cutover.attempt, one.problem.clone());
        let told: Vec<_> = past.iter().map(told).collect();
        assert_eq!(told, [(2, Some("no".to_owned())), (1, None)]);
        assert_eq!(store.past_cutovers(1).expect("read"), past[..1]);
        assert!(!switch.state.is_over());
    }
}
