//! How much WAL the slot keeps on the source, and how near that is to too much.
//!
//! Past `max_slot_wal_keep_size` the source removes WAL that the slot needs, which ends the migration;
//! without that limit the WAL takes the source's disk, which ends more than that.

use crate::base::Lsn;
use crate::base::quantity::ByteSize;
use crate::migration::error::{MigrationError, on_source};
use crate::pg::Session;

/// Kept without a limit, this much is worth a word, and each doubling of it another. The source does
/// not say how large its disk is.
const MUCH: u64 = 16 << 30;

/// The slot, as last told.
#[derive(Debug)]
pub(super) struct Slot {
    name: String,
    told: Worry,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Worry {
    None,
    /// Kept without a limit: so many times [`MUCH`] is doubled.
    Much(u32),
    /// This share of the limit, in quarters or, of ten, nine.
    Half,
    ThreeQuarters,
    NineTenths,
    /// The next checkpoint may remove what it needs.
    AtRisk,
    /// It is removed.
    Lost,
}

/// What the source says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    bytes: u64,
    /// What may be written before WAL that it needs is removed; none without a limit.
    left: Option<u64>,
    /// `pg_replication_slots.wal_status`, from PostgreSQL 13 on.
    status: String,
}

impl Kept {
    fn worry(&self) -> Worry {
        match (self.status.as_str(), self.left) {
            ("lost", _) => Worry::Lost,
            ("unreserved", _) => Worry::AtRisk,
            (_, Some(left)) => {
                let limit = u128::from(self.bytes) + u128::from(left);
                let exceeds = |of: u128, all: u128| u128::from(self.bytes) * all >= limit * of;
                match limit {
                    0 => Worry::None,
                    _ if exceeds(9, 10) => Worry::NineTenths,
                    _ if exceeds(3, 4) => Worry::ThreeQuarters,
                    _ if exceeds(1, 2) => Worry::Half,
                    _ => Worry::None,
                }
            }
            (_, None) => match (self.bytes / MUCH).checked_ilog2() {
                Some(doublings) => Worry::Much(doublings),
                None => Worry::None,
            },
        }
    }
}

impl Slot {
    pub(super) fn named(name: String) -> Self {
        Self {
            name,
            told: Worry::None,
        }
    }

    /// Asks the source, and tells what has got worse since. Gives how far the source's WAL is.
    pub(super) async fn look(&mut self, source: &Session) -> Result<Option<Lsn>, MigrationError> {
        let said = match source.server_version().major() {
            13.. => "coalesce(wal_status, ''), safe_wal_size",
            _ => "'', NULL::bigint",
        };
        let sql = format!(
            "SELECT {said}, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint,
                    pg_current_wal_lsn()::text
               FROM pg_replication_slots WHERE slot_name = $1"
        );
        let row = source.query_opt(&sql, &[&self.name]).await;
        let Some(row) = row.map_err(on_source("looking at its slot"))? else {
            // Receive says so.
            return Ok(None);
        };
        let size = |bytes: Option<i64>| bytes.map(|bytes| u64::try_from(bytes).unwrap_or(0));
        let kept = Kept {
            status: row.get(0),
            left: size(row.get(1)),
            bytes: size(row.get(2)).unwrap_or(0),
        };
        let worry = kept.worry();
        if worry > self.told {
            tracing::warn!("{}", self.text(worry, &kept));
        }
        self.told = worry;
        Ok(row.get::<_, String>(3).parse().ok())
    }

    fn text(&self, worry: Worry, kept: &Kept) -> String {
        let (slot, bytes) = (&self.name, ByteSize(kept.bytes));
        match worry {
            Worry::Lost => format!(
                "the source has removed WAL that slot {slot} needs (max_slot_wal_keep_size): changes are lost; raise it and begin anew with --restart"
            ),
            Worry::AtRisk => format!(
                "slot {slot} keeps {bytes} of WAL on the source, more than max_slot_wal_keep_size: the next checkpoint there may remove it, and changes would be lost; raise it at once and reload"
            ),
            Worry::Much(_) => format!(
                "slot {slot} keeps {bytes} of WAL on the source, and max_slot_wal_keep_size sets no limit: see that its disk has room; a transaction that is open for long, or changes that are not received, keep it"
            ),
            _ => format!(
                "slot {slot} keeps {bytes} of WAL on the source, and from {} more on (max_slot_wal_keep_size) the source removes it, and changes are lost: end what is open there for long, see that changes are received, or raise the limit",
                ByteSize(kept.left.unwrap_or(0))
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worry(status: &str, bytes: u64, left: Option<u64>) -> Worry {
        let status = status.to_owned();
        Kept {
            bytes,
            left,
            status,
        }
        .worry()
    }

    #[test]
    fn the_nearer_the_limit_the_worse() {
        let of_hundred = |bytes| worry("reserved", bytes, Some(100 - bytes));
        assert_eq!(of_hundred(0), Worry::None);
        assert_eq!(of_hundred(49), Worry::None);
        assert_eq!(of_hundred(50), Worry::Half);
        assert_eq!(of_hundred(75), Worry::ThreeQuarters);
        assert_eq!(of_hundred(90), Worry::NineTenths);
        assert_eq!(worry("extended", 0, Some(0)), Worry::None);
        assert_eq!(worry("unreserved", 1, Some(0)), Worry::AtRisk);
        assert_eq!(worry("lost", 1, None), Worry::Lost);
        assert!(Worry::None < Worry::Half && Worry::AtRisk < Worry::Lost);
    }

    #[test]
    fn without_a_limit_each_doubling_is_worse() {
        let kept = |bytes| worry("reserved", bytes, None);
        assert_eq!(kept(MUCH - 1), Worry::None);
        assert_eq!(kept(MUCH), Worry::Much(0));
        assert_eq!(kept(2 * MUCH - 1), Worry::Much(0));
        assert_eq!(kept(2 * MUCH), Worry::Much(1));
        assert!(kept(MUCH) < kept(4 * MUCH));
    }
}
