//! What a client sends before anything else: the manual's "Start-up" and "Cancelling Requests in
//! Progress", and what a server answers when it speaks less than was asked for.
//!
//! These packets have no type byte: four bytes of length that count themselves, four of code.

use bytes::BufMut;

use super::error::WireError;
use super::frame;

/// Bytes of length and code, which every first packet has.
pub const STARTUP_HEADER_BYTES: usize = 8;

/// Bytes of a first packet behind its length: `MAX_STARTUP_PACKET_LENGTH` of PostgreSQL's
/// `src/include/libpq/pqcomm.h`.
const STARTUP_BYTES_MAX: usize = 10_000;

/// Bytes of the secret in a cancel key; 4 before protocol 3.2.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 4..=256;

const SSL_CODE: u32 = code(1234, 5679);
const GSS_CODE: u32 = code(1234, 5680);
const CANCEL_CODE: u32 = code(1234, 5678);

/// Options of the protocol, not of the server, begin so.
const PROTOCOL_OPTION: &str = "_pq_.";

const fn code(major: u32, minor: u32) -> u32 {
    (major << 16) | minor
}

/// A version of the protocol; its major number is always 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProtocolVersion {
    /// 0 since 7.4; 2, with long cancel keys, since 18.
    pub minor: u16,
}

impl ProtocolVersion {
    /// What every server and client speaks.
    pub const V3_0: Self = Self { minor: 0 };
    /// The newest that is known here.
    pub const V3_2: Self = Self { minor: 2 };
}

/// The first thing that a client sends, and up to two times again after an answer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstPacket {
    /// May we speak TLS? The answer is the byte `S` or `N`.
    Ssl,
    /// May we speak GSSAPI? The answer is the byte `G` or `N`.
    Gss,
    /// Cancel what another connection does. No answer.
    Cancel(CancelKey),
    /// A session is wanted.
    Startup(Startup),
}

/// Who may cancel a connection's statement: what BackendKeyData says, and a CancelRequest.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CancelKey {
    /// The server's process.
    pub process: u32,
    /// 4 to 256 bytes.
    secret: Box<[u8]>,
}

/// Whoever reads the secret can cancel: it is not printed.
impl std::fmt::Debug for CancelKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CancelKey({}, ****)", self.process)
    }
}

impl CancelKey {
    /// None if `secret` is shorter or longer than the protocol allows.
    pub fn new(process: u32, secret: &[u8]) -> Option<Self> {
        SECRET_BYTES.contains(&secret.len()).then(|| Self {
            process,
            secret: secret.into(),
        })
    }

    /// The body of a BackendKeyData, or what stands behind the code of a CancelRequest.
    pub fn parse(body: &[u8]) -> Result<Self, WireError> {
        let (process, secret) = body
            .split_first_chunk()
            .ok_or(WireError::Short("cancel key"))?;
        let key = Self::new(u32::from_be_bytes(*process), secret);
        key.ok_or(WireError::Startup("a cancel key of an impossible length"))
    }

    /// Bytes of the secret.
    pub fn secret_bytes(&self) -> usize {
        self.secret.len()
    }

    /// The packet that asks to cancel.
    pub fn cancel_request(&self) -> Vec<u8> {
        packet(CANCEL_CODE, |bytes| self.write(bytes))
    }

    /// The message BackendKeyData.
    pub fn backend_key_data(&self) -> Vec<u8> {
        message(b'K', |bytes| self.write(bytes))
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.put_u32(self.process);
        bytes.put_slice(&self.secret);
    }
}

