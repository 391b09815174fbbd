//! Whether two databases are equal, told by SQL alone and with none of pgflit's code.
//!
//! Compared are the definitions of everything a dump carries, every row of every table as a
//! multiset (so that a row applied twice shows), sequences with their next value, and large
//! objects. The schema `pgflit`, where pgflit keeps its own, is left out.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::Database;

/// Differing rows shown of each table and side.
const ROWS_SHOWN: usize = 5;

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
    let [left, right] = [source, target].map(definition_lines);
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
          WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND {OURS}
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
            let _ = writeln!(text, "  only on the {side}, {} times: {line}", count * sign);
        }
        let hidden = surplus().count().saturating_sub(ROWS_SHOWN);
        if hidden > 0 {
            let _ = writeln!(text, "  and {hidden} more only on the {side}");
        }
    }
    text
}

/// What a dump carries besides rows: for each kind, a query whose rows must be the same.
fn definitions() -> Vec<(&'static str, String)> {
    let of_relations = |columns: &str, more: &str| {
        format!(
            "SELECT n.nspname, c.relname, {columns}
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace {more} AND {OURS}"
        )
    };
    vec![
        (
            "schemas",
            format!(
                "SELECT n.nspname, n.nspowner::regrole, n.nspacl FROM pg_namespace n WHERE {OURS}"
            ),
        ),
        (
            "relations",
            of_relations(
                "c.relkind, c.relpersistence, c.relreplident, c.relrowsecurity, c.reloptions,
                 c.relowner::regrole, c.relacl, pg_get_partkeydef(c.oid),
                 pg_get_expr(c.relpartbound, c.oid), obj_description(c.oid, 'pg_class')",
                "WHERE c.relkind <> 't' AND c.relpersistence <> 't'",
            ),
        ),
        (
            "columns",
            of_relations(
                "a.attname, row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum),
                 format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                 a.attgenerated, a.attcollation::regcollation, pg_get_expr(d.adbin, d.adrelid)",
                "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                 LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
                 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND c.relpersistence <> 't'",
            ),
        ),
        (
            "indexes",
            of_relations(
                "pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisprimary, i.indisreplident,
                 i.indisclustered",
                "JOIN pg_index i ON i.indexrelid = c.oid WHERE c.relkind IN ('i', 'I')",
            ),
        ),
        (
            "constraints",
            format!(
                "SELECT n.nspname, k.conrelid::regclass, k.conname, k.contype, k.convalidated,
                        pg_get_constraintdef(k.oid)
                   FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace AND {OURS}"
            ),
        ),
        (
            "views",
            of_relations("pg_get_viewdef(c.oid)", "WHERE c.relkind IN ('v', 'm')"),
        ),
        (
            "triggers",
            of_relations(
                "pg_get_triggerdef(t.oid), t.tgenabled",
                "JOIN pg_trigger t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal",
            ),
        ),
        (
            "policies",
            of_relations(
                "p.polname, p.polcmd, pg_get_expr(p.polqual, c.oid)",
                "JOIN pg_policy p ON p.polrelid = c.oid WHERE true",
            ),
        ),
        (
            "functions",
            format!(
                "SELECT n.nspname, p.oid::regprocedure, p.proacl,
                        CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END
                   FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace AND {OURS}"
            ),
        ),
        (
            "types",
            format!(
                "SELECT n.nspname, t.typname, t.typtype, t.typnotnull, t.typdefault,
                        ARRAY(SELECT e.enumlabel FROM pg_enum e
                               WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder)
                   FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace AND {OURS}"
            ),
        ),
        (
            "sequences",
            "SELECT schemaname, sequencename, data_type, start_value, min_value, max_value,
                    increment_by, cycle, cache_size, last_value
               FROM pg_sequences WHERE schemaname <> 'pgflit'"
                .to_owned(),
        ),
        (
            "extensions",
            "SELECT extname, extversion, extnamespace::regnamespace FROM pg_extension".to_owned(),
        ),
        (
            "large objects",
            "SELECT oid, lomowner::regrole, lomacl, md5(lo_get(oid)) FROM pg_largeobject_metadata"
                .to_owned(),
        ),
    ]
}
