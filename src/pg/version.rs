//! A server's version.

use std::fmt;
use std::str::FromStr;

/// A server's version as `server_version_num` says it: 150018 is 15.18.
///
/// Versions before 10 had three parts, of which the first two are told; they are not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerVersion(pub u32);

/// Text that is not a server's version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a server version such as 15.4 or 17beta2")]
pub struct VersionParseError(String);

impl ServerVersion {
    /// The major version: 15 of 15.18.
    pub const fn major(self) -> u32 {
        self.0 / 10_000
    }

    /// The minor version: 18 of 15.18.
    pub const fn minor(self) -> u32 {
        self.0 % 10_000
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = (self.major(), self.minor());
        match major {
            10.. => write!(f, "{major}.{minor}"),
            _ => write!(f, "{major}.{}", minor / 100),
        }
    }
}

/// Reads the parameter `server_version`: `15.18 (Debian 15.18-0+deb12u1)`, `17beta2`, `9.6.24`.
impl FromStr for ServerVersion {
    type Err = VersionParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = |text: &str| -> Option<(u32, usize)> {
            let end = text
                .find(|character: char| !character.is_ascii_digit())
                .unwrap_or(text.len());
            let number: u32 = text[..end].parse().ok()?;
            (number < 10_000).then_some((number, end))
        };
        let parse = || {
            let (major, end) = digits(text)?;
            let minor = match text[end..].strip_prefix('.') {
                Some(rest) => digits(rest)?.0,
                None => 0,
            };
            // Before 10 the major version had two parts: 9.6 is 90600.
            let minor = if major < 10 { minor * 100 } else { minor };
            Some(ServerVersion(major * 10_000 + minor))
        };
        parse().ok_or_else(|| VersionParseError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_read_as_servers_report_them() {
        for (text, number) in [
            ("15.18 (Debian 15.18-0+deb12u1)", 150_018),
            ("17beta2", 170_000),
            ("18.1", 180_001),
            ("9.6.24", 90_600),
        ] {
            assert_eq!(text.parse(), Ok(ServerVersion(number)), "{text}");
        }
        for text in ["", "x", ".5", "15.", "99999999999.1"] {
            assert!(text.parse::<ServerVersion>().is_err(), "{text:?}");
        }
        assert_eq!(ServerVersion(150_018).to_string(), "15.18");
        assert_eq!(ServerVersion(90_624).to_string(), "9.6");
    }
}
