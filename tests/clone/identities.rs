//! Tables that lack a replica identity: what they could have is offered, given with `--yes`, and put
//! back at the end.

use nix::sys::signal::Signal;
#[cfg(debug_assertions)]
use pgflit::base::failpoint::PLACES_OF_IDENTITIES;

use super::{Following, end_now};
use crate::support::{
    Database, Held, PLUGINS, Pair, Pgflit, SOON, assert_equal, eventually, pgflit, with_each,
};

const TABLES: &str = r#"
    CREATE SCHEMA "My.Schema";
    CREATE TABLE "My.Schema"."Weird "" Name" (line text, n int);
    INSERT INTO "My.Schema"."Weird "" Name" SELECT 'l' || g % 3, 0 FROM generate_series(1, 30) g;
    CREATE TABLE docs (doc json, dot point, body text);
    ALTER TABLE docs ALTER body SET STORAGE EXTERNAL;
    INSERT INTO docs SELECT '{"a": 1}', '(1,2)', repeat('x', 3000) FROM generate_series(1, 9);
    CREATE TABLE by_key (id int PRIMARY KEY, n int); ALTER TABLE by_key REPLICA IDENTITY NOTHING;
    INSERT INTO by_key SELECT g, 0 FROM generate_series(1, 30) g;
    CREATE TABLE by_index (a int NOT NULL, b int NOT NULL, c text UNIQUE, code text NOT NULL,
        UNIQUE (a, b), UNIQUE (b) DEFERRABLE);
    CREATE UNIQUE INDEX in_part ON by_index (a) WHERE a > 5;
    CREATE UNIQUE INDEX expression ON by_index ((a + 1));
    CREATE UNIQUE INDEX "the ""one""" ON by_index (code) INCLUDE (c);
    INSERT INTO by_index SELECT g, -g, NULL, 'c' || g FROM generate_series(1, 30) g;
    CREATE TABLE deferred (id int PRIMARY KEY DEFERRABLE, n int);
    INSERT INTO deferred SELECT g, 0 FROM generate_series(1, 30) g;
    CREATE TABLE days (day date, n int) PARTITION BY RANGE (day);
    CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
    CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
    INSERT INTO days SELECT '2026-01-25'::date + g, g FROM generate_series(1, 20) g;
    CREATE UNLOGGED TABLE scratch (line text);
    CREATE TABLE has_one (id int, n int NOT NULL UNIQUE); ALTER TABLE has_one REPLICA IDENTITY FULL;"#;

/// What identifies the rows of each table.
const IDENTITIES: &str = "
    SELECT c.relname, c.relreplident,
           (SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
             WHERE i.indrelid = c.oid AND i.indisreplident)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname IN ('public', 'My.Schema') ORDER BY 1";

fn identities(database: &Database) -> String {
    database.sql(IDENTITIES)
}

const BEFORE: &str = "Weird \" Name|d|
by_index|d|
by_key|n|
days_1|d|
days_2|d|
deferred|d|
docs|d|
has_one|f|
scratch|d|";

const MADE: &str = "Weird \" Name|f|
by_index|i|the \"one\"
by_key|d|
days_1|f|
days_2|f|
deferred|f|
docs|f|
has_one|f|
scratch|d|";

/// What the source is told for [`MADE`].
const OFFERED: [&str; 6] = [
    r#"ALTER TABLE ONLY "My.Schema"."Weird "" Name" REPLICA IDENTITY FULL;"#,
    r#"ALTER TABLE ONLY "public"."by_index" REPLICA IDENTITY USING INDEX "the ""one""";"#,
    r#"ALTER TABLE ONLY "public"."by_key" REPLICA IDENTITY DEFAULT;"#,
    r#"ALTER TABLE ONLY "public"."days_2" REPLICA IDENTITY FULL;"#,
    r#"ALTER TABLE ONLY "public"."deferred" REPLICA IDENTITY FULL;"#,
    r#"ALTER TABLE ONLY "public"."docs" REPLICA IDENTITY FULL"#,
];

/// Updates and deletes, also of one of several rows that are the same.
const WRITES: &str = r#"
    UPDATE "My.Schema"."Weird "" Name" SET n = n + 1 WHERE line = 'l1';
    DELETE FROM "My.Schema"."Weird "" Name" WHERE ctid IN (
        SELECT ctid FROM "My.Schema"."Weird "" Name" WHERE line = 'l2' LIMIT 2);
    UPDATE docs SET dot = '(3,4)' WHERE ctid IN (SELECT ctid FROM docs LIMIT 2);
    DELETE FROM docs WHERE ctid IN (SELECT ctid FROM docs LIMIT 1);
    UPDATE by_key SET id = id + 1000 WHERE id % 5 = 0; DELETE FROM by_key WHERE id % 7 = 0;
    UPDATE by_index SET code = code || 'x' WHERE a % 5 = 0; DELETE FROM by_index WHERE a % 7 = 0;
    UPDATE deferred SET n = n + 1 WHERE id % 5 = 0; DELETE FROM deferred WHERE id % 7 = 0;
    UPDATE days SET day = day + 20 WHERE day < '2026-02-01' AND n % 2 = 0;
    DELETE FROM days WHERE n % 7 = 0;"#;

