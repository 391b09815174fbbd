//! Workers that are killed in the middle, and run again.

use nix::sys::signal::Signal;

use super::Capture;
use crate::support::{Held, PLUGINS, Pgflit, Run, SOON, assert_equal, eventually};

const TABLES: &str = "
    CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL);
    CREATE TABLE entry (id bigserial PRIMARY KEY, account int NOT NULL, amount int, note text);";

/// About 10 MB of changes in one transaction: it spans segments and is too large to be held.
const LARGE: &str = "INSERT INTO entry (account, amount, note)
    SELECT n % 100, n, repeat(md5(n::text), 6) FROM generate_series(1, 40000) n";

const SMALL: &str = "UPDATE account SET balance = balance + 1 WHERE id % 3 = 0;
    INSERT INTO entry (account, amount) SELECT id, 1 FROM account";

const ACCOUNTS: &str = "INSERT INTO account SELECT n, 0 FROM generate_series(1, 100) n";

fn capture() -> Capture {
    let capture = Capture::of(TABLES);
    capture.pair.source.sql(ACCOUNTS);
    capture
}

/// With an output plugin, if the source has it.
fn with_plugin(plugin: &str, scenario: impl Fn(&Capture)) {
    if let Some(capture) = Capture::with_plugin(plugin, TABLES) {
        capture.pair.source.sql(ACCOUNTS);
        scenario(&capture);
    }
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
    with_plugin("pgoutput", |capture| lose_and_repeat_nothing(capture, 8));
}

#[test]
fn workers_killed_again_and_again_lose_and_repeat_nothing_with_test_decoding() {
    with_plugin("test_decoding", |capture| {
        lose_and_repeat_nothing(capture, 4)
    });
}

#[test]
fn workers_killed_again_and_again_lose_and_repeat_nothing_with_wal2json() {
    with_plugin("wal2json", |capture| lose_and_repeat_nothing(capture, 4));
}

fn lose_and_repeat_nothing(capture: &Capture, rounds: u32) {
    let source = &capture.pair.source;
    for round in 0..rounds {
        let before = capture.pair.target.number("SELECT count(*) FROM entry");
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
        if round % 2 == 1 {
            eventually(SOON, "something arrives", || {
                capture.pair.target.number("SELECT count(*) FROM entry") > before
            });
        }
        workers
            .iter()
            .for_each(|worker: &Run| worker.signal(Signal::SIGKILL));
    }
    finish_and_compare(capture);
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
    for plugin in PLUGINS {
        with_plugin(plugin, leaves_out_what_commits_after_the_end);
    }
}

fn leaves_out_what_commits_after_the_end(capture: &Capture) {
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
    finish_and_compare(capture);
}

#[test]
fn an_end_inside_a_large_transaction_leaves_all_of_it_out() {
    with_plugin("pgoutput", leaves_it_out);
}

#[test]
fn an_end_inside_a_large_transaction_leaves_all_of_it_out_with_test_decoding() {
    with_plugin("test_decoding", leaves_it_out);
}

#[test]
fn an_end_inside_a_large_transaction_leaves_all_of_it_out_with_wal2json() {
    with_plugin("wal2json", leaves_it_out);
}

fn leaves_it_out(capture: &Capture) {
    let source = &capture.pair.source;
    let before = source.sql("SELECT count(*) FROM entry");
    let after = Held::open(source, LARGE);
    source.sql(SMALL);
    let end = source.sql("SELECT pg_current_wal_flush_lsn()");
    after.commit();
    let at_end = |worker: Pgflit| worker.args(["--endpos", &end]).run();
    at_end(capture.receive()).assert_code(0);
    capture.transform().run().assert_code(0);
    at_end(capture.apply()).assert_code(0);
    let target = &capture.pair.target;
    assert_eq!(before, "0");
    assert_eq!(target.sql("SELECT count(*) FROM entry"), "100");
    finish_and_compare(capture);
}

#[test]
fn a_row_that_the_target_has_already_is_named_and_the_next_start_goes_on() {
    for plugin in PLUGINS {
        with_plugin(plugin, |capture| {
            let target = &capture.pair.target;
            target.sql("INSERT INTO account VALUES (7, 0)");
            capture.end_now();
            capture.receive().run().assert_code(0);
            capture.transform().run().assert_code(0);
            let refused = capture.apply().run().assert_code(7);
            refused
                .assert_stderr("INSERT on public.account (id=7) of transaction ")
                .assert_stderr(".sql.partial, byte ")
                .assert_stderr("SQLSTATE 23505")
                .assert_stderr("hint: ");
            assert_eq!(target.number("SELECT count(*) FROM account"), 1);
            target.sql("DELETE FROM account");
            finish_and_compare(capture);
        });
    }
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
