//! A table in twenty parts of which some were copied before a crash and the others after it, with
//! changes between that move rows from part to part.

use nix::sys::signal::Signal;

use crate::support::{
    Finished, Held, Pair, Run, SOON, allow_plugin, assert_equal, differences, eventually, pgflit,
    source_options, target_options,
};

/// Parts from the eleventh on wait, on the target, while someone holds the advisory lock 7 there.
const TABLES: &str = "
    CREATE FUNCTION gate(id bigint) RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN id; END $$;
    CREATE TABLE moving (id bigint PRIMARY KEY, n int, email text UNIQUE, body text,
        CHECK (id < 1000 OR gate(id) > 0));
    ALTER TABLE moving ALTER body SET STORAGE EXTERNAL;
    INSERT INTO moving SELECT n, n % 10, 'm' || n, repeat(md5(n::text), 100)
      FROM generate_series(1, 2000) n;
    CREATE INDEX ON moving (n);
    CREATE TABLE full_rows (id int NOT NULL, n int, j json, CHECK (id < 1000 OR gate(id) > 0));
    ALTER TABLE full_rows REPLICA IDENTITY FULL;
    CREATE INDEX ON full_rows (id);
    INSERT INTO full_rows SELECT n, nullif(n % 3, 0), CASE WHEN n % 5 > 0 THEN '{\"a\":  1}'::json END
      FROM generate_series(1, 2000) n, generate_series(1, 2);
    CREATE TABLE moment (at timestamptz PRIMARY KEY, n int, CHECK (n < 1000 OR gate(n) > 0));
    INSERT INTO moment SELECT timestamptz '2026-01-01' + n * interval '1 h', n
      FROM generate_series(1, 2000) n;
    CREATE TABLE emptied (id int PRIMARY KEY, n int, CHECK (id < 1000 OR gate(id) > 0));
    INSERT INTO emptied SELECT n, n FROM generate_series(1, 2000) n;
    CREATE TABLE referring (id int REFERENCES emptied);
    CREATE TABLE by_ctid (line text, n int, CHECK (n < 1000 OR gate(n) > 0));
    ALTER TABLE by_ctid REPLICA IDENTITY FULL;
    INSERT INTO by_ctid SELECT repeat('same', 20), n FROM generate_series(1, 2000) n,
      generate_series(1, 2);";

/// What is done between the two snapshots. Ids from 1000 on are in parts of the second.
const BETWEEN: &[&str] = &[
    // Out of the second moment's parts into the first's: the whole row is in the stream, or not.
    "UPDATE moving SET id = id - 100000, body = 'carried' WHERE id BETWEEN 1200 AND 1220",
    "UPDATE moving SET id = id - 200000 WHERE id BETWEEN 1300 AND 1320",
    // And once more from there, and back.
    "UPDATE moving SET id = id - 1000000 WHERE id BETWEEN -198700 AND -198690",
    "UPDATE moving SET id = id + 200000 WHERE id BETWEEN -198685 AND -198680",
    // Out of the first's into the second's; and inside of each.
    "UPDATE moving SET id = id + 100000 WHERE id BETWEEN 100 AND 120",
    "UPDATE moving SET id = id - 5000 WHERE id BETWEEN 1 AND 5; UPDATE moving SET n = -n WHERE id % 7 = 0",
    // A value that moves from a part of one moment into one of the other.
    "UPDATE moving SET email = 'swapped' WHERE id = 50; UPDATE moving SET email = 'm50' WHERE id = 1500;
     UPDATE moving SET email = 'm1500' WHERE id = 50",
    "DELETE FROM moving WHERE id % 50 = 21; INSERT INTO moving SELECT n, 0, 'new' || n, repeat('x', 5000)
       FROM generate_series(-10, -1) n",
    "INSERT INTO moving SELECT n, 0, 'late' || n, NULL FROM generate_series(300000, 300010) n",
    "UPDATE full_rows SET id = id + 1000 WHERE id BETWEEN 500 AND 520;
     UPDATE full_rows SET id = id - 1000 WHERE id BETWEEN 1600 AND 1620;
     DELETE FROM full_rows WHERE ctid IN (SELECT ctid FROM full_rows WHERE id % 9 = 0 LIMIT 50)",
    "UPDATE moment SET at = at + interval '1000.5 h' WHERE n % 100 = 7;
     UPDATE moment SET at = at - interval '2000.25 h' WHERE n % 100 = 57",
    "BEGIN; UPDATE emptied SET n = 0; SAVEPOINT a; DELETE FROM emptied; ROLLBACK TO a;
     TRUNCATE emptied, referring; INSERT INTO emptied SELECT n, 1 FROM generate_series(500, 1500) n; COMMIT",
    "UPDATE emptied SET id = id + 2000 WHERE id < 600; UPDATE emptied SET id = id - 1200 WHERE id BETWEEN 1400 AND 1450",
    "UPDATE by_ctid SET n = n + 1 WHERE n % 13 = 0; DELETE FROM by_ctid WHERE ctid IN (SELECT ctid FROM by_ctid WHERE n % 10 = 1 LIMIT 70)",
];

const OPTIONS: &str =
    "clone --follow --table-jobs 1 --split-tables-larger-than 40kB --split-max-parts 20";

fn start(pair: &Pair, plugin: &str, resume: bool) -> Run {
    let run = pgflit(OPTIONS).args(["--plugin", plugin]).between(pair);
    let run = if resume { run.resume() } else { run };
    run.start()
}

/// A copy that is killed with the gate closed; what its server processes were at is undone.
fn killed_at_the_gate(pair: &Pair, plugin: &str) {
    let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let run = start(pair, plugin, false);
    killed_when_a_part_waits(pair, run, gate);
}

