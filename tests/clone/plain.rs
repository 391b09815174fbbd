//! `clone` without `--follow`: a copy of one moment, and nothing of ours left behind.

use nix::sys::signal::Signal;

use crate::support::{Held, Pair, SOON, assert_equal, eventually, pgflit};

/// Copying `slow` waits, on the target, while someone holds the advisory lock 7 there.
const TABLES: &str = "
    CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END $$;
    CREATE TABLE slow (id int PRIMARY KEY, CHECK (gate()));
    CREATE TABLE quick (id int PRIMARY KEY, slow int REFERENCES slow);
    INSERT INTO slow VALUES (1), (2); INSERT INTO quick VALUES (10, 1)";

#[test]
fn a_plain_copy_is_equal_and_leaves_nothing_of_ours() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    pgflit("clone").between(&pair).run().assert_code(0);
    assert_equal(&pair.source, &pair.target);
    let ours = "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgflit'";
    assert_eq!(pair.target.number(ours), 0);
    assert_eq!(
        pair.source
            .number("SELECT count(*) FROM pg_replication_slots"),
        0
    );
    assert_eq!(pair.source.number("SELECT count(*) FROM pg_publication"), 0);
    let again = pgflit("clone").between(&pair).run().assert_code(0);
    again.assert_stderr("nothing left to do");
}

#[test]
fn an_interrupted_plain_copy_says_what_it_can_and_cannot_do() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let run = pgflit("clone").between(&pair).start();
    run.wait_for_stderr("copied public.quick");
    eventually(SOON, "the slow table waits", || {
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        pair.target.number(waiting) == 1
    });
    run.signal(Signal::SIGTERM);
    run.wait_for_exit()
        .assert_code(9)
        .assert_stderr("--restart");
    gate.commit();
    let refused = pgflit("clone --resume").between(&pair).run().assert_code(1);
    refused
        .assert_stderr("snapshot")
        .assert_stderr("--not-consistent");
    let resumed = pgflit("clone --resume --not-consistent")
        .between(&pair)
        .run();
    resumed
        .assert_code(0)
        .assert_stderr("1 of 2 tables are copied already");
    assert_equal(&pair.source, &pair.target);
}
