//! The steps of a clone as commands: each alone, one after the other, and picked up by `clone`.

use nix::sys::signal::Signal;

use crate::support::{Finished, Held, Pair, SOON, assert_equal, eventually, pgflit};

/// Something of every kind that a step is for, under names that are hard to quote.
const EVERYTHING: &str = r#"
    CREATE SCHEMA "Odd "".; schema";
    CREATE TYPE "Odd "".; schema"."type é" AS ENUM ('a', 'b');
    CREATE TABLE "Odd "".; schema"."table é.x" (
        "Id ""1" int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        kind "Odd "".; schema"."type é" DEFAULT 'a', "text" text UNIQUE, CHECK ("text" <> ''));
    INSERT INTO "Odd "".; schema"."table é.x" ("text")
        SELECT 'row ' || n FROM generate_series(1, 500) n;
    CREATE TABLE child (id serial PRIMARY KEY,
        parent int NOT NULL REFERENCES "Odd "".; schema"."table é.x", photo oid);
    INSERT INTO child (parent) SELECT n FROM generate_series(1, 300) n;
    UPDATE child SET photo = lo_from_bytea(0, decode('00ff', 'hex')) WHERE id = 7;
    CREATE INDEX "an index; -- """ ON child (parent, id);
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'a trigger fired'; END $$;
    CREATE TRIGGER "Trigger é" BEFORE INSERT OR UPDATE ON child FOR EACH ROW
        EXECUTE FUNCTION touch();
    CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM child;
    CREATE SEQUENCE "alone ""é" START 5; SELECT nextval('"alone ""é"')"#;

#[track_caller]
fn step(pair: &Pair, command: &str) -> Finished {
    pgflit(command).between(pair).run().assert_code(0)
}

fn is_ours_there(pair: &Pair) -> bool {
    let ours = "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgflit'";
    pair.target.number(ours) == 1
}

#[track_caller]
fn assert_complete(pair: &Pair) {
    assert_equal(&pair.source, &pair.target);
    assert_eq!(pair.target.sql("SELECT n FROM counted"), "300");
    let object = "SELECT encode(lo_get(photo), 'hex') FROM child WHERE id = 7";
    assert_eq!(pair.target.sql(object), "00ff");
    assert!(!is_ours_there(pair));
}

#[test]
fn the_steps_one_after_the_other_are_a_whole_clone() {
    let pair = Pair::new();
    pair.source.sql(EVERYTHING);
    step(&pair, "copy schema");
    assert_eq!(pair.target.sql("SELECT count(*) FROM child"), "0");
    assert_eq!(pair.target.sql("SELECT count(*) FROM pg_trigger"), "0");
    step(&pair, "copy table-data");
    assert_eq!(pair.target.sql("SELECT count(*) FROM child"), "300");
    let indexes = "SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'";
    assert_eq!(pair.target.sql(indexes), "0");
    step(&pair, "copy table-data");
    step(&pair, "copy blobs").assert_stderr("at another moment of the source");
    step(&pair, "copy sequences").assert_stderr("3 sequences set");
    step(&pair, "copy indexes");
    assert!(is_ours_there(&pair));
    step(&pair, "copy constraints").assert_stderr("and with it the whole copy");
    assert_complete(&pair);
    step(&pair, "copy constraints").assert_stderr("nothing left to do");
    step(&pair, "clone").assert_stderr("nothing left to do");
}

#[test]
fn schema_then_data_is_a_whole_clone_and_so_is_db() {
    for commands in [vec!["copy schema", "copy data"], vec!["copy db"]] {
        let pair = Pair::new();
        pair.source.sql(EVERYTHING);
        for command in commands {
            step(&pair, command);
        }
        assert_complete(&pair);
    }
}

