//! Tables in several parts that are killed, cut off or written to meanwhile.

use std::time::Duration;

use nix::sys::signal::Signal;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::following::LIVE;
use super::parts::TABLES;
use super::{Following, end_now};
use crate::support::{Held, Pair, Pgbench, SOON, assert_equal, eventually, let_pass, pgflit};

#[test]
fn a_part_that_a_killed_run_commits_late_is_not_put_together_with_later_ones() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END $$;
         CREATE TABLE t (id int PRIMARY KEY, body text, CHECK (gate()));
         INSERT INTO t SELECT n, repeat('t', 100) FROM generate_series(1, 3000) n",
    );
    let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let options = "clone --follow --split-tables-larger-than 100kB";
    let run = pgflit(options).between(&pair).start();
    eventually(SOON, "its parts are being copied", || {
        let copies = "SELECT count(*) FROM pg_stat_progress_copy";
        pair.target.number(copies) > 0
    });
    run.signal(Signal::SIGKILL);
    run.wait_for_exit();
    drop(gate);
    eventually(SOON, "its server processes have ended", || {
        let ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name ~ 'pgflit: copy'";
        pair.target.number(ours) == 0
    });
    // As a server process would that was killed at the very end of its part.
    let late = Held::open(
        &pair.target,
        "INSERT INTO t VALUES (1, 'of the first run');
         INSERT INTO pgflit.part VALUES ('public', 't', 0, 4, 1, '1:1:', '0/1', 1, 1)",
    );
    pair.source
        .sql("UPDATE t SET body = 'later' WHERE id <= 10");
    let run = pgflit(options).resume().between(&pair).start();
    eventually(SOON, "the next run waits for its end", || {
        pair.target
            .number("SELECT count(*) FROM pg_locks WHERE NOT granted")
            == 1
    });
    late.commit();
    let following = Following { pair: &pair, run };
    following.until_live().end_equal();
}

#[test]
fn a_copy_in_parts_killed_at_random_moments_under_traffic_ends_exact() {
    let seed = std::env::var("PGFLIT_SEED").ok();
    let seed = seed.map_or_else(rand::random, |seed| seed.parse().expect("a number"));
    println!("PGFLIT_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let pair = Pair::new();
    pair.source.sql(TABLES);
    Pgbench::init(&pair.source, 1);
    pair.source
        .sql("ALTER TABLE pgbench_history REPLICA IDENTITY FULL");
    let traffic = Pgbench::start_at(&pair.source, 200);
    let run = |resume: bool| {
        let run = pgflit("clone --follow --split-tables-larger-than 100kB --table-jobs 2");
        let run = if resume { run.resume() } else { run };
        run.between(&pair).start()
    };
    for at in 0..4 {
        let run = run(at > 0);
        let_pass(Duration::from_millis(random.random_range(300..1500)));
        run.signal(Signal::SIGKILL);
        run.wait_for_exit_within(SOON);
    }
    let following = Following {
        pair: &pair,
        run: run(true),
    };
    let following = following.until_live();
    traffic.stop();
    following.end_equal();
}

#[test]
fn a_part_whose_connection_is_cut_is_tried_again_under_its_snapshot() {
    for side in ["source", "target"] {
        let pair = Pair::new();
        pair.source.sql(
            "CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END $$;
             CREATE TABLE t (id int PRIMARY KEY, body text, CHECK (gate()));
             INSERT INTO t SELECT n, repeat('t', 1900) FROM generate_series(1, 40000) n",
        );
        let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
        let run = pgflit("clone --split-tables-larger-than 20MB")
            .between(&pair)
            .start();
        let copying = "SELECT pid FROM pg_stat_progress_copy";
        let database = if side == "source" {
            &pair.source
        } else {
            &pair.target
        };
        eventually(SOON, "its parts are being copied", || {
            database.number(&format!("SELECT count(*) FROM ({copying}) c")) > 1
        });
        database.sql(&format!(
            "SELECT pg_terminate_backend(pid) FROM ({copying} LIMIT 1) c"
        ));
        pair.source.sql("DELETE FROM t WHERE id % 2 = 0");
        gate.commit();
        run.wait_for_stderr("trying again");
        run.wait_for_exit().assert_code(0);
        assert_eq!(
            pair.target.number("SELECT count(*) FROM t"),
            40_000,
            "{side}"
        );
    }
}

#[test]
fn an_interrupted_table_in_parts_goes_on_with_those_that_are_missing() {
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
    assert!(!resumed.stderr.contains("copied public.parted part 1 of"));
    resumed.assert_stderr("copied public.parted part");
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
