//! The answer of commands and options that parse and have help, and do nothing yet.

use super::CommandError;
use crate::cli::ExitCode;
use crate::cli::options::CloneOptions;

/// A command or option of the contract that this version cannot do.
#[derive(Debug, thiserror::Error)]
#[error("pgflit {0} is not built yet")]
struct NotBuilt(String);

pub(super) fn not_built(command: &str) -> Result<ExitCode, CommandError> {
    let error = CommandError::new(ExitCode::Other, NotBuilt(command.to_owned()));
    Err(error.with_hint("this version cannot do it; pgflit help lists what there is"))
}

/// Refuses `option`, if there is one: ignoring it would give another result than was asked for.
pub(super) fn refuse_options(
    command: &str,
    option: Option<&'static str>,
) -> Result<(), CommandError> {
    match option {
        None => Ok(()),
        Some(option) => not_built(&format!("{command} {option}")).map(drop),
    }
}

/// The first option of a copy that this version would have to ignore.
pub(super) fn of_clone(options: &CloneOptions) -> Option<&'static str> {
    let both = options.all_databases && options.cdc.follow;
    first(&[(both, "--all-databases with --follow")])
}

/// The same of following, which copies nothing: what only a copy reads is of no use there.
pub(super) fn of_follow(options: &CloneOptions) -> Option<&'static str> {
    first(&[(options.all_databases, "--all-databases")])
}

fn first(asked: &[(bool, &'static str)]) -> Option<&'static str> {
    let found = asked.iter().find(|(is_asked, _)| *is_asked);
    found.map(|(_, option)| *option)
}
