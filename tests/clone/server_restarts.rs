//! A server is restarted in the middle of a copy.

use nix::sys::signal::Signal;
use pgflit::worker::cluster::StopMode;

use super::{Following, end_now};
use crate::support::{Held, Pair, Pgbench, Run, SOON, assert_equal, eventually, pgflit};

const MODES: [StopMode; 2] = [StopMode::Fast, StopMode::Immediate];

/// The last part of `parted` waits while someone holds the advisory lock 7 on the target, building
/// the index of `indexed` while someone holds 8.
const TABLES: &str = "
    CREATE FUNCTION gate(id int, lock int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(lock); RETURN id; END $$;
    CREATE TABLE parted (id int PRIMARY KEY, body text,
        CHECK (id < 3900 OR gate(id, 7) > 0));
    INSERT INTO parted SELECT n, repeat('p', 1000) FROM generate_series(1, 4000) n;
    CREATE TABLE indexed (id int PRIMARY KEY, n int UNIQUE);
    INSERT INTO indexed SELECT n, n FROM generate_series(1, 1000) n;
    CREATE INDEX gated ON indexed (gate(id, 8));
    CREATE TABLE quick (id int PRIMARY KEY); INSERT INTO quick VALUES (1);
    SELECT lo_from_bytea(4000000, 'large');";

/// A crash of the target empties it.
const UNLOGGED: &str = "
    CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY);
    INSERT INTO unlogged SELECT generate_series(1, 100);";

/// What the index `gated` needs to be built.
const INDEX: u32 = 8;

const WAITING: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";

