//! What can be wrong with a connection string.

use std::path::PathBuf;

/// An error in a connection string, a `PG*` variable or a service file.
///
/// The text names the keyword or the part, never a password: of malformed strings only the place
/// is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// A word that libpq does not know.
    #[error("unknown connection option \"{keyword}\"")]
    UnknownKeyword {
        /// As it was written.
        keyword: String,
        /// The valid one that is spelled most like it.
        nearest: &'static str,
    },
    /// The string cannot be read.
    #[error("malformed connection string: {0}")]
    Malformed(String),
    /// A known word with an impossible value.
    #[error("invalid value \"{value}\" for connection option \"{keyword}\": use {allowed}")]
    BadValue {
        /// The word.
        keyword: &'static str,
        /// What it was set to.
        value: String,
        /// What it may be set to.
        allowed: String,
    },
    /// Lists of hosts, addresses and ports of different lengths.
    #[error("{found} {keyword} values do not match {hosts} hosts: give one for each")]
    Counts {
        /// `hostaddr` or `port`.
        keyword: &'static str,
        /// How many there are.
        found: usize,
        /// How many hosts there are.
        hosts: usize,
    },
    /// Two words that contradict each other.
    #[error("{0}")]
    Conflict(String),
    /// The named service is in none of the files.
    #[error("definition of service \"{0}\" not found in any service file")]
    NoService(String),
    /// A service file that cannot be used.
    #[error("service file {}{}: {problem}", .path.display(), .line.map(|line| format!(", line {line}")).unwrap_or_default())]
    ServiceFile {
        /// The file.
        path: PathBuf,
        /// Counted from 1; none if the file could not be read at all.
        line: Option<usize>,
        /// What is wrong there.
        problem: String,
    },
    /// Neither the string nor the operating system says who to connect as.
    #[error("no user name given, and this operating-system user has none")]
    NoUser,
}

impl AddressError {
    /// What to do about it, where the text does not say so already.
    pub fn hint(&self) -> Option<String> {
        let advice = match self {
            AddressError::UnknownKeyword { nearest, .. } => {
                return Some(format!("did you mean \"{nearest}\"?"));
            }
            AddressError::BadValue { keyword, .. } => {
                return Some(format!("correct {keyword}, or leave it out"));
            }
            AddressError::Counts { .. } => {
                "write host=a,b port=5432,5433: as many of each, or one port for all"
            }
            AddressError::Conflict(_) => "leave one of the two out",
            AddressError::ServiceFile { .. } => {
                "correct the file, or name another with PGSERVICEFILE"
            }
            AddressError::Malformed(_) => {
                "write postgresql://user@host:port/dbname or host=… port=… dbname=… user=…; in a \
                 URI, write special characters of a password as %XX"
            }
            AddressError::NoService(_) => {
                "services are read from PGSERVICEFILE or ~/.pg_service.conf, then from \
                 PGSYSCONFDIR/pg_service.conf"
            }
            AddressError::NoUser => "name one with user=… or PGUSER",
        };
        Some(advice.to_owned())
    }
}
