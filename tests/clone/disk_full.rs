//! The target's disk is full in the middle of the copy.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::Following;
use crate::support::{Database, Held, Pair, pgflit};

/// What stands for the size of the disk: the largest file that the target may write. More than a
/// segment of WAL, and half a page more, so that the page that crosses it is written in part, as
/// on a full disk; that is what the server then takes it for (SQLSTATE 53100).
const FILE_MAX: u64 = (16 << 20) + 4096;

/// `filler` is larger than [`FILE_MAX`], and so is the index of `narrow`.
const ROWS: &str = "
    CREATE TABLE quick (id int PRIMARY KEY, n int UNIQUE);
    INSERT INTO quick SELECT n, n FROM generate_series(1, 10) n;
    CREATE TABLE filler (id int, body text);
    INSERT INTO filler SELECT n, repeat('f', 1900) FROM generate_series(1, 12000) n;";

/// Sessions of the server that begin from now on may write files of at most `limit`. Asked for by
/// the server's own user, who needs no privilege for it.
fn limit_files(pair: &Pair, limit: Option<u64>) {
    let pid = pair.target_cluster.pid().expect("the target runs");
    let limit = limit.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
    let server = std::fs::metadata(format!("/proc/{pid}")).expect("the target runs");
    let status = Command::new("prlimit")
        .uid(server.uid())
        .gid(server.gid())
        .args(["--pid", &pid.to_string(), &format!("--fsize={limit}:")])
        .status()
        .expect("prlimit is installed");
    assert!(status.success());
}

/// From 16 on, the server asks the system for room before it writes a table, and is not told that
/// it is the disk that is full where it is a limit.
fn writes_page_by_page(target: &Database) -> bool {
    target.number("SHOW server_version_num") < 160_000
}

#[test]
fn rows_that_find_the_disk_full_are_named_and_copied_when_there_is_room() {
    let pair = Pair::new();
    if !writes_page_by_page(&pair.target) {
        return;
    }
    pair.source.sql(ROWS);
    limit_files(&pair, Some(FILE_MAX));
    for options in ["", "--resume", "--resume --fail-fast"] {
        let run = pgflit("clone --follow").args(options.split_whitespace());
        run.between(&pair)
            .run()
            .assert_code(7)
            .assert_stderr("error: copying public.filler: the target refused after ")
            .assert_stderr("could not extend file")
            .assert_stderr("SQLSTATE 53100")
            .assert_stderr("hint: the target's disk is full")
            .assert_stderr("--resume");
        assert_eq!(pair.target.number("SELECT count(*) FROM filler"), 0);
    }
    assert_eq!(pair.target.number("SELECT count(*) FROM quick"), 10);
    limit_files(&pair, None);
    Following::resume(&pair).until_live().end_equal();
}

#[test]
fn an_index_that_finds_the_disk_full_is_named_and_built_when_there_is_room() {
    let pair = Pair::new();
    // Many columns in the index make it larger than its table.
    let columns: Vec<_> = (1..=31).map(|n| format!("(id + {n})")).collect();
    pair.source.sql(&format!(
        "CREATE TABLE quick (id int PRIMARY KEY, n int UNIQUE);
         INSERT INTO quick SELECT n, n FROM generate_series(1, 10) n;
         CREATE TABLE narrow (id int PRIMARY KEY);
         INSERT INTO narrow SELECT generate_series(1, 150000);
         CREATE INDEX wide ON narrow ({})",
        columns.join(", ")
    ));
    limit_files(&pair, Some(FILE_MAX));
    let run = pgflit("clone --follow").between(&pair).run();
    run.assert_code(7)
        .assert_stderr("error: building index public.wide on the target: could not extend file")
        .assert_stderr("SQLSTATE 53100")
        .assert_stderr("hint: the target's disk is full");
    // The others are there.
    let others = "SELECT count(*) FROM pg_constraint WHERE contype IN ('p', 'u')
                    AND conrelid IN ('quick'::regclass, 'narrow'::regclass)";
    assert_eq!(pair.target.number(others), 3);
    limit_files(&pair, None);
    let following = Following::resume(&pair).until_live();
    let ended = following.end_equal();
    assert!(!ended.stderr.contains("copied public."), "{}", ended.stderr);
}

#[test]
fn large_objects_that_find_the_disk_full_end_rows_too_with_fail_fast() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END $$;
         CREATE TABLE slow (id int PRIMARY KEY, CHECK (gate())); INSERT INTO slow VALUES (1);
         SELECT lo_from_bytea(4000000, string_agg(sha256(n::text::bytea), ''))
           FROM generate_series(1, 700000) n",
    );
    let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    limit_files(&pair, Some(FILE_MAX));
    let run = pgflit("clone --follow --fail-fast").between(&pair).run();
    run.assert_code(7)
        .assert_stderr("error: copying large objects 4000000 to 4000000: writing to the target: ")
        .assert_stderr("hint: the target's disk is full");
    gate.commit();
    limit_files(&pair, None);
    Following::resume(&pair).until_live().end_equal();
}
