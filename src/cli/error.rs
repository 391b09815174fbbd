//! What can be wrong with what was typed.

use std::io;
use std::path::PathBuf;

/// The command line, the environment or the configuration file is wrong; exit code 1.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// clap refused the arguments. The text is whole, usage line and hint included, and holds no
    /// password.
    #[error("{0}")]
    Arguments(String),

    /// An option, a variable or a key of the configuration file has a value it cannot have.
    #[error("{origin}: {reason}")]
    Value {
        /// The option, variable or key, as the user wrote it.
        origin: String,
        /// What is wrong with it and what it may be; no password in it.
        reason: String,
    },

    /// Two things that were asked for exclude each other, or one needs another.
    #[error("{0}")]
    Contradiction(&'static str),

    /// The configuration file cannot be read.
    #[error("reading the configuration file {path}", path = path.display())]
    ConfigUnreadable {
        /// As given by `--config`.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },

    /// The configuration file is not TOML.
    #[error("{path} line {line}: {reason}", path = path.display())]
    ConfigSyntax {
        /// As given by `--config`.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The parser's own words.
        reason: String,
    },

    /// The configuration file sets what is no option.
    #[error(
        "{path} line {line}: \"{key}\" cannot be set here; {}",
        nearest.as_ref().map_or_else(
            || "keys are the long options without dashes".to_owned(),
            |nearest| format!("did you mean \"{nearest}\"?")
        ),
        path = path.display()
    )]
    ConfigKey {
        /// As given by `--config`.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The unknown key.
        key: String,
        /// The valid one that is spelled most like it.
        nearest: Option<String>,
    },
}

impl UsageError {
    /// What to do about it; none where the text holds it already.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            UsageError::Arguments(_) => None,
            UsageError::Value { .. } => Some("correct it, or leave it out for the default"),
            UsageError::Contradiction(_) => Some("leave one of them out, see --help"),
            UsageError::ConfigUnreadable { .. } => {
                Some("name a file that this user may read, or leave --config out")
            }
            UsageError::ConfigSyntax { .. } => {
                Some("the file is TOML: option = value on each line, text in quotes")
            }
            UsageError::ConfigKey { .. } => Some("pgflit clone --help lists the options"),
        }
    }
}
