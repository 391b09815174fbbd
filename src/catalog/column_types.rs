//! The types of all columns of a database, and in which form their values are sent.

use std::collections::HashMap;

use crate::base::QualifiedName;
use crate::pg::{Error, Session};

/// The types that PostgreSQL's own source numbers have smaller OIDs, the same on every server.
/// Those that initdb makes, such as the domains of `information_schema`, have others each time.
const FIRST_USER_OID: u32 = 10_000;

/// Domains over domains and ranges over them: deeper than this nobody nests, and no loop of a
/// broken catalog is followed further.
const DEPTH_MAX: u32 = 32;

/// Built-in types whose binary form is documented by their send and receive functions, has been
/// the same since version 11, and contains no OIDs of objects.
///
/// Not here: `money` (its meaning depends on a setting), `xml` (it carries its encoding with it),
/// the `reg*` types (names of objects, as OIDs), pseudo-types and those of the system's own.
const SAFE: [&str; 52] = [
    "bit",
    "bool",
    "box",
    "bpchar",
    "bytea",
    "char",
    "cidr",
    "circle",
    "date",
    "daterange",
    "datemultirange",
    "float4",
    "float8",
    "inet",
    "int2",
    "int4",
    "int4multirange",
    "int4range",
    "int8",
    "int8multirange",
    "int8range",
    "interval",
    "json",
    "jsonb",
    "jsonpath",
    "line",
    "lseg",
    "macaddr",
    "macaddr8",
    "name",
    "nummultirange",
    "numeric",
    "numrange",
    "oid",
    "path",
    "pg_lsn",
    "point",
    "polygon",
    "text",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "tsmultirange",
    "tsquery",
    "tsrange",
    "tstzmultirange",
    "tstzrange",
    "tsvector",
    "uuid",
    "varbit",
    "varchar",
];

/// A table as a target for COPY.
#[derive(Debug, Clone, Default)]
pub struct TableShape {
    /// The type of each column that is not generated.
    pub columns: HashMap<String, u32>,
    /// Whether its rows are in partitions.
    pub is_partitioned: bool,
    /// Whether we may truncate it, and no foreign key refers to it.
    pub may_truncate: bool,
}

/// All tables and types of a database that matter for COPY.
#[derive(Debug, Default)]
pub struct ColumnTypes {
    tables: HashMap<QualifiedName, TableShape>,
    types: HashMap<u32, Type>,
}

/// One row of `pg_type`, with what its values are made of.
#[derive(Debug, Clone)]
struct Type {
    schema: String,
    name: String,
    kind: char,
    is_array: bool,
    /// The element, base or subtype; 0 if there is none.
    made_of: u32,
}

/// Reads them: two queries, however many tables there are.
pub async fn read(session: &Session) -> Result<ColumnTypes, Error> {
    let generated = match session.server_version().major() {
        12.. => "AND a.attgenerated = ''",
        _ => "",
    };
    let tables = format!(
        "SELECT n.nspname::text, c.relname::text, c.relkind = 'p',
                pg_has_role(c.relowner, 'USAGE')
                AND NOT EXISTS (SELECT FROM pg_constraint k
                                 WHERE k.contype = 'f' AND k.confrelid = c.oid),
                ARRAY(SELECT a.attname::text FROM pg_attribute a
                       WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped {generated}
                       ORDER BY a.attnum),
                ARRAY(SELECT a.atttypid FROM pg_attribute a
                       WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped {generated}
                       ORDER BY a.attnum)
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname !~ '^pg_'
                AND n.nspname <> 'information_schema'"
    );
    let mut known = ColumnTypes::default();
    for row in session.query(&tables, &[]).await? {
        let name = QualifiedName::new(row.get::<_, String>(0), row.get::<_, String>(1));
        let names: Vec<String> = row.get(4);
        let types: Vec<u32> = row.get(5);
        let shape = TableShape {
            columns: names.into_iter().zip(types).collect(),
            is_partitioned: row.get(2),
            may_truncate: row.get(3),
        };
        known.tables.insert(name, shape);
    }
    let range = match session.server_version().major() {
        14.. => {
            "SELECT rngtypid AS oid, rngsubtype AS of FROM pg_range
                 UNION ALL SELECT rngmultitypid, rngtypid FROM pg_range"
        }
        _ => "SELECT rngtypid AS oid, rngsubtype AS of FROM pg_range",
    };
    let types = format!(
        "SELECT t.oid, n.nspname::text, t.typname::text, t.typtype::text,
                t.typelem <> 0 AND t.typcategory = 'A',
                coalesce(r.of, nullif(t.typbasetype, 0), t.typelem)
           FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
           LEFT JOIN ({range}) r ON r.oid = t.oid
          WHERE t.typtype IN ('b', 'd', 'e', 'r', 'm')"
    );
    for row in session.query(&types, &[]).await? {
        let kind: &str = row.get(3);
        let described = Type {
            schema: row.get(1),
            name: row.get(2),
            kind: kind.chars().next().unwrap_or('b'),
            is_array: row.get(4),
            made_of: row.get(5),
        };
        known.types.insert(row.get(0), described);
    }
    Ok(known)
}

