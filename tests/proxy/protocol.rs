//! Everything that a client can say to a server, it can say through the proxy.

use std::io::{Read, Write};
use std::process::Command;
use std::thread;

use super::wire;
use crate::support::{Database, Proxied, SOON, driver_runtime, eventually, eventually_some};

fn run(command: &mut Command) -> String {
    let output = command.output().expect("the program is installed");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned() + &stderr
}

#[test]
fn a_client_that_says_goodbye_and_waits_hears_nothing_more() {
    let proxied = Proxied::new();
    let mut session = proxied.socket();
    wire::log_in(&mut session, 0);
    session.write_all(&wire::message(b'X', b"")).expect("sent");
    let mut rest = Vec::new();
    session.read_to_end(&mut rest).expect("closed in order");
    assert!(rest.is_empty(), "{rest:?}");
}

#[test]
fn drivers_and_programs_do_not_notice() {
    let proxied = Proxied::new();
    let database = &proxied.database;

    // psql: simple queries, and COPY both ways.
    assert_eq!(database.sql("SELECT 1; SELECT 2"), "1\n2");
    let error = database.try_sql("SELECT 1/0").expect_err("an error");
    assert!(error.contains("division by zero"), "{error}");
    database.sql("CREATE TABLE t (id int PRIMARY KEY, x text)");
    database.sql("COPY t FROM STDIN;\n1\tone\n2\ttwo\n\\.\n");
    assert_eq!(database.sql("COPY t TO STDOUT"), "1\tone\n2\ttwo");
    let named = database.with("application_name=shop");
    assert_eq!(named.sql("SHOW application_name"), "shop");

    // A message of some megabytes, both ways.
    let big = database.sql("SELECT length(repeat('x', 20000000)), md5(repeat('x', 20000000))");
    assert_eq!(
        proxied
            .direct
            .sql("SELECT length(repeat('x', 20000000)), md5(repeat('x', 20000000))"),
        big
    );
    let runtime = driver_runtime();
    let client = proxied.driver(&runtime);
    let text = "y".repeat(8 << 20);
    runtime.block_on(async {
        let row = client.query_one("SELECT $1::text || 'z'", &[&text]).await;
        let answer: String = row.expect("an answer").get(0);
        assert!(answer.len() == text.len() + 1 && answer.ends_with("yz"));
    });

    // Prepared statements, pipelines, transactions, COPY of a driver.
    let mut client = client;
    runtime.block_on(async {
        let statement = client
            .prepare("SELECT $1::int + 1")
            .await
            .expect("prepared");
        let ask = |x: i32| {
            let (client, statement) = (&client, &statement);
            async move {
                let row = client.query_one(statement, &[&x]).await.expect("an answer");
                row.get::<_, i32>(0)
            }
        };
        let (a, b, c) = tokio::join!(ask(1), ask(2), ask(3));
        assert_eq!((a, b, c), (2, 3, 4));
        let transaction = client.transaction().await.expect("begun");
        transaction
            .execute("INSERT INTO t VALUES (3, 'three')", &[])
            .await
            .expect("in");
        transaction.rollback().await.expect("rolled back");
        let failed = client.execute("SELECT 1/$1::int", &[&0_i32]).await;
        assert_eq!(
            failed.expect_err("an error").code().expect("a code").code(),
            "22012"
        );
        let row = client.query_one(&statement, &[&7_i32]).await;
        assert_eq!(row.expect("an answer").get::<_, i32>(0), 8);
    });
    let rows: String = (10..1010)
        .map(|id| format!("{id}\t{}\n", "x".repeat(1000)))
        .collect();
    database.sql(&format!("COPY t FROM STDIN;\n{rows}\\.\n"));
    assert_eq!(
        database.sql("SELECT count(*), max(length(x)) FROM t"),
        "1002|1000"
    );

    // A walsender, with SQL and without.
    let replication = database.with("replication=database");
    assert!(replication.sql("IDENTIFY_SYSTEM").contains("|app"));

    // pgbench by each protocol; its tables come by COPY.
    let pgbench = || database.program("pgbench");
    run(pgbench().args(["-i", "-q"]).arg(database.uri()));
    for protocol in ["simple", "extended", "prepared"] {
        let said = run(pgbench()
            .args(["-n", "-c", "4", "-t", "30", "-M", protocol])
            .arg(database.uri()));
        assert!(said.contains("120/120"), "{said}");
    }
    assert_eq!(database.sql("SELECT count(*) FROM pgbench_history"), "360");

    // Everybody has gone, and was counted.
    drop(client);
    drop(runtime);
    eventually(SOON, "nobody is connected", || {
        proxied.status()["clients"]["total"] == 0
    });
    let transactions = proxied.status()["transactions"].as_u64().expect("a number");
    assert!(transactions > 360, "{transactions}");
}

#[test]
fn a_statement_is_cancelled_by_the_key_that_the_proxy_gave() {
    let proxied = Proxied::new();
    let runtime = driver_runtime();
    let client = proxied.driver(&runtime);
    let token = client.cancel_token();
    let asked = runtime.block_on(async {
        let asking = tokio::spawn(async move { client.batch_execute("SELECT pg_sleep(60)").await });
        let running = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'";
        let direct = proxied.direct.clone();
        let seen = tokio::task::spawn_blocking(move || {
            eventually(SOON, "the statement runs", || direct.number(running) == 1);
        });
        seen.await.expect("seen");
        token
            .cancel_query(tokio_postgres::NoTls)
            .await
            .expect("asked to cancel");
        asking.await.expect("no panic")
    });
    let error = asked.expect_err("cancelled");
    assert_eq!(error.code().expect("a code").code(), "57014");
}

