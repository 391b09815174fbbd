//! What change capture cannot carry, or must not repeat, never ends with exit code 0 and a
//! difference.

use super::following::LIVE;
use super::{Following, end_now};
use crate::support::{Held, PLUGINS, Pair, SOON, assert_equal, eventually, pgflit, with_each};

#[test]
fn a_table_or_partition_created_meanwhile_ends_the_migration_naming_it() {
    with_each(&PLUGINS, |pair, plugin| {
        pair.source.sql(
            "CREATE TABLE m (id int PRIMARY KEY) PARTITION BY RANGE (id);
             CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (100);
             INSERT INTO m VALUES (1)",
        );
        let following = Following::start_with(pair, plugin).until_live();
        pair.source.sql(
            "CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (100) TO (200);
             INSERT INTO m VALUES (150)",
        );
        end_now(pair);
        let ended = following.run.wait_for_exit().assert_code(6);
        ended
            .assert_stderr("public.m2 was created on the source")
            .assert_stderr("hint: ");
        // Whoever knows what it is may say so.
        let warned = pgflit("clone --follow --resume --new-tables warn --plugin")
            .arg(plugin)
            .between(pair);
        warned
            .run()
            .assert_code(0)
            .assert_stderr("public.m2 was created on the source");
    });
}

#[test]
fn a_table_that_took_the_name_of_another_ends_the_migration_although_nothing_changed_in_it() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE t_new (id int PRIMARY KEY);
         INSERT INTO t VALUES (1); INSERT INTO t_new VALUES (2)",
    );
    let following = Following::start(&pair).until_live();
    pair.source
        .sql("ALTER TABLE t RENAME TO t_old; ALTER TABLE t_new RENAME TO t");
    end_now(&pair);
    let ended = following.run.wait_for_exit().assert_code(6);
    ended.assert_stderr("public.t_new was renamed to public.t");
}

#[test]
fn a_sequence_created_meanwhile_is_told_and_does_not_end_the_migration() {
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE t (id int PRIMARY KEY)");
    let clone = pgflit("clone --follow --new-tables warn").between(&pair);
    let run = clone.start();
    run.wait_for_stderr("live replay from");
    pair.source
        .sql("CREATE TABLE later (id serial PRIMARY KEY); CREATE SEQUENCE \"o'dd\"\"\"");
    end_now(&pair);
    let ended = run.wait_for_exit().assert_code(0);
    ended
        .assert_stderr("public.later was created on the source")
        .assert_stderr("sequence public.later_id_seq was created on the source");
}

