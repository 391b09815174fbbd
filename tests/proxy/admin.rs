//! The admin console, as psql, drivers and exporters see it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

use super::wire;
use crate::support::{
    Pgbench, Proxied, Run, SOON, driver_runtime, eventually, eventually_some, source_options,
};

/// A proxy with two names for one database, a console, and who may enter it: ann everything, bob
/// nothing but look.
pub(super) struct Console {
    pub(super) proxied: Proxied,
    pub(super) port: u16,
    pub(super) folder: TempDir,
}

const USERS: &str = "
    [[database]]
    name = \"app\"
    [[database]]
    name = \"other\"
    [[user]]
    name = \"ann\"
    password_file = \"password\"
    [[user]]
    name = \"bob\"
    password_file = \"password\"
    [[user]]
    name = \"app\"
    password_file = \"password\"
    [[auth]]
    method = \"passthrough\"
";

/// A password that nothing may print.
const PASSWORD: &str = "xkcd-936-horse";

impl Console {
    fn new() -> Self {
        Self::with("")
    }

    /// With more in `[admin]`.
    pub(super) fn with(more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD).expect("written");
        fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).expect("mode");
        write(folder.path(), more);
        let path = folder.path().join("proxy.toml");
        let proxied = Proxied::with(source_options(), |proxy| proxy.arg("--config").arg(&path));
        let port = Self::port_of(&proxied.proxy);
        Console {
            proxied,
            port,
            folder,
        }
    }

    /// Where the console of a process is.
    #[track_caller]
    pub(super) fn port_of(proxy: &Run) -> u16 {
        eventually_some(SOON, "the console is there", || {
            let printed = proxy.stderr();
            let (_, rest) = printed.split_once("the console is at 127.0.0.1:")?;
            rest.lines().next()?.trim().parse().ok()
        })
    }

    /// What psql prints, with the names of columns, or its complaint.
    fn try_psql(&self, settings: &str, password: &str, command: &str) -> Result<String, String> {
        let mut psql = self.psql(settings, password, command);
        let output = psql.output().expect("psql");
        let said = |bytes| String::from_utf8_lossy(bytes).trim_end().to_owned();
        match output.status.success() {
            true => Ok(said(&output.stdout)),
            false => Err(said(&output.stderr)),
        }
    }

    fn psql(&self, settings: &str, password: &str, command: &str) -> Command {
        let port = self.port;
        let text = format!("host=127.0.0.1 port={port} dbname=pgflit {settings}");
        let mut psql = self.proxied.direct.program("psql");
        psql.args([
            "-X",
            "-A",
            "-F",
            "|",
            "-P",
            "footer=off",
            "-v",
            "VERBOSITY=verbose",
        ]);
        psql.args(["-d", &text, "-c", command]);
        psql.env("PGPASSWORD", password).stdin(Stdio::null());
        psql
    }

    /// As [`Console::ask`], without waiting for an answer.
    pub(super) fn begin(&self, command: &str) -> Child {
        let mut psql = self.psql("user=ann", PASSWORD, command);
        let psql = psql.stdout(Stdio::null()).stderr(Stdio::null());
        psql.spawn().expect("psql")
    }

    #[track_caller]
    pub(super) fn ask(&self, command: &str) -> String {
        let said = self.try_psql("user=ann", PASSWORD, command);
        said.unwrap_or_else(|said| panic!("{command}: {said}"))
    }

    #[track_caller]
    pub(super) fn refused(&self, command: &str) -> String {
        let said = self.try_psql("user=ann", PASSWORD, command);
        said.expect_err("a refusal")
    }

    /// The rows of a table as maps, by its columns.
    #[track_caller]
    fn rows(&self, command: &str) -> Vec<std::collections::HashMap<String, String>> {
        let said = self.ask(command);
        let mut lines = said.lines();
        let names: Vec<_> = lines
            .next()
            .expect("columns")
            .split('|')
            .map(str::to_owned)
            .collect();
        let row = |line: &str| {
            let values = line.split('|').map(str::to_owned);
            names.iter().cloned().zip(values).collect()
        };
        lines.map(row).collect()
    }

    #[track_caller]
    fn number(&self, command: &str, key: (&str, &str), column: &str) -> u64 {
        let rows = self.rows(command);
        let row = rows
            .iter()
            .find(|row| row.get(key.0).is_some_and(|value| value == key.1));
        let row = row.unwrap_or_else(|| panic!("{command} has no {key:?}: {rows:?}"));
        row[column].parse().expect("a number")
    }

    /// A conversation of the proxy's own account, over the local socket.
    fn own(&self) -> UnixStream {
        let path = self.folder.path().join(".s.PGSQL.6432");
        let mut socket = UnixStream::connect(path).expect("the console listens");
        socket.set_read_timeout(Some(SOON)).expect("a time limit");
        let packet = wire::startup(2, &[("user", "pgflit"), ("database", "pgflit")]);
        socket.write_all(&packet).expect("sent");
        wire::until(&mut socket, b'Z');
        socket
    }

    /// A session through the proxy that asks for `database`.
    pub(super) fn session(&self, database: &str) -> std::net::TcpStream {
        let mut socket = self.proxied.socket();
        let packet = wire::startup(0, &[("user", "postgres"), ("database", database)]);
        socket.write_all(&packet).expect("sent");
        wire::until(&mut socket, b'Z');
        socket
    }
}

