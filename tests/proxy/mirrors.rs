//! What clients do is done again on a mirror, and its answers are compared.

use std::fs;
use std::io::Write;

use ::pgflit::worker::cluster::{Cluster, StopMode};
use serde_json::Value;

use super::wire;
use crate::support::{
    Database, Held, Pgflit, Proxied, SOON, driver_runtime, eventually, source_options,
};

/// A server, another one that mirrors it, and the proxy between clients and both.
struct Mirrored {
    proxied: Proxied,
    mirror: Database,
    cluster: Cluster,
    folder: tempfile::TempDir,
}

impl Mirrored {
    /// With these keys of the mirror.
    fn new(keys: &str) -> Self {
        Self::after(keys, |_, _| ())
    }

    /// The same, with both databases prepared before the proxy starts.
    fn after(keys: &str, prepare: impl FnOnce(&Database, &Database)) -> Self {
        Self::told_more(keys, prepare, |proxy, _| proxy)
    }

    /// The same, with more options of the proxy.
    fn told_more(
        keys: &str,
        prepare: impl FnOnce(&Database, &Database),
        more: impl FnOnce(Pgflit, &Database) -> Pgflit,
    ) -> Self {
        let cluster = Cluster::create(&source_options()).expect("a cluster");
        Database::of(&cluster, "postgres").sql("CREATE DATABASE app");
        let mirror = Database::of(&cluster, "app");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("proxy.toml");
        let text = format!(
            "[[mirror]]\nname = \"new\"\nserver = \"host=127.0.0.1 port={}\"\n{keys}\n\
             [admin]\nlisten = {:?}\n",
            cluster.port(),
            folder.path()
        );
        fs::write(&path, text).expect("written");
        let proxied = Proxied::with(source_options(), |proxy| {
            more(proxy.arg("--config").arg(&path), &mirror)
        });
        prepare(&proxied.direct, &mirror);
        Mirrored {
            proxied,
            mirror,
            cluster,
            folder,
        }
    }

    /// The rows of a command of the admin console.
    #[track_caller]
    fn console(&self, command: &str) -> Vec<Vec<String>> {
        let mut psql = self.mirror.program("psql");
        psql.args([
            "-X", "-A", "-t", "-p", "6432", "-U", "pgflit", "-d", "pgflit",
        ]);
        let output = psql
            .arg("-h")
            .arg(self.folder.path())
            .args(["-c", command])
            .output();
        let output = output.expect("psql");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let cells = |line: &str| line.split('|').map(str::to_owned).collect();
        said.lines().map(cells).collect()
    }

    fn both(&self, sql: &str) {
        self.proxied.direct.sql(sql);
        self.mirror.sql(sql);
    }

    /// What `pgflit proxy mirrors --json` says of the one mirror.
    #[track_caller]
    fn told(&self) -> Value {
        let told = self
            .proxied
            .ask("proxy mirrors --json")
            .run()
            .assert_code(0);
        let told: Value = serde_json::from_str(&told.stdout).expect("JSON");
        told[0].clone()
    }

    /// The same once nothing is outstanding and nobody asks again.
    #[track_caller]
    fn drained(&self, transactions: u64) -> Value {
        let mut told = Value::Null;
        eventually(SOON, "the mirror is drained", || {
            told = self.told();
            told["outstanding"] == 0 && told["transactions"].as_u64() >= Some(transactions)
        });
        told
    }

    /// The same once `session` has gone, the last, and every difference is judged.
    #[track_caller]
    fn settled(&self, session: std::net::TcpStream, transactions: u64) -> Value {
        drop(session);
        eventually(SOON, "nothing is kept for the mirror", || {
            self.drained(transactions)["waiting_bytes"] == 0
        });
        self.told()
    }
}

