//! Problems that are planted in databases, each of them seen.

use super::{Plant, check, complaints, lines, plant, sound_pair};
use pgflit::worker::cluster::ClusterOptions;

use crate::support::{Held, Pair, SOON, eventually, pgflit, source_options, target_options};

/// Catalogs may be written to, for what has no statement.
macro_rules! in_catalog {
    ($sql:literal) => {
        concat!("SET allow_system_table_mods = on; ", $sql)
    };
}

/// What is on the source and does not move as it is.
const OBJECTS: &[Plant] = &[
    plant(
        "a table without replica identity",
        ("WARN", "source", "identities", "public.t"),
    )
    .source("CREATE TABLE t (id int)"),
    plant(
        "one that was updated",
        ("FAIL", "source", "identities", "1 table is updated or deleted from: public.t"),
    )
    .source(
        "CREATE TABLE t (id int); INSERT INTO t VALUES (1); UPDATE t SET id = 2;
         SELECT pg_stat_force_next_flush()",
    )
    .since(15),
    plant(
        "a unique constraint over nulls, which is no identity",
        ("WARN", "source", "identities", "public.t"),
    )
    .source("CREATE TABLE t (id int UNIQUE)"),
    plant(
        "REPLICA IDENTITY NOTHING beside a primary key",
        ("WARN", "source", "identities", "public.t"),
    )
    .source("CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t REPLICA IDENTITY NOTHING"),
    plant(
        "a deferrable primary key",
        ("WARN", "source", "deferrable-keys", "public.t"),
    )
    .source("CREATE TABLE t (id int PRIMARY KEY DEFERRABLE)")
    .also(&["identities"]),
    plant(
        "a generated column in a key",
        ("WARN", "source", "generated-keys", "public.t"),
    )
    .source("CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a + 1) STORED PRIMARY KEY)"),
    plant(
        "an unlogged table",
        ("WARN", "source", "unlogged-tables", "public.t"),
    )
    .source("CREATE UNLOGGED TABLE t (id int PRIMARY KEY)"),
    plant(
        "a foreign table",
        ("WARN", "source", "foreign-tables", "public.f"),
    )
    .source(
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;
         CREATE FOREIGN TABLE f (id int) SERVER s",
    ),
    plant(
        "an index that a failed build has left",
        ("WARN", "source", "invalid-indexes", "public.broken"),
    )
    .source(in_catalog!(
        "CREATE TABLE t (id int PRIMARY KEY, n int); CREATE INDEX broken ON t (n);
         UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass"
    )),
    plant(
        "an event trigger, and no superuser on the target",
        ("WARN", "source", "event-triggers", "watch"),
    )
    .options(&[])
    .source(
        "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
         CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION f()",
    )
    .target("ALTER DATABASE planted OWNER TO mover")
    .roles("postgres", "mover")
    .also(&["owners"]),
    plant(
        "an event trigger on the target",
        ("WARN", "target", "event-triggers", "watch"),
    )
    .target(
        "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
         CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION f()",
    ),
    plant(
        "a trigger that fires for replicas",
        ("WARN", "source", "always-triggers", "public.t"),
    )
    .source(
        "CREATE TABLE t (id int PRIMARY KEY);
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER f BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
         ALTER TABLE t ENABLE ALWAYS TRIGGER f",
    ),
    plant(
        "a subscription",
        ("WARN", "source", "subscriptions", "incoming"),
    )
    .source(
        "CREATE SUBSCRIPTION incoming CONNECTION 'host=/nonexistent' PUBLICATION p
           WITH (connect = false)",
    )
    .undo(
        "ALTER SUBSCRIPTION incoming SET (slot_name = NONE); DROP SUBSCRIPTION incoming",
        "",
    ),
    plant(
        "a role that only privileges on the database name",
        ("FAIL", "target", "roles", "visitor"),
    )
    .source("CREATE ROLE visitor; GRANT CREATE ON DATABASE planted TO visitor")
    .undo("DROP OWNED BY visitor; DROP ROLE visitor", ""),
    plant(
        "a role that only settings in the database name",
        ("FAIL", "target", "roles", "visitor"),
    )
    .source("CREATE ROLE visitor; ALTER ROLE visitor IN DATABASE planted SET work_mem = '1MB'")
    .undo("DROP ROLE visitor", ""),
    plant(
        "an owner that the target lacks",
        ("FAIL", "target", "roles", "shopkeeper"),
    )
    .source("CREATE ROLE shopkeeper; CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t OWNER TO shopkeeper")
    .undo("DROP OWNED BY shopkeeper; DROP ROLE shopkeeper", ""),
    plant(
        "a grantee that the target lacks",
        ("FAIL", "target", "roles", "auditor"),
    )
    .source("CREATE ROLE auditor; CREATE TABLE t (id int PRIMARY KEY); GRANT SELECT ON t TO auditor")
    .undo("DROP OWNED BY auditor; DROP ROLE auditor", ""),
    plant(
        "an owner for whom the role may make nothing",
        ("FAIL", "target", "owners", "postgres"),
    )
    .options(&[])
    .source("CREATE TABLE t (id int PRIMARY KEY)")
    .target("ALTER DATABASE planted OWNER TO mover; ALTER SCHEMA public OWNER TO mover")
    .roles("postgres", "mover"),
    plant(
        "a tablespace that the target lacks",
        ("FAIL", "target", "tablespaces", "fast"),
    )
    .source(
        "SET allow_in_place_tablespaces = on; CREATE TABLESPACE fast LOCATION '';
         CREATE TABLE t (id int PRIMARY KEY) TABLESPACE fast",
    )
    .undo("DROP TABLE t; DROP TABLESPACE fast", ""),
    plant(
        "a type that has no binary form, and binary asked for",
        ("FAIL", "source", "binary-copy", "public.t"),
    )
    .source("CREATE TABLE t (id int PRIMARY KEY, price money)")
    .options(&["--use-copy-binary"]),
    plant(
        "an extension that the target lacks",
        ("FAIL", "target", "extensions", "nowhere"),
    )
    .source(in_catalog!(
        "CREATE EXTENSION citext; UPDATE pg_extension SET extname = 'nowhere' WHERE extname = 'citext'"
    )),
    plant(
        "an extension in another version",
        ("WARN", "target", "extension-versions", "citext"),
    )
    .source(in_catalog!(
        "CREATE EXTENSION citext; UPDATE pg_extension SET extversion = '0.9' WHERE extname = 'citext'"
    )),
    plant(
        "an extension that only a superuser may make",
        ("FAIL", "target", "extension-rights", "pageinspect"),
    )
    .options(&["--no-owner"])
    .source("CREATE EXTENSION pageinspect")
    .target("ALTER DATABASE planted OWNER TO mover")
    .roles("postgres", "mover")
    // Where the servers' versions have different ones.
    .also(&["extension-versions"]),
    plant(
        "an extension that a service's administrator may make, or may not",
        ("WARN", "target", "extension-rights", "the service alone knows: pageinspect"),
    )
    .options(&["--no-owner"])
    .source("CREATE EXTENSION pageinspect")
    .target(
        "ALTER DATABASE planted OWNER TO mover; CREATE ROLE rds_superuser; GRANT rds_superuser TO mover",
    )
    .roles("postgres", "mover")
    .undo("", "DROP ROLE rds_superuser")
    .also(&["extension-versions"]),
];

