//! Rows that are read on paused standbys of the source, while it is written to.

use pgflit::worker::cluster::{Cluster, ClusterError, ClusterOptions};

use super::Following;
use super::following::LIVE;
use crate::support::{
    Database, Finished, Held, Pair, Pgbench, Pgflit, SOON, Workload, allow_plugin, assert_equal,
    eventually, pgflit, source_options,
};

/// A standby of a pair's source.
pub(super) struct Standby {
    pub(super) cluster: Cluster,
    pub(super) database: Database,
}

impl Standby {
    #[track_caller]
    pub(super) fn of(pair: &Pair) -> Self {
        Self::of_cluster(&pair.source_cluster)
    }

    #[track_caller]
    pub(super) fn with(pair: &Pair, (name, value): (&str, &str)) -> Self {
        let options = standby_options(&pair.source_cluster).setting(name, value);
        Self::made(pair.source_cluster.standby(&options))
    }

    #[track_caller]
    pub(super) fn of_cluster(primary: &Cluster) -> Self {
        Self::made(primary.standby(&standby_options(primary)))
    }

    #[track_caller]
    fn made(cluster: Result<Cluster, ClusterError>) -> Self {
        let cluster = cluster.expect("a standby");
        Self {
            database: Database::of(&cluster, "app"),
            cluster,
        }
    }

    pub(super) fn is_paused(&self) -> bool {
        self.database.sql("SELECT pg_is_wal_replay_paused()") == "t"
    }
}

/// What pg_basebackup writes is not always understood by a server of another version.
fn standby_options(primary: &Cluster) -> ClusterOptions {
    source_options().setting("primary_conninfo", primary.uri("postgres"))
}

/// `clone --follow` between `pair`, with rows from `standbys`.
pub(super) fn clone_from(pair: &Pair, standbys: &[&Standby]) -> Pgflit {
    let clone = pgflit("clone").follow().between(pair);
    let options = standbys
        .iter()
        .map(|standby| format!("--copy-from={}", standby.database.uri()));
    clone.args(options)
}

/// Copying `slow` waits, on the target, while someone holds the advisory lock 7 there.
pub(super) const GATED: &str = "
    CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END $$;
    CREATE TABLE slow (id serial PRIMARY KEY, note text, CHECK (gate()));
    CREATE TABLE log (line text, n int);
    ALTER TABLE log REPLICA IDENTITY FULL;
    INSERT INTO slow (note) SELECT 'n' || n FROM generate_series(1, 1000) n;
    INSERT INTO log SELECT 'same', n % 3 FROM generate_series(1, 30) n;";

/// More rows than fit between the servers: then reading them waits too.
pub(super) const MUCH: &str = "
    ALTER TABLE slow ALTER note SET STORAGE EXTERNAL;
    INSERT INTO slow (note) SELECT repeat(md5(n::text), 3000) FROM generate_series(1, 500) n";

/// Changes of both tables, of which one more or one less would be seen.
pub(super) const WRITE: &str = "
    INSERT INTO slow (note) VALUES ('new');
    UPDATE slow SET id = id + 100000 WHERE id IN (SELECT id FROM slow ORDER BY id LIMIT 3);
    DELETE FROM log WHERE ctid = (SELECT ctid FROM log LIMIT 1);
    INSERT INTO log VALUES ('same', 0), ('same', 0)";

/// Holds the copy of `slow` up.
#[track_caller]
pub(super) fn shut_gate(pair: &Pair) -> Held {
    Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)")
}

#[track_caller]
pub(super) fn wait_at_gate(pair: &Pair) {
    eventually(SOON, "the slow table waits", || {
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        pair.target.number(waiting) > 0
    });
}

/// What the ledger says of every copied table: where replay was paused; the number of such moments.
#[track_caller]
pub(super) fn moments(pair: &Pair) -> i64 {
    let replayed = "SELECT count(*) FILTER (WHERE snapshot NOT LIKE 'replayed %') FROM pgflit.part";
    assert_eq!(pair.target.number(replayed), 0, "rows of the source itself");
    let moments = "SELECT count(DISTINCT snapshot) FROM pgflit.part";
    pair.target.number(moments)
}

