//! Clients that encrypt.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use openssl::x509::{X509, X509NameBuilder};

use super::wire;
use crate::support::{Proxied, source_options};

/// A certificate that signs itself, and its key.
pub(super) fn certificate(folder: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
    let key = PKey::from_rsa(Rsa::generate(2048).expect("a key")).expect("a key");
    let mut name = X509NameBuilder::new().expect("a name");
    name.append_entry_by_text("CN", "localhost")
        .expect("a name");
    let name = name.build();
    let mut builder = X509::builder().expect("a certificate");
    builder.set_version(2).expect("version 3");
    builder.set_subject_name(&name).expect("a subject");
    builder.set_issuer_name(&name).expect("an issuer");
    builder.set_pubkey(&key).expect("a key");
    let (today, later) = (Asn1Time::days_from_now(0), Asn1Time::days_from_now(2));
    builder
        .set_not_before(&today.expect("a date"))
        .expect("a date");
    builder
        .set_not_after(&later.expect("a date"))
        .expect("a date");
    builder.sign(&key, MessageDigest::sha256()).expect("signed");
    let paths = (folder.join("certificate.pem"), folder.join("key.pem"));
    let pem = builder.build().to_pem().expect("PEM");
    fs::write(&paths.0, pem).expect("written");
    let pem = key.private_key_to_pem_pkcs8().expect("PEM");
    fs::write(&paths.1, pem).expect("written");
    paths
}

#[test]
fn clients_that_encrypt_are_served_as_others_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let (certificate, key) = certificate(folder.path());
    let proxied = Proxied::with(source_options(), |proxy| {
        let proxy = proxy.arg("--tls-certificate").arg(&certificate);
        proxy.arg("--tls-key").arg(&key)
    });
    let root = format!("sslmode=verify-full&sslrootcert={}", certificate.display());
    let database = proxied.database.with(&root).with("host=localhost");
    assert_eq!(database.sql("SELECT 1"), "1");
    assert_eq!(
        database.sql("SELECT length(repeat('x', 9000000))"),
        "9000000"
    );
    let rows: String = (0..20_000)
        .map(|id| format!("{id}\t{}\n", "x".repeat(200)))
        .collect();
    database.sql(&format!(
        "CREATE TABLE t (id int, x text); COPY t FROM STDIN;\n{rows}\\.\n"
    ));
    assert_eq!(database.sql("COPY t TO STDOUT").len(), rows.len() - 1);

    // Passwords do not pass in clear text, and SCRAM does not take the proxy for an attacker: the
    // server is not encrypted.
    proxied
        .direct
        .sql("CREATE ROLE ann LOGIN PASSWORD 'secret'");
    let rules = "local all all trust\nhost all ann all scram-sha-256\nhost all all all trust\n";
    fs::write(proxied.cluster.data().join("pg_hba.conf"), rules).expect("written");
    proxied.direct.sql("SELECT pg_reload_conf()");
    let ann = database.with("user=ann&password=secret");
    assert_eq!(ann.sql("SELECT current_user"), "ann");

    // Unencrypted clients still may.
    assert_eq!(
        proxied.database.with("sslmode=disable").sql("SELECT 1"),
        "1"
    );
    let clients = proxied.status();
    assert_eq!(clients["clients"]["busy"], 0);
}

#[test]
fn clients_that_begin_with_tls_must_name_the_protocol() {
    let folder = tempfile::tempdir().expect("a folder");
    let (certificate, key) = certificate(folder.path());
    let proxied = Proxied::with(source_options(), |proxy| {
        let proxy = proxy.arg("--tls-certificate").arg(&certificate);
        proxy.arg("--tls-key").arg(&key)
    });
    let connect = |protocols: Option<&[u8]>| {
        let mut builder = SslConnector::builder(SslMethod::tls_client()).expect("TLS");
        builder.set_verify(SslVerifyMode::NONE);
        if let Some(protocols) = protocols {
            builder.set_alpn_protos(protocols).expect("protocols");
        }
        builder.build().connect("localhost", proxied.socket())
    };
    let packet = wire::startup(0, &[("user", "postgres"), ("database", "app")]);
    let mut named = connect(Some(b"\x0apostgresql")).expect("a handshake");
    assert_eq!(
        named.ssl().selected_alpn_protocol(),
        Some(&b"postgresql"[..])
    );
    named.write_all(&packet).expect("sent");
    let mut first = [0];
    named.read_exact(&mut first).expect("an answer");
    assert_eq!(first, *b"R");
    assert!(connect(Some(b"\x08http/1.1")).is_err());
    // Without a name the handshake passes and the session does not begin.
    if let Ok(mut unnamed) = connect(None) {
        let _ = unnamed.write_all(&packet);
        assert_eq!(unnamed.read(&mut first).unwrap_or(0), 0);
    }
}
