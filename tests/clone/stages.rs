//! Prefetch, catchup, live replay, and the way back.

use pgflit::base::Lsn;

use super::Following;
use super::following::LIVE;
use crate::support::{Held, Pair, Pgbench, SOON, eventually, pgflit};

#[test]
fn a_slow_target_sends_live_replay_back_to_disk_until_it_is_fast_again() {
    let pair = Pair::new();
    Pgbench::init(&pair.source, 1);
    let traffic = Pgbench::start_at(&pair.source, 1000);
    let following = Following::start(&pair).until_live();
    let log = following.run.stderr();
    let mut rest = log.as_str();
    for stage in ["prefetching changes", "catching up from disk", LIVE] {
        let at = rest.find(stage);
        rest = &rest[at.unwrap_or_else(|| panic!("{stage} is next in:\n{log}"))..];
    }

    let lock = Held::open(
        &pair.target,
        "LOCK TABLE pgbench_branches IN ACCESS EXCLUSIVE MODE",
    );
    following.run.wait_for_stderr("leaving live replay");
    let received = || -> Lsn {
        let sentinel = pgflit("sentinel get --flush-lsn").dir(pair.dir());
        let lsn = sentinel.run().assert_code(0).stdout;
        lsn.trim().parse().expect("an LSN")
    };
    // Receive goes on although nothing can be applied.
    let before = received();
    traffic.wait_for(200);
    eventually(SOON, "receive goes on", || received() > before);
    lock.commit();
    following.run.wait_for_stderr("left live replay");
    following.run.wait_for_stderr_times(LIVE, 2);
    traffic.wait_for(100);
    traffic.stop();
    following.end_equal();
}

#[test]
fn an_endpos_set_a_moment_late_is_refused_and_following_goes_on() {
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE t (id int PRIMARY KEY)");
    let mut following = Following::start(&pair).until_live();
    for round in 0..8 {
        pair.source
            .sql(&format!("INSERT INTO t VALUES ({})", 2 * round));
        let late = pair.source.sql("SELECT pg_current_wal_lsn()");
        pair.source
            .sql(&format!("INSERT INTO t VALUES ({})", 2 * round + 1));
        eventually(SOON, "the second row arrives", || {
            pair.target.number("SELECT count(*) FROM t") == 2 * (round + 1)
        });
        let set = pgflit("sentinel set endpos").dir(pair.dir());
        let refused = set.arg(&late).run().assert_code(1);
        refused.assert_stderr("which the target has already reached");
        assert!(following.run.is_running());
    }
    following.end_equal();
}

/// Everything would be copied, and end with an error, if it were looked at in the end.
#[test]
fn an_endpos_that_was_set_before_the_slot_is_refused_before_anything_is_copied() {
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE t (id int PRIMARY KEY)");
    let setup = pgflit("sentinel setup 0/100 0/100").dir(pair.dir());
    setup.run().assert_code(0);
    let early = pgflit("clone --follow").between(&pair).run().assert_code(1);
    early.assert_stderr("endpos 0/100 is before");
    assert_eq!(pair.target.sql("SELECT to_regclass('t')").trim(), "");
    // Nothing of it is left.
    assert_eq!(
        pair.source
            .number("SELECT count(*) FROM pg_replication_slots"),
        0
    );
    let follow = pgflit("clone --follow").between(&pair).start();
    follow.wait_for_stderr("live replay");
}
