//! Where a paused standby and the stream meet: the position of its pause against the commit records
//! as each output plugin tells of them.

use std::fs;

use pgflit::base::Lsn;
use serde_json::Value;

use super::Capture;
use crate::support::{Database, Held, PLUGINS, SOON, assert_equal, eventually, source_options};

/// A transaction as the SQL segments tell of it.
#[derive(Debug, Clone, Copy)]
struct Told {
    /// Where its commit record starts, where the plugin says it.
    start: Option<Lsn>,
    end: Lsn,
}

/// Received and transformed, to the end: the transactions in order.
#[track_caller]
fn told(capture: &Capture) -> Vec<Told> {
    capture.end_now();
    capture.receive().run().assert_code(0);
    capture.transform().run().assert_code(0);
    let mut paths: Vec<_> = fs::read_dir(capture.work_dir().cdc)
        .expect("segments")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.to_string_lossy().contains(".sql"))
        .collect();
    paths.sort();
    let (mut told, mut start) = (Vec::new(), None);
    for path in paths {
        for line in fs::read_to_string(path).expect("SQL").lines() {
            let lsn = |json: &str, key: &str| -> Option<Lsn> {
                let value: Value = serde_json::from_str(json).expect("JSON");
                let text = value.get(key)?.as_str()?.to_owned();
                Some(text.parse().expect("an LSN"))
            };
            if let Some(json) = line.strip_prefix("BEGIN; -- ") {
                start = lsn(json, "commit_lsn");
            } else if let Some(json) = line.strip_prefix("COMMIT; -- ") {
                let end = lsn(json, "lsn").expect("an end");
                told.push(Told { start, end });
            }
        }
    }
    told
}

#[test]
fn what_a_paused_standby_shows_is_what_pgoutput_says_was_replayed() {
    check_pauses("pgoutput");
}

#[test]
fn what_a_paused_standby_shows_is_what_test_decoding_says_was_replayed() {
    check_pauses("test_decoding");
}

#[test]
fn what_a_paused_standby_shows_is_what_wal2json_says_was_replayed() {
    check_pauses("wal2json");
}

fn check_pauses(plugin: &str) {
    let Some(capture) = Capture::with_plugin(plugin, "CREATE TABLE t (id int PRIMARY KEY)") else {
        return;
    };
    let source = &capture.pair.source;
    let cluster = capture.pair.source_cluster.standby(&source_options());
    let cluster = cluster.expect("a standby");
    let standby = Database::of(&cluster, "app");
    // At each pause: the position, and how many of the transactions were seen. Every other
    // pause finds one that has written its row, and whose commit record comes next.
    let mut pauses: Vec<(Lsn, usize)> = Vec::new();
    for round in 0..6 {
        let insert = |id: i32| format!("INSERT INTO t VALUES ({id})");
        let open = (round % 2 == 1).then(|| Held::open(source, &insert(1000 + round)));
        // Its commit flushes what both have written.
        source.sql(&insert(round));
        wait_until_replayed(source, &standby);
        standby.sql("SELECT pg_wal_replay_pause()");
        eventually(SOON, "it has paused", || {
            standby.sql("SELECT pg_get_wal_replay_pause_state()") == "paused"
        });
        let row = standby.rows("SELECT pg_last_wal_replay_lsn(), (SELECT count(*) FROM t)");
        pauses.push((row[0][0].parse().unwrap(), row[0][1].parse().unwrap()));
        if let Some(open) = open {
            open.commit();
        }
        standby.sql("SELECT pg_wal_replay_resume()");
    }
    let told = told(&capture);
    assert_eq!(told.len(), 9);
    for (at, seen) in &pauses {
        let ended = told.iter().filter(|told| told.end <= *at).count();
        assert_eq!(ended, *seen, "{at} {told:?}");
        let starts: Vec<_> = told.iter().filter_map(|told| told.start).collect();
        if starts.len() == told.len() {
            let started = starts.iter().filter(|start| **start < *at).count();
            assert_eq!(started, *seen, "{at} {told:?}");
        }
    }
    // Both sides of the position itself were tried.
    let is_end = |told: &Told| pauses.iter().any(|(at, _)| told.end == *at);
    let is_start = |told: &Told| {
        told.start
            .is_none_or(|start| pauses.iter().any(|(at, _)| start == *at))
    };
    assert!(told.iter().any(is_end), "{pauses:?} {told:?}");
    assert!(told.iter().any(is_start), "{pauses:?} {told:?}");
}

