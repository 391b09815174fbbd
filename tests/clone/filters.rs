//! `--filters`: what is left out is on the target in no form, with nothing that depends on it, and
//! all the rest is exact.

use std::fs;

use super::Following;
use crate::support::{Finished, PLUGINS, Pair, Pgflit, Run, allow_plugin, pgflit};

/// Schemas, tables and indexes with names that need quotes, and everything that can hang on them.
const SOURCE: &str = r#"
    CREATE SCHEMA "Odd Schema"; CREATE SCHEMA audit;
    CREATE TABLE kept (id int PRIMARY KEY, note text);
    CREATE INDEX kept_note ON kept (note);
    CREATE TABLE "Odd Schema"."Gone.Table; #1" (id serial PRIMARY KEY, kept_id int REFERENCES kept,
        code int UNIQUE);
    COMMENT ON TABLE "Odd Schema"."Gone.Table; #1" IS 'a comment';
    COMMENT ON COLUMN "Odd Schema"."Gone.Table; #1".code IS 'another';
    COMMENT ON CONSTRAINT "Gone.Table; #1_code_key" ON "Odd Schema"."Gone.Table; #1" IS 'a third';
    GRANT SELECT (code), UPDATE ON "Odd Schema"."Gone.Table; #1" TO public;
    ALTER TABLE "Odd Schema"."Gone.Table; #1" ENABLE ROW LEVEL SECURITY;
    CREATE POLICY pol ON "Odd Schema"."Gone.Table; #1" USING (true);
    CREATE STATISTICS gone_stat ON id, code FROM "Odd Schema"."Gone.Table; #1";
    CREATE RULE gone_rule AS ON DELETE TO "Odd Schema"."Gone.Table; #1" DO ALSO NOTIFY gone;
    CREATE TABLE refers (id int PRIMARY KEY, gone int REFERENCES "Odd Schema"."Gone.Table; #1" (code));
    CREATE VIEW on_gone AS SELECT * FROM "Odd Schema"."Gone.Table; #1";
    CREATE VIEW on_on_gone AS SELECT count(*) FROM on_gone;
    CREATE VIEW on_kept AS SELECT * FROM kept;
    CREATE FUNCTION takes_gone("Odd Schema"."Gone.Table; #1") RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE PUBLICATION theirs FOR TABLE kept, "Odd Schema"."Gone.Table; #1";
    CREATE TABLE audit.log (id bigserial PRIMARY KEY, what text);
    CREATE TYPE audit.level AS ENUM ('low', 'high');
    CREATE SEQUENCE audit.counter; SELECT nextval('audit.counter');
    CREATE TABLE part (id int, at int) PARTITION BY RANGE (at);
    CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);
    CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (10) TO (20);
    CREATE INDEX part_at ON part (at);
    INSERT INTO kept VALUES (1, 'one'), (2, 'two');
    INSERT INTO "Odd Schema"."Gone.Table; #1" (kept_id, code) VALUES (1, 10), (2, 20);
    INSERT INTO refers VALUES (1, 10);
    INSERT INTO audit.log (what) VALUES ('x'), ('y');
    INSERT INTO part VALUES (1, 1), (2, 11);
"#;

const GONE: &str = r#""Odd Schema"."Gone.Table; #1""#;

fn pair() -> Pair {
    let pair = Pair::new();
    pair.source.sql(SOURCE);
    pair
}

/// `command` with a file of these filters.
fn with_filters(pair: &Pair, command: &str, filters: &str) -> Pgflit {
    let file = pair.path("filters.ini");
    fs::write(&file, filters).expect("a file of filters");
    pgflit(command).between(pair).arg("--filters").arg(file)
}

#[track_caller]
fn clone(pair: &Pair, filters: &str) -> Finished {
    with_filters(pair, "clone", filters).run().assert_code(0)
}

/// The relations of the target but indexes, and the named kinds of other objects.
fn relations(pair: &Pair) -> String {
    pair.target.sql(
        "SELECT string_agg(oid::regclass::text, ' ' ORDER BY oid::regclass::text COLLATE \"C\") FROM pg_class
          WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
            AND relnamespace::regnamespace::text !~ '^pg_|^information_schema|^pgflit'",
    )
}

