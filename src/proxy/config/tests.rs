//! Files as people write them, right and wrong.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::*;
use crate::base::Side;

const SECRET: &str = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

fn given() -> Given {
    let variables = [("APP_PASSWORD", "hunter2"), ("EMPTY", "")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Given {
        environment: Environment {
            variables: HashMap::from(variables),
            home: None,
            os_user: Some("me".to_owned()),
        },
        ..Given::default()
    }
}

fn read(text: &str) -> Result<Config, ConfigError> {
    Config::read(Path::new("proxy.toml"), text, &given())
}

/// What is wrong with `text`, a line each.
fn faults(text: &str) -> Vec<String> {
    let error = read(text).expect_err("a fault");
    error.problems().iter().map(ToString::to_string).collect()
}

const SHOP: &str = "[[database]]\nname = \"shop\"\nsource = \"host=a\"\n";

#[test]
fn options_alone_make_the_database_they_name() {
    let given = Given {
        listen: vec!["0.0.0.0:6432".to_owned()],
        source: Some("postgresql://me@a/shop".to_owned()),
        target: Some("host=b dbname=shop".to_owned()),
        ..given()
    };
    let config = Config::load(None, &given).expect("valid");
    assert_eq!(config.listen[0].to_string(), "0.0.0.0:6432");
    assert_eq!(config.database("shop"), Some(&config.databases[0]));
    assert_eq!(config.database("other"), None);
    assert_eq!(config.rules, [AuthRule::for_all(Method::Passthrough)]);
    assert_eq!(config.limits, Limits::default());
    let unnamed = Given {
        source: Some("postgresql://me@a/".to_owned()),
        ..self::given()
    };
    let config = Config::load(None, &unnamed).expect("valid");
    assert!(config.database("whatever").is_some_and(Database::is_any));
    let nothing = Config::load(None, &Given::default()).expect_err("no source");
    assert_eq!(
        nothing.to_string(),
        "the proxy's configuration is wrong: \
         the command line: --source: is missing, and there is no [[database]]"
    );
}

#[test]
fn a_typed_address_beats_the_files() {
    let text = format!("[proxy]\nlisten = [\"[::]:1\", \"h:2\"]\n{SHOP}");
    let mut given = given();
    let config = Config::read(Path::new("proxy.toml"), &text, &given).expect("valid");
    assert_eq!(config.listen.len(), 2);
    given.listen = vec!["h:3".to_owned()];
    let config = Config::read(Path::new("proxy.toml"), &text, &given).expect("valid");
    assert_eq!(config.listen, ["h:3".parse().expect("an address")]);
}

#[test]
fn sockets_are_shared_and_opened_as_said() {
    let text = |mode: &str| format!("[proxy]\nunix_socket_mode = {mode}\n{SHOP}");
    let config = read(&text("\"0750\"\nreuse_port = true")).expect("valid");
    assert_eq!(
        (config.sockets.unix_mode, config.sockets.reuse_port),
        (0o750, true)
    );
    assert_eq!(read(SHOP).expect("valid").sockets, Sockets::default());
    for wrong in ["\"0999\"", "\"1777\"", "750"] {
        assert!(read(&text(wrong)).is_err(), "{wrong}");
    }
}

#[test]
fn a_database_is_found_by_its_name_before_any() {
    let config = read(
        "[[database]]\nname = \"*\"\nsource = \"host=a\"\n\
         [[database]]\nname = \"shop\"\nsource = \"host=b dbname=store\"\n",
    )
    .expect("valid");
    let dbname = |name: &str| {
        let found = config.database(name).expect("a database");
        let address = found.source.address(name);
        (address.hosts()[0].to_string(), address.dbname().to_owned())
    };
    assert_eq!(dbname("shop"), ("b:5432".to_owned(), "store".to_owned()));
    assert_eq!(dbname("x"), ("a:5432".to_owned(), "x".to_owned()));
}

#[test]
fn every_fault_is_told_with_its_line_and_the_key_that_was_meant() {
    let text = "[proxy]\nlisten = \"a:b\"\nlisen = \"x\"\n\
        [limit]\n[limits]\nlogin_timeout = 30\nmax_client_connections = 0\nmax_serverconnections = 5\n\
        [[database]]\nname = \"shop\"\nsorce = \"host=a\"\n\
        [[miror]]\nname = \"x\"\n";
    assert_eq!(
        faults(text),
        [
            "proxy.toml:2: proxy.listen: the port is wrong: it takes host:port, \
             [IPv6]:port, *:port or the folder of a Unix socket",
            "proxy.toml:3: proxy.lisen: unknown key; did you mean \"listen\"?",
            "proxy.toml:4: limit: unknown key; did you mean \"limits\"?",
            "proxy.toml:6: limits.login_timeout: takes a duration from 1.0s to 1h00m, such as \"30s\"",
            "proxy.toml:7: limits.max_client_connections: takes a number from 1 to 1000000",
            "proxy.toml:8: limits.max_serverconnections: unknown key; \
             did you mean \"max_server_connections\"?",
            "proxy.toml:9: database[1].source: is missing, here and as the option of that name",
            "proxy.toml:11: database[1].sorce: unknown key; did you mean \"source\"?",
            "proxy.toml:12: miror: unknown key; did you mean \"mirror\"?",
        ]
    );
}

#[test]
fn plain_values_are_options_and_left_alone() {
    let text = format!("table-jobs = 4\ncopy-from = [\"a\", \"b\"]\n{SHOP}");
    assert!(read(&text).is_ok());
}

#[test]
fn a_fault_of_syntax_is_told_alone_and_without_the_line() {
    let found = faults("[[user]]\nname = \"a\"\nscram_secret = hunter2\nx = 1\n");
    assert!(found[0].starts_with("proxy.toml:3: "), "{found:?}");
    assert!(!found.concat().contains("hunter2"), "{found:?}");
}

#[test]
fn no_password_stands_in_the_file() {
    let found = faults(
        "[[database]]\nname = \"a\"\nsource = \"postgresql://me:hunter2@a/b\"\n\
         [[database]]\nname = \"b\"\nsource = \"host=a password=hunter2\"\n\
         [[user]]\nname = \"app\"\npassword = \"hunter2\"\n\
         [[user]]\nname = \"two\"\nscram_secret = \"hunter2\"\n",
    );
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[0].contains("holds a password"), "{found:?}");
    assert!(found[2].contains("did you mean \"password_"), "{found:?}");
    assert!(!found.concat().contains("hunter2"), "{found:?}");
}

