//! What all sessions of a proxy share.

use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};

use openssl::error::ErrorStack;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::admin::login::rights;
use super::auth::{Failures, Policy, SaltKey};
use super::client_tls::ClientTls;
use super::config::admin::is_console_in_proxy;
use super::config::{Changes, Config};
use super::control::Facts;
use super::lookup::Lookup;
use super::mirror::Mirror;
use super::notice::Refusal;
use super::pause::Pauses;
use super::registry::Registry;
use super::siblings::Siblings;
use super::statistics::period::Periods;
use super::switch::Promises;
use crate::wire::startup::Startup;

/// What is in force for sessions that begin now. Each keeps what was in force when it began.
#[derive(Debug)]
pub struct Settings {
    /// What was read.
    pub config: Config,
    /// What is shown to clients that ask for TLS; none refuses it.
    pub tls: Option<ClientTls>,
    /// What SCRAM binds to on encrypted connections.
    pub end_point: Option<Vec<u8>>,
    /// Who may log in, and how.
    pub policy: Policy,
    /// Who is sent what clients say.
    pub mirrors: Vec<Arc<Mirror>>,
    /// The same for the console.
    pub admin_policy: Policy,
    /// Where other users are looked up; none if there are no others.
    pub lookup: Option<Lookup>,
}

impl Settings {
    /// `before` is what was in force: mirrors of the same name go on counting.
    fn new(config: Config, salts: SaltKey, before: &[Arc<Mirror>]) -> Result<Self, ErrorStack> {
        let mirrors = config.mirrors.iter().map(|told| {
            let same = before.iter().find(|mirror| mirror.config.name == told.name);
            Arc::new(match same {
                Some(mirror) => mirror.reloaded(told.clone()),
                None => Mirror::new(told.clone()),
            })
        });
        let tls = config.tls.as_ref();
        Ok(Settings {
            end_point: tls.and_then(|tls| tls.end_point()),
            tls: tls.map(ClientTls::new).transpose()?,
            policy: Policy::new(&config, salts.clone()),
            admin_policy: Policy::new(&config, salts).for_console(),
            mirrors: mirrors.collect(),
            lookup: config.auth_query.as_ref().map(Lookup::new),
            config,
        })
    }
}

/// The proxy as its sessions see it.
#[derive(Debug)]
pub struct Service {
    settings: RwLock<Arc<Settings>>,
    salts: SaltKey,
    /// Who is connected.
    pub registry: Arc<Registry>,
    /// Who is held back.
    pub pauses: Arc<Pauses>,
    /// Which attempt to move traffic is waited for.
    pub promises: Promises,
    /// What they did lately.
    pub periods: Periods,
    /// Who has failed to log in.
    pub failures: Failures,
    /// What the console is served from, once the proxy runs.
    pub console: OnceLock<Weak<Facts>>,
    /// The other processes of this proxy; none where there can be none.
    pub siblings: Option<Siblings>,
    /// One more holder for each connection.
    presence: Arc<()>,
    /// Held by whoever asks sessions what they hold.
    pub(super) surveying: tokio::sync::Mutex<()>,
    slots: Option<Arc<Semaphore>>,
    unauthenticated: Arc<Semaphore>,
}

impl Service {
    /// With nobody connected.
    ///
    /// # Errors
    /// OpenSSL's, of the certificate.
    pub fn new(config: Config) -> Result<Self, ErrorStack> {
        let limits = config.limits;
        let salts = SaltKey::random();
        let slots = limits.max_server_connections.map(semaphore);
        let registry = Arc::new(Registry::default());
        registry.configure(names(&config));
        Ok(Service {
            slots: slots.map(Arc::new),
            unauthenticated: Arc::new(semaphore(limits.max_unauthenticated_connections)),
            pauses: Pauses::new(Arc::clone(&registry)),
            promises: Promises::default(),
            periods: Periods::default(),
            registry,
            failures: Failures::default(),
            console: OnceLock::new(),
            siblings: None,
            presence: Arc::default(),
            surveying: tokio::sync::Mutex::default(),
            settings: RwLock::new(Arc::new(Settings::new(config, salts.clone(), &[])?)),
            salts,
        })
    }

    /// What is in force now.
    pub fn settings(&self) -> Arc<Settings> {
        let settings = self.settings.read();
        Arc::clone(&settings.unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts what was read under way in force, but for what needs a restart; gives the difference.
    ///
    /// # Errors
    /// OpenSSL's, of the certificate; what was in force stays.
    pub fn reload(&self, read: Config) -> Result<Changes, ErrorStack> {
        let running = self.settings();
        let changes = Changes::between(&running.config, &read);
        let config = running.config.reloaded(read);
        let settings = Settings::new(config, self.salts.clone(), &running.mirrors)?;
        self.registry.configure(names(&settings.config));
        let mut in_force = self
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *in_force = Arc::new(settings);
        Ok(changes)
    }

    /// What the console is served from, if this client of the ordinary listener means it: an
    /// administrator, by its own word, who is to show a password next.
    pub fn console_for(&self, settings: &Settings, startup: &Startup) -> Option<Arc<Facts>> {
        let admin = settings.config.admin.as_ref().filter(|one| one.in_proxy)?;
        let text = |bytes| std::str::from_utf8(bytes).ok();
        let is_console = is_console_in_proxy(startup.database().and_then(text)?);
        let is_admin = rights(admin, startup.user().and_then(text)?).is_some();
        let facts = self.console.get().filter(|_| is_console && is_admin);
        facts.and_then(Weak::upgrade)
    }

    /// Counts a connection among those that are there until this is dropped.
    pub fn arrive(&self) -> Arc<()> {
        Arc::clone(&self.presence)
    }

    /// How many connections there are, also those that have not said yet what they want.
    pub fn present(&self) -> usize {
        Arc::strong_count(&self.presence) - 1
    }

    /// A place among those that have not proved who they are; none if there are too many.
    pub fn admit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.unauthenticated).try_acquire_owned().ok()
    }

    /// One of the server connections that may be open, in the order in which they are asked for;
    /// none if they are not counted.
    ///
    /// # Errors
    /// For the client, after the limit.
    pub async fn slot(&self, settings: &Settings) -> Result<Option<OwnedSemaphorePermit>, Refusal> {
        let Some(slots) = &self.slots else {
            return Ok(None);
        };
        let slot = Arc::clone(slots).acquire_owned();
        match tokio::time::timeout(settings.config.limits.server_wait_limit, slot).await {
            Ok(Ok(slot)) => Ok(Some(slot)),
            Ok(Err(_)) | Err(_) => Err(Refusal::new(
                "53300",
                "all server connections of the proxy are in use",
            )),
        }
    }
}

/// What clients may ask for by name.
fn names(config: &Config) -> impl Iterator<Item = &str> {
    config
        .databases
        .iter()
        .map(|database| database.name.as_str())
}

/// More than can be counted is as good as everything.
fn semaphore(permits: u32) -> Semaphore {
    let permits = usize::try_from(permits).unwrap_or(usize::MAX);
    Semaphore::new(permits.min(Semaphore::MAX_PERMITS))
}
