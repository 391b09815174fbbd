//! How far each step of change capture has come.

use crate::base::Lsn;

/// What receive knows and reports to the source.
///
/// `flushed <= written` always: a position is flushed only after the sync of the segment that
/// holds it returned. Both are transaction boundaries. `replayed` is what apply's target has
/// confirmed, as last seen in the store; in live replay it may be ahead of `flushed`, because a
/// transaction goes into the pipe before its segment is synced. That is safe: the source keeps
/// what is not reported as flushed, and the target's origin skips what it already has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Positions {
    /// Written to a JSON segment.
    pub written: Lsn,
    /// Written and synced.
    pub flushed: Lsn,
    /// Committed on the target, confirmed.
    pub replayed: Lsn,
}

/// What may be reported to the source as flushed, so that it may recycle WAL before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ack {
    /// What is synced here: the source is free early, this disk holds the only copy for a while.
    #[default]
    Spill,
    /// Only what the target has committed: the source holds WAL, this disk need not be trusted.
    Apply,
}

impl Positions {
    /// The position to report as flushed under `ack`.
    pub fn reported_flush(&self, ack: Ack) -> Lsn {
        match ack {
            Ack::Spill => self.flushed,
            Ack::Apply => self.replayed.min(self.flushed),
        }
    }
}

/// Whether a transaction belongs to what is applied when the end is `endpos`: its commit record
/// ends at or before it.
pub fn commit_is_within(commit_end: Lsn, endpos: Option<Lsn>) -> bool {
    endpos.is_none_or(|endpos| commit_end <= endpos)
}

/// Whether everything up to `endpos` is there once `reached` is.
pub fn endpos_is_reached(reached: Lsn, endpos: Option<Lsn>) -> bool {
    endpos.is_some_and(|endpos| reached >= endpos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_ending_exactly_at_endpos_is_applied_and_the_next_is_not() {
        let at = Some(Lsn::new(100));
        assert!(commit_is_within(Lsn::new(100), at));
        assert!(!commit_is_within(Lsn::new(101), at));
        assert!(commit_is_within(Lsn::new(101), None));
        assert!(endpos_is_reached(Lsn::new(100), at));
        assert!(!endpos_is_reached(Lsn::new(99), at));
        assert!(!endpos_is_reached(Lsn::new(99), None));
    }

    #[test]
    fn with_ack_apply_nothing_is_reported_that_the_target_has_not_committed() {
        let positions = Positions {
            written: Lsn::new(30),
            flushed: Lsn::new(20),
            replayed: Lsn::new(10),
        };
        assert_eq!(positions.reported_flush(Ack::Spill), Lsn::new(20));
        assert_eq!(positions.reported_flush(Ack::Apply), Lsn::new(10));
    }
}
