//! Whether both databases hold the same rows, told by SQL alone.

use std::collections::BTreeMap;

use super::DemoError;
use super::psql::Database;

/// One table on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ComparedTable {
    /// Schema and name, quoted where SQL needs it.
    pub(super) name: String,
    /// Rows on the source; none if the table is missing there.
    pub(super) source_rows: Option<u64>,
    /// Rows on the target; none if the table is missing there.
    pub(super) target_rows: Option<u64>,
    /// Whether both hold the same rows, each as often.
    pub(super) is_equal: bool,
}

/// How many rows a table has, and what identifies them all.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Content {
    rows: u64,
    digest: String,
}

/// Tables that hold rows. The schema `pgflit` holds what pgflit itself keeps on the target.
const TABLES: &str = "SELECT format('%I.%I', n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't'
      AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgflit')
    ORDER BY 1";

/// Compares every table of either side; those that are alike and those that are not.
pub(super) fn compare(
    source: &Database,
    target: &Database,
) -> Result<Vec<ComparedTable>, DemoError> {
    Ok(paired(contents(source)?, contents(target)?))
}

fn contents(database: &Database) -> Result<BTreeMap<String, Content>, DemoError> {
    let tables = database.rows(TABLES)?;
    tables
        .into_iter()
        .map(|table| Ok((table.clone(), content(database, &table)?)))
        .collect()
}

/// The digest is a sum over the rows' own digests: it does not depend on their order, and does on
/// how often each occurs.
fn content(database: &Database, table: &str) -> Result<Content, DemoError> {
    let half = |from: u8| format!("sum(('x' || substr(d, {from}, 16))::bit(64)::bigint::numeric)");
    let query = format!(
        "SELECT count(*), concat({}, ' ', {})
           FROM (SELECT md5(t::text) AS d FROM ONLY {table} AS t) AS digests",
        half(1),
        half(17)
    );
    let answer = database.rows(&query)?.join("\n");
    let parsed = answer.split_once('|').and_then(|(rows, digest)| {
        Some(Content {
            rows: rows.parse().ok()?,
            digest: digest.to_owned(),
        })
    });
    parsed.ok_or(DemoError::Answer {
        program: "psql",
        answer,
    })
}

fn paired(
    source: BTreeMap<String, Content>,
    target: BTreeMap<String, Content>,
) -> Vec<ComparedTable> {
    let mut names: Vec<_> = source.keys().chain(target.keys()).collect();
    names.sort();
    names.dedup();
    let compared = |name: &String| {
        let (left, right) = (source.get(name), target.get(name));
        ComparedTable {
            name: name.clone(),
            source_rows: left.map(|content| content.rows),
            target_rows: right.map(|content| content.rows),
            is_equal: left == right,
        }
    };
    names.into_iter().map(compared).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(tables: &[(&str, u64, &str)]) -> BTreeMap<String, Content> {
        let content = |(name, rows, digest): &(&str, u64, &str)| {
            let digest = (*digest).to_owned();
            (
                (*name).to_owned(),
                Content {
                    rows: *rows,
                    digest,
                },
            )
        };
        tables.iter().map(content).collect()
    }

    #[test]
    fn a_table_of_one_side_alone_is_a_difference() {
        let compared = paired(
            side(&[("a", 1, "x"), ("b", 2, "y"), ("c", 3, "z")]),
            side(&[("b", 2, "y"), ("c", 3, "other"), ("d", 4, "w")]),
        );
        let equal: Vec<_> = compared
            .iter()
            .map(|table| (table.name.as_str(), table.is_equal))
            .collect();
        assert_eq!(
            equal,
            [("a", false), ("b", true), ("c", false), ("d", false)]
        );
        assert_eq!(compared[0].target_rows, None);
    }
}
