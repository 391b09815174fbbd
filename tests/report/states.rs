//! A migration that is over, that goes on, that was killed, that never was.

use std::fs;

use super::{Page, report};
use crate::support::{Pair, pgflit};

const TABLES: &str = "
    CREATE TABLE one (id int PRIMARY KEY, body text);
    CREATE TABLE two (id int PRIMARY KEY REFERENCES one);
    INSERT INTO one SELECT n, repeat('x', 100) FROM generate_series(1, 12345) n;
    INSERT INTO two SELECT n FROM generate_series(1, 77) n";

fn pair() -> Pair {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    pair
}

#[test]
fn a_finished_copy_is_told_from_disk_alone() {
    let mut pair = pair();
    pgflit("clone").between(&pair).run().assert_code(0);
    for cluster in [&mut pair.source_cluster, &mut pair.target_cluster] {
        let stopped = cluster.stop(pgflit::worker::cluster::StopMode::Fast);
        stopped.expect("it stops");
    }
    let page = report(&pair);
    page.says("finished")
        .says("public.one")
        .says("12,345")
        .says("copying rows")
        .says("The logs hold no warning and no error.")
        .says("pgflit clone ")
        .says("PostgreSQL 15")
        .says_nothing_of("Lag")
        .says_nothing_of("Moves of traffic")
        .says_nothing_of("Mirrors");
    assert!(page.draws("What was done when"));
    // A second time: a page of ours is replaced.
    let again = report(&pair);
    again.says("public.one");
    assert!(!pair.dir().join("report.html.new").exists());
}

#[test]
fn a_copy_that_was_killed_is_told_and_says_how_to_go_on() {
    for place in ["rows begun", "run written", "copy complete"] {
        let pair = pair();
        let killed = pgflit("clone --follow").between(&pair);
        let killed = killed.env("PGFLIT_KILL_AT", place).run();
        assert_eq!(killed.code(), None, "{place}: {}", killed.stderr);
        report(&pair).says("interrupted").says("--resume");
        pgflit("stream cleanup").between(&pair).run();
    }
}

#[test]
fn the_page_goes_where_it_is_asked_for_and_replaces_nothing_of_others() {
    let pair = pair();
    pgflit("clone").between(&pair).run().assert_code(0);
    let to = |path: &str| pgflit("report --output").arg(path).dir(pair.dir()).run();
    let file = pair.path("page.html");
    let path = file.to_str().expect("text");
    let told = to(path).assert_code(0);
    assert_eq!(told.stdout.trim_end(), path);
    let first = fs::read_to_string(&file).expect("the page");
    Page::of(&first).says("public.one");
    to(path).assert_code(0);
    Page::of(&to("-").assert_code(0).stdout).says("public.one");
    fs::write(&file, "mine").expect("written");
    to(path).assert_code(1).assert_stderr("is no report");
    assert_eq!(fs::read_to_string(&file).expect("there"), "mine");
    let folder = pair.path("");
    to(folder.to_str().expect("text"))
        .assert_code(12)
        .assert_stderr("writing the report");
    to("/nowhere/at/all.html").assert_code(12);
    let bare = pgflit("report --output bare.html").dir(pair.dir());
    let told = bare.within(pair.dir()).run().assert_code(0);
    assert_eq!(told.stdout.trim_end(), "bare.html");
    assert!(pair.dir().join("bare.html").exists());
}

#[test]
fn where_there_is_no_migration_that_is_said() {
    let pair = pair();
    let refused = pgflit("report").dir(pair.dir()).run().assert_code(1);
    refused.assert_stderr("there is no migration in");
    assert!(!pair.dir().join("report.html").exists());
    // A folder into which something was only read.
    let listed = pgflit("list tables")
        .source(&pair.source)
        .dir(pair.dir())
        .run();
    listed.assert_code(0);
    let refused = pgflit("report").dir(pair.dir()).run().assert_code(1);
    refused.assert_stderr("there is no migration in");
}