/// What a client wants to be: a StartupMessage.
///
/// Names and values are bytes as they came: what encoding they are in only the server knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Startup {
    /// The version that is asked for.
    pub version: ProtocolVersion,
    /// In the order in which they came; names may repeat, and the last one counts.
    pub parameters: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Startup {
    /// The value of `name`, if it was given.
    pub fn parameter(&self, name: &str) -> Option<&[u8]> {
        let mut latest_first = self.parameters.iter().rev();
        latest_first
            .find(|(known, _)| known == name.as_bytes())
            .map(|(_, value)| value.as_slice())
    }

    /// The role; a server refuses a session without one.
    pub fn user(&self) -> Option<&[u8]> {
        self.parameter("user").filter(|user| !user.is_empty())
    }

    /// The database, which is called as the role unless something else is said.
    pub fn database(&self) -> Option<&[u8]> {
        let given = self.parameter("database");
        given.filter(|name| !name.is_empty()).or(self.user())
    }

    /// Names of the options that are the protocol's and not the server's.
    pub fn protocol_options(&self) -> impl Iterator<Item = &[u8]> {
        let names = self.parameters.iter().map(|(name, _)| name.as_slice());
        names.filter(|name| name.starts_with(PROTOCOL_OPTION.as_bytes()))
    }

    /// The same as one who knows nothing newer than `newest`, and no option of the protocol, would
    /// ask for it.
    pub fn at_most(&self, newest: ProtocolVersion) -> Startup {
        let parameters = self.parameters.iter();
        let known = |(name, _): &&(Vec<u8>, _)| !name.starts_with(PROTOCOL_OPTION.as_bytes());
        Startup {
            version: self.version.min(newest),
            parameters: parameters.filter(known).cloned().collect(),
        }
    }

    /// What must be answered by one who speaks `spoken` and no option of the protocol; none if that
    /// is what was asked for.
    pub fn negotiation(&self, spoken: ProtocolVersion) -> Option<Negotiation> {
        let unknown: Vec<_> = self.protocol_options().map(<[u8]>::to_vec).collect();
        let differs = spoken < self.version || !unknown.is_empty();
        differs.then_some(Negotiation {
            newest: spoken.min(self.version),
            unknown,
        })
    }

    /// The packet.
    pub fn encode(&self) -> Vec<u8> {
        packet(code(3, self.version.minor.into()), |bytes| {
            for (name, value) in &self.parameters {
                put_cstr(bytes, name);
                put_cstr(bytes, value);
            }
            bytes.put_u8(0);
        })
    }

    fn parse(version: ProtocolVersion, mut body: &[u8]) -> Result<Self, WireError> {
        let mut parameters = Vec::new();
        loop {
            let name = take_cstr(&mut body)?;
            if name.is_empty() {
                break;
            }
            parameters.push((name.to_vec(), take_cstr(&mut body)?.to_vec()));
        }
        match body.is_empty() {
            true => Ok(Self {
                version,
                parameters,
            }),
            false => Err(WireError::Startup("bytes behind the last parameter")),
        }
    }
}

/// NegotiateProtocolVersion: less is spoken than was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiation {
    /// The version that will be spoken.
    pub newest: ProtocolVersion,
    /// Options of the protocol that nobody knows.
    pub unknown: Vec<Vec<u8>>,
}

impl Negotiation {
    /// The message.
    pub fn encode(&self) -> Vec<u8> {
        message(b'v', |bytes| {
            bytes.put_u32(code(3, self.newest.minor.into()));
            // No more of them than fit into 10,000 bytes.
            bytes.put_u32(u32::try_from(self.unknown.len()).unwrap_or(u32::MAX));
            for name in &self.unknown {
                put_cstr(bytes, name);
            }
        })
    }

    /// From the body of the message.
    pub fn parse(body: &[u8]) -> Result<Self, WireError> {
        let short = || WireError::Short("NegotiateProtocolVersion");
        let (version, rest) = body.split_first_chunk().ok_or_else(short)?;
        let (count, mut rest) = rest.split_first_chunk().ok_or_else(short)?;
        // Before 18 the minor number alone.
        let minor = u32::from_be_bytes(*version) & 0xffff;
        let mut unknown = Vec::new();
        for _ in 0..u32::from_be_bytes(*count) {
            unknown.push(take_cstr(&mut rest)?.to_vec());
        }
        Ok(Self {
            newest: ProtocolVersion {
                minor: u16::try_from(minor).unwrap_or(u16::MAX),
            },
            unknown,
        })
    }
}

impl FirstPacket {
    /// The packet at the front of `buffer` and its bytes; none if it is not all there.
    ///
    /// # Errors
    /// A length that no first packet has, a version other than 3, or a body that breaks off.
    pub fn parse(buffer: &[u8]) -> Result<Option<(FirstPacket, usize)>, WireError> {
        let Some(packet_bytes) = packet_bytes(buffer)? else {
            return Ok(None);
        };
        let Some(packet) = buffer.get(..packet_bytes) else {
            return Ok(None);
        };
        let Some((&[_, _, _, _, a, b, c, d], body)) =
            packet.split_first_chunk::<STARTUP_HEADER_BYTES>()
        else {
            return Ok(None);
        };
        let is_bare = |packet| match body.is_empty() {
            true => Ok(packet),
            false => Err(WireError::Startup("bytes behind a request to encrypt")),
        };
        let packet = match u32::from_be_bytes([a, b, c, d]) {
            SSL_CODE => is_bare(FirstPacket::Ssl)?,
            GSS_CODE => is_bare(FirstPacket::Gss)?,
            CANCEL_CODE => FirstPacket::Cancel(CancelKey::parse(body)?),
            code if code >> 16 == 3 => {
                let minor = u16::try_from(code & 0xffff).unwrap_or(u16::MAX);
                FirstPacket::Startup(Startup::parse(ProtocolVersion { minor }, body)?)
            }
            code => {
                return Err(WireError::Version {
                    major: code >> 16,
                    minor: code & 0xffff,
                });
            }
        };
        Ok(Some((packet, packet_bytes)))
    }
}

