//! Several processes of one proxy: a restart under which clients stay.

use std::io::Write;
use std::net::TcpStream;
use std::os::unix::net::UnixListener;
use std::process::{Child, Stdio};

use nix::sys::signal::Signal;

use super::wire;
use crate::support::{Pgflit, Proxied, Run, SOON, eventually, source_options};

fn shared(proxy: Pgflit) -> Pgflit {
    proxy.arg("--reuse-port")
}

fn first() -> Proxied {
    Proxied::with(source_options(), shared)
}

/// Another process of the same proxy, once it listens.
fn another(proxied: &Proxied) -> Run {
    let listen = format!("127.0.0.1:{}", proxied.port);
    let proxy = proxied.ask("proxy --reuse-port");
    let proxy = proxy.arg("--listen").arg(listen);
    let run = proxy.source(&proxied.direct).start();
    run.wait_for_stderr("listening on 127.0.0.1:");
    run
}

/// Asks a process to stop; returns once nobody new comes to it.
#[track_caller]
fn stop(process: &Run) {
    process.signal(Signal::SIGTERM);
    process.wait_for_stderr("stopping: ");
}

fn session(proxied: &Proxied) -> (TcpStream, Vec<u8>) {
    let mut session = proxied.socket();
    let said = wire::log_in(&mut session, 0);
    let key = said.into_iter().find(|(tag, _)| *tag == b'K');
    (session, key.expect("a key").1)
}

/// Sends a cancel request; returns once whoever took it has closed.
fn cancel(proxied: &Proxied, key: &[u8]) {
    let mut socket = proxied.socket();
    let length = (8 + key.len() as u32).to_be_bytes();
    let packet = [&length[..], &80_877_102_u32.to_be_bytes(), key].concat();
    socket.write_all(&packet).expect("sent");
    assert_eq!(wire::refusal(&mut socket), None);
}

fn processes(proxied: &Proxied) -> usize {
    let status = proxied.status();
    status["processes"].as_array().map_or(1, Vec::len)
}

#[test]
fn a_cancel_request_finds_its_session_in_another_process() {
    let proxied = first();
    let (mut session, key) = session(&proxied);
    let second = another(&proxied);
    stop(&proxied.proxy);
    wire::send_query(&mut session, "SELECT pg_sleep(600)");
    let running = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'";
    eventually(SOON, "it runs", || proxied.direct.number(running) == 1);
    let mut wrong = key.clone();
    wrong[7] ^= 1;
    cancel(&proxied, &wrong);
    second.wait_for_stderr("a cancel request with a key that nobody has");
    assert_eq!(proxied.direct.number(running), 1);
    cancel(&proxied, &key);
    assert_eq!(wire::refusal(&mut session).as_deref(), Some("57014"));
    // It is the same session still.
    wire::until(&mut session, b'Z');
    wire::query(&mut session, "SELECT 1");
    let log = second.stderr() + &proxied.proxy.stderr();
    assert!(!log.contains("key\":"), "{log}");
}

#[test]
fn a_pause_is_of_all_processes_or_of_none() {
    let mut proxied = first();
    let (mut busy, _) = session(&proxied);
    wire::query(&mut busy, "BEGIN");
    let second = another(&proxied);
    stop(&proxied.proxy);
    let (mut idle, _) = session(&proxied);
    assert_eq!(processes(&proxied), 2);
    let refused = proxied.ask("proxy pause --timeout 300ms").run();
    let refused = refused.assert_code(3);
    let first_pid = format!("process {}: 1 clients were still", proxied.proxy.pid());
    refused.assert_stderr(&first_pid);
    assert_eq!(proxied.status()["paused"], false);
    wire::query(&mut idle, "SELECT 'goes on'");

    wire::query(&mut busy, "COMMIT");
    proxied.pause("60s");
    let status = proxied.status();
    assert_eq!(status["paused"], true, "{status}");
    // Who comes now comes into the pause, in a process that starts now as well.
    let third = another(&proxied);
    third.wait_for_stderr("traffic is paused");
    assert_eq!(processes(&proxied), 3);
    assert_eq!(proxied.status()["paused"], true);
    let again = proxied.ask("proxy pause").run().assert_code(3);
    again.assert_stderr("it is paused already");
    assert_eq!(proxied.status()["paused"], true);
    stop(&second);
    let mut new = proxied.socket();
    let packet = wire::startup(0, &[("user", "postgres"), ("database", "app")]);
    new.write_all(&packet).expect("sent");
    wire::send_query(&mut busy, "SELECT 1");
    wire::send_query(&mut idle, "SELECT 1");
    eventually(SOON, "all of them wait", || {
        let clients = proxied.status()["clients"].clone();
        clients["held"] == 2 && clients["waiting"] == 1
    });
    let text = proxied.ask("proxy status").run().assert_code(0).stdout;
    assert!(text.contains("listens no more, paused"), "{text}");
    let table = proxied.ask("proxy clients").run().assert_code(0).stdout;
    assert!(table.contains("Process"), "{table}");

    // None of them resumes because it is asked to stop.
    assert!(proxied.proxy.is_running());
    proxied.resume();
    for session in [&mut busy, &mut idle, &mut new] {
        wire::until(session, b'Z');
    }
    proxied.pause("60s");
    proxied.resume();
}

