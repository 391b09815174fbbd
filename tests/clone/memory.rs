//! How much memory a copy takes: a fixed amount, however large a value is.

use crate::support::{Held, Pair, pgflit};

/// What a copy may take, in bytes: none of the values would fit in.
const MEMORY_MAX: u64 = 60_000_000;

/// `document` goes in binary; `parted`, which has a type of the user's, as text and in parts.
/// Copying `held`, which comes last, waits on the target while someone holds the lock 7 there.
const TABLES: &str = r"
    CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END $$;
    CREATE TABLE held (id int, CHECK (gate()));
    INSERT INTO held VALUES (1);
    CREATE TABLE document (id int PRIMARY KEY, body bytea);
    ALTER TABLE document ALTER body SET STORAGE EXTERNAL;
    INSERT INTO document VALUES (1, convert_to(repeat('0123456789abcdef', 12500000), 'UTF8'));
    CREATE TYPE own AS (a int, b text);
    CREATE TABLE parted (id int PRIMARY KEY, own own, body text, doc jsonb);
    ALTER TABLE parted ALTER body SET STORAGE EXTERNAL, ALTER doc SET STORAGE EXTERNAL;
    INSERT INTO parted
    SELECT n, (1, 'b')::own, CASE n WHEN 2 THEN repeat(E'0123456789abcde\t', 4 << 20) ELSE repeat('p', 100) END,
           CASE n WHEN 4000 THEN to_jsonb(repeat(E'0123456789abcde\\', 4 << 20)) ELSE '[]' END
      FROM generate_series(1, 5000) n;";

/// A whole row as text would take PostgreSQL ten times as long.
const DIGESTS: [&str; 2] = [
    "SELECT id, md5(body) FROM document",
    "SELECT md5(string_agg(concat(id, own, md5(body), md5(doc::text)), ',' ORDER BY id)) FROM parted",
];

#[test]
fn values_of_hundreds_of_megabytes_pass_through_a_bounded_memory() {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let run = pgflit("clone --split-at")
        .arg("60 MB")
        .between(&pair)
        .start();
    run.wait_for_stderr("copied public.document: 1 rows");
    for part in 1..=3 {
        run.wait_for_stderr(&format!("copied public.parted part {part} of 3"));
    }
    let peak = run.peak_memory();
    assert!(peak < MEMORY_MAX, "{peak} bytes");
    gate.commit();
    run.wait_for_exit().assert_code(0);
    for digest in DIGESTS {
        assert_eq!(pair.source.rows(digest), pair.target.rows(digest));
    }
}
