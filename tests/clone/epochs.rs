//! A copy that is killed and goes on under another snapshot.

use nix::sys::signal::Signal;

use super::Following;
use crate::support::{Held, Pair, SOON, eventually};

/// Copying `slow` waits, on the target, while someone holds the advisory lock 7 there.
const TABLES: &str = "
    CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END $$;
    CREATE TABLE customer (id int PRIMARY KEY, email text UNIQUE, visits int NOT NULL DEFAULT 0);
    CREATE TABLE slow (id serial PRIMARY KEY, customer int NOT NULL REFERENCES customer,
        note text UNIQUE, CHECK (gate()));
    CREATE TABLE slow_log (line text, CHECK (gate()));
    CREATE TABLE log (line text, customer int);
    ALTER TABLE log REPLICA IDENTITY FULL;
    ALTER TABLE slow_log REPLICA IDENTITY FULL;
    INSERT INTO customer SELECT n, 'c' || n FROM generate_series(1, 1000) n;
    INSERT INTO slow (customer, note) SELECT n, 'n' || n FROM generate_series(1, 1000) n;
    INSERT INTO log SELECT 'same', n % 3 FROM generate_series(1, 30) n;
    INSERT INTO slow_log SELECT 'same' FROM generate_series(1, 30) n;";

/// Changes to what is copied and to what is not, with values that move from row to row so that
/// a table of two moments would not even hold its unique keys.
const WRITES: [&str; 6] = [
    "INSERT INTO customer SELECT n, 'c' || n FROM generate_series(1001, 1100) n;
     INSERT INTO slow (customer, note) SELECT n, 'n' || n FROM generate_series(1001, 1100) n",
    "DELETE FROM slow WHERE customer BETWEEN 1 AND 50;
     DELETE FROM customer WHERE id BETWEEN 1 AND 50;
     INSERT INTO customer SELECT n, 'c' || n - 2000 FROM generate_series(2001, 2050) n",
    "UPDATE customer SET visits = visits + 1 WHERE id % 7 = 0",
    "UPDATE slow SET id = id + 100000 WHERE id % 10 = 0;
     DELETE FROM log WHERE ctid IN (SELECT ctid FROM log WHERE customer = 1 LIMIT 4);
     UPDATE log SET line = 'other' WHERE ctid IN (SELECT ctid FROM log WHERE customer = 2 LIMIT 3)",
    "INSERT INTO log SELECT 'same', 0 FROM generate_series(1, 5);
     DELETE FROM slow_log WHERE ctid IN (SELECT ctid FROM slow_log LIMIT 11);
     INSERT INTO slow_log VALUES ('same'), ('same'), ('more')",
    "UPDATE customer SET email = 'swap' WHERE id = 100;
     UPDATE customer SET email = 'c100' WHERE id = 101;
     UPDATE customer SET email = 'c101' WHERE id = 100",
];

#[test]
fn tables_copied_in_two_epochs_with_writes_in_between_are_exact() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let following = Following::start(&pair);
    for table in ["public.customer", "public.log"] {
        following.run.wait_for_stderr(&format!("copied {table}:"));
    }
    eventually(SOON, "both slow tables are being copied", || {
        pair.target
            .number("SELECT count(*) FROM pg_stat_progress_copy")
            == 2
    });
    for write in &WRITES[..3] {
        pair.source.sql(write);
    }
    following.run.signal(Signal::SIGKILL);
    following.run.wait_for_exit();
    for write in &WRITES[3..] {
        pair.source.sql(write);
    }
    gate.commit();
    let following = Following::resume(&pair).until_live();
    let finished = following.end_equal();
    finished.assert_stderr("2 of 4 tables are copied already");
    let epochs = pair
        .target
        .sql("SELECT string_agg(table_name || epoch, ' ' ORDER BY table_name) FROM pgflit.part");
    assert_eq!(epochs, "customer1 log1 slow2 slow_log2");
}

#[test]
fn a_copy_killed_at_each_step_goes_on_from_there() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let marks = [
        "making replication slot",
        "replication slot pgflit made",
        "prefetching changes",
        "epoch 1",
        "tables, ",
        "copied public.",
        "indexes built",
        "the base copy is complete",
        "catching up from disk",
    ];
    for (at, mark) in marks.into_iter().enumerate() {
        // Each step is passed by exactly one of the runs, so a mark may never come again.
        let following = match at {
            0 => Following::start(&pair),
            _ => Following::resume(&pair),
        };
        let mut run = following.run;
        eventually(SOON, &format!("{mark} or live replay"), || {
            run.stderr_contains(mark) || run.stderr_contains("live replay") || !run.is_running()
        });
        assert!(run.is_running(), "it ended by itself before {mark}");
        run.signal(Signal::SIGKILL);
        run.wait_for_exit();
        pair.source.sql(WRITES[2 + at % 2]);
    }
    Following::resume(&pair).until_live().end_equal();
}
