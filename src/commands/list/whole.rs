//! `list schema`: the whole catalog as JSON.

use super::scope::{connect, failed, json, select};
use crate::catalog::listing;
use crate::cli::options::ListScope;
use crate::commands::CommandError;

pub(super) async fn whole(scope: &ListScope) -> Result<String, CommandError> {
    let source = connect(scope).await?;
    let selection = select(&source, scope).await?;
    let catalog = listing::whole(&source, &selection).await.map_err(failed)?;
    json(&catalog)
}
