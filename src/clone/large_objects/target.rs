//! Writing large objects, in transactions of several, each with its mark in the ledger.

use tokio_postgres::Statement;

use crate::catalog::ledger;
use crate::pg::{Address, Error, Session};

use super::definition::{self, Object, Restored};
use super::ranges::OidRange;
use super::source::Pages;

/// A session with the target that makes objects.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) session: Session,
    create: Statement,
    put: Statement,
    creator: String,
    restored: Restored,
    pub(super) pages: Pages,
}

impl Writer {
    pub(super) async fn open(target: &Address, restored: Restored) -> Result<Self, Error> {
        let session = Session::connect(target, "large objects").await?;
        // What a crash of the target could lose by this it loses together with the ledger.
        session.batch("SET synchronous_commit = off").await?;
        let client = session.client();
        let create = "SELECT lo_from_bytea(oid, bytes) FROM unnest($1::oid[], $2::bytea[])
                          AS object (oid, bytes)";
        let create = client.prepare(create).await?;
        let put = client.prepare("SELECT lo_put($1, $2, $3)").await?;
        let creator = session.query_one("SELECT current_user::text", &[]).await?;
        Ok(Self {
            creator: creator.get(0),
            create,
            put,
            restored,
            pages: Pages::look(&session).await?,
            session,
        })
    }

    pub(super) async fn begin(&self) -> Result<(), Error> {
        self.session.batch("BEGIN").await
    }

    /// Commits what was made of `range`, if it is to be noted, with the note.
    pub(super) async fn commit(&self, range: Option<OidRange>) -> Result<(), Error> {
        if let Some(range) = range {
            let note = ledger::note_large_objects_sql(range.first, range.last);
            self.session.batch(&note).await?;
        }
        // Separately: when we are killed meanwhile, nobody asks for the commit of what a resumed
        // run has not seen there.
        self.session.batch("COMMIT").await
    }

    pub(super) async fn roll_back(&self) -> Result<(), Error> {
        self.session.batch("ROLLBACK").await
    }

    /// Removes those of `oids` that are there, and what the ledger says of them.
    pub(super) async fn remove(&self, oids: &[u32]) -> Result<(), Error> {
        let sql = "SELECT lo_unlink(oid) FROM pg_largeobject_metadata WHERE oid = ANY ($1)";
        self.session.query(sql, &[&oids]).await?;
        let sql = "DELETE FROM pgflit.kept_large_object WHERE oid = ANY ($1)";
        self.session.execute(sql, &[&oids]).await.map(drop)
    }

    /// Makes objects with these bytes.
    pub(super) async fn create(&self, oids: &[u32], bytes: &[&[u8]]) -> Result<(), Error> {
        let client = self.session.client();
        client.query(&self.create, &[&oids, &bytes]).await?;
        Ok(())
    }

    /// Writes into an object of this transaction.
    pub(super) async fn put(&self, oid: u32, offset: i64, bytes: &[u8]) -> Result<(), Error> {
        let client = self.session.client();
        client.query(&self.put, &[&oid, &offset, &bytes]).await?;
        Ok(())
    }

    /// Gives objects of this transaction their owners, privileges and comments.
    pub(super) async fn define(&self, objects: &[Object]) -> Result<(), Error> {
        let sql: String = objects
            .iter()
            .map(|object| definition::sql(object, self.restored, &self.creator))
            .collect();
        match sql.is_empty() {
            true => Ok(()),
            false => self.session.batch(&sql).await,
        }
    }
}
