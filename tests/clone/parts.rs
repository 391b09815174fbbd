//! Tables in parts: every row once, however the key lies, and in the format that is exact.

use nix::sys::signal::Signal;

use super::end_now;
use super::following::LIVE;
use crate::support::{Held, Pair, Pgbench, SOON, assert_equal, eventually, pgflit};

/// Keys that are negative, sparse, skewed, infinite, random in place, or absent; and tables that
/// share, generate or have dropped columns.
const TABLES: &str = r#"
    CREATE TABLE negative (id int PRIMARY KEY, v text);
    INSERT INTO negative SELECT g * 1000 - 2000000000, repeat('n', 50) FROM generate_series(1, 4000) g;
    CREATE TABLE sparse (id bigint PRIMARY KEY, v text);
    INSERT INTO sparse SELECT CASE WHEN g < 100 THEN g ELSE 9223372036854775807 - 50000 + g END,
                              'v' || g FROM generate_series(1, 10000) g;
    CREATE TABLE around_minus_one (id int PRIMARY KEY, v text);
    INSERT INTO around_minus_one SELECT g, repeat('m', 60) FROM generate_series(-2000, 2000) g;
    CREATE TABLE uuids (id uuid PRIMARY KEY, v text);
    INSERT INTO uuids SELECT md5(g::text)::uuid, repeat('u', 90) FROM generate_series(1, 5000) g;
    CREATE TABLE times (at timestamptz NOT NULL, v int);
    INSERT INTO times SELECT CASE g WHEN 1 THEN '-infinity'::timestamptz WHEN 8000 THEN 'infinity'
                                    ELSE timestamptz '2020-01-01' + g * interval '1 hour' END, g
                        FROM generate_series(1, 8000) g;
    CREATE INDEX ON times (at);
    CREATE TABLE shuffled (id int PRIMARY KEY, v text);
    INSERT INTO shuffled SELECT (g * 7919) % 10007, repeat('r', 60) FROM generate_series(1, 10006) g;
    CREATE TABLE skewed (id int NOT NULL, v text);
    INSERT INTO skewed SELECT CASE WHEN g % 10 = 0 THEN g ELSE 5 END, repeat('s', 60)
                         FROM generate_series(1, 8000) g ORDER BY 1;
    CREATE INDEX ON skewed (id);
    CREATE TABLE keyless (v text);
    INSERT INTO keyless SELECT repeat(md5(g::text), 3) FROM generate_series(1, 8000) g;
    CREATE TABLE toasted (id int PRIMARY KEY, v text);
    INSERT INTO toasted SELECT g, (SELECT string_agg(md5((g * 1000 + i)::text), '')
                                     FROM generate_series(1, 150) i) FROM generate_series(1, 200) g;
    CREATE TABLE parent (id int PRIMARY KEY, v text);
    CREATE TABLE child () INHERITS (parent);
    INSERT INTO parent SELECT g, repeat('p', 60) FROM generate_series(1, 3000) g;
    INSERT INTO child SELECT g, repeat('c', 60) FROM generate_series(1, 3000) g;
    CREATE TABLE generated (id int PRIMARY KEY, gone int, v text,
                            twice int GENERATED ALWAYS AS (id * 2) STORED);
    ALTER TABLE generated DROP gone;
    INSERT INTO generated (id, v) SELECT g, repeat('g', 60) FROM generate_series(1, 4000) g;
    CREATE TABLE nothing (id int PRIMARY KEY);
    CREATE TABLE "Weird "" Näme.x" ("Sel ect" int PRIMARY KEY, "ü" text);
    INSERT INTO "Weird "" Näme.x" SELECT g, 'C' || g FROM generate_series(1, 5000) g"#;

/// The tables that were copied in several parts, as the log tells it.
fn tables_in_parts(log: &str) -> Vec<String> {
    let copied = log
        .lines()
        .filter_map(|line| line.split_once("copied public."));
    let parts = copied.filter_map(|(_, rest)| rest.split_once(" part 1 of "));
    let mut names: Vec<_> = parts.map(|(name, _)| name.to_owned()).collect();
    names.sort();
    names
}

#[test]
fn every_row_of_a_table_in_parts_arrives_once_whatever_its_key() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    pair.source.sql("ANALYZE");
    let clone = pgflit("clone --split-tables-larger-than 100kB");
    let run = clone.between(&pair).run().assert_code(0);
    assert_equal(&pair.source, &pair.target);
    let cut = tables_in_parts(&run.stderr);
    for table in [
        "negative", "sparse", "shuffled", "keyless", "toasted", "child", "times",
    ] {
        assert!(cut.iter().any(|name| name == table), "{table} of {cut:?}");
    }
    assert!(!cut.iter().any(|name| name == "nothing"));
}

#[test]
fn parts_by_key_alone_are_the_same_rows_and_no_table_has_more_than_asked_for() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let clone = pgflit("clone --split-tables-larger-than 20kB --split-max-parts 5");
    let run = clone.arg("--skip-split-by-ctid").between(&pair).run();
    let run = run.assert_code(0);
    assert_equal(&pair.source, &pair.target);
    let cut = tables_in_parts(&run.stderr);
    assert!(cut.iter().any(|name| name == "uuids"), "{cut:?}");
    assert!(!cut.iter().any(|name| name == "keyless"), "{cut:?}");
    assert!(!run.stderr.contains(" of 6"));
}

#[test]
fn an_interrupted_table_in_parts_is_copied_again_and_finished_ones_are_kept() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE FUNCTION gate(id int) RETURNS boolean LANGUAGE plpgsql AS
             $$ BEGIN IF id = 4000 THEN PERFORM pg_advisory_xact_lock_shared(7); END IF;
                      RETURN true; END $$;
         CREATE TABLE quick (id int PRIMARY KEY); INSERT INTO quick VALUES (1);
         CREATE TABLE parted (id int PRIMARY KEY, v text, CHECK (gate(id)));
         INSERT INTO parted SELECT g, repeat('x', 60) FROM generate_series(1, 4000) g;
         CREATE INDEX ON parted (v)",
    );
    let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let options = "--split-tables-larger-than 100kB --follow";
    let run = pgflit(&format!("clone {options}")).between(&pair).start();
    run.wait_for_stderr("copied public.parted part 1 of");
    run.wait_for_stderr("copied public.quick");
    eventually(SOON, "the last part waits", || {
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        pair.target.number(waiting) == 1
    });
    run.signal(Signal::SIGKILL);
    run.wait_for_exit();
    gate.commit();
    pair.source
        .sql("UPDATE parted SET id = id + 10000 WHERE id < 100; DELETE FROM parted WHERE id = 200");
    let end = pair.source.sql("SELECT pg_current_wal_lsn()");
    let resumed = pgflit(&format!("clone {options} --resume")).between(&pair);
    let resumed = resumed.args(["--endpos", &end]).run().assert_code(0);
    assert!(!resumed.stderr.contains("copied public.quick"));
    assert!(resumed.stderr.contains("copied public.parted part 1 of"));
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn tables_in_parts_are_followed_under_writes() {
    let pair = Pair::new();
    Pgbench::init(&pair.source, 2);
    let traffic = Pgbench::start(&pair.source);
    let clone = pgflit("clone --split-tables-larger-than 2MB");
    let run = clone.between(&pair).follow().start();
    run.wait_for_stderr("copied public.pgbench_accounts part 1 of");
    run.wait_for_stderr(LIVE);
    traffic.stop();
    end_now(&pair);
    run.wait_for_exit().assert_code(0);
    assert_equal(&pair.source, &pair.target);
}