#[test]
fn a_session_that_was_asked_what_it_holds_is_mirrored_as_before() {
    let told_of_a_target =
        |proxy: Pgflit, target: &Database| proxy.arg("--target").arg(target.uri());
    let mirrored = Mirrored::told_more("", |_, _| (), told_of_a_target);
    mirrored.both("CREATE TABLE t AS SELECT generate_series(1, 100) AS id");
    let runtime = driver_runtime();
    let client = mirrored.proxied.driver(&runtime);
    let ask = || {
        let asked = runtime.block_on(client.query("SELECT id FROM t WHERE id < 5", &[]));
        assert_eq!(asked.expect("rows").len(), 4);
    };
    ask();
    let asked = mirrored.proxied.ask("proxy clients --json").run();
    let clients: Value = serde_json::from_str(&asked.assert_code(0).stdout).expect("JSON");
    assert_eq!(clients[0]["holds"], serde_json::json!([]), "{clients:#}");
    ask();
    ask();
    let told = mirrored.drained(3);
    assert_eq!(
        (&told["errors"], &told["differences"]),
        (&0.into(), &0.into())
    );
    let statement = of_statement(&told, "from t where id <");
    assert_eq!(statement["compared"], 3, "{told:#}");
}

/// One statement's line of the answer.
fn of_statement<'a>(told: &'a Value, part: &str) -> &'a Value {
    let worst = told["worst"].as_array().expect("statements");
    let found = worst.iter().find(|one| {
        one["statement"]
            .as_str()
            .is_some_and(|text| text.contains(part))
    });
    found.unwrap_or_else(|| panic!("no statement with {part}: {told:#}"))
}

#[test]
fn reads_are_said_again_with_the_sessions_state_and_compared() {
    let mirrored = Mirrored::new("");
    mirrored.both("CREATE SCHEMA s; CREATE TABLE s.t AS SELECT generate_series(1, 100) AS id");
    let runtime = driver_runtime();
    let client = mirrored.proxied.driver(&runtime);
    runtime.block_on(async {
        let told = client.batch_execute("SET search_path TO s").await;
        told.expect("a setting");
        let prepared = client.prepare("SELECT id FROM t WHERE id < $1").await;
        let prepared = prepared.expect("prepared");
        for limit in 1..=20_i32 {
            let rows = client.query(&prepared, &[&limit]).await.expect("rows");
            assert_eq!(rows.len(), limit as usize - 1);
        }
    });
    let told = mirrored.drained(22);
    assert_eq!(told["errors"], 0, "{told:#}");
    assert_eq!(told["differences"], 0, "{told:#}");
    let statement = of_statement(&told, "from t where id < $1");
    assert_eq!(statement["compared"], 20, "{told:#}");
    assert!(statement["p99_ratio"].as_f64().is_some(), "{told:#}");
    let text = mirrored.proxied.ask("proxy mirrors").run().assert_code(0);
    let shown = mirrored.console("SHOW MIRRORS");
    assert_eq!(shown[0][..3], ["new", "*", "reads"], "{shown:?}");
    assert_eq!(shown[0][4], "22", "{shown:?}");
    let shown = mirrored.console("SHOW SHADOW");
    let found = shown
        .iter()
        .find(|row| row[1].contains("from t where id < $1"));
    assert_eq!(found.expect("the statement")[2], "20", "{shown:?}");
    assert!(
        text.stdout.contains("from t where id < $1"),
        "{}",
        text.stdout
    );
}

#[test]
fn what_writes_is_not_said_to_a_mirror_of_reads_and_the_server_refuses_what_looks_like_a_read() {
    let mirrored = Mirrored::new("");
    mirrored.both(
        "CREATE TABLE t (id int); CREATE SEQUENCE s;
         CREATE FUNCTION sly() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (7) RETURNING id'",
    );
    let mut session = mirrored.proxied.socket();
    wire::log_in(&mut session, 0);
    for text in [
        "INSERT INTO t VALUES (1)",
        "BEGIN; SELECT 1; DELETE FROM t; COMMIT",
        "WITH a AS (INSERT INTO t VALUES (2) RETURNING id) SELECT * FROM a",
        // These look like reads.
        "SELECT sly()",
        "SELECT nextval('s')",
        // And these would make a session that may only read one that may write.
        "BEGIN READ WRITE; SELECT sly(); COMMIT",
        "SET default_transaction_read_only = off; SELECT sly()",
        "SELECT set_config('transaction_read_only', 'off', false), sly()",
    ] {
        wire::query(&mut session, text);
    }
    let told = mirrored.drained(8);
    assert_eq!(told["refused_writes"], 2, "{told:#}");
    assert_eq!(told["skipped"], 6, "{told:#}");
    assert_eq!(told["errors"], 0, "{told:#}");
    assert_eq!(mirrored.mirror.number("SELECT count(*) FROM t"), 0);
    assert_eq!(mirrored.mirror.number("SELECT last_value FROM s"), 1);
    assert!(mirrored.proxied.direct.number("SELECT count(*) FROM t") >= 4);
}

