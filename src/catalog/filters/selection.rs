//! What the filters mean for one source: which objects are not made, which rows are not copied.
//!
//! | section | what is left out |
//! |---|---|
//! | schemas | the schema and all that is in it; one that holds an extension stays, without the rest |
//! | tables | the table, its partitions and heirs, all that depends on them |
//! | `include-only-table` | every other table; parents of included ones are made and stay empty |
//! | `exclude-table-data` | rows only; and foreign keys that point at them from rows that are there |
//! | indexes | the index and the constraint it supports |
//! | extensions, event triggers | themselves |

use std::collections::{HashMap, HashSet};

use crate::pg::Session;
use crate::store::{IndexRow, LeftOut, RowsLeftOut, TableRow};

use super::dependents::{Fallen, Graph, Object, PG_CLASS, PG_CONSTRAINT, PG_NAMESPACE};
use super::error::FilterError;
use super::facts::{self, Facts};
use super::parse::Filters;
use super::seeds::{Seeds, reach};
use super::{checks, matching, naming};

/// Whether includes that match nothing, and contradictions that show only on the source, are
/// errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// They are: a migration begins.
    Begin,
    /// They are not: it has begun, and the source may have changed since.
    GoOn,
}

/// What the filters mean for one source.
#[derive(Debug, Default)]
pub struct Selection {
    left_out: Vec<LeftOut>,
    objects: HashSet<(u32, u32)>,
    rows: HashMap<u32, RowsLeftOut>,
    named: HashSet<(u32, u32)>,
    schemas: Vec<String>,
    /// What the operator should hear: entries that match nothing.
    pub unmatched: Vec<String>,
    /// And what is left out although no entry names it.
    pub notices: Vec<String>,
}

impl Selection {
    /// Objects that are not made on the target, with all that depends on them.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// Tables that are made and stay empty, by name.
    pub fn rows_left_out(&self) -> Vec<RowsLeftOut> {
        let mut rows: Vec<_> = self.rows.values().cloned().collect();
        rows.sort_by(|left, right| left.name.cmp(&right.name));
        rows
    }

    /// Whether the object `oid` of the catalog `catalog` is not made on the target.
    pub fn leaves_out(&self, catalog: u32, oid: u32) -> bool {
        self.objects.contains(&(catalog, oid))
    }

    /// Why relations are left out, or the rows of tables, by the relation's OID.
    pub fn reasons(&self) -> HashMap<u32, &str> {
        let left_out = self.left_out.iter();
        let left_out = left_out.filter(|object| object.catalog_oid == PG_CLASS);
        let left_out = left_out.map(|object| (object.object_oid, object.reason.as_str()));
        let rows = self.rows.iter();
        let rows = rows.map(|(oid, rows)| (*oid, rows.reason.as_str()));
        rows.chain(left_out).collect()
    }

    /// Schemas that are left out with everything that is in them.
    pub fn schemas(&self) -> &[String] {
        &self.schemas
    }

    /// Whether the filters say themselves that this is left out.
    pub fn is_named(&self, left_out: &LeftOut) -> bool {
        self.named
            .contains(&(left_out.catalog_oid, left_out.object_oid))
    }

    /// Whether the relation `oid` is made on the target.
    pub fn makes(&self, oid: u32) -> bool {
        !self.objects.contains(&(PG_CLASS, oid))
    }

    /// Whether the rows of the table `oid` are copied.
    pub fn copies(&self, oid: u32) -> bool {
        self.makes(oid) && !self.rows.contains_key(&oid)
    }

    /// Keeps the tables whose rows are copied.
    pub fn filter_tables(&self, tables: &mut Vec<TableRow>) {
        tables.retain(|table| self.copies(table.oid));
    }

    /// Keeps the indexes that pgflit builds: those of tables whose rows are copied.
    pub fn filter_indexes(&self, indexes: &mut Vec<IndexRow>) {
        indexes.retain(|index| self.copies(index.table_oid) && self.makes(index.oid));
    }
}

/// Asks `source` what `filters` mean there. Reads only, and not at all without filters.
///
/// # Errors
/// A pattern is wrong; an exact include matches nothing; a table that is kept needs what is not;
/// the source fails.
pub async fn resolve(
    source: &Session,
    filters: &Filters,
    strictness: Strictness,
) -> Result<Selection, FilterError> {
    if filters.is_empty() {
        return Ok(Selection::default());
    }
    let matches = matching::find(source, filters).await?;
    let facts = facts::read(source).await?;
    let unmatched = checks::unmatched(filters, &matches, strictness)?;
    let seeds = Seeds::of(filters, &matches, &facts);
    let graph = Graph::new(&facts.edges, facts.sequences());
    let mut objects = seeds.objects;
    let fallen = graph.fall(objects.clone());
    let named = objects
        .iter()
        .map(|(object, _)| (object.catalog, object.oid))
        .collect();
    objects.extend(dangling_keys(&facts, &fallen, &seeds.rows));
    let fallen = graph.fall(objects);
    if strictness == Strictness::Begin {
        checks::included(filters, &matches, &facts, &fallen)?;
        if let Some((kept, lost)) = checks::needed(&facts, &graph, &fallen) {
            return Err(FilterError::Needed {
                file: filters.file.clone(),
                kept: naming::shown(source, &facts, kept).await?,
                lost: naming::shown(source, &facts, lost).await?,
            });
        }
    }
    let names = naming::name(source, &facts, &graph, &fallen, &seeds.hollow).await?;
    let objects = names.left_out.iter();
    let objects: HashSet<_> = objects
        .map(|left_out| (left_out.catalog_oid, left_out.object_oid))
        .collect();
    let schemas = facts.schemas.iter();
    let schemas = schemas.filter(|(oid, _)| objects.contains(&(PG_NAMESPACE, **oid)));
    let schemas = schemas.map(|(_, name)| name.clone()).collect();
    let mut rows = seeds.rows;
    rows.retain(|oid, _| !objects.contains(&(PG_CLASS, *oid)));
    Ok(Selection {
        left_out: names.left_out,
        objects,
        named,
        schemas,
        rows,
        unmatched,
        notices: names.notices,
    })
}

/// Foreign keys from rows that are copied to tables that miss some: they would be refused at the
/// very end.
fn dangling_keys(
    facts: &Facts,
    fallen: &Fallen,
    rows: &HashMap<u32, RowsLeftOut>,
) -> Vec<(Object, String)> {
    let relations = fallen.causes.keys();
    let relations = relations.filter(|object| object.catalog == PG_CLASS);
    let missing: HashSet<_> = relations
        .map(|object| object.oid)
        .chain(rows.keys().copied())
        .collect();
    let mut parents: HashMap<_, Vec<_>> = HashMap::new();
    for child in &facts.children {
        parents.entry(child.child).or_default().push(child.parent);
    }
    // A table misses what one of its partitions misses.
    let missing_some = reach(&missing, &parents);
    let keys = facts
        .foreign_keys
        .iter()
        .filter(|key| missing_some.contains(&key.references) && !missing.contains(&key.table));
    let reason = "it points at rows that are left out";
    keys.map(|key| (Object::new(PG_CONSTRAINT, key.oid), reason.to_owned()))
        .filter(|(object, _)| !fallen.causes.contains_key(object))
        .collect()
}
