//! `kill -9` of the whole tree at every named place of the crash stories, with writes running.
//!
//! The places are compiled into builds with debug assertions only.
#![cfg(debug_assertions)]

use std::fs;
use std::time::Duration;

use pgflit::base::failpoint::{PLACES, PLACES_OF_CLEANUP};

use super::nothing_is_left;
use crate::support::{
    Pair, Run, SOON, Workload, assert_equal, eventually, let_pass, long_tests_wanted, pgflit,
};

/// Beside the workload's tables: what makes every step of a copy have something to do.
const TABLES: &str = "
    CREATE TABLE customer (id int PRIMARY KEY, email text UNIQUE);
    INSERT INTO customer SELECT n, 'c' || n FROM generate_series(1, 500) n;
    CREATE TABLE invoice (id serial PRIMARY KEY, customer int NOT NULL REFERENCES customer, note text);
    COMMENT ON CONSTRAINT invoice_customer_fkey ON invoice IS 'made last';
    INSERT INTO invoice (customer, note) SELECT n, 'n' || n FROM generate_series(1, 500) n;
    CREATE INDEX ON invoice (note);
    CREATE TABLE ranged (id bigint PRIMARY KEY, body text);
    ALTER TABLE ranged ALTER body SET STORAGE EXTERNAL;
    INSERT INTO ranged SELECT n, repeat(md5(n::text), 80) FROM generate_series(1, 400) n;
    CREATE TABLE duplicates (n int, line text);
    ALTER TABLE duplicates REPLICA IDENTITY FULL;
    INSERT INTO duplicates SELECT n % 7, repeat('same', 200) FROM generate_series(1, 1000) n;
    CREATE TABLE fixed AS SELECT n FROM generate_series(1, 100) n;
    CREATE MATERIALIZED VIEW totals AS SELECT n % 10 AS tens, count(*) FROM fixed GROUP BY 1;
    CREATE MATERIALIZED VIEW of_totals AS SELECT sum(count) FROM totals;
    CREATE FUNCTION noticed() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    CREATE EVENT TRIGGER notices ON ddl_command_end EXECUTE FUNCTION noticed();
    SELECT lo_from_bytea(0, 'large') FROM generate_series(1, 50);";

/// Rows that move from part to part with values that the stream leaves out, from row to row of
/// those that are the same, and between tables that refer to each other.
const WRITES: [&str; 4] = [
    "UPDATE ranged SET id = id + 100000 WHERE id % 20 = 3; UPDATE ranged SET id = -id WHERE id % 20 = 7",
    "DELETE FROM duplicates WHERE ctid IN (SELECT ctid FROM duplicates LIMIT 5);
     UPDATE duplicates SET n = n + 1 WHERE ctid IN (SELECT ctid FROM duplicates WHERE n = 2 LIMIT 9)",
    "INSERT INTO customer SELECT max(id) + 1, 'c' || max(id) + 1 FROM customer;
     INSERT INTO invoice (customer, note) SELECT max(id), 'late' FROM customer;
     DELETE FROM invoice WHERE id % 50 = 11",
    "BEGIN; SAVEPOINT a; INSERT INTO ranged SELECT max(id) + 1, repeat('x', 3000) FROM ranged;
     ROLLBACK TO a; INSERT INTO ranged SELECT min(id) - 1, repeat('y', 3000) FROM ranged; COMMIT;
     SELECT lo_from_bytea(0, 'late')",
];

const OPTIONS: &str = "clone --follow --drop-if-exists --split-tables-larger-than 200kB \
    --table-jobs 2 --compress-segments";

struct Migration {
    pair: Pair,
    runs: usize,
    /// Whether the end is known, after which nobody writes.
    has_end: bool,
}

impl Migration {
    fn of(pair: Pair) -> Self {
        pair.source.sql(TABLES);
        Self {
            pair,
            runs: 0,
            has_end: false,
        }
    }

    /// Starts it, or goes on; it is killed at `place`, if there is one.
    fn start(&mut self, place: Option<&str>) -> Run {
        let run = pgflit(OPTIONS).between(&self.pair);
        let run = match self.runs {
            0 => run,
            _ => run.resume(),
        };
        self.runs += 1;
        if !self.has_end {
            self.pair.source.sql(WRITES[self.runs % WRITES.len()]);
        }
        match place {
            Some(place) => run.env("PGFLIT_KILL_AT", place).start(),
            None => run.start(),
        }
    }

    /// Runs until it is killed at `place`.
    fn until_killed_at(&mut self, place: &str) {
        println!("{place}");
        let mut run = self.start(Some(place));
        eventually(2 * SOON, &format!("it is killed at {place}"), || {
            if run.stderr_contains("live replay") {
                // What comes only now and then.
                let_pass(Duration::from_millis(100));
                self.pair.source.sql("SELECT pg_switch_wal()");
            }
            !run.is_running()
        });
        let ended = run.wait_for_exit();
        assert_eq!(ended.code(), None, "{place}: {}", ended.stderr);
        ended.assert_stderr(&format!("killed at {place}"));
    }

