//! What people and programs are told of a copy while it runs, and after.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::Value;

use super::Following;
use crate::support::{Held, Pair, SOON, assert_equal, eventually, pgflit};

/// Copying `slow` waits, on the target, while someone holds the advisory lock 7 there.
const TABLES: &str = r#"
    CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END $$;
    CREATE TABLE slow (id int PRIMARY KEY, body text, CHECK (gate()));
    CREATE TABLE quick (id int PRIMARY KEY, note text UNIQUE);
    CREATE TABLE U&"esc\001b[2J" (id int);
    INSERT INTO slow SELECT n, repeat('x', 100) FROM generate_series(1, 1000) n;
    INSERT INTO quick SELECT n, n FROM generate_series(1, 10) n;
"#;

fn gate(pair: &Pair) -> Held {
    Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)")
}

fn progress(pair: &Pair) -> Value {
    let told = pgflit("list progress --json").dir(pair.dir()).run();
    serde_json::from_str(&told.assert_code(0).stdout).expect("JSON")
}

fn summary(pair: &Pair) -> Value {
    let text = fs::read(pair.dir().join("summary.json")).expect("a summary");
    serde_json::from_slice(&text).expect("JSON")
}

#[test]
fn a_running_copy_is_seen_from_another_process_then_interrupted_then_finished() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let held = gate(&pair);
    let run = pgflit("clone").between(&pair).start();
    eventually(
        SOON,
        "the others are copied and slow is in progress",
        || {
            // There is nothing to tell of before it has begun.
            let told = pgflit("list progress --json").dir(pair.dir()).run();
            let told: Value = serde_json::from_str(&told.stdout).unwrap_or_default();
            told["tables"]["done"] == 2 && told["tables"]["in-progress"][0]["name"] == "slow"
        },
    );
    let running = progress(&pair);
    assert_eq!(running["state"], "running");
    assert_eq!(running["stage"], "rows");
    assert_eq!(running["tables"]["total"], 3);
    assert_eq!(running["tables"]["in-progress"][0]["parts"], 1);
    let text = pgflit("list progress").dir(pair.dir()).run();
    assert!(
        text.stdout.contains("running: copying rows"),
        "{}",
        text.stdout
    );
    assert!(
        text.stdout.contains(" public.slow | 1 of 1 |"),
        "{}",
        text.stdout
    );

    // Not on a terminal: a line now and then, and no name steers the reader's.
    run.wait_for_stderr("now public.slow");
    run.wait_for_stderr("copying rows: ");
    assert!(!run.stderr_contains("\u{1b}"), "{}", run.stderr());
    pgflit("list progress --summary")
        .dir(pair.dir())
        .run()
        .assert_code(1)
        .assert_stderr("no copy was completed");

    run.signal(Signal::SIGKILL);
    run.wait_for_exit();
    held.commit();
    let interrupted = progress(&pair);
    assert_eq!(interrupted["state"], "interrupted");
    assert_eq!(interrupted["tables"]["in-progress"], Value::Array(vec![]));

    let resumed = pgflit("clone --resume --not-consistent").between(&pair);
    resumed.run().assert_code(0);
    let finished = progress(&pair);
    assert_eq!(finished["state"], "finished");
    assert_eq!(finished["percent"], 100);
    assert_eq!(finished["tables"]["done"], 3);
    assert_eq!(finished["rows"], 1010);
    assert_eq!(finished["indexes"]["done"], 3);
}

#[test]
fn programs_get_json_alone_on_both_streams() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let run = pgflit("clone --json --progress json --quiet").between(&pair);
    let run = run.run().assert_code(0);
    let lines: Vec<Value> = run
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let last = &lines.last().expect("a line")["progress"];
    assert_eq!(last["percent"], 100, "{last}");
    assert_eq!(last["tables"]["done"], 3);
    let printed: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(printed, summary(&pair));
    let again = pgflit("list progress --summary --json")
        .dir(pair.dir())
        .run();
    let again: Value = serde_json::from_str(&again.stdout).expect("JSON");
    assert_eq!(again, printed);
}

#[test]
fn nothing_is_shown_when_nothing_is_wanted() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let run = pgflit("clone --quiet").between(&pair).run().assert_code(0);
    assert_eq!(run.stderr, "");
    assert!(run.stdout.contains(" public.quick"), "{}", run.stdout);
    assert!(!run.stdout.contains('\u{1b}'), "{}", run.stdout);
}

#[test]
fn the_summary_equals_the_ledger_and_is_completed_at_the_end() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let run = pgflit("clone --split-tables-larger-than 64kB")
        .follow()
        .between(&pair)
        .start();
    let following = Following { pair: &pair, run }.until_live();
    let copied = summary(&pair);
    assert_eq!(copied["run"]["follow"], true);
    assert_eq!(copied["run"]["finished_at"], Value::Null);
    following.end_equal();
    let summary = summary(&pair);
    assert!(summary["run"]["finished_at"].is_string(), "{summary}");
    assert!(summary["run"]["endpos"].is_string(), "{summary}");
    assert!(!summary.to_string().contains("password"), "{summary}");
    let ledger = pair
        .target
        .rows("SELECT sum(row_count), sum(byte_count), count(*) FROM pgflit.part");
    let tables = summary["tables"].as_array().expect("tables");
    let sum = |key: &str| -> u64 {
        let values = tables.iter().map(|table| table[key].as_u64());
        values.map(|value| value.expect("a number")).sum()
    };
    let told = ["rows", "bytes", "parts"].map(|key| sum(key).to_string());
    assert_eq!(ledger, [told]);
    assert_eq!(summary["total"]["bytes"], sum("bytes"));
    let slow = tables.iter().find(|table| table["name"] == "slow");
    let slow = slow.expect("slow");
    assert!(slow["parts"].as_u64() > Some(1), "{slow}");
    assert_eq!(slow["indexes"], 1);
    let steps = summary["steps"].as_array().expect("steps");
    let rows = steps.iter().find(|step| step["name"] == "rows");
    let rows = rows.expect("the step");
    assert_eq!(rows["connection"], "both");
    assert_eq!(rows["transfer_bytes"], summary["total"]["bytes"]);
    assert_eq!(rows["concurrency"], 4);
    for key in ["duration_ms", "work_ms"] {
        assert!(rows[key].is_u64(), "{rows}");
    }
    // The next migration in this directory does not find the summary of this one.
    let cleanup = pgflit("stream cleanup").between(&pair);
    cleanup.run().assert_code(0);
    assert!(!pair.dir().join("summary.json").exists());
}

#[test]
fn a_table_that_a_killed_run_committed_late_gets_its_indexes_all_the_same() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let held = gate(&pair);
    let run = pgflit("clone --table-jobs 1").between(&pair).start();
    eventually(SOON, "slow, the biggest, is being copied", || {
        let copying = "SELECT count(*) FROM pg_stat_progress_copy";
        pair.target.number(copying) == 1
    });
    // As a server process does that a killed run has left behind.
    pair.target.sql(
        "BEGIN; INSERT INTO quick SELECT n, n FROM generate_series(1, 10) n;
         INSERT INTO pgflit.part VALUES
             ('public', 'quick', 0, 1, 1, '1:1:', '0/1', 10, 123); COMMIT",
    );
    held.commit();
    run.wait_for_exit()
        .assert_code(0)
        .assert_stderr("public.quick is on the target already");
    assert_equal(&pair.source, &pair.target);
    let summary = summary(&pair);
    assert_eq!(summary["total"]["rows"], 1010, "{summary}");
}
