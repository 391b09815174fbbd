//! What the slot needs, and what would hold it up.

use crate::base::Side;
use crate::base::quantity::ByteSize;
use crate::migration::error::MigrationError;
use crate::migration::preflight;

use super::finding::{Findings, counted, first_of};
use super::look::{Following, Looked, Scene};

/// The making of a slot waits for all transactions that are running; longer than this is worth a
/// line.
const LONG_SECONDS: i64 = 10;

/// A slot keeps rows from being vacuumed in the catalogs, and a copy in all tables, for as long as it
/// takes: beyond this many transactions too little is left until the server stops taking writes.
const AGE_MAX: i64 = 1_000_000_000;

/// Looks, where changes are to be captured.
pub(super) async fn look(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    wraparound(&scene.source, found).await?;
    let Some(follow) = &scene.config.follow else {
        return Ok(());
    };
    let source = &scene.source;
    names(scene, follow, found).await?;
    other_slots(source, &follow.slot, found).await?;
    prepared_transactions(source, found).await?;
    long_transactions(source, found).await
}

/// What is to be made, and so must not be there.
async fn names(
    scene: &Scene<'_>,
    follow: &Following,
    found: &mut Findings,
) -> Result<(), MigrationError> {
    let source = &scene.source.session;
    let asked = preflight::check_slot_name(source, &follow.slot).await;
    let text = format!("the name \"{}\" is free", follow.slot);
    found.unless_refused("slot-name", Side::Source, text, asked)?;
    let asked = preflight::check_plugin(source, follow.plugin).await;
    let text = format!("{} may be used", follow.plugin);
    found.unless_refused("output-plugin", Side::Source, text, asked)?;
    if let Some(publication) = &follow.publication {
        let asked = preflight::check_publication(source, publication).await;
        let text = format!("the name \"{publication}\" is free");
        found.unless_refused("publication", Side::Source, text, asked)?;
    }
    let asked = preflight::check_origin(&scene.target.session, &follow.origin).await;
    let text = format!("the name \"{}\" is free", follow.origin);
    found.unless_refused("origin", Side::Target, text, asked)?;
    if let Some(endpos) = follow.endpos {
        match preflight::check_endpos(source, endpos).await {
            Err(error @ MigrationError::EndposTooEarly { .. }) => found.fail(
                "endpos",
                Side::Source,
                error.to_string(),
                error.hint().unwrap_or_default(),
            ),
            asked => {
                let text = format!("{endpos} is still to come");
                found.unless_refused("endpos", Side::Source, text, asked)?;
            }
        }
    }
    Ok(())
}

/// Others that hold WAL for nobody, and those whose readers stay with the old server.
async fn other_slots(
    source: &Looked,
    own: &str,
    found: &mut Findings,
) -> Result<(), MigrationError> {
    const ID: &str = "other-slots";
    // On a standby there is no position to write at.
    let sql = "SELECT slot_name::text, active, slot_type = 'logical',
                      pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                                           ELSE pg_current_wal_lsn() END, restart_lsn)::bigint
                 FROM pg_replication_slots WHERE slot_name <> $1 ORDER BY 4 DESC NULLS LAST, 1";
    let rows = source.session.query(sql, &[&own]).await;
    let rows = rows.map_err(source.on("looking at its slots"));
    let Some(rows) = found.seen(ID, Side::Source, rows)? else {
        return Ok(());
    };
    let idle = rows.iter().filter(|row| !row.get::<_, bool>(1));
    let idle: Vec<String> = idle
        .map(|row| {
            let bytes = row.get::<_, Option<i64>>(3).unwrap_or_default();
            let bytes = ByteSize(u64::try_from(bytes).unwrap_or_default());
            format!("{} ({bytes} of WAL)", row.get::<_, String>(0))
        })
        .collect();
    let logical = rows.iter().filter(|row| row.get(1) && row.get(2));
    let logical: Vec<String> = logical.map(|row| row.get(0)).collect();
    match (&idle[..], &logical[..]) {
        ([], []) => found.pass(ID, Side::Source, "no other slot that matters"),
        ([], logical) => found.warn(
            ID,
            Side::Source,
            format!(
                "{} read by others: {}",
                match logical.len() {
                    1 => "1 logical slot is".to_owned(),
                    count => format!("{count} logical slots are"),
                },
                first_of(logical)
            ),
            "whoever reads them must be told of the target when traffic has moved",
        ),
        (idle, _) => found.warn(
            ID,
            Side::Source,
            format!(
                "{} that nobody reads: {}",
                counted(idle.len(), "slot"),
                first_of(idle)
            ),
            "drop those that nobody comes back to (pg_drop_replication_slot): they hold WAL until the \
             disk is full",
        ),
    }
    Ok(())
}

