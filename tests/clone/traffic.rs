//! A pgbench database that is written to all along.

use std::collections::BTreeSet;
use std::fs;

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

/// The transactions whose COMMIT line is in the JSON segments at or before `endpos`.
fn committed_until(pair: &Pair, endpos: Lsn) -> BTreeSet<u64> {
    let mut xids = BTreeSet::new();
    for entry in fs::read_dir(pair.dir().join("cdc")).expect("segments") {
        let path = entry.expect("a segment").path();
        if !path.to_string_lossy().contains(".json") {
            continue;
        }
        for line in fs::read_to_string(path).expect("JSON").lines() {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let lsn = || line["lsn"].as_str().and_then(|lsn| lsn.parse::<Lsn>().ok());
            if line["action"] == "C" && lsn().expect("an LSN") <= endpos {
                xids.insert(line["xid"].as_u64().expect("a number"));
            }
        }
    }
    xids
}
