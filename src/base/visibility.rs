//! What rows that were copied contain: which of the source's transactions.
//!
//! | how the rows were read | a transaction is in them if | text |
//! |---|---|---|
//! | under a snapshot of a primary | the snapshot sees its id | `100:110:103,107` |
//! | on a standby whose replay was paused | its commit record was replayed | `replayed 0/16B3748` |
//!
//! # By what was replayed
//! The text of a snapshot means nothing on a standby: it leaves out transactions that are running.
//! What a standby shows is decided by its replay alone: a transaction becomes visible when its
//! commit record is replayed (for a prepared one, that of COMMIT PREPARED; subtransactions go with
//! their top), and at no other moment. Replay goes through the records in order, and while it is
//! paused it stands between two of them. `pg_last_wal_replay_lsn()` is then the position just after
//! the last that was replayed, L; the next begins at L or, past the header of a page, a little
//! later. So a snapshot that is taken while replay is paused at L sees exactly the transactions
//! whose commit record *starts before* L, which are those whose commit record *ends at or before*
//! L. Equality decides: a record that starts at L is the next one, and is not in the copy; one that
//! ends at L is the last one, and is.
//!
//! The stream says both: where a commit record starts (`commit_lsn` of BEGIN, where the output
//! plugin says it) and where it ends (`lsn` of COMMIT, always). They are positions of the same
//! records that the standby replays.

use std::fmt;
use std::str::FromStr;

use super::Lsn;
use super::snapshot::Snapshot;

/// Which of the source's transactions rows contain.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// Those that this snapshot of a primary sees.
    Snapshot(Snapshot),
    /// Those whose commit record ends at or before this position, where a standby's replay was
    /// paused.
    Replayed(Lsn),
}

/// Where the commit record of a streamed transaction stands, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitRecord {
    /// It starts here.
    Starts(Lsn),
    /// It ends just before this position.
    Ends(Lsn),
    /// Somewhere after this position, where the transaction's first change stands.
    After(Lsn),
}

/// Text that is no visibility.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is neither a transaction snapshot nor a replayed position")]
pub struct VisibilityParseError(String);

const REPLAYED: &str = "replayed ";

impl Visibility {
    /// Whether the rows contain what the transaction with the stream's id `xid`, which has
    /// committed, did; none if more must be known of its commit record.
    pub fn contains(&self, xid: u32, commit: CommitRecord) -> Option<bool> {
        match (self, commit) {
            (Visibility::Snapshot(snapshot), _) => Some(snapshot.sees(snapshot.widen(xid))),
            (Visibility::Replayed(at), CommitRecord::Starts(start)) => Some(start < *at),
            (Visibility::Replayed(at), CommitRecord::Ends(end)) => Some(end <= *at),
            (Visibility::Replayed(at), CommitRecord::After(first)) if first >= *at => Some(false),
            (Visibility::Replayed(_), CommitRecord::After(_)) => None,
        }
    }
}

impl FromStr for Visibility {
    type Err = VisibilityParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = match text.strip_prefix(REPLAYED) {
            Some(lsn) => lsn.parse().ok().map(Visibility::Replayed),
            None => text.parse().ok().map(Visibility::Snapshot),
        };
        parsed.ok_or_else(|| VisibilityParseError(text.to_owned()))
    }
}

impl fmt::Display for Visibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Visibility::Snapshot(snapshot) => write!(f, "{snapshot}"),
            Visibility::Replayed(lsn) => write!(f, "{REPLAYED}{lsn}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_that_ends_where_replay_stood_is_contained_and_one_that_starts_there_is_not() {
        let at = |lsn| Visibility::Replayed(Lsn::new(lsn));
        let contains = |lsn, commit| at(lsn).contains(7, commit);
        for (lsn, start, contained) in [(99, 100, false), (100, 100, false), (101, 100, true)] {
            let commit = CommitRecord::Starts(Lsn::new(start));
            assert_eq!(contains(lsn, commit), Some(contained), "{lsn} {start}");
        }
        for (lsn, end, contained) in [(99, 100, false), (100, 100, true), (101, 100, true)] {
            let commit = CommitRecord::Ends(Lsn::new(end));
            assert_eq!(contains(lsn, commit), Some(contained), "{lsn} {end}");
        }
    }

    #[test]
    fn of_a_transaction_that_began_before_its_commit_must_be_known() {
        let paused = Visibility::Replayed(Lsn::new(100));
        for (first, contained) in [(99, None), (100, Some(false)), (101, Some(false))] {
            let commit = CommitRecord::After(Lsn::new(first));
            assert_eq!(paused.contains(7, commit), contained, "{first}");
        }
        let snapshot: Visibility = "5:9:7".parse().expect("a snapshot");
        let after = CommitRecord::After(Lsn::new(1));
        assert_eq!(snapshot.contains(7, after), Some(false));
        assert_eq!(snapshot.contains(8, after), Some(true));
    }

    #[test]
    fn text_and_back_is_the_same() {
        for text in ["100:110:103,107", "replayed 1/2A"] {
            let parsed: Visibility = text.parse().expect("a visibility");
            assert_eq!(parsed.to_string(), text);
        }
        for text in ["", "replayed", "replayed ", "replayed x", "1/2A", "2:1:1"] {
            assert!(text.parse::<Visibility>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn an_earlier_pgflit_does_not_take_a_replayed_position_for_a_snapshot() {
        let text = Visibility::Replayed(Lsn::new(100)).to_string();
        assert!(text.parse::<Snapshot>().is_err());
    }
}
