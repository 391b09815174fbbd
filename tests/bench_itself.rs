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
    assert!(
        found.contains("only on the target, 1 times: public.fruit_id_seq|99|t"),
        "{found}"
    );
}

#[test]
fn a_sequence_that_was_never_called_differs_from_one_that_was() {
    let found = after("SELECT setval('fruit_id_seq', 100, false)");
    assert!(
        found.contains("only on the target, 1 times: public.fruit_id_seq|100|f"),
        "{found}"
    );
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

/// Something of every kind that is compared.
const OF_EVERY_KIND: &str = "
    CREATE SCHEMA \"Shop\"; COMMENT ON SCHEMA \"Shop\" IS 'it''s';
    CREATE TYPE mood AS ENUM ('sad', 'ok'); ALTER TYPE mood ADD VALUE 'happy' BEFORE 'ok';
    CREATE DOMAIN positive AS int CHECK (VALUE > 0);
    CREATE TYPE pair AS (a int, b text);
    CREATE TABLE \"Shop\".\"Order\" (
        id int GENERATED ALWAYS AS IDENTITY, gone int, n positive DEFAULT 1, m mood,
        double int GENERATED ALWAYS AS (n * 2) STORED, p pair, note text COLLATE \"C\",
        PRIMARY KEY (id), EXCLUDE USING btree (n WITH =)) WITH (fillfactor = 70);
    ALTER TABLE \"Shop\".\"Order\" DROP COLUMN gone;
    INSERT INTO \"Shop\".\"Order\" (n, m, p, note) VALUES (1, 'happy', (1, 'x'), E'a\\tb'), (2, NULL, NULL, '');
    COMMENT ON COLUMN \"Shop\".\"Order\".n IS 'count';
    CREATE INDEX ON \"Shop\".\"Order\" (lower(note)) WHERE n > 1;
    ALTER TABLE \"Shop\".\"Order\" REPLICA IDENTITY FULL;
    CREATE TABLE parts (d date, v float8) PARTITION BY RANGE (d);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE INDEX ON parts (d);
    INSERT INTO parts VALUES ('2026-02-03', 0.1), ('2026-02-03', 'NaN');
    CREATE TABLE child (extra bytea) INHERITS (\"Shop\".\"Order\");
    CREATE VIEW seen AS SELECT count(*) FROM parts;
    CREATE MATERIALIZED VIEW kept AS SELECT * FROM parts;
    CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
    CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int);
    CREATE TRIGGER tt BEFORE INSERT ON parts FOR EACH ROW EXECUTE FUNCTION t();
    ALTER TABLE parts DISABLE TRIGGER tt;
    ALTER TABLE child ENABLE ROW LEVEL SECURITY;
    CREATE POLICY mine ON child USING (id > 0);
    GRANT SELECT ON parts TO PUBLIC; REVOKE EXECUTE ON FUNCTION t() FROM PUBLIC;
    CREATE SEQUENCE untouched START 7; CREATE SEQUENCE cycling MINVALUE -5 CYCLE;
    SELECT nextval('cycling');
    CREATE EXTENSION pg_trgm;
    SELECT lo_from_bytea(4711, 'large');";

#[test]
fn what_pg_dump_carries_over_is_equal() {
    let pair = Pair::new();
    pair.source.sql(OF_EVERY_KIND);
    let dump = pair
        .source
        .program("pg_dump")
        .arg(pair.source.uri())
        .output();
    let dump = dump.expect("pg_dump is installed with the server");
    pair.target.sql(&String::from_utf8(dump.stdout).unwrap());
    assert_equal(&pair.source, &pair.target);
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
