//! Tables that lose their rows to TRUNCATE or ALTER TABLE while the copy runs: neither keeps what
//! an earlier snapshot sees.

use super::Following;
use crate::support::{Held, Pair, SOON, eventually, pgflit};

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
