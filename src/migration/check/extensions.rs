//! Whether the target can have the extensions of the source.

use std::collections::HashMap;

use crate::base::Side;
use crate::catalog::extensions;
use crate::catalog::listing;
use crate::catalog::restore_list::PG_EXTENSION;
use crate::migration::error::MigrationError;

use super::finding::{Findings, first_of};
use super::look::{Looked, Scene};

/// What the target has of an extension, or could have.
#[derive(Debug, Clone, PartialEq, Eq)]
struct There {
    /// That which is made, or would be.
    version: Option<String>,
    is_made: bool,
    /// Whether only a superuser may make it.
    of_superusers: bool,
}

/// Compares them.
pub(super) async fn look(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    if scene.config.copy.leave.extensions {
        return Ok(());
    }
    let source = &scene.source;
    let here = listing::extensions(&source.session).await;
    let here = here.map_err(source.on("reading its extensions"));
    let Some(mut here) = found.seen("extensions", Side::Source, here)? else {
        return Ok(());
    };
    here.retain(|one| !scene.selection.leaves_out(PG_EXTENSION, one.oid));
    let required = |name: &str| {
        let mut required = scene.config.copy.requirements.iter();
        let one = required.find(|one| one.name == name);
        one.map(|one| one.version.clone())
    };
    let wanted: Vec<(String, Option<String>)> = here
        .iter()
        .map(|one| (one.name.clone(), required(&one.name)))
        .collect();
    let target = &scene.target;
    let looking = target.on("looking for extensions");
    let missing = extensions::unavailable(&target.session, &wanted).await;
    let Some(missing) = found.seen("extensions", Side::Target, missing.map_err(&looking))? else {
        return Ok(());
    };
    match missing.is_empty() {
        true => found.pass("extensions", Side::Target, "has all extensions"),
        false => found.fail(
            "extensions",
            Side::Target,
            format!(
                "these extensions are not available on the target: {}",
                first_of(&missing)
            ),
            "install them on the target's server, or leave them out with [exclude-extension] in \
             --filters or --skip-extensions",
        ),
    }
    let names: Vec<&str> = here.iter().map(|one| one.name.as_str()).collect();
    let there = there(scene, &names).await;
    let Some(there) = found.seen("extension-versions", Side::Target, there)? else {
        return Ok(());
    };
    let other = here.iter().filter_map(|one| {
        let version = there.get(&one.name)?.version.clone()?;
        let is_meant = required(&one.name).is_some();
        (version != one.version && !is_meant)
            .then(|| format!("{} ({}, not {})", one.name, version, one.version))
    });
    let other: Vec<_> = other.collect();
    match other.is_empty() {
        true => found.pass("extension-versions", Side::Target, "in the same versions"),
        false => found.warn(
            "extension-versions",
            Side::Target,
            format!("has other versions: {}", first_of(&other)),
            "read what has changed between them; or name versions with --requirements",
        ),
    }
    let refused = here.iter().filter(|one| {
        let there = there.get(&one.name);
        there.is_some_and(|there| there.of_superusers && !there.is_made)
    });
    let refused: Vec<_> = refused.map(|one| &one.name).collect();
    rights(&scene.target, &refused, found).await
}

/// What the administrators of managed services are, or are members of. They may make extensions that are a
/// superuser's elsewhere, and no catalog says which.
const ADMINISTRATORS: [&str; 5] = [
    "alloydbsuperuser",
    "azure_pg_admin",
    "cloudsqlsuperuser",
    "neon_superuser",
    "rds_superuser",
];

/// Whether the role may make `refused`, which only superusers may.
async fn rights(
    target: &Looked,
    refused: &[&String],
    found: &mut Findings,
) -> Result<(), MigrationError> {
    const ID: &str = "extension-rights";
    if target.is_superuser || refused.is_empty() {
        found.pass(ID, Side::Target, "the role may make them");
        return Ok(());
    }
    let sql = "SELECT coalesce(bool_or(pg_has_role(oid, 'MEMBER')), false) FROM pg_roles
                WHERE rolname = ANY ($1)";
    let row = target.session.query_one(sql, &[&&ADMINISTRATORS[..]]).await;
    let row = row.map_err(target.on("looking at roles"));
    let Some(row) = found.seen(ID, Side::Target, row)? else {
        return Ok(());
    };
    let user = target.address.user();
    let names = first_of(refused);
    match row.get(0) {
        true => found.warn(
            ID,
            Side::Target,
            format!("whether {user} may make these extensions, the service alone knows: {names}"),
            "try CREATE EXTENSION there; leave out what it refuses with [exclude-extension] in --filters",
        ),
        false => found.fail(
            ID,
            Side::Target,
            format!("{user} may not make these extensions, which only a superuser may: {names}"),
            "have an administrator run CREATE EXTENSION there before; or leave them out with \
             [exclude-extension] in --filters",
        ),
    }
    Ok(())
}

async fn there(
    scene: &Scene<'_>,
    names: &[&str],
) -> Result<HashMap<String, There>, MigrationError> {
    // From 13 on, some may be made by whoever may make schemas. Managed services let their
    // administrators make others, and do not say so here.
    let trusted = match scene.target.major() {
        13.. => "v.trusted",
        _ => "false",
    };
    let sql = format!(
        "SELECT a.name::text, coalesce(a.installed_version, a.default_version),
                a.installed_version IS NOT NULL,
                coalesce(bool_or(v.superuser AND NOT {trusted}), false)
           FROM pg_available_extensions a
           LEFT JOIN pg_available_extension_versions v
             ON v.name = a.name AND v.version = a.default_version
          WHERE a.name = ANY ($1) GROUP BY 1, 2, 3"
    );
    let rows = scene.target.session.query(&sql, &[&names]).await;
    let rows = rows.map_err(scene.target.on("looking for extensions"))?;
    let there = |row: &tokio_postgres::Row| {
        let there = There {
            version: row.get(1),
            is_made: row.get(2),
            of_superusers: row.get(3),
        };
        (row.get(0), there)
    };
    Ok(rows.iter().map(there).collect())
}