fn write(folder: &Path, more: &str) {
    let shown = folder.display();
    let text = format!(
        "{USERS}
        [admin]
        listen = [\"127.0.0.1:0\", \"{shown}\"]
        users = \"ann\"
        read_only_users = \"bob\"
        {more}"
    );
    fs::write(folder.join("proxy.toml"), text).expect("written");
}

/// As PgBouncer 1.25 has them; `holds` is ours, behind them.
const PGBOUNCER: [(&str, &str); 11] = [
    (
        "clients",
        "type|user|database|replication|state|addr|port|local_addr|local_port|connect_time|request_time|wait|wait_us|close_needed|ptr|link|remote_pid|tls|application_name|prepared_statements|id|holds",
    ),
    (
        "servers",
        "type|user|database|replication|state|addr|port|local_addr|local_port|connect_time|request_time|wait|wait_us|close_needed|ptr|link|remote_pid|tls|application_name|prepared_statements|id",
    ),
    (
        "pools",
        "database|user|cl_active|cl_waiting|cl_active_cancel_req|cl_waiting_cancel_req|sv_active|sv_active_cancel|sv_being_canceled|sv_idle|sv_used|sv_tested|sv_login|maxwait|maxwait_us|pool_mode|load_balance_hosts",
    ),
    (
        "stats",
        "database|total_server_assignment_count|total_xact_count|total_query_count|total_received|total_sent|total_xact_time|total_query_time|total_wait_time|total_client_parse_count|total_server_parse_count|total_bind_count|avg_server_assignment_count|avg_xact_count|avg_query_count|avg_recv|avg_sent|avg_xact_time|avg_query_time|avg_wait_time|avg_client_parse_count|avg_server_parse_count|avg_bind_count",
    ),
    ("totals", "name|value"),
    ("lists", "list|items"),
    (
        "databases",
        "name|host|port|database|force_user|pool_size|min_pool_size|reserve_pool_size|server_lifetime|pool_mode|load_balance_hosts|max_connections|current_connections|max_client_connections|current_client_connections|paused|disabled",
    ),
    (
        "users",
        "name|pool_size|reserve_pool_size|pool_mode|max_user_connections|current_connections|max_user_client_connections|current_client_connections",
    ),
    ("config", "key|value|default|changeable"),
    ("mem", "name|size|used|free|memtotal"),
    ("version", "version"),
];

const OWN: [(&str, &str); 11] = [
    ("help", "command|what"),
    (
        "stats_totals",
        "database|server_assignment_count|xact_count|query_count|bytes_received|bytes_sent|xact_time|query_time|wait_time|client_parse_count|server_parse_count|bind_count",
    ),
    (
        "stats_averages",
        "database|server_assignment_count|xact_count|query_count|bytes_received|bytes_sent|xact_time|query_time|wait_time|client_parse_count|server_parse_count|bind_count",
    ),
    ("state", "key|value"),
    ("mirrors", "name|database|mode|exposure|transactions"),
    ("shadow", "mirror|statement|compared|differences"),
    ("cutover", "serves|attempt|to|state|begun|held_ms|in_doubt"),
    ("proxies", "name|version|listen|serves|state|clients|since"),
    ("sessions unmovable", "id|user|database|reason|since"),
    ("replication", "stream|from|slot|plugin|state|write_lsn"),
    ("tasks", "task|command|state|started|seconds|exit_code|said"),
];

#[test]
fn every_table_has_the_columns_that_are_promised() {
    let console = Console::new();
    let _session = console.session("app");
    for (show, columns) in PGBOUNCER {
        let said = console.ask(&format!("show {show};"));
        assert_eq!(said.lines().next(), Some(columns), "{show}");
        assert!(said.lines().count() > 1, "{show} is empty");
    }
    for (show, columns) in OWN {
        let said = console.ask(&format!("SHOW {show}"));
        assert!(said.starts_with(columns), "{show}: {said}");
    }
    let sockets = console.ask("SHOW SOCKETS");
    assert!(
        sockets.contains("|recv_pos|")
            && sockets.contains("cl_idle")
            && sockets.contains("sv_idle")
    );
    let everything = PGBOUNCER.iter().chain(&OWN);
    let said: String = everything
        .map(|(show, _)| console.ask(&format!("show {show}")))
        .collect();
    assert!(
        !said.contains(PASSWORD) && !said.contains("SCRAM"),
        "{said}"
    );
    assert!(console.ask("SHOW VERSION").contains("pgflit 0."));
}

#[test]
fn what_clients_did_is_counted() {
    let console = Console::new();
    Pgbench::init(&console.proxied.direct, 1);
    let mut bench = console.proxied.database.program("pgbench");
    bench
        .args(["-n", "-c", "4", "-j", "2", "-t", "50"])
        .arg(console.proxied.database.uri());
    assert!(bench.output().expect("pgbench").status.success());
    let mut session = console.session("other");
    wire::query(&mut session, "SELECT 1/0");
    let of = |database, column| console.number("show stats", ("database", database), column);
    // Five statements, BEGIN and END; besides, pgbench looks what there is.
    let transactions = of("app", "total_xact_count");
    assert!((200..=206).contains(&transactions), "{transactions}");
    assert_eq!(of("app", "total_query_count"), transactions + 200 * 6);
    assert!(of("app", "total_xact_time") >= of("app", "total_query_time"));
    assert!(of("app", "total_query_time") > 0 && of("app", "total_wait_time") > 0);
    assert_eq!(of("other", "total_xact_count"), 1);
    assert!(of("app", "avg_xact_count") > 0);
    let total = console.number("show totals", ("name", "total_xact_count"), "value");
    assert_eq!(total, transactions + 1);
    assert_eq!(console.ask("show stats other").lines().count(), 2);
    eventually(SOON, "pgbench is gone", || {
        console.number("show lists", ("list", "used_clients"), "items") == 1
    });
}

#[test]
fn clients_and_servers_are_told_apart_by_what_they_do() {
    let console = Console::new();
    let mut session = console.session("app");
    wire::query(&mut session, "BEGIN");
    let clients = console.rows("show clients");
    assert_eq!(clients.len(), 1, "{clients:?}");
    for (column, value) in [
        ("type", "C"),
        ("user", "postgres"),
        ("database", "app"),
        ("state", "active"),
        ("addr", "127.0.0.1"),
        ("replication", "none"),
        ("local_addr", "127.0.0.1"),
        ("wait", "0"),
    ] {
        assert_eq!(clients[0][column], value, "{clients:?}");
    }
    assert_eq!(clients[0]["local_port"], console.proxied.port.to_string());
    let servers = console.rows("show servers");
    assert_eq!(
        (&*servers[0]["state"], &*servers[0]["type"]),
        ("active", "S")
    );
    assert_eq!(servers[0]["link"], clients[0]["ptr"]);
    let pid = "SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction'";
    assert_eq!(servers[0]["remote_pid"], console.proxied.direct.sql(pid));
    assert_eq!(
        console.number("show pools", ("database", "app"), "sv_active"),
        1
    );
    eventually(SOON, "its transaction is long", || {
        let said = console.ask("show sessions unmovable");
        said.contains("|postgres|app|long transaction|")
    });
    wire::query(&mut session, "COMMIT");
    eventually(SOON, "it is idle", || {
        console.rows("show clients")[0]["state"] == "idle"
    });
    assert_eq!(console.rows("show sessions unmovable").len(), 0);
    drop(session);
    let mut walsender = console.proxied.socket();
    let wanted = [
        ("user", "postgres"),
        ("database", "app"),
        ("replication", "database"),
    ];
    walsender
        .write_all(&wire::startup(0, &wanted))
        .expect("sent");
    wire::until(&mut walsender, b'Z');
    let said = console.ask("show sessions unmovable");
    assert!(
        said.contains("|postgres|app|replication connection|"),
        "{said}"
    );
    eventually(SOON, "the other is gone", || {
        console.rows("show clients").len() == 1
    });
    assert_eq!(console.rows("show clients")[0]["replication"], "logical");
}

#[test]
fn who_may_only_look_changes_nothing_and_others_do_not_come_in() {
    let console = Console::new();
    let bob = |command| console.try_psql("user=bob", PASSWORD, command);
    assert!(bob("show clients").is_ok());
    for command in [
        "pause",
        "resume",
        "reload",
        "maintenance on",
        "kill_client 1",
        "shutdown",
        "cutover",
    ] {
        let refused = bob(command).expect_err(command);
        assert!(refused.contains("42501"), "{refused}");
    }
    for (settings, password, expected) in [
        ("user=ann", "wrong", "password authentication failed"),
        ("user=nobody", PASSWORD, "password authentication failed"),
        ("user=app", PASSWORD, "no administrator"),
        ("user=ann dbname=app", PASSWORD, "is not here"),
        // The proxy's own account has no password: elsewhere than on the socket it is nobody.
        ("user=pgflit", "", "no password supplied"),
    ] {
        let refused = console.try_psql(settings, password, "show clients");
        let refused = refused.expect_err(settings);
        assert!(refused.contains(expected), "{settings}: {refused}");
    }
    let names = ["admin", "pgbouncer"];
    for name in names {
        let settings = format!("user=ann dbname={name}");
        assert!(console.try_psql(&settings, PASSWORD, "show state").is_ok());
    }
    assert!(!console.proxied.proxy.stderr().contains(PASSWORD));
}

#[test]
fn the_proxys_own_account_needs_no_password_on_the_socket() {
    let console = Console::new();
    let folder = console.folder.path().display();
    let settings = format!("host={folder} port=6432 user=pgflit");
    let said = console
        .try_psql(&settings, "", "show state")
        .expect("let in");
    assert!(said.contains("active|yes"), "{said}");
    let other = format!("host={folder} port=6432 user=ann");
    assert!(console.try_psql(&other, "wrong", "show state").is_err());
    assert!(console.try_psql(&other, PASSWORD, "show state").is_ok());
}

#[test]
fn a_pause_of_one_database_leaves_the_others() {
    let console = Console::new();
    let (mut held, mut flows) = (console.session("app"), console.session("other"));
    console.ask("PAUSE app TIMEOUT 60000");
    wire::send_query(&mut held, "SELECT 'held'");
    eventually(SOON, "it is held", || {
        console.number("show pools", ("database", "app"), "cl_waiting") == 1
    });
    let said = wire::query(&mut flows, "SELECT 'flows'");
    assert!(said.iter().any(|(_, body)| body.ends_with(b"flows")));
    assert_eq!(
        console.number("show databases", ("name", "app"), "paused"),
        1
    );
    assert_eq!(
        console.number("show databases", ("name", "other"), "paused"),
        0
    );
    assert!(console.ask("show state").contains("active|yes"));
    for (command, sqlstate) in [
        ("pause app", "55000"),
        ("resume", "55000"),
        ("resume other", "55000"),
        ("pause nowhere", "3D000"),
    ] {
        let refused = console.refused(command);
        assert!(refused.contains(sqlstate), "{command}: {refused}");
    }
    console.ask("RESUME app");
    let said = wire::until(&mut held, b'Z');
    assert!(said.iter().any(|(_, body)| body.ends_with(b"held")));
    let stats = console.number("show stats app", ("database", "app"), "total_wait_time");
    assert!(stats > 0);
    // One that does not come about.
    wire::query(&mut flows, "BEGIN");
    let refused = console.refused("pause other timeout 50");
    assert!(
        refused.contains("55P03") && refused.contains("1 clients"),
        "{refused}"
    );
    wire::query(&mut flows, "COMMIT");
    console.ask("pause timeout 60000");
    assert!(console.ask("show state").contains("paused|yes"));
    assert_eq!(console.proxied.status()["paused"], true);
    console.proxied.resume();
}

#[test]
fn maintenance_holds_everybody_until_it_is_over() {
    let console = Console::new();
    let mut busy = console.session("app");
    wire::query(&mut busy, "BEGIN");
    // It does not wait for transactions that run.
    console.ask("MAINTENANCE ON");
    assert!(console.refused("maintenance on").contains("55000"));
    assert!(console.ask("show state").contains("maintenance|yes"));
    wire::query(&mut busy, "COMMIT");
    thread::scope(|scope| {
        let newcomer = scope.spawn(|| console.proxied.database.sql("SELECT 'new'"));
        eventually(SOON, "it waits", || {
            console.proxied.status()["clients"]["waiting"] == 1
        });
        console.ask("MAINTENANCE OFF");
        assert_eq!(newcomer.join().expect("no panic"), "new");
    });
    assert!(console.refused("maintenance off").contains("55000"));
}

#[test]
fn a_client_can_be_ended() {
    let console = Console::new();
    let mut session = console.session("app");
    let id = console.rows("show clients")[0]["id"].clone();
    console.ask(&format!("KILL_CLIENT {id}"));
    let (tag, body) = wire::next(&mut session).expect("a word");
    let body = String::from_utf8_lossy(&body);
    assert!(
        tag == b'E' && body.contains("57P01") && body.contains("administrator"),
        "{body}"
    );
    assert_eq!(wire::next(&mut session), None);
    eventually(SOON, "it is gone", || {
        console.rows("show clients").is_empty()
    });
    assert!(
        console
            .refused(&format!("kill_client {id}"))
            .contains("42704")
    );
}

#[test]
fn a_client_that_a_pause_waits_for_can_be_ended() {
    let console = Console::new();
    let mut session = console.session("app");
    wire::send_query(&mut session, "SELECT pg_sleep(600)");
    let id = console.rows("show clients")[0]["id"].clone();
    thread::scope(|scope| {
        let pausing = scope.spawn(|| console.ask("PAUSE TIMEOUT 60000"));
        eventually(SOON, "the gate is closed", || {
            console.proxied.status()["paused"] == true
        });
        // More than its query: it is not listened to from now on.
        session.write_all(b"Q").expect("sent");
        console.ask(&format!("KILL_CLIENT {id}"));
        assert_eq!(wire::refusal(&mut session).as_deref(), Some("57P01"));
        pausing.join().expect("the pause is complete");
    });
    console.ask("RESUME");
}

#[test]
fn a_shutdown_that_waits_for_clients_waits_for_them() {
    let mut console = Console::new();
    let mut session = console.session("app");
    console.ask("SHUTDOWN WAIT_FOR_CLIENTS");
    eventually(SOON, "nobody else is let in", || {
        std::net::TcpStream::connect(("127.0.0.1", console.proxied.port)).is_err()
    });
    assert!(console.ask("show state").contains("shutting_down|yes"));
    wire::query(&mut session, "SELECT 1");
    assert!(console.proxied.proxy.is_running());
    drop(session);
    eventually(SOON, "it ends", || !console.proxied.proxy.is_running());
    assert!(!console.folder.path().join(".s.PGSQL.6432").exists());
    let Console { proxied, .. } = console;
    let Proxied { proxy, .. } = proxied;
    proxy.wait_for_exit().assert_code(0);
}

#[test]
fn a_shutdown_ends_clients() {
    let console = Console::new();
    let mut session = console.session("app");
    console.ask("SHUTDOWN");
    assert_eq!(wire::refusal(&mut session).as_deref(), Some("57P01"));
    let Console { proxied, .. } = console;
    let Proxied { proxy, .. } = proxied;
    proxy.wait_for_exit().assert_code(0);
}

#[test]
fn what_is_wrong_is_told_and_the_conversation_goes_on() {
    let console = Console::new();
    let mut own = console.own();
    for (text, sqlstate) in [
        ("SELECT * FROM pg_class", "42601"),
        ("SHOW NOTHING", "42601"),
        ("CUTOVER", "55000"),
        ("ROLLBACK", "55000"),
        ("STOP_TASK 1", "42704"),
        ("KILL_CLIENT 99", "42704"),
        ("SHOW STATE; NONSENSE; SHOW STATE", "42601"),
    ] {
        let said = wire::query(&mut own, text);
        let error = said.iter().find(|(tag, _)| *tag == b'E').expect(text);
        let error = String::from_utf8_lossy(&error.1).into_owned();
        assert!(error.contains(sqlstate), "{text}: {error}");
    }
    let said = wire::query(&mut own, " ; -- nothing");
    assert_eq!(said[0].0, b'I');
    let two = wire::query(&mut own, "SHOW VERSION; SHOW VERSION");
    assert_eq!(two.iter().filter(|(tag, _)| *tag == b'C').count(), 2);
    let mut huge = console.own();
    wire::send_query(&mut huge, &"x".repeat(1 << 20));
    assert_eq!(wire::refusal(&mut huge).as_deref(), Some("54000"));
    let mut garbage = console.own();
    garbage.write_all(b"y\0\0\0\x04").expect("sent");
    assert_eq!(wire::refusal(&mut garbage).as_deref(), Some("08P01"));
    let short = wire::message(b'B', b"");
    own.write_all(&[short, wire::message(b'S', b"")].concat())
        .expect("sent");
    assert_eq!(wire::refusal(&mut own).as_deref(), Some("08P01"));
    wire::until(&mut own, b'Z');
    assert_eq!(wire::query(&mut own, "SHOW VERSION").len(), 4);
}

#[test]
fn one_that_does_not_read_harms_nobody() {
    let console = Console::new();
    let mut deaf = console.own();
    deaf.set_nonblocking(true).expect("set");
    let query = wire::message(b'Q', b"SHOW CONFIG; SHOW HELP; SHOW CONFIG; SHOW HELP\0");
    // Until its answers fill the socket, and then its questions too.
    let mut sent = 0;
    while deaf.write_all(&query).is_ok() && sent < 100_000 {
        sent += 1;
    }
    assert!(sent < 100_000);
    assert!(console.ask("show state").contains("active|yes"));
    assert_eq!(console.proxied.database.sql("SELECT 1"), "1");
    deaf.set_nonblocking(false).expect("set");
    drop(deaf);
    let mut half = console.own();
    half.write_all(b"Q\0\0\0\x20SHOW").expect("sent");
    drop(half);
    // More than there are places: one more is told so.
    let path = console.folder.path().join(".s.PGSQL.6432");
    let mut many = Vec::new();
    let refused = loop {
        let mut socket = UnixStream::connect(&path).expect("accepted");
        socket.set_read_timeout(Some(SOON)).expect("a time limit");
        let packet = wire::startup(0, &[("user", "pgflit"), ("database", "pgflit")]);
        socket.write_all(&packet).expect("sent");
        match wire::next(&mut socket) {
            Some((b'R', _)) => many.push(socket),
            refused => break refused,
        }
        assert!(many.len() <= 100);
    };
    let (_, body) = refused.expect("a word");
    assert!(String::from_utf8_lossy(&body).contains("53300"));
    let last = many.last_mut().expect("many");
    wire::until(last, b'Z');
    assert_eq!(wire::query(last, "SHOW VERSION").len(), 4);
}

#[test]
fn drivers_ask_by_the_extended_protocol() {
    let console = Console::new();
    let runtime = driver_runtime();
    let _session = console.session("app");
    let text = format!(
        "host=127.0.0.1 port={} dbname=pgflit user=ann password={PASSWORD}",
        console.port
    );
    runtime.block_on(async {
        let (mut client, connection) = tokio_postgres::connect(&text, tokio_postgres::NoTls)
            .await
            .expect("logged in");
        tokio::spawn(connection);
        // In binary, which this driver asks for.
        let row = client.query_one("SHOW CLIENTS", &[]).await.expect("a row");
        assert_eq!(
            (row.get::<_, &str>("database"), row.get::<_, i32>("id")),
            ("app", 1)
        );
        let statement = client.prepare("SHOW MEM").await.expect("prepared");
        for _ in 0..3 {
            let rows = client.query(&statement, &[]).await.expect("rows");
            assert!(rows[0].get::<_, i64>("memtotal") > 0);
        }
        let error = client
            .query("SHOW x", &[])
            .await
            .expect_err("no such table");
        assert_eq!(error.code().map(|code| code.code()), Some("42601"));
        let transaction = client.transaction().await.expect("begun");
        let row = transaction
            .query_one("SHOW VERSION", &[])
            .await
            .expect("a row");
        assert!(row.get::<_, &str>(0).starts_with("pgflit"));
        transaction.commit().await.expect("committed");
        client
            .execute("SET application_name = 'exporter'", &[])
            .await
            .expect("set");
        client
            .execute("PAUSE app TIMEOUT 60000", &[])
            .await
            .expect("paused");
        client.execute("RESUME app", &[]).await.expect("resumed");
        assert!(client.query_one("SELECT 1", &[]).await.is_ok());
        // The decimal numbers of statistics are sent as the server sends them.
        assert!(client.query("SHOW STATS", &[]).await.is_ok());
    });
}

#[test]
fn administrators_reach_it_among_clients_where_that_is_allowed() {
    let console = Console::with("in_proxy = true");
    let port = console.proxied.port;
    for name in ["pgflit", "admin"] {
        let settings = format!("port={port} user=bob dbname={name}");
        assert!(console.try_psql(&settings, PASSWORD, "show state").is_ok());
        let refused = console.try_psql(&settings, "wrong", "show state");
        assert!(
            refused
                .expect_err("a password")
                .contains("password authentication failed")
        );
        // Others get what they would get anyway.
        let other = format!("port={port} user=postgres dbname={name}");
        let refused = console.try_psql(&other, "", "show state");
        assert!(
            refused
                .expect_err("no such database")
                .contains("does not exist here")
        );
    }
    // Not from the next moment on, if the file says so.
    write(console.folder.path(), "");
    console.ask("RELOAD");
    let settings = format!("port={port} user=bob dbname=admin");
    assert!(console.try_psql(&settings, PASSWORD, "show state").is_err());
    // A file that is wrong is refused, with what is wrong.
    write(console.folder.path(), "users = 7");
    let refused = console.refused("RELOAD");
    assert!(
        refused.contains("F0000") && refused.contains("proxy.toml:"),
        "{refused}"
    );
}
