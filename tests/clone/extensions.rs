//! Extensions: which are made, in which version, and what of their tables is copied.

use super::Following;
use crate::support::{Database, Pair, assert_equal, pgflit};

/// An extension with tables of its own: `settings`, some of whose rows came with it, `details`,
/// which refers to it and is named first, and a sequence.
const TABLES: &str = "
    CREATE EXTENSION citext;
    CREATE TABLE settings (id int PRIMARY KEY, is_own bool, note text);
    CREATE TABLE details (setting int REFERENCES settings, note text);
    CREATE SEQUENCE numbers;
    INSERT INTO settings VALUES (1, true, 'came with it');
    ALTER EXTENSION citext ADD TABLE settings; ALTER EXTENSION citext ADD TABLE details;
    ALTER EXTENSION citext ADD SEQUENCE numbers;";

const MARK: &str = "
    UPDATE pg_extension
       SET extconfig = ARRAY['details'::regclass::oid, 'settings'::regclass, 'numbers'::regclass],
           extcondition = ARRAY['', 'WHERE NOT is_own', '']
     WHERE extname = 'citext'";

const CONTENTS: &str =
    "SELECT string_agg(s::text, ' ' ORDER BY id), (SELECT string_agg(d::text, ' ')
      FROM details d), (SELECT last_value FROM numbers) FROM settings s";

fn fill(source: &Database) {
    source.sql(TABLES);
    source.sql(MARK);
    source.sql(
        "INSERT INTO settings VALUES (2, false, 'the user''s'), (3, false, NULL);
         INSERT INTO details VALUES (2, 'x'), (3, 'y'); SELECT setval('numbers', 42);
         CREATE TABLE t (id int PRIMARY KEY, name citext); INSERT INTO t VALUES (1, 'A')",
    );
}

#[test]
fn rows_of_users_in_tables_of_extensions_are_copied_and_those_that_came_with_it_are_not() {
    let pair = Pair::new();
    fill(&pair.source);
    // As the extension's script makes them, with another row of its own and a stale one.
    pair.target.sql(TABLES);
    pair.target.sql(
        "UPDATE settings SET note = 'of the newer version' WHERE id = 1;
         INSERT INTO settings VALUES (2, false, 'made by the script')",
    );
    let run = pgflit("clone").between(&pair).run().assert_code(0);
    run.assert_stderr("copied 3 tables and sequences of extensions");
    let expected = pair.source.sql(CONTENTS);
    let expected = expected.replace("came with it", "of the newer version");
    assert_eq!(pair.target.sql(CONTENTS), expected);
}

#[test]
fn rows_of_users_that_change_while_following_are_copied_at_the_end() {
    let pair = Pair::new();
    fill(&pair.source);
    pair.target.sql(TABLES);
    let following = Following::start(&pair).until_live();
    pair.source.sql(
        "DELETE FROM details WHERE setting = 3; DELETE FROM settings WHERE id = 3;
         UPDATE settings SET note = 'changed' WHERE id = 2; SELECT nextval('numbers')",
    );
    following.end_equal();
    assert_eq!(pair.target.sql(CONTENTS), pair.source.sql(CONTENTS));
}

#[test]
fn extensions_are_made_in_the_versions_that_are_required() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE SCHEMA \"Odd one\"; CREATE EXTENSION citext WITH SCHEMA \"Odd one\";
         CREATE EXTENSION \"uuid-ossp\"; CREATE EXTENSION cube; CREATE EXTENSION earthdistance;
         CREATE TABLE t (id int PRIMARY KEY, name \"Odd one\".citext)",
    );
    let file = pair.path("requirements.json");
    let write = |text: &str| std::fs::write(&file, text).expect("a file");
    let clone = |options: &str| {
        let clone = pgflit(options).between(&pair);
        clone.arg("--requirements").arg(&file).run()
    };
    write("[{\"name\": \"citext\"}]");
    clone("clone").assert_code(1).assert_stderr("version");
    write("[{\"name\": \"citext\", \"version\": \"0.1\"}]");
    let refused = clone("clone").assert_code(7);
    refused.assert_stderr("not available on the target: citext 0.1");
    write(
        "[{\"name\": \"citext\", \"version\": \"1.5\"}, {\"name\": \"cube\", \"version\": \"1.4\"},
          {\"name\": \"not_on_the_source\", \"version\": \"1\"}]",
    );
    clone("clone --restart").assert_code(0);
    let versions = "SELECT string_agg(extname || ' ' || extversion, ', ' ORDER BY extname)
                      FROM pg_extension WHERE extname IN ('citext', 'cube')";
    assert_eq!(pair.target.sql(versions), "citext 1.5, cube 1.4");
    for side in [&pair.source, &pair.target] {
        side.sql("ALTER EXTENSION citext UPDATE; ALTER EXTENSION cube UPDATE");
    }
    assert_equal(&pair.source, &pair.target);
}

#[test]
fn extensions_that_the_target_lacks_are_told_together_and_may_be_left_out() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE EXTENSION cube; CREATE EXTENSION tcn; CREATE EXTENSION pg_trgm;
         COMMENT ON EXTENSION pg_trgm IS 'another';
         UPDATE pg_extension SET extname = 'not here' WHERE extname = 'cube';
         UPDATE pg_extension SET extname = 'nor this' WHERE extname = 'tcn';
         CREATE TABLE t (id int PRIMARY KEY)",
    );
    let refused = pgflit("clone").between(&pair).run().assert_code(7);
    refused
        .assert_stderr("not available on the target: nor this, not here")
        .assert_stderr("--skip-extensions");
    let relations = "SELECT count(*) FROM pg_class WHERE relname = 't'";
    assert_eq!(pair.target.number(relations), 0);
    let run = pgflit("clone --restart --skip-extensions").between(&pair);
    run.run().assert_code(0);
    let made = "SELECT string_agg(extname, ' ') FROM pg_extension";
    assert_eq!(pair.target.sql(made), "plpgsql");
}
