//! Whether the server that rows are read on has room for one more who reads.
//!
//! A copy takes what a server has left; where that is little, the application feels it. With a limit, no part
//! begins while more sessions than that are active there, ours not counted. Parts that have begun go on, so a
//! source that is busy all day is read as slowly as it must be, and it is told when that is waited for.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::pg::{self, Connection};

use super::task::Task;
use super::worker::{Connections, Worker};

/// How often a busy server is asked again: often enough for a moment between two peaks, and a question a
/// worker and second is no load.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// Sessions of applications that do something at this moment, other than pgflit's.
const ACTIVE: &str = "SELECT count(*) FROM pg_catalog.pg_stat_activity
    WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid()
      AND application_name NOT LIKE '%pgflit: %'";

impl Worker<'_> {
    /// Waits until the server that `task` is read on is no busier than it may be. False if it is time to stop.
    pub(super) async fn wait_for_room(
        &self,
        task: &Task,
        connections: &mut Option<Connections>,
    ) -> bool {
        let Some(limit) = self.config.load_limit else {
            return true;
        };
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        loop {
            let active = tokio::select! {
                active = self.active(task, connections) => active,
                () = self.overdue() => return false,
            };
            match active {
                Some(active) if active > limit => self.tell_held(task, active, limit),
                // A server that does not answer is met again by the copy, which knows what to do about it.
                Some(_) | None => {
                    if active.is_some() && self.is_held.swap(false, Ordering::Relaxed) {
                        tracing::info!("there is room on the source again: the copy goes on");
                    }
                    return !self.is_over();
                }
            }
            if self.shutdown.sleep(ASK_EVERY) || self.is_over() {
                return false;
            }
        }
    }

    async fn active(&self, task: &Task, connections: &mut Option<Connections>) -> Option<u64> {
        let open = self.connect(task, connections).await.ok()?;
        match active(&mut open.source).await {
            Ok(active) => active,
            Err(_) => {
                *connections = None;
                None
            }
        }
    }

    /// Once for all workers.
    fn tell_held(&self, task: &Task, active: u64, limit: u64) {
        if !self.is_held.swap(true, Ordering::Relaxed) {
            let there = self.reader(task).map(ToString::to_string);
            tracing::warn!(
                "{active} sessions are active on {}, more than --source-load-limit {limit}: no part of a \
                 table is begun until there are fewer",
                there.unwrap_or_default()
            );
        }
    }
}

async fn active(source: &mut Connection) -> Result<Option<u64>, pg::Error> {
    let answers = source.query(ACTIVE).await?;
    let value = answers.first().and_then(|answer| answer.rows.first());
    let value = value.and_then(|row| row.first()).and_then(Option::as_ref);
    Ok(value.and_then(|text| text.parse().ok()))
}
