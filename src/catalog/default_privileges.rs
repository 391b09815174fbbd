//! Default privileges, which have no name to be dropped by: they are given back to what the server
//! has without them.

use super::restore_list::{Entry, PG_DEFAULT_ACL};
use crate::pg::{Error, Session};

/// Whose objects, in which schema (none: in all), and of which kind, as `pg_default_acl` has it.
#[derive(Debug, Clone, Default)]
pub struct DefaultPrivileges {
    roles: Vec<String>,
    schemas: Vec<Option<String>>,
    kinds: Vec<String>,
}

/// Those of the source that `entries` give.
pub async fn of_entries(source: &Session, entries: &[Entry]) -> Result<DefaultPrivileges, Error> {
    let of_catalog = entries
        .iter()
        .filter(|entry| entry.object.0 == PG_DEFAULT_ACL);
    let oids: Vec<u32> = of_catalog.map(|entry| entry.object.1).collect();
    let mut found = DefaultPrivileges::default();
    if oids.is_empty() {
        return Ok(found);
    }
    let sql = "SELECT pg_get_userbyid(d.defaclrole)::text, n.nspname::text, d.defaclobjtype::text
                 FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
                WHERE d.oid = ANY ($1)";
    for row in source.query(sql, &[&oids]).await? {
        found.roles.push(row.get(0));
        found.schemas.push(row.get(1));
        found.kinds.push(row.get(2));
    }
    Ok(found)
}

/// The statements that end `privileges` on the target, one text for each of them that is there.
pub async fn end_sql(
    target: &Session,
    privileges: &DefaultPrivileges,
) -> Result<Vec<String>, Error> {
    // Without a schema the server's own defaults are a part of them, and must be given back;
    // with one, they are besides those.
    let sql = "
        SELECT concat(
            (SELECT string_agg(format('%s REVOKE ALL ON %s FROM %s;', of, kind,
                                      CASE grantee WHEN 0 THEN 'PUBLIC'
                                           ELSE quote_ident(pg_get_userbyid(grantee)) END), ' ')
               FROM (SELECT DISTINCT grantee FROM aclexplode(acl)) AS given),
            (SELECT ' ' || string_agg(format('%s GRANT ALL ON %s TO %s;', of, kind,
                                      CASE grantee WHEN 0 THEN 'PUBLIC'
                                           ELSE quote_ident(pg_get_userbyid(grantee)) END), ' ')
               FROM (SELECT DISTINCT grantee FROM aclexplode(own)) AS given))
          FROM (SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s', role,
                              ' IN SCHEMA ' || quote_ident(n.nspname)) AS of,
                       CASE kind WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES'
                                 WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES'
                                 WHEN 'n' THEN 'SCHEMAS' WHEN 'L' THEN 'LARGE OBJECTS' END AS kind,
                       d.defaclacl AS acl,
                       CASE WHEN n.oid IS NULL THEN
                           acldefault(CASE kind WHEN 'S' THEN 's' ELSE kind END::\"char\",
                                      d.defaclrole) END AS own
                  FROM unnest($1::text[], $2::text[], $3::text[]) AS given (role, schema, kind)
                  JOIN pg_default_acl d ON pg_get_userbyid(d.defaclrole) = role
                                       AND d.defaclobjtype::text = kind
                  LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
                 WHERE n.nspname IS NOT DISTINCT FROM schema) AS there";
    let DefaultPrivileges {
        roles,
        schemas,
        kinds,
    } = privileges;
    let rows = target.query(sql, &[roles, schemas, kinds]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
