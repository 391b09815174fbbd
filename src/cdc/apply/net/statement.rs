//! The statements whose meaning is known.

use crate::cdc::change::Operation;
use crate::cdc::sql_line::{Shape, ident};

/// The parameter that sets the key column of parameter `at`, if one does.
pub(in crate::cdc::apply) fn set_parameter(shape: &Shape, at: usize) -> Option<usize> {
    (0..shape.columns.len())
        .find(|other| !shape.key.contains(other) && shape.columns[*other] == shape.columns[at])
}

/// The statement that means what a set of such changes means: its parameters are written, or identify
/// the row by `=`, and nothing else is said.
pub(in crate::cdc::apply) fn as_known(shape: &Shape) -> Option<String> {
    let table = format!("{}.{}", ident(&shape.schema), ident(&shape.table));
    let equals = |at: usize| format!("{} = ${}", ident(&shape.columns[at]), at + 1);
    let found = || {
        let conditions: Vec<_> = shape.key.iter().map(|at| equals(*at)).collect();
        conditions.join(" AND ")
    };
    let all = 0..shape.columns.len();
    Some(match shape.op {
        _ if shape.columns.is_empty() => return None,
        Operation::Insert => {
            let names: Vec<_> = shape.columns.iter().map(|name| ident(name)).collect();
            let values: Vec<_> = all.map(|at| format!("${}", at + 1)).collect();
            format!(
                "INSERT INTO {table} ({}) OVERRIDING SYSTEM VALUE VALUES ({})",
                names.join(", "),
                values.join(", ")
            )
        }
        Operation::Update => {
            let set: Vec<_> = all
                .filter(|at| !shape.key.contains(at))
                .map(equals)
                .collect();
            format!(
                "UPDATE ONLY {table} SET {} WHERE {}",
                set.join(", "),
                found()
            )
        }
        Operation::Delete => format!("DELETE FROM ONLY {table} WHERE {}", found()),
    })
}
