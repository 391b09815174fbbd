//! What is compared with what.
//!
//! Tables are matched by schema and name, columns by name. Partitions that the target has with other
//! bounds, or not at all, are compared together with their siblings, as the rows of the nearest table
//! above that both sides have alike.

use std::collections::{BTreeMap, HashMap};

use crate::base::{QualifiedName, Side};
use crate::catalog::discovery;
use crate::catalog::filters::Selection;
use crate::catalog::partitions::{self, Placed};
use crate::catalog::sizes::Sizes;
use crate::pg::{Error, Session};
use crate::store::{Partition, TableRow};

use super::digest::{Column, Values};

/// A table of one side.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    /// As it was discovered, with its size.
    pub(super) table: TableRow,
    /// All its columns, in the order of their names.
    pub(super) columns: Vec<Column>,
    /// The columns of a unique key without nulls, in the key's order.
    pub(super) key: Option<Vec<String>>,
}

/// Tables that have the same rows on both sides, together: mostly one each.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    /// What it is called: a table of the source, or of the target where the source has none.
    pub(super) name: QualifiedName,
    /// The tables on the source and on the target.
    pub(super) sides: [Vec<Relation>; 2],
    /// The columns of the key that both sides have, by which rows are told apart.
    pub(super) key: Option<Vec<String>>,
    /// What is different about its columns.
    pub(super) columns_differ: Option<String>,
}

impl Unit {
    /// The tables of one side.
    pub(super) fn of(&self, side: Side) -> &[Relation] {
        &self.sides[index(side)]
    }

    /// What both sides have to be read.
    pub(super) fn bytes(&self) -> u64 {
        let relations = self.sides.iter().flatten();
        relations.map(|relation| relation.table.bytes).sum()
    }
}

/// The place of a side in pairs.
pub(super) const fn index(side: Side) -> usize {
    match side {
        Side::Source => 0,
        Side::Target => 1,
    }
}

/// What a column's values are: domains are as their base type, but for those of domains.
const VALUES: &str = "
    CASE WHEN b.typlen <> -1 THEN 'short'
         WHEN b.oid IN ('text'::regtype, 'varchar'::regtype) THEN 'text'
         WHEN b.oid = 'bytea'::regtype THEN 'bytes'
         ELSE 'long' END";

/// The columns of the tables that are there, by OID, in the order of their names.
async fn columns(session: &Session) -> Result<HashMap<u32, Vec<Column>>, Error> {
    let sql = format!(
        r#"SELECT a.attrelid, a.attname::text, {VALUES}
             FROM pg_attribute a
             JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
             JOIN pg_type t ON t.oid = a.atttypid
             JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
            WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relnamespace <> 'pg_catalog'::regnamespace
            ORDER BY a.attrelid, a.attname::text COLLATE "C""#
    );
    let mut columns: HashMap<u32, Vec<Column>> = HashMap::new();
    for row in session.query(&sql, &[]).await? {
        columns.entry(row.get(0)).or_default().push(Column {
            name: row.get(1),
            values: match row.get::<_, &str>(2) {
                "short" => Values::Short,
                "text" => Values::Text,
                "bytes" => Values::Bytes,
                _ => Values::Long,
            },
        });
    }
    Ok(columns)
}

