//! The messages of SCRAM, read and written.
//!
//! Each is a run of attributes, `<letter>=<value>`, with commas between them and in a fixed order.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{KEY_BYTES, TLS_SERVER_END_POINT};

/// A longer message is refused before it is looked at: PostgreSQL's `PG_MAX_SASL_MESSAGE_LENGTH`.
pub const SASL_BYTES_MAX: usize = 1024;

/// Bytes of randomness in our half of a nonce, as PostgreSQL's.
const NONCE_BYTES: usize = 18;

/// What is wrong with a message that should be SCRAM's. No byte of it is told: it may hold a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SaslError {
    /// More than [`SASL_BYTES_MAX`] bytes.
    #[error("SCRAM message is longer than {SASL_BYTES_MAX} bytes")]
    TooLong,
    /// Not what RFC 5802 allows.
    #[error("malformed SCRAM message: {0}")]
    Malformed(&'static str),
    /// What RFC 5802 allows and PostgreSQL does not do either.
    #[error("SCRAM message asks for {0}, which is not supported")]
    Unsupported(&'static str),
}

/// What a client says of channel binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gs2Flag {
    /// `n`: it cannot.
    Unsupported,
    /// `y`: it could, and believes that the server cannot.
    Unrequested,
    /// `p=tls-server-end-point`: it does.
    Bound,
}

impl Gs2Flag {
    /// What begins the client's first message, and is repeated in its last.
    pub fn header(self) -> &'static str {
        match self {
            Gs2Flag::Unsupported => "n,,",
            Gs2Flag::Unrequested => "y,,",
            Gs2Flag::Bound => "p=tls-server-end-point,,",
        }
    }

    /// The value of `c` in the client's last message, before its base64.
    pub fn binding_data(self, end_point: &[u8]) -> Vec<u8> {
        let data: &[u8] = match self {
            Gs2Flag::Bound => end_point,
            Gs2Flag::Unsupported | Gs2Flag::Unrequested => &[],
        };
        [self.header().as_bytes(), data].concat()
    }
}

/// A client's first message. The name in it is not kept: the startup packet's counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientFirst<'a> {
    /// What it says of channel binding.
    pub flag: Gs2Flag,
    /// Its half of the nonce.
    pub nonce: &'a str,
    /// The message without the flag: what both sides sign.
    pub bare: &'a str,
}

impl<'a> ClientFirst<'a> {
    /// Reads the message.
    ///
    /// # Errors
    /// What is not as RFC 5802 has it, and authorization names and mandatory extensions.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, SaslError> {
        let text = text(bytes)?;
        let mut words = text.splitn(3, ',');
        let flag = flag(words.next().unwrap_or_default())?;
        match words.next() {
            Some("") => {}
            Some(name) if name.starts_with("a=") => {
                return Err(SaslError::Unsupported("an authorization name"));
            }
            _ => return Err(SaslError::Malformed("no authorization name or comma")),
        }
        let bare = words.next().ok_or(SaslError::Malformed("it ends early"))?;
        if bare.starts_with("m=") {
            return Err(SaslError::Unsupported("a mandatory extension"));
        }
        let mut attributes = Attributes(Some(bare));
        attributes.expect('n', "no name")?;
        let nonce = nonce(attributes.expect('r', "no nonce")?)?;
        attributes.skip_extensions()?;
        Ok(ClientFirst { flag, nonce, bare })
    }
}

fn flag(word: &str) -> Result<Gs2Flag, SaslError> {
    match word {
        "n" => Ok(Gs2Flag::Unsupported),
        "y" => Ok(Gs2Flag::Unrequested),
        _ => match word.strip_prefix("p=") {
            Some(TLS_SERVER_END_POINT) => Ok(Gs2Flag::Bound),
            Some(_) => Err(SaslError::Unsupported("another type of channel binding")),
            None => Err(SaslError::Malformed("unknown channel binding flag")),
        },
    }
}

/// A client's last message.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientFinal<'a> {
    /// The flag and the data that the login is bound to, see [`Gs2Flag::binding_data`].
    pub binding: Vec<u8>,
    /// The nonce of both.
    pub nonce: &'a str,
    /// The message without the proof: what both sides sign.
    pub without_proof: &'a str,
    /// The proof.
    pub proof: [u8; KEY_BYTES],
}

