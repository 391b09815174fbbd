//! How far the target is behind the source, for those who want to know when it is too far.

use crate::base::Lsn;
use crate::base::milestone::LAG;
use crate::base::quantity::ByteSize;
use crate::migration::error::MigrationError;
use crate::store::Store;

/// The lag, and how much of it is too much.
#[derive(Debug)]
pub(super) struct Lag {
    limit: ByteSize,
    is_over: bool,
}

impl Lag {
    pub(super) fn over(limit: ByteSize) -> Self {
        Lag {
            limit,
            is_over: false,
        }
    }

    /// Tells of what has changed, now that the source is at `position`. While nothing may be applied
    /// there is no lag.
    pub(super) fn look(&mut self, position: Lsn, store: &Store) -> Result<(), MigrationError> {
        let sentinel = store.sentinel()?;
        if !sentinel.apply {
            return Ok(());
        }
        let behind = position.bytes_since(sentinel.replay_lsn.max(sentinel.startpos));
        if let Some(text) = self.told(behind) {
            match self.is_over {
                true => tracing::warn!(target: LAG, "{text}"),
                false => tracing::info!(target: LAG, "{text}"),
            }
        }
        Ok(())
    }

    /// What is to be told of it. Near again is half of what is too far, so that it is not told of at
    /// each turn.
    fn told(&mut self, behind: u64) -> Option<String> {
        let behind_text = ByteSize(behind);
        match (self.is_over, behind) {
            (false, behind) if behind >= self.limit.0 => {
                self.is_over = true;
                Some(format!(
                    "the target is {behind_text} of WAL behind the source, more than {}",
                    self.limit
                ))
            }
            (true, behind) if behind <= self.limit.0 / 2 => {
                self.is_over = false;
                Some(format!(
                    "the target is near again: {behind_text} of WAL behind the source"
                ))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lag_is_told_once_and_its_end_too() {
        let mut lag = Lag::over(ByteSize(1000));
        let told: Vec<bool> = [0, 999, 1000, 5000, 501, 999, 500, 0, 1000]
            .iter()
            .map(|behind| lag.told(*behind).is_some())
            .collect();
        assert_eq!(
            told,
            [false, false, true, false, false, false, true, false, true]
        );
    }
}
