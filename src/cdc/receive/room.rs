//! `--cdc-disk-limit`: when the segments take more, the source keeps its WAL instead.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::quantity::ByteSize;

use super::error::ReceiveError;
use super::keeper::Kept;
use super::writer::Shared;

/// How long the target may have nothing to replay while there is no room: then a transaction that
/// is not whole yet takes it all, and nothing will ever free some.
const NOTHING_TO_REPLAY_MAX: Duration = Duration::from_secs(30);
/// How often a wait is told again.
const TELL_AGAIN: Duration = Duration::from_secs(60);

/// Whether there is room to receive more.
#[derive(Debug)]
pub(super) struct Room {
    limit: Option<ByteSize>,
    kept: Arc<Kept>,
    waiting: Option<Wait>,
}

#[derive(Debug)]
struct Wait {
    told_at: Instant,
    /// Since when the target has had nothing to replay.
    idle_since: Option<Instant>,
}

impl Room {
    pub(super) fn new(limit: Option<ByteSize>, kept: Arc<Kept>) -> Self {
        Self {
            limit,
            kept,
            waiting: None,
        }
    }

    /// Whether to read on. Once there is none, it is there again when a tenth is free.
    pub(super) fn is_there(&mut self, shared: &Shared) -> Result<bool, ReceiveError> {
        let Some(limit) = self.limit else {
            return Ok(true);
        };
        let taken = ByteSize(self.kept.bytes());
        let Some(wait) = &mut self.waiting else {
            if taken.0 <= limit.0 {
                return Ok(true);
            }
            tell(taken, limit);
            self.waiting = Some(Wait {
                told_at: Instant::now(),
                idle_since: None,
            });
            return Ok(false);
        };
        if taken.0 <= limit.0 / 10 * 9 {
            tracing::info!("the segments take {taken}: receiving again");
            self.waiting = None;
            return Ok(true);
        }
        if wait.told_at.elapsed() >= TELL_AGAIN {
            wait.told_at = Instant::now();
            tell(taken, limit);
        }
        match shared.all_is_replayed() {
            false => wait.idle_since = None,
            true => {
                let since = *wait.idle_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= NOTHING_TO_REPLAY_MAX {
                    return Err(ReceiveError::DiskLimit { taken, limit });
                }
            }
        }
        Ok(false)
    }
}

fn tell(taken: ByteSize, limit: ByteSize) {
    tracing::warn!(
        "the segments take {taken}, more than --cdc-disk-limit {limit}: until the target has replayed some, nothing is received and the source keeps its WAL"
    );
}
