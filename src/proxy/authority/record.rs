//! What this machine knows of where traffic goes: `authority.json` in the work directory.
//!
//! | key | is |
//! |---|---|
//! | `serves` | `source` or `target` |
//! | `attempt` | the number of the last attempt that was decided so |
//! | `exchange` | `begun` or `done`: the target is named source in the proxy's configuration; or absent |
//! | `doubt` | an attempt that is not decided yet, or absent |
//! | `doubt.attempt` | its number |
//! | `doubt.to` | where it would move traffic |
//! | `doubt.at` | the address of the server that decides it, without password |
//! | `doubt.left` | that of the one that traffic would leave, which may be fenced |
//!
//! Replaced as a whole, durably, by whoever moves traffic; without the file, traffic goes to the source.
//!
//! # Why a configuration that was written anew sends nobody to the old server
//! A configuration names two servers; after the exchange it names the one that was the target, as its
//! source. What `serves` means depends on which of the two a proxy has read:
//! 1. `exchange: begun` is written. With a target, traffic goes there; without one, to the source, which is
//!    the same server.
//! 2. The configuration is replaced.
//! 3. `exchange: done` is written. A configuration with a target is now an old copy, whose target is right
//!    and whose source is wrong, or one for the next migration, the other way round: it is refused.
//!
//! Without an exchange, a configuration without a target names the old server alone, and is refused, too.

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
    /// Whether the target is named source by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Exchange>,
    /// The attempt that is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
}

/// The proxy's configuration is written anew: what was the target is the source, and there is no target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Exchange {
    /// It may be, or not yet.
    Begun,
    /// It is.
    Done,
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
    /// The configuration names the old server alone.
    #[error(
        "traffic goes to the target, as {} says, and the proxy's configuration names none",
        .0.display()
    )]
    NoTarget(PathBuf),
    /// The configuration is an old one, or for the next migration.
    #[error(
        "traffic has moved for good and its server is named source, as {} says, and this \
         configuration names a target",
        .0.display()
    )]
    Exchanged(PathBuf),
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
            exchange: None,
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

    /// The side that traffic goes to by a configuration with or without a target. `path` is for people.
    ///
    /// # Errors
    /// It is not certain that this is the server that was decided for.
    pub fn side(&self, path: &Path, has_target: bool) -> Result<Side, RecordError> {
        let is_about_target = self.serves == Side::Target || self.doubt.is_some();
        match (self.exchange, has_target) {
            (Some(Exchange::Done), true) => Err(RecordError::Exchanged(path.to_owned())),
            (Some(_), false) => Ok(Side::Source),
            (None, false) if is_about_target => Err(RecordError::NoTarget(path.to_owned())),
            (None | Some(Exchange::Begun), _) => Ok(self.serves),
        }
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
    fn no_configuration_sends_anybody_to_the_old_server() {
        let path = Path::new("authority.json");
        let record = |serves, exchange| Record {
            serves,
            exchange,
            ..Record::default()
        };
        let side = |record: &Record, has_target| record.side(path, has_target).ok();
        let (source, target) = (Some(Side::Source), Some(Side::Target));
        for (exchange, with, without) in [
            (None, target, None),
            (Some(Exchange::Begun), target, source),
            (Some(Exchange::Done), None, source),
        ] {
            let record = record(Side::Target, exchange);
            assert_eq!(side(&record, true), with, "{exchange:?}");
            assert_eq!(side(&record, false), without, "{exchange:?}");
        }
        let before = record(Side::Source, None);
        assert_eq!(
            (side(&before, true), side(&before, false)),
            (source, source)
        );
        let undecided = Record {
            doubt: Some(Doubt {
                attempt: 1,
                to: Side::Target,
                at: String::new(),
                left: String::new(),
            }),
            ..before
        };
        assert_eq!(
            (side(&undecided, true), side(&undecided, false)),
            (source, None)
        );
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("authority.json");
        assert_eq!(Record::read(&path).expect("none"), Record::default());
        let record = Record {
            serves: Side::Target,
            attempt: 3,
            exchange: Some(Exchange::Begun),
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
