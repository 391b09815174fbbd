//! The server's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS.
//!
//! Follows `src/backend/libpq/auth-scram.c` of PostgreSQL. A login that cannot succeed, because
//! nothing is known of the user, goes through all of it like any other: where it fails tells
//! nothing.

use super::exchange::failed;
use crate::proxy::notice::Refusal;
use crate::wire::scram::message::{fresh_nonce, server_final};
use crate::wire::scram::{
    ClientFinal, ClientFirst, ClientKey, Gs2Flag, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, SaslError,
    ScramSecret, ServerFirst,
};

/// One exchange, between the offer of mechanisms and the proof.
#[derive(Debug)]
pub struct Scram {
    secret: ScramSecret,
    /// Whether a right proof counts. No proof is right for a secret of nobody, but who is refused
    /// anyway must not depend on that.
    is_known: bool,
    /// What can be bound to; none where there is no TLS.
    end_point: Option<Vec<u8>>,
    state: State,
}

#[derive(Debug)]
enum State {
    Offered,
    /// The server's first message was sent.
    Challenged {
        flag: Gs2Flag,
        client_first: String,
        server_first: String,
        nonce: String,
    },
}

/// What comes of a message.
#[derive(Debug)]
pub enum ScramStep {
    /// The body of AuthenticationSASLContinue; one more message is to come.
    Continue(String),
    /// The body of AuthenticationSASLFinal, and the key that was shown.
    Proven(String, ClientKey),
}

impl Scram {
    /// Before anything was said. `end_point` is the hash of our certificate on encrypted
    /// connections.
    pub fn new(secret: ScramSecret, is_known: bool, end_point: Option<Vec<u8>>) -> Self {
        Scram {
            secret,
            is_known,
            end_point,
            state: State::Offered,
        }
    }

    /// The mechanisms that are offered, each with a zero byte behind, and one more at the end.
    pub fn offer(&self) -> Vec<u8> {
        let plus = self.end_point.as_ref().map(|_| SCRAM_SHA_256_PLUS);
        let names = plus.into_iter().chain([SCRAM_SHA_256, ""]);
        names.flat_map(|name| name.bytes().chain([0])).collect()
    }

    /// Takes the client's message in, the body of a `p`.
    ///
    /// # Errors
    /// What the client is told before it is sent away.
    pub fn hear(&mut self, user: &str, body: &[u8]) -> Result<ScramStep, Refusal> {
        match &self.state {
            State::Offered => self.challenge(body),
            State::Challenged { .. } => self.check(user, body),
        }
    }

    fn challenge(&mut self, body: &[u8]) -> Result<ScramStep, Refusal> {
        let (mechanism, data) = initial_response(body).map_err(malformed)?;
        let is_plus = match mechanism {
            SCRAM_SHA_256 => false,
            SCRAM_SHA_256_PLUS if self.end_point.is_some() => true,
            _ => {
                let problem = "client selected an invalid SASL authentication mechanism";
                return Err(Refusal::protocol(problem));
            }
        };
        let first = ClientFirst::parse(data).map_err(malformed)?;
        match first.flag {
            Gs2Flag::Bound if !is_plus => {
                return Err(malformed(SaslError::Malformed(
                    "channel binding without the mechanism for it",
                )));
            }
            Gs2Flag::Unsupported | Gs2Flag::Unrequested if is_plus => {
                return Err(malformed(SaslError::Malformed(
                    "no channel binding with the mechanism for it",
                )));
            }
            // It could, and did not see that we can: someone has taken that out of our offer.
            Gs2Flag::Unrequested if self.end_point.is_some() => {
                let problem = "SCRAM channel binding negotiation error";
                return Err(Refusal::new("28000", problem));
            }
            Gs2Flag::Bound | Gs2Flag::Unsupported | Gs2Flag::Unrequested => {}
        }
        let nonce = format!("{}{}", first.nonce, fresh_nonce());
        let server_first = ServerFirst {
            nonce: &nonce,
            salt: self.secret.salt().to_vec(),
            iterations: self.secret.iterations(),
        }
        .encode();
        self.state = State::Challenged {
            flag: first.flag,
            client_first: first.bare.to_owned(),
            server_first: server_first.clone(),
            nonce,
        };
        Ok(ScramStep::Continue(server_first))
    }

    fn check(&self, user: &str, body: &[u8]) -> Result<ScramStep, Refusal> {
        let State::Challenged {
            flag,
            client_first,
            server_first,
            nonce,
        } = &self.state
        else {
            return Err(Refusal::protocol("SCRAM message out of order"));
        };
        let last = ClientFinal::parse(body).map_err(malformed)?;
        let end_point = self.end_point.as_deref().unwrap_or_default();
        if last.binding != flag.binding_data(end_point) {
            return Err(Refusal::new("28000", "SCRAM channel binding check failed"));
        }
        if last.nonce != nonce {
            return Err(malformed(SaslError::Malformed("nonce is not the server's")));
        }
        let signed: [&[u8]; 5] = [
            client_first.as_bytes(),
            b",",
            server_first.as_bytes(),
            b",",
            last.without_proof.as_bytes(),
        ];
        let key = self.secret.client_key(&last.proof, &signed);
        let key = key.filter(|_| self.is_known).ok_or_else(|| failed(user))?;
        let signature = self.secret.server_signature(&signed);
        Ok(ScramStep::Proven(server_final(&signature), key))
    }

    /// The secret that the proof was checked against.
    pub fn into_secret(self) -> ScramSecret {
        self.secret
    }
}

