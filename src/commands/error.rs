//! How a command fails.

use std::error::Error;
use std::io;

use crate::cli::ExitCode;

/// Why a command ended without its result, how the process ends, and what to do about it.
///
/// It prints as `error: what: cause: cause`, then `hint: what to do`.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct CommandError {
    /// How the process ends.
    pub code: ExitCode,
    /// What went wrong, with its causes; their texts hold no password.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
    /// What the operator can do.
    pub hint: Option<String>,
    /// Whether the same thing may work a moment later: a supervisor then tries again.
    pub transient: bool,
}

/// Results could not be written to stdout.
#[derive(Debug, thiserror::Error)]
#[error("writing the result to stdout")]
struct StdoutError(#[source] io::Error);

impl CommandError {
    /// An error that ends the process with `code`.
    pub fn new(code: ExitCode, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        CommandError {
            code,
            source: source.into(),
            hint: None,
            transient: false,
        }
    }

    /// An error in what was typed or configured.
    pub fn usage(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        CommandError::new(ExitCode::Usage, source)
    }

    /// Stdout is full or broken. A reader that has gone away is no error, see
    /// [`report::stdout`](crate::report::stdout).
    pub fn stdout(source: io::Error) -> Self {
        CommandError::new(ExitCode::Other, StdoutError(source))
    }

    /// The same error with a hint.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        CommandError {
            hint: Some(hint.into()),
            ..self
        }
    }
}
