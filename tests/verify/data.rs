//! `compare data`: equal databases are found equal, and whatever differs is found, with its key.

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{Database, Finished, Held, Pair, SOON, eventually, long_tests_wanted, pgflit};

/// Tables of all kinds, the same on both sides.
fn both(pair: &Pair, script: &str) {
    pair.source.sql(script);
    pair.target.sql(script);
}

#[track_caller]
fn compare(pair: &Pair, options: &[&str]) -> Finished {
    pgflit("compare data")
        .source(&pair.source)
        .target(&pair.target)
        .args(options)
        .run()
}

#[track_caller]
fn json(pair: &Pair, options: &[&str], code: i32) -> Vec<Value> {
    let run = compare(pair, &[options, &["--json"]].concat()).assert_code(code);
    serde_json::from_str(&run.stdout).expect("JSON")
}

fn named<'a>(tables: &'a [Value], name: &str) -> &'a Value {
    let found = tables.iter().find(|table| table["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is not among {tables:?}"))
}

#[test]
fn one_changed_byte_is_found_and_its_key_is_told() {
    let pair = Pair::new();
    both(
        &pair,
        "CREATE TABLE t (id bigint PRIMARY KEY, note text, more bytea);
         INSERT INTO t SELECT i, repeat(md5(i::text), 3), decode(md5(i::text), 'hex')
           FROM generate_series(1, 20000) i;
         CREATE TABLE other AS SELECT * FROM t;
         CREATE SEQUENCE s; SELECT nextval('s')",
    );
    compare(&pair, &[])
        .assert_code(0)
        .assert_stderr("2 tables and 1 sequences compared: 0 tables and 0 sequences differ");
    pair.target.sql(
        "UPDATE t SET more = set_byte(more, 7, get_byte(more, 7) # 1) WHERE id = 12345;
         DELETE FROM t WHERE id = 777; INSERT INTO t VALUES (-5, NULL, NULL)",
    );
    let mut run = compare(&pair, &["--jobs", "3"]).assert_code(3);
    for line in [
        "! public.t: 3 rows differ",
        "~ (id)=(12345): more",
        "- (id)=(777): missing on the target",
        "+ (id)=(-5): only on the target",
    ] {
        run = run.assert_stdout(line);
    }
    let tables = json(&pair, &["--keys", "1"], 3);
    assert_eq!(named(&tables, "other")["verdict"], "equal");
    let t = named(&tables, "t");
    assert_eq!(t["source"]["rowcount"], 20000);
    assert_ne!(t["source"]["checksum"], t["target"]["checksum"]);
    assert_eq!(t["differences"]["count"], 3);
    assert_eq!(t["differences"]["rows"].as_array().unwrap().len(), 1);
    // As many rows on both sides.
    let counts = json(&pair, &["--counts-only"], 0);
    assert_eq!(named(&counts, "t")["target"]["rowcount"], 20000);
}

#[test]
fn nulls_empty_texts_field_ends_and_equal_rows_are_told_apart() {
    let pair = Pair::new();
    both(
        &pair,
        "CREATE TABLE nothing (id int PRIMARY KEY, a text, b text);
         CREATE TABLE ends (id int PRIMARY KEY, a text, b text);
         CREATE TABLE twice (a int);
         CREATE TABLE swapped (id int PRIMARY KEY, a int, b int);
         CREATE TABLE composite_null (id int PRIMARY KEY, c pg_catalog.point[], a text)",
    );
    for (side, values) in [
        (
            &pair.source,
            ["(1, NULL, 'x')", "(1, 'a,b', 'c')", "(1), (1), (2)"],
        ),
        (
            &pair.target,
            ["(1, '', 'x')", "(1, 'a', 'b,c')", "(2), (2), (1)"],
        ),
    ] {
        for (table, values) in ["nothing", "ends", "twice"].iter().zip(values) {
            side.sql(&format!("INSERT INTO {table} VALUES {values}"));
        }
    }
    pair.source
        .sql("INSERT INTO swapped VALUES (1, 10, 20), (2, 30, 40)");
    pair.target
        .sql("INSERT INTO swapped VALUES (1, 10, 40), (2, 30, 20)");
    let tables = json(&pair, &[], 3);
    for name in ["nothing", "ends", "twice", "swapped"] {
        assert_eq!(named(&tables, name)["verdict"], "different", "{name}");
    }
    assert_eq!(named(&tables, "composite_null")["verdict"], "equal");
    assert_eq!(
        named(&tables, "nothing")["differences"]["rows"][0]["columns"][0],
        "a"
    );
    // A pair of equal rows against none, which a XOR would not see.
    assert!(
        named(&tables, "twice")["problem"]
            .as_str()
            .unwrap()
            .contains("no key")
    );
}

