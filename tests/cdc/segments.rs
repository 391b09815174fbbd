//! The files as others read them: JSON by `jq`, SQL by `psql`, names by the source's WAL.

use std::collections::HashSet;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use pgflit::base::Lsn;
use serde_json::Value;

use super::Capture;
use crate::support::{Database, PLUGINS, assert_equal};

const TABLES: &str = "
    CREATE TABLE fruit (id bigserial PRIMARY KEY, name text NOT NULL, price numeric, body text);
    ALTER TABLE fruit ALTER body SET STORAGE EXTERNAL;
    CREATE TABLE log (line text, at timestamptz, doc json);
    ALTER TABLE log REPLICA IDENTITY FULL;
    CREATE TABLE \"Odd -- 'name'\" (\"a $1 column\" int PRIMARY KEY, doc json, bytes bytea);
    CREATE TABLE made (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int);
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent);";

/// Each a transaction of its own; a WAL file ends after some.
const CHANGES: [&str; 10] = [
    "INSERT INTO fruit (name, price, body)
        SELECT 'fruit ' || n, n / 7.0, repeat(md5(n::text), 200) FROM generate_series(1, 100) n",
    "UPDATE fruit SET price = price * 2 WHERE id % 3 = 0",
    "SELECT pg_switch_wal()",
    "UPDATE fruit SET id = id + 10000, name = E'it''s \\\\ :name \\n$1' WHERE id % 50 = 0",
    "INSERT INTO log VALUES ('same', '2026-01-01', '{}'), ('same', '2026-01-01', '{}'),
        (NULL, NULL, NULL);
     DELETE FROM log WHERE ctid = (SELECT min(ctid) FROM log)",
    "SELECT pg_logical_emit_message(true, 'app', 'in'), pg_logical_emit_message(false, 'app', 'out')",
    "SELECT pg_switch_wal()",
    "INSERT INTO \"Odd -- 'name'\" VALUES (1, '{\"a\":  1}', '\\x00ff'), (2, NULL, '')",
    "INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1); TRUNCATE parent CASCADE",
    "INSERT INTO made (a) VALUES (1), (2); UPDATE made SET a = 3 WHERE a = 1",
];

/// A capture of [`CHANGES`], received and transformed.
fn captured() -> Capture {
    let capture = Capture::of(TABLES);
    take_changes(&capture);
    capture
}

fn take_changes(capture: &Capture) {
    for change in CHANGES {
        capture.pair.source.sql(change);
    }
    capture.end_now();
    capture.receive().run().assert_code(0);
    capture.transform().run().assert_code(0);
}

/// The segments of a kind, in order.
fn segments(capture: &Capture, kind: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(capture.work_dir().cdc).expect("segments");
    let paths = entries.map(|entry| entry.expect("a segment").path());
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let mut paths: Vec<_> = paths.filter(|path| name(path).contains(kind)).collect();
    paths.sort();
    paths
}

/// The keys that a line must have, by its action.
fn required(plugin: &str, action: &str) -> &'static [&'static str] {
    match action {
        // test_decoding tells neither before the end.
        "B" if plugin == "test_decoding" => &["xid", "lsn"],
        "R" => &["rel", "schema", "table", "columns", "identity"],
        "B" => &["xid", "lsn", "commit_lsn", "timestamp"],
        "I" => &["xid", "lsn", "rel", "new"],
        "U" => &["xid", "lsn", "rel", "new"],
        "D" => &["xid", "lsn", "rel", "old"],
        "T" => &["xid", "lsn", "rels", "cascade", "restart_identity"],
        "M" => &["lsn", "prefix", "transactional", "content"],
        "C" => &["xid", "lsn", "timestamp"],
        "K" | "X" | "E" => &["lsn"],
        other => panic!("no such action: {other}"),
    }
}

#[test]
fn json_lines_are_objects_with_the_keys_of_the_contract_whatever_the_plugin() {
    for plugin in PLUGINS {
        if let Some(capture) = Capture::with_plugin(plugin, TABLES) {
            take_changes(&capture);
            has_the_keys_of_the_contract(&capture);
        }
    }
}

