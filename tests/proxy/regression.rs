//! PostgreSQL's own regression tests through the proxy: the same result as without.
//!
//! They need the network and minutes, so they run only where `PGFLIT_REGRESSION` is set, as
//! `make test-regression` does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Proxied, source_options};

/// What the tests of the server listening on `port` came to: the lines of `pg_regress` without
/// their times, and what was different from what is expected.
fn ran(port: u16, folder: &Path) -> (Vec<String>, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/regression-database");
    let status = Command::new(script)
        .arg(port.to_string())
        .arg(folder)
        .status();
    assert!(status.expect("the script runs").success());
    let majors = fs::read_dir(folder).expect("a folder").flatten();
    let found = majors.map(|major| major.path().join("source/src/test/regress"));
    let found: Vec<PathBuf> = found.filter(|path| path.join("run.log").exists()).collect();
    let [place] = found.as_slice() else {
        panic!("not one run in {}", folder.display());
    };
    let log = fs::read_to_string(place.join("run.log")).expect("a log");
    let results = log.lines().filter(|line| line.contains(" ... "));
    let without_time = |line: &str| {
        let line = line.trim_end_matches("ms").trim_end();
        let line = line.trim_end_matches(|character: char| character.is_ascii_digit());
        line.trim_end().to_owned()
    };
    let diffs = fs::read(place.join("regression.diffs")).unwrap_or_default();
    let diffs = String::from_utf8_lossy(&diffs).into_owned();
    // The headers of a difference have times.
    let lines = diffs
        .lines()
        .filter(|line| !line.starts_with("---") && !line.starts_with("+++"));
    (
        results.map(without_time).collect(),
        lines.collect::<Vec<_>>().join("\n"),
    )
}

#[test]
fn postgresqls_own_tests_come_to_the_same_through_the_proxy() {
    if std::env::var_os("PGFLIT_REGRESSION").is_none() {
        return;
    }
    // Of its own: the one that is cloned is made at the same time.
    let folder = std::env::temp_dir().join("pgflit-regression-proxy");
    // Database and roles of the first run would be there in the second.
    let proxied = || Proxied::of_any_database(source_options());
    let (one, two) = (proxied(), proxied());
    let direct = ran(one.cluster.port(), &folder);
    let through = ran(two.port, &folder);
    assert!(direct.0.len() > 150, "{direct:?}");
    assert_eq!(through.0, direct.0);
    assert_eq!(through.1, direct.1);
}