async fn prepared_transactions(
    source: &Looked,
    found: &mut Findings,
) -> Result<(), MigrationError> {
    const ID: &str = "prepared-transactions";
    let sql = "SELECT format('%L (of %s, %s)', gid, owner, database) FROM pg_prepared_xacts
                ORDER BY prepared";
    let rows = source.session.query(sql, &[]).await;
    let rows = rows.map_err(source.on("looking for prepared transactions"));
    let Some(rows) = found.seen(ID, Side::Source, rows)? else {
        return Ok(());
    };
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    match names.is_empty() {
        true => found.pass(ID, Side::Source, "no prepared transaction"),
        false => found.fail(
            ID,
            Side::Source,
            format!(
                "{}, which the making of the slot waits for: {}",
                counted(names.len(), "prepared transaction"),
                first_of(&names)
            ),
            "COMMIT PREPARED or ROLLBACK PREPARED, if nobody else does",
        ),
    }
    Ok(())
}

async fn long_transactions(source: &Looked, found: &mut Findings) -> Result<(), MigrationError> {
    const ID: &str = "long-transactions";
    // Those of other roles are not for everybody to see: then only that they are there.
    let sql = "SELECT format('pid %s (%s)', pid,
                             concat_ws(', ', usename, datname, nullif(application_name, ''), state,
                                       extract(epoch FROM clock_timestamp() - xact_start)::bigint || ' s'))
                 FROM pg_stat_activity
                WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
                  AND clock_timestamp() - xact_start > $1::bigint * interval '1 second'
                ORDER BY xact_start";
    let rows = source.session.query(sql, &[&LONG_SECONDS]).await;
    let rows = rows.map_err(source.on("looking for long transactions"));
    let Some(rows) = found.seen(ID, Side::Source, rows)? else {
        return Ok(());
    };
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    if !names.is_empty() {
        found.warn(
            ID,
            Side::Source,
            format!(
                "{} that have written are open for more than {LONG_SECONDS} s: {}",
                counted(names.len(), "transaction"),
                first_of(&names)
            ),
            "the making of the slot waits for them: let them end, or end them with \
             pg_terminate_backend",
        );
        return Ok(());
    }
    let sql = "SELECT pg_has_role('pg_read_all_stats', 'USAGE')
                      OR current_setting('is_superuser')::bool";
    let row = source.session.query_one(sql, &[]).await;
    let row = row.map_err(source.on("looking for long transactions"));
    if let Some(row) = found.seen(ID, Side::Source, row)? {
        match row.get(0) {
            true => found.pass(
                ID,
                Side::Source,
                format!("none that has written is open for more than {LONG_SECONDS} s"),
            ),
            false => found.unseen(
                ID,
                Side::Source,
                "transactions of other roles could not be seen",
                "have an administrator GRANT pg_read_all_stats to the role, or look by hand",
            ),
        }
    }
    Ok(())
}

async fn wraparound(source: &Looked, found: &mut Findings) -> Result<(), MigrationError> {
    const ID: &str = "wraparound";
    let sql =
        "SELECT age(datfrozenxid)::bigint FROM pg_database WHERE datname = current_database()";
    let row = source.session.query_one(sql, &[]).await;
    let row = row.map_err(source.on("looking at the age of its transactions"));
    let Some(row) = found.seen(ID, Side::Source, row)? else {
        return Ok(());
    };
    let age: i64 = row.get(0);
    match age > AGE_MAX {
        false => found.pass(
            ID,
            Side::Source,
            format!("its oldest transaction is {age} transactions old"),
        ),
        true => found.warn(
            ID,
            Side::Source,
            format!("its oldest transaction is {age} transactions old, of 2 billion at most"),
            "VACUUM FREEZE first: a long copy and its slot keep it from being done",
        ),
    }
    Ok(())
}
