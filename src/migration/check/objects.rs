//! What is on the source that does not move as it is, or not without something on the target.

use crate::base::{QualifiedName, Side};
use crate::catalog::column_types;
use crate::catalog::discovery::{self, USERS_OWN};
use crate::catalog::needs;
use crate::catalog::restore_list::{Objects, PG_EVENT_TRIGGER};
use crate::clone::database::{self, Wanted};
use crate::clone::method::FormatChoice;
use crate::migration::error::MigrationError;
use crate::store::TableRow;

use super::finding::{Findings, Place, counted, first_of};
use super::look::{Looked, Scene};

/// Looks at all of it.
pub(super) async fn look(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    foreign_tables(scene, found).await?;
    invalid_indexes(scene, found).await?;
    event_triggers(scene, found).await?;
    if scene.config.follow.is_some() {
        always_triggers(scene, found).await?;
        subscriptions(&scene.source, found).await?;
    }
    needed(scene, found).await?;
    formats(scene, found).await
}

fn names(rows: &[tokio_postgres::Row]) -> Vec<(u32, QualifiedName)> {
    let name = |row: &tokio_postgres::Row| {
        let name = QualifiedName::new(row.get::<_, String>(1), row.get::<_, String>(2));
        (row.get(0), name)
    };
    rows.iter().map(name).collect()
}

async fn foreign_tables(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    const ID: &str = "foreign-tables";
    let source = &scene.source;
    let sql = format!(
        "SELECT c.oid, n.nspname::text, c.relname::text
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind = 'f' AND {USERS_OWN} ORDER BY 2, 3"
    );
    let rows = source.session.query(&sql, &[]).await;
    let rows = rows.map_err(source.on("looking for foreign tables"));
    let Some(rows) = found.seen(ID, Side::Source, rows)? else {
        return Ok(());
    };
    let made = names(&rows);
    let made = made.iter().filter(|(oid, _)| scene.selection.makes(*oid));
    let made: Vec<_> = made.map(|(_, name)| name).collect();
    match made.is_empty() {
        true => found.pass(ID, Side::Source, "no table is a foreign one"),
        false => found.warn(
            ID,
            Side::Source,
            format!(
                "{} made, and read where they read now: {}",
                match made.len() {
                    1 => "1 foreign table is".to_owned(),
                    count => format!("{count} foreign tables are"),
                },
                first_of(&made)
            ),
            "see that the target reaches those servers, and has the passwords of their user mappings",
        ),
    }
    Ok(())
}

async fn invalid_indexes(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    const ID: &str = "invalid-indexes";
    let invalid = discovery::invalid_indexes(&scene.source.session).await;
    let invalid = invalid.map_err(scene.source.on("looking for invalid indexes"));
    let Some(invalid) = found.seen(ID, Side::Source, invalid)? else {
        return Ok(());
    };
    match invalid.is_empty() {
        true => found.pass(ID, Side::Source, "all indexes are valid"),
        false => found.warn(
            ID,
            Side::Source,
            format!(
                "{} invalid and not made on the target: {}",
                match invalid.len() {
                    1 => "1 index is".to_owned(),
                    count => format!("{count} indexes are"),
                },
                first_of(&invalid)
            ),
            "REINDEX those that are wanted, drop the others",
        ),
    }
    Ok(())
}

/// Those of the source only a superuser can make; those of the target fire for what is made there.
async fn event_triggers(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    const ID: &str = "event-triggers";
    let sql = "SELECT e.oid, e.evtname::text FROM pg_event_trigger e
                WHERE e.evtenabled <> 'D'
                  AND NOT EXISTS (SELECT FROM pg_depend d
                                   WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid
                                     AND d.deptype = 'e')
                ORDER BY 2";
    for looked in scene.both() {
        let rows = looked.session.query(sql, &[]).await;
        let rows = rows.map_err(looked.on("looking for event triggers"));
        let Some(rows) = found.seen(ID, looked.side, rows)? else {
            continue;
        };
        let is_kept = |oid: u32| {
            looked.side == Side::Target || !scene.selection.leaves_out(PG_EVENT_TRIGGER, oid)
        };
        let kept = rows.iter().filter(|row| is_kept(row.get(0)));
        let names: Vec<String> = kept.map(|row| row.get(1)).collect();
        match (names.is_empty(), looked.side) {
            (true, _) => found.pass(ID, looked.side, "no event trigger"),
            (false, Side::Source) if scene.target.is_superuser => found.pass(
                ID,
                looked.side,
                format!("{}, made last", counted(names.len(), "event trigger")),
            ),
            (false, Side::Source) => found.warn(
                ID,
                looked.side,
                format!(
                    "{} left out, because only a superuser may make them there: {}",
                    match names.len() {
                        1 => "1 event trigger is".to_owned(),
                        count => format!("{count} event triggers are"),
                    },
                    first_of(&names)
                ),
                "have an administrator run schema/left-out.sql of the work directory afterwards",
            ),
            (false, Side::Target) => found.warn(
                ID,
                looked.side,
                format!(
                    "{} there, and would fire for each thing that is made: {}",
                    match names.len() {
                        1 => "1 event trigger is".to_owned(),
                        count => format!("{count} event triggers are"),
                    },
                    first_of(&names)
                ),
                "ALTER EVENT TRIGGER … DISABLE until the copy is done",
            ),
        }
    }
    Ok(())
}

