//! `pgflit proxy check-config`.

use std::fs;

use super::pgflit;

/// What it says of a file with `text`: the exit code, stdout and stderr.
fn check(text: &str, more: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().expect("folder");
    fs::write(folder.path().join("proxy.toml"), text).expect("written");
    let mut command = pgflit();
    command.current_dir(folder.path());
    command.args(["proxy", "check-config", "--config", "proxy.toml"]);
    let output = command.args(more).output().expect("run");
    (
        output.status.code().expect("an exit code"),
        String::from_utf8(output.stdout).expect("text"),
        String::from_utf8(output.stderr).expect("text"),
    )
}

const SHOP: &str = "[[database]]\nname = \"shop\"\nsource = \"host=a user=me\"\n";

#[test]
fn a_file_that_is_fine_is_said_to_be() {
    let said = "proxy.toml is fine: 1 database, 0 users, 1 rule; listens at 127.0.0.1:6432\n";
    assert_eq!(check(SHOP, &[]), (0, said.to_owned(), String::new()));
    let doors = format!(
        "{SHOP}[admin]\nlisten = \"/run/pgflit\"\n[metrics]\nlisten = \"127.0.0.1:9187\"\n"
    );
    let (code, said, _) = check(&doors, &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.ends_with("; console at /run/pgflit:6432; metrics at 127.0.0.1:9187\n"));
    let said = "{\"valid\":true,\"problems\":[]}\n";
    assert_eq!(
        check(SHOP, &["--json"]),
        (0, said.to_owned(), String::new())
    );
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let text =
        format!("table-jobs = 4\n{SHOP}[limits]\nlogin_timeot = \"5s\"\nserver_wait_limit = 5\n");
    let (code, stdout, _) = check(&text, &[]);
    assert_eq!(
        (code, stdout.as_str()),
        (
            1,
            "proxy.toml:6: limits.login_timeot: unknown key; did you mean \"login_timeout\"?\n\
             proxy.toml:7: limits.server_wait_limit: takes a duration from 1.0s to 1h00m, \
             such as \"30s\"\n"
        )
    );
    let (code, stdout, _) = check(&text, &["--json"]);
    assert_eq!(code, 1);
    let verdict: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(verdict["valid"], false);
    assert_eq!(verdict["problems"][1]["line"], 7);
    assert_eq!(verdict["problems"][1]["key"], "limits.server_wait_limit");
}

#[test]
fn options_alone_are_a_configuration_too() {
    let mut command = pgflit();
    let command = command.args([
        "proxy",
        "check-config",
        "--source",
        "host=a user=me dbname=shop",
    ]);
    let said = "the command line is fine: 1 database, 0 users, 1 rule; listens at 127.0.0.1:6432\n";
    command.assert().code(0).stdout(said);
    let nothing = pgflit().args(["proxy", "check-config"]).assert();
    nothing
        .code(1)
        .stdout(predicates::str::contains("--source: is missing"));
}
