//! Where the end is: inside, exactly at and behind a transaction that spans segments.

use pgflit::segment::{self, Kind};

use super::Capture;
use crate::support::{Held, PLUGINS, assert_equal};

const TABLES: &str = "CREATE TABLE fruit (id int PRIMARY KEY, body text);
    CREATE TABLE log (line text); ALTER TABLE log REPLICA IDENTITY FULL;";

/// Some 600 bytes a row.
fn rows(first: u32, last: u32) -> String {
    format!(
        "INSERT INTO fruit SELECT n, repeat(md5(n::text), 18) FROM generate_series({first}, {last}) n"
    )
}

/// As if WAL files had that size.
const SEGMENT_BYTES: u64 = 64 << 10;

fn json_segments(capture: &Capture) -> usize {
    let entries = segment::entries(&capture.work_dir().cdc, Kind::Json);
    entries.expect("segments").len()
}

#[track_caller]
fn to(capture: &Capture, end: &str) {
    let end = ["--endpos", end];
    capture.receive().args(end).run().assert_code(0);
    capture.transform().run().assert_code(0);
    let applied = capture.apply().args(end).run().assert_code(0);
    applied.assert_stderr("applied everything up to endpos");
}

#[test]
fn an_end_inside_at_and_behind_a_transaction_of_many_segments_counts_as_its_commit_says() {
    for plugin in PLUGINS {
        let Some(capture) = Capture::with_plugin(plugin, TABLES) else {
            continue;
        };
        println!("{plugin}");
        let capture = capture.with_wal_segments_of(SEGMENT_BYTES);
        let (source, target) = (&capture.pair.source, &capture.pair.target);
        source.sql("INSERT INTO log VALUES ('before')");
        let mut held = Held::open(source, &rows(1, 100));
        source.sql("INSERT INTO log VALUES ('meanwhile')");
        let inside = source.sql("SELECT pg_current_wal_flush_lsn()");
        held.run(&rows(101, 1000));
        held.run("DELETE FROM fruit WHERE id % 2 = 0");
        held.commit();
        let behind = source.sql("SELECT pg_current_wal_insert_lsn()");
        source.sql("INSERT INTO log VALUES ('behind')");
        let arrived = || {
            target.sql(
                "SELECT (SELECT count(*) FROM fruit),
                        (SELECT string_agg(line, ' ' ORDER BY line) FROM log)",
            )
        };
        to(&capture, &inside);
        assert_eq!(arrived(), "0|before meanwhile");
        let before = json_segments(&capture);
        to(&capture, &behind);
        assert_eq!(arrived(), "500|before meanwhile");
        let spanned = json_segments(&capture) - before;
        assert!(spanned >= 3, "{spanned} segments");
        to(&capture, &capture.end_now());
        assert_equal(source, target);
    }
}

#[test]
fn the_current_end_is_behind_commits_that_did_not_wait_for_the_disk() {
    let capture = Capture::of(TABLES);
    let source = &capture.pair.source;
    source.sql(
        "ALTER SYSTEM SET synchronous_commit = off; ALTER SYSTEM SET wal_writer_delay = '2s';
         SELECT pg_reload_conf()",
    );
    for round in 0..5 {
        source.sql(&rows(round * 100 + 1, round * 100 + 100));
        let end = capture.end_now();
        let unflushed = format!("SELECT pg_current_wal_flush_lsn() < '{end}'");
        assert_eq!(source.sql(&unflushed), "f");
        to(&capture, &end);
        assert_equal(source, &capture.pair.target);
    }
}
