//! Changes to a table whose parts were copied under several snapshots: which part each concerns, and
//! what is left of an update that moves a row between two of which the copy contains one. The rule is
//! in [`super::filter`].

use std::sync::Arc;

use crate::cdc::change::{Identity, Operation};
use crate::cdc::sql_line::{Prepare, Shape, compares_exactly, ident};

use super::block::Values;
use super::error::ApplyError;
use super::expect::Change;
use super::filter::{Committed, InEpochs};

/// What of one change the copy does not contain.
#[derive(Debug)]
pub(super) enum Left {
    /// All of it.
    All,
    /// Nothing.
    Nothing,
    /// To take the row from the part it was in.
    Delete(Change),
    /// To give the row to the part that it comes to, whose rows have this value; if the stream carries
    /// all of it.
    Insert(Change, String),
}

/// What of `change` the copy of its table does not contain.
pub(super) fn left_of(
    change: &Change,
    parts: &InEpochs,
    transaction: Committed,
) -> Result<Left, ApplyError> {
    let shape = &change.prepare.shape;
    let unplaced = || ApplyError::Unplaced {
        table: Box::new(change.table().clone()),
        column: parts.column().to_owned(),
        xid: change.begin.xid,
        lsn: change.begin.lsn,
        place: change.place(),
    };
    let contains = |at: usize| {
        let value = change
            .values
            .get(at)
            .and_then(|text| str::from_utf8(text).ok());
        let value = value.ok_or_else(unplaced)?;
        let contains = parts.contains_at(value, transaction);
        contains
            .map(|contains| (contains, value))
            .ok_or_else(unplaced)
    };
    let of_column = |at: &usize| shape.columns[*at] == parts.column();
    let all = 0..shape.columns.len();
    let one = |at: Option<usize>| {
        let (contains, _) = contains(at.ok_or_else(unplaced)?)?;
        Ok(match contains {
            true => Left::Nothing,
            false => Left::All,
        })
    };
    let before = shape.key.iter().copied().find(|at| of_column(at));
    match shape.op {
        Operation::Insert => one(all.clone().find(of_column)),
        Operation::Delete => one(before),
        Operation::Update => {
            let before = before.ok_or_else(unplaced)?;
            let after = all
                .clone()
                .find(|at| of_column(at) && !shape.key.contains(at));
            let (was, _) = contains(before)?;
            let (is, value) = contains(after.unwrap_or(before))?;
            Ok(match (was, is) {
                (true, true) => Left::Nothing,
                (false, false) => Left::All,
                (false, true) => Left::Delete(with(change, delete(shape))),
                (true, false) => Left::Insert(with(change, insert(shape)), value.to_owned()),
            })
        }
    }
}

/// A statement instead of a change's own, and which of its values it takes.
struct Instead {
    operation: Operation,
    sql: String,
    parameters: Vec<usize>,
    /// Those of `parameters`, by place, that identify the row.
    key: Vec<usize>,
}

fn with(change: &Change, instead: Instead) -> Change {
    let shape = &change.prepare.shape;
    let taken = || instead.parameters.iter().copied();
    let shape = Shape {
        op: instead.operation,
        columns: taken().map(|at| shape.columns[at].clone()).collect(),
        types: taken().map(|at| shape.types[at].clone()).collect(),
        modifiers: taken().map(|at| shape.modifiers[at]).collect(),
        key: instead.key.clone(),
        ..shape.clone()
    };
    let values = taken().map(|at| change.values.get(at));
    Change {
        values: Values::of(values, change.values.block().origin().clone()),
        prepare: Arc::new(Prepare::new(instead.sql, shape)),
        written: None,
        begin: Arc::clone(&change.begin),
        at: change.at,
    }
}

fn name(shape: &Shape) -> String {
    format!("{}.{}", ident(&shape.schema), ident(&shape.table))
}

