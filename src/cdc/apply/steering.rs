//! What the sentinel says, read cheaply and often.

use std::time::{Duration, Instant};

use crate::base::Lsn;
use crate::cdc::positions::endpos_is_reached;
use crate::store::{HOLD_LASTS, Hold, Sentinel, Store, WantedRow};

use super::applier::Reached;
use super::error::ApplyError;

/// How often the store is told how far the target is, at most.
const REPORT: Duration = Duration::from_millis(200);

/// The same where it is past the last transaction that the target has: nobody can ask the target about that,
/// and a cutover, whose clients wait, waits for it.
const REPORT_PAST: Duration = Duration::from_millis(5);

/// How long what the sentinel says may be old where it is asked for every transaction: a group of them
/// takes longer, and an end that is set meanwhile is as late for it.
const MOMENT: Duration = Duration::from_millis(1);

/// Receive that has written nothing for so long is taken to have all there is, though the source had said
/// more: WAL is flushed in pages too, and the part of a record is never sent. Longer than most transactions
/// take to be decoded, of which nothing is written before their end.
const SILENT: Duration = Duration::from_secs(20);

/// The operator's wishes and our reports.
#[derive(Debug)]
pub(super) struct Steering {
    store: Store,
    version: i64,
    looked: Instant,
    sentinel: Sentinel,
    /// Where a comparison wants apply to stand still, and since when it has not said so again.
    hold: Option<(Hold, Instant)>,
    /// The last wish of that kind that was answered.
    held: i64,
    /// The endpos that was set before apply began, if one was.
    first_endpos: Option<Lsn>,
    reported: (Lsn, Lsn),
    reported_at: Instant,
    /// How much was received when that was last more than before, and when that was seen.
    written: (Lsn, Instant),
}

impl Steering {
    pub(super) fn new(store: Store) -> Result<Self, ApplyError> {
        let version = store.data_version()?;
        let sentinel = store.sentinel()?;
        let hold = store.hold()?.map(|hold| (hold, Instant::now()));
        Ok(Self {
            store,
            version,
            hold,
            held: 0,
            looked: Instant::now(),
            sentinel,
            first_endpos: sentinel.endpos(),
            reported: (Lsn::ZERO, Lsn::ZERO),
            reported_at: Instant::now(),
            written: (Lsn::ZERO, Instant::now()),
        })
    }

    /// What the sentinel said a moment ago at most.
    pub(super) fn glance(&mut self) -> Result<&Sentinel, ApplyError> {
        match self.looked.elapsed() < MOMENT {
            true => Ok(&self.sentinel),
            false => self.look(),
        }
    }

    /// What the sentinel says now. Costs some system calls, and more if something has changed.
    pub(super) fn look(&mut self) -> Result<&Sentinel, ApplyError> {
        self.looked = Instant::now();
        let version = self.store.data_version()?;
        if version != self.version {
            self.version = version;
            self.sentinel = self.store.sentinel()?;
            let hold = self.store.hold()?;
            if self.hold.map(|(known, _)| known) != hold {
                self.hold = hold.map(|hold| (hold, Instant::now()));
            }
        }
        Ok(&self.sentinel)
    }

    /// Where a comparison wants apply to stand still, as last seen. One that has not said so again is gone.
    pub(super) fn hold(&self) -> Option<Hold> {
        let (hold, since) = self.hold?;
        (since.elapsed() < HOLD_LASTS).then_some(hold)
    }

    /// Answers that apply stands still for `hold`, once.
    pub(super) fn report_held(&mut self, hold: Hold, at: Reached) -> Result<(), ApplyError> {
        if self.held != hold.number {
            self.report_now(at)?;
            self.store.report_held(hold.number, at.committed)?;
            self.held = hold.number;
        }
        Ok(())
    }

    /// How far receive is, if what it will receive is live: it has all that had gathered on the source
    /// before it began, and has not reached the end.
    pub(super) fn received_before_live(&mut self) -> Result<Option<Lsn>, ApplyError> {
        let sentinel = *self.look()?;
        let written = sentinel.write_lsn;
        if written != self.written.0 {
            self.written = (written, Instant::now());
        }
        let Some(backlog) = self.store.backlog()? else {
            // It connects, or cannot, and would not better in live replay.
            self.written.1 = Instant::now();
            return Ok(None);
        };
        let is_live = written >= backlog && !sentinel.is_received();
        let is_silent = self.written.1.elapsed() >= SILENT;
        Ok((is_live || is_silent).then_some(written))
    }

    /// Whether changes may be applied: the sentinel says so, and the ledger is complete.
    pub(super) fn may_apply(&mut self) -> Result<bool, ApplyError> {
        Ok(self.look()?.apply && self.store.copy_allows_apply()?)
    }

    /// What the sentinel says about applying, as last seen.
    pub(super) fn allows_more(&self) -> bool {
        self.sentinel.apply
    }

    /// How far a target is that says `committed` at the start. An origin knows of commits only; that
    /// nothing else happened up to a later position is in the store, and true of a target that still
    /// has what it had then. One that was restored to an earlier state is where it says.
    pub(super) fn reached_at_start(&self, committed: Lsn) -> Result<Reached, ApplyError> {
        let reached = match committed >= self.store.committed()? {
            true => committed.max(self.sentinel.replay_lsn),
            false => committed,
        };
        Ok(Reached { committed, reached })
    }

