//! Logging in to a server with the keys of its own secret.

use super::message::{ClientFinal, Gs2Flag, SaslError, ServerFirst, fresh_nonce, server_signature};
use super::secret::{ClientKey, ScramSecret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Why a login with keys went no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyLoginError {
    /// The server's message is not SCRAM's.
    #[error(transparent)]
    Message(#[from] SaslError),
    /// The server's nonce does not go on from ours: an old answer, or someone in between.
    #[error("the server's nonce does not begin with ours")]
    Nonce,
    /// The secret on the server is another: our keys are of no use there.
    #[error("the server has another SCRAM secret for this role than the one that is known here")]
    OtherSecret,
    /// The server did not show that it has the secret.
    #[error("the server does not know the secret that it checks")]
    Impostor,
}

/// One login with the keys of a secret in place of the password.
#[derive(Debug)]
pub struct KeyLogin {
    secret: ScramSecret,
    key: ClientKey,
    flag: Gs2Flag,
    end_point: Vec<u8>,
    nonce: String,
    /// What both sides sign, once it is complete.
    signed: String,
}

impl KeyLogin {
    /// Begins; `end_point` is the hash of the server's certificate, used if `flag` binds to it.
    pub fn new(secret: ScramSecret, key: ClientKey, flag: Gs2Flag, end_point: Vec<u8>) -> Self {
        KeyLogin {
            secret,
            key,
            flag,
            end_point,
            nonce: fresh_nonce(),
            signed: String::new(),
        }
    }

    /// Our first message.
    pub fn first(&self) -> String {
        format!("{}n=,r={}", self.flag.header(), self.nonce)
    }

    /// Our last message, after the server's first.
    ///
    /// # Errors
    /// A message that is not SCRAM's, or a server with another secret.
    pub fn last(&mut self, server_first: &[u8]) -> Result<String, KeyLoginError> {
        let first = ServerFirst::parse(server_first)?;
        if !first.nonce.starts_with(&self.nonce) || first.nonce.len() == self.nonce.len() {
            return Err(KeyLoginError::Nonce);
        }
        if first.salt != self.secret.salt() || first.iterations != self.secret.iterations() {
            return Err(KeyLoginError::OtherSecret);
        }
        let binding = STANDARD.encode(self.flag.binding_data(&self.end_point));
        let without_proof = format!("c={binding},r={}", first.nonce);
        self.signed = format!(
            "n=,r={},{},{without_proof}",
            self.nonce,
            String::from_utf8_lossy(server_first)
        );
        let proof = self.secret.proof(&self.key, &[self.signed.as_bytes()]);
        Ok(ClientFinal::encode(&without_proof, &proof))
    }

    /// Whether the server's last message shows that it has the secret.
    ///
    /// # Errors
    /// If not, or if it is no such message.
    pub fn finish(&self, server_final: &[u8]) -> Result<(), KeyLoginError> {
        let found = server_signature(server_final)?;
        let expected = self.secret.server_signature(&[self.signed.as_bytes()]);
        match !self.signed.is_empty() && openssl::memcmp::eq(&found, &expected) {
            true => Ok(()),
            false => Err(KeyLoginError::Impostor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::{ClientFirst, server_final};
    use super::*;

    const END_POINT: &[u8] = b"hash of a certificate";

    /// A proof over an exchange, as `secret`'s owner would make it, gives the key.
    fn key_of(secret: &ScramSecret, password: &str) -> ClientKey {
        let mut client = postgres_protocol::authentication::sasl::ScramSha256::new(
            password.as_bytes(),
            postgres_protocol::authentication::sasl::ChannelBinding::unsupported(),
        );
        let first = String::from_utf8(client.message().to_vec()).expect("text");
        let bare = ClientFirst::parse(first.as_bytes())
            .expect("valid")
            .bare
            .to_owned();
        // The nonce may have the same two letters in it.
        let (_, nonce) = bare.split_once("r=").expect("a nonce");
        let nonce = format!("{nonce}more");
        let answer = ServerFirst {
            nonce: &nonce,
            salt: secret.salt().to_vec(),
            iterations: secret.iterations(),
        }
        .encode();
        client.update(answer.as_bytes()).expect("an answer");
        let last = ClientFinal::parse(client.message()).expect("valid");
        let signed = format!("{bare},{answer},{}", last.without_proof);
        secret
            .client_key(&last.proof, &[signed.as_bytes()])
            .expect("a right proof")
    }

    #[test]
    fn a_key_taken_from_a_proof_opens_a_server_with_the_same_secret() {
        let secret = ScramSecret::of_password("hunter2", b"a salt of sixtee", 4096);
        let key = key_of(&secret, "hunter2");
        let mut login = KeyLogin::new(secret.clone(), key, Gs2Flag::Bound, END_POINT.to_vec());
        let first = login.first();
        let bare = ClientFirst::parse(first.as_bytes()).expect("valid").bare;
        let nonce = format!("{}servers", &bare[5..]);
        let answer = ServerFirst {
            nonce: &nonce,
            salt: secret.salt().to_vec(),
            iterations: secret.iterations(),
        }
        .encode();
        let last = login.last(answer.as_bytes()).expect("an answer");
        let last = ClientFinal::parse(last.as_bytes()).expect("valid");
        assert_eq!(last.binding, Gs2Flag::Bound.binding_data(END_POINT));
        let signed = format!("{bare},{answer},{}", last.without_proof);
        let signed = [signed.as_bytes()];
        assert!(secret.client_key(&last.proof, &signed).is_some());
        let signature = secret.server_signature(&signed);
        assert_eq!(login.finish(server_final(&signature).as_bytes()), Ok(()));
        assert_eq!(
            login.finish(server_final(&[0; 32]).as_bytes()),
            Err(KeyLoginError::Impostor)
        );
    }

    #[test]
    fn another_secret_and_another_nonce_end_the_login() {
        let secret = ScramSecret::of_password("a", b"salt", 1);
        let key = key_of(&secret, "a");
        let mut login = KeyLogin::new(secret, key, Gs2Flag::Unsupported, Vec::new());
        let nonce = login.first()[8..].to_owned();
        for (answer, error) in [
            (format!("r={nonce}x,s=QUJD,i=1"), KeyLoginError::OtherSecret),
            (
                format!("r={nonce}x,s=c2FsdA==,i=2"),
                KeyLoginError::OtherSecret,
            ),
            (format!("r={nonce},s=c2FsdA==,i=1"), KeyLoginError::Nonce),
            (format!("r=x{nonce},s=c2FsdA==,i=1"), KeyLoginError::Nonce),
        ] {
            assert_eq!(login.last(answer.as_bytes()), Err(error), "{answer}");
        }
        let unsigned = server_final(&login.secret.server_signature(&[b""]));
        assert_eq!(
            login.finish(unsigned.as_bytes()),
            Err(KeyLoginError::Impostor)
        );
    }
}
