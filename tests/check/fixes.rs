//! What is mended with `--fix`, and looked at again.

use pgflit::worker::cluster::{ClusterOptions, StopMode};

use super::{check, lines, major, sound_pair};
use crate::support::{Database, Held, Pair, SOON, eventually, pgflit};

/// What tests set on the command line of their servers cannot be set anew: this is in the file.
fn set(database: &Database, settings: &[&str]) {
    for setting in settings {
        database.sql(&format!("ALTER SYSTEM SET {setting}"));
    }
    database.sql("SELECT pg_reload_conf()");
    let (name, value) = settings[0].split_once(" = ").expect("a setting");
    eventually(SOON, "it is read", || {
        format!("'{}'", database.sql(&format!("SHOW {name}"))) == value
    });
}

#[test]
fn what_is_fixable_is_mended_and_checked_again() {
    let sound = |name: &str| ClusterOptions::new(name).setting("shared_buffers", "64MB");
    let mut pair = Pair::with(
        sound("source").setting("max_connections", "120"),
        sound("target"),
    );
    pair.source.sql(
        "CREATE TABLE log (line text); CREATE TABLE pairs (a int NOT NULL, b int NOT NULL UNIQUE)",
    );
    set(&pair.source, &["max_slot_wal_keep_size = '1GB'"]);
    set(&pair.target, &["fsync = 'off'", "full_page_writes = 'off'"]);
    pair.target
        .sql("ALTER DATABASE app SET timezone = 'Asia/Tokyo'");
    let refused = check(&pair).arg("--fix").run().assert_code(1);
    refused.assert_stderr("add --yes");

    let fixed = check(&pair)
        .args(["--fix", "--yes"])
        .run()
        .assert_code(0)
        .assert_stderr("capacity takes effect when the target is restarted")
        .assert_stderr("ALTER TABLE ONLY");
    // Once before, once after.
    assert_eq!(
        fixed.stdout.matches(" passed, ").count(),
        2,
        "{}",
        fixed.stdout
    );
    let mended = [
        ("identities", "source"),
        ("slot-wal-limit", "source"),
        ("durability", "target"),
        ("parameters", "both"),
    ];
    let found = lines(&fixed);
    for (id, place) in mended {
        let of_it = found.iter().filter(|it| it.id == id && it.place == place);
        let statuses: Vec<_> = of_it.map(|line| line.status.as_str()).collect();
        assert_eq!(statuses, ["WARN", "PASS"], "{id}");
    }
    let capacity: Vec<_> = found.iter().filter(|it| it.id == "capacity").collect();
    assert_eq!(capacity[1].status, "WARN");
    let text = &capacity[1].text;
    assert!(text.contains("waits for a restart"), "{text}");
    let identity = "SELECT string_agg(relname || ' ' || relreplident::text, ', ' ORDER BY relname)
                      FROM pg_class WHERE relname IN ('log', 'pairs')";
    assert_eq!(pair.source.sql(identity), "log f, pairs i");

    let restarted = pair.target_cluster.restart(StopMode::Fast);
    restarted.expect("it starts with what was set");
    let finished = check(&pair).run().assert_code(0);
    assert!(
        finished.stdout.ends_with(", 0 warnings, 0 failed\n"),
        "{}",
        finished.stdout
    );
}

#[test]
fn what_a_server_refuses_to_have_mended_is_said_and_the_rest_is_mended() {
    let pair = sound_pair();
    pair.source.sql(
        "CREATE ROLE owner LOGIN REPLICATION; GRANT pg_read_all_stats TO owner;
         GRANT CREATE ON DATABASE app TO owner; GRANT CREATE ON SCHEMA public TO owner;
         SET ROLE owner; CREATE TABLE log (line text)",
    );
    pair.target
        .sql("ALTER DATABASE app SET timezone = 'Asia/Tokyo'; CREATE ROLE owner SUPERUSER LOGIN");
    let _held = Held::open(&pair.source, "LOCK TABLE log IN SHARE MODE");
    let owner = Database::of_user(&pair.source_cluster, "app", "owner");
    let run = pgflit("check").source(&owner).target(&pair.target).follow();
    let run = run.dir(pair.dir()).args(["--fix", "--yes"]).run();
    let run = run
        .assert_code(0)
        .assert_stderr("identities is not mended")
        .assert_stderr("lock timeout");
    let found = lines(&run);
    let last = |id: &str| found.iter().rfind(|line| line.id == id);
    assert_eq!(last("identities").expect("a line").status, "WARN");
    assert_eq!(last("parameters").expect("a line").status, "PASS");
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
    let given = json(&["--yes"]);
    assert_eq!(given["warned"], 0);
    let fixed = json(&["--fix", "--yes"]);
    assert_eq!(fixed["fixed"][0], "identities");
    assert_eq!(fixed["warned"], 0);
}

#[test]
fn every_check_is_in_the_guide_and_none_that_is_not() {
    let guide = include_str!("../../docs/check.md");
    let (_, guide) = guide.split_once("## The checks").expect("the part");
    let rows = guide.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut told: Vec<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    told.sort_unstable();
    let pair = sound_pair();
    pair.source.sql("CREATE TABLE t (id int PRIMARY KEY)");
    let end = "7FFFFFFF/0";
    let run = check(&pair)
        .args(["--roles", "--endpos", end, "--source-load-limit", "99"])
        .run()
        .assert_code(0);
    let mut made: Vec<String> = lines(&run).into_iter().map(|line| line.id).collect();
    if major(&pair.source).min(major(&pair.target)) < 15 {
        // Older ones have one library only.
        made.push("collation-library".to_owned());
    }
    made.sort_unstable();
    made.dedup();
    assert_eq!(told, made);
    assert_eq!(told, pgflit::migration::check::IDS);
}
