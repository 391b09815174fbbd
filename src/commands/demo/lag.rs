//! How far the target is behind the source, as the sentinel tells it.

use serde::Deserialize;

use crate::base::Lsn;
use crate::base::quantity::ByteSize;

/// What `pgflit sentinel get --json` prints, as far as the demo reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Sentinel {
    /// Whether changes are applied: from the end of the base copy on.
    pub(super) apply: bool,
    /// Everything before is committed on the target.
    pub(super) replay_lsn: Option<Lsn>,
}

/// The lag over time.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lag {
    /// The last that was seen.
    pub(super) now: ByteSize,
    /// The largest seen since applying began.
    pub(super) max: ByteSize,
}

impl Lag {
    /// Takes note of how far `sentinel` is behind the source's current position. Before the first
    /// change is applied there is no lag to speak of: the copy is not there yet either.
    pub(super) fn observe(&mut self, sentinel: Sentinel, current: Lsn) {
        let Some(replayed) = sentinel.replay_lsn.filter(|lsn| !lsn.is_zero()) else {
            return;
        };
        if sentinel.apply {
            self.now = ByteSize(current.bytes_since(replayed));
            self.max = self.max.max(self.now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentinel(json: &str) -> Sentinel {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_largest_lag_is_kept() {
        let mut lag = Lag::default();
        let behind = sentinel(
            r#"{"startpos":"0/1","endpos":null,"apply":true,"write_lsn":"0/9",
                "flush_lsn":"0/9","replay_lsn":"0/100"}"#,
        );
        lag.observe(behind, Lsn::new(0x1100));
        lag.observe(behind, Lsn::new(0x200));
        assert_eq!((lag.now, lag.max), (ByteSize(0x100), ByteSize(0x1000)));
    }

    #[test]
    fn there_is_no_lag_before_anything_is_applied() {
        let mut lag = Lag::default();
        let copying = r#"{"apply":false,"replay_lsn":"0/100"}"#;
        let first = r#"{"apply":true,"replay_lsn":"0/0"}"#;
        for json in [copying, first, r#"{"apply":true}"#] {
            lag.observe(sentinel(json), Lsn::new(0x1100));
        }
        assert_eq!(lag, Lag::default());
    }
}
