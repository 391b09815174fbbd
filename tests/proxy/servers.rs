//! Which server a client gets, and how long it waits for one.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use super::certificates::certificate;
use super::wire;
use crate::support::{Proxied, Run, SOON, eventually_some, pgflit, source_options};

const TRUST: &str = "[[auth]]\nmethod = \"trust\"\n";

#[test]
fn of_several_servers_a_client_gets_one_of_the_role_that_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("proxy.toml");
    fs::write(&path, TRUST).expect("written");
    let mut proxied = Proxied::with(source_options(), |proxy| proxy.arg("--config").arg(&path));
    let mut options = source_options();
    options.name = "standby".to_owned();
    let standby = proxied.cluster.standby(&options).expect("a standby");
    let (one, other) = (standby.port(), proxied.cluster.port());
    let entry = |name: &str, rest: &str| {
        format!(
            "[[database]]\nname = \"{name}\"\nsource = \"host=127.0.0.1,127.0.0.1 \
             port={one},{other} user=postgres dbname=app {rest}\"\n"
        )
    };
    let databases = [
        entry("any", ""),
        entry("writes", "target_session_attrs=read-write"),
        entry("primary", "target_session_attrs=primary"),
        entry("reads", "target_session_attrs=prefer-standby"),
    ];
    let databases = databases.concat();
    fs::write(&path, format!("{databases}{TRUST}")).expect("written");
    proxied.ask("proxy reload").run().assert_code(0);
    let in_recovery = |name: &str| {
        let database = proxied.database.with(&format!("dbname={name}"));
        database.sql("SELECT pg_is_in_recovery()")
    };
    assert_eq!(in_recovery("any"), "t");
    assert_eq!(in_recovery("writes"), "f");
    assert_eq!(in_recovery("primary"), "f");
    assert_eq!(in_recovery("reads"), "t");

    // A cancel request goes to the one that it is.
    let mut session = proxied.socket();
    let packet = wire::startup(0, &[("user", "postgres"), ("database", "writes")]);
    session.write_all(&packet).expect("sent");
    let said = wire::until(&mut session, b'Z');
    let tags: Vec<u8> = said.iter().map(|(tag, _)| *tag).collect();
    assert_eq!(tags.iter().filter(|tag| **tag == b'R').count(), 1);
    let key = said.into_iter().find(|(tag, _)| *tag == b'K');
    let key = key.expect("a key").1;
    wire::send_query(&mut session, "SELECT pg_sleep(600)");
    let running = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'";
    crate::support::eventually(SOON, "it runs", || proxied.direct.number(running) == 1);
    let mut cancel = proxied.socket();
    let request = [
        &16_u32.to_be_bytes()[..],
        &80_877_102_u32.to_be_bytes(),
        &key,
    ]
    .concat();
    cancel.write_all(&request).expect("sent");
    assert_eq!(wire::refusal(&mut session).as_deref(), Some("57014"));

    // Without the standby, who would rather have it gets the other; without the other, who needs it
    // is told that there is none.
    drop(standby);
    assert_eq!(in_recovery("reads"), "f");
    let limits = "[limits]\nserver_wait_limit = \"1s\"\n";
    let only = "[[database]]\nname = \"standby\"\nsource = \"host=127.0.0.1 user=postgres \
         dbname=app target_session_attrs=standby";
    let text = format!("{only} port={other}\"\n{limits}{TRUST}");
    fs::write(&path, &text).expect("written");
    proxied.ask("proxy reload").run().assert_code(0);
    let refused = proxied.database.with("dbname=standby").try_sql("SELECT 1");
    let refused = refused.expect_err("no standby");
    assert!(refused.contains("cannot be reached now"), "{refused}");
    proxied
        .proxy
        .wait_for_stderr("does not fit target_session_attrs=standby");

    // Where servers authenticate clients, nobody can look first.
    let passthrough = text.replace("trust", "passthrough");
    fs::write(&path, passthrough).expect("written");
    let reload = proxied.ask("proxy reload").run().assert_code(3);
    reload.assert_stderr("database[1].source: has target_session_attrs");
    assert!(proxied.proxy.is_running());
}

