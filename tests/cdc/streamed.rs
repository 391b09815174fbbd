//! Transactions that the source streams while they are in progress (Postgres 14 and later), many
//! at once, cut and aborted in every way.

use std::fs;

use nix::sys::signal::Signal;
use pgflit::base::Lsn;
use pgflit::segment::{self, Kind};

use super::Capture;
use crate::support::{
    Held, Pair, Run, SOON, assert_equal, eventually, pgflit, source_options, target_options,
};

const TABLES: &str = "
    CREATE TABLE fruit (id int PRIMARY KEY, body text);
    CREATE TABLE log (line text); ALTER TABLE log REPLICA IDENTITY FULL;
    CREATE TABLE filled (id int PRIMARY KEY, body text);
    CREATE TYPE mood AS ENUM ('glad', 'sad');
    CREATE TABLE felt (id int PRIMARY KEY, mood mood);";

/// The least that the server takes: what is larger is streamed.
const MEMORY: (&str, &str) = ("logical_decoding_work_mem", "64kB");

fn capture() -> Capture {
    let source = source_options()
        .setting(MEMORY.0, MEMORY.1)
        .setting("max_prepared_transactions", "4");
    Capture::of_pair(Pair::with(source, target_options()), TABLES)
}

/// About 400 kB into `fruit`, from the id `first` on.
fn rows(first: u32) -> String {
    format!(
        "INSERT INTO fruit SELECT n, repeat(md5(n::text), 12)
           FROM generate_series({first}, {first} + 999) n"
    )
}

/// The files of transactions in progress.
fn streamed(capture: &Capture) -> Vec<String> {
    let entries = fs::read_dir(capture.work_dir().cdc).expect("a folder");
    let names = entries.map(|entry| entry.expect("a file").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".streamed")).collect()
}

/// Whether the source streams at all: not before 14, nor once it has failed at it.
fn streams(capture: &Capture) -> bool {
    let version = "SELECT current_setting('server_version_num')::int >= 140000";
    let failed = capture.work_dir().cdc.join("streaming.off");
    capture.pair.source.sql(version) == "t" && !failed.exists()
}

#[track_caller]
fn until_streamed(capture: &Capture, count: usize) {
    eventually(SOON, "transactions in progress are on disk", || {
        !streams(capture) || streamed(capture).len() == count
    });
}

/// What the JSON segments hold.
fn json_bytes(capture: &Capture) -> u64 {
    let entries = segment::entries(&capture.work_dir().cdc, Kind::Json).expect("segments");
    let length = |entry: &segment::Entry| fs::metadata(&entry.path).map_or(0, |file| file.len());
    entries.iter().map(length).sum()
}

#[track_caller]
fn replay(capture: &Capture) {
    capture.transform().run().assert_code(0);
    capture.apply().run().assert_code(0);
}

#[track_caller]
fn finish_and_compare(capture: &Capture) {
    capture.end_now();
    capture.receive().run().assert_code(0);
    assert_eq!(streamed(capture), [""; 0]);
    replay(capture);
    assert_equal(&capture.pair.source, &capture.pair.target);
}

/// Ends a running receive at the source's current position.
#[track_caller]
fn end(capture: &Capture, receive: Run) {
    capture.end_now();
    receive.wait_for_exit().assert_code(0);
    finish_and_compare(capture);
}