/// How it ended; none if the source lacks the plugin.
fn random_changes_from(standbys: usize, plugin: &str, seed: u64) -> Option<Finished> {
    let pair = Pair::new();
    if !allow_plugin(&pair.source, plugin) {
        return None;
    }
    let workload = Workload::start(&pair.source, seed, plugin != "wal2json");
    let standbys: Vec<_> = (0..standbys).map(|_| Standby::of(&pair)).collect();
    let references: Vec<_> = standbys.iter().collect();
    let run = clone_from(&pair, &references).args(["--plugin", plugin]);
    let following = Following {
        pair: &pair,
        run: run.start(),
    };
    until_live(&following);
    workload.wait_for(10);
    workload.stop();
    let finished = following.end_equal();
    let epochs = "SELECT count(DISTINCT epoch) FROM pgflit.part";
    assert_eq!(pair.target.number(epochs), standbys.len() as i64);
    let moments = moments(&pair);
    assert!((1..=standbys.len() as i64).contains(&moments), "{moments}");
    assert!(standbys.iter().all(|standby| !standby.is_paused()));
    Some(finished)
}

#[test]
fn rows_of_a_standby_under_random_changes_are_exact() {
    let finished = random_changes_from(1, "pgoutput", 21).expect("every server has it");
    finished.assert_stderr("resumed replay of the standby");
}

#[test]
fn rows_of_a_standby_are_exact_with_wal2json() {
    random_changes_from(1, "wal2json", 22);
}

#[test]
fn rows_of_a_standby_are_exact_with_test_decoding() {
    random_changes_from(1, "test_decoding", 23);
}

#[test]
fn two_standbys_under_random_changes_are_exact() {
    random_changes_from(2, "pgoutput", 24);
}

#[test]
fn two_standbys_at_different_positions_are_exact() {
    let pair = Pair::new();
    Pgbench::init(&pair.source, 1);
    let traffic = Pgbench::start(&pair.source);
    let ahead = Standby::of(&pair);
    let behind = Standby::with(&pair, ("recovery_min_apply_delay", "1s"));
    let run = clone_from(&pair, &[&ahead, &behind]);
    let following = Following {
        pair: &pair,
        run: run.start(),
    };
    until_live(&following);
    traffic.stop();
    following.end_equal();
    assert_eq!(moments(&pair), 2);
    assert!(!ahead.is_paused() && !behind.is_paused());
}

#[test]
fn a_standby_that_nobody_streams_to_is_waited_for_and_the_reason_is_told() {
    let pair = Pair::new();
    pair.source.sql(GATED);
    let standby = Standby::of(&pair);
    let slot = pair
        .source
        .sql("SELECT slot_name FROM pg_replication_slots");
    eventually(SOON, "its slot is dropped", || {
        let end = "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots";
        let drop = format!("SELECT pg_drop_replication_slot('{slot}')");
        let _ = pair.source.try_sql(end);
        pair.source.try_sql(&drop).is_ok()
    });
    pair.source.sql(WRITE);
    let run = clone_from(&pair, &[&standby]).start();
    run.wait_for_stderr("no server streams to it now");
    let make = format!("SELECT pg_create_physical_replication_slot('{slot}', true)");
    pair.source.sql(&make);
    let following = Following { pair: &pair, run };
    until_live(&following);
    following.end_equal();
}

#[test]
fn a_large_table_in_parts_and_large_objects_come_from_a_standby() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE TABLE big (id bigserial PRIMARY KEY, v text);
         INSERT INTO big (v) SELECT repeat('x', 200) FROM generate_series(1, 20000);
         CREATE TABLE by_ctid (v text); ALTER TABLE by_ctid REPLICA IDENTITY FULL;
         INSERT INTO by_ctid SELECT v FROM big;
         SELECT lo_from_bytea(4711, 'abc')",
    );
    let standby = Standby::of(&pair);
    let run = clone_from(&pair, &[&standby]).args(["--split-at", "1MB"]);
    let following = Following {
        pair: &pair,
        run: run.start(),
    };
    let following = following.until_live();
    pair.source
        .sql("DELETE FROM by_ctid WHERE ctid IN (SELECT ctid FROM by_ctid LIMIT 10)");
    following.end_equal();
    let parts = "SELECT min(part_count) > 1 FROM pgflit.part";
    assert_eq!(pair.target.sql(parts), "t");
    assert_eq!(moments(&pair), 1);
    let object = "SELECT convert_from(lo_get(4711), 'UTF8')";
    assert_eq!(pair.target.sql(object), "abc");
}

