//! A client's login: each message in, what to send out, and what comes of it. No I/O.

use bytes::BufMut;
use zeroize::Zeroizing;

use super::policy::{Policy, is_same, md5_answer, md5_of};
use super::scram::{Scram, ScramStep};
use crate::base::Secret;
use crate::proxy::config::Stored;
use crate::proxy::config::rules::{Method, Peer, Place};
use crate::proxy::notice::Refusal;
use crate::wire::frame;
use crate::wire::scram::{ClientKey, ScramSecret};

/// The longest message of a login. Tokens of cloud providers, which stand for passwords, have a
/// few kilobytes.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// A client, before it has shown who it is.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Who it says it is.
    pub user: String,
    /// What it asks for.
    pub database: String,
    /// Where it comes from.
    pub peer: Peer,
    /// The operating system's user that it runs as; none of clients over TCP, and where nobody asks.
    pub os_user: Option<String>,
    /// The common name of its certificate, which is from one of our authorities; none without one.
    pub certificate_name: Option<String>,
    /// What SCRAM can be bound to: the hash of our certificate, if it has seen that.
    pub end_point: Option<Vec<u8>>,
}

/// What a client's login leaves to log in to a server with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// Nothing: the server must not ask.
    Nothing,
    /// The password.
    Password(Secret),
    /// `md5…`: opens servers that ask for md5.
    Md5(Secret),
    /// The key that the client has shown: opens servers that have the same secret.
    Scram(ScramSecret, ClientKey),
}

/// What comes next.
#[derive(Debug)]
pub enum Step {
    /// Send this; one message of the client's is to come.
    Ask(Vec<u8>),
    /// Send this, which may be nothing: the client is who it says.
    Passed(Vec<u8>, Credential),
    /// The server is to find out.
    Passthrough,
    /// Send this, and close.
    Refused(Refusal),
}

/// A login that has begun.
#[derive(Debug)]
pub struct Exchange {
    claim: Claim,
    state: State,
}

#[derive(Debug)]
enum State {
    Scram(Box<Scram>),
    Md5 { salt: [u8; 4] },
    Password,
    Over,
}

impl Exchange {
    /// The first step of a login.
    pub fn begin(claim: Claim, policy: &Policy) -> (Exchange, Step) {
        let rule = policy.rule(&claim.peer, &claim.database, &claim.user);
        let method = rule.map(|rule| rule.method);
        let mut exchange = Exchange {
            claim,
            state: State::Over,
        };
        let step = match method {
            Some(method) => exchange.first(method, policy),
            None => Step::Refused(exchange.no_rule()),
        };
        (exchange, step)
    }

    fn first(&mut self, method: Method, policy: &Policy) -> Step {
        let user = &self.claim.user;
        match method {
            Method::Md5 if policy.is_asked_for_md5(user) => {
                let salt = rand::random();
                self.state = State::Md5 { salt };
                Step::Ask(request(MD5, &salt))
            }
            Method::Scram | Method::Md5 => {
                let (secret, is_known) = policy.scram_secret(user);
                let scram = Scram::new(secret, is_known, self.claim.end_point.take());
                let offer = request(SASL, &scram.offer());
                self.state = State::Scram(Box::new(scram));
                Step::Ask(offer)
            }
            Method::Password if self.is_private() => {
                self.state = State::Password;
                Step::Ask(request(PASSWORD, &[]))
            }
            Method::Password => {
                let refusal = Refusal::new("28000", "this login is for encrypted connections only");
                Step::Refused(refusal.hint("Connect with sslmode=require."))
            }
            Method::Trust => self.passed_as_known(policy),
            Method::Certificate if self.is_certified(policy) => self.passed_as_known(policy),
            Method::Certificate => Step::Refused(Refusal::new(
                "28000",
                format!("certificate authentication failed for user \"{user}\""),
            )),
            Method::Peer if self.claim.os_user.as_ref() == Some(user) => {
                self.passed_as_known(policy)
            }
            Method::Peer => Step::Refused(Refusal::new(
                "28000",
                format!("Peer authentication failed for user \"{user}\""),
            )),
            Method::Passthrough => Step::Passthrough,
            Method::Reject => Step::Refused(self.no_rule()),
        }
    }