    /// Asks for rows that the stream does not carry whole.
    pub(super) fn want_rows(&mut self, rows: &[WantedRow]) -> Result<(), ApplyError> {
        Ok(self.store.want_rows(rows)?)
    }

    /// Where to end, as last seen.
    pub(super) fn endpos(&self) -> Option<Lsn> {
        self.sentinel.endpos()
    }

    /// Whether the end is reached at `reached`. If it was set a moment too late to be met exactly,
    /// then with `--current` the end becomes where the target is. Any other is taken back and apply
    /// goes on, which whoever has set it is told; one that stood there when apply began is an error.
    pub(super) fn is_at_end(&mut self, at: Reached) -> Result<bool, ApplyError> {
        let Reached { committed, reached } = at;
        self.look()?;
        let Some(endpos) = self
            .endpos()
            .filter(|_| endpos_is_reached(reached, self.endpos()))
        else {
            return Ok(false);
        };
        if committed > endpos {
            if !self.sentinel.endpos_movable {
                let late = ApplyError::PastEndpos {
                    endpos,
                    applied: committed,
                };
                if self.first_endpos == Some(endpos) {
                    return Err(late);
                }
                tracing::warn!("{late}: it is taken back, and changes are applied as before");
                self.store.take_back_endpos(endpos, reached)?;
                self.sentinel = self.store.sentinel()?;
                self.report_now(at)?;
                return Ok(false);
            }
            self.store.raise_endpos(committed)?;
            self.sentinel = self.store.sentinel()?;
        }
        Ok(true)
    }

    /// What the target must have: segments were removed because it had confirmed that.
    pub(super) fn pruned(&self) -> Result<Lsn, ApplyError> {
        Ok(self.store.pruned()?)
    }

    /// Changes that found the target otherwise than the source was have been committed.
    pub(super) fn count_conflicts(&mut self, more: u64) -> Result<(), ApplyError> {
        if more > 0 {
            self.store.count_conflicts(more)?;
        }
        Ok(())
    }

    /// Reports to the store, unless it was told just now.
    pub(super) fn report(&mut self, reached: Reached) -> Result<(), ApplyError> {
        let news = (reached.reached, self.sentinel.endpos);
        // An endpos that has just been seen is acknowledged at once: someone may wait for it.
        let urgent = news.1 != self.reported.1;
        let within = match reached.reached > reached.committed {
            true => REPORT_PAST,
            false => REPORT,
        };
        if news == self.reported || (!urgent && self.reported_at.elapsed() < within) {
            return Ok(());
        }
        self.report_now(reached)
    }

    /// Reports to the store.
    pub(super) fn report_now(&mut self, at: Reached) -> Result<(), ApplyError> {
        let Reached { committed, reached } = at;
        self.store
            .report_replayed(reached, committed, self.sentinel.endpos)?;
        self.reported = (reached, self.sentinel.endpos);
        self.reported_at = Instant::now();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::WorkDir;

    /// Two of one directory, as two processes have it.
    fn stores() -> (tempfile::TempDir, Store, Store) {
        let root = tempfile::tempdir().expect("a folder");
        let work_dir = WorkDir::new(root.path().join("work"), root.path().join("work/cdc"));
        work_dir.create().expect("made");
        let [first, second] =
            [(); 2].map(|()| Store::create(&work_dir.store_path()).expect("a store"));
        (root, first, second)
    }

    #[test]
    fn a_start_takes_nothing_back_that_the_target_still_has() {
        let (_root, _, mut store) = stores();
        let (committed, replayed) = (Lsn::new(100), Lsn::new(200));
        store
            .report_replayed(replayed, committed, Lsn::ZERO)
            .expect("reported");
        let steering = Steering::new(store).expect("steering");
        for (said, reached) in [(100, 200), (150, 200), (250, 250), (50, 50), (0, 0)] {
            let at = steering.reached_at_start(Lsn::new(said)).expect("read");
            assert_eq!(
                (at.committed, at.reached),
                (Lsn::new(said), Lsn::new(reached))
            );
        }
    }

    #[test]
    fn live_replay_begins_behind_the_backlog_and_not_in_front_of_the_end() {
        let (_root, mut receive, store) = stores();
        let mut steering = Steering::new(store).expect("steering");
        let mut begins = |backlog: Option<u64>, written: u64, endpos: u64| {
            let written = Lsn::new(written);
            receive.set_backlog(backlog.map(Lsn::new)).expect("set");
            receive.report_received(written, written).expect("reported");
            receive.set_endpos(Lsn::new(endpos), false).expect("set");
            steering.received_before_live().expect("read").is_some()
        };
        assert!(!begins(None, 100, 0), "receive has not begun");
        assert!(!begins(Some(200), 150, 0), "half of the backlog");
        assert!(begins(Some(200), 200, 0), "all of it");
        assert!(begins(Some(200), 250, 300), "the end may be far");
        assert!(!begins(Some(200), 300, 300), "the end is on this disk");
    }

    #[test]
    fn live_replay_does_not_wait_for_a_silent_receive() {
        let (_root, mut receive, store) = stores();
        let mut steering = Steering::new(store).expect("steering");
        let mut live_after_silence = |backlog: Option<Lsn>| {
            receive.set_backlog(backlog).expect("set");
            steering.written.1 = Instant::now() - SILENT;
            steering.received_before_live().expect("read")
        };
        assert_eq!(live_after_silence(None), None, "it has not begun");
        assert_eq!(live_after_silence(Some(Lsn::new(200))), Some(Lsn::ZERO));
    }
}
