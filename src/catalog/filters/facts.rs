//! What must be known of a source to tell what falls with what is left out.

use std::collections::{HashMap, HashSet};

use crate::base::QualifiedName;
use crate::catalog::discovery::USERS_OWN;
use crate::pg::{Error, Session};

use super::dependents::{Edge, Object, PG_CLASS, PG_CONSTRAINT};

/// A table, view, index or sequence that is the user's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Relation {
    /// `pg_class.relkind`.
    pub(super) kind: char,
    pub(super) name: QualifiedName,
}

impl Relation {
    /// Whether it is a table of any kind, with rows or partitions or on another server.
    pub(super) fn is_table(&self) -> bool {
        matches!(self.kind, 'r' | 'p' | 'f')
    }

    /// Whether filters count it among tables.
    pub(super) fn is_like_a_table(&self) -> bool {
        self.is_table() || self.kind == 'm'
    }

    pub(super) fn word(&self) -> &'static str {
        match self.kind {
            'r' | 'p' => "table",
            'f' => "foreign table",
            'm' => "materialized view",
            'v' => "view",
            'S' => "sequence",
            'i' | 'I' => "index",
            _ => "relation",
        }
    }
}

/// A child of a table: a partition, or one that inherits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Child {
    pub(super) child: u32,
    pub(super) parent: u32,
}

/// A foreign key that no other one is the parent of.
#[derive(Debug, Clone, Copy)]
pub(super) struct ForeignKey {
    pub(super) oid: u32,
    pub(super) table: u32,
    pub(super) references: u32,
}

#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) relations: HashMap<u32, Relation>,
    /// Schemas that are the user's own.
    pub(super) schemas: HashMap<u32, String>,
    pub(super) children: Vec<Child>,
    /// Extensions, with their names and schemas.
    pub(super) extensions: Vec<(u32, String, u32)>,
    pub(super) foreign_keys: Vec<ForeignKey>,
    pub(super) edges: Vec<Edge>,
    /// Defaults and checks, which are written in the definition of what they belong to.
    pub(super) inline: HashSet<Object>,
}

impl Facts {
    /// The sequences among the relations.
    pub(super) fn sequences(&self) -> HashSet<Object> {
        let all = self.relations.iter();
        let sequences = all.filter(|(_, relation)| relation.kind == 'S');
        sequences
            .map(|(oid, _)| Object::new(PG_CLASS, *oid))
            .collect()
    }
}

/// OIDs from here on are the users'; PostgreSQL's own are below
/// (`FirstNormalObjectId` in `src/include/access/transam.h`).
const FIRST_USER_OID: u32 = 16384;

/// Reads them, one query each.
pub(super) async fn read(source: &Session) -> Result<Facts, Error> {
    let sql = format!(
        "SELECT c.oid, c.relkind::text, n.nspname::text, c.relname::text
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p', 'f', 'm', 'v', 'S', 'i', 'I') AND {USERS_OWN}"
    );
    let relations = source.query(&sql, &[]).await?;
    let relations = relations.iter().map(|row| {
        let relation = Relation {
            kind: first(row.get(1)),
            name: QualifiedName::new(row.get::<_, String>(2), row.get::<_, String>(3)),
        };
        (row.get(0), relation)
    });
    let sql = "SELECT oid, nspname::text FROM pg_namespace
                WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'pgflit')";
    let schemas = source.query(sql, &[]).await?;
    let sql = "SELECT inhrelid, inhparent FROM pg_inherits ORDER BY 1, 2";
    let children = source.query(sql, &[]).await?;
    let sql = format!(
        "SELECT oid, extname::text, extnamespace FROM pg_extension
          WHERE oid >= {FIRST_USER_OID} ORDER BY 2"
    );
    let extensions = source.query(&sql, &[]).await?;
    let constraints = "SELECT oid, contype::text, conrelid, confrelid FROM pg_constraint
                        WHERE contype = 'c' OR contype = 'f' AND conparentid = 0";
    let constraints = source.query(constraints, &[]).await?;
    let mut foreign_keys = Vec::new();
    let mut inline = HashSet::new();
    for row in &constraints {
        match row.get::<_, &str>(1) {
            "f" => foreign_keys.push(ForeignKey {
                oid: row.get(0),
                table: row.get(2),
                references: row.get(3),
            }),
            _ => {
                inline.insert(Object::new(PG_CONSTRAINT, row.get(0)));
            }
        }
    }
    Ok(Facts {
        relations: relations.collect(),
        schemas: schemas.iter().map(|row| (row.get(0), row.get(1))).collect(),
        children: children
            .iter()
            .map(|row| Child {
                child: row.get(0),
                parent: row.get(1),
            })
            .collect(),
        extensions: extensions
            .iter()
            .map(|row| (row.get(0), row.get(1), row.get(2)))
            .collect(),
        foreign_keys,
        edges: edges(source).await?,
        inline,
    })
}

/// Every dependency between objects of users, and on schemas.
async fn edges(source: &Session) -> Result<Vec<Edge>, Error> {
    let sql = format!(
        "SELECT classid, objid, refclassid, refobjid, deptype::text FROM pg_depend
          WHERE objid >= {FIRST_USER_OID}
            AND (refobjid >= {FIRST_USER_OID} OR refclassid = 'pg_namespace'::regclass)"
    );
    let rows = source.query(&sql, &[]).await?;
    let edge = |row: &tokio_postgres::Row| Edge {
        object: Object::new(row.get(0), row.get(1)),
        on: Object::new(row.get(2), row.get(3)),
        kind: first(row.get(4)),
    };
    Ok(rows.iter().map(edge).collect())
}

/// A column of type `"char"` that was asked for as text.
fn first(text: &str) -> char {
    text.chars().next().unwrap_or(' ')
}
