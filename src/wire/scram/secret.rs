//! What a server stores of a password: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::{KEY_BYTES, SCRAM_SHA_256};

/// How often PostgreSQL hashes a password unless told otherwise: `scram_iterations`.
pub const ITERATIONS_DEFAULT: u32 = 4096;

/// Bytes of a salt that PostgreSQL makes.
pub const SALT_BYTES: usize = 16;

/// A longer salt is no salt of PostgreSQL's, and would not fit into a message with the rest.
const SALT_BYTES_MAX: usize = 512;

/// HMAC's block for SHA-256.
const BLOCK_BYTES: usize = 64;

/// A text that is no SCRAM secret. Nothing of the text is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no SCRAM secret: {0}")]
pub struct SecretError(&'static str);

/// A stored SCRAM secret. With it a proof can be checked; a proof cannot be made from it alone.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramSecret {
    iterations: u32,
    salt: Vec<u8>,
    stored_key: [u8; KEY_BYTES],
    server_key: [u8; KEY_BYTES],
}

/// The key that a client has shown to have: with the secret it is as good as the password.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientKey(Zeroizing<[u8; KEY_BYTES]>);

impl ScramSecret {
    /// Reads what `pg_authid.rolpassword` holds.
    ///
    /// # Errors
    /// Says which piece of the text is wrong.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let rest = text
            .trim()
            .strip_prefix(SCRAM_SHA_256)
            .and_then(|rest| rest.strip_prefix('$'))
            .ok_or(SecretError("it does not begin with SCRAM-SHA-256$"))?;
        let (salting, keys) = rest
            .split_once('$')
            .ok_or(SecretError("the keys are missing"))?;
        let (iterations, salt) = salting
            .split_once(':')
            .ok_or(SecretError("the salt is missing"))?;
        let (stored, server) = keys
            .split_once(':')
            .ok_or(SecretError("one of the two keys is missing"))?;
        let iterations = match iterations.parse() {
            Ok(iterations) if iterations > 0 => iterations,
            _ => return Err(SecretError("the iterations are no positive number")),
        };
        let salt = STANDARD
            .decode(salt)
            .ok()
            .filter(|salt| (1..=SALT_BYTES_MAX).contains(&salt.len()))
            .ok_or(SecretError("the salt is no base64 of 1 to 512 bytes"))?;
        Ok(ScramSecret {
            iterations,
            salt,
            stored_key: key(stored)?,
            server_key: key(server)?,
        })
    }

    /// The secret of a password.
    pub fn of_password(password: &str, salt: &[u8], iterations: u32) -> Self {
        let prepared = saslprep(password);
        let salted = Zeroizing::new(salted_password(prepared.as_bytes(), salt, iterations));
        let client_key = Zeroizing::new(hmac(&*salted, &[b"Client Key"]));
        ScramSecret {
            iterations,
            salt: salt.to_vec(),
            stored_key: Sha256::digest(client_key.as_slice()).into(),
            server_key: hmac(&*salted, &[b"Server Key"]),
        }
    }

    /// The secret of nobody, with a salt that tells nothing: no proof fits it.
    pub fn of_nobody(salt: &[u8], iterations: u32) -> Self {
        ScramSecret {
            iterations,
            salt: salt.to_vec(),
            stored_key: rand::random(),
            server_key: rand::random(),
        }
    }

    /// How often the password is hashed.
    pub fn iterations(&self) -> u32 {
        self.iterations
    }

    /// What it is hashed with.
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// The key in a `proof` over the three messages of `signed`, if it is that of this secret.
    pub fn client_key(&self, proof: &[u8; KEY_BYTES], signed: &[&[u8]]) -> Option<ClientKey> {
        let signature = hmac(&self.stored_key, signed);
        let found = ClientKey(Zeroizing::new(exclusive_or(proof, &signature)));
        let hash: [u8; KEY_BYTES] = Sha256::digest(found.0.as_slice()).into();
        openssl::memcmp::eq(&hash, &self.stored_key).then_some(found)
    }

    /// What shows a client that the server has the secret, too.
    pub fn server_signature(&self, signed: &[&[u8]]) -> [u8; KEY_BYTES] {
        hmac(&self.server_key, signed)
    }

    /// The proof that a client with `key` sends.
    pub fn proof(&self, key: &ClientKey, signed: &[&[u8]]) -> [u8; KEY_BYTES] {
        exclusive_or(&key.0, &hmac(&self.stored_key, signed))
    }

    /// Whether `password` is the one that this was made of. As slow as hashing is meant to be.
    pub fn is_of_password(&self, password: &str) -> bool {
        let other = ScramSecret::of_password(password, &self.salt, self.iterations);
        openssl::memcmp::eq(&other.stored_key, &self.stored_key)
    }
}

impl Drop for ScramSecret {
    fn drop(&mut self) {
        self.stored_key.zeroize();
        self.server_key.zeroize();
    }
}

impl fmt::Debug for ScramSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SCRAM-SHA-256$****")
    }
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

/// The password as PostgreSQL hashes it: prepared as RFC 4013 says, or as it is if that cannot be.
pub fn saslprep(password: &str) -> Zeroizing<String> {
    match stringprep::saslprep(password) {
        Ok(prepared) if !prepared.is_empty() => Zeroizing::new(prepared.into_owned()),
        Ok(_) | Err(_) => Zeroizing::new(password.to_owned()),
    }
}

