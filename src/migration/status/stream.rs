//! One direction in which changes go: what its work directory says of it.

use std::io::{BufRead, BufReader, Read};
use std::time::Instant;

use super::log::Logs;
use super::look::absolute;
use super::model::{Held, State, Stream};
use crate::base::{Lsn, Side};
use crate::cdc::change::Event;
use crate::cdc::json_line;
use crate::segment::{self, Kind};
use crate::store::{CATALOG_STEP, Error, Lock, ROWS_STEP, Run, Sentinel, Store, WorkDir};

/// So much of the segments is read in search of the oldest change that is not there yet: several
/// segments of usual size.
const SEARCH_MAX: u64 = 256 << 20;

/// One direction, and what was seen of it before.
#[derive(Debug)]
pub(super) struct Direction {
    pub(super) work_dir: WorkDir,
    pub(super) from: Side,
    /// Whether it begins where traffic is moved.
    is_way_back: bool,
    pub(super) logs: Logs,
    /// When it was looked at last, and how far it was.
    seen: Option<(Instant, Lsn)>,
}

/// What the store of a direction says.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) run: Run,
    pub(super) stream: Stream,
    pub(super) wal_segment_bytes: u64,
}

impl Direction {
    /// The migration's own.
    pub(super) fn first(work_dir: WorkDir) -> Self {
        Self {
            work_dir,
            from: Side::Source,
            is_way_back: false,
            logs: Logs::default(),
            seen: None,
        }
    }

    /// One that begins where traffic is moved to another side.
    pub(super) fn back(work_dir: WorkDir, from: Side) -> Self {
        Self {
            from,
            is_way_back: true,
            ..Self::first(work_dir)
        }
    }

    /// Whether somebody works here.
    pub(super) fn is_running(&self) -> bool {
        let supervisor = self.work_dir.role_lock_path("supervisor");
        Lock::is_held(&self.work_dir.lock_path()) || Lock::is_held(&supervisor)
    }

    /// What `store` says; none where no changes are captured.
    pub(super) fn look(&mut self, store: &Store) -> Result<Option<Told>, Error> {
        let Some(run) = store.run()? else {
            return Ok(None);
        };
        let Some(slot_name) = run.slot.clone() else {
            return Ok(None);
        };
        let sentinel = store.sentinel()?;
        if self.is_way_back && sentinel.startpos.is_zero() {
            // Made ready by an attempt to move traffic that is not decided yet.
            return Ok(None);
        }
        let state = match (run.finished, self.is_running()) {
            (true, _) => State::Finished,
            (false, true) => State::Running,
            (false, false) => State::Interrupted,
        };
        let replayed = sentinel.replay_lsn;
        let rate = self.rate(replayed);
        let stream = Stream {
            from: self.from,
            work_dir: absolute(&self.work_dir),
            state,
            mode: self.logs.mode.filter(|_| state == State::Running),
            held: held(store, &sentinel, state)?,
            slot_name,
            slot: None,
            apply: sentinel.apply,
            start_lsn: sentinel.startpos,
            end_lsn: sentinel.endpos(),
            current_lsn: None,
            received_lsn: sentinel.flush_lsn,
            replayed_lsn: replayed,
            lag_bytes: sentinel
                .flush_lsn
                .bytes_since(replayed.max(sentinel.startpos)),
            lag_seconds: None,
            apply_bytes_per_second: rate,
            fallbacks: self.logs.fallbacks,
            conflicts: store.conflicts()?,
        };
        Ok(Some(Told {
            wal_segment_bytes: run.wal_segment_bytes.unwrap_or(16 << 20),
            run,
            stream,
        }))
    }

    /// Applied since the last look, a second; none at the first.
    fn rate(&mut self, replayed: Lsn) -> Option<u64> {
        let now = Instant::now();
        let before = self.seen.replace((now, replayed));
        let (at, before) = before.filter(|(_, before)| !before.is_zero())?;
        let seconds = now.duration_since(at).as_secs_f64().max(1e-3);
        Some((replayed.bytes_since(before) as f64 / seconds) as u64)
    }

