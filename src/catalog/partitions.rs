//! Partitions of the source, and where their rows are on a target that is partitioned otherwise.
//!
//! Every plugin names the partition that a change is in, and the copy and its ledger go partition
//! by partition, so that is where pgflit starts from, too: a publication by the root
//! (`publish_via_partition_root`) would not say which copy contains a change, would not carry a
//! TRUNCATE of one partition at all, and is there with one plugin only.
//!
//! | the target has | rows are in |
//! |---|---|
//! | the partition, with the bounds that it has on the source | the partition |
//! | the partition with other bounds, or not at all | the nearest table above it that has the same bounds on both sides; the root has none |
//! | none of the tables above it | the partition, whatever it is |
//!
//! Bounds are those of all levels together, as the condition that PostgreSQL makes of them
//! (`pg_get_partition_constraintdef`). Two that differ in letters alone (keys that are expressions,
//! before PostgreSQL 14 and after) are taken for different: then rows go in by a table above, which is
//! never wrong.

use std::collections::HashMap;

use super::discovery::USERS_OWN;
use crate::base::QualifiedName;
use crate::base::ident::quote_literal;
use crate::pg::{Error, Session};
use crate::store::{Level, Partition};

/// The bounds of a table `c`; null if it is no partition. A hash names its table by OID.
const BOUNDS: &str = r"
    CASE WHEN c.relispartition
         THEN coalesce(regexp_replace(pg_get_partition_constraintdef(c.oid),
                                      'satisfies_hash_partition\(''\d+''::oid',
                                      'satisfies_hash_partition(', 'g'), '') END";

/// To ask for bounds locks a table until the transaction ends; so many at a time need no special
/// settings.
const AT_ONCE: usize = 500;

/// What tables with rows are part of: a line for each table above each, with what to show up to there.
const ABOVE: &str = "
    above (leaf, depth, oid, shown) AS (
        SELECT c.oid, 1, i.inhparent,
               format('%s %s', i.inhparent::regclass, pg_get_expr(c.relpartbound, c.oid))
          FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
         WHERE c.relispartition AND c.relkind = 'r'
        UNION ALL
        SELECT above.leaf, above.depth + 1, i.inhparent,
               format('%s, %s %s', above.shown, i.inhparent::regclass,
                      pg_get_expr(p.relpartbound, p.oid))
          FROM above
          JOIN pg_class p ON p.oid = above.oid AND p.relispartition
          JOIN pg_inherits i ON i.inhrelid = p.oid)";

/// The partitions of the source, by OID. `source` is in no transaction, so that locks are let go.
pub async fn partitions(source: &Session) -> Result<Vec<(u32, Partition)>, Error> {
    let sql = format!(
        "WITH RECURSIVE {ABOVE}
         SELECT above.leaf, n.nspname::text, c.relname::text,
                above.oid, pn.nspname::text, p.relname::text, above.shown,
                k.partstrat <> 'h' AND NOT EXISTS (
                    SELECT FROM pg_collation o
                     WHERE o.oid = ANY (k.partcollation::oid[])
                       AND CASE k.partstrat
                           WHEN 'l' THEN to_jsonb(o) ->> 'collisdeterministic' = 'false'
                           ELSE o.collname NOT IN ('C', 'POSIX') END),
                EXISTS (
                    SELECT FROM pg_index i
                     WHERE i.indrelid = c.oid
                       AND CASE c.relreplident WHEN 'd' THEN i.indisprimary
                                               WHEN 'i' THEN i.indisreplident ELSE false END
                       AND above.depth > (
                           WITH RECURSIVE whole (oid) AS (
                               SELECT inhparent FROM pg_inherits WHERE inhrelid = i.indexrelid
                               UNION ALL
                               SELECT h.inhparent
                                 FROM whole JOIN pg_inherits h ON h.inhrelid = whole.oid)
                           SELECT count(*) FROM whole))
           FROM above
           JOIN pg_class c ON c.oid = above.leaf
           JOIN pg_namespace n ON n.oid = c.relnamespace
           JOIN pg_class p ON p.oid = above.oid
           JOIN pg_namespace pn ON pn.oid = p.relnamespace
           JOIN pg_partitioned_table k ON k.partrelid = p.oid
          WHERE {USERS_OWN}
          ORDER BY above.leaf, above.depth"
    );
    let rows = source.query(&sql, &[]).await?;
    let mut oids: Vec<u32> = rows
        .iter()
        .flat_map(|row| [row.get(0), row.get(3)])
        .collect();
    oids.sort_unstable();
    oids.dedup();
    let mut bounds: HashMap<u32, Option<String>> = HashMap::with_capacity(oids.len());
    let sql = format!("SELECT c.oid, {BOUNDS} FROM pg_class c WHERE c.oid = ANY ($1)");
    for oids in oids.chunks(AT_ONCE) {
        let rows = source.query(&sql, &[&oids]).await?;
        bounds.extend(rows.iter().map(|row| (row.get(0), row.get(1))));
    }
    let level = |row: &tokio_postgres::Row, at: usize| Level {
        schema: row.get(at + 1),
        name: row.get(at + 2),
        bounds: bounds.get(&row.get(at)).cloned().flatten(),
    };
    let mut partitions: Vec<(u32, Partition)> = Vec::new();
    for row in &rows {
        let oid = row.get(0);
        if partitions.last().is_none_or(|(last, _)| *last != oid) {
            let partition = Partition {
                itself: level(row, 0),
                parents: Vec::new(),
                is_exact: true,
                has_own_key: false,
                shown: String::new(),
            };
            partitions.push((oid, partition));
        }
        if let Some((_, partition)) = partitions.last_mut() {
            partition.parents.push(level(row, 3));
            partition.is_exact &= row.get::<_, bool>(7);
            partition.has_own_key |= row.get::<_, bool>(8);
            partition.shown = row.get(6);
        }
    }
    Ok(partitions)
}

