//! Users that no file names: looked up where traffic goes when they log in.
//!
//! - [`server`]: sessions to one server, and the query;
//! - [`cache`]: what it has answered, for a while.
//!
//! The query is asked by a role of the proxy's own, never with what a client has shown; the client's
//! name is a parameter, never a part of the text. At most so many queries run at a time, each for so
//! long, and so many answers are kept: strangers make up names. Nobody is told who is known: who is
//! not goes through the same login.

pub mod cache;
pub mod server;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use self::cache::Cache;
use self::server::Server;
use super::config::users::{Stored, User};
use super::config::{AuthQuery, Config};
use crate::base::Side;
use crate::base::cause::chain;
use crate::pg::Error;
use crate::proxy::notice::Refusal;

/// Bytes of a role's name, `NAMEDATALEN - 1` of PostgreSQL: no longer one exists.
const NAME_BYTES_MAX: usize = 63;

/// Somebody cannot be looked up.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The source cannot be asked, or refuses.
    #[error("looking up a user")]
    Server(#[from] Error),
    /// It took too long.
    #[error("looking up a user took longer than auth_query.timeout")]
    TooLong,
    /// The query gives something else.
    #[error("the query of [auth_query] {0}")]
    Query(&'static str),
}

impl LookupError {
    /// What the client is told: that it may try again.
    pub fn refusal(&self) -> Refusal {
        tracing::warn!("{}", chain(self));
        Refusal::new("57P03", "users cannot be looked up now")
    }
}

/// The users of all sources.
#[derive(Debug)]
pub struct Lookup {
    /// Each source once.
    servers: Vec<Arc<Server>>,
    /// Which of them a database is on: before a cutover and after it.
    of_database: Vec<[usize; 2]>,
    cache: Mutex<Cache>,
    /// What the last who was known looked like: who is not known looks the same.
    iterations: AtomicU32,
    is_md5: AtomicBool,
}

impl Lookup {
    /// Nobody has been looked up yet.
    pub fn new(query: &AuthQuery) -> Self {
        let mut addresses = Vec::new();
        let of_database = query.servers.iter().map(|servers| {
            let target = servers.target.as_ref().unwrap_or(&servers.source);
            [&servers.source, target].map(|address| {
                let known = addresses.iter().position(|one| *one == address);
                known.unwrap_or_else(|| {
                    addresses.push(address);
                    addresses.len() - 1
                })
            })
        });
        Lookup {
            of_database: of_database.collect(),
            servers: addresses
                .into_iter()
                .map(|address| Arc::new(Server::new(address.clone(), query)))
                .collect(),
            cache: Mutex::new(Cache::new(query.cache_time)),
            iterations: AtomicU32::new(0),
            is_md5: AtomicBool::new(false),
        }
    }

    /// The role `name` for a client that asks for `database`; none if there is none.
    ///
    /// # Errors
    /// It cannot be found out now.
    pub async fn find(
        &self,
        (config, side): (&Config, Side),
        (database, name): (&str, &str),
    ) -> Result<Option<User>, LookupError> {
        let Some((at, server)) = self.server((config, side), database) else {
            return Ok(None);
        };
        if name.len() > NAME_BYTES_MAX {
            return Ok(None);
        }
        if let Some(found) = self.cache().get(&(at, name.to_owned()), Instant::now()) {
            return Ok(found);
        }
        let found = server.find(name).await?;
        match found.as_ref().map(|user| &user.stored) {
            Some(Stored::Scram(secret)) => {
                self.iterations
                    .store(secret.iterations(), Ordering::Relaxed);
                self.is_md5.store(false, Ordering::Relaxed);
            }
            Some(Stored::Md5(_)) => self.is_md5.store(true, Ordering::Relaxed),
            Some(Stored::Password(_) | Stored::Nothing) | None => {}
        }
        let key = (at, name.to_owned());
        self.cache().put(key, found.clone(), Instant::now());
        Ok(found)
    }

    /// Asks anew for the role `name` when it comes again: its login has failed, maybe because it has
    /// another password by now.
    pub fn forget(&self, (config, side): (&Config, Side), (database, name): (&str, &str)) {
        if let Some((at, _)) = self.server((config, side), database) {
            self.cache().forget(&(at, name.to_owned()));
        }
    }

    /// How often passwords are hashed, as the last secret said; none before any.
    pub fn iterations(&self) -> Option<u32> {
        let seen = self.iterations.load(Ordering::Relaxed);
        (seen > 0).then_some(seen)
    }

    /// Whether the last password was hashed by md5.
    pub fn is_md5(&self) -> bool {
        self.is_md5.load(Ordering::Relaxed)
    }

    fn server(
        &self,
        (config, side): (&Config, Side),
        database: &str,
    ) -> Option<(usize, &Arc<Server>)> {
        let found = config.database(database)?;
        let all = &config.databases;
        let entry = all.iter().position(|one| one.name == found.name)?;
        let [source, target] = *self.of_database.get(entry)?;
        let at = match side {
            Side::Source => source,
            Side::Target => target,
        };
        Some((at, self.servers.get(at)?))
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
