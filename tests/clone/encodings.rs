//! Databases of other encodings than UTF-8: converted, kept as bytes, or refused by table and line.

use crate::support::{Database, Pair, pgflit};

/// A database of `encoding` on either side.
fn databases(pair: &Pair, source: &str, target: &str) -> (Database, Database) {
    let make = |cluster, encoding: &str| {
        Database::of(cluster, "postgres").sql(&format!(
            "CREATE DATABASE other ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
        ));
        Database::of(cluster, "other")
    };
    (
        make(&pair.source_cluster, source),
        make(&pair.target_cluster, target),
    )
}

#[test]
fn latin_rows_and_names_arrive_in_utf8() {
    let pair = Pair::new();
    let (source, target) = databases(&pair, "LATIN1", "UTF8");
    source.sql(
        r#"SET client_encoding = 'UTF8';
           CREATE TABLE "Straße" (id int PRIMARY KEY, "Größe" text);
           INSERT INTO "Straße" VALUES (1, 'Grüße'), (2, 'naïve')"#,
    );
    let run = pgflit("clone").source(&source).target(&target);
    run.dir(pair.dir()).run().assert_code(0);
    let found = target.sql(r#"SELECT string_agg("Größe", ',' ORDER BY id) FROM "Straße""#);
    assert_eq!(found, "Grüße,naïve");
}

#[test]
fn bytes_of_no_known_encoding_are_kept_or_refused_and_never_taken_for_text() {
    let pair = Pair::new();
    let (source, target) = databases(&pair, "SQL_ASCII", "UTF8");
    source.sql(
        r"CREATE TABLE bad (id int, v text); INSERT INTO bad VALUES (1, 'ok'), (2, E'\xff');
          CREATE TABLE good (v text); INSERT INTO good VALUES ('ok')",
    );
    let clone = |command: &str, dir: &str| {
        let run = pgflit(command).source(&source).target(&target);
        run.dir(pair.path(dir)).run()
    };
    let refused = clone("clone", "work").assert_code(7);
    refused
        .assert_stderr("public.bad")
        .assert_stderr("invalid byte sequence for encoding \"UTF8\": 0xff")
        .assert_stderr("line 2");
    assert_eq!(
        target.number("SELECT count(*) FROM good"),
        1,
        "others go on"
    );
    assert_eq!(target.number("SELECT count(*) FROM bad"), 0);
    source.sql("UPDATE bad SET v = 'mended' WHERE id = 2");
    clone("clone --resume --not-consistent", "work").assert_code(0);
    assert_eq!(target.number("SELECT count(*) FROM bad"), 2);

    let same = Database::of(&pair.target_cluster, "postgres");
    same.sql("CREATE DATABASE same ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
    let same = Database::of(&pair.target_cluster, "same");
    source.sql(r"UPDATE bad SET v = E'\xff' WHERE id = 2");
    let run = pgflit("clone").source(&source).target(&same);
    run.dir(pair.path("same")).run().assert_code(0);
    assert_eq!(same.sql("SELECT v::bytea FROM bad WHERE id = 2"), r"\xff");
}

#[test]
fn a_character_that_the_target_has_not_is_named_by_table_and_line() {
    let pair = Pair::new();
    let (source, target) = databases(&pair, "UTF8", "LATIN1");
    source.sql("CREATE TABLE prices (v text); INSERT INTO prices VALUES ('5 Pfund'), ('5 €')");
    let clone = || {
        pgflit("clone")
            .source(&source)
            .target(&target)
            .dir(pair.dir())
    };
    // Before anything is made, it is only known that there may be such.
    let refused = clone().run().assert_code(1);
    refused.assert_stderr("the check encoding fails: the target's encoding, LATIN1");
    let refused = clone()
        .args(["--skip-check", "encoding"])
        .run()
        .assert_code(7);
    refused
        .assert_stderr("public.prices")
        .assert_stderr("has no equivalent in encoding \"LATIN1\"")
        .assert_stderr("line 2");
}
