//! Clients that wait between transactions, and do not know why.

use std::io::{Read, Write};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use super::wire;
use crate::support::{Pgbench, Proxied, SOON, driver_runtime, eventually, long_tests_wanted};

#[test]
fn pgbench_does_not_notice_that_it_is_paused() {
    let proxied = Proxied::new();
    let init = |args: &[&str]| {
        let mut command = proxied.database.program("pgbench");
        command.args(args).arg(proxied.database.uri());
        command
    };
    assert!(
        init(&["-i", "-q"])
            .output()
            .expect("pgbench")
            .status
            .success()
    );
    for protocol in ["simple", "prepared"] {
        // A thread for each: pgbench prepares its statements one session after the other, and would
        // keep those waiting that are in a transaction.
        let traffic = init(&["-n", "-c", "8", "-j", "8", "-t", "150", "-M", protocol])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("pgbench");
        for _ in 0..3 {
            proxied.pause("60s");
            // Nobody is in a transaction, and nobody begins one.
            let in_transaction = "SELECT count(*) FROM pg_stat_activity WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
            assert_eq!(proxied.direct.number(in_transaction), 0);
            let rows = || {
                proxied
                    .direct
                    .number("SELECT count(*) FROM pgbench_history")
            };
            let before = rows();
            assert_eq!(proxied.status()["clients"]["busy"], 0);
            assert_eq!(rows(), before);
            proxied.resume();
        }
        let output = traffic.wait_with_output().expect("pgbench ends");
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && said.contains("1200/1200"),
            "{said}"
        );
        assert!(!said.contains("ERROR"), "{said}");
    }
}

