//! Definitions that change while the source is followed.

use nix::sys::signal::Signal;

use super::Following;
use crate::support::{Held, PLUGINS, Pair, SOON, eventually, with_each};

/// Tables that are altered in every way that matters.
const TABLES: &str = "
    CREATE TABLE t (id int PRIMARY KEY, price numeric(10,2), code varchar(10), at timestamp(0));
    INSERT INTO t VALUES (1, 1.25, 'a', '2026-01-01 10:00:00')";

/// How a table is altered, a change that no longer fits the target, and what is said of it.
const MISFITS: [[&str; 3]; 6] = [
    [
        "ALTER TABLE t ADD extra text DEFAULT 'none'",
        "INSERT INTO t VALUES (2, 2, 'b', now(), 'new')",
        "it has no column \"extra\"",
    ],
    [
        // It would be rounded without a word.
        "ALTER TABLE t ALTER price TYPE numeric(12,4)",
        "UPDATE t SET price = 1.2345",
        "its column \"price\" is numeric(10,2), and numeric(12,4) on the source",
    ],
    [
        "ALTER TABLE t ALTER at TYPE timestamp(6)",
        "UPDATE t SET at = '2026-01-01 10:00:00.123456'",
        "its column \"at\" is timestamp(0), and timestamp(6) on the source",
    ],
    [
        // Blanks at its end would be cut off without a word.
        "ALTER TABLE t ALTER code TYPE varchar(20)",
        "UPDATE t SET code = 'a               '",
        "its column \"code\" is varchar(10), and varchar(20) on the source",
    ],
    [
        "ALTER TABLE t RENAME code TO label",
        "INSERT INTO t VALUES (2, 2, 'b', now())",
        "it has no column \"label\"",
    ],
    [
        "ALTER TABLE t ALTER id TYPE bigint",
        "UPDATE t SET id = 5000000000 WHERE id = 1",
        "its column \"id\" is int4, and int8 on the source",
    ],
];

#[test]
fn apply_stops_before_the_first_change_that_does_not_fit_and_goes_on_once_it_does() {
    stops_before_what_does_not_fit("pgoutput");
}

#[test]
fn apply_stops_before_the_first_change_that_does_not_fit_with_test_decoding() {
    stops_before_what_does_not_fit("test_decoding");
}

#[test]
fn apply_stops_before_the_first_change_that_does_not_fit_with_wal2json() {
    stops_before_what_does_not_fit("wal2json");
}

/// One table after the other in one migration, which is resumed each time.
fn stops_before_what_does_not_fit(plugin: &str) {
    with_each(&[plugin], |pair, plugin| {
        let of = |at: usize, sql: &str| sql.replace(" t ", &format!(" t{at} "));
        for at in 0..MISFITS.len() {
            pair.source.sql(&of(at, TABLES));
        }
        let mut following = Following::start_with(pair, plugin).until_live();
        for (at, [altered, change, told]) in MISFITS.into_iter().enumerate() {
            let sql = |sql: &str| of(at, sql);
            pair.source
                .sql(&sql("INSERT INTO t VALUES (10, 10, 'x', now())"));
            // Some plugins know the table as it is when they are first asked of it.
            let rows = sql("SELECT count(*) FROM t ");
            eventually(SOON, "what fits arrives", || pair.target.number(&rows) == 2);
            pair.source.sql(&sql(altered));
            pair.source.sql(&sql(change));
            let ended = following.run.wait_for_exit().assert_code(7);
            ended
                .assert_stderr(&format!("public.t{at} on the target does not fit"))
                .assert_stderr(" at 0/")
                .assert_stderr(told)
                .assert_stderr(".sql.partial, byte ")
                .assert_stderr("alter the target");
            assert_eq!(pair.target.number(&rows), 2, "{altered}");
            pair.target.sql(&sql(altered));
            following = Following::resume_with(pair, plugin).until_live();
        }
        following.end_equal();
    });
}

