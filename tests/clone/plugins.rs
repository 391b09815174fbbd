//! What each output plugin says, and what is refused because one does not say it. The rows
//! themselves are in `row_kinds`.

use super::{Following, end_now};
use crate::support::{
    Database, Finished, PLUGINS, Pair, SOON, allow_plugin, assert_equal, eventually, pgflit,
    source_options, target_options, with_each,
};

/// The plugins whose messages know tables and columns by name only.
const BY_NAME: [&str; 2] = ["test_decoding", "wal2json"];

#[track_caller]
fn wait_for_rows(target: &Database, table: &str, rows: i64) {
    eventually(SOON, &format!("{table} has {rows} rows"), || {
        target.number(&format!("SELECT count(*) FROM {table}")) == rows
    });
}

/// Ends it now, with `code`.
#[track_caller]
fn end_with(following: Following<'_>, code: i32) -> Finished {
    end_now(following.pair);
    following.run.wait_for_exit().assert_code(code)
}

#[test]
fn columns_added_dropped_and_renamed_while_following_arrive_once_the_target_has_them() {
    with_each(&PLUGINS, |pair, plugin| {
        pair.source.sql(
            "CREATE TABLE t (made int GENERATED ALWAYS AS (id * 2) STORED, id int PRIMARY KEY,
                             a text, price numeric(10,2));
             INSERT INTO t (id, a, price) VALUES (1, 'one', 1.5)",
        );
        let following = Following::start_with(pair, plugin).until_live();
        pair.source
            .sql("INSERT INTO t (id, a) VALUES (2, 'two'); UPDATE t SET a = 'uno' WHERE id = 1");
        wait_for_rows(&pair.target, "t", 2);
        let mut rows = 2;
        for (alter, write) in [
            (
                "ALTER TABLE t ADD b text DEFAULT 'x'",
                "INSERT INTO t (id, b) VALUES (3, 'y'); UPDATE t SET b = 'z' WHERE id = 1",
            ),
            (
                "ALTER TABLE t DROP a",
                "INSERT INTO t (id, b) VALUES (4, 'y'); UPDATE t SET id = 20 WHERE id = 2",
            ),
            (
                "ALTER TABLE t ALTER price TYPE numeric(12,4)",
                "INSERT INTO t (id, price) VALUES (5, 0.1234); UPDATE t SET price = 9.8765 WHERE id = 1",
            ),
            (
                "ALTER TABLE t RENAME id TO key",
                "INSERT INTO t (key) VALUES (6); DELETE FROM t WHERE key = 20; INSERT INTO t (key) VALUES (7)",
            ),
        ] {
            pair.target.sql(alter);
            pair.source.sql(alter);
            pair.source.sql(write);
            rows += 1;
            wait_for_rows(&pair.target, "t", rows);
        }
        following.end_equal();
    });
}