#[test]
fn a_session_that_becomes_one_that_writes_by_a_back_door_is_closed() {
    let mirrored = Mirrored::new("");
    mirrored.both(
        "CREATE TABLE t (id int);
         CREATE FUNCTION sly() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (7) RETURNING id';
         CREATE FUNCTION back_door() RETURNS text LANGUAGE sql
         AS 'SELECT set_config(''default_transaction_read_only'', ''off'', false)'",
    );
    let mut session = mirrored.proxied.socket();
    wire::log_in(&mut session, 0);
    wire::query(&mut session, "SELECT back_door()");
    wire::query(&mut session, "SELECT sly()");
    let told = mirrored.drained(2);
    assert_eq!(told["dropped_by_reason"]["lost"], 1, "{told:#}");
    assert_eq!(told["refused_writes"], 1, "{told:#}");
    assert_eq!(mirrored.mirror.number("SELECT count(*) FROM t"), 0);
}

#[test]
fn a_role_that_may_write_by_default_may_not_on_a_mirror_of_reads() {
    let mirrored = Mirrored::new("");
    mirrored.both(
        "CREATE TABLE t (id int);
         CREATE FUNCTION sly() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (7) RETURNING id'",
    );
    let mut session = mirrored.proxied.socket();
    let packet = wire::startup(
        0,
        &[
            ("user", "postgres"),
            ("database", "app"),
            ("options", "-c default_transaction_read_only=off"),
            ("Default_Transaction_Read_Only", "off"),
        ],
    );
    session.write_all(&packet).expect("sent");
    wire::until(&mut session, b'Z');
    wire::query(&mut session, "SELECT sly()");
    wire::query(&mut session, "RESET ALL");
    wire::query(&mut session, "SELECT sly()");
    wire::query(&mut session, "DISCARD ALL");
    wire::query(&mut session, "SELECT sly()");
    let told = mirrored.drained(5);
    assert_eq!(told["refused_writes"], 3, "{told:#}");
    assert_eq!(mirrored.mirror.number("SELECT count(*) FROM t"), 0);
}

#[test]
fn every_statement_that_fails_on_a_mirror_is_counted_and_clients_do_not_notice() {
    let mirrored = Mirrored::new("mode = \"all\"");
    mirrored.proxied.direct.sql("CREATE TABLE t (id int)");
    let through = &mirrored.proxied.database;
    for id in 1..=5 {
        through.sql(&format!("INSERT INTO t VALUES ({id})"));
    }
    through.sql("COPY t FROM STDIN;\n8\n9\n\\.\n");
    assert_eq!(through.number("SELECT count(*) FROM t"), 7);
    let told = mirrored.drained(7);
    assert_eq!(told["errors_by_sqlstate"]["42P01"], 7, "{told:#}");
    assert_eq!(told["completed"], 7, "{told:#}");
    let insert = of_statement(&told, "insert into t");
    assert_eq!(insert["differences_by_kind"]["error"], 5, "{told:#}");
    // It is there from now on.
    mirrored.mirror.sql("CREATE TABLE t (id int)");
    through.sql("INSERT INTO t VALUES (6)");
    through.sql("COPY t FROM STDIN;\n10\n11\n12\n\\.\n");
    mirrored.drained(9);
    assert_eq!(mirrored.mirror.number("SELECT count(*) FROM t"), 4);
}

