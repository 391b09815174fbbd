//! One snapshot a server, held by one session and imported by the others.

use std::fmt;

use crate::base::Side;
use crate::base::ident::quote_literal;
use crate::pg::{Address, Error, Session};

use crate::verify::error::{CompareError, on};

/// What every reading transaction begins with.
pub(super) const BEGIN: &str = "BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ";

/// A server that notices when nobody listens any more ends a long question by itself; 14 and later.
const LISTEN_AGAIN: &str = "SELECT set_config(name, '2000', false) FROM pg_settings \
     WHERE name = 'client_connection_check_interval'";

/// Several sessions read at once; each is one process.
const ALONE: &str = "SET max_parallel_workers_per_gather = 0";

/// One moment of a server, until dropped.
pub(super) struct Moment {
    /// Which server.
    pub(super) side: Side,
    address: Address,
    id: String,
    /// Holds the transaction, and with it the snapshot.
    keeper: Session,
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "snapshot {} of the {}", self.id, self.side)
    }
}

impl Moment {
    /// Now.
    pub(super) async fn take(side: Side, address: &Address) -> Result<Self, CompareError> {
        let taking = async {
            let keeper = Session::connect(address, "compare, snapshot keeper").await?;
            keeper.batch(BEGIN).await?;
            Self::held_by(side, address, keeper).await
        };
        taking.await.map_err(on(side, "taking a snapshot"))
    }

    /// That which `keeper` reads under, in a transaction that has begun.
    pub(super) async fn held_by(
        side: Side,
        address: &Address,
        keeper: Session,
    ) -> Result<Self, Error> {
        let row = keeper.query_one("SELECT pg_export_snapshot()", &[]).await?;
        Ok(Self {
            side,
            address: address.clone(),
            id: row.get(0),
            keeper,
        })
    }

    /// A session for [`Moment::begin`].
    pub(super) async fn session(&self) -> Result<Session, Error> {
        let session = Session::connect(&self.address, "compare").await?;
        session.batch(ALONE).await?;
        session.batch(LISTEN_AGAIN).await?;
        Ok(session)
    }

    /// Begins a transaction that sees this moment. Each reads little: the locks of a transaction stay
    /// until its end, and a server has room for some thousand.
    pub(super) async fn begin(&self, session: &Session) -> Result<(), Error> {
        let id = quote_literal(&self.id);
        session
            .batch(&format!("{BEGIN}; SET TRANSACTION SNAPSHOT {id}"))
            .await
    }

    /// Asks the server for a sign of life: without one the moment is gone.
    pub(super) async fn is_held(&self) -> Result<(), Error> {
        self.keeper.batch("SELECT 1").await
    }
}
