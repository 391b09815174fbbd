//! An epoch: one snapshot of the source, exported, and the session that holds it.
//!
//! Tables are never read under the snapshot that creating a slot exports: on some minor releases
//! that sets wrong hint bits on the source, and on busy servers it fails. An ordinary snapshot,
//! taken after the slot and known by its text, is exact by visibility instead; see
//! [`crate::base::snapshot`].
//!
//! The snapshot may be one that somebody else has exported. The keeper takes it over and exports
//! it anew, so that from then on it lasts for as long as the keeper does.

use std::time::Duration;

use crate::base::ident::quote_literal;
use crate::base::snapshot::Snapshot;
use crate::base::{Lsn, Remedy};
use crate::pg::{self, Address, Error, Session};

/// How long transactions that end while the slot is made may take to leave the process array.
const GUARD_TRIES: u32 = 600;
const GUARD_WAIT: Duration = Duration::from_millis(100);

/// How long the source's WAL writer may take to flush what asynchronous commits left.
const FLUSH_TRIES: u32 = 600;

const BEGIN: &str = "BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ";

/// There is no snapshot to read under.
#[derive(Debug, thiserror::Error)]
pub enum EpochError {
    /// The source failed.
    #[error("taking a snapshot on the source")]
    Source(#[source] pg::Error),
    /// Nobody holds the snapshot that was named.
    #[error("taking over snapshot \"{id}\" of the source")]
    Gone {
        /// Its id.
        id: String,
        /// What the source says.
        #[source]
        source: pg::Error,
    },
    /// What was named cannot be the id of a snapshot.
    #[error("\"{0}\" is not the id of an exported snapshot, such as 00000003-0000001B-1")]
    NoId(String),
    /// The snapshot that was named is from before the slot.
    #[error(
        "snapshot \"{id}\" of the source is from before the replication slot: it does not see \
         everything that was committed when the slot was made, and the slot does not stream it"
    )]
    BeforeSlot {
        /// Its id.
        id: String,
    },
}

impl EpochError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            EpochError::Source(error) => error.remedy(),
            EpochError::Gone { .. } | EpochError::BeforeSlot { .. } => Remedy::AskOperator,
            EpochError::NoId(_) => Remedy::FixArguments,
        }
    }

    /// What the operator can do.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            EpochError::Source(error) => return error.hint(),
            EpochError::Gone { .. } => {
                "whoever has exported it must still hold it, in this database of this very server; \
                 pgflit snapshot exports one and holds it"
            }
            EpochError::NoId(_) => "pgflit snapshot prints one, and so does pg_export_snapshot()",
            EpochError::BeforeSlot { .. } => {
                "leave --snapshot out; or have pgflit snapshot --follow make slot and snapshot, in \
                 this order"
            }
        };
        Some(hint.to_owned())
    }
}

/// A snapshot of the source, held until dropped.
#[derive(Debug)]
pub struct Epoch {
    /// Counted from 1 within a migration.
    pub number: u32,
    /// The id under which other sessions import it.
    pub id: String,
    /// What it sees.
    pub snapshot: Snapshot,
    /// Everything that it sees is committed before this position, and flushed.
    pub insert_lsn: Lsn,
    /// Whether the source is a standby, where the text of a snapshot does not say which
    /// transactions were running.
    pub on_standby: bool,
    /// Holds the transaction, and with it the snapshot.
    keeper: Session,
}

impl Epoch {
    /// Opens epoch `number`. With a slot, everything visible at the slot's consistent point,
    /// `slot_snapshot`, is visible in it: else changes between the two would be in neither.
    pub async fn open(
        source: &Address,
        number: u32,
        slot_snapshot: Option<&Snapshot>,
    ) -> Result<Self, EpochError> {
        let failed = EpochError::Source;
        let keeper = Keeper::connect(source).await.map_err(failed)?;
        for _ in 0..GUARD_TRIES {
            keeper.session.batch(BEGIN).await.map_err(failed)?;
            let exported = keeper.export().await.map_err(failed)?;
            if slot_snapshot.is_none_or(|slot| exported.snapshot.covers(slot)) {
                return Self::of(source, keeper, number, exported)
                    .await
                    .map_err(failed);
            }
            keeper.session.batch("ROLLBACK").await.map_err(failed)?;
            tokio::time::sleep(GUARD_WAIT).await;
        }
        Err(failed(Error::Protocol(
            "a transaction that had committed when the slot was made is still not visible".into(),
        )))
    }

