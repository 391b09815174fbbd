//! The tree of commands: each has help, each does something or says that it does not yet.

use predicates::prelude::*;
use predicates::str::{contains, starts_with};

use super::pgflit;

/// Every command that does something, with the least it must be told.
const LEAVES: [&str; 65] = [
    "clone",
    "fork",
    "follow",
    "snapshot",
    "copy db",
    "copy roles",
    "copy extensions",
    "copy schema",
    "copy data",
    "copy table-data",
    "copy blobs",
    "copy sequences",
    "copy indexes",
    "copy constraints",
    "dump schema",
    "dump roles",
    "restore schema",
    "restore pre-data",
    "restore post-data",
    "restore roles",
    "restore parse-list",
    "list databases",
    "list extensions",
    "list collations",
    "list tables",
    "list table-parts --table-name t",
    "list sequences",
    "list indexes",
    "list depends",
    "list schema",
    "list progress",
    "compare schema",
    "compare data",
    "stream setup",
    "stream cleanup",
    "stream prune",
    "stream prefetch",
    "stream catchup",
    "stream replay",
    "stream receive",
    "stream transform",
    "stream apply",
    "sentinel setup",
    "sentinel get",
    "sentinel set startpos 0/1",
    "sentinel set endpos 0/1",
    "sentinel set apply",
    "sentinel set prefetch",
    "ping",
    "check",
    "status",
    "report",
    "proxy",
    "proxy status",
    "proxy pause",
    "proxy resume",
    "proxy reload",
    "proxy mirrors",
    "proxy clients",
    "proxy check-config",
    "cutover",
    "rollback",
    "finalize",
    "demo",
    "stream sentinel get",
];

fn words(command: &str) -> impl Iterator<Item = &str> {
    command.split(' ')
}

#[test]
fn every_command_has_help() {
    for command in LEAVES {
        let help = pgflit()
            .args(words(command))
            .arg("--help")
            .assert()
            .success();
        help.stdout(contains("Usage: pgflit")).stderr("");
    }
}

#[test]
fn an_option_that_is_not_built_is_not_ignored() {
    for command in ["follow --all-databases", "clone --all-databases --follow"] {
        let answer = pgflit().args(words(command)).assert().code(12).stdout("");
        answer.stderr(starts_with("error: pgflit ").and(contains("is not built yet")));
    }
}

#[test]
fn a_wrong_word_is_answered_with_the_nearest_and_1() {
    for (command, nearest) in [
        ("clnoe", "'clone'"),
        ("sentinel set endpso 0/1", "'endpos'"),
        ("clone --tabel-jobs 3", "'--table-jobs'"),
        ("clone --on-conflict stpo", "'stop'"),
    ] {
        let answer = pgflit().args(words(command)).assert().code(1).stdout("");
        answer.stderr(starts_with("error: ").and(contains(nearest)));
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_1() {
    for command in [
        "",
        "list",
        "sentinel set",
        "clone --restart --resume",
        "clone extra",
        "clone --table-jobs 0",
        "clone --endpos",
        "sentinel set endpos",
        "sentinel set endpos 0/1 --current",
        "sentinel get --endpos --startpos",
        "sentinel set startpos",
        "stream transform a b c",
        "stream apply a b",
        "list tables --list-skipped --without-pkey",
        "list table-parts",
        "cutover --dry-run --yes",
        "status --watch --metrics",
        "ping --quiet --verbose",
        "completions powershell",
    ] {
        let command = pgflit()
            .args(words(command).filter(|word| !word.is_empty()))
            .assert();
        command.code(1).stdout("");
    }
}

#[test]
fn a_value_that_is_refused_comes_with_the_form_it_should_have() {
    for (command, option, form) in [
        ("clone --endpos zebra", "--endpos", "0/16B3748"),
        ("sentinel set endpos zebra", "LSN", "0/16B3748"),
        (
            "clone --split-at zebra",
            "--split-tables-larger-than",
            "100 MB or 2GB",
        ),
        ("follow --retry-for soon", "--retry-for", "5min"),
    ] {
        let answer = pgflit().args(words(command)).assert().code(1);
        answer.stderr(contains(option).and(contains(form)));
    }
}

#[test]
fn a_password_on_the_command_line_is_not_repeated() {
    for misplaced in ["postgres://ann:s3cret@db/shop", "host=db password=s3cret"] {
        for command in [
            "clone",
            "ping",
            "sentinel set endpos",
            "clone --table-jobs",
            "clone --plugin",
        ] {
            let answer = pgflit()
                .args(words(command))
                .arg(misplaced)
                .assert()
                .code(1);
            answer.stderr(contains("s3cret").not());
        }
    }
}

#[test]
fn options_stand_where_one_likes_and_may_be_cut_short() {
    for command in [
        "sentinel set endpos --dir d 0/1",
        "sentinel set endpos 0/1 --dir=d",
        "--json sentinel get",
        "sentinel get --json",
        "sentinel get -J",
        "clone --table 2 --index=3 --drop",
        "clone --jobs 2",
        "clone --split-at 10GB --filter f --skip-blobs",
        "stream transform - -",
        "stream apply --target - -",
        "copy-db",
    ] {
        // Understood, whatever comes of it.
        let answer = pgflit().args(words(command)).assert();
        answer.stderr(contains("--help").not());
    }
    // Both --skip-extensions and --skip-ext-comments begin like this.
    pgflit().args(["clone", "--skip-ext"]).assert().code(1);
}

#[test]
fn help_and_version_end_with_0() {
    for command in [
        "--help",
        "-h",
        "help",
        "help clone",
        "help sentinel set endpos",
        "--version",
        "version",
    ] {
        pgflit().args(words(command)).assert().success().stderr("");
    }
    let version = pgflit()
        .args(["version", "--json"])
        .output()
        .expect("version");
    let version: serde_json::Value = serde_json::from_slice(&version.stdout).expect("JSON");
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    for key in ["rust", "target"] {
        assert!(version[key].is_string(), "{key}");
    }
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish"] {
        let script = pgflit().args(["completions", shell]).assert().success();
        script.stdout(contains("sentinel"));
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let program = env!("CARGO_BIN_EXE_pgflit");
    // More than a pipe holds, so that the writer is still at it when the reader has ended.
    let script = format!("set -o pipefail; {program} completions bash | true");
    let shell = std::process::Command::new("bash")
        .args(["-c", &script])
        .output();
    let shell = shell.expect("bash");
    assert!(shell.status.success(), "{:?}", shell.status);
    assert_eq!(String::from_utf8_lossy(&shell.stderr), "");
}