#[track_caller]
fn assert_none_of(pair: &Pair, what: &str) {
    assert_eq!(
        pair.target.number(&format!("SELECT count(*) FROM {what}")),
        0,
        "{what}"
    );
}

#[test]
fn an_excluded_table_goes_with_all_that_depends_on_it() {
    let pair = pair();
    let run = clone(
        &pair,
        &format!("[exclude-table]\n{GONE} ; odd\npublic.no_such # notice\n"),
    );
    run.assert_stderr("line 3: [exclude-table]: the source has no table \"public\".\"no_such\"")
        .assert_stderr("view public.on_gone is left out")
        .assert_stderr("view public.on_on_gone is left out")
        .assert_stderr("refers_gone_fkey on public.refers is left out")
        .assert_stderr("takes_gone");
    assert_eq!(
        relations(&pair),
        "audit.counter audit.log audit.log_id_seq kept on_kept part part_1 part_2 refers"
    );
    for what in [
        "pg_policy",
        "pg_statistic_ext",
        "pg_rewrite WHERE rulename = 'gone_rule'",
        "pg_constraint WHERE contype = 'f'",
        "pg_proc WHERE proname = 'takes_gone'",
        "pg_description WHERE description IN ('a comment', 'another', 'a third')",
    ] {
        assert_none_of(&pair, what);
    }
    // The schema stays, and what only borders on the table.
    assert_eq!(
        pair.target
            .sql("SELECT string_agg(prrelid::regclass::text, ' ') FROM pg_publication_rel"),
        "kept"
    );
    assert_eq!(
        pair.target
            .number("SELECT count(*) FROM pg_namespace WHERE nspname = 'Odd Schema'"),
        1
    );
    assert_eq!(pair.target.sql("SELECT * FROM refers"), "1|10");
    assert_eq!(
        pair.target
            .number("SELECT count(*) FROM pg_indexes WHERE indexname = 'kept_note'"),
        1
    );
}

#[test]
fn an_excluded_partitioned_table_goes_with_its_partitions_and_one_partition_alone() {
    let pair = pair();
    clone(&pair, "[exclude-table]\npublic.~/^part_2$/\n");
    assert_eq!(pair.target.sql("SELECT * FROM part"), "1|1");
    assert_eq!(pair.target.number("SELECT count(*) FROM pg_inherits"), 2);
    assert_eq!(pair.target.sql("SELECT to_regclass('part_2') IS NULL"), "t");
    // Publications are not dropped by --drop-if-exists.
    pair.target.sql("DROP PUBLICATION theirs");
    pgflit("clone --restart --drop-if-exists")
        .between(&pair)
        .arg("--filters")
        .arg({
            let file = pair.path("other.ini");
            fs::write(&file, "[exclude-table]\n~|^pub|.~{^part(_1){0}$}\n").expect("written");
            file
        })
        .run()
        .assert_code(0);
    // It is still there from before: nothing of what is left out is dropped.
    assert_eq!(pair.target.sql("SELECT count(*) FROM part"), "1");
}

#[test]
fn only_included_tables_are_copied_with_their_partitions_and_parents() {
    let pair = pair();
    pair.source.sql(
        "CREATE TABLE parent (id int); CREATE TABLE child () INHERITS (parent);
         CREATE MATERIALIZED VIEW mat AS SELECT 1;
         INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2)",
    );
    clone(
        &pair,
        "[include-only-table]\npublic.kept\npublic.part_1\npublic.child\n",
    );
    assert_eq!(
        relations(&pair),
        "audit.counter child kept on_kept parent part part_1"
    );
    assert_eq!(pair.target.sql("SELECT * FROM part"), "1|1");
    // The parent is made because its child needs it; its own rows were not asked for.
    assert_eq!(pair.target.sql("SELECT * FROM parent"), "2");
    assert_eq!(
        pair.target
            .number("SELECT count(*) FROM pg_indexes WHERE indexname = 'part_1_at_idx'"),
        1
    );
    assert_eq!(pair.target.number("SELECT count(*) FROM kept"), 2);
}

