//! `pgflit completions SHELL`.

use super::CommandError;
use crate::cli::ExitCode;
use crate::cli::generate::completion_script;
use crate::cli::invocation::Shell;
use crate::report::stdout;

pub(super) fn run(shell: Shell) -> Result<ExitCode, CommandError> {
    stdout::write(&completion_script(shell)).map_err(CommandError::stdout)?;
    Ok(ExitCode::Done)
}