#[test]
fn an_update_or_delete_without_an_identity_ends_the_migration_naming_table_and_position() {
    with_each(&BY_NAME, |pair, plugin| {
        pair.source.sql(
            r#"CREATE TABLE "it's ""odd""" (line text); INSERT INTO "it's ""odd""" VALUES ('a')"#,
        );
        let following = Following::start_with(pair, plugin).until_live();
        pair.source
            .sql(r#"INSERT INTO "it's ""odd""" VALUES ('b')"#);
        wait_for_rows(&pair.target, r#""it's ""odd""""#, 2);
        pair.source
            .sql(r#"DELETE FROM "it's ""odd""" WHERE line = 'a'"#);
        let ended = following.run.wait_for_exit().assert_code(6);
        ended
            .assert_stderr("has no replica identity, and DELETE at ")
            .assert_stderr("REPLICA IDENTITY FULL");
        // Trying again does not make it unseen.
        let again = pgflit("clone --follow --resume --plugin").arg(plugin);
        again.between(pair).run().assert_code(6);
    });
}

#[test]
fn an_identity_that_is_changed_while_following_is_told_with_test_decoding_and_followed_with_others()
{
    with_each(&PLUGINS, |pair, plugin| {
        pair.source.sql(
            "CREATE TABLE t (id int PRIMARY KEY, code text NOT NULL UNIQUE, n int);
             INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2)",
        );
        let following = Following::start_with(pair, plugin).until_live();
        pair.source.sql("UPDATE t SET n = 3 WHERE id = 1");
        pair.source.sql(
            "ALTER TABLE t REPLICA IDENTITY USING INDEX t_code_key;
             INSERT INTO t VALUES (3, 'c', 3)",
        );
        pair.source.sql("UPDATE t SET code = 'd' WHERE id = 1");
        if plugin == "test_decoding" {
            let ended = end_with(following, 6);
            ended.assert_stderr("the replica identity of public.t was changed");
            // It stays changed, whoever asks again.
            let again = pgflit("clone --follow --resume --plugin").arg(plugin);
            let again = again.between(pair).run().assert_code(6);
            again.assert_stderr("the replica identity of public.t was changed");
        } else {
            following.end();
            let rows = "SELECT string_agg(t::text, ' ' ORDER BY id) FROM t";
            assert_eq!(pair.target.sql(rows), pair.source.sql(rows));
        }
    });
}

#[test]
fn bytes_of_a_database_without_an_encoding_arrive_as_they_are() {
    with_each(&PLUGINS, |pair, plugin| {
        let databases = [&pair.source_cluster, &pair.target_cluster].map(|cluster| {
            Database::of(cluster, "postgres")
                .sql("CREATE DATABASE bytes ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
            Database::of(cluster, "bytes")
        });
        let [source, target] = &databases;
        source.sql(r"CREATE TABLE t (id int PRIMARY KEY, v text, w text); INSERT INTO t VALUES (1, E'\xff', 'ä')");
        let run = pgflit("clone --follow --plugin").arg(plugin);
        let run = run.source(source).target(target).dir(pair.dir()).start();
        run.wait_for_stderr(super::following::LIVE);
        source.sql(
            r#"INSERT INTO t VALUES (2, E'\xe4"\\\x01''\xfe', E'\xc3\xa4'), (3, 'plain', NULL);
               UPDATE t SET v = E'\xe9' WHERE id = 1"#,
        );
        let set = pgflit("sentinel set endpos --current").dir(pair.dir());
        set.source(source).run().assert_code(0);
        run.wait_for_exit().assert_code(0);
        assert_equal(source, target);
    });
}

#[test]
fn a_database_of_another_encoding_is_converted_by_pgoutput_and_refused_by_the_others() {
    with_each(&PLUGINS, |pair, plugin| {
        Database::of(&pair.source_cluster, "postgres")
            .sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
        let source = Database::of(&pair.source_cluster, "latin");
        source.sql("CREATE TABLE \"Straße\" (id int PRIMARY KEY, v text)");
        let run = pgflit("clone --follow --plugin").arg(plugin);
        let run = run.source(&source).target(&pair.target).dir(pair.dir());
        if plugin != "pgoutput" {
            let refused = run.run().assert_code(6);
            refused
                .assert_stderr("in the encoding of the database, LATIN1")
                .assert_stderr("hint: use --plugin pgoutput");
            assert!(!pair.dir().exists());
            return;
        }
        let run = run.start();
        run.wait_for_stderr(super::following::LIVE);
        source.sql("INSERT INTO \"Straße\" VALUES (1, 'Grüße')");
        let set = pgflit("sentinel set endpos --current").dir(pair.dir());
        set.source(&source).run().assert_code(0);
        run.wait_for_exit().assert_code(0);
        assert_eq!(pair.target.sql("SELECT v FROM \"Straße\""), "Grüße");
    });
}

#[test]
fn numbers_that_json_has_not_arrive_or_stop_wal2json_where_it_does_not_say_which() {
    with_each(&["wal2json"], |pair, plugin| {
        pair.source
            .sql("CREATE TABLE t (id int PRIMARY KEY, a float8, b numeric, c numeric(9, 2))");
        let following = Following::start_with(pair, plugin).until_live();
        pair.source.sql(
            "INSERT INTO t VALUES (1, 'NaN', '-Infinity', 'NaN'), (2, NULL, NULL, NULL),
                                  (3, 1e308, 'NaN', 1.10);
             UPDATE t SET a = '-Infinity' WHERE id = 3",
        );
        let rows = "SELECT string_agg(t::text, ' ' ORDER BY id) FROM t";
        eventually(SOON, "the rows arrive", || {
            pair.target.sql(rows) == pair.source.sql(rows)
        });
        pair.source.sql("INSERT INTO t VALUES (4, 'NaN', NULL, 1)");
        // Since 2.6 the plugin can write them as strings.
        if following.run.stderr_contains("taken from its notices") {
            let ended = following.run.wait_for_exit().assert_code(6);
            ended
                .assert_stderr("of the columns a, b of public.t, 1 are NaN or infinite")
                .assert_stderr("hint: install wal2json 2.6 or later");
        } else {
            following.end_equal();
        }
    });
}

#[test]
fn what_follows_a_large_transaction_that_is_applied_already_is_applied_once() {
    // The others tell at its beginning where a transaction commits.
    with_each(&["test_decoding"], |pair, plugin| {
        pair.source
            .sql("CREATE TABLE t (id int PRIMARY KEY, body text); CREATE TABLE log (n int)");
        pair.source.sql("ALTER TABLE log REPLICA IDENTITY FULL");
        let following = Following::start_with(pair, plugin).until_live();
        // More than apply holds.
        pair.source.sql(
            "INSERT INTO t SELECT n, repeat(md5(n::text), 10) FROM generate_series(1, 40000) n",
        );
        wait_for_rows(&pair.target, "t", 40_000);
        for round in 1..=3 {
            pair.source.sql("INSERT INTO log VALUES (1)");
            wait_for_rows(&pair.target, "log", round);
            following.child("apply").kill();
            pair.source
                .sql("INSERT INTO log VALUES (2); DELETE FROM log WHERE n = 2");
        }
        following.end_equal();
    });
}

#[test]
fn a_prepared_transaction_arrives_when_it_is_committed_and_not_when_it_is_rolled_back() {
    for plugin in PLUGINS {
        let source = source_options().setting("max_prepared_transactions", "5");
        let pair = Pair::with(source, target_options());
        if !allow_plugin(&pair.source, plugin) {
            continue;
        }
        pair.source.sql("CREATE TABLE t (id int PRIMARY KEY)");
        let following = Following::start_with(&pair, plugin).until_live();
        pair.source.sql(
            "BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'kept';
             BEGIN; INSERT INTO t VALUES (2); PREPARE TRANSACTION 'gone'; INSERT INTO t VALUES (3)",
        );
        wait_for_rows(&pair.target, "t", 1);
        pair.source
            .sql("ROLLBACK PREPARED 'gone'; COMMIT PREPARED 'kept'; INSERT INTO t VALUES (4)");
        following.end_equal();
        assert_eq!(pair.target.number("SELECT count(*) FROM t"), 3);
    }
}

#[test]
fn a_plugin_that_the_source_lacks_is_told_before_anything_is_made() {
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE t (id int PRIMARY KEY)");
    let clone = || {
        pgflit("clone --follow --plugin wal2json")
            .between(&pair)
            .run()
    };
    let has_it = pair.source.try_sql("LOAD 'wal2json'").is_ok();
    let setting = "SELECT coalesce(current_setting('output_plugin_libraries', true), '')";
    if !has_it {
        let refused = clone().assert_code(6);
        refused.assert_stderr("output plugin wal2json is not installed on the source");
    } else if !pair.source.sql(setting).is_empty() {
        let refused = clone().assert_code(6);
        refused
            .assert_stderr("the source does not let output plugin wal2json be used")
            .assert_stderr("hint: have an administrator run: ALTER SYSTEM");
    } else {
        return;
    }
    assert!(!pair.dir().exists());
    let slots = "SELECT count(*) FROM pg_replication_slots";
    assert_eq!(pair.source.number(slots), 0);
}

#[test]
fn an_owner_who_may_replicate_needs_no_more_for_test_decoding() {
    let pair = Pair::new();
    for side in [&pair.source, &pair.target] {
        side.sql(
            "CREATE ROLE mover LOGIN REPLICATION; GRANT ALL ON SCHEMA public TO mover;
             ALTER DATABASE app OWNER TO mover",
        );
    }
    let source = Database::of_user(&pair.source_cluster, "app", "mover");
    source.sql("CREATE TABLE t (id int PRIMARY KEY)");
    let clone = |plugin: &str| {
        let clone = pgflit("clone --follow --plugin").arg(plugin);
        clone.source(&source).target(&pair.target).dir(pair.dir())
    };
    // What the role may not see is told when the slot is made, and nothing is left of it. Servers
    // before the minor releases of autumn 2026 let every role use every plugin that is installed.
    let setting = "SELECT coalesce(current_setting('output_plugin_libraries', true), '')";
    let has_it = pair.source.try_sql("LOAD 'wal2json'").is_ok();
    if !has_it || !pair.source.sql(setting).is_empty() {
        clone("wal2json")
            .run()
            .assert_code(6)
            .assert_stderr("wal2json");
        assert!(!pair.dir().exists());
    }
    let run = clone("test_decoding").start();
    run.wait_for_stderr(super::following::LIVE);
    source.sql("INSERT INTO t VALUES (1)");
    let pair = &pair;
    Following { pair, run }.end_equal();
}

#[test]
fn a_slot_of_another_plugin_is_refused() {
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE t (id int PRIMARY KEY)");
    let make = |plugin: &str| {
        let sql = format!("SELECT pg_create_logical_replication_slot('pgflit', '{plugin}')");
        pair.source.sql(&sql)
    };
    make("pgoutput");
    let clone = pgflit("clone --follow --plugin test_decoding").between(&pair);
    let refused = clone.run().assert_code(6);
    refused.assert_stderr("replication slot \"pgflit\" exists on the source already, for pgoutput");
    let drop = "SELECT pg_drop_replication_slot('pgflit')";
    pair.source.sql(drop);
    let following = Following::start_with(&pair, "test_decoding").until_live();
    following.run.signal(nix::sys::signal::Signal::SIGTERM);
    following.run.wait_for_exit().assert_code(9);
    let other = pgflit("clone --follow --resume --plugin pgoutput").between(&pair);
    other.run().assert_code(1).assert_stderr("plugin");
    pair.source.sql(drop);
    make("pgoutput");
    let resumed = pgflit("clone --follow --resume --plugin test_decoding").between(&pair);
    let refused = resumed.run().assert_code(6);
    refused.assert_stderr("it is for output plugin pgoutput, and this migration began with");
}

#[test]
fn a_table_altered_in_a_transaction_that_waits_for_a_standby_is_read_once_others_see_it() {
    with_each(&BY_NAME, |pair, plugin| {
        pair.source
            .sql("CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t VALUES (1, 'one')");
        let following = Following::start_with(pair, plugin).until_live();
        pair.source.sql("INSERT INTO t VALUES (2, 'two')");
        wait_for_rows(&pair.target, "t", 2);
        let altered = "ALTER TABLE t ADD b text";
        pair.target.sql(altered);
        let waits = |standbys: &str| {
            let set = format!("ALTER SYSTEM SET synchronous_standby_names = '{standbys}'");
            pair.source.sql(&set);
            pair.source.sql("SELECT pg_reload_conf()");
        };
        waits("nobody");
        eventually(SOON, "commits wait", || {
            pair.source.sql("SHOW synchronous_standby_names") == "nobody"
        });
        std::thread::scope(|scope| {
            // Its commit is in the WAL, so it is captured, and no other session sees it.
            scope.spawn(|| {
                let write = "INSERT INTO t VALUES (3, 'three', 'b')";
                pair.source
                    .sql(&format!("BEGIN; {altered}; {write}; COMMIT"));
            });
            eventually(SOON, "the commit waits", || {
                let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
                pair.source.number(waiting) == 1
            });
            following
                .run
                .wait_for_stderr("waiting until the source's sessions see transaction");
            waits("");
        });
        wait_for_rows(&pair.target, "t", 3);
        following.end_equal();
    });
}

#[test]
fn what_no_stream_carries_is_brought_at_the_end() {
    with_each(&PLUGINS, |pair, plugin| {
        pair.source.sql(
            "CREATE TABLE t (id serial PRIMARY KEY, photo oid); CREATE SEQUENCE s INCREMENT -7;
             INSERT INTO t (photo) VALUES (lo_from_bytea(7001, 'one')), (lo_from_bytea(7002, 'two'))",
        );
        let following = Following::start_with(pair, plugin).until_live();
        pair.source.sql(
            "INSERT INTO t (photo) VALUES (lo_from_bytea(7003, 'three')), (NULL);
             SELECT lo_put(7001, 1, 'NE'), lo_unlink(7002), nextval('s'), nextval('s');
             BEGIN; INSERT INTO t (photo) VALUES (NULL); ROLLBACK",
        );
        following.end_equal();
    });
}

#[test]
fn a_table_that_is_dropped_while_following_leaves_the_others_exact() {
    with_each(&PLUGINS, |pair, plugin| {
        pair.source
            .sql("CREATE TABLE kept (id int PRIMARY KEY); CREATE TABLE gone (id int PRIMARY KEY)");
        let following = Following::start_with(pair, plugin).until_live();
        pair.source.sql("INSERT INTO gone VALUES (1)");
        wait_for_rows(&pair.target, "gone", 1);
        pair.source
            .sql("INSERT INTO gone VALUES (2); DROP TABLE gone; INSERT INTO kept VALUES (3)");
        following.end();
        assert_eq!(pair.target.sql("SELECT id FROM kept"), "3");
        assert_eq!(pair.target.number("SELECT count(*) FROM gone"), 2);
    });
}
