//! Databases of the instance, and the collations that a database uses.

use serde::Serialize;

use crate::catalog::discovery::USERS_OWN;
use crate::pg::{Error, Session};

/// A database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Database {
    /// Its OID.
    pub oid: u32,
    /// Its name.
    pub name: String,
    /// Its size; none if the role may not connect to it.
    pub bytes: Option<i64>,
}

/// The databases that can be connected to, by name.
pub async fn databases(source: &Session) -> Result<Vec<Database>, Error> {
    let sql = "SELECT oid, datname::text,
                      CASE WHEN has_database_privilege(oid, 'CONNECT')
                             OR pg_has_role('pg_read_all_stats', 'member')
                           THEN pg_database_size(oid) END
                 FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 2";
    let rows = source.query(sql, &[]).await?;
    let database = |row: &tokio_postgres::Row| Database {
        oid: row.get(0),
        name: row.get(1),
        bytes: row.get(2),
    };
    Ok(rows.iter().map(database).collect())
}

/// A collation, and one thing that uses it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Collation {
    /// Its OID.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// `c`, `i` and so on, as `pg_collation.collprovider` has it.
    pub provider: String,
    /// `database`, `column` or `index`.
    pub used_by: String,
    /// What uses it.
    pub object: String,
    /// The relation that does; none for the database.
    #[serde(skip)]
    pub relation: Option<u32>,
}

/// The collations that the database, columns of tables and indexes use, each with each.
pub async fn collations(source: &Session) -> Result<Vec<Collation>, Error> {
    let sql = format!(
        "WITH used AS (
             SELECT k.oid AS used, 'database' AS by, d.datname::text AS object, NULL::oid AS relation
               FROM pg_database d JOIN pg_collation k ON k.collname::text = d.datcollate
                AND k.collencoding IN (-1, d.encoding)
              WHERE d.datname = current_database()
             UNION ALL
             SELECT a.attcollation, 'column', format('%I.%I.%I', n.nspname, c.relname, a.attname), c.oid
               FROM pg_attribute a
               JOIN pg_class c ON c.oid = a.attrelid
               JOIN pg_namespace n ON n.oid = c.relnamespace
               JOIN pg_type t ON t.oid = a.atttypid
              WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attcollation <> t.typcollation
                AND c.relkind IN ('r', 'p', 'f', 'm', 'v') AND {USERS_OWN}
             UNION ALL
             SELECT DISTINCT o.used, 'index', format('%I.%I', n.nspname, c.relname), c.oid
               FROM pg_index i
               JOIN pg_class c ON c.oid = i.indexrelid
               JOIN pg_namespace n ON n.oid = c.relnamespace
              CROSS JOIN LATERAL unnest(i.indcollation) AS o (used)
              WHERE o.used NOT IN (0, 100) AND {USERS_OWN}
         )
         SELECT k.oid, s.nspname::text, k.collname::text, k.collprovider::text, u.by, u.object, u.relation
           FROM used u JOIN pg_collation k ON k.oid = u.used
           JOIN pg_namespace s ON s.oid = k.collnamespace
          ORDER BY 2, 3, 5, 6"
    );
    let rows = source.query(&sql, &[]).await?;
    let collation = |row: &tokio_postgres::Row| Collation {
        oid: row.get(0),
        schema: row.get(1),
        name: row.get(2),
        provider: row.get(3),
        used_by: row.get(4),
        object: row.get(5),
        relation: row.get(6),
    };
    Ok(rows.iter().map(collation).collect())
}
