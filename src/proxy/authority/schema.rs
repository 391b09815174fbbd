//! The tables of the schema `pgflit` by which traffic is moved: made where they are not there, and nobody
//! else's.

use crate::pg::{Error, Session};

/// How often it is tried again while somebody else makes the same.
const TRIES: usize = 5;

/// SQLSTATEs of who comes second: unique_violation in a catalog, duplicate_schema, duplicate_table.
const SECOND: [&str; 3] = ["23505", "42P06", "42P07"];

/// Makes those of `tables`, names and statements, that are not there.
///
/// Without a lock: any role of the database could hold that, and keep everybody out.
///
/// # Errors
/// The server refuses; or the schema or one of the tables is of a role that is neither ours nor a
/// superuser: it could have made them to steer pgflit by what stands there.
pub async fn make(session: &Session, tables: &[(&str, &str)]) -> Result<(), Error> {
    let mut tries = 0;
    loop {
        tries += 1;
        match make_missing(session, tables).await {
            Ok(()) => return check_owners(session).await,
            Err(error)
                if tries < TRIES && error.sqlstate().is_some_and(|code| SECOND.contains(&code)) => {
            }
            Err(error) => return Err(error),
        }
    }
}

async fn make_missing(session: &Session, tables: &[(&str, &str)]) -> Result<(), Error> {
    let is_there = "SELECT pg_catalog.to_regclass('pgflit.' || $1) IS NOT NULL";
    for (name, create) in tables {
        if !session
            .query_one(is_there, &[name])
            .await?
            .get::<_, bool>(0)
        {
            session
                .batch(&format!("CREATE SCHEMA IF NOT EXISTS pgflit; {create}"))
                .await?;
        }
    }
    Ok(())
}

async fn check_owners(session: &Session) -> Result<(), Error> {
    let sql = "SELECT coalesce(pg_catalog.string_agg(what || ' of ' || r.rolname, ', '), '')
                 FROM (SELECT 'the schema pgflit' AS what, nspowner AS owner
                         FROM pg_catalog.pg_namespace WHERE nspname = 'pgflit'
                        UNION ALL
                       SELECT 'pgflit.' || c.relname, c.relowner
                         FROM pg_catalog.pg_class c
                         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                        WHERE n.nspname = 'pgflit' AND c.relkind IN ('r', 'p', 'v', 'f')) AS ours
                 JOIN pg_catalog.pg_roles r ON r.oid = ours.owner
                WHERE r.rolname <> CURRENT_USER AND NOT r.rolsuper";
    let row = session.query_one(sql, &[]).await?;
    match row.get::<_, String>(0).as_str() {
        "" => Ok(()),
        owned => Err(Error::Untrusted(owned.to_owned())),
    }
}