#[test]
fn passwords_are_found_where_the_file_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str, mode| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("mode");
    };
    write("plain", "from file\n", 0o600);
    write("hashed", SECRET, 0o640);
    write("open", "x", 0o644);
    write(
        "pass",
        "a:5432:shop:d:from passfile\n*:*:*:two:x\nb:*:*:two:y\n",
        0o600,
    );
    let text = format!(
        "{SHOP}target = \"host=b\"\n\
         [[user]]\nname = \"a\"\npassword_file = \"plain\"\n\
         [[user]]\nname = \"b\"\npassword_file = \"hashed\"\n\
         [[user]]\nname = \"c\"\npassword_env = \"APP_PASSWORD\"\n\
         [[user]]\nname = \"d\"\npassfile = \"pass\"\n\
         [[user]]\nname = \"e\"\nscram_secret = \"{SECRET}\"\n\
         [[user]]\nname = \"f\"\ncertificate_name = \"F. Müller\"\n"
    );
    let path = folder.path().join("proxy.toml");
    let config = Config::read(&path, &text, &given()).expect("valid");
    let stored = |name| config.user(name).map(|user| user.stored.clone());
    let password = |text: &str| Some(Stored::Password(crate::base::Secret::new(text)));
    assert_eq!(stored("a"), password("from file"));
    assert_eq!(stored("b"), Some(Stored::of(SECRET)));
    assert_eq!(stored("c"), password("hunter2"));
    assert_eq!(stored("d"), password("from passfile"));
    assert_eq!(stored("e"), stored("b"));
    assert_eq!(stored("f"), Some(Stored::Nothing));
    assert_eq!(config.rules, [AuthRule::for_all(Method::Scram)]);
    let shown = format!("{config:?}");
    for hidden in ["from", "hunter2", "WG5d8o", "wfPLwc"] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }

    let text = format!(
        "{SHOP}\
         [[user]]\nname = \"a\"\npassword_file = \"open\"\n\
         [[user]]\nname = \"b\"\npassword_file = \"none\"\n\
         [[user]]\nname = \"c\"\npassword_env = \"EMPTY\"\n\
         [[user]]\nname = \"d\"\npassfile = \"open\"\n\
         [[user]]\nname = \"e\"\npassfile = \"pass\"\n\
         [[user]]\nname = \"a\"\npassword_env = \"APP_PASSWORD\"\nscram_secret = \"{SECRET}\"\n"
    );
    let error = Config::read(&path, &text, &given()).expect_err("faults");
    let reasons: Vec<_> = error
        .problems()
        .iter()
        .map(|one| one.reason.clone())
        .collect();
    let expected = [
        "everybody may read",
        "reading",
        "no variable EMPTY",
        "others may read",
        "has no line for \"e\"",
        "name of another user",
        "is enough",
    ];
    assert_eq!(reasons.len(), expected.len(), "{reasons:?}");
    for (reason, expected) in reasons.iter().zip(expected) {
        assert!(reason.contains(expected), "{reason} / {expected}");
    }
}