#[test]
fn settings_column_order_and_versions_of_values_make_no_difference() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE TABLE t (id int PRIMARY KEY, at timestamptz, d date, i interval, f float8, m money,
                         b bytea, g int GENERATED ALWAYS AS (id * 2) STORED, \"We\"\"ird\" text)",
    );
    pair.target.sql(
        "CREATE TABLE t (\"We\"\"ird\" text, g int GENERATED ALWAYS AS (id * 2) STORED, b bytea,
                         m money, f float8, i interval, d date, at timestamptz, id bigint PRIMARY KEY)",
    );
    for side in [&pair.source, &pair.target] {
        side.sql(
            "INSERT INTO t (id, at, d, i, f, m, b, \"We\"\"ird\")
             SELECT n, timestamptz '2026-01-01 00:00+00' + n * interval '1 hour', date '2026-02-03',
                    n * interval '1 day 2 hours', n / 3.0, n::money, decode('00ff5c', 'hex'), E'a\\n\\\\'
               FROM generate_series(1, 100) n",
        );
    }
    pair.target.sql(
        "ALTER DATABASE app SET datestyle = 'SQL, DMY'; ALTER DATABASE app SET timezone = 'Asia/Tokyo';
         ALTER DATABASE app SET extra_float_digits = -5; ALTER DATABASE app SET bytea_output = 'escape';
         ALTER DATABASE app SET intervalstyle = 'iso_8601'; ALTER DATABASE app SET search_path = ''",
    );
    compare(&pair, &[]).assert_code(0);
    pair.target
        .sql("UPDATE public.t SET f = f + 1e-14 WHERE id = 50");
    compare(&pair, &[])
        .assert_code(3)
        .assert_stdout("~ (id)=(50): f");
}

#[test]
fn hostile_names_no_columns_no_rows_and_tables_of_one_side() {
    let pair = Pair::new();
    both(
        &pair,
        r#"CREATE SCHEMA "S ""1'"; CREATE TABLE "S ""1'"."T.x\" ("A ""b'\" int, "A ""B" text, PRIMARY KEY ("A ""b'\"));
           INSERT INTO "S ""1'"."T.x\" VALUES (1, 'x');
           CREATE TABLE empty (id int); CREATE TABLE no_columns (); INSERT INTO no_columns DEFAULT VALUES;
           CREATE SEQUENCE "S ""1'"."q""";
           CREATE SCHEMA pgflit; CREATE TABLE pgflit.ours (id int)"#,
    );
    compare(&pair, &[]).assert_code(0);
    pair.target.sql(
        r#"UPDATE "S ""1'"."T.x\" SET "A ""B" = E'x\x1B'; INSERT INTO no_columns DEFAULT VALUES;
           INSERT INTO pgflit.ours VALUES (1); SELECT nextval('"S ""1''"."q"""');
           CREATE TABLE more (id int)"#,
    );
    pair.source
        .sql("CREATE TABLE less (id int); ALTER TABLE empty ADD x int");
    let mut run = compare(&pair, &[]).assert_code(3);
    for line in [
        r#"(A "b'\)=(1): A "B"#,
        "! public.less: it is missing on the target",
        "! public.more: it is only on the target",
        "! public.empty: its columns differ, only on the source: x",
        r#"! sequence "S ""1'"."q""" begins at 1 on the source and is at 1 on the target"#,
    ] {
        run = run.assert_stdout(line);
    }
    run.assert_stdout("! public.no_columns");
}

#[test]
fn what_cannot_be_read_is_never_equal() {
    let pair = Pair::new();
    both(
        &pair,
        "CREATE ROLE reader LOGIN; CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE hidden (id int);
         CREATE TABLE secured (id int); ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
         GRANT SELECT ON t, secured TO reader",
    );
    let as_reader = Database::of_user(&pair.target_cluster, "app", "reader");
    let run = pgflit("compare data --json")
        .source(&pair.source)
        .target(&as_reader)
        .run()
        .assert_code(7);
    let tables: Vec<Value> = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(named(&tables, "t")["verdict"], "equal");
    for name in ["hidden", "secured"] {
        let table = named(&tables, name);
        assert_eq!(table["verdict"], "not compared", "{table}");
        assert_eq!(table["target"], Value::Null);
    }
    run.assert_stderr("2 tables could not be compared; nothing else differs");
    // What differs for certain is told first.
    pair.source.sql("INSERT INTO t VALUES (1)");
    let run = pgflit("compare data")
        .source(&pair.source)
        .target(&as_reader)
        .run();
    run.assert_code(3)
        .assert_stderr("2 tables could not be compared");
}