    /// Puts into `told` what the server has said that changes come from: where it is, at `now` by its
    /// clock.
    pub(super) fn measure(&self, told: &mut Told, current: Option<Lsn>, now: Option<f64>) {
        let stream = &mut told.stream;
        if stream.state == State::Finished {
            // What the server has written since is another direction's.
            stream.lag_bytes = 0;
            return;
        }
        stream.current_lsn = current;
        let reached = stream.replayed_lsn.max(stream.start_lsn);
        if let Some(current) = current {
            // With an end, what comes behind it is none of ours.
            let end = stream.end_lsn.map_or(current, |end| end.min(current));
            stream.lag_bytes = end.bytes_since(reached);
        }
        let is_received = stream.slot.as_ref().is_some_and(|slot| slot.active);
        stream.lag_seconds = match self.oldest_waiting(reached, told.wal_segment_bytes) {
            Some(committed) => now.map(|now| (now - committed).max(0.0)),
            // Nothing that is received waits; what is not received is on its way.
            None => is_received.then_some(0.0),
        };
    }

    /// When the first transaction behind `reached` was committed that is on this disk, in seconds
    /// since 1970 by the server's clock. What cannot be read is not told.
    fn oldest_waiting(&self, reached: Lsn, wal_segment_bytes: u64) -> Option<f64> {
        let folder = &self.work_dir.cdc;
        let holding = segment::segment_holding(folder, Kind::Json, reached, wal_segment_bytes);
        let first = holding.ok()??;
        let entries = segment::entries(folder, Kind::Json).ok()?;
        let mut left = SEARCH_MAX;
        for entry in entries.iter().filter(|entry| entry.name >= first) {
            let file = segment::open(&entry.path).ok()?;
            let mut lines = BufReader::new(file.take(left));
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).ok()? > 0 {
                left = left.saturating_sub(line.len() as u64);
                if let Some(committed) = commit_behind(&line, reached) {
                    return Some(committed);
                }
                line.clear();
            }
            if left == 0 {
                return None;
            }
        }
        None
    }
}

/// When the transaction that ends in `line` was committed, if that is behind `reached`.
fn commit_behind(line: &[u8], reached: Lsn) -> Option<f64> {
    if !line.starts_with(br#"{"action":"C""#) {
        return None;
    }
    match json_line::read(line).ok()? {
        Event::Commit(commit) if commit.lsn > reached => seconds(&commit.timestamp?),
        _ => None,
    }
}

/// A time of segments, in seconds since 1970.
fn seconds(text: &str) -> Option<f64> {
    let at = jiff::Timestamp::strptime("%Y-%m-%d %H:%M:%S%.f%z", text).ok()?;
    Some(at.as_microsecond() as f64 / 1e6)
}

fn held(store: &Store, sentinel: &Sentinel, state: State) -> Result<Option<Held>, Error> {
    if state != State::Running {
        return Ok(None);
    }
    let is_copied = !store.step_is_begun(CATALOG_STEP)? || store.step_is_done(ROWS_STEP)?;
    Ok(match (sentinel.apply, store.hold()?) {
        (false, _) if !is_copied => Some(Held::Copy),
        (false, _) => Some(Held::Sentinel),
        (true, Some(_)) => Some(Held::Comparison),
        (true, None) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_commit_behind_a_position_is_found_and_read() {
        let line = br#"{"action":"C","xid":7,"lsn":"0/200","timestamp":"2026-11-21 03:09:04.500000+0000"}"#;
        let behind = |reached| commit_behind(line, Lsn::new(reached));
        assert_eq!(behind(0x1ff), Some(1_795_230_544.5));
        assert_eq!(behind(0x200), None);
        assert_eq!(commit_behind(b"{\"action\":\"I\"", Lsn::ZERO), None);
    }
}
