//! Batches that are written at the same time, each over a connection of its own: `--apply-jobs`.
//!
//! ```text
//! read, filtered, gathered ──batch 3──▶ lane ─ writing
//!                            batch 2    lane ─ written, its transaction open
//!                            batch 1    lane ─ committing, with its position
//! ```
//! Batches commit in their order, each with its position, so that there is one position and no reader
//! of the target sees anything but what the source was at one of its commits.
//!
//! A batch is handed to a lane while those before it are not committed only if it [`touched`] no row
//! that they touch. What that cannot see costs time, never a row:
//!
//! | a batch meets one before it | then |
//! |---|---|
//! | in a row that is not there yet, or still there | it is refused, rolled back, and written again when all before it are committed |
//! | in a lock that the one before has | it waits, and that commits |
//! | in a lock that it has and the one before waits for, at once or behind others | it is rolled back, and written again in its turn |
//!
//! Whatever was not plain success in a lane, a conflict that `--on-conflict` settles among it, is done
//! again without lanes, where it is decided what is to be said or done. TRUNCATEs, transactions too large to be
//! held, and tables with triggers or rules that fire go without lanes too.
//!
//! Crash story: that of [`super`], batch by batch. Lanes may outlive the session that had the lock on
//! the position; the next start waits for them, see [`super::tracking`].

mod lane;
mod touched;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::applier::{After, Applier};
use super::batch::{Size, Whole};
use super::error::ApplyError;
use super::net::Ready;
use crate::base::{Lsn, failpoint};
use crate::cdc::change::Commit;
use crate::cdc::sql_line::Prepare;
use crate::pg;

pub(super) use lane::LaneConfig;
use lane::{Lane, Order, Report};
use touched::Touched;

/// How long the first batch may take before it is asked whether another has what it waits for; and how
/// often then. Shorter than the second after which PostgreSQL looks for deadlocks.
const BLOCKED_AFTER: Duration = Duration::from_millis(200);

/// How often it is looked whether a batch that is to be undone is written.
const UNDONE_EVERY: Duration = Duration::from_millis(5);

/// A batch for a lane has so many changes: enough to be worth commands for many rows, and few enough
/// that two of them seldom touch the same rows.
const LANE_CHANGES: usize = 20_000;

/// And so many bytes.
const LANE_BYTES: usize = 4 << 20;

/// One that touches rows of another grows to so many times that before it waits for it: then it is what
/// a single connection writes.
const TIMES_MAX: usize = 5;

/// In builds with debug assertions, the number of changes instead: a test has few.
const CHANGES_VARIABLE: &str = "PGFLIT_LANE_CHANGES";

/// Connections that apply, and what they are at.
#[derive(Debug)]
pub(super) struct Lanes {
    idle: Vec<Lane>,
    /// In the order in which they commit.
    flights: VecDeque<Flight>,
    /// Batches so far: handed to lanes, done again, and that waited for rows of others.
    handed: u64,
    again: u64,
    waited: u64,
}

/// A batch in a lane.
#[derive(Debug)]
struct Flight {
    lane: Lane,
    whole: Whole,
    ready: Arc<Vec<Ready>>,
    touched: Touched,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Writing,
    Written,
    /// Nothing of it is on the target.
    Undone,
}

impl Lanes {
    /// As many as `count`.
    pub(super) async fn start(count: usize, config: &LaneConfig) -> Result<Self, ApplyError> {
        let mut idle = Vec::with_capacity(count);
        for number in 1..=count {
            idle.push(Lane::start(number, config.clone()).await?);
        }
        Ok(Self {
            idle,
            flights: VecDeque::new(),
            handed: 0,
            again: 0,
            waited: 0,
        })
    }

    /// How much is gathered for one of them.
    pub(super) fn batch_size() -> Size {
        let set = || std::env::var(CHANGES_VARIABLE).ok()?.parse().ok();
        let asked: Option<usize> = cfg!(debug_assertions).then(set).flatten();
        Size {
            changes: asked.unwrap_or(LANE_CHANGES),
            bytes: LANE_BYTES,
        }
    }

    /// The last transaction that is handed over.
    pub(super) fn last(&self) -> Option<&Commit> {
        self.flights.back().map(|flight| &flight.whole.last)
    }

