//! `follow`: change capture for a copy that was made before, by pgflit or by somebody else.

use std::process::Stdio;

use nix::sys::signal::Signal;

use super::following::LIVE;
use super::{Following, end_now};
use crate::support::{Pair, Pgbench, Run, SOON, assert_equal, eventually, eventually_some, pgflit};

#[track_caller]
fn step(pair: &Pair, command: &str) {
    pgflit(command).between(pair).run().assert_code(0);
}

/// The id that `pgflit snapshot` prints, once it holds it.
fn id_of(holder: &Run) -> String {
    eventually_some(SOON, "the id is printed", || {
        let printed = holder.stdout();
        printed.ends_with('\n').then(|| printed.trim().to_owned())
    })
}

/// Ends a `follow` at the source's present; both must be equal then.
#[track_caller]
fn end_equal(pair: &Pair, run: Run) {
    end_now(pair);
    run.wait_for_exit().assert_code(0);
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn a_copy_made_in_steps_is_followed_exactly() {
    let pair = Pair::new();
    Pgbench::init(&pair.source, 1);
    let traffic = Pgbench::start(&pair.source);
    step(&pair, "stream setup");
    let refused = pgflit("stream setup --slot-name another").between(&pair);
    refused
        .run()
        .assert_code(1)
        .assert_stderr("with slot pgflit, not another");
    step(&pair, "copy schema");
    let refused = pgflit("follow").between(&pair).run().assert_code(1);
    refused
        .assert_stderr("rows are missing")
        .assert_stderr("hint: ");
    let prefetch = pgflit("stream prefetch").between(&pair).start();
    prefetch.wait_for_stderr("receiving from slot");
    traffic.wait_for(100);
    // Several parts, under several snapshots.
    step(&pair, "copy table-data --split-tables-larger-than 1MB");
    let busy = pgflit("follow").between(&pair).run().assert_code(8);
    busy.assert_stderr("pgflit stream prefetch");
    let for_cron = pgflit("follow --quiet").between(&pair).run();
    assert_eq!(for_cron.assert_code(8).stderr, "");
    prefetch.signal(Signal::SIGTERM);
    prefetch.wait_for_exit().assert_code(9);
    let refused = pgflit("follow").between(&pair).run().assert_code(1);
    refused.assert_stderr("indexes or constraints are missing");
    step(&pair, "copy indexes");
    step(&pair, "copy constraints");
    let follow = pgflit("follow").between(&pair).start();
    follow.wait_for_stderr(LIVE);
    assert!(!follow.stderr_contains("live replay from 0/0"));
    traffic.wait_for(300);
    follow.signal(Signal::SIGKILL);
    follow.wait_for_exit();
    let refused = pgflit("follow").between(&pair).run().assert_code(1);
    refused.assert_stderr("go on with --resume");
    let follow = pgflit("follow --resume").between(&pair).start();
    follow.wait_for_stderr(LIVE);
    traffic.wait_for(100);
    traffic.stop();
    end_equal(&pair, follow);
    let again = pgflit("follow --resume")
        .between(&pair)
        .run()
        .assert_code(0);
    again.assert_stderr("nothing left to do");
    step(&pair, "stream cleanup");
    assert_eq!(
        pair.source
            .number("SELECT count(*) FROM pg_replication_slots"),
        0
    );
}

#[test]
fn a_backlog_that_ends_at_endpos_is_applied_by_one_apply_and_never_live() {
    let pair = Pair::new();
    for server in [&pair.source, &pair.target] {
        server.sql("CREATE TABLE t (id int PRIMARY KEY, word text)");
    }
    step(&pair, "stream setup");
    pair.source.sql(
        "DO $$ BEGIN FOR i IN 1..5000 LOOP INSERT INTO t VALUES (i, md5(i::text)); COMMIT; END LOOP; END $$",
    );
    end_now(&pair);
    step(&pair, "sentinel set apply");
    let followed = pgflit("follow").between(&pair).run().assert_code(0);
    let begun = |what: &str| followed.stderr.matches(what).count();
    assert_eq!((begun("applying from"), begun(LIVE)), (1, 0));
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn a_clone_that_was_stopped_is_followed_further() {
    let pair = Pair::new();
    Pgbench::init(&pair.source, 1);
    let traffic = Pgbench::start(&pair.source);
    let following = Following::start(&pair).until_live();
    following.run.signal(Signal::SIGTERM);
    following.run.wait_for_exit().assert_code(9);
    let refused = pgflit("follow").between(&pair).run().assert_code(1);
    refused.assert_stderr("go on with --resume");
    let follow = pgflit("follow --resume").between(&pair).start();
    follow.wait_for_stderr(LIVE);
    // One supervisor at a time, whatever command it is.
    let second = pgflit("stream replay").between(&pair).run().assert_code(8);
    second.assert_stderr("is held by another pgflit");
    traffic.wait_for(200);
    follow.signal(Signal::SIGTERM);
    follow.wait_for_exit().assert_code(9);
    traffic.stop();
    // And a clone goes on where following stopped.
    Following::resume(&pair).until_live().end_equal();
}

#[test]
fn rows_that_pg_dump_has_copied_are_followed_once_apply_is_allowed() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 1), (2, 2);
         CREATE SEQUENCE s; SELECT nextval('s')",
    );
    let holder = pgflit("snapshot --follow")
        .source(&pair.source)
        .dir(pair.dir());
    let holder = holder.start();
    let id = id_of(&holder);
    pair.source
        .sql("UPDATE t SET n = 10 WHERE id = 1; INSERT INTO t VALUES (3, 3)");
    let setup = pgflit("stream setup")
        .between(&pair)
        .args(["--snapshot", &id]);
    setup.run().assert_code(0);
    let setup = pgflit("stream setup --snapshot 00000003-0000001B-1").between(&pair);
    setup
        .run()
        .assert_code(1)
        .assert_stderr("is not the one that is held");
    let follow = pgflit("follow").between(&pair).args(["--snapshot", &id]);
    let follow = follow.start();
    follow.wait_for_stderr("captured and not applied");
    let mut dump = pair.source.program("pg_dump");
    let mut dump = dump
        .args(["--snapshot", &id, "-d", pair.source.uri()])
        .args(["--no-publications", "--no-subscriptions"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("pg_dump");
    let sql = dump.stdout.take().expect("stdout is a pipe");
    let mut restore = pair.target.program("psql");
    restore.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", pair.target.uri()]);
    let restored = restore.stdin(sql).stdout(Stdio::null()).status();
    assert!(restored.expect("psql").success());
    assert!(dump.wait().expect("pg_dump").success());
    drop(holder);
    assert_eq!(pair.target.number("SELECT n FROM t WHERE id = 1"), 1);
    pgflit("sentinel set apply")
        .dir(pair.dir())
        .run()
        .assert_code(0);
    follow.wait_for_stderr(LIVE);
    pair.source
        .sql("DELETE FROM t WHERE id = 2; SELECT nextval('s')");
    end_equal(&pair, follow);
}

#[test]
fn a_change_between_the_slot_and_the_snapshot_of_a_foreign_copy_is_not_applied_twice() {
    let pair = Pair::new();
    let tables = "CREATE TABLE log (line text); ALTER TABLE log REPLICA IDENTITY FULL";
    pair.source.sql(tables);
    pair.target.sql(tables);
    step(&pair, "stream setup");
    pair.source.sql("INSERT INTO log VALUES ('between')");
    let holder = pgflit("snapshot")
        .source(&pair.source)
        .dir(pair.dir())
        .start();
    let id = id_of(&holder);
    pair.source.sql("INSERT INTO log VALUES ('after')");
    // As a copy under the snapshot would have it.
    pair.target.sql("INSERT INTO log VALUES ('between')");
    let follow = pgflit("follow").between(&pair).args(["--snapshot", &id]);
    let follow = follow.start();
    follow.wait_for_stderr("changes that it sees are not applied again");
    drop(holder);
    pgflit("sentinel set apply")
        .dir(pair.dir())
        .run()
        .assert_code(0);
    follow.wait_for_stderr(LIVE);
    end_equal(&pair, follow);
    assert_eq!(pair.target.number("SELECT count(*) FROM log"), 2);
}

/// Rows that both sides have.
const ROWS: &str = "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 1);
    CREATE TABLE other (id int PRIMARY KEY)";

#[test]
fn a_slot_of_somebody_elses_is_taken_over_with_all_it_holds() {
    let pair = Pair::new();
    pair.source.sql(ROWS);
    pair.target.sql(ROWS);
    let follow = |more: &str| pgflit(&format!("follow {more}")).between(&pair);
    let refused = follow("").run().assert_code(6);
    refused
        .assert_stderr("there is no replication slot \"pgflit\"")
        .assert_stderr("--create-slot");
    pair.source
        .sql("SELECT pg_create_logical_replication_slot('theirs', 'test_decoding')");
    let refused = follow("--slot-name theirs").run().assert_code(6);
    refused.assert_stderr("made for the plugin test_decoding");
    pair.source.sql("CREATE PUBLICATION theirs FOR TABLE t");
    pair.source
        .sql("SELECT pg_create_logical_replication_slot('pgflit', 'pgoutput')");
    let refused = follow("").run().assert_code(6);
    refused.assert_stderr("there is no publication \"pgflit\"");
    let refused = follow("--publication theirs").run().assert_code(6);
    refused.assert_stderr("does not publish public.other");
    assert!(!pair.dir().exists());
    let filters = pair.path("filters");
    std::fs::write(&filters, "[exclude-table]\npublic.other\n").expect("filters");
    pair.source.sql("INSERT INTO t VALUES (2, 2)");
    let run = follow("--publication theirs")
        .arg("--filters")
        .arg(&filters);
    let run = run.start();
    run.wait_for_stderr(LIVE);
    pair.source.sql("UPDATE t SET n = 20 WHERE id = 2");
    eventually(SOON, "the change is there", || {
        pair.target.sql("SELECT n FROM t WHERE id = 2") == "20"
    });
    run.signal(Signal::SIGTERM);
    run.wait_for_exit().assert_code(9);
    let copy = pgflit("clone --follow --resume --publication theirs").between(&pair);
    let copy = copy.arg("--filters").arg(&filters).run().assert_code(1);
    copy.assert_stderr("for rows that pgflit has not copied");
    pair.source.sql("INSERT INTO t VALUES (3, 3)");
    let run = follow("--resume --publication theirs")
        .arg("--filters")
        .arg(&filters);
    let run = run.start();
    run.wait_for_stderr(LIVE);
    end_equal(&pair, run);
    step(&pair, "stream cleanup");
    // What was theirs is theirs.
    assert_eq!(
        pair.source.sql("SELECT pubname FROM pg_publication"),
        "theirs"
    );
    assert_eq!(
        pair.source
            .sql("SELECT slot_name FROM pg_replication_slots"),
        "theirs"
    );
}

#[test]
fn a_slot_made_now_is_for_a_target_that_is_equal_now() {
    let pair = Pair::new();
    pair.source.sql(ROWS);
    pair.target.sql(ROWS);
    // Left by an earlier migration, its position would have changes skipped.
    pair.target.sql(
        "SELECT pg_replication_origin_create('pgflit');
         SELECT pg_replication_origin_advance('pgflit', 'FF/0')",
    );
    let follow = || pgflit("follow --create-slot").between(&pair);
    for refused in [follow(), pgflit("stream setup").between(&pair)] {
        let refused = refused.run().assert_code(7);
        refused
            .assert_stderr("replication origin \"pgflit\" exists on the target already, at FF/0")
            .assert_stderr("stream cleanup");
    }
    pair.target
        .sql("SELECT pg_replication_origin_drop('pgflit')");
    let run = follow().start();
    run.wait_for_stderr(LIVE);
    pair.source
        .sql("INSERT INTO t VALUES (2, 2); INSERT INTO other VALUES (7)");
    end_equal(&pair, run);
}
