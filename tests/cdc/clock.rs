//! A source whose clock goes backwards: the order of changes is that of the WAL.

use super::Capture;
use crate::support::{PLUGINS, assert_equal};

const TABLES: &str = "CREATE TABLE fruit (id int PRIMARY KEY, n int)";

/// When transactions say that they committed, one after the other.
const TIMES: [&str; 6] = [
    "2026-11-21 12:00:00+00",
    "2026-11-21 11:59:59.999999+00",
    "2001-01-01 00:00:00+00",
    // Before PostgreSQL's epoch and that of Unix.
    "1999-12-31 23:59:59.999999+00",
    "1969-12-31 23:59:59.5+00",
    "9999-12-31 23:59:59+00",
];

#[test]
fn times_that_go_backwards_change_nothing() {
    for plugin in PLUGINS {
        let Some(capture) = Capture::with_plugin(plugin, TABLES) else {
            continue;
        };
        println!("--- {plugin}");
        let (source, target) = (&capture.pair.source, &capture.pair.target);
        // A transaction that is replayed from elsewhere has the time that it had there.
        source.sql("SELECT pg_replication_origin_create('elsewhere')");
        for (id, time) in (1..).zip(TIMES) {
            source.sql(&format!(
                "SELECT pg_replication_origin_session_setup('elsewhere');
                 BEGIN; SELECT pg_replication_origin_xact_setup('0/{id}', '{time}');
                 INSERT INTO fruit VALUES ({id}, 0); UPDATE fruit SET n = n + {id}; COMMIT"
            ));
            if id % 3 == 0 {
                // The second time begins where the first was left.
                capture.end_now();
                capture.receive().run().assert_code(0);
                capture.transform().run().assert_code(0);
                capture.apply().run().assert_code(0);
                assert_equal(source, target);
            }
        }
    }
}
