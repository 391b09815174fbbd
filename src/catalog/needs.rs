//! The roles and tablespaces that definitions name, and whether the target has them.
//!
//! pg_restore names an object's owner within the entry that makes it, so a role that is missing
//! would make a table fail. Better known before anything is made.

use std::collections::{BTreeMap, BTreeSet};

use crate::pg::{Error, Session};

use super::restore_list::{Objects, PG_CLASS, PG_DEFAULT_ACL};

/// Where owners and privileges stand: catalog OID, its name, owner column, privileges column.
/// Publications and event triggers are not here: the target can do without them.
const OWNED: [(u32, &str, &str, Option<&str>); 15] = [
    (PG_CLASS, "pg_class", "relowner", Some("relacl")),
    (2615, "pg_namespace", "nspowner", Some("nspacl")),
    (1255, "pg_proc", "proowner", Some("proacl")),
    (1247, "pg_type", "typowner", Some("typacl")),
    (2612, "pg_language", "lanowner", Some("lanacl")),
    (2328, "pg_foreign_data_wrapper", "fdwowner", Some("fdwacl")),
    (1417, "pg_foreign_server", "srvowner", Some("srvacl")),
    (2617, "pg_operator", "oprowner", None),
    (2616, "pg_opclass", "opcowner", None),
    (2753, "pg_opfamily", "opfowner", None),
    (3456, "pg_collation", "collowner", None),
    (2607, "pg_conversion", "conowner", None),
    (3600, "pg_ts_dict", "dictowner", None),
    (3602, "pg_ts_config", "cfgowner", None),
    (3381, "pg_statistic_ext", "stxowner", None),
];

/// What definitions name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Roles that own something.
    pub owners: BTreeSet<String>,
    /// Roles that privileges, policies and user mappings name.
    pub grantees: BTreeSet<String>,
    /// Tablespaces.
    pub tablespaces: BTreeSet<String>,
}

/// What of that the target lacks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lacks {
    /// Owners and grantees that are no roles there.
    pub roles: Vec<String>,
    /// Owners that the connecting role may not give anything to.
    pub foreign_owners: Vec<String>,
    /// Tablespaces that are not there.
    pub tablespaces: Vec<String>,
    /// The connecting role.
    pub own_role: String,
}

/// Roles and tablespaces that `objects` of the source name.
pub async fn read(source: &Session, objects: &Objects) -> Result<Needs, Error> {
    let mut by_catalog: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (catalog, object) in objects {
        by_catalog.entry(*catalog).or_default().push(*object);
    }
    let mut needs = Needs::default();
    for (catalog, table, owner, acl) in OWNED {
        let Some(oids) = by_catalog.get(&catalog) else {
            continue;
        };
        let sql = format!(
            "SELECT DISTINCT pg_get_userbyid({owner})::text FROM {table} WHERE oid = ANY ($1)"
        );
        needs.owners.extend(names(source, &sql, oids).await?);
        if let Some(acl) = acl {
            let sql = format!(
                "SELECT DISTINCT pg_get_userbyid(g.grantee)::text
                   FROM {table} o, aclexplode(o.{acl}) g
                  WHERE o.oid = ANY ($1) AND g.grantee <> 0"
            );
            needs.grantees.extend(names(source, &sql, oids).await?);
        }
    }
    let none = Vec::new();
    let of = |catalog: u32| by_catalog.get(&catalog).unwrap_or(&none);
    for (catalog, sql) in GRANTED {
        if !of(catalog).is_empty() {
            needs
                .grantees
                .extend(names(source, sql, of(catalog)).await?);
        }
    }
    let sql = "SELECT DISTINCT s.spcname::text FROM pg_class c
                 JOIN pg_tablespace s ON s.oid = c.reltablespace
                WHERE c.oid = ANY ($1)";
    needs
        .tablespaces
        .extend(names(source, sql, of(PG_CLASS)).await?);
    Ok(needs)
}