#[test]
fn a_mirror_that_differs_is_found_out_and_one_that_is_behind_is_not() {
    let mirrored = Mirrored::new("");
    mirrored.both(
        "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b')",
    );
    mirrored.mirror.sql("UPDATE t SET v = 'other' WHERE id = 1");
    let through = &mirrored.proxied.database;
    through.sql("SELECT v FROM t WHERE id = 1 -- differs");
    // The order does not matter where none is asked for, and what changes each time tells nothing.
    through.sql("SELECT id FROM t ORDER BY id DESC");
    through.sql("SELECT clock_timestamp()");
    // Behind: the mirror has the row a moment later.
    mirrored.proxied.direct.sql("INSERT INTO t VALUES (3, 'c')");
    through.sql("SELECT count(*) AS late FROM t");
    mirrored.mirror.sql("INSERT INTO t VALUES (3, 'c')");
    let mut told = Value::Null;
    eventually(SOON, "the differences are judged", || {
        told = mirrored.drained(4);
        told["differences"] == 1 && told["passing"] == 1 && told["unconfirmed"] == 1
    });
    let statement = of_statement(&told, "select v from t");
    assert_eq!(statement["differences_by_kind"]["values"], 1, "{told:#}");
    assert_eq!(of_statement(&told, "as late")["passing"], 1, "{told:#}");
    assert_eq!(
        of_statement(&told, "clock_timestamp")["unconfirmed"],
        1,
        "{told:#}"
    );
    assert_eq!(told["worst"][0]["statement"], statement["statement"]);
}

#[test]
fn a_mirror_that_is_gone_costs_its_transactions_and_comes_back_with_the_sessions_state() {
    let mut mirrored = Mirrored::new("");
    mirrored.both("CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 1 AS id");
    let runtime = driver_runtime();
    let client = mirrored.proxied.driver(&runtime);
    mirrored.cluster.stop(StopMode::Fast).expect("stopped");
    runtime.block_on(async {
        client
            .batch_execute("SET search_path TO s")
            .await
            .expect("a setting");
        let prepared = client.prepare("SELECT id FROM t").await.expect("prepared");
        client.query_one(&prepared, &[]).await.expect("a row");
        let told = mirrored.drained(3);
        assert!(
            told["dropped_by_reason"]["no_connection"].as_u64() >= Some(1),
            "{told:#}"
        );
        assert_eq!(told["completed"], 0, "{told:#}");
        mirrored.cluster.start().expect("started");
        let mut told = Value::Null;
        let mut transactions = 3;
        while told["completed"].as_u64() < Some(1) {
            client.query_one(&prepared, &[]).await.expect("a row");
            transactions += 1;
            told = mirrored.drained(transactions);
        }
        assert_eq!(told["errors"], 0, "{told:#}");
        assert_eq!(told["differences"], 0, "{told:#}");
    });
}

#[test]
fn a_slow_mirror_drops_what_it_has_no_time_for_and_slows_nobody() {
    let mirrored = Mirrored::new("mode = \"all\"\nmirror_queue = 3\ncompare = false");
    mirrored.both("CREATE TABLE t (id int)");
    let blocker = Held::open(&mirrored.mirror, "LOCK TABLE t");
    let mut session = mirrored.proxied.socket();
    wire::log_in(&mut session, 0);
    for id in 0..20 {
        wire::query(&mut session, &format!("INSERT INTO t VALUES ({id})"));
    }
    let told = mirrored.told();
    assert!(
        told["dropped_by_reason"]["queue_full"].as_u64() >= Some(15),
        "{told:#}"
    );
    assert!(told["outstanding"].as_u64() >= Some(3), "{told:#}");
    blocker.commit();
    let told = mirrored.drained(20);
    assert_eq!(
        told["completed"].as_i64(),
        Some(mirrored.mirror.number("SELECT count(*) FROM t")),
        "{told:#}"
    );
    assert_eq!(mirrored.proxied.direct.number("SELECT count(*) FROM t"), 20);
}

#[test]
fn an_answer_that_takes_too_long_is_cancelled() {
    let mirrored = Mirrored::new("mode = \"all\"\nanswer_limit = \"200ms\"");
    mirrored.both("CREATE TABLE t (id int)");
    let blocker = Held::open(&mirrored.mirror, "LOCK TABLE t");
    mirrored.proxied.database.sql("INSERT INTO t VALUES (1)");
    let told = mirrored.drained(1);
    assert_eq!(told["dropped_by_reason"]["lost"], 1, "{told:#}");
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    eventually(SOON, "nobody waits for the lock", || {
        mirrored.mirror.number(waiting) == 0
    });
    blocker.commit();
}

