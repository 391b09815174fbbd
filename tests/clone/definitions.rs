//! Definitions that the target refuses, has already, or can do without.

use nix::sys::signal::Signal;

use super::Following;
use crate::support::{
    Database, Held, Pair, SOON, assert_equal, eventually, pgflit, source_options, target_options,
};

/// A role that owns the target's database and is no superuser, as managed services have it; it
/// exists on both sides.
fn owner(pair: &Pair) -> Database {
    for side in [&pair.source, &pair.target] {
        side.sql("CREATE ROLE boss LOGIN; CREATE ROLE reader");
    }
    pair.target.sql("ALTER DATABASE app OWNER TO boss");
    Database::of_user(&pair.target_cluster, "app", "boss")
}

const APPLICATION: &str = "
    CREATE SCHEMA shop AUTHORIZATION boss;
    SET ROLE boss;
    CREATE TABLE shop.orders (id int PRIMARY KEY, parent int REFERENCES shop.orders);
    COMMENT ON CONSTRAINT orders_parent_fkey ON shop.orders IS 'the order it was split from';
    COMMENT ON CONSTRAINT orders_pkey ON shop.orders IS 'its number';
    GRANT SELECT ON shop.orders TO reader;
    INSERT INTO shop.orders VALUES (1, NULL), (2, 1);
    RESET ROLE;";

