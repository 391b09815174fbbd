//! What no stream carries is looked for before traffic moves, in each direction: it would be missing on
//! the other side, and nobody would know.

use nix::sys::signal::Signal;

use super::refused::session;
use super::stage::Stage;
use crate::support::{Database, driver_runtime};

/// A table without a replica identity.
const LOG: &str = "CREATE TABLE log (line text); INSERT INTO log VALUES ('a'), ('b')";

/// The kind of the replica identity of `log`.
fn identity(database: &Database) -> String {
    let sql = "SELECT relreplident FROM pg_class WHERE relname = 'log'";
    database.sql(sql).trim().to_owned()
}

/// Where the source had no identity either: what is said of the way back is what can be done about it now.
#[test]
fn tables_whose_updates_do_not_go_back_are_told_with_what_to_do_on_the_new_side() {
    let stage = Stage::with("CREATE TABLE log (line text)");
    let told = stage.command("cutover --dry-run").run().assert_code(0);
    let told = told.assert_stderr("only inserts and truncates go back from there");
    let told = told
        .assert_stderr(r#"ALTER TABLE ONLY "public"."log" REPLICA IDENTITY FULL; run it there"#);
    assert!(!told.stderr.contains("--yes"), "{}", told.stderr);
    let identity = "ALTER TABLE log REPLICA IDENTITY FULL";
    Database::of(&stage.pair.target_cluster, "app").sql(identity);
    let told = stage.command("cutover --dry-run").run().assert_code(0);
    assert!(!told.stderr.contains("identity"), "{}", told.stderr);
}

/// What no stream carries is looked for before traffic moves, as it is at an end position: else it
/// would be missing on the target, and nobody would know.
#[test]
fn traffic_does_not_move_to_a_target_that_lacks_what_no_stream_carries() {
    let stage = Stage::with("CREATE TABLE log (line text); INSERT INTO log VALUES ('a'), ('b')");
    let source = stage.past_proxy();
    source.sql("CREATE TABLE fresh (id int PRIMARY KEY); INSERT INTO fresh VALUES (1)");
    let refused = stage.does_not_move("cutover --yes");
    refused.assert_stderr("public.fresh was created on the source after the migration began");
    // Made by hand, it is said and left to who made it.
    let target = Database::of_user(&stage.pair.target_cluster, "app", "app");
    target.sql("CREATE TABLE fresh (id int PRIMARY KEY); INSERT INTO fresh VALUES (1)");
    let told = stage.command("cutover --dry-run").run().assert_code(0);
    told.assert_stderr("public.fresh was created meanwhile, on both sides");
    source.sql("ALTER TABLE log ADD COLUMN more int");
    let refused = stage.does_not_move("cutover --yes");
    refused.assert_stderr("public.log");
    target.sql("ALTER TABLE log ADD COLUMN more int");
    source.sql("UPDATE log SET line = 'c' WHERE line = 'a'");
    let refused = stage.does_not_move("cutover --yes");
    let refused = refused.assert_stderr("public.log has no replica identity");
    refused.assert_stderr("--restart --yes");
    assert_eq!(stage.serves(), "source");
}

/// The same between the look and the moment at which clients are held.
#[test]
fn an_update_that_no_stream_carries_undoes_an_attempt_that_has_begun() {
    let stage = Stage::with("CREATE TABLE log (line text); INSERT INTO log VALUES ('a')");
    let attempt = stage.stops_at("cutover --yes --attempts 1", "cutover begun");
    // Its session ends, and has told of it by then.
    stage.past_proxy().sql("UPDATE log SET line = 'b'");
    attempt.signal(Signal::SIGCONT);
    let undone = attempt.wait_for_exit().assert_code(3);
    undone.assert_stderr("public.log has no replica identity");
    assert_eq!(stage.serves(), "source");
}

/// What a session reports only later has stayed behind, and is said then; never nothing.
#[test]
fn an_update_that_is_reported_too_late_is_told_afterwards() {
    let stage = Stage::with(LOG);
    let attempt = stage.stops_at(
        "cutover --yes --attempts 1 --max-pause 30s",
        "cutover begun",
    );
    let runtime = driver_runtime();
    let client = session(&stage, &runtime);
    // The first is reported at once; what comes less than a second later waits.
    for statement in [
        "INSERT INTO log VALUES ('c')",
        "UPDATE log SET line = 'd' WHERE line = 'c'",
    ] {
        let done = runtime.block_on(client.batch_execute(statement));
        done.expect("done");
    }
    attempt.signal(Signal::SIGCONT);
    let ended = attempt.wait_for_exit();
    match ended.code() {
        // A slow machine: it was reported in time.
        Some(3) => ended.assert_stderr("public.log has no replica identity"),
        _ => ended
            .assert_code(0)
            .assert_stdout("left behind: public.log"),
    };
}

/// What the way back writes on the side that traffic has left is nothing that has stayed there.
#[test]
fn what_comes_back_at_once_is_not_taken_for_something_left_behind() {
    let stage = Stage::with(LOG);
    // As it was advised.
    let target = Database::of(&stage.pair.target_cluster, "app");
    target.sql("ALTER TABLE log REPLICA IDENTITY FULL");
    let moving = stage.stops_at("cutover --yes --max-pause 60s", "switched");
    stage.database().sql("UPDATE log SET line = 'c'");
    moving.signal(Signal::SIGCONT);
    let moved = moving.wait_for_exit().assert_code(0);
    assert!(!moved.stdout.contains("left behind"), "{}", moved.stdout);
    stage.until_equal(&["log"]);
}

/// Of a stream back, too. Whoever has to return all the same says what is given up.
#[test]
fn a_rollback_does_not_leave_updates_behind_unless_it_is_told_to() {
    let stage = Stage::with(LOG);
    stage.moves("cutover");
    stage
        .database()
        .sql("UPDATE log SET line = 'c' WHERE line = 'a'");
    let refused = stage.does_not_move("rollback --yes");
    let refused = refused.assert_stderr(
        "public.log has no replica identity on the target, and 1 updates or deletes were made there",
    );
    let refused = refused.assert_stderr("--without-changes-of public.log");
    assert!(!refused.stderr.contains("--restart"), "{}", refused.stderr);
    let refused = stage.does_not_move("rollback --yes --without-changes-of public.lug");
    refused.assert_stderr("the stream knows no such table");
    assert_eq!(stage.serves(), "target");
    stage.moves("rollback --without-changes-of public.log");
    assert_eq!(stage.serves(), "source");

    // The stream that goes there again counts anew.
    stage.database().sql("DELETE FROM log");
    let refused = stage.does_not_move("cutover --yes");
    refused.assert_stderr("on the source, and 2 updates or deletes were made there");
    stage.moves("cutover --without-changes-of public.log");
}

#[test]
fn a_rollback_is_refused_while_a_table_is_on_the_target_alone() {
    let stage = Stage::with(LOG);
    stage.moves("cutover");
    let fresh = "CREATE TABLE fresh (id int PRIMARY KEY)";
    stage.database().sql(fresh);
    let refused = stage.does_not_move("rollback --yes");
    refused.assert_stderr(
        "public.fresh was created on the target after traffic came: it is not on the source",
    );
    assert_eq!(stage.serves(), "target");
    Database::of(&stage.pair.source_cluster, "app").sql(fresh);
    stage.moves("rollback");
}

/// `--yes` of a migration gives identities on the source: the way back carries what the way there does.
#[test]
fn a_table_whose_updates_are_carried_there_has_them_carried_back() {
    let stage = Stage::with(&format!("{LOG}; ALTER TABLE log REPLICA IDENTITY FULL"));
    let target = Database::of(&stage.pair.target_cluster, "app");
    target.sql("ALTER TABLE log REPLICA IDENTITY DEFAULT");
    stage
        .past_proxy()
        .sql("UPDATE log SET line = 'c' WHERE line = 'a'");
    stage.until_equal(&["log"]);
    // It is taken back with the rest of what was armed.
    stage.command("cutover --dry-run").run().assert_code(0);
    assert_eq!(identity(&target), "d");

    // Killed while it arms, it leaves what the next one knows.
    for place in [
        "identity noted",
        "identity changed",
        "publications made",
        "slot made",
    ] {
        let killed = stage
            .command("cutover --yes")
            .env("PGFLIT_KILL_AT", place)
            .run();
        assert_eq!(killed.code(), None, "{place}");
    }
    let told = stage
        .command("cutover --yes --max-pause 30s")
        .run()
        .assert_code(0);
    assert!(
        !told.stderr.contains("no replica identity on"),
        "{}",
        told.stderr
    );
    assert_eq!(identity(&target), "f");
    stage
        .database()
        .sql("UPDATE log SET line = 'd' WHERE line = 'b'");
    stage.until_equal(&["log"]);
    stage.moves("rollback");
    assert_eq!(identity(&target), "d");
    assert_eq!(identity(&stage.pair.source), "f");
}