    /// Opens epoch `number` under the snapshot `id`, which somebody else has exported and holds.
    pub async fn take_over(
        source: &Address,
        number: u32,
        id: &str,
        slot_snapshot: Option<&Snapshot>,
    ) -> Result<Self, EpochError> {
        if !is_id(id) {
            return Err(EpochError::NoId(id.to_owned()));
        }
        let failed = EpochError::Source;
        let keeper = Keeper::connect(source).await.map_err(failed)?;
        let imported = keeper.session.batch(&import_sql(id)).await;
        imported.map_err(|source| match source.sqlstate() {
            Some(_) => EpochError::Gone {
                id: id.to_owned(),
                source,
            },
            None => failed(source),
        })?;
        let exported = keeper.export().await.map_err(failed)?;
        if slot_snapshot.is_some_and(|slot| !exported.snapshot.covers(slot)) {
            return Err(EpochError::BeforeSlot { id: id.to_owned() });
        }
        Self::of(source, keeper, number, exported)
            .await
            .map_err(failed)
    }

    async fn of(
        source: &Address,
        keeper: Keeper,
        number: u32,
        exported: Exported,
    ) -> Result<Self, Error> {
        let epoch = Self {
            number,
            id: exported.id,
            snapshot: exported.snapshot,
            insert_lsn: exported.position,
            on_standby: keeper.on_standby,
            keeper: keeper.session,
        };
        epoch.wait_until_flushed(source).await?;
        Ok(epoch)
    }

    /// A transaction may be visible and not yet flushed (`synchronous_commit = off`): were the
    /// source to crash now, the copy would hold what the source has lost. A standby has nothing
    /// that is not flushed.
    ///
    /// An idle source's WAL writer may sleep for ten seconds while there is something to flush; a
    /// commit wakes it up, also that of a transaction that did nothing.
    async fn wait_until_flushed(&self, source: &Address) -> Result<(), Error> {
        if self.on_standby {
            return Ok(());
        }
        for attempt in 0..FLUSH_TRIES {
            if attempt == 1 {
                let waker = Session::connect(source, "snapshot").await?;
                waker.query_one("SELECT txid_current()", &[]).await?;
            }
            let sql = "SELECT pg_current_wal_flush_lsn()::text";
            let flushed: Lsn = parse(self.keeper.query_one(sql, &[]).await?.get(0))?;
            if flushed >= self.insert_lsn {
                return Ok(());
            }
            tokio::time::sleep(GUARD_WAIT).await;
        }
        Err(Error::Protocol("the source does not flush its WAL".into()))
    }

    /// A session that sees what the snapshot sees; it is the keeper's own.
    pub fn session(&self) -> &Session {
        &self.keeper
    }

    /// Asks the source for a sign of life: without one the snapshot is gone.
    pub async fn is_held(&self) -> Result<(), Error> {
        self.keeper.batch("SELECT 1").await
    }
}

/// A session that is about to hold a snapshot.
struct Keeper {
    session: Session,
    on_standby: bool,
}

impl Keeper {
    async fn connect(source: &Address) -> Result<Self, Error> {
        let session = Session::connect(source, "snapshot keeper").await?;
        let row = session.query_one("SELECT pg_is_in_recovery()", &[]).await?;
        Ok(Self {
            on_standby: row.get(0),
            session,
        })
    }

    /// Exports the snapshot of the transaction that has begun.
    async fn export(&self) -> Result<Exported, Error> {
        let current = match self.session.server_version().major() {
            13.. => "pg_current_snapshot()",
            _ => "txid_current_snapshot()",
        };
        // A standby writes no WAL; what a snapshot there sees has been replayed.
        let position = match self.on_standby {
            true => "pg_last_wal_replay_lsn()",
            false => "pg_current_wal_insert_lsn()",
        };
        let sql = format!("SELECT {current}::text, {position}::text, pg_export_snapshot()");
        let row = self.session.query_one(&sql, &[]).await?;
        Ok(Exported {
            id: row.get(2),
            snapshot: parse(row.get(0))?,
            position: parse(row.get(1))?,
        })
    }
}

/// What the server says of a snapshot that it exports.
struct Exported {
    id: String,
    snapshot: Snapshot,
    position: Lsn,
}

/// Whether `text` looks as the server's ids do: hexadecimal numbers with hyphens between.
fn is_id(text: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_hexdigit());
    text.contains('-') && text.split('-').all(is_part)
}

/// The statement by which a session takes the snapshot `id` over.
pub fn import_sql(id: &str) -> String {
    format!("{BEGIN}; SET TRANSACTION SNAPSHOT {}", quote_literal(id))
}

fn parse<T: std::str::FromStr>(text: &str) -> Result<T, Error> {
    let parsed = text.parse();
    parsed.map_err(|_| Error::Protocol(format!("the source says \"{text}\" of its snapshot")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_snapshots_id_is_told_from_one_that_is_gone() {
        for id in ["00000003-0000001B-1", "00000002-00000002-12", "000003A1-1"] {
            assert!(is_id(id), "{id}");
        }
        for text in [
            "",
            "zebra",
            "-",
            "00000003-",
            "../../x",
            "00000003-0000001B-1\n",
            "12",
        ] {
            assert!(!is_id(text), "{text:?}");
        }
    }
}