/// The user's triggers that would fire for rows that COPY adds on the target: by table, the first of
/// each. Those that fire in any case, and the ordinary ones where the role may not say that it
/// replicates (`session_replication_role`).
pub async fn firing_triggers(target: &Session) -> Result<HashMap<QualifiedName, String>, Error> {
    let replica = "BEGIN; SET LOCAL session_replication_role = replica";
    let may_replicate = match target.batch(replica).await {
        Ok(()) => true,
        Err(error) if error.sqlstate() == Some("42501") => false,
        Err(error) => return Err(error),
    };
    target.batch("ROLLBACK").await?;
    let sql = "SELECT DISTINCT ON (c.oid) n.nspname::text, c.relname::text, t.tgname::text
                 FROM pg_class c
                 JOIN pg_namespace n ON n.oid = c.relnamespace
                CROSS JOIN LATERAL (SELECT c.oid AS relid
                                     UNION SELECT p.relid::oid FROM pg_partition_tree(c.oid) p
                                            WHERE c.relkind = 'p') AS holds
                 JOIN pg_trigger t ON t.tgrelid = holds.relid
                WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND NOT t.tgisinternal
                      AND (t.tgenabled IN ('A', 'R') OR t.tgenabled = 'O' AND NOT $1)
                      AND t.tgtype & 4 <> 0 -- fires for inserts
                ORDER BY c.oid, t.tgname";
    let rows = target.query(sql, &[&may_replicate]).await?;
    let named = rows.iter().map(|row| {
        let table = QualifiedName::new(row.get::<_, String>(0), row.get::<_, String>(1));
        (table, row.get(2))
    });
    Ok(named.collect())
}

impl ColumnTypes {
    /// The table of that name.
    pub fn table(&self, name: &QualifiedName) -> Option<&TableShape> {
        self.tables.get(name)
    }

    /// What the binary form of a type's values is; the same text on two servers means the same
    /// bytes. None where that is not certain.
    pub fn sent_as(&self, oid: u32) -> Option<String> {
        self.sent(oid, 0)
    }

    fn sent(&self, oid: u32, depth: u32) -> Option<String> {
        let described = self.types.get(&oid).filter(|_| depth < DEPTH_MAX)?;
        let name = &described.name;
        match described.kind {
            // An array's values begin with the OID of their element's type.
            'b' if described.is_array && described.made_of < FIRST_USER_OID => {
                let element = self.sent(described.made_of, depth + 1)?;
                Some(format!("{element}[]"))
            }
            'b' if oid < FIRST_USER_OID && is_safe(name) => Some(name.clone()),
            // Its labels, as text.
            'e' => Some(format!("enum {:?}.{name:?}", described.schema)),
            // Its base type's; what is checked is the target's affair.
            'd' => self.sent(described.made_of, depth + 1),
            'r' | 'm' if oid < FIRST_USER_OID => is_safe(name).then(|| name.clone()),
            'r' | 'm' => {
                let made_of = self.sent(described.made_of, depth + 1)?;
                Some(format!("{:?}.{name:?} of {made_of}", described.schema))
            }
            _ => None,
        }
    }
}

fn is_safe(name: &str) -> bool {
    SAFE.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types() -> ColumnTypes {
        let of = |name: &str, kind, is_array, made_of| Type {
            schema: "public".into(),
            name: name.into(),
            kind,
            is_array,
            made_of,
        };
        let types = [
            (23, of("int4", 'b', false, 0)),
            (1007, of("_int4", 'b', true, 23)),
            (790, of("money", 'b', false, 0)),
            (2205, of("regclass", 'b', false, 0)),
            (20_000, of("color", 'e', false, 0)),
            (20_001, of("_color", 'b', true, 20_000)),
            (20_002, of("positive", 'd', false, 23)),
            (20_003, of("positives", 'd', false, 1007)),
            (20_004, of("span", 'r', false, 20_002)),
            (20_005, of("citext", 'b', false, 0)),
            (20_006, of("loop", 'd', false, 20_006)),
            (20_007, of("_positive", 'b', true, 20_002)),
        ];
        ColumnTypes {
            tables: HashMap::new(),
            types: types.into_iter().collect(),
        }
    }

    #[test]
    fn types_are_binary_only_where_their_bytes_say_the_same_everywhere() {
        let types = types();
        let sent = |oid| types.sent_as(oid);
        assert_eq!(sent(23).as_deref(), Some("int4"));
        assert_eq!(sent(1007).as_deref(), Some("int4[]"));
        assert_eq!(sent(20_000).as_deref(), Some("enum \"public\".\"color\""));
        assert_eq!(sent(20_002).as_deref(), Some("int4"));
        assert_eq!(sent(20_003).as_deref(), Some("int4[]"));
        assert_eq!(sent(20_004).as_deref(), Some("\"public\".\"span\" of int4"));
        for oid in [790, 2205, 20_001, 20_005, 20_006, 20_007, 99] {
            assert_eq!(sent(oid), None, "{oid}");
        }
    }
}
