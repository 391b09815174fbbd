//! A position in the write-ahead log.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A byte position in the source's WAL, printed as PostgreSQL prints it: `16/B374D848`.
///
/// An LSN names a place, never a row: many rows may share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lsn(u64);

/// Text that is not an LSN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an LSN: two hexadecimal numbers with a slash between, such as 0/16B3748")]
pub struct LsnParseError(String);

impl Lsn {
    /// The position before any WAL; PostgreSQL's `InvalidXLogRecPtr`.
    pub const ZERO: Lsn = Lsn(0);

    /// The position at this byte.
    pub const fn new(byte: u64) -> Self {
        Lsn(byte)
    }

    /// The byte this position stands at.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// Whether this is [`Lsn::ZERO`], which stands for "none yet".
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Bytes of WAL from `earlier` to here; 0 if `earlier` is later.
    pub const fn bytes_since(self, earlier: Lsn) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The number of the WAL segment that holds this byte.
    pub const fn wal_segment(self, wal_segment_bytes: u64) -> u64 {
        self.0 / wal_segment_bytes
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

impl FromStr for Lsn {
    type Err = LsnParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || LsnParseError(text.to_owned());
        let half = |digits: &str| {
            let plain = (1..=8).contains(&digits.len())
                && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            plain
                .then(|| u64::from_str_radix(digits, 16).ok())
                .flatten()
                .ok_or_else(error)
        };
        let (high, low) = text.trim().split_once('/').ok_or_else(error)?;
        Ok(Lsn(half(high)? << 32 | half(low)?))
    }
}

impl Serialize for Lsn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lsn {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_and_back_is_the_same_position(byte: u64) {
            prop_assert_eq!(Lsn::new(byte).to_string().parse(), Ok(Lsn::new(byte)));
        }
    }

    #[test]
    fn what_is_not_an_lsn_is_refused() {
        for text in [
            "",
            "zebra",
            "0",
            "/",
            "0/",
            "/0",
            "0/123456789",
            "+1/2",
            "0x1/2",
            "0/ 1",
            "-1/0",
        ] {
            assert!(
                text.parse::<Lsn>().is_err(),
                "{text:?} was taken for an LSN"
            );
        }
    }
}
