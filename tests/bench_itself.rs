//! The bench sees what it is there to see. A comparison that calls everything equal would let
//! every other test pass.

use std::time::Duration;

use crate::support::{Pair, Pgbench, assert_equal, differences, eventually, pgflit};

const TABLES: &str = "
    CREATE TABLE fruit (id bigserial PRIMARY KEY, name text NOT NULL);
    INSERT INTO fruit (name) SELECT 'fruit ' || n FROM generate_series(1, 100) n;
    CREATE TABLE log (line text);
    INSERT INTO log VALUES ('same'), ('same'), (NULL), ('with
newline');
    CREATE TABLE \"Odd | name\" (\"a column\" int);
    INSERT INTO \"Odd | name\" VALUES (1);";

/// Two databases with the same content, and what the comparison says after `change` to the target.
#[track_caller]
fn after(change: &str) -> String {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    pair.target.sql(TABLES);
    assert_equal(&pair.source, &pair.target);
    pair.target.sql(change);
    differences(&pair.source, &pair.target).join("\n")
}

#[test]
fn a_changed_row_is_shown_from_both_sides() {
    let found = after("UPDATE fruit SET name = 'pear' WHERE id = 7");
    assert!(found.contains("table public.fruit: 100 rows on the source, 100 on the target"));
    assert!(
        found.contains("only on the source, 1 times: (7,\"fruit 7\")"),
        "{found}"
    );
    assert!(
        found.contains("only on the target, 1 times: (7,pear)"),
        "{found}"
    );
}

#[test]
fn a_row_applied_twice_is_found_without_a_key() {
    let found = after("INSERT INTO log VALUES ('same')");
    assert!(
        found.contains("only on the target, 1 times: (same)"),
        "{found}"
    );
}

#[test]
fn rows_swapped_for_duplicates_are_found_though_the_count_is_right() {
    let found = after("UPDATE log SET line = 'same' WHERE line IS NULL");
    assert!(found.contains("only on the source, 1 times: ()"), "{found}");
}

#[test]
fn a_sequence_that_is_behind_is_found() {
    let found = after("SELECT setval('fruit_id_seq', 99)");
    assert!(found.contains("sequences:"), "{found}");
    assert!(found.contains("99"), "{found}");
}

#[test]
fn a_sequence_that_was_never_called_differs_from_one_that_was() {
    let found = after("SELECT setval('fruit_id_seq', 100, false)");
    assert!(found.contains("sequences:"), "{found}");
}

#[test]
fn what_is_missing_and_what_is_extra_is_found() {
    let found = after(
        "ALTER TABLE fruit DROP CONSTRAINT fruit_pkey;
         CREATE TABLE extra ();
         DROP TABLE \"Odd | name\";
         ALTER TABLE log ALTER line SET DEFAULT 'x'",
    );
    for claim in [
        "indexes:",
        "constraints:",
        "columns:",
        "table public.extra is only on the target",
        "table public.\"Odd | name\" is missing on the target",
    ] {
        assert!(found.contains(claim), "no {claim:?} in\n{found}");
    }
}

#[test]
fn what_pgflit_keeps_on_the_target_is_no_difference() {
    let found = after("CREATE SCHEMA pgflit; CREATE TABLE pgflit.progress (lsn pg_lsn)");
    assert_eq!(found, "");
}

#[test]
fn traffic_runs_until_stopped_and_not_longer() {
    let pair = Pair::new();
    Pgbench::init(&pair.source, 1);
    let traffic = Pgbench::start(&pair.source);
    traffic.wait_for(10);
    let transactions = traffic.stop();
    assert!(transactions >= 10);
    let now = pair.source.number("SELECT count(*) FROM pgbench_history");
    assert_eq!(now, transactions);
}

#[test]
fn waiting_in_vain_names_what_was_waited_for() {
    let vain = std::panic::catch_unwind(|| {
        eventually(Duration::from_millis(1), "pigs fly", || false);
    });
    let message = *vain.unwrap_err().downcast::<String>().unwrap();
    assert_eq!(message, "waited 1ms in vain until pigs fly");
}

#[test]
fn a_run_is_given_its_arguments_and_gives_back_its_end() {
    let finished = pgflit("version").run();
    assert!(finished.code().is_some());
}