#[test]
fn several_at_once_arrive_in_the_order_of_their_commits_or_never() {
    let capture = capture();
    let source = &capture.pair.source;
    let receive = capture.receive().start();
    let mut held: Vec<_> = (0..4)
        .map(|at| Held::open_as(&format!("session {at}"), source, &rows(at * 10_000)))
        .collect();
    for round in 1..4 {
        for (at, session) in (0..).zip(&mut held) {
            session.run(&rows(at * 10_000 + round * 1000));
            // The same row by all in turn would wait; what is small goes past them.
            source.sql(&format!("INSERT INTO log VALUES ('round {round}, {at}')"));
        }
    }
    until_streamed(&capture, 4);
    // Positions go on meanwhile, on disk and at the source.
    let now = source.sql("SELECT pg_current_wal_flush_lsn()");
    source.sql("INSERT INTO log VALUES ('past them')");
    let confirmed = format!(
        "SELECT confirmed_flush_lsn >= '{now}' AND restart_lsn < '{now}' FROM pg_replication_slots"
    );
    eventually(SOON, "the source is told", || source.sql(&confirmed) == "t");
    let xids: Vec<_> = held.iter().map(Held::xid).collect();
    let mut held = held.into_iter();
    let (first, second) = (held.next().unwrap(), held.next().unwrap());
    let (third, fourth) = (held.next().unwrap(), held.next().unwrap());
    third.end("COMMIT");
    second.end("ROLLBACK");
    source.sql("DELETE FROM log WHERE line LIKE '%2'");
    fourth.end("COMMIT");
    first.end("COMMIT");
    capture.end_now();
    receive.wait_for_exit().assert_code(0);
    let mut commits = Vec::new();
    for entry in segment::entries(&capture.work_dir().cdc, Kind::Json).expect("segments") {
        let text = fs::read_to_string(entry.path).expect("JSON");
        for line in text.lines().filter(|line| line.contains(r#""action":"C""#)) {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            commits.push(line["xid"].as_i64().expect("an xid"));
        }
    }
    commits.retain(|xid| xids.contains(xid));
    assert_eq!(commits, [xids[2], xids[3], xids[0]]);
    finish_and_compare(&capture);
}

#[test]
fn subtransactions_count_if_they_and_all_above_them_are_committed() {
    let capture = capture();
    let source = &capture.pair.source;
    let receive = capture.receive().start();
    let mut held = Held::open(source, &rows(0));
    for (script, first) in [
        ("SAVEPOINT a; SAVEPOINT b;", 10_000),
        ("RELEASE b; SAVEPOINT c;", 20_000),
        ("ROLLBACK TO a;", 30_000),
        ("SAVEPOINT d;", 40_000),
        ("ROLLBACK TO d; RELEASE d;", 50_000),
        ("RELEASE a; SAVEPOINT e;", 60_000),
        ("SAVEPOINT f; DELETE FROM fruit; ROLLBACK TO f;", 70_000),
    ] {
        held.run(&format!("{script} {}", rows(first)));
    }
    // The same, a thousand times, of which half never happened.
    held.run(
        "DO $$ BEGIN FOR n IN 1..2000 LOOP BEGIN
             INSERT INTO filled SELECT n * 100 + m, repeat(md5(m::text), 4) FROM generate_series(1, 20) m;
             IF n % 2 = 0 THEN RAISE EXCEPTION 'never'; END IF;
         EXCEPTION WHEN raise_exception THEN NULL; END; END LOOP; END $$",
    );
    until_streamed(&capture, 1);
    held.commit();
    assert_eq!(source.number("SELECT count(*) FROM filled"), 20_000);
    end(&capture, receive);
}

#[test]
fn truncates_definitions_and_messages_stand_where_they_stood() {
    let capture = capture();
    let pair = &capture.pair;
    pair.source
        .sql("INSERT INTO filled VALUES (1, 'before'); INSERT INTO felt VALUES (1, 'glad')");
    let receive = capture.receive().start();
    let mut held = Held::open(&pair.source, &rows(0));
    held.run("INSERT INTO filled SELECT n, md5(n::text) FROM generate_series(2, 5000) n");
    held.run("TRUNCATE filled, log; INSERT INTO filled VALUES (7, 'after')");
    held.run("SELECT pg_logical_emit_message(true, 'app', repeat('inside', 20000))");
    held.run("SELECT pg_logical_emit_message(false, 'app', 'outside')");
    held.run(&format!(
        "SAVEPOINT a; ALTER TABLE fruit ADD COLUMN never int; {}; ROLLBACK TO a",
        rows(10_000)
    ));
    held.run(&rows(20_000));
    held.run(
        "ALTER TABLE fruit ADD COLUMN color text DEFAULT 'red';
         UPDATE fruit SET color = 'green' WHERE id % 2 = 0",
    );
    held.run(
        "INSERT INTO felt SELECT n, 'sad' FROM generate_series(2, 3000) n;
         UPDATE felt SET mood = 'glad' WHERE id % 2 = 0; DELETE FROM felt WHERE id % 7 = 0",
    );
    until_streamed(&capture, 1);
    // What others are told meanwhile is not what the transaction was told.
    pair.source.sql("CREATE TABLE other (id int)");
    held.commit();
    pair.source
        .sql("UPDATE fruit SET color = 'blue' WHERE id < 100; DROP TABLE other");
    pair.target
        .sql("ALTER TABLE fruit ADD COLUMN color text DEFAULT 'red'");
    end(&capture, receive);
}

#[test]
fn definitions_of_an_aborted_transaction_are_forgotten() {
    let capture = capture();
    let source = &capture.pair.source;
    source.sql("INSERT INTO fruit VALUES (-1, 'before')");
    let receive = capture.receive().start();
    let altered = format!("ALTER TABLE fruit ADD COLUMN never int; {}", rows(0));
    let held = Held::open(source, &altered);
    until_streamed(&capture, 1);
    held.end("ROLLBACK");
    eventually(SOON, "its file is gone", || streamed(&capture).is_empty());
    source.sql("INSERT INTO fruit VALUES (-2, 'after'); UPDATE fruit SET body = 'x'");
    end(&capture, receive);
}

#[test]
fn killed_in_the_middle_again_and_again_nothing_is_lost_or_repeated() {
    let capture = capture();
    let source = &capture.pair.source;
    let mut held = Held::open(source, &rows(0));
    for round in 1..6 {
        let receive = capture.receive().start();
        until_streamed(&capture, 1);
        // A commit meanwhile moves what the source is told past the beginning of the other.
        source.sql(&format!("INSERT INTO log VALUES ('round {round}')"));
        let now = source.sql("SELECT pg_current_wal_flush_lsn()");
        let confirmed = format!("SELECT confirmed_flush_lsn >= '{now}' FROM pg_replication_slots");
        eventually(SOON, "the source is told", || source.sql(&confirmed) == "t");
        held.run(&rows(round * 1000));
        receive.signal(Signal::SIGKILL);
        drop(receive);
        if streams(&capture) {
            assert_eq!(
                streamed(&capture).len(),
                1,
                "a killed receive leaves its file"
            );
        }
    }
    held.commit();
    // Killed at its commit: inside the release, or between that and the sync.
    for _ in 0..3 {
        let receive = capture.receive().start();
        let started = || receive.stderr_contains("receiving from slot");
        eventually(SOON, "receive has begun", started);
        receive.signal(Signal::SIGKILL);
    }
    finish_and_compare(&capture);
}

/// Some 12 MB into `fruit`, which take a moment to be written, from the id `first` on.
fn many_rows(first: u32) -> String {
    format!(
        "INSERT INTO fruit SELECT n, repeat(md5(n::text), 12)
           FROM generate_series({first}, {first} + 30000) n"
    )
}

/// Starts receive; returns once it is writing a large transaction to the segments.
#[track_caller]
fn inside_a_release(capture: &Capture) -> Run {
    let before = json_bytes(capture);
    let receive = capture.receive().start();
    if !streams(capture) {
        // The run before may have had it all.
        receive.wait_for_stderr("receiving from slot");
        return receive;
    }
    eventually(SOON, "the transaction is being written", || {
        json_bytes(capture) > before + 1_500_000
    });
    receive
}

#[test]
fn stopped_or_killed_inside_a_release_the_transaction_comes_again_whole() {
    // It spans more than ten segments.
    let capture = capture().with_wal_segments_of(64 << 10);
    let source = &capture.pair.source;
    source.sql("INSERT INTO log VALUES ('before')");
    source.sql(&many_rows(0));
    let stopped = inside_a_release(&capture);
    stopped.signal(Signal::SIGTERM);
    stopped.wait_for_exit_within(SOON).assert_code(9);
    let killed = inside_a_release(&capture);
    killed.signal(Signal::SIGKILL);
    drop(killed);
    // What was left without its end is passed over, and others commit meanwhile.
    capture.transform().arg("--until-end").run().assert_code(0);
    capture.apply().arg("--until-end").run().assert_code(0);
    if streams(&capture) {
        assert_eq!(capture.pair.target.sql("SELECT count(*) FROM fruit"), "0");
    }
    source.sql(&format!("BEGIN; {}; ROLLBACK", rows(1_000_000)));
    source.sql("INSERT INTO log VALUES ('after')");
    finish_and_compare(&capture);
    let segments = segment::entries(&capture.work_dir().cdc, Kind::Json).expect("segments");
    assert!(segments.len() > 3 || !streams(&capture), "{segments:?}");
}

#[test]
fn an_end_that_is_set_inside_a_release_leaves_the_transaction_out() {
    let capture = capture().with_wal_segments_of(64 << 10);
    let pair = &capture.pair;
    let held = Held::open(&pair.source, &many_rows(0));
    pair.source.sql("INSERT INTO log VALUES ('before')");
    let end = pair.source.sql("SELECT pg_current_wal_flush_lsn()");
    held.commit();
    pair.source.sql("INSERT INTO log VALUES ('after')");
    let receive = inside_a_release(&capture);
    let set = pgflit("sentinel set endpos").arg(&end).dir(pair.dir());
    set.run().assert_code(0);
    receive.wait_for_exit().assert_code(0);
    replay(&capture);
    assert_eq!(pair.target.sql("SELECT * FROM log"), "before");
    assert_eq!(pair.target.sql("SELECT count(*) FROM fruit"), "0");
    finish_and_compare(&capture);
}

#[test]
fn an_end_before_inside_and_after_a_streamed_transaction_counts_as_its_commit_says() {
    let capture = capture();
    let pair = &capture.pair;
    let (source, target) = (&pair.source, &pair.target);
    let held = Held::open(source, &rows(0));
    source.sql("INSERT INTO log VALUES ('before')");
    // The end is inside: it is left out, and nobody waits for it.
    capture.end_now();
    capture.receive().run().assert_code(0);
    replay(&capture);
    assert_equal(source, target);
    held.commit();
    assert_eq!(target.sql("SELECT count(*) FROM fruit"), "0");
    // At the end of its commit record, exactly.
    let end = source.sql("SELECT pg_current_wal_insert_lsn()");
    source.sql("INSERT INTO log VALUES ('after')");
    capture
        .receive()
        .args(["--endpos", &end])
        .run()
        .assert_code(0);
    replay(&capture);
    assert_eq!(target.sql("SELECT count(*) FROM fruit"), "1000");
    assert_eq!(target.sql("SELECT count(*) FROM log"), "1");
    finish_and_compare(&capture);
}

#[test]
fn a_prepared_transaction_arrives_when_it_is_committed_or_never() {
    let capture = capture();
    let source = &capture.pair.source;
    let receive = capture.receive().start();
    let small = "INSERT INTO fruit VALUES";
    for (name, script) in [
        ("large", rows(0)),
        ("small", format!("{small} (-1, 'small')")),
        ("large never", rows(10_000)),
        ("small never", format!("{small} (-2, 'never')")),
    ] {
        source.sql(&format!("BEGIN; {script}; PREPARE TRANSACTION '{name}'"));
    }
    until_streamed(&capture, 2);
    source.sql("INSERT INTO log VALUES ('between')");
    source.sql("ROLLBACK PREPARED 'large never'");
    source.sql("COMMIT PREPARED 'small'");
    capture.end_now();
    receive.wait_for_exit().assert_code(0);
    replay(&capture);
    assert_eq!(capture.pair.target.sql("SELECT id FROM fruit"), "-1");
    source.sql("COMMIT PREPARED 'large'");
    source.sql("ROLLBACK PREPARED 'small never'");
    finish_and_compare(&capture);
}

#[test]
fn a_source_that_has_failed_at_it_sends_what_is_committed() {
    let capture = capture();
    let off = capture.work_dir().cdc.join("streaming.off");
    fs::write(off, "could not map filenumber").expect("written");
    let receive = capture.receive().start();
    receive.wait_for_stderr("receiving from slot");
    let mut held = Held::open(&capture.pair.source, &rows(0));
    held.run(&format!("SAVEPOINT a; {}; ROLLBACK TO a", rows(1000)));
    let now = "SELECT pg_current_wal_flush_lsn()";
    let now: Lsn = capture.pair.source.sql(now).parse().expect("an LSN");
    eventually(SOON, "receive is past it", || {
        capture.store().sentinel().expect("a sentinel").flush_lsn >= now
    });
    assert_eq!(streamed(&capture), [""; 0]);
    held.commit();
    end(&capture, receive);
}

#[test]
fn what_a_crash_of_the_source_has_ended_never_happened() {
    let mut capture = capture();
    let receive = capture.receive().start();
    let script = format!("{}; SAVEPOINT a; {}", rows(0), rows(1000));
    let held = Held::open(&capture.pair.source, &script);
    until_streamed(&capture, 1);
    let cluster = &mut capture.pair.source_cluster;
    cluster.kill().expect("the source is killed");
    drop(held);
    receive.wait_for_exit().assert_code(6);
    let cluster = &mut capture.pair.source_cluster;
    cluster.start().expect("the source starts");
    let receive = capture.receive().start();
    // The same rows, by another; and then the source says who is running.
    capture.pair.source.sql(&rows(500));
    capture.pair.source.sql("CHECKPOINT");
    end(&capture, receive);
}

#[test]
fn a_full_disk_ends_receive_in_order() {
    let capture = capture();
    let source = &capture.pair.source;
    if !streams(&capture) {
        return;
    }
    let receive = capture.receive().start();
    receive.wait_for_stderr("receiving from slot");
    let mut held = Held::open(source, "INSERT INTO log VALUES ('small')");
    let path = capture
        .work_dir()
        .cdc
        .join(format!("{}.streamed", held.xid()));
    std::os::unix::fs::symlink("/dev/full", path).expect("a link");
    held.run(&rows(0));
    let ended = receive.wait_for_exit_within(SOON).assert_code(12);
    ended
        .assert_stderr("streamed")
        .assert_stderr("No space left")
        .assert_stderr("hint: make room on this disk");
    held.commit();
    finish_and_compare(&capture);
}
