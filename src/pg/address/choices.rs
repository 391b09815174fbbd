//! The options with a fixed choice of values or a number, all of one address, checked together.

use std::time::Duration;

use super::error::AddressError;
use super::keyword::Settings;
use super::options::{
    AllowedMethods, CertMode, ChannelBindingMode, GssEncMode, LoadBalance, SslMode, SslNegotiation,
    TargetSessionAttrs, TlsVersion, value,
};

/// The options with a fixed choice, checked once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choices {
    pub(super) ssl_mode: SslMode,
    pub(super) ssl_negotiation: SslNegotiation,
    pub(super) cert_mode: CertMode,
    pub(super) tls_versions: (Option<TlsVersion>, Option<TlsVersion>),
    pub(super) channel_binding: ChannelBindingMode,
    pub(super) allowed_methods: AllowedMethods,
    pub(super) target_session_attrs: TargetSessionAttrs,
    pub(super) load_balance: LoadBalance,
    pub(super) connect_timeout: Option<Duration>,
}

impl Choices {
    /// Reads and checks them all.
    pub(super) fn of(settings: &Settings) -> Result<Self, AddressError> {
        let choices = Choices {
            ssl_mode: SslMode::of(settings)?,
            ssl_negotiation: SslNegotiation::of(settings)?,
            cert_mode: CertMode::of(settings)?,
            tls_versions: (
                TlsVersion::of(settings, "ssl_min_protocol_version")?,
                TlsVersion::of(settings, "ssl_max_protocol_version")?,
            ),
            channel_binding: ChannelBindingMode::of(settings)?,
            allowed_methods: AllowedMethods::of(settings)?,
            target_session_attrs: TargetSessionAttrs::of(settings)?,
            load_balance: LoadBalance::of(settings)?,
            connect_timeout: connect_timeout(settings)?,
        };
        for keyword in [
            "keepalives",
            "keepalives_idle",
            "keepalives_interval",
            "keepalives_count",
        ] {
            number(settings, keyword)?;
        }
        number(settings, "tcp_user_timeout")?;
        choices.check(settings)?;
        Ok(choices)
    }

    /// Options that are fine alone and not together.
    fn check(&self, settings: &Settings) -> Result<(), AddressError> {
        let conflict = |text: String| Err(AddressError::Conflict(text));
        let mode = self.ssl_mode.as_str();
        let system_roots = value(settings, "sslrootcert") == Some("system");
        if system_roots && self.ssl_mode != SslMode::VerifyFull {
            return conflict(format!(
                "sslmode={mode} is too weak for sslrootcert=system: use sslmode=verify-full"
            ));
        }
        if self.ssl_negotiation == SslNegotiation::Direct && self.ssl_mode < SslMode::Require {
            return conflict(format!(
                "sslmode={mode} is too weak for sslnegotiation=direct: use sslmode=require, \
                 verify-ca or verify-full"
            ));
        }
        if let (Some(min), Some(max)) = self.tls_versions
            && min > max
        {
            let text = "ssl_min_protocol_version is above ssl_max_protocol_version: swap them";
            return conflict(text.to_owned());
        }
        if GssEncMode::of(settings)? == GssEncMode::Require {
            let text = "gssencmode=require cannot be met: pgflit has no GSSAPI; use TLS instead";
            return conflict(text.to_owned());
        }
        Ok(())
    }
}

/// A setting that libpq reads as a C int; blanks around it are fine.
pub(super) fn number(
    settings: &Settings,
    keyword: &'static str,
) -> Result<Option<i32>, AddressError> {
    let Some(text) = value(settings, keyword) else {
        return Ok(None);
    };
    let parsed = text.trim().parse().ok();
    parsed.map(Some).ok_or_else(|| AddressError::BadValue {
        keyword,
        value: text.to_owned(),
        allowed: "a whole number".to_owned(),
    })
}

/// Zero and less mean no limit; one second is as two, because a limit that may end at once helps
/// nobody.
fn connect_timeout(settings: &Settings) -> Result<Option<Duration>, AddressError> {
    let seconds = number(settings, "connect_timeout")?.unwrap_or(0);
    let seconds = u64::try_from(seconds).unwrap_or(0);
    Ok((seconds > 0).then(|| Duration::from_secs(seconds.max(2))))
}
