//! What identifies the rows of tables in change capture, and what else could.
//!
//! The rules are those of `RelationGetIndexList` in the server's `relcache.c` and of
//! `ATExecReplicaIdentity` in its `tablecmds.c`.

use crate::base::QualifiedName;
use crate::pg::{Error, Session};
use crate::store::ReplicaIdentity;

/// A table, and what identifies its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// Its OID.
    pub oid: u32,
    /// Its name.
    pub name: QualifiedName,
    /// What it has.
    pub now: ReplicaIdentity,
    /// The narrowest that it could have and that a stream carries whole; none if there is none.
    pub best: Option<ReplicaIdentity>,
}

/// The tables with these OIDs that are there, by name.
///
/// `for_publication` is whether a publication is to carry their updates: from PostgreSQL 18 on it
/// refuses those of a table whose identity has a generated column, and FULL has them all.
pub async fn of_tables(
    source: &Session,
    oids: &[u32],
    for_publication: bool,
) -> Result<Vec<Identified>, Error> {
    let major = source.server_version().major();
    let is_generated = match major {
        12.. => "a.attgenerated <> ''",
        _ => "false",
    };
    let full_is_carried = match major {
        18.. if for_publication => {
            "NOT EXISTS (SELECT FROM pg_attribute a
                          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                            AND a.attgenerated <> '')"
        }
        _ => "true",
    };
    // From 18 on, a column may be marked as not null and hold nulls from before.
    let sql = format!(
        "SELECT c.oid, n.nspname::text, c.relname::text, c.relreplident::text,
                (SELECT x.relname::text FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
                  WHERE i.indrelid = c.oid AND i.indisreplident),
                best.is_primary, best.name, {full_is_carried}
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           LEFT JOIN LATERAL (
                SELECT i.indisprimary AS is_primary, x.relname::text AS name
                  FROM pg_index i
                  JOIN pg_class x ON x.oid = i.indexrelid
                  JOIN pg_am m ON m.oid = x.relam
                 WHERE i.indrelid = c.oid AND m.amname = 'btree' AND i.indisunique
                   AND i.indisvalid AND i.indimmediate
                   AND i.indpred IS NULL AND i.indexprs IS NULL
                   AND NOT EXISTS (
                        SELECT FROM generate_series(0, i.indnkeyatts - 1) AS place
                          LEFT JOIN pg_attribute a
                                 ON a.attrelid = c.oid AND a.attnum = i.indkey[place]
                         WHERE a.attnum IS NULL OR a.attnum < 1 OR NOT a.attnotnull
                            OR {is_generated}
                            OR EXISTS (SELECT FROM pg_constraint k
                                        WHERE k.conrelid = c.oid AND k.contype = 'n'
                                          AND NOT k.convalidated
                                          AND a.attnum = ANY (k.conkey)))
                 ORDER BY NOT i.indisprimary, i.indnkeyatts, x.relpages, x.oid LIMIT 1
                ) AS best ON true
          WHERE c.oid = ANY ($1) AND c.relkind = 'r'
          ORDER BY 2, 3"
    );
    let rows = source.query(&sql, &[&oids]).await?;
    rows.iter().map(identified).collect()
}

fn identified(row: &tokio_postgres::Row) -> Result<Identified, Error> {
    let kind: String = row.get(3);
    let now = ReplicaIdentity::of_catalog(&kind, row.get(4))
        .ok_or_else(|| Error::Protocol(format!("\"{kind}\" is no replica identity")))?;
    let best = match (
        row.get::<_, Option<bool>>(5),
        row.get::<_, Option<String>>(6),
    ) {
        (Some(true), _) => Some(ReplicaIdentity::Default),
        (_, Some(index)) => Some(ReplicaIdentity::Index(index)),
        _ => row.get::<_, bool>(7).then_some(ReplicaIdentity::Full),
    };
    Ok(Identified {
        oid: row.get(0),
        name: QualifiedName::new(row.get::<_, String>(1), row.get::<_, String>(2)),
        now,
        best,
    })
}

/// Gives the table called `name` of this server the identity, unless it has it or is not there.
/// Durable when this returns.
pub async fn set(
    session: &Session,
    name: &QualifiedName,
    identity: &ReplicaIdentity,
) -> Result<(), Error> {
    let sql = "SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relname = $2";
    let Some(row) = session.query_opt(sql, &[&name.schema, &name.name]).await? else {
        return Ok(());
    };
    let now = of_tables(session, &[row.get(0)], false).await?;
    match now.first().is_some_and(|now| now.now != *identity) {
        true => {
            let sql = identity.sql(name);
            session
                .batch(&format!("SET LOCAL synchronous_commit = on; {sql}"))
                .await
        }
        false => Ok(()),
    }
}

