//! Logical messages: each stands in the segments as it was emitted, and apply passes it over.

use std::fs;

use pgflit::segment::{self, Kind};
use serde_json::{Value, json};

use super::Capture;
use crate::support::{PLUGINS, assert_equal};

const TABLES: &str = "CREATE TABLE fruit (id int PRIMARY KEY)";

/// Prefix and content in SQL, and both as they are to stand in a line.
fn messages() -> Vec<[(&'static str, Value); 2]> {
    let plain = |prefix: &'static str, content: &'static str| {
        let unescaped = |text: &str| json!(text.replace("''", "'"));
        [(prefix, unescaped(prefix)), (content, unescaped(content))]
    };
    vec![
        plain("app", "content"),
        plain("", ""),
        plain(
            "it''s \"odd\", sz: 3 content:abc",
            "{\"a\": [1, \"\\n\"]}\nline two\ttab",
        ),
        plain("ä\\", "ü \u{1f600} \\ ''quoted''"),
        plain("table public.fruit", "INSERT: id[integer]:7"),
    ]
}

/// The messages in the segments: transactional, prefix and content.
fn received(capture: &Capture) -> Vec<(bool, Value, Value)> {
    let mut received = Vec::new();
    for entry in segment::entries(&capture.work_dir().cdc, Kind::Json).expect("segments") {
        let text = fs::read_to_string(entry.path).expect("JSON");
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).expect("JSON");
            if line["action"] == "M" {
                let transactional = line["transactional"] == true;
                assert_eq!(line["xid"].is_u64(), transactional);
                received.push((
                    transactional,
                    line["prefix"].clone(),
                    line["content"].clone(),
                ));
            }
        }
    }
    received
}

#[test]
fn messages_are_kept_as_they_were_emitted_and_passed_over_by_apply() {
    for plugin in PLUGINS {
        let Some(capture) = Capture::with_plugin(plugin, TABLES) else {
            continue;
        };
        let source = &capture.pair.source;
        if plugin == "pgoutput" && source.number("SHOW server_version_num") < 140_000 {
            continue;
        }
        println!("--- {plugin}");
        let mut expected = Vec::new();
        for (id, [prefix, content]) in (1..).zip(messages()) {
            let emit = |transactional: bool| {
                let (prefix, content) = (prefix.0, content.0);
                format!("SELECT pg_logical_emit_message({transactional}, '{prefix}', '{content}')")
            };
            let (inside, outside) = (emit(true), emit(false));
            source.sql(&format!(
                "{outside}; {inside};
                 BEGIN; INSERT INTO fruit VALUES ({id}); {inside}; SAVEPOINT a; {inside}; ROLLBACK TO a; COMMIT;
                 BEGIN; {inside}; INSERT INTO fruit VALUES (-{id}); {outside}; ROLLBACK"
            ));
            for transactional in [false, true, true, false] {
                expected.push((transactional, prefix.1.clone(), content.1.clone()));
            }
        }
        // Bytes that are no text.
        source.sql(r"SELECT pg_logical_emit_message(true, 'bytes', '\xff00fe27'::bytea)");
        // wal2json ends at the first zero byte.
        let bytes = if plugin == "wal2json" {
            "/w=="
        } else {
            "/wD+Jw=="
        };
        expected.push((true, json!("bytes"), json!({"base64": bytes})));
        capture.end_now();
        capture.receive().run().assert_code(0);
        assert_eq!(received(&capture), expected);
        capture.transform().run().assert_code(0);
        capture.apply().run().assert_code(0);
        assert_equal(source, &capture.pair.target);
    }
}
