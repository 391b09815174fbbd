//! One moment of the source for several commands.

use nix::sys::signal::Signal;

use crate::support::{Pair, Run, SOON, assert_equal, eventually_some, pgflit};

/// The id that `pgflit snapshot` prints, once it holds it.
fn id_of(run: &Run) -> String {
    eventually_some(SOON, "the id is printed", || {
        let printed = run.stdout();
        printed.ends_with('\n').then(|| printed.trim().to_owned())
    })
}

fn holding(pair: &Pair, command: &str) -> (Run, String) {
    let run = pgflit(command).source(&pair.source).dir(pair.dir());
    let run = run.start();
    let id = id_of(&run);
    (run, id)
}

#[test]
fn what_comes_after_a_held_snapshot_is_in_no_step() {
    let pair = Pair::new();
    pair.source
        .sql("CREATE TABLE t (x int PRIMARY KEY); INSERT INTO t VALUES (1); SELECT lo_create(77)");
    let (run, id) = holding(&pair, "snapshot");
    let file = std::fs::read_to_string(pair.dir().join("snapshot")).unwrap();
    assert_eq!(file.trim(), id);
    pair.source
        .sql("INSERT INTO t VALUES (2); CREATE TABLE late (x int); SELECT lo_create(78)");
    for command in ["copy schema", "copy table-data", "copy blobs", "copy data"] {
        let step = pgflit(command).between(&pair).arg("--snapshot").arg(&id);
        step.run().assert_code(0);
    }
    assert_eq!(pair.target.sql("SELECT x FROM t"), "1");
    assert_eq!(pair.target.sql("SELECT to_regclass('late') IS NULL"), "t");
    let objects = "SELECT oid FROM pg_largeobject_metadata";
    assert_eq!(pair.target.sql(objects), "77");
    run.signal(Signal::SIGTERM);
    run.wait_for_exit().assert_code(0);
    assert!(!pair.dir().join("snapshot").exists());
}

#[test]
fn a_clone_under_a_held_snapshot_is_resumed_under_it_and_under_no_other() {
    let pair = Pair::new();
    pair.source.sql(
        "CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END $$;
         CREATE TABLE slow (id int, CHECK (gate())); INSERT INTO slow VALUES (1);
         CREATE TABLE quick (id int); INSERT INTO quick VALUES (1)",
    );
    let (holder, id) = holding(&pair, "snapshot");
    let gate = crate::support::Held::open(&pair.target, "SELECT pg_advisory_xact_lock(7)");
    let clone = pgflit("clone").between(&pair).arg("--snapshot").arg(&id);
    let run = clone.start();
    run.wait_for_stderr("copied public.quick");
    run.signal(Signal::SIGKILL);
    run.wait_for_exit();
    gate.commit();
    pair.source
        .sql("INSERT INTO slow VALUES (2); INSERT INTO quick VALUES (2)");
    let (other, another) = holding(&pair, "snapshot");
    let resume = |id: &str| {
        let resume = pgflit("clone --resume").between(&pair);
        resume.arg("--snapshot").arg(id).run()
    };
    let refused = resume(&another).assert_code(1);
    refused.assert_stderr("under another snapshot");
    resume(&id).assert_code(0);
    assert_eq!(pair.target.sql("SELECT id FROM slow"), "1");
    assert_eq!(pair.target.sql("SELECT id FROM quick"), "1");
    drop((holder, other));
}

#[test]
fn a_snapshot_that_is_gone_or_none_is_refused() {
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE t (x int)");
    for (id, code, text) in [
        ("00000003-0000001B-1", 6, "taking over snapshot"),
        ("zebra", 1, "is not the id"),
    ] {
        for command in ["clone", "copy table-data", "dump schema"] {
            let folder = pair.path(&format!("{command} {id}"));
            let refused = pgflit(command).source(&pair.source).target(&pair.target);
            let refused = refused.dir(folder).arg("--snapshot").arg(id);
            refused.run().assert_code(code).assert_stderr(text);
        }
    }
}

#[test]
fn a_lost_connection_ends_it_with_6() {
    let pair = Pair::new();
    let (run, _) = holding(&pair, "snapshot");
    pair.source.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name LIKE '%snapshot keeper'",
    );
    let ended = run.wait_for_exit().assert_code(6);
    ended.assert_stderr("holding a snapshot");
}

#[test]
fn a_clone_follows_from_the_slot_that_a_snapshot_has_made() {
    let pair = Pair::new();
    pair.source
        .sql("CREATE TABLE t (x int PRIMARY KEY); INSERT INTO t VALUES (1)");
    let (holder, id) = holding(&pair, "snapshot --follow");
    let slots = "SELECT count(*) FROM pg_replication_slots";
    assert_eq!(pair.source.number(slots), 1);
    pair.source
        .sql("INSERT INTO t VALUES (2); UPDATE t SET x = 10 WHERE x = 1");
    let clone = pgflit("clone").follow().between(&pair);
    let clone = clone.arg("--snapshot").arg(&id).start();
    let end = pgflit("sentinel set endpos --current").dir(pair.dir());
    clone.wait_for_stderr("the base copy is complete");
    end.run().assert_code(0);
    clone.wait_for_exit().assert_code(0);
    assert_equal(&pair.source, &pair.target);
    drop(holder);
}

#[test]
fn a_snapshot_from_before_the_slot_is_refused_when_following() {
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE t (x int PRIMARY KEY)");
    let elsewhere = pair.path("elsewhere");
    let run = pgflit("snapshot").source(&pair.source).dir(&elsewhere);
    let run = run.start();
    let id = id_of(&run);
    pair.source.sql("INSERT INTO t VALUES (1)");
    let clone = pgflit("clone").follow().between(&pair);
    let refused = clone.arg("--snapshot").arg(&id).run().assert_code(1);
    refused.assert_stderr("before the replication slot");
}
