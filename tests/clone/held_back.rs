//! `sentinel set prefetch` and `set apply` on a migration that runs.

use pgflit::base::Lsn;

use super::{Following, end_now};
use crate::support::{Pair, Pgbench, SOON, eventually, pgflit};

fn position(pair: &Pair, name: &str) -> Lsn {
    let get = pgflit("sentinel get").dir(pair.dir()).arg(name).run();
    let lsn = get.assert_code(0).stdout;
    lsn.trim().parse().expect("an LSN")
}

fn set(pair: &Pair, word: &str) {
    let set = pgflit(&format!("sentinel set {word}")).dir(pair.dir());
    set.run().assert_code(0);
}

/// Returns once live replay applies what it gets.
fn until_applied(following: &Following<'_>, sql: &str, count: i64) {
    eventually(SOON, "changes arrive", || {
        following.pair.target.number(sql) >= count
    });
}

/// Whether every transaction that the target has is there as a whole.
fn is_at_a_boundary(pair: &Pair) -> bool {
    let balances = "SELECT (SELECT sum(abalance) FROM pgbench_accounts)
                         = (SELECT sum(bbalance) FROM pgbench_branches)
                       AND (SELECT sum(tbalance) FROM pgbench_tellers)
                         = (SELECT coalesce(sum(delta), 0) FROM pgbench_history)";
    pair.target.sql(balances) == "t"
}

#[test]
fn apply_is_held_back_between_transactions_and_goes_on_exactly() {
    let pair = Pair::new();
    Pgbench::init(&pair.source, 1);
    let traffic = Pgbench::start_at(&pair.source, 500);
    let following = Following::start(&pair).until_live();
    let history = "SELECT count(*) FROM pgbench_history";
    until_applied(&following, history, pair.source.number(history) + 1);
    for round in 1..=2 {
        set(&pair, "prefetch");
        let held = "applying is held back by the sentinel";
        following.run.wait_for_stderr_times(held, round);
        let rows = || pair.target.number("SELECT count(*) FROM pgbench_history");
        let (before, replayed) = (rows(), position(&pair, "--replay-lsn"));
        assert!(is_at_a_boundary(&pair));
        let received = position(&pair, "--flush-lsn");
        traffic.wait_for(300);
        // The source is not held back by it.
        eventually(SOON, "receive goes on", || {
            position(&pair, "--flush-lsn") > received
        });
        assert_eq!(rows(), before);
        assert_eq!(position(&pair, "--replay-lsn"), replayed);
        set(&pair, "apply");
        eventually(SOON, "apply goes on", || rows() > before);
    }
    traffic.stop();
    following.end_equal();
}

#[test]
fn an_end_that_is_set_while_apply_is_held_back_is_reached_when_it_goes_on() {
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE t (id int PRIMARY KEY)");
    let following = Following::start(&pair).until_live();
    pair.source.sql("INSERT INTO t VALUES (0)");
    until_applied(&following, "SELECT count(*) FROM t", 1);
    set(&pair, "prefetch");
    following.run.wait_for_stderr("applying is held back");
    pair.source.sql("INSERT INTO t VALUES (1)");
    end_now(&pair);
    eventually(SOON, "everything is received", || {
        position(&pair, "--flush-lsn") >= position(&pair, "--endpos")
    });
    assert_eq!(pair.target.number("SELECT count(*) FROM t"), 1);
    set(&pair, "apply");
    following.run.wait_for_exit().assert_code(0);
    assert_eq!(pair.target.number("SELECT count(*) FROM t"), 2);
}
