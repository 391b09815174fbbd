//! Servers that cannot be used, or not for this.

use pgflit::worker::cluster::StopMode;

use super::{assert_nothing_is_left, assert_refused, assert_refused_cleanly, clone};
use crate::support::{Database, Pair, pgflit};

#[test]
fn a_server_that_cannot_be_used_is_named_with_its_side() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE ROLE guarded LOGIN PASSWORD 'right-sekret';
         CREATE TABLE orders (id int PRIMARY KEY)",
    );
    let nobody = "postgresql://postgres@127.0.0.1:1/app";
    let unknown = "postgresql://postgres@nohost.invalid/app";
    let absent = |uri: &str| uri.replace("/app", "/nowhere");
    let from = |uri: &str| {
        let clone = pgflit("clone").follow().dir(pair.dir());
        clone.arg("--source").arg(uri).target(&pair.target)
    };
    let to = |uri: &str| {
        let clone = pgflit("clone").follow().dir(pair.dir());
        clone.source(&pair.source).arg("--target").arg(uri)
    };
    for (uri, texts) in [
        (nobody.to_owned(), ["127.0.0.1:1", "Connection refused"]),
        (unknown.to_owned(), ["nohost.invalid", "host name"]),
        (
            absent(pair.source.uri()),
            ["\"nowhere\" does not exist", "create the database"],
        ),
    ] {
        let texts = ["connecting to the source", texts[0], texts[1]];
        assert_refused_cleanly(&pair, from(&uri), 6, &texts);
    }
    for (uri, texts) in [
        (nobody.to_owned(), ["127.0.0.1:1", "Connection refused"]),
        (unknown.to_owned(), ["nohost.invalid", "host name"]),
        (
            absent(pair.target.uri()),
            ["\"nowhere\" does not exist", "create the database"],
        ),
    ] {
        let texts = ["connecting to the target", texts[0], texts[1]];
        assert_refused_cleanly(&pair, to(&uri), 7, &texts);
    }

    let rules = pair.source_cluster.data().join("pg_hba.conf");
    let trusting = std::fs::read_to_string(&rules).expect("pg_hba.conf");
    let guarded = format!("host all guarded 127.0.0.1/32 scram-sha-256\n{trusting}");
    std::fs::write(&rules, guarded).expect("pg_hba.conf");
    pair.source.sql("SELECT pg_reload_conf()");
    let port = pair.source_cluster.port();
    let wrong = format!("postgresql://guarded:wrong-sekret@127.0.0.1:{port}/app");
    crate::support::eventually(crate::support::SOON, "the rules are read", || {
        !from(&wrong).run().stderr.contains("may not replicate")
    });
    let texts = [
        "connecting to the source",
        "password authentication failed",
        "PGPASSWORD",
    ];
    let refused = assert_refused_cleanly(&pair, from(&wrong), 6, &texts);
    assert!(!refused.stderr.contains("sekret"), "{}", refused.stderr);
    let without = format!("postgresql://guarded@127.0.0.1:{port}/app");
    let home = from(&without).env("HOME", "/nonexistent");
    assert_refused_cleanly(&pair, home, 6, &["connecting to the source", "password"]);
}

#[test]
fn databases_that_cannot_be_a_source_or_a_target_are_refused() {
    let mut pair = Pair::new();
    let itself = || pgflit("clone").dir(pair.dir()).source(&pair.source);
    let same = ["are the same database", "--target"];
    assert_refused_cleanly(&pair, itself().target(&pair.source), 1, &same);
    let socket = pair.source_cluster.socket_uri("app");
    let by_socket = itself().follow().arg("--target").arg(socket);
    assert_refused_cleanly(&pair, by_socket, 1, &same);

    for side in [&pair.source, &pair.target] {
        side.sql("SELECT lo_from_bytea(4711, 'x')");
    }
    let texts = ["4711", "--drop-if-exists"];
    assert_refused_cleanly(&pair, clone(&pair).follow(), 7, &texts);
    for side in [&pair.source, &pair.target] {
        side.sql("SELECT lo_unlink(4711)");
    }

    pair.target.sql("CREATE TABLE here (id int)");
    let filled = clone(&pair).follow();
    assert_refused(
        filled,
        7,
        &["not empty", "public.here", "an empty database"],
    );
    pair.target.sql("DROP TABLE here");
    assert_nothing_is_left(&pair);

    for (is_source, code, text) in [
        (false, 7, "the target is a standby"),
        (true, 6, "the source is a standby"),
    ] {
        let cluster = match is_source {
            true => &mut pair.source_cluster,
            false => &mut pair.target_cluster,
        };
        let signal = cluster.data().join("standby.signal");
        std::fs::write(&signal, "").expect("a file");
        cluster.restart(StopMode::Fast).expect("a standby");
        let texts = [text, "target_session_attrs=read-write"];
        assert_refused_cleanly(&pair, clone(&pair).follow(), code, &texts);
        std::fs::remove_file(&signal).expect("the file");
        let cluster = match is_source {
            true => &mut pair.source_cluster,
            false => &mut pair.target_cluster,
        };
        cluster.restart(StopMode::Fast).expect("a primary");
    }
}

