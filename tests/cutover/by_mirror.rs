//! Traffic goes to a server that a mirror of the proxy has fed, and no stream.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use nix::sys::signal::Signal;
use serde_json::Value;
use tokio_postgres::NoTls;

use super::refused::session;
use super::stage::{Stage, listens};
use crate::support::{Database, Finished, Pair, SOON, driver_runtime, eventually, pgflit};

/// Rows whose keys clients make, rows that are updated, and rows with a key of the server's.
const SCHEMA: &str = "
    CREATE TABLE note (writer int, seq bigint, PRIMARY KEY (writer, seq));
    CREATE TABLE tally (writer int PRIMARY KEY, seq bigint NOT NULL);
    INSERT INTO tally SELECT writer, 0 FROM generate_series(0, 9) AS writer;
    CREATE TABLE numbered (id bigserial PRIMARY KEY, writer int, seq bigint);
    CREATE SEQUENCE up; CREATE SEQUENCE down INCREMENT -1 MAXVALUE -1;";

const MOVES: &str = "cutover --by-mirror new";

/// The proxy's file, with these lines for the mirror.
fn configure(pair: &Pair, keys: &str) -> PathBuf {
    let path = pair.path("proxy.toml");
    let (source, target) = (pair.source.uri(), pair.target.uri());
    let text = format!(
        "[[database]]\nname = \"app\"\nsource = \"{source}\"\ntarget = \"{target}\"\n\
         [[mirror]]\nname = \"new\"\n{keys}\n"
    );
    fs::write(&path, text).expect("written");
    path
}

/// Everything, and nothing is dropped where the mirror's server has less of the machine than the other.
const ALL: &str = "mode = \"all\"\nmirror_queue = 100000";

/// Two servers with the same tables, and a proxy that sends what clients say to both.
fn stage(keys: &str) -> Stage {
    let mut stage = Stage::without_stream(|pair| Some(configure(pair, keys)));
    for cluster in [&stage.pair.source_cluster, &stage.pair.target_cluster] {
        Database::of_user(cluster, "app", "app").sql(SCHEMA);
    }
    stage.start_proxy();
    stage
}

impl Stage {
    /// The proxy is told of another mirror.
    fn reloads(&self, keys: &str) {
        configure(&self.pair, keys);
        let reload = self.command("proxy reload");
        reload
            .arg("--config")
            .arg(self.config.as_ref().expect("a file"))
            .run()
            .assert_code(0);
    }

    #[track_caller]
    fn until_drained(&self) {
        eventually(SOON, "the mirror has everything", || {
            self.mirror()["outstanding"] == 0
        });
    }

    #[track_caller]
    fn stays(&self, words: &str) -> Finished {
        let stayed = self.does_not_move(&format!("{words} --yes --attempts 1 --max-pause 30s"));
        assert_eq!(self.serves(), "source");
        self.database()
            .sql("INSERT INTO numbered (writer) VALUES (100)");
        stayed
    }
}

/// Clients that write down a number each, in three tables by one transaction, and begin with the next one
/// when that was acknowledged.
struct Writers {
    stop: Arc<AtomicBool>,
    first: usize,
    acknowledged: Vec<Arc<AtomicU64>>,
    thread: Option<JoinHandle<()>>,
}

impl Writers {
    fn open(stage: &Stage, count: usize) -> Self {
        Self::open_from(stage, 0..count)
    }

    /// With these numbers.
    fn open_from(stage: &Stage, numbers: Range<usize>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let first = numbers.start;
        let acknowledged: Vec<Arc<AtomicU64>> = numbers.map(|_| Arc::default()).collect();
        let (stopped, all, port) = (Arc::clone(&stop), acknowledged.clone(), stage.port);
        let thread = std::thread::spawn(move || {
            driver_runtime().block_on(async {
                let mut tasks = tokio::task::JoinSet::new();
                for (writer, acknowledged) in (first..).zip(all) {
                    let stopped = Arc::clone(&stopped);
                    tasks.spawn(async move { write(port, writer, &acknowledged, &stopped).await });
                }
                while let Some(done) = tasks.join_next().await {
                    done.expect("no client sees an error");
                }
            });
        });
        let writers = Writers {
            stop,
            first,
            acknowledged,
            thread: Some(thread),
        };
        writers.go_on();
        writers
    }

