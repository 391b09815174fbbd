//! A work directory in which something has begun: running, interrupted, finished.

use std::process::{Child, Stdio};

use nix::sys::signal::Signal;

use super::{
    assert_absent, assert_refused, assert_source_is_clean, assert_target_has_nothing_of_pgflit,
    clone,
};
use crate::support::{Database, Pair, Pgflit, SOON, assert_equal, eventually, pgflit};

/// A table whose rows can be held up on their way into the target.
const ORDERS: &str = "
    CREATE FUNCTION gate(int) RETURNS bool LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN true; END $$;
    CREATE TABLE orders (id int PRIMARY KEY CHECK (public.gate(id)));
    INSERT INTO orders SELECT generate_series(1, 100)";

/// Holds up every row of `orders` on this database until dropped.
struct Gate(Child);

impl Gate {
    fn close(database: &Database) -> Self {
        let mut child = database
            .program("psql")
            .args(["-X", "-q", "-o", "/dev/null", "-d", database.uri()])
            .stdin(Stdio::piped())
            .spawn()
            .expect("psql");
        let stdin = child.stdin.as_mut().expect("stdin is a pipe");
        let lock = b"SELECT pg_advisory_lock(42);\n";
        std::io::Write::write_all(stdin, lock).expect("psql");
        let gate = Gate(child);
        eventually(SOON, "the gate is closed", || locks(database, true) == 1);
        gate
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How many hold (or wait at) the gate.
fn locks(database: &Database, granted: bool) -> i64 {
    database.number(&format!(
        "SELECT count(*) FROM pg_locks
          WHERE locktype = 'advisory' AND objid = 42 AND granted = {granted}"
    ))
}

fn slots(pair: &Pair) -> String {
    pair.source
        .sql("SELECT slot_name FROM pg_replication_slots")
}

#[test]
fn a_running_an_interrupted_and_a_finished_directory_each_say_how_to_go_on() {
    let pair = Pair::new();
    pair.source.sql(ORDERS);
    let follow = || clone(&pair).follow();
    let gate = Gate::close(&pair.target);
    let mut first = follow().start();
    eventually(SOON, "the copy stands at the gate", || {
        locks(&pair.target, false) > 0
    });
    for second in [follow(), follow().resume(), follow().arg("--restart")] {
        assert_refused(second, 8, &["held by another pgflit", "still running"]);
    }
    let cleanup = pgflit("stream cleanup").between(&pair);
    assert_refused(cleanup, 8, &["held by another pgflit"]);
    assert!(first.is_running(), "the first goes on");
    assert_eq!(slots(&pair), "pgflit");

    first.signal(Signal::SIGTERM);
    first.wait_for_exit_within(SOON).assert_code(9);
    drop(gate);

    assert_refused(
        follow(),
        1,
        &["an interrupted migration is in", "--resume", "--restart"],
    );
    let other = |what: &str, run: Pgflit| {
        let begun = format!("was begun with {what} ");
        assert_refused(run, 1, &[&begun, "--restart"]);
    };
    let postgres = |database: &Database| database.uri().replace("/app", "/postgres");
    let run = || pgflit("clone").follow().resume().dir(pair.dir());
    let elsewhere = run().arg("--source").arg(postgres(&pair.source));
    other("source", elsewhere.target(&pair.target));
    let elsewhere = run().arg("--target").arg(postgres(&pair.target));
    other("target", elsewhere.source(&pair.source));
    other("slot", follow().resume().args(["--slot-name", "another"]));
    other("origin", follow().resume().args(["--origin", "another"]));

    // What is on the target by now is in the way of a new beginning: said before the slot goes.
    let restart = follow().arg("--restart");
    assert_refused(
        restart,
        7,
        &["not empty", "public.orders", "--drop-if-exists"],
    );
    assert_eq!(slots(&pair), "pgflit");

    // What is written yet may be before where the slot begins.
    let end = pair.source.sql("SELECT pg_current_wal_insert_lsn()");
    let resumed = follow().resume().args(["--endpos", &end]);
    resumed.run().assert_code(0);
    assert_equal(&pair.source, &pair.target);
    for again in [follow(), follow().resume()] {
        again
            .run()
            .assert_code(0)
            .assert_stderr("nothing left to do");
    }

    let cleaned = pgflit("stream cleanup").between(&pair).run().assert_code(0);
    [
        "slot pgflit",
        "publication pgflit",
        "origin pgflit",
        "schema pgflit",
        "files in",
    ]
    .into_iter()
    .fold(cleaned, |cleaned, removed| cleaned.assert_stderr(removed));
    assert_source_is_clean(&pair.source);
    assert_target_has_nothing_of_pgflit(&pair.target);
    assert_absent(&pair.dir().join("pgflit.db"));
    assert_absent(&pair.dir().join("cdc"));
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn a_stop_is_heard_while_the_source_waits_for_a_lock() {
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE orders (id int)");
    let mut holder = pair
        .source
        .program("psql")
        .args(["-X", "-q", "-d", pair.source.uri()])
        .stdin(Stdio::piped())
        .spawn()
        .expect("psql");
    let stdin = holder.stdin.as_mut().expect("stdin is a pipe");
    std::io::Write::write_all(stdin, b"BEGIN; LOCK TABLE orders;\n").expect("psql");
    let _holder = Gate(holder);
    let waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'orders'::regclass AND granted =";
    eventually(SOON, "the table is locked", || {
        pair.source.number(&format!("{waiting} true")) == 1
    });
    let run = clone(&pair).start();
    eventually(SOON, "something waits for the lock", || {
        pair.source.number(&format!("{waiting} false")) == 1
    });
    run.signal(Signal::SIGTERM);
    run.wait_for_exit_within(SOON).assert_code(9);
}

#[test]
fn a_restart_drops_what_the_interrupted_run_has_made_and_begins_anew() {
    let pair = Pair::new();
    pair.source.sql("CREATE ROLE shopkeeper");
    pair.source.sql(ORDERS);
    pair.source.sql("ALTER TABLE orders OWNER TO shopkeeper");
    let begun = clone(&pair).follow().args(["--skip-check", "roles"]);
    assert_refused(
        begun,
        7,
        &[
            "these roles are not on the target: shopkeeper",
            "--no-owner",
        ],
    );
    let made = "SELECT restart_lsn FROM pg_replication_slots";
    let first_slot = pair.source.sql(made);
    pair.source
        .sql("INSERT INTO orders VALUES (101); CHECKPOINT");
    let gate = Gate::close(&pair.target);
    let run = clone(&pair)
        .follow()
        .args(["--restart", "--no-owner"])
        .start();
    eventually(SOON, "the copy stands at the gate", || {
        locks(&pair.target, false) > 0
    });
    assert!(run.stderr_contains("dropped replication slot pgflit"));
    assert_ne!(pair.source.sql(made), first_slot);
    run.signal(Signal::SIGINT);
    run.wait_for_exit_within(SOON).assert_code(9);
    drop(gate);
    let end = pair.source.sql("SELECT pg_current_wal_insert_lsn()");
    let resumed = clone(&pair)
        .follow()
        .args(["--resume", "--no-owner", "--endpos", &end]);
    resumed.run().assert_code(0);
    assert_eq!(pair.target.number("SELECT count(*) FROM orders"), 101);

    // A finished directory begins anew too.
    let again = clone(&pair).follow().args(["--restart", "--no-owner"]);
    pair.source.sql("INSERT INTO orders VALUES (102)");
    let early = ["endpos 0/1 is before", "--current"];
    let restart = clone(&pair)
        .follow()
        .args(["--restart", "--drop-if-exists"]);
    assert_refused(restart.args(["--endpos", "0/1"]), 1, &early);
    assert_eq!(slots(&pair), "pgflit");
    let run = again.arg("--drop-if-exists").start();
    run.wait_for_stderr("the base copy is complete");
    let endpos = pgflit("sentinel set endpos")
        .arg("--current")
        .dir(pair.dir());
    endpos.source(&pair.source).run().assert_code(0);
    run.wait_for_exit().assert_code(0);
    assert_eq!(pair.target.number("SELECT count(*) FROM orders"), 102);
}