fn clone_yes(pair: &Pair) -> Pgflit {
    pgflit("clone --follow --yes").between(pair)
}

#[test]
fn what_tables_could_have_is_offered_and_nothing_changed() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    assert_eq!(identities(&pair.source), BEFORE);
    let following = Following::start(&pair).until_live();
    let stderr = following.run.stderr();
    let told = stderr.lines().filter(|line| line.contains(" WARN "));
    let told = told.collect::<Vec<_>>().join("\n");
    for sql in OFFERED {
        assert!(told.contains(sql), "{sql}: {told}");
    }
    assert!(told.contains("--yes does this"), "{told}");
    assert!(
        !told.contains("scratch") && !told.contains("has_one"),
        "{told}"
    );
    assert_eq!(identities(&pair.source), BEFORE);
    // None of it fails because of us.
    pair.source.sql(&format!("BEGIN; {WRITES}; ROLLBACK"));
    drop(following);
    // Once the slot is there, it is too late.
    let resumed = clone_yes(&pair).resume().start();
    resumed.wait_for_stderr("--yes gives no table a replica identity once the slot is there");
    assert_eq!(identities(&pair.source), BEFORE);
}

#[test]
fn with_yes_updates_and_deletes_arrive_and_what_was_is_put_back() {
    with_each(&PLUGINS, |pair, plugin| {
        pair.source.sql(TABLES);
        let run = clone_yes(pair).args(["--plugin", plugin]).start();
        eventually(SOON, "the slot is there", || {
            pair.source
                .number("SELECT count(*) FROM pg_replication_slots")
                == 1
        });
        assert_eq!(identities(&pair.source), MADE);
        pair.source.sql(WRITES);
        run.wait_for_stderr("live replay from");
        pair.source.sql(WRITES);
        // Going on needs no --yes.
        run.signal(Signal::SIGTERM);
        run.wait_for_exit().assert_code(9);
        assert_eq!(identities(&pair.source), MADE);
        let following = Following::resume_with(pair, plugin).until_live();
        pair.source.sql(WRITES);
        following.end_equal();
        assert_eq!(identities(&pair.source), BEFORE);
        assert_eq!(identities(&pair.target), BEFORE);
        // The slot and what is published are still there, and in nobody's way.
        pair.source.sql(WRITES);
        let again = clone_yes(pair).args(["--plugin", plugin]).resume();
        again
            .run()
            .assert_code(0)
            .assert_stderr("nothing left to do");
        assert_eq!(identities(&pair.source), BEFORE);
    });
}

/// `kill -9` at each place where the source and the store may differ.
#[cfg(debug_assertions)]
#[test]
fn whatever_is_killed_gives_back_what_was() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let clone = |at: usize| match at {
        0 => clone_yes(&pair),
        _ => clone_yes(&pair).resume(),
    };
    let [noted, changed, put_back] = PLACES_OF_IDENTITIES else {
        panic!("a place that is not looked at");
    };
    let set_up = [
        noted,
        "identity noted:3",
        changed,
        "publications made",
        "slot made",
        "slot known",
    ];
    // By cleanup, from each of them.
    for place in set_up {
        println!("{place}");
        let killed = clone(0).env("PGFLIT_KILL_AT", place).run();
        killed.assert_stderr("killed at ");
        let cleanup = pgflit("stream cleanup").between(&pair);
        let killed = cleanup.env("PGFLIT_KILL_AT", put_back).run();
        // Nothing is put back where the first was noted and not changed.
        assert_eq!(
            killed.code().is_none(),
            place != "identity noted",
            "{place}"
        );
        if killed.code().is_none() {
            let cleanup = pgflit("stream cleanup").between(&pair);
            cleanup.run().assert_code(0);
        }
        assert_eq!(identities(&pair.source), BEFORE);
    }
    // By the end, from all of them.
    for (at, place) in set_up.into_iter().enumerate() {
        println!("{place}");
        let killed = clone(at).env("PGFLIT_KILL_AT", place).run();
        killed.assert_stderr("killed at ");
    }
    let run = clone(1).env("PGFLIT_KILL_AT", "run finished").start();
    run.wait_for_stderr("live replay from");
    pair.source.sql(WRITES);
    end_now(&pair);
    run.wait_for_exit().assert_stderr("killed at run finished");
    assert_eq!(identities(&pair.source), MADE);
    // All is there, so nothing of the following fails for want of it.
    let killed = clone(1).env("PGFLIT_KILL_AT", "identity put back:2").run();
    killed.assert_stderr("killed at identity put back");
    clone(1).run().assert_code(0);
    assert_equal(&pair.source, &pair.target);
    assert_eq!(identities(&pair.source), BEFORE);
}