#[test]
fn only_a_share_is_sent_but_what_is_rare_is_always() {
    let mirrored = Mirrored::new("exposure = 0.01\nmirror_queue = 1000");
    let mut session = mirrored.proxied.socket();
    wire::log_in(&mut session, 0);
    for _ in 0..500 {
        wire::query(&mut session, "SELECT 1 AS often");
    }
    wire::query(&mut session, "SELECT 1 AS seldom");
    let told = mirrored.drained(501);
    let sent = of_statement(&told, "as often")["compared"]
        .as_u64()
        .expect("a number");
    assert!((20..100).contains(&sent), "{told:#}");
    assert_eq!(of_statement(&told, "as seldom")["compared"], 1);
    assert_eq!(
        told["completed"].as_u64().expect("a number") + told["not_sampled"].as_u64().expect("one"),
        501
    );
}

#[test]
fn pipelines_and_copies_of_drivers_are_said_again_whole() {
    let mirrored = Mirrored::new("mode = \"all\"");
    mirrored.both("CREATE TABLE t (id int, v text)");
    let runtime = driver_runtime();
    let mut client = mirrored.proxied.driver(&runtime);
    runtime.block_on(async {
        let transaction = client.transaction().await.expect("begun");
        let insert = transaction.prepare("INSERT INTO t VALUES ($1, $2)").await;
        let insert = insert.expect("prepared");
        let all = (0..50_i32).map(|id| {
            let (transaction, insert) = (&transaction, &insert);
            async move { transaction.execute(insert, &[&id, &"x"]).await }
        });
        for done in futures_all(all).await {
            done.expect("inserted");
        }
        transaction.commit().await.expect("committed");
        let rolled_back = client.transaction().await.expect("begun");
        rolled_back
            .execute("DELETE FROM t", &[])
            .await
            .expect("deleted");
        rolled_back.rollback().await.expect("rolled back");
        // An error within, as in the application.
        let failing = client.transaction().await.expect("begun");
        failing
            .execute("SELECT 1 / 0", &[])
            .await
            .expect_err("an error");
        drop(failing);
        client
            .query("SELECT count(*) FROM t", &[])
            .await
            .expect("a row");
    });
    let told = mirrored.drained(4);
    assert_eq!(mirrored.mirror.number("SELECT count(*) FROM t"), 50);
    assert_eq!(told["errors_by_sqlstate"]["22012"], 1, "{told:#}");
    assert_eq!(told["differences"], 0, "{told:#}");
}

/// All of them at a time, so that the driver pipelines them.
async fn futures_all<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = all.map(Box::pin).collect();
    let mut done: Vec<Option<T>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        for (one, done) in waiting.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(value) = one.as_mut().poll(cx)
            {
                *done = Some(value);
            }
        }
        match done.iter().all(Option::is_some) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// Messages of the extended protocol, for a client that says what drivers do not.
fn parse(name: &str, text: &str) -> Vec<u8> {
    wire::message(b'P', format!("{name}\0{text}\0\0\0").as_bytes())
}

/// Binds this statement with these parameters to the unnamed portal, and runs it.
fn run(statement: &str, parameters: &[&str]) -> Vec<u8> {
    let count = (parameters.len() as u16).to_be_bytes();
    let mut body = [b"\0", statement.as_bytes(), b"\0\0\0", &count].concat();
    for parameter in parameters {
        body.extend((parameter.len() as u32).to_be_bytes());
        body.extend(parameter.as_bytes());
    }
    body.extend([0, 0]);
    let execute = wire::message(b'E', b"\0\0\0\0\0");
    [
        wire::message(b'B', &body),
        execute,
        wire::message(b'S', b""),
    ]
    .concat()
}

/// Says this and waits until it is answered.
#[track_caller]
fn say(session: &mut std::net::TcpStream, messages: &[Vec<u8>]) {
    session.write_all(&messages.concat()).expect("sent");
    wire::until(session, b'Z');
}

impl Mirrored {
    /// Ends the sessions on the mirror, as if it had started anew, once `transactions` are through.
    #[track_caller]
    fn cut(&self, transactions: u64) {
        self.drained(transactions);
        let sessions = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'app' \
                        AND backend_type = 'client backend'";
        self.mirror
            .sql(&format!("SELECT pg_terminate_backend(pid) {sessions}"));
        eventually(SOON, "the mirror's sessions are gone", || {
            self.mirror.number(&format!("SELECT count(*) {sessions}")) == 0
        });
    }
}

