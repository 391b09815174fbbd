//! What is mended with `--fix`, and looked at again.

use super::{check, lines, sound_pair};
use crate::support::{Pair, source_options, target_options};

#[test]
fn what_is_fixable_is_mended_and_checked_again() {
    let source = source_options()
        .setting("wal_level", "replica")
        .setting("max_slot_wal_keep_size", "1GB");
    let pair = Pair::with(source, target_options());
    pair.source.sql(
        "CREATE TABLE log (line text); CREATE TABLE pairs (a int NOT NULL, b int NOT NULL UNIQUE)",
    );
    pair.target
        .sql("ALTER DATABASE app SET timezone = 'Asia/Tokyo'");
    let refused = check(&pair).arg("--fix").run().assert_code(1);
    refused.assert_stderr("add --yes");

    let fixed = check(&pair).args(["--fix", "--yes"]).run().assert_code(3);
    // Once before, once after.
    assert_eq!(
        fixed.stdout.matches(" passed, ").count(),
        2,
        "{}",
        fixed.stdout
    );
    let fixed = fixed
        .assert_stderr("wal-level takes effect when the source is restarted")
        .assert_stderr("ALTER TABLE ONLY");
    let after = lines(&fixed);
    let last = |id: &str, place: &str| {
        let found = after
            .iter()
            .rfind(|line| line.id == id && line.place == place);
        found.map(|line| (line.status.as_str(), line.text.as_str()))
    };
    let (status, text) = last("wal-level", "source").expect("a line");
    assert_eq!(status, "FAIL");
    assert!(text.contains("waits for a restart"), "{text}");
    for (id, place) in [
        ("identities", "source"),
        ("slot-wal-limit", "source"),
        ("durability", "target"),
        ("parameters", "both"),
    ] {
        let (status, text) = last(id, place).expect("a line");
        assert_eq!(status, "PASS", "{id}: {text}");
    }
    let identity = "SELECT string_agg(relname || ' ' || relreplident::text, ', ' ORDER BY relname)
                      FROM pg_class WHERE relname IN ('log', 'pairs')";
    assert_eq!(pair.source.sql(identity), "log f, pairs i");
}

#[test]
fn a_setting_that_waits_for_its_restart_is_right_after_it() {
    let source = source_options().setting("max_wal_senders", "0");
    // On the command line of a test's server nothing could be set anew: it is in its file.
    let mut pair = Pair::with(source.setting("wal_level", "replica"), target_options());
    check(&pair).args(["--fix", "--yes"]).run().assert_code(3);
    let cluster = &mut pair.source_cluster;
    cluster
        .restart(pgflit::worker::cluster::StopMode::Fast)
        .expect("it starts with what was set");
    let finished = check(&pair).run().assert_code(0);
    let senders = lines(&finished)
        .into_iter()
        .find(|line| line.id == "wal-senders");
    assert_eq!(senders.map(|line| line.status).as_deref(), Some("PASS"));
}

#[test]
fn programs_read_what_was_found_and_what_would_mend_it() {
    let pair = sound_pair();
    pair.source.sql("CREATE TABLE log (line text)");
    let json = |options: &[&str]| -> serde_json::Value {
        let run = check(&pair)
            .arg("--json")
            .args(options)
            .run()
            .assert_code(0);
        serde_json::from_str(&run.stdout).expect("JSON")
    };
    let found = json(&[]);
    let identities = found["checks"].as_array().expect("a list");
    let identities = identities
        .iter()
        .find(|one| one["id"] == "identities")
        .expect("it");
    assert_eq!(identities["status"], "warn");
    assert_eq!(identities["fix"]["side"], "source");
    assert_eq!(identities["fix"]["takes_effect"], "now");
    assert_eq!(
        identities["fix"]["sql"][0],
        "ALTER TABLE ONLY \"public\".\"log\" REPLICA IDENTITY FULL"
    );
    assert_eq!(found["warned"], 1);
    assert_eq!(found["complete"], true);
    let fixed = json(&["--fix", "--yes"]);
    assert_eq!(fixed["fixed"][0], "identities");
    assert_eq!(fixed["warned"], 0);
}

#[test]
fn every_check_is_in_the_guide_and_none_that_is_not() {
    let guide = include_str!("../../docs/check.md");
    let rows = guide.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut told: Vec<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    told.sort_unstable();
    let pair = sound_pair();
    pair.source.sql("CREATE TABLE t (id int PRIMARY KEY)");
    let end = pair
        .source
        .sql("SELECT pg_current_wal_insert_lsn() + 1000000");
    let run = check(&pair)
        .args(["--roles", "--endpos", &end])
        .run()
        .assert_code(0);
    let mut made: Vec<String> = lines(&run).into_iter().map(|line| line.id).collect();
    made.sort_unstable();
    made.dedup();
    assert_eq!(told, made);
}
