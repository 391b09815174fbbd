//! What the roles may do: read everything on the source, make everything on the target.

use crate::base::{QualifiedName, Side};
use crate::catalog::privileges::{self, Kind};
use crate::clone::roles::Passwords;
use crate::migration::capture;
use crate::migration::error::MigrationError;
use crate::migration::preflight;

use super::finding::{Findings, counted, first_of};
use super::look::{Looked, Scene};

/// What the role lacks on the source, by name.
#[derive(Debug, Default)]
struct Lacks {
    tables: Vec<QualifiedName>,
    sequences: Vec<QualifiedName>,
    /// Tables whose policies hide rows from this role.
    hidden: Vec<QualifiedName>,
    /// Tables of others, which only they may publish.
    foreign: Vec<QualifiedName>,
}

/// Looks at both.
pub(super) async fn look(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    let source = &scene.source;
    if let Some(lacks) = found.seen("read-tables", Side::Source, lacks(scene).await)? {
        reading(source, &lacks, found);
        if let Some(follow) = &scene.config.follow
            && follow.publication.is_some()
        {
            publishing(source, &lacks.foreign, found).await?;
        }
    }
    if scene.config.follow.is_some() {
        let asked = preflight::check_replication(&source.server, &source.address);
        found.unless_refused("replicate", Side::Source, "the role may replicate", asked)?;
    }
    if scene.config.copy.large_object_jobs.is_some() {
        let asked = preflight::check_large_objects_readable(&source.session).await;
        let text = "all large objects may be read";
        found.unless_refused("read-large-objects", Side::Source, text, asked)?;
    }
    if scene.config.copy.roles == Some(Passwords::Copied) {
        let asked = preflight::check_role_passwords(&source.session).await;
        let text = "passwords of roles may be read";
        found.unless_refused("role-passwords", Side::Source, text, asked)?;
    }
    if scene.config.copy.source_load_limit.is_some() {
        let user = source.address.user();
        let asked = preflight::check_sees_sessions(&source.session, user).await;
        let text = "active sessions can be counted";
        found.unless_refused("source-load", Side::Source, text, asked)?;
    }
    making(scene, found).await?;
    replica_role(scene, found).await?;
    if let Some(follow) = &scene.config.follow {
        origins(&scene.target, follow.origin_is_demanded, found).await?;
    }
    Ok(())
}

async fn lacks(scene: &Scene<'_>) -> Result<Lacks, MigrationError> {
    let barred = privileges::barred(&scene.source.session).await;
    let barred = barred.map_err(scene.source.on("looking at privileges"))?;
    let selection = &scene.selection;
    let mut lacks = Lacks::default();
    for one in barred {
        match one.kind {
            Kind::Sequence => {
                if !one.is_readable && selection.makes(one.oid) {
                    lacks.sequences.push(one.name);
                }
                continue;
            }
            // pg_dump locks all tables but those of schemas that are left out.
            Kind::Table | Kind::Partitioned if !one.is_readable => {
                if !selection.schemas().contains(&one.name.schema) {
                    lacks.tables.push(one.name.clone());
                }
            }
            Kind::Table if one.is_hidden && selection.copies(one.oid) => {
                lacks.hidden.push(one.name.clone());
            }
            Kind::Table | Kind::Partitioned => {}
        }
        if !one.is_own && one.kind == Kind::Table && selection.copies(one.oid) {
            lacks.foreign.push(one.name);
        }
    }
    Ok(lacks)
}

fn reading(source: &Looked, lacks: &Lacks, found: &mut Findings) {
    let user = source.address.user();
    let grant = |what: &str| {
        format!(
            "have their owner or an administrator GRANT USAGE on the schema and SELECT on the {what} to \
             {user}; or leave their schemas out with --filters"
        )
    };
    match &lacks.tables[..] {
        [] => found.pass("read-tables", Side::Source, "all tables may be read"),
        tables => found.fail(
            "read-tables",
            Side::Source,
            format!(
                "{} may not be read by {user}: {}",
                counted(tables.len(), "table"),
                first_of(tables)
            ),
            grant("tables"),
        ),
    }
    match &lacks.sequences[..] {
        [] => found.pass("read-sequences", Side::Source, "all sequences may be read"),
        sequences => found.fail(
            "read-sequences",
            Side::Source,
            format!(
                "{} may not be read by {user}: {}",
                counted(sequences.len(), "sequence"),
                first_of(sequences)
            ),
            grant("sequences"),
        ),
    }
    match &lacks.hidden[..] {
        [] => found.pass("row-security", Side::Source, "no policy hides rows"),
        hidden => found.fail(
            "row-security",
            Side::Source,
            format!(
                "row security would hide rows of {} from {user}: {}",
                counted(hidden.len(), "table"),
                first_of(hidden)
            ),
            format!(
                "have an administrator run: ALTER ROLE {user} BYPASSRLS; or connect as the owner"
            ),
        ),
    }
}

