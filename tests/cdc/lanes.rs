//! `--apply-jobs`: batches that are written at the same time come to what they are one after the other.

use std::fmt::Write as _;

use super::Capture;
use super::together::{SEATS, random_writes};
use crate::support::{Pgflit, assert_equal};

/// Every transaction is a batch.
fn over_lanes(capture: &Capture) -> Pgflit {
    let apply = capture.apply().arg("--apply-jobs=4");
    apply.env("PGFLIT_LANE_CHANGES", "1")
}

/// Captures what `writes` do, each statement a transaction.
fn captured(tables: &str, writes: &str) -> Capture {
    let capture = Capture::of(tables);
    capture.pair.source.sql(writes);
    capture.end_now();
    capture.receive().run().assert_code(0);
    capture.transform().run().assert_code(0);
    capture
}

/// The number of batches that `said`'s last line names before `what`.
#[track_caller]
fn batches(said: &str, what: &str) -> u32 {
    let (before, _) = said.split_once(what).expect("it is told");
    let number = before.rsplit([' ', '\n']).find(|word| !word.is_empty());
    number.expect("a word").parse().expect("a number")
}

/// Arrays are written row by row, so that a transaction takes a while before it comes to its last rows.
const TABLES: &str = "
    CREATE TABLE people (id int PRIMARY KEY, email text UNIQUE, tags int[]);
    INSERT INTO people SELECT n, 'm' || n, '{}' FROM generate_series(1, 9) n;
    CREATE TABLE bulk (id int PRIMARY KEY, n int, tags int[]);
    INSERT INTO bulk SELECT n, 0, '{}' FROM generate_series(1, 2000) n;
    CREATE TABLE more (id int PRIMARY KEY, n int, tags int[]);
    INSERT INTO more SELECT * FROM bulk;
    CREATE TABLE small (id int PRIMARY KEY, n int)";

#[test]
fn a_value_that_goes_from_row_to_row_goes_in_the_order_of_the_source() {
    let capture = captured(
        TABLES,
        "BEGIN; UPDATE bulk SET n = 1; UPDATE people SET email = 'z' WHERE id = 1;
         UPDATE people SET email = 'y' WHERE id = 1; COMMIT;
         UPDATE people SET email = 'z' WHERE id = 2;
         INSERT INTO small VALUES (1, 1);
         BEGIN; UPDATE more SET n = 2; UPDATE people SET email = 'q' WHERE id = 4; COMMIT;
         UPDATE people SET email = 'm4' WHERE id = 5;
         INSERT INTO small VALUES (2, 1);",
    );
    let ended = over_lanes(&capture).run().assert_code(0);
    assert_equal(&capture.pair.source, &capture.pair.target);
    // One had what an earlier one needed, another needed what an earlier one had.
    assert_eq!(batches(&ended.stderr, " batches went over lanes"), 6);
    assert!(batches(&ended.stderr, " were done again") >= 2);
}

#[test]
fn transactions_of_other_rows_go_at_the_same_time_and_barriers_hold() {
    let mut writes = String::new();
    for n in 0..300 {
        let table = ["people", "bulk"][n % 2];
        write!(
            writes,
            "INSERT INTO {table} VALUES ({0}, {0}, '{{}}'); UPDATE {table} SET tags = '{{1}}' WHERE id = {0};",
            n + 5000
        )
        .expect("written");
        match n % 50 {
            10 => writes.push_str("TRUNCATE small;"),
            20 => writes.push_str("UPDATE bulk SET id = id + 10000 WHERE id < 50;"),
            30 => writes.push_str("BEGIN; INSERT INTO small SELECT n, 1 FROM generate_series(1, 90) n; SAVEPOINT a; DELETE FROM bulk; ROLLBACK TO a; COMMIT;"),
            _ => {}
        }
    }
    let capture = captured(TABLES, &writes);
    let ended = over_lanes(&capture).run().assert_code(0);
    assert_equal(&capture.pair.source, &capture.pair.target);
    assert!(batches(&ended.stderr, " batches went over lanes") > 50);
}

#[test]
fn random_changes_under_several_unique_indexes_come_to_the_same() {
    let capture = Capture::of(SEATS);
    for seed in [1, rand::random()] {
        capture.pair.source.sql(&random_writes(seed));
        capture.end_now();
        capture.receive().run().assert_code(0);
        capture.transform().run().assert_code(0);
        over_lanes(&capture).run().assert_code(0);
        assert_equal(&capture.pair.source, &capture.pair.target);
    }
}

#[test]
fn a_row_that_is_refused_is_named_and_all_before_it_is_there_and_nothing_after() {
    let capture = captured(
        "CREATE TABLE t (id int PRIMARY KEY, n int)",
        &(1..=120)
            .map(|n| format!("INSERT INTO t VALUES ({n}, {n});"))
            .collect::<String>(),
    );
    let target = &capture.pair.target;
    target.sql("ALTER TABLE t ADD CONSTRAINT fewer CHECK (n <> 77)");
    over_lanes(&capture)
        .run()
        .assert_code(7)
        .assert_stderr("public.t")
        .assert_stderr("fewer")
        .assert_stderr("id=77");
    let there = "SELECT count(*) || ' ' || max(id) FROM t";
    assert_eq!(target.rows(there), [["76 76"]]);
    target.sql("ALTER TABLE t DROP CONSTRAINT fewer");
    over_lanes(&capture).run().assert_code(0);
    assert_equal(&capture.pair.source, target);
}

