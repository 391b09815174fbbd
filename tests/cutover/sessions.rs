//! What a session holds goes along with it; what cannot ends it.

use std::io::Write;
use std::net::TcpStream;

use serde_json::Value;
use tokio_postgres::{AsyncMessage, Client, NoTls};

use super::bank::{self, Bank};
use super::stage::Stage;
use crate::proxy::wire;
use crate::support::{SOON, driver_runtime, eventually, pgflit};

const SCHEMA: &str = "
    CREATE TYPE mood AS ENUM ('sad', 'happy');
    CREATE TABLE t (id int PRIMARY KEY, note text);
    CREATE SEQUENCE numbers; SELECT nextval('numbers') FROM generate_series(1, 40);";

async fn connect(port: u16) -> (Client, tokio::sync::mpsc::UnboundedReceiver<AsyncMessage>) {
    let text = format!("host=127.0.0.1 port={port} dbname=app user=app application_name=mine");
    let (client, mut connection) = tokio_postgres::connect(&text, NoTls)
        .await
        .expect("connected");
    let (send, receive) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok(message)) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {
            let _ = send.send(message);
        }
    });
    (client, receive)
}

#[test]
fn settings_statements_locks_and_channels_go_along_and_temporary_tables_end_a_session() {
    let stage = Stage::with(SCHEMA);
    driver_runtime().block_on(async {
        let (client, mut heard) = connect(stage.port).await;
        let (temporary, _) = connect(stage.port).await;
        client
            .batch_execute(
                "SET search_path = pg_catalog, public; SET \"my.own\" = 'kept'; SET timezone = 'Asia/Tokyo';
                 LISTEN news; SELECT pg_advisory_lock(42); SELECT pg_advisory_lock_shared(4, 2)",
            )
            .await
            .expect("set");
        let statement = client.prepare("SELECT $1::text || current_setting('my.own')").await;
        let statement = statement.expect("prepared");
        client.query_one(&statement, &[&"was "]).await.expect("asked");
        temporary.batch_execute("CREATE TEMP TABLE gone (id int)").await.expect("made");
        stage.moves("cutover");
        let row = client.query_one(&statement, &[&"was "]).await.expect("the statement is there");
        assert_eq!(row.get::<_, String>(0), "was kept");
        let sql = "SELECT current_setting('port')::int, current_setting('search_path'),
                          current_setting('timezone'), current_setting('application_name'),
                          (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
                              AND pid = pg_backend_pid())";
        let row = client.query_one(sql, &[]).await.expect("asked");
        assert_eq!(row.get::<_, i32>(0), i32::from(stage.pair.target_cluster.port()));
        assert_eq!(row.get::<_, &str>(1), "pg_catalog, public");
        assert_eq!(row.get::<_, &str>(2), "Asia/Tokyo");
        assert_eq!(row.get::<_, &str>(3), "mine");
        assert_eq!(row.get::<_, i64>(4), 2);
        client.batch_execute("NOTIFY news, 'from the target'").await.expect("notified");
        let news = loop {
            match heard.recv().await.expect("it goes on") {
                AsyncMessage::Notification(news) => break news,
                _ => continue,
            }
        };
        assert_eq!(news.payload(), "from the target");
        let row = client.query_one("SELECT nextval('numbers')", &[]).await.expect("asked");
        assert!(row.get::<_, i64>(0) > 40);
        let ended = temporary.batch_execute("SELECT 1").await.expect_err("it cannot go along");
        // It was told so, maybe before it asked.
        let is_told = ended.code().is_some_and(|code| code.code() == "57P01");
        assert!(is_told || ended.is_closed(), "{ended:?}");
        // Who connects anew is where traffic is.
        let (new, _) = connect(stage.port).await;
        let row = new.query_one("SELECT current_setting('port')::int", &[]).await.expect("asked");
        assert_eq!(row.get::<_, i32>(0), i32::from(stage.pair.target_cluster.port()));
    });
}

