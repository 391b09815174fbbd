//! A proxy is stopped while nobody has decided where traffic goes.

use std::process::Stdio;

use nix::sys::signal::Signal;
use serde_json::Value;

use super::bank::{self, Bank};
use super::stage::{Stage, listens};
use crate::support::Run;

const TRANSFERS: &str = "SELECT count(*) FROM ledger";

/// A proxy with a console, on the same port.
fn start_proxy(stage: &mut Stage) {
    let folder = stage.pair.path("console");
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = stage.pair.path("proxy.toml");
    let text = format!("[admin]\nlisten = [\"{}\"]\n", folder.display());
    std::fs::write(&path, text).expect("written");
    let proxy = stage.proxy_command().arg("--config").arg(&path).start();
    stage.port = listens(&proxy);
    stage.proxy = Some(proxy);
}

/// Types `command` into the console.
#[track_caller]
fn types(stage: &Stage, command: &str) {
    let console = format!(
        "host={} port=6432 user=pgflit dbname=pgflit",
        stage.pair.path("console").display()
    );
    let mut psql = stage.pair.source.program("psql");
    psql.args(["-X", "-d", &console, "-c", command]);
    let typed = psql.stdin(Stdio::null()).output().expect("psql");
    let said = String::from_utf8_lossy(&typed.stderr);
    assert!(typed.status.success(), "{command}: {said}");
}

fn proxy(stage: &Stage) -> &Run {
    stage.proxy.as_ref().expect("it runs")
}

/// The transfers on both sides.
fn transfers(stage: &Stage) -> (i64, i64) {
    let pair = &stage.pair;
    (pair.source.number(TRANSFERS), pair.target.number(TRANSFERS))
}

/// Clients wait, and nobody has gone on since there were so many transfers.
#[track_caller]
fn assert_nobody_goes_on(stage: &Stage, before: (i64, i64)) {
    // Each question is a round through the proxy: clients that go on do more within one.
    for _ in 0..5 {
        let status = stage.command("proxy status --json").run().assert_code(0);
        let status: Value = serde_json::from_str(&status.stdout).expect("JSON");
        assert_eq!(status["paused"], true, "{status}");
    }
    assert_eq!(transfers(stage), before, "somebody has gone on");
}

#[test]
fn a_proxy_that_is_to_stop_lets_nobody_go_on_before_it_is_decided() {
    let mut stage = Stage::with(bank::SCHEMA);
    drop(stage.proxy.take());
    start_proxy(&mut stage);
    let bank = Bank::open(&stage, 3, 12);

    // By a signal: its clients go on where it was decided, and it stays for them.
    let moving = stage.stops_at("cutover --yes --max-pause 60s", "stream drained");
    let before = transfers(&stage);
    proxy(&stage).signal(Signal::SIGTERM);
    proxy(&stage).wait_for_stderr("stopping:");
    assert_nobody_goes_on(&stage, before);
    moving.signal(Signal::SIGCONT);
    moving.wait_for_exit().assert_code(0);
    bank.goes_on();
    assert_eq!(stage.serves_whoever_is_there(), "target");
    drop(stage.proxy.take());
    start_proxy(&mut stage);
    bank.goes_on();

    // From the console, when clients have gone.
    let moving = stage.stops_at("rollback --yes --max-pause 60s", "stream drained");
    let before = transfers(&stage);
    types(&stage, "SHUTDOWN WAIT_FOR_CLIENTS");
    proxy(&stage).wait_for_stderr("asked to stop from the console");
    assert_nobody_goes_on(&stage, before);
    moving.signal(Signal::SIGCONT);
    moving.wait_for_exit().assert_code(0);
    bank.goes_on();
    assert_eq!(stage.serves_whoever_is_there(), "source");
    drop(stage.proxy.take());
    start_proxy(&mut stage);
    bank.goes_on();

    // At once: they are ended, and the next one asks before it serves anybody.
    let moving = stage.stops_at(
        "cutover --yes --max-pause 60s --attempts 1",
        "stream drained",
    );
    let before = transfers(&stage);
    types(&stage, "SHUTDOWN");
    let ended = stage.proxy.take().expect("it runs").wait_for_exit();
    assert_eq!(transfers(&stage), before, "somebody has gone on");
    drop(ended.assert_code(0));
    start_proxy(&mut stage);
    proxy(&stage).wait_for_stderr("was aborted");
    bank.goes_on();
    moving.signal(Signal::SIGCONT);
    moving.wait_for_exit().assert_code(3);
    bank.goes_on();
    assert_eq!((stage.serves(), stage.takes_writes()), ("source", "source"));
    stage.moves("cutover");
    bank.goes_on();
    bank.close(&stage.database());
    stage.until_equal(&bank::TABLES);
}
