//! `receive --to-stdout | transform - - | apply -`.

use std::time::Duration;

use pgflit::base::Lsn;

use super::Capture;
use crate::support::{SOON, assert_equal, eventually, pgflit};

const TABLES: &str = "
    CREATE TABLE fruit (id bigserial PRIMARY KEY, name text NOT NULL, price numeric, body text);
    CREATE TABLE log (line text, at timestamptz);
    ALTER TABLE log REPLICA IDENTITY FULL;
    CREATE TABLE \"Odd -- 'name'\" (\"a $1 column\" int PRIMARY KEY, doc json, bytes bytea);
    CREATE TABLE gone (id int PRIMARY KEY);";

/// Much less than the 15 s after which an idle server writes a record of its own accord.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Rows of every kind, written by transactions of their own.
const CHANGES: [&str; 7] = [
    "INSERT INTO fruit (name, price, body)
        SELECT 'fruit ' || n, n / 7.0, repeat(md5(n::text), 200) FROM generate_series(1, 500) n",
    "UPDATE fruit SET price = price * 2 WHERE id % 3 = 0",
    "UPDATE fruit SET id = id + 10000 WHERE id % 50 = 0",
    "DELETE FROM fruit WHERE id % 7 = 0",
    "INSERT INTO log VALUES ('same', '2026-01-01'), ('same', '2026-01-01'), (NULL, NULL),
        (E'a\\\\b\\n''c''', 'infinity');
     DELETE FROM log WHERE ctid = (SELECT min(ctid) FROM log)",
    "INSERT INTO \"Odd -- 'name'\" VALUES (1, '{\"a\":  1}', '\\x00ff'), (2, NULL, '')",
    "INSERT INTO gone SELECT generate_series(1, 9); TRUNCATE gone; INSERT INTO gone VALUES (10)",
];

#[test]
fn three_processes_through_pipes_make_the_target_equal() {
    let capture = Capture::of(TABLES);
    let pair = &capture.pair;
    pair.source.sql(CHANGES[0]);
    let (receive, json) = capture.receive().arg("--to-stdout").start_pipe();
    let transform = pgflit("stream transform - -").stdin(json);
    let (transform, sql) = transform.start_pipe();
    let apply = capture.apply().arg("-").stdin(sql).start();
    for change in &CHANGES[1..] {
        pair.source.sql(change);
    }
    eventually(SOON, "the last change is on the target", || {
        pair.target.sql("SELECT id FROM gone") == "10"
    });
    let end = capture.end_now();
    // The source is idle by now: nothing more comes from it that could show the end.
    receive.wait_for_exit_within(AT_ONCE).assert_code(0);
    transform.wait_for_exit_within(AT_ONCE).assert_code(0);
    let applied = apply.wait_for_exit_within(AT_ONCE).assert_code(0);
    applied.assert_stderr("applied everything up to endpos");
    let sentinel = capture.store().sentinel().expect("a sentinel");
    assert_eq!(sentinel.endpos.to_string(), end);
    assert!(sentinel.is_finished(), "{sentinel:?}");
    pair.target.sql("SELECT setval('fruit_id_seq', 500)");
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn the_same_through_the_folder_and_again_does_nothing() {
    let capture = Capture::of(TABLES);
    let pair = &capture.pair;
    for change in CHANGES {
        pair.source.sql(change);
    }
    capture.end_now();
    for _ in 0..2 {
        capture.receive().run().assert_code(0);
        capture.transform().run().assert_code(0);
        capture.apply().run().assert_code(0);
    }
    pair.target.sql("SELECT setval('fruit_id_seq', 500)");
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn catching_up_ends_while_receive_goes_on() {
    let capture = Capture::of(TABLES);
    let pair = &capture.pair;
    let mut receive = capture.receive().start();
    for change in CHANGES {
        pair.source.sql(change);
    }
    let written: Lsn = pair
        .source
        .sql("SELECT pg_current_wal_lsn()")
        .parse()
        .expect("an LSN");
    eventually(SOON, "receive has it all", || {
        capture.store().sentinel().expect("a sentinel").write_lsn >= written
    });
    let transform = capture.transform().arg("--until-end");
    transform.run().assert_code(0);
    let apply = capture.apply().args(["--until-caught-up", "1000000"]);
    apply
        .run()
        .assert_code(0)
        .assert_stderr("applied all there was");
    assert_eq!(pair.target.sql("SELECT id FROM gone"), "10");
    assert!(receive.is_running());
}

#[test]
fn a_role_is_held_by_one_process() {
    let capture = Capture::of(TABLES);
    let first = capture.receive().start();
    first.wait_for_stderr("receiving from slot");
    let second = capture.receive().run().assert_code(8);
    let second = second.assert_stderr("is held by another pgflit");
    assert!(second.stderr.contains(&first.pid().to_string()));
    first.signal(nix::sys::signal::Signal::SIGTERM);
    first.wait_for_exit().assert_code(9);
}

#[test]
fn an_orphan_ends_at_once() {
    let capture = Capture::of(TABLES);
    for worker in [capture.receive(), capture.transform(), capture.apply()] {
        let orphan = worker.env("PGFLIT_SUPERVISED", "1").run();
        orphan.assert_code(12).assert_stderr("has ended");
    }
}

#[test]
fn without_a_setup_one_is_told_how_to_make_it() {
    let folder = tempfile::tempdir().expect("a folder");
    pgflit("sentinel setup")
        .dir(folder.path())
        .run()
        .assert_code(0);
    for worker in ["stream receive", "stream apply"] {
        let refused = pgflit(worker).dir(folder.path()).run();
        refused.assert_code(1).assert_stderr("pgflit stream setup");
    }
}
