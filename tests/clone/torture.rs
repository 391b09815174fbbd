//! Everything that a database can contain, cloned, and equal to the byte of its definitions.

use std::path::Path;

use super::Following;
use crate::support::{Database, Pair, definition_differences, differences, pgflit};

const ROLES: &str =
    r#"CREATE ROLE torture_owner; CREATE ROLE torture_reader; CREATE ROLE "Weird Role""#;

/// What servers know from a major version on.
const SINCE: [u32; 6] = [13, 14, 15, 16, 17, 18];

fn major(side: &Database) -> u32 {
    let version = side.number("SHOW server_version_num");
    u32::try_from(version).expect("a version") / 10_000
}

/// The source with everything that both sides know, and roles on both.
pub(crate) fn fill(pair: &Pair) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture");
    let run = |name: &str| {
        let script = std::fs::read_to_string(folder.join(name)).expect("a script");
        pair.source.sql(&script);
    };
    for side in [&pair.source, &pair.target] {
        side.sql(ROLES);
    }
    run("objects.sql");
    let both = major(&pair.source).min(major(&pair.target));
    for version in SINCE.into_iter().filter(|version| *version <= both) {
        run(&format!("since_{version}.sql"));
    }
}

/// The definitions as pg_dump prints them, without what it says about itself.
pub(super) fn dumped(side: &Database) -> String {
    let output = side
        .program("pg_dump")
        .args(["--schema-only", "--exclude-schema=pgflit", "-d", side.uri()])
        .output()
        .expect("pg_dump");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let is_kept = |line: &&str| {
        !["\\restrict ", "\\unrestrict ", "-- Dumped "]
            .iter()
            .any(|start| line.starts_with(start))
    };
    let lines: Vec<_> = text.lines().filter(is_kept).collect();
    lines.join("\n")
}

/// The lines of either that the other has not, in order.
pub(super) fn only_in_one(left: &str, right: &str) -> Vec<String> {
    let missing = |from: &str, other: &str, mark: &str| -> Vec<String> {
        let other: std::collections::HashSet<&str> = other.lines().collect();
        let lines = from.lines().filter(|line| !other.contains(line));
        lines.map(|line| format!("{mark} {line}")).collect()
    };
    let mut lines = missing(left, right, "<");
    lines.extend(missing(right, left, ">"));
    lines
}

/// What versions print in their own way, or make of their own accord: views without the names of
/// tables, triggers of partitions, multiranges beside ranges, keys of partitions. That they are
/// what they should be is seen by [`made_by_hand`].
const PRINTED_ANEW: [&str; 6] = [
    "views:",
    "triggers:",
    "functions:",
    "types:",
    "constraints:",
    "rules:",
];