#[test]
fn rows_go_into_tables_that_somebody_else_has_made() {
    let pair = Pair::new();
    pair.source
        .sql("CREATE TABLE a (x int); CREATE TABLE \"B\" (y text); INSERT INTO a VALUES (1)");
    let refused = pgflit("copy table-data").between(&pair).run();
    let refused = refused.assert_code(7);
    refused
        .assert_stderr("2 of 2 tables are not on the target")
        .assert_stderr("copy schema");
    pair.target
        .sql("CREATE TABLE a (x int); CREATE TABLE \"B\" (y text)");
    step(&pair, "copy table-data");
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn rows_are_not_added_to_a_table_that_has_some() {
    let pair = Pair::new();
    pair.source
        .sql("CREATE TABLE a (x int); CREATE TABLE full_one (y int); INSERT INTO a VALUES (1)");
    pair.target.sql(
        "CREATE TABLE a (x int); CREATE TABLE full_one (y int); INSERT INTO full_one VALUES (3)",
    );
    let refused = pgflit("copy table-data").between(&pair).run();
    refused.assert_code(7).assert_stderr("public.full_one");
    assert_eq!(pair.target.sql("SELECT y FROM full_one"), "3");
}

#[test]
fn a_table_that_was_made_between_two_steps_is_named() {
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE a (x int)");
    step(&pair, "copy schema");
    pair.source.sql("CREATE TABLE late (x int)");
    let refused = pgflit("copy table-data").between(&pair).run();
    refused
        .assert_code(6)
        .assert_stderr("table public.late was created since the schema was dumped");
    let resumed = pgflit("copy table-data --resume --not-consistent").between(&pair);
    let resumed = resumed.run().assert_code(0);
    resumed.assert_stderr("public.late");
}

#[test]
fn a_step_that_was_killed_is_resumed_and_a_clone_does_the_rest() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END $$;
         CREATE TABLE slow (id int PRIMARY KEY, CHECK (gate()));
         CREATE TABLE quick (id int PRIMARY KEY, slow int REFERENCES slow);
         INSERT INTO slow VALUES (1), (2); INSERT INTO quick VALUES (10, 1)",
    );
    step(&pair, "copy schema");
    let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let run = pgflit("copy table-data").between(&pair).start();
    run.wait_for_stderr("copied public.quick");
    eventually(SOON, "the slow table waits", || {
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        pair.target.number(waiting) == 1
    });
    run.signal(Signal::SIGKILL);
    run.wait_for_exit();
    gate.commit();
    let refused = pgflit("copy table-data")
        .between(&pair)
        .run()
        .assert_code(1);
    refused.assert_stderr("was interrupted");
    let refused = pgflit("copy indexes").between(&pair).run().assert_code(1);
    refused.assert_stderr("--resume");
    let refused = pgflit("copy table-data --resume").between(&pair).run();
    refused.assert_code(1).assert_stderr("--not-consistent");
    step(&pair, "copy table-data --resume --not-consistent");
    step(&pair, "clone --resume --skip-large-objects");
    assert_equal(&pair.source, &pair.target);
    assert!(!is_ours_there(&pair));
}

#[test]
fn filters_hold_for_every_step_and_may_not_change_between_them() {
    let pair = Pair::new();
    pair.source.sql(EVERYTHING);
    let file = pair.path("filters");
    std::fs::write(
        &file,
        "[exclude-table]\npublic.child\n[exclude-schema]\nnone\n",
    )
    .unwrap();
    let filtered = |command| pgflit(command).between(&pair).arg("--filters").arg(&file);
    filtered("copy schema").run().assert_code(0);
    let refused = pgflit("copy data").between(&pair).run().assert_code(1);
    refused.assert_stderr("filters");
    filtered("copy data").run().assert_code(0);
    let there = "SELECT to_regclass('child') IS NULL AND to_regclass('counted') IS NULL";
    assert_eq!(pair.target.sql(there), "t");
    let rows = r#"SELECT count(*) FROM "Odd "".; schema"."table é.x""#;
    assert_eq!(pair.target.sql(rows), "500");
}

#[test]
fn roles_and_extensions_are_steps_too() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE ROLE \"Ann \"\"é\" LOGIN PASSWORD 'secret'; CREATE SCHEMA ext;
         CREATE EXTENSION IF NOT EXISTS plpgsql;
         CREATE TABLE t (x int); ALTER TABLE t OWNER TO \"Ann \"\"é\"",
    );
    step(&pair, "copy roles").assert_stderr("1 roles made");
    let role = "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'Ann \"é'";
    assert_eq!(pair.target.sql(role), "t");
    step(&pair, "copy extensions");
    let tables = "SELECT to_regclass('t') IS NULL AND to_regnamespace('ext') IS NULL";
    assert_eq!(pair.target.sql(tables), "t");
    step(&pair, "copy schema");
    step(&pair, "copy data");
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn definitions_are_dumped_and_restored_without_rows() {
    let pair = Pair::new();
    pair.source.sql(EVERYTHING);
    let early = pgflit("restore schema").between(&pair).run();
    early.assert_code(1).assert_stderr("there is no dump");
    let dump = pgflit("dump schema").source(&pair.source).dir(pair.dir());
    dump.run().assert_code(0);
    let folder = pair.dir().join("schema");
    let list = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert!(list("pre-data.list").contains("TABLE public child"));
    let late = list("post-data.list");
    assert!(late.contains("FK CONSTRAINT public child"));
    assert!(late.contains("CONSTRAINT public child child_pkey"));
    step(&pair, "restore pre-data");
    step(&pair, "restore post-data");
    // They are what pg_restore would be told, whoever makes it, and stay what they were.
    assert_eq!(list("post-data.list"), late);
    let trigger = "SELECT count(*) FROM pg_trigger WHERE tgname = 'Trigger é'";
    assert_eq!(pair.target.sql(trigger), "1");
    let keys = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated";
    assert_eq!(pair.target.sql(keys), "1");
    assert_eq!(pair.target.sql("SELECT count(*) FROM child"), "0");
}

