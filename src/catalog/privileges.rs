//! What the role may not read, or only in part.

use super::discovery::USERS_OWN;
use crate::base::QualifiedName;
use crate::pg::{Error, Session};

/// What kind of relation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A table with rows of its own.
    Table,
    /// A partitioned table: pg_dump locks it, and nobody copies it.
    Partitioned,
    /// A sequence.
    Sequence,
}

/// A relation that is not the role's own, may not be read, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Barred {
    /// Its OID.
    pub oid: u32,
    /// Its name.
    pub name: QualifiedName,
    /// What it is.
    pub kind: Kind,
    /// Whether the role may SELECT from it, and enter its schema.
    pub is_readable: bool,
    /// Whether policies hide rows from the role.
    pub is_hidden: bool,
    /// Whether it is the role's, or of a role that it is a member of.
    pub is_own: bool,
}

/// All of them, by name.
pub async fn barred(session: &Session) -> Result<Vec<Barred>, Error> {
    let sql = format!(
        "SELECT * FROM (
           SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text,
                  has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
                  AS is_readable,
                  c.relrowsecurity AND row_security_active(c.oid) AS is_hidden,
                  pg_has_role(c.relowner, 'USAGE') AS is_own
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'S') AND c.relpersistence IN ('p', 'u') AND {USERS_OWN}
         ) AS looked
          WHERE NOT is_readable OR is_hidden OR NOT is_own
          ORDER BY schema, name"
    );
    let rows = session.query(&sql, &[]).await?;
    let barred = |row: &tokio_postgres::Row| Barred {
        oid: row.get(0),
        name: QualifiedName::new(row.get::<_, String>(1), row.get::<_, String>(2)),
        kind: match row.get::<_, &str>(3) {
            "S" => Kind::Sequence,
            "p" => Kind::Partitioned,
            _ => Kind::Table,
        },
        is_readable: row.get(4),
        is_hidden: row.get(5),
        is_own: row.get(6),
    };
    Ok(rows.iter().map(barred).collect())
}
