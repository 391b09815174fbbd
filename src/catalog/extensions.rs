//! Extensions of the source, and the tables of theirs that hold what users have put there.

use std::collections::HashSet;

use crate::base::QualifiedName;
use crate::pg::{Error, Session};

/// An extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Its OID.
    pub oid: u32,
    /// Its name.
    pub name: String,
    /// The schema that its objects are in.
    pub schema: String,
}

/// A table or sequence of an extension whose contents are the user's
/// (`pg_extension_config_dump()`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigRelation {
    /// Its OID.
    pub oid: u32,
    /// The extension's OID.
    pub extension: u32,
    /// Its name.
    pub name: QualifiedName,
    /// Whether it is a sequence.
    pub is_sequence: bool,
    /// `WHERE …`: which rows are the user's; empty for all.
    pub condition: String,
    /// The columns that COPY moves.
    pub columns: Vec<String>,
}

/// All extensions, by name.
pub async fn extensions(session: &Session) -> Result<Vec<Extension>, Error> {
    let sql = "SELECT e.oid, e.extname::text, n.nspname::text
                 FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace ORDER BY 2";
    let extension = |row: &tokio_postgres::Row| Extension {
        oid: row.get(0),
        name: row.get(1),
        schema: row.get(2),
    };
    let rows = session.query(sql, &[]).await?;
    Ok(rows.iter().map(extension).collect())
}

/// What extensions want copied of their tables and sequences; a table after those that it refers
/// to.
pub async fn config_relations(source: &Session) -> Result<Vec<ConfigRelation>, Error> {
    let generated = match source.server_version().major() {
        12.. => "AND a.attgenerated = ''",
        _ => "",
    };
    let sql = format!(
        "SELECT c.oid, e.oid, n.nspname::text, c.relname::text, c.relkind = 'S',
                coalesce(k.condition, ''),
                ARRAY(SELECT a.attname::text FROM pg_attribute a
                       WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped {generated}
                       ORDER BY a.attnum)
           FROM pg_extension e
          CROSS JOIN unnest(e.extconfig, e.extcondition) AS k (oid, condition)
           JOIN pg_class c ON c.oid = k.oid AND c.relkind IN ('r', 'p', 'S')
           JOIN pg_namespace n ON n.oid = c.relnamespace
          ORDER BY e.extname, c.oid"
    );
    let rows = source.query(&sql, &[]).await?;
    let relation = |row: &tokio_postgres::Row| ConfigRelation {
        oid: row.get(0),
        extension: row.get(1),
        name: QualifiedName::new(row.get::<_, String>(2), row.get::<_, String>(3)),
        is_sequence: row.get(4),
        condition: row.get(5),
        columns: row.get(6),
    };
    let relations: Vec<_> = rows.iter().map(relation).collect();
    let oids: Vec<u32> = relations.iter().map(|relation| relation.oid).collect();
    let sql = "SELECT conrelid, confrelid FROM pg_constraint
                WHERE contype = 'f' AND conrelid = ANY ($1) AND confrelid = ANY ($1)
                  AND conrelid <> confrelid";
    let rows = source.query(sql, &[&oids]).await?;
    let references: Vec<_> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    Ok(in_order(relations, &references))
}

/// `relations`, each after those that it refers to; in a circle, as they came.
fn in_order(relations: Vec<ConfigRelation>, references: &[(u32, u32)]) -> Vec<ConfigRelation> {
    let mut left = relations;
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let waiting: HashSet<u32> = left.iter().map(|relation| relation.oid).collect();
        let is_free = |relation: &ConfigRelation| {
            !references
                .iter()
                .any(|(of, to)| *of == relation.oid && waiting.contains(to))
        };
        let at = left.iter().position(is_free).unwrap_or(0);
        ordered.push(left.remove(at));
    }
    ordered
}

/// Those of `wanted`, names with a version or any, that the target has not and cannot make.
pub async fn unavailable(
    target: &Session,
    wanted: &[(String, Option<String>)],
) -> Result<Vec<String>, Error> {
    let sql = "SELECT v.name::text, v.version FROM pg_available_extension_versions v
               UNION SELECT extname::text, extversion FROM pg_extension";
    let rows = target.query(sql, &[]).await?;
    let there: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let is_there = |name: &str, version: &Option<String>| {
        there.iter().any(|(known, has)| {
            known == name && version.as_ref().is_none_or(|version| version == has)
        })
    };
    let missing = wanted
        .iter()
        .filter(|(name, version)| !is_there(name, version));
    let shown = |(name, version): &(String, Option<String>)| match version {
        None => name.clone(),
        Some(version) => format!("{name} {version}"),
    };
    Ok(missing.map(shown).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_comes_after_those_that_it_refers_to_and_a_circle_ends() {
        let relation = |oid| ConfigRelation {
            oid,
            extension: 1,
            name: QualifiedName::new("s", format!("t{oid}")),
            is_sequence: false,
            condition: String::new(),
            columns: vec![],
        };
        let order = |references: &[(u32, u32)]| -> Vec<u32> {
            let ordered = in_order(vec![relation(1), relation(2), relation(3)], references);
            ordered.iter().map(|relation| relation.oid).collect()
        };
        assert_eq!(order(&[(1, 2), (2, 3)]), [3, 2, 1]);
        assert_eq!(order(&[]), [1, 2, 3]);
        assert_eq!(order(&[(1, 2), (2, 1)]), [3, 1, 2]);
    }
}