    /// Nothing else happens up to `lsn`, behind what is handed over; false if there is nothing.
    pub(super) fn pass(&mut self, lsn: Lsn) -> bool {
        let last = self.flights.back_mut();
        last.map(|flight| flight.whole.pass(lsn)).is_some()
    }

    /// What it came to, for people.
    pub(super) fn told(&self) -> String {
        let Self {
            handed,
            again,
            waited,
            ..
        } = self;
        format!(
            "{handed} batches went over lanes; {waited} waited for rows of another, {again} were done again"
        )
    }

    /// Takes what the lanes have said.
    fn look(&mut self) -> Result<(), ApplyError> {
        for flight in &mut self.flights {
            if flight.state == State::Writing
                && let Some(report) = flight.lane.has_reported()
            {
                flight.take(report)?;
            }
        }
        Ok(())
    }

    /// Rolls back what is written behind the first.
    async fn undo_written(&mut self) -> Result<(), ApplyError> {
        self.look()?;
        for flight in self.flights.iter_mut().skip(1) {
            if flight.state == State::Written {
                carried_out(&mut flight.lane, Order::Undo).await?;
                flight.state = State::Undone;
            }
        }
        Ok(())
    }

    /// Rolls back all behind the first. One of them may wait for what another has written.
    async fn undo_others(&mut self) -> Result<(), ApplyError> {
        self.undo_written().await?;
        while (self.flights.iter().skip(1)).any(|flight| flight.state == State::Writing) {
            tokio::time::sleep(UNDONE_EVERY).await;
            self.undo_written().await?;
        }
        Ok(())
    }
}

impl Flight {
    fn take(&mut self, report: Report) -> Result<(), ApplyError> {
        self.state = match report {
            Report::Done | Report::Started(_) => State::Written,
            Report::Refused(why) => {
                tracing::debug!("{why}, in a lane");
                State::Undone
            }
            Report::Lost(error) => return Err(error),
        };
        Ok(())
    }
}

async fn carried_out(lane: &mut Lane, order: Order) -> Result<(), ApplyError> {
    lane.tell(order).await?;
    match lane.report().await {
        Report::Done | Report::Started(_) | Report::Refused(_) => Ok(()),
        Report::Lost(error) => Err(error),
    }
}

impl Applier {
    /// Has the transactions that are whole written: by a lane, if there are any.
    pub(super) async fn hand_over(&mut self) -> Result<After, ApplyError> {
        if self.lanes.is_none() {
            return self.finish_group().await;
        }
        self.group_since = None;
        // What is written commits as early as it may: readers of the target see it, and locks go.
        while self.first_is_written()? {
            Box::pin(self.commit_first()).await?;
        }
        let plain = |table: &_| {
            let known = self.writer.target.known_table(table);
            known.is_some_and(|known| known.takes_sets)
        };
        let touched = Touched::of(self.batch.ready(), plain);
        if let Some(touched) = &touched
            && self.meets(touched)
        {
            // More is gathered meanwhile, rather than waited.
            if self.batch.grow() < TIMES_MAX {
                return self.look_around();
            }
            if let Some(lanes) = &mut self.lanes {
                lanes.waited += 1;
            }
            while self.meets(touched) {
                Box::pin(self.commit_first()).await?;
            }
        }
        let Some((ready, whole)) = self.batch.take_whole() else {
            return self.look_around();
        };
        match touched {
            _ if ready.is_empty() => self.pass_later(whole.reached()),
            Some(touched) => Box::pin(self.give_to_lane(ready, whole, touched)).await?,
            None => {
                self.drain().await?;
                Box::pin(self.commit_gathered(&ready, &whole)).await?;
            }
        }
        self.look_around()
    }

    fn meets(&self, touched: &Touched) -> bool {
        let lanes = self.lanes.iter();
        (lanes.flat_map(|lanes| &lanes.flights)).any(|flight| flight.touched.meets(touched))
    }

