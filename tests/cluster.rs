//! Throw-away clusters start, stop, recover, and never outlive who made them.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use pgflit::worker::cluster::{Cluster, ClusterOptions, StopMode};

use crate::support::{Database, SOON, eventually};

fn cluster() -> Cluster {
    Cluster::create(&ClusterOptions::new("cluster-test").volatile()).unwrap()
}

#[test]
fn a_cluster_is_ready_for_change_capture() {
    let cluster = cluster();
    let database = Database::of(&cluster, "postgres");
    assert_eq!(database.sql("SHOW wal_level"), "logical");
    let slot = "SELECT slot_name FROM pg_create_logical_replication_slot('s', 'pgoutput')";
    assert_eq!(database.sql(slot), "s");
    assert!(
        cluster
            .socket_uri("x")
            .starts_with("postgresql:///x?host=/")
    );
}

#[test]
fn source_and_target_are_different_systems() {
    let identifier = |name: &str| {
        let cluster = Cluster::create(&ClusterOptions::new(name)).unwrap();
        Database::of(&cluster, "postgres").sql("SELECT system_identifier FROM pg_control_system()")
    };
    assert_ne!(identifier("source"), identifier("target"));
}

#[test]
fn what_was_committed_is_there_after_stop_restart_and_kill() {
    let mut cluster = cluster();
    let database = Database::of(&cluster, "postgres");
    database.sql("CREATE TABLE t (n int)");
    for end in ["fast", "immediate", "kill"] {
        database.sql("INSERT INTO t VALUES (1)");
        match end {
            "fast" => cluster.restart(StopMode::Fast).unwrap(),
            "immediate" => cluster.restart(StopMode::Immediate).unwrap(),
            _ => {
                cluster.kill().unwrap();
                cluster.start().unwrap();
            }
        }
    }
    assert_eq!(database.number("SELECT count(*) FROM t"), 3);
}

#[test]
fn a_stopped_cluster_refuses_connections_and_a_second_stop() {
    let mut cluster = cluster();
    cluster.stop(StopMode::Fast).unwrap();
    assert!(
        Database::of(&cluster, "postgres")
            .try_sql("SELECT 1")
            .is_err()
    );
    let error = cluster.stop(StopMode::Fast).unwrap_err();
    assert!(error.to_string().contains("not running"), "{error}");
}

#[test]
fn nothing_is_left_of_a_dropped_cluster() {
    let cluster = cluster();
    let (folder, pid) = (cluster.data(), cluster.pid().unwrap());
    drop(cluster);
    assert!(!folder.exists());
    assert!(!is_alive(pid));
}

#[test]
fn a_bad_setting_is_reported_in_the_servers_words() {
    let options = ClusterOptions::new("cluster-test").setting("no_such_setting", "1");
    let error = Cluster::create(&options).unwrap_err();
    assert!(error.to_string().contains("no_such_setting"), "{error}");
}

#[test]
fn the_server_ends_when_its_owner_is_killed_and_the_next_owner_tidies_up() {
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture"])
        .arg("cluster::an_owner_that_waits_to_be_killed")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(owner.stdout.take().unwrap());
    let line = stdout
        .lines()
        .map_while(Result::ok)
        .find(|line| line.contains("owns "))
        .unwrap();
    let (_, facts) = line.split_once("owns ").unwrap();
    let (pid, folder) = facts.split_once(' ').unwrap();
    let pid = pid.parse().unwrap();
    assert!(is_alive(pid));

    owner.kill().unwrap();
    owner.wait().unwrap();
    eventually(SOON, "the server has ended", || !is_alive(pid));

    let _next = cluster();
    assert!(!std::path::Path::new(folder).exists());
}

#[test]
#[ignore = "run by the test above in a process of its own"]
fn an_owner_that_waits_to_be_killed() {
    let cluster = cluster();
    println!(
        "owns {} {}",
        cluster.pid().unwrap(),
        cluster.data().display()
    );
    eventually(SOON, "somebody kills this process", || false);
}

fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z")
}
