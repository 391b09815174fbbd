//! Whole source transactions, filtered, grouped and committed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::Lsn;
use crate::cdc::change::{Begin, Commit, Value};
use crate::cdc::positions::commit_is_within;
use crate::cdc::sql_line::{Execute, Prepare, SqlLine, StatementId, TruncateLine};

use super::batch::Batch;
use super::error::ApplyError;
use super::expect::{Change, Emptying};
use super::filter::{Committed, Filter, KnownEnd};
use super::place::Place;
use super::placement::Placement;
use super::steering::Steering;
use super::target::Target;
use crate::store::WantedRow;

/// A source transaction is held here until its COMMIT is seen, so that one that was cut off costs
/// nothing. Past this many bytes it gets a target transaction of its own and goes there directly.
const HELD_BYTES: usize = 8 << 20;

/// A group is committed after this long, also where there is always more to read: the target is seen to
/// go on, and what a crash undoes is done again in a moment.
const GROUP_AGE: Duration = Duration::from_millis(250);

/// What to do after a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// Go on.
    GoOn,
    /// Everything up to endpos is committed.
    AtEnd,
}

/// One change of a source transaction.
#[derive(Debug)]
pub(super) enum Step {
    Row(Arc<Change>),
    Truncate(Arc<Emptying>),
}

/// A statement of the segment being read.
#[derive(Debug)]
struct Statement {
    written: Arc<Prepare>,
    /// The same for the table of the target, once that was asked for.
    here: Option<Arc<Prepare>>,
}

/// The source transaction being read.
#[derive(Debug)]
enum Reading {
    /// None.
    Between,
    /// One that the target has already.
    Skipping,
    /// One that is held until it is whole.
    Holding(Arc<Begin>, Vec<Step>, usize),
    /// One that is too large to hold: it is in the open target transaction, alone.
    Passing(Arc<Begin>),
    /// One that is too large to hold, of which only its COMMIT will tell that the target has it.
    Doubted,
    /// One that is too large to hold, of which only its COMMIT will tell which copies contain it:
    /// it is read to there, and then once more.
    Awaiting(Arc<Begin>),
}

/// Applies lines to the target.
pub(super) struct Applier {
    pub(super) target: Target,
    pub(super) filter: Filter,
    pub(super) steering: Steering,
    pub(super) positions: Reached,
    statements: HashMap<StatementId, Statement>,
    pub(super) placement: Placement,
    reading: Reading,
    /// What is still to be written into the open target transaction.
    pub(super) batch: Batch,
    /// When the first of the group was whole.
    group_since: Option<Instant>,
    /// Rows that the transaction being read moved and that have to be copied again. Once there is
    /// one, nothing more of it is sent.
    pub(super) wanted: Vec<WantedRow>,
    /// Whether a line that begins, ends or lies outside a transaction has been seen: before that,
    /// lines belong to a transaction whose beginning is in an earlier segment, which is applied.
    begun: bool,
    /// Whether everything that the target had at the start is behind. Until then a transaction
    /// whose BEGIN does not say where it commits may be one that the target has: such a plugin's
    /// transactions are told apart at their COMMIT. The COMMIT of the last one that the target has
    /// is always read, see [`crate::segment::segment_holding`], unless a position past it is.
    past_applied: bool,
    /// How far the target was at the start, as the store says too, which knows of positions.
    reached_before: Lsn,
    /// Of a transaction that was read to its end before.
    known_end: Option<KnownEnd>,
}

/// How far the target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reached {
    /// The end of the last transaction whose COMMIT the target has confirmed.
    pub(super) committed: Lsn,
    /// That, or a later position before which nothing else happened.
    pub(super) reached: Lsn,
}

impl Applier {
    pub(super) fn new(
        target: Target,
        filter: Filter,
        placement: Placement,
        steering: Steering,
        at: Reached,
    ) -> Self {
        Self {
            placement,
            reached_before: at.reached,
            target,
            filter,
            steering,
            positions: at,
            statements: HashMap::new(),
            reading: Reading::Between,
            batch: Batch::default(),
            group_since: None,
            wanted: Vec::new(),
            begun: false,
            past_applied: at.committed.is_zero(),
            known_end: None,
        }
    }

    /// The same, knowing where one transaction ends.
    pub(super) fn knowing(self, known_end: Option<KnownEnd>) -> Self {
        Self { known_end, ..self }
    }

