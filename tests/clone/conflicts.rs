//! A target that somebody else has written to: `--on-conflict`.

use super::{Following, end_now};
use crate::support::{PLUGINS, Pair, SOON, eventually, pgflit, with_each};

const TABLES: &str = "
    CREATE TABLE t (a int, b text, n int, always int GENERATED ALWAYS AS IDENTITY,
        twice int GENERATED ALWAYS AS (n * 2) STORED, PRIMARY KEY (a, b));
    CREATE TABLE big (id int PRIMARY KEY, n int, body text);
    ALTER TABLE big ALTER body SET STORAGE EXTERNAL;
    CREATE TABLE names (id int PRIMARY KEY, name varchar(20) UNIQUE);
    CREATE TABLE alike (id int, doc json); ALTER TABLE alike REPLICA IDENTITY FULL;
    INSERT INTO t SELECT g, 'b' || g, g FROM generate_series(1, 9) g;
    INSERT INTO big SELECT g, g, repeat('x', 5000) FROM generate_series(1, 3) g;
    INSERT INTO names SELECT g, 'name ' || g FROM generate_series(1, 3) g;
    INSERT INTO alike SELECT 1, '{}' FROM generate_series(1, 2)";

/// What somebody else does to the target.
const ELSEWHERE: &str = "
    DELETE FROM t WHERE a IN (1, 2);
    INSERT INTO t (a, b, n, always) OVERRIDING SYSTEM VALUE
        VALUES (20, 'new', -1, 70), (30, 'moved', -1, 71)";

/// What the source does, in one transaction among it the changes that find their rows.
const CHANGES: &str = "BEGIN;
    UPDATE t SET n = 100 WHERE a <= 3;
    INSERT INTO t VALUES (20, 'new', 20), (21, 'new', 21);
    UPDATE t SET a = 30, b = 'moved' WHERE a = 4;
    DELETE FROM t WHERE a = 2;
    UPDATE t SET n = 200 WHERE a = 5;
    COMMIT";

fn start<'a>(pair: &'a Pair, plugin: &str, policy: &str) -> Following<'a> {
    pair.source.sql(TABLES);
    let clone = format!("clone --follow --plugin {plugin} --on-conflict {policy}");
    let run = pgflit(&clone).between(pair);
    let following = Following {
        pair,
        run: run.start(),
    };
    following.until_live()
}

#[test]
fn a_row_that_is_there_already_stops_with_all_that_is_known_of_it() {
    with_each(&PLUGINS, |pair, plugin| {
        let following = start(pair, plugin, "stop");
        pair.target.sql("INSERT INTO names VALUES (7, 'other')");
        pair.source.sql("INSERT INTO names VALUES (7, 'seven')");
        let mut ended = following.run.wait_for_exit().assert_code(7);
        for part in [
            "INSERT on public.names (id=7)",
            "of transaction ",
            " at 0/",
            ".sql.partial, byte ",
            "SQLSTATE 23505",
            "--resume",
        ] {
            ended = ended.assert_stderr(part);
        }
        pair.target.sql("DELETE FROM names WHERE id = 7");
        Following::resume_with(pair, plugin).end_equal();
    });
}

#[test]
fn a_row_that_is_not_there_stops_each_time_until_it_is() {
    with_each(&PLUGINS, |pair, plugin| {
        let following = start(pair, plugin, "stop");
        pair.target.sql("DELETE FROM names WHERE id = 3");
        pair.source
            .sql("UPDATE names SET name = 'changed ' || id WHERE id > 1");
        let touched = "UPDATE on public.names (id=3)";
        let ended = following.run.wait_for_exit().assert_code(7);
        ended.assert_stderr(touched).assert_stderr("touched 0 rows");
        let again = Following::resume_with(pair, plugin).run.wait_for_exit();
        again.assert_code(7).assert_stderr(touched);
        pair.target.sql("INSERT INTO names VALUES (3, 'name 3')");
        Following::resume_with(pair, plugin).end_equal();
    });
}

