//! An epoch: one snapshot of the source, exported, and the session that holds it.
//!
//! Tables are never read under the snapshot that creating a slot exports: on some minor releases
//! that sets wrong hint bits on the source, and on busy servers it fails. An ordinary snapshot,
//! taken after the slot and known by its text, is exact by visibility instead; see
//! [`crate::base::snapshot`].

use std::time::Duration;

use crate::base::Lsn;
use crate::base::snapshot::Snapshot;
use crate::pg::{Address, Error, Session};

/// How long transactions that end while the slot is made may take to leave the process array.
const GUARD_TRIES: u32 = 600;
const GUARD_WAIT: Duration = Duration::from_millis(100);

/// How long the source's WAL writer may take to flush what asynchronous commits left.
const FLUSH_TRIES: u32 = 600;

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
    ) -> Result<Self, Error> {
        let keeper = Session::connect(source, "snapshot keeper").await?;
        let current = match keeper.server_version().major() {
            13.. => "pg_current_snapshot()",
            _ => "txid_current_snapshot()",
        };
        let sql = format!(
            "SELECT {current}::text, pg_current_wal_insert_lsn()::text, pg_export_snapshot()"
        );
        for _ in 0..GUARD_TRIES {
            keeper
                .batch("BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ")
                .await?;
            let row = keeper.query_one(&sql, &[]).await?;
            let snapshot: Snapshot = parse(row.get(0))?;
            if slot_snapshot.is_none_or(|slot| snapshot.covers(slot)) {
                let insert_lsn = parse(row.get(1))?;
                let epoch = Self {
                    number,
                    id: row.get(2),
                    snapshot,
                    insert_lsn,
                    keeper,
                };
                epoch.wait_until_flushed(source).await?;
                return Ok(epoch);
            }
            keeper.batch("ROLLBACK").await?;
            tokio::time::sleep(GUARD_WAIT).await;
        }
        Err(Error::Protocol(
            "a transaction that had committed when the slot was made is still not visible".into(),
        ))
    }

    /// A transaction may be visible and not yet flushed (`synchronous_commit = off`): were the
    /// source to crash now, the copy would hold what the source has lost.
    ///
    /// An idle source's WAL writer may sleep for ten seconds while there is something to flush; a
    /// commit wakes it up, also that of a transaction that did nothing.
    async fn wait_until_flushed(&self, source: &Address) -> Result<(), Error> {
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

    /// The statement by which another session takes the snapshot over.
    pub fn import_sql(&self) -> String {
        import_sql(&self.id)
    }
}

/// The statement by which a session takes the snapshot `id` over.
pub fn import_sql(id: &str) -> String {
    format!(
        "BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT {}",
        crate::base::ident::quote_literal(id)
    )
}

fn parse<T: std::str::FromStr>(text: &str) -> Result<T, Error> {
    let parsed = text.parse();
    parsed.map_err(|_| Error::Protocol(format!("the source says \"{text}\" of its snapshot")))
}