#[test]
fn an_excluded_schema_goes_with_all_that_is_in_it() {
    let pair = pair();
    pair.source.sql("SELECT setval('audit.counter', 77)");
    clone(&pair, "[exclude-schema]\naudit\n\"Odd Schema\"\n");
    assert_eq!(relations(&pair), "kept on_kept part part_1 part_2 refers");
    assert_none_of(
        &pair,
        "pg_namespace WHERE nspname IN ('audit', 'Odd Schema')",
    );
    assert_none_of(&pair, "pg_type WHERE typname = 'level'");
}

#[test]
fn an_excluded_schema_needs_no_rights() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE ROLE owner_only LOGIN; CREATE SCHEMA \"sec.\"\"ret\"; CREATE TABLE \"sec.\"\"ret\".hidden (id serial);
         CREATE SCHEMA mine AUTHORIZATION owner_only; SET ROLE owner_only;
         CREATE TABLE mine.own (id serial); INSERT INTO mine.own DEFAULT VALUES",
    );
    pair.target.sql("CREATE ROLE owner_only LOGIN");
    let as_owner = pair.source.uri().replace("postgres@", "owner_only@");
    let filters = pair.path("filters.ini");
    fs::write(&filters, "[exclude-schema]\n\"sec.\"\"ret\"\n").expect("written");
    let run = pgflit("clone")
        .arg("--source")
        .arg(as_owner)
        .target(&pair.target)
        .dir(pair.dir());
    run.arg("--filters").arg(filters).run().assert_code(0);
    assert_eq!(relations(&pair), "mine.own mine.own_id_seq");
}

#[test]
fn only_included_schemas_are_copied_and_extensions_keep_theirs() {
    let pair = pair();
    pair.source.sql(
        "CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE TABLE ext.gone (id int);
         ALTER TABLE audit.log ADD word ext.citext DEFAULT 'w'",
    );
    clone(&pair, "[include-only-schema]\n~/^aud/\n");
    assert_eq!(relations(&pair), "audit.counter audit.log audit.log_id_seq");
    assert_eq!(
        pair.target
            .number("SELECT last_value FROM audit.log_id_seq"),
        2
    );
    assert_eq!(
        pair.target
            .number("SELECT count(*) FROM audit.log WHERE word::text = 'w'"),
        2
    );
}

#[test]
fn a_table_without_its_rows_is_made_with_its_indexes_and_no_key_points_at_what_is_missing() {
    let pair = pair();
    pair.source
        .sql("ALTER TABLE refers ADD kept_id int REFERENCES kept");
    let run = clone(
        &pair,
        &format!("[exclude-table-data]\n{GONE}\npublic.part\n"),
    );
    run.assert_stderr("refers_gone_fkey on public.refers is left out: it points at rows");
    assert_none_of(&pair, GONE);
    assert_none_of(&pair, "part");
    assert_eq!(pair.target.sql("SELECT * FROM on_on_gone"), "0");
    let count = |what: &str| pair.target.number(&format!("SELECT count(*) FROM {what}"));
    assert_eq!(count("pg_indexes WHERE tablename LIKE 'Gone%'"), 2);
    assert_eq!(count("pg_indexes WHERE tablename LIKE 'part%'"), 3);
    assert_eq!(count("pg_policy"), 1);
    assert_eq!(count("pg_constraint WHERE contype = 'f'"), 2);
    assert_eq!(
        pair.target
            .number(r#"SELECT last_value FROM "Odd Schema"."Gone.Table; #1_id_seq""#),
        2
    );
}

#[test]
fn an_excluded_index_goes_with_its_constraint_and_the_keys_that_need_it() {
    let pair = pair();
    let odd = r#""Odd Schema"."Gone.Table; #1_code_key""#;
    clone(
        &pair,
        &format!("[exclude-index]\npublic.~/_note$/\n{odd}\n"),
    );
    let names = pair.target.sql(
        "SELECT string_agg(conname, ' ' ORDER BY conname COLLATE \"C\") FROM pg_constraint
          WHERE connamespace::regnamespace::text IN ('public', '\"Odd Schema\"')",
    );
    assert_eq!(
        names,
        "Gone.Table; #1_kept_id_fkey Gone.Table; #1_pkey kept_pkey refers_pkey"
    );
    assert_none_of(&pair, "pg_indexes WHERE indexname = 'kept_note'");
    assert_eq!(
        pair.target.number(&format!("SELECT count(*) FROM {GONE}")),
        2
    );
}

#[test]
fn extensions_and_event_triggers_are_left_out_by_name() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION pg_trgm;
         CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
         CREATE EVENT TRIGGER one ON ddl_command_end EXECUTE FUNCTION f();
         CREATE EVENT TRIGGER \"Two.2\" ON sql_drop EXECUTE FUNCTION f()",
    );
    let found = "SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension WHERE extname <> 'plpgsql'";
    clone(
        &pair,
        "[exclude-extension]\nhstore\n[exclude-event-trigger]\n\"Two.2\"\n",
    );
    assert_eq!(pair.target.sql(found), "citext pg_trgm");
    assert_eq!(
        pair.target.sql("SELECT evtname FROM pg_event_trigger"),
        "one"
    );
    let other = Pair::new();
    other
        .source
        .sql("CREATE EXTENSION citext; CREATE EXTENSION hstore");
    clone(&other, "[include-only-extension]\n~/^h/\n");
    assert_eq!(other.target.sql(found), "hstore");
}

