//! The log of a real run: `generate` is a command that logs one line and needs no server.

use assert_cmd::assert::Assert;
use predicates::prelude::*;
use predicates::str::{contains, is_match};

use super::pgflit;

fn generate(options: &[&str]) -> (tempfile::TempDir, Assert) {
    let folder = tempfile::tempdir().expect("folder");
    let mut command = pgflit();
    command
        .current_dir(folder.path())
        .args(["generate", "out"])
        .args(options);
    let answer = command.assert();
    (folder, answer)
}

#[test]
fn a_line_has_time_process_level_and_what_it_is_about() {
    let shape = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[\d+\] INFO  wrote .* files=\d+ dir=out\n$";
    let (_folder, answer) = generate(&[]);
    answer
        .success()
        .stdout("")
        .stderr(is_match(shape).expect("pattern"));
}

#[test]
fn quiet_leaves_only_warnings() {
    let (_folder, answer) = generate(&["-q"]);
    answer.success().stderr("");
}

#[test]
fn colours_are_for_terminals_unless_asked_for() {
    let (_folder, answer) = generate(&[]);
    answer.stderr(contains("\u{1b}").not());
    let (_folder, answer) = generate(&["--color", "always"]);
    answer.stderr(contains("\u{1b}[32mINFO"));
}

#[test]
fn json_lines_can_be_read_by_a_program() {
    let (_folder, answer) = generate(&["--log-json", "--log-time-format", "%Y"]);
    let line: serde_json::Value =
        serde_json::from_slice(&answer.get_output().stderr).expect("JSON");
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["fields"]["dir"], "out");
    assert_eq!(line["timestamp"].as_str().map(str::len), Some(4));
}

#[test]
fn the_log_file_gets_the_same_lines_without_colour() {
    let (folder, answer) = generate(&["--log-file", "log", "--color=always"]);
    answer.success();
    let log = std::fs::read_to_string(folder.path().join("log")).expect("log");
    assert!(log.contains("INFO  wrote"), "{log}");
}

#[test]
fn a_log_that_cannot_be_written_is_refused_at_once() {
    for (options, complaint) in [
        (["--log-file", "/nonexistent/log"], "/nonexistent/log"),
        (["--log-time-format", "%!"], "\"%!\""),
    ] {
        let (folder, answer) = generate(&options);
        answer.code(1).stderr(contains(complaint));
        assert!(!folder.path().join("out").exists());
    }
}
