//! DDL on the source that gives rows other values, while the names and types of columns stay what
//! they are or fit: no change says so.

use super::{Following, end_now};
use crate::support::{Finished, PLUGINS, Pair, SOON, assert_equal, eventually, with_each};

const TABLES: &str = "
    CREATE TABLE t (id int PRIMARY KEY, a int, b int, c text DEFAULT 'none');
    INSERT INTO t VALUES (1, 10, 20, 'x'), (2, 11, 21, 'y')";

/// What somebody who has looked says on the target, as the hint has it.
#[track_caller]
fn said_so(ended: &Finished) -> String {
    let told = ended.stderr.split_once("then say so there: ");
    let (_, told) = told.expect("a hint");
    told.split_once("; and go on").expect("SQL").0.to_owned()
}

/// Alters the source, which is not followed to its end before the rows are made the same by hand.
fn is_noticed(pair: &Pair, plugin: &str, altered: &[&str], told: &str, mended: &str) {
    pair.source.sql(TABLES);
    let following = Following::start_with(pair, plugin).until_live();
    // Some plugins know the table as it is when they are first asked of it.
    pair.source.sql("UPDATE t SET a = 15 WHERE id = 1");
    eventually(SOON, "the update arrives", || {
        pair.target.number("SELECT count(*) FROM t WHERE a = 15") == 1
    });
    for altered in altered {
        pair.source.sql(altered);
    }
    pair.source
        .sql("INSERT INTO t (id, a, b) VALUES (3, 12, 22)");
    eventually(SOON, "the row arrives", || {
        pair.target.number("SELECT count(*) FROM t") == 3
    });
    end_now(pair);
    let resume = || Following::resume_with(pair, plugin).run.wait_for_exit();
    for ended in [following.run.wait_for_exit(), resume()] {
        ended
            .assert_code(7)
            .assert_stderr("public.t was altered on the source after the migration began")
            .assert_stderr(told)
            .assert_stderr("--resume");
    }
    pair.target.sql(mended);
    // One column after the other.
    let mut ended = resume();
    for _ in 0..2 {
        if ended.code() == Some(7) {
            pair.target.sql(&said_so(&ended));
            ended = resume();
        }
    }
    ended.assert_code(0);
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn a_column_that_is_dropped_and_added_again_ends_following_until_its_values_are_mended() {
    with_each(&PLUGINS, |pair, plugin| {
        is_noticed(
            pair,
            plugin,
            &["ALTER TABLE t DROP b, ADD b int"],
            "its column \"b\" was dropped and added again",
            "ALTER TABLE t DROP b, ADD b int; UPDATE t SET b = 22 WHERE id = 3",
        );
    });
}

#[test]
fn values_that_are_computed_anew_end_following_until_they_are_mended() {
    with_each(&PLUGINS, |pair, plugin| {
        is_noticed(
            pair,
            plugin,
            &["ALTER TABLE t ALTER a TYPE int USING a * 2"],
            "the values of its column \"a\" may have been written anew",
            "UPDATE t SET a = a * 2 WHERE id < 3",
        );
    });
}

#[test]
fn columns_that_exchange_their_names_end_following_until_their_values_are_mended() {
    with_each(&PLUGINS, |pair, plugin| {
        is_noticed(
            pair,
            plugin,
            &[
                "ALTER TABLE t RENAME a TO x; ALTER TABLE t RENAME b TO a; ALTER TABLE t RENAME x TO b",
            ],
            "its column \"a\" was dropped and added again, or has the name of another",
            "ALTER TABLE t RENAME a TO x; ALTER TABLE t RENAME b TO a; ALTER TABLE t RENAME x TO b;
             UPDATE t SET a = b, b = a WHERE id = 3",
        );
    });
}

/// The target was altered alike before, so its columns fit.
#[test]
fn a_new_column_with_other_values_than_the_targets_ends_following() {
    for (altered, told) in [
        (
            "ALTER TABLE t ADD at timestamptz DEFAULT clock_timestamp()",
            "its column \"at\" is new, and rows that were there before may each have a value of their own in it",
        ),
        (
            "ALTER TABLE t ADD at timestamptz DEFAULT now()",
            "its column \"at\" is new, and rows that were there before have another value in it",
        ),
    ] {
        let pair = Pair::new();
        pair.source.sql(TABLES);
        let following = Following::start(&pair).until_live();
        pair.target.sql(altered);
        pair.source.sql(altered);
        end_now(&pair);
        let ended = following.run.wait_for_exit().assert_code(7);
        pair.target.sql(&said_so(&ended.assert_stderr(told)));
        Following::resume(&pair).run.wait_for_exit().assert_code(0);
    }
}

#[test]
fn what_leaves_values_as_they_are_ends_as_ever() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    pair.source
        .sql("CREATE TABLE fast (id int PRIMARY KEY); INSERT INTO fast VALUES (1); ALTER TABLE fast ADD n int DEFAULT 7");
    let following = Following::start(&pair).until_live();
    let both = "ALTER TABLE t ADD extra text DEFAULT 'none'; ALTER TABLE t RENAME b TO label";
    pair.target.sql(both);
    pair.source.sql(both);
    pair.source.sql(
        "ALTER TABLE t ALTER a SET STATISTICS 7; ALTER TABLE t ALTER c SET NOT NULL; ANALYZE t",
    );
    pair.source
        .sql("UPDATE t SET label = 1; INSERT INTO t VALUES (4, 4, 4, 'four', 'more')");
    // Writes rows and catalog anew, and changes no value.
    pair.source.sql("VACUUM FULL fast");
    pair.source.sql("UPDATE fast SET n = 8");
    pair.target.sql("ALTER TABLE t ALTER c SET NOT NULL");
    following.end_equal();
}

#[test]
fn it_is_warned_of_while_there_is_time() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let following = Following::start(&pair).until_live();
    pair.source.sql("ALTER TABLE t DROP b, ADD b int");
    following
        .run
        .wait_for_stderr("WARN  public.t was altered on the source after the migration began");
    following
        .run
        .wait_for_stderr("following does not end before");
}