#[test]
fn skip_leaves_the_target_as_it_is_and_tells_each_change() {
    with_each(&PLUGINS, |pair, plugin| {
        let following = start(pair, plugin, "skip");
        pair.target.sql(ELSEWHERE);
        pair.target.sql("DELETE FROM alike");
        pair.source.sql(
            CHANGES
                .replace("UPDATE t SET a = 30, b = 'moved' WHERE a = 4;", "")
                .as_str(),
        );
        pair.source
            .sql("DELETE FROM alike; DELETE FROM names WHERE id = 3");
        end_now(pair);
        let ended = following.run.wait_for_exit().assert_code(0);
        ended
            .assert_stderr("UPDATE on public.t (a=1, b=b1) of transaction ")
            .assert_stderr("INSERT on public.t (a=20, b=new) of transaction ")
            .assert_stderr("DELETE on public.t (a=2, b=b2) of transaction ")
            .assert_stderr("6 changes found the target otherwise than the source was");
        let rows = "SELECT string_agg(a || ' ' || n, ', ' ORDER BY a) FROM t";
        assert_eq!(
            pair.target.sql(rows).trim(),
            "3 100, 4 4, 5 200, 6 6, 7 7, 8 8, 9 9, 20 -1, 21 21, 30 -1"
        );
        let rest = "SELECT (SELECT count(*) FROM names) * 10 + (SELECT count(*) FROM alike)";
        assert_eq!(pair.target.number(rest), 20);
    });
}

#[test]
fn overwrite_makes_the_target_what_the_source_is() {
    with_each(&PLUGINS, |pair, plugin| {
        let following = start(pair, plugin, "overwrite");
        pair.target.sql(ELSEWHERE);
        pair.target
            .sql("DELETE FROM big WHERE id = 1; INSERT INTO names VALUES (7, 'other')");
        pair.source.sql(CHANGES);
        pair.source.sql(
            "UPDATE big SET body = repeat('y', 5000) WHERE id = 1; INSERT INTO names VALUES (7, NULL);
             UPDATE names SET name = name || '!' WHERE id < 3; DELETE FROM names WHERE id = 3;
             DELETE FROM alike WHERE ctid IN (SELECT ctid FROM alike LIMIT 1)",
        );
        end_now(pair);
        let ended = following.run.wait_for_exit().assert_code(0);
        ended
            .assert_stderr("there was no such row; it is inserted")
            .assert_stderr("the row that had the new key is replaced")
            .assert_stderr("changes found the target otherwise than the source was");
        crate::support::assert_equal(&pair.source, &pair.target);
    });
}

#[test]
fn what_cannot_be_overwritten_stops() {
    let pair = &Pair::new();
    let mut following = start(pair, "pgoutput", "overwrite");
    for (elsewhere, change, told, mended) in [
        // The stream does not carry the value that was not touched.
        (
            "DELETE FROM big WHERE id = 2",
            "UPDATE big SET n = 5 WHERE id = 2",
            "UPDATE on public.big (id=2)",
            "INSERT INTO big VALUES (2, 2, repeat('x', 5000))",
        ),
        // Another row than the one that is inserted.
        (
            "INSERT INTO names VALUES (8, 'nine')",
            "INSERT INTO names VALUES (9, 'nine')",
            "SQLSTATE 23505",
            "DELETE FROM names WHERE id = 8",
        ),
        (
            "DELETE FROM alike",
            "UPDATE alike SET doc = '[]' WHERE id = 1",
            "touched 0 rows",
            "INSERT INTO alike SELECT 1, '{}' FROM generate_series(1, 2)",
        ),
    ] {
        pair.target.sql(elsewhere);
        pair.source.sql(change);
        let ended = following.run.wait_for_exit().assert_code(7);
        ended
            .assert_stderr(told)
            .assert_stderr(".sql.partial, byte ");
        pair.target.sql(mended);
        let resumed = pgflit("clone --follow --resume --on-conflict overwrite");
        let run = resumed.between(pair).start();
        following = Following { pair, run }.until_live();
    }
    following.end_equal();
}

#[test]
fn another_choice_takes_effect_when_the_migration_goes_on() {
    let pair = &Pair::new();
    let following = start(pair, "pgoutput", "stop");
    pair.target.sql("DELETE FROM t WHERE a = 1");
    pair.source.sql("UPDATE t SET n = 9 WHERE a = 1");
    let ended = following.run.wait_for_exit().assert_code(7);
    ended.assert_stderr("--on-conflict skip or overwrite");
    let resumed = pgflit("clone --follow --resume --on-conflict overwrite").between(pair);
    let following = Following {
        pair,
        run: resumed.start(),
    };
    eventually(SOON, "the row is back", || {
        pair.target.number("SELECT count(*) FROM t WHERE n = 9") == 2
    });
    following.end_equal();
}
