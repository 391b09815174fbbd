//! `list databases`, `list extensions`, `list collations`.

use serde::Serialize;

use super::scope::{Shape, connect, failed, json, select};
use crate::base::ident::quote_ident;
use crate::base::quantity::ByteSize;
use crate::catalog::listing::{self, AvailableVersion, Collation, Database, Extension};
use crate::cli::options::ListScope;
use crate::commands::CommandError;
use crate::report::listing::Column;

/// OID of the catalog `pg_extension`.
const PG_EXTENSION: u32 = 3079;

pub(super) async fn databases(scope: &ListScope, shape: Shape) -> Result<String, CommandError> {
    let source = connect(scope).await?;
    let databases = listing::databases(&source).await.map_err(failed)?;
    let size = |database: &Database| match database.bytes {
        Some(bytes) => ByteSize(bytes.max(0).cast_unsigned()).to_string(),
        None => "unknown".to_owned(),
    };
    let columns = [
        Column::number("OID", |database: &Database| database.oid.to_string()),
        Column::text("Database Name", |database| database.name.clone()),
        Column::number("On-disk size", size),
    ];
    shape.print(&columns, &databases)
}

async fn kept_extensions(scope: &ListScope) -> Result<Vec<Extension>, CommandError> {
    let source = connect(scope).await?;
    let selection = select(&source, scope).await?;
    let mut extensions = listing::extensions(&source).await.map_err(failed)?;
    extensions.retain(|extension| !selection.leaves_out(PG_EXTENSION, extension.oid));
    Ok(extensions)
}

pub(super) async fn extensions(scope: &ListScope, shape: Shape) -> Result<String, CommandError> {
    let extensions = kept_extensions(scope).await?;
    let config = |extension: &Extension| {
        let tables = extension.config.iter();
        let tables = tables.map(|table| format!("{}.{}", table.schema, table.name));
        tables.collect::<Vec<_>>().join(", ")
    };
    let columns = [
        Column::number("OID", |extension: &Extension| extension.oid.to_string()),
        Column::text("Name", |extension| extension.name.clone()),
        Column::text("Version", |extension| extension.version.clone()),
        Column::text("Schema", |extension| extension.schema.clone()),
        Column::number("Count", |extension| extension.config.len().to_string()),
        Column::text("Config", config),
    ];
    shape.print(&columns, &extensions)
}

/// What `--requirements` reads, whatever the shape.
pub(super) async fn requirements(scope: &ListScope) -> Result<String, CommandError> {
    #[derive(Serialize)]
    struct Requirement<'a> {
        name: &'a str,
        version: &'a str,
    }
    let extensions = kept_extensions(scope).await?;
    let requirements = extensions.iter().map(|extension| Requirement {
        name: &extension.name,
        version: &extension.version,
    });
    json(&requirements.collect::<Vec<_>>())
}

pub(super) async fn available_versions(
    scope: &ListScope,
    shape: Shape,
) -> Result<String, CommandError> {
    let server = connect(scope).await?;
    let available = listing::available_versions(&server).await.map_err(failed)?;
    let columns = [
        Column::text("Name", |available: &AvailableVersion| {
            available.name.clone()
        }),
        Column::text("Installed", |available| {
            available.installed.clone().unwrap_or_default()
        }),
        Column::text("Versions", |available| available.versions.join(", ")),
    ];
    shape.print(&columns, &available)
}

pub(super) async fn collations(scope: &ListScope, shape: Shape) -> Result<String, CommandError> {
    let source = connect(scope).await?;
    let selection = select(&source, scope).await?;
    let mut collations = listing::collations(&source).await.map_err(failed)?;
    collations.retain(|collation| collation.relation.is_none_or(|oid| selection.makes(oid)));
    let columns = [
        Column::number("OID", |collation: &Collation| collation.oid.to_string()),
        Column::text("Name", |collation| {
            format!("{}.{}", collation.schema, quote_ident(&collation.name))
        }),
        Column::text("Provider", |collation| collation.provider.clone()),
        Column::text("Object name", |collation| {
            format!("{} {}", collation.used_by, collation.object)
        }),
    ];
    shape.print(&columns, &collations)
}
