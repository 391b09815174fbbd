//! A source that fails over to a standby, with the slot as it was when the standby took over.

use std::process::Command;

use pgflit::worker::cluster::{Cluster, StopMode};

use super::following::LIVE;
use crate::support::{Database, Pair, Run, SOON, assert_equal, eventually, pgflit, source_options};

/// A pair whose source has a standby, both of which pgflit knows.
struct Failover {
    pair: Pair,
    standby: Cluster,
}

impl Failover {
    fn new() -> Self {
        let pair = Pair::new();
        pair.source.sql("CREATE TABLE t (id int PRIMARY KEY)");
        let options = source_options().setting("hot_standby", "on");
        let standby = pair.source_cluster.standby(&options).expect("a standby");
        Self { pair, standby }
    }

    fn follow(&self) -> Run {
        let source = format!(
            "postgresql://postgres@127.0.0.1:{},127.0.0.1:{}/app?target_session_attrs=read-write",
            self.pair.source_cluster.port(),
            self.standby.port()
        );
        let clone = pgflit("clone").follow().args(["--source", &source]);
        let run = clone.target(&self.pair.target).dir(self.pair.dir()).start();
        run.wait_for_stderr(LIVE);
        run
    }

    /// Inserts on the primary, and waits until the target has it.
    fn insert(&self, id: i32) {
        self.pair
            .source
            .sql(&format!("INSERT INTO t VALUES ({id})"));
        self.wait_for_target(id);
    }

    fn wait_for_target(&self, id: i32) {
        let there = format!("SELECT count(*) FROM t WHERE id = {id}");
        eventually(SOON, "the row is on the target", || {
            self.pair.target.number(&there) == 1
        });
    }

    /// Gives the standby the slot as the primary has it now, as what manages clusters does where
    /// servers do not synchronize slots themselves.
    fn hand_slot_over(&mut self) {
        self.pair.source.sql("CHECKPOINT");
        let end = self.pair.source.sql("SELECT pg_current_wal_flush_lsn()");
        let standby = Database::of(&self.standby, "app");
        eventually(SOON, "the standby has replayed everything", || {
            standby.sql(&format!("SELECT pg_last_wal_replay_lsn() >= '{end}'")) == "t"
        });
        self.standby.stop(StopMode::Fast).expect("stopped");
        let slots = |cluster: &Cluster| cluster.data().join("pg_replslot");
        let from = slots(&self.pair.source_cluster).join("pgflit");
        let copied = Command::new("cp")
            .arg("-a")
            .args([&from, &slots(&self.standby)])
            .status();
        assert!(copied.expect("cp").success());
    }

    /// The primary is lost and the standby takes over; the new primary.
    fn promote(&mut self) -> Database {
        self.pair.source_cluster.kill().expect("killed");
        let new = Database::of(&self.standby, "app");
        assert_eq!(new.sql("SELECT pg_promote()"), "t");
        new
    }
}

#[test]
fn a_source_that_fails_over_is_followed_on_its_new_timeline() {
    let mut failover = Failover::new();
    let run = failover.follow();
    failover.insert(1);
    failover.hand_slot_over();
    failover.standby.start().expect("started");
    failover.insert(2);
    let end = failover
        .pair
        .source
        .sql("SELECT pg_current_wal_flush_lsn()");
    let standby = Database::of(&failover.standby, "app");
    eventually(SOON, "the standby has replayed everything", || {
        standby.sql(&format!("SELECT pg_last_wal_replay_lsn() >= '{end}'")) == "t"
    });
    let new = failover.promote();
    new.sql("INSERT INTO t VALUES (3)");
    run.wait_for_stderr("the source has failed over: it goes on from");
    failover.wait_for_target(3);
    let set = pgflit("sentinel set endpos --current").dir(failover.pair.dir());
    set.source(&new).run().assert_code(0);
    run.wait_for_exit().assert_code(0);
    assert_equal(&new, &failover.pair.target);
}

#[test]
fn changes_that_the_new_primary_has_lost_end_it() {
    let mut failover = Failover::new();
    let run = failover.follow();
    failover.insert(1);
    failover.hand_slot_over();
    // Received, and applied; but the standby does not get it any more.
    failover.insert(2);
    failover.pair.source_cluster.kill().expect("killed");
    failover.standby.start().expect("started");
    let new = Database::of(&failover.standby, "app");
    assert_eq!(new.sql("SELECT pg_promote()"), "t");
    run.wait_for_exit()
        .assert_code(6)
        .assert_stderr(
            "the source is on timeline 2 and the last changes came from 1: which goes on from",
        )
        .assert_stderr("were received from the server before it");
}

#[test]
fn a_slot_that_the_standby_has_synchronized_survives_a_failover() {
    let pair = Pair::new();
    if pair.source.number("SHOW server_version_num") < 170_000 {
        return;
    }
    pair.source.sql(
        "CREATE TABLE t (id int PRIMARY KEY);
         SELECT pg_create_physical_replication_slot('standby')",
    );
    let options = source_options()
        .setting("hot_standby", "on")
        .setting("hot_standby_feedback", "on")
        .setting("primary_slot_name", "standby");
    let standby = pair.source_cluster.standby(&options).expect("a standby");
    let mut failover = Failover { pair, standby };
    let run = failover.follow();
    failover.insert(1);
    let standby = Database::of(&failover.standby, "app");
    let synced = "SELECT count(*) FROM pg_replication_slots
                   WHERE slot_name = 'pgflit' AND synced AND NOT temporary";
    eventually(SOON, "the standby has the slot", || {
        failover.pair.source.sql("SELECT pg_log_standby_snapshot()");
        let _ = standby.try_sql("SELECT pg_sync_replication_slots()");
        standby.number(synced) == 1
    });
    let new = failover.promote();
    new.sql("INSERT INTO t VALUES (2)");
    run.wait_for_stderr("the source has failed over: it goes on from");
    failover.wait_for_target(2);
    let set = pgflit("sentinel set endpos --current").dir(failover.pair.dir());
    set.source(&new).run().assert_code(0);
    run.wait_for_exit().assert_code(0);
    assert_equal(&new, &failover.pair.target);
}
