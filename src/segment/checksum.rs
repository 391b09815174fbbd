//! The checksum that a closed segment carries.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Error, failed};

/// A CRC-32 as gzip and zlib have it. It is for disks and hands, not for adversaries: whoever can
/// write the file can write its last line too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crc32(u32);

impl fmt::Display for Crc32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl FromStr for Crc32 {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = digits.then(|| u32::from_str_radix(text, 16).ok());
        number.flatten().map(Self).ok_or(())
    }
}

impl Serialize for Crc32 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Crc32 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let wrong = |()| serde::de::Error::custom("a crc32 that is not 8 hexadecimal digits");
        text.parse().map_err(wrong)
    }
}

/// The checksum of what was given so far.
#[derive(Debug, Clone, Default)]
pub struct Running(crc32fast::Hasher);

impl Running {
    /// That of all bytes of the file at `path`.
    pub fn of(path: &Path) -> Result<Self, Error> {
        let mut running = Self::default();
        let mut block = vec![0; 256 * 1024];
        let mut file = File::open(path).map_err(failed("opening", path))?;
        loop {
            match file.read(&mut block).map_err(failed("reading", path))? {
                0 => return Ok(running),
                read => running.add(&block[..read]),
            }
        }
    }

    /// More bytes follow.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The checksum of all bytes up to here.
    pub fn value(&self) -> Crc32 {
        Crc32(self.0.clone().finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_crc_of_gzip_however_the_bytes_come() {
        let mut running = Running::default();
        for piece in ["1234", "", "56789"] {
            running.add(piece.as_bytes());
        }
        assert_eq!(running.value().to_string(), "cbf43926");
        assert_eq!("cbf43926".parse(), Ok(running.value()));
        assert_eq!(Running::default().value().to_string(), "00000000");
        for text in ["", "cbf4392", "cbf439260", "+bf43926", "zbf43926"] {
            assert!(text.parse::<Crc32>().is_err(), "{text}");
        }
    }
}
