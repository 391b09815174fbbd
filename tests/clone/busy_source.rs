//! `--source-load-limit`: rows are read when the source has room for it.

use std::process::{Child, Stdio};

use crate::support::{Database, Held, Pair, SOON, eventually, pgflit};

/// Sessions that are active until somebody else's lock goes.
fn active_sessions(source: &Database, count: i64) -> Vec<Child> {
    let start = |_| {
        source
            .program("psql")
            .args(["-X", "-q", "-d", source.uri()])
            .args(["-c", "SELECT pg_advisory_lock(1)"])
            .stdout(Stdio::null())
            .spawn()
            .expect("psql is installed with the server")
    };
    let sessions = (0..count).map(start).collect();
    eventually(SOON, "they wait", || {
        source.number("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            == count
    });
    sessions
}

#[test]
fn no_part_begins_while_more_sessions_are_active_than_may_be() {
    let pair = Pair::new();
    pair.source
        .sql("CREATE TABLE t AS SELECT * FROM generate_series(1, 100) AS i");
    let lock = Held::open(&pair.source, "SELECT pg_advisory_lock(1)");
    let sessions = active_sessions(&pair.source, 2);
    let clone = |limit: &str| pgflit("clone --source-load-limit").arg(limit);
    let run = clone("1").between(&pair).start();
    run.wait_for_stderr(
        "2 sessions are active on the source, more than --source-load-limit 1: no part",
    );
    drop(lock);
    for mut session in sessions {
        session.wait().expect("it ends");
    }
    run.wait_for_exit()
        .assert_code(0)
        .assert_stderr("there is room on the source again");
    assert_eq!(pair.target.number("SELECT count(*) FROM t"), 100);
}

#[test]
fn who_waits_for_room_can_be_stopped_and_as_many_as_the_limit_are_no_reason_to_wait() {
    let pair = Pair::new();
    pair.source
        .sql("CREATE TABLE t AS SELECT * FROM generate_series(1, 100) AS i");
    let _lock = Held::open(&pair.source, "SELECT pg_advisory_lock(1)");
    let _sessions = active_sessions(&pair.source, 2);
    let clone = || pgflit("clone").between(&pair);
    let run = clone().args(["--source-load-limit", "1"]).start();
    run.wait_for_stderr("no part of a table is begun");
    run.signal(nix::sys::signal::Signal::SIGTERM);
    run.wait_for_exit().assert_code(9);
    assert_eq!(pair.target.number("SELECT count(*) FROM t"), 0);
    clone()
        .args(["--restart", "--drop-if-exists", "--source-load-limit", "2"])
        .run()
        .assert_code(0);
    assert_eq!(pair.target.number("SELECT count(*) FROM t"), 100);
}

#[test]
fn a_role_that_does_not_see_sessions_cannot_count_them() {
    let pair = Pair::new();
    pair.source.sql("CREATE ROLE mover LOGIN");
    let mover = Database::of_user(&pair.source_cluster, "app", "mover");
    let run = |command: &str| {
        let run = pgflit(command).args(["--source-load-limit", "3"]);
        run.source(&mover)
            .target(&pair.target)
            .dir(pair.dir())
            .run()
    };
    run("clone")
        .assert_code(6)
        .assert_stderr("which --source-load-limit counts")
        .assert_stderr("GRANT pg_read_all_stats TO \"mover\"");
    assert!(!pair.dir().exists());
    run("check").assert_code(3).assert_stdout("source-load");
    pair.source.sql("GRANT pg_read_all_stats TO mover");
    run("clone").assert_code(0);
}