/// The tables of a database: of each that is a partition its bounds and those of its parents, for
/// people.
pub async fn shown(session: &Session) -> Result<HashMap<QualifiedName, Option<String>>, Error> {
    let sql = format!(
        "WITH RECURSIVE {ABOVE}
         SELECT DISTINCT ON (c.oid) n.nspname::text, c.relname::text, above.shown
           FROM pg_class c
           JOIN pg_namespace n ON n.oid = c.relnamespace
           LEFT JOIN above ON above.leaf = c.oid
          WHERE c.relkind = 'r' AND {USERS_OWN}
          ORDER BY c.oid, above.depth DESC"
    );
    let rows = session.query(&sql, &[]).await?;
    let named = |row: &tokio_postgres::Row| {
        let (schema, name): (String, String) = (row.get(0), row.get(1));
        (QualifiedName::new(schema, name), row.get(2))
    };
    Ok(rows.iter().map(named).collect())
}

/// Where rows of a partition of the source are on the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// In this table.
    pub table: QualifiedName,
    /// Whether others may be there too.
    pub is_shared: bool,
}

/// A table of a target: none if it is not there; its bounds, if it is a partition.
type There = Option<Option<String>>;

fn levels_of(partition: &Partition) -> impl Iterator<Item = &Level> {
    std::iter::once(&partition.itself).chain(&partition.parents)
}

/// Where the rows of `partition` are on a target that has this of it and of its parents, in order.
fn place(partition: &Partition, there: &[There]) -> Placed {
    let found = || {
        levels_of(partition)
            .zip(there)
            .filter(|(_, there)| there.is_some())
    };
    let is_same = |(level, there): &(&Level, &There)| there.as_ref() == Some(&level.bounds);
    let (level, _) = found()
        .find(is_same)
        .or_else(|| found().last())
        .unwrap_or((&partition.itself, &None));
    Placed {
        table: level.table(),
        is_shared: level != &partition.itself,
    }
}

/// The question to a target that [`places_of`] takes the answer to: what it has of `partitions` and
/// of the tables above them.
pub fn question(partitions: &[&Partition]) -> String {
    let asked = partitions.iter().flat_map(|it| levels_of(it));
    let wanted = (1..).zip(asked).map(|(at, level)| {
        let name = level.table().quoted();
        format!("({at}, {})", quote_literal(&name))
    });
    let wanted: Vec<_> = wanted.collect();
    format!(
        "SELECT CASE WHEN c.oid IS NOT NULL THEN 'there' END, {BOUNDS}
           FROM (VALUES {}) AS wanted (at, name)
           LEFT JOIN pg_class c ON c.oid = to_regclass(wanted.name)
          ORDER BY wanted.at",
        wanted.join(", ")
    )
}

/// Where the rows of each of `partitions` are, by the rows that [`question`] is answered with.
pub fn places_of(
    partitions: &[&Partition],
    rows: impl Iterator<Item = (Option<String>, Option<String>)>,
) -> Vec<Placed> {
    let mut rows = rows.map(|(is_there, bounds)| is_there.map(|_| bounds));
    let placed = |partition: &&Partition| {
        let levels = 1 + partition.parents.len();
        let there: Vec<There> = rows.by_ref().take(levels).collect();
        place(partition, &there)
    };
    partitions.iter().map(placed).collect()
}

/// Where the rows of each of `partitions` are on `target`, which is in no transaction.
pub async fn places(
    target: &Session,
    partitions: &[Partition],
) -> Result<HashMap<QualifiedName, Placed>, Error> {
    let mut places = HashMap::with_capacity(partitions.len());
    for partitions in partitions.chunks(AT_ONCE) {
        let partitions: Vec<_> = partitions.iter().collect();
        let rows = target.query(&question(&partitions), &[]).await?;
        let rows = rows.iter().map(|row| (row.get(0), row.get(1)));
        let names = partitions.iter().map(|it| it.itself.table());
        places.extend(names.zip(places_of(&partitions, rows)));
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(name: &str, bounds: Option<&str>) -> Level {
        Level {
            schema: "s".into(),
            name: name.into(),
            bounds: bounds.map(str::to_owned),
        }
    }

    #[test]
    fn rows_are_in_the_nearest_table_that_has_the_same_bounds() {
        let partition = Partition {
            itself: level("leaf", Some("a AND b")),
            parents: vec![level("branch", Some("a")), level("root", None)],
            is_exact: true,
            has_own_key: false,
            shown: String::new(),
        };
        let bounds = |text: &str| Some(Some(text.to_owned()));
        let table: There = Some(None);
        for (there, expected, is_shared) in [
            (
                [bounds("a AND b"), bounds("a"), table.clone()],
                "leaf",
                false,
            ),
            (
                [bounds("a AND c"), bounds("a"), table.clone()],
                "branch",
                true,
            ),
            ([None, bounds("a"), table.clone()], "branch", true),
            ([None, bounds("d"), table.clone()], "root", true),
            ([bounds("a AND b"), None, None], "leaf", false),
            // No partition at all.
            ([table.clone(), bounds("a"), table.clone()], "branch", true),
            ([table.clone(), table.clone(), table.clone()], "root", true),
            ([table.clone(), None, None], "leaf", false),
            // The root is part of another table there.
            ([None, bounds("c"), bounds("e")], "root", true),
            ([None, None, None], "leaf", false),
        ] {
            let placed = place(&partition, &there);
            let found = (placed.table.name.as_str(), placed.is_shared);
            assert_eq!(found, (expected, is_shared), "{there:?}");
        }
    }
}
