//! `pgflit ping`.

use crate::support::{Pair, pgflit};

#[test]
fn both_servers_are_told_and_a_missing_one_is_named_by_the_exit_code() {
    let pair = Pair::new();
    let ping = || pgflit("ping").source(&pair.source);
    let told = ping().target(&pair.target).run().assert_code(0).stdout;
    let lines: Vec<_> = told.lines().collect();
    assert!(lines[0].starts_with("source: PostgreSQL "), "{told}");
    assert!(lines[1].starts_with("target: PostgreSQL "), "{told}");
    let json = ping()
        .target(&pair.target)
        .arg("--json")
        .run()
        .assert_code(0)
        .stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json[1]["side"], "target");
    assert_eq!(json[1]["encrypted"], false);
    assert!(json[0]["round_trip_ms"].as_f64().expect("a number") > 0.0);

    let alone = ping()
        .args(["--target", "host=/nonexistent"])
        .run()
        .assert_code(7);
    assert!(alone.stdout.starts_with("source: "), "{}", alone.stdout);
    let neither = pgflit("ping").args(["--source", "host=/nonexistent"]);
    let neither = neither.target(&pair.target).run().assert_code(6);
    neither.assert_stderr("talking to the source: could not connect");
}
