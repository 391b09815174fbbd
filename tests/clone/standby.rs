//! A hot standby as the source: it takes no writes, and cancels what stands in the way of replay.

use nix::sys::signal::Signal;
use pgflit::worker::cluster::Cluster;

use crate::support::{
    Database, Held, Pair, SOON, assert_equal, eventually, pgflit, source_options,
};

/// A standby of the pair's source, and its database as a source.
fn standby(pair: &Pair) -> (Cluster, Database) {
    let options = source_options()
        .setting("hot_standby", "on")
        .setting("max_standby_streaming_delay", "0");
    let cluster = pair.source_cluster.standby(&options).expect("a standby");
    let position = pair.source.sql("SELECT pg_current_wal_flush_lsn()");
    let database = Database::of(&cluster, "app");
    eventually(SOON, "the standby has replayed everything", || {
        let replayed = format!("SELECT pg_last_wal_replay_lsn() >= '{position}'");
        database.sql(&replayed) == "t"
    });
    (cluster, database)
}

#[test]
fn a_standby_is_copied_in_parallel_and_changes_nothing_there() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE TABLE \"Big é\" (id bigserial PRIMARY KEY, v text);
         INSERT INTO \"Big é\" (v) SELECT repeat('x', 200) FROM generate_series(1, 20000);
         CREATE TABLE other (id int REFERENCES \"Big é\"); INSERT INTO other VALUES (1);
         CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM other;
         SELECT lo_from_bytea(4711, 'abc')",
    );
    let (_cluster, source) = standby(&pair);
    let clone = pgflit("clone --split-at 1MB").source(&source);
    let clone = clone.target(&pair.target).dir(pair.dir());
    clone.run().assert_code(0);
    assert_equal(&pair.source, &pair.target);
    let object = "SELECT convert_from(lo_get(4711), 'UTF8')";
    assert_eq!(pair.target.sql(object), "abc");
}

#[test]
fn a_snapshot_of_a_standby_is_held_and_taken_over() {
    let pair = Pair::new();
    pair.source
        .sql("CREATE TABLE t (x int); INSERT INTO t VALUES (1)");
    let (_cluster, source) = standby(&pair);
    let holder = pgflit("snapshot").source(&source).dir(pair.dir()).start();
    eventually(SOON, "the id is printed", || {
        holder.stdout().ends_with('\n')
    });
    let id = holder.stdout().trim().to_owned();
    let clone = pgflit("clone").source(&source).target(&pair.target);
    let clone = clone.dir(pair.dir()).arg("--snapshot").arg(id);
    clone.run().assert_code(0);
    assert_equal(&pair.source, &pair.target);
    holder.signal(Signal::SIGINT);
    holder.wait_for_exit().assert_code(0);
}

#[test]
fn a_standby_has_no_rows_of_unlogged_tables_and_says_so() {
    let pair = Pair::new();
    pair.source
        .sql("CREATE UNLOGGED TABLE \"cache é\" (x int); CREATE TABLE t (x int)");
    let (_cluster, source) = standby(&pair);
    let clone = || {
        let clone = pgflit("clone").source(&source).target(&pair.target);
        clone.dir(pair.dir())
    };
    let refused = clone().run().assert_code(6);
    refused
        .assert_stderr("of 1, public.\"cache é\" first")
        .assert_stderr("[exclude-table-data]");
    assert!(!pair.dir().exists());
    let filters = pair.path("filters");
    std::fs::write(&filters, "[exclude-table-data]\npublic.\"cache é\"\n").unwrap();
    clone().arg("--filters").arg(filters).run().assert_code(0);
    let there = "SELECT relpersistence FROM pg_class WHERE relname = 'cache é'";
    assert_eq!(pair.target.sql(there), "u");
}

#[test]
fn a_conflict_with_replay_ends_with_what_to_set() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END $$;
         CREATE TABLE slow (id int, CHECK (gate()));
         INSERT INTO slow SELECT generate_series(1, 5000);
         CREATE TABLE churned (id int); INSERT INTO churned SELECT generate_series(1, 10)",
    );
    let (_cluster, source) = standby(&pair);
    let gate = Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let clone = pgflit("clone").source(&source).target(&pair.target);
    let run = clone.dir(pair.dir()).args(["--table-jobs", "1"]).start();
    eventually(SOON, "the slow table waits", || {
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        pair.target.number(waiting) == 1
    });
    // What the snapshot still sees is removed on the primary, and so has to be on the standby.
    pair.source.sql("DELETE FROM churned");
    pair.source.sql("VACUUM churned");
    let lost = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%keeper'";
    eventually(SOON, "the snapshot is lost", || source.number(lost) == 0);
    gate.commit();
    let ended = run.wait_for_exit().assert_code(6);
    ended.assert_stderr("hot_standby_feedback");
}

#[test]
fn a_standby_cannot_be_followed() {
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE t (x int PRIMARY KEY)");
    let (_cluster, source) = standby(&pair);
    let clone = pgflit("clone --follow").source(&source);
    let refused = clone.target(&pair.target).dir(pair.dir()).run();
    refused.assert_code(6).assert_stderr("standby");
}
