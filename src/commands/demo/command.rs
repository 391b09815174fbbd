//! From what was typed to the story, and from its outcome to an exit code.

use super::{DemoError, DemoOptions, Outcome, run};
use crate::base::{Remedy, Shutdown};
use crate::cli::{ExitCode, options};
use crate::commands::CommandError;
use crate::report::stdout;

/// `pgflit demo`.
pub(in crate::commands) fn command(typed: options::DemoOptions) -> Result<ExitCode, CommandError> {
    let options = DemoOptions {
        scale: typed.scale,
        seconds: typed.seconds,
        dir: typed.work_dir.dir_given.then_some(typed.work_dir.dir),
        keep: typed.keep,
    };
    let shutdown = Shutdown::on_signals()
        .map_err(|error| CommandError::new(ExitCode::Other, DemoError::Signals(error)))?;
    match run(&options, &shutdown, &mut stdout::Stream::new()) {
        Ok(Outcome::Equal) => Ok(ExitCode::Done),
        Ok(Outcome::Different) => Ok(ExitCode::CheckFailed),
        Ok(Outcome::Stopped) => Ok(ExitCode::Stopped),
        Err(error) => Err(CommandError::new(exit_code(&error), error)),
    }
}

fn exit_code(error: &DemoError) -> ExitCode {
    match error.remedy() {
        Remedy::AskOperator | Remedy::FixArguments => ExitCode::Usage,
        Remedy::Retry | Remedy::Bug => ExitCode::Other,
    }
}
