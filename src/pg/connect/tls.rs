//! TLS as libpq does it: which certificates are trusted, which one is shown, what is checked.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{
    Ssl, SslContext, SslContextBuilder, SslFiletype, SslMethod, SslMode as TlsWriteMode, SslRef,
    SslVerifyMode, SslVersion,
};
use openssl::x509::store::{X509Lookup, X509StoreBuilder};
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509Ref, X509VerifyResult};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use super::certificate_name::Names;
use crate::pg::address::options::CertMode;
use crate::pg::address::{Address, SslMode, SslNegotiation, TlsVersion};

/// The protocol's name in ALPN, with its length in front.
const ALPN: &[u8] = b"\x0apostgresql";

/// What TLS with the servers of one address needs, kept from the first connection on: its files are
/// read once. Clones of an address share it.
#[derive(Clone, Default)]
pub struct KeptTls(Arc<OnceLock<SslContext>>);

impl KeptTls {
    fn context(&self, address: &Address) -> Result<SslContext, String> {
        if let Some(context) = self.0.get() {
            return Ok(context.clone());
        }
        // What fails is tried again next time: the file may be there then.
        let context = context(address)?;
        Ok(self.0.get_or_init(|| context).clone())
    }
}

/// It follows from the rest of an address.
impl PartialEq for KeptTls {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for KeptTls {}

impl std::fmt::Debug for KeptTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeptTls")
    }
}

/// Encrypts `stream`, whose server has agreed to it, and checks the certificate as `address` asks.
///
/// # Errors
/// A text for the operator: what was wrong with which file, certificate or name.
pub async fn handshake(
    stream: TcpStream,
    host: &str,
    address: &Address,
) -> Result<SslStream<TcpStream>, String> {
    let context = match address.kept_tls() {
        Some(kept) => kept.context(address)?,
        None => context(address)?,
    };
    let mut ssl = Ssl::new(&context).map_err(text)?;
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    if address.setting("sslsni") != Some("0") && !is_address {
        ssl.set_hostname(host).map_err(text)?;
    }
    let mut stream = SslStream::new(ssl, stream).map_err(text)?;
    if let Err(error) = Pin::new(&mut stream).connect().await {
        return Err(match stream.ssl().verify_result() {
            X509VerifyResult::OK => format!("handshake failed: {error}"),
            reason => format!("certificate verify failed: {reason}"),
        });
    }
    if address.ssl_negotiation() == SslNegotiation::Direct
        && stream.ssl().selected_alpn_protocol() != Some(&ALPN[1..])
    {
        return Err("the server did not confirm the protocol \"postgresql\" (ALPN)".to_owned());
    }
    if address.ssl_mode() == SslMode::VerifyFull {
        check_name(stream.ssl(), host)?;
    }
    Ok(stream)
}

fn check_name(ssl: &SslRef, host: &str) -> Result<(), String> {
    let certificate = ssl
        .peer_certificate()
        .ok_or_else(|| "the server sent no certificate".to_owned())?;
    let names = Names::of(&certificate);
    match names.match_host(host) {
        true => Ok(()),
        false => Err(format!(
            "the server's certificate is for {}, not for \"{host}\"",
            names.describe()
        )),
    }
}

/// What SCRAM-SHA-256-PLUS binds to on the side of the client.
pub fn server_end_point(ssl: &SslRef) -> Option<Vec<u8>> {
    end_point_of(ssl.peer_certificate()?.as_ref())
}

/// What SCRAM-SHA-256-PLUS binds to: the digest of the server's `certificate` by its own
/// signature's algorithm, with SHA-256 for the broken ones (RFC 5929, section 4.1).
pub fn end_point_of(certificate: &X509Ref) -> Option<Vec<u8>> {
    let algorithm = certificate.signature_algorithm().object().nid();
    let digest = match algorithm.signature_algorithms()?.digest {
        Nid::MD5 | Nid::SHA1 => MessageDigest::sha256(),
        other => MessageDigest::from_nid(other)?,
    };
    Some(certificate.digest(digest).ok()?.to_vec())
}

fn context(address: &Address) -> Result<SslContext, String> {
    let mut builder = SslContext::builder(SslMethod::tls_client()).map_err(text)?;
    // A write that would block is tried again from wherever the rest of the bytes is then.
    builder.set_mode(
        TlsWriteMode::AUTO_RETRY
            | TlsWriteMode::ACCEPT_MOVING_WRITE_BUFFER
            | TlsWriteMode::ENABLE_PARTIAL_WRITE,
    );
    // One system call brings several records, instead of two for each.
    builder.set_read_ahead(true);
    let (min, max) = address.tls_versions();
    let min = min.unwrap_or(TlsVersion::V12);
    builder
        .set_min_proto_version(Some(openssl_version(min)))
        .map_err(text)?;
    builder
        .set_max_proto_version(max.map(openssl_version))
        .map_err(text)?;
    builder.set_alpn_protos(ALPN).map_err(text)?;
    trust(&mut builder, address)?;
    show_certificate(&mut builder, address)?;
    Ok(builder.build())
}

fn openssl_version(version: TlsVersion) -> SslVersion {
    match version {
        TlsVersion::V10 => SslVersion::TLS1,
        TlsVersion::V11 => SslVersion::TLS1_1,
        TlsVersion::V12 => SslVersion::TLS1_2,
        TlsVersion::V13 => SslVersion::TLS1_3,
    }
}