/// Roles that are named elsewhere: columns' privileges, policies, user mappings.
const GRANTED: [(u32, &str); 4] = [
    (
        PG_CLASS,
        "SELECT DISTINCT pg_get_userbyid(g.grantee)::text
           FROM pg_attribute a, aclexplode(a.attacl) g
          WHERE a.attrelid = ANY ($1) AND g.grantee <> 0",
    ),
    (
        3256,
        "SELECT DISTINCT pg_get_userbyid(r)::text FROM pg_policy p, unnest(p.polroles) r
          WHERE p.oid = ANY ($1) AND r <> 0",
    ),
    (
        1417,
        "SELECT DISTINCT usename::text FROM pg_user_mappings
          WHERE srvid = ANY ($1) AND umuser <> 0",
    ),
    (
        PG_DEFAULT_ACL,
        "SELECT DISTINCT pg_get_userbyid(g.grantee)::text
           FROM pg_default_acl d, aclexplode(d.defaclacl) g
          WHERE d.oid = ANY ($1) AND g.grantee <> 0",
    ),
];

async fn names(session: &Session, sql: &str, oids: &Vec<u32>) -> Result<Vec<String>, Error> {
    let rows = session.query(sql, &[oids]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// What of `needs` the target lacks.
pub async fn lacking(target: &Session, needs: &Needs) -> Result<Lacks, Error> {
    let known = |sql: &'static str, names: Vec<String>| async move {
        let rows = target.query(sql, &[&names]).await?;
        Ok::<BTreeSet<String>, Error>(rows.iter().map(|row| row.get(0)).collect())
    };
    let roles: BTreeSet<&String> = needs.owners.union(&needs.grantees).collect();
    let roles: Vec<String> = roles.into_iter().cloned().collect();
    let sql = "SELECT rolname::text FROM pg_roles WHERE rolname = ANY ($1)";
    let there = known(sql, roles.clone()).await?;
    // Since 16, a member may not always become what it is a member of.
    let sql = match target.server_version().major() {
        16.. => {
            "SELECT rolname::text FROM pg_roles
              WHERE rolname = ANY ($1) AND pg_has_role(oid, 'SET')"
        }
        _ => {
            "SELECT rolname::text FROM pg_roles
              WHERE rolname = ANY ($1) AND pg_has_role(oid, 'MEMBER')"
        }
    };
    let own = known(sql, needs.owners.iter().cloned().collect()).await?;
    let sql = "SELECT spcname::text FROM pg_tablespace WHERE spcname = ANY ($1)";
    let tablespaces = known(sql, needs.tablespaces.iter().cloned().collect()).await?;
    let row = target.query_one("SELECT current_user::text", &[]).await?;
    let is_foreign = |role: &&String| there.contains(*role) && !own.contains(*role);
    let is_unknown = |name: &&String| !tablespaces.contains(*name);
    Ok(Lacks {
        foreign_owners: needs.owners.iter().filter(is_foreign).cloned().collect(),
        tablespaces: needs
            .tablespaces
            .iter()
            .filter(is_unknown)
            .cloned()
            .collect(),
        roles: roles
            .into_iter()
            .filter(|role| !there.contains(role))
            .collect(),
        own_role: row.get(0),
    })
}

/// Those of the `schemas` of the source, by OID, whose name the target has already.
pub async fn schemas_there(
    source: &Session,
    target: &Session,
    schemas: &[u32],
) -> Result<Vec<(u32, String)>, Error> {
    let sql = "SELECT oid, nspname::text FROM pg_namespace WHERE oid = ANY ($1)";
    let wanted = source.query(sql, &[&schemas]).await?;
    let rows = target
        .query("SELECT nspname::text FROM pg_namespace", &[])
        .await?;
    let there: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let wanted = wanted.iter().map(|row| (row.get(0), row.get(1)));
    Ok(wanted.filter(|(_, name)| there.contains(name)).collect())
}
