//! Whether both servers take as many connections as are made.

use crate::base::Side;
use crate::migration::error::MigrationError;

use super::finding::{Effect, Findings, Fix};
use super::look::{Looked, Scene};

/// Connections that pgflit makes besides its jobs: who holds the snapshot, looks, streams and steers.
const OTHERS: i64 = 6;

/// With fewer than this nothing goes on at all.
const LEAST: i64 = 3;

/// What a server still takes, and by which limit.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Free {
    count: i64,
    by: String,
}

/// Looks at both.
pub(super) async fn look(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    let copy = &scene.config.copy;
    let rows = copy.table_jobs + copy.large_object_jobs.unwrap_or_default();
    let count = |jobs: usize| i64::try_from(jobs).unwrap_or(i64::MAX - OTHERS) + OTHERS;
    let there = count(rows + copy.index_jobs.max(copy.restore_jobs));
    check(&scene.source, count(rows), found).await?;
    check(&scene.target, there, found).await
}

async fn check(looked: &Looked, needed: i64, found: &mut Findings) -> Result<(), MigrationError> {
    const ID: &str = "connections";
    let Some((most, free)) = found.seen(ID, looked.side, free(looked).await)? else {
        return Ok(());
    };
    let text = format!(
        "{} connections are free ({}), and up to {needed} are made",
        free.count.max(0),
        free.by
    );
    let hint = match looked.side {
        Side::Source => "end sessions or raise the limit, or say less with --table-jobs",
        Side::Target => {
            "end sessions or raise the limit, or say less with --table-jobs and --index-jobs"
        }
    };
    match free.count {
        count if count >= needed => {
            found.pass(ID, looked.side, format!("{count} connections are free"));
        }
        count if count >= LEAST => found.warn(ID, looked.side, text, hint),
        _ => found.fail(ID, looked.side, text, hint),
    }
    let raises = looked.is_superuser && free.by.starts_with("max_connections");
    found.mended_by(raises.then(|| {
        let enough = most + needed - free.count;
        let name = "max_connections";
        Fix::system(looked.side, name, &enough.to_string(), Effect::Restart)
    }));
    Ok(())
}

/// The least that any of the limits leaves, without what we hold ourselves; and `max_connections`.
async fn free(looked: &Looked) -> Result<(i64, Free), MigrationError> {
    // Who is connected is for everybody to see, what they do is not. Limits of databases and roles do
    // not hold for superusers.
    let sql =
        "SELECT s.most, s.most - CASE WHEN r.rolsuper THEN 0 ELSE s.reserved END - n.all_of_them,
                      CASE WHEN d.datconnlimit >= 0 AND NOT r.rolsuper
                           THEN d.datconnlimit - n.of_database END,
                      CASE WHEN r.rolconnlimit >= 0 AND NOT r.rolsuper
                           THEN r.rolconnlimit - n.of_role END
                 FROM (SELECT current_setting('max_connections')::bigint AS most,
                              current_setting('superuser_reserved_connections')::bigint
                              + coalesce(current_setting('reserved_connections', true), '0')::bigint
                                AS reserved) AS s,
                      (SELECT count(*) AS all_of_them,
                              count(*) FILTER (WHERE datname = current_database()) AS of_database,
                              count(*) FILTER (WHERE usename = current_user) AS of_role
                         FROM pg_stat_activity
                        WHERE datname IS NOT NULL AND pid <> pg_backend_pid()) AS n,
                      pg_database d, pg_roles r
                WHERE d.datname = current_database() AND r.rolname = current_user";
    let row = looked.session.query_one(sql, &[]).await;
    let row = row.map_err(looked.on("counting its connections"))?;
    let most: i64 = row.get(0);
    let limits = [
        Some((row.get::<_, i64>(1), format!("max_connections = {most}"))),
        row.get::<_, Option<i64>>(2)
            .map(|free| (free, "the limit of the database".to_owned())),
        row.get::<_, Option<i64>>(3)
            .map(|free| (free, "the limit of the role".to_owned())),
    ];
    let least = limits.into_iter().flatten().min_by_key(|(free, _)| *free);
    let (count, by) = least.unwrap_or_default();
    Ok((most, Free { count, by }))
}
