//! From a connection string and its surroundings to one [`Address`].

use std::path::PathBuf;
use std::time::Duration;

use super::environment::Environment;
use super::error::AddressError;
use super::hosts::{self, Host};
use super::keyword::{KEYWORDS, Settings};
use super::options::{
    AllowedMethods, CertMode, ChannelBindingMode, GssEncMode, LoadBalance, SslMode, SslNegotiation,
    TargetSessionAttrs, TlsVersion, value,
};
use super::{conninfo, service, uri};

/// Where, as whom and how to connect: everything libpq would know after reading the same string
/// in the same environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Complete: [`Address::parse`] of what is printed from these gives this address again.
    pub(super) settings: PrivateSettings,
    pub(super) hosts: Vec<Host>,
    pub(super) user: String,
    pub(super) dbname: String,
    choices: Choices,
    /// `~/.postgresql`, where certificates, keys and revocation lists are by default.
    certificate_folder: Option<PathBuf>,
}

/// The settings as they were found, not printed by `Debug` because passwords are among them.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PrivateSettings(pub(super) Settings);

impl std::fmt::Debug for PrivateSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The options with a fixed choice, checked once.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Choices {
    ssl_mode: SslMode,
    ssl_negotiation: SslNegotiation,
    cert_mode: CertMode,
    tls_versions: (Option<TlsVersion>, Option<TlsVersion>),
    channel_binding: ChannelBindingMode,
    allowed_methods: AllowedMethods,
    target_session_attrs: TargetSessionAttrs,
    load_balance: LoadBalance,
    connect_timeout: Option<Duration>,
}

impl Address {
    /// Reads `text`, a URI or words and values, in this process's environment.
    ///
    /// # Errors
    /// Names the option, variable, file or part that is wrong; never shows a password.
    pub fn parse(text: &str) -> Result<Address, AddressError> {
        Self::parse_with(text, &Environment::of_process())
    }

    /// As [`Address::parse`], in an environment given as a value.
    pub fn parse_with(text: &str, environment: &Environment) -> Result<Address, AddressError> {
        let mut settings = match uri::strip_scheme(text) {
            Some(rest) => uri::parse(rest)?,
            None => conninfo::parse(text)?,
        };
        fill_service(&mut settings, environment)?;
        fill_variables(&mut settings, environment);
        fill_defaults(&mut settings, environment)?;
        Self::from_settings(settings, environment)
    }

    /// The checked address of complete `settings`.
    fn from_settings(
        mut settings: Settings,
        environment: &Environment,
    ) -> Result<Address, AddressError> {
        let choices = Choices::of(&settings)?;
        let user = settings.get("user").cloned().unwrap_or_default();
        let dbname = settings.get("dbname").cloned().unwrap_or_default();
        let mut hosts = hosts::of(&settings, environment)?;
        hosts::fill_passwords(&mut hosts, &settings, environment, (&dbname, &user));
        // One password for all of them needs no file any more: it can be handed on.
        let first = hosts.first().and_then(|host| host.password.clone());
        if let Some(password) = first.filter(|first| {
            hosts
                .iter()
                .all(|host| host.password.as_ref() == Some(first))
        }) {
            settings.insert("password", password.expose().to_owned());
            settings.remove("passfile");
        }
        Ok(Address {
            settings: PrivateSettings(settings),
            hosts,
            user,
            dbname,
            choices,
            certificate_folder: environment.in_home(".postgresql"),
        })
    }

    /// The role to log in as.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The database to connect to.
    pub fn dbname(&self) -> &str {
        &self.dbname
    }

    /// The same servers and passwords, another database.
    pub fn with_dbname(&self, dbname: &str) -> Address {
        let mut other = self.clone();
        other.dbname = dbname.to_owned();
        other.settings.0.insert("dbname", dbname.to_owned());
        other
    }

    /// The servers in the order to try them; at least one.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The value of a keyword, from wherever it came; an empty one is none.
    pub fn setting(&self, keyword: &str) -> Option<&str> {
        value(&self.settings.0, keyword)
    }