fn has_the_keys_of_the_contract(capture: &Capture) {
    let mut seen = HashSet::new();
    for path in segments(capture, ".json") {
        let mut described = HashSet::new();
        for line in fs::read_to_string(&path).expect("JSON").lines() {
            let line: Value = serde_json::from_str(line).expect("JSON");
            let action = line["action"].as_str().expect("an action");
            seen.insert(action.to_owned());
            for key in required(&capture.plugin, action) {
                assert!(line.get(key).is_some(), "no {key} in {line}");
            }
            // Each segment stands alone: it tells of a relation before it uses it.
            match action {
                "R" => {
                    described.insert(line["rel"].clone().to_string());
                    for column in line["columns"].as_array().expect("columns") {
                        assert!(column["name"].is_string() && column["type"].is_string());
                        assert!(column["key"].is_boolean(), "{column}");
                    }
                }
                "I" | "U" | "D" => {
                    assert!(described.contains(&line["rel"].to_string()), "{line}");
                }
                _ => {}
            }
        }
        if let Ok(jq) = Command::new("jq")
            .args(["-e", ".action"])
            .arg(&path)
            .output()
        {
            assert!(jq.status.success(), "{jq:?}");
        }
    }
    // Before 14 pgoutput has no messages.
    let version = capture.pair.source.number("SHOW server_version_num");
    let has_messages = version >= 140_000 || capture.plugin != "pgoutput";
    for action in ["R", "B", "I", "U", "D", "T", "M", "C", "X", "E"] {
        assert_eq!(
            seen.contains(action),
            action != "M" || has_messages,
            "{action} in {seen:?}"
        );
    }
}

#[test]
fn segments_are_named_after_the_wal_file_of_their_first_position() {
    let capture = captured();
    let paths = segments(&capture, ".json");
    assert!(paths.len() >= 3, "{paths:?}");
    for path in paths {
        let text = fs::read_to_string(&path).expect("JSON");
        let positions = text.lines().filter_map(|line| {
            let line: Value = serde_json::from_str(line).expect("JSON");
            line["lsn"].as_str().map(str::to_owned)
        });
        let first = positions.into_iter().next().expect("a position");
        // The server counts the first byte of a WAL file to the file before.
        let first: Lsn = first.parse().expect("an LSN");
        let inside = Lsn::new(first.as_u64() + 1);
        let of_position = format!("SELECT pg_walfile_name('{inside}')");
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let name = name.split('.').next().unwrap();
        assert_eq!(name, capture.pair.source.sql(&of_position), "{first}");
    }
    let names = |kind| {
        let stem = |path: &PathBuf| path.file_name().unwrap().to_string_lossy()[..24].to_owned();
        segments(&capture, kind)
            .iter()
            .map(stem)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(".json"), names(".sql"));
}

#[test]
fn sql_segments_are_sql_once_prepare_and_execute_are_spelled_for_psql() {
    let capture = captured();
    let pair = &capture.pair;
    let postgres = pair.target.uri().replace("/app", "/postgres");
    let create = pair
        .target
        .program("psql")
        .args([
            "-X",
            "-d",
            &postgres,
            "-c",
            "CREATE DATABASE replica TEMPLATE app",
        ])
        .output()
        .expect("psql");
    assert!(create.status.success(), "{create:?}");
    let replica = Database::of(&pair.target_cluster, "replica");
    let mut script = "SET session_replication_role = replica;\n".to_owned();
    for path in segments(&capture, ".sql") {
        script.push_str(&spelled_for_psql(&fs::read_to_string(path).expect("SQL")));
    }
    replica.sql(&script);
    capture.apply().run().assert_code(0);
    assert_equal(&pair.target, &replica);
    pair.target
        .sql("SELECT setval('fruit_id_seq', 100), setval('made_id_seq', 2)");
    assert_equal(&pair.source, &pair.target);
}

/// What a DBA's script would do: names quoted, values in parentheses as SQL literals.
fn spelled_for_psql(segment: &str) -> String {
    let mut script = "DEALLOCATE ALL;\n".to_owned();
    let mut prepared = HashSet::new();
    for line in segment.lines() {
        if let Some(rest) = line.strip_prefix("PREPARE ") {
            let (id, statement) = rest.split_once(" AS ").expect("PREPARE id AS statement");
            if prepared.insert(id) {
                let _ = writeln!(script, "PREPARE \"{id}\" AS {statement}");
            }
        } else if let Some(rest) = line.strip_prefix("EXECUTE ") {
            let (id, values) = rest.split_at(rest.find('[').expect("EXECUTE id[values];"));
            let values = values.strip_suffix(';').expect("a semicolon");
            let values: Vec<Option<String>> = serde_json::from_str(values).expect("values");
            let literal = |value: &Option<String>| match value {
                Some(text) => format!("'{}'", text.replace('\'', "''")),
                None => "NULL".to_owned(),
            };
            let literals: Vec<_> = values.iter().map(literal).collect();
            let _ = writeln!(script, "EXECUTE \"{id}\" ({});", literals.join(", "));
        } else {
            let _ = writeln!(script, "{line}");
        }
    }
    script
}
