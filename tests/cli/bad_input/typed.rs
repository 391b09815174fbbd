//! Words: options and connection strings. No server is needed to refuse them.

use super::{assert_absent, assert_refused};
use crate::support::pgflit;

#[test]
fn what_is_typed_wrong_is_named_with_the_nearest_valid_word() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = folder.path().join("work");
    let clone = || pgflit("clone").dir(&dir);
    let secret = "postgresql://me:sekret@127.0.0.1:1/app";
    let cases: [(&[&str], i32, &[&str]); 9] = [
        (
            &["--endpos", "zebra"],
            1,
            &["--endpos", "\"zebra\" is not an LSN"],
        ),
        (&["--folow"], 1, &["'--folow'", "'--follow'"]),
        (&["--table-jobs", "0"], 1, &["--table-jobs"]),
        (&["--table-jobs", "many"], 1, &["--table-jobs", "many"]),
        (&["--source-load-limit", "0"], 1, &["--source-load-limit"]),
        (
            &["--source", "postgresql://me:sekret@h/app?sslmod=require"],
            1,
            &["of the source", "\"sslmod\"", "did you mean \"sslmode\""],
        ),
        (
            &["--source", secret, "--target", "hots=a password=sekret"],
            1,
            &["of the target", "\"hots\"", "did you mean \"host\""],
        ),
        (
            &["--source", secret, "--target", "me:sekret"],
            1,
            &["of the target", "malformed connection string"],
        ),
        (
            &["--source", "host=a port=5432,x password=sekret"],
            1,
            &["of the source", "port"],
        ),
    ];
    for (arguments, code, texts) in cases {
        let refused = assert_refused(clone().args(arguments), code, texts);
        assert!(!refused.stderr.contains("sekret"), "{}", refused.stderr);
        assert_absent(&dir);
    }
    let bad = clone().env("PGFLIT_TABLE_JOBS", "many");
    assert_refused(bad, 1, &["PGFLIT_TABLE_JOBS"]);
    let absent = clone().args(["--config", "/nonexistent/pgflit.toml"]);
    assert_refused(absent, 1, &["/nonexistent/pgflit.toml"]);
    for command in ["stream receive", "sentinel get", "stream apply"] {
        assert_refused(pgflit(command).dir(&dir), 1, &["there is no migration in"]);
        assert_absent(&dir);
    }
}
