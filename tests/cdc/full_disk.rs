//! This disk is full while segments are written: each process ends in order and names the file, and
//! goes on exactly where it was once there is room.

use super::Capture;
use crate::support::{Pgflit, SOON, assert_equal, eventually, pgflit, pgflit_with_files_of};

const TABLES: &str = "CREATE TABLE fruit (id int PRIMARY KEY, body text)";

/// No segment may be larger: far less than the transaction.
const FILE_MAX: u64 = 1 << 20;

fn rows(first: u32, count: u32) -> String {
    format!(
        "INSERT INTO fruit SELECT n, repeat(md5(n::text), 12)
           FROM generate_series({first}, {first} + {count} - 1) n"
    )
}

#[track_caller]
fn refused(run: Pgflit, file: &str) {
    run.run()
        .assert_code(12)
        .assert_stderr("error: writing ")
        .assert_stderr(file)
        .assert_stderr("File too large")
        .assert_stderr("hint: make room on this disk");
}

#[test]
fn a_full_disk_ends_receive_and_transform_in_order_and_both_go_on_when_there_is_room() {
    let capture = Capture::of(TABLES);
    let (source, target) = (&capture.pair.source, &capture.pair.target);
    let dir = capture.pair.dir();
    source.sql(&rows(0, 10));
    source.sql(&rows(1000, 6000));
    source.sql("DELETE FROM fruit WHERE id = 1");
    capture.end_now();
    let receive = || {
        let receive = pgflit_with_files_of(FILE_MAX, "stream receive");
        receive.dir(&dir).source(source)
    };
    let transform = || pgflit_with_files_of(FILE_MAX, "stream transform").dir(&dir);
    for _ in 0..2 {
        refused(receive(), ".json.partial");
        // What is whole can be applied meanwhile.
        let until_end = |run: Pgflit| run.arg("--until-end").run().assert_code(0);
        until_end(capture.transform());
        until_end(capture.apply());
        assert_eq!(target.number("SELECT count(*) FROM fruit"), 10);
    }
    capture.receive().run().assert_code(0);
    for _ in 0..2 {
        refused(transform(), ".sql.partial");
    }
    capture.transform().run().assert_code(0);
    capture.apply().run().assert_code(0);
    assert_equal(source, target);
}

#[test]
fn a_full_disk_ends_live_replay_in_order_and_it_goes_on_when_there_is_room() {
    let capture = Capture::of(TABLES);
    let pair = &capture.pair;
    let replay = |command: Pgflit| command.between(pair).start();
    let live = replay(pgflit_with_files_of(FILE_MAX, "stream replay"));
    live.wait_for_stderr("live replay from");
    pair.source.sql(&rows(0, 10));
    eventually(SOON, "the first rows arrive", || {
        pair.target.number("SELECT count(*) FROM fruit") == 10
    });
    pair.source.sql(&rows(1000, 6000));
    live.wait_for_exit_within(SOON)
        .assert_code(12)
        .assert_stderr("File too large")
        .assert_stderr("hint: make room on this disk");
    assert_eq!(pair.target.number("SELECT count(*) FROM fruit"), 10);
    let live = replay(pgflit("stream replay"));
    live.wait_for_stderr("live replay from");
    pair.source.sql("DELETE FROM fruit WHERE id % 7 = 0");
    capture.end_now();
    live.wait_for_exit().assert_code(0);
    assert_equal(&pair.source, &pair.target);
}
