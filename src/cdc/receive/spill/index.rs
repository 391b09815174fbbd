//! Where the first piece of each subtransaction stands in a file.

use std::collections::{HashSet, VecDeque};

/// Where the first piece of each subtransaction of one file stands, in the order of the file.
///
/// The oldest may be forgotten. Those are the least likely to be asked for: what is aborted is
/// mostly what began last.
#[derive(Debug, Default)]
pub(super) struct Index {
    known: HashSet<u32>,
    firsts: VecDeque<(u32, u64)>,
    /// The latest of the subtransactions that were forgotten. One of them that writes again is
    /// taken for new, so of none up to this one is the first piece known for sure.
    forgotten: Option<u32>,
}

/// What an [`Index`] knows of a subtransaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum First {
    /// Nothing of it is in the file.
    Nowhere,
    /// Its first piece stands there.
    At(u64),
    /// Only the file itself can tell.
    Forgotten,
}

impl Index {
    /// A piece of `subxid` is about to be written at `at`; true if it is one more to remember.
    pub(super) fn add(&mut self, subxid: u32, at: u64) -> bool {
        let is_new = self.known.insert(subxid);
        if is_new {
            self.firsts.push_back((subxid, at));
        }
        is_new
    }

    pub(super) fn len(&self) -> usize {
        self.firsts.len()
    }

    pub(super) fn forget_older_half(&mut self) {
        for (subxid, _) in self.firsts.drain(..self.firsts.len() / 2) {
            self.known.remove(&subxid);
            if self.forgotten.is_none_or(|latest| follows(subxid, latest)) {
                self.forgotten = Some(subxid);
            }
        }
    }

    pub(super) fn first(&self, subxid: u32) -> First {
        if self
            .forgotten
            .is_some_and(|latest| !follows(subxid, latest))
        {
            return First::Forgotten;
        }
        if !self.known.contains(&subxid) {
            return First::Nowhere;
        }
        // What is asked for is mostly what came last.
        let found = self.firsts.iter().rev().find(|(known, _)| *known == subxid);
        found.map_or(First::Nowhere, |(_, at)| First::At(*at))
    }

    /// The file is cut at `at`.
    pub(super) fn cut(&mut self, at: u64) {
        while let Some((subxid, first)) = self.firsts.pop_back() {
            if first < at {
                self.firsts.push_back((subxid, first));
                return;
            }
            self.known.remove(&subxid);
        }
    }

    /// The file is about to be cut so that `latest` is the latest subtransaction in it.
    pub(super) fn holds_up_to(&mut self, latest: Option<u32>) {
        // Of those after it nothing is left, whether or not they were forgotten.
        self.forgotten = match (self.forgotten, latest) {
            (Some(forgotten), Some(latest)) if follows(forgotten, latest) => Some(latest),
            (forgotten, Some(_)) => forgotten,
            (_, None) => None,
        };
    }
}

/// Whether `xid` was given out after `other`; they go round.
pub(super) fn follows(xid: u32, other: u32) -> bool {
    xid.wrapping_sub(other).cast_signed() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_forgotten_is_never_taken_for_what_is_not_there() {
        let mut index = Index::default();
        for (at, subxid) in (0..).zip([u32::MAX, 1, 3, 4]) {
            assert!(index.add(subxid, at));
        }
        index.forget_older_half();
        assert_eq!(index.len(), 2);
        assert_eq!(index.first(u32::MAX), First::Forgotten);
        assert_eq!(index.first(1), First::Forgotten);
        assert_eq!(index.first(3), First::At(2));
        assert_eq!(index.first(9), First::Nowhere);
        // It writes again; where it began is still not known.
        assert!(index.add(1, 7));
        assert_eq!(index.first(1), First::Forgotten);
        index.cut(3);
        assert_eq!(index.len(), 1);
        assert_eq!(index.first(4), First::Nowhere);
        index.holds_up_to(Some(u32::MAX));
        index.cut(1);
        assert_eq!(index.first(1), First::Nowhere);
        assert_eq!(index.first(u32::MAX), First::Forgotten);
    }
}
