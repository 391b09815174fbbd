//! Transactions that are large, long, or both.

use std::time::Duration;

use super::{Following, end_now};
use crate::support::{Held, Pair, SOON, assert_equal, eventually, with_each};

const TABLES: &str = "
    CREATE TABLE fruit (id int PRIMARY KEY, body text);
    INSERT INTO fruit SELECT n, 'copied' FROM generate_series(1, 100) n;";

/// Some 20 MB: more than apply holds, more than one WAL file.
const LARGE: &str = "
    INSERT INTO fruit SELECT n, repeat(md5(n::text), 4) FROM generate_series(1001, 100000) n;
    SAVEPOINT a; DELETE FROM fruit WHERE id % 2 = 0; ROLLBACK TO a;
    UPDATE fruit SET body = 'changed' WHERE id % 10 = 0;
    DELETE FROM fruit WHERE id % 10 = 1";

#[test]
fn a_large_transaction_arrives_whole_although_apply_is_killed_inside() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let following = Following::start(&pair).until_live();
    let apply = following.child("apply");
    pair.source.sql(&format!("BEGIN; {LARGE}; COMMIT"));
    pair.source.sql("INSERT INTO fruit VALUES (0, 'after')");
    eventually(SOON, "apply is inside the transaction", || {
        let writing = "SELECT count(*) FROM pg_stat_activity
                        WHERE backend_xid IS NOT NULL AND datname = current_database()";
        pair.target.number(writing) == 1
    });
    apply.kill();
    following.run.wait_for_stderr("starting again");
    following.end_equal();
}

#[test]
fn large_transactions_at_once_arrive_in_the_order_of_their_commits_or_never() {
    arrive_in_the_order_of_their_commits("pgoutput");
}

#[test]
fn large_transactions_at_once_arrive_in_order_with_test_decoding() {
    arrive_in_the_order_of_their_commits("test_decoding");
}

#[test]
fn large_transactions_at_once_arrive_in_order_with_wal2json() {
    arrive_in_the_order_of_their_commits("wal2json");
}

fn arrive_in_the_order_of_their_commits(plugin: &str) {
    with_each(&[plugin], |pair, plugin| {
        pair.source.sql(TABLES);
        let following = Following::start_with(pair, plugin).until_live();
        // In all more than apply holds, of each session.
        let rows = |session: u32, round: u32| {
            let first = session * 1_000_000 + round * 10_000;
            format!(
                "SAVEPOINT kept; INSERT INTO fruit SELECT n, repeat(md5(n::text), 16)
                   FROM generate_series({first}, {first} + 3999) n;
                 SAVEPOINT never; DELETE FROM fruit WHERE id BETWEEN {first} AND {first} + 99;
                 INSERT INTO fruit VALUES ({first}, 'never'); ROLLBACK TO never;
                 SAVEPOINT again; UPDATE fruit SET body = 'changed' WHERE id = {first}; RELEASE kept"
            )
        };
        let never = Held::open_as("never", &pair.source, &rows(3, 0));
        let mut held: Vec<_> = (1..=2)
            .map(|at| Held::open_as(&format!("session {at}"), &pair.source, &rows(at, 0)))
            .collect();
        for round in 1..4 {
            for (at, session) in (1..).zip(&mut held) {
                session.run(&rows(at, round));
                let small = 200 + at * 10 + round;
                pair.source
                    .sql(&format!("INSERT INTO fruit VALUES ({small}, 'small')"));
            }
        }
        never.end("ROLLBACK");
        held.pop().expect("the second").commit();
        let mut first = held.pop().expect("the first");
        first.run("UPDATE fruit SET body = 'by the first' WHERE id = 2000000");
        first.commit();
        following.end_equal();
        let last = "SELECT body FROM fruit WHERE id = 2000000";
        assert_eq!(pair.target.sql(last), "by the first");
        assert_eq!(pair.target.number("SELECT count(*) FROM fruit"), 32_106);
    });
}

#[test]
fn an_endpos_does_not_wait_for_a_transaction_that_is_open_and_leaves_it_out() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let following = Following::start(&pair).until_live();
    let open = Held::open(&pair.source, LARGE);
    pair.source.sql("INSERT INTO fruit VALUES (0, 'before')");
    end_now(&pair);
    let ended = following.run.wait_for_exit_within(Duration::from_secs(10));
    ended.assert_code(0);
    // The open transaction is no part of what the source holds either.
    assert_equal(&pair.source, &pair.target);
    open.commit();
    assert_eq!(pair.target.number("SELECT count(*) FROM fruit"), 101);
}