#[test]
fn a_large_transaction_that_spans_the_pause_is_told_by_its_commit_record() {
    spans_the_pause("pgoutput");
}

#[test]
fn a_large_transaction_that_spans_the_pause_is_told_by_its_commit_record_with_wal2json() {
    spans_the_pause("wal2json");
}

#[test]
fn a_large_transaction_that_spans_the_pause_is_read_twice_with_test_decoding() {
    let finished = spans_the_pause("test_decoding").expect("every server has it");
    finished.assert_stderr("is read once more");
}

/// How it ended; none if the source lacks the plugin.
fn spans_the_pause(plugin: &str) -> Option<Finished> {
    let pair = Pair::new();
    if !allow_plugin(&pair.source, plugin) {
        return None;
    }
    pair.source.sql(GATED);
    let standby = Standby::of(&pair);
    let gate = shut_gate(&pair);
    let run = clone_from(&pair, &[&standby]).args(["--plugin", plugin]);
    let run = run.start();
    run.wait_for_stderr("replication slot pgflit made");
    // Too large to be held by apply until its end is read.
    let large = "INSERT INTO log SELECT repeat(md5(n::text), 15), n
                   FROM generate_series(1, 14000) n";
    pair.source.sql(WRITE);
    let spanning = Held::open_as("spanning", &pair.source, large);
    wait_at_gate(&pair);
    spanning.commit();
    pair.source.sql(WRITE);
    gate.commit();
    let following = Following { pair: &pair, run };
    until_live(&following);
    let finished = following.end_equal();
    assert!(!standby.is_paused());
    Some(finished)
}

/// Returns once it is in live replay, which it has to reach while others use the same processors.
pub(super) fn until_live(following: &Following<'_>) {
    eventually(4 * SOON, "live replay begins", || {
        following.run.stderr_contains(LIVE)
    });
}

#[test]
fn unlogged_tables_are_read_on_the_source() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE UNLOGGED TABLE cache (x int); INSERT INTO cache VALUES (1);
         CREATE TABLE t (x int PRIMARY KEY); INSERT INTO t VALUES (1)",
    );
    let standby = Standby::of(&pair);
    let following = Following {
        pair: &pair,
        run: clone_from(&pair, &[&standby]).start(),
    };
    following.until_live().end_equal();
    let read = "SELECT string_agg(table_name, ' ' ORDER BY table_name)
                  FROM pgflit.part WHERE snapshot LIKE 'replayed %'";
    assert_eq!(pair.target.sql(read), "t");
}

#[test]
fn a_standby_that_somebody_resumes_is_told_of_and_the_copy_is_exact() {
    let pair = Pair::new();
    pair.source.sql(GATED);
    pair.source.sql(MUCH);
    let standby = Standby::of(&pair);
    let gate = shut_gate(&pair);
    let run = clone_from(&pair, &[&standby]).start();
    wait_at_gate(&pair);
    assert!(standby.is_paused());
    pair.source.sql(WRITE);
    standby.database.sql("SELECT pg_wal_replay_resume()");
    let position = pair.source.sql("SELECT pg_current_wal_flush_lsn()");
    eventually(SOON, "the standby has replayed the changes", || {
        let replayed = format!("SELECT pg_last_wal_replay_lsn() >= '{position}'");
        standby.database.sql(&replayed) == "t"
    });
    pair.source.sql(WRITE);
    gate.commit();
    let following = Following { pair: &pair, run };
    let finished = following.until_live().end_equal();
    finished.assert_stderr("was resumed or promoted by somebody else");
}

#[test]
fn locks_of_the_source_do_not_stop_the_copy_on_a_paused_standby() {
    let pair = Pair::new();
    pair.source.sql(GATED);
    let standby = Standby::of(&pair);
    let run = clone_from(&pair, &[&standby]).start();
    run.wait_for_stderr("2 tables, ");
    // Replay may pause in the middle of any of these.
    let mut locks = 0;
    eventually(2 * SOON, "live replay begins", || {
        pair.source.sql(
            "BEGIN; LOCK TABLE slow IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(0.3); COMMIT;
             SELECT pg_sleep(0.1)",
        );
        locks += 1;
        run.stderr_contains(LIVE)
    });
    assert!(locks > 1);
    Following { pair: &pair, run }.end_equal();
}

