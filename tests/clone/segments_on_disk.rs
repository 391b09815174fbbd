//! What the segments take on the disk: pruned, compressed, limited.

use std::fs;
use std::path::PathBuf;

use nix::sys::signal::Signal;

use super::{Following, end_now};
use crate::support::{Held, Pair, SOON, assert_equal, eventually, long_tests_wanted, pgflit};

const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY, body text);
    ALTER TABLE t ALTER body SET STORAGE EXTERNAL";

/// Names of the segments that are there, of either kind.
fn segments(pair: &Pair) -> Vec<String> {
    let Ok(listed) = fs::read_dir(pair.dir().join("cdc")) else {
        return Vec::new();
    };
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<_> = listed
        .map(|entry| name(entry).to_string_lossy().into_owned())
        .collect();
    names.retain(|name| !name.ends_with(".lock"));
    names.sort();
    names
}

/// About `megabytes` of changes, each in a WAL segment of its own.
fn write(pair: &Pair, from: u32, megabytes: u32) {
    let one = |id: u32| {
        format!(
            "INSERT INTO t VALUES ({id}, repeat('{id}', 1000000 / length('{id}')));
             SELECT pg_switch_wal();"
        )
    };
    let all: String = (from..from + megabytes).map(one).collect();
    pair.source.sql(&all);
}

fn start<'a>(pair: &'a Pair, options: &str) -> Following<'a> {
    let run = pgflit(&format!("clone --follow {options}")).between(pair);
    Following {
        pair,
        run: run.start(),
    }
}

#[test]
fn segments_that_are_replayed_go_by_themselves_and_the_rest_goes_on() {
    let pair = Pair::new();
    pair.source.sql(TABLE);
    let following = start(&pair, "").until_live();
    write(&pair, 1, 8);
    eventually(SOON, "the replayed segments are gone", || {
        pair.target.number("SELECT count(*) FROM t") == 8 && segments(&pair).len() <= 4
    });
    following.run.signal(Signal::SIGKILL);
    following.run.wait_for_exit();
    write(&pair, 100, 3);
    let following = Following::resume(&pair).until_live();
    following.end_equal();
}

#[test]
fn compressed_segments_are_read_by_every_process_and_by_hand() {
    let pair = Pair::new();
    pair.source.sql(TABLE);
    let following = start(&pair, "--compress-segments").until_live();
    // Nothing is replayed, so nothing is pruned.
    let lock = Held::open(&pair.target, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    write(&pair, 1, 6);
    eventually(SOON, "closed segments of both kinds are compressed", || {
        let names = segments(&pair);
        let count = |ending: &str| names.iter().filter(|name| name.ends_with(ending)).count();
        count(".json.zst") >= 4 && count(".sql.zst") >= 4 && count(".json") + count(".sql") == 0
    });
    let taken: u64 = segments(&pair)
        .iter()
        .filter(|name| name.ends_with(".zst"))
        .map(|name| {
            fs::metadata(pair.dir().join("cdc").join(name))
                .expect("there")
                .len()
        })
        .sum();
    assert!(taken < 1_000_000, "{taken} bytes of some 10 million");
    let first: PathBuf = segments(&pair)
        .iter()
        .find(|name| name.ends_with(".json.zst"))
        .map(|name| pair.dir().join("cdc").join(name))
        .expect("one is compressed");
    let transformed = pgflit("stream transform")
        .arg(first.to_str().expect("UTF-8"))
        .arg("-");
    let transformed = transformed.run().assert_code(0);
    assert!(transformed.stdout.contains("INSERT INTO \"public\".\"t\""));
    let printed = pgflit("stream apply --target -")
        .dir(pair.dir())
        .run()
        .assert_code(0);
    assert_eq!(printed.stdout.matches("INSERT INTO").count(), 6);
    lock.commit();
    end_now(&pair);
    following.run.wait_for_exit().assert_code(0);
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn at_the_limit_the_source_keeps_its_wal_and_nothing_is_lost() {
    let pair = Pair::new();
    pair.source.sql(TABLE);
    let following = start(&pair, "--cdc-disk-limit 64MB").until_live();
    let lock = Held::open(&pair.target, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    let flushed = "SELECT confirmed_flush_lsn - '0/0' FROM pg_replication_slots";
    let before = pair.source.number(flushed);
    write(&pair, 1, 10);
    eventually(SOON, "with apply stopped the slot moves on", || {
        pair.source.number(flushed) > before + (100 << 20)
    });
    // The limit, and what may be in the queue by then, is less.
    let row = |id| format!("INSERT INTO t VALUES ({id}, repeat('x', 1000000));");
    pair.source.sql(&(100..220).map(row).collect::<String>());
    following.run.wait_for_stderr("more than --cdc-disk-limit");
    let behind = "SELECT pg_current_wal_lsn() - confirmed_flush_lsn FROM pg_replication_slots";
    let behind = pair.source.number(behind);
    assert!(behind > 16 << 20, "the source keeps {behind} bytes");
    lock.commit();
    following.run.wait_for_stderr("receiving again");
    end_now(&pair);
    following.run.wait_for_exit().assert_code(0);
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn a_transaction_larger_than_the_limit_ends_it_and_a_higher_limit_goes_on() {
    // It waits half a minute before it is sure.
    if !long_tests_wanted() {
        return;
    }
    let pair = Pair::new();
    pair.source.sql(TABLE);
    let following = start(&pair, "--cdc-disk-limit 64MB").until_live();
    pair.source
        .sql("INSERT INTO t SELECT g, repeat('x', 1000000) FROM generate_series(1, 150) g");
    let ended = following.run.wait_for_exit_within(2 * SOON).assert_code(12);
    ended
        .assert_stderr("larger than the limit")
        .assert_stderr("--resume");
    start(&pair, "--resume --cdc-disk-limit 1GB").end_equal();
}

#[test]
fn a_limit_without_room_to_work_in_is_refused() {
    let pair = Pair::new();
    pair.source.sql(TABLE);
    let ended = start(&pair, "--cdc-disk-limit 20MB").run.wait_for_exit();
    ended
        .assert_code(1)
        .assert_stderr("at least 64 MB")
        .assert_stderr("--cdc-disk-limit");
}

#[test]
fn a_target_that_went_back_is_told_and_not_served_from_the_middle() {
    let pair = Pair::new();
    pair.source.sql(TABLE);
    let following = start(&pair, "").until_live();
    write(&pair, 1, 6);
    eventually(SOON, "the replayed segments are gone", || {
        pair.target.number("SELECT count(*) FROM t") == 6 && segments(&pair).len() <= 4
    });
    following.run.signal(Signal::SIGTERM);
    following.run.wait_for_exit().assert_code(9);
    // As a backup that is restored would have it.
    pair.target
        .sql("SELECT pg_replication_origin_advance('pgflit', '0/100')");
    let ended = Following::resume(&pair).run.wait_for_exit().assert_code(7);
    ended
        .assert_stderr("restored from an earlier state")
        .assert_stderr("--restart");
}

#[test]
fn stream_prune_removes_what_is_replayed() {
    let pair = Pair::new();
    pair.source.sql(TABLE);
    let following = start(&pair, "").until_live();
    following.run.signal(Signal::SIGTERM);
    following.run.wait_for_exit().assert_code(9);
    let none = pgflit("stream prune").dir(pair.dir()).run().assert_code(0);
    none.assert_stderr("removed 0 segments");
    let following = Following::resume(&pair).until_live();
    eventually(SOON, "a receive that runs is left alone", || {
        pgflit("stream prune").dir(pair.dir()).run().code() == Some(8)
    });
    following.end_equal();
}