#[test]
fn a_copy_contains_what_ends_where_replay_stood_and_not_what_starts_there() {
    for plugin in PLUGINS {
        println!("--- {plugin}");
        check_boundary(plugin, false);
    }
}

#[test]
fn the_same_of_a_large_transaction_whose_end_is_not_read_yet() {
    check_boundary("pgoutput", true);
}

#[test]
fn the_same_of_a_large_transaction_that_is_read_twice() {
    check_boundary("test_decoding", true);
}

#[test]
fn the_same_of_a_large_transaction_with_wal2json() {
    check_boundary("wal2json", true);
}

/// Tables that were copied where replay stood at, and so on: which of three transactions they have.
/// A large one is applied while it is read, by where its commit record starts.
fn check_boundary(plugin: &str, large: bool) {
    const TABLES: [&str; 4] = ["first", "to_start", "past_start", "to_end"];
    let mut definitions = String::new();
    for table in TABLES {
        definitions.push_str(&format!(
            "CREATE TABLE {table} (n int, v text); ALTER TABLE {table} REPLICA IDENTITY FULL;"
        ));
    }
    let Some(capture) = Capture::with_plugin(plugin, &definitions) else {
        return;
    };
    let (source, target) = (&capture.pair.source, &capture.pair.target);
    let rows = if large { 6000 } else { 1 };
    let insert = |table: &str, n: u32, rows: u32| {
        format!("INSERT INTO {table} SELECT {n}, repeat('x', 300) FROM generate_series(1, {rows});")
    };
    let transactions = [(1, 1), (2, rows), (3, 1)];
    for (n, rows) in transactions {
        let inserts = TABLES.map(|table| insert(table, n, rows));
        source.sql(&format!("BEGIN; {} COMMIT", inserts.concat()));
    }
    let told = told(&capture);
    let [first, second, _] = told[..] else {
        panic!("{told:?}");
    };
    // Where the copy of each table was paused, and how many of the transactions it has then.
    let start = second.start.unwrap_or(first.end);
    // No standby stands inside a record; only where the start is what counts it must not be the
    // start itself that is contained.
    let past_start = match large && second.start.is_some() {
        true => Lsn::new(start.as_u64() + 1),
        false => second.end,
    };
    let copies = [
        ("first", first.end, 1),
        ("to_start", start, 1),
        ("past_start", past_start, 2),
        ("to_end", second.end, 2),
    ];
    target.sql(
        "CREATE SCHEMA pgflit; CREATE TABLE pgflit.part (schema_name text, table_name text,
             part int, part_count int, epoch int, snapshot text, convergence_lsn pg_lsn,
             row_count bigint, byte_count bigint)",
    );
    for (table, at, count) in copies {
        target.sql(&format!(
            "INSERT INTO pgflit.part VALUES
                 ('public', '{table}', 0, 1, 1, 'replayed {at}', '{at}', 0, 0)"
        ));
        for (n, rows) in transactions.into_iter().take(count as usize) {
            target.sql(&insert(table, n, rows));
        }
    }
    capture.apply().run().assert_code(0);
    assert_equal(source, target);
}

#[track_caller]
fn wait_until_replayed(source: &Database, standby: &Database) {
    let position = source.sql("SELECT pg_current_wal_flush_lsn()");
    eventually(SOON, "the standby has replayed everything", || {
        let replayed = format!("SELECT pg_last_wal_replay_lsn() >= '{position}'");
        standby.sql(&replayed) == "t"
    });
}