/// A unique key without nulls of each table that has one, by OID: the primary one before others.
async fn keys(session: &Session) -> Result<HashMap<u32, Vec<String>>, Error> {
    let sql = "SELECT DISTINCT ON (i.indrelid) i.indrelid,
                      ARRAY(SELECT a.attname::text
                              FROM generate_series(0, i.indnkeyatts - 1) AS place
                              JOIN pg_attribute a ON a.attrelid = i.indrelid
                                                 AND a.attnum = i.indkey[place]
                             ORDER BY place)
                 FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid AND c.relkind = 'r'
                WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
                  AND NOT EXISTS (SELECT FROM generate_series(0, i.indnkeyatts - 1) AS place
                                    LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid
                                                            AND a.attnum = i.indkey[place]
                                   WHERE a.attnum IS NULL OR a.attnum < 1 OR NOT a.attnotnull)
                ORDER BY i.indrelid, NOT i.indisprimary, i.indnkeyatts, i.indexrelid";
    let rows = session.query(sql, &[]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// The tables of a server, by name.
pub(super) type Relations = BTreeMap<QualifiedName, Relation>;

/// The tables of a server that hold rows.
pub(super) async fn relations(session: &Session, sizes: Sizes) -> Result<Relations, Error> {
    let mut columns = columns(session).await?;
    let mut keys = keys(session).await?;
    let tables = discovery::tables(session, sizes).await?;
    let relation = |table: TableRow| {
        let relation = Relation {
            columns: columns.remove(&table.oid).unwrap_or_default(),
            key: keys.remove(&table.oid),
            table,
        };
        (relation.table.name.clone(), relation)
    };
    Ok(tables.into_iter().map(relation).collect())
}

/// Which partitions of the source have their rows elsewhere on the target, by name: in which table.
pub(super) async fn moved_partitions(
    source: &Session,
    target: &Session,
) -> Result<(Vec<Partition>, HashMap<QualifiedName, Placed>), (Side, Error)> {
    let partitions = partitions::partitions(source).await;
    let partitions = partitions.map_err(|error| (Side::Source, error))?;
    let partitions: Vec<_> = partitions.into_iter().map(|(_, it)| it).collect();
    let places = partitions::places(target, &partitions).await;
    Ok((partitions, places.map_err(|error| (Side::Target, error))?))
}

/// The names of the tables below each of `roots` on a server, all levels down.
pub(super) async fn below(
    session: &Session,
    roots: &[&QualifiedName],
) -> Result<HashMap<QualifiedName, Vec<QualifiedName>>, Error> {
    let sql = "WITH RECURSIVE below (oid) AS (
                    SELECT to_regclass($1)::oid
                    UNION
                    SELECT i.inhrelid FROM below JOIN pg_inherits i ON i.inhparent = below.oid)
               SELECT n.nspname::text, c.relname::text
                 FROM below JOIN pg_class c ON c.oid = below.oid AND c.relkind = 'r'
                 JOIN pg_namespace n ON n.oid = c.relnamespace";
    let mut all = HashMap::new();
    for root in roots {
        let rows = session.query(sql, &[&root.quoted()]).await?;
        let name = |row: &tokio_postgres::Row| {
            QualifiedName::new(row.get::<_, String>(0), row.get::<_, String>(1))
        };
        all.insert((*root).clone(), rows.iter().map(name).collect());
    }
    Ok(all)
}

/// What the filters leave out, of both sides.
#[derive(Debug)]
pub(super) struct Scope {
    /// By the source's objects.
    pub(super) source: Selection,
    /// By the target's.
    pub(super) target: Selection,
}

/// Tables that are compared together, on each side, under one name.
pub(super) type Together = BTreeMap<QualifiedName, [Vec<QualifiedName>; 2]>;

/// Pairs what the filters leave, by name.
pub(super) fn pair(
    mut source: Relations,
    mut target: Relations,
    scope: &Scope,
    together: &Together,
) -> Vec<Unit> {
    let is_left_out = |relation: &Relation| !scope.source.copies(relation.table.oid);
    let left_out: Vec<_> = source
        .iter()
        .filter(|(_, relation)| is_left_out(relation))
        .map(|(name, _)| name.clone())
        .collect();
    for name in &left_out {
        source.remove(name);
        target.remove(name);
    }
    target.retain(|name, relation| {
        source.contains_key(name) || scope.target.copies(relation.table.oid)
    });
    let mut units = Vec::with_capacity(source.len());
    for (name, [on_source, on_target]) in together {
        let take = |relations: &mut Relations, names: &[QualifiedName]| {
            let taken = names.iter().filter_map(|name| relations.remove(name));
            taken.collect::<Vec<_>>()
        };
        let sides = [take(&mut source, on_source), take(&mut target, on_target)];
        if !sides[0].is_empty() {
            units.push(unit(name.clone(), sides));
        }
    }
    for (name, relation) in source {
        let other = target.remove(&name);
        units.push(unit(name, [vec![relation], other.into_iter().collect()]));
    }
    for (name, relation) in target {
        units.push(unit(name, [vec![], vec![relation]]));
    }
    units.sort_by(|left, right| left.name.cmp(&right.name));
    units
}

fn unit(name: QualifiedName, sides: [Vec<Relation>; 2]) -> Unit {
    let columns_differ = columns_differ(&sides);
    let key = match columns_differ {
        None => common_key(&sides),
        Some(_) => None,
    };
    Unit {
        name,
        key,
        columns_differ,
        sides,
    }
}

/// The key of the first table of the source that all tables have the columns of; the target's, if
/// there is no other.
fn common_key(sides: &[Vec<Relation>; 2]) -> Option<Vec<String>> {
    let key = |relations: &Vec<Relation>| relations.first()?.key.clone();
    let key = key(&sides[0]).or_else(|| key(&sides[1]))?;
    let has = |relation: &Relation| {
        let is_there = |name: &String| relation.columns.iter().any(|column| column.name == *name);
        key.iter().all(is_there)
    };
    sides.iter().flatten().all(has).then_some(key)
}

fn columns_differ(sides: &[Vec<Relation>; 2]) -> Option<String> {
    let first = sides[0].first()?;
    let names = |relation: &Relation| -> Vec<String> {
        let columns = relation.columns.iter();
        columns.map(|column| column.name.clone()).collect()
    };
    let expected = names(first);
    let other = sides.iter().flatten().find(|it| names(it) != expected)?;
    let found = names(other);
    let only = |these: &[String], those: &[String]| -> String {
        let only = these.iter().filter(|name| !those.contains(name));
        only.cloned().collect::<Vec<_>>().join(", ")
    };
    let mut facts = Vec::new();
    for (side, only) in [
        ("source", only(&expected, &found)),
        ("target", only(&found, &expected)),
    ] {
        if !only.is_empty() {
            facts.push(format!("only on the {side}: {only}"));
        }
    }
    Some(format!("its columns differ, {}", facts.join("; ")))
}

/// Which tables have their rows in others on the target, by the table that has them there.
pub(super) fn shared_roots(
    partitions: &[Partition],
    places: &HashMap<QualifiedName, Placed>,
) -> Vec<QualifiedName> {
    let mut roots: Vec<QualifiedName> = partitions
        .iter()
        .filter_map(|partition| places.get(&partition.itself.table()))
        .filter(|placed| placed.is_shared)
        .map(|placed| placed.table.clone())
        .collect();
    roots.sort();
    roots.dedup();
    // One that is below another goes with it.
    let above = |root: &QualifiedName| {
        let is_below = |partition: &&Partition| {
            partition.parents.iter().any(|level| level.table() == *root)
                || partition.itself.table() == *root
        };
        let levels = partitions.iter().filter(is_below).flat_map(|partition| {
            let at = partition.parents.iter().position(|it| it.table() == *root);
            partition.parents[at.map_or(0, |at| at + 1)..].iter()
        });
        levels.map(|level| level.table()).collect::<Vec<_>>()
    };
    let is_highest = |root: &&QualifiedName| !above(root).iter().any(|it| roots.contains(it));
    roots.iter().filter(is_highest).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Capture;

    fn relation(name: &str, columns: &[&str], key: Option<&[&str]>) -> (QualifiedName, Relation) {
        let name = QualifiedName::new("s", name);
        let column = |name: &&str| Column {
            name: (*name).into(),
            values: Values::Short,
        };
        let relation = Relation {
            table: TableRow {
                oid: 1,
                name: name.clone(),
                columns: vec![],
                bytes: 1,
                estimated_rows: 0,
                capture: Capture::Rows,
                uncaptured: 0,
            },
            columns: columns.iter().map(column).collect(),
            key: key.map(|key| key.iter().map(|name| (*name).to_owned()).collect()),
        };
        (name, relation)
    }

    fn paired(
        source: Vec<(QualifiedName, Relation)>,
        target: Vec<(QualifiedName, Relation)>,
    ) -> Vec<Unit> {
        let scope = Scope {
            source: Selection::default(),
            target: Selection::default(),
        };
        let (source, target) = (source.into_iter().collect(), target.into_iter().collect());
        pair(source, target, &scope, &Together::new())
    }

    #[test]
    fn tables_of_one_side_are_units_too() {
        let units = paired(
            vec![
                relation("a", &["id"], Some(&["id"])),
                relation("b", &["id"], None),
            ],
            vec![
                relation("b", &["id"], Some(&["id"])),
                relation("c", &["id"], None),
            ],
        );
        let counts: Vec<_> = units
            .iter()
            .map(|unit| (unit.name.name.as_str(), unit.sides.each_ref().map(Vec::len)))
            .collect();
        assert_eq!(counts, [("a", [1, 0]), ("b", [1, 1]), ("c", [0, 1])]);
        assert_eq!(units[1].key.as_deref(), Some(&["id".to_owned()][..]));
    }

    #[test]
    fn other_columns_are_a_difference_and_say_which() {
        let units = paired(
            vec![relation("a", &["id", "x"], Some(&["id"]))],
            vec![relation("a", &["id", "y"], Some(&["id"]))],
        );
        assert_eq!(
            units[0].columns_differ.as_deref(),
            Some("its columns differ, only on the source: x; only on the target: y")
        );
        assert_eq!(units[0].key, None);
    }
}
