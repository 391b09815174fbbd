//! Rows that the target refuses: told by table, part and line, and nothing of them is kept.

use crate::support::{Database, Held, Pair, SOON, assert_equal, eventually, pgflit};

/// Copying `slow`, the biggest, waits while someone holds the advisory lock 7 on the target.
const TABLES: &str = "
    CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END $$;
    CREATE TABLE slow (id int PRIMARY KEY, body text, CHECK (gate()));
    CREATE TABLE checked (id int PRIMARY KEY, body text);
    CREATE TABLE other (id int PRIMARY KEY);
    INSERT INTO slow SELECT n, repeat('x', 100) FROM generate_series(1, 5000) n;
    INSERT INTO checked SELECT n, repeat('c', 100) FROM generate_series(1, 2000) n;
    INSERT INTO other SELECT generate_series(1, 10);";

#[test]
fn a_row_that_the_target_refuses_is_named_and_other_tables_go_on() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let options = "clone --table-jobs 1 --split-tables-larger-than 100kB";
    let run = pgflit(options).between(&pair).start();
    eventually(SOON, "the slow table is being copied", || {
        let copies = "SELECT count(*) FROM pg_stat_progress_copy";
        pair.target.number(copies) == 1
    });
    pair.target
        .sql("ALTER TABLE checked ADD CONSTRAINT low CHECK (id < 1990)");
    gate.commit();
    let refused = run.wait_for_exit().assert_code(7);
    refused
        .assert_stderr("copying public.checked part 4 of 4")
        .assert_stderr("violates check constraint \"low\"")
        .assert_stderr("COPY checked, line ");
    assert_eq!(pair.target.number("SELECT count(*) FROM other"), 10);
    let high = "SELECT count(*) FROM checked WHERE id >= 1990";
    assert_eq!(pair.target.number(high), 0);
    pair.target.sql("ALTER TABLE checked DROP CONSTRAINT low");
    pgflit("clone --resume --not-consistent --split-tables-larger-than 100kB")
        .between(&pair)
        .run()
        .assert_code(0);
    assert_equal(&pair.source, &pair.target);
}

/// A database of that encoding in a cluster of the pair.
fn encoded(database: &Database, name: &str, encoding: &str) {
    database.sql(&format!(
        "CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
    ));
}

#[test]
fn text_of_another_encoding_is_converted_exactly_or_refused_by_its_line() {
    // From, to, the text as bytes, and those that arrive; none if it is refused.
    let cases = [
        ("LATIN1", "UTF8", "e9", Some("c3a9")),
        ("UTF8", "LATIN1", "c3a9", Some("e9")),
        ("UTF8", "LATIN1", "e282ac", None),
        ("SQL_ASCII", "SQL_ASCII", "ff80", Some("ff80")),
        ("SQL_ASCII", "UTF8", "616263", Some("616263")),
        ("SQL_ASCII", "UTF8", "ff80", None),
    ];
    let pair = Pair::new();
    for (at, (from, to, bytes, arrived)) in cases.into_iter().enumerate() {
        let name = format!("case_{at}");
        encoded(&pair.source, &name, from);
        encoded(&pair.target, &name, to);
        let source = Database::of(&pair.source_cluster, &name);
        let target = Database::of(&pair.target_cluster, &name);
        source.sql(&format!(
            "CREATE TABLE t (id int, body text); INSERT INTO t VALUES (1, 'plain');
             INSERT INTO t VALUES (2, convert_from('\\x{bytes}', getdatabaseencoding()))"
        ));
        let run = pgflit("clone")
            .source(&source)
            .target(&target)
            .dir(pair.path(&name))
            .args(["--skip-check", "encoding"])
            .run();
        let read =
            "SELECT encode(convert_to(body, getdatabaseencoding()), 'hex') FROM t WHERE id = 2";
        match arrived {
            Some(expected) => {
                run.assert_code(0);
                assert_eq!(target.sql(read).trim(), expected, "{from} to {to}");
            }
            None => {
                run.assert_code(7)
                    .assert_stderr("copying public.t")
                    .assert_stderr("COPY t, line 2");
                assert_eq!(target.number("SELECT count(*) FROM t"), 0);
            }
        }
    }
}
