//! Tables whose files are exchanged while the copy runs: by TRUNCATE or ALTER TABLE, which do not
//! keep what an earlier snapshot sees, or by VACUUM FULL or CLUSTER, which move rows elsewhere.

use super::Following;
use crate::support::{Held, Pair, SOON, assert_equal, eventually, pgflit};

/// Copying `slow` waits, on the target, while someone holds the advisory lock 7 there. It is the
/// biggest, so it comes first.
const TABLES: &str = "
    CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END $$;
    CREATE TABLE slow (id int PRIMARY KEY, body text, CHECK (gate()));
    CREATE TABLE emptied (id int PRIMARY KEY, n int);
    CREATE TABLE altered (id int PRIMARY KEY, n int);
    INSERT INTO slow SELECT n, repeat('x', 100) FROM generate_series(1, 3000) n;
    INSERT INTO emptied SELECT n, n FROM generate_series(1, 1000) n;
    INSERT INTO altered SELECT n, n FROM generate_series(1, 1000) n;";

#[test]
fn a_table_truncated_or_rewritten_before_its_copy_is_copied_under_a_later_snapshot() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let run = pgflit("clone --follow --table-jobs 1").between(&pair);
    let following = Following {
        pair: &pair,
        run: run.start(),
    };
    eventually(SOON, "the slow table is being copied", || {
        pair.target
            .number("SELECT count(*) FROM pg_stat_progress_copy")
            == 1
    });
    // What is streamed from before the TRUNCATE names rows that no copy can contain any more.
    pair.source.sql("UPDATE emptied SET n = 0 WHERE id < 10");
    pair.source.sql("DELETE FROM emptied WHERE id > 900");
    pair.source.sql("TRUNCATE emptied");
    pair.source.sql("INSERT INTO emptied VALUES (1, 1), (2, 2)");
    pair.source.sql("UPDATE altered SET n = 0 WHERE id < 10");
    // Both rewrite the table, and leave its columns as they were.
    pair.source.sql("ALTER TABLE altered ALTER n TYPE bigint");
    pair.source.sql("ALTER TABLE altered ALTER n TYPE int");
    pair.source.sql("UPDATE altered SET n = -1 WHERE id > 990");
    gate.commit();
    let following = following.until_live();
    pair.source
        .sql("UPDATE emptied SET n = n + 1; UPDATE altered SET n = n + 1 WHERE id = 500");
    let finished = following.end_equal();
    finished.assert_stderr("public.emptied was truncated or rewritten meanwhile");
}

#[test]
fn a_table_that_is_copied_can_be_truncated_while_others_are_being_copied() {
    let pair = Pair::new();
    // One worker, which has copied the others when it comes to the slow one.
    pair.source.sql(&TABLES.replace("3000", "3"));
    let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let run = pgflit("clone --follow --table-jobs 1").between(&pair);
    let following = Following {
        pair: &pair,
        run: run.start(),
    };
    following.run.wait_for_stderr("copied public.emptied:");
    following.run.wait_for_stderr("copied public.altered:");
    pair.source
        .sql("SET lock_timeout = '5s'; TRUNCATE emptied; ALTER TABLE altered ADD CHECK (n < 5000)");
    pair.source
        .sql("ALTER TABLE altered DROP CONSTRAINT altered_n_check");
    pair.source.sql("INSERT INTO emptied VALUES (7, 7)");
    gate.commit();
    following.until_live().end_equal();
}

/// In parts of 64 kB, `heap`, the biggest, is cut by blocks and `keyed` by its key; `small` is not
/// cut. What comes after the first part of `heap` waits while someone holds the lock 7.
const STORED: &str = "
    CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END $$;
    CREATE TABLE heap (n int, body text, CHECK (n < 1000 OR gate()));
    ALTER TABLE heap REPLICA IDENTITY FULL;
    CREATE INDEX by_body ON heap (body); ALTER TABLE heap CLUSTER ON by_body;
    CREATE TABLE keyed (id int PRIMARY KEY, body text);
    CREATE TABLE small (id int PRIMARY KEY, body text);
    INSERT INTO heap SELECT n, md5(n::text) || repeat('h', 70) FROM generate_series(1, 4000) n;
    INSERT INTO keyed SELECT n, repeat('k', 100) FROM generate_series(1, 2000) n;
    INSERT INTO small SELECT n, 's' FROM generate_series(1, 100) n;";

/// Deletes come first, so that the rows behind them move.
const STORED_ANEW: [&str; 4] = [
    "DELETE FROM heap WHERE n % 3 = 0; DELETE FROM keyed WHERE id % 3 = 0;
     DELETE FROM small WHERE id % 3 = 0",
    "CLUSTER heap",
    "VACUUM FULL keyed",
    "VACUUM FULL small",
];

/// Starts `run` and, when the first table is half there, has all of them stored anew.
fn with_tables_stored_anew<'a>(pair: &'a Pair, clone: &str) -> Following<'a> {
    pair.source.sql(STORED);
    let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let run = pgflit(clone).args(["--table-jobs", "1", "--split-at", "64kB"]);
    let run = run.between(pair).start();
    run.wait_for_stderr("copied public.heap part 1 of");
    for statement in STORED_ANEW {
        pair.source.sql(statement);
    }
    gate.commit();
    Following { pair, run }
}

#[test]
fn tables_that_vacuum_full_or_cluster_stores_anew_converge_in_a_followed_copy() {
    let pair = Pair::new();
    let following = with_tables_stored_anew(&pair, "clone --follow").until_live();
    pair.source
        .sql("UPDATE heap SET n = -n WHERE n > 3900; UPDATE keyed SET body = '' WHERE id < 10");
    pair.source.sql("VACUUM FULL heap");
    pair.source.sql("DELETE FROM heap WHERE n < 100");
    let finished = following.end_equal();
    for table in ["heap", "keyed", "small"] {
        let copied_again = format!("public.{table} was truncated or rewritten meanwhile");
        let told = finished.stderr.matches(&copied_again).count();
        assert_eq!(told, 1, "{}", finished.stderr);
    }
}

#[test]
fn a_plain_copy_says_what_to_do_about_tables_that_are_stored_anew() {
    let pair = Pair::new();
    let run = with_tables_stored_anew(&pair, "clone").run;
    let failed = run.wait_for_exit().assert_code(6);
    for table in ["heap", "keyed", "small"] {
        let told = format!("copying public.{table}: it was truncated or rewritten on the source");
        assert!(failed.stderr.contains(&told), "{}", failed.stderr);
    }
    failed
        .assert_stderr("3 tables, or parts of tables, could not be copied")
        .assert_stderr("TRUNCATE, VACUUM FULL, CLUSTER")
        .assert_stderr("--resume --not-consistent");
    let resumed = pgflit("clone --resume --not-consistent").between(&pair);
    resumed.run().assert_code(0);
    assert_equal(&pair.source, &pair.target);
}
