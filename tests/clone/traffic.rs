//! A pgbench database that is written to all along.

use std::collections::BTreeSet;

use pgflit::base::Lsn;

use super::{Following, end_now};
use crate::support::{Pair, Pgbench, pgflit};

/// Transactions that are streamed live before the end.
const LIVE_TRANSACTIONS: i64 = 500;

#[test]
fn a_busy_database_moves_and_is_equal_where_the_traffic_stopped() {
    let pair = Pair::new();
    Pgbench::init(&pair.source, 2);
    let traffic = Pgbench::start(&pair.source);
    let following = Following::start(&pair).until_live();
    traffic.wait_for(LIVE_TRANSACTIONS);
    let written = traffic.stop();
    following.end_equal();
    let arrived = pair.target.number("SELECT count(*) FROM pgbench_history");
    assert_eq!(arrived, written);
}

#[test]
fn an_endpos_amid_the_traffic_is_a_moment_that_the_source_had() {
    let pair = Pair::new();
    Pgbench::init(&pair.source, 1);
    pair.source
        .sql("SELECT pg_create_logical_replication_slot('oracle', 'test_decoding')");
    let traffic = Pgbench::start(&pair.source);
    let following = Following::start(&pair).until_live();
    traffic.wait_for(LIVE_TRANSACTIONS);
    let endpos = end_now(&pair).parse().expect("an LSN");
    following.run.wait_for_exit().assert_code(0);
    traffic.wait_for(1);
    traffic.stop();

    let sums = pair.target.sql(
        "SELECT (SELECT sum(abalance) FROM pgbench_accounts),
                (SELECT sum(bbalance) FROM pgbench_branches),
                (SELECT sum(tbalance) FROM pgbench_tellers),
                (SELECT sum(delta) FROM pgbench_history)",
    );
    let sums: Vec<_> = sums.split('|').collect();
    assert!(sums.iter().all(|sum| *sum == sums[0]), "{sums:?}");

    // The server's own rule for what the copy contains, and the commits in the segments up to
    // endpos: the history of exactly these transactions is on the target, each row once.
    let snapshot = pair
        .target
        .sql("SELECT snapshot FROM pgflit.part WHERE table_name = 'pgbench_history' AND epoch = 1");
    let streamed = committed_until(&pair, endpos);
    let streamed: Vec<_> = streamed.iter().map(u64::to_string).collect();
    let expected = pair.source.sql(&format!(
        "SELECT count(*), sum(('x' || md5(h::text))::bit(64)::bigint::numeric)
           FROM pgbench_history h
          WHERE pg_visible_in_snapshot(xmin::text::xid8, '{snapshot}')
             OR xmin::text = ANY ('{{{}}}')",
        streamed.join(",")
    ));
    let arrived = pair.target.sql(
        "SELECT count(*), sum(('x' || md5(h::text))::bit(64)::bigint::numeric)
           FROM pgbench_history h",
    );
    assert_eq!(arrived, expected);
    assert_ne!(
        arrived,
        pair.source.sql(
            "SELECT count(*), sum(('x' || md5(h::text))::bit(64)::bigint::numeric)
               FROM pgbench_history h"
        ),
        "the source has moved on"
    );
    let again = pgflit("clone").follow().resume().between(&pair).run();
    again.assert_code(0).assert_stderr("nothing left to do");
}

/// The transactions that end at or before `endpos`, as a slot of its own tells.
fn committed_until(pair: &Pair, endpos: Lsn) -> BTreeSet<u64> {
    let commits = format!(
        "SELECT xid FROM pg_logical_slot_peek_changes('oracle', NULL, NULL, 'skip-empty-xacts', '1')
          WHERE data LIKE 'COMMIT%' AND lsn <= '{endpos}'"
    );
    let rows = pair.source.rows(&commits);
    rows.iter()
        .map(|row| row[0].parse().expect("a number"))
        .collect()
}
