//! `stream prefetch`, `catchup` and `replay`.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::Capture;
use crate::support::{Pgflit, SOON, assert_equal, children, eventually, pgflit};

const TABLES: &str = "CREATE TABLE fruit (id int PRIMARY KEY, name text);
    CREATE TABLE log (line text); ALTER TABLE log REPLICA IDENTITY FULL";

fn stream(capture: &Capture, command: &str) -> Pgflit {
    pgflit(&format!("stream {command}")).between(&capture.pair)
}

fn write(capture: &Capture, from: i32) {
    capture.pair.source.sql(&format!(
        "INSERT INTO fruit SELECT n, repeat(md5(n::text), 20) FROM generate_series({from}, {from} + 999) n;
         UPDATE fruit SET name = 'ripe' WHERE id % 7 = 0;
         INSERT INTO log SELECT 'same' FROM generate_series(1, 10)"
    ));
}

fn rows(capture: &Capture) -> i64 {
    capture.pair.target.number("SELECT count(*) FROM log")
}

#[test]
fn what_was_prefetched_is_caught_up_with_and_each_goes_on_where_it_was_killed() {
    let capture = Capture::of(TABLES);
    for round in 0..3 {
        let prefetch = stream(&capture, "prefetch").start();
        write(&capture, 1000 * round);
        let present = capture.pair.source.sql("SELECT pg_current_wal_lsn()");
        let present = present.parse().expect("an LSN");
        let received = || capture.store().sentinel().expect("a sentinel").flush_lsn;
        eventually(SOON, "it is received", || received() >= present);
        if round == 0 {
            let second = stream(&capture, "prefetch").run().assert_code(8);
            second
                .assert_stderr("supervisor.lock is held by another pgflit")
                .assert_stderr("pgflit stream prefetch");
            let cleanup = stream(&capture, "cleanup").run().assert_code(8);
            cleanup.assert_stderr("supervisor.lock is held by another pgflit");
        }
        prefetch.signal(Signal::SIGKILL);
        prefetch.wait_for_exit();
        assert_eq!(rows(&capture), 10 * i64::from(round));
        if round == 1 {
            // Killed while it applies, or before, or after.
            let catchup = stream(&capture, "catchup").start();
            eventually(SOON, "apply has begun", || {
                children(catchup.pid())
                    .iter()
                    .any(|child| child.line.contains("apply"))
            });
            catchup.signal(Signal::SIGKILL);
            catchup.wait_for_exit();
        }
        let caught_up = stream(&capture, "catchup").run().assert_code(0);
        caught_up.assert_stderr("applied all there was");
        assert_eq!(rows(&capture), 10 * i64::from(round + 1));
    }
    write(&capture, 9000);
    let end = capture.end_now();
    let prefetched = stream(&capture, "prefetch").run().assert_code(0);
    prefetched.assert_stderr(&format!("endpos {end} is reached"));
    assert_eq!(rows(&capture), 30);
    // It was moved on after it had been reached.
    capture.pair.source.sql("INSERT INTO log VALUES ('later')");
    let later = capture.pair.source.sql("SELECT pg_current_wal_flush_lsn()");
    let prefetch = stream(&capture, "prefetch").args(["--endpos", &later]);
    prefetch.run().assert_code(0);
    let caught_up = stream(&capture, "catchup").run().assert_code(0);
    caught_up.assert_stderr(&format!("endpos {later} is reached"));
    assert_equal(&capture.pair.source, &capture.pair.target);
}

#[test]
fn replay_goes_live_and_on_after_a_kill_until_an_idle_source_is_at_its_end() {
    let capture = Capture::of(TABLES);
    write(&capture, 0);
    for round in 1..=2 {
        let replay = stream(&capture, "replay").start();
        replay.wait_for_stderr("live replay from");
        assert!(!replay.stderr_contains("live replay from 0/0"));
        write(&capture, 1000 * round);
        eventually(SOON, "the changes arrive", || {
            rows(&capture) == 10 * i64::from(round + 1)
        });
        replay.signal(Signal::SIGKILL);
        replay.wait_for_exit();
    }
    let replay = stream(&capture, "replay").start();
    replay.wait_for_stderr("live replay from");
    let second = stream(&capture, "catchup").run().assert_code(8);
    second.assert_stderr("is held by another pgflit");
    let end = capture.end_now();
    let begun = Instant::now();
    let replayed = replay.wait_for_exit().assert_code(0);
    // The server by itself says something after 15 s.
    assert!(begun.elapsed() < Duration::from_secs(5));
    replayed.assert_stderr(&format!("endpos {end} is reached"));
    assert_equal(&capture.pair.source, &capture.pair.target);
}

#[test]
fn a_step_waits_for_the_sentinels_word_and_stops_when_asked() {
    let capture = Capture::of(TABLES);
    capture.store().set_apply(false).expect("prefetch");
    write(&capture, 0);
    let replay = stream(&capture, "replay").start();
    replay.wait_for_stderr("prefetching changes");
    let present = capture.pair.source.sql("SELECT pg_current_wal_lsn()");
    let present = present.parse().expect("an LSN");
    eventually(SOON, "it is received all the same", || {
        capture.store().sentinel().expect("a sentinel").flush_lsn >= present
    });
    assert_eq!(rows(&capture), 0);
    capture.store().set_apply(true).expect("apply");
    replay.wait_for_stderr("live replay from");
    eventually(SOON, "the changes arrive", || rows(&capture) == 10);
    replay.signal(Signal::SIGTERM);
    let stopped = replay.wait_for_exit().assert_code(9);
    stopped.assert_stderr("stopped as asked: changes up to");
}

#[test]
fn what_a_step_alone_cannot_do_is_refused() {
    let capture = Capture::of(TABLES);
    let filters = capture.pair.path("filters");
    std::fs::write(&filters, "[exclude-table]\npublic.log\n").expect("filters");
    for command in [
        "prefetch",
        "catchup",
        "replay",
        "receive",
        "transform",
        "apply",
    ] {
        let refused = stream(&capture, command)
            .arg("--filters")
            .arg(&filters)
            .run();
        refused.assert_code(1).assert_stderr("filters");
    }
    for command in ["prefetch", "catchup", "replay", "setup"] {
        let refused = stream(&capture, command).arg("--restart").run();
        refused
            .assert_code(1)
            .assert_stderr("takes no --restart")
            .assert_stderr("stream cleanup");
    }
    let startpos = pgflit("sentinel set startpos 0/1").dir(capture.pair.dir());
    let refused = startpos.run().assert_code(1);
    refused.assert_stderr("where replication slot \"pgflit\" was made, not at 0/1");
    let elsewhere = pgflit("stream prefetch").dir(capture.pair.path("elsewhere"));
    let refused = elsewhere.run().assert_code(1);
    refused.assert_stderr("there is no migration in");
}
