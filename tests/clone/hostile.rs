//! Settings of a database or a role that would change what is read, written or said.

use super::{Following, end_now};
use crate::support::{Database, Pair, Pgflit, assert_equal, pgflit};

/// Each of them would break something for a session that does not set it itself.
const HOSTILE: [(&str, &str); 27] = [
    ("search_path", "own, pg_catalog"),
    ("lock_timeout", "'1ms'"),
    ("idle_in_transaction_session_timeout", "'1ms'"),
    ("default_transaction_isolation", "serializable"),
    ("default_transaction_deferrable", "on"),
    ("row_security", "off"),
    ("standard_conforming_strings", "off"),
    ("escape_string_warning", "on"),
    ("backslash_quote", "off"),
    ("datestyle", "'SQL, DMY'"),
    ("timezone", "'Asia/Kolkata'"),
    ("intervalstyle", "sql_standard"),
    ("extra_float_digits", "-15"),
    ("bytea_output", "escape"),
    ("client_encoding", "LATIN1"),
    ("xmloption", "document"),
    ("transform_null_equals", "on"),
    ("array_nulls", "off"),
    ("quote_all_identifiers", "on"),
    ("session_replication_role", "replica"),
    ("client_min_messages", "error"),
    ("lc_monetary", "'C.UTF-8'"),
    ("default_tablespace", "pg_global"),
    ("synchronous_commit", "off"),
    ("check_function_bodies", "on"),
    ("default_transaction_read_only", "on"),
    ("statement_timeout", "'1ms'"),
];

/// Values, and definitions, that such settings change.
const TABLES: &str = r"
    CREATE TABLE every (id int PRIMARY KEY, day date, at timestamptz, span interval, f float8,
        raw bytea, list text[], page text, cash money, line text DEFAULT E'a\\b''c');
    CREATE TABLE child (id int REFERENCES every, doc json);
    CREATE INDEX by_line ON every (line) WHERE line <> E'\\';
    CREATE VIEW seen AS SELECT e.id FROM every e JOIN child c ON e.id = c.id WHERE (e.line = NULL) IS NULL;
    CREATE FUNCTION said(text) RETURNS text LANGUAGE sql AS $$ SELECT 'it''s \ ' || $1 $$;
    CREATE POLICY few ON child USING (id > 5); ALTER TABLE child ENABLE ROW LEVEL SECURITY;
    ALTER TABLE child REPLICA IDENTITY FULL;
    SELECT lo_from_bytea(77, '\x00ff5c')";

fn row(id: i32) -> String {
    format!(
        r#"INSERT INTO every VALUES ({id}, '2026-02-03', '2026-02-03 04:05:06.789+00',
               '-1 year 2 mons -3 days 04:05:06.789', 0.1::float8 + 0.2, '\x005c27ff',
               '{{NULL,a,"NULL"}}', 'no <b>document</b>', '12.34', E'\\ ''é€😀''');
           INSERT INTO child VALUES ({id}, '[1e400]')"#
    )
}

/// A pair whose databases have all of these settings, and the role `mover` too. The role that the
/// test asks by has sane ones.
fn pair() -> Pair {
    let pair = Pair::new();
    pair.source.sql(TABLES);
    pair.source.sql(&row(1));
    // Not every server is built with XML.
    let xml = "ALTER TABLE every ALTER page TYPE xml USING page::xml";
    let _ = pair.source.try_sql(xml);
    for side in [&pair.source, &pair.target] {
        side.sql("CREATE ROLE boss SUPERUSER; CREATE ROLE mover LOGIN SUPERUSER");
        let mut script = String::new();
        for (name, value) in HOSTILE {
            let sane = side.sql(&format!("SHOW {name}"));
            let sane = match name {
                "search_path" => "public".to_owned(),
                _ => format!("'{sane}'"),
            };
            script += &format!(
                "ALTER ROLE mover SET {name} = {value};
                 ALTER DATABASE app SET {name} = {value};
                 ALTER ROLE postgres IN DATABASE app SET {name} = {sane};"
            );
        }
        side.sql(&script);
        side.sql("ALTER ROLE mover SET role = boss");
    }
    pair
}

fn as_mover(command: &str, pair: &Pair) -> Pgflit {
    let uri = |side: &Database| side.uri().replace("postgres@", "mover@");
    let command = pgflit(command).arg("--source").arg(uri(&pair.source));
    let command = command.arg("--target").arg(uri(&pair.target));
    command.dir(pair.dir())
}

#[test]
fn settings_of_databases_and_roles_change_nothing_of_a_copy() {
    let pair = pair();
    as_mover("clone --roles", &pair).run().assert_code(0);
    assert_equal(&pair.source, &pair.target);
    let settings = "SELECT setrole::regrole, setconfig FROM pg_db_role_setting ORDER BY 1, 2";
    assert_eq!(pair.source.sql(settings), pair.target.sql(settings));
}

#[test]
fn settings_of_databases_and_roles_change_nothing_of_what_follows() {
    let pair = pair();
    let run = as_mover("clone --follow", &pair).start();
    let following = Following { pair: &pair, run }.until_live();
    for id in 2..20 {
        pair.source.sql(&row(id));
    }
    pair.source.sql("UPDATE every SET cash = '-5.01', list = '{NULL}' WHERE id < 5; DELETE FROM child WHERE id = 3");
    let _ = end_now(&pair);
    following.run.wait_for_exit().assert_code(0);
    assert_equal(&pair.source, &pair.target);
}