/// A publication needs the right to make one in this database, and the tables must be one's own.
async fn publishing(
    source: &Looked,
    foreign: &[QualifiedName],
    found: &mut Findings,
) -> Result<(), MigrationError> {
    const ID: &str = "publish";
    let sql = "SELECT has_database_privilege(current_database(), 'CREATE')";
    let row = source.session.query_one(sql, &[]).await;
    let row = row.map_err(source.on("looking at privileges"));
    let Some(row) = found.seen(ID, Side::Source, row)? else {
        return Ok(());
    };
    let user = source.address.user();
    match (row.get::<_, bool>(0), foreign) {
        (true, []) => found.pass(ID, Side::Source, "a publication may be made"),
        (false, _) => found.fail(
            ID,
            Side::Source,
            format!("{user} may not make a publication in this database"),
            "have an administrator GRANT CREATE ON DATABASE to the role; or use --plugin \
             test_decoding or wal2json, which need none",
        ),
        (true, foreign) => found.fail(
            ID,
            Side::Source,
            format!(
                "{user} may not publish {} of others: {}",
                counted(foreign.len(), "table"),
                first_of(foreign)
            ),
            "have the role made a member of their owners; or use --plugin test_decoding or wal2json, \
             which need no publication",
        ),
    }
    Ok(())
}

/// Schemas are made in the database; where the source has something in `public`, that is written to.
async fn making(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    const ID: &str = "create";
    let target = &scene.target;
    let sql = "SELECT has_database_privilege(current_database(), 'CREATE'),
                      coalesce((SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace
                                 WHERE nspname = 'public'), true)";
    let row = target.session.query_one(sql, &[]).await;
    let row = row.map_err(target.on("looking at privileges"));
    let Some(row) = found.seen(ID, Side::Target, row)? else {
        return Ok(());
    };
    let user = target.address.user();
    let uses_public = scene
        .tables
        .iter()
        .any(|table| table.name.schema == "public");
    let hint = "have an administrator run: ALTER DATABASE … OWNER TO the role, or GRANT CREATE";
    match (row.get::<_, bool>(0), row.get::<_, bool>(1) || !uses_public) {
        (true, true) => found.pass(ID, Side::Target, "the role may make schemas and tables"),
        (false, _) => found.fail(
            ID,
            Side::Target,
            format!("{user} may not make schemas in this database"),
            hint,
        ),
        (true, false) => found.fail(
            ID,
            Side::Target,
            format!("{user} may not make tables in the schema public"),
            hint,
        ),
    }
    Ok(())
}

/// As a replica, a session fires no triggers and checks no foreign keys. Changes are applied so; rows
/// are copied before triggers are there.
async fn replica_role(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    const ID: &str = "session-replication-role";
    if scene.config.follow.is_none() {
        return Ok(());
    }
    let target = &scene.target;
    let user = target.address.user();
    let asked = capture::may_apply(&target.session).await;
    match asked {
        Ok(true) => found.pass(ID, Side::Target, "changes may be applied without triggers"),
        Ok(false) => found.fail(
            ID,
            Side::Target,
            format!("{user} may not set session_replication_role, with which changes are applied"),
            capture::let_apply(user),
        ),
        Err(error) => {
            let asked = Err::<(), _>(target.on("asking for session_replication_role")(error));
            found.seen(ID, Side::Target, asked)?;
        }
    }
    Ok(())
}

async fn origins(
    target: &Looked,
    is_demanded: bool,
    found: &mut Findings,
) -> Result<(), MigrationError> {
    const ID: &str = "origin-privileges";
    let sql = "SELECT bool_and(has_function_privilege(p.oid, 'EXECUTE'))
                 FROM pg_proc p
                WHERE p.pronamespace = 'pg_catalog'::regnamespace
                  AND p.proname IN ('pg_replication_origin_create',
                                    'pg_replication_origin_session_setup',
                                    'pg_replication_origin_xact_setup')";
    let row = target.session.query_one(sql, &[]).await;
    let row = row.map_err(target.on("looking at privileges"));
    let Some(row) = found.seen(ID, Side::Target, row)? else {
        return Ok(());
    };
    let may = row.get::<_, Option<bool>>(0).unwrap_or(false);
    match (may, is_demanded) {
        (true, _) => found.pass(ID, Side::Target, "replication origins may be used"),
        (false, false) => found.pass(
            ID,
            Side::Target,
            "replication origins may not be used: a table keeps the position, as exactly",
        ),
        (false, true) => found.fail(
            ID,
            Side::Target,
            format!(
                "{} may not use replication origins, and --progress-tracking demands one",
                target.address.user()
            ),
            "leave --progress-tracking out, or say table",
        ),
    }
    Ok(())
}