#[test]
fn a_sequence_stays_without_the_table_that_owned_it_while_another_uses_it() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE TABLE owner (id serial PRIMARY KEY);
         CREATE TABLE user_of (id int DEFAULT nextval('owner_id_seq'));
         INSERT INTO user_of DEFAULT VALUES; INSERT INTO user_of DEFAULT VALUES",
    );
    clone(&pair, "[exclude-table]\npublic.owner\n");
    assert_eq!(relations(&pair), "owner_id_seq user_of");
    assert_eq!(
        pair.target
            .sql("INSERT INTO user_of DEFAULT VALUES RETURNING id"),
        "3\nINSERT 0 1".trim_end_matches("\nINSERT 0 1")
    );
}

#[test]
fn filters_that_cannot_be_are_refused_by_file_line_and_reason_and_nothing_is_made() {
    let pair = pair();
    for (filters, problem) in [
        (
            "[nonsense]\n",
            "filters.ini, line 1: there is no section [nonsense]",
        ),
        ("[exclude-table]\npublic\n", "filters.ini, line 2: "),
        (
            "[include-only-table]\npublic.kept\n[exclude-table]\n~/x/.~/y/\n",
            "filters.ini, line 4: [exclude-table] contradicts",
        ),
        (
            "\n[include-only-table]\npublic.Kept\n",
            "filters.ini, line 3: [include-only-table]: the source has no table \"public\".\"Kept\"",
        ),
        (
            "[include-only-schema]\nnone\n",
            "filters.ini, line 2: [include-only-schema]: the source has no schema",
        ),
        (
            "[exclude-schema]\naudit\n[exclude-table]\npublic.~/(/\n",
            "filters.ini, line 4: ~/(/: ",
        ),
        (
            "[include-only-table]\naudit.log\n[exclude-schema]\naudit\n",
            "filters.ini, line 2: \"audit\".\"log\" is included here, and left out with schema",
        ),
    ] {
        let refused = with_filters(&pair, "clone", filters).run().assert_code(1);
        refused.assert_stderr(problem);
        assert!(!pair.dir().exists(), "{filters}");
    }
    pair.source.sql("ALTER TABLE kept ADD level audit.level");
    let needed = with_filters(&pair, "clone --follow", "[exclude-schema]\naudit\n");
    needed
        .run()
        .assert_code(1)
        .assert_stderr("table public.kept needs type audit.level");
    pgflit("clone --filters /nonexistent/filters.ini")
        .between(&pair)
        .run()
        .assert_code(1)
        .assert_stderr("reading the filters in /nonexistent/filters.ini");
}