fn killed_when_a_part_waits(pair: &Pair, run: Run, gate: Held) {
    run.wait_for_stderr("copied public.moving part 5 of");
    eventually(SOON, "a part waits at the gate", || {
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        pair.target.number(waiting) > 0
    });
    run.signal(Signal::SIGKILL);
    run.wait_for_exit();
    gate.commit();
    eventually(SOON, "its server processes are gone", || {
        let ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name ~ 'pgflit: copy'";
        pair.target.number(ours) == 0
    });
}

fn end_equal(pair: &Pair, run: Run) -> Finished {
    let set = pgflit("sentinel set endpos --current").dir(pair.dir());
    set.source(&pair.source).run().assert_code(0);
    let ended = run.wait_for_exit().assert_code(0);
    assert_equal(&pair.source, &pair.target);
    ended
}

/// Transactions that are open while the second snapshot is taken: it sees none of them.
#[test]
fn what_is_open_or_prepared_across_two_moments_counts_once() {
    let source = source_options().setting("max_prepared_transactions", "5");
    let pair = Pair::with(source, target_options());
    pair.source.sql(TABLES);
    let changes = |ids: &str, far: i64| {
        format!(
            "UPDATE moving SET n = -1 WHERE id {ids};
             SAVEPOINT a; UPDATE moving SET id = id + {far} WHERE id {ids};
             SAVEPOINT b; DELETE FROM moving WHERE n = -1; ROLLBACK TO b; RELEASE a;
             DELETE FROM full_rows WHERE id {ids}; INSERT INTO by_ctid VALUES ('open', {far})"
        )
    };
    // Begun before the first snapshot, and between the two.
    let first = Held::open_as("first", &pair.source, &changes("BETWEEN 10 AND 20", 2000));
    let prepare = |name: &str, changes: String| {
        let sql = format!("BEGIN; {changes}; PREPARE TRANSACTION '{name}'");
        pair.source.sql(&sql);
    };
    // Making the slot waits for what runs, so it is made first.
    let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let run = start(&pair, "pgoutput", false);
    run.wait_for_stderr("making replication slot");
    first.commit();
    let early = "BETWEEN 30 AND 40";
    run.wait_for_stderr("replication slot pgflit made");
    let open = Held::open_as("open", &pair.source, &changes(early, 3000));
    prepare("early", changes("BETWEEN 1030 AND 1040", -2000));
    killed_when_a_part_waits(&pair, run, gate);
    let second = Held::open_as(
        "second",
        &pair.source,
        &changes("BETWEEN 1060 AND 1070", -4000),
    );
    prepare("late", changes("BETWEEN 60 AND 70", 5000));
    for write in BETWEEN {
        // What meets rows of the open ones is left out.
        let settings = "SET synchronous_commit = off; SET lock_timeout = '300ms'";
        let _ = pair.source.try_sql(&format!("{settings}; {write}"));
    }
    let run = start(&pair, "pgoutput", true);
    run.wait_for_stderr("live replay");
    for name in ["early", "late"] {
        pair.source.sql(&format!("COMMIT PREPARED '{name}'"));
    }
    second.commit();
    open.commit();
    end_equal(&pair, run);
}

/// What the filter is for: without it the same ends otherwise.
#[test]
fn without_the_visibility_filter_changes_are_applied_twice() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    killed_at_the_gate(&pair, "pgoutput");
    pair.source
        .sql("INSERT INTO by_ctid SELECT 'between', 1 FROM generate_series(1, 3)");
    let run = pgflit(OPTIONS).resume().between(&pair);
    let run = run.env("PGFLIT_WITHOUT", "visibility filter").start();
    run.wait_for_stderr("live replay");
    let set = pgflit("sentinel set endpos --current").dir(pair.dir());
    set.source(&pair.source).run().assert_code(0);
    run.wait_for_exit().assert_code(0);
    let count = "SELECT count(*) FROM by_ctid WHERE line = 'between'";
    assert_eq!(pair.source.number(count), 3);
    assert_eq!(
        pair.target.number(count),
        6,
        "the test has no filter to remove"
    );
    assert!(!differences(&pair.source, &pair.target).is_empty());
}

fn finished_parts_are_kept_and_rows_that_moved_are_there_once(plugin: &str) {
    let pair = Pair::new();
    if !allow_plugin(&pair.source, plugin) {
        return;
    }
    pair.source.sql(TABLES);
    killed_at_the_gate(&pair, plugin);
    let kept = "SELECT count(*) FROM pgflit.part WHERE table_name = 'moving'";
    let before = pair.target.number(kept);
    assert!(before > 4 && before < 20, "{before} parts");
    for write in BETWEEN {
        pair.source.sql(write);
    }
    let run = start(&pair, plugin, true);
    run.wait_for_stderr("live replay");
    let epochs =
        "SELECT count(*) FILTER (WHERE epoch = 1) || ' ' || count(*) FILTER (WHERE epoch = 2)
                    FROM pgflit.part WHERE table_name = 'moving' AND part < part_count";
    assert_eq!(pair.target.sql(epochs), format!("{before} {}", 20 - before));
    let ended = end_equal(&pair, run);
    ended
        .assert_stderr("have to be copied again")
        .assert_stderr("keys again whose rows had moved")
        .assert_stderr("unique indexes public.moving_email_key wait");
}

macro_rules! of_each_plugin {
    ($($name:ident $plugin:literal,)*) => {
        $(#[test] fn $name() { finished_parts_are_kept_and_rows_that_moved_are_there_once($plugin); })*
    };
}

of_each_plugin! {
    finished_parts_are_kept_with_pgoutput "pgoutput",
    finished_parts_are_kept_with_test_decoding "test_decoding",
    finished_parts_are_kept_with_wal2json "wal2json",
}
