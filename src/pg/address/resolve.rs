//! From a connection string and its surroundings to one [`Address`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::choices::{Choices, number};
use super::environment::Environment;
use super::error::AddressError;
use super::hosts::{self, Host};
use super::keyword::{KEYWORDS, Settings};
use super::options::{
    AllowedMethods, CertMode, ChannelBindingMode, LoadBalance, SslMode, SslNegotiation,
    TargetSessionAttrs, TlsVersion, value,
};
use super::{conninfo, service, uri};
use crate::pg::connect::KeptTls;

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
    kept_tls: Option<KeptTls>,
}

/// The settings as they were found, not printed by `Debug` because passwords are among them.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PrivateSettings(pub(super) Settings);

impl std::fmt::Debug for PrivateSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
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
            kept_tls: None,
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

    /// The same, with one more word of `options`, which goes before those that were given.
    pub fn with_option(&self, option: &str) -> Address {
        let mut other = self.clone();
        let given = other.settings.0.entry("options").or_default();
        *given = format!("{option} {given}").trim_end().to_owned();
        other
    }

    /// The same servers and passwords, another database.
    pub fn with_dbname(&self, dbname: &str) -> Address {
        let mut other = self.clone();
        other.dbname = dbname.to_owned();
        other.settings.0.insert("dbname", dbname.to_owned());
        other
    }

    /// The same servers for another role, with the password of `passfile`; without one, of the
    /// password file that is used by default. No other password of this address is kept.
    ///
    /// # Errors
    /// As [`Address::parse`].
    pub fn for_role(
        &self,
        (user, dbname): (&str, &str),
        passfile: Option<&Path>,
        environment: &Environment,
    ) -> Result<Address, AddressError> {
        let mut settings = self.settings.0.clone();
        settings.remove("password");
        settings.insert("user", user.to_owned());
        settings.insert("dbname", dbname.to_owned());
        if let Some(passfile) = passfile {
            settings.insert("passfile", passfile.display().to_string());
        }
        Self::from_settings(settings, environment)
    }

    /// The same, for many connections: certificates, keys and revocation lists are read for the
    /// first of them, and not again. Renewed ones need a new address.
    pub fn keeping_tls(self) -> Address {
        Address {
            kept_tls: Some(KeptTls::default()),
            ..self
        }
    }

    /// What is kept of TLS; none if its files are read for each connection.
    pub(in crate::pg) fn kept_tls(&self) -> Option<&KeptTls> {
        self.kept_tls.as_ref()
    }

    /// The same, at this one of its servers alone.
    pub fn at(&self, host: &Host) -> Address {
        let mut other = self.clone();
        other.hosts = vec![host.clone()];
        other
    }

    /// The same, whatever role the servers have.
    #[must_use]
    pub fn of_any_role(&self) -> Address {
        let mut other = self.clone();
        other.settings.0.remove("target_session_attrs");
        other.choices.target_session_attrs = TargetSessionAttrs::Any;
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