/// The bytes of the first packet that `buffer` begins with; none before its length is there.
///
/// # Errors
/// A length that no first packet has. It is found as soon as the length is there: nobody has to
/// wait for what a stranger claims to send.
pub fn packet_bytes(buffer: &[u8]) -> Result<Option<usize>, WireError> {
    let Some((length, _)) = buffer.split_first_chunk() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(*length);
    let bytes = usize::try_from(length).unwrap_or(usize::MAX);
    match (STARTUP_HEADER_BYTES..=STARTUP_BYTES_MAX + 4).contains(&bytes) {
        true => Ok(Some(bytes)),
        false => Err(WireError::StartupLength(length)),
    }
}

fn take_cstr<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], WireError> {
    let broken_off = WireError::Startup("a text that does not end");
    let end = memchr::memchr(0, bytes).ok_or(broken_off)?;
    let (text, rest) = bytes.split_at(end);
    *bytes = &rest[1..];
    Ok(text)
}

fn put_cstr(bytes: &mut Vec<u8>, text: &[u8]) {
    bytes.put_slice(text);
    bytes.put_u8(0);
}

fn packet(code: u32, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    bytes.put_u32(code);
    body(&mut bytes);
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    bytes
}

/// A message of type `tag`; its body is bounded by what was read in one piece.
fn message(tag: u8, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = vec![0; frame::HEADER_BYTES];
    body(&mut bytes);
    let length = u32::try_from(bytes.len() - 1).unwrap_or(u32::MAX);
    bytes[0] = tag;
    bytes[1..frame::HEADER_BYTES].copy_from_slice(&length.to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::hostile::nearly;
    use proptest::prelude::*;

    fn startup(minor: u16, parameters: &[(&str, &str)]) -> Startup {
        let bytes = |text: &str| text.as_bytes().to_vec();
        let parameters = parameters.iter();
        Startup {
            version: ProtocolVersion { minor },
            parameters: parameters.map(|(a, b)| (bytes(a), bytes(b))).collect(),
        }
    }

    fn parsed(bytes: &[u8]) -> FirstPacket {
        let (packet, taken) = FirstPacket::parse(bytes).expect("valid").expect("whole");
        assert_eq!(taken, bytes.len());
        packet
    }

    #[test]
    fn requests_to_encrypt_are_the_manuals_numbers() {
        let request = |code: u32| [8_u32.to_be_bytes(), code.to_be_bytes()].concat();
        assert_eq!(parsed(&request(80_877_103)), FirstPacket::Ssl);
        assert_eq!(parsed(&request(80_877_104)), FirstPacket::Gss);
    }

    #[test]
    fn a_cancel_request_has_a_key_of_any_length_the_protocol_allows() {
        for (length, is_fine) in [(3, false), (4, true), (32, true), (256, true), (257, false)] {
            let secret = vec![7; length];
            let key = CancelKey::new(42, &secret);
            assert_eq!(key.is_some(), is_fine, "{length}");
            if let Some(key) = key {
                let request = key.cancel_request();
                assert_eq!(request[4..8], 80_877_102_u32.to_be_bytes());
                assert_eq!(parsed(&request), FirstPacket::Cancel(key.clone()));
                assert_eq!(CancelKey::parse(&key.backend_key_data()[5..]), Ok(key));
            }
        }
        let hostile = packet(CANCEL_CODE, |bytes| bytes.put_slice(&[0; 7]));
        assert!(FirstPacket::parse(&hostile).is_err());
    }

    #[test]
    fn the_database_is_called_as_the_user_unless_said() {
        let one = startup(0, &[("user", "ann"), ("database", "")]);
        assert_eq!(one.database(), Some(&b"ann"[..]));
        let one = startup(0, &[("user", "ann"), ("database", "a"), ("database", "b")]);
        assert_eq!(one.database(), Some(&b"b"[..]));
        assert_eq!(startup(0, &[("user", "")]).user(), None);
    }

    #[test]
    fn impossible_lengths_are_errors_before_anything_else_arrives() {
        for length in [0_u32, 4, 7, 10_005, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
            let found = FirstPacket::parse(&length.to_be_bytes());
            assert_eq!(found, Err(WireError::StartupLength(length)));
        }
        assert_eq!(FirstPacket::parse(&10_004_u32.to_be_bytes()), Ok(None));
    }

    #[test]
    fn other_major_versions_are_named() {
        let found = FirstPacket::parse(&packet(code(2, 0), |bytes| bytes.put_u8(0)));
        assert_eq!(found, Err(WireError::Version { major: 2, minor: 0 }));
    }

    #[test]
    fn a_startup_message_ends_with_its_terminator() {
        let whole = startup(0, &[("user", "ann")]).encode();
        for tail in [&b""[..], b"a", b"a\0", b"\0\0"] {
            let body = [b"user\0ann\0", tail].concat();
            let found = FirstPacket::parse(&packet(code(3, 0), |bytes| bytes.put_slice(&body)));
            assert!(found.is_err(), "{tail:?}");
        }
        assert!(matches!(parsed(&whole), FirstPacket::Startup(_)));
    }

    #[test]
    fn less_than_was_asked_for_is_negotiated() {
        let asked = startup(9, &[("user", "ann"), ("_pq_.zip", "on")]);
        let negotiation = asked.negotiation(ProtocolVersion::V3_2).expect("differs");
        assert_eq!(negotiation.newest, ProtocolVersion::V3_2);
        assert_eq!(negotiation.unknown, [b"_pq_.zip".to_vec()]);
        let parsed = Negotiation::parse(&negotiation.encode()[5..]);
        assert_eq!(parsed, Ok(negotiation));
        let asked = asked.at_most(ProtocolVersion::V3_2);
        assert_eq!(asked, startup(2, &[("user", "ann")]));
        assert_eq!(asked.negotiation(ProtocolVersion::V3_2), None);
        assert!(asked.negotiation(ProtocolVersion::V3_0).is_some());
    }

    /// Those that clients begin with.
    fn packets() -> Vec<Vec<u8>> {
        let coded = |code: u32, rest: &[u8]| {
            let length = u32::try_from(8 + rest.len()).expect("short");
            [&length.to_be_bytes(), &code.to_be_bytes(), rest].concat()
        };
        let parameters = [("user", "ann"), ("database", "app"), ("_pq_.x", "1")];
        vec![
            startup(0, &parameters).encode().to_vec(),
            startup(2, &parameters).encode().to_vec(),
            coded(SSL_CODE, b""),
            coded(GSS_CODE, b""),
            coded(CANCEL_CODE, b"\0\0\0\x07key!"),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_is_read(
            minor in 0_u16..5,
            parameters in proptest::collection::vec(("[^\0]{1,9}", "[^\0]{0,9}"), 0..9),
            cut in 0_usize..200,
        ) {
            let borrowed: Vec<_> = parameters.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            let startup = startup(minor, &borrowed);
            let bytes = startup.encode();
            prop_assert_eq!(parsed(&bytes), FirstPacket::Startup(startup));
            if cut < bytes.len() {
                prop_assert_eq!(FirstPacket::parse(&bytes[..cut]), Ok(None));
            }
        }

        #[test]
        fn hostile_bytes_are_errors_and_not_panics(
            bytes: Vec<u8>, length in 0_u32..64, code: u32, near in nearly(packets()),
        ) {
            if let Ok(Some((_, taken))) = FirstPacket::parse(&near) {
                prop_assert!(taken <= near.len());
            }
            let _ = Negotiation::parse(&near);
            let _ = CancelKey::parse(&near);
            let _ = FirstPacket::parse(&bytes);
            let _ = Negotiation::parse(&bytes);
            let _ = CancelKey::parse(&bytes);
            for code in [code, code & 3, (3 << 16) | (code & 3), SSL_CODE, GSS_CODE, CANCEL_CODE] {
                let head = [length.to_be_bytes(), code.to_be_bytes()].concat();
                let packet = [head, bytes.clone()].concat();
                if let Ok(Some((_, taken))) = FirstPacket::parse(&packet) {
                    prop_assert!(taken <= packet.len());
                }
            }
        }
    }
}
