//! What stands against moving traffic: nothing is moved then, and nothing lost.

use nix::sys::signal::Signal;
use pgflit::worker::cluster::StopMode;

use super::stage::{Stage, listens};
use crate::support::{Pair, SOON, driver_runtime, eventually, pgflit};

const SCHEMA: &str =
    "CREATE TABLE t (id int PRIMARY KEY, note text); INSERT INTO t VALUES (1, 'a')";

/// A session through the proxy.
pub(super) fn session(stage: &Stage, runtime: &tokio::runtime::Runtime) -> tokio_postgres::Client {
    runtime.block_on(async {
        let text = format!("host=127.0.0.1 port={} dbname=app user=app", stage.port);
        let connecting = tokio_postgres::connect(&text, tokio_postgres::NoTls);
        let (client, connection) = connecting.await.expect("connected");
        tokio::spawn(connection);
        client
    })
}

#[test]
fn without_a_migration_or_a_proxy_nothing_is_moved() {
    let pair = Pair::new();
    let refused = pgflit("cutover --yes").between(&pair).run().assert_code(3);
    refused.assert_stderr("no changes are followed");
    let refused = pgflit("cutover").between(&pair).run().assert_code(1);
    refused.assert_stderr("--dry-run");
    let mut stage = Stage::with(SCHEMA);
    drop(stage.proxy.take());
    stage
        .does_not_move("cutover --yes")
        .assert_stderr("no proxy runs");
    stage
        .does_not_move("rollback --yes")
        .assert_stderr("already");
    stage.start_proxy();
}

/// A transaction that is open when traffic is to move keeps it where it is, and is not touched; one
/// that ends in time goes before.
#[test]
fn a_transaction_that_is_open_is_waited_for_and_never_cut() {
    let stage = Stage::with(SCHEMA);
    let runtime = driver_runtime();
    let client = session(&stage, &runtime);
    let run = |sql: &str| runtime.block_on(client.batch_execute(sql));
    run("BEGIN; INSERT INTO t VALUES (2, 'open')").expect("begun");
    let undone = stage.does_not_move("cutover --yes --drain-limit 300ms --attempts 1");
    undone.assert_stderr("still in a transaction");
    assert_eq!(stage.serves(), "source");
    run("INSERT INTO t VALUES (3, 'open still'); COMMIT").expect("nobody has cut it");
    // A statement that runs is not cancelled either.
    run("BEGIN").expect("begun");
    let moving = stage
        .command("cutover --yes --drain-limit 30s --max-pause 60s")
        .start();
    moving.wait_for_stderr("noted:");
    run("SELECT pg_sleep(0.5); INSERT INTO t VALUES (4, 'slow'); COMMIT").expect("not cancelled");
    moving.wait_for_exit_within(2 * SOON).assert_code(0);
    assert_eq!(stage.pair.target.number("SELECT count(*) FROM t"), 4);
    run("INSERT INTO t VALUES (5, 'there')").expect("the same session goes on");
    assert_eq!(stage.pair.target.number("SELECT count(*) FROM t"), 5);
    stage.until_equal(&["t"]);
}

/// Apply hangs on a lock while no byte is behind: what counts is what apply has committed.
#[test]
fn apply_that_is_blocked_on_the_target_is_not_fooled_by() {
    let stage = Stage::with(SCHEMA);
    let database = stage.database();
    let target = &stage.pair.target;
    // A slot there would wait for the transaction that locks.
    let mut locker = target
        .program("psql")
        .args([
            "-X",
            "-c",
            "BEGIN",
            "-c",
            "LOCK TABLE t",
            "-c",
            "SELECT pg_sleep(600)",
            target.uri(),
        ])
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("psql");
    let locked = "SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass
                   AND mode = 'AccessExclusiveLock' AND granted";
    eventually(SOON, "the table is locked", || target.number(locked) == 1);
    database.sql("INSERT INTO t VALUES (2, 'behind the lock')");
    let undone = stage
        .does_not_move("cutover --yes --no-reverse --max-pause 700ms --max-lag 1GB --attempts 1");
    undone.assert_stderr("it took longer than 700ms");
    assert_eq!(stage.serves(), "source");
    database.sql("INSERT INTO t VALUES (3, 'traffic goes on')");
    // New logins are let in again, too.
    stage.past_proxy().sql("SELECT 1");
    locker.kill().expect("it runs");
    locker.wait().expect("it ends");
    target.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'");
    stage.moves("cutover");
    assert_eq!(stage.pair.target.number("SELECT count(*) FROM t"), 3);
    database.sql("INSERT INTO t VALUES (4, 'there')");
    stage.until_equal(&["t"]);
}

