//! Every database of an instance.

use crate::support::{Database, Pair, assert_equal, pgflit};

const NAMES: [&str; 3] = ["app", "Odd \"/.. name", "ünï"];

/// Three databases with a table and a large object each, two of them missing on the target.
fn pair() -> Pair {
    let pair = Pair::new();
    pair.source.sql("CREATE ROLE ann");
    for name in NAMES {
        if name != "app" {
            let quoted = name.replace('"', "\"\"");
            pair.source.sql(&format!(
                "CREATE DATABASE \"{quoted}\" OWNER ann TEMPLATE template0
                    ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"
            ));
        }
        Database::of(&pair.source_cluster, name).sql(
            "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2);
             SELECT lo_from_bytea(77, 'large')",
        );
    }
    pair
}

fn assert_all_equal(pair: &Pair) {
    let all = "SELECT datname, pg_get_userbyid(datdba), encoding, datcollate, datctype
                 FROM pg_database ORDER BY datname COLLATE \"C\"";
    assert_eq!(pair.source.sql(all), pair.target.sql(all));
    for name in NAMES {
        assert_equal(
            &Database::of(&pair.source_cluster, name),
            &Database::of(&pair.target_cluster, name),
        );
    }
}

#[test]
fn every_database_is_copied_and_those_that_are_missing_are_made() {
    let pair = pair();
    let run = pgflit("clone --all-databases --roles").between(&pair).run();
    run.assert_code(0)
        .assert_stderr("database postgres (3 of 4)")
        .assert_stderr("all databases are copied");
    assert_all_equal(&pair);
    let again = pgflit("clone --all-databases").between(&pair).run();
    again.assert_code(1).assert_stderr("--resume");
    let resumed = pgflit("clone --all-databases --resume")
        .between(&pair)
        .run();
    resumed.assert_code(0).assert_stderr("nothing left to do");
}

#[test]
fn a_database_that_fails_is_named_and_the_others_are_copied_and_a_resume_takes_the_rest() {
    let pair = pair();
    pair.target
        .sql("CREATE ROLE ann; CREATE TABLE in_the_way ()");
    let run = pgflit("clone --all-databases").between(&pair).run();
    run.assert_code(7)
        .assert_stderr("1 of 4 databases could not be copied; the first, app")
        .assert_stderr("in_the_way");
    let odd = Database::of(&pair.target_cluster, NAMES[1]);
    assert_eq!(odd.number("SELECT count(*) FROM t"), 2);
    pair.target.sql("DROP TABLE in_the_way");
    let resumed = pgflit("clone --all-databases --resume")
        .between(&pair)
        .run();
    resumed.assert_code(0);
    assert_all_equal(&pair);
}

#[test]
fn with_follow_it_is_refused() {
    let pair = Pair::new();
    let run = pgflit("clone --all-databases --follow")
        .between(&pair)
        .run();
    run.assert_code(12)
        .assert_stderr("--all-databases with --follow");
}

#[test]
fn a_snapshot_belongs_to_one_database() {
    let pair = Pair::new();
    let command = "clone --all-databases --snapshot 00000003-0000001B-1";
    let run = pgflit(command).between(&pair).run().assert_code(1);
    run.assert_stderr("a snapshot belongs to one database");
    assert!(!pair.dir().exists());
}
