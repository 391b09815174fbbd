//! Reading large objects under a snapshot.
//!
//! Everything goes through `pg_largeobject_metadata` and `lo_get`, which an owner may use who is no
//! superuser. `pg_largeobject`, which is the superuser's, only helps to jump over holes.

use std::collections::HashMap;

use tokio_postgres::Row;

use crate::pg::{Address, Error, Session};

use super::definition::{Grant, Object};
use super::ranges::OidRange;

/// Bytes of every object that are read with others; most objects have no more.
pub(super) const FIRST_BYTES: usize = 64 * 1024;

/// Bytes of one object that are read at a time after that. Divisible by the size of a page.
pub(super) const MORE_BYTES: usize = 1024 * 1024;

/// Objects that are read at a time: with their first bytes, what a worker holds in memory.
pub(super) const TOGETHER: i64 = 128;

/// Objects a range holds: enough that ranges are few, few enough that all workers have some.
const RANGE_OBJECTS: i64 = 1000;

/// A session with the source that sees large objects as of one moment.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) session: Session,
    pages: Pages,
}

impl Reader {
    /// Sees what the snapshot `id` sees; without one, what is there now.
    pub(super) async fn open(source: &Address, id: Option<&str>) -> Result<Self, Error> {
        let session = Session::connect(source, "large objects").await?;
        let begin = match id {
            Some(id) => crate::clone::epoch::import_sql(id),
            None => "BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ".to_owned(),
        };
        session.batch(&begin).await?;
        let pages = Pages::look(&session).await?;
        Ok(Self { session, pages })
    }

    /// Exports what this session sees; for as long as it is open.
    pub(super) async fn export(&self) -> Result<String, Error> {
        let row = self.session.query_one("SELECT pg_export_snapshot()", &[]);
        Ok(row.await?.get(0))
    }

    /// How many objects there are, and the first OID of each range.
    pub(super) async fn range_starts(&self) -> Result<(i64, Vec<u32>), Error> {
        let sql = format!(
            "SELECT oid, of FROM (SELECT oid, row_number() OVER (ORDER BY oid) AS at,
                                         count(*) OVER () AS of
                                    FROM pg_largeobject_metadata) numbered
              WHERE at % {RANGE_OBJECTS} = 1 ORDER BY oid"
        );
        let rows = self.session.query(&sql, &[]).await?;
        let count = rows.first().map_or(0, |row| row.get(1));
        Ok((count, rows.iter().map(|row| row.get(0)).collect()))
    }

    /// The next objects in `range`, in order; none if there are no more.
    pub(super) async fn objects(&self, range: OidRange) -> Result<Vec<Object>, Error> {
        let sql = "SELECT m.oid, pg_get_userbyid(m.lomowner)::text, m.lomacl IS NOT NULL,
                          obj_description(m.oid, 'pg_largeobject')
                     FROM pg_largeobject_metadata m
                    WHERE m.oid BETWEEN $1 AND $2 ORDER BY m.oid LIMIT $3";
        let rows = self
            .session
            .query(sql, &[&range.first, &range.last, &TOGETHER])
            .await?;
        self.with_grants(&rows).await
    }

    /// Those of `oids` that are there.
    pub(super) async fn objects_of(&self, oids: &[u32]) -> Result<Vec<Object>, Error> {
        let sql = "SELECT m.oid, pg_get_userbyid(m.lomowner)::text, m.lomacl IS NOT NULL,
                          obj_description(m.oid, 'pg_largeobject')
                     FROM pg_largeobject_metadata m WHERE m.oid = ANY ($1) ORDER BY m.oid";
        let rows = self.session.query(sql, &[&oids]).await?;
        self.with_grants(&rows).await
    }

    async fn with_grants(&self, rows: &[Row]) -> Result<Vec<Object>, Error> {
        let mut grants = HashMap::new();
        let granted: Vec<u32> = rows
            .iter()
            .filter(|row| row.get(2))
            .map(|row| row.get(0))
            .collect();
        if !granted.is_empty() {
            let sql = "SELECT m.oid, pg_get_userbyid(a.grantor)::text,
                              CASE WHEN a.grantee <> 0 THEN pg_get_userbyid(a.grantee)::text END,
                              a.privilege_type, a.is_grantable
                         FROM pg_largeobject_metadata m,
                              unnest(m.lomacl) WITH ORDINALITY AS item (acl, at),
                              aclexplode(ARRAY[item.acl]) a
                        WHERE m.oid = ANY ($1) ORDER BY m.oid, item.at";
            for row in self.session.query(sql, &[&granted]).await? {
                let of: &mut Vec<Grant> = grants.entry(row.get::<_, u32>(0)).or_default();
                of.push(Grant {
                    grantor: row.get(1),
                    grantee: row.get(2),
                    privilege: row.get(3),
                    with_grant_option: row.get(4),
                });
            }
        }
        let object = |row: &Row| {
            let oid = row.get(0);
            let granted: bool = row.get(2);
            Object {
                oid,
                owner: row.get(1),
                grants: granted.then(|| grants.remove(&oid).unwrap_or_default()),
                comment: row.get(3),
            }
        };
        Ok(rows.iter().map(object).collect())
    }

    /// The first [`FIRST_BYTES`] of each of `oids`; who has fewer is there as a whole.
    pub(super) async fn beginnings(&self, oids: &[u32]) -> Result<Vec<(u32, Vec<u8>)>, Error> {
        let sql = "SELECT oid, lo_get(oid, 0, $2) FROM unnest($1::oid[]) oid";
        let first = i32::try_from(FIRST_BYTES).unwrap_or(i32::MAX);
        let rows = self.session.query(sql, &[&oids, &first]).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// [`MORE_BYTES`] of `oid` from `offset` on; fewer at its end.
    pub(super) async fn more(&self, oid: u32, offset: i64) -> Result<Vec<u8>, Error> {
        let more = i32::try_from(MORE_BYTES).unwrap_or(i32::MAX);
        let sql = "SELECT lo_get($1, $2, $3)";
        let row = self.session.query_one(sql, &[&oid, &offset, &more]).await?;
        Ok(row.get(0))
    }

    /// See [`Pages::next_written`].
    pub(super) async fn next_written(&self, oid: u32, offset: i64) -> Result<i64, Error> {
        self.pages.next_written(&self.session, oid, offset).await
    }
}

/// What a server lets be known of the pages of large objects.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pages {
    /// Their size, where they may be looked at.
    page_bytes: Option<i64>,
}

impl Pages {
    pub(super) async fn look(session: &Session) -> Result<Self, Error> {
        let sql = "SELECT has_table_privilege('pg_largeobject', 'SELECT'),
                          current_setting('block_size')::bigint / 4";
        let row = session.query_one(sql, &[]).await?;
        Ok(Self {
            page_bytes: row.get::<_, bool>(0).then(|| row.get(1)),
        })
    }

    /// Where, at or after `offset`, `oid` has bytes that were ever written, if that can be told:
    /// between `offset` and there it is all zeros.
    pub(super) async fn next_written(
        self,
        session: &Session,
        oid: u32,
        offset: i64,
    ) -> Result<i64, Error> {
        let Some(page_bytes) = self.page_bytes else {
            return Ok(offset);
        };
        let page = i32::try_from(offset / page_bytes).unwrap_or(i32::MAX);
        let sql = "SELECT min(pageno) FROM pg_largeobject WHERE loid = $1 AND pageno >= $2";
        let row = session.query_one(sql, &[&oid, &page]).await?;
        let next: Option<i32> = row.get(0);
        Ok(next.map_or(offset, |page| offset.max(i64::from(page) * page_bytes)))
    }
}
