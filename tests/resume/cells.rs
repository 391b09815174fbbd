//! What `--resume`, `--restart` and nothing make of a work directory, whatever began it: the table of
//! the command line's contract, a cell a line.

use crate::support::{Pair, Pgflit, SOON, assert_equal, eventually, pgflit};

const ROWS: &str =
    "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 9);
    CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u SELECT generate_series(1, 9)";

const SAY: [&str; 3] = ["", "--resume", "--restart"];

fn run(pair: &Pair, command: &str, say: &str) -> Pgflit {
    let run = pgflit(command).args(say.split_whitespace());
    run.between(pair)
}

/// Follows, or only copies, to its end.
#[track_caller]
fn to_the_end(pair: &Pair, run: Pgflit, follows: bool) {
    let run = run.start();
    if follows {
        run.wait_for_stderr("live replay");
        let set = pgflit("sentinel set endpos --current").dir(pair.dir());
        set.source(&pair.source).run().assert_code(0);
    }
    run.wait_for_exit().assert_code(0);
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn an_empty_directory_is_begun_in_whatever_is_said() {
    // Without a word every other test begins.
    for say in ["--resume", "--restart"] {
        for (command, follows) in [("clone", false), ("clone --follow", true)] {
            let pair = Pair::new();
            pair.source.sql(ROWS);
            to_the_end(&pair, run(&pair, command, say), follows);
        }
    }
}

#[test]
fn a_finished_directory_is_left_alone_or_begun_anew() {
    for (command, follows) in [("clone", false), ("clone --follow", true)] {
        let pair = Pair::new();
        pair.source.sql(ROWS);
        to_the_end(&pair, run(&pair, command, ""), follows);
        for say in ["", "--resume"] {
            let again = run(&pair, command, say).run().assert_code(0);
            again.assert_stderr("nothing left to do");
        }
        pair.source.sql("INSERT INTO t VALUES (10)");
        let anew = run(&pair, command, "--restart --drop-if-exists");
        to_the_end(&pair, anew, follows);
    }
}

#[test]
#[cfg(debug_assertions)]
fn an_interrupted_directory_is_refused_gone_on_with_or_begun_anew() {
    for (command, follows) in [("clone", false), ("clone --follow", true)] {
        for say in ["--resume", "--restart --drop-if-exists"] {
            let pair = Pair::new();
            pair.source.sql(ROWS);
            let killed = run(&pair, command, "").env("PGFLIT_KILL_AT", "part copied");
            killed.run().assert_stderr("killed at part copied");
            let refused = run(&pair, command, "").run().assert_code(1);
            refused
                .assert_stderr("an interrupted migration is in")
                .assert_stderr("--resume")
                .assert_stderr("--restart");
            pair.source.sql("INSERT INTO t VALUES (10)");
            if say == "--resume" && !follows {
                let refused = run(&pair, command, say).run().assert_code(1);
                refused.assert_stderr("--not-consistent");
                let resumed = run(&pair, command, "--resume --not-consistent");
                resumed.run().assert_code(0);
            } else {
                to_the_end(&pair, run(&pair, command, say), follows);
            }
        }
    }
}

#[test]
fn a_follow_is_begun_refused_gone_on_with_and_begun_anew() {
    let pair = Pair::new();
    let both = "CREATE TABLE t (id int PRIMARY KEY)";
    pair.source.sql(both);
    pair.target.sql(both);
    for say in SAY {
        let refused = run(&pair, "follow", say).run().assert_code(6);
        refused.assert_stderr("there is no replication slot");
    }
    let follow = |say: &str| run(&pair, "follow", say);
    let first = follow("--create-slot").start();
    first.wait_for_stderr("live replay");
    for say in SAY {
        let busy = follow(say).run().assert_code(8);
        busy.assert_stderr("held by another pgflit");
    }
    first.signal(nix::sys::signal::Signal::SIGTERM);
    first.wait_for_exit().assert_code(9);
    let refused = follow("").run().assert_code(1);
    refused.assert_stderr("go on with --resume");
    let refused = follow("--restart").run().assert_code(1);
    refused.assert_stderr("add --create-slot");
    pair.source.sql("INSERT INTO t VALUES (1)");
    to_the_end(&pair, follow("--resume"), true);
    for say in ["", "--resume"] {
        let again = follow(say).run().assert_code(0);
        again.assert_stderr("nothing left to do");
    }
    to_the_end(&pair, follow("--restart --create-slot"), true);
    eventually(SOON, "one slot is there", || {
        pair.source
            .number("SELECT count(*) FROM pg_replication_slots")
            == 1
    });
}

#[test]
#[cfg(debug_assertions)]
fn another_split_than_it_was_begun_with_is_refused_and_none_is_what_it_was() {
    let pair = Pair::new();
    pair.source.sql(ROWS);
    let split = "clone --follow --split-tables-larger-than 8kB";
    let killed = run(&pair, split, "").env("PGFLIT_KILL_AT", "part copied");
    killed.run().assert_stderr("killed at part copied");
    for (other, told) in [
        ("clone --follow --split-at 9kB", "larger-than 9216"),
        (
            "clone --follow --split-at 8kB --split-max-parts 2",
            "--split-max-parts 2",
        ),
    ] {
        let refused = run(&pair, other, "--resume").run().assert_code(1);
        refused
            .assert_stderr("begun with split --split-tables-larger-than 8192, not")
            .assert_stderr(told)
            .assert_stderr("--restart");
    }
    for said in [split, "clone --follow"] {
        let resumed = run(&pair, said, "--resume").start();
        resumed.wait_for_stderr("live replay");
    }
}
