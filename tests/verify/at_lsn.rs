//! `compare data --at-lsn`: exact while the source is written to and a migration follows it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use nix::sys::signal::Signal;

use crate::support::{Database, Held, Pair, Run, SOON, eventually, pgflit};

/// Rows that move between two tables: their sum is the same at each commit, and at no other moment.
const TABLES: &str = "
    CREATE TABLE left_side (id int PRIMARY KEY, amount int NOT NULL, at timestamptz DEFAULT now());
    CREATE TABLE right_side (id int PRIMARY KEY, amount int NOT NULL, at timestamptz DEFAULT now());
    INSERT INTO left_side SELECT i, 1000 FROM generate_series(1, 200) i;
    INSERT INTO right_side SELECT i, 1000 FROM generate_series(1, 200) i;
    CREATE TABLE log (id bigserial PRIMARY KEY, note text)";

/// Writes until dropped: several sessions, with and without waiting for the disk.
struct Writers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Writers {
    fn start(database: &Database) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..3)
            .map(|writer| {
                let (stop, database) = (Arc::clone(&stop), database.clone());
                std::thread::spawn(move || {
                    let mut round = 0;
                    while !stop.load(Ordering::Relaxed) {
                        round += 1;
                        let transfer = format!(
                            "BEGIN; SET LOCAL synchronous_commit = {};
                             UPDATE left_side SET amount = amount - 1, at = clock_timestamp()
                              WHERE id = {writer} + 1 + {round} % 190;
                             INSERT INTO log (note) VALUES ('{writer} {round}');
                             UPDATE right_side SET amount = amount + 1 WHERE id = {writer} + 1 + {round} % 190;
                             COMMIT;",
                            if round % 2 == 0 { "on" } else { "off" }
                        );
                        database.sql(&transfer.repeat(20));
                    }
                })
            })
            .collect();
        Self { stop, threads }
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn following(pair: &Pair) -> Run {
    let run = pgflit("clone").follow().between(pair).start();
    run.wait_for_stderr("applying from");
    run
}

#[track_caller]
fn compare(pair: &Pair) -> crate::support::Finished {
    pgflit("compare data --at-lsn").between(pair).run()
}

fn end(pair: &Pair, run: Run) {
    pgflit("sentinel set endpos --current")
        .source(&pair.source)
        .dir(pair.dir())
        .run()
        .assert_code(0);
    run.wait_for_exit().assert_code(0);
}

#[test]
fn equal_databases_are_equal_while_writes_run_and_one_changed_byte_is_found() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let run = following(&pair);
    let writers = Writers::start(&pair.source);
    for _ in 0..5 {
        compare(&pair)
            .assert_code(0)
            .assert_stderr("both as they were at ")
            .assert_stderr("3 tables and 0 sequences compared: 0 tables");
    }
    // Nothing else in the migration writes that table's row.
    pair.target
        .sql("UPDATE left_side SET at = at + interval '1 microsecond' WHERE id = 200");
    compare(&pair)
        .assert_code(3)
        .assert_stdout("! public.left_side: 1 row differs")
        .assert_stdout("~ (id)=(200): at");
    drop(writers);
    end(&pair, run);
}

#[test]
fn one_that_is_killed_while_apply_is_held_holds_nothing_up() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let run = following(&pair);
    let killed = pgflit("compare data --at-lsn")
        .between(&pair)
        .env("PGFLIT_KILL_AT", "apply held")
        .run();
    assert_eq!(killed.code(), None);
    pair.source.sql("INSERT INTO log (note) VALUES ('after')");
    eventually(SOON, "apply goes on by itself", || {
        pair.target
            .number("SELECT count(*) FROM log WHERE note = 'after'")
            == 1
    });
    compare(&pair).assert_code(0);
    let slots = "SELECT count(*) FROM pg_replication_slots";
    eventually(SOON, "the temporary slot is gone", || {
        pair.source.number(slots) == 1
    });
    end(&pair, run);
}

#[test]
fn an_open_transaction_is_waited_for_and_is_not_in_what_is_compared() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let run = following(&pair);
    let open = Held::open(&pair.source, "INSERT INTO log (note) VALUES ('open')");
    let comparing = pgflit("compare data --at-lsn").between(&pair).start();
    eventually(SOON, "the slot waits", || {
        let waiting = "SELECT count(*) FROM pg_stat_activity
                        WHERE wait_event_type = 'Lock' AND application_name LIKE '%compare%'";
        pair.source.number(waiting) == 1
    });
    open.commit();
    comparing.wait_for_exit().assert_code(0);
    end(&pair, run);
}

#[test]
fn without_somebody_who_applies_nothing_is_compared() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    compare(&pair)
        .assert_code(1)
        .assert_stderr("there is no migration in");
    let run = following(&pair);
    run.signal(Signal::SIGTERM);
    run.wait_for_exit().assert_code(9);
    pgflit("compare data --at-lsn")
        .between(&pair)
        .start()
        .wait_for_exit()
        .assert_code(12)
        .assert_stderr("nobody who applies changes in the work directory has come to a standstill");
}