#[test]
fn a_domain_over_domains_is_known_by_the_type_below_them_all() {
    with_each(&PLUGINS, |pair, plugin| {
        pair.source.sql(
            "CREATE TYPE mood AS ENUM ('sad', 'happy');
             CREATE DOMAIN price AS numeric(10,2); CREATE DOMAIN fair AS price;
             CREATE DOMAIN low AS fair CHECK (VALUE < 10);
             CREATE DOMAIN good AS mood; CREATE DOMAIN best AS good;
             CREATE TABLE t (id int PRIMARY KEY, price low, mood best);
             INSERT INTO t VALUES (1, 1.25, 'sad')",
        );
        let following = Following::start_with(pair, plugin).until_live();
        pair.source.sql(
            "INSERT INTO t VALUES (2, 2.25, 'happy'); UPDATE t SET price = 3.25, mood = 'happy' WHERE id = 1",
        );
        eventually(SOON, "the rows arrive", || {
            pair.target
                .number("SELECT count(*) FROM t WHERE mood::text = 'happy'")
                == 2
        });
        let altered = "ALTER TABLE t ALTER price TYPE numeric(12,4)";
        pair.source.sql(altered);
        pair.source.sql("UPDATE t SET price = 1.2345 WHERE id = 2");
        let ended = following.run.wait_for_exit().assert_code(7);
        ended
            .assert_stderr("its column \"price\" is public.low, and numeric")
            .assert_stderr("alter the target");
        pair.target.sql(altered);
        Following::resume_with(pair, plugin)
            .until_live()
            .end_equal();
    });
}

#[test]
fn what_fits_and_is_gathered_with_what_does_not_is_committed_before_the_stop() {
    with_each(&PLUGINS, |pair, plugin| {
        pair.source.sql(TABLES);
        pair.source.sql("CREATE TABLE gate (id int PRIMARY KEY)");
        let following = Following::start_with(pair, plugin).until_live();
        let lock = Held::open(&pair.target, "LOCK TABLE gate IN ACCESS EXCLUSIVE MODE");
        pair.source.sql("INSERT INTO gate VALUES (1)");
        eventually(SOON, "apply waits for the lock", || {
            let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
            pair.target.number(waiting) == 1
        });
        // All of this is there when apply reads on.
        pair.source.sql(
            "INSERT INTO t VALUES (10, 10, 'x', now()); INSERT INTO gate VALUES (2);
             ALTER TABLE t ADD extra text;
             BEGIN; INSERT INTO gate VALUES (3); INSERT INTO t VALUES (11, 11, 'y', now()); COMMIT",
        );
        let now = pair.source.sql("SELECT pg_current_wal_flush_lsn()");
        eventually(SOON, "all of it is received", || {
            let flushed = "SELECT confirmed_flush_lsn >= '$now' FROM pg_replication_slots";
            pair.source.sql(&flushed.replace("$now", &now)) == "t"
        });
        lock.commit();
        let ended = following.run.wait_for_exit().assert_code(7);
        ended.assert_stderr("it has no column \"extra\"");
        let there = "SELECT (SELECT count(*) FROM t) * 10 + (SELECT count(*) FROM gate)";
        assert_eq!(pair.target.number(there), 22);
        pair.target.sql("ALTER TABLE t ADD extra text");
        Following::resume_with(pair, plugin)
            .until_live()
            .end_equal();
    });
}

#[test]
fn what_fits_goes_on_without_a_stop() {
    with_each(&PLUGINS, |pair, plugin| {
        pair.source.sql(TABLES);
        let following = Following::start_with(pair, plugin).until_live();
        pair.source.sql("UPDATE t SET price = 2");
        eventually(SOON, "the update arrives", || {
            pair.target.number("SELECT count(*) FROM t WHERE price = 2") == 1
        });
        // The target first, while apply knows what it was.
        for wider in [
            "ALTER TABLE t ALTER id TYPE bigint",
            "ALTER TABLE t ALTER price TYPE numeric(14,2)",
            "ALTER TABLE t ADD extra text",
        ] {
            pair.target.sql(wider);
            pair.source.sql("UPDATE t SET price = price + 1");
            pair.source.sql(wider);
            pair.source
                .sql("UPDATE t SET price = price + 1, id = id + 1000000");
        }
        pair.source
            .sql("INSERT INTO t VALUES (5000000000, 123456789012.25, 'b', now(), 'more')");
        // One that goes may go on the source first, once some plugins have told all rows that had it.
        eventually(SOON, "the wide row arrives", || {
            pair.target
                .number("SELECT count(*) FROM t WHERE id = 5000000000")
                == 1
        });
        pair.source
            .sql("ALTER TABLE t DROP code; INSERT INTO t VALUES (7, 7, now(), 'less')");
        eventually(SOON, "the narrow row arrives", || {
            pair.target.number("SELECT count(*) FROM t WHERE id = 7") == 1
        });
        pair.target.sql("ALTER TABLE t DROP code");
        pair.source.sql("UPDATE t SET extra = 'end'");
        following.end_equal();
    });
}