impl<'a> ClientFinal<'a> {
    /// Reads the message.
    ///
    /// # Errors
    /// What is not as RFC 5802 has it.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, SaslError> {
        let text = text(bytes)?;
        let (without_proof, proof) = text
            .rsplit_once(",p=")
            .ok_or(SaslError::Malformed("no proof at its end"))?;
        let mut attributes = Attributes(Some(without_proof));
        let binding = attributes.expect('c', "no channel binding")?;
        let nonce = nonce(attributes.expect('r', "no nonce")?)?;
        attributes.skip_extensions()?;
        Ok(ClientFinal {
            binding: decode(binding, "channel binding is no base64")?,
            nonce,
            without_proof,
            proof: key(proof, "proof is no 32 bytes in base64")?,
        })
    }

    /// The message of what it says before the proof, and the proof.
    pub fn encode(without_proof: &str, proof: &[u8; KEY_BYTES]) -> String {
        format!("{without_proof},p={}", STANDARD.encode(proof))
    }
}

/// A server's first message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFirst<'a> {
    /// The nonce of both.
    pub nonce: &'a str,
    /// The salt of the password.
    pub salt: Vec<u8>,
    /// How often it is hashed.
    pub iterations: u32,
}

impl<'a> ServerFirst<'a> {
    /// Reads the message.
    ///
    /// # Errors
    /// What is not as RFC 5802 has it.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, SaslError> {
        let text = text(bytes)?;
        if text.starts_with("m=") {
            return Err(SaslError::Unsupported("a mandatory extension"));
        }
        let mut attributes = Attributes(Some(text));
        let nonce = nonce(attributes.expect('r', "no nonce")?)?;
        let salt = decode(attributes.expect('s', "no salt")?, "salt is no base64")?;
        let iterations = attributes.expect('i', "no iterations")?;
        attributes.skip_extensions()?;
        match iterations.parse() {
            Ok(iterations) if iterations > 0 => Ok(ServerFirst {
                nonce,
                salt,
                iterations,
            }),
            _ => Err(SaslError::Malformed("iterations are no positive number")),
        }
    }

    /// The message.
    pub fn encode(&self) -> String {
        let salt = STANDARD.encode(&self.salt);
        format!("r={},s={salt},i={}", self.nonce, self.iterations)
    }
}

/// The signature in a server's last message.
///
/// # Errors
/// What is not as RFC 5802 has it, an error that the server names among it.
pub fn server_signature(bytes: &[u8]) -> Result<[u8; KEY_BYTES], SaslError> {
    let mut attributes = Attributes(Some(text(bytes)?));
    let signature = attributes.expect('v', "no signature")?;
    attributes.skip_extensions()?;
    key(signature, "signature is no 32 bytes in base64")
}

/// A server's last message.
pub fn server_final(signature: &[u8; KEY_BYTES]) -> String {
    format!("v={}", STANDARD.encode(signature))
}

/// Our half of a nonce: printable, without commas, never the same again.
pub fn fresh_nonce() -> String {
    STANDARD.encode(rand::random::<[u8; NONCE_BYTES]>())
}

/// What is left of a message.
struct Attributes<'a>(Option<&'a str>);