    async fn give_to_lane(
        &mut self,
        ready: Vec<Ready>,
        whole: Whole,
        touched: Touched,
    ) -> Result<(), ApplyError> {
        while (self.lanes.as_ref()).is_some_and(|lanes| lanes.idle.is_empty()) {
            Box::pin(self.commit_first()).await?;
        }
        if let Some(lanes) = &mut self.lanes
            && let Some(mut lane) = lanes.idle.pop()
        {
            let ready = Arc::new(ready);
            lane.tell(Order::Write(Arc::clone(&ready))).await?;
            lanes.handed += 1;
            lanes.flights.push_back(Flight {
                lane,
                whole,
                ready,
                touched,
                state: State::Writing,
            });
            return Ok(());
        }
        let none = pg::Error::Protocol("no lane for a batch".into());
        Err(none.into())
    }

    fn first_is_written(&mut self) -> Result<bool, ApplyError> {
        let Some(lanes) = &mut self.lanes else {
            return Ok(false);
        };
        lanes.look()?;
        let first = lanes.flights.front();
        Ok(first.is_some_and(|first| first.state == State::Written))
    }

    /// Commits everything that was handed to lanes.
    pub(super) async fn drain(&mut self) -> Result<(), ApplyError> {
        while (self.lanes.as_ref()).is_some_and(|lanes| !lanes.flights.is_empty()) {
            Box::pin(self.commit_first()).await?;
        }
        Ok(())
    }

    /// Commits the first of the batches in lanes. When this returns, the target has confirmed it.
    async fn commit_first(&mut self) -> Result<(), ApplyError> {
        self.wait_for_first().await?;
        let Some(lanes) = &mut self.lanes else {
            return Ok(());
        };
        let Some(first) = lanes.flights.front_mut() else {
            return Ok(());
        };
        if first.state == State::Written {
            failpoint::reach("group sent");
            let order = Order::Commit(first.whole.last.clone(), self.positions.committed);
            first.lane.tell(order).await?;
            let report = first.lane.report().await;
            first.take(report)?;
        }
        if first.state == State::Undone {
            lanes.again += 1;
            // What they have locked may be what it needs.
            lanes.undo_others().await?;
        }
        let Some(first) = lanes.flights.pop_front() else {
            return Ok(());
        };
        lanes.idle.push(first.lane);
        if first.state == State::Undone {
            return self.commit_gathered(&first.ready, &first.whole).await;
        }
        failpoint::reach("group committed");
        self.note_committed(&first.whole);
        self.steering.report(self.positions)
    }

    /// Waits until the first batch is written or undone. If it waits itself, what is written behind it is
    /// undone.
    async fn wait_for_first(&mut self) -> Result<(), ApplyError> {
        loop {
            let Some(lanes) = &mut self.lanes else {
                return Ok(());
            };
            let Some(first) = lanes.flights.front_mut() else {
                return Ok(());
            };
            if first.state != State::Writing {
                return Ok(());
            }
            match tokio::time::timeout(BLOCKED_AFTER, first.lane.report()).await {
                Ok(report) => first.take(report)?,
                Err(_) => self.unblock_first().await?,
            }
        }
    }

    async fn unblock_first(&mut self) -> Result<(), ApplyError> {
        let first = self.lanes.as_ref().and_then(|lanes| lanes.flights.front());
        let Some(Flight { lane, .. }) = first else {
            return Ok(());
        };
        let pid = &lane.pid;
        let sql = format!("SELECT unnest(pg_catalog.pg_blocking_pids({pid}))::text");
        let waits = self.writer.target.ask(&sql).await?.next().is_some();
        match &mut self.lanes {
            // Perhaps through somebody else, such as an ALTER TABLE that waits for a lane.
            Some(lanes) if waits => lanes.undo_written().await,
            _ => Ok(()),
        }
    }

    /// Nothing else happens up to `lsn`, once what is gathered and handed over is committed.
    pub(super) fn pass_later(&mut self, lsn: Lsn) {
        let is_noted = self.batch.pass(lsn) || self.lanes.as_mut().is_some_and(|it| it.pass(lsn));
        if !is_noted {
            self.positions.reached = self.positions.reached.max(lsn);
        }
    }

    /// Has every lane ask and prepare anew what concerns `prepare`.
    pub(super) async fn forget_in_lanes(
        &mut self,
        prepare: &Arc<Prepare>,
    ) -> Result<(), ApplyError> {
        self.drain().await?;
        if let Some(lanes) = &mut self.lanes {
            for lane in &mut lanes.idle {
                carried_out(lane, Order::Forget(Arc::clone(prepare))).await?;
            }
        }
        Ok(())
    }
}
