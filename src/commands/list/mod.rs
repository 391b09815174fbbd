//! `pgflit list …`: what the source contains, and what of it the filters leave out.
//!
//! Read fresh from the source, but for the progress of a copy, which is in its store: what an
//! earlier run knew may be old.

mod depends;
mod objects;
mod parts;
mod progress;
mod relations;
mod scope;
mod whole;

use super::CommandError;
use super::runtime;
use crate::cli::ExitCode;
use crate::cli::options::ListCommand;
use crate::report::stdout;
use scope::Shape;

/// Reads what is asked for and prints it.
pub(super) fn run(command: &ListCommand, json: bool) -> Result<ExitCode, CommandError> {
    let shape = Shape::of(json);
    let text = match command {
        ListCommand::Progress {
            scope,
            summary: true,
        } => progress::summarize(scope, shape)?,
        ListCommand::Progress { scope, .. } => progress::progress(scope, shape)?,
        _ => runtime::block_on(listing(command, shape))??,
    };
    stdout::write(text.as_bytes()).map_err(CommandError::stdout)?;
    Ok(ExitCode::Done)
}

async fn listing(command: &ListCommand, shape: Shape) -> Result<String, CommandError> {
    match command {
        ListCommand::Databases(scope) => objects::databases(scope, shape).await,
        ListCommand::Extensions {
            scope,
            requirements: true,
            ..
        } => objects::requirements(scope).await,
        ListCommand::Extensions {
            scope,
            available_versions: true,
            ..
        } => objects::available_versions(scope, shape).await,
        ListCommand::Extensions { scope, .. } => objects::extensions(scope, shape).await,
        ListCommand::Collations(scope) => objects::collations(scope, shape).await,
        ListCommand::Tables { scope, listing } => relations::tables(scope, *listing, shape).await,
        ListCommand::Sequences {
            scope,
            list_skipped,
        } => relations::sequences(scope, *list_skipped, shape).await,
        ListCommand::Indexes {
            scope,
            table,
            list_skipped,
        } => relations::indexes(scope, table, *list_skipped, shape).await,
        ListCommand::Depends {
            scope,
            table,
            list_skipped,
        } => depends::depends(scope, table, *list_skipped, shape).await,
        ListCommand::TableParts {
            scope,
            table,
            split,
        } => parts::table_parts(scope, table, split, shape).await,
        ListCommand::Schema(scope) => whole::whole(scope).await,
        ListCommand::Progress { .. } => Ok(String::new()),
    }
}
