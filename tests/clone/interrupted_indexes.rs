//! `kill -9` while indexes are being built.

use nix::sys::signal::Signal;

use crate::support::{Held, Pair, SOON, assert_equal, eventually, pgflit};

/// Building `slow` waits, on the target, while someone holds the advisory lock 7 there.
const TABLES: &str = "
    CREATE FUNCTION gate(id int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN id; END $$;
    CREATE TABLE orders (id int PRIMARY KEY, n int UNIQUE, note text);
    INSERT INTO orders SELECT g, -g, 'order ' || g FROM generate_series(1, 1000) g;
    CREATE INDEX slow ON orders (gate(n));
    CREATE INDEX quick ON orders (note);
    CREATE TABLE lines (id int PRIMARY KEY, of int REFERENCES orders);
    INSERT INTO lines SELECT g, g FROM generate_series(1, 500) g;
    SELECT lo_from_bytea(0, 'large')";

#[test]
fn a_copy_killed_inside_an_index_build_goes_on_without_copying_or_building_twice() {
    for follow in [false, true] {
        let pair = Pair::new();
        pair.source.sql(TABLES);
        let command = |resume: &str| {
            let run = pgflit(&format!("clone --index-jobs 2 {resume}")).between(&pair);
            match follow {
                true => run.follow(),
                false => run,
            }
        };
        let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
        let run = command("").start();
        run.wait_for_stderr("built public.quick");
        eventually(SOON, "the slow index waits", || {
            let waiting =
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
            pair.target.number(waiting) == 1
        });
        run.wait_for_stderr("copied 1 large objects");
        let store = pair.dir().join("pgflit.db");
        let noted = "SELECT finished_at IS NOT NULL FROM step WHERE name = 'large objects'";
        eventually(SOON, "the end of the large objects is noted", || {
            let store = rusqlite::Connection::open(&store).expect("the store");
            store
                .query_row(noted, [], |row| row.get(0))
                .unwrap_or(false)
        });
        run.signal(Signal::SIGKILL);
        run.wait_for_exit();
        // The server process that was left behind ends its statement all the same.
        gate.commit();
        let end = pair.source.sql("SELECT pg_current_wal_insert_lsn()");
        let resumed = command("--resume");
        let resumed = match follow {
            true => resumed.args(["--endpos", &end]),
            false => resumed,
        };
        let resumed = resumed.run().assert_code(0);
        for again in ["copied public.", "built public.quick"] {
            assert!(!resumed.stderr.contains(again), "{}", resumed.stderr);
        }
        assert_equal(&pair.source, &pair.target);
        let objects = "SELECT count(*) FROM pg_largeobject_metadata";
        assert_eq!(pair.target.number(objects), 1);
    }
}