async fn always_triggers(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    const ID: &str = "always-triggers";
    let source = &scene.source;
    let sql = format!(
        "SELECT c.oid, n.nspname::text, c.relname::text
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p') AND {USERS_OWN}
            AND EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal
                           AND t.tgenabled IN ('A', 'R'))
          ORDER BY 2, 3"
    );
    let rows = source.session.query(&sql, &[]).await;
    let rows = rows.map_err(source.on("looking for triggers"));
    let Some(rows) = found.seen(ID, Side::Source, rows)? else {
        return Ok(());
    };
    let made = names(&rows);
    let made = made.iter().filter(|(oid, _)| scene.selection.makes(*oid));
    let made: Vec<_> = made.map(|(_, name)| name).collect();
    match made.is_empty() {
        true => found.pass(ID, Side::Source, "no trigger fires for changes that are applied"),
        false => found.warn(
            ID,
            Side::Source,
            format!(
                "{} triggers that fire for applied changes too (ALWAYS or REPLICA): {}",
                match made.len() {
                    1 => "1 table has".to_owned(),
                    count => format!("{count} tables have"),
                },
                first_of(&made)
            ),
            "what they write may be there twice: see whether they are meant for that; such tables are \
             applied row by row",
        ),
    }
    Ok(())
}

async fn subscriptions(source: &Looked, found: &mut Findings) -> Result<(), MigrationError> {
    const ID: &str = "subscriptions";
    let sql = "SELECT subname::text FROM pg_subscription
                WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
                ORDER BY 1";
    let rows = source.session.query(sql, &[]).await;
    let rows = rows.map_err(source.on("looking for subscriptions"));
    let Some(rows) = found.seen(ID, Side::Source, rows)? else {
        return Ok(());
    };
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    match names.is_empty() {
        true => found.pass(ID, Side::Source, "subscribes to nothing"),
        false => found.warn(
            ID,
            Side::Source,
            format!(
                "{} of its own that writes there: {}",
                counted(names.len(), "subscription"),
                first_of(&names)
            ),
            "changes that it brings are captured; at a cutover it is in the way: disable it before, and \
             make it anew on the target",
        ),
    }
    Ok(())
}

/// Everything of the user's that has an owner, privileges or a tablespace.
const OWNED: &str = "
    SELECT classid, oid FROM (
        SELECT 'pg_class'::regclass::oid AS classid, oid, relnamespace AS schema FROM pg_class
         WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I') AND relpersistence <> 't'
        UNION ALL SELECT 'pg_proc'::regclass, oid, pronamespace FROM pg_proc
        UNION ALL SELECT 'pg_type'::regclass, oid, typnamespace FROM pg_type
                   WHERE typtype IN ('d', 'e', 'r') OR typrelid IN (SELECT oid FROM pg_class WHERE relkind = 'c')
        UNION ALL SELECT 'pg_namespace'::regclass, oid, oid FROM pg_namespace WHERE nspname <> 'public'
    ) AS o
     WHERE EXISTS (SELECT FROM pg_namespace n WHERE n.oid = o.schema AND n.nspname !~ '^pg_'
                      AND n.nspname NOT IN ('information_schema', 'pgflit'))
       AND NOT EXISTS (SELECT FROM pg_depend d
                        WHERE d.classid = o.classid AND d.objid = o.oid AND d.deptype = 'e')";