    #[track_caller]
    fn go_on(&self) {
        let now = |one: &Arc<AtomicU64>| one.load(Ordering::SeqCst);
        let wanted: Vec<u64> = self.acknowledged.iter().map(|one| now(one) + 5).collect();
        eventually(2 * SOON, "every client goes on", || {
            let mut pairs = self.acknowledged.iter().zip(&wanted);
            pairs.all(|(one, wanted)| now(one) >= *wanted)
        });
    }

    /// Ends all of them, none of which has seen an error. All that was acknowledged is on `serving`, once.
    #[track_caller]
    fn close(mut self, serving: &Database) {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.take().expect("open").join().expect("no error");
        for (writer, acknowledged) in (self.first..).zip(&self.acknowledged) {
            let acknowledged = i64::try_from(acknowledged.load(Ordering::SeqCst)).expect("few");
            for sql in [
                "SELECT count(*) FROM note WHERE writer =",
                "SELECT count(DISTINCT seq) FROM note WHERE writer =",
                "SELECT count(*) FROM numbered WHERE writer =",
                "SELECT count(DISTINCT seq) FROM numbered WHERE writer =",
                "SELECT seq FROM tally WHERE writer =",
            ] {
                let found = serving.number(&format!("{sql} {writer}"));
                assert_eq!(found, acknowledged, "{sql} {writer}");
            }
        }
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

async fn write(port: u16, writer: usize, acknowledged: &AtomicU64, stop: &AtomicBool) {
    let text = format!("host=127.0.0.1 port={port} dbname=app user=app");
    let (mut client, connection) = tokio_postgres::connect(&text, NoTls).await.expect("let in");
    tokio::spawn(connection);
    let writer = i32::try_from(writer).expect("few");
    for seq in 1_i64.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let transaction = client.transaction().await.expect("begun");
        for sql in [
            "INSERT INTO note (writer, seq) VALUES ($1, $2)",
            "UPDATE tally SET seq = $2 WHERE writer = $1",
            "INSERT INTO numbered (writer, seq) VALUES ($1, $2)",
        ] {
            transaction
                .execute(sql, &[&writer, &seq])
                .await
                .expect("done");
        }
        transaction.commit().await.expect("committed");
        acknowledged.store(seq as u64, Ordering::SeqCst);
    }
}

#[test]
fn a_busy_database_goes_to_what_its_mirror_has_fed() {
    let stage = stage(ALL);
    let runtime = driver_runtime();
    let holder = session(&stage, &runtime);
    let run = |sql: &str| runtime.block_on(holder.batch_execute(sql)).expect(sql);
    run("SELECT pg_advisory_lock(7); SET application_name = 'the one with the lock'; LISTEN news");
    let writers = Writers::open(&stage, 3);
    stage
        .command(&format!("{MOVES} --dry-run --max-pause 30s"))
        .run()
        .assert_code(0);
    assert_eq!(stage.serves(), "source");
    writers.go_on();

    let moving = stage.stops_at(
        &format!("{MOVES} --yes --json --max-pause 60s"),
        "about to decide",
    );
    stage.until_equal(&["note", "tally"]);
    moving.signal(Signal::SIGCONT);
    let done = moving.wait_for_exit_within(2 * SOON).assert_code(0);
    let told: Value = serde_json::from_str(&done.stdout).expect("JSON");
    assert_eq!(
        (&told["serves"], &told["remarks"]),
        (&"target".into(), &Value::Array(Vec::new()))
    );
    writers.go_on();
    assert_eq!((stage.serves(), stage.takes_writes()), ("target", "target"));
    let held = runtime.block_on(holder.query_one("SELECT pg_advisory_unlock(7)", &[]));
    assert!(held.expect("it has moved").get::<_, bool>(0));

    // Nothing is said twice to the server that serves, by sessions that came before and after.
    let mirrored = stage.mirror()["transactions"].clone();
    stage
        .database()
        .sql("INSERT INTO numbered (writer, seq) VALUES (50, 1)");
    writers.go_on();
    writers.close(&stage.pair.target);
    assert_eq!(
        stage
            .pair
            .target
            .number("SELECT count(*) FROM numbered WHERE writer = 50"),
        1
    );
    assert_eq!(stage.mirror()["transactions"], mirrored);

    let refused = stage.does_not_move("rollback --yes");
    refused.assert_stderr("what is written on the target does not return");
    let told = stage.command("status --json").run();
    assert!(told.code().is_some_and(|code| code <= 1), "{}", told.stderr);
    stage.command("finalize --yes").run().assert_code(0);
}

#[test]
fn other_row_counts_keep_traffic_where_it_is_unless_they_may_differ() {
    let stage = stage(ALL);
    // Far more than clients write between the counting of one side and the other, while traffic flows.
    stage
        .pair
        .source
        .sql("INSERT INTO note SELECT 7, seq FROM generate_series(1, 100000) AS seq");
    // Sequences go on behind whichever side is further.
    for (database, up, down) in [(&stage.pair.source, 50, 3), (&stage.pair.target, 0, 7)] {
        for (name, count) in [("up", up), ("down", down)] {
            database.sql(&format!(
                "SELECT nextval('{name}') FROM generate_series(1, {count})"
            ));
        }
    }
    let writers = Writers::open(&stage, 2);
    stage
        .stays(MOVES)
        .assert_stderr("everything is undone")
        .assert_stderr("row counts differ: public.note has");
    writers.go_on();
    assert_eq!(stage.takes_writes(), "both", "the fence is down");
    let told = stage.moves(&format!("{MOVES} --allow-different-counts"));
    let remarks = told["remarks"].to_string();
    assert!(
        remarks.contains("row counts differ, counted while clients write: public.note has"),
        "{told}"
    );
    writers.go_on();
    assert_eq!(stage.serves(), "target");
    let next = |name: &str| {
        stage
            .database()
            .number(&format!("SELECT nextval('{name}')"))
    };
    assert_eq!((next("up"), next("down")), (51, -8));
    writers.close(&stage.pair.target);
}

#[test]
fn a_mirror_that_is_not_sent_everything_or_to_another_server_is_refused() {
    let stage = stage("mode = \"reads\"");
    let runtime = driver_runtime();
    let client = session(&stage, &runtime);
    let run = |sql: &str| runtime.block_on(client.batch_execute(sql)).expect(sql);
    run("SELECT 1");
    stage
        .stays("cutover --by-mirror old")
        .assert_stderr("there is no mirror old");
    stage
        .stays(MOVES)
        .assert_stderr("is not sent everything: mode reads");
    stage.reloads("mode = \"all\"\nexposure = 0.5");
    stage.stays(MOVES).assert_stderr("exposure 0.5");
    // The same server in other words, which the proxy would go on sending everything to.
    let port = stage.pair.target_cluster.port();
    stage.reloads(&format!(
        "{ALL}\nserver = \"host=localhost port={port} user=postgres\""
    ));
    stage
        .stays(MOVES)
        .assert_stderr("is not the target of the database that is to move");
    // What a session began with is in force for it.
    stage.reloads(ALL);
    stage
        .stays(MOVES)
        .assert_stderr("1 clients are not mirrored to new");
    drop(client);
    stage.until_drained();
    stage.pair.target.sql("CREATE DATABASE other");
    let other = Database::of(&stage.pair.target_cluster, "other");
    let elsewhere = session(&stage, &runtime);
    runtime
        .block_on(elsewhere.batch_execute("SELECT 1"))
        .expect("read");
    stage.until_drained();
    let words = format!("{MOVES} --yes --attempts 1");
    let moved = pgflit(&words).source(&stage.pair.source).target(&other);
    let refused = moved.dir(stage.pair.dir()).run().assert_code(3);
    refused.assert_stderr("are not on the target that was named here");
    // And nobody streams there.
    stage
        .does_not_move("cutover --yes")
        .assert_stderr("no changes are followed");
    for words in [
        "rollback --by-mirror new",
        "cutover --allow-different-counts",
    ] {
        stage.command(words).run().assert_code(1);
    }
}

#[test]
fn what_a_mirror_loses_while_clients_are_held_ends_the_attempt() {
    let stage = stage(&format!("{ALL}\nanswer_limit = \"5s\""));
    let runtime = driver_runtime();
    let client = session(&stage, &runtime);
    let run = |sql: &str| runtime.block_on(client.batch_execute(sql)).expect(sql);
    run("INSERT INTO note VALUES (1, 1)");
    stage.until_drained();
    let locker = session_at(&stage, &runtime);
    runtime
        .block_on(locker.batch_execute("BEGIN; LOCK TABLE note IN SHARE MODE"))
        .expect("locked");
    let words = format!("{MOVES} --allow-different-counts --yes --attempts 2 --max-pause 60s");
    let moving = stage.stops_at(&words, "cutover begun");
    // It waits for the lock there when clients are held, and then no more.
    run("INSERT INTO note VALUES (1, 2)");
    moving.signal(Signal::SIGCONT);
    let undone = moving.wait_for_exit_within(4 * SOON).assert_code(3);
    // The second attempt has not forgotten what the first has seen.
    undone
        .assert_stderr("has lost 1 transactions meanwhile (lost 1): tried again")
        .assert_stderr("everything is undone: mirror new has lost 1 transactions meanwhile");
    assert_eq!(stage.serves(), "source");
    run("INSERT INTO note VALUES (1, 3)");
}

/// A session on the target, past the proxy.
fn session_at(stage: &Stage, runtime: &tokio::runtime::Runtime) -> tokio_postgres::Client {
    runtime.block_on(async {
        let port = stage.pair.target_cluster.port();
        let text = format!("host=127.0.0.1 port={port} dbname=app user=postgres");
        let (client, connection) = tokio_postgres::connect(&text, NoTls).await.expect("let in");
        tokio::spawn(connection);
        client
    })
}

#[test]
fn killed_at_any_place_it_is_undone_or_done_by_the_next() {
    let undecided = [
        "cutover begun",
        "clients held",
        "proxies promised",
        "fence proven",
        "stream drained",
        "about to decide",
    ];
    for decided in ["decided", "record written"] {
        let stage = stage(ALL);
        let writers = Writers::open(&stage, 2);
        for place in undecided {
            let killed = stage.command(&format!("{MOVES} --yes --max-pause 60s"));
            let killed = killed.env("PGFLIT_KILL_AT", place).run();
            assert_eq!(killed.code(), None, "{place}: {}", killed.stderr);
            if decided == "decided" {
                // Undone by the same command, which only rehearses then.
                let again = stage
                    .command(&format!("{MOVES} --dry-run --max-pause 60s"))
                    .run();
                again.assert_code(0);
                writers.go_on();
                assert_eq!((stage.serves(), stage.takes_writes()), ("source", "both"));
            }
        }
        let killed = stage.command(&format!("{MOVES} --yes --max-pause 60s"));
        let killed = killed.env("PGFLIT_KILL_AT", decided).run();
        assert_eq!(killed.code(), None, "{decided}: {}", killed.stderr);
        let told = stage.moves(MOVES);
        assert_eq!(told["serves"], "target");
        writers.go_on();
        assert_eq!((stage.serves(), stage.takes_writes()), ("target", "target"));
        writers.close(&stage.pair.target);
    }
}

/// Every proxy takes part, also one that is told through the servers.
#[test]
fn proxies_of_other_machines_must_have_the_mirror_and_have_drained_it() {
    let mut stage = stage(ALL);
    let server = |port: u16| format!("host=127.0.0.1 port={port} dbname=app sslmode=disable");
    let text = format!(
        "[proxy]\nlisten = \"127.0.0.1:0\"\n\
         [[database]]\nname = \"app\"\nsource = \"{}\"\ntarget = \"{}\"\n\
         [[auth]]\nmethod = \"trust\"\n\
         [cutover]\nuser = \"postgres\"\nshared = true\nlease = \"10s\"\n",
        server(stage.pair.source_cluster.port()),
        server(stage.pair.target_cluster.port())
    );
    let dir = stage.pair.path("east");
    fs::create_dir_all(&dir).expect("a folder");
    let config = dir.join("proxy.toml");
    fs::write(&config, &text).expect("written");
    let start = || {
        let proxy = pgflit("proxy").arg("--config").arg(&config);
        let proxy = proxy.dir(&dir).start();
        proxy.wait_for_stderr("as the servers say");
        proxy
    };
    let east = start();
    stage.stays(MOVES).assert_stderr("there is no mirror new");
    east.signal(Signal::SIGTERM);
    east.wait_for_exit();

    fs::write(
        &config,
        format!("{text}[[mirror]]\nname = \"new\"\n{ALL}\n"),
    )
    .expect("written");
    let east = start();
    let writers = Writers::open(&stage, 2);
    let (here, there) = (stage.port, listens(&east));
    stage.port = there;
    let others = Writers::open_from(&stage, 2..4);
    let moving = stage.stops_at(&format!("{MOVES} --yes --max-pause 60s"), "about to decide");
    stage.until_equal(&["note", "tally"]);
    moving.signal(Signal::SIGCONT);
    moving.wait_for_exit_within(2 * SOON).assert_code(0);
    for port in [here, there] {
        stage.port = port;
        assert_eq!(stage.serves(), "target");
    }
    for writers in [writers, others] {
        writers.go_on();
        writers.close(&stage.pair.target);
    }
}