    /// The file that `keyword` names, else the one of that name in `~/.postgresql`. It need not
    /// exist.
    pub(in crate::pg) fn tls_file(&self, keyword: &str, default: &str) -> Option<PathBuf> {
        match self.setting(keyword) {
            Some(path) => Some(path.into()),
            None => self
                .certificate_folder
                .as_ref()
                .map(|folder| folder.join(default)),
        }
    }

    /// A whole number that was checked when the address was read.
    pub(in crate::pg) fn number(&self, keyword: &'static str) -> Option<i32> {
        number(&self.settings.0, keyword).ok().flatten()
    }

    /// `application_name`, else `fallback_application_name`.
    pub fn application_name(&self) -> Option<&str> {
        self.setting("application_name")
            .or_else(|| self.setting("fallback_application_name"))
    }

    /// How strictly to encrypt.
    pub fn ssl_mode(&self) -> SslMode {
        self.choices.ssl_mode
    }

    /// How to agree on TLS.
    pub fn ssl_negotiation(&self) -> SslNegotiation {
        self.choices.ssl_negotiation
    }

    /// Whether to send a client certificate.
    pub(in crate::pg) fn cert_mode(&self) -> CertMode {
        self.choices.cert_mode
    }

    /// The lowest and highest version of TLS, where given.
    pub fn tls_versions(&self) -> (Option<TlsVersion>, Option<TlsVersion>) {
        self.choices.tls_versions
    }

    /// Whether SCRAM must be bound to TLS.
    pub fn channel_binding(&self) -> ChannelBindingMode {
        self.choices.channel_binding
    }

    /// What the server may ask for.
    pub fn allowed_methods(&self) -> &AllowedMethods {
        &self.choices.allowed_methods
    }

    /// Which role of a server will do.
    pub fn target_session_attrs(&self) -> TargetSessionAttrs {
        self.choices.target_session_attrs
    }

    /// Whether hosts and addresses are tried in random order.
    pub fn balances_load(&self) -> bool {
        self.choices.load_balance == LoadBalance::Random
    }

    /// How long one attempt at one address may take; none is forever.
    pub fn connect_timeout(&self) -> Option<Duration> {
        self.choices.connect_timeout
    }
}

fn fill_service(settings: &mut Settings, environment: &Environment) -> Result<(), AddressError> {
    // Taken out: what the service says is in the settings now.
    let named = settings.remove("service");
    let name = named.or_else(|| environment.variable("PGSERVICE").map(str::to_owned));
    match name.filter(|name| !name.is_empty()) {
        Some(name) => service::fill(settings, &name, environment),
        None => Ok(()),
    }
}

fn fill_variables(settings: &mut Settings, environment: &Environment) {
    for keyword in KEYWORDS.iter().filter(|keyword| keyword.name != "service") {
        let value = keyword.variable.and_then(|name| environment.variable(name));
        if let (Some(value), false) = (value, settings.contains_key(keyword.name)) {
            settings.insert(keyword.name, value.to_owned());
        }
    }
    if environment.variable("PGREQUIRESSL") == Some("1") {
        settings
            .entry("sslmode")
            .or_insert_with(|| "require".to_owned());
    }
}

fn fill_defaults(settings: &mut Settings, environment: &Environment) -> Result<(), AddressError> {
    if value(settings, "sslrootcert") == Some("system") && !settings.contains_key("sslmode") {
        settings.insert("sslmode", "verify-full".to_owned());
    }
    let user = match (value(settings, "user"), &environment.os_user) {
        (Some(user), _) => user.to_owned(),
        (None, Some(user)) => user.clone(),
        (None, None) => return Err(AddressError::NoUser),
    };
    if value(settings, "dbname").is_none() {
        settings.insert("dbname", user.clone());
    }
    settings.insert("user", user);
    // Written down, because another libpq may have another default.
    if value(settings, "host").is_none() && value(settings, "hostaddr").is_none() {
        settings.insert("host", environment.socket_folder().to_owned());
    }
    Ok(())
}

impl Choices {
    fn of(settings: &Settings) -> Result<Self, AddressError> {
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
