//! A slot, a publication or a position that is not what it was: each is told with what to do, and
//! nothing is lost in silence.

use std::process::{Child, Stdio};

use nix::sys::signal::Signal;

use super::end_now;
use super::following::LIVE;
use crate::support::{
    Finished, Pair, Run, SOON, eventually, pgflit, source_options, target_options,
};

/// A migration that has gone live and was stopped.
fn stopped(source_settings: &[(&str, &str)]) -> Pair {
    let options = source_settings
        .iter()
        .fold(source_options(), |options, (name, value)| {
            options.setting(*name, *value)
        });
    let pair = Pair::with(options, target_options());
    let run = live(&pair);
    run.signal(Signal::SIGTERM);
    run.wait_for_exit().assert_code(9);
    pair
}

/// A migration of an empty table that has gone live. Without a copy, which some servers here have
/// no client programs for.
#[track_caller]
fn live(pair: &Pair) -> Run {
    for side in [&pair.source, &pair.target] {
        side.sql("CREATE TABLE t (id int PRIMARY KEY)");
    }
    let run = pgflit("follow --create-slot").between(pair).start();
    run.wait_for_stderr(LIVE);
    run
}

#[track_caller]
fn resume(pair: &Pair) -> Finished {
    let resume = pgflit("follow --resume --retry-for 1s").between(pair);
    resume.run()
}

#[test]
fn a_slot_that_was_dropped_is_missed() {
    let pair = stopped(&[]);
    pair.source.sql("SELECT pg_drop_replication_slot('pgflit')");
    resume(&pair)
        .assert_code(6)
        .assert_stderr("replication slot \"pgflit\": it does not exist on the source")
        .assert_stderr("begin anew with --restart");
}

#[test]
fn a_slot_whose_wal_was_removed_is_lost() {
    let pair = stopped(&[("max_slot_wal_keep_size", "1MB"), ("max_wal_size", "32MB")]);
    eventually(SOON, "the slot is invalidated", || {
        let switch = "CREATE TABLE IF NOT EXISTS filler (n int); INSERT INTO filler VALUES (1);
            SELECT pg_switch_wal()";
        pair.source.sql(switch);
        pair.source.sql("CHECKPOINT");
        pair.source
            .sql("SELECT wal_status FROM pg_replication_slots")
            == "lost"
    });
    resume(&pair)
        .assert_code(6)
        .assert_stderr("replication slot \"pgflit\": the source has removed WAL that it needed")
        .assert_stderr("max_slot_wal_keep_size");
}

struct Reader(Child);

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_slot_that_somebody_else_reads_is_in_use_and_then_has_moved() {
    let pair = stopped(&[]);
    let mut reader = pair.source.program("pg_recvlogical");
    let reader = reader
        .args(["--slot", "pgflit", "--start", "-f", "/dev/null"])
        .args(["-o", "proto_version=1", "-o", "publication_names=pgflit"])
        .args([
            "--status-interval=1",
            "--fsync-interval=1",
            "-d",
            pair.source.uri(),
        ])
        .stderr(Stdio::null())
        .spawn();
    let reader = Reader(reader.expect("pg_recvlogical is installed with the server"));
    let active = "SELECT count(*) FROM pg_replication_slots WHERE active";
    eventually(SOON, "it reads", || pair.source.number(active) == 1);
    resume(&pair)
        .assert_code(6)
        .assert_stderr("replication slot \"pgflit\" is active for PID");
    pair.source.sql("INSERT INTO t VALUES (2)");
    let present = pair.source.sql("SELECT pg_current_wal_flush_lsn()");
    eventually(SOON, "it has confirmed the change", || {
        let confirmed =
            format!("SELECT confirmed_flush_lsn >= '{present}' FROM pg_replication_slots");
        pair.source.sql(&confirmed) == "t"
    });
    drop(reader);
    eventually(SOON, "it has gone", || pair.source.number(active) == 0);
    resume(&pair)
        .assert_code(6)
        .assert_stderr("replication slot \"pgflit\" stands at")
        .assert_stderr("the changes between are lost");
}

#[test]
fn a_publication_that_was_dropped_is_missed_at_the_next_start() {
    let pair = stopped(&[]);
    pair.source.sql("DROP PUBLICATION pgflit");
    resume(&pair)
        .assert_code(6)
        .assert_stderr("publication \"pgflit\" does not exist on the source")
        .assert_stderr("--restart");
}

#[test]
fn a_publication_that_is_dropped_while_it_is_read_ends_following_or_its_end() {
    let pair = Pair::new();
    let run = live(&pair);
    pair.source.sql("INSERT INTO t VALUES (1)");
    eventually(SOON, "live replay goes on", || {
        pair.target.number("SELECT count(*) FROM t") == 1
    });
    pair.source.sql("DROP PUBLICATION pgflit");
    pair.source.sql("INSERT INTO t VALUES (2)");
    // Some versions end the stream, some go on without a word and without the changes.
    end_now(&pair);
    run.wait_for_exit()
        .assert_code(6)
        .assert_stderr("publication \"pgflit\"");
}

#[test]
fn a_table_that_was_taken_out_of_the_publication_ends_the_migration() {
    let pair = Pair::new();
    let run = live(&pair);
    pair.source
        .sql("ALTER PUBLICATION pgflit DROP TABLE ONLY t");
    pair.source.sql("INSERT INTO t VALUES (2)");
    end_now(&pair);
    run.wait_for_exit()
        .assert_code(6)
        .assert_stderr("publication \"pgflit\" does not publish public.t")
        .assert_stderr("hint: ");
}

#[test]
fn a_table_that_was_out_of_the_publication_for_a_while_ends_the_migration_too() {
    let pair = Pair::new();
    let run = live(&pair);
    pair.source.sql(
        "ALTER PUBLICATION pgflit DROP TABLE ONLY t; INSERT INTO t VALUES (1);
         ALTER PUBLICATION pgflit ADD TABLE ONLY t; INSERT INTO t VALUES (2)",
    );
    end_now(&pair);
    run.wait_for_exit()
        .assert_code(6)
        .assert_stderr("public.t was put into publication \"pgflit\" after the migration began")
        .assert_stderr("--restart");
}

#[test]
fn a_position_of_an_earlier_migration_is_not_taken_for_ones_own() {
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE t (id int PRIMARY KEY)");
    pair.target.sql(
        "SELECT pg_replication_origin_create('pgflit');
         SELECT pg_replication_origin_advance('pgflit', 'FF/0')",
    );
    let clone = pgflit("clone").follow().between(&pair).run();
    clone
        .assert_code(7)
        .assert_stderr("replication origin \"pgflit\" exists on the target already, at FF/0")
        .assert_stderr("--origin");
    assert!(!pair.dir().exists());
    pgflit("stream cleanup").between(&pair).run().assert_code(0);
    let clone = pgflit("clone").follow().between(&pair).start();
    clone.wait_for_stderr(LIVE);
    end_now(&pair);
    clone.wait_for_exit().assert_code(0);
}
