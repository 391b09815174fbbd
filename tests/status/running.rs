//! Migrations that run, and what holds them up.

use nix::sys::signal::Signal;
use serde_json::Value;

use super::{shown, status};
use crate::support::{Held, Pair, Run, SOON, eventually, pgflit};

/// `clone --follow`, in live replay.
pub(super) fn following(pair: &Pair) -> Run {
    let clone = pgflit("clone --follow").between(pair).start();
    clone.wait_for_stderr("live replay from");
    clone
}

fn set(pair: &Pair, word: &str) {
    let set = pgflit(&format!("sentinel set {word}")).dir(pair.dir());
    set.run().assert_code(0);
}

/// Returns once what is told fits.
#[track_caller]
fn until(pair: &Pair, what: &str, mut fits: impl FnMut(&Value) -> bool) -> Value {
    let mut told = Value::Null;
    eventually(SOON, what, || {
        told = status(pair);
        fits(&told)
    });
    told
}

#[test]
fn a_copy_that_is_held_up_is_told_with_its_tables() {
    let pair = Pair::new();
    pair.source
        .sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000)");
    let clone = pgflit("clone --follow").between(&pair);
    let clone = clone.env("PGFLIT_STOP_AT", "part copied").start();
    eventually(SOON, "the first part is copied", || clone.is_stopped());
    let told = status(&pair);
    assert_eq!(told["state"], "running");
    assert_eq!(told["running"]["pid"], clone.pid());
    assert_eq!(told["running"]["command"], "pgflit clone");
    assert_eq!(told["copy"]["stage"], "rows", "{told}");
    assert_eq!(told["copy"]["tables"]["total"], 1, "{told}");
    let stream = &told["streams"][0];
    assert_eq!(stream["held"], "copy", "{told}");
    assert_eq!(stream["from"], "source");
    assert_eq!(stream["slot_name"], "pgflit");
    let text = shown(&pair);
    assert!(text.contains("running: copying rows"), "{text}");
}

#[test]
fn who_keeps_a_copy_from_a_table_is_named() {
    let pair = Pair::new();
    pair.source
        .sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000)");
    let clone = pgflit("clone").between(&pair);
    let clone = clone.env("PGFLIT_STOP_AT", "rows begun").start();
    eventually(SOON, "rows are about to be copied", || clone.is_stopped());
    let held = Held::open(&pair.target, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    clone.signal(Signal::SIGCONT);
    let told = until(&pair, "the copy is held up", |told| {
        told["stalls"].as_array().is_some_and(|all| !all.is_empty())
    });
    let stall = &told["stalls"][0];
    assert_eq!(stall["side"], "target", "{told}");
    let why = stall["why"].as_str().expect("a reason");
    assert!(why.contains("public.t held by pid"), "{why}");
    let busy = told["target"]["sessions"].as_array().expect("sessions");
    let of_wait = |session: &Value| session["wait_event_type"] == "Lock";
    assert!(busy.iter().any(of_wait), "{told}");
    held.commit();
    clone.wait_for_exit().assert_code(0);
}

#[test]
fn the_lag_is_told_in_bytes_and_seconds() {
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE t (id int PRIMARY KEY)");
    let clone = following(&pair);
    pair.source.sql("INSERT INTO t VALUES (1)");
    let told = until(&pair, "the first change is there", |told| {
        told["streams"][0]["lag_seconds"] == 0.0
            && pair.target.number("SELECT count(*) FROM t") == 1
    });
    assert_eq!(told["streams"][0]["mode"], "live_replay", "{told}");
    assert_eq!(told["streams"][0]["slot"]["active"], true, "{told}");
    set(&pair, "prefetch");
    clone.wait_for_stderr("applying is held back");
    pair.source
        .sql("INSERT INTO t SELECT generate_series(2, 5000)");
    let lag = |told: &Value| told["streams"][0]["lag_seconds"].as_f64().unwrap_or(0.0);
    let told = until(&pair, "the lag grows", |told| lag(told) > 0.5);
    let stream = &told["streams"][0];
    assert_eq!(stream["held"], "sentinel", "{told}");
    assert!(stream["lag_bytes"].as_u64() > Some(5000), "{told}");
    assert!(shown(&pair).contains("held back"), "{}", shown(&pair));
    set(&pair, "apply");
    until(&pair, "there is no lag", |told| {
        told["streams"][0]["lag_seconds"] == 0.0 && told["streams"][0]["held"] == Value::Null
    });
    assert_eq!(pair.target.number("SELECT count(*) FROM t"), 5000);
}

#[test]
fn who_keeps_apply_from_a_table_is_named_and_what_to_do() {
    let pair = Pair::new();
    pair.source.sql("CREATE TABLE t (id int PRIMARY KEY)");
    let _clone = following(&pair);
    let held = Held::open(&pair.target, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    pair.source.sql("INSERT INTO t VALUES (1)");
    let told = until(&pair, "apply is held up", |told| {
        told["stalls"].as_array().is_some_and(|all| !all.is_empty())
    });
    let stall = &told["stalls"][0];
    assert_eq!(stall["side"], "target");
    assert_eq!(stall["what"], "apply");
    let why = stall["why"].as_str().expect("a reason");
    for text in [
        "waits for a lock on public.t",
        "held open",
        "idle in transaction",
    ] {
        assert!(why.contains(text), "{why}");
    }
    let hint = stall["hint"].as_str().expect("a hint");
    assert!(hint.contains("SELECT pg_terminate_backend("), "{hint}");
    let text = shown(&pair);
    assert!(
        text.contains("\nstalled   apply waits for a lock"),
        "{text}"
    );
    held.commit();
    until(&pair, "apply goes on", |told| {
        told["stalls"] == Value::Array(Vec::new())
            && pair.target.number("SELECT count(*) FROM t") == 1
    });
}
