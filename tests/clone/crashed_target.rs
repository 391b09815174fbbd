//! The target's server crashes while the copy runs, and what it then has lost.

use nix::sys::signal::Signal;
use pgflit::worker::cluster::StopMode;

use crate::support::{Held, Pair, SOON, assert_equal, eventually, pgflit};

/// Building the index waits while someone holds the advisory lock 7 on the target.
const TABLES: &str = "
    CREATE FUNCTION gate(id int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN id; END $$;
    CREATE TABLE gated (id int PRIMARY KEY);
    INSERT INTO gated VALUES (1);
    CREATE INDEX gated_index ON gated (gate(id));
    CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY, n int);
    INSERT INTO unlogged SELECT n, n FROM generate_series(1, 1000) n;
    CREATE UNLOGGED TABLE empty (id int);
    CREATE TABLE plain (id int PRIMARY KEY, n int);
    CREATE INDEX plain_n ON plain (n);
    ALTER TABLE plain CLUSTER ON plain_n;
    INSERT INTO plain SELECT n, n FROM generate_series(1, 5000) n;";

#[test]
fn what_a_crash_of_the_target_has_emptied_is_copied_again() {
    let mut pair = Pair::new();
    pair.source.sql(TABLES);
    let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let run = pgflit("clone").between(&pair).start();
    run.wait_for_stderr("all rows are on the target");
    eventually(SOON, "the index is being built", || {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'";
        pair.target.number(waiting) == 1
    });
    run.signal(Signal::SIGKILL);
    run.wait_for_exit();
    drop(gate);
    pair.target_cluster
        .restart(StopMode::Immediate)
        .expect("the target restarts");
    assert_eq!(pair.target.number("SELECT count(*) FROM unlogged"), 0);
    let resumed = pgflit("clone --resume --not-consistent")
        .between(&pair)
        .run();
    resumed
        .assert_code(0)
        .assert_stderr("public.unlogged is unlogged");
    assert_equal(&pair.source, &pair.target);
}
