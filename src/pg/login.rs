//! Startup and authentication of our own connections: the manual's "Start-up" message flow.

use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{self, ChannelBinding, ScramSha256};
use postgres_protocol::message::backend::{AuthenticationSaslBody, Message};
use postgres_protocol::message::frontend;

use super::address::{Address, ChannelBindingMode, Host};
use super::error::Error;
use super::link::Link;
use super::server_error::server_error;
use fallible_iterator::FallibleIterator;

/// `require_auth`'s name of an authentication request; none for those that ask for nothing.
pub(super) fn method_name(code: u32) -> Option<&'static str> {
    match code {
        3 => Some("password"),
        5 => Some("md5"),
        7 => Some("gss"),
        9 => Some("sspi"),
        10 => Some("scram-sha-256"),
        _ => None,
    }
}

/// How we have proved who we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// Not at all, or by the client certificate.
    NotAsked,
    /// By a password that is not bound to the connection.
    Password,
    /// By SCRAM, bound to TLS if both sides could.
    Scram,
}

/// One login on one link.
pub(super) struct Handshake<'a> {
    pub(super) link: &'a mut Link,
    pub(super) host: &'a Host,
    pub(super) address: &'a Address,
}

impl Handshake<'_> {
    /// Sends the startup packet with `parameters`, proves who we are, and reads up to the first
    /// ReadyForQuery.
    pub(super) async fn run(mut self, parameters: &[(&str, &str)]) -> Result<(), Error> {
        frontend::startup_message(parameters.iter().copied(), &mut self.link.output)?;
        self.link.flush().await?;
        self.authenticate().await?;
        loop {
            match self.link.next().await? {
                // Newer protocols have longer keys; pgflit cancels by pg_cancel_backend.
                Message::BackendKeyData(_) => {}
                Message::ReadyForQuery(_) => return Ok(()),
                Message::ErrorResponse(body) => return Err(server_error(&body).into()),
                _ => return Err(Error::Protocol("odd message after the login".to_owned())),
            }
        }
    }

    async fn authenticate(&mut self) -> Result<(), Error> {
        let mut proof = Proof::NotAsked;
        loop {
            match self.link.next().await? {
                Message::AuthenticationOk => return self.finish(proof),
                Message::AuthenticationCleartextPassword => {
                    self.allow("password")?;
                    let password = self.password()?.to_owned();
                    self.answer(password.as_bytes()).await?;
                }
                Message::AuthenticationMd5Password(body) => {
                    self.allow("md5")?;
                    let user = self.address.user().as_bytes();
                    let hash = md5_hash(user, self.password()?.as_bytes(), body.salt());
                    self.answer(hash.as_bytes()).await?;
                }
                Message::AuthenticationSasl(body) => {
                    self.allow("scram-sha-256")?;
                    self.scram(&body).await?;
                    proof = Proof::Scram;
                    continue;
                }
                Message::ErrorResponse(body) => return Err(server_error(&body).into()),
                Message::AuthenticationGss | Message::AuthenticationSspi => {
                    return Err(self.failed("the server asks for GSSAPI, which pgflit has not"));
                }
                _ => return Err(self.failed("the server asks for an unknown kind of login")),
            }
            proof = Proof::Password;
        }
    }

    /// Whether the server's AuthenticationOk may be believed after this `proof`.
    fn finish(&self, proof: Proof) -> Result<(), Error> {
        if proof == Proof::NotAsked {
            self.allow("none")?;
        }
        let required = self.address.channel_binding() == ChannelBindingMode::Require;
        match required && proof != Proof::Scram {
            true => Err(self.failed("channel_binding=require, but the server asked for no SCRAM")),
            false => Ok(()),
        }
    }

    async fn scram(&mut self, body: &AuthenticationSaslBody) -> Result<(), Error> {
        let offered: Vec<String> = body
            .mechanisms()
            .map(|name| Ok(name.to_owned()))
            .collect()?;
        let (mechanism, binding) = self.mechanism(&offered)?;
        let mut scram = ScramSha256::new(self.password()?.as_bytes(), binding);
        frontend::sasl_initial_response(mechanism, scram.message(), &mut self.link.output)?;
        self.link.flush().await?;
        match self.link.next().await? {
            Message::AuthenticationSaslContinue(body) => scram.update(body.data()),
            Message::ErrorResponse(body) => return Err(server_error(&body).into()),
            _ => return Err(Error::Protocol("odd answer within SCRAM".to_owned())),
        }
        .map_err(|error| self.failed(&error.to_string()))?;
        frontend::sasl_response(scram.message(), &mut self.link.output)?;
        self.link.flush().await?;
        match self.link.next().await? {
            Message::AuthenticationSaslFinal(body) => scram.finish(body.data()).map_err(|error| {
                self.failed(&format!(
                    "the server does not know the password it checks: {error}"
                ))
            }),
            Message::ErrorResponse(body) => Err(server_error(&body).into()),
            _ => Err(Error::Protocol("odd answer at the end of SCRAM".to_owned())),
        }
    }

    /// Which of the offered mechanisms to use.
    fn mechanism(&self, offered: &[String]) -> Result<(&'static str, ChannelBinding), Error> {
        let has = |name: &str| offered.iter().any(|offer| offer == name);
        let wanted = self.address.channel_binding();
        let end_point = match wanted {
            ChannelBindingMode::Disable => None,
            _ => self.link.stream.channel_binding(),
        };
        match end_point {
            Some(hash) if has(sasl::SCRAM_SHA_256_PLUS) => Ok((
                sasl::SCRAM_SHA_256_PLUS,
                ChannelBinding::tls_server_end_point(hash),
            )),
            _ if wanted == ChannelBindingMode::Require => Err(self.failed(
                "channel_binding=require, but there is no TLS or the server cannot bind to it",
            )),
            // "We could have": a man in the middle who took PLUS out of the offer is found out.
            Some(_) if has(sasl::SCRAM_SHA_256) => {
                Ok((sasl::SCRAM_SHA_256, ChannelBinding::unrequested()))
            }
            None if has(sasl::SCRAM_SHA_256) => {
                Ok((sasl::SCRAM_SHA_256, ChannelBinding::unsupported()))
            }
            _ => Err(self.failed("the server offers no SCRAM mechanism that pgflit knows")),
        }
    }

    async fn answer(&mut self, password: &[u8]) -> Result<(), Error> {
        frontend::password_message(password, &mut self.link.output)?;
        self.link.flush().await
    }

    fn password(&self) -> Result<&str, Error> {
        match &self.host.password {
            Some(password) => Ok(password.expose()),
            None => Err(self.failed("the server asks for a password and none was given")),
        }
    }

    fn allow(&self, method: &str) -> Result<(), Error> {
        match self.address.allowed_methods().allows(method) {
            true => Ok(()),
            false => Err(self.failed(&format!(
                "the server asks for \"{method}\", which require_auth does not allow"
            ))),
        }
    }

    fn failed(&self, problem: &str) -> Error {
        Error::Auth {
            address: self.host.to_string(),
            problem: problem.to_owned(),
        }
    }
}