/// A database on the target's server with the definitions of the source as pg_dump and pg_restore
/// carry them over: there the server says everything in the same words as of the target.
fn made_by_hand(pair: &Pair) -> Database {
    let name = "by_hand";
    pair.target.sql(&format!(
        "DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name} TEMPLATE template0"
    ));
    let by_hand = Database::of(&pair.target_cluster, name);
    let file = pair.path("by-hand.dump");
    let run = |program: &str, options: &[&str], of: &Database| {
        let mut command = pair.target.program(program);
        command.args(options).args(["-d", of.uri()]);
        command
    };
    let mut dump = run("pg_dump", &["-Fc", "--schema-only"], &pair.source);
    let mut restore = run("pg_restore", &["--exit-on-error"], &by_hand);
    for command in [dump.arg("-f").arg(&file), restore.arg(&file)] {
        let output = command.output().expect("client programs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
    }
    by_hand
}

/// What of the target's definitions is not as it would be without pgflit. The bytes of large
/// objects are no definitions.
fn differs_from_by_hand(by_hand: &Database, target: &Database) -> Vec<String> {
    let mut found = definition_differences(by_hand, target);
    found.retain(|found| !found.starts_with("large objects:"));
    // No pg_dump reads a server that is newer than itself.
    if pg_dump_major(target) >= major(target) {
        found.extend(only_in_one(&dumped(by_hand), &dumped(target)));
    }
    found
}

fn pg_dump_major(side: &Database) -> u32 {
    let output = side.program("pg_dump").arg("--version").output();
    let text = String::from_utf8(output.expect("pg_dump").stdout).expect("UTF-8");
    let numbers = text.split(|c: char| !c.is_ascii_digit());
    let mut numbers = numbers.filter_map(|number| number.parse().ok());
    numbers.next().expect("a version")
}

/// Large objects with all that belongs to them, and what materialized views hold.
fn beside_tables(side: &Database) -> String {
    side.sql(
        "SELECT l.oid, pg_get_userbyid(lomowner), lomacl::text, md5(lo_get(l.oid)),
                obj_description(l.oid, 'pg_largeobject')
           FROM pg_largeobject_metadata l ORDER BY 1;
         SELECT c.oid::regclass, relispopulated,
                CASE WHEN relispopulated THEN
                     md5(query_to_xml(format('SELECT * FROM %s ORDER BY 1', c.oid::regclass),
                                      true, true, '')::text) END
           FROM pg_class c WHERE relkind = 'm' ORDER BY c.oid::regclass::text",
    )
}

#[track_caller]
fn assert_same(pair: &Pair) {
    let has_invalid = "SELECT count(*) FROM pg_class WHERE relname = 'invalid'";
    assert_eq!(pair.target.number(has_invalid), 0);
    pair.source.sql("DROP INDEX torture.invalid");
    let [left, right] = [&pair.source, &pair.target].map(beside_tables);
    assert_eq!(left, right);
    assert!(left.contains("mat_never|f") && left.contains("4000000000"));
    let by_hand = made_by_hand(pair);
    let found = differs_from_by_hand(&by_hand, &pair.target);
    assert!(found.is_empty(), "{}", found.join("\n"));
    let found = differences(&pair.source, &pair.target);
    // Between versions, what says the same is not always printed the same.
    if major(&pair.source) == major(&pair.target) {
        let [left, right] = [&pair.source, &pair.target].map(dumped);
        let lines = only_in_one(&left, &right);
        assert!(
            left == right,
            "pg_dump prints something else:\n{}",
            lines.join("\n")
        );
        assert!(found.is_empty(), "{}", found.join("\n"));
    } else {
        let is_of_version = |found: &&String| {
            let kind = found.lines().next().unwrap_or_default();
            !PRINTED_ANEW.contains(&kind)
        };
        let others: Vec<_> = found.iter().filter(is_of_version).cloned().collect();
        assert!(others.is_empty(), "{}", others.join("\n"));
    }
}

#[test]
fn everything_a_database_can_contain_is_cloned() {
    let pair = Pair::new();
    fill(&pair);
    let clone = pgflit("clone").between(&pair).run().assert_code(0);
    assert!(
        !clone.stderr.contains("left out"),
        "something was left out:\n{}",
        clone.stderr
    );
    assert_same(&pair);
    assert!(clone.stderr.contains("index torture.invalid is invalid"));
}

/// What is wrong with a target, and what the comparison says of it.
const FAULTS: [(&str, &str); 12] = [
    ("DROP TRIGGER normal ON keys", "TRIGGER normal"),
    (
        "ALTER TABLE keys ENABLE TRIGGER disabled",
        "TRIGGER disabled",
    ),
    (
        "CREATE OR REPLACE VIEW around_1 AS SELECT 3 AS x",
        "SELECT 3 AS x",
    ),
    ("ALTER TABLE keys DROP CONSTRAINT checked", "checked"),
    ("ALTER TABLE not_yet DROP CONSTRAINT later", "later"),
    ("ALTER TABLE parts DROP CONSTRAINT parts_fkey", "parts_fkey"),
    (
        "CREATE OR REPLACE FUNCTION same(int, int) RETURNS bool LANGUAGE sql IMMUTABLE
             AS 'SELECT $1 <> $2'",
        "SELECT $1 <> $2",
    ),
    ("DROP FUNCTION looks_like_a_dump()", "looks_like_a_dump"),
    ("ALTER TYPE mood ADD VALUE 'else'", "else"),
    ("DROP RULE no_delete ON identity_nothing", "no_delete"),
    ("DROP POLICY everyone ON identity_index", "everyone"),
    (
        "ALTER FOREIGN TABLE abroad ALTER id DROP NOT NULL",
        "abroad",
    ),
];

#[test]
fn a_definition_that_is_lost_or_another_is_noticed() {
    let pair = Pair::new();
    fill(&pair);
    pgflit("clone").between(&pair).run().assert_code(0);
    pair.source.sql("DROP INDEX torture.invalid");
    let by_hand = made_by_hand(&pair);
    let found = differs_from_by_hand(&by_hand, &pair.target);
    assert!(found.is_empty(), "{}", found.join("\n"));
    pair.target.sql("DROP EVENT TRIGGER watching");
    let mut before = String::new();
    for (fault, said) in FAULTS {
        pair.target
            .sql(&format!("SET search_path = torture; {fault}"));
        // The catalogs alone, as between a server and an older pg_dump.
        let found = definition_differences(&by_hand, &pair.target).join("\n");
        let is_new = |line: &&str| !before.contains(line) && line.contains(said);
        assert!(found.lines().any(|line| is_new(&line)), "{fault}:\n{found}");
        before = found;
    }
}

/// Changes of everything that change capture carries, each a transaction.
const CHANGES: &str = r#"
    INSERT INTO every_type (id, plus, line) VALUES (1000, 5, 'followed');
    UPDATE every_type SET line = 'changed', pair = '(2,"c",{happy})', ints = '[7,9)' WHERE id = 1;
    DELETE FROM every_type WHERE id BETWEEN 20 AND 30;
    UPDATE "Weird "" Name" SET "line
feed" = 0, "it's \ -- ;" = 5 WHERE "select" < 10;
    INSERT INTO "Ünïcödé 漢字" (t) VALUES ('followed');
    INSERT INTO keys (a, b, c) VALUES (2000, 2000, 'followed'); DELETE FROM keys WHERE a = 299;
    UPDATE identity_full SET a = 7 WHERE ctid = (SELECT min(ctid) FROM identity_full WHERE a = 1);
    UPDATE identity_index SET a = 8;
    INSERT INTO no_columns DEFAULT VALUES;
    INSERT INTO only_generated DEFAULT VALUES;
    UPDATE dropped SET a = 5, later = NULL;
    UPDATE toasted SET raw = '\x00' WHERE id = 1; UPDATE toasted SET id = 100 WHERE id = 2;
    UPDATE of_type SET c = '{sad}';
    INSERT INTO other_method VALUES (2, 'y');
    INSERT INTO heir VALUES (9, 'followed', 9);
    UPDATE parts SET region = 'jp' WHERE region = 'de' AND day > '2000-01-01'; DELETE FROM parts WHERE id BETWEEN 5 AND 50 AND day > '2000-01-01';
    INSERT INTO parts VALUES (5000, '2026-05-05', 'fr', 1), (5001, '2026-05-05', 'fr', 1);
    TRUNCATE other_method, no_columns; INSERT INTO other_method VALUES (3, 'z');
    INSERT INTO by_expression VALUES (2, 'B');
"#;

#[test]
fn everything_a_database_can_contain_is_followed_under_writes() {
    let pair = Pair::new();
    fill(&pair);
    let following = Following::start(&pair);
    for _ in 0..3 {
        pair.source
            .sql("INSERT INTO torture.heir VALUES (1, 'meanwhile', 1)");
    }
    let following = following.until_live();
    pair.source
        .sql(&format!("SET search_path = torture; {CHANGES}"));
    following.end();
    // What pgflit has made on the source.
    let cleanup = pgflit("stream cleanup").between(&pair).run();
    cleanup.assert_code(0);
    assert_same(&pair);
}

/// What the target has of its own, and what tells whether it is still there.
const TARGETS_OWN: &str = "CREATE SCHEMA own; CREATE TABLE own.rows AS SELECT 1 AS n;
    CREATE FUNCTION own.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    CREATE EVENT TRIGGER own ON ddl_command_end EXECUTE FUNCTION own.on_ddl();
    CREATE PUBLICATION own FOR TABLE own.rows;
    CREATE FOREIGN DATA WRAPPER own; CREATE SERVER own FOREIGN DATA WRAPPER own;
    CREATE CAST (own.rows AS json) WITH INOUT;
    CREATE FUNCTION own.refuse() RETURNS event_trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'dropped'; END $$";
const DROP_TARGETS_OWN: &str = "DROP PUBLICATION own; DROP EVENT TRIGGER own;
    DROP CAST (own.rows AS json); DROP SERVER own; DROP FOREIGN DATA WRAPPER own;
    DROP TABLE own.rows; DROP FUNCTION own.on_ddl, own.refuse;
    DROP SCHEMA own";

#[test]
fn everything_a_database_can_contain_is_dropped_and_cloned_again() {
    let pair = Pair::new();
    fill(&pair);
    pgflit("clone").between(&pair).run().assert_code(0);
    pair.target.sql(TARGETS_OWN);
    let again = pgflit("clone --restart --drop-if-exists").between(&pair);
    again.run().assert_code(0);
    pair.target.sql(DROP_TARGETS_OWN);
    assert_same(&pair);
}

#[test]
fn everything_that_somebody_else_has_made_is_dropped_and_cloned() {
    let pair = Pair::new();
    fill(&pair);
    let file = pair.path("dump");
    let tool = |name: &str, arguments: &[&std::ffi::OsStr]| {
        let output = pair.source.program(name).args(arguments).output();
        let output = output.expect("a client program");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let uri = |side: &Database| std::ffi::OsString::from(side.uri());
    let (source, target) = (uri(&pair.source), uri(&pair.target));
    let dump = ["-f".as_ref(), file.as_os_str(), "-d".as_ref(), &source];
    tool("pg_dump", &dump);
    // As somebody at a terminal does it: what fails is left.
    let restore = ["-Xq", "-f"].map(std::ffi::OsStr::new);
    let restore = [&restore[..], &[file.as_os_str(), "-d".as_ref(), &target]].concat();
    tool("psql", &restore);
    pair.target.sql(TARGETS_OWN);
    let clone = pgflit("clone --drop-if-exists").between(&pair);
    clone.run().assert_code(0);
    pair.target.sql(DROP_TARGETS_OWN);
    assert_same(&pair);
}