#[test]
fn a_beginning_anew_puts_back_what_was() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let run = clone_yes(&pair).start();
    run.wait_for_stderr("live replay from");
    drop(run);
    assert_eq!(identities(&pair.source), MADE);
    let again = pgflit("clone --follow --restart --drop-if-exists").between(&pair);
    let again = again.start();
    again.wait_for_stderr("live replay from");
    assert_eq!(identities(&pair.source), BEFORE);
}

#[test]
fn what_somebody_has_changed_since_is_left_and_told() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    pgflit("stream setup --yes")
        .between(&pair)
        .run()
        .assert_code(0);
    assert_eq!(identities(&pair.source), MADE);
    pair.source.sql(
        r#"ALTER TABLE docs REPLICA IDENTITY NOTHING;
           ALTER TABLE by_index REPLICA IDENTITY FULL;
           ALTER TABLE by_key REPLICA IDENTITY NOTHING;
           ALTER TABLE "My.Schema"."Weird "" Name" RENAME TO "Other "" Name";
           DROP TABLE days_1;
           CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
           ALTER TABLE days_1 REPLICA IDENTITY FULL"#,
    );
    let cleanup = pgflit("stream cleanup").between(&pair).run().assert_code(0);
    let left = "somebody has changed the replica identity of";
    cleanup
        .assert_stderr(&format!("{left} public.docs"))
        .assert_stderr(&format!("{left} public.by_index"))
        .assert_stderr("public.days_1 was dropped on the source");
    let now = BEFORE
        .replace("docs|d|", "docs|n|")
        .replace("by_index|d|", "by_index|f|")
        .replace("days_1|d|", "days_1|f|")
        .replace("Weird", "Other");
    assert_eq!(identities(&pair.source), now);
    assert!(!pair.dir().join("pgflit.db").exists());
}

#[test]
fn what_another_publication_needs_is_left_and_told() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let run = clone_yes(&pair).start();
    run.wait_for_stderr("live replay from");
    pair.source
        .sql(r#"CREATE PUBLICATION "of days" FOR TABLE days"#);
    end_now(&pair);
    let ended = run.wait_for_exit().assert_code(0);
    ended.assert_stderr("of public.days_1 on the source is left as pgflit has made it");
    let left = BEFORE
        .replace("days_1|d", "days_1|f")
        .replace("days_2|d", "days_2|f");
    assert_eq!(identities(&pair.source), left);
    pair.source.sql(WRITES);
    pair.source.sql(r#"DROP PUBLICATION "of days""#);
    pgflit("stream cleanup").between(&pair).run().assert_code(0);
    assert_eq!(identities(&pair.source), BEFORE);
}

#[test]
fn a_table_that_is_locked_for_a_while_is_waited_for() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let held = Held::open(&pair.source, "UPDATE by_key SET n = 5 WHERE id = 3");
    let run = pgflit("stream setup --yes").between(&pair).start();
    run.wait_for_stderr("public.by_key is locked by pid ");
    run.wait_for_stderr("held open");
    // The others have theirs, and whoever needs this one gets it in between.
    pair.source.sql("UPDATE by_key SET n = 6 WHERE id = 4");
    held.commit();
    run.wait_for_exit().assert_code(0);
    assert_eq!(identities(&pair.source), MADE);
    // The same at the end.
    let held = Held::open(&pair.source, "SELECT FROM docs");
    let cleanup = pgflit("stream cleanup").between(&pair).start();
    cleanup.wait_for_stderr("public.docs is locked by pid ");
    held.commit();
    cleanup.wait_for_exit().assert_code(0);
    assert_eq!(identities(&pair.source), BEFORE);
}

