//! The certificate that clients see: `[tls]`.

use std::path::{Path, PathBuf};

use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{
    AlpnError, SslAcceptor, SslMethod, SslMode, SslOptions, SslSessionCacheMode, SslVerifyMode,
    SslVersion, select_next_proto,
};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use zeroize::Zeroizing;

use super::reader::{At, File, Section};
use super::users::read_bounded;
use crate::pg::connect::tls::end_point_of;

/// A longer file holds no certificates: a whole bundle of authorities has a few hundred kilobytes.
const PEM_BYTES_MAX: u64 = 4 << 20;

/// The protocol's name in ALPN, which direct TLS must agree on: `PG_ALPN_PROTOCOL_VECTOR` of
/// PostgreSQL's `src/include/libpq/pqcomm.h`.
pub(in crate::proxy) const ALPN: &[u8] = b"\x0apostgresql";

/// Whether clients must use TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// Those that want it get it.
    Allow,
    /// Those that do not want it are refused.
    Require,
}

/// TLS with clients. The files have been read: what they held then is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Who must use it.
    pub mode: TlsMode,
    /// The oldest version that is spoken.
    pub oldest: TlsVersion,
    /// Our certificate and those between it and the root.
    certificates: Pem,
    key: Pem,
    /// The authorities of client certificates.
    client_ca: Option<Pem>,
}

/// The versions that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLSv1.2.
    V12,
    /// TLSv1.3.
    V13,
}

/// A file's text, and where it was.
#[derive(Clone, PartialEq, Eq)]
struct Pem {
    path: PathBuf,
    text: Zeroizing<String>,
}

impl std::fmt::Debug for Pem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.path.fmt(f)
    }
}

impl Tls {
    /// Whether clients may show certificates.
    pub fn asks_for_certificates(&self) -> bool {
        self.client_ca.is_some()
    }

    /// The server's side of TLS. Clients that show a certificate must have it from our
    /// authorities; whether one is needed is up to the rules.
    ///
    /// # Errors
    /// OpenSSL's, of files that do not go together.
    pub fn acceptor(&self) -> Result<SslAcceptor, ErrorStack> {
        let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
        builder.set_min_proto_version(Some(match self.oldest {
            TlsVersion::V12 => SslVersion::TLS1_2,
            TlsVersion::V13 => SslVersion::TLS1_3,
        }))?;
        // As towards servers; and idle connections keep no buffers.
        builder.set_mode(
            SslMode::AUTO_RETRY
                | SslMode::ACCEPT_MOVING_WRITE_BUFFER
                | SslMode::ENABLE_PARTIAL_WRITE
                | SslMode::RELEASE_BUFFERS,
        );
        // PostgreSQL has neither: no client resumes a session, and renegotiation is an attack.
        builder.set_session_cache_mode(SslSessionCacheMode::OFF);
        builder.set_options(SslOptions::NO_TICKET | SslOptions::NO_RENEGOTIATION);
        let mut chain = X509::stack_from_pem(self.certificates.text.as_bytes())?.into_iter();
        if let Some(own) = chain.next() {
            builder.set_certificate(&own)?;
        }
        for between in chain {
            builder.add_extra_chain_cert(between)?;
        }
        let key = PKey::private_key_from_pem(self.key.text.as_bytes())?;
        builder.set_private_key(&key)?;
        builder.check_private_key()?;
        // Who offers protocols and not this one has come to the wrong place.
        builder.set_alpn_select_callback(|_, offered| {
            select_next_proto(ALPN, offered).ok_or(AlpnError::ALERT_FATAL)
        });
        if let Some(authorities) = &self.client_ca {
            let mut store = X509StoreBuilder::new()?;
            for authority in X509::stack_from_pem(authorities.text.as_bytes())? {
                builder.add_client_ca(&authority)?;
                store.add_cert(authority)?;
            }
            builder.set_verify_cert_store(store.build())?;
            builder.set_verify(SslVerifyMode::PEER);
        }
        Ok(builder.build())
    }

    /// What SCRAM-SHA-256-PLUS binds to; none for a certificate of an unknown kind.
    pub fn end_point(&self) -> Option<Vec<u8>> {
        let certificates = X509::stack_from_pem(self.certificates.text.as_bytes()).ok()?;
        end_point_of(certificates.first()?)
    }
}

/// What was typed, else the table says; none if neither does.
pub(super) fn read(
    file: &File<'_>,
    table: Option<Section<'_>>,
    typed: Option<&(PathBuf, PathBuf)>,
) -> Option<Tls> {
    let line = table.as_ref().map(|table| table.line);
    let read = |key| table.as_ref().and_then(|table| pem(file, table.text(key)));
    let (in_file, client_ca) = ((read("certificate"), read("key")), read("client_ca"));
    let mode = table.as_ref().and_then(|table| {
        table.choice(
            "mode",
            &[("allow", TlsMode::Allow), ("require", TlsMode::Require)],
        )
    });
    let oldest = table.as_ref().and_then(|table| {
        let versions = [("TLSv1.2", TlsVersion::V12), ("TLSv1.3", TlsVersion::V13)];
        table.choice("min_version", &versions)
    });
    let (certificates, key) = match typed {
        Some((certificate, key)) => (
            Some(typed_pem(file, "--tls-certificate", certificate)),
            Some(typed_pem(file, "--tls-key", key)),
        ),
        None => in_file,
    };
    let table = table.map(|table| {
        for (key, found) in [("certificate", &certificates), ("key", &key)] {
            if found.is_none() {
                table.problem(key, "is missing: the path of a PEM file");
            }
        }
        table.finish();
    });
    if table.is_none() && typed.is_none() {
        return None;
    }
    let tls = Tls {
        mode: mode.map_or(TlsMode::Allow, |mode| mode.value),
        oldest: oldest.map_or(TlsVersion::V12, |oldest| oldest.value),
        certificates: certificates.flatten()?,
        key: key.flatten()?,
        client_ca: client_ca.flatten(),
    };
    match tls.acceptor() {
        Ok(_) => Some(tls),
        Err(error) => {
            let reason = format!("certificate, key and authorities are of no use: {error}");
            match typed {
                Some(_) => file.typed("--tls-certificate", reason),
                None => file.problem(line, "tls".to_owned(), reason),
            }
            None
        }
    }
}

/// The file of an option, relative to where the program runs.
fn typed_pem(file: &File<'_>, option: &str, path: &Path) -> Option<Pem> {
    let what = option.trim_start_matches("--tls-");
    let found = read_pem(what, path.to_owned());
    found.map_err(|reason| file.typed(option, reason)).ok()
}

/// The file that is named; none inside if it cannot be read.
fn pem(file: &File<'_>, named: Option<At<&str>>) -> Option<Option<Pem>> {
    let named = named?;
    let what = named.key.rsplit('.').next().unwrap_or_default();
    let found = read_pem(what, file.beside(named.value));
    Some(found.map_err(|reason| file.wrong(&named, reason)).ok())
}

fn read_pem(what: &str, path: PathBuf) -> Result<Pem, String> {
    match read_bounded(&path, PEM_BYTES_MAX) {
        Ok(text) if text.contains("-----BEGIN") => {
            let text = Zeroizing::new(text);
            Ok(Pem { path, text })
        }
        Ok(_) => Err(format!("{what} file {} is no PEM file", path.display())),
        Err(error) => Err(format!("{what} file {}: {error}", path.display())),
    }
}
