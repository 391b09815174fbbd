//! How clients show who they are: `[[auth]]`, read from the top like `pg_hba.conf`.

use std::net::IpAddr;
use std::str::FromStr;

use super::reader::{At, File, Section};
use super::tls::Tls;

/// One way to log in, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthRule {
    /// Where clients come from; nothing for anywhere.
    pub addresses: Vec<Origin>,
    /// What they ask for; nothing for anything.
    pub databases: Vec<String>,
    /// Who they say they are; nothing for anybody.
    pub users: Vec<String>,
    /// Whether the connection is encrypted; none for either.
    pub tls: Option<bool>,
    /// What they must do.
    pub method: Method,
}

/// What a client must do to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// SCRAM-SHA-256, bound to TLS where there is any.
    Scram,
    /// md5; SCRAM for users of whom a SCRAM secret is known.
    Md5,
    /// The password itself, over TLS only.
    Password,
    /// Nothing.
    Trust,
    /// A certificate whose common name is the user's.
    Certificate,
    /// A local socket, whose other end is a process of the operating system's user of that name.
    Peer,
    /// Whatever it does, it may not.
    Reject,
    /// Whatever the server asks for: the login is the server's.
    Passthrough,
}

/// Where clients come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Local sockets.
    Local,
    /// These addresses.
    Network(Network),
}

/// Addresses whose first bits are these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// The bits that do not count are zero.
    address: IpAddr,
    /// How many count.
    bits: u8,
}

/// A client, as far as rules look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Where it is.
    pub place: Place,
    /// Whether it uses TLS.
    pub is_encrypted: bool,
}

/// Where a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On this machine, at the other end of a Unix socket.
    Local,
    /// At this address; none if the operating system does not say. No network holds it then.
    Address(Option<IpAddr>),
}

impl AuthRule {
    /// A rule for everyone.
    pub fn for_all(method: Method) -> Self {
        AuthRule {
            addresses: Vec::new(),
            databases: Vec::new(),
            users: Vec::new(),
            tls: None,
            method,
        }
    }

    /// Whether it is for this client, which asks for `database` as `user`.
    pub fn fits(&self, peer: &Peer, database: &str, user: &str) -> bool {
        let is_in =
            |list: &[String], name: &str| list.is_empty() || list.iter().any(|one| one == name);
        let mut origins = self.addresses.iter();
        is_in(&self.databases, database)
            && is_in(&self.users, user)
            && self.tls.is_none_or(|tls| tls == peer.is_encrypted)
            && (self.addresses.is_empty() || origins.any(|origin| origin.holds(peer.place)))
    }

    fn is_local(&self) -> bool {
        let mut origins = self.addresses.iter();
        !self.addresses.is_empty() && origins.all(|origin| *origin == Origin::Local)
    }
}

impl Origin {
    /// Whether a client at `place` comes from here.
    pub fn holds(&self, place: Place) -> bool {
        match (self, place) {
            (Origin::Local, Place::Local) => true,
            (Origin::Network(network), Place::Address(address)) => network.holds(address),
            (Origin::Local, Place::Address(_)) | (Origin::Network(_), Place::Local) => false,
        }
    }
}

impl FromStr for Origin {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        match text {
            LOCAL => Ok(Origin::Local),
            _ => text.parse().map(Origin::Network),
        }
    }
}

/// The word for local sockets, as in `pg_hba.conf`.
const LOCAL: &str = "local";

impl Network {
    /// Whether a client at `address` comes from here.
    pub fn holds(&self, address: Option<IpAddr>) -> bool {
        let found = address.and_then(|found| masked(found.to_canonical(), self.bits));
        found == Some(self.address)
    }
}

/// A text that is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("takes an address, address/bits with no bits set behind them, or \"local\"")]
pub struct NetworkError;

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().map_err(|_| NetworkError)?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError)?;
        let bits = bits.unwrap_or(width(address));
        // 10.0.0.1/8 was meant for another number of bits, or for one address.
        match masked(address, bits) {
            Some(same) if same == address => Ok(Network { address, bits }),
            _ => Err(NetworkError),
        }
    }
}

/// `address` with all but its first `bits` set to zero; none if it has not that many.
pub fn masked(address: IpAddr, bits: u8) -> Option<IpAddr> {
    let unused = u32::from(width(address).checked_sub(bits)?);
    Some(match address {
        IpAddr::V4(four) => {
            let mask = u32::MAX.checked_shl(unused).unwrap_or(0);
            IpAddr::V4((four.to_bits() & mask).into())
        }
        IpAddr::V6(six) => {
            let mask = u128::MAX.checked_shl(unused).unwrap_or(0);
            IpAddr::V6((six.to_bits() & mask).into())
        }
    })
}

fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The words of `method`.
pub(in crate::proxy) const METHODS: [(&str, Method); 8] = [
    ("scram-sha-256", Method::Scram),
    ("md5", Method::Md5),
    ("password", Method::Password),
    ("trust", Method::Trust),
    ("cert", Method::Certificate),
    ("peer", Method::Peer),
    ("reject", Method::Reject),
    ("passthrough", Method::Passthrough),
];

/// The rules of the file; without any, SCRAM for the users that there are, and the server's own
/// login if there are none.
pub(super) fn read(
    file: &File<'_>,
    tables: Vec<Section<'_>>,
    tls: Option<&Tls>,
    has_users: bool,
) -> Vec<AuthRule> {
    if tables.is_empty() {
        return vec![AuthRule::for_all(match has_users {
            false => Method::Passthrough,
            true => Method::Scram,
        })];
    }
    let rules = tables.into_iter();
    let rules = rules.filter_map(|table| rule(file, table, tls, has_users));
    rules.collect()
}