#[test]
fn an_owner_who_is_no_superuser_gets_all_but_what_needs_one() {
    let pair = Pair::new();
    let target = owner(&pair);
    pair.source.sql(APPLICATION);
    pair.source.sql(
        "COMMENT ON EXTENSION plpgsql IS 'changed';
         CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
         ALTER FUNCTION watch OWNER TO boss;
         CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION watch();
         CREATE PUBLICATION everything FOR ALL TABLES;
         COMMENT ON SCHEMA public IS 'changed'",
    );
    let clone = pgflit("clone")
        .source(&pair.source)
        .target(&target)
        .dir(pair.dir())
        .run();
    let clone = clone.assert_code(0);
    let left_out = std::fs::read_to_string(pair.dir().join("schema/left-out.sql")).expect("a file");
    for sql in [
        "CREATE EVENT TRIGGER watch",
        "CREATE PUBLICATION everything",
    ] {
        assert!(left_out.contains(sql), "{sql} is not in {left_out}");
    }
    clone
        .assert_stderr("left out EVENT TRIGGER watch")
        .assert_stderr("left-out.sql");
    let comment = "SELECT obj_description(oid, 'pg_constraint') FROM pg_constraint
                    WHERE conname = 'orders_parent_fkey'";
    assert_eq!(pair.target.sql(comment), "the order it was split from");
    // What an administrator then does.
    pair.target.sql(&left_out);
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn roles_and_tablespaces_that_are_missing_are_said_at_once_before_anything_is_made() {
    let pair = Pair::new();
    pair.source
        .sql(r#"CREATE ROLE boss; CREATE ROLE "Some Reader""#);
    pair.source.sql(
        r#"CREATE TABLE t (id int); ALTER TABLE t OWNER TO boss;
           GRANT SELECT ON t TO "Some Reader""#,
    );
    let clone = pgflit("clone").between(&pair).run().assert_code(7);
    clone
        .assert_stderr("these roles are not on the target: Some Reader, boss")
        .assert_stderr("--no-owner");
    assert_eq!(
        pair.target
            .number("SELECT count(*) FROM pg_class WHERE relname = 't'"),
        0
    );
    let without = pgflit("clone --restart --no-owner --no-acl")
        .between(&pair)
        .run();
    without.assert_code(0);
    let owner = "SELECT relowner::regrole = current_user::regrole AND relacl IS NULL
                   FROM pg_class WHERE relname = 't'";
    assert_eq!(pair.target.sql(owner), "t");
}

#[test]
fn an_owner_may_not_give_away_what_it_makes() {
    let pair = Pair::new();
    let target = owner(&pair);
    pair.source
        .sql("CREATE TABLE t (id int); ALTER TABLE t OWNER TO reader");
    let clone = pgflit("clone")
        .source(&pair.source)
        .target(&target)
        .dir(pair.dir())
        .args(["--skip-check", "owners"])
        .run();
    clone
        .assert_code(7)
        .assert_stderr("GRANT \"reader\" TO \"boss\"");
}

#[test]
fn every_definition_before_the_rows_that_is_refused_is_named_and_the_others_are_made() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE SCHEMA shop; CREATE SCHEMA other;
         CREATE TYPE shop.mood AS ENUM ('sad'); CREATE TABLE shop.moods (mood shop.mood);
         CREATE DOMAIN other.positive AS int; CREATE TABLE other.fine (id int);
         CREATE TABLE shop.fine (id int PRIMARY KEY); INSERT INTO shop.fine VALUES (1)",
    );
    pair.target
        .sql("CREATE SCHEMA shop; CREATE SCHEMA other; CREATE DOMAIN shop.mood AS text; CREATE DOMAIN other.positive AS text");
    let clone = pgflit("clone").between(&pair).run().assert_code(7);
    clone
        .assert_stderr("making TYPE shop mood")
        .assert_stderr("making DOMAIN other positive")
        .assert_stderr("1 more definitions were not tried")
        .assert_stderr("2 of the source's definitions could not be made on the target");
    let fine = "SELECT count(*) FROM pg_class WHERE relname = 'fine'";
    assert_eq!(pair.target.number(fine), 2);
    assert_eq!(pair.target.number("SELECT count(*) FROM shop.fine"), 0);
    pair.target
        .sql("DROP DOMAIN shop.mood; DROP DOMAIN other.positive; DROP TABLE shop.fine, other.fine");
    let again = pgflit("clone --restart").between(&pair).run();
    again.assert_code(0);
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn what_is_refused_after_the_rows_is_named_at_the_end_and_tried_again_on_resume() {
    let pair = Pair::new();
    // The target's function refuses; the source's is made by hand to be another one.
    pair.source.sql(
        "CREATE TABLE parent (id int PRIMARY KEY);
         CREATE TABLE child (id int REFERENCES parent, other int REFERENCES parent);
         INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1);
         CREATE TABLE seen (n int); CREATE INDEX ON seen (n);
         CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
         CREATE TRIGGER note BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION note();
         SET session_replication_role = replica; INSERT INTO child VALUES (1, 5)",
    );
    let clone = pgflit("clone").between(&pair).run().assert_code(7);
    clone
        .assert_stderr("making foreign key child_other_fkey of public.child")
        .assert_stderr("the source holds rows that violate it");
    let state = "SELECT string_agg(conname || ' ' || convalidated, ',' ORDER BY conname)
                   FROM pg_constraint WHERE contype = 'f'";
    assert_eq!(
        pair.target.sql(state),
        "child_id_fkey true,child_other_fkey false"
    );
    assert_eq!(
        pair.target
            .number("SELECT count(*) FROM pg_trigger WHERE tgname = 'note'"),
        1
    );
    pair.target.sql("INSERT INTO parent VALUES (5)");
    pgflit("clone --resume").between(&pair).run().assert_code(0);
    pair.source.sql("INSERT INTO parent VALUES (5)");
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn what_is_there_is_dropped_or_kept_as_asked() {
    let pair = Pair::new();
    let all = "CREATE SCHEMA shop; CREATE TYPE shop.mood AS ENUM ('sad');
         CREATE TABLE shop.t (id int PRIMARY KEY, mood shop.mood);
         CREATE VIEW shop.v AS SELECT * FROM shop.t;
         CREATE FUNCTION shop.f(shop.mood) RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE SEQUENCE shop.s; CREATE PUBLICATION p FOR TABLE shop.t;
         CREATE FUNCTION shop.et() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
         CREATE EVENT TRIGGER et ON ddl_command_end EXECUTE FUNCTION shop.et();";
    pair.source.sql(all);
    pair.source.sql("INSERT INTO shop.t VALUES (1, 'sad')");
    pair.target.sql(all);
    pair.target
        .sql("CREATE TABLE shop.other (id int, mood text); INSERT INTO shop.t VALUES (7)");
    pgflit("clone").between(&pair).run().assert_code(7);
    let clone = pgflit("clone --drop-if-exists").between(&pair).run();
    clone.assert_code(0);
    // Not the source's, so not dropped.
    assert_eq!(pair.target.number("SELECT count(*) FROM shop.other"), 0);
    pair.target.sql("DROP TABLE shop.other");
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn what_stands_in_the_way_is_dropped_whatever_it_is() {
    let pair = Pair::new();
    let refuse = "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
        CREATE EVENT TRIGGER refuse ON sql_drop EXECUTE FUNCTION refuse();";
    pair.source.sql(
        "CREATE TABLE a (id int, n int); CREATE TABLE b (id int); CREATE TABLE c (id int);
         INSERT INTO a VALUES (1); INSERT INTO b VALUES (2); INSERT INTO c VALUES (3);
         CREATE STATISTICS s ON id, n FROM a; CREATE PUBLICATION p FOR TABLE a",
    );
    pair.source.sql(refuse);
    // The same names, of other kinds or in other places.
    pair.target.sql(
        "CREATE VIEW a AS SELECT 1; CREATE SEQUENCE b; CREATE MATERIALIZED VIEW c AS SELECT 1;
         CREATE TABLE own (id int, n int); INSERT INTO own VALUES (1);
         CREATE STATISTICS s ON id, n FROM own; CREATE PUBLICATION p FOR TABLE own",
    );
    pair.target.sql(refuse);
    let clone = pgflit("clone --drop-if-exists").between(&pair).run();
    clone.assert_code(0);
    assert_eq!(pair.target.number("SELECT count(*) FROM own"), 1);
    pair.target.sql(
        "ALTER EVENT TRIGGER refuse DISABLE; DROP TABLE own; ALTER EVENT TRIGGER refuse ENABLE",
    );
    assert_equal(&pair.source, &pair.target);
    let statistics = "SELECT stxrelid::regclass FROM pg_statistic_ext";
    assert_eq!(pair.target.sql(statistics), "a");
}

#[test]
fn default_privileges_of_the_target_do_not_widen_those_of_what_is_dropped_and_made_again() {
    let pair = Pair::new();
    for side in [&pair.source, &pair.target] {
        side.sql("CREATE ROLE reader; CREATE ROLE writer");
        side.sql(
            "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader;
             ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
             ALTER DEFAULT PRIVILEGES REVOKE ALL ON SEQUENCES FROM CURRENT_USER;
             ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO reader WITH GRANT OPTION;
             ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT INSERT ON TABLES TO writer",
        );
    }
    pair.source.sql(
        "CREATE TABLE private (id int); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
         GRANT EXECUTE ON FUNCTION f TO PUBLIC; CREATE SEQUENCE s; CREATE SCHEMA closed;
         GRANT ALL ON SEQUENCE s TO CURRENT_USER; REVOKE ALL ON SCHEMA closed FROM reader;
         REVOKE ALL ON private FROM reader, writer; GRANT ALL ON private TO CURRENT_USER",
    );
    let clone = pgflit("clone --drop-if-exists").between(&pair).run();
    clone.assert_code(0);
    for role in ["reader", "writer"] {
        let may = format!("SELECT has_table_privilege('{role}', 'private', 'SELECT, INSERT')");
        assert_eq!(pair.target.sql(&may), "f");
    }
    let defaults = "SELECT defaclnamespace, defaclobjtype, pg_get_userbyid(grantee),
                           privilege_type, is_grantable
                      FROM pg_default_acl, aclexplode(defaclacl)
                     WHERE privilege_type <> 'MAINTAIN' ORDER BY 1, 2, 3, 4";
    assert_eq!(pair.source.sql(defaults), pair.target.sql(defaults));
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn comments_collations_and_tablespaces_are_left_out_as_asked() {
    let pair = Pair::new();
    let folder = pair.path("space");
    std::fs::create_dir(&folder).expect("a folder");
    pair.source.sql(
        r#"COMMENT ON EXTENSION plpgsql IS 'changed';
           CREATE TABLE t (id int); COMMENT ON TABLE t IS 'kept or not';
           CREATE COLLATION c (locale = 'C'); COMMENT ON COLLATION c IS 'c'"#,
    );
    let comments = "SELECT count(*) FROM pg_description
                     WHERE objoid = 't'::regclass AND classoid = 'pg_class'::regclass";
    let first = pgflit("clone --skip-collations --skip-ext-comments")
        .between(&pair)
        .run();
    first.assert_code(0);
    assert_eq!(pair.target.number(comments), 1);
    let collation = "SELECT count(*) FROM pg_collation WHERE collname = 'c'";
    assert_eq!(pair.target.number(collation), 0);
    let second = pgflit("clone --restart --drop-if-exists --no-comments")
        .between(&pair)
        .run();
    second.assert_code(0);
    assert_eq!(pair.target.number(comments), 0);
    assert_eq!(pair.target.number(collation), 1);
}

#[test]
fn what_an_administrator_makes_by_hand_is_taken_as_made() {
    let pair = Pair::new();
    let target = owner(&pair);
    pair.source.sql(
        "CREATE FUNCTION clock() RETURNS void LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
         ALTER FUNCTION clock OWNER TO boss;
         CREATE TABLE t (id int); ALTER TABLE t OWNER TO boss; INSERT INTO t VALUES (1)",
    );
    let clone = |command: &str| {
        let command = pgflit(command).source(&pair.source).target(&target);
        command.dir(pair.dir()).run()
    };
    clone("clone")
        .assert_code(7)
        .assert_stderr("making FUNCTION public clock()")
        .assert_stderr("have an administrator run its SQL");
    let file = pair.dir().join("schema/pre-data-refused.sql");
    pair.target
        .sql(&std::fs::read_to_string(file).expect("a file"));
    clone("clone --resume --not-consistent").assert_code(0);
    assert_equal(&pair.source, &pair.target);
}

/// Making the table `zzz` waits, on the target, while someone holds the advisory lock 7 there.
const GATE: &str = "
    CREATE FUNCTION gate() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        IF to_regclass('public.zzz') IS NOT NULL THEN PERFORM pg_advisory_xact_lock_shared(7); END IF;
    END $$;
    CREATE EVENT TRIGGER gate ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION gate()";

#[test]
fn killed_between_two_chunks_of_definitions_it_makes_the_others() {
    let pair = Pair::new();
    pair.source.sql(
        "DO $$ BEGIN FOR n IN 1..1050 LOOP
             EXECUTE format('CREATE FUNCTION f%s() RETURNS int LANGUAGE sql AS ''SELECT 1''', n);
         END LOOP; END $$;
         CREATE TABLE zzz (id int); INSERT INTO zzz VALUES (1)",
    );
    pair.target.sql(GATE);
    let held = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let following = Following::start(&pair);
    eventually(SOON, "making zzz waits", || {
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        pair.target.number(waiting) == 1
    });
    let made = pair.target.number("SELECT count(*) FROM pgflit.entry");
    assert!((1000..1051).contains(&made), "{made} are made");
    following.run.signal(Signal::SIGKILL);
    following.run.wait_for_exit();
    held.commit();
    let following = Following::resume(&pair).until_live();
    pair.target
        .sql("DROP EVENT TRIGGER gate; DROP FUNCTION gate");
    following.end_equal();
}

#[test]
fn tables_and_indexes_stand_in_their_tablespaces_unless_told_otherwise() {
    let pair = Pair::new();
    if pair.source.number("SHOW server_version_num") < 150_000 {
        return;
    }
    let tablespace = r#"SET allow_in_place_tablespaces = on;
        CREATE TABLESPACE "Fast ' one" LOCATION ''"#;
    pair.source.sql(tablespace);
    pair.source.sql(
        r#"CREATE TABLE t (id int PRIMARY KEY USING INDEX TABLESPACE "Fast ' one", a int,
               EXCLUDE USING btree (a WITH =) USING INDEX TABLESPACE "Fast ' one")
               TABLESPACE "Fast ' one";
           CREATE INDEX there ON t (a) TABLESPACE "Fast ' one" WHERE a > 5;
           CREATE INDEX here ON t (a)"#,
    );
    let clone = pgflit("clone").between(&pair).run().assert_code(7);
    clone
        .assert_stderr("these tablespaces are not on the target: Fast ' one")
        .assert_stderr("--no-tablespaces");
    pair.target.sql(tablespace);
    pgflit("clone --restart")
        .between(&pair)
        .run()
        .assert_code(0);
    let places = "SELECT relname, spcname FROM pg_class c
                    LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
                   WHERE relname IN ('t', 't_pkey', 't_a_excl', 'there', 'here') ORDER BY 1";
    assert_eq!(pair.source.sql(places), pair.target.sql(places));
    pgflit("clone --restart --drop-if-exists --no-tablespaces")
        .between(&pair)
        .run()
        .assert_code(0);
    assert!(!pair.target.sql(places).contains("Fast"));
}

#[test]
fn more_tables_than_a_transaction_has_locks_for_are_no_problem() {
    let small = target_options()
        .setting("max_locks_per_transaction", "10")
        .setting("max_connections", "20");
    let pair = Pair::with(source_options(), small);
    let tables = |each: &str| {
        format!(
            "DO $$ BEGIN FOR n IN 1..300 LOOP EXECUTE replace('{each}', 'N', n::text);
             IF n % 200 = 0 THEN COMMIT; END IF; END LOOP; END $$"
        )
    };
    pair.source
        .sql(&tables("CREATE TABLE tN (id int PRIMARY KEY, a text)"));
    let locks = pair.target.try_sql(
        "DO $$ BEGIN FOR n IN 1..300 LOOP EXECUTE format('CREATE TABLE x%s (a text)', n);
         END LOOP; END $$",
    );
    assert!(locks.is_err(), "one transaction had room for all tables");
    pgflit("clone --table-jobs 1 --index-jobs 1")
        .between(&pair)
        .run()
        .assert_code(0);
    assert_eq!(
        pair.target
            .number("SELECT count(*) FROM pg_class WHERE relname ~ '^t[0-9]+$'"),
        300
    );
    pgflit("clone --restart --drop-if-exists --table-jobs 1 --index-jobs 1")
        .between(&pair)
        .run()
        .assert_code(0);
}

#[test]
fn a_source_without_room_for_the_locks_of_pg_dump_is_told_at_once() {
    let small = source_options()
        .setting("max_locks_per_transaction", "10")
        .setting("max_connections", "10")
        .setting("max_wal_senders", "4")
        .setting("max_worker_processes", "2");
    let pair = Pair::with(small, target_options());
    let make = |from: u32, to: u32| {
        pair.source.sql(&format!(
            "DO $$ BEGIN FOR n IN {from}..{to} LOOP
                 EXECUTE format('CREATE TABLE t%s (id int)', n);
                 IF n % 20 = 0 THEN COMMIT; END IF;
             END LOOP; END $$"
        ));
    };
    let clone = |more: &str| pgflit(&format!("clone {more}")).between(&pair).run();
    make(1, 150);
    assert!(!clone("").assert_code(0).stderr.contains("lock table"));
    // 10 connections, 3 autovacuum workers and their launcher, 2 other workers, 4 walsenders.
    make(151, 300);
    // Whether pg_dump then finds room for what else it locks is a matter of version and luck.
    clone("--restart --drop-if-exists")
        .assert_stderr("locks 300 tables at once, and the source's lock table is made for 200")
        .assert_stderr("they fit now");
    make(301, 1000);
    let refused = clone("--restart --drop-if-exists").assert_code(6);
    refused
        .assert_stderr("locks 1000 tables at once")
        .assert_stderr("out of shared memory")
        .assert_stderr("raise max_locks_per_transaction to 60");
}

#[test]
fn foreign_keys_of_every_kind_are_as_they_were() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE TABLE p (a int, b int, PRIMARY KEY (a, b), UNIQUE (a));
         CREATE TABLE c (id int PRIMARY KEY, a int, b int, self int REFERENCES c,
             FOREIGN KEY (a, b) REFERENCES p MATCH FULL ON DELETE SET NULL ON UPDATE CASCADE
                 DEFERRABLE INITIALLY DEFERRED);
         ALTER TABLE c ADD CONSTRAINT later FOREIGN KEY (a) REFERENCES p (a) NOT VALID;
         CREATE TABLE parts (id int PRIMARY KEY, a int REFERENCES p (a)) PARTITION BY RANGE (id);
         CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
         CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20)
             PARTITION BY RANGE (id);
         CREATE TABLE parts_2_1 PARTITION OF parts_2 FOR VALUES FROM (10) TO (20);
         CREATE TABLE of_parts (id int REFERENCES parts, own int);
         ALTER TABLE parts_1 ADD FOREIGN KEY (a) REFERENCES c (id);
         CREATE TABLE base (id int REFERENCES c); CREATE TABLE heir () INHERITS (base);
         COMMENT ON CONSTRAINT parts_a_fkey ON parts IS 'commented';
         INSERT INTO p VALUES (1, 1), (2, 2); INSERT INTO c VALUES (1, 1, 1, 1), (2, NULL, NULL, 1);
         INSERT INTO parts VALUES (1, 1), (11, 2); INSERT INTO of_parts VALUES (1), (11)",
    );
    pgflit("clone --restore-jobs 3")
        .between(&pair)
        .run()
        .assert_code(0);
    assert_equal(&pair.source, &pair.target);
    let comments = "SELECT count(*) FROM pg_description WHERE description = 'commented'";
    assert_eq!(pair.target.number(comments), 1);
}
