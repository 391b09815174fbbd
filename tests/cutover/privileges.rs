//! pgflit's own role with no more than the privileges that the guide lists.

use super::stage::{Stage, listens};
use crate::support::{Database, Finished, Pair, Pgflit, pgflit};

/// What the role needs to copy and follow, as `docs/security.md` has it; without the functions of origins.
fn prepare(pair: &Pair) {
    pair.source.sql(
        "CREATE ROLE app LOGIN; GRANT CREATE ON SCHEMA public TO app;
         CREATE ROLE migrator LOGIN REPLICATION;
         GRANT pg_read_all_data, app TO migrator; GRANT CREATE ON DATABASE app TO migrator;
         ALTER DATABASE app OWNER TO migrator",
    );
    Database::of_user(&pair.source_cluster, "app", "app")
        .sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
    pair.target.sql(
        "CREATE ROLE app LOGIN; GRANT CREATE ON SCHEMA public TO app;
         CREATE ROLE migrator LOGIN REPLICATION; GRANT app TO migrator;
         GRANT SET ON PARAMETER session_replication_role TO migrator;
         ALTER DATABASE app OWNER TO migrator",
    );
    for database in [&pair.source, &pair.target] {
        database.sql("GRANT pg_read_all_stats, pg_signal_backend TO migrator");
    }
}

/// A command as that role.
fn as_migrator(pair: &Pair, words: &str) -> Pgflit {
    let of = |cluster| Database::of_user(cluster, "app", "migrator");
    pgflit(words)
        .source(&of(&pair.source_cluster))
        .target(&of(&pair.target_cluster))
        .dir(pair.dir())
}

#[test]
fn a_role_without_origins_moves_traffic_there_and_back_and_there_again() {
    let pair = Pair::new();
    prepare(&pair);
    // As the target's role would end in the middle of it, nothing is begun.
    pair.target
        .sql("REVOKE SET ON PARAMETER session_replication_role FROM migrator");
    let refused = as_migrator(&pair, "clone --follow").run().assert_code(7);
    refused.assert_stderr("migrator may not set session_replication_role");
    pair.target
        .sql("GRANT SET ON PARAMETER session_replication_role TO migrator");
    let follow = as_migrator(&pair, "clone --follow --plugin test_decoding").start();
    follow.wait_for_stderr("live replay");
    let proxy = as_migrator(&pair, "proxy --listen=127.0.0.1:0").start();
    let port = listens(&proxy);
    let own = pair.source_cluster.port();
    let app = Database::of_user(&pair.source_cluster, "app", "app").at_port(own, port);
    let moves = |words: &str| -> Finished { as_migrator(&pair, words).run() };

    // Found before anything is touched, and not when the way back cannot go.
    let refused = moves("cutover --yes").assert_code(3);
    refused.assert_stderr("may not set session_replication_role on the source");
    app.sql("INSERT INTO t VALUES (2)");
    let granted = "GRANT SET ON PARAMETER session_replication_role TO migrator";
    pair.source.sql(granted);

    for (words, id) in [
        ("cutover --yes", 3),
        ("rollback --yes", 4),
        ("cutover --yes", 5),
    ] {
        moves(words).assert_code(0);
        app.sql(&format!("INSERT INTO t VALUES ({id})"));
    }
    let table = "SELECT string_agg(id::text, ',' ORDER BY id) FROM t";
    assert_eq!(pair.target.sql(table).trim(), "1,2,3,4,5");
    moves("finalize --yes").assert_code(0);
}

#[test]
fn who_could_let_others_connect_can_again_when_traffic_is_back() {
    let stage = Stage::with("CREATE TABLE t (id int PRIMARY KEY)");
    let source = stage.pair.source.clone();
    source.sql(
        "CREATE ROLE boss LOGIN; CREATE ROLE clerk LOGIN;
         GRANT CONNECT ON DATABASE app TO boss WITH GRANT OPTION;
         SET ROLE boss; GRANT CONNECT ON DATABASE app TO clerk",
    );
    let rights = "SELECT string_agg(x.grantee::regrole || ' ' || x.is_grantable, ', '
                                    ORDER BY x.grantee::regrole::text)
                    FROM pg_database d, aclexplode(d.datacl) AS x
                   WHERE d.datname = 'app' AND x.privilege_type = 'CONNECT'
                     AND x.grantee IN ('boss'::regrole, 'clerk'::regrole)";
    assert_eq!(source.sql(rights), "boss true, clerk false");
    stage.moves("cutover");
    assert_eq!(source.sql(rights), "");
    stage.moves("rollback");
    assert_eq!(source.sql(rights), "boss true, clerk false");
}