#[test]
fn an_unnamed_statement_is_executed_in_later_transactions() {
    let mirrored = Mirrored::new("");
    let mut session = mirrored.proxied.socket();
    wire::log_in(&mut session, 0);
    let sync = wire::message(b'S', b"");
    // The transaction that prepares reads nothing, and is not sent as such.
    say(
        &mut session,
        &[parse("", "SELECT $1::int + 1 AS more"), sync],
    );
    say(&mut session, &[run("", &["1"])]);
    mirrored.cut(2);
    say(&mut session, &[run("", &["2"])]);
    mirrored.drained(3);
    say(&mut session, &[run("", &["3"])]);
    let told = mirrored.settled(session, 4);
    assert_eq!(told["errors"], 0, "{told:#}");
    assert_eq!(told["dropped_by_reason"]["lost"], 1, "{told:#}");
    assert_eq!(of_statement(&told, "as more")["compared"], 2, "{told:#}");
    assert_eq!(told["differences"], 0, "{told:#}");
}

#[test]
fn a_statement_that_is_deallocated_in_sql_may_be_prepared_again() {
    let mirrored = Mirrored::new("");
    let mut session = mirrored.proxied.socket();
    wire::log_in(&mut session, 0);
    let sync = wire::message(b'S', b"");
    say(&mut session, &[parse("s", "SELECT 1 AS one"), sync.clone()]);
    wire::query(&mut session, "DEALLOCATE s");
    wire::query(&mut session, "PREPARE s AS SELECT 2 AS two");
    wire::query(&mut session, "PREPARE gone AS SELECT 3");
    wire::query(&mut session, "DEALLOCATE ALL");
    wire::query(&mut session, "PREPARE S AS SELECT 4 AS four");
    wire::query(&mut session, "SELECT 'sent'");
    mirrored.cut(7);
    wire::query(&mut session, "SELECT 'lost'");
    wire::query(&mut session, "EXECUTE s");
    let told = mirrored.settled(session, 9);
    assert_eq!(told["completed"], 2, "{told:#}");
    for count in ["errors", "differences", "passing", "unconfirmed"] {
        assert_eq!(told[count], 0, "{count}: {told:#}");
    }
}

#[test]
fn what_holds_of_settings_is_set_on_a_mirror_and_nothing_else() {
    let mirrored = Mirrored::new("");
    let mut session = mirrored.proxied.socket();
    wire::log_in(&mut session, 0);
    for text in [
        "BEGIN; SET work_mem = '5MB'; ROLLBACK; SET search_path = kept",
        "SELECT current_setting('work_mem'), current_setting('search_path') AS after_rollback",
        // As asyncpg does between two users of a pooled connection.
        "SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL;",
        "SELECT current_setting('search_path') AS after_reset",
        "BEGIN; SET search_path = a; SAVEPOINT s; SET search_path = b; ROLLBACK TO s; COMMIT",
        "SELECT current_setting('search_path') AS after_savepoint",
    ] {
        wire::query(&mut session, text);
    }
    // More than is kept of a transaction.
    wire::query(&mut session, "BEGIN");
    let set = "SELECT set_config($1, $2, false)";
    say(
        &mut session,
        &[parse("", set), run("", &["search_path", "c"])],
    );
    let sync = wire::message(b'S', b"");
    for _ in 0..3 {
        let text = format!("SELECT '{}'", "x".repeat(2 << 20));
        say(&mut session, &[parse("", &text), sync.clone()]);
    }
    say(
        &mut session,
        &[parse("", "SET work_mem = '6MB'"), run("", &[])],
    );
    wire::query(&mut session, "COMMIT");
    wire::query(
        &mut session,
        "SELECT current_setting('work_mem'), current_setting('search_path') AS after_large",
    );
    let told = mirrored.settled(session, 8);
    assert_eq!(told["dropped_by_reason"]["too_large"], 1, "{told:#}");
    for count in ["errors", "differences", "passing", "unconfirmed"] {
        assert_eq!(told[count], 0, "{count}: {told:#}");
    }
    assert_eq!(told["compared"], 4, "{told:#}");
}

