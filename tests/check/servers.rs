//! Servers that are set up otherwise, and those that cannot be looked at.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use pgflit::worker::cluster::StopMode;

use super::{Line, check, complaints, lines, major, sound_pair};
use crate::support::{Finished, Pair, pgflit, source_options, target_options};

fn assert_line(finished: &Finished, (status, place, id, text): (&str, &str, &str, &str)) {
    let lines = lines(finished);
    let is_it = |line: &&Line| {
        line.status == status && line.place == place && line.id == id && line.text.contains(text)
    };
    assert!(
        lines.iter().any(|line| is_it(&line)),
        "no {status} {place} {id} {text:?} in\n{}{}",
        finished.stdout,
        finished.stderr
    );
}

#[test]
fn what_is_set_for_whole_servers_has_its_line() {
    let source = source_options()
        .setting("wal_level", "replica")
        .setting("max_wal_senders", "0")
        .setting("max_replication_slots", "1")
        .setting("max_slot_wal_keep_size", "1GB")
        .setting("max_connections", "13")
        .setting("max_worker_processes", "2")
        .setting("autovacuum_max_workers", "1")
        .setting("max_locks_per_transaction", "10")
        .setting("shared_preload_libraries", "pg_stat_statements");
    let target = target_options()
        .setting("wal_level", "replica")
        .setting("max_connections", "12");
    let pair = Pair::with(source, target);
    pair.source
        .sql("SELECT pg_create_physical_replication_slot('only')");
    for schema in ["a", "b", "c"] {
        pair.source.sql(&format!(
            "CREATE SCHEMA {schema};
             SELECT format('CREATE TABLE {schema}.t%s (id int PRIMARY KEY)', n)
               FROM generate_series(1, 70) n \\gexec"
        ));
    }
    let finished = check(&pair).run().assert_code(3);
    for line in [
        ("FAIL", "source", "wal-level", "wal_level = replica"),
        ("FAIL", "source", "slots", "all 1 replication slots"),
        ("FAIL", "source", "wal-senders", "all 0 WAL senders"),
        ("WARN", "source", "slot-wal-limit", "1.0 GB"),
        (
            "WARN",
            "source",
            "locks",
            "pg_dump locks 210 tables at once",
        ),
        ("WARN", "source", "connections", "connections are free"),
        ("WARN", "target", "connections", "connections are free"),
        ("WARN", "target", "wal-level", "no way back"),
        (
            "WARN",
            "target",
            "durability",
            "fsync and full_page_writes are off",
        ),
        ("WARN", "target", "capacity", "max_connections (12, not 13)"),
        ("WARN", "target", "preload", "pg_stat_statements"),
        ("WARN", "source", "other-slots", "only"),
    ] {
        assert_line(&finished, line);
    }
    // A copy alone needs neither slot nor sender.
    let copy = pgflit("check").between(&pair).run().assert_code(0);
    let lines = lines(&copy);
    let found = complaints(&lines);
    for id in [
        "wal-level",
        "slots",
        "wal-senders",
        "slot-wal-limit",
        "other-slots",
    ] {
        assert!(!found.contains(&id), "{}", copy.stdout);
    }
    // What follows from fewer jobs.
    let few = [
        "--table-jobs",
        "1",
        "--index-jobs",
        "1",
        "--large-objects-jobs",
        "1",
    ];
    let few = pgflit("check")
        .between(&pair)
        .args(few)
        .run()
        .assert_code(0);
    assert_line(&few, ("PASS", "source", "connections", "free"));
}

#[test]
fn a_database_is_not_moved_to_itself_nor_to_a_standby() {
    let mut pair = sound_pair();
    let itself = pgflit("check").source(&pair.source).target(&pair.source);
    let itself = itself.dir(pair.dir()).run().assert_code(3);
    assert_line(&itself, ("FAIL", "both", "distinct", "the same database"));

    for (is_source, line) in [
        (true, ("FAIL", "source", "primary", "is a standby")),
        (false, ("FAIL", "target", "primary", "is a standby")),
    ] {
        let cluster = match is_source {
            true => &mut pair.source_cluster,
            false => &mut pair.target_cluster,
        };
        let signal = cluster.data().join("standby.signal");
        std::fs::write(&signal, "").expect("a file");
        cluster.restart(StopMode::Fast).expect("a standby");
        assert_line(&check(&pair).run().assert_code(3), line);
        if is_source {
            let copy = pgflit("check").between(&pair).run().assert_code(0);
            assert_line(&copy, ("WARN", "source", "primary", "is a standby"));
        }
        std::fs::remove_file(&signal).expect("the file");
        let cluster = match is_source {
            true => &mut pair.source_cluster,
            false => &mut pair.target_cluster,
        };
        cluster.restart(StopMode::Fast).expect("a primary");
    }
}

