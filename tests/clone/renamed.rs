//! Tables that change their names on the source while it is followed. Changes carry names, so one
//! that comes to mean another table must never be taken for the table that had it.

use nix::sys::signal::Signal;

use super::{Following, end_now};
use crate::support::{Pair, SOON, eventually, pgflit, with_each};

/// The plugins whose messages know tables by name only.
const BY_NAME: [&str; 2] = ["test_decoding", "wal2json"];

/// Two tables that look alike, and one that the migration leaves out.
const TABLES: &str = "
    CREATE TABLE one (id int PRIMARY KEY, n int);
    CREATE TABLE two (id int PRIMARY KEY, n int);
    CREATE SCHEMA scratch; CREATE TABLE scratch.out (id int PRIMARY KEY, n int);
    INSERT INTO one VALUES (1, 1), (2, 2); INSERT INTO two VALUES (-1, 1), (-2, 2)";

/// Begins with [`TABLES`], of which `scratch` is left out.
fn start<'a>(pair: &'a Pair, plugin: &str) -> Following<'a> {
    pair.source.sql(TABLES);
    let run = clone(pair, plugin).start();
    let following = Following { pair, run }.until_live();
    pair.source.sql("INSERT INTO one VALUES (3, 3)");
    eventually(SOON, "the row arrives", || {
        pair.target.number("SELECT count(*) FROM one") == 3
    });
    following
}

fn clone(pair: &Pair, plugin: &str) -> crate::support::Pgflit {
    let filters = pair.path("filters");
    std::fs::write(&filters, "[exclude-schema]\nscratch\n").expect("filters");
    let clone = pgflit("clone --follow --new-tables warn --plugin").arg(plugin);
    clone.arg("--filters").arg(filters).between(pair)
}

/// It ends at the latest when its end is set, naming `table`, and whoever goes on is told again.
#[track_caller]
fn refused(following: Following<'_>, plugin: &str, table: &str) {
    let pair = following.pair;
    end_now(pair);
    let told = following.run.wait_for_exit().assert_code(6);
    for ended in [told, clone(pair, plugin).resume().run().assert_code(6)] {
        ended
            .assert_stderr(&format!("public.{table} "))
            .assert_stderr("tells tables by their names only")
            .assert_stderr("--restart");
    }
}

#[test]
fn a_table_that_takes_the_name_of_one_that_is_renamed_is_not_taken_for_it() {
    with_each(&BY_NAME, |pair, plugin| {
        let following = start(pair, plugin);
        pair.source.sql(
            "CREATE TABLE one_new (LIKE one INCLUDING ALL); INSERT INTO one_new VALUES (7, 7);
             BEGIN; ALTER TABLE one RENAME TO one_old; ALTER TABLE one_new RENAME TO one; COMMIT;
             INSERT INTO one VALUES (8, 8)",
        );
        refused(following, plugin, "one");
    });
}

#[test]
fn changes_of_a_table_that_has_the_name_of_one_that_is_left_out_are_not_left_out_in_silence() {
    with_each(&BY_NAME, |pair, plugin| {
        let following = start(pair, plugin);
        pair.source.sql(
            "INSERT INTO scratch.out VALUES (1, 1); DROP TABLE scratch.out;
             ALTER TABLE one RENAME TO out; ALTER TABLE out SET SCHEMA scratch;
             DELETE FROM scratch.out WHERE id = 1; TRUNCATE scratch.out",
        );
        refused(following, plugin, "one");
    });
}

#[test]
fn changes_under_a_name_that_a_table_had_for_a_while_are_not_left_out_in_silence() {
    with_each(&BY_NAME, |pair, plugin| {
        let following = start(pair, plugin);
        following.run.signal(Signal::SIGTERM);
        following.run.wait_for_exit().assert_code(9);
        pair.source.sql(
            "ALTER TABLE one RENAME TO meanwhile; DELETE FROM meanwhile WHERE id = 1;
             ALTER TABLE meanwhile RENAME TO one",
        );
        let run = clone(pair, plugin).resume().start();
        refused(Following { pair, run }, plugin, "one");
    });
}

const EXCHANGED: &str = "BEGIN; ALTER TABLE one RENAME TO three; ALTER TABLE two RENAME TO one;
    ALTER TABLE three RENAME TO two; COMMIT";

#[test]
fn tables_that_exchange_their_names_for_a_while_are_not_taken_for_each_other() {
    with_each(&BY_NAME, |pair, plugin| {
        let following = start(pair, plugin);
        pair.source.sql(EXCHANGED);
        pair.source.sql("INSERT INTO one VALUES (100, 100)");
        pair.source.sql(EXCHANGED);
        refused(following, plugin, "one");
    });
}

#[test]
fn a_table_with_another_owner_or_other_privileges_is_the_same_table() {
    with_each(&BY_NAME, |pair, plugin| {
        pair.source.sql("CREATE ROLE ann; CREATE ROLE bob");
        pair.target.sql("CREATE ROLE ann; CREATE ROLE bob");
        let following = start(pair, plugin);
        pair.source.sql(
            "ALTER TABLE one OWNER TO ann; GRANT ALL ON one TO bob; GRANT USAGE ON TYPE two TO bob;
             INSERT INTO one VALUES (9, 9); TRUNCATE two; INSERT INTO two VALUES (9, 9)",
        );
        following.run.signal(Signal::SIGTERM);
        following.run.wait_for_exit().assert_code(9);
        pair.source
            .sql("ALTER TABLE one OWNER TO bob; INSERT INTO one VALUES (10, 10)");
        let run = clone(pair, plugin).resume().start();
        Following { pair, run }.end();
        let rows = "SELECT id, n FROM one UNION ALL SELECT id, n FROM two ORDER BY 1, 2";
        assert_eq!(pair.target.rows(rows), pair.source.rows(rows));
    });
}

#[test]
fn pgoutput_tells_when_a_name_stands_for_another_table_and_follows_other_new_names() {
    let pair = &Pair::new();
    let plugin = "pgoutput";
    let following = start(pair, plugin);
    let renamed = "ALTER TABLE two RENAME TO four";
    pair.source.sql(renamed);
    pair.source.sql("INSERT INTO four VALUES (4, 4)");
    let ended = following.run.wait_for_exit().assert_code(7);
    ended.assert_stderr("public.four on the target does not fit");
    pair.target.sql(renamed);
    let run = clone(pair, plugin).resume().start();
    let following = Following { pair, run }.until_live();
    eventually(SOON, "the row arrives", || {
        pair.target.number("SELECT count(*) FROM four") == 3
    });
    pair.source.sql(
        "BEGIN; ALTER TABLE one RENAME TO three; ALTER TABLE four RENAME TO one; COMMIT;
         INSERT INTO one VALUES (100, 100);
         BEGIN; ALTER TABLE one RENAME TO four; ALTER TABLE three RENAME TO one; COMMIT;
         INSERT INTO one VALUES (11, 11)",
    );
    end_now(pair);
    let told = following.run.wait_for_exit().assert_code(6);
    for ended in [told, clone(pair, plugin).resume().run().assert_code(6)] {
        ended
            .assert_stderr("the name public.one means another table on the source")
            .assert_stderr("--restart");
    }
    assert_eq!(
        pair.target.number("SELECT count(*) FROM one WHERE id > 10"),
        0
    );
}
