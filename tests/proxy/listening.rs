//! Where clients connect: all addresses, and Unix sockets.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;

use nix::sys::signal::Signal;

use super::wire;
use crate::support::{Proxied, SOON, eventually, source_options};

fn os_user() -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::getuid());
    user.expect("a lookup").expect("we have a name").name
}

/// The database by the socket in `folder`.
fn by_socket(proxied: &Proxied, folder: &Path, port: u16) -> crate::support::Database {
    let database = proxied.database.at_port(proxied.port, port);
    database.with(&format!("host={}", folder.display()))
}

#[test]
fn a_star_is_every_address_of_both_families() {
    let proxied = Proxied::with(source_options(), |proxy| proxy.args(["--listen", "*:0"]));
    let listen = proxied.status()["listen"].clone();
    let listen: Vec<String> = serde_json::from_value(listen).expect("addresses");
    let port = |before: &str| -> Option<u16> {
        let mut ports = listen.iter().filter_map(|text| text.strip_prefix(before));
        ports.next().and_then(|port| port.parse().ok())
    };
    let four = port("0.0.0.0:").expect("IPv4");
    let mut session = TcpStream::connect(("127.0.0.1", four)).expect("it listens");
    wire::log_in(&mut session, 0);
    // A machine without IPv6 has no such file.
    if Path::new("/proc/net/if_inet6").exists() {
        let six = port("[::]:").expect("IPv6");
        assert_eq!(four, six, "{listen:?}");
        let mut session = TcpStream::connect(("::1", six)).expect("it listens");
        wire::log_in(&mut session, 0);
    }
}

#[test]
fn local_clients_have_a_socket_and_rules_of_their_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("proxy.toml");
    let os_user = os_user();
    let text = format!(
        "[proxy]\nunix_socket_mode = \"0770\"\n\
         [limits]\nmax_failed_logins_per_minute = 1\n\
         [[auth]]\nmethod = \"peer\"\naddress = \"local\"\nuser = [\"{os_user}\", \"ann\"]\n\
         [[auth]]\nmethod = \"trust\"\naddress = \"local\"\nuser = \"postgres\"\n\
         [[auth]]\nmethod = \"reject\"\nuser = [\"{os_user}\", \"ann\"]\n\
         [[auth]]\nmethod = \"trust\"\n"
    );
    fs::write(&config, text).expect("written");
    let sockets = folder.path().join("sockets");
    fs::create_dir(&sockets).expect("made");
    let mut proxied = Proxied::with(source_options(), |proxy| {
        let proxy = proxy.arg("--config").arg(&config);
        proxy.arg("--listen").arg(&sockets)
    });
    let path = sockets.join(format!(".s.PGSQL.{}", proxied.port));
    let mode = fs::metadata(&path).expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o770);
    let create = format!("CREATE ROLE ann LOGIN; CREATE ROLE \"{os_user}\" LOGIN");
    proxied.direct.sql(&create);

    let local = by_socket(&proxied, &sockets, proxied.port);
    let who = "SELECT current_user";
    let as_user = |user: &str| local.with(&format!("user={user}")).try_sql(who);
    assert_eq!(as_user(&os_user), Ok(os_user.clone()));
    // One failure an address would be too many.
    for _ in 0..3 {
        let refused = as_user("ann").expect_err("another user");
        assert!(refused.contains("Peer authentication failed"), "{refused}");
    }
    assert_eq!(as_user("postgres"), Ok("postgres".to_owned()));
    // The same user over TCP is another rule's.
    let over_tcp = proxied.database.with(&format!("user={os_user}"));
    assert!(
        over_tcp
            .try_sql(who)
            .expect_err("refused")
            .contains("no rule")
    );

    let runtime = crate::support::driver_runtime();
    let settings = format!(
        "host={} port={} dbname=app user=postgres",
        sockets.display(),
        proxied.port
    );
    let session = runtime.block_on(async {
        let connected = tokio_postgres::connect(&settings, tokio_postgres::NoTls).await;
        let (client, connection) = connected.expect("let in");
        tokio::spawn(connection);
        client
    });
    let clients = proxied.ask("proxy clients --json").run().assert_code(0);
    let clients: serde_json::Value = serde_json::from_str(&clients.stdout).expect("JSON");
    assert_eq!(clients[0]["address"], "unix", "{clients}");
    drop((session, runtime));

    proxied.proxy.signal(Signal::SIGTERM);
    eventually(SOON, "it ends", || !proxied.proxy.is_running());
    assert!(!path.exists());
}

#[test]
fn a_socket_that_a_killed_proxy_left_is_replaced_and_one_in_use_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = format!("{}:7777", folder.path().display());
    let path = folder.path().join(".s.PGSQL.7777");
    let used = UnixListener::bind(&path).expect("a socket");
    let mut proxied = Proxied::new();
    let again = |proxied: &Proxied| {
        let proxy = proxied.ask("proxy --listen 127.0.0.1:0");
        proxy.arg("--listen").arg(&at).source(&proxied.direct)
    };
    proxied.proxy.signal(Signal::SIGKILL);
    eventually(SOON, "it ends", || !proxied.proxy.is_running());
    let refused = again(&proxied).run().assert_code(12);
    refused.assert_stderr("another process answers there");
    assert!(path.exists());
    // What is left of it is a file that nobody answers on.
    drop(used);
    proxied.proxy = again(&proxied).start();
    let socket = path.display().to_string();
    proxied
        .proxy
        .wait_for_stderr(&format!("listening on {socket}"));
    let local = by_socket(&proxied, folder.path(), 7777);
    assert_eq!(local.sql("SELECT 'local'"), "local");
}