/// Deletes the row that an update of this shape finds.
fn delete(shape: &Shape) -> Instead {
    let full = shape.identity == Identity::Full;
    let condition = |(number, at): (usize, &usize)| {
        let column = ident(&shape.columns[*at]);
        match full && !compares_exactly(&shape.types[*at]) {
            true => format!("concat({column}) = ${}", number + 1),
            false => format!("{column} = ${}", number + 1),
        }
    };
    let mut conditions: Vec<_> = shape.key.iter().enumerate().map(condition).collect();
    if full {
        // What is set and was not compared was null.
        let set = 0..shape.columns.len();
        let is_null = |at: &usize| {
            let same = |key: &usize| shape.columns[*key] == shape.columns[*at];
            !shape.key.contains(at) && !shape.key.iter().any(same)
        };
        let nulls = set.filter(is_null).map(|at| ident(&shape.columns[at]));
        conditions.extend(nulls.map(|column| format!("{column} IS NULL")));
    }
    let (table, conditions) = (name(shape), conditions.join(" AND "));
    let found = match full {
        true => format!("ctid = (SELECT ctid FROM ONLY {table} WHERE {conditions} LIMIT 1)"),
        false => conditions,
    };
    Instead {
        operation: Operation::Delete,
        sql: format!("DELETE FROM ONLY {table} WHERE {found}"),
        parameters: shape.key.clone(),
        key: (0..shape.key.len()).collect(),
    }
}

/// Inserts the row that an update of this shape makes, of what the stream carries of it.
fn insert(shape: &Shape) -> Instead {
    let is_set = |at: usize| {
        let same = |other: &usize| shape.columns[*other] == shape.columns[at];
        (0..shape.columns.len()).any(|other| !shape.key.contains(&other) && same(&other))
    };
    let parameters: Vec<_> = (0..shape.columns.len())
        .filter(|at| !(shape.key.contains(at) && is_set(*at)))
        .collect();
    let names: Vec<_> = (parameters.iter())
        .map(|at| ident(&shape.columns[*at]))
        .collect();
    let values: Vec<_> = (1..=parameters.len()).map(|at| format!("${at}")).collect();
    let keyed = matches!(shape.identity, Identity::Default | Identity::Index);
    let is_key = |at: usize| {
        let same = |key: &usize| shape.columns[*key] == shape.columns[at];
        keyed && shape.key.iter().any(same)
    };
    let key = (0..parameters.len()).filter(|place| is_key(parameters[*place]));
    Instead {
        operation: Operation::Insert,
        sql: format!(
            "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})",
            name(shape),
            names.join(", "),
            values.join(", ")
        ),
        key: key.collect(),
        parameters,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(identity: Identity, columns: &[&str], key: &[usize]) -> Shape {
        Shape {
            op: Operation::Update,
            schema: "public".into(),
            table: "t".into(),
            identity,
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            types: columns
                .iter()
                .map(|name| if *name == "j" { "json" } else { "int4" }.to_owned())
                .collect(),
            modifiers: vec![-1; columns.len()],
            key: key.to_vec(),
        }
    }

    #[test]
    fn the_row_is_deleted_by_what_the_update_finds_it_by() {
        let keyed = delete(&shape(Identity::Default, &["id", "n", "id"], &[2]));
        assert_eq!(
            keyed.sql,
            r#"DELETE FROM ONLY "public"."t" WHERE "id" = $1"#
        );
        assert_eq!((keyed.parameters, keyed.key), (vec![2], vec![0]));
        let full = delete(&shape(
            Identity::Full,
            &["id", "n", "j", "id", "j"],
            &[3, 4],
        ));
        assert_eq!(
            full.sql,
            r#"DELETE FROM ONLY "public"."t" WHERE ctid = (SELECT ctid FROM ONLY "public"."t" WHERE "id" = $1 AND concat("j") = $2 AND "n" IS NULL LIMIT 1)"#
        );
        assert_eq!(full.parameters, [3, 4]);
    }

    #[test]
    fn the_row_is_inserted_with_what_it_is_set_to_and_what_stays() {
        let moved = insert(&shape(Identity::Default, &["id", "n", "id", "k"], &[2, 3]));
        assert_eq!(
            moved.sql,
            r#"INSERT INTO "public"."t" ("id", "n", "k") OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3)"#
        );
        assert_eq!(moved.parameters, [0, 1, 3]);
        assert_eq!(moved.key, [0, 2]);
    }
}