fn rule(
    file: &File<'_>,
    table: Section<'_>,
    tls: Option<&Tls>,
    has_users: bool,
) -> Option<AuthRule> {
    let method = table.choice("method", &METHODS);
    let addresses = table.texts("address").unwrap_or_default();
    let only_tls = table.boolean("tls");
    let owned = |texts: Option<Vec<At<&str>>>| {
        let texts = texts.unwrap_or_default().into_iter();
        texts.map(|text| text.value.to_owned()).collect()
    };
    let origins = addresses.iter().filter_map(|text| {
        let origin = text.value.parse();
        origin
            .map_err(|error: NetworkError| file.wrong(text, error))
            .ok()
    });
    let mut rule = AuthRule {
        addresses: origins.collect(),
        databases: owned(table.texts("database")),
        users: owned(table.texts("user")),
        tls: only_tls.map(|only| only.value),
        method: Method::Reject,
    };
    let Some(method) = method else {
        table.problem(
            "method",
            "is missing, or wrong: how these clients show who they are",
        );
        table.finish();
        return None;
    };
    table.finish();
    rule.method = method.value;
    if let Some(missing) = missing(&rule, tls, has_users) {
        file.wrong(&method, missing);
    }
    Some(rule)
}

/// What a rule needs that the file does not have.
fn missing(rule: &AuthRule, tls: Option<&Tls>, has_users: bool) -> Option<&'static str> {
    match rule.method {
        Method::Scram | Method::Md5 | Method::Password if !has_users => {
            Some("needs users: [[user]] with a name and where the password is, or [auth_query]")
        }
        Method::Password if rule.is_local() => None,
        Method::Password if tls.is_none() => {
            Some("needs TLS, or everybody on the way reads the password: [tls]")
        }
        Method::Password if rule.tls == Some(false) => {
            Some("is for encrypted connections only: leave tls = false out")
        }
        Method::Certificate if !tls.is_some_and(Tls::asks_for_certificates) => {
            Some("needs the authorities of client certificates: client_ca in [tls]")
        }
        Method::Peer if !rule.is_local() => Some("is for local sockets only: address = \"local\""),
        _ if rule.tls == Some(true) && rule.is_local() => {
            Some("is never reached: tls = true, and local sockets are not encrypted")
        }
        _ if rule.tls == Some(true) && tls.is_none() => {
            Some("is never reached: tls = true, and there is no [tls]")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn holds(network: &str, address: &str) -> bool {
        let network: Network = network.parse().expect("a network");
        network.holds(Some(address.parse().expect("an address")))
    }

    #[test]
    fn a_network_holds_the_addresses_that_begin_like_it() {
        assert!(holds("10.0.0.0/8", "10.255.0.1") && !holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("127.0.0.1", "127.0.0.1") && !holds("127.0.0.1", "127.0.0.2"));
        assert!(holds("0.0.0.0/0", "1.2.3.4") && !holds("0.0.0.0/0", "::1"));
        assert!(holds("::/0", "::1") && holds("fe80::/10", "febf::1"));
        // How a socket for both families tells of a client of the older one.
        assert!(holds("10.0.0.0/8", "::ffff:10.1.2.3"));
        for text in [
            "",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "::/129",
            "host",
            "10.0.0.0/",
            "/8",
            "all",
        ] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError), "{text}");
        }
    }

    #[test]
    fn a_rule_looks_at_everything_it_names() {
        let rule = AuthRule {
            addresses: vec!["10.0.0.0/8".parse().expect("a network")],
            databases: vec!["shop".to_owned()],
            users: vec!["app".to_owned()],
            tls: Some(true),
            method: Method::Trust,
        };
        let peer = Peer {
            place: Place::Address(Some(IpAddr::from([10, 0, 0, 1]))),
            is_encrypted: true,
        };
        assert!(rule.fits(&peer, "shop", "app"));
        assert!(!rule.fits(&peer, "shops", "app") && !rule.fits(&peer, "shop", "App"));
        let plain = Peer {
            is_encrypted: false,
            ..peer
        };
        assert!(!rule.fits(&plain, "shop", "app"));
        let unknown = Peer {
            place: Place::Address(None),
            ..peer
        };
        let local = Peer {
            place: Place::Local,
            is_encrypted: false,
        };
        assert!(!rule.fits(&unknown, "shop", "app") && !rule.fits(&local, "shop", "app"));
        let of_local = AuthRule {
            addresses: vec!["local".parse().expect("an origin")],
            ..AuthRule::for_all(Method::Peer)
        };
        assert!(of_local.fits(&local, "x", "y") && !of_local.fits(&unknown, "x", "y"));
        assert!(AuthRule::for_all(Method::Reject).fits(&local, "x", "y"));
    }

    proptest! {
        #[test]
        fn an_address_is_in_every_network_around_it(address: IpAddr, bits in 0_u8..=128) {
            let bits = bits.min(width(address));
            let network = masked(address, bits).expect("not too many bits");
            let text = format!("{network}/{bits}");
            let canonical = address.to_canonical() == address;
            let parsed: Network = text.parse().expect("a network");
            prop_assert!(!canonical || parsed.holds(Some(address)));
        }
    }
}
