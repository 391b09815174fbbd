//! Whole addresses: what wins over what, and what comes out again.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use proptest::prelude::*;

use super::*;

fn environment(variables: &[(&str, &str)], home: Option<&Path>) -> Environment {
    let variables: HashMap<_, _> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Environment {
        variables,
        home: home.map(Path::to_owned),
        os_user: Some("me".to_owned()),
    }
}

fn parse(text: &str) -> Result<Address, AddressError> {
    Address::parse_with(text, &environment(&[], None))
}

fn write_private(path: &Path, text: &str) {
    fs::write(path, text).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("mode");
}

#[test]
fn an_empty_string_is_the_local_server_and_the_users_own_database() {
    let address = parse("").expect("an address");
    assert_eq!((address.user(), address.dbname()), ("me", "me"));
    assert!(matches!(address.hosts()[0].endpoint, Endpoint::Unix(_)));
    assert_eq!(address.hosts()[0].port, 5432);
    assert_eq!(address.ssl_mode(), SslMode::Prefer);
    assert_eq!(address.connect_timeout(), None);
}

#[test]
fn the_string_wins_over_the_service_and_the_service_over_variables() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(".pg_service.conf");
    fs::write(&file, "[prod]\nhost=from-service\nport=1\ndbname=d1\n").expect("written");
    let variables = [
        ("PGSERVICE", "prod"),
        ("PGPORT", "2"),
        ("PGUSER", "u2"),
        ("PGHOST", "h2"),
    ];
    let environment = environment(&variables, Some(folder.path()));
    let address = Address::parse_with("dbname=d0", &environment).expect("an address");
    assert_eq!(address.to_string(), "postgresql://u2@from-service:1/d0");
    let missing = Address::parse_with("service=nope", &environment).expect_err("no service");
    assert_eq!(missing, AddressError::NoService("nope".to_owned()));
}

#[test]
fn an_empty_value_keeps_the_variable_out() {
    let environment = environment(&[("PGHOST", "h2"), ("PGDATABASE", "d2")], None);
    let address = Address::parse_with("host='' dbname=''", &environment).expect("an address");
    assert!(matches!(address.hosts()[0].endpoint, Endpoint::Unix(_)));
    assert_eq!(address.dbname(), "me");
}

#[test]
fn each_host_has_its_port_and_its_password() {
    let folder = tempfile::tempdir().expect("a folder");
    write_private(
        &folder.path().join(".pgpass"),
        "a:1:*:*:pa\nb:2:*:*:pb\nlocalhost:*:*:*:pl\n",
    );
    let environment = environment(&[], Some(folder.path()));
    let address = Address::parse_with("host=a,b,,c port=1,2,3,", &environment).expect("an address");
    let found: Vec<_> = address
        .hosts()
        .iter()
        .map(|host| {
            (
                host.port,
                host.password.as_ref().map(|password| password.expose()),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (1, Some("pa")),
            (2, Some("pb")),
            (3, Some("pl")),
            (5432, None)
        ]
    );
    assert_eq!(address.to_string().matches("pa").count(), 0);
}

#[test]
fn a_password_from_the_file_is_handed_to_children() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pass");
    write_private(&file, "a:*:*:*:s3cret");
    let text = format!("host=a passfile={} sslmode=require", file.display());
    let address = parse(&text).expect("an address");
    let variables: HashMap<_, _> = address.libpq_env().into_iter().collect();
    for (name, value) in [
        ("PGHOST", "a"),
        ("PGUSER", "me"),
        ("PGDATABASE", "me"),
        ("PGPASSWORD", "s3cret"),
        ("PGSSLMODE", "require"),
    ] {
        assert_eq!(
            variables.get(name).map(String::as_str),
            Some(value),
            "{name}"
        );
    }
    assert!(address.to_uri().contains("s3cret"));
    for shown in [address.to_string(), format!("{address:?}")] {
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}

#[test]
fn another_database_keeps_everything_else() {
    let address = parse("postgresql://u:p@h:1/a?sslmode=require").expect("an address");
    let other = address.with_dbname("b c");
    assert_eq!(other.to_uri(), "postgresql://u:p@h:1/b%20c?sslmode=require");
    assert_eq!(other.dbname(), "b c");
    assert_eq!(parse(&other.to_uri()), Ok(other));
}

#[test]
fn what_cannot_be_is_refused() {
    for (text, part) in [
        ("port=0", "port"),
        ("port=65536", "port"),
        ("port=5432x", "port"),
        ("host=a,b port=1,2,3", "3 port values do not match 2 hosts"),
        (
            "host=a,b hostaddr=1.1.1.1",
            "1 hostaddr values do not match 2 hosts",
        ),
        ("hostaddr=a", "hostaddr"),
        ("sslmode=on", "verify-full"),
        ("sslrootcert=system sslmode=require", "verify-full"),
        ("sslnegotiation=direct", "sslmode=prefer is too weak"),
        ("gssencmode=require", "GSSAPI"),
        ("target_session_attrs=master", "primary"),
        ("connect_timeout=soon", "connect_timeout"),
        ("keepalives_idle=x", "keepalives_idle"),
        (
            "ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2",
            "swap",
        ),
        ("hots=a", "did you mean \"host\""),
        ("postgresql://h?hots=a", "did you mean \"host\""),
    ] {
        let error = parse(text).expect_err(text);
        let hint = error.hint().unwrap_or_default();
        assert!(!hint.is_empty(), "{text}: {error}");
        let told = format!("{error}; {hint}");
        assert!(told.contains(part), "{text}: {told}");
    }
}

#[test]
fn a_system_root_asks_for_the_strictest_mode() {
    let address = parse("host=h sslrootcert=system").expect("an address");
    assert_eq!(address.ssl_mode(), SslMode::VerifyFull);
}

#[test]
fn a_timeout_of_one_second_is_two() {
    let timeout = |text| parse(text).expect("an address").connect_timeout();
    assert_eq!(
        timeout("connect_timeout=1"),
        Some(std::time::Duration::from_secs(2))
    );
    assert_eq!(
        timeout("connect_timeout=' 7 '"),
        Some(std::time::Duration::from_secs(7))
    );
    assert_eq!(timeout("connect_timeout=-1"), None);
}

proptest! {
    #[test]
    fn a_printed_address_reads_as_the_same_address(
        user in "[^\0]{1,12}",
        password in "[^\0]{0,12}",
        dbname in "[^\0]{1,12}",
        hosts in prop::collection::vec("[a-z0-9.:/@%-]{0,8}", 1..4),
        ports in prop::collection::vec(1u16.., 4),
        application in "[^\0]{0,12}",
    ) {
        let quote = |text: &str| {
            format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
        };
        let ports: Vec<_> = ports[..hosts.len()].iter().map(u16::to_string).collect();
        let text = format!(
            "user={} password={} dbname={} host={} port={} application_name={}",
            quote(&user), quote(&password), quote(&dbname), quote(&hosts.join(",")),
            ports.join(","), quote(&application),
        );
        // A list of empty names alone is the local server, whose one port must be one.
        if let Ok(address) = parse(&text) {
            prop_assert_eq!(address.user(), user);
            prop_assert_eq!(address.dbname(), dbname);
            prop_assert_eq!(parse(&address.to_uri()), Ok(address));
        } else {
            prop_assert!(hosts.iter().all(String::is_empty));
        }
    }

    #[test]
    fn no_string_makes_the_reader_panic(text in "(postgres(ql)?://)?[^\0]{0,40}") {
        let _ = parse(&text);
    }
}
