//! Who a client is, as the proxy finds out.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::sys::signal::Signal;
use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::x509::{X509, X509NameBuilder};
use tempfile::TempDir;

use crate::support::{Proxied, SOON, eventually, source_options};

/// A server on which every role but a few must show a password, the proxy before it, and its file.
struct Bench {
    proxied: Proxied,
    folder: TempDir,
}

const ROLES: &str = "
    CREATE ROLE by_password LOGIN PASSWORD 'pencil';
    CREATE ROLE by_secret LOGIN PASSWORD 'rubber';
    CREATE ROLE by_trust LOGIN;
    CREATE ROLE by_certificate LOGIN;
    SET password_encryption = 'md5';
    CREATE ROLE by_md5 LOGIN PASSWORD 'ruler'";

const SERVER_RULES: &str = "local all all trust\n\
    host all postgres,by_trust,by_certificate all trust\n\
    host all by_md5 all md5\n\
    host all all all scram-sha-256\n";

impl Bench {
    /// The file begins as `text`.
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("proxy.toml");
        fs::write(&path, text).expect("written");
        let proxied = Proxied::with(source_options(), |proxy| proxy.arg("--config").arg(&path));
        proxied.direct.sql(ROLES);
        let rules = proxied.cluster.data().join("pg_hba.conf");
        fs::write(rules, SERVER_RULES).expect("written");
        proxied.direct.sql("SELECT pg_reload_conf()");
        let without_password = proxied.direct.with("user=by_secret");
        eventually(SOON, "the server's rules hold", || {
            without_password.try_sql("SELECT 1").is_err()
        });
        Bench { proxied, folder }
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
    }

    /// What `pg_authid` holds of a role.
    fn stored(&self, role: &str) -> String {
        let query = format!("SELECT rolpassword FROM pg_authid WHERE rolname = '{role}'");
        self.proxied.direct.sql(&query)
    }

    /// Who the server says it is that connects with these `settings`, or psql's complaint.
    fn log_in(&self, settings: &str) -> Result<String, String> {
        let database = self.proxied.database.with(settings);
        database.try_sql("SELECT current_user")
    }

    #[track_caller]
    fn refused(&self, settings: &str) -> String {
        self.log_in(settings).expect_err("a refusal")
    }

    fn reload(&self) {
        self.proxied.ask("proxy reload").run().assert_code(0);
    }
}

/// A certificate of `name` that signs itself, and its key: `<file>.crt` and `<file>.key`.
fn certificate(folder: &Path, file: &str, name: &str) {
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
    let key = PKey::from_ec_key(EcKey::generate(&curve).expect("a key")).expect("a key");
    let mut subject = X509NameBuilder::new().expect("a name");
    subject.append_entry_by_text("CN", name).expect("a name");
    let subject = subject.build();
    let mut builder = X509::builder().expect("a certificate");
    builder.set_version(2).expect("version 3");
    builder.set_subject_name(&subject).expect("a subject");
    builder.set_issuer_name(&subject).expect("an issuer");
    builder.set_pubkey(&key).expect("a key");
    let (today, later) = (Asn1Time::days_from_now(0), Asn1Time::days_from_now(2));
    builder
        .set_not_before(&today.expect("a date"))
        .expect("set");
    builder.set_not_after(&later.expect("a date")).expect("set");
    builder.sign(&key, MessageDigest::sha256()).expect("signed");
    let pem = builder.build().to_pem().expect("PEM");
    fs::write(folder.join(format!("{file}.crt")), pem).expect("written");
    let path = folder.join(format!("{file}.key"));
    fs::write(&path, key.private_key_to_pem_pkcs8().expect("PEM")).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
}