#[test]
fn a_signal_is_heard_while_the_end_waits_for_a_lock() {
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE t (id int PRIMARY KEY)");
    let following = Following::start(&pair).until_live();
    let held = Held::open(&pair.source, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    end_now(&pair);
    eventually(SOON, "the end waits for the lock", || {
        let waiting = "SELECT count(*) FROM pg_stat_activity
                        WHERE application_name = 'pgflit: finish' AND wait_event_type = 'Lock'";
        pair.source.number(waiting) == 1
    });
    following.run.signal(nix::sys::signal::Signal::SIGTERM);
    following.run.wait_for_exit_within(SOON).assert_code(9);
    drop(held);
    Following::resume(&pair).run.wait_for_exit().assert_code(0);
}

#[test]
fn truncate_only_leaves_the_children_of_a_table_alone() {
    with_each(&PLUGINS, |pair, plugin| {
        pair.source.sql(
            "CREATE TABLE par (id int PRIMARY KEY);
             CREATE TABLE chi (PRIMARY KEY (id)) INHERITS (par);
             INSERT INTO par VALUES (1); INSERT INTO chi VALUES (2)",
        );
        let following = Following::start_with(pair, plugin).until_live();
        pair.source
            .sql("TRUNCATE ONLY par; INSERT INTO par VALUES (3)");
        following.end_equal();
    });
}

#[test]
fn an_identity_column_outside_the_key_that_update_cannot_set_stops_apply() {
    with_each(&PLUGINS, |pair, plugin| {
        pair.source.sql(
            "CREATE TABLE t (id int PRIMARY KEY, n int, s int GENERATED ALWAYS AS IDENTITY);
             INSERT INTO t (id, n) VALUES (1, 1), (2, 2)",
        );
        let following = Following::start_with(pair, plugin).until_live();
        pair.source.sql("UPDATE t SET n = 10 WHERE id = 1");
        eventually(SOON, "the plain update arrives", || {
            pair.target.number("SELECT n FROM t WHERE id = 1") == 10
        });
        pair.source.sql("UPDATE t SET s = DEFAULT WHERE id = 2");
        let ended = following.run.wait_for_exit().assert_code(7);
        ended
            .assert_stderr("public.t")
            .assert_stderr("touched 0 rows");
    });
}

#[test]
fn a_slot_that_was_made_again_is_refused() {
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE t (id int PRIMARY KEY)");
    let following = Following::start(&pair).until_live();
    following.run.signal(nix::sys::signal::Signal::SIGTERM);
    following.run.wait_for_exit().assert_code(9);
    pair.source.sql("INSERT INTO t VALUES (1)");
    pair.source.sql("SELECT pg_drop_replication_slot('pgflit')");
    pair.source
        .sql("SELECT pg_create_logical_replication_slot('pgflit', 'pgoutput')");
    pair.source.sql("INSERT INTO t VALUES (2)");
    let refused = Following::resume(&pair).run.wait_for_exit().assert_code(6);
    refused
        .assert_stderr("replication slot \"pgflit\" stands at")
        .assert_stderr("--restart");
}

#[test]
fn with_progress_in_a_table_a_group_of_a_killed_apply_is_not_applied_twice() {
    let pair = Pair::new();
    pair.source
        .sql("CREATE TABLE t (n int); ALTER TABLE t REPLICA IDENTITY FULL");
    let run = pgflit("clone --follow --progress-tracking table").between(&pair);
    let following = Following {
        pair: &pair,
        run: run.start(),
    }
    .until_live();
    let lock = Held::open(&pair.target, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    pair.source.sql("INSERT INTO t VALUES (1)");
    eventually(SOON, "apply waits for the lock", || {
        pair.target
            .number("SELECT count(*) FROM pg_locks WHERE NOT granted")
            == 1
    });
    // Its server process has the whole group before it, COMMIT included.
    following.child("apply").kill();
    following.run.wait_for_stderr("starting again");
    eventually(SOON, "the next one waits for the first", || {
        pair.target
            .number("SELECT count(*) FROM pg_locks WHERE NOT granted")
            == 2
    });
    lock.commit();
    following.run.wait_for_stderr_times(LIVE, 2);
    following.end_equal();
}

#[test]
fn an_apply_whose_origin_is_still_held_waits_for_it() {
    let pair = Pair::new();
    pair.source
        .sql("CREATE TABLE t (n int); ALTER TABLE t REPLICA IDENTITY FULL");
    let following = Following::start(&pair).until_live();
    let lock = Held::open(&pair.target, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    pair.source.sql("INSERT INTO t VALUES (1)");
    eventually(SOON, "apply waits for the lock", || {
        pair.target
            .number("SELECT count(*) FROM pg_locks WHERE NOT granted")
            == 1
    });
    following.child("apply").kill();
    following.run.wait_for_stderr("is already active");
    lock.commit();
    following.run.wait_for_stderr_times(LIVE, 2);
    following.end_equal();
}

#[test]
fn an_endpos_before_the_copy_is_consistent_is_refused_and_a_later_one_ends_it() {
    let pair = Pair::new();
    pair.source
        .sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
    let following = Following::start(&pair).until_live();
    following.run.signal(nix::sys::signal::Signal::SIGKILL);
    following.run.wait_for_exit();
    // As if one table had been copied under a snapshot much later.
    pair.target
        .sql("UPDATE pgflit.part SET convergence_lsn = convergence_lsn + 1000000000");
    end_now(&pair);
    let early = Following::resume(&pair).run.wait_for_exit().assert_code(1);
    early.assert_stderr("is before");
    pair.target
        .sql("UPDATE pgflit.part SET convergence_lsn = convergence_lsn - 1000000000");
    pair.source.sql("INSERT INTO t VALUES (2)");
    end_now(&pair);
    Following::resume(&pair).run.wait_for_exit().assert_code(0);
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn a_position_that_the_target_has_lost_is_not_taken_for_the_beginning() {
    let pair = Pair::new();
    pair.source
        .sql("CREATE TABLE t (n int); ALTER TABLE t REPLICA IDENTITY FULL");
    let following = Following::start(&pair).until_live();
    pair.source.sql("INSERT INTO t VALUES (1)");
    eventually(SOON, "the row arrives", || {
        pair.target.number("SELECT count(*) FROM t") == 1
    });
    following.run.signal(nix::sys::signal::Signal::SIGTERM);
    following.run.wait_for_exit().assert_code(9);
    pair.target
        .sql("SELECT pg_replication_origin_drop('pgflit')");
    let refused = Following::resume(&pair).run.wait_for_exit().assert_code(7);
    refused
        .assert_stderr("lost the position")
        .assert_stderr("--restart");
    // Nor is a table of positions begun where an origin was used.
    let other = pgflit("clone --follow --resume --progress-tracking table").between(&pair);
    other
        .run()
        .assert_code(7)
        .assert_stderr("lost the position");
    assert_eq!(pair.target.number("SELECT count(*) FROM t"), 1);
}