    /// A segment begins; it prepares its own statements again.
    pub(super) fn begin_segment(&mut self) {
        self.statements.clear();
    }

    /// Whether no source transaction is being read.
    pub(super) fn is_between(&self) -> bool {
        matches!(self.reading, Reading::Between)
    }

    /// Whether the sentinel, when last looked at, allowed nothing more, and nothing is half read.
    pub(super) fn is_held_back(&self) -> bool {
        self.is_between() && !self.steering.allows_more()
    }

    /// Takes one line.
    pub(super) async fn line(&mut self, line: SqlLine, place: &Place) -> Result<After, ApplyError> {
        match line {
            SqlLine::Begin(begin) => return self.begin(begin, place).await,
            SqlLine::Prepare(prepare) => self.prepare(prepare, place)?,
            SqlLine::Execute(execute) => self.row(execute, place).await?,
            SqlLine::Truncate(line) => self.truncate(line, place).await?,
            SqlLine::Rollback => self.undo().await?,
            SqlLine::Commit(commit) => return self.commit(commit, place).await,
            SqlLine::Keepalive(at) | SqlLine::Endpos(at) => {
                self.begun = true;
                self.pass(at.lsn);
                return self.position(at.lsn, place).await;
            }
            SqlLine::Switch(_) => {}
        }
        Ok(After::GoOn)
    }

    pub(super) fn out_of_order(&self, place: &Place, problem: impl Into<String>) -> ApplyError {
        ApplyError::Order {
            place: place.clone(),
            problem: problem.into(),
        }
    }

    async fn begin(&mut self, begin: Begin, place: &Place) -> Result<After, ApplyError> {
        if !self.is_between() {
            return Err(self.out_of_order(place, "BEGIN inside a transaction"));
        }
        self.begun = true;
        if let Some(commit_start) = begin.commit_lsn {
            self.steering.look()?;
            // Its commit record starts at or after the end that was asked for, so it ends past it.
            while self
                .steering
                .endpos()
                .is_some_and(|endpos| commit_start >= endpos)
            {
                let end = self.endpos_before(commit_start);
                // Not at the end after all: it was moved on at this very moment.
                if self.position(end, place).await? == After::AtEnd {
                    return Ok(After::AtEnd);
                }
            }
            // Commit records do not overlap: one that starts before the end of the last applied
            // ends at or before it.
            let applied = (self.batch.last()).map_or(self.positions.committed, |last| last.lsn);
            if commit_start < applied {
                self.reading = Reading::Skipping;
                return Ok(After::GoOn);
            }
        }
        self.reading = Reading::Holding(Arc::new(begin), Vec::new(), 0);
        Ok(After::GoOn)
    }

    /// The end that was asked for, of which `past` lies behind: everything before it is known, and
    /// nothing behind it may be claimed.
    fn endpos_before(&self, past: Lsn) -> Lsn {
        self.steering
            .endpos()
            .map_or(past, |endpos| endpos.min(past))
    }

    fn prepare(&mut self, prepare: Prepare, place: &Place) -> Result<(), ApplyError> {
        if let Some(known) = self.statements.get_mut(&prepare.id) {
            if known.written.sql != prepare.sql {
                let problem = format!("statement {} stands for two texts", prepare.id);
                return Err(self.out_of_order(place, problem));
            }
            // Repeated because the source has described the relation again: what the server has
            // planned may be outdated.
            let here = known.here.take();
            return match here {
                Some(here) => self.target.forget(&here),
                None => Ok(()),
            };
        }
        let statement = Statement {
            written: Arc::new(prepare),
            here: None,
        };
        self.statements.insert(statement.written.id, statement);
        Ok(())
    }

    async fn row(&mut self, execute: Execute, place: &Place) -> Result<(), ApplyError> {
        let Some(known) = self.statements.get(&execute.id) else {
            let problem = format!("statement {} is not prepared before", execute.id);
            return Err(self.out_of_order(place, problem));
        };
        let (written, here) = (Arc::clone(&known.written), known.here.clone());
        if execute.values.len() != written.shape.columns.len() {
            let problem = format!(
                "{} values where statement {} takes {}",
                execute.values.len(),
                execute.id,
                written.shape.columns.len()
            );
            return Err(self.out_of_order(place, problem));
        }
        let Some(begin) = self.open_transaction(place)? else {
            return Ok(());
        };
        let prepare = match here {
            Some(here) => here,
            None => self.statement_here(&written).await?,
        };
        let bytes = execute.values.iter().map(Value::byte_count).sum();
        let change = Change {
            prepare,
            written,
            values: execute.values,
            begin,
            bytes,
            place: place.clone(),
        };
        self.step(Step::Row(Arc::new(change)), bytes).await
    }

