//! What stands against moving traffic: nothing is moved then, and nothing lost.

use super::stage::Stage;
use crate::support::{Pair, SOON, driver_runtime, eventually, pgflit};

const SCHEMA: &str =
    "CREATE TABLE t (id int PRIMARY KEY, note text); INSERT INTO t VALUES (1, 'a')";

/// A session through the proxy.
fn session(stage: &Stage, runtime: &tokio::runtime::Runtime) -> tokio_postgres::Client {
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
