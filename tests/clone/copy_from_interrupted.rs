//! A copy from paused standbys that is killed, stopped or given up: what is copied stays exact, and
//! replay goes on.

use nix::sys::signal::Signal;

use super::Following;
use super::copy_from::{GATED, MUCH, Standby, WRITE, clone_from, moments, shut_gate, wait_at_gate};
use crate::support::{Pair, SOON, eventually, pgflit};

#[test]
fn killed_in_the_middle_it_goes_on_at_another_position() {
    let pair = Pair::new();
    pair.source.sql(GATED);
    let standby = Standby::of(&pair);
    let gate = shut_gate(&pair);
    let run = clone_from(&pair, &[&standby]).start();
    run.wait_for_stderr("copied public.log:");
    wait_at_gate(&pair);
    pair.source.sql(WRITE);
    run.signal(Signal::SIGKILL);
    run.wait_for_exit();
    assert!(standby.is_paused(), "nobody could resume it");
    pair.source.sql(WRITE);
    gate.commit();
    let resumed = clone_from(&pair, &[&standby]).resume().start();
    let following = Following {
        pair: &pair,
        run: resumed,
    };
    let following = following.until_live();
    assert!(!standby.is_paused());
    pair.source.sql(WRITE);
    let finished = following.end_equal();
    finished.assert_stderr("1 of 2 tables are copied already");
    assert_eq!(moments(&pair), 2);
}

#[cfg(debug_assertions)]
#[test]
fn killed_between_the_store_and_the_standby_it_goes_on() {
    use pgflit::base::failpoint::PLACES_OF_STANDBYS;
    let pair = Pair::new();
    pair.source.sql(GATED);
    let standby = Standby::of(&pair);
    for (at, place) in PLACES_OF_STANDBYS.iter().enumerate() {
        println!("{place}");
        let clone = clone_from(&pair, &[&standby]).env("PGFLIT_KILL_AT", place);
        let clone = if at == 0 { clone } else { clone.resume() };
        clone.run().assert_stderr(&format!("killed at {place}"));
        assert_eq!(standby.is_paused(), *place == "standby paused");
        pair.source.sql(WRITE);
    }
    let run = clone_from(&pair, &[&standby]).resume().start();
    Following { pair: &pair, run }.until_live().end_equal();
    assert!(!standby.is_paused());
}

#[test]
fn resumed_without_the_standby_it_reads_the_source_and_lets_the_standby_go() {
    let pair = Pair::new();
    pair.source.sql(GATED);
    let standby = Standby::of(&pair);
    let gate = shut_gate(&pair);
    let run = clone_from(&pair, &[&standby]).start();
    run.wait_for_stderr("copied public.log:");
    wait_at_gate(&pair);
    pair.source.sql(WRITE);
    run.signal(Signal::SIGKILL);
    run.wait_for_exit();
    pair.source.sql(WRITE);
    gate.commit();
    let following = Following::resume(&pair).until_live();
    assert!(!standby.is_paused());
    let finished = following.end_equal();
    finished.assert_stderr("resumed replay of the standby");
    let moments = "SELECT string_agg(table_name || ' ' || (snapshot LIKE 'replayed %'), ' '
                                     ORDER BY table_name) FROM pgflit.part";
    assert_eq!(pair.target.sql(moments), "log true slow false");
}

#[test]
fn cleanup_and_restart_resume_what_a_killed_run_has_paused() {
    let pair = Pair::new();
    pair.source.sql(GATED);
    let standby = Standby::of(&pair);
    let gate = shut_gate(&pair);
    let kill_at_gate = |clone: crate::support::Pgflit| {
        let run = clone.start();
        wait_at_gate(&pair);
        run.signal(Signal::SIGKILL);
        run.wait_for_exit();
        assert!(standby.is_paused());
        eventually(SOON, "nobody waits at the gate any more", || {
            let waiting = "SELECT pg_terminate_backend(pid) FROM pg_locks
                            WHERE locktype = 'advisory' AND NOT granted";
            pair.target.sql(waiting).is_empty()
        });
    };
    kill_at_gate(clone_from(&pair, &[&standby]));
    kill_at_gate(clone_from(&pair, &[&standby]).args(["--restart", "--drop-if-exists"]));
    let cleaned = pgflit("stream cleanup").between(&pair).run().assert_code(0);
    cleaned.assert_stderr("resumed replay of the standby");
    assert!(!standby.is_paused());
    drop(gate);
}

