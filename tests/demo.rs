//! `pgflit demo`: what a newcomer runs first.

use std::fs;
use std::path::Path;

use crate::support::pgflit;

#[test]
fn the_demo_ends_with_equal_databases_and_code_0_and_leaves_no_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let demo = pgflit("demo --scale 1 --seconds 3").dir(folder.path().join("work"));
    let told = demo.run().assert_code(0);
    for words in [
        "pgbench_history",
        "rollback, to the source",
        "work/report.html",
        "EQUAL: ",
    ] {
        assert!(told.stdout.contains(words), "{}", told.stdout);
    }
    assert!(folder.path().join("work/report.html").exists());
    assert_eq!(processes_of(folder.path()), Vec::<String>::new());
}

/// Processes that were told of this folder.
fn processes_of(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().expect("text");
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let arguments = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    arguments
        .map(|words| String::from_utf8_lossy(&words).replace('\0', " "))
        .filter(|words| words.contains(folder))
        .collect()
}