    /// Takes in the body of the client's `p`.
    pub fn hear(&mut self, body: &[u8], policy: &Policy) -> Step {
        let user = &self.claim.user;
        match std::mem::replace(&mut self.state, State::Over) {
            State::Scram(mut scram) => match scram.hear(user, body) {
                Ok(ScramStep::Continue(data)) => {
                    self.state = State::Scram(scram);
                    Step::Ask(request(SASL_CONTINUE, data.as_bytes()))
                }
                Ok(ScramStep::Proven(data, key)) => {
                    // A password that is known opens servers with any secret.
                    let credential = match policy.user(user).map(|user| &user.stored) {
                        Some(Stored::Password(known)) => Credential::Password(known.clone()),
                        _ => Credential::Scram(scram.into_secret(), key),
                    };
                    Step::Passed(request(SASL_FINAL, data.as_bytes()), credential)
                }
                Err(refusal) => Step::Refused(refusal),
            },
            State::Md5 { salt } => {
                let (hash, credential) = match policy.user(user).map(|user| &user.stored) {
                    Some(Stored::Password(known)) => (
                        md5_of(user, known.expose()),
                        Credential::Password(known.clone()),
                    ),
                    Some(Stored::Md5(hash)) => (
                        Zeroizing::new(hash.expose().to_owned()),
                        Credential::Md5(hash.clone()),
                    ),
                    _ => return Step::Refused(failed(user)),
                };
                match text(body).is_some_and(|given| is_same(&md5_answer(&hash, salt), given)) {
                    true => Step::Passed(Vec::new(), credential),
                    false => Step::Refused(failed(user)),
                }
            }
            State::Password => match text(body) {
                Some(given) if !given.is_empty() && policy.is_password_of(user, given) => {
                    Step::Passed(Vec::new(), Credential::Password(Secret::new(given)))
                }
                _ => Step::Refused(failed(user)),
            },
            State::Over => Step::Refused(Refusal::protocol("nothing was asked")),
        }
    }

    /// Whether nobody on the way can read what is said.
    fn is_private(&self) -> bool {
        self.claim.peer.is_encrypted || self.claim.peer.place == Place::Local
    }

    /// Whether the client's certificate holds the user's name.
    fn is_certified(&self, policy: &Policy) -> bool {
        let user = &self.claim.user;
        let known = policy.user(user);
        let wanted = known.and_then(|known| known.certificate_name.as_ref());
        let found = self.claim.certificate_name.as_ref();
        found.is_some_and(|found| found == wanted.unwrap_or(user))
    }

    /// The client need not show a password; what is known of it may still open the servers.
    fn passed_as_known(&self, policy: &Policy) -> Step {
        let known = policy.user(&self.claim.user);
        let credential = match known.map(|user| &user.stored) {
            Some(Stored::Password(password)) => Credential::Password(password.clone()),
            Some(Stored::Md5(hash)) => Credential::Md5(hash.clone()),
            // Without a proof there is no key.
            Some(Stored::Scram(_) | Stored::Nothing) | None => Credential::Nothing,
        };
        Step::Passed(Vec::new(), credential)
    }

    fn no_rule(&self) -> Refusal {
        let claim = &self.claim;
        let encrypted = match claim.peer {
            peer if peer.is_encrypted => "SSL encryption",
            Peer {
                place: Place::Local,
                ..
            } => "a local socket",
            _ => "no encryption",
        };
        Refusal::new(
            "28000",
            format!(
                "no rule of the proxy lets user \"{}\" log in to database \"{}\" from here, {encrypted}",
                claim.user, claim.database
            ),
        )
    }
}

const PASSWORD: u32 = 3;
const MD5: u32 = 5;
const SASL: u32 = 10;
const SASL_CONTINUE: u32 = 11;
const SASL_FINAL: u32 = 12;

/// An authentication request, `R`. The codes are those of the manual's "Message Formats".
fn request(code: u32, data: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(9 + data.len());
    // At most a kilobyte.
    let header = frame::header(b'R', 4 + data.len()).unwrap_or([b'R', 0, 0, 0, 8]);
    message.put_slice(&header);
    message.put_u32(code);
    message.put_slice(data);
    message
}

/// The refusal of PostgreSQL's own, whatever was wrong.
pub(super) fn failed(user: &str) -> Refusal {
    let message = format!("password authentication failed for user \"{user}\"");
    Refusal::new("28P01", message)
}

/// The text in a PasswordMessage: up to the zero byte at its end, and none inside.
fn text(body: &[u8]) -> Option<&str> {
    let text = body.strip_suffix(b"\0")?;
    std::str::from_utf8(text)
        .ok()
        .filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests;