#[test]
fn a_table_that_stays_locked_ends_the_beginning_and_nothing_is_left() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let _held = Held::open(&pair.source, "SELECT FROM docs");
    let nothing_is_left = || {
        assert_eq!(identities(&pair.source), BEFORE);
        let made = "SELECT (SELECT count(*) FROM pg_replication_slots)
                         + (SELECT count(*) FROM pg_publication)";
        assert_eq!(pair.source.number(made), 0);
        assert!(!pair.dir().exists());
    };
    let run = clone_yes(&pair).start();
    run.wait_for_stderr("public.docs is locked by pid ");
    run.signal(Signal::SIGINT);
    run.wait_for_exit().assert_code(9);
    nothing_is_left();
    let ended = clone_yes(&pair).run().assert_code(6);
    ended
        .assert_stderr(
            "the replica identity of public.docs cannot be changed: it is locked by pid ",
        )
        .assert_stderr("held open");
    nothing_is_left();
}

#[test]
fn whoever_does_not_own_a_table_is_told_and_nothing_is_left() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    pair.source.sql(
        r#"CREATE ROLE other LOGIN REPLICATION; GRANT USAGE ON SCHEMA "My.Schema" TO other;
           GRANT SELECT ON ALL TABLES IN SCHEMA public, "My.Schema" TO other"#,
    );
    let other = Database::of_user(&pair.source_cluster, "app", "other");
    let setup = pgflit("stream setup --yes --plugin test_decoding").source(&other);
    let setup = setup.target(&pair.target).dir(pair.dir()).run();
    setup
        .assert_code(6)
        .assert_stderr("changing the replica identity of \"My.Schema\".\"Weird \"\" Name\"")
        .assert_stderr("hint: only the owner of a table may change it");
    assert_eq!(identities(&pair.source), BEFORE);
    assert!(!pair.dir().exists());
}

#[test]
fn what_the_filters_leave_out_is_not_touched() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let filters = pair.path("filters");
    let text = "[exclude-schema]\n\"My.Schema\"\n[exclude-table]\npublic.docs\n[exclude-table-data]\npublic.by_key\n";
    std::fs::write(&filters, text).expect("written");
    let setup = pgflit("stream setup --yes --filters").arg(&filters);
    setup.between(&pair).run().assert_code(0);
    let made = MADE
        .replace("Weird \" Name|f|", "Weird \" Name|d|")
        .replace("docs|f|", "docs|d|")
        .replace("by_key|d|", "by_key|n|");
    assert_eq!(identities(&pair.source), made);
    pgflit("stream cleanup").between(&pair).run().assert_code(0);
    assert_eq!(identities(&pair.source), BEFORE);
}

/// Both databases have these tables and rows.
fn with_rows(tables: &str) -> Pair {
    let pair = Pair::new();
    for side in [&pair.source, &pair.target] {
        side.sql(tables);
    }
    pair
}

#[test]
fn following_rows_of_somebody_else_gives_and_puts_back_too() {
    let pair = with_rows("CREATE TABLE log (line text); INSERT INTO log VALUES ('a'), ('b')");
    let run = pgflit("follow --create-slot --yes").between(&pair).start();
    run.wait_for_stderr("live replay from");
    pair.source
        .sql("UPDATE log SET line = 'z' WHERE line = 'a'");
    end_now(&pair);
    run.wait_for_exit().assert_code(0);
    assert_eq!(identities(&pair.source), "log|d|");
    assert_eq!(pair.target.sql("SELECT line FROM log ORDER BY 1"), "b\nz");
}

/// Before 18, publications pass generated columns over; from then on updates fail on the source where
/// they are part of the identity.
#[test]
fn updates_by_generated_columns_never_fail_because_of_us() {
    let pair = with_rows(
        "CREATE TABLE whole (a int, twice int GENERATED ALWAYS AS (a * 2) STORED);
         ALTER TABLE whole REPLICA IDENTITY FULL; INSERT INTO whole VALUES (1), (2);
         CREATE TABLE keyed (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED);
         ALTER TABLE keyed REPLICA IDENTITY FULL; INSERT INTO keyed VALUES (1), (2)",
    );
    let before = identities(&pair.source);
    let run = pgflit("follow --create-slot --yes").between(&pair).start();
    run.wait_for_stderr("live replay from");
    pair.source.sql("UPDATE keyed SET id = 3 WHERE id = 2");
    let since_18 = pair.source.number("SHOW server_version_num") >= 180_000;
    match since_18 {
        // The primary key of the one does; the other has nothing that does.
        true => run.wait_for_stderr("publishes no updates of tables with generated columns"),
        false => drop(pair.source.sql("UPDATE whole SET a = 3 WHERE a = 2")),
    }
    end_now(&pair);
    run.wait_for_exit().assert_code(0);
    let rows = "SELECT * FROM keyed UNION ALL SELECT * FROM whole ORDER BY 1, 2";
    assert_eq!(pair.target.sql(rows), pair.source.sql(rows));
    assert_eq!(identities(&pair.source), before);
    pair.source.sql("UPDATE keyed SET id = 4 WHERE id = 3");
}