/// Encodings, locales, collations, parameters.
const MEANINGS: &[Plant] = &[
    plant(
        "an encoding that does not hold everything",
        ("FAIL", "both", "encoding", "LATIN1"),
    )
    .databases("", "ENCODING 'LATIN1'"),
    plant(
        "a source of any bytes",
        ("WARN", "both", "encoding", "SQL_ASCII"),
    )
    .databases("ENCODING 'SQL_ASCII'", ""),
    plant(
        "a target that does not know its encoding",
        ("WARN", "both", "encoding", "SQL_ASCII"),
    )
    .databases("", "ENCODING 'SQL_ASCII'"),
    plant("another locale", ("WARN", "both", "locale", "C.UTF-8"))
        .databases("", "LOCALE 'C.UTF-8'"),
    plant(
        "another provider of collations",
        ("WARN", "both", "locale", "ICU und"),
    )
    .since(15)
    .databases("LOCALE_PROVIDER icu ICU_LOCALE 'und'", "")
    .also(&["collation-library"]),
    plant(
        "indexes that an older library has ordered",
        ("WARN", "source", "collation-version", "the database"),
    )
    .since(15)
    .databases(
        "LOCALE_PROVIDER icu ICU_LOCALE 'und'",
        "LOCALE_PROVIDER icu ICU_LOCALE 'und'",
    )
    .source(in_catalog!(
        "UPDATE pg_database SET datcollversion = '1.0' WHERE datname = 'planted'"
    ))
    // Of servers that were built with different ones.
    .also(&["collation-library"]),
    plant(
        "the same on the target",
        ("WARN", "target", "collation-version", "the database"),
    )
    .since(15)
    .databases(
        "LOCALE_PROVIDER icu ICU_LOCALE 'und'",
        "LOCALE_PROVIDER icu ICU_LOCALE 'und'",
    )
    .target(in_catalog!(
        "UPDATE pg_database SET datcollversion = '1.0' WHERE datname = 'planted'"
    ))
    // Of servers that were built with different ones.
    .also(&["collation-library"]),
    plant(
        "a collation of a column that an older library has ordered",
        ("WARN", "source", "collation-version", "german"),
    )
    .source(in_catalog!(
        "CREATE COLLATION german (provider = icu, locale = 'de');
         CREATE TABLE t (id int PRIMARY KEY, name text COLLATE german);
         UPDATE pg_collation SET collversion = '1.0' WHERE collname = 'german'"
    )),
    plant(
        "a collation that the target's system lacks",
        ("FAIL", "target", "collations", "ucs_basic"),
    )
    .source("CREATE TABLE t (id int PRIMARY KEY, name text COLLATE ucs_basic)")
    .target(in_catalog!(
        "DELETE FROM pg_collation WHERE collname = 'ucs_basic'"
    )),
    plant(
        "another time zone",
        ("WARN", "both", "parameters", "Asia/Tokyo"),
    )
    .target("ALTER DATABASE planted SET timezone = 'Asia/Tokyo'"),
    plant(
        "a setting of the database that is left out",
        ("WARN", "both", "parameters", "DateStyle"),
    )
    .source("ALTER DATABASE planted SET datestyle = 'SQL, DMY'")
    .options(&["--skip-db-properties"]),
    plant(
        "a target that is read-only",
        (
            "WARN",
            "target",
            "read-only",
            "default_transaction_read_only",
        ),
    )
    .target("ALTER DATABASE planted SET default_transaction_read_only = on"),
    plant(
        "a limit of temporary files",
        ("WARN", "target", "temp-file-limit", "10 MB"),
    )
    .target("ALTER DATABASE planted SET temp_file_limit = '10MB'"),
    plant(
        "senders that wait for nobody",
        ("WARN", "source", "wal-sender-timeout", "1.0s"),
    )
    .source("ALTER DATABASE planted SET wal_sender_timeout = '1s'"),
    plant(
        "senders that wait for ever",
        ("WARN", "source", "wal-sender-timeout", "= 0"),
    )
    .source("ALTER DATABASE planted SET wal_sender_timeout = 0"),
    plant(
        "changes that are not counted",
        ("FAIL", "source", "statistics", "track_counts"),
    )
    .source("ALTER DATABASE planted SET track_counts = off"),
];

