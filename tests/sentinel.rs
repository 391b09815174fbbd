//! `pgflit sentinel` without anything that streams.

use std::path::Path;

use pgflit::base::Lsn;
use pgflit::store::Store;

use crate::support::{Pair, Pgflit, pgflit};

fn sentinel(words: &str, dir: &Path) -> Pgflit {
    pgflit(&format!("sentinel {words}")).dir(dir)
}

#[test]
fn a_fresh_sentinel_prints_six_lines_or_one_object_or_one_value() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("work");
    sentinel("setup 0/10 0/500", &dir).run().assert_code(0);
    let lines = sentinel("get", &dir).run().assert_code(0).stdout;
    assert_eq!(
        lines,
        "startpos   0/10\nendpos     0/500\napply      disabled\n\
         write_lsn  0/0\nflush_lsn  0/0\nreplay_lsn 0/0\n"
    );
    let json = sentinel("get --json", &dir).run().assert_code(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(
        json,
        serde_json::json!({
            "startpos": "0/10", "endpos": "0/500", "apply": false,
            "write_lsn": "0/0", "flush_lsn": "0/0", "replay_lsn": "0/0",
        })
    );
    sentinel("set apply", &dir).run().assert_code(0);
    for (field, value) in [("--endpos", "0/500\n"), ("--apply", "enabled\n")] {
        let bare = sentinel("get", &dir).arg(field).run().assert_code(0);
        assert_eq!(bare.stdout, value);
    }
}

#[test]
fn an_endpos_that_the_target_has_passed_is_refused_with_the_earliest_that_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    sentinel("setup", dir).run().assert_code(0);
    let mut store = Store::open(&dir.join("pgflit.db")).expect("the store");
    store
        .report_replayed(Lsn::new(0x100), Lsn::new(0x100), Lsn::ZERO)
        .expect("a report");
    let refused = sentinel("set endpos 0/FF", dir).run().assert_code(1);
    refused
        .assert_stderr("endpos 0/FF is before 0/100")
        .assert_stderr("hint: set 0/100");
    let set = sentinel("set endpos 0/100", dir).run().assert_code(0);
    assert_eq!(set.stdout, "0/100\n");
}

#[test]
fn without_a_migration_nothing_is_made_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("nowhere");
    for words in ["get", "set apply", "set endpos 0/1"] {
        let refused = sentinel(words, &dir).run().assert_code(1);
        refused
            .assert_stderr("there is no migration in")
            .assert_stderr("hint: ");
    }
    assert!(!dir.exists());
}

#[test]
fn the_current_end_is_where_the_source_has_flushed_its_wal() {
    let pair = Pair::new();
    sentinel("setup", &pair.dir()).run().assert_code(0);
    let before: Lsn = pair
        .source
        .sql("SELECT pg_current_wal_flush_lsn()")
        .parse()
        .expect("an LSN");
    let set = sentinel("set endpos --current", &pair.dir());
    let set = set.source(&pair.source).run().assert_code(0);
    let endpos: Lsn = set.stdout.trim().parse().expect("an LSN");
    assert!(endpos >= before, "{endpos} is before {before}");
    let nobody = sentinel(
        "set endpos --current --source host=/nonexistent",
        &pair.dir(),
    );
    nobody
        .run()
        .assert_code(6)
        .assert_stderr("could not connect");
}