    /// The statement for the table of the target that has the rows.
    async fn statement_here(&mut self, written: &Arc<Prepare>) -> Result<Arc<Prepare>, ApplyError> {
        let here = self.placed(written).await?;
        if let Some(known) = self.statements.get_mut(&written.id) {
            known.here = Some(Arc::clone(&here));
        }
        Ok(here)
    }

    async fn truncate(&mut self, line: TruncateLine, place: &Place) -> Result<(), ApplyError> {
        let Some(begin) = self.open_transaction(place)? else {
            return Ok(());
        };
        let emptying = Emptying {
            line,
            begin,
            place: place.clone(),
        };
        self.step(Step::Truncate(Arc::new(emptying)), 0).await
    }

    /// The transaction that a change belongs to; none if the change is not to be applied.
    fn open_transaction(&self, place: &Place) -> Result<Option<Arc<Begin>>, ApplyError> {
        match &self.reading {
            Reading::Between if self.begun => {
                Err(self.out_of_order(place, "a change outside a transaction"))
            }
            Reading::Between | Reading::Skipping | Reading::Doubted | Reading::Awaiting(_) => {
                Ok(None)
            }
            Reading::Holding(begin, ..) | Reading::Passing(begin) => Ok(Some(Arc::clone(begin))),
        }
    }

    async fn step(&mut self, step: Step, bytes: usize) -> Result<(), ApplyError> {
        /// What a step costs to hold besides its values.
        const STEP_BYTES: usize = 192;
        match &mut self.reading {
            Reading::Between | Reading::Skipping | Reading::Doubted | Reading::Awaiting(_) => {
                return Ok(());
            }
            Reading::Holding(_, steps, held) => {
                steps.push(step);
                *held += bytes + STEP_BYTES;
                if *held < HELD_BYTES {
                    return Ok(());
                }
            }
            Reading::Passing(begin) => {
                let begin = Arc::clone(begin);
                self.send(step, self.while_read(&begin)).await?;
                return match self.batch.is_full() {
                    true => self.write_batch().await,
                    false => Ok(()),
                };
            }
        }
        // Too large to hold: alone in a target transaction of its own.
        self.finish_group().await?;
        if let Reading::Holding(begin, steps, _) =
            std::mem::replace(&mut self.reading, Reading::Between)
        {
            let is_new = begin.commit_lsn.is_some() || begin.lsn >= self.positions.committed;
            if !self.past_applied && !is_new {
                self.reading = Reading::Doubted;
                return Ok(());
            }
            if self.known_end_of(&begin).is_none() && self.filter.needs_end(&begin) {
                self.reading = Reading::Awaiting(begin);
                return Ok(());
            }
            let transaction = self.while_read(&begin);
            self.reading = Reading::Passing(begin);
            self.send_all(steps, transaction).await?;
            self.write_batch().await?;
        }
        Ok(())
    }

    fn known_end_of(&self, begin: &Begin) -> Option<Lsn> {
        self.known_end.and_then(|known| known.of(begin))
    }

    /// The transaction that began with `begin`, before its COMMIT is read.
    fn while_read(&self, begin: &Begin) -> Committed {
        Committed::of(begin, self.known_end_of(begin))
    }

    /// The transaction being read never happened.
    async fn undo(&mut self) -> Result<(), ApplyError> {
        if matches!(self.reading, Reading::Passing(_)) {
            self.undo_passed().await?;
            self.wanted.clear();
        }
        self.reading = Reading::Between;
        Ok(())
    }

    /// Undoes what is sent of a transaction that is alone in the target's.
    async fn undo_passed(&mut self) -> Result<(), ApplyError> {
        self.batch.clear();
        self.target.rollback().await
    }

