//! Whole source transactions, filtered, grouped and committed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use foldhash::HashMap;

use crate::base::Lsn;
use crate::cdc::change::{Begin, Commit};
use crate::cdc::positions::commit_is_within;
use crate::cdc::sql_line::{Prepare, SqlLine, StatementId, TruncateLine};
use crate::pg::Address;

use super::batch::{Batch, Size};
use super::block::{At, Block, Line, Run};
use super::error::ApplyError;
use super::expect::{Change, Emptying};
use super::filter::{Committed, Filter, KnownEnd};
use super::lanes::Lanes;
use super::pace::Pace;
use super::placement::Placement;
use super::steering::Steering;
use super::target::Target;
use super::writer::Writer;
use crate::store::WantedRow;

/// A source transaction is held here until its COMMIT is seen, so that one that was cut off costs
/// nothing. Past this many bytes it gets a target transaction of its own and goes there directly.
const HELD_BYTES: usize = 8 << 20;

/// A group is committed after this long, also where there is always more to read: the target is seen to
/// go on, and what a crash undoes is done again in a moment. Reading alone fills one before that.
const GROUP_AGE: Duration = Duration::from_secs(1);

/// And after this long where the next change has to be waited for.
const GROUP_AGE_OF_WAITING: Duration = Duration::from_millis(250);

/// After this long a group is committed that has gathered few changes: apply keeps pace with the source, and
/// what is gathered is what the target is behind.
const GROUP_AGE_OF_FEW: Duration = Duration::from_millis(25);

/// Few: with more than ten thousand changes a second there is something to catch up with.
const FEW: usize = 250;

/// How often apply looks whether it may go on.
const HELD: Duration = Duration::from_millis(20);

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
    Row(Change),
    Truncate(Arc<Emptying>),
}

/// The source transaction being read.
#[derive(Debug)]
enum Reading {
    /// None.
    Between,
    /// One that the target has already.
    Skipping,
    /// One that is held until it is whole.
    Holding(Arc<Begin>, Held),
    /// One that is too large to hold: it is in the open target transaction, alone.
    Passing(Arc<Begin>),
    /// One that is too large to hold, of which only its COMMIT will tell that the target has it.
    Doubted,
    /// One that is too large to hold, of which only its COMMIT will tell which copies contain it:
    /// it is read to there, and then once more.
    Awaiting(Arc<Begin>),
}

/// Changes of a transaction that is not whole.
#[derive(Debug, Default)]
struct Held {
    steps: Vec<Step>,
    bytes: usize,
}

impl Held {
    fn add(&mut self, step: Step) {
        self.bytes += size_of::<Step>();
        if let Step::Row(change) = &step {
            let last = match self.steps.last() {
                Some(Step::Row(last)) => Some(last.values.block()),
                _ => None,
            };
            self.bytes += new_bytes(change.values.block(), last);
        }
        self.steps.push(step);
    }
}

/// What it takes to hold `block`, unless it was the `last` that was added.
pub(super) fn new_bytes(block: &Arc<Block>, last: Option<&Arc<Block>>) -> usize {
    match last.is_some_and(|last| Arc::ptr_eq(last, block)) {
        true => 0,
        false => block.bytes(),
    }
}

/// Applies lines to the target.
pub(super) struct Applier {
    pub(super) writer: Writer,
    /// Asked what the stream does not say.
    pub(super) source: Option<Address>,
    pub(super) filter: Filter,
    pub(super) steering: Steering,
    pub(super) positions: Reached,
    statements: HashMap<StatementId, Arc<Prepare>>,
    pub(super) placement: Placement,
    /// None: every batch is committed before the next is gathered.
    pub(super) lanes: Option<Lanes>,
    reading: Reading,
    /// Room for the steps of the next transaction.
    pub(super) spare: Vec<Step>,
    /// What is still to be written into the open target transaction.
    pub(super) batch: Batch,
    /// When the first of the group was whole.
    pub(super) group_since: Option<Instant>,
    pace: Pace,
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
            source: None,
            lanes: None,
            reached_before: at.reached,
            writer: Writer::new(target),
            filter,
            steering,
            positions: at,
            statements: HashMap::default(),
            reading: Reading::Between,
            spare: Vec::new(),
            batch: Batch::default(),
            group_since: None,
            pace: Pace::starting(Instant::now()),
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

