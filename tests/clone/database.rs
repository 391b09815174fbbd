//! Properties of the database itself.

use super::Following;
use crate::support::{Pair, pgflit};

const PROPERTIES: &str = r#"
    CREATE ROLE "O'x"; CREATE ROLE bob;
    CREATE TABLE t (id int PRIMARY KEY);
    ALTER DATABASE app SET search_path TO "$user", 'a, "b', public;
    ALTER DATABASE app SET app.note TO E'it''s \\ = here';
    ALTER DATABASE app SET default_transaction_read_only TO on;
    ALTER ROLE "O'x" IN DATABASE app SET work_mem TO '7MB';
    COMMENT ON DATABASE app IS 'its comment';
    REVOKE ALL ON DATABASE app FROM PUBLIC;
    GRANT CONNECT ON DATABASE app TO bob WITH GRANT OPTION;
    ALTER DATABASE app CONNECTION LIMIT 90"#;

const ALL: &str = r#"
    SELECT datconnlimit, datacl, shobj_description(oid, 'pg_database'),
           ARRAY(SELECT setrole::regrole::text || setconfig::text FROM pg_db_role_setting
                  WHERE setdatabase = d.oid ORDER BY 1)
      FROM pg_database d WHERE datname = 'app'"#;

fn pair() -> Pair {
    let pair = Pair::new();
    pair.target.sql("CREATE ROLE \"O'x\"; CREATE ROLE bob");
    pair.source.sql(PROPERTIES);
    pair
}

#[test]
fn a_database_has_the_properties_that_it_had() {
    let pair = pair();
    pgflit("clone").between(&pair).run().assert_code(0);
    assert_eq!(pair.source.sql(ALL), pair.target.sql(ALL));
}

#[test]
fn properties_come_when_following_ends_and_do_not_stop_it() {
    let pair = Pair::new();
    pair.target.sql("CREATE ROLE \"O'x\"; CREATE ROLE bob");
    pair.source.sql(&PROPERTIES.replace(
        "app SET default_transaction",
        "app SET app.default_transaction",
    ));
    let following = Following::start(&pair).until_live();
    assert_ne!(pair.source.sql(ALL), pair.target.sql(ALL));
    pair.source.sql("INSERT INTO t VALUES (1)");
    following.end_equal();
    assert_eq!(pair.source.sql(ALL), pair.target.sql(ALL));
}

#[test]
fn properties_are_left_out_when_asked() {
    let pair = pair();
    let before = pair.target.sql(ALL);
    let run = pgflit("clone --skip-db-properties").between(&pair).run();
    run.assert_code(0);
    assert_eq!(pair.target.sql(ALL), before);
}

#[test]
fn what_the_role_may_not_set_is_told_with_the_statement_to_ask_for() {
    let pair = Pair::new();
    for side in [&pair.source, &pair.target] {
        side.sql(
            "CREATE ROLE carol LOGIN; ALTER DATABASE app OWNER TO carol;
             ALTER SCHEMA public OWNER TO carol",
        );
    }
    pair.source.sql(
        "ALTER DATABASE app SET log_min_messages TO 'error';
         ALTER DATABASE app SET work_mem TO '7MB'",
    );
    let as_carol = |uri: &str| uri.replacen("postgres@", "carol@", 1);
    let run = pgflit("clone")
        .dir(pair.dir())
        .arg("--source")
        .arg(as_carol(pair.source.uri()))
        .arg("--target")
        .arg(as_carol(pair.target.uri()))
        .run()
        .assert_code(0);
    run.assert_stderr("ALTER DATABASE \"app\" SET \"log_min_messages\" TO 'error'");
    let set = "SELECT setconfig FROM pg_db_role_setting WHERE setdatabase <> 0";
    assert_eq!(pair.target.sql(set), "{work_mem=7MB}");
}