    fn set_end(&mut self) {
        self.has_end = true;
        let set = pgflit("sentinel set endpos --current").dir(self.pair.dir());
        set.source(&self.pair.source).run().assert_code(0);
    }

    /// Nobody else writes any more: it goes on, and ends at a position behind the copy.
    fn ends_equal(&mut self) {
        let run = self.start(None);
        run.wait_for_stderr("live replay");
        self.set_end();
        run.wait_for_exit().assert_code(0);
        self.is_equal_and_cleaned_up();
    }

    /// It goes on to the end that is set.
    fn ends(&mut self) {
        self.start(None).wait_for_exit().assert_code(0);
        self.is_equal_and_cleaned_up();
    }

    fn is_equal_and_cleaned_up(&self) {
        assert_equal(&self.pair.source, &self.pair.target);
        let cleanup = pgflit("stream cleanup").between(&self.pair);
        cleanup.run().assert_code(0);
        nothing_is_left(&self.pair);
    }
}

/// Where the end has to be known first.
const OF_THE_END: &[&str] = &[
    "enter Finished",
    "large objects compared",
    "sequences set",
    "run finished",
];

fn is_of_the_end(place: &&str) -> bool {
    OF_THE_END.contains(place)
}

/// One migration, killed at every `stride`th place from `first` on.
fn killed_at_every(first: usize, stride: usize) {
    let mut migration = Migration::of(Pair::new());
    // An even seed: transactions in progress are streamed.
    let workload = Workload::start(&migration.pair.source, 2, true);
    let places = PLACES.iter().skip(first).step_by(stride).copied();
    let (at_end, before): (Vec<_>, Vec<_>) = places.partition(is_of_the_end);
    for place in before {
        migration.until_killed_at(place);
    }
    workload.stop();
    migration.set_end();
    for place in at_end {
        migration.until_killed_at(place);
    }
    migration.ends();
}

/// Side by side, so that none takes long.
macro_rules! every_sixth_place {
    ($($name:ident $first:literal,)*) => {
        $(#[test] fn $name() { killed_at_every($first, 6); })*
    };
}

every_sixth_place! {
    killed_at_every_sixth_place_from_0 0, killed_at_every_sixth_place_from_1 1,
    killed_at_every_sixth_place_from_2 2, killed_at_every_sixth_place_from_3 3,
    killed_at_every_sixth_place_from_4 4, killed_at_every_sixth_place_from_5 5,
}

/// Batches of transactions until every kind of change has happened often.
const ENOUGH: u32 = 30;

/// Each place alone, in a migration of its own.
#[test]
fn killed_at_each_place_alone() {
    if !long_tests_wanted() {
        return;
    }
    for place in PLACES {
        let mut migration = Migration::of(Pair::new());
        let workload = Workload::start(&migration.pair.source, 2, true);
        if is_of_the_end(place) {
            workload.wait_for(ENOUGH);
            workload.stop();
            migration.start(None).wait_for_stderr("live replay");
            migration.set_end();
            migration.until_killed_at(place);
            migration.ends();
        } else {
            migration.until_killed_at(place);
            workload.wait_for(ENOUGH);
            workload.stop();
            migration.ends_equal();
        }
    }
}

/// What takes everything away can be killed and run again.
#[test]
fn a_cleanup_that_is_killed_is_run_again() {
    let mut migration = Migration::of(Pair::new());
    let run = migration.start(None);
    run.wait_for_stderr("live replay");
    drop(run);
    for place in PLACES_OF_CLEANUP {
        println!("{place}");
        let cleanup = || pgflit("stream cleanup").between(&migration.pair);
        let killed = cleanup().env("PGFLIT_KILL_AT", place).run();
        killed.assert_stderr(&format!("killed at {place}"));
    }
    pgflit("stream cleanup")
        .between(&migration.pair)
        .run()
        .assert_code(0);
    nothing_is_left(&migration.pair);
}

/// Without change capture: rows that are there need no snapshot to go on.
#[test]
fn a_plain_copy_that_is_killed_behind_its_last_row_is_ended_by_the_next_run() {
    let places = [
        "indexes done",
        "foreign keys added",
        "view refreshed",
        "sequences done",
        "ledger dropped",
        "run finished",
    ];
    let pair = Pair::new();
    pair.source.sql(TABLES);
    for (at, place) in places.into_iter().enumerate() {
        println!("{place}");
        let clone = pgflit("clone").between(&pair).env("PGFLIT_KILL_AT", place);
        let clone = if at == 0 { clone } else { clone.resume() };
        clone.run().assert_stderr(&format!("killed at {place}"));
    }
    let resumed = pgflit("clone").resume().between(&pair).run();
    resumed.assert_code(0);
    assert_equal(&pair.source, &pair.target);
    let control = "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgflit'";
    assert_eq!(pair.target.number(control), 0);
    let summary = fs::read_to_string(pair.dir().join("summary.json")).expect("a summary");
    let summary: serde_json::Value = serde_json::from_str(&summary).expect("JSON");
    assert!(summary["run"]["finished_at"].is_string(), "{summary}");
}
