//! `list progress`: how far a copy is, from the store of its work directory.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::scope::Shape;
use crate::base::QualifiedName;
use crate::cli::options::ListScope;
use crate::commands::{CommandError, place};
use crate::report::listing::Column;
use crate::store::{IndexProgress, PartProgress, Store};

#[derive(Debug, Serialize, PartialEq, Eq)]
struct Progress {
    tables: Count,
    indexes: Count,
}

/// How many of a kind there are, and which are being worked at.
#[derive(Debug, Default, Serialize, PartialEq, Eq)]
struct Count {
    total: usize,
    done: usize,
    #[serde(rename = "in-progress")]
    in_progress: Vec<Named>,
}

#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
struct Named {
    oid: u32,
    schema: String,
    name: String,
}

pub(super) fn progress(scope: &ListScope, shape: Shape) -> Result<String, CommandError> {
    let store = place::work_dir(&scope.work_dir).open_store()?;
    let progress = Progress {
        tables: tables(&store)?,
        indexes: indexes(&store)?,
    };
    if shape == Shape::Json {
        return super::scope::json(&progress);
    }
    let rows = [("Tables", progress.tables), ("Indexes", progress.indexes)];
    let columns = [
        Column::text("", |row: &(&str, Count)| row.0.to_owned()),
        Column::number("Total Count", |row| row.1.total.to_string()),
        Column::number("In Progress", |row| row.1.in_progress.len().to_string()),
        Column::number("Done", |row| row.1.done.to_string()),
    ];
    shape.print(&columns, &rows)
}

fn tables(store: &Store) -> Result<Count, CommandError> {
    let mut parts: HashMap<u32, usize> = HashMap::new();
    for part in store.parts()? {
        *parts.entry(part.table_oid).or_default() += 1;
    }
    let tables = store.tables()?;
    let all = tables.iter().map(|table| {
        let parts = parts.get(&table.oid).copied().unwrap_or(1);
        (named(table.oid, &table.name), parts)
    });
    Ok(count_tables(
        &all.collect::<Vec<_>>(),
        &store.part_progress()?,
    ))
}

/// A table is done when all of its parts are.
fn count_tables(tables: &[(Named, usize)], progress: &[PartProgress]) -> Count {
    let mut finished: HashMap<u32, usize> = HashMap::new();
    let mut begun = HashSet::new();
    for part in progress {
        begun.insert(part.table_oid);
        *finished.entry(part.table_oid).or_default() += usize::from(part.finished_at.is_some());
    }
    let mut count = Count {
        total: tables.len(),
        ..Count::default()
    };
    for (table, parts) in tables {
        if finished.get(&table.oid).is_some_and(|done| done >= parts) {
            count.done += 1;
        } else if begun.contains(&table.oid) {
            count.in_progress.push(table.clone());
        }
    }
    count
}

fn indexes(store: &Store) -> Result<Count, CommandError> {
    let progress = store.index_progress()?;
    let progress: HashMap<_, &IndexProgress> = progress
        .iter()
        .map(|index| (index.index_oid, index))
        .collect();
    let indexes = store.indexes()?;
    let mut count = Count {
        total: indexes.len(),
        ..Count::default()
    };
    for index in &indexes {
        match progress.get(&index.oid).map(|index| index.finished_at) {
            Some(Some(_)) => count.done += 1,
            Some(None) => count.in_progress.push(named(index.oid, &index.name)),
            None => {}
        }
    }
    Ok(count)
}

fn named(oid: u32, name: &QualifiedName) -> Named {
    Named {
        oid,
        schema: name.schema.clone(),
        name: name.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_done_when_all_of_its_parts_are() {
        let table = |oid, parts| (named(oid, &QualifiedName::new("public", "t")), parts);
        let part = |table_oid, part, finished_at| PartProgress {
            table_oid,
            part,
            epoch: 1,
            begun_at: 1.0,
            finished_at,
            rows: 0,
            bytes: 0,
        };
        let tables = [table(1, 2), table(2, 2), table(3, 1)];
        let progress = [
            part(1, 0, Some(2.0)),
            part(1, 1, Some(2.0)),
            part(2, 0, Some(2.0)),
        ];
        let count = count_tables(&tables, &progress);
        assert_eq!((count.total, count.done), (3, 1));
        assert_eq!(count.in_progress, [table(2, 2).0]);
    }
}
