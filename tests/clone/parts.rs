//! Tables in several parts: every row in exactly one of them, whatever the key.

use crate::support::{Pair, assert_equal, pgflit};

/// Keys of every kind, lying in order and not; and what has none.
pub(super) const TABLES: &str = r#"
    CREATE TABLE serial (id serial PRIMARY KEY, body text);
    INSERT INTO serial (body) SELECT repeat('s', 100) FROM generate_series(1, 3000);
    CREATE TABLE sparse (id bigint PRIMARY KEY, body text);
    INSERT INTO sparse SELECT n::bigint * 1000003 - 9000000000, repeat('s', 100) FROM generate_series(1, 3000) n;
    INSERT INTO sparse VALUES (-9223372036854775808, 'min'), (9223372036854775807, 'max');
    CREATE TABLE skewed (id bigint, n int, body text, PRIMARY KEY (id, n));
    INSERT INTO skewed SELECT CASE WHEN n < 2500 THEN 7 ELSE n END, n, repeat('s', 100)
      FROM generate_series(1, 3000) n;
    CREATE TABLE disorder (id int PRIMARY KEY, body text);
    INSERT INTO disorder SELECT n, repeat('d', 100) FROM generate_series(1, 3000) n ORDER BY md5(n::text);
    CREATE TABLE marked (id uuid PRIMARY KEY, body text);
    INSERT INTO marked SELECT md5(n::text)::uuid, repeat('u', 100) FROM generate_series(1, 3000) n ORDER BY 1;
    CREATE TABLE "at ""times""" ("the ""moment""" timestamptz PRIMARY KEY, body text);
    INSERT INTO "at ""times""" VALUES ('-infinity'), ('4713-01-01 00:00:00+00 BC');
    INSERT INTO "at ""times""" SELECT '1999-12-31'::timestamptz + n * interval '7 days 1 microsecond', repeat('t', 100)
      FROM generate_series(1, 3000) n;
    INSERT INTO "at ""times""" VALUES ('294276-12-31 23:59:59.999999+00'), ('infinity');
    CREATE TABLE keyless (n int, body text, gone text, twice int GENERATED ALWAYS AS (n * 2) STORED);
    INSERT INTO keyless SELECT n % 10, repeat('k', 100) FROM generate_series(1, 3000) n;
    ALTER TABLE keyless DROP gone, ADD later int DEFAULT 5;
    CREATE TABLE parent (id int PRIMARY KEY, body text);
    CREATE TABLE heir (more int) INHERITS (parent);
    INSERT INTO parent SELECT n, repeat('p', 100) FROM generate_series(1, 3000) n;
    INSERT INTO heir SELECT n, repeat('h', 100), n FROM generate_series(1, 3000) n;
    CREATE TABLE toasted (id int PRIMARY KEY, body text);
    ALTER TABLE toasted ALTER body SET STORAGE EXTERNAL;
    INSERT INTO toasted SELECT n, repeat(md5(n::text), 1000) FROM generate_series(1, 20) n;
    CREATE TABLE shrunk (id int PRIMARY KEY, body text);
    INSERT INTO shrunk SELECT n, repeat('s', 100) FROM generate_series(1, 3000) n;
    CREATE TABLE none ();
    INSERT INTO none SELECT FROM generate_series(1, 20000);
    ANALYZE; DELETE FROM shrunk;
    CREATE TABLE empty (id int PRIMARY KEY);"#;

/// Whether tables may be cut by blocks: before 14, each range of them would read the whole table.
fn by_blocks(pair: &Pair, options: &str) -> bool {
    let version = pair.source.number("SHOW server_version_num");
    version >= 140_000 && options != "--skip-split-by-ctid"
}

#[test]
fn every_row_of_a_table_in_parts_arrives_once_whatever_its_key() {
    for options in ["", "--skip-split-by-ctid", "--split-max-parts 2"] {
        let pair = Pair::new();
        pair.source.sql(TABLES);
        let run = pgflit("clone --split-tables-larger-than")
            .arg("64 kB")
            .args(options.split_whitespace())
            .between(&pair)
            .run()
            .assert_code(0);
        for table in ["serial", "sparse", "skewed", "marked", "heir"] {
            let is_cut = run.stderr.contains(&format!("public.{table} part 2 of"));
            // What has no key of its own is cut by blocks, or not at all.
            let may_be_cut = table != "heir" || by_blocks(&pair, options);
            assert_eq!(is_cut, may_be_cut, "{table} {options}\n{}", run.stderr);
        }
        if options == "--split-max-parts 2" {
            assert!(!run.stderr.contains("part 3 of"), "{}", run.stderr);
        }
        assert_equal(&pair.source, &pair.target);
    }
}

#[test]
fn a_table_without_a_key_is_cut_by_blocks_where_the_source_reads_ranges_of_them() {
    for options in ["", "--skip-split-by-ctid"] {
        let pair = Pair::new();
        pair.source.sql(
            "CREATE TABLE keyed (id int PRIMARY KEY, body text);
             INSERT INTO keyed SELECT n, repeat('k', 100) FROM generate_series(1, 3000) n;
             CREATE TABLE keyless (id int, body text);
             INSERT INTO keyless SELECT n, repeat('k', 100) FROM generate_series(1, 3000) n;
             ANALYZE;",
        );
        let run = pgflit("clone --split-tables-larger-than")
            .arg("64 kB")
            .args(options.split_whitespace())
            .between(&pair)
            .run()
            .assert_code(0);
        let told = |text: &str| run.stderr.contains(text);
        let cut = by_blocks(&pair, options);
        assert!(told("copied public.keyed part 2 of"), "{}", run.stderr);
        assert_eq!(told("copied public.keyless part 2 of"), cut, "{options}");
        assert_eq!(told("public.keyless cannot be cut into parts"), !cut);
        assert_equal(&pair.source, &pair.target);
    }
}
