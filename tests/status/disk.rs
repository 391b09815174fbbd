//! Work directories that nobody works in.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use nix::sys::signal::Signal;
use pgflit::worker::cluster::StopMode;
use serde_json::Value;

use super::{shown, status};
use crate::support::{Pair, SOON, eventually, pgflit};

/// What is in the files of `folder`, but for those that SQLite keeps beside its own while it is open.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder");
    let files = entries.map(|entry| entry.expect("an entry").path());
    let files = files.filter(|path| {
        let name = path.to_string_lossy();
        path.is_file() && !name.ends_with("-shm") && !name.ends_with("-wal")
    });
    files
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            (name.into_owned(), fs::read(&path).expect("read"))
        })
        .collect()
}

#[test]
fn a_folder_in_which_nothing_was_begun_is_told_and_one_that_is_missing_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let of = |dir: &Path| pgflit("status --json").dir(dir).run();
    let missing = of(&folder.path().join("none")).assert_code(1);
    missing.assert_stderr("there is no migration in");
    let state = || {
        let told = of(folder.path()).assert_code(0).stdout;
        let told: Value = serde_json::from_str(&told).expect("JSON");
        told["state"].clone()
    };
    assert_eq!(state(), "empty");
    assert_eq!(contents(folder.path()), BTreeMap::new());
    // Whoever began it was killed before anything was in it.
    fs::write(folder.path().join("pgflit.db"), "").expect("written");
    assert_eq!(state(), "empty");
    fs::write(folder.path().join("pgflit.db"), "no store at all").expect("written");
    of(folder.path())
        .assert_code(12)
        .assert_stderr("in the store");
}

#[test]
fn a_run_that_was_killed_is_interrupted_and_looking_at_it_changes_nothing() {
    let pair = Pair::new();
    pair.source
        .sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000)");
    let clone = || pgflit("clone --follow").between(&pair);
    let killed = clone().env("PGFLIT_KILL_AT", "part copied").run();
    assert_eq!(killed.code(), None);
    eventually(SOON, "its children have ended", || {
        status(&pair)["state"] == "interrupted"
    });
    let before = contents(&pair.dir());
    let told = status(&pair);
    assert_eq!(told["running"], Value::Null);
    assert_eq!(told["streams"][0]["state"], "interrupted");
    assert_eq!(told["source"]["reachable"], true, "{told}");
    let text = shown(&pair);
    assert!(text.contains("interrupted while"), "{text}");
    assert!(text.contains("nobody streams"), "{text}");
    assert_eq!(contents(&pair.dir()), before);
    let resumed = clone().resume().start();
    resumed.wait_for_stderr("live replay from");
    assert_eq!(status(&pair)["state"], "running");
}

#[test]
fn a_finished_run_is_told_and_servers_that_are_gone_are_no_error() {
    let mut pair = Pair::new();
    pair.source
        .sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000)");
    pgflit("clone").between(&pair).run().assert_code(0);
    let told = status(&pair);
    assert_eq!(told["state"], "finished");
    assert_eq!(told["copy"]["tables"]["done"], 1, "{told}");
    assert_eq!(told["copy"]["rows"], 1000, "{told}");
    assert_eq!(told["streams"], Value::Array(Vec::new()));
    assert_eq!(told["target"]["reachable"], true, "{told}");
    assert!(shown(&pair).contains("\nfinished\n"), "{}", shown(&pair));
    assert!(!pair.dir().join("pgflit.db-shm").exists());

    pair.target_cluster.stop(StopMode::Fast).expect("it stops");
    let told = status(&pair);
    assert_eq!(told["source"]["reachable"], true, "{told}");
    assert_eq!(told["target"]["reachable"], false, "{told}");
    assert!(told["target"]["problem"].is_string(), "{told}");
    let metrics = pgflit("status --metrics").dir(pair.dir()).run();
    let dir = pair.dir().display().to_string();
    let sample = |begin: &str, value: &str| format!("{begin},work_dir=\"{dir}\"}} {value}\n");
    metrics
        .assert_code(0)
        .assert_stdout(&sample("pgflit_server_up{side=\"target\"", "0"))
        .assert_stdout(&sample("pgflit_migration_state{state=\"finished\"", "1"));
}

#[test]
fn another_database_than_that_of_the_migration_is_not_taken_for_it() {
    let pair = Pair::new();
    pgflit("clone").between(&pair).run().assert_code(0);
    let told = pgflit("status --json")
        .dir(pair.dir())
        .source(&pair.target)
        .run();
    let told: Value = serde_json::from_str(&told.assert_code(0).stdout).expect("JSON");
    let problem = told["source"]["problem"].as_str().expect("a problem");
    assert!(
        problem.contains("another database than the source"),
        "{problem}"
    );
    assert_eq!(told["target"]["reachable"], true, "{told}");
}

/// Without a terminal there is nothing to draw on.
#[test]
fn watching_without_a_terminal_prints_a_line_at_each_look_until_a_signal_comes() {
    let pair = Pair::new();
    pgflit("clone").between(&pair).run().assert_code(0);
    let watch = pgflit("status --watch --interval 100ms")
        .dir(pair.dir())
        .start();
    eventually(SOON, "it has looked three times", || {
        watch.stdout().lines().count() >= 3
    });
    watch.signal(Signal::SIGTERM);
    let ended = watch.wait_for_exit().assert_code(0);
    assert!(
        ended.stdout.lines().all(|line| line == "finished"),
        "{}",
        ended.stdout
    );
    let both = pgflit("status --watch --metrics").dir(pair.dir()).run();
    both.assert_code(1).assert_stderr("cannot be used with");
}

/// What programs read is on the page about it, key by key.
#[test]
fn every_key_of_the_answer_is_documented() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/status.md");
    let page = fs::read_to_string(page).expect("the page");
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE t (id int PRIMARY KEY)");
    let clone = pgflit("clone --follow").between(&pair).start();
    clone.wait_for_stderr("live replay from");
    let told = status(&pair);
    let keys = |value: &Value| -> Vec<String> {
        let object = value.as_object().expect("an object");
        object.keys().cloned().collect()
    };
    let mut all = keys(&told);
    for of in [
        &told["streams"][0],
        &told["streams"][0]["slot"],
        &told["source"],
        &told["disk"],
        &told["running"],
    ] {
        all.extend(keys(of));
    }
    let missing: Vec<_> = all
        .iter()
        .filter(|key| !page.contains(&format!("`{key}`")))
        .collect();
    assert!(missing.is_empty(), "not documented: {missing:?}");
    let metrics = pgflit("status --metrics").dir(pair.dir()).run();
    let metrics = metrics.assert_code(0).stdout;
    let families = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "));
    let families = families.filter_map(|line| line.split(' ').next());
    let missing: Vec<_> = families
        .filter(|name| !page.contains(&format!("`{name}`")))
        .collect();
    assert!(missing.is_empty(), "not documented: {missing:?}");
}