/// Roles and tablespaces that definitions name.
async fn needed(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    let source = &scene.source;
    let doing = "looking for what its definitions name";
    let rows = source.session.query(OWNED, &[]).await;
    let Some(rows) = found.seen("roles", Side::Source, rows.map_err(source.on(doing)))? else {
        return Ok(());
    };
    let objects: Objects = rows
        .iter()
        .map(|row| (row.get::<_, u32>(0), row.get::<_, u32>(1)))
        .filter(|(catalog, oid)| !scene.selection.leaves_out(*catalog, *oid))
        .collect();
    let needs = needs::read(&source.session, &objects).await;
    let Some(mut needs) = found.seen("roles", Side::Source, needs.map_err(source.on(doing)))?
    else {
        return Ok(());
    };
    let leave = &scene.config.copy.leave;
    let mut of_database = Vec::new();
    if !scene.config.copy.skip_db_properties {
        let properties = database::read(&source.session).await;
        let doing = "reading properties of the database";
        let properties = properties.map_err(source.on(doing));
        let wanted = Wanted {
            privileges: !leave.has("--no-acl"),
            comment: false,
        };
        if let Some(properties) = found.seen("roles", Side::Source, properties)? {
            of_database = properties.roles(wanted);
        }
    }
    if leave.has("--no-owner") {
        needs.owners.clear();
    }
    if leave.has("--no-acl") {
        needs.grantees.clear();
    }
    needs.grantees.extend(of_database);
    if leave.has("--no-tablespaces") {
        needs.tablespaces.clear();
    }
    let target = &scene.target;
    let lacks = needs::lacking(&target.session, &needs).await;
    let lacks = lacks.map_err(target.on("looking for what definitions name"));
    let Some(lacks) = found.seen("roles", Side::Target, lacks)? else {
        return Ok(());
    };
    match (&lacks.roles[..], scene.config.copy.roles.is_some()) {
        ([], _) => found.pass("roles", Side::Target, "has the roles that are named"),
        (missing, true) => found.pass(
            "roles",
            Side::Target,
            format!("{} to be made (--roles)", counted(missing.len(), "role")),
        ),
        (missing, false) => found.fail(
            "roles",
            Side::Target,
            format!("these roles are not on the target: {}", first_of(missing)),
            "create them, copy them with --roles, or leave owners and privileges out with --no-owner and \
             --no-acl",
        ),
    }
    match &lacks.foreign_owners[..] {
        [] => found.pass("owners", Side::Target, "the role may make what others own"),
        owners => found.fail(
            "owners",
            Side::Target,
            format!(
                "role {} may not make objects on the target that belong to: {}",
                lacks.own_role,
                first_of(owners)
            ),
            format!(
                "have an administrator GRANT them TO {}, or own everything yourself with --no-owner",
                lacks.own_role
            ),
        ),
    }
    match &lacks.tablespaces[..] {
        [] => found.pass(
            "tablespaces",
            Side::Target,
            "has the tablespaces that are named",
        ),
        missing => found.fail(
            "tablespaces",
            Side::Target,
            format!(
                "these tablespaces are not on the target: {}",
                first_of(missing)
            ),
            "create them, or put everything in the default one with --no-tablespaces",
        ),
    }
    Ok(())
}

/// Tables with types whose bytes may mean something else elsewhere go as text.
async fn formats(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    const ID: &str = "binary-copy";
    let source = &scene.source;
    let types = column_types::read(&source.session).await;
    let types = types.map_err(source.on("reading types"));
    let Some(types) = found.seen(ID, Side::Source, types)? else {
        return Ok(());
    };
    let is_text = |table: &&TableRow| {
        types.table(&table.name).is_some_and(|shape| {
            let mut columns = shape.columns.values();
            columns.any(|of| types.sent_as(*of).is_none())
        })
    };
    let as_text = scene.tables.iter().filter(is_text);
    let names: Vec<_> = as_text.map(|table| &table.name).collect();
    match (names.is_empty(), scene.config.copy.format) {
        (true, _) => found.pass(ID, Place::Source, "all types may be copied in binary"),
        (false, FormatChoice::Auto) => found.pass(
            ID,
            Place::Source,
            format!(
                "{} copied as text, for the types of their columns: {}",
                match names.len() {
                    1 => "1 table is".to_owned(),
                    count => format!("{count} tables are"),
                },
                first_of(&names)
            ),
        ),
        (false, FormatChoice::Binary) => found.fail(
            ID,
            Place::Source,
            format!(
                "{} types that cannot be copied in binary: {}",
                match names.len() {
                    1 => "1 table has".to_owned(),
                    count => format!("{count} tables have"),
                },
                first_of(&names)
            ),
            "leave --use-copy-binary out: each table is copied in binary where that is exact",
        ),
    }
    Ok(())
}