#[test]
fn the_proxy_finds_out_who_a_client_is_and_opens_the_server_for_it() {
    let bench = Bench::new("");
    // Nothing is configured yet: the server finds out.
    let by_password = "user=by_password&password=pencil";
    assert_eq!(bench.log_in(by_password).as_deref(), Ok("by_password"));

    let folder = bench.folder.path();
    certificate(folder, "server", "localhost");
    certificate(folder, "client", "batch.example.com");
    certificate(folder, "stranger", "batch.example.com");
    bench.write("password", "pencil\n");
    bench.write("md5", &bench.stored("by_md5"));
    let secret = bench.stored("by_secret");
    bench.write(
        "proxy.toml",
        &format!(
            "[tls]\ncertificate = \"server.crt\"\nkey = \"server.key\"\nclient_ca = \"client.crt\"\n\
             [[user]]\nname = \"by_password\"\npassword_file = \"password\"\n\
             [[user]]\nname = \"by_secret\"\nscram_secret = \"{secret}\"\n\
             [[user]]\nname = \"by_md5\"\npassword_file = \"md5\"\n\
             [[user]]\nname = \"by_certificate\"\ncertificate_name = \"batch.example.com\"\n\
             [[auth]]\nmethod = \"trust\"\nuser = \"by_trust\"\naddress = \"127.0.0.0/8\"\n\
             [[auth]]\nmethod = \"cert\"\nuser = \"by_certificate\"\n\
             [[auth]]\nmethod = \"md5\"\nuser = \"by_md5\"\n\
             [[auth]]\nmethod = \"reject\"\nuser = \"by_nothing\"\n\
             [[auth]]\nmethod = \"password\"\nuser = \"by_secret\"\ndatabase = \"clear\"\n\
             [[auth]]\nmethod = \"scram-sha-256\"\n"
        ),
    );
    bench.reload();

    // SCRAM; the second without a password anywhere but in the client.
    assert_eq!(bench.log_in(by_password).as_deref(), Ok("by_password"));
    let by_secret = "user=by_secret&password=rubber";
    assert_eq!(bench.log_in(by_secret).as_deref(), Ok("by_secret"));
    for settings in [
        "user=by_password&password=pen",
        "user=by_secret&password=pen",
        "user=nobody&password=pencil",
        "user=by_md5&password=pen",
    ] {
        let refused = bench.refused(settings);
        assert!(
            refused.contains("password authentication failed for user"),
            "{refused}"
        );
    }

    // SCRAM bound to TLS, which only the two ends of one connection can do.
    let root = folder.join("server.crt");
    let tls = format!(
        "host=localhost&sslmode=verify-full&sslrootcert={}&channel_binding=require",
        root.display()
    );
    for settings in [by_password, by_secret] {
        let user = bench.log_in(&format!("{settings}&{tls}"));
        assert!(user.is_ok(), "{user:?}");
    }
    let refused = bench.refused(&format!(
        "{by_password}&channel_binding=require&sslmode=disable"
    ));
    assert!(refused.contains("channel binding"), "{refused}");

    assert_eq!(
        bench.log_in("user=by_md5&password=ruler").as_deref(),
        Ok("by_md5")
    );
    assert_eq!(bench.log_in("user=by_trust").as_deref(), Ok("by_trust"));
    let refused = bench.refused("user=by_nothing");
    assert!(
        refused.contains("no rule of the proxy lets user \"by_nothing\""),
        "{refused}"
    );

    // Certificates: the right one, none, and one that another has signed.
    let with = |file: &str| {
        let path = |end: &str| folder.join(format!("{file}.{end}")).display().to_string();
        format!(
            "user=by_certificate&sslmode=require&sslcert={}&sslkey={}",
            path("crt"),
            path("key")
        )
    };
    assert_eq!(
        bench.log_in(&with("client")).as_deref(),
        Ok("by_certificate")
    );
    let refused = bench.refused("user=by_certificate&sslmode=require");
    assert!(
        refused.contains("certificate authentication failed"),
        "{refused}"
    );
    let as_another = with("client").replace("user=by_certificate", "user=by_password");
    assert!(bench.log_in(&format!("{as_another}&password=pen")).is_err());
    assert!(bench.log_in(&with("stranger")).is_err());

    let refused = bench.refused(&format!("{by_password}&dbname=postgres"));
    assert!(
        refused.contains("database \"postgres\" does not exist here"),
        "{refused}"
    );

    // The role's password is another by now: the key that its client shows opens nothing.
    bench
        .proxied
        .direct
        .sql("ALTER ROLE by_secret PASSWORD 'rubber'");
    let refused = bench.refused(by_secret);
    assert!(
        refused.contains("the proxy cannot log in to the server"),
        "{refused}"
    );
    let log = bench.proxied.proxy.stderr();
    assert!(log.contains("another SCRAM secret for this role"), "{log}");
    for hidden in ["pencil", "rubber", "ruler", &secret[40..70]] {
        assert!(!log.contains(hidden), "{hidden} in {log}");
    }
}