/// Slots, publications, origins; what is on the target.
const PLACES: &[Plant] = &[
    plant(
        "a slot of that name",
        ("FAIL", "source", "slot-name", "\"pgflit\" exists"),
    )
    .source("SELECT pg_create_logical_replication_slot('pgflit', 'pgoutput')")
    .undo("SELECT pg_drop_replication_slot('pgflit')", ""),
    plant(
        "an output plugin that does not convert",
        ("FAIL", "source", "output-plugin", "LATIN1"),
    )
    .databases("ENCODING 'LATIN1'", "")
    .options(&["--follow", "--plugin", "test_decoding"]),
    plant(
        "a publication of that name",
        ("FAIL", "source", "publication", "\"pgflit\" exists"),
    )
    .source("CREATE PUBLICATION pgflit"),
    plant(
        "a publication whose name is too long",
        ("FAIL", "source", "publication", "too long"),
    )
    .options(&[
        "--follow",
        "--publication",
        "a_name_that_is_as_long_as_a_name_of_postgres_may_be_and_no_more",
    ]),
    plant(
        "an origin that stands somewhere",
        ("FAIL", "target", "origin", "\"pgflit\" exists"),
    )
    .target(
        "SELECT pg_replication_origin_create('pgflit');
         SELECT pg_replication_origin_advance('pgflit', '0/100')",
    )
    .undo("", "SELECT pg_replication_origin_drop('pgflit')"),
    plant("an end that is past", ("FAIL", "source", "endpos", "0/1"))
        .options(&["--follow", "--endpos", "0/1"]),
    plant(
        "a slot that nobody reads",
        ("WARN", "source", "other-slots", "forgotten"),
    )
    .source("SELECT pg_create_physical_replication_slot('forgotten', true)")
    .undo("SELECT pg_drop_replication_slot('forgotten')", ""),
    plant(
        "a prepared transaction",
        ("FAIL", "source", "prepared-transactions", "'pending'"),
    )
    .source("BEGIN; CREATE TABLE t (id int PRIMARY KEY); PREPARE TRANSACTION 'pending'")
    .undo("ROLLBACK PREPARED 'pending'", ""),
    plant(
        "a table on the target",
        ("FAIL", "target", "target-empty", "public.there"),
    )
    .target("CREATE TABLE there (id int)"),
    plant(
        "a table on the target that may be dropped",
        ("WARN", "target", "target-empty", "public.there"),
    )
    .target("CREATE TABLE there (id int)")
    .options(&["--drop-if-exists"]),
    plant(
        "a large object of the same OID",
        ("FAIL", "target", "target-large-objects", "4711"),
    )
    .source("SELECT lo_from_bytea(4711, 'x')")
    .target("SELECT lo_from_bytea(4711, 'x')"),
    plant(
        "what a migration has left on the target",
        ("WARN", "target", "leftovers", "schema pgflit"),
    )
    .target("CREATE SCHEMA pgflit"),
    plant(
        "what a migration has left on the source",
        ("WARN", "source", "leftovers", "schema pgflit"),
    )
    .source("CREATE SCHEMA pgflit"),
];

