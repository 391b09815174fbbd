//! Whether two databases are equal, told by SQL alone and with none of pgflit's code.
//!
//! Compared are the definitions of everything a dump carries, every row of every table as a
//! multiset (so that a row applied twice shows), sequences with their next value, and large
//! objects. The schema `pgflit`, where pgflit keeps its own, is left out.

mod definitions;

use std::collections::BTreeMap;
use std::fmt::Write;

use super::Database;
use definitions::{NOT_NULL, definitions};

/// Differing rows shown of each table and side.
const ROWS_SHOWN: usize = 5;

/// Characters shown of each row or line.
const CHARS_SHOWN: usize = 1000;

/// Every name that is printed is then qualified, whatever the database's own default is.
const QUALIFIED: &str = "SET search_path = pg_catalog;";

/// Namespaces that are compared.
const OURS: &str = "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgflit')";

/// Fails, listing what differs, unless both databases are equal.
#[track_caller]
pub(crate) fn assert_equal(source: &Database, target: &Database) {
    let found = differences(source, target);
    assert!(
        found.is_empty(),
        "source and target differ:\n{}",
        found.join("\n")
    );
}

/// What differs, for people; empty if the databases are equal.
pub(crate) fn differences(source: &Database, target: &Database) -> Vec<String> {
    let mut found = Vec::new();
    let tables = [tables(source), tables(target)];
    let digests = [
        row_digests(source, &tables[0]),
        row_digests(target, &tables[1]),
    ];
    for (table, digest) in &digests[0] {
        match digests[1].get(table) {
            Some(other) if other == digest => {}
            Some(other) => found.push(row_difference(source, target, table, digest, other)),
            None => found.push(format!("table {table} is missing on the target")),
        }
    }
    for table in digests[1].keys() {
        if !digests[0].contains_key(table) {
            found.push(format!("table {table} is only on the target"));
        }
    }
    let [left, right] = [source, target].map(sequence_positions);
    let positions = line_difference(&left, &right);
    if !positions.is_empty() {
        found.push(format!("sequence positions:\n{positions}"));
    }
    let of_both = |found: &String| !found.starts_with(NOT_NULL);
    let definitions = definition_differences(source, target);
    found.extend(definitions.into_iter().filter(of_both));
    found
}

/// Which definitions differ, for people; those of NOT NULL too, which servers before 18 do not
/// name.
pub(crate) fn definition_differences(source: &Database, target: &Database) -> Vec<String> {
    let [left, right] = [source, target].map(definition_lines);
    let mut found = Vec::new();
    for (kind, _) in definitions() {
        let none = Vec::new();
        let of = |side: &BTreeMap<String, Vec<String>>| side.get(kind).unwrap_or(&none).clone();
        let difference = line_difference(&of(&left), &of(&right));
        if !difference.is_empty() {
            found.push(format!("{kind}:\n{difference}"));
        }
    }
    found
}

/// Tables that hold rows themselves, quoted: ordinary ones, partitions, materialized views.
fn tables(database: &Database) -> Vec<String> {
    let query = format!(
        "SELECT format('%I.%I', n.nspname, c.relname)
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'm') AND c.relispopulated AND c.relpersistence <> 't' AND {OURS}
          ORDER BY 1"
    );
    lines(database, &query)
}

/// For each table the number of rows and a sum over the rows' digests, which does not depend on
/// their order and does on how often each occurs.
fn row_digests(database: &Database, tables: &[String]) -> BTreeMap<String, (String, String)> {
    let half = |from: u8| format!("sum(('x' || substr(d, {from}, 16))::bit(64)::bigint::numeric)");
    let mut script = QUALIFIED.to_owned();
    for table in tables {
        let name = table.replace('\'', "''");
        let _ = writeln!(
            script,
            "SELECT '{name}', count(*), concat({}, ' ', {})
               FROM (SELECT md5(t::text) AS d FROM ONLY {table} AS t) AS digests;",
            half(1),
            half(17)
        );
    }
    let answer = database.sql(&script);
    let digest = |line: &str| {
        let mut fields = line.rsplitn(3, '|').map(str::to_owned);
        let (sum, count) = (fields.next()?, fields.next()?);
        Some((fields.next()?, (count, sum)))
    };
    answer.lines().filter_map(digest).collect()
}

fn row_difference(
    source: &Database,
    target: &Database,
    table: &str,
    left: &(String, String),
    right: &(String, String),
) -> String {
    let query = format!("SELECT t::text FROM ONLY {table} AS t");
    let rows = [source, target].map(|side| lines(side, &query));
    format!(
        "table {table}: {} rows on the source, {} on the target\n{}",
        left.0,
        right.0,
        line_difference(&rows[0], &rows[1])
    )
}

fn lines(database: &Database, query: &str) -> Vec<String> {
    let rows = database.rows(&format!("{QUALIFIED} {query}"));
    rows.into_iter().map(|row| row.join(" ")).collect()
}

/// Where each sequence stands, and whether that value was given out already. `pg_sequences` does
/// not tell where one stands that was never called.
fn sequence_positions(database: &Database) -> Vec<String> {
    let query = format!(
        "SELECT format('SELECT %L, last_value, is_called FROM %s;', c.oid::regclass, c.oid::regclass)
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND {OURS}"
    );
    let script = lines(database, &query).join("\n");
    let answer = database.sql(&format!("{QUALIFIED} {script}"));
    answer.lines().map(str::to_owned).collect()
}

/// Each kind's definitions. All are asked for at once: starting psql takes longer than answering.
fn definition_lines(database: &Database) -> BTreeMap<String, Vec<String>> {
    let label = |(kind, query): (&str, String)| {
        format!("SELECT '{kind}', definition::text FROM ({query}) AS definition")
    };
    let queries: Vec<_> = definitions().into_iter().map(label).collect();
    let rows = database.rows(&format!("{QUALIFIED} {}", queries.join(" UNION ALL ")));
    let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows {
        let [kind, definition] = <[String; 2]>::try_from(row).expect("two columns");
        lines.entry(kind).or_default().push(definition);
    }
    lines
}

/// The first lines of each side that the other has not, or has less often.
fn line_difference(left: &[String], right: &[String]) -> String {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for line in left {
        *counts.entry(line).or_default() += 1;
    }
    for line in right {
        *counts.entry(line).or_default() -= 1;
    }
    let mut text = String::new();
    for (side, sign) in [("source", 1), ("target", -1)] {
        let surplus = || counts.iter().filter(|(_, count)| *count * sign > 0);
        for (line, count) in surplus().take(ROWS_SHOWN) {
            let shown: String = line.chars().take(CHARS_SHOWN).collect();
            let _ = writeln!(
                text,
                "  only on the {side}, {} times: {shown}",
                count * sign
            );
        }
        let hidden = surplus().count().saturating_sub(ROWS_SHOWN);
        if hidden > 0 {
            let _ = writeln!(text, "  and {hidden} more only on the {side}");
        }
    }
    text
}
