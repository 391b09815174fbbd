//! Being asked to stop by an administrator, rather than by a signal.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// What becomes of clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// They are ended.
    Now,
    /// They are served until they go, however long that takes.
    WhenClientsHaveGone,
}

/// Whether the proxy is asked to stop.
#[derive(Debug, Default)]
pub struct StopRequest {
    asked: Mutex<Option<Stop>>,
    changed: Notify,
}

impl StopRequest {
    /// Asks. What is more urgent counts.
    pub fn ask(&self, stop: Stop) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if *asked != Some(Stop::Now) {
            *asked = Some(stop);
        }
        self.changed.notify_waiters();
    }

    /// What is asked; none so far.
    pub fn asked(&self) -> Option<Stop> {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns once something is asked that `is_meant`. Cancel safe.
    pub async fn wait(&self, is_meant: impl Fn(Stop) -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.asked().is_some_and(&is_meant) {
                return;
            }
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_more_urgent_request_counts() {
        let request = StopRequest::default();
        assert_eq!(request.asked(), None);
        request.ask(Stop::WhenClientsHaveGone);
        request.wait(|_| true).await;
        request.ask(Stop::Now);
        request.ask(Stop::WhenClientsHaveGone);
        request.wait(|stop| stop == Stop::Now).await;
        assert_eq!(request.asked(), Some(Stop::Now));
    }
}