#[test]
fn a_client_shows_one_password_and_servers_have_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pass");
    fs::write(&path, "a:*:*:two:x\nb:*:*:two:y\n").expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
    let text =
        format!("{SHOP}target = \"host=b\"\n[[user]]\nname = \"two\"\npassfile = \"pass\"\n");
    let read = Config::read(&folder.path().join("p"), &text, &given());
    let error = read.expect_err("two passwords").to_string();
    assert!(error.contains("different passwords"), "{error}");
}

#[test]
fn rules_say_what_they_need() {
    let user = format!("[[user]]\nname = \"app\"\nscram_secret = \"{SECRET}\"\n");
    let rule = |rest: &str| format!("{SHOP}{user}[[auth]]\n{rest}\n");
    let config = read(&rule(
        "method = \"trust\"\naddress = [\"10.0.0.0/8\", \"::1\"]\nuser = \"app\"",
    ))
    .expect("valid");
    assert_eq!(config.rules[0].addresses.len(), 2);
    // Nobody on the way reads it.
    let local = "method = \"password\"\naddress = \"local\"";
    assert!(read(&rule(local)).is_ok());
    for (rest, expected) in [
        ("method = \"scram\"", "did you mean \"scram-sha-256\"?"),
        (
            "address = \"10.0.0.1/8\"\nmethod = \"trust\"",
            "takes an address",
        ),
        ("address = \"::1\"", "is missing"),
        ("method = \"password\"", "needs TLS"),
        ("method = \"cert\"", "client_ca"),
        ("method = \"md5\"\ntls = true", "never reached"),
        ("method = \"peer\"", "for local sockets only"),
        (
            "method = \"peer\"\naddress = [\"local\", \"::1\"]",
            "for local sockets only",
        ),
        (
            "method = \"md5\"\naddress = \"local\"\ntls = true",
            "never reached",
        ),
    ] {
        let found = faults(&rule(rest)).concat();
        assert!(found.contains(expected), "{rest}: {found}");
    }
    let found = faults(&format!("{SHOP}[[auth]]\nmethod = \"md5\"\n")).concat();
    assert!(found.contains("needs users"), "{found}");
}

