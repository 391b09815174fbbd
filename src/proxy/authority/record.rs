//! What this machine knows of where traffic goes: `authority.json` in the work directory.
//!
//! | key | is |
//! |---|---|
//! | `serves` | `source` or `target` |
//! | `attempt` | the number of the last attempt that was decided so |
//! | `doubt` | an attempt that is not decided yet, or absent |
//! | `doubt.attempt` | its number |
//! | `doubt.to` | where it would move traffic |
//! | `doubt.at` | the address of the server that decides it, without password |
//! | `doubt.left` | that of the one that traffic would leave, which may be fenced |
//!
//! Replaced as a whole, durably, by whoever moves traffic; without the file, traffic goes to the source.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::{Side, durable_file};

/// A larger file is none of ours.
const BYTES_MAX: usize = 64 * 1024;

/// What is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Where traffic goes, unless the attempt in doubt was decided otherwise.
    pub serves: Side,
    /// The last attempt that was decided.
    pub attempt: u64,
    /// The attempt that is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
}

/// An attempt whose decision this machine does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Doubt {
    /// Its number.
    pub attempt: u64,
    /// Where it would move traffic.
    pub to: Side,
    /// The server that decides, without password.
    pub at: String,
    /// The server that traffic would leave, likewise.
    pub left: String,
}

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It cannot be read or written.
    #[error("using {}, which says where traffic goes", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not of this version, or damaged.
    #[error("{} does not say where traffic goes", path.display())]
    Odd {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl Default for Record {
    fn default() -> Self {
        Record {
            serves: Side::Source,
            attempt: 0,
            doubt: None,
        }
    }
}

impl Record {
    /// Reads it; without a file, traffic goes to the source.
    ///
    /// # Errors
    /// It cannot be read or understood: guessing is not safe then.
    pub fn read(path: &Path) -> Result<Record, RecordError> {
        let failed = |source| RecordError::Io {
            path: path.to_owned(),
            source,
        };
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Record::default()),
            bytes => bytes.map_err(failed)?,
        };
        if bytes.len() > BYTES_MAX {
            return Err(failed(io::ErrorKind::FileTooLarge.into()));
        }
        serde_json::from_slice(&bytes).map_err(|source| RecordError::Odd {
            path: path.to_owned(),
            source,
        })
    }

    /// Replaces it. Durable when this returns.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), RecordError> {
        let odd = |source| RecordError::Odd {
            path: path.to_owned(),
            source,
        };
        let mut text = serde_json::to_vec_pretty(self).map_err(odd)?;
        text.push(b'\n');
        durable_file::replace(path, &text).map_err(|source| RecordError::Io {
            path: path.to_owned(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("authority.json");
        assert_eq!(Record::read(&path).expect("none"), Record::default());
        let record = Record {
            serves: Side::Target,
            attempt: 3,
            doubt: Some(Doubt {
                attempt: 4,
                to: Side::Source,
                at: "host=a".to_owned(),
                left: "host=b".to_owned(),
            }),
        };
        record.write(&path).expect("written");
        assert_eq!(Record::read(&path).expect("read"), record);
        for odd in [
            "",
            "{",
            "{\"serves\":\"both\",\"attempt\":1}",
            "{\"serves\":\"source\",\"attempt\":1,\"more\":1}",
        ] {
            std::fs::write(&path, odd).expect("written");
            assert!(
                matches!(Record::read(&path), Err(RecordError::Odd { .. })),
                "{odd}"
            );
        }
    }
}
