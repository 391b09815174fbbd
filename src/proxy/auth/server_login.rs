//! The proxy's login at a server, as the client's role: each request in, the answer out. No I/O.

use bytes::BytesMut;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, ScramSha256};
use postgres_protocol::message::frontend;

use super::exchange::Credential;
use super::policy::md5_answer;
use crate::pg::Address;
use crate::pg::address::ChannelBindingMode;
use crate::wire::scram::{Gs2Flag, KeyLogin, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ServerFirst};

/// How often a server may have a password hashed: a second's work. PostgreSQL's default is 4096.
const ITERATIONS_MAX: u32 = 1_000_000;

/// Why a login at a server goes no further. For the log: clients are told less.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ServerLoginError(String);

/// What a request of the server's is answered with.
#[derive(Debug)]
pub enum Answer {
    /// Send this.
    Send(BytesMut),
    /// Nothing is to be sent.
    Wait,
    /// The server lets us in.
    Done,
}

/// One login at a server.
pub struct ServerLogin<'a> {
    user: &'a str,
    credential: &'a Credential,
    address: &'a Address,
    /// The hash of the server's certificate; none without TLS.
    end_point: Option<Vec<u8>>,
    scram: Option<Proving>,
    /// How it has been shown who we are.
    shown: Shown,
}

/// A SCRAM exchange that has begun.
enum Proving {
    Password(ScramSha256),
    Key(Box<KeyLogin>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Nothing,
    Password,
    /// By SCRAM, and the server has shown that it has the secret.
    Scram,
}

impl<'a> ServerLogin<'a> {
    /// A login as `user` at a server of `address`.
    pub fn new(
        user: &'a str,
        credential: &'a Credential,
        address: &'a Address,
        end_point: Option<Vec<u8>>,
    ) -> Self {
        ServerLogin {
            user,
            credential,
            address,
            end_point,
            scram: None,
            shown: Shown::Nothing,
        }
    }

    /// The answer to the body of an `R`.
    ///
    /// # Errors
    /// A request that cannot be answered with what there is, or must not be.
    pub fn answer(&mut self, body: &[u8]) -> Result<Answer, ServerLoginError> {
        let (code, rest) = body
            .split_first_chunk()
            .ok_or_else(|| problem("the server's authentication request is too short"))?;
        match u32::from_be_bytes(*code) {
            0 => self.let_in(),
            3 => self.password(),
            5 => self.md5(rest),
            10 => self.offered(rest),
            11 => self.challenged(rest),
            12 => self.verified(rest),
            code => Err(problem(format!(
                "the server asks for a kind of login that is not known here ({code})"
            ))),
        }
    }

    fn let_in(&self) -> Result<Answer, ServerLoginError> {
        if self.shown == Shown::Nothing {
            self.allow("none")?;
        }
        let must_bind = self.address.channel_binding() == ChannelBindingMode::Require;
        match self.scram.is_some() && self.shown != Shown::Scram {
            true => Err(problem(
                "the server did not show that it knows the password",
            )),
            false if must_bind && self.shown != Shown::Scram => Err(problem(
                "channel_binding=require, but the server asked for no SCRAM",
            )),
            false => Ok(Answer::Done),
        }
    }

    fn password(&mut self) -> Result<Answer, ServerLoginError> {
        self.allow("password")?;
        match self.credential {
            Credential::Password(password) => self.send_password(password.expose().as_bytes()),
            _ => Err(self.lacks("the password itself")),
        }
    }

    fn md5(&mut self, salt: &[u8]) -> Result<Answer, ServerLoginError> {
        self.allow("md5")?;
        let salt = <[u8; 4]>::try_from(salt)
            .map_err(|_| problem("the server's md5 salt has not four bytes"))?;
        let answer = match self.credential {
            Credential::Password(password) => {
                md5_hash(self.user.as_bytes(), password.expose().as_bytes(), salt)
            }
            Credential::Md5(hash) => md5_answer(hash.expose(), salt),
            Credential::Scram(..) | Credential::Nothing => return Err(self.lacks("md5")),
        };
        self.send_password(answer.as_bytes())
    }

    fn send_password(&mut self, text: &[u8]) -> Result<Answer, ServerLoginError> {
        let mut output = BytesMut::new();
        frontend::password_message(text, &mut output).map_err(problem)?;
        self.shown = Shown::Password;
        Ok(Answer::Send(output))
    }

