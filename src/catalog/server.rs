//! What a server is and what the role may do on it.

use crate::pg::{Error, Session};

/// Facts about a server that decide whether a migration can begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The cluster and the database in it: the same whatever address it was reached by.
    pub system: String,
    /// Its version, as people write it.
    pub version: String,
    /// `wal_level`.
    pub wal_level: String,
    /// Whether it is a standby.
    pub is_standby: bool,
    /// Whether the role may make slots and stream.
    pub may_replicate: bool,
    /// `max_replication_slots` and how many are taken.
    pub slots: (i64, i64),
    /// `max_wal_senders` and how many are taken.
    pub wal_senders: (i64, i64),
    /// The size of WAL segments.
    pub wal_segment_bytes: u64,
}

/// Asks the server.
pub async fn look(session: &Session) -> Result<Server, Error> {
    let identifier = session
        .query_one(
            "SELECT system_identifier::text FROM pg_control_system()",
            &[],
        )
        .await;
    let identifier: String = match identifier {
        Ok(row) => row.get(0),
        // Some managed services do not let it be read; address and port then tell servers apart.
        Err(error) if error.sqlstate() == Some("42501") => {
            let sql = "SELECT coalesce(inet_server_addr()::text, 'local') || ':' ||
                              current_setting('port')";
            session.query_one(sql, &[]).await?.get(0)
        }
        Err(error) => return Err(error),
    };
    let row = session
        .query_one(
            "SELECT (SELECT oid::text FROM pg_database WHERE datname = current_database()),
                    current_setting('wal_level'), pg_is_in_recovery(),
                    (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user)
                        OR EXISTS (SELECT FROM pg_roles r
                                    WHERE r.rolname IN ('rds_replication', 'cloudsqlreplica')
                                      AND pg_has_role(r.oid, 'member')),
                    current_setting('max_replication_slots')::bigint,
                    (SELECT count(*) FROM pg_replication_slots),
                    current_setting('max_wal_senders')::bigint,
                    (SELECT count(*) FROM pg_stat_replication),
                    (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size')",
            &[],
        )
        .await?;
    Ok(Server {
        system: format!("{identifier}/{}", row.get::<_, String>(0)),
        version: session.server_version().to_string(),
        wal_level: row.get(1),
        is_standby: row.get(2),
        may_replicate: row.get(3),
        slots: (row.get(4), row.get(5)),
        wal_senders: (row.get(6), row.get(7)),
        wal_segment_bytes: row.get::<_, i64>(8).cast_unsigned(),
    })
}

/// How many large objects the role may not read, and the first of them; none if it may read all.
pub async fn unreadable_large_objects(session: &Session) -> Result<Option<(i64, u32)>, Error> {
    let sql = "SELECT count(*), min(m.oid) FROM pg_largeobject_metadata m
                WHERE NOT current_setting('lo_compat_privileges')::bool
                  AND NOT pg_has_role(m.lomowner, 'USAGE')
                  AND NOT EXISTS (SELECT FROM aclexplode(m.lomacl) a
                                   WHERE a.privilege_type = 'SELECT'
                                     AND CASE a.grantee WHEN 0 THEN true
                                              ELSE pg_has_role(a.grantee, 'USAGE') END)";
    let row = session.query_one(sql, &[]).await?;
    let first: Option<u32> = row.get(1);
    Ok(first.map(|first| (row.get(0), first)))
}

/// The OIDs of the large objects, in order: all, or those that are among `oids`.
pub async fn large_objects(session: &Session, oids: Option<&[u32]>) -> Result<Vec<u32>, Error> {
    let sql = "SELECT oid FROM pg_largeobject_metadata
                WHERE $1::oid[] IS NULL OR oid = ANY ($1) ORDER BY oid";
    let rows = session.query(sql, &[&oids]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
