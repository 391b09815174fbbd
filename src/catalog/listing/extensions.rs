//! Extensions: those that are there, and those that could be.

use std::collections::HashMap;

use serde::Serialize;

use crate::pg::{Error, Session};

/// An extension of the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Extension {
    /// Its OID.
    pub oid: u32,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The schema its objects are in.
    pub schema: String,
    /// Its tables that hold configuration of the user's.
    pub config: Vec<ConfigTable>,
}

/// A table of an extension whose rows are the user's, in part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigTable {
    /// Its OID.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Which rows: `WHERE …`, or nothing for all.
    pub condition: String,
}

/// The extensions, by name.
pub async fn extensions(source: &Session) -> Result<Vec<Extension>, Error> {
    let sql = "SELECT e.oid, c.oid, n.nspname::text, c.relname::text, coalesce(k.condition, '')
                 FROM pg_extension e
                CROSS JOIN LATERAL unnest(e.extconfig, e.extcondition)
                             WITH ORDINALITY AS k (relation, condition, place)
                 JOIN pg_class c ON c.oid = k.relation
                 JOIN pg_namespace n ON n.oid = c.relnamespace
                ORDER BY e.oid, k.place";
    let mut config: HashMap<u32, Vec<_>> = HashMap::new();
    for row in source.query(sql, &[]).await? {
        config.entry(row.get(0)).or_default().push(ConfigTable {
            oid: row.get(1),
            schema: row.get(2),
            name: row.get(3),
            condition: row.get(4),
        });
    }
    let sql = "SELECT e.oid, e.extname::text, e.extversion, n.nspname::text
                 FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace ORDER BY 2";
    let rows = source.query(sql, &[]).await?;
    let extensions = rows.iter().map(|row| Extension {
        oid: row.get(0),
        name: row.get(1),
        version: row.get(2),
        schema: row.get(3),
        config: config.remove(&row.get(0)).unwrap_or_default(),
    });
    Ok(extensions.collect())
}

/// An extension that a server could install.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AvailableVersion {
    /// Its name.
    pub name: String,
    /// The versions, the default one first.
    pub versions: Vec<String>,
    /// The one that is installed, if any.
    pub installed: Option<String>,
}

/// What the server of `session` could install, by name.
pub async fn available_versions(session: &Session) -> Result<Vec<AvailableVersion>, Error> {
    let sql = "SELECT e.name::text, e.installed_version,
                      array_agg(v.version ORDER BY v.version <> e.default_version, v.version DESC)
                 FROM pg_available_extensions e
                 JOIN pg_available_extension_versions v ON v.name = e.name
                GROUP BY e.name, e.installed_version ORDER BY e.name";
    let rows = session.query(sql, &[]).await?;
    let available = |row: &tokio_postgres::Row| AvailableVersion {
        name: row.get(0),
        installed: row.get(1),
        versions: row.get(2),
    };
    Ok(rows.iter().map(available).collect())
}
