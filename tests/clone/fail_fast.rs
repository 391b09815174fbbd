//! What fails ends its own part of the copy, or everything with `--fail-fast`.

use super::end_now;
use super::following::LIVE;
use crate::support::{Held, Pair, SOON, assert_equal, eventually, pgflit};

/// Building the index `slow_index` waits while someone holds the advisory lock 7 on the target,
/// copying `slow_rows` while someone holds 8.
const GATES: &str = "
    CREATE FUNCTION gate(id int, lock int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(lock); RETURN id; END $$;
    CREATE TABLE slow_rows (id int PRIMARY KEY, body text, CHECK (gate(id, 8) > 0));
    INSERT INTO slow_rows SELECT n, repeat('r', 500) FROM generate_series(1, 5000) n;
    CREATE TABLE slow_index (id int);
    CREATE INDEX slow_index_id ON slow_index (gate(id, 7));
    INSERT INTO slow_index SELECT generate_series(1, 10);
    CREATE TABLE other (id int PRIMARY KEY, note text UNIQUE);
    INSERT INTO other SELECT n, n FROM generate_series(1, 10) n;";

/// Calls a function that every database has, and that says no where it is told to.
const REFUSABLE: &str = "
    CREATE FUNCTION allowed(id int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
        $$ BEGIN IF current_setting('pgflit_test.refuse', true) = 'on'
                 THEN RAISE 'not allowed here'; END IF; RETURN id; END $$;";

const REFUSE: &str = "ALTER DATABASE app SET pgflit_test.refuse = on";
const ALLOW: &str = "ALTER DATABASE app RESET pgflit_test.refuse";

/// What waits on a gate.
const WAITING: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";

fn refused_rows() -> String {
    format!(
        "{GATES} {REFUSABLE}
         CREATE TABLE refused (id int PRIMARY KEY, CHECK (allowed(id) > 0));
         INSERT INTO refused SELECT generate_series(1, 10);"
    )
}

fn refused_index() -> String {
    format!(
        "{GATES} {REFUSABLE}
         CREATE TABLE refused (id int PRIMARY KEY, n int, UNIQUE (n));
         CREATE UNIQUE INDEX refused_index ON refused (allowed(n));
         INSERT INTO refused SELECT n, n FROM generate_series(1, 10) n;"
    )
}

#[test]
fn the_first_refused_row_ends_everything_with_fail_fast() {
    let pair = Pair::new();
    pair.source.sql(&refused_rows());
    pair.target.sql(REFUSE);
    let rows = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(8)");
    let options = "clone --table-jobs 2";
    let run = pgflit(options).arg("--fail-fast").follow().between(&pair);
    let run = run.run().assert_code(7);
    run.assert_stderr("error: copying public.refused")
        .assert_stderr("not allowed here");
    rows.commit();
    pair.target.sql(ALLOW);
    let run = pgflit(options).resume().follow().between(&pair).start();
    run.wait_for_stderr(LIVE);
    end_now(&pair);
    run.wait_for_exit().assert_code(0);
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn other_tables_get_rows_and_indexes_when_one_is_refused() {
    let pair = Pair::new();
    pair.source.sql(&refused_rows());
    pair.target.sql(REFUSE);
    let index = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let run = pgflit("clone --table-jobs 2").between(&pair).start();
    run.wait_for_stderr("not allowed here");
    run.wait_for_stderr("copied public.other");
    run.wait_for_stderr("copied public.slow_rows");
    eventually(SOON, "the slow index is being built", || {
        pair.target.number(WAITING) == 1
    });
    index.commit();
    let ended = run.wait_for_exit().assert_code(7);
    let ended = ended
        .assert_stderr("error: copying public.refused")
        .assert_stderr("built public.slow_index_id");
    assert_eq!(pair.target.number("SELECT count(*) FROM other"), 10);
    assert_eq!(ended.stderr.matches("not allowed here").count(), 2);
    pair.target.sql(ALLOW);
    let resumed = pgflit("clone --resume --not-consistent").between(&pair);
    let resumed = resumed.run().assert_code(0);
    for again in ["copied public.other", "built public.slow_index_id"] {
        assert!(!resumed.stderr.contains(again), "{}", resumed.stderr);
    }
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn an_index_that_cannot_be_built_ends_rows_too_with_fail_fast() {
    let pair = Pair::new();
    pair.source.sql(&refused_index());
    pair.target.sql(REFUSE);
    // Neither the rows nor the index would ever end by themselves.
    let rows = Held::open(
        &pair.target,
        "SELECT pg_advisory_xact_lock(8), pg_advisory_xact_lock(7)",
    );
    let run = pgflit("clone --table-jobs 2 --fail-fast").follow();
    run.between(&pair).run().assert_code(7).assert_stderr(
        "error: building index public.refused_index on the target: not allowed here",
    );
    rows.commit();
    pair.target.sql(ALLOW);
    let run = pgflit("clone").resume().follow().between(&pair).start();
    run.wait_for_stderr(LIVE);
    end_now(&pair);
    run.wait_for_exit().assert_code(0);
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn other_indexes_are_built_when_one_cannot_be() {
    let pair = Pair::new();
    pair.source.sql(&refused_index());
    pair.target.sql(REFUSE);
    let run = pgflit("clone").between(&pair).run().assert_code(7);
    run.assert_stderr("error: building index public.refused_index on the target: not allowed here");
    // Those of the same table too, with their constraints.
    let built = "SELECT count(*) FROM pg_constraint WHERE contype IN ('p', 'u')
                   AND conrelid IN ('refused'::regclass, 'other'::regclass)";
    assert_eq!(pair.target.number(built), 4);
    pair.target.sql(ALLOW);
    pgflit("clone --resume --not-consistent")
        .between(&pair)
        .run()
        .assert_code(0);
    assert_equal(&pair.source, &pair.target);
}

/// Of two rows that the source keeps apart, the target takes one for the other: it has another
/// function of that name, as it could have another collation.
#[test]
fn a_unique_constraint_that_fails_on_the_target_is_told_once_and_by_its_index() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE TABLE refused (id int PRIMARY KEY, name text, UNIQUE (name));
         INSERT INTO refused SELECT n, n FROM generate_series(1, 10) n;
         CREATE TABLE other (id int PRIMARY KEY);",
    );
    pair.target.sql(
        "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false)",
    );
    // The rows come into a table that someone has made with the other rules.
    pair.source
        .sql("INSERT INTO refused VALUES (11, 'name'), (12, 'NAME')");
    pgflit("copy schema").between(&pair).run().assert_code(0);
    pair.target
        .sql("ALTER TABLE refused ALTER name TYPE text COLLATE loose");
    for options in ["", "--fail-fast"] {
        let run = pgflit("clone --resume --not-consistent").args(options.split_whitespace());
        let run = run.between(&pair).run().assert_code(7);
        let run = run.assert_stderr("error: building index public.refused_name_key on the target");
        let errors = run.stderr.lines().filter(|line| line.contains("ERROR"));
        let errors: Vec<_> = errors.collect();
        assert_eq!(errors.len(), 1, "{}", run.stderr);
        assert!(!run.stderr.contains("could not be made"), "{}", run.stderr);
    }
    pair.target
        .sql("ALTER TABLE refused ALTER name TYPE text COLLATE \"default\"");
    pgflit("clone --resume --not-consistent")
        .between(&pair)
        .run()
        .assert_code(0);
    pair.target.sql("DROP COLLATION loose");
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn the_first_refused_definition_ends_everything_with_fail_fast() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE FUNCTION first() RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE FUNCTION second() RETURNS int LANGUAGE sql AS 'SELECT 2';
         CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);",
    );
    let taken = "CREATE FUNCTION first() RETURNS text LANGUAGE sql AS 'SELECT ''theirs''';
                 CREATE FUNCTION second() RETURNS text LANGUAGE sql AS 'SELECT ''theirs'''";
    pair.target.sql(taken);
    let run = pgflit("clone --fail-fast").between(&pair).run();
    let run = run.assert_code(7).assert_stderr("FUNCTION public first()");
    assert!(!run.stderr.contains("second()"), "{}", run.stderr);
    assert!(!run.stderr.contains("copied public.t"), "{}", run.stderr);
    pair.target
        .sql("DROP FUNCTION first(); DROP FUNCTION second()");
    pgflit("clone --resume --not-consistent")
        .between(&pair)
        .run()
        .assert_code(0);
    assert_equal(&pair.source, &pair.target);
}