/// What the roles may not do. `reader` owns nothing, `mover` owns the target's database.
const PRIVILEGES: &[Plant] = &[
    plant(
        "a table that may not be read",
        ("FAIL", "source", "read-tables", "public.t"),
    )
    .source("CREATE TABLE t (id int PRIMARY KEY)")
    .roles("reader", "postgres")
    .options(&[]),
    plant(
        "a schema that may not be entered",
        ("FAIL", "source", "read-tables", "hidden.t"),
    )
    .source("CREATE SCHEMA hidden; CREATE TABLE hidden.t (id int PRIMARY KEY); GRANT SELECT ON hidden.t TO reader")
    .roles("reader", "postgres")
    .options(&["--no-acl"]),
    plant(
        "a table that may not be read, is left out, and is locked all the same",
        ("FAIL", "source", "read-tables", "public.t"),
    )
    .source("CREATE TABLE t (id int PRIMARY KEY)")
    .roles("reader", "postgres")
    .options(&["--filters", "EXCLUDE"]),
    plant(
        "a sequence that may not be read",
        ("FAIL", "source", "read-sequences", "public.s"),
    )
    .source("CREATE SEQUENCE s")
    .roles("reader", "postgres")
    .options(&[]),
    plant(
        "a policy that hides rows",
        ("FAIL", "source", "row-security", "public.t"),
    )
    .source(
        "CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
         GRANT SELECT ON t TO reader",
    )
    .roles("reader", "postgres")
    .options(&["--no-acl"]),
    plant(
        "a large object that may not be read",
        ("FAIL", "source", "read-large-objects", "4711"),
    )
    .source("SELECT lo_from_bytea(4711, 'x')")
    .roles("reader", "postgres")
    .options(&[]),
    plant(
        "passwords that may not be read",
        ("FAIL", "source", "role-passwords", "pg_authid"),
    )
    .roles("reader", "postgres")
    .options(&["--roles"]),
    plant(
        "a role that may not replicate",
        ("FAIL", "source", "replicate", "\"reader\" may not replicate"),
    )
    .roles("reader", "postgres")
    .also(&["publish", "long-transactions"]),
    plant(
        "a role that may not make a publication",
        ("FAIL", "source", "publish", "may not make a publication"),
    )
    .roles("streamer", "postgres")
    .also(&["long-transactions"]),
    plant(
        "a role that may not publish the tables of others",
        ("FAIL", "source", "publish", "of others: public.t"),
    )
    .source(
        "GRANT CREATE ON DATABASE planted TO streamer; CREATE TABLE t (id int PRIMARY KEY);
         GRANT SELECT ON t TO streamer",
    )
    .options(&["--follow", "--no-acl"])
    .roles("streamer", "postgres")
    .also(&["long-transactions"]),
    plant(
        "transactions that may not be seen",
        ("WARN", "source", "long-transactions", "could not be seen"),
    )
    .source("GRANT CREATE ON DATABASE planted TO streamer")
    .roles("streamer", "postgres"),
    plant(
        "a role that may not make schemas",
        ("FAIL", "target", "create", "may not make schemas"),
    )
    .roles("postgres", "reader")
    .options(&[]),
    plant(
        "a role that may not make tables in public",
        ("FAIL", "target", "create", "schema public"),
    )
    .source("CREATE TABLE t (id int PRIMARY KEY)")
    .target("GRANT CREATE ON DATABASE planted TO reader")
    .roles("postgres", "reader")
    .options(&["--no-owner"]),
    plant(
        "a role that may not stop triggers",
        ("FAIL", "target", "session-replication-role", "mover may not set"),
    )
    .target("ALTER DATABASE planted OWNER TO mover")
    .roles("postgres", "mover"),
    plant(
        "a role that may not use origins",
        ("FAIL", "target", "origin-privileges", "--progress-tracking"),
    )
    .target("ALTER DATABASE planted OWNER TO mover; GRANT SET ON PARAMETER session_replication_role TO mover")
    .undo("", "REVOKE SET ON PARAMETER session_replication_role FROM mover")
    .roles("postgres", "mover")
    .options(&["--follow", "--progress-tracking", "origin"]),
];

