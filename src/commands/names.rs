//! What commands with several words are called.

use crate::cli::options::{RestoreCommand, RestoreStep};

pub(super) fn restore(restore: &RestoreCommand) -> &'static str {
    match restore {
        RestoreCommand::Step(RestoreStep::Schema, _) => "restore schema",
        RestoreCommand::Step(RestoreStep::PreData, _) => "restore pre-data",
        RestoreCommand::Step(RestoreStep::PostData, _) => "restore post-data",
        RestoreCommand::Step(RestoreStep::Roles, _) => "restore roles",
        RestoreCommand::ParseList { .. } => "restore parse-list",
    }
}