#[test]
fn a_role_that_looks_users_up_has_a_password_and_asks_for_somebody() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pass");
    fs::write(&path, "a:*:*:looker:secret\n").expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
    let read = |text: &str| {
        let text = format!("{SHOP}[auth_query]\n{text}");
        Config::read(&folder.path().join("p"), &text, &given())
    };
    let config = read("user = \"looker\"\npassfile = \"pass\"\n").expect("valid");
    assert_eq!(config.rules, [AuthRule::for_all(Method::Scram)]);
    let query = config.auth_query.expect("a table");
    let address = &query.servers[0].source;
    assert_eq!((address.user(), address.dbname()), ("looker", "postgres"));
    assert!(!format!("{query:?}").contains("secret"));
    let config = read("user = \"looker\"\ndbname = \"auth\"\n").expect("valid");
    let query = config.auth_query.expect("a table");
    assert_eq!(query.servers[0].source.dbname(), "auth");
    for (text, expected) in [
        ("", "auth_query.user: is missing"),
        (
            "user = \"x\"\npassfile = \"pass\"\n",
            "has no line for \"x\" at a:5432",
        ),
        ("user = \"looker\"\npassfile = \"none\"\n", "has no line"),
        (
            "user = \"x\"\nquery = \"SELECT 1, 2\"\n",
            "$1 stands for the role",
        ),
        (
            "user = \"x\"\ntimeout = \"1h\"\n",
            "auth_query.timeout: takes",
        ),
    ] {
        let told = read(text).expect_err(text).to_string();
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn certificate_and_key_must_go_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let read =
        |text: &str| Config::read(&folder.path().join("p"), &format!("{SHOP}{text}"), &given());
    let told = |text: &str| read(text).expect_err("a fault").to_string();
    assert!(told("[tls]\nkey = \"none\"\n").contains("certificate: is missing"));
    assert!(told("[tls]\nkey = \"none\"\ncertificate = \"none\"\n").contains("certificate file"));
    fs::write(folder.path().join("empty"), "").expect("written");
    assert!(told("[tls]\nkey = \"empty\"\ncertificate = \"empty\"\n").contains("no PEM file"));
}

#[test]
fn a_reload_keeps_what_needs_a_restart() {
    let running = read(SHOP).expect("valid");
    assert!(Changes::between(&running, &running).is_empty());
    let user = format!("[[user]]\nname = \"app\"\nscram_secret = \"{SECRET}\"\n");
    let text = format!(
        "[proxy]\nlisten = \"h:1\"\n[limits]\nmax_client_connections = 5\nlogin_timeout = \"5s\"\n\
         [[database]]\nname = \"shop\"\nsource = \"host=c\"\n\
         [[database]]\nname = \"other\"\nsource = \"host=c\"\n{user}"
    );
    let other = read(&text).expect("valid");
    let changes = Changes::between(&running, &other);
    assert_eq!(
        changes.now,
        [
            "database \"shop\" changed",
            "database \"other\" added",
            "user \"app\" added",
            "rules of [[auth]] changed",
            "time limits or failures of [limits] changed",
        ]
    );
    assert_eq!(
        changes.after_restart,
        ["listening at h:1", "numbers of connections in [limits]"]
    );
    let back = Changes::between(&other, &running);
    assert_eq!(
        back.now[1..3],
        ["database \"other\" removed", "user \"app\" removed"]
    );
    let in_force = running.reloaded(other.clone());
    assert_eq!(in_force.listen, running.listen);
    assert_eq!(in_force.users, other.users);
    assert_eq!(in_force.limits.max_client_connections, 10_000);
    assert_eq!(in_force.limits.login_timeout, other.limits.login_timeout);
}

/// A certificate for nobody, with its key.
fn certificate() -> (String, String) {
    use openssl::{asn1::Asn1Time, ec::EcGroup, ec::EcKey, hash::MessageDigest, nid::Nid};
    use openssl::{pkey::PKey, x509::X509};
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
    let key = PKey::from_ec_key(EcKey::generate(&curve).expect("a key")).expect("a key");
    let mut builder = X509::builder().expect("a builder");
    builder.set_pubkey(&key).expect("set");
    builder
        .set_not_before(&Asn1Time::days_from_now(0).expect("now"))
        .expect("set");
    builder
        .set_not_after(&Asn1Time::days_from_now(9).expect("then"))
        .expect("set");
    builder.sign(&key, MessageDigest::sha256()).expect("signed");
    let text = |pem: Vec<u8>| String::from_utf8(pem).expect("text");
    (
        text(builder.build().to_pem().expect("PEM")),
        text(key.private_key_to_pem_pkcs8().expect("PEM")),
    )
}

