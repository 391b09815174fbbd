//! Indexes and constraints of one table, built at the same time.

use nix::sys::signal::Signal;

use super::Following;
use crate::support::{Held, Pair, SOON, assert_equal, eventually, pgflit};

/// Many constraints on one table, which each need the table for themselves for a moment while
/// others are being built.
const TABLES: &str = "
    CREATE TABLE busy (a int PRIMARY KEY, b int UNIQUE, c int UNIQUE, d int UNIQUE, e int UNIQUE,
        f int NOT NULL, g int, EXCLUDE USING btree (f WITH =), UNIQUE (g) DEFERRABLE);
    CREATE INDEX ON busy (b, c);
    CREATE UNIQUE INDEX busy_key ON busy (f);
    ALTER TABLE busy REPLICA IDENTITY USING INDEX busy_key;
    ALTER TABLE busy CLUSTER ON busy_pkey;
    INSERT INTO busy SELECT n, n, n, n, n, n, n FROM generate_series(1, 20000) n;";

#[test]
fn constraints_of_one_table_do_not_wait_for_each_other() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let clone = pgflit("clone --index-jobs 8").between(&pair).run();
    clone.assert_code(0);
    assert_equal(&pair.source, &pair.target);
}

/// Building the biggest index waits while someone holds the advisory lock 7, so that no constraint
/// can be added.
const WAITING: &str = "
    CREATE FUNCTION gate(id int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN id; END $$;
    CREATE TABLE busy (a int PRIMARY KEY, b int UNIQUE);
    CREATE INDEX busy_gate ON busy (gate(a), a, b);
    INSERT INTO busy SELECT n, n FROM generate_series(1, 2000) n;";

#[test]
fn an_index_that_was_left_without_its_constraint_gets_it() {
    let pair = Pair::new();
    pair.source.sql(WAITING);
    let held = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let following = Following::start(&pair);
    let unfinished = "SELECT count(*) FROM pg_index
                       WHERE indexrelid IN (to_regclass('busy_pkey'), to_regclass('busy_b_key'))
                         AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)";
    eventually(SOON, "an index is there without its constraint", || {
        pair.target.number(unfinished) > 0
    });
    following.run.signal(Signal::SIGKILL);
    following.run.wait_for_exit();
    held.commit();
    Following::resume(&pair).until_live().end_equal();
}
