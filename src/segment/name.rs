//! The name of a segment: that of the source's WAL segment, as `pg_walfile_name` prints it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::Lsn;

/// Timeline, upper half and segment within it: 24 hexadecimal digits. Names sort as positions do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentName {
    timeline: u32,
    high: u32,
    low: u32,
}

impl SegmentName {
    /// The segment of `timeline` that holds `lsn`, in WAL cut into files of `wal_segment_bytes`.
    pub fn holding(lsn: Lsn, timeline: u32, wal_segment_bytes: u64) -> Self {
        let number = lsn.wal_segment(wal_segment_bytes);
        let per_high = (1 << 32) / wal_segment_bytes;
        Self {
            timeline,
            high: (number / per_high) as u32,
            low: (number % per_high) as u32,
        }
    }

    /// The timeline of the source that it was received from.
    pub fn timeline(self) -> u32 {
        self.timeline
    }

    /// The name of the segment after this one.
    pub fn next(self, wal_segment_bytes: u64) -> Self {
        let after = Lsn::new(self.first_lsn(wal_segment_bytes).as_u64() + wal_segment_bytes);
        Self::holding(after, self.timeline, wal_segment_bytes)
    }

    /// The first position in it.
    pub fn first_lsn(self, wal_segment_bytes: u64) -> Lsn {
        Lsn::new((u64::from(self.high) << 32) + u64::from(self.low) * wal_segment_bytes)
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08X}{:08X}{:08X}", self.timeline, self.high, self.low)
    }
}

impl FromStr for SegmentName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !digits {
            return Err(());
        }
        let part = |at: usize| u32::from_str_radix(&text[at..at + 8], 16).map_err(drop);
        Ok(Self {
            timeline: part(0)?,
            high: part(8)?,
            low: part(16)?,
        })
    }
}

impl Serialize for SegmentName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SegmentName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let wrong =
            |()| serde::de::Error::custom("a segment name that is not 24 hexadecimal digits");
        text.parse().map_err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_wal_files() {
        let lsn: Lsn = "16/B374D848".parse().expect("an LSN");
        let name = SegmentName::holding(lsn, 1, 16 << 20);
        assert_eq!(name.to_string(), "0000000100000016000000B3");
        assert_eq!(name.to_string().parse(), Ok(name));
        assert_eq!(
            name.first_lsn(16 << 20),
            "16/B3000000".parse().expect("an LSN")
        );
        assert!(name < SegmentName::holding("16/B4000000".parse().expect("an LSN"), 1, 16 << 20));
        assert!("0000000100000016000000B".parse::<SegmentName>().is_err());
    }
}