#[test]
fn a_reload_takes_a_good_file_and_leaves_a_bad_one() {
    let trust = "[[auth]]\nmethod = \"trust\"\nuser = \"by_trust\"\n";
    let bench = Bench::new(trust);
    assert_eq!(bench.log_in("user=by_trust").as_deref(), Ok("by_trust"));

    bench.write(
        "proxy.toml",
        "[limits]\nlogin_timeot = \"5s\"\n[[auth]]\nmethod = \"rejct\"\n",
    );
    let reload = bench.proxied.ask("proxy reload").run().assert_code(3);
    for fault in [
        "proxy.toml:2: limits.login_timeot: unknown key; did you mean \"login_timeout\"?",
        "proxy.toml:4: auth[1].method: did you mean \"reject\"?",
    ] {
        assert!(reload.stderr.contains(fault), "{}", reload.stderr);
        assert!(bench.proxied.proxy.stderr_contains(fault));
    }
    assert_eq!(bench.log_in("user=by_trust").as_deref(), Ok("by_trust"));

    // By signal, while a session goes on.
    bench.write("proxy.toml", "[[auth]]\nmethod = \"reject\"\n");
    let runtime = crate::support::driver_runtime();
    let session = bench
        .proxied
        .try_driver(&runtime, "user=by_trust")
        .expect("a session");
    bench.proxied.proxy.signal(Signal::SIGHUP);
    bench
        .proxied
        .proxy
        .wait_for_stderr("reloaded: rules of [[auth]] changed");
    assert!(bench.refused("user=by_trust").contains("no rule"));
    let answer = runtime.block_on(session.simple_query("SELECT 1"));
    assert!(answer.is_ok(), "{answer:?}");

    let text =
        format!("[proxy]\nlisten = \"127.0.0.1:1\"\n[limits]\nmax_client_connections = 7\n{trust}");
    bench.write("proxy.toml", &text);
    let reload = bench.proxied.ask("proxy reload").run().assert_code(0);
    assert_eq!(
        reload.stdout,
        "reloaded: rules of [[auth]] changed\n\
         not before a restart: numbers of connections in [limits]\n"
    );
    assert_eq!(bench.log_in("user=by_trust").as_deref(), Ok("by_trust"));
}

#[test]
fn who_fails_too_often_waits_and_too_many_clients_are_refused() {
    let bench = Bench::new(
        "[limits]\nmax_failed_logins_per_minute = 2\nmax_client_connections = 1\n\
         [[auth]]\nmethod = \"trust\"\nuser = \"by_trust\"\n\
         [[auth]]\nmethod = \"passthrough\"\nuser = \"by_password\"\n\
         [[auth]]\nmethod = \"reject\"\n",
    );
    let runtime = crate::support::driver_runtime();
    let first = bench
        .proxied
        .try_driver(&runtime, "user=by_trust")
        .expect("a session");
    assert!(
        bench
            .refused("user=by_trust")
            .contains("too many clients already")
    );
    drop(first);
    runtime.block_on(async { tokio::task::yield_now().await });
    let proxied = &bench.proxied;
    eventually(SOON, "the first has gone", || {
        proxied.status()["clients"]["total"] == 0
    });
    assert!(bench.refused("user=nobody").contains("no rule"));
    // Also what the server finds.
    let refused = bench.refused("user=by_password&password=pen");
    assert!(
        refused.contains("password authentication failed"),
        "{refused}"
    );
    let refused = bench.refused("user=by_trust");
    assert!(
        refused.contains("too many failed logins from this address"),
        "{refused}"
    );
}
