//! There is no way back any more, whatever comes between.

use pgflit::base::failpoint::PLACES_OF_FINALIZE;

use pgflit::worker::cluster::StopMode;

use nix::sys::signal::Signal;

use super::stage::Stage;
use crate::support::{SOON, eventually};

const SCHEMA: &str = "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)";

/// Nothing is left on the servers of any stream.
#[track_caller]
fn assert_nothing_is_left(stage: &Stage) {
    let left = "SELECT (SELECT count(*) FROM pg_replication_slots)
                     + (SELECT count(*) FROM pg_publication)";
    let origins = "SELECT count(*) FROM pg_replication_origin";
    let (source, target) = (&stage.pair.source, &stage.pair.target);
    assert_eq!((source.number(left), target.number(left)), (0, 0));
    assert_eq!(source.number(origins), 0);
}

#[test]
fn finalize_that_is_killed_is_run_again() {
    let stage = Stage::with(SCHEMA);
    stage.moves("cutover");
    stage.database().sql("INSERT INTO t VALUES (2)");
    for place in PLACES_OF_FINALIZE {
        let killed = stage.command("finalize --yes --lift-fence");
        let killed = killed.env("PGFLIT_KILL_AT", place).run();
        assert_eq!(killed.code(), None, "{place}: {}", killed.stderr);
        assert_eq!(stage.serves(), "target", "{place}");
    }
    let done = stage.command("finalize --yes --lift-fence").run();
    let done = done.assert_code(0);
    assert!(!done.stdout.contains("had ended before"), "{}", done.stdout);
    assert_nothing_is_left(&stage);
    // What was written before it went back.
    assert_eq!(stage.past_proxy().number("SELECT count(*) FROM t"), 2);
    stage.database().sql("INSERT INTO t VALUES (3)");
    assert_eq!(stage.pair.target.number("SELECT count(*) FROM t"), 3);
    let refused = stage.does_not_move("rollback --yes");
    refused
        .assert_stderr("has ended")
        .assert_stderr("the way back was given up");
}

/// The stream back cannot come to its end then: that is told at once, and who it is.
#[test]
fn a_source_that_is_switched_off_is_not_needed_any_more() {
    let mut stage = Stage::with(SCHEMA);
    stage.moves("cutover");
    let stopped = stage.pair.source_cluster.stop(StopMode::Fast);
    stopped.expect("it stops");
    stage.database().sql("INSERT INTO t VALUES (2)");
    stage
        .does_not_move("finalize --yes")
        .assert_stderr("cannot come to its end")
        .assert_stderr("pgflit follow)");
    assert_eq!(stage.stop_streams(), ["reverse"]);
    let done = stage.command("finalize --yes").run().assert_code(0);
    assert!(done.stdout.contains("not reached"), "{}", done.stdout);
    let slots = "SELECT count(*) FROM pg_replication_slots";
    assert_eq!(stage.pair.target.number(slots), 0);
    stage.database().sql("INSERT INTO t VALUES (3)");
}

/// Nor one that is only about to begin, and waits for the source.
#[test]
fn a_stream_back_that_waits_for_a_source_that_is_switched_off_is_told_of() {
    let mut stage = Stage::with(SCHEMA);
    stage.moves("cutover");
    assert_eq!(stage.kill_streams(), ["reverse"]);
    let stopped = stage.pair.source_cluster.stop(StopMode::Fast);
    stopped.expect("it stops");
    let waiting = stage.resume("reverse");
    waiting.wait_for_stderr("trying again");
    stage
        .does_not_move("finalize --yes")
        .assert_stderr("cannot come to its end")
        .assert_stderr("pgflit follow)");
    waiting.signal(Signal::SIGTERM);
    waiting.wait_for_exit();
    stage.command("finalize --yes").run().assert_code(0);
}

#[test]
fn a_stream_back_that_had_ended_before_is_told_of() {
    let mut stage = Stage::with(SCHEMA);
    stage.moves("cutover");
    stage.database().sql("INSERT INTO t VALUES (2)");
    stage.until_equal(&["t"]);
    assert_eq!(stage.kill_streams(), ["reverse"]);
    stage.database().sql("INSERT INTO t VALUES (3)");
    let streams = "SELECT count(*) FROM pg_replication_slots WHERE active";
    eventually(SOON, "nobody streams", || {
        stage.pair.target.number(streams) == 0
    });
    let done = stage.command("finalize --yes").run().assert_code(0);
    assert!(done.stdout.contains("had ended before"), "{}", done.stdout);
    assert_nothing_is_left(&stage);
    assert_eq!(stage.pair.source.number("SELECT count(*) FROM t"), 2);
    stage.database().sql("INSERT INTO t VALUES (4)");
    stage.command("finalize --yes").run().assert_code(0);
}
