//! What whoever watches remembers: the lag of the last minutes.

use std::collections::VecDeque;

use crate::migration::status::Status;
use crate::migration::status::model::State;

/// So many looks are remembered: ten minutes of one a second.
pub const LOOKS_MAX: usize = 600;

/// When changes will have caught up is guessed from so many looks.
const GUESSED_FROM: usize = 30;

/// The lag, look by look.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// When, and how many bytes.
    lag: VecDeque<(f64, u64)>,
}

impl History {
    /// Takes note of `status`.
    pub fn note(&mut self, status: &Status) {
        let open = status.streams.iter().rev();
        let mut open = open.filter(|stream| stream.state != State::Finished);
        if let Some(stream) = open.next() {
            if self.lag.len() == LOOKS_MAX {
                self.lag.pop_front();
            }
            self.lag.push_back((status.at, stream.lag_bytes));
        }
    }

    /// The lag of the last `most` looks, the oldest first.
    pub fn lag(&self, most: usize) -> Vec<u64> {
        let skipped = self.lag.len().saturating_sub(most);
        self.lag.iter().skip(skipped).map(|(_, lag)| *lag).collect()
    }

    /// The largest lag that is remembered.
    pub fn max_lag(&self) -> u64 {
        self.lag.iter().map(|(_, lag)| *lag).max().unwrap_or(0)
    }

    /// In how many seconds there will be no lag, if it goes on as it did lately; none if it does not
    /// shrink, or there is next to none.
    pub fn caught_up_in(&self) -> Option<f64> {
        let (now, lag) = *self.lag.back()?;
        let begin = self.lag.len().saturating_sub(GUESSED_FROM);
        let (then, before) = *self.lag.get(begin)?;
        let (seconds, shrunk) = (now - then, before.checked_sub(lag)?);
        let is_much = lag > 1 << 20 && seconds >= 3.0 && shrunk > 0;
        is_much.then(|| lag as f64 * seconds / shrunk as f64)
    }
}