#[test]
fn a_migration_goes_on_with_the_filters_that_it_was_begun_with_only() {
    let pair = pair();
    let one = "[exclude-table]\npublic.refers\n";
    with_filters(&pair, "stream setup", one)
        .run()
        .assert_code(0);
    for (command, filters) in [
        ("clone --follow", "[exclude-table]\npublic.kept\n"),
        (
            "clone --follow",
            "[exclude-table]\npublic.refers\n[exclude-schema]\naudit\n",
        ),
        ("clone --follow --resume", ""),
        ("clone", ""),
    ] {
        let refused = with_filters(&pair, command, filters).run().assert_code(1);
        refused.assert_stderr("this migration was begun with filters that have");
    }
    // The same ones, written otherwise.
    let same = with_filters(
        &pair,
        "clone --follow",
        "# x\n[exclude-table]\npublic.\"refers\"\n",
    );
    let run = same.start();
    end(&pair, run);
    assert_eq!(pair.target.sql("SELECT to_regclass('refers') IS NULL"), "t");
}

#[track_caller]
fn end(pair: &Pair, run: Run) {
    run.wait_for_stderr(super::following::LIVE);
    Following { pair, run }.end();
}

/// Follows with `filters` while `changes` happen, which touch what is left out too.
#[track_caller]
fn follow(pair: &Pair, plugin: &str, filters: &str, changes: &str) {
    let clone = with_filters(pair, "clone --follow", filters);
    let run = clone.args(["--plugin", plugin]).start();
    run.wait_for_stderr(super::following::LIVE);
    pair.source.sql(changes);
    end(pair, run);
}

#[test]
fn changes_of_what_is_left_out_do_not_disturb_following() {
    for plugin in PLUGINS {
        let pair = pair();
        if allow_plugin(&pair.source, plugin) {
            changes_of_what_is_left_out(&pair, plugin);
        }
    }
}

fn changes_of_what_is_left_out(pair: &Pair, plugin: &str) {
    follow(
        pair,
        plugin,
        &format!(
            "[exclude-schema]\naudit\n[exclude-table]\n{GONE}\npublic.~/^tmp_/\n[exclude-table-data]\npublic.part\n"
        ),
        &format!(
            "INSERT INTO kept VALUES (3, 'three'); DELETE FROM kept WHERE id = 2 AND false;
             UPDATE {GONE} SET code = 30 WHERE code = 20; INSERT INTO {GONE} (code) VALUES (99);
             INSERT INTO audit.log (what) VALUES ('z'); TRUNCATE audit.log;
             INSERT INTO part VALUES (5, 5), (6, 15); UPDATE part SET id = 7;
             CREATE TABLE audit.newer (id int); INSERT INTO audit.newer VALUES (1);
             CREATE TABLE tmp_1 (id int); INSERT INTO tmp_1 VALUES (1);
             ALTER TABLE {GONE} RENAME TO renamed; INSERT INTO refers VALUES (4, 99)"
        ),
    );
    assert_eq!(relations(pair), "kept on_kept part part_1 part_2 refers");
    assert_eq!(
        pair.target
            .sql("SELECT string_agg(note, ' ' ORDER BY id) FROM kept"),
        "one two three"
    );
    assert_eq!(pair.target.number("SELECT count(*) FROM refers"), 2);
    assert_none_of(pair, "part");
}

#[test]
fn only_included_tables_are_followed() {
    for plugin in PLUGINS {
        let pair = pair();
        if allow_plugin(&pair.source, plugin) {
            only_included_tables(&pair, plugin);
        }
    }
}

fn only_included_tables(pair: &Pair, plugin: &str) {
    follow(
        pair,
        plugin,
        "[include-only-table]\npublic.kept\npublic.part\n",
        "INSERT INTO kept VALUES (3, 'three'); INSERT INTO part VALUES (3, 3);
         INSERT INTO audit.log (what) VALUES ('z'); DELETE FROM refers;
         CREATE TABLE newer (id int)",
    );
    assert_eq!(
        relations(pair),
        "audit.counter kept on_kept part part_1 part_2"
    );
    assert_eq!(pair.target.number("SELECT count(*) FROM kept"), 3);
    assert_eq!(pair.target.number("SELECT count(*) FROM part"), 3);
}