#[test]
fn rows_that_may_not_be_read_are_refused_before_anything_is_made() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE ROLE reader LOGIN REPLICATION; GRANT CREATE ON DATABASE app TO reader;
         CREATE TABLE open (id int PRIMARY KEY); GRANT SELECT ON open TO reader;
         CREATE TABLE secret (id int PRIMARY KEY)",
    );
    let reader = Database::of_user(&pair.source_cluster, "app", "reader");
    let copy = || {
        let clone = pgflit("clone").follow().dir(pair.dir());
        clone.source(&reader).target(&pair.target)
    };
    let texts = ["may not read 1 tables", "public.secret first", "GRANT"];
    assert_refused_cleanly(&pair, copy(), 6, &texts);
    pair.source
        .sql("GRANT SELECT ON secret TO reader; ALTER TABLE secret ENABLE ROW LEVEL SECURITY");
    let texts = [
        "row security hides rows of 1 tables",
        "public.secret",
        "BYPASSRLS",
    ];
    assert_refused_cleanly(&pair, copy(), 6, &texts);
}

#[test]
fn client_programs_that_are_missing_or_too_old_are_refused() {
    use std::os::unix::fs::PermissionsExt;
    let pair = Pair::new();
    let with = |program: &str| clone(&pair).follow().env("PG_CONFIG", program);
    let missing = with("/nonexistent/pg_config");
    let texts = [
        "pg_dump and pg_restore were not found",
        "/nonexistent/pg_config",
    ];
    assert_refused_cleanly(&pair, missing, 1, &texts);

    let folder = pair.path("old");
    std::fs::create_dir(&folder).expect("a folder");
    let script = |name: &str, line: &str| {
        let path = folder.join(name);
        std::fs::write(&path, format!("#!/bin/sh\necho '{line}'\n")).expect("a script");
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&path, executable).expect("a script");
        path
    };
    script("pg_dump", "pg_dump (PostgreSQL) 9.6");
    script("pg_restore", "pg_restore (PostgreSQL) 9.6");
    let pg_config = script("pg_config", &folder.display().to_string());
    let old = with(&pg_config.display().to_string());
    let texts = ["pg_dump 9 is older than the source", "PG_CONFIG"];
    assert_refused_cleanly(&pair, old, 1, &texts);
}

#[test]
fn a_role_that_the_target_lacks_ends_the_copy_and_a_resume_without_owners_goes_on() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE ROLE shopkeeper;
         CREATE TABLE orders (id int PRIMARY KEY);
         INSERT INTO orders SELECT generate_series(1, 10);
         ALTER TABLE orders OWNER TO shopkeeper",
    );
    let texts = [
        "these roles are not on the target: shopkeeper",
        "--no-owner",
    ];
    let knowing_better = clone(&pair).follow().args(["--skip-check", "roles"]);
    assert_refused(knowing_better, 7, &texts);
    let end = pair.source.sql("SELECT pg_current_wal_insert_lsn()");
    let resumed = clone(&pair).follow().resume().arg("--no-owner");
    resumed.args(["--endpos", &end]).run().assert_code(0);
    assert_eq!(pair.target.number("SELECT count(*) FROM orders"), 10);
}
