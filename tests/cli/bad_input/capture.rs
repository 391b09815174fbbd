//! What change capture needs of the source.

use std::process::Stdio;

use nix::sys::signal::Signal;
use pgflit::worker::cluster::StopMode;

use super::{assert_nothing_is_left, assert_refused, assert_refused_cleanly, clone};
use crate::support::{Pair, SOON, eventually, pgflit, source_options, target_options};

#[test]
fn a_source_that_cannot_be_captured_is_refused_before_anything_is_made() {
    let few = source_options().setting("max_replication_slots", "1");
    let mut pair = Pair::with(few, target_options());
    let follow = || clone(&pair).follow();
    pair.source.sql("CREATE TABLE orders (id int PRIMARY KEY)");
    let texts = ["endpos 0/1 is before", "--current"];
    assert_refused_cleanly(&pair, follow().args(["--endpos", "0/1"]), 1, &texts);
    let setup = pgflit("stream setup").between(&pair);
    assert_refused_cleanly(&pair, setup.args(["--endpos", "0/1"]), 1, &texts);

    pair.target.sql("CREATE ROLE clerk");
    pair.source.sql("CREATE ROLE clerk LOGIN");
    let as_clerk = pair.source.uri().replace("//postgres@", "//clerk@");
    assert_ne!(as_clerk, pair.source.uri());
    let by_clerk = pgflit("clone")
        .follow()
        .dir(pair.dir())
        .target(&pair.target);
    let texts = [
        "role \"clerk\" may not replicate",
        "ALTER ROLE",
        "REPLICATION",
    ];
    assert_refused_cleanly(&pair, by_clerk.arg("--source").arg(&as_clerk), 6, &texts);

    // It may replicate and read, but not publish a table of somebody else: looked for before anything is
    // made, or found out after the work directory was made.
    pair.source
        .sql("ALTER ROLE clerk REPLICATION; GRANT SELECT ON orders TO clerk");
    let by_clerk = |skipped: &[&str]| {
        let clone = pgflit("clone")
            .follow()
            .dir(pair.dir())
            .target(&pair.target);
        let clone = clone.arg("--source").arg(&as_clerk);
        let skip = |id: &&str| format!("--skip-check={id}");
        clone.args(skipped.iter().map(skip))
    };
    let texts = ["the check publish fails: clerk may not"];
    assert_refused_cleanly(&pair, by_clerk(&[]), 6, &texts);
    let texts = ["making the publication", "grant the privilege"];
    assert_refused_cleanly(&pair, by_clerk(&["publish"]), 6, &texts);

    pair.source
        .sql("CREATE PUBLICATION pgflit FOR TABLE orders");
    assert_refused(
        follow(),
        6,
        &["publication \"pgflit\" exists", "--publication"],
    );
    assert_eq!(
        pair.source
            .sql("SELECT tablename FROM pg_publication_tables"),
        "orders",
        "somebody else's publication is as it was"
    );
    pair.source.sql("DROP PUBLICATION pgflit");

    pair.source
        .sql("SELECT pg_create_physical_replication_slot('theirs')");
    let texts = ["all 1 replication slots", "max_replication_slots"];
    assert_refused(follow(), 6, &texts);
    let taken = follow().args(["--slot-name", "theirs"]);
    assert_refused(taken, 6, &["\"theirs\" exists", "--slot-name"]);
    pair.source.sql("SELECT pg_drop_replication_slot('theirs')");
    assert_nothing_is_left(&pair);

    // The one for inserts only would be cut short, and found by nobody.
    let long = follow().args(["--publication", &"p".repeat(57)]);
    assert_refused_cleanly(&pair, long, 1, &["is too long", "at most 55 bytes"]);

    let zebra = follow().args(["--slot-name", "no-slot"]);
    assert_refused_cleanly(&pair, zebra, 6, &["no-slot"]);

    pair.source_cluster.set("wal_level", "replica");
    pair.source_cluster
        .restart(StopMode::Fast)
        .expect("a restart");
    let texts = [
        "wal_level = replica",
        "ALTER SYSTEM SET wal_level = logical",
    ];
    assert_refused_cleanly(&pair, clone(&pair).follow(), 6, &texts);
}

#[test]
fn waiting_for_a_transaction_names_it_and_ends_at_once_when_asked() {
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE orders (id int PRIMARY KEY)");
    let mut idle = pair
        .source
        .program("psql")
        .args(["-X", "-q", "-d", pair.source.uri()])
        .env("PGAPPNAME", "forgotten")
        .stdin(Stdio::piped())
        .spawn()
        .expect("psql");
    let stdin = idle.stdin.as_mut().expect("stdin is a pipe");
    std::io::Write::write_all(stdin, b"BEGIN; INSERT INTO orders VALUES (1);\n").expect("psql");
    eventually(SOON, "the transaction has a number", || {
        let idle = "SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL";
        pair.source.number(idle) == 1
    });
    for command in ["clone --follow", "stream setup"] {
        let run = pgflit(command).between(&pair).start();
        run.wait_for_stderr("still waits for a transaction to end");
        assert!(run.stderr_contains("forgotten, idle in transaction"));
        run.signal(Signal::SIGINT);
        run.wait_for_exit_within(SOON).assert_code(9);
        assert_nothing_is_left(&pair);
    }
    // Killed, it can take nothing back; a cleanup does.
    let run = clone(&pair).follow().start();
    run.wait_for_stderr("this waits for running transactions");
    eventually(SOON, "the slot is being made", || {
        pair.source
            .number("SELECT count(*) FROM pg_replication_slots")
            == 1
    });
    run.signal(Signal::SIGKILL);
    drop(run.wait_for_exit_within(SOON));
    pgflit("stream cleanup").between(&pair).run().assert_code(0);
    super::assert_source_is_clean(&pair.source);
    idle.kill().expect("psql");
    idle.wait().expect("psql");
}
