//! The proxy's command line, its control socket and its end.

use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::Signal;

use super::wire;
use crate::support::{Proxied, SOON, eventually, pgflit};

#[test]
fn a_running_proxy_says_who_is_connected() {
    let proxied = Proxied::new();
    let mut session = proxied.socket();
    let packet = wire::startup(
        0,
        &[
            ("user", "postgres"),
            ("database", "app"),
            ("application_name", "shop"),
        ],
    );
    std::io::Write::write_all(&mut session, &packet).expect("sent");
    wire::until(&mut session, b'Z');
    wire::query(&mut session, "BEGIN");
    let clients = proxied.ask("proxy clients --json").run().assert_code(0);
    let clients: serde_json::Value = serde_json::from_str(&clients.stdout).expect("JSON");
    let client = &clients[0];
    for (key, value) in [
        ("state", "busy"),
        ("user", "postgres"),
        ("database", "app"),
        ("application_name", "shop"),
    ] {
        assert_eq!(client[key], value, "{clients}");
    }
    let pid = "SELECT pid FROM pg_stat_activity WHERE application_name = 'shop'";
    assert_eq!(client["server_pid"], proxied.direct.number(pid));
    let table = proxied.ask("proxy clients").run().assert_code(0).stdout;
    assert!(
        table.contains("Application") && table.contains("| shop"),
        "{table}"
    );
    let status = proxied.ask("proxy status").run().assert_code(0).stdout;
    assert!(status.contains("1 busy"), "{status}");
    assert_eq!(proxied.status()["serves"], "source");
}

#[test]
fn the_control_socket_is_its_owners_and_one_proxys() {
    let proxied = Proxied::new();
    let socket = proxied.path("work/proxy.sock");
    let mode = std::fs::metadata(&socket)
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let second = proxied
        .ask("proxy --listen 127.0.0.1:0")
        .source(&proxied.direct);
    second
        .run()
        .assert_code(8)
        .assert_stderr("another proxy answers");
    let taken = format!("127.0.0.1:{}", proxied.port);
    let third = pgflit("proxy --listen").arg(taken).source(&proxied.direct);
    let third = third.dir(proxied.path("other")).run().assert_code(12);
    third.assert_stderr("listening on 127.0.0.1");
    let nobody = pgflit("proxy status --dir")
        .arg(proxied.path("other"))
        .run();
    nobody.assert_code(12).assert_stderr("no proxy answers");
}

#[test]
fn what_is_missing_is_named() {
    pgflit("proxy --source host=x")
        .run()
        .assert_code(1)
        .assert_stderr("--listen");
    let roles = "postgresql://a,b/app?target_session_attrs=primary";
    let roles = pgflit("proxy --listen 127.0.0.1:0 --source").arg(roles);
    let folder = tempfile::tempdir().expect("a folder");
    roles
        .dir(folder.path())
        .run()
        .assert_code(1)
        .assert_stderr("target_session_attrs");
    let key = pgflit("proxy --listen 127.0.0.1:0 --source host=x --tls-certificate /none");
    key.run().assert_code(1).assert_stderr("--tls-key");
    let files = pgflit("proxy --listen 127.0.0.1:0 --source host=x --tls-key /none");
    let files = files.args(["--tls-certificate", "/none"]).run();
    files.assert_code(1).assert_stderr("certificate file /none");
}

#[test]
fn a_proxy_that_is_asked_to_stop_serves_its_clients_to_their_ends() {
    let mut proxied = Proxied::new();
    let mut session = proxied.socket();
    wire::log_in(&mut session, 0);
    wire::query(&mut session, "BEGIN");
    proxied.proxy.signal(Signal::SIGTERM);
    eventually(SOON, "nobody else is let in", || {
        std::net::TcpStream::connect(("127.0.0.1", proxied.port)).is_err()
    });
    let said = wire::query(&mut session, "SELECT 'to the end'");
    assert!(said.iter().any(|(_, body)| body.ends_with(b"to the end")));
    assert!(proxied.proxy.is_running());
    drop(session);
    eventually(SOON, "it ends", || !proxied.proxy.is_running());
    assert!(!proxied.path("work/proxy.sock").exists());
    let Proxied { proxy, .. } = proxied;
    proxy.wait_for_exit().assert_code(0);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let proxied = Proxied::new();
    let mut session = proxied.socket();
    wire::log_in(&mut session, 0);
    proxied.proxy.signal(Signal::SIGTERM);
    proxied.proxy.wait_for_stderr("1 clients are served");
    proxied.proxy.signal(Signal::SIGTERM);
    let Proxied { proxy, .. } = proxied;
    proxy.wait_for_exit().assert_code(9);
}