/// Who could write on the side that traffic has left, fence or not.
#[test]
fn writers_that_no_fence_keeps_out_are_named_and_nothing_is_moved() {
    let mut stage = Stage::with(SCHEMA);
    let source = stage.pair.source.clone();
    let database = stage.database();

    // A subscription, whose worker is no client.
    source.sql(
        "CREATE SUBSCRIPTION news CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p
             WITH (connect = false);
         ALTER SUBSCRIPTION news ENABLE;",
    );
    stage
        .does_not_move("cutover --yes")
        .assert_stderr("subscriptions write to the source: news");
    source.sql(
        "ALTER SUBSCRIPTION news DISABLE; ALTER SUBSCRIPTION news SET (slot_name = NONE);
         DROP SUBSCRIPTION news;",
    );

    // A member of pgflit's own role: found behind the fence, which is taken down again.
    source.sql("CREATE ROLE sneak LOGIN IN ROLE postgres");
    let undone = stage.does_not_move("cutover --yes --attempts 1");
    undone
        .assert_stderr("past the fence: sneak")
        .assert_stderr("everything is undone");
    assert_eq!((stage.serves(), stage.takes_writes()), ("source", "both"));
    assert_eq!(source.number("SELECT count(*) FROM pgflit.fence"), 0);
    database.sql("INSERT INTO t VALUES (2, 'traffic flows')");
    source.sql("DROP ROLE sneak");

    // Databases that would go along.
    let path = stage.pair.path("proxy.toml");
    let two = "[[database]]\nname = \"app\"\n[[database]]\nname = \"other\"\n";
    std::fs::write(&path, two).expect("written");
    drop(stage.proxy.take());
    let proxy = stage.proxy_command().arg("--config").arg(&path).start();
    stage.port = listens(&proxy);
    stage.proxy = Some(proxy);
    stage
        .does_not_move("cutover --yes")
        .assert_stderr("several databases at once: app, other");
    drop(stage.proxy.take());
    stage.start_proxy();

    stage.moves("cutover");
    database.sql("INSERT INTO t VALUES (3, 'there')");
    assert_eq!(stage.takes_writes(), "target");
    stage.until_equal(&["t"]);
}

/// The slot for the way back is made while traffic flows; where it cannot be, nobody was held.
#[test]
fn a_way_back_that_cannot_be_is_found_while_traffic_flows() {
    let mut stage = Stage::with(SCHEMA);
    let target = stage.pair.target.clone();
    let database = stage.database();
    let refused = |stage: &Stage, why: &str| {
        let refused = stage.does_not_move("cutover --yes").assert_stderr(why);
        assert!(!refused.stderr.contains("noted:"), "{}", refused.stderr);
        assert_eq!(stage.serves(), "source");
        let left = "SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE 'pgflit%'";
        assert_eq!(target.number(left), 0);
        assert_eq!(target.number("SELECT count(*) FROM pg_publication"), 0);
    };
    let free = "current_setting('max_replication_slots')::int";
    target.sql(&format!(
        "SELECT pg_create_physical_replication_slot('taken_' || i) FROM generate_series(1, {free}) AS i"
    ));
    refused(&stage, "replication slots of the target are taken");
    target.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");

    // What the stream back calls the source is not what the operator does.
    target.sql("SELECT pg_create_logical_replication_slot('pgflit_reverse', 'pgoutput')");
    stage
        .does_not_move("cutover --yes")
        .assert_stderr("its source is the target");
    target.sql("SELECT pg_drop_replication_slot('pgflit_reverse')");

    stage.pair.target_cluster.set("wal_level", "replica");
    let restarted = stage.pair.target_cluster.restart(StopMode::Fast);
    restarted.expect("it starts");
    database.sql("INSERT INTO t VALUES (2, 'traffic flows')");
    stage.until_equal(&["t"]);
    refused(&stage, "wal_level of the target is replica");

    // Who needs no way back needs none of it.
    stage.moves("cutover --no-reverse");
    database.sql("INSERT INTO t VALUES (3, 'there')");
    assert_eq!(target.number("SELECT count(*) FROM t"), 3);
    stage
        .does_not_move("rollback --yes")
        .assert_stderr("no changes are followed")
        .assert_stderr("the way back was given up");
}

#[test]
fn a_target_that_takes_no_writes_is_refused_and_one_where_sql_means_something_else_is_told_of() {
    let stage = Stage::with(SCHEMA);
    let target = stage.pair.target.clone();
    target.sql("ALTER DATABASE app SET default_transaction_read_only = on");
    let refused = stage.does_not_move("cutover --yes");
    refused.assert_stderr("applications could not write to the target");
    assert_eq!(stage.serves(), "source");
    target.sql(
        "SET default_transaction_read_only = off;
         ALTER DATABASE app RESET default_transaction_read_only;
         ALTER DATABASE app SET timezone = 'Asia/Tokyo'",
    );
    let moved = stage.command("cutover --yes --max-pause 30s").run();
    moved
        .assert_code(0)
        .assert_stderr("what SQL means there differs (source, target): TimeZone");
    // A fence that keeps sessions from writing ends when traffic comes back.
    stage.moves("rollback --fence read-only");
    stage.moves("cutover");
    assert_eq!(stage.takes_writes(), "target");
}

