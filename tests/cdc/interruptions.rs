//! Workers that are killed in the middle, and run again.

use nix::sys::signal::Signal;

use super::Capture;
use crate::support::{Pgflit, Run, SOON, assert_equal, eventually};

const TABLES: &str = "
    CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL);
    CREATE TABLE entry (id bigserial PRIMARY KEY, account int NOT NULL, amount int, note text);";

/// About 10 MB of changes in one transaction: it spans segments and is too large to be held.
const LARGE: &str = "INSERT INTO entry (account, amount, note)
    SELECT n % 100, n, repeat(md5(n::text), 6) FROM generate_series(1, 40000) n";

const SMALL: &str = "UPDATE account SET balance = balance + 1 WHERE id % 3 = 0;
    INSERT INTO entry (account, amount) SELECT id, 1 FROM account";

fn capture() -> Capture {
    let capture = Capture::of(TABLES);
    let accounts = "INSERT INTO account SELECT n, 0 FROM generate_series(1, 100) n";
    capture.pair.source.sql(accounts);
    capture
}

#[track_caller]
fn finish_and_compare(capture: &Capture) {
    let pair = &capture.pair;
    capture.end_now();
    capture.receive().run().assert_code(0);
    capture.transform().run().assert_code(0);
    capture.apply().run().assert_code(0);
    let sequence = "SELECT format('SELECT setval(''entry_id_seq'', %s, %L)', last_value, is_called)
        FROM entry_id_seq";
    pair.target.sql(&pair.source.sql(sequence));
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn workers_on_a_folder_killed_again_and_again_lose_and_repeat_nothing() {
    let capture = capture();
    let source = &capture.pair.source;
    for round in 0..8 {
        let workers = [
            capture.receive().start(),
            capture.transform().start(),
            capture.apply().start(),
        ];
        source.sql(SMALL);
        if round % 3 == 0 {
            source.sql(LARGE);
        }
        source.sql(SMALL);
        // Each round kills at another place: at once, or once something has arrived.
        let before = capture.pair.target.number("SELECT count(*) FROM entry");
        if round % 2 == 1 {
            eventually(SOON, "something arrives", || {
                capture.pair.target.number("SELECT count(*) FROM entry") > before
            });
        }
        workers
            .iter()
            .for_each(|worker: &Run| worker.signal(Signal::SIGKILL));
    }
    finish_and_compare(&capture);
}

#[test]
fn an_interrupted_live_replay_goes_on_from_disk() {
    let capture = capture();
    let source = &capture.pair.source;
    for victim in 0..3 {
        let (receive, json) = capture.receive().arg("--to-stdout").start_pipe();
        let transform = capture.transform().args(["-", "-"]).stdin(json);
        let (transform, sql) = transform.start_pipe();
        let apply = capture.apply().arg("-").stdin(sql).start();
        source.sql(SMALL);
        source.sql(LARGE);
        source.sql(SMALL);
        let workers = [receive, transform, apply];
        workers[victim].signal(Signal::SIGKILL);
        source.sql(SMALL);
        workers
            .iter()
            .for_each(|worker| worker.signal(Signal::SIGTERM));
    }
    finish_and_compare(&capture);
}

#[test]
fn a_lower_end_leaves_out_what_commits_after_it() {
    let capture = capture();
    let source = &capture.pair.source;
    source.sql(SMALL);
    let end = source.sql("SELECT pg_current_wal_flush_lsn()");
    let expected = source.sql("SELECT sum(balance) FROM account");
    source.sql(SMALL);
    let at_end = |worker: Pgflit| worker.args(["--endpos", &end]).run();
    at_end(capture.receive()).assert_code(0);
    capture.transform().run().assert_code(0);
    at_end(capture.apply()).assert_code(0);
    let target = &capture.pair.target;
    assert_eq!(target.sql("SELECT sum(balance) FROM account"), expected);
    finish_and_compare(&capture);
}

#[test]
fn a_refused_row_is_named_and_the_next_start_goes_on() {
    let capture = capture();
    let target = &capture.pair.target;
    target.sql("INSERT INTO account VALUES (7, 0)");
    capture.end_now();
    capture.receive().run().assert_code(0);
    capture.transform().run().assert_code(0);
    let refused = capture.apply().run().assert_code(7);
    refused.assert_stderr("account").assert_stderr("hint: ");
    target.sql("DELETE FROM account");
    finish_and_compare(&capture);
}

#[test]
fn a_pipe_that_nobody_reads_is_left_and_does_not_keep_receive_from_ending() {
    let capture = capture();
    let supervisor = std::process::id().to_string();
    let receive = capture.receive().env("PGFLIT_SUPERVISED", supervisor);
    let (receive, unread) = receive.arg("--to-stdout").start_pipe();
    capture.pair.source.sql(LARGE);
    receive.wait_for_stderr("leaving live replay");
    capture.pair.source.sql(SMALL);
    receive.signal(Signal::SIGTERM);
    receive.wait_for_exit_within(SOON).assert_code(9);
    drop(unread);
    finish_and_compare(&capture);
}

#[test]
fn receive_by_hand_stops_when_the_reader_of_its_pipe_is_gone() {
    let capture = capture();
    let (receive, reader) = capture.receive().arg("--to-stdout").start_pipe();
    drop(reader);
    capture.pair.source.sql(SMALL);
    let stopped = receive.wait_for_exit_within(SOON).assert_code(9);
    stopped.assert_stderr("reader");
    finish_and_compare(&capture);
}
