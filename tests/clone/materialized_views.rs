//! Materialized views: refreshed in the order in which they read each other.

use super::Following;
use crate::support::{Pair, assert_equal, pgflit};

/// By name the last comes first; `a.b` reads `z` through a view, `a_function` reads `c` in a function.
const VIEWS: &str = r#"
    CREATE TABLE t (n int PRIMARY KEY);
    INSERT INTO t SELECT generate_series(1, 100);
    CREATE SCHEMA "Odd ""name";
    CREATE MATERIALIZED VIEW z AS SELECT sum(n) AS s FROM t;
    CREATE VIEW v AS SELECT s + 1 AS s FROM z;
    CREATE MATERIALIZED VIEW "Odd ""name"."a.b" AS SELECT s FROM v;
    CREATE MATERIALIZED VIEW c AS SELECT s FROM "Odd ""name"."a.b" UNION ALL SELECT s FROM z;
    CREATE UNIQUE INDEX ON c (s);
    CREATE MATERIALIZED VIEW empty AS SELECT s FROM c WITH NO DATA;
    CREATE FUNCTION of_c() RETURNS SETOF numeric LANGUAGE plpgsql AS
        $$ BEGIN RETURN QUERY SELECT s::numeric FROM public.c; END $$;
    CREATE MATERIALIZED VIEW a_function AS SELECT * FROM of_c() AS s (s)"#;

#[test]
fn materialized_views_on_views_on_materialized_views_are_refreshed_and_empty_ones_stay_empty() {
    let pair = Pair::new();
    pair.source.sql(VIEWS);
    let run = pgflit("clone").between(&pair).run().assert_code(0);
    run.assert_stderr("4 materialized views refreshed");
    let populated = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
                      WHERE relkind = 'm' AND relispopulated";
    assert_eq!(pair.target.sql(populated), "a.b a_function c z");
    for side in [&pair.source, &pair.target] {
        // Nobody can read it, to compare its rows.
        side.sql("DROP MATERIALIZED VIEW empty");
    }
    assert_equal(&pair.source, &pair.target);
    let analyzed = "SELECT reltuples::int FROM pg_class WHERE relname = 'c'";
    assert_eq!(pair.target.number(analyzed), 2);
}

#[test]
fn a_materialized_view_that_cannot_be_refreshed_is_named_and_the_others_are_there() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE TABLE t (n int PRIMARY KEY); INSERT INTO t VALUES (1), (2);
         CREATE ROLE witness;
         CREATE MATERIALIZED VIEW bad AS
             SELECT 1 / count(*) AS n FROM pg_roles WHERE rolname = 'witness';
         CREATE MATERIALIZED VIEW good AS SELECT n FROM t",
    );
    let run = pgflit("clone").between(&pair).run().assert_code(7);
    run.assert_stderr("refreshing materialized view public.bad on the target")
        .assert_stderr("division by zero")
        .assert_stderr("1 of 2 materialized views could not be refreshed");
    assert_eq!(pair.target.number("SELECT count(*) FROM good"), 2);
    pair.target.sql("CREATE ROLE witness");
    let resumed = pgflit("clone --resume").between(&pair).run();
    resumed
        .assert_code(0)
        .assert_stderr("1 materialized views refreshed");
}

#[test]
fn at_the_end_of_following_they_are_refreshed_when_asked() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE TABLE t (n int PRIMARY KEY); INSERT INTO t VALUES (1);
         CREATE MATERIALIZED VIEW m AS SELECT n FROM t",
    );
    let run = pgflit("clone --follow --refresh-matviews").between(&pair);
    let following = Following {
        pair: &pair,
        run: run.start(),
    };
    let following = following.until_live();
    pair.source
        .sql("INSERT INTO t VALUES (2); REFRESH MATERIALIZED VIEW m");
    following.end_equal();
}
