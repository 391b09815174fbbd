//! Every kind of row, value and name, copied and then streamed.

use super::Following;
use crate::support::{Database, Held, Pair, SOON, allow_plugin, eventually};

/// Names that need care, each of a table with a column of the same name. The fourth has the 63
/// bytes that Postgres keeps of a name.
const NAMES: [&str; 6] = [
    r#"Weird "" Name"#,
    "a.b.c",
    "UPPER case",
    "sixty three bytes sixty three bytes sixty three bytes sixty thr",
    "line\nfeed",
    "it's -- $1 ; {} \\ ö",
];

const TABLES: &str = r#"
    CREATE SCHEMA "My.Schema";
    CREATE TYPE mood AS ENUM ('sad', 'so so', 'happy');
    CREATE DOMAIN positive AS numeric CHECK (VALUE > 0);
    CREATE DOMAIN small AS positive CHECK (VALUE < 1000);
    CREATE TYPE pair AS (a int, b text);
    CREATE TABLE "My.Schema".kinds (
        id bigint PRIMARY KEY,
        amount numeric, ratio double precision, single real, raw bytea,
        words text[], grid int[][], state mood, plus small, duo pair, during tstzrange,
        spans int4multirange, doc json, bin jsonb, at timestamptz, day date, span interval,
        bits bit varying, ip inet, mark uuid, dot point, empty text, flag boolean, tag "char");
    CREATE TABLE toast (id int PRIMARY KEY, n int, body text, other text);
    ALTER TABLE toast ALTER body SET STORAGE EXTERNAL;
    CREATE TABLE toast_full (id int, n int, body text);
    ALTER TABLE toast_full ALTER body SET STORAGE EXTERNAL, REPLICA IDENTITY FULL;
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (id serial PRIMARY KEY, parent int REFERENCES parent);
    CREATE TABLE full_rows (doc json, dot point, amount numeric, line text, page xml);
    ALTER TABLE full_rows REPLICA IDENTITY FULL;
    CREATE TABLE made (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int,
        twice int GENERATED ALWAYS AS (a * 2) STORED);
    CREATE TABLE by_index (code text NOT NULL, place text NOT NULL, n int);
    CREATE UNIQUE INDEX by_index_key ON by_index (place, code);
    ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_key;
    CREATE TABLE days (day date, n int, PRIMARY KEY (day)) PARTITION BY RANGE (day);
    CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
    CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
    CREATE TABLE dropped (a int, gone text, id int PRIMARY KEY, b text);
    ALTER TABLE dropped DROP gone;
    CREATE TABLE nothing ();
    CREATE SEQUENCE odd INCREMENT -3 MINVALUE -1000 MAXVALUE 10 START 7;
    CREATE SEQUENCE never;
    CREATE VIEW happy AS
        SELECT kinds.id FROM "My.Schema".kinds, parent WHERE state = 'happy';"#;