#[test]
fn killed_at_any_commit_it_goes_on_exactly() {
    let writes: String = (1..=60)
        .map(|n| {
            format!("INSERT INTO small VALUES ({n}, 0); UPDATE bulk SET n = n + 1 WHERE id = {n};")
        })
        .collect();
    let capture = captured(TABLES, &writes);
    for place in [
        "group sent:7",
        "group committed:5",
        "group sent:1",
        "group committed:11",
    ] {
        let killed = over_lanes(&capture).env("PGFLIT_KILL_AT", place).run();
        assert_eq!(killed.code(), None, "{place}");
    }
    over_lanes(&capture).run().assert_code(0);
    assert_equal(&capture.pair.source, &capture.pair.target);
}

#[test]
fn the_position_goes_from_the_origin_into_the_table_once() {
    let capture = captured(TABLES, "INSERT INTO small VALUES (1, 1)");
    capture.apply().run().assert_code(0);
    let more = |id: u32| {
        let insert = format!("INSERT INTO small VALUES ({id}, 1); UPDATE small SET n = n + 1");
        capture.pair.source.sql(&insert);
        capture.end_now();
        capture.receive().run().assert_code(0);
        capture.transform().run().assert_code(0);
    };
    more(2);
    let origin = over_lanes(&capture).arg("--progress-tracking=origin");
    origin
        .run()
        .assert_code(1)
        .assert_stderr("a replication origin serves one connection");
    over_lanes(&capture)
        .run()
        .assert_code(0)
        .assert_stderr("progress is kept in the table pgflit.progress");
    assert_equal(&capture.pair.source, &capture.pair.target);
    more(3);
    capture.apply().run().assert_code(0);
    assert_equal(&capture.pair.source, &capture.pair.target);
}

#[test]
fn an_alter_table_that_waits_for_one_lane_and_that_another_waits_for_does_not_hold_them() {
    let capture = captured(
        TABLES,
        "BEGIN; UPDATE bulk SET n = 1; UPDATE more SET n = 1; INSERT INTO small VALUES (1, 1); COMMIT;
         INSERT INTO small VALUES (2, 1);
         INSERT INTO people VALUES (50, 'a', '{}');",
    );
    let target = &capture.pair.target;
    std::thread::scope(|scope| {
        let altered = scope.spawn(|| {
            target.sql(
                "DO $$ BEGIN
                    LOOP
                        EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE relation = 'small'::regclass
                            AND mode = 'RowExclusiveLock') OR EXISTS (SELECT FROM small);
                        PERFORM pg_sleep(0.01);
                    END LOOP;
                 END $$;
                 ALTER TABLE small ADD COLUMN more int",
            );
        });
        over_lanes(&capture).run().assert_code(0);
        altered.join().expect("altered");
    });
    target.sql("ALTER TABLE small DROP COLUMN more");
    assert_equal(&capture.pair.source, target);
}

#[test]
fn nothing_is_committed_where_somebody_else_has_moved_the_position() {
    let capture = captured(TABLES, "INSERT INTO small VALUES (1, 1)");
    let target = &capture.pair.target;
    let apply = || capture.apply().arg("--progress-tracking=table").run();
    target.sql(
        "CREATE FUNCTION moves() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            UPDATE pgflit.progress SET lsn = '0/1'; RETURN NULL; END $$;
         CREATE TRIGGER moves AFTER INSERT ON small FOR EACH ROW EXECUTE FUNCTION moves();
         ALTER TABLE small ENABLE ALWAYS TRIGGER moves",
    );
    let ended = apply();
    assert_eq!(target.number("SELECT count(*) FROM small"), 0);
    assert_ne!(ended.code(), Some(0));
    ended.assert_stderr("someone else has moved it");
    target.sql("DROP FUNCTION moves CASCADE");
    apply().assert_code(0);
    assert_equal(&capture.pair.source, target);
}

#[test]
fn an_origin_that_never_moved_goes_into_the_table_as_the_beginning() {
    // Only positions have passed.
    let capture = Capture::of("CREATE TABLE nothing (id int PRIMARY KEY)");
    capture.end_now();
    capture.receive().run().assert_code(0);
    capture.transform().run().assert_code(0);
    capture.apply().run().assert_code(0);
    capture.pair.source.sql("INSERT INTO nothing VALUES (1)");
    capture.end_now();
    capture.receive().run().assert_code(0);
    capture.transform().run().assert_code(0);
    over_lanes(&capture).run().assert_code(0);
    assert_equal(&capture.pair.source, &capture.pair.target);
}