#[test]
fn filters_apply_to_both_sides() {
    let pair = Pair::new();
    both(
        &pair,
        "CREATE SCHEMA left_out; CREATE TABLE left_out.t (id int); CREATE TABLE t (id int PRIMARY KEY);
         CREATE TABLE rows_left_out (id int); CREATE SEQUENCE left_out.s",
    );
    pair.source
        .sql("INSERT INTO rows_left_out VALUES (1); INSERT INTO left_out.t VALUES (1)");
    pair.target
        .sql("CREATE TABLE left_out.more (id int); SELECT nextval('left_out.s')");
    compare(&pair, &[]).assert_code(3);
    let file = pair.path("filters.ini");
    std::fs::write(
        &file,
        "[exclude-schema]\nleft_out\n[exclude-table-data]\npublic.rows_left_out\n",
    )
    .expect("written");
    let file = file.to_str().expect("UTF-8");
    let tables = json(&pair, &["--filters", file], 0);
    assert_eq!(tables.len(), 1, "{tables:?}");
}

#[test]
fn a_sample_is_of_the_same_rows_on_both_sides() {
    let pair = Pair::new();
    both(
        &pair,
        "CREATE TABLE t (id int PRIMARY KEY, note text);
         INSERT INTO t SELECT i, 'n' FROM generate_series(1, 10000) i",
    );
    let tables = json(&pair, &["--sample", "10%"], 0);
    let rows = named(&tables, "t")["source"]["rowcount"].as_i64().unwrap();
    assert!((700..1300).contains(&rows), "{rows} of 10000");
    pair.target.sql("UPDATE t SET note = 'other'");
    let tables = json(&pair, &["--sample", "10"], 3);
    assert_eq!(named(&tables, "t")["differences"]["count"], rows);
    for wrong in ["0", "101", "x"] {
        compare(&pair, &["--sample", wrong]).assert_code(1);
    }
}

#[test]
fn tables_in_parts_and_partitions_that_lie_otherwise_are_compared_as_a_whole() {
    let pair = Pair::new();
    both(
        &pair,
        "CREATE TABLE big (id int PRIMARY KEY, note text);
         INSERT INTO big SELECT i, repeat('x', 100) FROM generate_series(1, 5000) i;
         CREATE TABLE heap (note text); INSERT INTO heap SELECT note FROM big;
         CREATE TABLE parent (id int); CREATE TABLE heir (more int) INHERITS (parent);
         INSERT INTO parent VALUES (1); INSERT INTO heir VALUES (2, 3);
         CREATE TABLE same (id int PRIMARY KEY) PARTITION BY RANGE (id);
         CREATE TABLE same_1 PARTITION OF same FOR VALUES FROM (0) TO (100);
         INSERT INTO same VALUES (1);
         CREATE TABLE p (id int PRIMARY KEY, note text) PARTITION BY RANGE (id)",
    );
    pair.source.sql(
        "CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (500);
         CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM (500) TO (1000)",
    );
    pair.target.sql(
        "CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (300);
         CREATE TABLE p_3 PARTITION OF p FOR VALUES FROM (300) TO (1000);
         CLUSTER big USING big_pkey; UPDATE big SET note = note WHERE id % 7 = 0",
    );
    for side in [&pair.source, &pair.target] {
        side.sql("INSERT INTO p SELECT i, 'n' FROM generate_series(0, 999) i");
    }
    let options = ["--split-tables-larger-than", "64 kB", "--jobs", "2"];
    let tables = json(&pair, &options, 0);
    let names: Vec<_> = tables
        .iter()
        .map(|table| table["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["big", "heap", "heir", "p", "parent", "same_1"]);
    assert_eq!(named(&tables, "p")["source"]["rowcount"], 1000);
    pair.target
        .sql("UPDATE p SET note = 'other' WHERE id = 400; UPDATE big SET note = '' WHERE id = 3");
    let run = compare(&pair, &options).assert_code(3);
    run.assert_stdout("~ (id)=(400): note")
        .assert_stdout("~ (id)=(3): note");
}

#[test]
fn many_rows_that_differ_are_counted_and_few_are_shown() {
    let pair = Pair::new();
    both(
        &pair,
        "CREATE TABLE t (a int, b text, note text, PRIMARY KEY (b, a))",
    );
    for (side, note) in [(&pair.source, "'a'"), (&pair.target, "'b'")] {
        side.sql(&format!(
            "INSERT INTO t SELECT i, 'key ' || i, {note} FROM generate_series(1, 5000) i"
        ));
    }
    pair.target.sql("DELETE FROM t WHERE a <= 100");
    let run = compare(&pair, &["--keys", "3"]).assert_code(3);
    run.assert_stdout("! public.t: 5000 rows differ")
        .assert_stdout("  and 4997 more")
        .assert_stdout("(b, a)=(\"key ");
}

#[test]
fn rows_too_long_to_be_one_text_are_compared_value_by_value() {
    if !long_tests_wanted() {
        // It takes some gigabytes of memory.
        return;
    }
    let pair = Pair::new();
    // As text, the values of the first row are 1.2 GB.
    both(
        &pair,
        "CREATE TABLE t (id int PRIMARY KEY, a bytea, b bytea, c text, n text);
         INSERT INTO t SELECT 1, b, b, repeat('x', 200000000), NULL
           FROM (SELECT decode(repeat('00', 250000000), 'hex')) AS b (b);
         INSERT INTO t VALUES (2, '', '', '', '')",
    );
    let run = compare(&pair, &["--jobs", "1"]).assert_code(0);
    run.assert_stderr("values are hashed one by one");
    pair.target.sql("UPDATE t SET n = '' WHERE id = 1");
    compare(&pair, &["--jobs", "1"])
        .assert_code(3)
        .assert_stdout("~ (id)=(1): n");
}

#[test]
fn databases_of_other_encodings_are_compared_by_their_characters() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
    );
    let latin = Database::of(&pair.source_cluster, "latin");
    let table = "CREATE TABLE t (id int PRIMARY KEY, note text); INSERT INTO t VALUES (1, 'Ägäis')";
    latin.sql(table);
    pair.target.sql(table);
    let compare = || {
        pgflit("compare data")
            .source(&latin)
            .target(&pair.target)
            .run()
    };
    compare().assert_code(0);
    pair.target.sql("UPDATE t SET note = 'Agäis'");
    compare().assert_code(3).assert_stdout("~ (id)=(1): note");
}