#[test]
fn a_table_that_is_partitioned_on_the_target_only_is_written_by_its_root() {
    with_each(&PLUGINS, |pair, plugin| {
        pair.source.sql(
            "CREATE TABLE keyed (id int PRIMARY KEY, n int);
             CREATE TABLE alike (id int, n int); ALTER TABLE alike REPLICA IDENTITY FULL;
             INSERT INTO keyed SELECT g, 0 FROM generate_series(1, 20) g;
             INSERT INTO alike SELECT 1, 0 FROM generate_series(1, 3);
             INSERT INTO alike SELECT 15, 0 FROM generate_series(1, 3)",
        );
        let following = Following::start_with(pair, plugin).until_live();
        following.run.signal(Signal::SIGTERM);
        following.run.wait_for_exit().assert_code(9);
        for (table, key) in [("keyed", "PRIMARY KEY"), ("alike", "")] {
            pair.target.sql(&format!(
                "ALTER TABLE {table} RENAME TO whole;
                 CREATE TABLE {table} (id int {key}, n int) PARTITION BY RANGE (id);
                 CREATE TABLE {table}_1 PARTITION OF {table} FOR VALUES FROM (0) TO (10);
                 CREATE TABLE {table}_2 PARTITION OF {table} FOR VALUES FROM (10) TO (100);
                 INSERT INTO {table} SELECT * FROM whole; DROP TABLE whole"
            ));
        }
        let following = Following::resume_with(pair, plugin).until_live();
        pair.source.sql(
            "UPDATE keyed SET n = 1 WHERE id % 3 = 0; UPDATE keyed SET id = id + 30 WHERE id < 4;
             DELETE FROM keyed WHERE id = 15; INSERT INTO keyed VALUES (2, 2);
             DELETE FROM alike WHERE ctid IN (SELECT ctid FROM alike WHERE id = 15 LIMIT 1);
             UPDATE alike SET n = 5 WHERE ctid IN (SELECT ctid FROM alike WHERE id = 1 LIMIT 1)",
        );
        let rows = "SELECT id, n FROM keyed UNION ALL SELECT id, n FROM alike ORDER BY 1, 2";
        let same = |pair: &Pair| pair.source.rows(rows) == pair.target.rows(rows);
        eventually(SOON, "the changes arrive", || same(pair));
        pair.source
            .sql("TRUNCATE keyed, alike; INSERT INTO keyed VALUES (7, 7)");
        eventually(SOON, "they are emptied", || same(pair));
        super::end_now(pair);
        following.run.wait_for_exit().assert_code(0);
    });
}

#[test]
fn a_partition_that_gets_other_bounds_on_the_target_meanwhile_is_emptied_exactly() {
    let pair = Pair::new();
    let parted = "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE low PARTITION OF p FOR VALUES FROM (0) TO (10);
        CREATE TABLE high PARTITION OF p FOR VALUES FROM (10) TO (20);
        INSERT INTO p VALUES (3), (7), (15), (18)";
    pair.source.sql(parted);
    let following = Following::start(&pair).until_live();
    let otherwise = parted.replace("(10)", "(5)");
    pair.target.sql(&format!("DROP TABLE p; {otherwise}"));
    pair.source.sql("TRUNCATE low; DELETE FROM p WHERE id = 18");
    super::end_now(&pair);
    following.run.wait_for_exit().assert_code(0);
    assert_eq!(pair.target.rows("SELECT id FROM p"), [["15"]]);
}

#[test]
fn what_was_altered_and_not_changed_since_is_noticed_at_the_end() {
    for (altered, told) in [
        (
            "ALTER TABLE t ADD extra text DEFAULT 'none'",
            "it has no column \"extra\"",
        ),
        (
            "ALTER TABLE t ALTER id TYPE bigint, ADD twice int GENERATED ALWAYS AS (1) STORED",
            "its column \"id\" is int4, and int8 on the source",
        ),
    ] {
        let pair = Pair::new();
        pair.source.sql(TABLES);
        let following = Following::start(&pair).until_live();
        pair.source.sql(altered);
        super::end_now(&pair);
        let ended = following.run.wait_for_exit().assert_code(7);
        ended
            .assert_stderr("public.t was altered on the source meanwhile, and not on the target")
            .assert_stderr(told)
            .assert_stderr("--resume");
        pair.target.sql(altered);
        Following::resume(&pair).run.wait_for_exit().assert_code(0);
        crate::support::assert_equal(&pair.source, &pair.target);
    }
}