/// With `PGFLIT_LONG` for ten minutes, otherwise for a moment. Prints the longest wait.
#[test]
fn pauses_every_second_cost_many_clients_no_error() {
    let seconds = if long_tests_wanted() { 600 } else { 4 };
    let proxied = Proxied::new();
    Pgbench::init(&proxied.direct, 10);
    let log = proxied.path("log");
    let mut traffic = proxied
        .database
        .program("pgbench")
        .args(["-n", "-c", "64", "-j", "64", "-l", "--log-prefix"])
        .arg(&log)
        .args(["-T", &seconds.to_string(), proxied.database.uri()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("pgbench");
    let mut pauses = 0_u32;
    while matches!(traffic.try_wait(), Ok(None)) {
        let began = Instant::now();
        proxied.pause("60s");
        proxied.resume();
        pauses += 1;
        // The second itself is what is asked for: nothing is waited for.
        thread::sleep(Duration::from_secs(1).saturating_sub(began.elapsed()));
    }
    let output = traffic.wait_with_output().expect("pgbench ends");
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("number of failed transactions: 0"),
        "{said}"
    );
    assert!(!said.contains("ERROR") && pauses > 1, "{said}");
    let folder = log.parent().expect("a folder");
    let logs = std::fs::read_dir(folder).expect("a folder").flatten();
    let logs = logs.filter(|file| file.file_name().to_string_lossy().starts_with("log"));
    let texts = logs.filter_map(|file| std::fs::read_to_string(file.path()).ok());
    let longest = texts
        .flat_map(|text| {
            let micros = text
                .lines()
                .filter_map(|line| line.split(' ').nth(2)?.parse::<u64>().ok());
            micros.max()
        })
        .max();
    eprintln!(
        "{pauses} pauses in {seconds} s of 64 clients: the longest transaction took {} ms\n{said}",
        longest.unwrap_or_default() / 1000
    );
}

#[test]
fn whoever_speaks_in_a_pause_waits_and_is_told_after_a_second() {
    let proxied = Proxied::new();
    let mut session = proxied.socket();
    wire::log_in(&mut session, 0);
    proxied.pause("60s");
    wire::send_query(&mut session, "SELECT 'held'");
    eventually(SOON, "it is held", || {
        proxied.status()["clients"]["held"] == 1
    });
    assert_eq!(proxied.direct.number("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%held%' AND pid <> pg_backend_pid()"), 0);
    let (tag, body) = wire::next(&mut session).expect("a notice");
    assert_eq!(tag, b'N');
    assert!(String::from_utf8_lossy(&body).contains("paused"));
    // New ones are accepted, and wait as well.
    thread::scope(|scope| {
        let newcomer = scope.spawn(|| proxied.database.sql("SELECT 'new'"));
        eventually(SOON, "it waits", || {
            proxied.status()["clients"]["waiting"] == 1
        });
        let paused = proxied.ask("proxy status").run().assert_code(0).stdout;
        assert!(paused.contains("paused for"), "{paused}");
        proxied.resume();
        assert_eq!(newcomer.join().expect("no panic"), "new");
    });
    let said = wire::until(&mut session, b'Z');
    assert!(said.iter().any(|(_, body)| body.ends_with(b"held")));
    proxied.ask("proxy resume").run().assert_code(3);
}

#[test]
fn a_statement_that_is_held_can_be_cancelled() {
    let proxied = Proxied::new();
    let mut session = proxied.socket();
    let said = wire::log_in(&mut session, 0);
    let (_, key) = said.iter().find(|(tag, _)| *tag == b'K').expect("a key");
    proxied.pause("60s");
    wire::send_query(&mut session, "SELECT 'never'");
    eventually(SOON, "it is held", || {
        proxied.status()["clients"]["held"] == 1
    });
    let mut cancel = proxied.socket();
    let request = [16_u32.to_be_bytes(), 80_877_102_u32.to_be_bytes()].concat();
    cancel
        .write_all(&[&request[..], key].concat())
        .expect("sent");
    let mut rest = Vec::new();
    cancel.read_to_end(&mut rest).expect("closed");
    assert_eq!(wire::refusal(&mut session).as_deref(), Some("57014"));
    wire::until(&mut session, b'Z');
    proxied.resume();
    let said = wire::query(&mut session, "SELECT 'again'");
    assert!(said.iter().any(|(_, body)| body.ends_with(b"again")));
    assert_eq!(proxied.direct.number("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%never%' AND pid <> pg_backend_pid()"), 0);
}

#[test]
fn a_transaction_that_does_not_end_outlives_the_pause() {
    let proxied = Proxied::new();
    let mut session = proxied.socket();
    wire::log_in(&mut session, 0);
    wire::query(&mut session, "BEGIN");
    let began = Instant::now();
    let pause = proxied
        .ask("proxy pause --timeout 300ms")
        .run()
        .assert_code(3);
    assert!(began.elapsed() < Duration::from_secs(10));
    let pause = pause.assert_stderr("1 clients were still in a transaction");
    pause.assert_stderr("pgflit proxy clients");
    // Within its transaction a client is not held, whatever the gate.
    wire::query(&mut session, "COMMIT");
    assert_eq!(proxied.database.sql("SELECT 1"), "1");
}

#[test]
fn a_pause_ends_by_itself() {
    let proxied = Proxied::new();
    proxied.pause("300ms");
    assert_eq!(proxied.database.sql("SELECT 'on'"), "on");
    proxied.proxy.wait_for_stderr("was not ended within");
}

#[test]
fn a_pipeline_that_never_ends_is_paused_too() {
    let proxied = Proxied::new();
    let mut session = proxied.socket();
    wire::log_in(&mut session, 0);
    let one = [
        wire::message(b'P', b"\0SELECT 1\0\0\0"),
        wire::message(b'B', b"\0\0\0\0\0\0\0\0"),
        wire::message(b'E', b"\0\0\0\0\0"),
        wire::message(b'S', b""),
    ];
    let one = one.concat();
    let mut writer = session.try_clone().expect("a second handle");
    thread::scope(|scope| {
        // As fast as it goes, without waiting for any answer.
        let sending = scope.spawn(move || {
            let mut sent = 0;
            while writer.write_all(&one).is_ok() {
                sent += 1;
            }
            sent
        });
        let mut reader = session.try_clone().expect("a third handle");
        let reading = scope.spawn(move || {
            let mut answers = 0;
            while let Some((tag, _)) = wire::next(&mut reader) {
                answers += u32::from(tag == b'Z');
            }
            answers
        });
        let pausing = scope.spawn(|| {
            for _ in 0..3 {
                proxied.pause("60s");
                assert_eq!(proxied.status()["clients"]["busy"], 0);
                proxied.resume();
            }
        });
        let paused = pausing.join();
        session.shutdown(std::net::Shutdown::Both).expect("closed");
        let (sent, answers) = (sending.join(), reading.join());
        paused.expect("paused and resumed");
        assert!(sent.expect("no panic") > 0 && answers.expect("no panic") > 0);
    });
}

#[test]
fn drivers_keep_what_their_sessions_hold() {
    let proxied = Proxied::new();
    let runtime = driver_runtime();
    let client = proxied.driver(&runtime);
    runtime.block_on(async {
        client
            .batch_execute("SET work_mem = '7MB'")
            .await
            .expect("set");
    });
    let statement = runtime.block_on(client.prepare("SELECT current_setting('work_mem')"));
    let statement = statement.expect("prepared");
    proxied.pause("60s");
    thread::scope(|scope| {
        scope.spawn(|| {
            eventually(SOON, "it is held", || {
                proxied.status()["clients"]["held"] == 1
            });
            proxied.resume();
        });
        let row = runtime.block_on(client.query_one(&statement, &[]));
        assert_eq!(row.expect("an answer").get::<_, String>(0), "7MB");
    });
}