/// Sets what the server's certificate is checked against.
///
/// As in libpq, a root certificate that exists is used in every mode, so that `require` with one
/// means `verify-ca`; only the verify modes insist on one.
fn trust(builder: &mut SslContextBuilder, address: &Address) -> Result<(), String> {
    builder.set_verify(SslVerifyMode::NONE);
    if address.setting("sslrootcert") == Some("system") {
        builder.set_default_verify_paths().map_err(text)?;
        builder.set_verify(SslVerifyMode::PEER);
        return Ok(());
    }
    let root = address.tls_file("sslrootcert", "root.crt");
    let Some(root) = root.as_deref().filter(|path| path.exists()) else {
        if address.ssl_mode() >= SslMode::VerifyCa {
            let path = root.map_or("~/.postgresql/root.crt".to_owned(), |path| {
                path.display().to_string()
            });
            return Err(format!(
                "root certificate file {path} does not exist, and sslmode={} needs one",
                address.ssl_mode().as_str()
            ));
        }
        return Ok(());
    };
    let unreadable = |path: &Path, error| unusable("certificate file", path, error);
    let mut store = X509StoreBuilder::new().map_err(text)?;
    store
        .add_lookup(X509Lookup::file())
        .and_then(|lookup| lookup.load_cert_file(root, SslFiletype::PEM).map(|_| ()))
        .map_err(|error| unreadable(root, error))?;
    load_revocations(&mut store, address)?;
    builder.set_cert_store(store.build());
    builder.set_verify(SslVerifyMode::PEER);
    Ok(())
}

/// Adds revocation lists. Ones that were asked for must be readable; the default one need not be
/// there.
fn load_revocations(store: &mut X509StoreBuilder, address: &Address) -> Result<(), String> {
    let folder = address.setting("sslcrldir");
    let file = match (address.setting("sslcrl"), folder) {
        (None, Some(_)) => None,
        _ => address.tls_file("sslcrl", "root.crl"),
    };
    let file = file.filter(|path| path.exists() || address.setting("sslcrl").is_some());
    let unreadable = |path: &Path, error| unusable("revocation list", path, error);
    if let Some(path) = &file {
        store
            .add_lookup(X509Lookup::file())
            .and_then(|lookup| lookup.load_crl_file(path, SslFiletype::PEM).map(|_| ()))
            .map_err(|error| unreadable(path, error))?;
    }
    if let Some(path) = folder {
        store
            .add_lookup(X509Lookup::hash_dir())
            .and_then(|lookup| lookup.add_dir(path, SslFiletype::PEM))
            .map_err(|error| unreadable(Path::new(path), error))?;
    }
    if file.is_some() || folder.is_some() {
        let flags = X509VerifyFlags::CRL_CHECK | X509VerifyFlags::CRL_CHECK_ALL;
        store.set_flags(flags).map_err(text)?;
    }
    Ok(())
}

/// Loads the client's certificate and key, if there is one.
fn show_certificate(builder: &mut SslContextBuilder, address: &Address) -> Result<(), String> {
    if address.cert_mode() == CertMode::Disable {
        return Ok(());
    }
    let path = address.tls_file("sslcert", "postgresql.crt");
    let Some(path) = path.filter(|path| path.exists()) else {
        return match address.cert_mode() {
            CertMode::Require => {
                Err("sslcertmode=require, but there is no client certificate".to_owned())
            }
            _ => Ok(()),
        };
    };
    builder
        .set_certificate_chain_file(&path)
        .map_err(|error| unusable("certificate file", &path, error))?;
    let key = address
        .tls_file("sslkey", "postgresql.key")
        .filter(|key| key.exists())
        .ok_or_else(|| {
            format!(
                "certificate {} is there, but its key file is not",
                path.display()
            )
        })?;
    check_key_permissions(&key)?;
    let password = address.setting("sslpassword").unwrap_or_default();
    let loaded = load_key(&key, password)?;
    builder
        .set_private_key(&loaded)
        .and_then(|()| builder.check_private_key())
        .map_err(|error| unusable("key file", &key, error))
}

/// The key must be its owner's alone; root's may be read by its group.
fn check_key_permissions(path: &Path) -> Result<(), String> {
    let metadata = fs::metadata(path)
        .map_err(|error| format!("key file {} cannot be read: {error}", path.display()))?;
    if !metadata.is_file() {
        return Err(format!("key file {} is not a plain file", path.display()));
    }
    let forbidden = if metadata.uid() == 0 { 0o037 } else { 0o077 };
    match metadata.mode() & forbidden {
        0 => Ok(()),
        _ => Err(format!(
            "key file {} may be read by others: run chmod 0600 on it",
            path.display()
        )),
    }
}

/// PEM, encrypted or not, or DER.
fn load_key(path: &Path, password: &str) -> Result<PKey<Private>, String> {
    let bytes = fs::read(path)
        .map_err(|error| format!("key file {} cannot be read: {error}", path.display()))?;
    PKey::private_key_from_pem_passphrase(&bytes, password.as_bytes())
        .or_else(|error| PKey::private_key_from_der(&bytes).map_err(|_| error))
        .map_err(|_| {
            let advice = "is it a key, and does sslpassword fit?";
            format!("key file {} cannot be used: {advice}", path.display())
        })
}

fn unusable(what: &str, path: &Path, error: ErrorStack) -> String {
    format!("{what} {} cannot be used: {}", path.display(), text(error))
}

/// OpenSSL's reasons without its source files.
fn text(error: ErrorStack) -> String {
    let reasons = error.errors().iter().filter_map(|error| error.reason());
    let mut reasons: Vec<_> = reasons
        .map(|reason| match reason {
            "system lib" => "the file cannot be opened",
            other => other,
        })
        .collect();
    reasons.dedup();
    match reasons.is_empty() {
        true => "OpenSSL gives no reason".to_owned(),
        false => reasons.join(", "),
    }
}
