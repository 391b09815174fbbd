//! Where traffic goes, by what the servers say.

use std::time::Duration;

use crate::base::Side;

/// What one server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Knowledge {
    /// The last attempt that brought traffic to it; zero without any.
    pub switched: u64,
    /// The last attempt to bring traffic to it that was decided, either way.
    pub decided: u64,
    /// The last attempt that put up a fence here which is not lifted.
    pub fenced: u64,
    /// The attempt to take traffic away from it that is under way; zero without one.
    pub noted: u64,
    /// How long that may take to be decided.
    pub noted_for: Duration,
}

impl Knowledge {
    /// The last attempt to take traffic away from it that may have done so.
    fn leaving(&self) -> u64 {
        self.fenced.max(self.noted)
    }
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Traffic goes there, by this attempt; zero for the source that nobody has moved it from.
    Serves(Side, u64),
    /// This attempt to move it there is under way, and not decided.
    Undecided(Side, u64),
    /// A fence says that this attempt may have taken traffic away, and nothing says how it was decided, or
    /// that it is under way.
    Unclear(Side, u64),
    /// It cannot be known without this server.
    Ask(Side),
}

impl Verdict {
    /// Of what the two say; none of a server that does not answer.
    pub fn of(source: Option<Knowledge>, target: Option<Knowledge>) -> Verdict {
        match (source, target) {
            (Some(source), Some(target)) => Verdict::of_both(source, target),
            // Nobody has brought traffic there, or nobody knows: the source says more.
            (None, Some(target)) if target.switched == 0 => Verdict::Ask(Side::Source),
            (None, Some(target)) => Verdict::of_one(Side::Target, target),
            (Some(source), None) => Verdict::of_one(Side::Source, source),
            (None, None) => Verdict::Ask(Side::Source),
        }
    }

    fn of_both(source: Knowledge, target: Knowledge) -> Verdict {
        let (side, here, other) = match target.switched > source.switched {
            true => (Side::Target, target, source),
            false => (Side::Source, source, target),
        };
        let is_open = |attempt: u64| attempt > here.switched && attempt > other.decided;
        match (is_open(here.noted), is_open(here.fenced)) {
            (true, _) => Verdict::Undecided(side.other(), here.noted),
            (false, true) => Verdict::Unclear(side.other(), here.fenced),
            (false, false) => Verdict::Serves(side, here.switched),
        }
    }

    /// `here` says so itself, unless traffic may have left it since.
    fn of_one(side: Side, here: Knowledge) -> Verdict {
        match here.leaving() > here.switched {
            true => Verdict::Ask(side.other()),
            false => Verdict::Serves(side, here.switched),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn came(switched: u64) -> Knowledge {
        Knowledge {
            switched,
            decided: switched,
            ..Knowledge::default()
        }
    }

    fn left(switched: u64, fenced: u64) -> Knowledge {
        Knowledge {
            fenced,
            ..came(switched)
        }
    }

    #[test]
    fn the_later_attempt_counts() {
        let both = |source, target| Verdict::of(Some(source), Some(target));
        let none = Knowledge::default();
        assert_eq!(both(none, none), Verdict::Serves(Side::Source, 0));
        assert_eq!(both(left(0, 1), came(1)), Verdict::Serves(Side::Target, 1));
        assert_eq!(both(came(2), left(1, 2)), Verdict::Serves(Side::Source, 2));
        assert_eq!(both(left(2, 3), came(3)), Verdict::Serves(Side::Target, 3));
    }

    #[test]
    fn an_attempt_that_nobody_has_decided_is_in_doubt() {
        let both = |source, target| Verdict::of(Some(source), Some(target));
        let none = Knowledge::default();
        assert_eq!(both(left(0, 1), none), Verdict::Unclear(Side::Target, 1));
        let noted = Knowledge {
            noted: 4,
            ..left(3, 4)
        };
        assert_eq!(both(none, noted), Verdict::Undecided(Side::Source, 4));
        // Decided against it, and the fence is not lifted yet.
        let aborted = Knowledge {
            decided: 1,
            ..Knowledge::default()
        };
        assert_eq!(both(left(0, 1), aborted), Verdict::Serves(Side::Source, 0));
    }

    #[test]
    fn one_server_alone_is_believed_unless_traffic_may_have_left_it() {
        let source = |source| Verdict::of(Some(source), None);
        assert_eq!(
            source(Knowledge::default()),
            Verdict::Serves(Side::Source, 0)
        );
        assert_eq!(source(came(2)), Verdict::Serves(Side::Source, 2));
        assert_eq!(source(left(0, 1)), Verdict::Ask(Side::Target));
        assert_eq!(source(left(2, 3)), Verdict::Ask(Side::Target));
        let target = |target| Verdict::of(None, Some(target));
        assert_eq!(target(Knowledge::default()), Verdict::Ask(Side::Source));
        assert_eq!(target(came(1)), Verdict::Serves(Side::Target, 1));
        assert_eq!(target(left(1, 2)), Verdict::Ask(Side::Source));
        assert_eq!(Verdict::of(None, None), Verdict::Ask(Side::Source));
    }
}