#[test]
fn keys_are_the_proxys_own_and_others_cancel_nothing() {
    let proxied = Proxied::new();
    let mut session = proxied.socket();
    let said = wire::log_in(&mut session, 0);
    let (_, key) = said.iter().find(|(tag, _)| *tag == b'K').expect("a key");
    let pid = u32::from_be_bytes(key[..4].try_into().expect("four bytes"));
    assert_eq!(key.len(), 8);
    let seen = proxied.direct.number("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()");
    assert_eq!(
        i64::from(pid),
        seen,
        "notifications carry the server's number"
    );
    wire::send_query(&mut session, "SELECT pg_sleep(60)");
    let mut wrong = [16_u32.to_be_bytes(), 80_877_102_u32.to_be_bytes()].concat();
    wrong.extend(&key[..4]);
    wrong.extend([key[4] ^ 1, key[5], key[6], key[7]]);
    let cancel = |bytes: &[u8]| {
        let mut socket = proxied.socket();
        socket.write_all(bytes).expect("sent");
        assert_eq!(wire::next(&mut socket), None);
    };
    cancel(&wrong);
    let running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%sleep(60)' AND pid <> pg_backend_pid()";
    eventually(SOON, "it still runs", || {
        proxied.direct.number(running) == 1
    });
    let right = [&wrong[..8], key].concat();
    // The statement may not have begun when the first request comes.
    eventually(SOON, "it is cancelled", || {
        cancel(&right);
        proxied.direct.number(running) == 0
    });
    assert_eq!(wire::refusal(&mut session).as_deref(), Some("57014"));
}

#[test]
fn notifications_reach_a_client_that_says_nothing() {
    let proxied = Proxied::new();
    let mut session = proxied.socket();
    wire::log_in(&mut session, 0);
    wire::query(&mut session, "LISTEN news");
    proxied.direct.sql("NOTIFY news, 'one'");
    let (tag, body) = wire::next(&mut session).expect("a notification");
    assert_eq!(tag, b'A');
    assert!(body.ends_with(b"news\0one\0"));
    // In a pause too.
    proxied.pause("60s");
    proxied.direct.sql("NOTIFY news, 'two'");
    let (_, body) = wire::next(&mut session).expect("a notification");
    assert!(body.ends_with(b"news\0two\0"));
}

#[test]
fn a_client_that_asks_for_more_than_there_is_is_told_what_there_is() {
    let proxied = Proxied::new();
    let mut session = proxied.socket();
    let parameters = [
        ("user", "postgres"),
        ("database", "app"),
        ("_pq_.zip", "on"),
    ];
    session
        .write_all(&wire::startup(9, &parameters))
        .expect("sent");
    let said = wire::until(&mut session, b'Z');
    let (tag, body) = &said[0];
    assert_eq!(*tag, b'v');
    assert!(body.ends_with(b"\0\0\0\x01_pq_.zip\0"), "{body:?}");
    let minor = u16::from_be_bytes([body[2], body[3]]);
    let (_, key) = said.iter().find(|(tag, _)| *tag == b'K').expect("a key");
    assert_eq!(
        key.len() > 8,
        minor >= 2,
        "3.{minor} has a key of {}",
        key.len()
    );
    let answer = wire::query(&mut session, "SELECT 'fine'");
    assert!(answer.iter().any(|(tag, _)| *tag == b'D'));
}

#[test]
fn copying_by_the_extended_protocol_leaves_a_session_that_can_be_paused() {
    let proxied = Proxied::new();
    proxied.direct.sql("CREATE TABLE t (x int)");
    let mut session = proxied.socket();
    wire::log_in(&mut session, 0);
    // As libpq does it: Sync before anybody knows that a COPY begins.
    let begin = [
        wire::message(b'P', b"\0COPY t FROM STDIN\0\0\0"),
        wire::message(b'B', b"\0\0\0\0\0\0\0\0"),
        wire::message(b'E', b"\0\0\0\0\0"),
        wire::message(b'S', b""),
    ];
    session.write_all(&begin.concat()).expect("sent");
    wire::until(&mut session, b'G');
    let pause = thread::scope(|scope| {
        let pause = scope.spawn(|| proxied.ask("proxy pause --timeout 60s").run());
        eventually(SOON, "it pauses", || proxied.status()["paused"] == true);
        assert_eq!(proxied.status()["clients"]["busy"], 1);
        let end = [
            wire::message(b'd', b"1\n"),
            wire::message(b'd', b"2\n"),
            wire::message(b'c', b""),
            wire::message(b'S', b""),
        ];
        session.write_all(&end.concat()).expect("sent");
        wire::until(&mut session, b'Z');
        pause.join().expect("no panic")
    });
    pause.assert_code(0);
    assert_eq!(proxied.direct.sql("SELECT count(*) FROM t"), "2");
}

/// Kilobytes of memory that the proxy has now.
fn memory(proxied: &Proxied) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", proxied.proxy.pid()));
    let status = status.expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    eventually_some(SOON, "a number", || {
        line?.trim().strip_suffix(" kB")?.parse().ok()
    })
}

#[test]
fn a_client_that_does_not_read_takes_no_memory_and_stops_nobody() {
    let proxied = Proxied::new();
    let mut deaf = proxied.socket();
    wire::log_in(&mut deaf, 0);
    let before = memory(&proxied);
    wire::send_query(
        &mut deaf,
        "SELECT repeat('x', 1000) FROM generate_series(1, 500000)",
    );
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'ClientWrite'";
    eventually(SOON, "its server waits", || {
        proxied.direct.number(waits) == 1
    });
    let through: &Database = &proxied.database;
    assert_eq!(through.sql("SELECT 1"), "1");
    let grown = memory(&proxied).saturating_sub(before);
    assert!(grown < 8 * 1024, "{grown} kB more for what is not read");
}
