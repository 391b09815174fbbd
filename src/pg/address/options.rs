//! Connection options with a fixed choice of values.

use super::error::AddressError;
use super::keyword::Settings;

/// `settings[keyword]`, where an empty value is as good as none.
pub(super) fn value<'a>(settings: &'a Settings, keyword: &str) -> Option<&'a str> {
    settings
        .get(keyword)
        .map(String::as_str)
        .filter(|value| !value.is_empty())
}

/// An enum whose variants are written as one word each.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident for $keyword:literal, default $default:ident {
        $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// As it is written.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }

            /// The one that `settings` asks for, or the default.
            pub(super) fn of(settings: &Settings) -> Result<Self, AddressError> {
                match value(settings, $keyword) {
                    None => Ok($name::$default),
                    $(Some($word) => Ok($name::$variant),)+
                    Some(other) => Err(AddressError::BadValue {
                        keyword: $keyword,
                        value: other.to_owned(),
                        allowed: [$($word),+].join(", "),
                    }),
                }
            }
        }
    };
}

choice! {
    /// Whether and how strictly the connection is encrypted, weakest first.
    SslMode for "sslmode", default Prefer {
        /// Never.
        Disable = "disable",
        /// Only if the server refuses an unencrypted one.
        Allow = "allow",
        /// If the server can.
        Prefer = "prefer",
        /// Always, without a look at the certificate unless there is a root certificate.
        Require = "require",
        /// Always, with a certificate signed by a known authority.
        VerifyCa = "verify-ca",
        /// As before, and the certificate must carry the host's name.
        VerifyFull = "verify-full",
    }
}

choice! {
    /// How the two sides agree on TLS.
    SslNegotiation for "sslnegotiation", default Postgres {
        /// By an SSLRequest first.
        Postgres = "postgres",
        /// At once; servers since 17.
        Direct = "direct",
    }
}

choice! {
    /// Whether SCRAM must be bound to the TLS connection.
    ChannelBindingMode for "channel_binding", default Prefer {
        /// Not bound.
        Disable = "disable",
        /// If both sides can.
        Prefer = "prefer",
        /// Or the login fails.
        Require = "require",
    }
}

choice! {
    /// Which of several servers will do.
    TargetSessionAttrs for "target_session_attrs", default Any {
        /// The first that lets us in.
        Any = "any",
        /// One that accepts writes by default.
        ReadWrite = "read-write",
        /// One that does not.
        ReadOnly = "read-only",
        /// One that is not in recovery.
        Primary = "primary",
        /// One that is.
        Standby = "standby",
        /// A standby if there is any, else any.
        PreferStandby = "prefer-standby",
    }
}

choice! {
    /// Whether hosts and their addresses are tried in order.
    LoadBalance for "load_balance_hosts", default Disable {
        /// In order.
        Disable = "disable",
        /// Shuffled.
        Random = "random",
    }
}

choice! {
    /// Whether a client certificate is sent.
    CertMode for "sslcertmode", default Allow {
        /// Never.
        Disable = "disable",
        /// If there is one.
        Allow = "allow",
        /// The server must ask for one, so there must be one.
        Require = "require",
    }
}

/// A version of TLS, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsVersion {
    /// 1.0.
    V10,
    /// 1.1.
    V11,
    /// 1.2.
    V12,
    /// 1.3.
    V13,
}

impl TlsVersion {
    /// The value of `keyword`, in any case; none if not given.
    pub(super) fn of(
        settings: &Settings,
        keyword: &'static str,
    ) -> Result<Option<Self>, AddressError> {
        let Some(text) = value(settings, keyword) else {
            return Ok(None);
        };
        let version = match text.to_ascii_lowercase().as_str() {
            "tlsv1" => TlsVersion::V10,
            "tlsv1.1" => TlsVersion::V11,
            "tlsv1.2" => TlsVersion::V12,
            "tlsv1.3" => TlsVersion::V13,
            _ => {
                return Err(AddressError::BadValue {
                    keyword,
                    value: text.to_owned(),
                    allowed: "TLSv1, TLSv1.1, TLSv1.2, TLSv1.3".to_owned(),
                });
            }
        };
        Ok(Some(version))
    }
}

choice! {
    /// Whether GSSAPI encryption is wanted; pgflit has none.
    GssEncMode for "gssencmode", default Prefer {
        /// No.
        Disable = "disable",
        /// If possible.
        Prefer = "prefer",
        /// Or the connection fails.
        Require = "require",
    }
}

/// The ways to log in that `require_auth` names, and whether only those or all others may be used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AllowedMethods {
    listed: Vec<String>,
    negated: bool,
}

const METHODS: [&str; 6] = ["password", "md5", "gss", "sspi", "scram-sha-256", "none"];

impl AllowedMethods {
    pub(super) fn of(settings: &Settings) -> Result<Self, AddressError> {
        let Some(text) = value(settings, "require_auth") else {
            return Ok(AllowedMethods {
                listed: Vec::new(),
                negated: true,
            });
        };
        let refuse = |allowed: String| AddressError::BadValue {
            keyword: "require_auth",
            value: text.to_owned(),
            allowed,
        };
        let negated = text.starts_with('!');
        let mut listed = Vec::new();
        for method in text.split(',') {
            let name = method.strip_prefix('!').unwrap_or(method);
            if method.starts_with('!') != negated {
                return Err(refuse(
                    "either \"!\" before every method or before none".to_owned(),
                ));
            }
            if !METHODS.contains(&name) || listed.iter().any(|known| known == name) {
                return Err(refuse(format!("{}, each once", METHODS.join(", "))));
            }
            listed.push(name.to_owned());
        }
        Ok(AllowedMethods { listed, negated })
    }

    /// Whether the server may ask for `method`; `none` stands for asking for nothing.
    pub fn allows(&self, method: &str) -> bool {
        self.listed.iter().any(|listed| listed == method) != self.negated
    }

    /// Whether everything is allowed.
    pub fn is_any(&self) -> bool {
        self.negated && self.listed.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(keyword: &'static str, value: &str) -> Settings {
        Settings::from([(keyword, value.to_owned())])
    }

    #[test]
    fn a_wrong_choice_is_told_the_right_ones() {
        let error = SslMode::of(&settings("sslmode", "on")).expect_err("no such mode");
        assert_eq!(
            error.to_string(),
            "invalid value \"on\" for connection option \"sslmode\": \
             use disable, allow, prefer, require, verify-ca, verify-full"
        );
        assert_eq!(SslMode::of(&settings("sslmode", "")), Ok(SslMode::Prefer));
    }

    #[test]
    fn require_auth_names_or_excludes() {
        let of = |text| AllowedMethods::of(&settings("require_auth", text));
        let only = of("scram-sha-256,md5").expect("methods");
        assert!(only.allows("md5") && !only.allows("password") && !only.allows("none"));
        let not = of("!password,!none").expect("methods");
        assert!(not.allows("md5") && !not.allows("password") && !not.allows("none"));
        assert!(of("md5,!password").is_err());
        assert!(of("md5,md5").is_err());
        assert!(of("kerberos").is_err());
        assert!(of("").expect("methods").is_any());
    }
}