#[test]
fn a_client_that_waits_for_a_server_connection_is_told_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("proxy.toml");
    fs::write(&path, TRUST).expect("written");
    let proxied = Proxied::with(source_options(), |proxy| {
        let proxy = proxy.arg("--config").arg(&path);
        proxy.args(["--max-server-connections", "1"])
    });
    let mut first = proxied.socket();
    wire::log_in(&mut first, 0);
    let mut second = proxied.socket();
    let packet = wire::startup(0, &[("user", "postgres"), ("database", "app")]);
    second.write_all(&packet).expect("sent");
    // It must know that it is let in before it reads a notice.
    let said = wire::until(&mut second, b'N');
    assert_eq!(said[0], (b'R', vec![0; 4]));
    let notice = String::from_utf8_lossy(&said[1].1).into_owned();
    assert!(
        notice.contains("waiting for a server connection"),
        "{notice}"
    );
    drop(first);
    let said = wire::until(&mut second, b'Z');
    assert!(said.iter().all(|(tag, _)| *tag != b'R'), "{said:?}");
    assert!(said.iter().any(|(tag, _)| *tag == b'K'), "{said:?}");
    wire::query(&mut second, "SELECT 1");
}

/// A server that says that it starts up, for ever.
fn never_ready() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            let mut packet = [0; 1024];
            let _ = socket.read(&mut packet);
            let body = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0";
            let _ = socket.write_all(&wire::message(b'E', body));
        }
    });
    port
}

#[test]
fn a_server_that_never_becomes_ready_is_waited_for_no_longer_than_configured() {
    for method in ["passthrough", "trust"] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("proxy.toml");
        let source = format!(
            "postgresql://postgres@127.0.0.1:{}/app?sslmode=disable",
            never_ready()
        );
        let text =
            format!("[limits]\nserver_wait_limit = \"1s\"\n[[auth]]\nmethod = \"{method}\"\n");
        fs::write(&path, text).expect("written");
        let proxy = pgflit("proxy --listen 127.0.0.1:0 --source").arg(source);
        let proxy = proxy
            .arg("--config")
            .arg(&path)
            .dir(folder.path().join("work"));
        let proxy = proxy.start();
        let mut client = TcpStream::connect(("127.0.0.1", port(&proxy))).expect("it listens");
        client.set_read_timeout(Some(SOON)).expect("a limit");
        let packet = wire::startup(0, &[("user", "postgres"), ("database", "app")]);
        client.write_all(&packet).expect("sent");
        assert_eq!(
            wire::refusal(&mut client).as_deref(),
            Some("57P03"),
            "{method}"
        );
    }
}

fn port(proxy: &Run) -> u16 {
    eventually_some(SOON, "the proxy listens", || {
        let printed = proxy.stderr();
        let (_, rest) = printed.split_once("listening on 127.0.0.1:")?;
        rest.lines().next()?.trim().parse().ok()
    })
}

#[test]
fn certificates_towards_servers_are_read_once_until_a_reload() {
    let folder = tempfile::tempdir().expect("a folder");
    let (certificate, key) = certificate(folder.path());
    // A proxy is a server that encrypts.
    let server = Proxied::with(source_options(), |proxy| {
        let proxy = proxy.arg("--tls-certificate").arg(&certificate);
        proxy.arg("--tls-key").arg(&key)
    });
    let root = folder.path().join("root.pem");
    fs::copy(&certificate, &root).expect("copied");
    let path = folder.path().join("proxy.toml");
    let text = "[limits]\nserver_wait_limit = \"1s\"\n[[auth]]\nmethod = \"trust\"\n";
    fs::write(&path, text).expect("written");
    let source = server
        .database
        .with(&format!("sslmode=verify-ca&sslrootcert={}", root.display()));
    let work = folder.path().join("work");
    let proxy = pgflit("proxy --listen 127.0.0.1:0").source(&source);
    let proxy = proxy.arg("--config").arg(&path).dir(&work).start();
    let through = server.database.at_port(server.port, port(&proxy));
    assert_eq!(through.sql("SELECT 1"), "1");
    fs::remove_file(&root).expect("removed");
    assert_eq!(through.sql("SELECT 2"), "2");
    pgflit("proxy reload").dir(&work).run().assert_code(0);
    let refused = through
        .try_sql("SELECT 3")
        .expect_err("no root certificate");
    assert!(refused.contains("cannot be reached now"), "{refused}");
    proxy.wait_for_stderr("does not exist, and sslmode=verify-ca needs one");
}