#[test]
fn the_list_of_a_dump_is_printed_as_it_would_be_restored() {
    let pair = Pair::new();
    pair.source.sql(EVERYTHING);
    let file = pair.path("filters");
    std::fs::write(&file, "[exclude-table]\npublic.child\n").unwrap();
    let dump = pgflit("dump schema").source(&pair.source).dir(pair.dir());
    dump.arg("--filters").arg(&file).run().assert_code(0);
    let list = pgflit("restore parse-list").dir(pair.dir()).run();
    let list = list.assert_code(0).stdout;
    assert!(
        list.contains("table é.x") && !list.contains("child"),
        "{list}"
    );
    let json = pgflit("restore parse-list --json").dir(pair.dir()).run();
    let json: serde_json::Value = serde_json::from_str(&json.assert_code(0).stdout).unwrap();
    assert_eq!(json.as_array().unwrap().len(), list.lines().count());
    let one = list.lines().last().unwrap();
    let given = pair.path("list");
    std::fs::write(
        &given,
        format!("; a comment\n{one}\n9999; 1259 1 TABLE public child me\n"),
    )
    .unwrap();
    let some = pgflit("restore parse-list").dir(pair.dir()).arg(&given);
    assert_eq!(some.run().assert_code(0).stdout, format!("{one}\n"));
}

#[test]
fn what_is_pgflits_own_is_in_no_list() {
    let pair = Pair::new();
    pair.source.sql(EVERYTHING);
    pair.source.sql("CREATE PUBLICATION theirs FOR TABLE child");
    step(&pair, "stream setup");
    step(&pair, "copy schema");
    let list = pgflit("restore parse-list").dir(pair.dir()).run();
    let list = list.assert_code(0).stdout;
    let folder = pair.dir().join("schema");
    let late = std::fs::read_to_string(folder.join("post-data.list")).unwrap();
    for list in [list, late] {
        assert!(list.contains("PUBLICATION - theirs"), "{list}");
        assert!(list.contains("PUBLICATION TABLE public theirs"), "{list}");
        assert!(!list.contains("pgflit"), "{list}");
        assert!(list.contains("child_pkey"), "{list}");
    }
}

#[test]
fn dumped_roles_are_restored_without_passwords() {
    let pair = Pair::new();
    pair.source.sql("CREATE ROLE ann LOGIN PASSWORD 'secret'");
    let dump = pgflit("dump roles").source(&pair.source).dir(pair.dir());
    dump.run().assert_code(0);
    let script = std::fs::read_to_string(pair.dir().join("schema/roles.sql")).unwrap();
    assert!(script.contains("CREATE ROLE ann") && !script.contains("PASSWORD"));
    step(&pair, "restore roles").assert_stderr("1 roles made");
    let role = "SELECT rolcanlogin AND rolpassword IS NULL FROM pg_authid WHERE rolname = 'ann'";
    assert_eq!(pair.target.sql(role), "t");
}

#[test]
fn what_a_step_cannot_do_is_refused() {
    let pair = Pair::new();
    for (command, word) in [
        ("copy table-data --follow", "--follow"),
        ("copy schema --all-databases", "--all-databases"),
        ("copy blobs --skip-large-objects", "--skip-large-objects"),
    ] {
        let refused = pgflit(command).between(&pair).run().assert_code(1);
        refused.assert_stderr(word);
    }
    assert!(!pair.dir().exists());
}

#[test]
fn rows_are_not_given_to_triggers_that_would_fire_for_them() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE TABLE orders (id int PRIMARY KEY, n int); INSERT INTO orders VALUES (1, 1), (2, 2)",
    );
    pair.target.sql(
        "CREATE TABLE orders (id int PRIMARY KEY, n int);
         CREATE FUNCTION zero() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN NEW.n = 0; RETURN NEW; END $$;
         CREATE TRIGGER \"on \"\"row\" BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION zero();
         ALTER TABLE orders ENABLE ALWAYS TRIGGER \"on \"\"row\"",
    );
    let copy = |command: &str| pgflit(command).between(&pair).run();
    copy("copy table-data")
        .assert_code(7)
        .assert_stderr(r#"trigger "on ""row" of public.orders on the target would fire"#)
        .assert_stderr("DISABLE TRIGGER");
    assert_eq!(pair.target.number("SELECT count(*) FROM orders"), 0);
    // Ordinary ones do not fire for a role that may say that it replicates.
    pair.target
        .sql("ALTER TABLE orders ENABLE TRIGGER \"on \"\"row\"");
    copy("copy table-data --restart").assert_code(0);
    assert_eq!(pair.target.number("SELECT sum(n) FROM orders"), 3);
}
