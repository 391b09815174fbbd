//! `pgflit status` of a migration whose traffic is moved.

use std::collections::BTreeSet;

use serde_json::Value;

use super::stage::Stage;
use crate::support::{SOON, eventually, metrics_named_in, monitoring, pgflit};

fn status(stage: &Stage) -> Value {
    let told = pgflit("status --json").dir(stage.pair.dir()).run();
    serde_json::from_str(&told.assert_code(0).stdout).expect("JSON")
}

#[test]
fn where_traffic_goes_and_whether_changes_go_back_is_told() {
    let mut stage = Stage::with("CREATE TABLE t (id int PRIMARY KEY)");
    let told = status(&stage);
    assert_eq!(told["serves"], "source", "{told}");
    assert_eq!(told["proxy"]["serves"], "source", "{told}");
    assert_eq!(told["proxy"]["paused_seconds"], Value::Null, "{told}");
    assert_eq!(told["cutover"], Value::Null);

    stage.moves("cutover");
    stage.database().sql("INSERT INTO t VALUES (1)");
    let mut told = Value::Null;
    eventually(SOON, "what was written has gone back", || {
        told = status(&stage);
        told["streams"][1]["lag_seconds"] == 0.0 && told["state"] == "finished"
    });
    assert_eq!(told["serves"], "target", "{told}");
    assert_eq!(told["cutover"]["state"], "done", "{told}");
    assert_eq!(told["cutover"]["to"], "target", "{told}");
    assert_eq!(told["streams"][1]["from"], "target", "{told}");
    assert_eq!(told["streams"][1]["state"], "running", "{told}");
    let shown = pgflit("status").dir(stage.pair.dir()).run();
    shown
        .assert_code(0)
        .assert_stdout("changes go back to the source");

    assert_eq!(stage.stop_streams(), ["reverse"]);
    let shown = pgflit("status").dir(stage.pair.dir()).run();
    shown.assert_code(0).assert_stdout("changes do not go back");
    stage.resume_streams(&["reverse"]);
    stage.moves("rollback");
    let told = status(&stage);
    assert_eq!(told["serves"], "source", "{told}");
    let shown = pgflit("status").dir(stage.pair.dir()).run();
    shown
        .assert_code(0)
        .assert_stdout("traffic is on the source again");
}

/// The names of the metrics that are told now.
fn told_names(stage: &Stage) -> BTreeSet<String> {
    let told = pgflit("status --metrics").dir(stage.pair.dir()).run();
    let told = told.assert_code(0).stdout;
    let types = told.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let names = types.filter_map(|line| line.split(' ').next());
    names.map(str::to_owned).collect()
}

#[test]
fn every_metric_of_the_alerts_is_told_and_on_the_page() {
    let stage = Stage::with("CREATE TABLE t (id int PRIMARY KEY)");
    let limit = "ALTER SYSTEM SET max_slot_wal_keep_size = '10GB'";
    stage.pair.source.sql(limit);
    stage.pair.source.sql("SELECT pg_reload_conf()");
    let mut told = BTreeSet::new();
    eventually(SOON, "the limit is in force", || {
        told.extend(told_names(&stage));
        told.contains("pgflit_slot_safe_bytes")
    });
    stage.moves("cutover");
    told.extend(told_names(&stage));

    let alerts = monitoring("alerts.yml");
    let named = metrics_named_in(&alerts, "pgflit_");
    let of_proxy = |name: &&String| name.starts_with("pgflit_proxy_");
    let named: Vec<_> = named.iter().filter(|name| !of_proxy(name)).collect();
    assert!(named.len() > 15, "{named:?}");
    for name in named {
        assert!(told.contains(name), "{name} is not told: {told:?}");
    }
    let page = monitoring("../status.md");
    for name in &told {
        let is_there = page.contains(&format!("`{name}`"));
        assert!(is_there, "{name} is not in status.md");
    }
    let (_, of_migration) = alerts.split_once("pgflit-migration").expect("the group");
    let rules: Vec<_> = of_migration.split("- alert: ").skip(1).collect();
    assert!(rules.len() > 10, "{rules:?}");
    for rule in rules {
        let name = rule.lines().next().unwrap_or_default();
        for part in ["expr: ", "severity: ", "summary: "] {
            assert!(rule.contains(part), "{name} has no {part}");
        }
        let is_there = page.contains(&format!("`{name}`"));
        assert!(is_there, "{name} is not in status.md");
    }
}