/// Restarts the target while whatever needs the advisory lock waits, which the restart lets go.
fn restart_target_at(lock: u32, mode: StopMode, more: &str) {
    let mut pair = Pair::new();
    pair.source.sql(&format!("{TABLES} {more}"));
    Pgbench::init(&pair.source, 1);
    pair.source
        .sql("ALTER TABLE pgbench_history REPLICA IDENTITY FULL");
    let gate = Held::open(
        &pair.target,
        &format!("SELECT pg_advisory_xact_lock({lock})"),
    );
    let traffic = Pgbench::start_at(&pair.source, 100);
    let options = "clone --follow --table-jobs 2 --split-tables-larger-than 1MB";
    let run = pgflit(options).between(&pair).start();
    eventually(SOON, "it waits on the target", || {
        pair.target.number(WAITING) > 0
    });
    run.wait_for_stderr("copied public.quick");
    if lock == INDEX {
        // And all is on the target's disk.
        run.wait_for_stderr("copied 1 large objects");
    }
    pair.target_cluster.stop(mode).expect("the target stops");
    run.wait_for_stderr_times("connecting to the target", 3);
    pair.target_cluster.start().expect("the target starts");
    drop(gate);
    let following = Following { pair: &pair, run };
    let following = following.until_live();
    traffic.stop();
    let ended = following.end_equal();
    assert!(ended.stderr.contains("trying again"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("epoch 2"), "{}", ended.stderr);
}

#[test]
fn rows_are_copied_on_under_their_snapshot_when_the_target_restarts() {
    for mode in MODES {
        restart_target_at(7, mode, UNLOGGED);
    }
}

#[test]
fn indexes_are_built_all_the_same_when_the_target_restarts() {
    for mode in MODES {
        restart_target_at(INDEX, mode, "");
    }
}

/// Its commit does not wait for the disk, and the constraint comes after the table's last index. A
/// crash loses such a commit only by chance; here the index gets another name.
#[test]
fn an_index_that_is_lost_before_its_constraint_is_built_again() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(8)");
    let run = pgflit("clone --index-jobs 3").between(&pair).start();
    run.wait_for_stderr("built public.indexed_n_key");
    pair.target
        .sql("ALTER INDEX indexed_n_key RENAME TO elsewhere");
    drop(gate);
    let ended = run.wait_for_exit().assert_code(0);
    ended.assert_stderr("lost index public.indexed_n_key");
    pair.target.sql("DROP INDEX elsewhere");
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn a_plain_copy_says_that_its_snapshot_went_with_the_source() {
    for mode in MODES {
        let mut pair = Pair::new();
        pair.source.sql(TABLES);
        let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
        let options = "clone --table-jobs 1 --split-tables-larger-than 1MB";
        let run = pgflit(options).between(&pair).start();
        run.wait_for_stderr("copied public.parted part 1 of");
        eventually(SOON, "its rows are being copied", || {
            pair.target.number(WAITING) > 0
        });
        pair.source_cluster
            .restart(mode)
            .expect("the source restarts");
        gate.commit();
        let ended = run.wait_for_exit().assert_code(6);
        ended
            .assert_stderr("error: ")
            .assert_stderr(
                "hint: the source was restarted or ended the session that held the snapshot",
            )
            .assert_stderr("--not-consistent");
        let refused = pgflit(options).resume().between(&pair).run();
        refused
            .assert_code(1)
            .assert_stderr("--not-consistent")
            .assert_stderr("--restart");
        let resumed = pgflit(options).resume().arg("--not-consistent");
        resumed.between(&pair).run().assert_code(0);
        assert_equal(&pair.source, &pair.target);
    }
}

/// The last part of `parted` is being copied when the source restarts.
fn restart_source_in_the_middle(options: &str, mode: StopMode) -> (Pair, Run) {
    let mut pair = Pair::new();
    pair.source.sql(TABLES);
    let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let run = pgflit(options).between(&pair).start();
    run.wait_for_stderr("copied public.parted part 1 of");
    eventually(SOON, "its rows are being copied", || {
        pair.target.number(WAITING) > 0
    });
    pair.source_cluster
        .restart(mode)
        .expect("the source restarts");
    gate.commit();
    pair.source
        .sql("UPDATE indexed SET n = -n WHERE id < 100; UPDATE parted SET id = -id WHERE id < 90");
    (pair, run)
}

const FOLLOWED: &str = "clone --follow --table-jobs 1 --split-tables-larger-than 1MB";

#[test]
fn a_copy_that_follows_goes_on_under_another_snapshot_when_the_source_restarts() {
    for mode in MODES {
        let (pair, run) = restart_source_in_the_middle(FOLLOWED, mode);
        let following = Following { pair: &pair, run };
        let ended = following.until_live().end_equal();
        ended.assert_stderr("trying again").assert_stderr("epoch 2");
    }
}

#[test]
fn without_patience_a_copy_ends_when_the_source_restarts_and_goes_on_when_it_is_resumed() {
    let options = format!("{FOLLOWED} --retry-for 0s");
    let (pair, run) = restart_source_in_the_middle(&options, StopMode::Fast);
    run.wait_for_exit().assert_code(6).assert_stderr("--resume");
    let run = pgflit(FOLLOWED).resume().between(&pair).start();
    let following = Following { pair: &pair, run };
    following.until_live().end_equal();
}

#[test]
fn a_server_that_is_not_there_is_waited_for_when_a_migration_goes_on_and_when_it_ends() {
    let mut pair = Pair::new();
    pair.source.sql(TABLES);
    let first = pgflit(FOLLOWED).between(&pair);
    let following = Following {
        pair: &pair,
        run: first.start(),
    };
    let run = following.until_live().run;
    run.signal(Signal::SIGKILL);
    run.wait_for_exit();
    pair.source_cluster.stop(StopMode::Fast).expect("stopped");
    let run = pgflit(FOLLOWED).resume().between(&pair).start();
    run.wait_for_stderr("trying again");
    pair.source_cluster.start().expect("started");
    run.wait_for_stderr("live replay");
    pair.source.sql("INSERT INTO quick VALUES (2)");
    eventually(SOON, "apply has begun and read the ledger", || {
        pair.target.number("SELECT count(*) FROM quick") == 2
    });
    // The end asks the target for its ledger first, and waits.
    let held = Held::open(&pair.target, "LOCK TABLE pgflit.part");
    end_now(&pair);
    eventually(SOON, "the end has begun", || {
        let waiting = "SELECT count(*) FROM pg_stat_activity
                        WHERE wait_event_type = 'Lock' AND application_name = 'pgflit: finish'";
        pair.target.number(waiting) > 0
    });
    pair.target_cluster
        .restart(StopMode::Immediate)
        .expect("restarted");
    drop(held);
    let ended = run.wait_for_exit().assert_code(0);
    ended.assert_stderr("reading the ledger");
    assert_equal(&pair.source, &pair.target);
}