#[test]
fn what_is_wrong_on_this_machine_has_its_line() {
    let pair = sound_pair();
    let without = check(&pair).env("PG_CONFIG", "/nonexistent/pg_config");
    let line = ("FAIL", "here", "client-programs", "were not found");
    assert_line(&without.run().assert_code(3), line);

    std::fs::create_dir(pair.dir()).expect("a folder");
    std::fs::write(pair.dir().join("pgflit.db"), "").expect("a file");
    let line = ("FAIL", "here", "work-dir", "holds a migration already");
    assert_line(&check(&pair).run().assert_code(3), line);
}

#[test]
fn a_server_that_cannot_be_reached_ends_with_its_code_and_the_other_is_told_of() {
    let pair = sound_pair();
    let nobody = "postgresql://postgres@127.0.0.1:1/app";
    let alone = pgflit("check").source(&pair.source).dir(pair.dir());
    let alone = alone.args(["--target", nobody]).run().assert_code(7);
    assert_line(&alone, ("PASS", "source", "version", "PostgreSQL"));
    let alone = alone.assert_stderr("connecting to the target");
    alone.assert_stderr("Connection refused");
    let neither = pgflit("check").args(["--source", nobody, "--target", nobody]);
    let neither = neither.dir(pair.dir()).run().assert_code(6);
    let neither = neither.assert_stderr("connecting to the source");
    neither.assert_stderr("connecting to the target");
    let json = pgflit("check").source(&pair.source).dir(pair.dir());
    let json = json
        .args(["--target", nobody, "--json"])
        .run()
        .assert_code(7);
    let value: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(value["complete"], false);
}

/// Lets one connection after the other through to `port`, and has the server say that it is of another
/// version. The thread ends with the test's process.
fn of_version(port: u16, version: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let own = listener.local_addr().expect("a port").port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(("127.0.0.1", port)).expect("the server");
            let both = |from: &TcpStream, to: &TcpStream| {
                (
                    from.try_clone().expect("a socket"),
                    to.try_clone().expect("a socket"),
                )
            };
            let (mut from, mut to) = both(&client, &server);
            thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(std::net::Shutdown::Both);
            });
            let (mut from, mut to) = both(&server, &client);
            thread::spawn(move || {
                let mut buffer = vec![0; 1 << 16];
                while let Ok(count @ 1..) = from.read(&mut buffer) {
                    let read = &mut buffer[..count];
                    const NAME: &[u8] = b"server_version\0";
                    let found = read.windows(NAME.len()).position(|at| at == NAME);
                    if let Some(at) = found {
                        let at = at + NAME.len();
                        let length = read[at..].iter().position(|byte| *byte == 0);
                        // As long as what it said, so that no length changes.
                        let said = &mut read[at..at + length.expect("an end")];
                        said.fill(b' ');
                        said[..version.len()].copy_from_slice(version.as_bytes());
                    }
                    if to.write_all(read).is_err() {
                        break;
                    }
                }
            });
        }
    });
    own
}

#[test]
fn a_version_that_is_not_supported_is_said_and_nothing_else_is_asked_there() {
    let pair = sound_pair();
    let (source, target) = (pair.source_cluster.port(), pair.target_cluster.port());
    for (version, status, code, text) in [
        ("9.6.2", "FAIL", 3, "PostgreSQL 9.6 is not supported"),
        ("8.4", "FAIL", 3, "is not supported"),
        ("42.1", "WARN", 0, "is newer than this pgflit"),
    ] {
        // Nobody fits a version of 42 but its own pg_dump.
        let old = pair.source.at_port(source, of_version(source, version));
        let checked = pgflit("check").source(&old).target(&pair.target);
        let checked = checked.dir(pair.dir()).run();
        if code == 3 {
            assert_eq!(checked.code(), Some(3), "{}", checked.stdout);
            assert!(
                !checked.stdout.contains("read-tables"),
                "{}",
                checked.stdout
            );
        }
        assert_line(&checked, (status, "source", "version", text));
    }
    let before = major(&pair.source) - 1;
    let version = format!("{before}.2").leak();
    let old = pair.target.at_port(target, of_version(target, version));
    let older = pgflit("check").source(&pair.source).target(&old);
    let older = older.dir(pair.dir()).run().assert_code(0);
    let text = format!("the target is older ({before})");
    assert_line(&older, ("WARN", "both", "version-order", &text));
}