#[test]
fn cleanup_names_a_standby_that_it_cannot_reach() {
    let pair = Pair::new();
    pair.source.sql(GATED);
    let mut standby = Standby::of(&pair);
    let gate = shut_gate(&pair);
    let run = clone_from(&pair, &[&standby]).start();
    wait_at_gate(&pair);
    run.signal(Signal::SIGKILL);
    run.wait_for_exit();
    // A server process of the killed run has the ledger locked.
    gate.commit();
    standby.cluster.kill().expect("killed");
    let cleanup = || pgflit("stream cleanup").between(&pair).run();
    let failed = cleanup().assert_code(6);
    failed.assert_stderr("may still be paused by this migration");
    let slots = "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'pgflit'";
    assert_eq!(pair.source.number(slots), 0, "what can be removed is");
    standby.cluster.start().expect("started");
    cleanup().assert_code(0);
    assert!(!standby.is_paused());
}

#[test]
fn a_stop_and_an_error_leave_no_standby_paused() {
    let pair = Pair::new();
    pair.source.sql(GATED);
    let standby = Standby::of(&pair);
    let gate = shut_gate(&pair);
    let run = clone_from(&pair, &[&standby]).start();
    wait_at_gate(&pair);
    run.signal(Signal::SIGTERM);
    run.wait_for_exit().assert_code(9);
    assert!(!standby.is_paused());
    // The target refuses a row.
    gate.commit();
    pair.target
        .sql("ALTER TABLE slow ADD CONSTRAINT refused CHECK (id < 100)");
    let failed = clone_from(&pair, &[&standby]).resume().run().assert_code(7);
    failed.assert_stderr("refused");
    assert!(!standby.is_paused());
    pair.target.sql("ALTER TABLE slow DROP CONSTRAINT refused");
    let run = clone_from(&pair, &[&standby]).resume().start();
    Following { pair: &pair, run }.until_live().end_equal();
}

#[test]
fn a_standby_that_is_killed_is_paused_once_more() {
    let pair = Pair::new();
    pair.source.sql(GATED);
    pair.source.sql(MUCH);
    let mut standby = Standby::of(&pair);
    let gate = shut_gate(&pair);
    let run = clone_from(&pair, &[&standby]).start();
    wait_at_gate(&pair);
    standby.cluster.kill().expect("killed");
    pair.source.sql(WRITE);
    standby.cluster.start().expect("started");
    gate.commit();
    run.wait_for_stderr_times("is paused at", 2);
    let following = Following { pair: &pair, run };
    let finished = following.until_live().end_equal();
    finished.assert_stderr("reading from the standby");
    assert!(!standby.is_paused());
}

#[test]
fn a_standby_that_is_promoted_is_told_of_and_the_copy_is_exact() {
    let pair = Pair::new();
    pair.source.sql(GATED);
    pair.source.sql(MUCH);
    let standby = Standby::of(&pair);
    let gate = shut_gate(&pair);
    let run = clone_from(&pair, &[&standby]).start();
    wait_at_gate(&pair);
    pair.source.sql(WRITE);
    standby.database.sql("SELECT pg_promote()");
    standby.database.sql("DELETE FROM slow; DELETE FROM log");
    gate.commit();
    let following = Following { pair: &pair, run };
    let finished = following.until_live().end_equal();
    finished.assert_stderr("was resumed or promoted by somebody else");
}
