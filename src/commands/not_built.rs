//! The answer of commands that parse and have help, and do nothing yet.

use super::CommandError;
use crate::cli::ExitCode;

/// A command of the contract that this version cannot do.
#[derive(Debug, thiserror::Error)]
#[error("pgflit {0} is not built yet")]
struct NotBuilt(String);

pub(super) fn not_built(command: &str) -> Result<ExitCode, CommandError> {
    let error = CommandError::new(ExitCode::Other, NotBuilt(command.to_owned()));
    Err(error.with_hint("this version cannot do it; pgflit help lists what there is"))
}