/// Databases are made and dropped here by the dozen: it is not worth waiting for the disk.
fn pair_with_roles() -> Pair {
    let prepared = |options: ClusterOptions| options.setting("max_prepared_transactions", "5");
    let pair = Pair::with(prepared(source_options()), prepared(target_options()));
    for side in [&pair.source, &pair.target] {
        side.sql(
            "CREATE ROLE reader LOGIN; CREATE ROLE mover LOGIN; CREATE ROLE streamer LOGIN REPLICATION",
        );
    }
    pair
}

fn try_all(plants: &[Plant]) {
    let pair = pair_with_roles();
    for plant in plants {
        plant.try_on(&pair);
    }
}

#[test]
fn a_clean_pair_has_nothing_to_complain_of() {
    let pair = sound_pair();
    pair.source.sql(
        "CREATE SCHEMA shop;
         CREATE TABLE shop.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
         CREATE VIEW shop.notes AS SELECT note FROM shop.orders;
         INSERT INTO shop.orders (note) SELECT 'n' FROM generate_series(1, 100)",
    );
    for options in [vec![], vec!["--follow"]] {
        let checked = pgflit("check").between(&pair).args(&options);
        let finished = checked.run().assert_code(0);
        let lines = lines(&finished);
        assert!(lines.len() > 30, "{}", finished.stdout);
        assert_eq!(complaints(&lines), [""; 0], "{}", finished.stdout);
        assert!(finished.stdout.ends_with(", 0 warnings, 0 failed\n"));
        assert_eq!(finished.stderr, "");
    }
    let quiet = check(&pair).arg("--quiet").run().assert_code(0);
    assert_eq!(quiet.stdout.lines().count(), 1, "{}", quiet.stdout);
    // Nothing was made.
    assert!(!pair.dir().exists());
    assert_eq!(
        pair.source
            .number("SELECT count(*) FROM pg_replication_slots"),
        0
    );
}

#[test]
fn there_are_forty_planted_problems_and_more() {
    let all = [OBJECTS, MEANINGS, PLACES, PRIVILEGES];
    let count: usize = all.iter().map(|plants| plants.len()).sum();
    assert!(count >= 59, "{count}");
}

#[test]
fn what_is_on_the_source_and_does_not_move_as_it_is_has_its_line() {
    try_all(OBJECTS);
}

#[test]
fn what_would_mean_something_else_on_the_target_has_its_line() {
    try_all(MEANINGS);
}

#[test]
fn what_is_in_the_way_has_its_line() {
    try_all(PLACES);
}

#[test]
fn what_a_role_may_not_do_has_its_line() {
    try_all(PRIVILEGES);
}

#[test]
fn a_transaction_that_stays_open_has_its_line() {
    let pair = sound_pair();
    pair.source.sql("CREATE TABLE t (id int PRIMARY KEY)");
    let _held = Held::open(&pair.source, "INSERT INTO t VALUES (1)");
    eventually(SOON, "it counts as long", || {
        let finished = check(&pair).run().assert_code(0);
        let lines = lines(&finished);
        let found = lines.iter().find(|line| line.id == "long-transactions");
        found.is_some_and(|line| line.status == "WARN" && line.text.contains("held open"))
    });
}

#[test]
fn filters_decide_what_is_looked_at() {
    let pair = sound_pair();
    pair.source.sql(
        "CREATE TABLE kept (id int PRIMARY KEY); CREATE UNLOGGED TABLE scratch (id int);
         CREATE TABLE log (line text)",
    );
    let filters = pair.path("filters.ini");
    std::fs::write(&filters, "[exclude-table]\npublic.scratch\npublic.log\n").expect("a file");
    let finished = check(&pair).arg("--filters").arg(&filters).run();
    assert_eq!(
        complaints(&lines(&finished)),
        [""; 0],
        "{}",
        finished.stdout
    );
    std::fs::write(&filters, "[include-only-table]\npublic.nowhere\n").expect("a file");
    let finished = check(&pair).arg("--filters").arg(&filters).run();
    finished
        .assert_code(1)
        .assert_stderr("\"public\".\"nowhere\"");
}
