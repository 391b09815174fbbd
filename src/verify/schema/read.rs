//! The objects of one database.

use std::collections::{BTreeMap, HashMap};

use crate::catalog::filters::Selection;
use crate::pg::{Error, Session};

use super::diff::{Name, Object, Objects};
use super::kinds::{self, Versions};

/// The catalog of relations, which other objects are parts of.
const PG_CLASS: u32 = 1259;

/// What a database has, and what of it is left out.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// What is compared.
    pub(super) objects: Objects,
    /// The names of what the filters leave out.
    pub(super) left_out: Vec<Name>,
}

struct Row {
    class: u32,
    oid: u32,
    relation: u32,
    schema: Option<String>,
    name: Name,
    lines: Vec<String>,
}

/// Reads all objects, but for what `selection` leaves out.
pub(super) async fn read(
    session: &Session,
    versions: Versions,
    selection: &Selection,
) -> Result<Read, (&'static str, Error)> {
    let mut rows = Vec::new();
    for query in kinds::queries(versions) {
        // A database is called as it is, a transform as all versions could call it; everything else as
        // PostgreSQL calls it.
        let sql = format!(
            "SELECT o.class, o.oid, o.relation, i.schema,
                    CASE o.class WHEN 'pg_database'::regclass THEN 'the database' ELSE i.type END,
                    CASE o.class WHEN 'pg_database'::regclass THEN ''
                                 WHEN 'pg_transform'::regclass THEN replace(i.identity, ' on language ', ' language ')
                                 ELSE i.identity END,
                    o.lines
               FROM ({}) AS o (class, oid, relation, lines)
               CROSS JOIN LATERAL pg_identify_object(o.class, o.oid, 0) AS i
              WHERE i.identity IS NOT NULL",
            query.sql
        );
        let answer = session.query(&sql, &[]).await;
        let answer = answer.map_err(|error| (query.kind, error))?;
        rows.extend(answer.iter().map(|row| Row {
            class: row.get(0),
            oid: row.get(1),
            relation: row.get(2),
            schema: row.get(3),
            name: Name {
                kind: row.get(4),
                identity: row.get(5),
            },
            lines: row.get(6),
        }));
    }
    Ok(sort(rows, selection))
}

fn sort(rows: Vec<Row>, selection: &Selection) -> Read {
    let relations: HashMap<u32, Name> = rows
        .iter()
        .filter(|row| row.class == PG_CLASS)
        .map(|row| (row.oid, row.name.clone()))
        .collect();
    let is_left_out = |row: &Row| {
        selection.leaves_out(row.class, row.oid)
            || (row.relation != 0 && !selection.makes(row.relation))
            || (row.schema.as_ref()).is_some_and(|schema| selection.schemas().contains(schema))
    };
    let mut read = Read {
        objects: BTreeMap::new(),
        left_out: Vec::new(),
    };
    for row in rows {
        if is_left_out(&row) {
            read.left_out.push(row.name);
            continue;
        }
        let part_of = (row.relation != row.oid || row.class != PG_CLASS)
            .then(|| relations.get(&row.relation).cloned())
            .flatten();
        let object = Object {
            lines: row.lines,
            part_of,
        };
        read.objects.insert(row.name, object);
    }
    read
}