/// As some drivers do it: parsed in one round, bound in the next, and moved between the two.
#[test]
fn an_unnamed_statement_that_is_parsed_and_not_bound_goes_along() {
    let stage = Stage::with(SCHEMA);
    let mut socket = TcpStream::connect(("127.0.0.1", stage.port)).expect("the proxy listens");
    socket.set_read_timeout(Some(SOON)).expect("a time limit");
    let tags = |said: &[(u8, Vec<u8>)]| said.iter().map(|one| one.0).collect::<Vec<_>>();
    let packet = wire::startup(0, &[("user", "app"), ("database", "app")]);
    socket.write_all(&packet).expect("sent");
    let said = wire::until(&mut socket, b'Z');
    assert!(tags(&said).ends_with(b"Z"));
    let mut say = |messages: &[(u8, &[u8])]| {
        for (tag, body) in messages {
            socket.write_all(&wire::message(*tag, body)).expect("sent");
        }
        wire::until(&mut socket, b'Z')
    };
    let said = say(&[(b'P', b"\0SELECT 40 + 2\0\0\0"), (b'S', b"")]);
    assert_eq!(tags(&said), b"1Z");
    stage.moves("cutover");
    let bound = [
        (b'B', &b"\0\0\0\0\0\0\0\0"[..]),
        (b'E', b"\0\0\0\0\0"),
        (b'S', b""),
    ];
    let said = say(&bound);
    assert_eq!(tags(&said), b"2DCZ", "{said:?}");
    assert!(said[1].1.ends_with(b"42"));
}

/// The clients of the proxy that say they hold something, or do not say; by what they hold.
fn holding(stage: &Stage) -> Vec<Option<String>> {
    let told = pgflit("proxy clients --json").between(&stage.pair).run();
    let told: Value = serde_json::from_str(&told.assert_code(0).stdout).expect("JSON");
    let clients = told.as_array().expect("a list").iter();
    let holds = clients.map(|client| match client["holds"].as_array() {
        Some(holds) => {
            assert_eq!(client["can_move"], holds.is_empty(), "{client}");
            let holds: Vec<_> = holds.iter().filter_map(Value::as_str).collect();
            Some(holds.join(", "))
        }
        None => None,
    });
    holds.collect()
}