impl<'a> Attributes<'a> {
    /// The value of the next attribute, which must be `letter`.
    fn expect(&mut self, letter: char, missing: &'static str) -> Result<&'a str, SaslError> {
        match self.next()? {
            Some((found, value)) if found == letter => Ok(value),
            _ => Err(SaslError::Malformed(missing)),
        }
    }

    fn skip_extensions(&mut self) -> Result<(), SaslError> {
        while let Some((letter, _)) = self.next()? {
            if letter == 'm' {
                return Err(SaslError::Unsupported("a mandatory extension"));
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<(char, &'a str)>, SaslError> {
        let Some(left) = self.0 else {
            return Ok(None);
        };
        let (word, rest) = match left.split_once(',') {
            Some((word, rest)) => (word, Some(rest)),
            None => (left, None),
        };
        self.0 = rest;
        let mut characters = word.chars();
        match (characters.next(), characters.next()) {
            (Some(letter), Some('=')) if letter.is_ascii_alphabetic() => {
                Ok(Some((letter, characters.as_str())))
            }
            _ => Err(SaslError::Malformed("an attribute is no letter and value")),
        }
    }
}

fn text(bytes: &[u8]) -> Result<&str, SaslError> {
    if bytes.len() > SASL_BYTES_MAX {
        return Err(SaslError::TooLong);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err(SaslError::Malformed("it is no text")),
    }
}

fn nonce(value: &str) -> Result<&str, SaslError> {
    match !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(value),
        false => Err(SaslError::Malformed("nonce is empty or not printable")),
    }
}

fn decode(value: &str, problem: &'static str) -> Result<Vec<u8>, SaslError> {
    STANDARD
        .decode(value)
        .map_err(|_| SaslError::Malformed(problem))
}

fn key(value: &str, problem: &'static str) -> Result<[u8; KEY_BYTES], SaslError> {
    let bytes = decode(value, problem)?;
    bytes.try_into().map_err(|_| SaslError::Malformed(problem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_first_message_is_read() {
        let first = ClientFirst::parse(b"n,,n=,r=abc").expect("valid");
        let expected = ClientFirst {
            flag: Gs2Flag::Unsupported,
            nonce: "abc",
            bare: "n=,r=abc",
        };
        assert_eq!(first, expected);
        let first = ClientFirst::parse(b"p=tls-server-end-point,,n=me,r=x,z=later").expect("valid");
        assert_eq!((first.flag, first.nonce), (Gs2Flag::Bound, "x"));
    }

    #[test]
    fn what_a_first_message_may_not_be_is_refused() {
        use SaslError::{Malformed, Unsupported};
        for text in [
            "",
            "n",
            "n,",
            "n,,",
            "n,,n=",
            "n,,r=a",
            "n,,n=,r=",
            "n,,n=,r=a b",
            "x,,n=,r=a",
            "n,,n=,r=a,",
            "n,,n=,r=a,1=b",
            "n,,n=,r=a,bb",
            "p=,,n",
            "n,,n=,r=a\0",
            "n,b,n=,r=a",
        ] {
            let refused = ClientFirst::parse(text.as_bytes());
            assert!(
                matches!(refused, Err(Malformed(_) | Unsupported(_))),
                "{text:?}: {refused:?}"
            );
        }
        for text in [
            "n,a=root,n=,r=a",
            "p=tls-unique,,n=,r=a",
            "n,,m=x,n=,r=a",
            "n,,n=,r=a,m=x",
        ] {
            let refused = ClientFirst::parse(text.as_bytes());
            assert!(
                matches!(refused, Err(Unsupported(_))),
                "{text}: {refused:?}"
            );
        }
        let long = format!("n,,n=,r={}", "a".repeat(SASL_BYTES_MAX));
        assert_eq!(ClientFirst::parse(long.as_bytes()), Err(SaslError::TooLong));
    }

    #[test]
    fn a_last_message_ends_with_a_proof_of_its_length() {
        let proof = STANDARD.encode([7; KEY_BYTES]);
        let text = format!("c=biws,r=ab,p={proof}");
        let last = ClientFinal::parse(text.as_bytes()).expect("valid");
        assert_eq!(last.binding, b"n,,");
        assert_eq!((last.nonce, last.without_proof), ("ab", "c=biws,r=ab"));
        assert_eq!(last.proof, [7; KEY_BYTES]);
        for text in [
            format!("c=biws,r=ab,p={proof},x=y"),
            format!("c=biws,r=ab,p={}", STANDARD.encode([7; 31])),
            "c=biws,r=ab".to_owned(),
            format!("r=ab,c=biws,p={proof}"),
            format!("c=b!ws,r=ab,p={proof}"),
            format!("c=biws,r=ab,bad,p={proof}"),
        ] {
            assert!(ClientFinal::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_server_says_how_often_to_hash() {
        let first = ServerFirst::parse(b"r=ab,s=QUJD,i=4096").expect("valid");
        assert_eq!(
            (first.salt.as_slice(), first.iterations),
            (&b"ABC"[..], 4096)
        );
        for text in ["r=ab,s=QUJD,i=0", "r=ab,s=QUJD,i=-1", "r=ab,s=QUJD", "e=no"] {
            assert!(ServerFirst::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    /// Bytes that look like attributes more often than not.
    fn nearly() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            prop::sample::select(vec![
                "n",
                "y",
                "p=tls-server-end-point",
                "p=",
                ",",
                ",,",
                "n=",
                "r=",
                "c=biws",
                "m=x",
                ",p=",
                "s=QUJD",
                "i=4096",
                "v=",
                "a=b",
                "=",
                "\0",
                "AAAA",
            ])
            .prop_map(|text| text.as_bytes().to_vec()),
            prop::collection::vec(any::<u8>(), 0..40),
            Just(STANDARD.encode([1; KEY_BYTES]).into_bytes()),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(crate::base::hostile::at_least(5_000))]

        #[test]
        fn hostile_bytes_are_errors_and_not_panics(bytes in nearly()) {
            if let Ok(first) = ClientFirst::parse(&bytes) {
                prop_assert!(!first.nonce.is_empty() && !first.nonce.contains(','));
            }
            let _ = (ClientFinal::parse(&bytes).is_ok(), ServerFirst::parse(&bytes).is_ok());
            let _ = server_signature(&bytes);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(salt: Vec<u8>, iterations in 1_u32.., signature: [u8; KEY_BYTES]) {
            let nonce = fresh_nonce();
            let first = ServerFirst { nonce: &nonce, salt: salt[..salt.len().min(300)].to_vec(), iterations };
            let text = first.encode();
            prop_assert_eq!(ServerFirst::parse(text.as_bytes()), Ok(first));
            prop_assert_eq!(server_signature(server_final(&signature).as_bytes()), Ok(signature));
        }
    }
}