fn key(text: &str) -> Result<[u8; KEY_BYTES], SecretError> {
    let problem = SecretError("a key is no 32 bytes in base64");
    let bytes = STANDARD.decode(text).map_err(|_| problem)?;
    bytes.try_into().map_err(|_| problem)
}

/// HMAC with SHA-256 over `parts`. A key shorter than a block is padded with zeros, a longer one
/// hashed first: RFC 2104.
fn keyed(key: &[u8]) -> Hmac<Sha256> {
    let mut block = Zeroizing::new([0; BLOCK_BYTES]);
    if key.len() > BLOCK_BYTES {
        block[..KEY_BYTES].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    Hmac::new(&(*block).into())
}

/// The signature of `parts`, one after the other, under `key`.
pub fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; KEY_BYTES] {
    let mut mac = keyed(key);
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// `Hi` of RFC 5802: PBKDF2 with one block.
fn salted_password(password: &[u8], salt: &[u8], iterations: u32) -> [u8; KEY_BYTES] {
    let mac = keyed(password);
    let mut last: [u8; KEY_BYTES] = {
        let mut first = mac.clone();
        first.update(salt);
        first.update(&1_u32.to_be_bytes());
        first.finalize().into_bytes().into()
    };
    let mut salted = last;
    for _ in 1..iterations {
        let mut next = mac.clone();
        next.update(&last);
        last = next.finalize().into_bytes().into();
        salted = exclusive_or(&salted, &last);
    }
    salted
}

fn exclusive_or(one: &[u8; KEY_BYTES], other: &[u8; KEY_BYTES]) -> [u8; KEY_BYTES] {
    std::array::from_fn(|at| one[at] ^ other[at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example of RFC 7677, section 3: user "user", password "pencil".
    const SALT: &str = "W22ZaJ0SNY7soEsUEjb6gQ==";
    const SIGNED: &str = "n=user,r=rOprNGfwEbeRWgbNEkqO,\
         r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
         c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const PROOF: &str = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    const SIGNATURE: &str = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

    fn pencil() -> ScramSecret {
        let salt = STANDARD.decode(SALT).expect("base64");
        ScramSecret::of_password("pencil", &salt, 4096)
    }

    #[test]
    fn the_rfcs_example_comes_out() {
        let secret = pencil();
        let proof = key(PROOF).expect("32 bytes");
        let signed = [SIGNED.as_bytes()];
        let client = secret.client_key(&proof, &signed).expect("a right proof");
        assert_eq!(secret.proof(&client, &signed), proof);
        assert_eq!(STANDARD.encode(secret.server_signature(&signed)), SIGNATURE);
        let mut wrong = proof;
        wrong[31] ^= 1;
        assert!(secret.client_key(&wrong, &signed).is_none());
        assert!(secret.is_of_password("pencil") && !secret.is_of_password("pencils"));
    }

    #[test]
    fn a_secret_of_postgres_is_read() {
        let text = postgres_protocol::password::scram_sha_256(b"p\xc2\xaassword");
        let secret = ScramSecret::parse(&text).expect("valid");
        // U+00AA is "a" once it is prepared.
        assert!(secret.is_of_password("password"));
        assert_eq!(format!("{secret:?}"), "SCRAM-SHA-256$****");
    }

    #[test]
    fn a_password_that_cannot_be_prepared_is_taken_as_it_is() {
        for (password, prepared) in [("I\u{ad}X", "IX"), ("\u{7}", "\u{7}"), ("\u{ad}", "\u{ad}")] {
            assert_eq!(saslprep(password).as_str(), prepared);
        }
    }

    #[test]
    fn what_is_no_secret_is_told_without_its_text() {
        for text in [
            "",
            "md5abc",
            "SCRAM-SHA-256",
            "SCRAM-SHA-256$",
            "SCRAM-SHA-256$4096:QUJD",
            "SCRAM-SHA-256$0:QUJD$QUJD:QUJD",
            "SCRAM-SHA-256$4096:QUJD$QUJD:QUJD",
            "SCRAM-SHA-256$4096:$QUJD:QUJD",
            "SCRAM-SHA-256$4096:hunter2!$a:b",
        ] {
            let error = ScramSecret::parse(text).expect_err(text);
            assert!(!error.to_string().contains("hunter2"));
        }
    }

    proptest! {
        #[test]
        fn long_keys_and_short_ones_sign(key: Vec<u8>, text: Vec<u8>) {
            let openssl = openssl::pkey::PKey::hmac(&key).and_then(|key| {
                let sha256 = openssl::hash::MessageDigest::sha256();
                openssl::sign::Signer::new(sha256, &key)?.sign_oneshot_to_vec(&text)
            });
            if let Ok(expected) = openssl {
                prop_assert_eq!(hmac(&key, &[&text]).to_vec(), expected);
            }
        }

        #[test]
        fn hostile_texts_are_errors_and_not_panics(text in "(SCRAM-SHA-256)?[$:A-Z0-9=]{0,90}") {
            let _ = ScramSecret::parse(&text);
        }
    }
}