#[test]
fn a_base_copy_that_still_runs_is_not_left() {
    let pair = Pair::new();
    pair.source.sql(SCHEMA);
    let follow = pgflit("clone --follow").between(&pair);
    let follow = follow.env("PGFLIT_STOP_AT", "rows begun").start();
    eventually(SOON, "the copy begins", || follow.is_stopped());
    let refused = pgflit("cutover --yes").between(&pair).run().assert_code(3);
    refused.assert_stderr("the base copy is not complete");
    follow.signal(Signal::SIGCONT);
    follow.wait_for_stderr("live replay");
}

/// In the same folder, and in another one, as on another machine.
#[test]
fn two_who_move_traffic_at_once_are_one() {
    let stage = Stage::with(SCHEMA);
    let moving = stage.stops_at("cutover --yes --max-pause 60s", "proxies promised");
    let same = stage.command("cutover --yes").run().assert_code(8);
    same.assert_stderr("cutover.lock");
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .args([stage.pair.dir(), stage.pair.path("other")])
        .status();
    assert!(copied.expect("cp").success());
    for word in ["cutover", "rollback"] {
        let other = pgflit(&format!("{word} --yes --no-proxy"))
            .source(&stage.pair.source)
            .target(&stage.pair.target)
            .dir(stage.pair.path("other"));
        let other = other.run().assert_code(3);
        other.assert_stderr("somebody else moves traffic");
    }
    moving.signal(Signal::SIGCONT);
    moving.wait_for_exit().assert_code(0);
    assert_eq!((stage.serves(), stage.takes_writes()), ("target", "target"));
    stage
        .does_not_move("cutover --yes")
        .assert_stderr("already");
    stage.database().sql("INSERT INTO t VALUES (2, 'there')");
    stage.until_equal(&["t"]);
}

/// It is not waited for: clients go on where they are, while it is away.
#[test]
fn a_target_that_goes_during_the_drain_leaves_traffic_where_it_is() {
    let mut stage = Stage::with(SCHEMA);
    let runtime = driver_runtime();
    let client = session(&stage, &runtime);
    let run = |sql: &str| runtime.block_on(client.batch_execute(sql));
    run("INSERT INTO t VALUES (2, 'before')").expect("written");
    let moving = stage.stops_at("cutover --yes --max-pause 60s --attempts 1", "fence proven");
    stage.pair.target_cluster.kill().expect("it runs");
    moving.signal(Signal::SIGCONT);
    let undone = moving.wait_for_exit().assert_code(3);
    undone.assert_stderr("everything is undone");
    run("INSERT INTO t VALUES (3, 'the same session')").expect("traffic flows");
    stage
        .past_proxy()
        .sql("INSERT INTO t VALUES (4, 'fenced no more')");
    stage.pair.target_cluster.start().expect("it starts");
    stage.until_equal(&["t"]);
    stage.moves("cutover");
    run("INSERT INTO t VALUES (5, 'there')").expect("traffic flows");
    assert_eq!(stage.pair.target.number("SELECT count(*) FROM t"), 5);
    stage.until_equal(&["t"]);
}

/// What was armed for the way back keeps WAL, until somebody removes it.
#[test]
fn whatever_ends_the_last_attempt_nothing_is_left_armed() {
    let mut stage = Stage::with(SCHEMA);
    let armed = |stage: &Stage| {
        let slots = "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'pgflit_reverse'";
        stage.pair.target.number(slots)
    };
    // The first attempt is undone, the second one refused.
    let moving = stage.stops_at("cutover --yes --max-pause 60s", "fence proven");
    assert_eq!(armed(&stage), 1);
    let killed = stage.kill_streams();
    moving.signal(Signal::SIGCONT);
    let refused = moving.wait_for_exit().assert_code(3);
    refused
        .assert_stderr("tried again in 2s")
        .assert_stderr("nobody streams");
    assert_eq!(armed(&stage), 0);
    stage.resume_streams(&killed);

    // The second one needs no session of the first.
    let moving = stage.stops_at("cutover --yes --max-pause 60s", "fence proven");
    stage.pair.target_cluster.kill().expect("it runs");
    moving.signal(Signal::SIGCONT);
    moving.wait_for_stderr("tried again in 2s");
    stage.pair.target_cluster.start().expect("it starts");
    moving.wait_for_exit().assert_code(0);
    assert_eq!(stage.serves(), "target");
}
