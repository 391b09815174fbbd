//! Transaction snapshots as text, and PostgreSQL's own visibility rule on them.
//!
//! This is the heart of exact copies: a streamed transaction that is *visible* in the snapshot a
//! part was copied under is already contained in the copy; any other is not. The rule is
//! `XidInMVCCSnapshot` of PostgreSQL's `src/backend/utils/time/snapmgr.c`, on 64-bit ids.

use std::fmt;
use std::str::FromStr;

/// A 64-bit transaction id: the epoch in the upper half, the 32 bits that rows and the
/// replication stream carry in the lower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FullXid(pub u64);

/// What `pg_current_snapshot()` says: `xmin:xmax:xip,xip,…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Snapshot {
    xmin: u64,
    xmax: u64,
    /// In progress when the snapshot was taken; ascending; all in `xmin..xmax`.
    xip: Vec<u64>,
}

/// Text that is not a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a transaction snapshot (xmin:xmax:xip,…)")]
pub struct SnapshotParseError(String);

impl Snapshot {
    /// Whether what `xid` committed is seen under this snapshot, provided that it committed.
    pub fn sees(&self, xid: FullXid) -> bool {
        xid.0 < self.xmin || (xid.0 < self.xmax && self.xip.binary_search(&xid.0).is_err())
    }

    /// The stream's 32 bits of the oldest transaction that may have been running: older ones were
    /// over.
    pub fn oldest_running(&self) -> u32 {
        self.xmin as u32
    }

    /// Whether everything that `earlier` sees is seen here too.
    pub fn covers(&self, earlier: &Snapshot) -> bool {
        let hidden_here = self
            .xip
            .iter()
            .copied()
            .chain(self.xmax..earlier.xmax.max(self.xmax));
        hidden_here.map(FullXid).all(|xid| !earlier.sees(xid))
    }

    /// The 64-bit id of the stream's 32-bit `xid`: the one nearest to this snapshot's horizon.
    ///
    /// Right as long as fewer than 2^31 transactions lie between, which PostgreSQL itself
    /// guarantees for ids that are still comparable.
    pub fn widen(&self, xid: u32) -> FullXid {
        let distance = xid.wrapping_sub(self.xmax as u32) as i32;
        FullXid(self.xmax.wrapping_add_signed(i64::from(distance)))
    }
}

impl FromStr for Snapshot {
    type Err = SnapshotParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let mut fields = text.trim().splitn(3, ':');
            let xmin: u64 = fields.next()?.parse().ok()?;
            // Logical decoding moves xmin on by what runs and xmax by what committed while a slot
            // was made, so its snapshot may say 1203:1202:. The server asks for xmin first.
            let xmax: u64 = fields.next()?.parse::<u64>().ok()?.max(xmin);
            let xip = match fields.next()? {
                "" => Vec::new(),
                list => list
                    .split(',')
                    .map(|xid| xid.parse::<u64>().ok())
                    .collect::<Option<Vec<_>>>()?,
            };
            let ordered = xip.windows(2).all(|pair| pair[0] < pair[1]);
            let inside = xip.iter().all(|xid| (xmin..xmax).contains(xid));
            (xmin > 0 && ordered && inside).then_some(Snapshot { xmin, xmax, xip })
        };
        parse().ok_or_else(|| SnapshotParseError(text.to_owned()))
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:", self.xmin, self.xmax)?;
        for (at, xid) in self.xip.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{xid}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(text: &str) -> Snapshot {
        text.parse().expect("a snapshot")
    }

    #[test]
    fn visibility_is_postgres_own_rule() {
        let snapshot = snapshot("100:110:103,107");
        for (xid, seen) in [
            (99, true),
            (100, true),
            (103, false),
            (104, true),
            (107, false),
            (109, true),
            (110, false),
            (200, false),
        ] {
            assert_eq!(snapshot.sees(FullXid(xid)), seen, "xid {xid}");
        }
    }

    #[test]
    fn of_a_slots_snapshot_that_ends_before_it_begins_the_beginning_counts() {
        let slots = snapshot("1203:1202:");
        assert!(slots.sees(FullXid(1202)), "as any that is below xmin");
        assert!(!slots.sees(FullXid(1203)));
        // What is written to the ledger is text that the server takes too.
        assert_eq!(slots.to_string(), "1203:1203:");
    }

    #[test]
    fn a_later_snapshot_covers_an_earlier_one_unless_a_seen_transaction_is_hidden() {
        assert!(snapshot("100:110:103").covers(&snapshot("100:105:103")));
        assert!(snapshot("100:110:103").covers(&snapshot("100:110:103,104")));
        // 103 had ended for the earlier one and has not for the later.
        assert!(!snapshot("100:110:103").covers(&snapshot("104:105:")));
        // The later one ends before what the earlier one already saw.
        assert!(!snapshot("100:104:").covers(&snapshot("100:106:105")));
        assert!(snapshot("100:105:").covers(&snapshot("100:106:105")));
    }

    #[test]
    fn stream_ids_are_widened_across_the_wrap() {
        let near_wrap = snapshot("4294967290:4294967295:");
        assert_eq!(near_wrap.widen(5), FullXid((1 << 32) + 5));
        assert_eq!(near_wrap.widen(4_294_967_000), FullXid(4_294_967_000));
        let after_wrap = snapshot("4294967300:4294967301:");
        assert_eq!(after_wrap.widen(4_294_967_290), FullXid(4_294_967_290));
        assert_eq!(after_wrap.widen(7), FullXid((1 << 32) + 7));
    }

    #[test]
    fn text_and_back_is_the_same_snapshot() {
        for text in ["3:3:", "100:110:103,107"] {
            assert_eq!(snapshot(text).to_string(), text);
        }
        for text in ["", "1:2", "2:1:1", "1:5:9", "1:5:3,3", "0:5:", "a:b:"] {
            assert!(
                text.parse::<Snapshot>().is_err(),
                "{text:?} was taken for a snapshot"
            );
        }
    }
}
