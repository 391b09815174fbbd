//! What is to be removed from the target is held there by a session.

use std::time::{Duration, Instant};

use super::nothing_is_left;
use crate::support::{Database, Held, Pair, pgflit};

const LOCK: &str = "LOCK TABLE pgflit.part IN ACCESS SHARE MODE";

/// Longer than it tries, shorter than anybody waits.
const PROMPT: Duration = Duration::from_secs(15);

/// Killed while it followed, so that there is all that can be left.
fn killed_migration(pair: &Pair) {
    pair.source
        .sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
    let run = pgflit("clone").follow().between(pair).start();
    run.wait_for_stderr("live replay");
}

#[test]
fn a_cleanup_names_who_holds_the_ledger_instead_of_waiting() {
    let pair = Pair::new();
    killed_migration(&pair);
    let held = Held::open(&pair.target, LOCK);
    let restart = pgflit("clone --restart --drop-if-exists").follow();
    for command in [pgflit("stream cleanup"), restart] {
        let begun = Instant::now();
        let refused = command.between(&pair).run().assert_code(7);
        assert!(begun.elapsed() < PROMPT, "after {:?}", begun.elapsed());
        refused
            .assert_stderr("the schema pgflit on the target cannot be dropped")
            .assert_stderr("held open, idle in transaction, query since ")
            .assert_stderr("pg_terminate_backend(")
            .assert_stderr("run the same command again");
    }
    held.commit();
    pgflit("stream cleanup").between(&pair).run().assert_code(0);
    nothing_is_left(&pair);
}

#[test]
fn a_cleanup_ends_the_sessions_that_a_killed_run_has_left() {
    let pair = Pair::new();
    killed_migration(&pair);
    let _copy = Held::open_as("pgflit: copy", &pair.target, LOCK);
    let origin = "SELECT pg_replication_origin_session_setup('pgflit')";
    let _apply = Held::open_as("nightly pgflit: apply", &pair.target, origin);
    let cleaned = pgflit("stream cleanup").between(&pair).run().assert_code(0);
    cleaned
        .assert_stderr("ending what an earlier run has left on the target")
        .assert_stderr("pgflit: copy")
        .assert_stderr("nightly pgflit: apply");
    nothing_is_left(&pair);
}

/// Nothing says whose they are: the directory is gone.
#[test]
fn without_its_work_directory_a_cleanup_ends_nobody() {
    let pair = Pair::new();
    killed_migration(&pair);
    std::fs::remove_dir_all(pair.dir()).unwrap();
    let copy = Held::open_as("pgflit: copy", &pair.target, LOCK);
    let cleanup = || pgflit("stream cleanup").between(&pair).run();
    cleanup().assert_code(7).assert_stderr("pgflit: copy");
    copy.commit();
    cleanup().assert_code(0);
    nothing_is_left(&pair);
}

/// As another role it may be anybody's.
#[test]
fn a_session_of_another_role_is_named_and_not_ended() {
    let pair = Pair::new();
    killed_migration(&pair);
    pair.target.sql("CREATE ROLE other LOGIN SUPERUSER");
    let other = Database::of_user(&pair.target_cluster, "app", "other");
    let held = Held::open_as("pgflit: copy", &other, LOCK);
    let refused = pgflit("stream cleanup").between(&pair).run().assert_code(7);
    refused.assert_stderr("other, pgflit: copy, idle in transaction");
    held.commit();
    pgflit("stream cleanup").between(&pair).run().assert_code(0);
}
