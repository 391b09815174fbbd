//! Certificates for proxies in tests.

use std::fs;
use std::path::{Path, PathBuf};

use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509NameBuilder};

/// A certificate that signs itself, for localhost, and its key.
pub(super) fn certificate(folder: &Path) -> (PathBuf, PathBuf) {
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
    let names = SubjectAlternativeName::new()
        .dns("localhost")
        .build(&builder.x509v3_context(None, None))
        .expect("names");
    builder.append_extension(names).expect("names");
    builder.sign(&key, MessageDigest::sha256()).expect("signed");
    let paths = (folder.join("certificate.pem"), folder.join("key.pem"));
    let pem = builder.build().to_pem().expect("PEM");
    fs::write(&paths.0, pem).expect("written");
    let pem = key.private_key_to_pem_pkcs8().expect("PEM");
    fs::write(&paths.1, pem).expect("written");
    paths
}
