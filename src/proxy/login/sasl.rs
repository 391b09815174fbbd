//! SCRAM between a client and a server that do not share one TLS connection.
//!
//! Channel binding ties the exchange to the TLS connection that both ends see. With the proxy
//! between them they see two, so it cannot be carried, and it must not be: it is made to find out
//! who stands in the middle. The proxy takes the mechanism with binding out of the server's offer.
//! A client that could have bound then says so (`y` in the first byte of its message), and a server
//! that offered it would take that for an attack, rightly. That case is told beforehand.

use bytes::BufMut;

use crate::wire::WireError;
use crate::wire::frame;

/// The mechanism that is bound to TLS.
const WITH_BINDING: &[u8] = b"SCRAM-SHA-256-PLUS";

/// The body of AuthenticationSASL behind its code, without the mechanisms that bind; none if there
/// was none of them.
pub fn without_binding(mut mechanisms: &[u8]) -> Result<Option<Vec<u8>>, WireError> {
    let mut kept = Vec::with_capacity(mechanisms.len());
    let mut found = false;
    loop {
        let end = memchr::memchr(0, mechanisms).ok_or(WireError::Short("AuthenticationSASL"))?;
        let (name, rest) = mechanisms.split_at(end);
        mechanisms = &rest[1..];
        if name == WITH_BINDING {
            found = true;
            continue;
        }
        kept.extend_from_slice(name);
        kept.push(0);
        if name.is_empty() {
            return Ok(found.then_some(kept));
        }
    }
}

/// AuthenticationSASL with these mechanisms.
pub fn offer(mechanisms: &[u8]) -> Result<Vec<u8>, WireError> {
    let mut message = frame::header(b'R', 4 + mechanisms.len())?.to_vec();
    message.put_u32(10);
    message.extend_from_slice(mechanisms);
    Ok(message)
}

/// Whether the body of a SASLInitialResponse says that the client could bind, and believes that
/// the server cannot: the flag `y` of RFC 5802.
pub fn believes_no_binding(body: &[u8]) -> bool {
    let Some(end) = memchr::memchr(0, body) else {
        return false;
    };
    // Behind the mechanism's name stand four bytes of length.
    body.get(end + 5) == Some(&b'y')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::hostile::nearly;
    use proptest::prelude::*;

    #[test]
    fn the_mechanism_that_binds_is_not_offered_on() {
        let offered = b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0";
        let kept = without_binding(offered).expect("valid");
        assert_eq!(kept.as_deref(), Some(&b"SCRAM-SHA-256\0\0"[..]));
        assert_eq!(without_binding(b"SCRAM-SHA-256\0\0"), Ok(None));
        assert!(without_binding(b"SCRAM-SHA-256\0").is_err());
        let message = offer(b"SCRAM-SHA-256\0\0").expect("fits");
        assert_eq!(message, b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0");
    }

    #[test]
    fn what_a_client_believes_is_read() {
        assert!(believes_no_binding(b"SCRAM-SHA-256\0\0\0\0\x20y,,n=,r=x"));
        assert!(!believes_no_binding(b"SCRAM-SHA-256\0\0\0\0\x20n,,n=,r=x"));
        assert!(!believes_no_binding(b"SCRAM-SHA-256\0\0\0"));
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_errors_and_not_panics(
            bytes: Vec<u8>,
            near in nearly(vec![
                b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0".to_vec(),
                b"SCRAM-SHA-256\0\0\0\0\x09y,,n=,r=x".to_vec(),
            ]),
        ) {
            for bytes in [bytes, near] {
                let _ = without_binding(&bytes);
                let _ = believes_no_binding(&bytes);
            }
        }
    }
}