    /// The same, able to ask the source.
    pub(super) fn asking(self, source: Option<Address>) -> Self {
        Self { source, ..self }
    }

    /// The same, writing over lanes.
    pub(super) fn over(self, lanes: Option<Lanes>) -> Self {
        let size = match lanes {
            Some(_) => Lanes::batch_size(),
            None => Size::default(),
        };
        Self {
            lanes,
            batch: Batch::of(size),
            ..self
        }
    }

    /// A segment begins; it prepares its own statements again. What is gathered keeps those it has.
    pub(super) fn begin_segment(&mut self) {
        self.statements.clear();
        self.placement.begin_segment();
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
    pub(super) async fn line(&mut self, line: Line, at: At<'_>) -> Result<After, ApplyError> {
        let line = match line {
            Line::Execute(run) => {
                self.row(run, at).await?;
                return Ok(After::GoOn);
            }
            Line::Begin(begin) => return self.begin(begin, at).await,
            Line::Commit(commit) => return self.commit(commit, at).await,
            Line::Other(line) => *line,
        };
        match line {
            SqlLine::Prepare(prepare) => self.prepare(prepare, at).await?,
            SqlLine::Truncate(line) => self.truncate(line, at).await?,
            SqlLine::Rollback => self.undo().await?,
            SqlLine::Keepalive(known) | SqlLine::Endpos(known) => {
                self.begun = true;
                self.pass(known.lsn);
                return self.position(known.lsn, at).await;
            }
            // Through a pipe, that is all that tells of it.
            SqlLine::Switch(_) => self.begin_segment(),
            SqlLine::Begin(_) | SqlLine::Execute(_) | SqlLine::Commit(_) => {
                return Err(self.out_of_order(at, "a line read as another"));
            }
        }
        Ok(After::GoOn)
    }

    pub(super) fn out_of_order(&self, at: At<'_>, problem: impl Into<String>) -> ApplyError {
        ApplyError::Order {
            place: at.place(),
            problem: problem.into(),
        }
    }

    async fn begin(&mut self, begin: Begin, at: At<'_>) -> Result<After, ApplyError> {
        if !self.is_between() {
            return Err(self.out_of_order(at, "BEGIN inside a transaction"));
        }
        self.begun = true;
        if let Some(commit_start) = begin.commit_lsn {
            self.steering.glance()?;
            // Its commit record starts at or after the end that was asked for, so it ends past it.
            while self
                .steering
                .endpos()
                .is_some_and(|endpos| commit_start >= endpos)
            {
                let end = self.endpos_before(commit_start);
                // Not at the end after all: it was moved on at this very moment.
                if self.position(end, at).await? == After::AtEnd {
                    return Ok(After::AtEnd);
                }
            }
            // Commit records do not overlap: one that starts before the end of the last applied
            // ends at or before it.
            let handed = || self.lanes.as_ref().and_then(Lanes::last);
            let last = self.batch.last().or_else(handed);
            let applied = last.map_or(self.positions.committed, |last| last.lsn);
            if commit_start < applied {
                self.reading = Reading::Skipping;
                return Ok(After::GoOn);
            }
        }
        let held = Held {
            steps: std::mem::take(&mut self.spare),
            bytes: 0,
        };
        self.reading = Reading::Holding(Arc::new(begin), held);
        Ok(After::GoOn)
    }

    /// The end that was asked for, of which `past` lies behind: everything before it is known, and
    /// nothing behind it may be claimed.
    fn endpos_before(&self, past: Lsn) -> Lsn {
        self.steering
            .endpos()
            .map_or(past, |endpos| endpos.min(past))
    }

    async fn prepare(&mut self, prepare: Prepare, at: At<'_>) -> Result<(), ApplyError> {
        if let Some(known) = self.statements.get(&prepare.id) {
            if known.sql != prepare.sql {
                let problem = format!("statement {} stands for two texts", prepare.id);
                return Err(self.out_of_order(at, problem));
            }
            // Repeated because the source has described the relation again: what the server has
            // planned may be outdated.
            let prepare = Arc::new(prepare);
            for forgotten in (self.placement.forget(prepare.id).into_iter()).chain([prepare]) {
                self.forget_in_lanes(&forgotten).await?;
                self.writer.target.forget(&forgotten).await?;
            }
            return Ok(());
        }
        self.statements.insert(prepare.id, Arc::new(prepare));
        Ok(())
    }

    /// Takes a change, if nothing has to be waited for: most of them, and each future costs a copy of
    /// what it may have to keep.
    pub(super) fn take(&mut self, run: Run, at: At<'_>) -> Result<bool, ApplyError> {
        match &mut self.reading {
            Reading::Holding(_, held) if held.bytes < HELD_BYTES => {}
            Reading::Passing(_) if !self.batch.is_full() => {}
            _ => return Ok(false),
        }
        let Some(change) = self.change(run, at)? else {
            return Ok(true);
        };
        match &mut self.reading {
            Reading::Holding(_, held) => held.add(Step::Row(change)),
            _ => {
                let transaction = self.while_read(&change.begin);
                return Ok(self.send_plain(Step::Row(change), transaction).is_none());
            }
        }
        Ok(true)
    }

    async fn row(&mut self, run: Run, at: At<'_>) -> Result<(), ApplyError> {
        match self.change(run, at)? {
            Some(change) => self.step(Step::Row(change)).await,
            None => Ok(()),
        }
    }

    /// The change; none if it is not to be applied.
    fn change(&self, run: Run, at: At<'_>) -> Result<Option<Change>, ApplyError> {
        let Some(prepare) = self.statements.get(&run.id) else {
            let problem = format!("statement {} is not prepared before", run.id);
            return Err(self.out_of_order(at, problem));
        };
        if run.count() != prepare.shape.columns.len() {
            let problem = format!(
                "{} values where statement {} takes {}",
                run.count(),
                run.id,
                prepare.shape.columns.len()
            );
            return Err(self.out_of_order(at, problem));
        }
        Ok(self.open_transaction(at)?.map(|begin| Change {
            prepare: Arc::clone(prepare),
            written: None,
            values: at.values(run),
            begin,
            at: at.at,
        }))
    }

    async fn truncate(&mut self, line: TruncateLine, at: At<'_>) -> Result<(), ApplyError> {
        let Some(begin) = self.open_transaction(at)? else {
            return Ok(());
        };
        let emptying = Emptying {
            line,
            begin,
            place: at.place(),
        };
        self.step(Step::Truncate(Arc::new(emptying))).await
    }

    /// The transaction that a change belongs to; none if the change is not to be applied.
    fn open_transaction(&self, at: At<'_>) -> Result<Option<Arc<Begin>>, ApplyError> {
        match &self.reading {
            Reading::Between if self.begun => {
                Err(self.out_of_order(at, "a change outside a transaction"))
            }
            Reading::Between | Reading::Skipping | Reading::Doubted | Reading::Awaiting(_) => {
                Ok(None)
            }
            Reading::Holding(begin, _) | Reading::Passing(begin) => Ok(Some(Arc::clone(begin))),
        }
    }

    async fn step(&mut self, step: Step) -> Result<(), ApplyError> {
        match &mut self.reading {
            Reading::Between | Reading::Skipping | Reading::Doubted | Reading::Awaiting(_) => {
                return Ok(());
            }
            Reading::Holding(_, held) => {
                held.add(step);
                if held.bytes < HELD_BYTES {
                    return Ok(());
                }
            }
            Reading::Passing(begin) => {
                let begin = Arc::clone(begin);
                // By one that was taken without waiting.
                if self.batch.is_full() {
                    self.write_batch().await?;
                }
                self.send(step, self.while_read(&begin)).await?;
                return match self.batch.is_full() {
                    true => self.write_batch().await,
                    false => Ok(()),
                };
            }
        }
        // Too large to hold: alone in a target transaction of its own.
        self.finish_group().await?;
        if let Reading::Holding(begin, held) =
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
            self.send_all(held.steps, transaction).await?;
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
        self.writer.target.rollback().await
    }

    async fn commit(&mut self, commit: Commit, at: At<'_>) -> Result<After, ApplyError> {
        match std::mem::replace(&mut self.reading, Reading::Between) {
            Reading::Between if !self.begun && commit.lsn <= self.reached_before => {
                self.begun = true;
                self.pass(commit.lsn);
                return Ok(After::GoOn);
            }
            Reading::Between if !self.begun => {
                let problem = "COMMIT of a transaction whose BEGIN is not read";
                return Err(self.out_of_order(at, problem));
            }
            Reading::Between => {
                return Err(self.out_of_order(at, "COMMIT outside a transaction"));
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
                return Err(self.out_of_order(at, problem));
            }
            Reading::Awaiting(begin) => {
                self.check_xid(&begin, &commit, at)?;
                if self.is_past_end(&commit, at).await? {
                    return Ok(After::AtEnd);
                }
                return Err(ApplyError::ReadAgain(KnownEnd {
                    first: begin.lsn,
                    xid: begin.xid,
                    end: commit.lsn,
                }));
            }
            Reading::Holding(begin, held) => {
                self.pass(commit.lsn);
                self.check_xid(&begin, &commit, at)?;
                if self.is_past_end(&commit, at).await? {
                    return Ok(After::AtEnd);
                }
                let transaction = Committed::of(&begin, Some(commit.lsn));
                let now = Instant::now();
                self.pace.took(held.steps.len(), now);
                self.send_whole(&begin, held.steps, transaction).await?;
                self.batch.end(commit);
                let since = *self.group_since.get_or_insert(now);
                let age = match self.batch.ready().len() < FEW {
                    true => GROUP_AGE_OF_FEW,
                    false => GROUP_AGE,
                };
                if self.batch.is_full() || since.elapsed() >= age {
                    return self.hand_over().await;
                }
            }
            Reading::Passing(begin) => {
                self.check_xid(&begin, &commit, at)?;
                if self.is_past_end(&commit, at).await? {
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
    async fn is_past_end(&mut self, commit: &Commit, at: At<'_>) -> Result<bool, ApplyError> {
        self.steering.glance()?;
        while !commit_is_within(commit.lsn, self.steering.endpos()) {
            if self.position(self.endpos_before(commit.lsn), at).await? == After::AtEnd {
                return Ok(true);
            }
        }
        self.wait_while_compared(commit.lsn).await?;
        Ok(false)
    }

    /// Stops before a transaction that ends at `end` while a comparison wants the target as it was
    /// before that. What is gathered is committed first; a transaction that is alone in the target's is
    /// not whole there, and seen by nobody.
    async fn wait_while_compared(&mut self, end: Lsn) -> Result<(), ApplyError> {
        while let Some(hold) = (self.steering.hold()).filter(|hold| hold.is_before(end)) {
            self.drain().await?;
            self.commit_batch().await?;
            self.steering.report_held(hold, self.positions)?;
            tokio::time::sleep(HELD).await;
            self.steering.look()?;
        }
        Ok(())
    }

    fn check_xid(&self, begin: &Begin, commit: &Commit, at: At<'_>) -> Result<(), ApplyError> {
        if begin.xid == commit.xid {
            return Ok(());
        }
        let problem = format!("transaction {} ends as {}", begin.xid, commit.xid);
        Err(self.out_of_order(at, problem))
    }

    /// Nothing else happens before `lsn`.
    async fn position(&mut self, lsn: Lsn, at: At<'_>) -> Result<After, ApplyError> {
        if !self.is_between() {
            return Err(self.out_of_order(at, "a position inside a transaction"));
        }
        let is_end = (self.steering.endpos()).is_some_and(|endpos| lsn >= endpos);
        // What is in lanes does not wait for it.
        if (self.lanes.is_none() || is_end) && self.finish_group().await? == After::AtEnd {
            return Ok(After::AtEnd);
        }
        self.pass_later(lsn);
        self.look_around()
    }

    /// How much longer the open group may gather though nothing is there to read just now: more is on its
    /// way, and one larger group costs less than several small ones.
    pub(super) fn gathers_for(&self) -> Option<Duration> {
        let since = self.group_since.filter(|_| self.pace.is_fast())?;
        let left = GROUP_AGE_OF_WAITING.saturating_sub(since.elapsed());
        (!left.is_zero()).then_some(left)
    }

    /// Commits what is gathered. When this returns, the target has confirmed it.
    pub(super) async fn finish_group(&mut self) -> Result<After, ApplyError> {
        self.group_since = None;
        self.drain().await?;
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