/// The mechanism and the first message in a SASLInitialResponse.
fn initial_response(body: &[u8]) -> Result<(&str, &[u8]), SaslError> {
    let short = SaslError::Malformed("the first response ends early");
    let end = memchr::memchr(0, body).ok_or(short)?;
    let (name, rest) = body.split_at(end);
    let name = std::str::from_utf8(name).map_err(|_| short)?;
    let (length, data) = rest[1..].split_first_chunk().ok_or(short)?;
    let length = u32::from_be_bytes(*length);
    match u32::try_from(data.len()) == Ok(length) {
        true => Ok((name, data)),
        false => Err(SaslError::Malformed(
            "the first response has another length",
        )),
    }
}

fn malformed(error: SaslError) -> Refusal {
    Refusal::protocol(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::hostile::nearly;
    use postgres_protocol::authentication::sasl::{ChannelBinding, ScramSha256};
    use proptest::prelude::*;

    const HASH: &[u8] = b"hash of our certificate";

    fn secret() -> ScramSecret {
        ScramSecret::of_password("hunter2", b"salt", 2)
    }

    fn initial(mechanism: &str, data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).expect("short").to_be_bytes();
        [mechanism.as_bytes(), b"\0", &length, data].concat()
    }

    /// A login of postgres-protocol's client.
    fn log_in(
        mut server: Scram,
        password: &str,
        mechanism: &str,
        binding: ChannelBinding,
    ) -> Result<ClientKey, Refusal> {
        let mut client = ScramSha256::new(password.as_bytes(), binding);
        let first = server.hear("app", &initial(mechanism, client.message()))?;
        let ScramStep::Continue(challenge) = first else {
            panic!("{first:?} before a proof")
        };
        client.update(challenge.as_bytes()).expect("a challenge");
        match server.hear("app", client.message())? {
            ScramStep::Proven(last, key) => {
                client.finish(last.as_bytes()).expect("our signature");
                Ok(key)
            }
            ScramStep::Continue(more) => panic!("{more} after the proof"),
        }
    }

    fn plain(is_known: bool) -> Scram {
        Scram::new(secret(), is_known, None)
    }

    fn over_tls() -> Scram {
        Scram::new(secret(), true, Some(HASH.to_vec()))
    }

    #[test]
    fn the_right_password_gives_the_key_and_any_other_is_refused() {
        let none = ChannelBinding::unsupported;
        assert!(log_in(plain(true), "hunter2", SCRAM_SHA_256, none()).is_ok());
        for (server, password) in [(plain(true), "hunter3"), (plain(false), "hunter2")] {
            let refusal = log_in(server, password, SCRAM_SHA_256, none()).expect_err("refused");
            assert_eq!(refusal, failed("app"));
        }
    }

    #[test]
    fn binding_is_to_our_certificate_and_cannot_be_bargained_away() {
        let bound = |hash: &[u8]| ChannelBinding::tls_server_end_point(hash.to_vec());
        assert_eq!(over_tls().offer(), b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0");
        assert_eq!(plain(true).offer(), b"SCRAM-SHA-256\0\0");
        assert!(log_in(over_tls(), "hunter2", SCRAM_SHA_256_PLUS, bound(HASH)).is_ok());
        let unable = ChannelBinding::unsupported();
        assert!(log_in(over_tls(), "hunter2", SCRAM_SHA_256, unable).is_ok());
        for (server, mechanism, binding, sqlstate) in [
            (over_tls(), SCRAM_SHA_256_PLUS, bound(b"another"), "28000"),
            (
                over_tls(),
                SCRAM_SHA_256,
                ChannelBinding::unrequested(),
                "28000",
            ),
            (over_tls(), SCRAM_SHA_256, bound(HASH), "08P01"),
            (
                over_tls(),
                SCRAM_SHA_256_PLUS,
                ChannelBinding::unsupported(),
                "08P01",
            ),
            (plain(true), SCRAM_SHA_256_PLUS, bound(HASH), "08P01"),
            (
                plain(true),
                "SCRAM-SHA-1",
                ChannelBinding::unsupported(),
                "08P01",
            ),
        ] {
            let refusal = log_in(server, "hunter2", mechanism, binding).expect_err(mechanism);
            assert_eq!(refusal.sqlstate, sqlstate, "{}", refusal.message);
        }
        // Without TLS on our side, a client that could bind has lost nothing.
        let could = ChannelBinding::unrequested();
        assert!(log_in(plain(true), "hunter2", SCRAM_SHA_256, could).is_ok());
    }

    proptest! {
        #![proptest_config(crate::base::hostile::at_least(2_000))]

        #[test]
        fn hostile_messages_are_refused_and_not_panics(
            first: Vec<u8>, last: Vec<u8>, mechanism in "(SCRAM-SHA-256(-PLUS)?|[A-Z]{0,9})",
            attributes in "[nyp],,n=,r=[a-z]{1,9}", end in "(c=biws,)?(r=[a-z]{0,9})?(,p=[A-Z]{0,44})?",
            near in nearly(vec![initial(SCRAM_SHA_256, b"n,,n=,r=abc"), initial(SCRAM_SHA_256_PLUS, b"y,,n=,r=abc")]),
        ) {
            for mut server in [plain(true), over_tls()] {
                prop_assert!(!matches!(server.hear("app", &near), Ok(ScramStep::Proven(..))));
                prop_assert!(!matches!(server.hear("app", end.as_bytes()), Ok(ScramStep::Proven(..))));
            }
            prop_assert!(plain(true).hear("app", &first).is_err());
            let mut server = plain(true);
            let _ = server.hear("app", &initial(&mechanism, attributes.as_bytes()));
            prop_assert!(!matches!(server.hear("app", &last), Ok(ScramStep::Proven(..))));
            prop_assert!(!matches!(server.hear("app", end.as_bytes()), Ok(ScramStep::Proven(..))));
        }
    }
}