#[test]
fn the_example_file_is_valid_and_says_the_defaults() {
    let folder = tempfile::tempdir().expect("a folder");
    let (certificate, key) = certificate();
    for (name, text) in [
        ("server.crt", &certificate),
        ("server.key", &key),
        ("clients.crt", &certificate),
        ("app.password", &"hunter2".to_owned()),
        ("auth.pgpass", &"*:*:*:pgflit_auth:hunter2\n".to_owned()),
        ("migrator.pgpass", &"*:*:*:migrator:hunter2\n".to_owned()),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
    }
    let text = include_str!("../../../docs/proxy.example.toml");
    let config = Config::read(&folder.path().join("p"), text, &given()).expect("valid");
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.listen, read(SHOP).expect("valid").listen);
    let cutover = config.cutover.expect("a table");
    assert_eq!(cutover.lease, Duration::from_secs(10));
    assert!(!cutover.shared && !cutover.save_config);
    let named = cutover.target.to_string();
    assert!(
        named.starts_with("postgresql://migrator@new.example.com"),
        "{named}"
    );
    assert_eq!(cutover.target.dbname(), "shop");
    let tls = config.tls.expect("TLS");
    assert!(tls.asks_for_certificates());
    assert_eq!(tls.end_point().map(|hash| hash.len()), Some(32));

    fs::write(folder.path().join("server.key"), self::certificate().1).expect("written");
    let error = Config::read(&folder.path().join("p"), text, &given()).expect_err("another key");
    assert!(error.to_string().contains("are of no use"), "{error}");
}

#[test]
fn a_mirror_is_of_databases_and_users_that_are_there() {
    let mirror = "[[mirror]]\nname = \"m\"\n";
    let config = read(&format!("{SHOP}{mirror}server = \"host=x\"\n")).expect("valid");
    let mirror_of = &config.mirrors[0];
    assert!(mirror_of.is_of("shop") && mirror_of.mode == MirrorMode::Reads && mirror_of.compares);
    assert_eq!(mirror_of.exposure, 1.0);
    let text = format!(
        "{SHOP}{mirror}exposure = 1.5\nmode = \"read\"\ndatabase = \"none\"\nuser = \"nobody\"\n\
         server = \"host=x password=y\"\n{mirror}"
    );
    let faults = faults(&text);
    let reasons = faults
        .iter()
        .map(|fault| fault.split_once("mirror[").expect("a mirror's").1);
    assert_eq!(
        reasons.collect::<Vec<_>>(),
        [
            "1].exposure: takes a number from 0 to 1, such as 0.1",
            "1].mode: did you mean \"reads\"? It takes reads, all, ddl, dml",
            "1].database: is no [[database]] of this file",
            "1].user: is no [[user]] of this file",
            "1].server: holds a password; leave it to a password file: passfile=/path in the same text",
            "2].server: is missing, and the database \"shop\" has no target",
            "2].name: is the name of another mirror, too",
        ]
    );
}

#[test]
fn one_database_moves_and_it_is_known_which() {
    let moving =
        "[[database]]\nname = \"shop\"\nsource = \"host=a\"\ntarget = \"host=b dbname=new\"\n";
    let table = "[cutover]\nuser = \"me\"\nshared = true\nlease = \"5s\"\n";
    let config = read(&format!("{moving}{table}")).expect("valid");
    let cutover = config.cutover.expect("a table");
    assert_eq!(
        (cutover.source.dbname(), cutover.target.dbname()),
        ("shop", "new")
    );
    assert!(cutover.shared && cutover.address(Side::Source) == &cutover.source);
    let second = moving.replace("shop", "other");
    for (text, fault) in [
        (
            format!("{SHOP}{table}"),
            "cutover.user: is of use where one [[database]] has a target, and none has",
        ),
        (
            format!("{moving}{second}{table}"),
            "cutover.user: is of use where one [[database]] has a target, and several have",
        ),
        (
            format!("{}{table}", moving.replace("shop", "*")),
            "cutover.user: needs to know which database moves",
        ),
        (
            format!("{moving}[cutover]\nlease = \"1ms\"\n"),
            "cutover.user: is missing: pgflit's own role",
        ),
        (
            format!("{moving}{table}passfile = \"nowhere\"\n"),
            "cutover.passfile: has no line for \"me\" at a",
        ),
    ] {
        let faults = faults(&text);
        assert!(faults.iter().any(|one| one.contains(fault)), "{faults:?}");
    }
}

