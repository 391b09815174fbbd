//! Properties of the database, last of all: some of them change what sessions may do, ours too.

use crate::clone::database::{self, Wanted};
use crate::pg::Session;

use super::steps::Ends;
use crate::migration::error::{MigrationError, on_source, to_source, to_target};

/// Gives the target database the source's properties, unless they are left out.
pub async fn set_database_properties(ends: Ends<'_>) -> Result<(), MigrationError> {
    let choices = ends.choices;
    if choices.skip_db_properties {
        return Ok(());
    }
    let source = Session::connect(ends.source, "database properties")
        .await
        .map_err(to_source(ends.source))?;
    let target = Session::connect(ends.target, "database properties")
        .await
        .map_err(to_target(ends.target))?;
    let properties = database::read(&source).await;
    let properties = properties.map_err(on_source("reading properties of the database"))?;
    let wanted = Wanted {
        privileges: !choices.leave.has("--no-acl"),
        comment: !choices.leave.has("--no-comments"),
    };
    for (statement, reason) in database::set(&target, &properties, wanted).await? {
        tracing::warn!(
            "left out, for an administrator of the target to run: {statement}; ({reason})"
        );
    }
    Ok(())
}