    async fn commit(&mut self, commit: Commit, place: &Place) -> Result<After, ApplyError> {
        match std::mem::replace(&mut self.reading, Reading::Between) {
            Reading::Between if !self.begun && commit.lsn <= self.reached_before => {
                self.begun = true;
                self.pass(commit.lsn);
                return Ok(After::GoOn);
            }
            Reading::Between if !self.begun => {
                let problem = "COMMIT of a transaction whose BEGIN is not read";
                return Err(self.out_of_order(place, problem));
            }
            Reading::Between => {
                return Err(self.out_of_order(place, "COMMIT outside a transaction"));
            }
            Reading::Skipping => {
                self.pass(commit.lsn);
                return Ok(After::GoOn);
            }
            Reading::Holding(..) | Reading::Doubted | Reading::Awaiting(_)
                if self.has_applied(commit.lsn) =>
            {
                self.pass(commit.lsn);
                return Ok(After::GoOn);
            }
            Reading::Doubted => {
                let problem = "a transaction that the target should have, and has not";
                return Err(self.out_of_order(place, problem));
            }
            Reading::Awaiting(begin) => {
                self.check_xid(&begin, &commit, place)?;
                if self.is_past_end(&commit, place).await? {
                    return Ok(After::AtEnd);
                }
                return Err(ApplyError::ReadAgain(KnownEnd {
                    first: begin.lsn,
                    xid: begin.xid,
                    end: commit.lsn,
                }));
            }
            Reading::Holding(begin, steps, _) => {
                self.pass(commit.lsn);
                self.check_xid(&begin, &commit, place)?;
                if self.is_past_end(&commit, place).await? {
                    return Ok(After::AtEnd);
                }
                let transaction = Committed::of(&begin, Some(commit.lsn));
                self.check_fit(&steps, transaction).await?;
                if !self.wanted.is_empty() {
                    // What stands before it in the group is whole.
                    self.finish_group().await?;
                    return Err(self.want_rows(&begin)?);
                }
                self.send_all(steps, transaction).await?;
                self.batch.end(commit);
                let since = *self.group_since.get_or_insert_with(Instant::now);
                if self.batch.is_full() || since.elapsed() >= GROUP_AGE {
                    return self.finish_group().await;
                }
            }
            Reading::Passing(begin) => {
                self.check_xid(&begin, &commit, place)?;
                if self.is_past_end(&commit, place).await? {
                    self.undo_passed().await?;
                    return Ok(After::AtEnd);
                }
                if !self.wanted.is_empty() {
                    self.undo_passed().await?;
                    return Err(self.want_rows(&begin)?);
                }
                self.batch.end(commit);
                return self.finish_group().await;
            }
        }
        Ok(After::GoOn)
    }

    /// Whether the target had a transaction that ends at `end` when this began.
    fn has_applied(&self, end: Lsn) -> bool {
        !self.past_applied && end <= self.positions.committed
    }

    /// Nothing that follows ends before `lsn`.
    fn pass(&mut self, lsn: Lsn) {
        self.past_applied |= lsn >= self.positions.committed;
    }

    /// Whether this transaction, which is whole, ends past the end that was asked for. Then
    /// everything before it is committed when this returns.
    async fn is_past_end(&mut self, commit: &Commit, place: &Place) -> Result<bool, ApplyError> {
        self.steering.look()?;
        while !commit_is_within(commit.lsn, self.steering.endpos()) {
            if self.position(self.endpos_before(commit.lsn), place).await? == After::AtEnd {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn check_xid(&self, begin: &Begin, commit: &Commit, place: &Place) -> Result<(), ApplyError> {
        if begin.xid == commit.xid {
            return Ok(());
        }
        let problem = format!("transaction {} ends as {}", begin.xid, commit.xid);
        Err(self.out_of_order(place, problem))
    }

    /// Nothing else happens before `lsn`.
    async fn position(&mut self, lsn: Lsn, place: &Place) -> Result<After, ApplyError> {
        if !self.is_between() {
            return Err(self.out_of_order(place, "a position inside a transaction"));
        }
        let after = self.finish_group().await?;
        if after == After::AtEnd {
            return Ok(after);
        }
        self.positions.reached = self.positions.reached.max(lsn);
        self.look_around()
    }

    /// Commits what is gathered. When this returns, the target has confirmed it.
    pub(super) async fn finish_group(&mut self) -> Result<After, ApplyError> {
        self.group_since = None;
        self.commit_batch().await?;
        self.look_around()
    }

    /// Reports, and says whether the end is reached.
    pub(super) fn look_around(&mut self) -> Result<After, ApplyError> {
        let at_end = self.steering.is_at_end(self.positions)?;
        self.steering.report(self.positions)?;
        Ok(match at_end {
            true => After::AtEnd,
            false => After::GoOn,
        })
    }
}
