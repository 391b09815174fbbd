//! The comparison at the end of following: what differs is copied again.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::pg::{self, Session};

use super::ranges::{self, OidRange};
use super::source::{Reader, TOGETHER};
use super::transfer::{Moved, reading, transfer, writing};
use super::workers::{Sessions, in_parallel, lock};
use super::{Config, LargeObjectError};

/// Bytes of every object that are compared with those of others.
const FIRST_BYTES: i32 = 1024 * 1024;

/// Bytes of one object that are compared at a time after that: what a server holds in memory.
const MORE_BYTES: i32 = 16 * 1024 * 1024;

/// What the comparison found and did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compared {
    /// Objects made, or made again.
    pub copied: u64,
    /// Objects that the source does not have any more.
    pub removed: u64,
}

/// Makes the target's large objects those that the source has now. Objects that were on the target
/// before the copy stay. Blocks its thread while the workers run.
pub async fn compare(config: &Config) -> Result<Compared, LargeObjectError> {
    const ALL: OidRange = OidRange {
        first: 0,
        last: u32::MAX,
    };
    let look = async {
        let reader = Reader::open(&config.source, None).await?;
        reader.range_starts().await
    };
    let starts = tokio::select! {
        found = look => found.map(|(_, starts)| starts),
        () = config.shutdown.overdue() => Ok(Vec::new()),
    };
    let starts = starts.map_err(reading(ALL))?;
    let compared = Mutex::new(Compared::default());
    in_parallel(config, ranges::cut(&starts), async |sessions, range| {
        let part = compare_range(config, sessions, range).await?;
        let mut all = lock(&compared);
        all.copied += part.copied;
        all.removed += part.removed;
        Ok(())
    })?;
    let compared = *lock(&compared);
    Ok(compared)
}

async fn compare_range(
    config: &Config,
    sessions: &Sessions,
    range: OidRange,
) -> Result<Compared, LargeObjectError> {
    let Sessions { reader, writer } = sessions;
    let restored = config.restored;
    let sql = digest_sql(
        restored.owners,
        restored.owners && restored.privileges,
        restored.comments,
    );
    let here = digests(&reader.session, &sql, range);
    let there = digests(&writer.session, &sql, range);
    let (here, there) = tokio::join!(here, there);
    let (here, there) = (
        here.map_err(reading(range))?,
        there.map_err(writing(range))?,
    );
    let mut differing = Vec::new();
    for (oid, digest) in &here {
        let is_equal = there.get(oid) == Some(digest)
            && (digest.bytes < FIRST_BYTES || the_rest_is_equal(sessions, *oid).await?);
        if !is_equal {
            differing.push(*oid);
        }
    }
    let gone: Vec<u32> = there
        .keys()
        .filter(|oid| !here.contains_key(oid))
        .copied()
        .collect();
    let kept = kept(&writer.session, range).await.map_err(writing(range))?;
    if let Some(oid) = differing
        .iter()
        .find(|oid| kept.contains(oid) && there.contains_key(oid))
    {
        return Err(LargeObjectError::Taken { oid: *oid });
    }
    let gone: Vec<u32> = gone.into_iter().filter(|oid| !kept.contains(oid)).collect();
    if !gone.is_empty() {
        let removed = writer.remove(&gone).await;
        removed.map_err(writing(range))?;
    }
    let mut compared = Compared {
        copied: 0,
        removed: gone.len() as u64,
    };
    for some in differing.chunks(TOGETHER.unsigned_abs() as usize) {
        compared.copied += copy_again(sessions, some, range).await?.objects;
    }
    Ok(compared)
}

/// What is compared of an object first.
#[derive(Debug, PartialEq, Eq)]
struct Digest {
    /// The length of what `text` covers.
    bytes: i32,
    /// Of its first bytes, and of what belongs to it besides.
    text: String,
}

fn digest_sql(owners: bool, privileges: bool, comments: bool) -> String {
    let when = |is_wanted: bool, sql: &'static str| if is_wanted { sql } else { "''" };
    format!(
        "SELECT m.oid, length(b.bytes), md5(b.bytes) || ' ' || md5(concat_ws(' ', {}, {}, {}))
           FROM pg_largeobject_metadata m, lo_get(m.oid, 0, {FIRST_BYTES}) AS b (bytes)
          WHERE m.oid BETWEEN $1 AND $2",
        when(owners, "pg_get_userbyid(m.lomowner)"),
        when(
            privileges,
            "ARRAY(SELECT item::text
                     FROM unnest(coalesce(m.lomacl, acldefault('L', m.lomowner))) item ORDER BY 1)"
        ),
        when(comments, "obj_description(m.oid, 'pg_largeobject')"),
    )
}

async fn digests(
    session: &Session,
    sql: &str,
    range: OidRange,
) -> Result<BTreeMap<u32, Digest>, pg::Error> {
    let rows = session.query(sql, &[&range.first, &range.last]).await?;
    let digest = |row: &tokio_postgres::Row| {
        let digest = Digest {
            bytes: row.get(1),
            text: row.get(2),
        };
        (row.get(0), digest)
    };
    Ok(rows.iter().map(digest).collect())
}

async fn the_rest_is_equal(sessions: &Sessions, oid: u32) -> Result<bool, LargeObjectError> {
    let range = OidRange {
        first: oid,
        last: oid,
    };
    let sql = format!(
        "SELECT length(b.bytes), md5(b.bytes) FROM lo_get($1, $2, {MORE_BYTES}) AS b (bytes)"
    );
    let mut offset = i64::from(FIRST_BYTES);
    loop {
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&oid, &offset];
        let (here, there) = tokio::join!(
            sessions.reader.session.query_one(&sql, &params),
            sessions.writer.session.query_one(&sql, &params)
        );
        let (here, there) = (
            here.map_err(reading(range))?,
            there.map_err(writing(range))?,
        );
        let bytes: i32 = here.get(0);
        if bytes != there.get::<_, i32>(0) || here.get::<_, String>(1) != there.get::<_, String>(1)
        {
            return Ok(false);
        }
        if bytes < MORE_BYTES {
            return Ok(true);
        }
        offset += i64::from(bytes);
        // What is a hole on both sides need not be read.
        let (here, there) = tokio::join!(
            sessions.reader.next_written(oid, offset),
            sessions
                .writer
                .pages
                .next_written(&sessions.writer.session, oid, offset)
        );
        let (here, there) = (
            here.map_err(reading(range))?,
            there.map_err(writing(range))?,
        );
        offset = here.min(there);
    }
}

/// The target's own objects in `range`.
async fn kept(target: &Session, range: OidRange) -> Result<Vec<u32>, pg::Error> {
    let sql = "SELECT oid FROM pgflit.kept_large_object WHERE oid BETWEEN $1 AND $2";
    let rows = target.query(sql, &[&range.first, &range.last]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

async fn copy_again(
    sessions: &Sessions,
    oids: &[u32],
    range: OidRange,
) -> Result<Moved, LargeObjectError> {
    let Sessions { reader, writer } = sessions;
    let objects = reader.objects_of(oids).await.map_err(reading(range))?;
    writer.begin().await.map_err(writing(range))?;
    let moved = transfer(reader, writer, &objects, true).await?;
    writer.commit(None).await.map_err(writing(range))?;
    Ok(moved)
}