/// One row of every type; `$id` is its key.
const KINDS: &str = r#"INSERT INTO "My.Schema".kinds VALUES
    ($id, 'NaN', '-Infinity', 1.1, '\x00ff5c27', '{a,NULL,"NULL","x\"y\\\\z",""}', '{{1,2},{3,4}}',
     'so so', 0.001, '(1,"a ""b"", c")', '[2026-01-01,infinity)', '{[1,3),[5,7)}',
     '{"b":  1, "a": [1e400]}', '{"b":  1, "a": [null]}', '0044-03-15 12:00:00.123456+00 BC',
     '-infinity', '1 year 2 mons -3 days 04:05:06.789', B'10101', '::1/64',
     'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '(1.5,-2e-300)', '', false, 'x'),
    ($id + 1, repeat('1234567890', 100)::numeric / 10 ^ 20::numeric, 'NaN', 'Infinity', '',
     '{}', '{}', NULL, NULL, '(,)', 'empty', '{}', 'null', 'null', 'infinity', '5000-01-01',
     '-1 mons', B'', '10.0.0.1', NULL, NULL, E'\\N', NULL, NULL),
    ($id + 2, repeat('9', 1000)::numeric, 0.1, 16777217, NULL, '[0:1]={x,y}', NULL, 'happy', NULL,
     NULL, NULL, NULL, NULL, '"\u00e4\ud83d\ude00"', 'epoch', NULL, NULL, NULL, NULL, NULL, NULL,
     E'tab\there\nline\r\\.\u00e4', true, NULL)"#;

const BIG: i64 = (1 << 53) + 1;

/// `sql` without what servers before 14 do not know, multiranges and an infinite numeric: the same
/// values then go as text, and another value in its place.
fn known_to(source: &Database, sql: &str) -> String {
    match source.number("SHOW server_version_num") {
        140_000.. => sql.to_owned(),
        _ => sql
            .replace("int4multirange", "text")
            .replace("amount = '-Infinity'", "amount = '-1e300'"),
    }
}

/// What is there before the copy.
fn fill(pair: &Pair) {
    let source = &pair.source;
    let mut tables = known_to(source, TABLES);
    let knows_xml = |side: &Database| side.try_sql("SELECT xml '<a/>'").is_ok();
    if !(knows_xml(source) && knows_xml(&pair.target)) {
        // Built without it.
        tables = tables.replace("page xml", "page text");
    }
    source.sql(&tables);
    for name in NAMES {
        source.sql(&format!(
            "CREATE TABLE \"{name}\" (id int PRIMARY KEY, \"{name}\" text);
             INSERT INTO \"{name}\" VALUES (1, 'copied')"
        ));
    }
    source.sql(&KINDS.replace("$id", "1"));
    source.sql(
        "INSERT INTO toast SELECT n, 0, repeat(md5(n::text), 3200), 'x' FROM generate_series(1, 4) n;
         INSERT INTO toast_full SELECT n / 2, 0, repeat(md5((n / 2)::text), 3200)
           FROM generate_series(2, 5) n;
         INSERT INTO parent VALUES (1), (2); INSERT INTO child (parent) VALUES (1), (2), (2);
         INSERT INTO full_rows SELECT '{\"a\":  1}', '(1,2)', 1.50, 'same', '<a  b=\"1\"/> c'
           FROM generate_series(1, 4);
         INSERT INTO full_rows VALUES (NULL, NULL, NULL, NULL), (NULL, NULL, NULL, NULL);
         INSERT INTO made (a) VALUES (1), (2), (3);
         INSERT INTO by_index VALUES ('a', 'x', 1), ('b', 'x', 2);
         INSERT INTO days VALUES ('2026-01-05', 1), ('2026-02-05', 2);
         INSERT INTO dropped VALUES (1, 1, 'b');
         INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing DEFAULT VALUES;
         SELECT nextval('odd'), nextval('odd');
         SELECT pg_logical_emit_message(true, 'app', 'before')",
    );
}

/// Each a transaction of its own.
fn changes() -> Vec<String> {
    let big = BIG.to_string();
    let mut changes = vec![
        KINDS.replace("$id", &big),
        format!(
            r#"UPDATE "My.Schema".kinds SET id = id + 10 WHERE id IN (1, 2);
               UPDATE "My.Schema".kinds SET amount = '-Infinity', ratio = 1e-320 WHERE id = {big};
               DELETE FROM "My.Schema".kinds WHERE id = 3"#
        ),
    ];
    let plain = [
        // Unchanged TOAST: with the key kept, with the key changed, together with a new value.
        "UPDATE toast SET n = 1 WHERE id = 1",
        "UPDATE toast SET id = 20 WHERE id = 2",
        "UPDATE toast SET other = repeat('o', 100000) WHERE id = 3; UPDATE toast SET n = 5 WHERE id = 3",
        "UPDATE toast SET body = NULL WHERE id = 4; UPDATE toast SET n = 6 WHERE id = 4",
        "INSERT INTO toast VALUES (5, 0, repeat('t', 100000), NULL); UPDATE toast SET n = 7 WHERE id = 5",
        "UPDATE toast_full SET n = n + 1 WHERE ctid = (SELECT min(ctid) FROM toast_full)",
        "DELETE FROM toast_full WHERE ctid = (SELECT max(ctid) FROM toast_full)",
        // Exactly one of several rows that are the same.
        "UPDATE full_rows SET line = 'one' WHERE ctid = (SELECT min(ctid) FROM full_rows)",
        "DELETE FROM full_rows WHERE ctid = (SELECT min(ctid) FROM full_rows WHERE line = 'same')",
        "UPDATE full_rows SET line = 'null' WHERE ctid = (SELECT min(ctid) FROM full_rows WHERE doc IS NULL)",
        // Numerically equal, and not the same row.
        "INSERT INTO full_rows VALUES (NULL, NULL, 1.5, 'n'), (NULL, NULL, 1.50, 'n');
         DELETE FROM full_rows WHERE amount::text = '1.50' AND line = 'n'",
        "TRUNCATE parent CASCADE; INSERT INTO parent VALUES (7); INSERT INTO child (parent) VALUES (7)",
        "TRUNCATE full_rows, nothing RESTART IDENTITY; INSERT INTO full_rows VALUES ('1', '(0,0)', 0, '')",
        "INSERT INTO nothing DEFAULT VALUES",
        "INSERT INTO made (a) VALUES (4); UPDATE made SET a = 10 WHERE a = 1; DELETE FROM made WHERE a = 2",
        "INSERT INTO made (id, a) OVERRIDING SYSTEM VALUE VALUES (100, 5)",
        "UPDATE by_index SET code = 'c' WHERE code = 'a'; DELETE FROM by_index WHERE n = 2",
        // From one partition to another.
        "INSERT INTO days VALUES ('2026-02-07', 3); UPDATE days SET day = '2026-02-06' WHERE n = 1",
        "TRUNCATE days_2; INSERT INTO days VALUES ('2026-02-08', 4)",
        "TRUNCATE days; INSERT INTO days VALUES ('2026-02-09', 5)",
        "UPDATE dropped SET id = 2, b = NULL; INSERT INTO dropped VALUES (NULL, 3, 'c')",
        "BEGIN; INSERT INTO parent VALUES (8); SAVEPOINT a; INSERT INTO parent VALUES (9);
         ROLLBACK TO a; SAVEPOINT b; INSERT INTO parent VALUES (10); RELEASE b; COMMIT",
        "BEGIN; INSERT INTO parent VALUES (11); ROLLBACK",
        "COPY toast (id, n, body) FROM stdin;\n101\t1\tfrom copy\n102\t2\t\\N\n103\t3\tx\\ty\n\\.\n",
        "SELECT pg_logical_emit_message(true, 'app', 'in a transaction');
         SELECT pg_logical_emit_message(false, 'app', 'outside')",
        "BEGIN; SELECT pg_logical_emit_message(true, 'app', E'line\\n\"quoted\"'); INSERT INTO parent VALUES (12); COMMIT",
        "SELECT nextval('odd'), nextval('child_id_seq')",
        "CREATE TABLE later (id int); DROP TABLE later",
    ];
    changes.extend(plain.map(str::to_owned));
    for name in NAMES {
        changes.push(format!(
            "INSERT INTO \"{name}\" VALUES (2, 'inserted'), (3, 'gone');
             UPDATE \"{name}\" SET id = 4, \"{name}\" = 'changed' WHERE id = 1;
             DELETE FROM \"{name}\" WHERE id = 3"
        ));
    }
    changes.push("INSERT INTO parent VALUES (1000)".to_owned());
    changes
}

#[test]
fn every_kind_of_row_value_and_name_arrives_as_it_was() {
    arrives_as_it_was("pgoutput");
}

#[test]
fn every_kind_of_row_value_and_name_arrives_through_test_decoding() {
    arrives_as_it_was("test_decoding");
}

#[test]
fn every_kind_of_row_value_and_name_arrives_through_wal2json() {
    arrives_as_it_was("wal2json");
}

fn arrives_as_it_was(plugin: &str) {
    let pair = Pair::new();
    if !allow_plugin(&pair.source, plugin) {
        return;
    }
    fill(&pair);
    let following = Following::start_with(&pair, plugin).until_live();
    for change in changes() {
        pair.source.sql(&known_to(&pair.source, &change));
    }
    eventually(SOON, "the last change is on the target", || {
        pair.target
            .number("SELECT count(*) FROM parent WHERE id = 1000")
            == 1
    });
    following.end_equal();
    let text = |side: &Database| {
        side.sql(&format!(
            r#"SELECT amount, ratio, doc FROM "My.Schema".kinds WHERE id > {BIG} ORDER BY id"#
        ))
    };
    assert_eq!(text(&pair.source), text(&pair.target));
}

#[test]
fn every_kind_of_row_arrives_from_disk_too() {
    arrives_from_disk("pgoutput");
}

#[test]
fn every_kind_of_row_arrives_from_disk_through_test_decoding() {
    arrives_from_disk("test_decoding");
}

#[test]
fn every_kind_of_row_arrives_from_disk_through_wal2json() {
    arrives_from_disk("wal2json");
}

fn arrives_from_disk(plugin: &str) {
    let pair = Pair::new();
    if !allow_plugin(&pair.source, plugin) {
        return;
    }
    fill(&pair);
    // Building the index waits on the target, so everything is written after the copy and before
    // apply may begin.
    pair.source.sql(
        "CREATE FUNCTION gate(id int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN id; END $$;
         CREATE TABLE gated (id int PRIMARY KEY); INSERT INTO gated VALUES (1);
         CREATE INDEX gated_index ON gated (gate(id))",
    );
    let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let following = Following::start_with(&pair, plugin);
    eventually(SOON, "the index is being built", || {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'";
        pair.target.number(waiting) == 1
    });
    for change in changes() {
        pair.source.sql(&known_to(&pair.source, &change));
    }
    gate.commit();
    following.until_live().end_equal();
}
