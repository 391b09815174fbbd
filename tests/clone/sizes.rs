//! `--estimate-table-sizes`: the plan goes by what statistics say, and by the files where they say
//! nothing.

use serde_json::Value;

use crate::support::{Database, Held, Pair, assert_equal, pgflit};

/// `known` and its index were ten times smaller when they were analyzed; nobody has analyzed
/// `unknown` since its rows came, `grown` since it was empty, `emptied` since it was truncated. The
/// pages that ANALYZE has counted of `toasted` are few.
const TABLES: &str = "
    CREATE TABLE known (id int PRIMARY KEY, body text) WITH (autovacuum_enabled = false);
    INSERT INTO known SELECT n, repeat('k', 100) FROM generate_series(1, 2000) n;
    CREATE TABLE grown (id int PRIMARY KEY, body text) WITH (autovacuum_enabled = false);
    CREATE TABLE emptied (LIKE known INCLUDING ALL) WITH (autovacuum_enabled = false);
    INSERT INTO emptied SELECT * FROM known;
    CREATE TABLE toasted (id int PRIMARY KEY, body text)
      WITH (autovacuum_enabled = false, toast.autovacuum_enabled = false);
    ALTER TABLE toasted ALTER body SET STORAGE EXTERNAL;
    INSERT INTO toasted SELECT n, repeat(md5(n::text), 1000) FROM generate_series(1, 50) n;
    ANALYZE;
    CREATE TABLE unknown (id int PRIMARY KEY, body text) WITH (autovacuum_enabled = false);
    INSERT INTO unknown SELECT n, repeat('u', 100) FROM generate_series(1, 20000) n;
    INSERT INTO known SELECT n, repeat('k', 100) FROM generate_series(2001, 20000) n;
    INSERT INTO grown SELECT n, repeat('g', 100) FROM generate_series(1, 20000) n;
    TRUNCATE emptied;";

/// The parts of `table`, and the sum of their bytes.
fn parts(source: &Database, table: &str, option: &str) -> (usize, i64) {
    let list = format!("list table-parts --json --table-name {table} {option} --split-at");
    let listed = pgflit(&list).arg("256 kB").source(source).run();
    let parts: Value = serde_json::from_str(&listed.assert_code(0).stdout).expect("JSON");
    let parts = parts.as_array().expect("a list");
    let bytes = parts.iter().map(|part| part["bytes"].as_i64());
    (parts.len(), bytes.map(Option::unwrap_or_default).sum())
}

/// What the estimate leaves out is less than this.
const UNCOUNTED_BYTES: i64 = 256 * 1024;

#[test]
fn tables_are_cut_by_statistics_and_by_their_files_where_there_are_none() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let table_bytes = |table: &str| {
        let sql = format!("SELECT pg_table_size('{table}')");
        pair.source.number(&sql)
    };
    for table in ["known", "unknown", "grown", "emptied", "toasted"] {
        let (count, bytes) = parts(&pair.source, table, "");
        let measured = table_bytes(table);
        assert!(
            (measured - bytes).abs() < count as i64,
            "{table}: {bytes} of {measured} bytes"
        );
        let (estimated_count, estimated) = parts(&pair.source, table, "-m");
        if table == "known" {
            assert_eq!((estimated_count, count), (2, 11), "{table}");
            assert!(estimated < measured / 5, "{estimated} of {measured} bytes");
        } else {
            // The pages of maps and of the TOAST table's index are not counted.
            assert!(
                estimated <= measured && estimated >= measured - UNCOUNTED_BYTES,
                "{table}: {estimated} of {measured} bytes"
            );
            assert!(
                estimated_count + 1 >= count,
                "{table}: {estimated_count} parts instead of {count}"
            );
        }
    }
}

#[test]
fn tables_that_statistics_know_are_not_opened_to_be_measured() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let _locked = Held::open(&pair.source, "LOCK TABLE known IN ACCESS EXCLUSIVE MODE");
    assert_eq!(parts(&pair.source, "emptied", "-m"), (1, 0));
}

#[test]
fn a_copy_with_estimated_sizes_is_ordered_and_told_by_them() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let known = "SELECT relpages * 8192 FROM pg_class WHERE oid = 'known'::regclass";
    let known = pair.source.number(known);
    let run =
        pgflit("clone --table-jobs 1 --split-at 0").env("PGCOPYDB_ESTIMATE_TABLE_SIZES", "on");
    let copied = run.between(&pair).run().assert_code(0);
    let begun = |table: &str| copied.stderr.find(&format!("copied public.{table}:"));
    let order = ["unknown", "toasted", "known", "emptied"].map(begun);
    assert!(order.is_sorted() && order[0].is_some(), "{}", copied.stderr);
    let progress = pgflit("list progress --json").dir(pair.dir()).run();
    let progress: Value = serde_json::from_str(&progress.assert_code(0).stdout).expect("JSON");
    let measured = "SELECT sum(pg_table_size(oid))::bigint FROM pg_class WHERE relkind = 'r'
                       AND relname IN ('unknown', 'grown', 'toasted')";
    let expected = known + pair.source.number(measured);
    let total = progress["total_bytes"].as_i64().expect("a number");
    assert!(
        total <= expected && total >= expected - UNCOUNTED_BYTES,
        "{total} of {expected} bytes"
    );
    assert_equal(&pair.source, &pair.target);
}
