//! Tables whose updates and deletes cannot be captured as they are.

use std::collections::{HashMap, HashSet};

use crate::base::{QualifiedName, Side};
use crate::catalog::discovery::USERS_OWN;
use crate::catalog::identity;
use crate::migration::error::MigrationError;
use crate::store::{Capture, TableRow};

use super::finding::{Effect, Findings, Fix, counted, first_of};
use super::look::Scene;

/// Looks, where changes are to be captured.
pub(super) async fn look(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    if scene.config.follow.is_none() {
        return Ok(());
    }
    unlogged(&scene.tables, found);
    let lacking = scene
        .tables
        .iter()
        .filter(|table| table.capture == Capture::InsertsOnly);
    let lacking: Vec<_> = lacking.collect();
    identities(scene, &lacking, found).await?;
    keys(scene, found).await
}

fn unlogged(tables: &[TableRow], found: &mut Findings) {
    const ID: &str = "unlogged-tables";
    let unlogged = tables
        .iter()
        .filter(|table| table.capture == Capture::Nothing);
    let names: Vec<_> = unlogged.map(|table| &table.name).collect();
    match names.is_empty() {
        true => found.pass(ID, Side::Source, "no table is unlogged"),
        false => found.warn(
            ID,
            Side::Source,
            format!(
                "{} unlogged: rows are copied, and no change made later: {}",
                are(names.len(), "table"),
                first_of(&names)
            ),
            "ALTER TABLE … SET LOGGED before; or copy them again once traffic has moved",
        ),
    }
}

/// `1 table is`, `5 tables are`.
fn are(count: usize, one: &str) -> String {
    let verb = match count {
        1 => "is",
        _ => "are",
    };
    format!("{} {verb}", counted(count, one))
}

async fn identities(
    scene: &Scene<'_>,
    lacking: &[&TableRow],
    found: &mut Findings,
) -> Result<(), MigrationError> {
    const ID: &str = "identities";
    if lacking.is_empty() {
        found.pass(ID, Side::Source, "all tables have a replica identity");
        return Ok(());
    }
    let source = &scene.source;
    let follow = scene.config.follow.as_ref();
    let publishes = follow.is_some_and(|follow| follow.publication.is_some());
    let oids: Vec<u32> = lacking.iter().map(|table| table.oid).collect();
    let known = identity::of_tables(&source.session, &oids, publishes).await;
    let known = known.map_err(source.on("reading replica identities"));
    let Some(known) = found.seen(ID, Side::Source, known)? else {
        return Ok(());
    };
    let changed = lacking.iter().filter(|table| table.uncaptured > 0);
    let changed: Vec<&QualifiedName> = changed.map(|table| &table.name).collect();
    let names: Vec<_> = lacking.iter().map(|table| &table.name).collect();
    let fixes = known.iter().filter_map(|table| {
        let best = table.best.as_ref()?;
        Some(best.sql(&table.name))
    });
    let statements: Vec<String> = fixes.collect();
    let are_given = follow.is_some_and(|follow| follow.gives_identities);
    if are_given && statements.len() == lacking.len() {
        let text = format!(
            "{} given a replica identity until the end (--yes)",
            are(lacking.len(), "table")
        );
        found.pass(ID, Side::Source, text);
        return Ok(());
    }
    let hint = match statements.len() == lacking.len() {
        true => {
            "clone --follow --yes gives them one until the end; a primary key is better; --fix gives the \
             best that they can have, for good"
        }
        false => {
            "give them a primary key: not all could have another identity; or capture with another \
             --plugin"
        }
    };
    match &changed[..] {
        [] => found.warn(
            ID,
            Side::Source,
            format!(
                "{} without replica identity, and an update or delete would end the migration: {}",
                counted(names.len(), "table"),
                first_of(&names)
            ),
            hint,
        ),
        changed => found.fail(
            ID,
            Side::Source,
            format!(
                "{} without replica identity, of which {} updated or deleted from: {}",
                counted(names.len(), "table"),
                are(changed.len(), "table"),
                first_of(changed)
            ),
            hint,
        ),
    }
    found.mended_by((!statements.is_empty()).then_some(Fix {
        side: Side::Source,
        statements,
        effect: Effect::Now,
    }));
    Ok(())
}

/// Keys that look like an identity and are none, and those whose values a stream may not carry.
async fn keys(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    let source = &scene.source;
    let is_generated = match source.major() {
        12.. => {
            "EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid
                                 AND a.attnum = ANY (i.indkey) AND a.attgenerated <> '')"
        }
        _ => "false",
    };
    let sql = format!(
        "SELECT c.oid, NOT i.indimmediate, {is_generated}
           FROM pg_class c
           JOIN pg_namespace n ON n.oid = c.relnamespace
           JOIN pg_index i ON i.indrelid = c.oid
          WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND {USERS_OWN}
            AND CASE c.relreplident WHEN 'i' THEN i.indisreplident ELSE i.indisprimary END
            AND (NOT i.indimmediate OR {is_generated})"
    );
    let rows = source.session.query(&sql, &[]).await;
    let rows = rows.map_err(source.on("looking at primary keys"));
    let Some(rows) = found.seen("deferrable-keys", Side::Source, rows)? else {
        return Ok(());
    };
    let kind = |at: usize| -> HashSet<u32> {
        let rows = rows.iter().filter(|row| row.get(at));
        rows.map(|row| row.get(0)).collect()
    };
    let names: HashMap<u32, &QualifiedName> = scene
        .tables
        .iter()
        .map(|table| (table.oid, &table.name))
        .collect();
    let named = |oids: HashSet<u32>| -> Vec<&QualifiedName> {
        let mut named: Vec<_> = oids
            .iter()
            .filter_map(|oid| names.get(oid).copied())
            .collect();
        named.sort();
        named
    };
    match &named(kind(1))[..] {
        [] => found.pass(
            "deferrable-keys",
            Side::Source,
            "no primary key is deferrable",
        ),
        tables => found.warn(
            "deferrable-keys",
            Side::Source,
            format!(
                "{} a deferrable primary key, which identifies no rows: {}",
                match tables.len() {
                    1 => "1 table has".to_owned(),
                    count => format!("{count} tables have"),
                },
                first_of(tables)
            ),
            "make a unique index beside it and have that be the replica identity; see identities",
        ),
    }
    match &named(kind(2))[..] {
        [] => found.pass(
            "generated-keys",
            Side::Source,
            "no key has a generated column",
        ),
        tables => found.warn(
            "generated-keys",
            Side::Source,
            format!(
                "{} a key with a generated column, whose value a stream need not carry: {}",
                match tables.len() {
                    1 => "1 table has".to_owned(),
                    count => format!("{count} tables have"),
                },
                first_of(tables)
            ),
            "rehearse an update of them; or give them a unique index without it as replica identity",
        ),
    }
    Ok(())
}