#[test]
fn who_waits_to_be_accepted_is_served_by_the_process_that_ends() {
    let proxied = first();
    let (mut old, _) = session(&proxied);
    proxied.proxy.signal(Signal::SIGSTOP);
    let packet = wire::startup(0, &[("user", "postgres"), ("database", "app")]);
    let mut waiting: Vec<_> = (0..50).map(|_| proxied.socket()).collect();
    for socket in &mut waiting {
        socket.write_all(&packet).expect("sent");
    }
    proxied.proxy.signal(Signal::SIGTERM);
    proxied.proxy.signal(Signal::SIGCONT);
    for socket in &mut waiting {
        wire::until(socket, b'Z');
        wire::query(socket, "SELECT 1");
    }
    wire::query(&mut old, "SELECT 1");
    drop((waiting, old));
    let Proxied { proxy, .. } = proxied;
    proxy.wait_for_exit().assert_code(0);
}

#[test]
fn a_unix_socket_is_taken_over_from_a_process_of_the_same_proxy_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |number: u16| format!("{}:{number}", folder.path().display());
    let proxied = Proxied::with(source_options(), |proxy| {
        shared(proxy).arg("--listen").arg(at(7001))
    });
    let path = folder.path().join(".s.PGSQL.7001");
    let by_socket = proxied.database.at_port(proxied.port, 7001);
    let by_socket = by_socket.with(&format!("host={}", folder.path().display()));
    let _others = UnixListener::bind(folder.path().join(".s.PGSQL.7002")).expect("a socket");
    let start = |number: u16| {
        let proxy = shared(proxied.ask("proxy --listen 127.0.0.1:0"));
        let proxy = proxy.arg("--listen").arg(at(number));
        proxy.source(&proxied.direct).start()
    };
    let refused = start(7002).wait_for_exit().assert_code(12);
    refused.assert_stderr("another process answers there");
    let second = start(7001);
    second.wait_for_stderr(&format!("listening on {}", path.display()));
    proxied.proxy.signal(Signal::SIGTERM);
    let Proxied { proxy, cluster, .. } = proxied;
    proxy.wait_for_exit().assert_code(0);
    assert_eq!(by_socket.sql("SELECT 1"), "1");
    second.signal(Signal::SIGTERM);
    second.wait_for_exit().assert_code(0);
    assert!(!path.exists());
    drop(cluster);
}

#[test]
fn clients_that_stay_past_the_limit_are_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("proxy.toml");
    std::fs::write(&path, "[limits]\ndrain_limit = \"1s\"\n").expect("written");
    let proxied = Proxied::with(source_options(), |proxy| proxy.arg("--config").arg(&path));
    let (mut idle, _) = session(&proxied);
    proxied.proxy.signal(Signal::SIGTERM);
    assert_eq!(wire::refusal(&mut idle).as_deref(), Some("57P01"));
    let Proxied { proxy, .. } = proxied;
    proxy.wait_for_exit().assert_code(0);
}

#[test]
fn who_has_connected_and_said_nothing_yet_is_served_too() {
    let proxied = first();
    let mut late = proxied.socket();
    stop(&proxied.proxy);
    wire::log_in(&mut late, 0);
    wire::query(&mut late, "SELECT 1");
    drop(late);
    let Proxied { proxy, .. } = proxied;
    proxy.wait_for_exit().assert_code(0);
}

