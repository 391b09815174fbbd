//! Binary where it is exact, text where it is not, and never a value that is another one.

use crate::support::{Pair, assert_equal, pgflit};

/// Types that are sent the same everywhere, and their arrays, ranges, domains; and an enum.
const SAFE: &str = r#"
    CREATE TYPE color AS ENUM ('red', 'gr een');
    CREATE DOMAIN positive AS int CHECK (value > 0);
    CREATE TYPE span AS RANGE (subtype = positive);
    CREATE TABLE safe (
        id int PRIMARY KEY, c color, p positive, r span, i int[], n numeric[], iv interval,
        tsv tsvector, tq tsquery, jp jsonpath, b bit(3), vb varbit, f float8, f4 float4, ch "char",
        nm name, js json, jb jsonb, ba bytea, bx box, pa path, mac macaddr8, ci cidr, ip inet,
        t time, tz timetz, d date, ts timestamp, l pg_lsn, bp char(5), u uuid, tt text[][]);
    INSERT INTO safe SELECT g, 'gr een', g, '[1,5)', ARRAY[g, NULL, -g],
        ARRAY['NaN', 1e-20, -12345678901234567890.5, 0]::numeric[],
        '-1 mon 2 days -03:00:00.000001', 'a:1A b:2', 'a & !b', '$.a[*] ? (@ > 1)', '101', '10101',
        CASE g % 4 WHEN 0 THEN '-0'::float8 WHEN 1 THEN 'NaN' WHEN 2 THEN 1e-310 ELSE '-Infinity' END,
        1.1::float4 * g, 'x', 'nm', '{"a":1, "a":2}', '{"a": 1.000}', decode('00ff10', 'hex'),
        '(1,2),(3,4)', '[(0,0),(1,1),(2,0)]', '08:00:2b:01:02:03:04:05', '10.0.0.0/8', '::1/64',
        '24:00', '23:59:59.999999+15:59', CASE g % 3 WHEN 0 THEN 'infinity'::date
            WHEN 1 THEN '4713-01-01 BC' ELSE '2026-02-28' END, '294276-12-31 23:59:59.999999',
        '16/B374D848', 'ab', md5(g::text)::uuid, ARRAY[['a', 'b"c'], ['d\e', NULL]]
      FROM generate_series(1, 500) g"#;

/// Types whose binary form names objects by OID, or depends on settings.
const UNSAFE: &str = r#"
    CREATE EXTENSION citext; CREATE EXTENSION hstore;
    CREATE TYPE pair AS (a int, b text);
    CREATE TABLE "un""safe" (id int PRIMARY KEY, colors color[], pair pair, price money, doc xml,
                             class regclass, ci citext, hs hstore, ps positive[]);
    INSERT INTO "un""safe" SELECT g, '{red,"gr een"}', ROW(g, 'x"y'::text)::pair, 12.5, '<a>ü</a>',
        'safe', 'MiXed', 'a=>"1,2"', ARRAY[g, g]::positive[] FROM generate_series(1, 500) g"#;

#[test]
fn values_of_every_type_are_the_same_on_the_target() {
    let pair = Pair::new();
    pair.source.sql(SAFE);
    pair.source.sql(UNSAFE);
    pgflit("clone").between(&pair).run().assert_code(0);
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn binary_that_is_insisted_on_is_refused_by_table_and_column_and_nothing_is_copied() {
    let pair = Pair::new();
    pair.source.sql(SAFE);
    let clone = || pgflit("clone --use-copy-binary").between(&pair);
    clone().run().assert_code(0);
    assert_equal(&pair.source, &pair.target);

    let pair = Pair::new();
    pair.source.sql(SAFE);
    pair.source.sql(UNSAFE);
    let clone = || pgflit("clone --use-copy-binary").between(&pair);
    clone()
        .run()
        .assert_code(6)
        .assert_stderr("the check binary-copy fails")
        .assert_stderr(r#"public."un""safe""#);
    assert_eq!(
        pair.target
            .number("SELECT count(*) FROM pg_class WHERE relname = 'safe'"),
        0
    );
    // Types may become others between that look and the copy.
    let refused = clone().args(["--skip-check", "binary-copy"]).run();
    refused
        .assert_code(1)
        .assert_stderr(r#"public."un""safe" cannot be copied in binary format: column "colors""#);
    assert_eq!(pair.target.number("SELECT count(*) FROM safe"), 0);
}

#[test]
fn a_large_table_arrives_frozen_and_one_in_parts_too() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE TABLE large (id int PRIMARY KEY, v text);
         INSERT INTO large SELECT g, repeat('l', 200) FROM generate_series(1, 10000) g;
         CREATE TABLE parted (LIKE large INCLUDING ALL);
         INSERT INTO parted SELECT * FROM large;
         INSERT INTO parted SELECT g, repeat('l', 200) FROM generate_series(10001, 20000) g",
    );
    let clone = pgflit("clone --split-tables-larger-than 3MB").between(&pair);
    clone
        .run()
        .assert_code(0)
        .assert_stderr("public.parted part 2 of");
    pair.target.sql("CREATE EXTENSION pg_visibility");
    for table in ["large", "parted"] {
        let thawed = format!("SELECT count(*) FROM pg_visibility('{table}') WHERE NOT all_frozen");
        assert_eq!(pair.target.number(&thawed), 0, "{table}");
    }
}