#[test]
fn a_session_that_sets_something_in_each_transaction_goes_on_for_ever() {
    let mirrored = Mirrored::new("");
    let mut session = mirrored.proxied.socket();
    wire::log_in(&mut session, 0);
    let long = "x".repeat(4000);
    for number in 0..300 {
        let text = format!("SET app.owner = '{number}{long}'");
        say(&mut session, &[parse("", &text), run("", &[])]);
        let call = "SELECT set_config('app.tenant', $1, false)";
        let value = format!("{number}{long}");
        say(&mut session, &[parse("", call), run("", &[&value])]);
    }
    mirrored.cut(600);
    wire::query(&mut session, "SELECT 'lost'");
    wire::query(
        &mut session,
        "SELECT current_setting('app.owner'), current_setting('app.tenant') AS last",
    );
    let told = mirrored.settled(session, 602);
    let lost = &told["dropped_by_reason"]["state_lost"];
    assert!(lost.is_null(), "{told:#}");
    assert_eq!(told["errors"], 0, "{told:#}");
    assert_eq!(of_statement(&told, "as last")["compared"], 1, "{told:#}");
    assert_eq!(told["differences"], 0, "{told:#}");
}

#[test]
fn strings_with_backslashes_hide_nothing_that_writes() {
    let mirrored = Mirrored::new("");
    mirrored.both(
        "CREATE TABLE t (id int);
         CREATE FUNCTION sly() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (7) RETURNING id'",
    );
    let mut session = mirrored.proxied.socket();
    wire::log_in(&mut session, 0);
    wire::query(&mut session, "SET standard_conforming_strings = off");
    let text = r"SELECT 'a\'', 1; COMMIT; BEGIN READ WRITE; SELECT sly(); COMMIT; SELECT ''";
    wire::query(&mut session, text);
    mirrored.drained(2);
    assert_eq!(mirrored.proxied.direct.number("SELECT count(*) FROM t"), 1);
    assert_eq!(mirrored.mirror.number("SELECT count(*) FROM t"), 0);
}

#[test]
fn a_copy_that_only_the_mirror_takes_is_ended_at_once() {
    let mirrored = Mirrored::new("mode = \"all\"");
    mirrored.mirror.sql("CREATE TABLE t (id int)");
    let mut session = mirrored.proxied.socket();
    wire::log_in(&mut session, 0);
    let data = [
        wire::message(b'd', b"1\n"),
        wire::message(b'd', b"2\n"),
        wire::message(b'c', b""),
    ];
    wire::query(&mut session, "COPY t FROM STDIN");
    // A client that has not seen yet that it failed sends what it has.
    session.write_all(&data.concat()).expect("sent");
    say(
        &mut session,
        &[parse("", "COPY t FROM STDIN"), run("", &[])],
    );
    wire::query(&mut session, "SELECT 1 AS one");
    let told = mirrored.drained(3);
    assert_eq!(told["transactions"], 3, "{told:#}");
    assert_eq!(told["completed"], 3, "{told:#}");
    assert_eq!(told["errors_by_sqlstate"]["57014"], 2, "{told:#}");
    assert_eq!(of_statement(&told, "copy t")["differences"], 2, "{told:#}");
    assert_eq!(mirrored.mirror.number("SELECT count(*) FROM t"), 0);
}

#[test]
fn a_client_that_leaves_before_its_last_answer_is_counted() {
    let mirrored = Mirrored::new("");
    let mut session = mirrored.proxied.socket();
    wire::log_in(&mut session, 0);
    wire::query(&mut session, "BEGIN");
    drop(session);
    let told = mirrored.drained(1);
    assert_eq!(told["dropped_by_reason"]["unanswered"], 1, "{told:#}");
}

#[test]
fn what_a_new_connection_refuses_of_the_sessions_state_is_counted() {
    let mirrored = Mirrored::new("");
    mirrored.proxied.direct.sql("CREATE ROLE only_there");
    let mut session = mirrored.proxied.socket();
    wire::log_in(&mut session, 0);
    wire::query(&mut session, "SET ROLE only_there");
    wire::query(&mut session, "SELECT 1 AS one");
    let told = mirrored.drained(2);
    assert_eq!(told["errors_by_sqlstate"]["22023"], 1, "{told:#}");
    assert_eq!(told["completed"], 1, "{told:#}");
}