    fn offered(&mut self, mechanisms: &[u8]) -> Result<Answer, ServerLoginError> {
        self.allow("scram-sha-256")?;
        let mut names = mechanisms.split(|byte| *byte == 0);
        let has = |name: &str| names.clone().any(|offer| offer == name.as_bytes());
        let (has_plus, has_plain) = (has(SCRAM_SHA_256_PLUS), has(SCRAM_SHA_256));
        let wanted = self.address.channel_binding();
        let end_point = match wanted {
            ChannelBindingMode::Disable => None,
            ChannelBindingMode::Prefer | ChannelBindingMode::Require => self.end_point.clone(),
        };
        let (mechanism, flag, hash) = match end_point {
            Some(hash) if has_plus => (SCRAM_SHA_256_PLUS, Gs2Flag::Bound, hash),
            _ if wanted == ChannelBindingMode::Require => {
                return Err(problem(
                    "channel_binding=require, but there is no TLS or the server cannot bind to it",
                ));
            }
            // "We could have": who took the other out of the offer is found out.
            Some(hash) if has_plain => (SCRAM_SHA_256, Gs2Flag::Unrequested, hash),
            None if has_plain => (SCRAM_SHA_256, Gs2Flag::Unsupported, Vec::new()),
            _ => {
                names.by_ref().for_each(drop);
                return Err(problem("the server offers no SCRAM that is known here"));
            }
        };
        let (proving, first) = match self.credential {
            Credential::Password(password) => {
                let binding = match flag {
                    Gs2Flag::Bound => ChannelBinding::tls_server_end_point(hash),
                    Gs2Flag::Unrequested => ChannelBinding::unrequested(),
                    Gs2Flag::Unsupported => ChannelBinding::unsupported(),
                };
                let client = ScramSha256::new(password.expose().as_bytes(), binding);
                let first = client.message().to_vec();
                (Proving::Password(client), first)
            }
            Credential::Scram(secret, key) => {
                let client = KeyLogin::new(secret.clone(), key.clone(), flag, hash);
                let first = client.first().into_bytes();
                (Proving::Key(Box::new(client)), first)
            }
            Credential::Md5(_) | Credential::Nothing => return Err(self.lacks("SCRAM")),
        };
        self.scram = Some(proving);
        let mut output = BytesMut::new();
        frontend::sasl_initial_response(mechanism, &first, &mut output).map_err(problem)?;
        Ok(Answer::Send(output))
    }

    fn challenged(&mut self, data: &[u8]) -> Result<Answer, ServerLoginError> {
        // Before anything is hashed as often as it says.
        let first = ServerFirst::parse(data).map_err(problem)?;
        if first.iterations > ITERATIONS_MAX {
            return Err(problem(format!(
                "the server wants the password hashed {} times; {ITERATIONS_MAX} is the most here",
                first.iterations
            )));
        }
        let mut output = BytesMut::new();
        match &mut self.scram {
            Some(Proving::Password(client)) => {
                client.update(data).map_err(problem)?;
                frontend::sasl_response(client.message(), &mut output).map_err(problem)?;
            }
            Some(Proving::Key(client)) => {
                let last = client.last(data).map_err(problem)?;
                frontend::sasl_response(last.as_bytes(), &mut output).map_err(problem)?;
            }
            None => return Err(problem("the server goes on with what has not begun")),
        }
        Ok(Answer::Send(output))
    }

    fn verified(&mut self, data: &[u8]) -> Result<Answer, ServerLoginError> {
        match &mut self.scram {
            Some(Proving::Password(client)) => client.finish(data).map_err(problem)?,
            Some(Proving::Key(client)) => client.finish(data).map_err(problem)?,
            None => return Err(problem("the server ends what has not begun")),
        }
        self.shown = Shown::Scram;
        Ok(Answer::Wait)
    }

    fn allow(&self, method: &str) -> Result<(), ServerLoginError> {
        match self.address.allowed_methods().allows(method) {
            true => Ok(()),
            false => Err(problem(format!(
                "the server asks for \"{method}\", which require_auth does not allow"
            ))),
        }
    }

    fn lacks(&self, asked: &str) -> ServerLoginError {
        let has = match self.credential {
            Credential::Nothing => "nothing that opens a server",
            Credential::Password(_) => "the password",
            Credential::Md5(_) => "an md5 hash alone",
            Credential::Scram(..) => "a SCRAM key alone",
        };
        problem(format!(
            "the server asks for {asked}, and of this role there is {has}; \
             name its password in [[user]]"
        ))
    }
}

fn problem(text: impl ToString) -> ServerLoginError {
    ServerLoginError(text.to_string())
}
