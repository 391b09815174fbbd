//! From what was typed to the demo, and from its outcome to the exit code.

use super::{DemoError, DemoOptions, Outcome};
use crate::base::Remedy;
use crate::cli::{ExitCode, options};
use crate::commands::{CommandError, place};
use crate::report::stdout::Stream;

/// Runs the demo and tells it on stdout.
pub(in crate::commands) fn run(options: &options::DemoOptions) -> Result<ExitCode, CommandError> {
    let defaults = DemoOptions::default();
    let work_dir = &options.work_dir;
    let told = DemoOptions {
        scale: options.scale.map_or(defaults.scale, |scale| scale.get()),
        seconds: options.seconds.unwrap_or(defaults.seconds),
        dir: work_dir.dir_given.then(|| work_dir.dir.clone()),
        keep: options.keep,
    };
    let shutdown = place::shutdown()?;
    let outcome = super::run(&told, &shutdown, &mut Stream::new()).map_err(failed)?;
    Ok(match outcome {
        Outcome::Equal => ExitCode::Done,
        Outcome::Different => ExitCode::CheckFailed,
        Outcome::Stopped => ExitCode::Stopped,
    })
}

fn failed(error: DemoError) -> CommandError {
    let code = match error.remedy() {
        Remedy::FixArguments => ExitCode::Usage,
        Remedy::Retry | Remedy::AskOperator | Remedy::Bug => ExitCode::Other,
    };
    CommandError::new(code, error)
}
