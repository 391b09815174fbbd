//! What happens when traffic moves: order, bypassers, processes.

use serde_json::Value;

use super::bank::{self, Bank};
use super::stage::Stage;
use crate::support::{Database, SOON, eventually};

fn steps(told: &Value) -> Vec<String> {
    let steps = told["steps"].as_array().expect("a list");
    steps
        .iter()
        .map(|step| step["name"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_rehearsal_undoes_everything_and_a_second_writer_is_kept_out() {
    let stage = Stage::with(bank::SCHEMA);
    let bank = Bank::open(&stage, 4, 3);
    let past = stage.past_proxy();
    let rehearsed = stage
        .command("cutover --dry-run --json")
        .run()
        .assert_code(0);
    let rehearsed: Value = serde_json::from_str(&rehearsed.stdout).expect("JSON");
    assert_eq!(rehearsed["serves"], "source");
    assert!(rehearsed["held_ms"].as_f64().is_some_and(|ms| ms > 0.0));
    bank.goes_on();
    past.sql("UPDATE account SET balance = balance WHERE id = 1");
    // Somebody who stays.
    let mut bypasser = past
        .program("psql")
        .args(["-X", "-c", "SELECT pg_sleep(600)", past.uri()])
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("psql");
    let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'";
    eventually(SOON, "it sleeps", || {
        stage.pair.source.number(sleeping) == 1
    });
    let told = stage.moves("cutover");
    assert!(!bypasser.wait().expect("it ends").success());
    assert!(
        told["ended"][0]
            .as_str()
            .is_some_and(|who| who.contains("app")),
        "{told}"
    );
    let names = steps(&told);
    let place = |name: &str| names.iter().position(|one| one == name).expect("a step");
    assert!(place("clients held") < place("fence") && place("fence") < place("stream drained"));
    assert!(place("stream drained") < place("decided") && place("decided") < place("switched"));
    bank.goes_on();
    assert_eq!(stage.serves(), "target");
    let refused = past.try_sql("SELECT 1").expect_err("it is fenced");
    assert!(refused.contains("permission denied"), "{refused}");
    // It is not to be moved where it is.
    stage
        .does_not_move("cutover --yes")
        .assert_stderr("already");
    stage.moves("rollback");
    assert_eq!(stage.serves(), "source");
    past.sql("SELECT 1");
    let target = Database::of_user(&stage.pair.target_cluster, "app", "app");
    target.try_sql("SELECT 1").expect_err("it is fenced now");
    stage.moves("cutover");
    bank.goes_on();
    stage.command("finalize --yes").run().assert_code(0);
    let (broken, _) = bank.close(&stage.pair.target);
    assert_eq!(broken, 0, "connections broke");
    let slots = "SELECT count(*) FROM pg_replication_slots";
    let origins = "SELECT count(*) FROM pg_replication_origin";
    assert_eq!(stage.pair.target.number(slots), 0);
    assert_eq!(stage.pair.source.number(slots), 0);
    assert_eq!(stage.pair.source.number(origins), 0);
    past.try_sql("SELECT 1").expect_err("it is fenced still");
    stage
        .command("finalize --yes --lift-fence")
        .run()
        .assert_code(0);
    past.sql("SELECT 1");
}

/// No write on the old side after the first on the new.
#[test]
fn two_processes_of_the_proxy_move_as_one() {
    let stage = Stage::with(bank::SCHEMA);
    for side in [&stage.pair.source, &stage.pair.target] {
        side.sql(
            "CREATE SCHEMA watch; GRANT USAGE ON SCHEMA watch TO app;
             CREATE TABLE watch.written (at timestamptz, port text);
             CREATE FUNCTION watch.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
                 BEGIN INSERT INTO watch.written VALUES (clock_timestamp(), current_setting('port'));
                 RETURN NULL; END $$;
             CREATE TRIGGER noted AFTER INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION watch.note();",
        );
    }
    let second = stage.proxy_command().start();
    second.wait_for_stderr("listening on 127.0.0.1:");
    let bank = Bank::open(&stage, 8, 4);
    let status = stage.command("proxy status --json").run().assert_code(0);
    let status: Value = serde_json::from_str(&status.stdout).expect("JSON");
    let processes = status["processes"].as_array().expect("two");
    assert!(
        processes
            .iter()
            .all(|one| one["clients"].as_u64() > Some(0)),
        "{status}"
    );
    stage.moves("cutover");
    bank.goes_on();
    let (broken, _) = bank.close(&stage.pair.target);
    assert_eq!(broken, 0, "connections broke");
    // What the target took comes back, too.
    let port = stage.pair.source_cluster.port();
    let last = format!("SELECT max(at) FROM watch.written WHERE port = '{port}'");
    let last_on_source = stage.pair.source.sql(&last);
    let earlier = stage.pair.target.number(&format!(
        "SELECT count(*) FROM watch.written WHERE at <= '{last_on_source}'"
    ));
    assert_eq!(earlier, 0, "both sides took writes");
    assert!(
        stage
            .pair
            .target
            .number("SELECT count(*) FROM watch.written")
            > 0
    );
}

/// No stream carries them: they are compared, also while clients wait.
#[test]
fn large_objects_are_brought_over_and_back() {
    let stage = Stage::with(
        "CREATE TABLE t (id int PRIMARY KEY);
         SELECT lo_from_bytea(1001, 'first'), lo_from_bytea(1002, 'second');",
    );
    let database = stage.database();
    database.sql("SELECT lo_put(1001, 0, 'FIRST'), lo_unlink(1002), lo_from_bytea(1003, 'third')");
    let objects = |side: &Database| {
        side.sql("SELECT string_agg(oid || convert_from(lo_get(oid), 'utf8'), ' ' ORDER BY oid) FROM pg_largeobject_metadata")
    };
    stage.moves("cutover");
    assert_eq!(objects(&stage.pair.target), "1001FIRST 1003third");
    // The application may write its own.
    database.sql("SELECT lo_put(1003, 0, 'THIRD'), lo_from_bytea(1004, 'fourth')");
    stage.moves("rollback");
    assert_eq!(
        objects(&stage.pair.source),
        "1001FIRST 1003THIRD 1004fourth"
    );
    database.sql("SELECT lo_put(1004, 0, 'FOURTH')");
}
