//! A table whose parts are read on two standbys at different positions, while rows move from part to
//! part.

use super::Following;
use super::copy_from::{Standby, clone_from, until_live};
use crate::support::Pair;

const TABLE: &str = "
    CREATE TABLE moving (id bigint PRIMARY KEY, n int, email text UNIQUE, body text);
    ALTER TABLE moving ALTER body SET STORAGE EXTERNAL;
    INSERT INTO moving SELECT n, n % 10, 'm' || n, repeat(md5(n::text), 100)
      FROM generate_series(1, 2000) n;
    CREATE TABLE referring (id bigint REFERENCES moving ON UPDATE CASCADE ON DELETE CASCADE);
    ALTER TABLE referring REPLICA IDENTITY FULL;
    INSERT INTO referring SELECT n FROM generate_series(1, 2000, 50) n;
    CREATE TABLE beat (at timestamptz)";

/// Rows that leave their part, with values that the stream carries and with others; values that are
/// unique and go from row to row; rows that come and go.
fn writes(round: i64) -> [String; 7] {
    let some = round % 37;
    [
        format!("UPDATE moving SET id = -id WHERE id % 37 = {some} AND id BETWEEN 1 AND 100000"),
        format!(
            "UPDATE moving SET id = -id WHERE id % 11 = -{} AND id < 0",
            some % 11
        ),
        format!(
            "UPDATE moving SET id = id + 3000, body = 'carried'
              WHERE id % 101 = {some} AND id BETWEEN 1 AND 100000"
        ),
        format!("UPDATE moving SET n = n + 1 WHERE id % 7 = {}", some % 7),
        format!(
            "UPDATE moving SET email = 'swap' WHERE email = 'm{0}';
             UPDATE moving SET email = 'm{0}' WHERE email = 'm{1}';
             UPDATE moving SET email = 'm{1}' WHERE email = 'swap'",
            1 + some,
            2000 - some
        ),
        format!("DELETE FROM moving WHERE id % 113 = {some}"),
        format!(
            "INSERT INTO moving SELECT {round} * 1000 + n, 0, NULL, repeat('x', 3000)
               FROM generate_series(1000001, 1000005) n"
        ),
    ]
}

#[test]
fn parts_of_two_standbys_are_exact_while_rows_move_between_them() {
    let pair = Pair::new();
    pair.source.sql(TABLE);
    let ahead = Standby::of(&pair);
    let behind = Standby::with(&pair, ("recovery_min_apply_delay", "1s"));
    let run = clone_from(&pair, &[&ahead, &behind]).args(["--split-at", "600kB"]);
    let following = Following {
        pair: &pair,
        run: run.start(),
    };
    following
        .run
        .wait_for_stderr("replication slot pgflit made");
    // Rows that move before the table is cut would have it cut by blocks: nobody can tell which part
    // a change of those concerns.
    while !following.run.stderr_contains("indexes to copy") {
        pair.source.sql("INSERT INTO beat VALUES (now())");
    }
    let mut round = 0;
    while !following.run.stderr_contains("all rows are on the target") {
        for write in writes(round) {
            pair.source.sql(&write);
        }
        round += 1;
    }
    until_live(&following);
    let finished = following.end_equal();
    finished.assert_stderr("unique indexes public.moving_email_key wait");
    let moments = "SELECT count(DISTINCT snapshot) FROM pgflit.part
                    WHERE table_name = 'moving' AND snapshot LIKE 'replayed %'";
    assert_eq!(pair.target.number(moments), 2);
    assert!(!ahead.is_paused() && !behind.is_paused());
}