#[test]
fn one_that_was_killed_goes_on_with_what_is_not_known() {
    let pair = Pair::new();
    both(
        &pair,
        "CREATE TABLE one (id int PRIMARY KEY); CREATE TABLE two (id int PRIMARY KEY)",
    );
    let compare = |options: &str| pgflit(&format!("compare data {options}")).between(&pair);
    let killed = compare("--resume")
        .env("PGFLIT_KILL_AT", "table known")
        .run();
    assert_eq!(killed.code(), None);
    let stopped = compare("--resume")
        .env("PGFLIT_STOP_AT", "table known")
        .start();
    stopped.wait_for_stderr("1 tables were found equal before");
    eventually(SOON, "it stands", || stopped.is_stopped());
    // Somebody is there.
    compare("").run().assert_code(8);
    stopped.signal(Signal::SIGTERM);
    stopped.signal(Signal::SIGCONT);
    drop(stopped);
    compare("--resume")
        .run()
        .assert_code(0)
        .assert_stderr("2 tables were found equal before")
        .assert_stderr("2 tables and 0 sequences compared");
    compare("--resume --counts-only")
        .run()
        .assert_code(1)
        .assert_stderr("it compared rows, not counts");
    compare("--counts-only").run().assert_code(0);
}

#[test]
fn large_objects_are_compared_too() {
    let pair = Pair::new();
    both(
        &pair,
        "SELECT lo_from_bytea(5000, 'abc'), lo_from_bytea(5001, '')",
    );
    let tables = json(&pair, &[], 0);
    assert_eq!(named(&tables, "pg_largeobject")["source"]["rowcount"], 2);
    pair.target.sql("SELECT lo_put(5000, 1, 'x')");
    compare(&pair, &[])
        .assert_code(3)
        .assert_stdout("! pg_catalog.pg_largeobject: large objects differ");
    compare(&pair, &["--counts-only"]).assert_code(0);
}

#[test]
fn tables_that_take_long_say_how_far_they_are() {
    let pair = Pair::new();
    both(
        &pair,
        "CREATE TABLE large AS SELECT i AS id, repeat('x', 1000) FROM generate_series(1, 1000) i;
         CREATE TABLE medium AS SELECT * FROM large LIMIT 500;
         CREATE TABLE small AS SELECT * FROM large LIMIT 100",
    );
    let compare = pgflit("compare data --jobs 1 --progress plain").between(&pair);
    let run = compare.env("PGFLIT_STOP_AT", "about to count").start();
    eventually(SOON, "all catalogs are read", || run.is_stopped());
    let held = Held::open(&pair.target, "LOCK TABLE small IN ACCESS EXCLUSIVE MODE");
    run.signal(Signal::SIGCONT);
    // The source has read its side of it.
    run.wait_for_stderr("; 2 of 3 tables; now public.small 50%");
    held.commit();
    run.wait_for_exit().assert_code(0);
}

#[test]
fn bad_input_is_told() {
    let pair = Pair::new();
    pgflit("compare data")
        .source(&pair.source)
        .target(&pair.source)
        .run()
        .assert_code(1)
        .assert_stderr("source and target are the same database");
    pgflit("compare data")
        .source(&pair.source)
        .run()
        .assert_code(1)
        .assert_stderr("the target is not named");
    compare(&pair, &["--resume"]).assert_code(1);
    pgflit("compare data --source host=/nowhere --target host=/nowhere")
        .run()
        .assert_code(6);
    compare(&pair, &[]).assert_code(0);
}
