//! PostgreSQL's own regression database, which holds what its developers could think of.
//!
//! It needs the network and minutes, so it is made only where `PGFLIT_REGRESSION` is set, as
//! `make test-regression` does.

use std::path::Path;
use std::process::Command;

use super::torture::{dumped, only_in_one};
use crate::support::{Database, Pair, pgflit};

const DATABASE: &str = "regression";

#[test]
fn postgresqls_own_regression_database_is_cloned() {
    if std::env::var_os("PGFLIT_REGRESSION").is_none() {
        return;
    }
    let pair = Pair::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/regression-database");
    let made = Command::new(script)
        .arg(pair.source_cluster.port().to_string())
        .status()
        .expect("the script runs");
    assert!(made.success());
    let of = |cluster| Database::of(cluster, DATABASE);
    let (source, target) = (of(&pair.source_cluster), of(&pair.target_cluster));
    let roles = source.sql(
        "SELECT format('CREATE ROLE %I;', rolname) FROM pg_roles
          WHERE rolname !~ '^pg_' AND rolname <> current_user",
    );
    pair.target.sql(&roles);
    let settings = source.sql("SELECT datcollate FROM pg_database WHERE datname = 'regression'");
    pair.target.sql(&format!(
        "CREATE DATABASE {DATABASE} TEMPLATE template0 LC_COLLATE '{settings}' LC_CTYPE '{settings}'"
    ));
    let clone = pgflit("clone")
        .source(&source)
        .target(&target)
        .dir(pair.dir())
        .run();
    clone.assert_code(0);
    // What psql makes of pg_dump's output is the measure: some of it never comes back the same,
    // such as the order of inherited columns.
    let by_hand = Database::of(&pair.target_cluster, "by_hand");
    pair.target.sql(&format!(
        "CREATE DATABASE by_hand TEMPLATE template0 LC_COLLATE '{settings}' LC_CTYPE '{settings}'"
    ));
    let dump = pair.path("dump.sql");
    let ran = |command: &mut Command| assert!(command.status().expect("it runs").success());
    ran(source
        .program("pg_dump")
        .args(["-d", source.uri(), "--no-blobs", "--file"])
        .arg(&dump));
    ran(by_hand
        .program("psql")
        .args(["-X", "-q", "-d", by_hand.uri(), "--output=/dev/null", "-f"])
        .arg(&dump));
    let ours = only_in_one(&dumped(&source), &dumped(&target));
    let theirs = only_in_one(&dumped(&source), &dumped(&by_hand));
    eprintln!(
        "pg_dump prints otherwise, by us and by psql:\n{}",
        ours.join("\n")
    );
    assert_eq!(ours, theirs);
    let [left, right] = [&source, &target].map(digests);
    assert!(left.lines().count() > 300);
    assert_eq!(only_in_one(&left, &right), Vec::<String>::new());
}

/// For each table its rows' number and a sum of their digests, the columns in the order of their
/// names.
fn digests(database: &Database) -> String {
    let queries = database.sql(
        "SET search_path = pg_catalog;
         SELECT format('SELECT %L, count(*), sum((''x'' || substr(md5(ROW(%s)::text), 1, 15))
                          ::bit(60)::bigint::numeric) FROM ONLY %s AS t;',
                       c.oid::regclass,
                       (SELECT string_agg(format('t.%I', a.attname), ', ' ORDER BY a.attname)
                          FROM pg_attribute a
                         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
                       c.oid::regclass)
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind = 'r' AND c.relpersistence <> 't'
            AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          ORDER BY c.oid::regclass::text",
    );
    database.sql(&format!("SET search_path = pg_catalog; {queries}"))
}
