//! What logins are checked against: the users and rules of one configuration.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::proxy::config::{AuthRule, Config, Method, Stored, User, rules::Peer};
use crate::proxy::lookup::Lookup;
use crate::wire::scram::ScramSecret;
use crate::wire::scram::secret::{ITERATIONS_DEFAULT, SALT_BYTES, hmac};

/// A key that salts are made of: always the same for the same name, never told, and another in each
/// process. It outlives reloads, after which a name has the same salt as before.
#[derive(Clone)]
pub struct SaltKey(Zeroizing<[u8; 32]>);

impl SaltKey {
    /// A new one, at random.
    pub fn random() -> Self {
        SaltKey(Zeroizing::new(rand::random()))
    }

    fn salt(&self, user: &str) -> Vec<u8> {
        let mut salt = hmac(&*self.0, &[b"salt ", user.as_bytes()]).to_vec();
        salt.truncate(SALT_BYTES);
        salt
    }
}

impl std::fmt::Debug for SaltKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("****")
    }
}

/// The users and rules in force.
#[derive(Debug)]
pub struct Policy {
    users: HashMap<String, Known>,
    rules: Arc<[AuthRule]>,
    salts: SaltKey,
    /// What a secret of nobody says, so that it looks like the others.
    iterations: u32,
    /// Whether a user that is not there is asked for md5 where md5 is the method.
    asks_for_md5: bool,
}

#[derive(Debug)]
struct Known {
    user: User,
    /// Of the password, made at the first login: it takes milliseconds.
    of_password: OnceLock<ScramSecret>,
}

impl Policy {
    /// Of a configuration.
    pub fn new(config: &Config, salts: SaltKey) -> Self {
        let secrets = config.users.iter().filter_map(|user| match &user.stored {
            Stored::Scram(secret) => Some(secret.iterations()),
            Stored::Nothing | Stored::Password(_) | Stored::Md5(_) => None,
        });
        let is_md5 = |user: &User| matches!(user.stored, Stored::Password(_) | Stored::Md5(_));
        let users = config.users.iter().map(|user| {
            let known = Known {
                user: user.clone(),
                of_password: OnceLock::new(),
            };
            (user.name.clone(), known)
        });
        Policy {
            iterations: secrets.min().unwrap_or(ITERATIONS_DEFAULT),
            asks_for_md5: config.users.iter().any(is_md5),
            users: users.collect(),
            rules: config.rules.as_slice().into(),
            salts,
        }
    }

    /// The same users where everybody shows a password by SCRAM, whatever the rules for clients are:
    /// one that trusts an application does not make it an administrator.
    #[must_use]
    pub fn for_console(self) -> Self {
        Policy {
            rules: Arc::from([AuthRule::for_all(Method::Scram)]),
            ..self
        }
    }

    /// The same rules for one user that was looked up, or was not found. Who was not found looks
    /// like those that `lookup` has found.
    pub fn of_one(&self, found: Option<User>, lookup: &Lookup) -> Policy {
        let users = found.map(|user| {
            let known = Known {
                user,
                of_password: OnceLock::new(),
            };
            (known.user.name.clone(), known)
        });
        Policy {
            users: users.into_iter().collect(),
            rules: Arc::clone(&self.rules),
            salts: self.salts.clone(),
            iterations: lookup.iterations().unwrap_or(self.iterations),
            asks_for_md5: self.asks_for_md5 || lookup.is_md5(),
        }
    }

    /// The rule for this client.
    pub fn rule(&self, peer: &Peer, database: &str, user: &str) -> Option<&AuthRule> {
        let mut rules = self.rules.iter();
        rules.find(|rule| rule.fits(peer, database, user))
    }

    /// What is known of the user.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.get(name).map(|known| &known.user)
    }

    /// What to check a proof of `user` against, and whether a right one counts.
    pub fn scram_secret(&self, name: &str) -> (ScramSecret, bool) {
        let known = self.users.get(name);
        let secret = known.and_then(|known| match &known.user.stored {
            Stored::Scram(secret) => Some(secret.clone()),
            Stored::Password(password) => {
                let make = || {
                    let salt = self.salts.salt(name);
                    ScramSecret::of_password(password.expose(), &salt, self.iterations)
                };
                Some(known.of_password.get_or_init(make).clone())
            }
            Stored::Nothing | Stored::Md5(_) => None,
        });
        match secret {
            Some(secret) => (secret, true),
            None => (
                ScramSecret::of_nobody(&self.salts.salt(name), self.iterations),
                false,
            ),
        }
    }

    /// Whether `name` is asked for md5 where that is the method, rather than for SCRAM.
    pub fn is_asked_for_md5(&self, name: &str) -> bool {
        match self.user(name).map(|user| &user.stored) {
            Some(Stored::Password(_) | Stored::Md5(_)) => true,
            Some(Stored::Scram(_)) => false,
            Some(Stored::Nothing) | None => self.asks_for_md5,
        }
    }

    /// Whether `password` is that of `name`. About as slow whether there is such a user or not.
    pub fn is_password_of(&self, name: &str, password: &str) -> bool {
        match self.user(name).map(|user| &user.stored) {
            Some(Stored::Password(known)) => is_same(known.expose(), password),
            Some(Stored::Md5(hash)) => {
                let given = md5_of(name, password);
                is_same(hash.expose(), &given)
            }
            Some(Stored::Scram(secret)) => secret.is_of_password(password),
            Some(Stored::Nothing) | None => {
                self.scram_secret(name).0.is_of_password(password);
                false
            }
        }
    }
}

/// What PostgreSQL stores for md5: `md5` and the hash of password and role.
pub(super) fn md5_of(user: &str, password: &str) -> Zeroizing<String> {
    Zeroizing::new(md5_hex(&[password.as_bytes(), user.as_bytes()]))
}

/// The answer to a challenge with `salt` of who has `hash`, as [`md5_of`] makes it.
pub(super) fn md5_answer(hash: &str, salt: [u8; 4]) -> String {
    let digits = hash.strip_prefix("md5").unwrap_or(hash);
    md5_hex(&[digits.as_bytes(), &salt])
}

fn md5_hex(parts: &[&[u8]]) -> String {
    let mut hasher = md5::Md5::new();
    parts
        .iter()
        .for_each(|part| md5::Digest::update(&mut hasher, part));
    let digits = hasher.finalize();
    let digits = digits.iter().map(|byte| format!("{byte:02x}"));
    format!("md5{}", digits.collect::<String>())
}

/// Whether two texts are the same, in a time that does not tell how much of them is.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (Sha256::digest(one), Sha256::digest(other));
    openssl::memcmp::eq(&one, &other)
}

#[cfg(test)]
impl Policy {
    /// Lets everybody log in by `method` alone, whatever the file would need for it.
    pub(super) fn set_method(&mut self, method: &str) {
        let methods = crate::proxy::config::rules::METHODS.iter();
        let found = methods.filter(|(word, _)| *word == method);
        self.rules = found
            .map(|(_, method)| AuthRule::for_all(*method))
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_the_one_of_postgres_client() {
        let salt = [1, 2, 3, 4];
        let expected = postgres_protocol::authentication::md5_hash(b"app", b"hunter2", salt);
        assert_eq!(md5_answer(&md5_of("app", "hunter2"), salt), expected);
    }
}