#[test]
fn a_plain_copy_reads_one_standby_under_one_snapshot() {
    let pair = Pair::new();
    pair.source.sql(GATED);
    pair.source.sql("SELECT lo_from_bytea(4711, 'abc')");
    let standby = Standby::of(&pair);
    let plain = |standbys: &[&Standby]| {
        let clone = pgflit("clone").between(&pair);
        let uris = standbys.iter().map(|it| it.database.uri().to_owned());
        uris.fold(clone, |clone, uri| clone.arg("--copy-from").arg(uri))
    };
    let other = Standby::of(&pair);
    let several = plain(&[&standby, &other]).run().assert_code(1);
    several.assert_stderr("add --follow");
    let with_snapshot = plain(&[&standby]).args(["--snapshot", "00000003-0000001B-1"]);
    let with_snapshot = with_snapshot.run().assert_code(1);
    with_snapshot.assert_stderr("--copy-from and --snapshot exclude each other");
    let twice = plain(&[&standby, &standby]).run().assert_code(1);
    twice.assert_stderr("twice");
    pair.source.sql("CREATE UNLOGGED TABLE cache (x int)");
    let unlogged = plain(&[&standby]).run().assert_code(6);
    unlogged.assert_stderr("public.cache is unlogged");
    pair.source.sql("DROP TABLE cache");
    assert!(!pair.dir().exists());
    plain(&[&standby]).run().assert_code(0);
    assert_equal(&pair.source, &pair.target);
    let object = "SELECT convert_from(lo_get(4711), 'UTF8')";
    assert_eq!(pair.target.sql(object), "abc");
    assert!(!standby.is_paused());
}

#[test]
fn what_is_no_standby_of_the_source_is_refused() {
    let pair = Pair::new();
    pair.source.sql(GATED);
    let standby = Standby::of(&pair);
    let of_target = Standby::of_cluster(&pair.target_cluster);
    let app = standby.database.uri();
    for (uri, problem) in [
        (pair.source.uri().to_owned(), "it is no standby"),
        (of_target.database.uri().to_owned(), "another cluster"),
        (app.replace("/app", "/postgres"), "another database"),
    ] {
        let clone = pgflit("clone").follow().between(&pair);
        let refused = clone.arg("--copy-from").arg(&uri).run().assert_code(6);
        refused.assert_stderr(problem);
        assert!(!pair.dir().exists());
    }
    standby.database.sql("SELECT pg_wal_replay_pause()");
    let refused = clone_from(&pair, &[&standby]).run().assert_code(6);
    refused.assert_stderr("was paused by somebody else");
    assert!(standby.is_paused());
}

#[test]
fn a_standby_of_another_history_is_refused_for_what_it_lacks() {
    // Clusters of one name are made from one template here: the same system identifier, the same
    // timeline, as of two servers that were promoted from one backup.
    let (pair, other) = (Pair::new(), Pair::new());
    pair.source.sql(GATED);
    other.source.sql(GATED);
    other
        .source
        .sql("CREATE PUBLICATION pgflit; CREATE PUBLICATION pgflit_inserts");
    let standby = Standby::of(&other);
    other
        .source
        .sql("SELECT pg_switch_wal(); CREATE TABLE t (x int); CHECKPOINT");
    let refused = clone_from(&pair, &[&standby]).run().assert_code(6);
    refused.assert_stderr("has another history than the source");
    assert!(!standby.is_paused());
}

#[test]
fn a_source_that_waits_for_standbys_to_replay_is_not_stopped() {
    let pair = Pair::new();
    pair.source.sql(GATED);
    let standby = Standby::of(&pair);
    pair.source
        .sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
    pair.source
        .sql("ALTER DATABASE app SET synchronous_commit = remote_apply");
    pair.source.sql("SELECT pg_reload_conf()");
    let refused = clone_from(&pair, &[&standby]).run().assert_code(6);
    refused.assert_stderr("synchronous_commit = remote_apply");
    assert!(!standby.is_paused());
}