#[test]
fn who_would_be_ended_says_so_before_anybody_decides_and_notices_nothing() {
    let stage = Stage::with(SCHEMA);
    driver_runtime().block_on(async {
        let (plain, mut heard) = connect(stage.port).await;
        plain
            .batch_execute("SET \"my.own\" = 'kept'; SET statement_timeout = '1min'; LISTEN news")
            .await
            .expect("set");
        let statement = plain.prepare("SELECT current_setting('my.own')").await;
        let statement = statement.expect("prepared");
        let (temporary, _) = connect(stage.port).await;
        temporary
            .batch_execute(
                "CREATE TEMP TABLE gone (id int); INSERT INTO gone VALUES (7);
                 BEGIN; DECLARE held CURSOR WITH HOLD FOR SELECT 1; COMMIT",
            )
            .await
            .expect("made");
        let held = "cursor held, temporary table gone".to_owned();
        let nothing = Some(String::new());
        assert_eq!(holding(&stage), [nothing.clone(), Some(held.clone())]);
        let rehearsed = stage
            .command("cutover --dry-run --json")
            .run()
            .assert_code(0);
        let told: Value = serde_json::from_str(&rehearsed.stdout).expect("JSON");
        let unmovable = told["unmovable"].as_array().expect("a list");
        assert_eq!(unmovable.len(), 1, "{told}");
        let line = unmovable[0].as_str().expect("a text");
        assert!(line.starts_with("client 2, app from 127.0.0.1:"), "{line}");
        assert!(
            line.ends_with(&format!(" (mine): it holds {held}")),
            "{line}"
        );
        let spoken = stage.command("cutover --dry-run").run().assert_code(0);
        let line = format!("would be ended, and connect anew: {line}\n");
        assert!(spoken.stdout.contains(&line), "{}", spoken.stdout);

        // One that is in a transaction says it when that has ended.
        let (busy, _) = connect(stage.port).await;
        busy.batch_execute("BEGIN; CREATE TEMP TABLE late (id int)")
            .await
            .expect("begun");
        assert_eq!(holding(&stage), [nothing.clone(), Some(held), None]);
        busy.batch_execute("COMMIT").await.expect("committed");
        eventually(SOON, "it says what it holds", || {
            holding(&stage).contains(&Some("temporary table late".to_owned()))
        });

        // They are as they were.
        let row = plain
            .query_one(&statement, &[])
            .await
            .expect("the statement is there");
        assert_eq!(row.get::<_, &str>(0), "kept");
        let row = plain
            .query_one("SHOW statement_timeout", &[])
            .await
            .expect("asked");
        assert_eq!(row.get::<_, &str>(0), "1min");
        let left = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'pgflit%'";
        let row = plain.query_one(left, &[]).await.expect("asked");
        assert_eq!(row.get::<_, i64>(0), 0);
        busy.batch_execute("NOTIFY news").await.expect("notified");
        let is_news = |message: &AsyncMessage| matches!(message, AsyncMessage::Notification(_));
        while !is_news(&heard.recv().await.expect("it goes on")) {}
        let row = temporary
            .query_one("FETCH held", &[])
            .await
            .expect("the cursor is there");
        assert_eq!(row.get::<_, i32>(0), 1);
        let row = temporary
            .query_one("TABLE gone", &[])
            .await
            .expect("the table is there");
        assert_eq!(row.get::<_, i32>(0), 7);

        // Who lets go of it moves.
        temporary
            .batch_execute("DISCARD TEMP; CLOSE ALL")
            .await
            .expect("let go");
        busy.batch_execute("DISCARD TEMP").await.expect("let go");
        let rehearsed = stage
            .command("cutover --dry-run --json")
            .run()
            .assert_code(0);
        let told: Value = serde_json::from_str(&rehearsed.stdout).expect("JSON");
        assert_eq!(told["unmovable"], serde_json::json!([]));
    });
}

#[test]
fn an_unnamed_statement_outlives_a_survey() {
    let stage = Stage::with(SCHEMA);
    let mut socket = TcpStream::connect(("127.0.0.1", stage.port)).expect("the proxy listens");
    socket.set_read_timeout(Some(SOON)).expect("a time limit");
    let packet = wire::startup(0, &[("user", "app"), ("database", "app")]);
    socket.write_all(&packet).expect("sent");
    wire::until(&mut socket, b'Z');
    let mut say = |messages: &[(u8, &[u8])]| {
        for (tag, body) in messages {
            socket.write_all(&wire::message(*tag, body)).expect("sent");
        }
        let said = wire::until(&mut socket, b'Z');
        said.iter().map(|one| one.0).collect::<Vec<_>>()
    };
    assert_eq!(say(&[(b'P', b"\0SELECT 40 + 2\0\0\0"), (b'S', b"")]), b"1Z");
    assert_eq!(holding(&stage), [Some(String::new())]);
    let bound = [
        (b'B', &b"\0\0\0\0\0\0\0\0"[..]),
        (b'E', b"\0\0\0\0\0"),
        (b'S', b""),
    ];
    assert_eq!(say(&bound), b"2DCZ");
}

/// Asked at random moments, under load, held and let go in between: nobody notices.
#[test]
fn surveys_and_pauses_get_on_with_clients_that_work() {
    let stage = Stage::with(bank::SCHEMA);
    let bank = Bank::open(&stage, 8, 5);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..40 {
                    let request = pgflit::proxy::control::Request::Survey {
                        limit_ms: 1000,
                        every_ms: 0,
                    };
                    let socket = stage.pair.dir().join("proxy.sock");
                    pgflit::proxy::control::ask(&socket, &request).expect("answered");
                }
            });
        }
        for _ in 0..3 {
            stage.command("cutover --dry-run").run().assert_code(0);
        }
    });
    bank.goes_on();
    stage.moves("cutover");
    bank.goes_on();
    let (broken, _) = bank.close(&stage.pair.target);
    assert_eq!(broken, 0, "connections broke");
}