#[test]
fn the_control_socket_is_the_newest_living_processs() {
    let mut proxied = first();
    let own = |run: &Run| format!("work/proxy-{}.sock", run.pid());
    let newest = |proxied: &Proxied| {
        let path = |name: &str| std::fs::metadata(proxied.path(name)).expect("a file");
        use std::os::unix::fs::MetadataExt;
        let ino = path("work/proxy.sock").ino();
        let status = proxied.status();
        let pid = status["pid"].as_u64().expect("a number");
        assert_eq!(ino, path(&format!("work/proxy-{pid}.sock")).ino());
        pid as u32
    };
    assert_eq!(newest(&proxied), proxied.proxy.pid());
    let mut second = another(&proxied);
    assert_eq!(newest(&proxied), second.pid());
    // One that may not share is told so.
    let third = proxied.ask("proxy --listen 127.0.0.1:0");
    let third = third.source(&proxied.direct).run().assert_code(8);
    third.assert_stderr("another proxy answers");

    stop(&second);
    eventually(SOON, "it ends", || !second.is_running());
    assert_eq!(newest(&proxied), proxied.proxy.pid());
    assert!(!proxied.path(&own(&second)).exists());

    // Killed, it leaves its files, which nobody minds.
    let (mut session, _) = session(&proxied);
    let mut second = another(&proxied);
    second.signal(Signal::SIGKILL);
    eventually(SOON, "it ends", || !second.is_running());
    assert!(proxied.path(&own(&second)).exists());
    assert_eq!(processes(&proxied), 1);
    assert_eq!(proxied.status()["clients"]["total"], 1);
    proxied.pause("60s");
    proxied.resume();
    wire::query(&mut session, "SELECT 1");
    assert_eq!(proxied.database.sql("SELECT 1"), "1");
    let third = another(&proxied);
    assert_eq!(newest(&proxied), third.pid());
    assert!(!proxied.path(&own(&second)).exists());
    proxied.proxy.signal(Signal::SIGKILL);
    eventually(SOON, "it ends", || !proxied.proxy.is_running());
    assert_eq!(processes(&proxied), 1);
    assert_eq!(proxied.database.sql("SELECT 1"), "1");
}

/// `pgbench` with `options`, through the proxy.
fn pgbench(proxied: &Proxied, options: &[&str]) -> Child {
    let mut program = proxied.database.program("pgbench");
    program
        .args(["-n", "-S", "-c", "4", "-j", "2"])
        .args(options);
    program.arg(proxied.database.uri());
    program
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    program
        .spawn()
        .expect("pgbench is installed with the server")
}

#[track_caller]
fn assert_whole(traffic: Child, count: usize) {
    let output = traffic.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let all = format!("actually processed: {count}/{count}");
    assert!(
        output.status.success() && said.contains(&all),
        "{said}\n{errors}"
    );
}

#[test]
fn traffic_goes_on_through_restarts_without_a_failure() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("proxy.toml");
    std::fs::write(&path, "[limits]\ndrain_limit = \"1h\"\n").expect("written");
    let mut proxied = Proxied::with(source_options(), |proxy| {
        shared(proxy).arg("--config").arg(&path)
    });
    crate::support::Pgbench::init(&proxied.direct, 1);
    // A connection a transaction, and connections that stay.
    let mut coming = pgbench(&proxied, &["-C", "-t", "300"]);
    let staying = pgbench(&proxied, &["-t", "5000"]);
    let mut serving = |proxied: &Proxied| {
        let before = proxied.status()["transactions"].clone();
        eventually(SOON, "it serves", || {
            let has_ended = !matches!(coming.try_wait(), Ok(None));
            has_ended || proxied.status()["transactions"] != before
        });
    };
    let mut left = Vec::new();
    for _ in 0..3 {
        serving(&proxied);
        let next = another(&proxied);
        serving(&proxied);
        let old = std::mem::replace(&mut proxied.proxy, next);
        stop(&old);
        left.push(old);
    }
    assert_whole(coming, 1200);
    assert_whole(staying, 20_000);
    for old in left {
        old.wait_for_exit().assert_code(0);
    }
}