/// Which of these tables have an identity with a generated column, which a publication refuses from
/// PostgreSQL 18 on: the application's own updates would fail.
pub async fn refused_by_publications(source: &Session, oids: &[u32]) -> Result<Vec<u32>, Error> {
    if source.server_version().major() < 18 {
        return Ok(Vec::new());
    }
    let sql = "SELECT c.oid FROM pg_class c
                WHERE c.oid = ANY ($1)
                  AND EXISTS (SELECT FROM pg_attribute a
                               WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                                 AND a.attgenerated <> ''
                                 AND (c.relreplident = 'f'
                                      OR EXISTS (SELECT FROM pg_index i
                                                  WHERE i.indrelid = c.oid
                                                    AND CASE c.relreplident
                                                             WHEN 'd' THEN i.indisprimary
                                                             ELSE i.indisreplident END
                                                    AND a.attnum = ANY (i.indkey))))";
    let rows = source.query(sql, &[&oids]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The publications but for `ours` that carry updates or deletes of a table, by name: they would
/// have them refused if the table had no identity.
pub async fn publications_of(
    source: &Session,
    oid: u32,
    ours: &[String],
) -> Result<Vec<String>, Error> {
    let by_schema = match source.server_version().major() {
        15.. => {
            "OR EXISTS (SELECT FROM pg_publication_namespace s JOIN pg_class c ON c.relnamespace = s.pnnspid
                         WHERE s.pnpubid = p.oid AND c.oid IN (SELECT oid FROM above))"
        }
        _ => "",
    };
    let sql = format!(
        "WITH RECURSIVE above (oid) AS (
              SELECT $1::oid
               UNION
              SELECT i.inhparent FROM above JOIN pg_inherits i ON i.inhrelid = above.oid
                JOIN pg_class c ON c.oid = above.oid AND c.relispartition)
         SELECT p.pubname::text FROM pg_publication p
          WHERE (p.pubupdate OR p.pubdelete) AND p.pubname <> ALL ($2)
            AND (p.puballtables
                 OR EXISTS (SELECT FROM pg_publication_rel r
                             WHERE r.prpubid = p.oid AND r.prrelid IN (SELECT oid FROM above))
                 {by_schema})
          ORDER BY 1"
    );
    let rows = source.query(&sql, &[&oid, &ours]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Whether publication `name` lists the table.
pub async fn is_published(source: &Session, name: &str, oid: u32) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT FROM pg_publication p
                                JOIN pg_publication_rel r ON r.prpubid = p.oid
                               WHERE p.pubname = $1 AND r.prrelid = $2)";
    Ok(source.query_one(sql, &[&name, &oid]).await?.get(0))
}

/// Who has a table locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holders {
    /// For people.
    pub text: String,
    /// Whether it is autovacuum alone, which gives way to whoever waits longer than
    /// `deadlock_timeout`.
    pub is_autovacuum: bool,
}

/// Who else has the table locked at this moment, if anybody; five of them at most. Not every role may
/// see what kind of process it is: then one with the lock of autovacuum is taken for it.
pub async fn holders(source: &Session, oid: u32) -> Result<Option<Holders>, Error> {
    let sql = "SELECT string_agg(h.text, '; '), coalesce(bool_and(h.is_autovacuum), false)
                 FROM (SELECT DISTINCT
                              CASE WHEN l.pid IS NULL
                                   THEN format('prepared transaction %L', p.gid)
                                   ELSE format('pid %s (%s)', l.pid,
                                          concat_ws(', ', a.usename, nullif(a.application_name, ''),
                                                    nullif(a.backend_type, 'client backend'), a.state,
                                                    'since ' || to_char(a.xact_start, 'YYYY-MM-DD HH24:MI:SS TZ')))
                              END AS text,
                              l.pid IS NOT NULL AND l.mode = 'ShareUpdateExclusiveLock'
                              AND coalesce(a.backend_type, 'autovacuum worker')
                                  = 'autovacuum worker' AS is_autovacuum
                         FROM pg_locks l
                         LEFT JOIN pg_stat_activity a ON a.pid = l.pid
                         LEFT JOIN pg_prepared_xacts p
                                ON l.pid IS NULL AND l.virtualtransaction = '-1/' || p.transaction::text
                        WHERE l.locktype = 'relation' AND l.relation = $1 AND l.granted
                          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                          AND l.pid IS DISTINCT FROM pg_backend_pid()
                        LIMIT 5) AS h";
    let row = source.query_one(sql, &[&oid]).await?;
    let text: Option<String> = row.get(0);
    Ok(text.map(|text| Holders {
        text,
        is_autovacuum: row.get(1),
    }))
}