#[test]
fn every_key_is_in_the_example_and_documented() {
    let example = include_str!("../../../docs/proxy.example.toml");
    let page = include_str!("../../../docs/proxy-configuration.md");
    let text = "[proxy]\nzzz = 1\n[tls]\nzzz = 1\n[[database]]\nzzz = 1\n[[user]]\nzzz = 1\n\
                [auth_query]\nzzz = 1\n[[auth]]\nzzz = 1\n[[mirror]]\nzzz = 1\n[cutover]\nzzz = 1\n[limits]\nzzz = 1\n\
                [admin]\nzzz = 1\n[metrics]\nzzz = 1\n";
    let mut count = 0;
    for fault in faults(text) {
        let Some((_, keys)) = fault.split_once("unknown key; there are ") else {
            continue;
        };
        for key in keys.split(", ") {
            count += 1;
            assert!(
                page.contains(&format!("| `{key}` |")),
                "{key} is not documented"
            );
            // What says the same as another key is there once.
            let is_other = ["password_env", "passfile"].contains(&key);
            assert!(
                is_other || example.contains(key),
                "{key} is not in the example"
            );
        }
    }
    assert!(count > 20, "{count} keys");
}

#[test]
fn administrators_are_users_who_can_show_a_password() {
    let user = format!(
        "[[user]]\nname = \"ann\"\nscram_secret = \"{SECRET}\"\n[[user]]\nname = \"eve\"\n"
    );
    for (text, expected) in [
        (
            "users = \"ann\"\nlisten = \"127.0.0.1\"",
            "admin.listen: takes host:port",
        ),
        (
            "users = \"ann\"\nlisten = \"/run:x\"",
            "admin.listen: the port is wrong",
        ),
        ("users = \"ann\"", "admin.listen: is missing"),
        ("listen = \"127.0.0.1:1\"", "admin.users: is missing"),
        ("in_proxy = true", "admin.users: is missing"),
        (
            "users = \"bob\"\nin_proxy = true",
            "admin.users: is in no [[user]]",
        ),
        (
            "users = \"eve\"\nin_proxy = true",
            "admin.users: needs a password",
        ),
        (
            "users = \"ann\"\nread_only_users = \"ann\"\nin_proxy = true",
            "admin.read_only_users: may do everything already",
        ),
    ] {
        let faults = faults(&format!("{SHOP}{user}[admin]\n{text}\n"));
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].contains(expected), "{faults:?}");
    }
    let hidden = format!(
        "[[database]]\nname = \"admin\"\nsource = \"host=a\"\n{user}[admin]\nusers = \"ann\"\nin_proxy = true\n"
    );
    assert!(faults(&hidden)[0].contains("hides the [[database]]"));
    let socket = read(&format!("{SHOP}[admin]\nlisten = \"/run/pgflit\"\n")).expect("valid");
    assert!(
        socket
            .admin
            .is_some_and(|admin| !admin.in_proxy && admin.users.is_empty())
    );
    let metrics = faults(&format!("{SHOP}[metrics]\n"));
    assert!(
        metrics[0].contains("metrics.listen: is missing"),
        "{metrics:?}"
    );
    assert!(faults(&format!("{SHOP}[metrics]\nlisten = \"x\"\n"))[0].contains("takes host:port"));
}

#[test]
fn rights_change_under_way_and_doors_do_not() {
    let user = format!("{SHOP}[[user]]\nname = \"ann\"\nscram_secret = \"{SECRET}\"\n");
    let file = |text: &str| read(&format!("{user}{text}")).expect("valid");
    let running = file("[admin]\nlisten = \"127.0.0.1:1\"\nusers = \"ann\"\n");
    let other = file(
        "[admin]\nlisten = \"127.0.0.1:2\"\nread_only_users = \"ann\"\n[metrics]\nlisten = \"127.0.0.1:3\"\n",
    );
    let changes = Changes::between(&running, &other);
    assert_eq!(changes.now, ["users or in_proxy of [admin] changed"]);
    assert_eq!(
        changes.after_restart,
        ["the console at 127.0.0.1:2", "metrics at 127.0.0.1:3"]
    );
    let reloaded = running.reloaded(other);
    assert!(reloaded.metrics.is_empty());
    let admin = reloaded.admin.expect("a console");
    assert_eq!(admin.listen[0].to_string(), "127.0.0.1:1");
    assert_eq!(admin.read_only_users, ["ann"]);
    let without = running.reloaded(file(""));
    assert_eq!(without.admin, None);
}
